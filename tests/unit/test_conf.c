#include "core/conf.c"
#include "tests/unit/unit.h"

struct settings {
    char *name;
    struct conf_list relay;
    uint64_t slots;
    bool loud;
    unsigned policy;
};

static const char *const policies[] = {"standard", "strict", NULL};

static const struct conf_key keys[] = {
    {"name", CONF_STRING, offsetof(struct settings, name), 0, 10, NULL, ""},
    {"relay", CONF_LIST, offsetof(struct settings, relay), 0, 0, NULL, ""},
    {"slots", CONF_NUMBER, offsetof(struct settings, slots), 1, 64, NULL, ""},
    {"loud", CONF_BOOL, offsetof(struct settings, loud), 0, 0, NULL, ""},
    {"policy", CONF_CHOICE, offsetof(struct settings, policy), 0, 0, policies, ""},
};

static int read_text(const char *text, struct settings *s, struct err *e) {
    return conf_parse(view_str(text), "x.conf", keys, COUNT(keys), s, e);
}

static void reads_every_type(void **state) {
    struct settings s = {.slots = 3, .name = mem_str("default")};
    struct err e;

    (void)state;
    if (read_text("# a comment\n\n  name =  my name \t\r\nrelay=wss://a\nrelay = wss://b?x=1\n"
                  "slots = 64\nloud = yes\npolicy = strict",
                  &s, &e) < 0)
        fail_msg("%s", e.text);
    assert_string_equal(s.name, "my name");
    assert_int_equal(s.relay.n, 2);
    assert_string_equal(s.relay.v[1], "wss://b?x=1");
    assert_int_equal(s.slots, 64);
    assert_true(s.loud);
    assert_int_equal(s.policy, 1);
    conf_free(keys, COUNT(keys), &s);
    assert_null(s.name);
    assert_int_equal(s.relay.n, 0);
}

static void a_list_replaces_its_default_and_grows_by_options(void **state) {
    struct settings s = {0};

    (void)state;
    assert_int_equal(conf_set(keys, COUNT(keys), "relay", view_str("default"), &s, NULL), 0);
    assert_int_equal(read_text("relay = one\n", &s, NULL), 0);
    assert_int_equal(s.relay.n, 1);
    assert_string_equal(s.relay.v[0], "one");
    assert_int_equal(conf_set(keys, COUNT(keys), "relay", view_str("two"), &s, NULL), 0);
    assert_int_equal(s.relay.n, 2);
    assert_int_equal(read_text("", &s, NULL), 0);
    assert_int_equal(s.relay.n, 2);
    conf_free(keys, COUNT(keys), &s);
}

static void errors_name_file_and_line(void **state) {
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"slots = 3\ncolour = red\n", "x.conf:2: unknown key 'colour'"},
        {"\n\nslots\n", "x.conf:3: a line must read 'key = value'"},
        {"= x\n", "x.conf:1: unknown key ''"},
        {"slots = 0\n", "slots: 0 is not between 1 and 64"},
        {"slots = 65\n", "not between"},
        {"slots = -1\n", "'-1' is not a whole number"},
        {"slots =\n", "'' is not a whole number"},
        {"slots = 99999999999999999999\n", "not a whole number"},
        {"slots = 1\nslots = 2\n", "x.conf:2: 'slots' is given twice"},
        {"loud = maybe\n", "loud: 'maybe' is not yes or no"},
        {"policy = lax\n", "policy: 'lax' is not one of standard, strict"},
        {"name = 12345678901\n", "name: longer than 10 bytes"},
        {"name = a\x1b[b\n", "control characters"},
        {"name = \xff\n", "not UTF-8"},
        {"na\x1b[me = x\n", "unknown key 'na\xef\xbf\xbd[me'"},
        {"NAME = x\n", "unknown key"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct settings s = {0};
        struct err e;

        assert_int_equal(read_text(rows[i].text, &s, &e), -1);
        assert_string_equal(e.code, "bad-config");
        if (!strstr(e.text, rows[i].says))
            fail_msg("%s", e.text);
        conf_free(keys, COUNT(keys), &s);
    }
}

static void lists_are_capped(void **state) {
    cleanup_buf struct buf b = {0};
    struct settings s = {0};
    struct err e;

    (void)state;
    for (int i = 0; i <= LIST_MAX; i++)
        buf_str(&b, "relay = x\n");
    assert_int_equal(conf_parse(buf_view(&b), "x", keys, COUNT(keys), &s, &e), -1);
    assert_int_equal(s.relay.n, LIST_MAX);
    conf_free(keys, COUNT(keys), &s);
}

static void files(void **state) {
    char path[] = "/tmp/cdvm-test-XXXXXX";
    int fd = mkstemp(path);
    struct settings s = {0};
    struct err e;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, view_str("slots = 7\n"), &e), 0);
    close(fd);
    assert_int_equal(conf_load(path, keys, COUNT(keys), &s, &e), 0);
    assert_int_equal(s.slots, 7);
    unlink(path);
    assert_int_equal(conf_load(path, keys, COUNT(keys), &s, &e), 0); /* absent is empty */
    assert_int_equal(conf_load("/tmp", keys, COUNT(keys), &s, &e), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_type),
        cmocka_unit_test(a_list_replaces_its_default_and_grows_by_options),
        cmocka_unit_test(errors_name_file_and_line),
        cmocka_unit_test(lists_are_capped),
        cmocka_unit_test(files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
