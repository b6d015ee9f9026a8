#include "core/url.c"
#include "tests/unit/unit.h"

static void takes_apart(void **state) {
    struct url u;

    (void)state;
    assert_int_equal(url_parse("wss://Relay.Example/a/b?c=d", &u, NULL), 0);
    assert_string_equal(u.scheme, "wss");
    assert_string_equal(u.host, "relay.example");
    assert_string_equal(u.path, "/a/b?c=d");
    assert_int_equal(u.port, 443);
    assert_true(u.tls);
    assert_int_equal(url_parse("HTTP://[::1]:8080", &u, NULL), 0);
    assert_string_equal(u.host, "::1");
    assert_string_equal(u.path, "/");
    assert_int_equal(u.port, 8080);
    assert_false(u.tls);
    assert_int_equal(url_parse("ws://h?x", &u, NULL), 0);
    assert_string_equal(u.path, "/?x");
}

static void refuses(void **state) {
    static const char *const bad[] = {
        "",
        "relay.example",
        "ftp://h/",
        "ws:/h",
        "ws://",
        "ws:///path",
        "ws://h:0/",
        "ws://h:65536/",
        "ws://h:+80/",
        "ws://h:/",
        "ws://h:80x/",
        "ws://user@h/",
        "ws://user:pw@h/",
        "ws://h/#frag",
        "ws://h/a b",
        "ws://h/\n",
        "ws://h\xc3\xa9/",
        "ws://h\\x/",
        "ws://[::1/",
        "ws://[::1]x/",
        "ws://[zz]/",
        "ws://a%20b/",
    };
    struct url u;
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (url_parse(bad[i], &u, &e) == 0)
            fail_msg("'%s' was accepted", bad[i]);
        assert_string_equal(e.code, "bad-url");
        assert_null(strchr(e.text, '\n'));
    }
}

static void refuses_what_does_not_fit(void **state) {
    char s[1200];
    struct url u;

    (void)state;
    memset(s, 'a', sizeof s);
    memcpy(s, "ws://", 5);
    s[5 + 254] = 0;
    assert_int_equal(url_parse(s, &u, NULL), -1);
    s[5 + 253] = 0;
    assert_int_equal(url_parse(s, &u, NULL), 0);
    memset(s, 'a', sizeof s);
    memcpy(s, "ws://h/", 7);
    s[7 + 600] = 0;
    assert_int_equal(url_parse(s, &u, NULL), -1);
}

static void normalises(void **state) {
    static const char *const rows[][2] = {
        {"WSS://Relay.Example", "wss://relay.example"},
        {"wss://relay.example/", "wss://relay.example"},
        {"wss://relay.example:443/", "wss://relay.example"},
        {"ws://relay.example:443/", "ws://relay.example:443"},
        {"ws://h:80/x/", "ws://h/x/"},
        {"ws://[::1]:7777", "ws://[::1]:7777"},
        {"https://h", NULL},
        {"nonsense", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        cleanup_free char *got = relay_url_normal(rows[i][0]);

        if (rows[i][1])
            assert_string_equal(got, rows[i][1]);
        else
            assert_null(got);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_apart),
        cmocka_unit_test(refuses),
        cmocka_unit_test(refuses_what_does_not_fit),
        cmocka_unit_test(normalises),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
