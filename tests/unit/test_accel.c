/* What can be said of an accelerator without booting one; run directories; the provider's pane. */
#include "provider/accel.c"
#include "provider/console.c"
#include "provider/rundir.c"

#include "tests/unit/unit.h"

#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void versions_are_read(void **state) {
    char v[32];
    unsigned major;

    (void)state;
    assert_true(accel_version("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg)\nCopy", v, &major));
    assert_string_equal(v, "7.2.22");
    assert_int_equal(major, 7);
    assert_true(accel_version("QEMU emulator version 10.0.2", v, &major));
    assert_int_equal(major, 10);
    assert_false(accel_version("", v, &major));
    assert_false(accel_version("QEMU emulator version", v, &major));
    assert_false(accel_version("QEMU emulator version 7.2", v, &major));
    assert_false(accel_version("QEMU emulator version 70000.2.2", v, &major));
    assert_false(accel_version("KVM emulator version 7.2.2", v, &major));
}

static void rdseed_comes_with_qemu_10(void **state) {
    char cpu[64];

    (void)state;
    accel_tcg_cpu(7, cpu);
    assert_null(strstr(cpu, "rdseed"));
    assert_non_null(strstr(cpu, "+rdrand"));
    accel_tcg_cpu(10, cpu);
    assert_non_null(strstr(cpu, "+rdseed"));
}

/* Exits with 0 when the sentence for a /dev/kvm of that mode holds the words. */
static int not_ours(const char *path, mode_t mode, const char *words) {
    pid_t pid;
    int status;

    assert_int_equal(chmod(path, mode), 0);
    pid = fork();
    if (pid == 0) {
        char why[DEVICE_WHY] = "";

        if (geteuid() == 0 && setreuid(65534, 65534) < 0)
            _exit(2);
        _exit(device_opens(path, why) || !strstr(why, words));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void a_kvm_of_others_names_the_group(void **state) {
    char path[] = "/tmp/cdvm-test-accel-XXXXXX", words[100], why[DEVICE_WHY];
    int fd = mkstemp(path);
    struct group *g = getgrgid(getegid());

    (void)state;
    assert_true(fd >= 0 && g);
    close(fd);
    snprintf(words, sizeof words, "is for the group '%s': `sudo usermod -aG %s $USER`", g->gr_name,
             g->gr_name);
    assert_int_equal(not_ours(path, 0020, words), 0);
    snprintf(words, sizeof words, "Permission denied (group '%s', mode 0000)", g->gr_name);
    assert_int_equal(not_ours(path, 0, words), 0);
    (void)unlink(path);
    assert_false(device_opens(path, why));
    assert_non_null(strstr(why, "this machine has no /tmp/cdvm-test-accel-"));
}

static void the_answer_is_remembered_for_its_key_only(void **state) {
    char path[] = "/tmp/cdvm-test-accel-XXXXXX";
    int fd = mkstemp(path);
    struct accel a = {.cpu = "host"}, b = {0};
    bool kvm;

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    assert_false(recall(path, "key 1", &b, &kvm)); /* an empty file */
    remember(path, "key 1", &a, true);
    assert_true(recall(path, "key 1", &b, &kvm));
    assert_true(kvm);
    assert_string_equal(b.cpu, "host");
    assert_false(recall(path, "key 2", &b, &kvm));
    assert_false(recall(path, "key", &b, &kvm));
    remember(path, "key 2", &a, false);
    assert_false(recall(path, "key 1", &b, &kvm));
    assert_true(recall(path, "key 2", &b, &kvm));
    assert_false(kvm);
    assert_false(recall(NULL, "key 2", &b, &kvm));
    assert_int_equal(file_write(path, view_str("key 2\nmaybe\n"), 0600, true, NULL), 0);
    assert_false(recall(path, "key 2", &b, &kvm));
    (void)unlink(path);
}

/* --- run directories --- */

static void run_directories_are_private_and_go(void **state) {
    char root[] = "/tmp/cdvm-test-rundir-XXXXXX";
    static const uint8_t provider[32] = {1}, job[32] = {2}, other[32] = {3};
    struct err e;
    struct stat st;
    char *base, *a, *b;
    cleanup_free char *file = NULL;

    (void)state;
    assert_non_null(mkdtemp(root));
    setenv("XDG_RUNTIME_DIR", root, 1);
    base = rundir_base(provider, &e);
    assert_non_null(base);
    a = rundir_make(base, job, &e);
    b = rundir_make(base, other, &e);
    assert_true(a && b);
    assert_int_equal(stat(a, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_null(rundir_make(base, job, &e)); /* one job, one folder */
    file = mem_fmt("%s/left", b);
    assert_int_equal(file_write(file, view_str("x"), 0600, true, NULL), 0);
    assert_true(rundir_remove(a));
    assert_int_equal(stat(a, &st), -1);
    assert_true(rundir_remove(a)); /* gone is gone */
    assert_int_equal(rundir_sweep(base), 1);
    assert_int_equal(stat(b, &st), -1);
    assert_int_equal(chmod(base, 0755), 0);
    assert_null(rundir_base(provider, &e)); /* somebody may have looked */
    assert_string_equal(e.code, "bad-dir");
    (void)rmdir(base);
    {
        cleanup_free char *mid = mem_fmt("%s/cdvm", root);

        (void)rmdir(mid);
    }
    (void)rmdir(root);
    free(base);
    free(a);
    free(b);
}

/* --- the pane --- */

static char *said(void (*say)(struct console *), bool simulated, bool quiet) {
    static char b[2048];
    int p[2];
    struct console *c;
    ssize_t n;

    assert_int_equal(pipe2(p, O_NONBLOCK), 0);
    c = console_new(p[1], simulated, quiet);
    say(c);
    n = read(p[0], b, sizeof b - 1);
    b[n > 0 ? n : 0] = 0;
    console_free(c);
    close(p[0]);
    close(p[1]);
    return b;
}

static void say_hostile(struct console *c) {
    console_say(c, "name \033]0;owned\007 \u202e line\nbreak %s", "end");
}

static void say_long(struct console *c) {
    char text[300];

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    console_say(c, "%s", text);
}

static void say_job(struct console *c) {
    static const uint8_t job[32] = {0x7f, 0x21, 0xab, 0x03};

    console_job(c, job, "booting", 1234, "");
}

static void say_error(struct console *c) {
    console_error(c, "broken");
}

static void lines_are_clean_and_fit(void **state) {
    char *s;

    (void)state;
    s = said(say_hostile, true, false);
    assert_null(strchr(s, 033));
    assert_null(strchr(s, 007));
    assert_null(strstr(s, "\u202e"));
    assert_ptr_equal(strchr(s, '\n'), s + strlen(s) - 1); /* one line, whatever was in it */
    assert_non_null(strstr(s, " SIMULATED  name"));
    s = said(say_long, false, false);
    assert_true(text_width(view_of(s, strlen(s) - 1)) <= COLUMNS);
    assert_null(strstr(s, "SIMULATED"));
    s = said(say_job, true, false);
    assert_string_equal(s + 9, "SIMULATED  7f21ab03  booting       1.2 s\n");
}

static void quiet_leaves_only_errors(void **state) {
    (void)state;
    assert_string_equal(said(say_job, true, true), "");
    assert_non_null(strstr(said(say_error, true, true), "broken"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_read),
        cmocka_unit_test(rdseed_comes_with_qemu_10),
        cmocka_unit_test(a_kvm_of_others_names_the_group),
        cmocka_unit_test(the_answer_is_remembered_for_its_key_only),
        cmocka_unit_test(run_directories_are_private_and_go),
        cmocka_unit_test(lines_are_clean_and_fit),
        cmocka_unit_test(quiet_leaves_only_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
