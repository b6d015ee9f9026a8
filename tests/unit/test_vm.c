/* The process around QEMU, with shell scripts in QEMU's place. */
#include "provider/vm.c"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "tests/unit/unit.h"

struct fixture {
    struct loop *l;
    char dir[64], script[128];
    struct vm_spec spec;
    struct vm *vm;
    int status;
    bool exited;
};

static int start(void **state) {
    static struct fixture f;
    static const char kernel[] = "kernel bytes", initrd[] = "initrd bytes";

    f = (struct fixture){.l = loop_new(NULL), .dir = "/tmp/cdvm-test-vm-XXXXXX"};
    assert_non_null(mkdtemp(f.dir));
    assert_int_equal(chmod(f.dir, 0755), 0);
    snprintf(f.script, sizeof f.script, "%s/qemu", f.dir);
    f.spec = (struct vm_spec){.qemu = f.script,
                              .cpu = "host",
                              .vcpus = 1,
                              .memory_mib = 128,
                              .append = "x",
                              .kernel_fd = vm_sealed_file("kernel", view_str(kernel), NULL),
                              .initrd_fd = vm_sealed_file("initrd", view_str(initrd), NULL)};
    assert_true(f.spec.kernel_fd >= 0 && f.spec.initrd_fd >= 0);
    *state = &f;
    return 0;
}

static int stop(void **state) {
    struct fixture *f = *state;

    vm_free(f->vm);
    close(f->spec.kernel_fd);
    close(f->spec.initrd_fd);
    (void)unlink(f->script);
    (void)rmdir(f->dir);
    loop_free(f->l);
    return 0;
}

static void on_end(void *arg, int status) {
    struct fixture *f = arg;

    f->exited = true;
    f->status = status;
}

static int launch_script(struct fixture *f, const char *body, struct err *e) {
    cleanup_free char *text = mem_fmt("#!/bin/sh\n%s\n", body);

    assert_int_equal(file_write(f->script, view_str(text), 0755, true, NULL), 0);
    assert_int_equal(chmod(f->script, 0755), 0);
    f->vm = vm_new(f->l, &f->spec, f->dir, on_end, f, e);
    return f->vm ? 0 : -1;
}

static void turn_until_exit(struct fixture *f, int64_t ms) {
    int64_t until = loop_now() + ms;

    while (!f->exited && loop_now() < until)
        (void)loop_turn(f->l, 50);
}

/* All that the child wrote to the channel until it ended. */
static char *heard(struct fixture *f) {
    static char b[65536];
    size_t n = 0;
    ssize_t got;

    turn_until_exit(f, 5000);
    while (n < sizeof b - 1 && (got = read(vm_channel(f->vm), b + n, sizeof b - 1 - n)) > 0)
        n += (size_t)got;
    b[n] = 0;
    return b;
}

static void the_channel_is_descriptor_3(void **state) {
    struct fixture *f = *state;
    struct err e;

    assert_int_equal(launch_script(f, "head -n 1 <&3 >&3", &e), 0);
    assert_int_equal(write(vm_channel(f->vm), "ping\n", 5), 5);
    assert_string_equal(heard(f), "ping\n");
    assert_true(f->exited && WIFEXITED(f->status) && WEXITSTATUS(f->status) == 0);
    assert_false(vm_running(f->vm));
}

static void kernel_and_initrd_are_the_sealed_bytes(void **state) {
    struct fixture *f = *state;
    struct err e;

    assert_int_equal(launch_script(f, "cat /proc/self/fd/5 /proc/self/fd/6 >&3", &e), 0);
    assert_string_equal(heard(f), "kernel bytesinitrd bytes");
}

static void the_child_inherits_nothing_else(void **state) {
    struct fixture *f = *state;
    int extra =
        open("/dev/null", O_RDONLY); /* not close-on-exec, as a careless library's might be */
    struct err e;
    char *text;

    setenv("CDVM_SECRET", "1", 1);
    /* 10 and 11 are the shell's own, for its script. */
    assert_int_equal(launch_script(f,
                                   "tr '\\0' '\\n' </proc/$$/environ >&3; "
                                   "for i in $(seq 3 9) $(seq 12 400); do "
                                   "[ ! -e /proc/$$/fd/$i ] || echo fd $i; done >&3",
                                   &e),
                     0);
    text = heard(f);
    assert_string_equal(text, "PATH=/usr/sbin:/usr/bin:/sbin:/bin\nfd 3\nfd 4\nfd 5\nfd 6\n");
    unsetenv("CDVM_SECRET");
    close(extra);
}

static void the_child_has_few_rights(void **state) {
    struct fixture *f = *state;
    struct err e;
    char *text;

    assert_int_equal(launch_script(f,
                                   "grep -E '^(NoNewPrivs|Uid|SigBlk|SigIgn):' /proc/self/status "
                                   ">&3; ulimit -c >&3; ulimit -f >&3; pwd >&3",
                                   &e),
                     0);
    text = heard(f);
    assert_non_null(strstr(text, "NoNewPrivs:\t1"));
    assert_non_null(strstr(text, "SigBlk:\t0000000000000000"));
    assert_non_null(strstr(text, "\n0\n0\n"));
    assert_non_null(strstr(text, f->dir));
    if (geteuid() == 0)
        assert_non_null(strstr(text, "Uid:\t65534"));
}

static void stop_climbs_up_to_the_kill(void **state) {
    struct fixture *f = *state;
    int64_t began = loop_now();
    struct err e;

    assert_int_equal(launch_script(f, "trap '' TERM; while :; do sleep 1; done", &e), 0);
    vm_stop(f->vm);
    vm_stop(f->vm);
    turn_until_exit(f, 3 * RUNG_MS + 2000);
    assert_true(f->exited && WIFSIGNALED(f->status));
    assert_int_equal(WTERMSIG(f->status), SIGKILL);
    assert_true(loop_now() - began >= 2 * RUNG_MS);
}

static void stop_is_gentle_first(void **state) {
    struct fixture *f = *state;
    struct err e;

    assert_int_equal(launch_script(f,
                                   "echo '{\"QMP\":{}}' >&4; while read l <&4; do case $l in "
                                   "*quit*) exit 3;; esac; done",
                                   &e),
                     0);
    vm_stop(f->vm);
    turn_until_exit(f, 1500);
    assert_true(f->exited && WIFEXITED(f->status) && WEXITSTATUS(f->status) == 3);
}

static void a_stopped_process_is_killed_too(void **state) {
    struct fixture *f = *state;
    struct err e;

    assert_int_equal(launch_script(f, "kill -STOP $$", &e), 0);
    for (int i = 0; i < 10; i++)
        (void)loop_turn(f->l, 20);
    vm_stop(f->vm);
    turn_until_exit(f, 3 * RUNG_MS + 2000);
    assert_true(f->exited && WIFSIGNALED(f->status));
}

static void free_leaves_no_process(void **state) {
    struct fixture *f = *state;
    struct err e;
    int pid;

    assert_int_equal(launch_script(f, "exec sleep 60", &e), 0);
    pid = vm_pid(f->vm);
    assert_int_equal(kill(pid, 0), 0);
    vm_free(f->vm);
    f->vm = NULL;
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(errno, ESRCH);
    assert_false(f->exited);
}

/* A provider that is killed outright takes its guests along. */
static void a_dead_parent_leaves_no_orphan(void **state) {
    struct fixture *f = *state;
    int p[2], child, guest = 0;
    struct err e;

    assert_int_equal(pipe(p), 0);
    child = fork();
    if (child == 0) {
        (void)!launch_script(f, "exec sleep 60", &e);
        guest = f->vm ? vm_pid(f->vm) : -1;
        (void)!write(p[1], &guest, sizeof guest);
        pause();
        _exit(0);
    }
    assert_int_equal(read(p[0], &guest, sizeof guest), (ssize_t)sizeof guest);
    assert_true(guest > 0);
    assert_int_equal(kill(guest, 0), 0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    for (int i = 0; i < 500 && kill(guest, 0) == 0; i++) {
        cleanup_free char *path = mem_fmt("/proc/%d/stat", guest);
        cleanup_buf struct buf stat_line = {0};

        /* Nobody may be there to reap it: a zombie is dead enough. */
        if (file_read(path, 4096, &stat_line, NULL) == 0 && stat_line.n &&
            strstr((char *)stat_line.p, ") Z"))
            break;
        assert_true(i < 499);
        usleep(20000);
    }
    close(p[0]);
    close(p[1]);
}

static void a_missing_program_is_a_sentence(void **state) {
    struct fixture *f = *state;
    struct err e = {0};

    f->spec.qemu = "/nonexistent/qemu";
    assert_null(vm_new(f->l, &f->spec, f->dir, on_end, f, &e));
    assert_non_null(strstr(e.text, "/nonexistent/qemu"));
    assert_non_null(strstr(e.text, "No such file"));
}

static void a_writable_disk_is_refused(void **state) {
    struct fixture *f = *state;
    int fd = open(f->dir, O_TMPFILE | O_RDWR, 0600);
    struct err e = {0};

    assert_true(fd >= 0);
    f->spec.disk[0] = (struct vm_disk){"work", fd};
    f->spec.n_disks = 1;
    assert_int_equal(launch_script(f, "true", &e), -1);
    assert_string_equal(e.code, "bad-vm");
    close(fd);
}

static void a_sealed_file_cannot_change(void **state) {
    struct fixture *f = *state;
    cleanup_free char *path = mem_fmt("/proc/self/fd/%d", f->spec.kernel_fd);

    assert_int_equal(fcntl(f->spec.kernel_fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    assert_int_equal(fcntl(f->spec.kernel_fd, F_GET_SEALS),
                     F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
    assert_int_equal(truncate(path, 1), -1);
    assert_int_equal(pwrite(f->spec.kernel_fd, "x", 1, 0), -1);
    assert_int_equal(ftruncate(f->spec.kernel_fd, 1), -1);
    assert_int_equal(fcntl(f->spec.kernel_fd, F_ADD_SEALS, 0), -1);
}

static void the_last_complaint_is_kept_clean(void **state) {
    struct fixture *f = *state;
    struct err e;

    assert_int_equal(launch_script(f, "printf 'first\\nqemu: \\033[31mno\\n' >&2; exit 1", &e), 0);
    turn_until_exit(f, 5000);
    for (int i = 0; i < 5; i++)
        (void)loop_turn(f->l, 5);
    assert_non_null(strstr(vm_complaint(f->vm), "qemu: "));
    assert_null(strchr(vm_complaint(f->vm), 033));
    assert_null(strstr(vm_complaint(f->vm), "first"));
}

/* QEMU names the option before it says what is wrong with it, and writes the two one by one. */
static void a_long_complaint_still_has_its_cure(void **state) {
    struct fixture *f = *state;
    struct err e;

    assert_int_equal(
        launch_script(f,
                      "printf 'qemu-system-x86_64: -object sev-snp-guest,id=sev0,cbitpos=51,"
                      "reduced-phys-bits=6,policy=0x30000,kernel-hashes=on: ' >&2; sleep 0.2; "
                      "printf 'invalid object type: ' >&2; sleep 0.2; "
                      "printf 'sev-snp-guest\\nit failed' >&2; exit 1",
                      &e),
        0);
    turn_until_exit(f, 5000);
    assert_non_null(strstr(vm_complaint(f->vm), "-object sev-snp-guest,id=sev0"));
    assert_non_null(strstr(vm_complaint(f->vm), "invalid object type: sev-snp-guest"));
    assert_string_equal(vm_fault(vm_complaint(f->vm))->code, "old-qemu");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_channel_is_descriptor_3, start, stop),
        cmocka_unit_test_setup_teardown(kernel_and_initrd_are_the_sealed_bytes, start, stop),
        cmocka_unit_test_setup_teardown(the_child_inherits_nothing_else, start, stop),
        cmocka_unit_test_setup_teardown(the_child_has_few_rights, start, stop),
        cmocka_unit_test_setup_teardown(stop_climbs_up_to_the_kill, start, stop),
        cmocka_unit_test_setup_teardown(stop_is_gentle_first, start, stop),
        cmocka_unit_test_setup_teardown(a_stopped_process_is_killed_too, start, stop),
        cmocka_unit_test_setup_teardown(free_leaves_no_process, start, stop),
        cmocka_unit_test_setup_teardown(a_dead_parent_leaves_no_orphan, start, stop),
        cmocka_unit_test_setup_teardown(a_missing_program_is_a_sentence, start, stop),
        cmocka_unit_test_setup_teardown(a_writable_disk_is_refused, start, stop),
        cmocka_unit_test_setup_teardown(a_sealed_file_cannot_change, start, stop),
        cmocka_unit_test_setup_teardown(the_last_complaint_is_kept_clean, start, stop),
        cmocka_unit_test_setup_teardown(a_long_complaint_still_has_its_cure, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
