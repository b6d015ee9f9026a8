/* Collateral in one message or in many, whole or with parts missing, and what is refused. */
#include "core/collateral.c"
#include "tests/unit/own_key.h"

static const uint8_t job[32] = {7};

#define MESSAGE(text) msg_make("collateral", job, view_str(text), k, keypair_pub(k), 1)

static struct view filled(struct buf *b, size_t n, uint8_t with) {
    buf_reset(b);
    for (size_t i = 0; i < n; i++)
        buf_u8(b, (uint8_t)(with + i * 7));
    return buf_view(b);
}

/* A machine with GPUs: two documents of reference values, an answer and a list. */
static void gpu_machine(struct collateral *c) {
    cleanup_buf struct buf b = {0};

    *c = (struct collateral){0};
    buf_add(&c->vek, filled(&b, 1300, 1).p, 1300);
    buf_add(&c->ark, filled(&b, 1600, 2).p, 1600);
    assert_true(collateral_add(c, COLL_RIM, filled(&b, 21053, 3)));
    assert_true(collateral_add(c, COLL_RIM, filled(&b, 25698, 4)));
    assert_true(collateral_add(c, COLL_OCSP, filled(&b, 1010, 5)));
    assert_true(collateral_add(c, COLL_GPU_CRL, filled(&b, 700, 6)));
}

static void same(const struct collateral *a, const struct collateral *b) {
    assert_true(view_eq(buf_view(&a->vek), buf_view(&b->vek)));
    assert_true(view_eq(buf_view(&a->ark), buf_view(&b->ark)));
    assert_int_equal(a->n_files, b->n_files);
    for (size_t i = 0; i < a->n_files; i++) {
        assert_int_equal(a->file[i].kind, b->file[i].kind);
        assert_true(view_eq(buf_view(&a->file[i].bytes), buf_view(&b->file[i].bytes)));
    }
}

static size_t make(const struct collateral *c, struct rumor *part[static COLLATERAL_PARTS]) {
    struct err e = {0};
    size_t n;

    if (collateral_make(c, job, k, keypair_pub(k), 1, part, &n, &e))
        fail_msg("%s", e.text);
    return n;
}

static void certificates_take_one_message(void **state) {
    struct collateral c = {0}, got;
    struct rumor *part[COLLATERAL_PARTS];

    (void)state;
    buf_str(&c.vek, "vek der");
    buf_str(&c.ark, "ark der");
    assert_int_equal(make(&c, part), 1);
    assert_null(strstr(part[0]->f.content, "\"of\""));
    assert_int_equal(collateral_read(part, 1, &got, NULL), 0);
    same(&c, &got);
    assert_int_equal(got.ask.n, 0);
    rumor_free(part[0]);
    collateral_free(&c);
    collateral_free(&got);
}

static void many_messages_in_any_order(void **state) {
    struct collateral_set set = {0};
    struct collateral c, got;
    struct rumor *part[COLLATERAL_PARTS];
    size_t n;

    (void)state;
    gpu_machine(&c);
    n = make(&c, part);
    assert_true(n > 2 && n < 6);
    for (size_t i = n; i-- > 0;) {
        struct msg m;

        assert_true(part[i]->f.content_len <= MSG_CONTENT_MAX);
        assert_false(collateral_set_whole(&set));
        assert_int_equal(msg_parse(part[i], &m, NULL), 0);
        assert_true(collateral_set_add(&set, part[i], &m));
        assert_false(collateral_set_add(&set, part[i], &m)); /* again */
        msg_free(&m);
    }
    assert_true(collateral_set_whole(&set));
    assert_int_equal(collateral_set_read(&set, &got, NULL), 0);
    same(&c, &got);
    collateral_free(&got);
    assert_int_equal(collateral_read(part, n, &got, NULL), 0);
    same(&c, &got);
    collateral_free(&got);
    collateral_set_free(&set);
    while (n)
        rumor_free(part[--n]);
    collateral_free(&c);
}

/* Each message lost in turn: what it carried is not there, and nothing half is. */
static void what_is_unfinished_is_left_out(void **state) {
    struct rumor *part[COLLATERAL_PARTS], *rest[COLLATERAL_PARTS];
    struct collateral c, got;
    size_t n;

    (void)state;
    gpu_machine(&c);
    n = make(&c, part);
    for (size_t lost = 0; lost < n; lost++) {
        size_t left = 0;

        for (size_t i = 0; i < n; i++)
            if (i != lost)
                rest[left++] = part[i];
        assert_int_equal(collateral_read(rest, left, &got, NULL), 0);
        assert_true(got.n_files < c.n_files || got.vek.n < c.vek.n);
        for (size_t i = 0; i < got.n_files; i++) {
            bool known = false;

            for (size_t j = 0; j < c.n_files; j++)
                known |= view_eq(buf_view(&got.file[i].bytes), buf_view(&c.file[j].bytes));
            assert_true(known);
        }
        collateral_free(&got);
    }
    while (n)
        rumor_free(part[--n]);
    collateral_free(&c);
}

static void limits(void **state) {
    struct rumor *part[COLLATERAL_PARTS];
    cleanup_buf struct buf b = {0};
    struct collateral c = {0};
    struct err e;
    size_t n;

    (void)state;
    assert_false(collateral_add(&c, COLL_RIM, (struct view){0}));
    assert_false(collateral_add(&c, COLL_RIM, filled(&b, COLLATERAL_FILE_MAX + 1, 0)));
    for (int i = 0; i < 4; i++)
        assert_true(collateral_add(&c, COLL_RIM, filled(&b, COLLATERAL_FILE_MAX, (uint8_t)i)));
    assert_int_equal(collateral_make(&c, job, k, keypair_pub(k), 1, part, &n, &e), -1);
    assert_string_equal(e.code, "too-large");
    assert_int_equal(n, 0);
    collateral_free(&c);
    for (size_t i = 0; i < COLLATERAL_FILES; i++)
        assert_true(collateral_add(&c, COLL_OCSP, view_str("x")));
    assert_false(collateral_add(&c, COLL_OCSP, view_str("x")));
    collateral_free(&c);
}

static const char sha_of_abc[] =
    "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"";

static void pieces(void **state) {
    static const struct {
        const char *at, *data, *size;
        size_t n;
    } rows[] = {
        {"0", "YWJj", "3", 1}, /* "abc" */
        {"1", "YWJj", "3", 0}, /* not where it goes on */
        {"0", "YWJk", "3", 0}, /* other bytes */
        {"0", "YWJj", "4", 0}, /* one is missing */
        {"0", "YWJj", "2", 0}, /* one too many */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        cleanup_free char *text =
            mem_fmt("\"rims\":[{\"sha256\":%s,\"size\":%s}],\"pieces\":[{\"sha256\":%s,\"at\":%s,"
                    "\"data\":\"%s\"}]",
                    sha_of_abc, rows[i].size, sha_of_abc, rows[i].at, rows[i].data);
        struct rumor *r = MESSAGE(text);
        struct collateral got;

        assert_int_equal(collateral_read(&r, 1, &got, NULL), 0);
        assert_int_equal(got.n_files, rows[i].n);
        collateral_free(&got);
        rumor_free(r);
    }
}

static void malformed_ones_are_refused(void **state) {
    static const char *const rows[] = {
        "\"vek\":\"AA==\",\"ask\":\"!\"",
        "\"rims\":{}",
        "\"ocsp\":[7]",
        "\"ocsp\":[\"!\"]",
        "\"gpu_crls\":[{\"sha256\":\"00\",\"size\":1}]",
        "\"rims\":[{\"sha256\":"
        "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\",\"size\":0}]",
        "\"rims\":[{\"sha256\":"
        "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\",\"size\":262145}]",
        "\"pieces\":[{}]",
        "\"pieces\":[\"AA==\"]",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rumor *r = MESSAGE(rows[i]);
        struct collateral got;
        struct err e = {0};

        if (!collateral_read(&r, 1, &got, &e))
            fail_msg("taken: %s", rows[i]);
        assert_string_equal(e.code, "bad-message");
        assert_int_equal(got.n_files + got.vek.n, 0);
        rumor_free(r);
    }
    {
        struct rumor *r = msg_make("teardown", job, view_str(""), k, keypair_pub(k), 1);
        struct collateral got;

        assert_int_equal(collateral_read(&r, 1, &got, NULL), -1);
        rumor_free(r);
    }
}

static void places_that_are_none(void **state) {
    static const struct {
        const char *text;
        bool taken;
    } rows[] = {
        {"\"vek\":\"AA==\"", true},          {"\"i\":1,\"of\":2", true},
        {"\"i\":2,\"of\":2", false},         {"\"i\":0,\"of\":0", false},
        {"\"i\":0,\"of\":41", false},        {"\"i\":-1,\"of\":2", false},
        {"\"i\":\"0\",\"of\":\"2\"", false}, {"\"of\":2", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct collateral_set set = {0};
        struct rumor *r = MESSAGE(rows[i].text), *other = MESSAGE("\"i\":0,\"of\":3");
        struct msg m;

        assert_int_equal(msg_parse(r, &m, NULL), 0);
        if (collateral_set_add(&set, r, &m) != rows[i].taken)
            fail_msg("%s", rows[i].text);
        msg_free(&m);
        assert_int_equal(msg_parse(other, &m, NULL), 0);
        assert_int_equal(collateral_set_add(&set, other, &m), !rows[i].taken); /* of another set */
        msg_free(&m);
        collateral_set_free(&set);
        rumor_free(r);
        rumor_free(other);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_take_one_message),
        cmocka_unit_test(many_messages_in_any_order),
        cmocka_unit_test(what_is_unfinished_is_left_out),
        cmocka_unit_test(limits),
        cmocka_unit_test(pieces),
        cmocka_unit_test(malformed_ones_are_refused),
        cmocka_unit_test(places_that_are_none),
    };
    return cmocka_run_group_tests(tests, open_key, close_key);
}
