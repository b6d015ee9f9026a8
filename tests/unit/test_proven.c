#include "tui/proven.c"

#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define NOW 1764000000

static char dir[] = "/tmp/cdvm-proven-XXXXXX", path[64];

static struct proven *opened(void) {
    struct err note = {0};
    struct proven *p = proven_new(path, PROVEN_DAYS, &note);

    assert_string_equal(note.text, "");
    return p;
}

static struct proven_job job(uint8_t who, enum proof_state s, int64_t when) {
    return (struct proven_job){.provider = {who},
                               .proof = {s, when},
                               .seconds = 60,
                               .boot_ms = 1000 * who,
                               .msat = 210000,
                               .name = "a seller"};
}

static void put_job(struct proven *p, struct proven_job j) {
    struct err e;

    if (proven_put(p, &j, &e) != 0)
        fail_msg("%s", e.text);
}

static void expect(const struct proven *p, uint8_t who, enum proof_state s, int64_t when) {
    uint8_t key[32] = {who};
    struct proof got = proven_get(p, key);

    assert_int_equal(got.state, s);
    assert_int_equal(got.when, when);
}

static void remembers_over_runs(void **st) {
    struct proven *p = opened();
    uint8_t one[32] = {1};
    struct proven_job j = job(1, PROOF_PASS, NOW), got;
    struct stat sb;

    (void)st;
    memset(j.digest, 'c', 96);
    expect(p, 1, PROOF_NEVER, 0);
    put_job(p, j);
    put_job(p, job(2, PROOF_NOT_CHECKED, NOW + 1));
    put_job(p, job(1, PROOF_FAIL, NOW + 2));
    j.seconds = 720; /* its end, learned later */
    put_job(p, j);
    proven_free(p);
    p = opened();
    expect(p, 1, PROOF_FAIL, NOW + 2);
    expect(p, 2, PROOF_NOT_CHECKED, NOW + 1);
    assert_int_equal(proven_jobs(p, one), 2);
    got = *proven_job(p, one, 1);
    assert_memory_equal(&got, &j, sizeof j);
    assert_null(proven_job(p, one, 2));
    proven_free(p);
    assert_int_equal(stat(path, &sb), 0);
    assert_int_equal(sb.st_mode & 0777, 0600);
}

static void what_is_not_known_stays_unknown(void **st) {
    struct proven_job j = {.provider = {4},
                           .proof = {PROOF_WARN, NOW},
                           .seconds = -1,
                           .boot_ms = -1,
                           .msat = -1},
                      got;
    struct proven *p = opened();

    (void)st;
    put_job(p, j);
    proven_free(p);
    p = opened();
    got = *proven_at(p, 0);
    assert_memory_equal(&got, &j, sizeof j);
    assert_int_equal(proven_boot_ms(p, j.provider), -1);
    proven_free(p);
}

#define KEY "000000000000000000000000000000000000000000000000000000000000000"

static void nonsense_is_passed_over_and_stays(void **st) {
    static const char TEXT[] = "rubbish\n\n"
                               "0" KEY " 77 pass - - - - three\n"
                               "1" KEY " 77 sealed - - - - x\n"
                               "2" KEY " never\n"
                               "3" KEY " 77 simulated 1 2 3 -\n"
                               "4" KEY " 77 pass 1 2 3 beef x";
    cleanup_buf struct buf now = {0};
    struct proven *p;
    struct err e;

    (void)st;
    assert_int_equal(file_write(path, view_str(TEXT), 0600, true, &e), 0);
    p = opened();
    assert_int_equal(p->n, 2);
    expect(p, 0, PROOF_PASS, 77);
    expect(p, 0x30, PROOF_SIMULATED, 77);
    put_job(p, job(1, PROOF_PASS, NOW));
    proven_free(p);
    assert_int_equal(file_read(path, 10000, &now, &e), 0);
    assert_non_null(strstr((char *)now.p, "rubbish\n"));
    assert_non_null(strstr((char *)now.p, " 77 sealed "));
    assert_null(strstr((char *)now.p, " 77 pass - ")); /* 1970 is over */
}

static void goes_by_itself(void **st) {
    struct proven *p = opened();

    (void)st;
    put_job(p, job(1, PROOF_PASS, NOW));
    put_job(p, job(2, PROOF_PASS, NOW + 80 * DAY));
    expect(p, 1, PROOF_PASS, NOW);
    proven_tidy(p, NOW + 89 * DAY);
    expect(p, 1, PROOF_PASS, NOW);
    proven_tidy(p, NOW + 91 * DAY);
    expect(p, 1, PROOF_NEVER, 0);
    put_job(p, job(3, PROOF_PASS, NOW + 91 * DAY));
    proven_free(p);
    p = opened();
    assert_int_equal(p->n, 2); /* gone from the file too */
    proven_free(p);
}

static void is_forgotten_when_asked(void **st) {
    struct proven *p = opened(), *other = opened();
    uint8_t one[32] = {1};
    uint64_t version;
    struct err e;

    (void)st;
    put_job(p, job(1, PROOF_PASS, NOW));
    put_job(other, job(1, PROOF_WARN, NOW + 1)); /* another cdvm */
    put_job(p, job(2, PROOF_PASS, NOW + 2));
    version = proven_version(p);
    assert_int_equal(proven_forget(p, one, &e), 0);
    assert_int_not_equal(proven_version(p), version);
    assert_int_equal(proven_jobs(p, one), 0);
    put_job(other, job(3, PROOF_PASS, NOW + 3)); /* does not bring it back */
    assert_int_equal(proven_jobs(other, one), 0);
    assert_int_equal(other->n, 2);
    proven_free(p);
    proven_free(other);
}

static void nothing_is_kept_for_no_days(void **st) {
    struct err note = {0};
    struct proven *p = proven_new(path, 0, &note);

    (void)st;
    put_job(p, job(1, PROOF_PASS, NOW));
    expect(p, 1, PROOF_PASS, NOW);
    assert_int_equal(access(path, F_OK), -1);
    proven_free(p);
}

static void is_bounded(void **st) {
    struct err note = {0};
    struct proven *p = proven_new(NULL, 0, &note);

    (void)st;
    for (unsigned i = 0; i < PROVEN_MAX + 5; i++) {
        struct proven_job j = {.provider = {(uint8_t)i, (uint8_t)(i >> 8)},
                               .proof = {PROOF_PASS, 1000 + i}};

        put_job(p, j);
    }
    assert_int_equal(p->n, PROVEN_MAX);
    expect(p, 0, PROOF_NEVER, 0); /* the oldest went */
    expect(p, 5, PROOF_PASS, 1005);
    proven_free(p);
}

static void boots_take_their_median(void **st) {
    static const int64_t MS[] = {9000, 1000, 5000, -1, 3000};
    static const int64_t WANT[] = {9000, 5000, 5000, 5000, 4000};
    struct err note = {0};
    struct proven *p = proven_new(NULL, 0, &note);
    uint8_t one[32] = {1};

    (void)st;
    assert_int_equal(proven_boot_ms(p, one), -1);
    for (size_t i = 0; i < COUNT(MS); i++) {
        struct proven_job j = job(1, PROOF_PASS, NOW + (int64_t)i);

        j.boot_ms = MS[i];
        put_job(p, j);
        assert_int_equal(proven_boot_ms(p, one), WANT[i]);
    }
    proven_free(p);
}

static void says_when_it_cannot_write(void **st) {
    struct err note = {0}, e;
    struct proven *p = proven_new("/nonexistent/proven", PROVEN_DAYS, &note);
    struct proven_job j = job(1, PROOF_PASS, NOW);

    (void)st;
    assert_int_equal(proven_put(p, &j, &e), -1);
    assert_non_null(strstr(e.text, "cannot remember what was verified"));
    expect(p, 1, PROOF_PASS, NOW); /* but this run knows */
    proven_free(p);
}

static int tear_down(void **st) {
    cleanup_free char *lock = mem_fmt("%s.lock", path);

    (void)st;
    unlink(path);
    unlink(lock);
    return 0;
}

int main(void) {
#define T(f) cmocka_unit_test_teardown(f, tear_down)
    const struct CMUnitTest tests[] = {
        T(remembers_over_runs),
        T(what_is_not_known_stays_unknown),
        T(nonsense_is_passed_over_and_stays),
        T(goes_by_itself),
        T(is_forgotten_when_asked),
        T(nothing_is_kept_for_no_days),
        T(is_bounded),
        T(boots_take_their_median),
        T(says_when_it_cannot_write),
    };
    int rc;

    if (!mkdtemp(dir))
        return 1;
    snprintf(path, sizeof path, "%s/proven", dir);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(dir);
    return rc;
}
