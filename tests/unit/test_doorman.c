#include "tui/doorman.c"
#include "tests/unit/unit.h"

static struct door d;

static int set_up(void **state) {
    (void)state;
    return door_open("127.0.0.1:8080", &d, NULL);
}
static int tear_down(void **state) {
    (void)state;
    door_close(&d);
    return 0;
}

static char *bearer(const char *scheme) {
    return mem_fmt("%s %.*s", scheme, (int)secret_len(d.token), (const char *)secret_get(d.token));
}

static unsigned knock(const char *host, const char *origin, const char *authorization,
                      const char *code) {
    const struct knock k = {host, origin, authorization};
    struct err e = {0};
    unsigned status = door_check(&d, &k, &e);

    assert_string_equal(e.code, code);
    return status;
}

static void loopback_and_nothing_else(void **state) {
    static const char *const good[] = {"127.0.0.1:0", "127.0.0.1:65535", "127.8.9.1:80", "[::1]:8"};
    static const char *const bad[] = {"0.0.0.0:80",    "192.168.1.1:80",
                                      "10.0.0.1:80",   "[::]:80",
                                      "[fe80::1]:80",  "8.8.8.8:80",
                                      "localhost:80",  "127.0.0.1",
                                      "127.0.0.1:",    ":80",
                                      "127.0.0.1:-1",  "127.0.0.1:65536",
                                      "127.0.0.1:80x", "::1:80",
                                      "[::1:80",       "127.1:80",
                                      "2130706433:80", "[::ffff:127.0.0.1]:80",
                                      "127.0.0.1 :80", ""};
    struct door o;
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        if (door_open(good[i], &o, &e))
            fail_msg("%s: %s", good[i], e.text);
        door_close(&o);
    }
    for (size_t i = 0; i < COUNT(bad); i++)
        if (door_open(bad[i], &o, &e) == 0)
            fail_msg("%s is served", bad[i]);
}

static void every_token_is_another(void **state) {
    struct door o;

    (void)state;
    assert_int_equal(door_open("127.0.0.1:8080", &o, NULL), 0);
    assert_int_equal(secret_len(d.token), DOOR_TOKEN_LEN);
    assert_int_equal(secret_len(o.token), DOOR_TOKEN_LEN);
    assert_memory_not_equal(secret_get(d.token), secret_get(o.token), DOOR_TOKEN_LEN);
    door_close(&o);
}

static void the_token_opens(void **state) {
    cleanup_free char *good = bearer("Bearer"), *lower = bearer("bearer"), *basic = bearer("Basic");
    cleanup_free char *longer = mem_fmt("%sA", good), *shorter = mem_strn(good, strlen(good) - 1);

    (void)state;
    assert_int_equal(knock("127.0.0.1:8080", NULL, good, ""), 0);
    assert_int_equal(knock("LocalHost:8080", NULL, lower, ""), 0);
    assert_int_equal(knock("127.0.0.1:8080", NULL, NULL, "no-token"), 401);
    assert_int_equal(knock("127.0.0.1:8080", NULL, basic, "bad-token"), 401);
    assert_int_equal(knock("127.0.0.1:8080", NULL, longer, "bad-token"), 401);
    assert_int_equal(knock("127.0.0.1:8080", NULL, shorter, "bad-token"), 401);
    good[7] ^= 1;
    assert_int_equal(knock("127.0.0.1:8080", NULL, good, "bad-token"), 401);
    assert_int_equal(knock("127.0.0.1:8080", NULL, "", "bad-token"), 401);
}

static void pages_and_other_names_do_not(void **state) {
    static const char *const hosts[] = {"evil.example",        "evil.example:8080", "127.0.0.1",
                                        "127.0.0.1:8081",      "localhost",         "[::1]:8080",
                                        "127.0.0.1:8080.evil", "127.0.0.1:08080",   ""};
    cleanup_free char *good = bearer("Bearer");

    (void)state;
    for (size_t i = 0; i < COUNT(hosts); i++)
        assert_int_equal(knock(hosts[i], NULL, good, "bad-host"), 403);
    assert_int_equal(knock(NULL, NULL, good, "bad-host"), 403);
    assert_int_equal(knock("127.0.0.1:8080", "http://evil.example", good, "bad-origin"), 403);
    assert_int_equal(knock("127.0.0.1:8080", "http://127.0.0.1:8080", good, "bad-origin"), 403);
    assert_int_equal(knock("127.0.0.1:8080", "", good, "bad-origin"), 403);
}

static void ipv6_is_named_in_brackets(void **state) {
    cleanup_buf struct buf name = {0};

    (void)state;
    door_close(&d);
    assert_int_equal(door_open("[::1]:9", &d, NULL), 0);
    door_address(&d, &name);
    assert_string_equal((char *)name.p, "[::1]:9");
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(loopback_and_nothing_else),    T(every_token_is_another),    T(the_token_opens),
        T(pages_and_other_names_do_not), T(ipv6_is_named_in_brackets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
