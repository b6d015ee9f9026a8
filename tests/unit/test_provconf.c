/* Settings of the provider: file, options, and what does not fit together; and its key file. */
#include "provider/provconf.c"
#include "provider/identity.c"

#include <unistd.h>

#include "tests/unit/unit.h"

struct fixture {
    char dir[64], file[96];
    struct provider_conf c;
    struct err e;
};

static int start(void **state) {
    static struct fixture f;

    f = (struct fixture){.dir = "/tmp/cdvm-test-provconf-XXXXXX"};
    assert_non_null(mkdtemp(f.dir));
    snprintf(f.file, sizeof f.file, "%s/provider.conf", f.dir);
    *state = &f;
    return 0;
}

static int stop(void **state) {
    struct fixture *f = *state;

    provider_conf_free(&f->c);
    (void)unlink(f->file);
    (void)rmdir(f->dir);
    return 0;
}

static int read_with(struct fixture *f, const char *text, const char *const *options) {
    const char *argv[16] = {"provider", "--config", f->file};
    int argc = 3;

    for (; options && options[argc - 3]; argc++)
        argv[argc] = options[argc - 3];
    assert_int_equal(file_write(f->file, view_str(text), 0600, true, NULL), 0);
    provider_conf_free(&f->c);
    return provider_conf_read(&f->c, argc, (char **)(void *)argv, &f->e);
}
#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void settings_that_are_not_there_are_not_made(void **state) {
    struct fixture *f = *state;
    char *argv[] = {(char[]){"provider"}, NULL};

    setenv("XDG_CONFIG_HOME", f->dir, 1);
    assert_int_equal(provider_conf_read(&f->c, 1, argv, &f->e), 0);
    assert_int_equal(rmdir(f->dir), 0); /* it is empty */
}

static void defaults_then_file_then_options(void **state) {
    struct fixture *f = *state;

    assert_int_equal(read_with(f, "", NULL), 0);
    assert_int_equal(f->c.slots, 1);
    assert_string_equal(f->c.backend, "sim");
    assert_int_equal(read_with(f, "slots = 3\nname = From file\nrun-relay = yes\n", NULL), 0);
    assert_int_equal(f->c.slots, 3);
    assert_string_equal(f->c.name, "From file");
    assert_true(f->c.run_relay);
    assert_int_equal(read_with(f, "slots = 3\nname = From file\n", OPTIONS("--slots", "5")), 0);
    assert_int_equal(f->c.slots, 5);
    assert_string_equal(f->c.name, "From file");
}

static void a_list_of_options_replaces_that_of_the_file(void **state) {
    struct fixture *f = *state;
    static const char file[] = "relay = wss://a.example\nrelay = wss://b.example\n";

    assert_int_equal(read_with(f, file, NULL), 0);
    assert_int_equal(f->c.relay.n, 2);
    assert_int_equal(read_with(f, file,
                               OPTIONS("--relay", "wss://c.example", "--relay", "wss://d.example",
                                       "--relay", "wss://e.example")),
                     0);
    assert_int_equal(f->c.relay.n, 3);
    assert_string_equal(f->c.relay.v[0], "wss://c.example");
    assert_string_equal(f->c.relay.v[2], "wss://e.example");
}

static void help_needs_no_settings(void **state) {
    struct fixture *f = *state;

    assert_int_equal(read_with(f, "slots = 3\n", OPTIONS("--help")), 1);
}

static void bad_words_are_named(void **state) {
    struct fixture *f = *state;

    assert_int_equal(read_with(f, "slotz = 3\n", NULL), -1);
    assert_non_null(strstr(f->e.text, "slotz"));
    assert_int_equal(read_with(f, "", OPTIONS("--slots", "many")), -1);
    assert_non_null(strstr(f->e.text, "slots"));
    assert_int_equal(read_with(f, "", OPTIONS("--slots", "0")), -1);
    assert_int_equal(read_with(f, "", OPTIONS("--accel", "magic")), -1);
    assert_int_equal(read_with(f, "", OPTIONS("--bogus")), -1);
    assert_non_null(strstr(f->e.text, "--bogus"));
    assert_int_equal(read_with(f, "", OPTIONS("extra")), -1);
    assert_non_null(strstr(f->e.text, "extra"));
    assert_int_equal(read_with(f, "", OPTIONS("--name")), -1);
}

static void checked(struct fixture *f, const char *file, const char *words) {
    assert_int_equal(read_with(f, file, NULL), 0);
    if (!words) {
        if (provider_conf_check(&f->c, &f->e) < 0)
            fail_msg("%s", f->e.text);
        return;
    }
    assert_int_equal(provider_conf_check(&f->c, &f->e), -1);
    assert_string_equal(f->e.code, "bad-config");
    if (!strstr(f->e.text, words))
        fail_msg("'%s' does not say '%s'", f->e.text, words);
}

static void what_does_not_fit_together_is_refused(void **state) {
    struct fixture *f = *state;

    checked(f, "run-relay = yes\n", NULL);
    checked(f, "relay = wss://a.example\nblossom = https://a.example\n", NULL);
    checked(f, "", "no relay");
    checked(f, "relay = https://a.example\n", "not a ws://");
    checked(f, "relay = wss://a.example\nblossom = ftp://x\n", "not an http://");
    checked(f, "run-relay = yes\nbackend = magic\n", "magic");
    checked(f, "run-relay = yes\nbackend = snp\n", NULL);
    checked(f, "run-relay = yes\nbackend = snp\naccel = tcg\n", "needs KVM");
    checked(f, "run-relay = yes\nqemu = qemu-system-x86_64\n", "not an absolute path");
    checked(f, "backend = snp\ngpu = 41:00.0\nprint-argv = yes\n", "not a PCI address");
    checked(f, "backend = snp\ngpu = 0000:41:00.0\ngpu = 0000:41:00.0\nprint-argv = yes\n",
            "named twice");
    checked(f, "run-relay = yes\ngpu = 0000:41:00.0\n", "'sim' has no GPU");
    checked(f, "backend = snp\ngpu = 0000:41:00.0\nprint-argv = yes\n", NULL);
    checked(f, "print-argv = yes\nbackend = magic\n", "magic");
    checked(f, "run-relay = yes\nvcpu-type = Pentium\n", "Pentium");
    checked(f,
            "relay=wss://a.b\nrelay=wss://c.d\nrelay=wss://e.f\nrelay=wss://g.h\nrun-relay=yes\n",
            "at most");
}

/* --- the key file --- */

static void a_key_is_made_once_and_found_again(void **state) {
    struct fixture *f = *state;
    struct keypair *a = identity_open(f->file, &f->e), *b;
    struct stat st;

    assert_non_null(a);
    assert_int_equal(stat(f->file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    b = identity_open(f->file, &f->e);
    assert_non_null(b);
    assert_memory_equal(keypair_pub(a), keypair_pub(b), 32);
    keypair_free(a);
    keypair_free(b);
}

static void hex_is_a_key_too(void **state) {
    struct fixture *f = *state;
    char hex[66];
    struct keypair *k;

    memset(hex, '1', 64);
    hex[64] = '\n';
    hex[65] = 0;
    assert_int_equal(file_write(f->file, view_str(hex), 0600, true, NULL), 0);
    k = identity_open(f->file, &f->e);
    assert_non_null(k);
    keypair_free(k);
}

static void other_key_files_are_refused(void **state) {
    static const char npub[] = "npub1fw7r99k4uxxzn2jjgs6aspv5jszgcmyyrv8rk9qmk8rt0q0d6yxq7s4yut\n";
    struct fixture *f = *state;

    assert_int_equal(file_write(f->file, view_str(npub), 0600, true, NULL), 0);
    assert_null(identity_open(f->file, &f->e));
    assert_non_null(strstr(f->e.text, f->file));
    assert_int_equal(file_write(f->file, view_str(""), 0600, true, NULL), 0);
    assert_null(identity_open(f->file, &f->e));
    assert_int_equal(unlink(f->file), 0);
    keypair_free(identity_open(f->file, &f->e));
    assert_int_equal(chmod(f->file, 0640), 0);
    assert_null(identity_open(f->file, &f->e));
    assert_string_equal(f->e.code, "unsafe-key");
    assert_int_equal(unlink(f->file), 0);
    assert_int_equal(symlink("/dev/null", f->file), 0);
    assert_null(identity_open(f->file, &f->e));
    assert_string_equal(f->e.code, "unsafe-key");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(defaults_then_file_then_options, start, stop),
        cmocka_unit_test_setup_teardown(settings_that_are_not_there_are_not_made, start, stop),
        cmocka_unit_test_setup_teardown(a_list_of_options_replaces_that_of_the_file, start, stop),
        cmocka_unit_test_setup_teardown(help_needs_no_settings, start, stop),
        cmocka_unit_test_setup_teardown(bad_words_are_named, start, stop),
        cmocka_unit_test_setup_teardown(what_does_not_fit_together_is_refused, start, stop),
        cmocka_unit_test_setup_teardown(a_key_is_made_once_and_found_again, start, stop),
        cmocka_unit_test_setup_teardown(hex_is_a_key_too, start, stop),
        cmocka_unit_test_setup_teardown(other_key_files_are_refused, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
