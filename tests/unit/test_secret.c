#include "core/secret.c"
#include <signal.h>
#include <sys/wait.h>

#include "tests/unit/unit.h"

/* Runs f in a child; its exit status, or 128 and the signal. */
static int in_child(void (*f)(struct secret *), struct secret *s) {
    pid_t pid = fork();
    int st;

    assert_true(pid >= 0);
    if (pid == 0) {
        signal(SIGSEGV, SIG_DFL); /* not cmocka's handler */
        f(s);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &st, 0), pid);
    return WIFSIGNALED(st) ? 128 + WTERMSIG(st) : WEXITSTATUS(st);
}

static void holds_and_copies(void **state) {
    struct secret *s = secret_from("0123456789abcdef0123456789abcdef", 32), *z = secret_new(5000);
    const uint8_t zero[5000] = {0};

    (void)state;
    assert_int_equal(secret_len(s), 32);
    assert_memory_equal(secret_get(s), "0123456789abcdef0123456789abcdef", 32);
    secret_edit(s)[0] = 'x';
    assert_int_equal(secret_get(s)[0], 'x');
    assert_memory_equal(secret_get(z), zero, sizeof zero);
    secret_free(s);
    secret_free(z);
    secret_free(NULL);
}

static void overrun(struct secret *s) {
    ((volatile uint8_t *)secret_edit(s))[secret_len(s)] = 1;
}

static void a_write_past_the_end_faults(void **state) {
    struct secret *s = secret_new(64);

    (void)state;
    assert_int_not_equal(in_child(overrun, s), 0);
    secret_free(s);
}

static void look(struct secret *s) {
    for (size_t i = 0; i < secret_len(s); i++)
        if (secret_get(s)[i])
            _exit(1);
}

static void a_child_sees_zeroes(void **state) {
    struct secret *s = secret_random(48);

    (void)state;
    assert_int_equal(in_child(look, s), 0);
    secret_free(s);
}

static void random_secrets_differ(void **state) {
    struct secret *a = secret_random(32), *b = secret_random(32);

    (void)state;
    assert_memory_not_equal(secret_get(a), secret_get(b), 32);
    secret_free(a);
    secret_free(b);
}

static void compares_every_byte(void **state) {
    uint8_t a[33], b[33];

    (void)state;
    random_bytes(a, sizeof a);
    memcpy(b, a, sizeof b);
    assert_true(secret_eq(a, b, sizeof a));
    for (size_t i = 0; i < sizeof a; i++) {
        b[i] ^= 0x80;
        assert_false(secret_eq(a, b, sizeof a));
        b[i] ^= 0x80;
    }
    assert_true(secret_eq("a", "b", 0));
}

static void random_below_stays_below_and_reaches_all(void **state) {
    unsigned seen[7] = {0};

    (void)state;
    assert_int_equal(random_below(0), 0);
    assert_int_equal(random_below(1), 0);
    for (int i = 0; i < 7000; i++) {
        uint64_t x = random_below(7);

        assert_true(x < 7);
        seen[x]++;
    }
    for (int i = 0; i < 7; i++)
        assert_in_range(seen[i], 700, 1300); /* nine standard deviations */
    for (int i = 0; i < 100; i++)
        assert_true(random_below(UINT64_MAX) < UINT64_MAX);
}

static void hardened(struct secret *s) {
    struct rlimit core;

    (void)s;
    process_harden();
    if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0 || getrlimit(RLIMIT_CORE, &core) != 0 ||
        core.rlim_cur != 0 || core.rlim_max != 0 || umask(0) != 077)
        _exit(1);
}

static void hardening_takes_dumps_away(void **state) {
    (void)state;
    assert_int_equal(in_child(hardened, NULL), 0);
}

static void without_memlock(struct secret *s) {
    struct rlimit none = {0, 0};
    struct secret *t;

    (void)s;
    if (geteuid() == 0 && setreuid(65534, 65534) != 0)
        _exit(2);
    setrlimit(RLIMIT_MEMLOCK, &none);
    lock_failed = false;
    t = secret_random(32);
    if (!secret_lock_warning() || secret_len(t) != 32)
        _exit(1);
}

/* Room for one key, as the first of them finds it, is not enough. */
static void with_little_memlock(struct secret *s) {
    struct rlimit little = {64 << 10, 64 << 10};

    (void)s;
    if (geteuid() == 0 && setreuid(65534, 65534) != 0)
        _exit(2);
    setrlimit(RLIMIT_MEMLOCK, &little);
    lock_failed = false;
    secret_free(secret_random(32));
    if (lock_failed || !secret_lock_warning())
        _exit(1);
}

static void a_small_memlock_limit_is_told(void **state) {
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip(); /* ASan replaces mlock by a function that always succeeds */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
    skip();
#endif
#endif
    assert_int_equal(in_child(without_memlock, NULL), 0);
    assert_int_equal(in_child(with_little_memlock, NULL), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_and_copies),
        cmocka_unit_test(a_write_past_the_end_faults),
        cmocka_unit_test(a_child_sees_zeroes),
        cmocka_unit_test(random_secrets_differ),
        cmocka_unit_test(compares_every_byte),
        cmocka_unit_test(random_below_stays_below_and_reaches_all),
        cmocka_unit_test(hardening_takes_dumps_away),
        cmocka_unit_test(a_small_memlock_limit_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
