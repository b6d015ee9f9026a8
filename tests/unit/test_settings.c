#include "tui/settings_change.c"

#include <sys/stat.h>

#include "tests/unit/unit.h"

static char path[] = "/tmp/cdvm-test-XXXXXX";

static void file_is(const char *text) {
    struct err e;

    assert_int_equal(file_write(path, view_str(text), 0644, true, &e), 0);
}

static void file_must_be(const char *text) {
    cleanup_buf struct buf got = {0};
    struct stat st;
    struct err e;

    assert_int_equal(file_read(path, 1 << 20, &got, &e), 0);
    buf_str(&got, "");
    assert_string_equal((char *)got.p, text);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void put(struct settings *s, const char *key, const char *value) {
    struct err e;

    if (settings_put(s, settings_key(key), view_str(value), &e) != 0)
        fail_msg("%s", e.text);
}

static void refused(struct settings *s, const char *key, const char *value, const char *code) {
    struct err e;

    assert_int_equal(settings_put(s, settings_key(key), view_str(value), &e), -1);
    assert_string_equal(e.code, code);
}

static void save(struct settings *s) {
    struct err e;

    if (settings_save(s, path, &e) != 0)
        fail_msg("%s", e.text);
}

static struct settings loaded(void) {
    struct settings s;
    struct err e;

    if (settings_load(&s, path, &e) != 0)
        fail_msg("%s", e.text);
    return s;
}

/* Every value can be changed, is written, and is the same when it is read again. */
static void every_key_goes_round(void **state) {
    (void)state;
    for (size_t i = 0; i < settings_n_keys; i++) {
        const struct conf_key *key = &settings_keys[i];
        cleanup_free char *least = mem_fmt("%llu", (unsigned long long)key->min);
        struct settings s, back;
        struct conf_list want, got;

        unlink(path);
        s = loaded();
        if (!settings_next(&s, key))
            put(&s, key->name,
                !strcmp(key->name, "relay")     ? "ws://127.0.0.1:1"
                : !strcmp(key->name, "bind")    ? "offers Z s"
                : !strcmp(key->name, "blossom") ? "http://127.0.0.1:1"
                : key->type == CONF_NUMBER      ? least
                                                : "/tmp");
        conf_values(key, &s, &want);
        save(&s);
        assert_int_equal(s.changed, 0);
        back = loaded();
        conf_values(key, &back, &got);
        assert_int_equal(got.n, 1);
        assert_string_equal(got.v[0], want.v[0]);
        settings_list_free(&want);
        settings_list_free(&got);
        settings_free(&s);
        settings_free(&back);
    }
}

static void what_the_person_wrote_stays(void **state) {
    struct settings s;

    (void)state;
    file_is("# mine\nrelay=ws://a.example\n\n# the good one\nrelay = ws://b.example\n"
            "policy = standard\n");
    s = loaded();
    put(&s, "relay", "ws://c.example");
    settings_toggle(&s, settings_key("relay"), "ws://a.example");
    assert_true(settings_next(&s, settings_key("policy")));
    save(&s);
    file_must_be("# mine\n\n# the good one\nrelay = ws://b.example\nrelay = ws://c.example\n"
                 "policy = strict\n");
    save(&s); /* nothing changed since: nothing changes */
    settings_free(&s);
}

/* Relays of the command line stand for the file's; writing loses none of either. */
static void a_list_of_this_run_loses_nothing(void **state) {
    struct conf_list given = {0};
    struct settings s;

    (void)state;
    file_is("relay = ws://a.example\nrelay = ws://b.example\n");
    s = loaded();
    settings_list_add(&given, "ws://given.example");
    settings_list_replace(&s.relay, &given);
    assert_int_equal(settings_known(&s, settings_key("relay"))->n, 1);
    save(&s);
    file_must_be("relay = ws://a.example\nrelay = ws://b.example\n");
    put(&s, "relay", "ws://c.example");
    save(&s);
    file_must_be("relay = ws://a.example\nrelay = ws://b.example\nrelay = ws://given.example\n"
                 "relay = ws://c.example\n");
    settings_list_free(&given);
    settings_free(&s);
}

static void what_the_file_would_refuse_is_refused(void **state) {
    struct settings s = {0};

    (void)state;
    refused(&s, "relay", "http://a.example", "bad-config");
    refused(&s, "relay", "ws://a.example\nout = /", "bad-config");
    refused(&s, "blossom", "ws://a.example", "bad-config");
    refused(&s, "policy", "demo", "demo-in-file");
    refused(&s, "policy", "/nonexistent/policy", "system");
    assert_null(s.policy);
    assert_int_equal(s.relay.n + s.blossom.n, 0);
    assert_int_equal(s.changed, 0);
    settings_free(&s);
}

/* The file was broken by hand while the program ran. */
static void a_broken_file_is_not_written_over(void **state) {
    struct settings s = {0};
    struct err e;

    (void)state;
    put(&s, "out", "/tmp");
    file_is("out = /x\ncolour = red\n");
    assert_int_equal(settings_save(&s, path, &e), -1);
    assert_non_null(strstr(e.text, "nothing was written"));
    assert_non_null(strstr(e.text, ":2: unknown key 'colour'"));
    assert_true(s.changed);
    settings_free(&s);
}

static void a_link_is_followed(void **state) {
    cleanup_free char *link_path = mem_fmt("%s.link", path);
    struct settings s = {0};
    struct stat st;
    struct err e;

    (void)state;
    file_is("");
    assert_int_equal(symlink(path, link_path), 0);
    put(&s, "out", "/tmp");
    assert_int_equal(settings_save(&s, link_path, &e), 0);
    assert_int_equal(lstat(link_path, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    file_must_be("out = /tmp\n");
    unlink(link_path);
    settings_free(&s);
}

static void a_new_file_says_what_it_is(void **state) {
    struct settings s = {0};

    (void)state;
    unlink(path);
    put(&s, "policy", "strict");
    save(&s);
    file_must_be("# What `cdvm`, `cdvm ask` and `cdvm offers` read; cdvm.conf(5) explains each "
                 "key.\n\npolicy = strict\n");
    settings_free(&s);
}

/* A job goes on reading the arrays it was given. */
static void what_a_job_borrowed_stays(void **state) {
    struct settings s = {0};
    char **v;
    const char *first;

    (void)state;
    put(&s, "relay", "ws://a.example");
    v = s.relay.v;
    first = v[0];
    settings_toggle(&s, settings_key("relay"), "ws://a.example");
    put(&s, "relay", "ws://b.example");
    assert_string_equal(v[0], "ws://a.example");
    assert_ptr_equal(v[0], first);
    assert_false(settings_in_use(&s, settings_key("relay"), "ws://a.example"));
    assert_int_equal(settings_known(&s, settings_key("relay"))->n, 2);
    settings_toggle(&s, settings_key("relay"), "ws://a.example");
    assert_int_equal(s.relay.n, 2);
    settings_free(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_goes_round),
        cmocka_unit_test(what_the_person_wrote_stays),
        cmocka_unit_test(a_list_of_this_run_loses_nothing),
        cmocka_unit_test(what_the_file_would_refuse_is_refused),
        cmocka_unit_test(a_broken_file_is_not_written_over),
        cmocka_unit_test(a_link_is_followed),
        cmocka_unit_test(a_new_file_says_what_it_is),
        cmocka_unit_test(what_a_job_borrowed_stays),
    };
    int fd = mkstemp(path), rc;

    close(fd);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return rc;
}
