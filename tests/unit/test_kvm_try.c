/* Trying KVM: devices that are none, a child that hangs, and what each exit of a guest means. */
#include "provider/kvm_try.c"

#include "tests/unit/unit.h"

static void a_device_that_is_not_there(void **state) {
    struct kvm_tried t = kvm_try("/nonexistent/kvm", 1000);

    (void)state;
    assert_int_equal(t.outcome, KVM_ABSENT);
    assert_string_equal(t.why, "/nonexistent/kvm: No such file or directory");
}

static void a_device_that_is_another(void **state) {
    struct kvm_tried t = kvm_try("/dev/null", 1000);

    (void)state;
    assert_int_equal(t.outcome, KVM_FAILS);
    assert_string_equal(t.why, "the device does not answer as KVM does");
}

static struct shared *new_shared(void) {
    struct shared *s =
        mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_true(s != MAP_FAILED);
    return s;
}

static void a_guest_that_hangs_is_killed(void **state) {
    struct shared *s = new_shared();
    int64_t began = loop_now();
    pid_t pid;

    (void)state;
    s->step = 3;
    pid = fork();
    if (pid == 0)
        for (;;)
            pause();
    watch_child(pid, s, 200);
    assert_int_equal(s->outcome, KVM_HANGS);
    assert_string_equal(s->why, "a small guest hangs when it is to take an exception (1 s)");
    assert_true(loop_now() - began < 1500);
    assert_int_equal(kill(pid, 0), -1); /* reaped */
    assert_int_equal(errno, ESRCH);
    munmap(s, sizeof *s);
}

/* One KVM_RUN after the other, in a child, since the last one ends it. */
static struct kvm_tried exits(const uint32_t *reason, const uint8_t *port, size_t n) {
    static union {
        struct kvm_run run;
        uint8_t page[8192];
    } u;
    struct shared *s = new_shared();
    struct kvm_tried t;
    pid_t pid = fork();

    if (pid == 0) {
        for (size_t i = 0; i < n; i++) {
            u.run.exit_reason = reason[i];
            u.run.io.port = KVM_GUEST_PORT;
            u.run.io.data_offset = 4096;
            u.page[4096] = port[i];
            take_exit(s, &u.run);
        }
        end_child(s, KVM_HANGS, "went on");
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_true(s->ended);
    t.outcome = s->outcome;
    snprintf(t.why, sizeof t.why, "%s", s->why);
    munmap(s, sizeof *s);
    return t;
}

static void each_exit_has_its_meaning(void **state) {
    static const struct {
        uint32_t reason[7];
        uint8_t port[7];
        size_t n;
        enum kvm_outcome outcome;
        const char *why;
    } rows[] = {
        {{2, 2, 2, 2, 2, 2}, {1, 2, 3, 4, 5, 6}, 6, KVM_RUNS, ""},
        {{2, 2, 2},
         {1, 2, 255},
         3,
         KVM_FAILS,
         "a small guest got a wrong result when it was to use the instructions that CPUID names"},
        {{2, 2},
         {1, 1},
         2,
         KVM_FAILS,
         "a small guest got a wrong result when it was to ask for CPUID"},
        {{2, 8},
         {1, 0},
         2,
         KVM_FAILS,
         "KVM gave up on a small guest that was to ask for CPUID (exit 8, detail 0)"},
        {{5},
         {0},
         1,
         KVM_FAILS,
         "KVM gave up on a small guest that was to start (exit 5, detail 0)"},
        {{2, 2, 2}, {1, 2, 3}, 3, KVM_HANGS, "went on"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct kvm_tried t = exits(rows[i].reason, rows[i].port, rows[i].n);

        assert_int_equal(t.outcome, rows[i].outcome);
        assert_string_equal(t.why, rows[i].why);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_that_is_not_there),
        cmocka_unit_test(a_device_that_is_another),
        cmocka_unit_test(a_guest_that_hangs_is_killed),
        cmocka_unit_test(each_exit_has_its_meaning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
