#include "core/xfer.c"
#include "core/xfer_in.c"
#include "tests/unit/unit.h"

/* One talk whose rumors are handed straight to an xfer_in, as the other side's talk would. */
static struct keypair *me, *peer;
static struct talk *talk;
static struct xfer_in *in;
static struct rumor *last; /* the newest rumor sent */

static struct {
    unsigned begun, files, failed;
    struct xfer_meta meta;
    struct buf data;
    char code[32];
    uint8_t want[32];
    uint64_t want_max;
    unsigned wants;
} got;

static void on_begin(void *arg, const struct xfer_meta *m) {
    (void)arg;
    (void)m;
    got.begun++;
}
static void on_file(void *arg, const struct xfer_meta *m, struct view data) {
    (void)arg;
    got.files++;
    got.meta = *m;
    buf_reset(&got.data);
    buf_add(&got.data, data.p, data.n);
}
static void on_failed(void *arg, const struct xfer_meta *m, const struct err *e) {
    (void)arg;
    (void)m;
    got.failed++;
    memcpy(got.code, e->code, sizeof got.code);
}
static void on_want(void *arg, const uint8_t sha[static 32], uint64_t max) {
    (void)arg;
    got.wants++;
    memcpy(got.want, sha, 32);
    got.want_max = max;
}

static void hand_over_rumor(const struct rumor *r) {
    struct talk_msg m = {r->f.kind, "file", NULL, r, 0};
    struct msg parsed = {0};

    if (r->f.kind == KIND_MESSAGE) {
        assert_int_equal(msg_parse(r, &parsed, NULL), 0);
        m.type = parsed.type;
        m.o = parsed.o;
    }
    (void)xfer_in_take(in, &m);
    msg_free(&parsed);
}

static bool direct; /* hand each rumor over as it is sent */

static void on_send(void *arg, const struct rumor *r, bool stored) {
    (void)arg;
    (void)stored;
    rumor_free(last);
    last = rumor_copy(r);
    if (direct)
        hand_over_rumor(r);
}
static void on_message(void *arg, const struct talk_msg *m) {
    (void)arg;
    (void)m;
}
static void on_broken(void *arg, const struct err *e) {
    (void)arg;
    fail_msg("%s", e->text);
}

static int set_up(void **state) {
    static const struct talk_handler th = {
        .send = on_send, .message = on_message, .broken = on_broken};
    static const struct xfer_in_handler xh = {on_begin, NULL, on_file, on_failed, on_want};
    static const uint8_t job[32];

    (void)state;
    memset(&got, 0, sizeof got);
    buf_init(&got.data, XFER_FILE_MAX);
    me = keypair_new();
    peer = keypair_new();
    talk = talk_new(TALK_GUEST, me, keypair_pub(peer), job, &th, NULL);
    in = xfer_in_new(XFER_FILE_MAX, &xh, NULL);
    direct = false;
    assert_int_equal(talk_send(talk, "hello", (struct view){0}, NULL, NULL), 0);
    direct = true;
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    talk_free(talk);
    xfer_in_free(in);
    rumor_free(last);
    last = NULL;
    keypair_free(me);
    keypair_free(peer);
    buf_free(&got.data);
    return 0;
}

static void padme_rows(void **state) {
    static const size_t rows[][2] = {{0, 0},
                                     {1, 1},
                                     {2, 2},
                                     {8, 8},
                                     {9, 10},
                                     {1000, 1024},
                                     {1025, 1088},
                                     {1048577, 1081344},
                                     {16777216, 16777216}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(padme(rows[i][0]), rows[i][1]);
    for (size_t n = 1; n < 100000; n += 7) {
        assert_true(padme(n) >= n && padme(n) - n <= n / 8 + 1);
        assert_int_equal(padme(padme(n)), padme(n));
    }
}

static void names_are_made_safe(void **state) {
    struct xfer_meta m;

    (void)state;
    xfer_meta_init(&m, "../../.bash\x1brc", "text/\x01", "file", NULL, view_str("x"));
    assert_null(strchr(m.name, '/'));
    assert_null(strchr(m.name, 0x1b));
    assert_true(m.name[0] != '.' && m.name[0]);
    assert_string_equal(m.mime, "application/octet-stream");
}

static void send_inband(struct view data) {
    struct xfer_meta m;
    struct xfer_out *x;
    struct err e;

    xfer_meta_init(&m, "a.csv", "text/csv", "file", NULL, data);
    x = xfer_out_inband(talk, &m, data);
    assert_int_equal(xfer_out_step(x, &e), 1);
    xfer_out_free(x);
}

static void files_arrive_in_band(void **state) {
    static const size_t sizes[] = {0, 1, XFER_CHUNK, XFER_CHUNK + 1, 200000};
    uint8_t *data = mem_new(200000);

    (void)state;
    random_bytes(data, 200000);
    for (size_t i = 0; i < 3; i++) {
        send_inband(view_of(data, sizes[i]));
        assert_int_equal(got.files, i + 1);
        assert_true(view_eq(buf_view(&got.data), view_of(data, sizes[i])));
        assert_string_equal(got.meta.name, "a.csv");
    }
    assert_int_equal(got.failed, 0);
    assert_int_equal(xfer_in_open(in), 0);
    free(data);
}

static void a_file_waits_for_acks(void **state) {
    uint8_t *data = mem_new(XFER_CHUNK * 40);
    struct xfer_meta m;
    struct xfer_out *x;

    (void)state;
    xfer_meta_init(&m, "a", "b", "file", NULL, view_of(data, XFER_CHUNK * 40));
    x = xfer_out_inband(talk, &m, view_of(data, XFER_CHUNK * 40));
    assert_int_equal(xfer_out_step(x, NULL), 0);
    assert_int_equal(talk_unacked(talk), XFER_FLIGHT);
    assert_int_equal(xfer_out_step(x, NULL), 0);
    assert_int_equal(talk_unacked(talk), XFER_FLIGHT);
    xfer_out_abort(x);
    assert_int_equal(xfer_out_step(x, NULL), 1);
    assert_string_equal(got.code, "aborted");
    xfer_out_free(x);
    free(data);
}

/* Says one message of the in-band family, made by hand. */
static void say(const char *type, const char *body) {
    struct err e;

    if (talk_send(talk, type, view_str(body), NULL, &e))
        fail_msg("%s", e.text);
}

#define XID "\"xid\":\"000102030405060708090a0b0c0d0e0f\""
#define EMPTY_SHA "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define START(size)                                                                                \
    XID ",\"name\":\"n\",\"mime\":\"m\",\"size\":" size ",\"sha256\":\"" EMPTY_SHA "\""

static void broken_files_are_refused(void **state) {
    static const struct {
        const char *type, *body;
    } scripts[][4] = {
        {{"start", START("3")}, {"end", XID}},                                    /* too short */
        {{"start", START("3")}, {"chunk", XID ",\"i\":0,\"data\":\"YWJjZA==\""}}, /* too long */
        {{"start", START("3")}, {"chunk", XID ",\"i\":1,\"data\":\"YWJj\""}},     /* out of place */
        {{"start", START("3")}, {"chunk", XID ",\"i\":0,\"data\":\"YW Jj\""}},    /* not base64 */
        {{"start", START("3")}, {"chunk", XID ",\"i\":0,\"data\":\"\""}},         /* nothing */
        {{"start", START("3")},
         {"chunk", XID ",\"i\":0,\"data\":\"YWJj\""},
         {"end", XID}},                                 /* hash */
        {{"start", START("300000000")}},                /* too large */
        {{"start", START("3")}, {"start", START("3")}}, /* twice */
        {{"start", "\"xid\":\"00\""}},                  /* no meaning */
        {{"start", START("3")}, {"abort", XID}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(scripts); i++) {
        unsigned before = got.failed;

        for (size_t k = 0; k < 4 && scripts[i][k].type; k++) {
            if (talk_unacked(talk) > 200) { /* a fresh conversation */
                tear_down(NULL);
                set_up(NULL);
                before = got.failed;
            }
            say(scripts[i][k].type, scripts[i][k].body);
        }
        if (got.failed != before + 1)
            fail_msg("script %zu: %u failures", i, got.failed - before);
        assert_int_equal(got.files, 0);
        while (xfer_in_open(in))
            say("abort", XID);
    }
}

static void many_open_files_are_refused(void **state) {
    (void)state;
    for (int i = 0; i < XFER_OPEN_MAX + 1; i++) {
        cleanup_free char *body =
            mem_fmt("\"xid\":\"%032d\",\"name\":\"n\",\"mime\":\"m\",\"size\":1,"
                    "\"sha256\":\"" EMPTY_SHA "\"",
                    i);

        say("start", body);
    }
    assert_int_equal(xfer_in_open(in), XFER_OPEN_MAX);
    assert_int_equal(got.failed, 1);
    assert_string_equal(got.code, "too-large");
}

static void an_end_without_xid_is_not_ours(void **state) {
    struct talk_msg m = {KIND_MESSAGE, "end", NULL, NULL, 3};
    cJSON *o = json_parse(view_str("{\"reason\":\"end\"}"), 100, NULL);

    (void)state;
    m.o = o;
    assert_false(xfer_in_take(in, &m));
    cJSON_Delete(o);
}

/* --- blobs --- */

static struct xfer_blob blob_of(struct view data) {
    struct xfer_meta m;
    struct xfer_blob b;

    xfer_meta_init(&m, "b.bin", "application/octet-stream", "file", NULL, data);
    assert_int_equal(xfer_blob_make(&m, data, &b, NULL), 0);
    return b;
}

static void deliver_parts(struct xfer_blob *b) {
    for (size_t i = 0; i < b->n_parts; i++) {
        assert_int_equal(got.wants, i + 1);
        assert_memory_equal(got.want, b->part_sha[i], 32);
        assert_int_equal(got.want_max, b->parts[i].n);
        xfer_in_blob(in, got.want, buf_view(&b->parts[i]));
    }
}

static void a_file_arrives_through_one_blob(void **state) {
    uint8_t data[3000];
    struct xfer_blob b;

    (void)state;
    random_bytes(data, sizeof data);
    b = blob_of(view_of(data, sizeof data));
    assert_int_equal(b.n_parts, 1);
    assert_int_equal(b.parts[0].n, padme(sizeof data) + PART_TAG);
    assert_int_equal(xfer_blob_message(talk, &b, "https://blobs.example", NULL), 0);
    deliver_parts(&b);
    assert_int_equal(got.files, 1);
    assert_true(view_eq(buf_view(&got.data), view_of(data, sizeof data)));
    xfer_blob_free(&b);
}

static void an_empty_file_too(void **state) {
    struct xfer_blob b = blob_of((struct view){0});

    (void)state;
    assert_int_equal(xfer_blob_message(talk, &b, NULL, NULL), 0);
    deliver_parts(&b);
    assert_int_equal(got.files, 1);
    assert_int_equal(got.data.n, 0);
    xfer_blob_free(&b);
}

static void a_large_file_arrives_in_parts(void **state) {
    size_t n = 2 * XFER_PART + 12345;
    uint8_t *data = mem_new(n);
    struct xfer_blob b;

    (void)state;
    random_bytes(data, n);
    b = blob_of(view_of(data, n));
    assert_int_equal(b.n_parts, 3);
    assert_int_equal(xfer_blob_message(talk, &b, "https://blobs.example", NULL), 0);
    deliver_parts(&b);
    assert_int_equal(got.files, 1);
    assert_true(view_eq(buf_view(&got.data), view_of(data, n)));
    xfer_blob_free(&b);
    free(data);
}

static void parts_cannot_be_exchanged(void **state) {
    size_t n = 2 * XFER_PART;
    uint8_t *data = mem_new(n);
    struct xfer_blob b;
    uint8_t sha[32];
    struct buf part;

    (void)state;
    b = blob_of(view_of(data, n)); /* then the customer is told of them in the wrong order */
    memcpy(sha, b.part_sha[0], 32);
    memcpy(b.part_sha[0], b.part_sha[1], 32);
    memcpy(b.part_sha[1], sha, 32);
    part = b.parts[0];
    b.parts[0] = b.parts[1];
    b.parts[1] = part;
    assert_int_equal(xfer_blob_message(talk, &b, NULL, NULL), 0);
    xfer_in_blob(in, got.want, buf_view(&b.parts[0]));
    assert_int_equal(got.failed, 1);
    assert_string_equal(got.code, "bad-file");
    xfer_blob_free(&b);
    free(data);
}

static void a_blob_with_another_hash_is_refused(void **state) {
    struct xfer_blob b = blob_of(view_str("hello"));

    (void)state;
    assert_int_equal(xfer_blob_message(talk, &b, NULL, NULL), 0);
    b.parts[0].p[0] ^= 1;
    xfer_in_blob(in, got.want, buf_view(&b.parts[0]));
    assert_string_equal(got.code, "bad-hash");
    assert_int_equal(got.files, 0);
    xfer_blob_free(&b);
}

/* The sender itself lies: what the hash of the plaintext says is not what was encrypted. */
static void a_wrong_plaintext_hash_is_refused(void **state) {
    struct xfer_blob b = blob_of(view_str("hello"));

    (void)state;
    b.meta.sha256[0] ^= 1;
    assert_int_equal(xfer_blob_message(talk, &b, NULL, NULL), 0);
    xfer_in_blob(in, got.want, buf_view(&b.parts[0]));
    assert_string_equal(got.code, "bad-file");
    assert_int_equal(got.files, 0);
    xfer_blob_free(&b);
}

static void a_blob_that_cannot_be_had_fails_its_file(void **state) {
    struct xfer_blob b = blob_of(view_str("hello"));
    struct err e;

    (void)state;
    err_set(&e, "absent", "no such blob");
    assert_int_equal(xfer_blob_message(talk, &b, NULL, NULL), 0);
    xfer_in_blob_failed(in, got.want, &e);
    assert_string_equal(got.code, "absent");
    assert_int_equal(xfer_in_open(in), 0);
    xfer_blob_free(&b);
}

/* Kind 15 with one tag renamed away. */
static void take_without(const char *name) {
    struct xfer_blob b = blob_of(view_str("hello"));
    unsigned before = got.failed;
    struct fields f;
    struct rumor *r;

    direct = false;
    assert_int_equal(xfer_blob_message(talk, &b, NULL, NULL), 0);
    f = last->f;
    last->f = (struct fields){0};
    for (size_t i = 0; i < f.n_tags; i++)
        if (!strcmp(f.tags[i].v[0], name))
            f.tags[i].v[0][0] = '_';
    r = rumor_make(&f, keypair_pub(me));
    hand_over_rumor(r);
    if (got.failed != before + 1)
        fail_msg("kind 15 without %s was taken", name);
    rumor_free(r);
    xfer_blob_free(&b);
}

static void kind_15_needs_its_tags(void **state) {
    static const char *const names[] = {
        "encryption-algorithm", "decryption-key", "decryption-nonce", "x", "ox", "size"};

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++)
        take_without(names[i]);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(padme_rows),
        T(names_are_made_safe),
        T(files_arrive_in_band),
        T(a_file_waits_for_acks),
        T(broken_files_are_refused),
        T(many_open_files_are_refused),
        T(an_end_without_xid_is_not_ours),
        T(a_file_arrives_through_one_blob),
        T(an_empty_file_too),
        T(a_large_file_arrives_in_parts),
        T(parts_cannot_be_exchanged),
        T(a_blob_with_another_hash_is_refused),
        T(a_wrong_plaintext_hash_is_refused),
        T(a_blob_that_cannot_be_had_fails_its_file),
        T(kind_15_needs_its_tags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
