#include "core/msg.c"
#include "tests/unit/own_key.h"

static const uint8_t job[32] = {0xaa};

static void a_message_round_trips(void **state) {
    struct rumor *r =
        msg_make("collateral", job, view_str("\"vek\":\"AA==\""), k, keypair_pub(k), 1);
    struct msg m;

    (void)state;
    assert_int_equal(msg_parse(r, &m, NULL), 0);
    assert_string_equal(m.type, "collateral");
    assert_memory_equal(m.job, job, 32);
    assert_true(m.seq == -1 && m.ack == -1);
    assert_string_equal(json_opt(m.o, "vek"), "AA==");
    msg_free(&m);
    rumor_free(r);
}

static void no_two_are_alike(void **state) {
    struct rumor *a = msg_make("ping", job, (struct view){0}, k, keypair_pub(k), 1);
    struct rumor *b = msg_make("ping", job, (struct view){0}, k, keypair_pub(k), 1);

    (void)state;
    assert_memory_not_equal(a->f.id, b->f.id, 32); /* 16 random bytes */
    assert_int_equal(a->f.content_len, 512);
    assert_int_equal(b->f.content_len, 512);
    rumor_free(a);
    rumor_free(b);
}

static void sizes_are_buckets(void **state) {
    static const struct {
        size_t body, content;
    } rows[] = {{0, 512}, {300, 512}, {600, 2048}, {2000, 8192}, {9000, 28000}, {27500, 28000}};
    char *body = mem_new(30000);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rumor *r;

        snprintf(body, 30000, "\"x\":\"%0*d\"", (int)rows[i].body, 0);
        r = msg_make("table", job, view_str(body), k, keypair_pub(k), 1);
        assert_non_null(r);
        assert_int_equal(r->f.content_len, rows[i].content);
        rumor_free(r);
    }
    snprintf(body, 30000, "\"x\":\"%0*d\"", 28000, 0);
    assert_null(msg_make("table", job, view_str(body), k, keypair_pub(k), 1));
    free(body);
}

static struct rumor *raw(uint32_t kind, const char *content) {
    struct fields f = fields_new(kind, 1, view_str(content));

    return rumor_make(&f, keypair_pub(k));
}

#define JOB64 "\"aa00000000000000000000000000000000000000000000000000000000000000\""
#define R32 "\"00000000000000000000000000000000\""

static void bad_messages_are_refused(void **state) {
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"v\":2,\"t\":\"ping\",\"job\":" JOB64 ",\"r\":" R32 "}",
        "{\"v\":1,\"t\":\"Ping\",\"job\":" JOB64 ",\"r\":" R32 "}",
        "{\"v\":1,\"t\":\"\",\"job\":" JOB64 ",\"r\":" R32 "}",
        "{\"v\":1,\"t\":\"abcdefghijklmnopqrstuvwxyz\",\"job\":" JOB64 ",\"r\":" R32 "}",
        "{\"v\":1,\"t\":\"ping\",\"job\":\"aa\",\"r\":" R32 "}",
        "{\"v\":1,\"t\":\"ping\",\"job\":" JOB64 "}",
        "{\"v\":1,\"t\":\"ping\",\"job\":" JOB64 ",\"r\":" R32 ",\"seq\":-1}",
        "{\"v\":1,\"t\":\"ping\",\"job\":" JOB64 ",\"r\":" R32 ",\"seq\":\"1\"}",
        "{\"v\":1,\"t\":\"ping\",\"t\":\"pong\",\"job\":" JOB64 ",\"r\":" R32 "}",
    };
    struct msg m;
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct rumor *r = raw(KIND_MESSAGE, bad[i]);

        assert_int_equal(msg_parse(r, &m, &e), -1);
        assert_true(e.text[0]);
        rumor_free(r);
    }
    {
        struct rumor *r = raw(14, "{\"v\":1,\"t\":\"ping\",\"job\":" JOB64 ",\"r\":" R32 "}");

        assert_int_equal(msg_parse(r, &m, &e), -1);
        assert_string_equal(e.code, "bad-message");
        rumor_free(r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_round_trips),
        cmocka_unit_test(no_two_are_alike),
        cmocka_unit_test(sizes_are_buckets),
        cmocka_unit_test(bad_messages_are_refused),
    };
    return cmocka_run_group_tests(tests, open_key, close_key);
}
