#include "tui/proven.c"

#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static char path[] = "/tmp/cdvm-proven-XXXXXX";

static void put(struct proven *p, uint8_t who, enum proof_state s, int64_t when) {
    uint8_t key[32] = {who};
    struct err e;

    assert_int_equal(proven_put(p, key, (struct proof){s, when}, &e), 0);
}

static void expect(const struct proven *p, uint8_t who, enum proof_state s, int64_t when) {
    uint8_t key[32] = {who};
    struct proof got = proven_get(p, key);

    assert_int_equal(got.state, s);
    assert_int_equal(got.when, when);
}

static void remembers_over_runs(void **st) {
    struct proven *p = proven_new(path);
    struct stat sb;

    (void)st;
    expect(p, 1, PROOF_NEVER, 0);
    put(p, 1, PROOF_PASS, 100);
    put(p, 2, PROOF_NOT_CHECKED, 200);
    put(p, 1, PROOF_FAIL, 300);
    proven_free(p);
    p = proven_new(path);
    expect(p, 1, PROOF_FAIL, 300);
    expect(p, 2, PROOF_NOT_CHECKED, 200);
    proven_free(p);
    assert_int_equal(stat(path, &sb), 0);
    assert_int_equal(sb.st_mode & 0777, 0600);
}

static void passes_over_nonsense(void **st) {
    static const char TEXT[] =
        "rubbish\n\n"
        "0300000000000000000000000000000000000000000000000000000000000000 77 pass\n"
        "0400000000000000000000000000000000000000000000000000000000000000 77 sealed\n"
        "0500000000000000000000000000000000000000000000000000000000000000 never\n"
        "ZZ00000000000000000000000000000000000000000000000000000000000000 77 pass\n"
        "0600000000000000000000000000000000000000000000000000000000000000 77 simulated";
    struct proven *p;
    struct err e;

    (void)st;
    assert_int_equal(file_write(path, view_str(TEXT), 0600, true, &e), 0);
    p = proven_new(path);
    assert_int_equal(p->n, 2);
    expect(p, 3, PROOF_PASS, 77);
    expect(p, 6, PROOF_SIMULATED, 77);
    proven_free(p);
}

static void is_bounded(void **st) {
    struct proven *p = proven_new(NULL);
    struct err e;

    (void)st;
    for (unsigned i = 0; i < PROVEN_MAX + 5; i++) {
        uint8_t key[32] = {(uint8_t)i, (uint8_t)(i >> 8)};

        assert_int_equal(proven_put(p, key, (struct proof){PROOF_PASS, i}, &e), 0);
    }
    assert_int_equal(p->n, PROVEN_MAX);
    expect(p, 0, PROOF_NEVER, 0); /* the oldest went */
    expect(p, 5, PROOF_PASS, 5);
    proven_free(p);
}

static void says_when_it_cannot_write(void **st) {
    struct proven *p = proven_new("/nonexistent/proven");
    uint8_t key[32] = {1};
    struct err e;

    (void)st;
    assert_int_equal(proven_put(p, key, (struct proof){PROOF_PASS, 1}, &e), -1);
    assert_non_null(strstr(e.text, "cannot remember what was verified"));
    expect(p, 1, PROOF_PASS, 1); /* but this run knows */
    proven_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(remembers_over_runs),
        cmocka_unit_test(passes_over_nonsense),
        cmocka_unit_test(is_bounded),
        cmocka_unit_test(says_when_it_cannot_write),
    };
    int fd = mkstemp(path), rc;

    if (fd < 0)
        return 1;
    close(fd);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return rc;
}
