/* What was met before, over real facts of two saved bundles. */
#include "tui/known.c"

#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "tests/unit/saved.h"
#include "tui/facts.c"

static char path[64];
static struct facts first, second;
static const struct check warn = {
    .id = "snp.tcb.floor", .state = CHECK_WARN, .got = "bl 1", .required = true};

static void facts_from(const char *file, struct facts *out) {
    struct saved_world w;
    struct verdict *v;

    saved_open(&w, file);
    v = saved_verify(&w, w.then);
    facts_of(&w.bundle, v, out);
    verdict_free(v);
    saved_close(&w);
}

static int set_up(void **state) {
    (void)state;
    snprintf(path, sizeof path, "/tmp/cdvm-known-XXXXXX");
    close(mkstemp(path));
    unlink(path);
    facts_from(SAVED_FIRST, &first);
    facts_from(SAVED_SECOND, &second);
    return 0;
}

static int tear_down(void **state) {
    cleanup_free char *lock = mem_fmt("%s.lock", path);

    (void)state;
    unlink(path);
    unlink(lock);
    return 0;
}

static struct known *opened(int64_t now) {
    return known_new(path, now, KNOWN_DAYS, NULL);
}

static void facts_say_what_the_bundle_says(void **state) {
    static const enum fact DIFFER[] = {FACT_VERDICT, FACT_RELEASE, FACT_MEASUREMENT, FACT_MESSAGES,
                                       FACT_OPEN};

    (void)state;
    assert_string_equal(first.text[FACT_VERDICT], "SIMULATED PASS");
    assert_string_equal(second.text[FACT_VERDICT], "SIMULATED WARN");
    assert_string_equal(first.text[FACT_POLICY], "demo");
    assert_string_equal(first.text[FACT_OPEN], "none");
    assert_string_equal(second.text[FACT_OPEN], "receipt.coverage");
    assert_string_equal(first.text[FACT_MODEL], "none");
    assert_int_equal(strlen(first.text[FACT_MEASUREMENT]), 96);
    assert_int_equal(strlen(first.text[FACT_TCB]), 16);
    assert_true(first.chip_len == 64 && first.simulated);
    assert_int_equal(facts_differ(&first, &second), COUNT(DIFFER));
    for (size_t i = 0; i < COUNT(DIFFER); i++)
        assert_false(fact_same(&first, &second, DIFFER[i]));
}

static void the_last_one_is_kept(void **state) {
    struct known *k = opened(first.when);
    struct stat st;
    struct err e;

    (void)state;
    memcpy(second.provider, first.provider, 32);
    assert_null(known_last(k, &first));
    assert_int_equal(known_put(k, &first, &e), 0);
    known_free(k);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    k = opened(first.when + DAY);
    assert_int_equal(facts_differ(known_last(k, &second), &first), 0);
    assert_int_equal(known_put(k, &second, &e), 0); /* the same machine: instead of the first */
    assert_int_equal(k->n_last, 1);
    assert_string_equal(known_last(k, &first)->text[FACT_RELEASE], second.text[FACT_RELEASE]);
    known_free(k);
    k = opened(second.when + KNOWN_DAYS * DAY);
    assert_null(known_last(k, &second)); /* too old to tell anything */
    known_free(k);
}

static void a_machine_is_told_from_another(void **state) {
    struct known *k = opened(first.when);
    struct facts other = first;
    struct err e;

    (void)state;
    other.chip[3] ^= 1;
    snprintf(other.text[FACT_TCB], FACT_TEXT, "0100000000000001");
    assert_int_equal(known_put(k, &first, &e), 0);
    assert_int_equal(known_put(k, &other, &e), 0);
    assert_string_equal(known_last(k, &first)->text[FACT_TCB], first.text[FACT_TCB]);
    other.chip[3] ^= 2; /* a third one is compared with the newest of the provider */
    assert_string_equal(known_last(k, &other)->text[FACT_TCB], "0100000000000001");
    other.provider[0] ^= 1;
    assert_null(known_last(k, &other));
    known_free(k);
}

static void acceptances_hold_for_one_value_of_one_machine(void **state) {
    struct facts f = first, other;
    struct check c = warn;
    struct known *k = opened(f.when);
    struct err e;

    (void)state;
    f.simulated = false;
    assert_int_equal(known_accepted(k, &f, &c), 0);
    assert_int_equal(known_accept(k, &f, &c, &e), 0);
    known_free(k);
    k = opened(f.when + DAY);
    assert_int_equal(known_accepted(k, &f, &c), f.when);
    c.got = "bl 2";
    assert_int_equal(known_accepted(k, &f, &c), 0);
    c = warn;
    c.id = "snp.host_data";
    assert_int_equal(known_accepted(k, &f, &c), 0);
    c = warn;
    c.state = CHECK_FAIL; /* stricter policy now: what was a warning is none */
    assert_int_equal(known_accepted(k, &f, &c), 0);
    other = f;
    other.chip[63] ^= 1;
    assert_int_equal(known_accepted(k, &other, &warn), 0);
    other = f;
    other.text[FACT_RELEASE][0] = other.text[FACT_RELEASE][0] == 'a' ? 'b' : 'a';
    assert_int_equal(known_accepted(k, &other, &warn), 0);
    other = f;
    other.provider[31] ^= 1;
    assert_int_equal(known_accepted(k, &other, &warn), 0);
    other = f;
    other.simulated = true;
    assert_int_equal(known_accepted(k, &other, &warn), 0);
    known_free(k);
    k = opened(f.when + KNOWN_DAYS * DAY);
    assert_int_equal(known_accepted(k, &f, &warn), 0);
    known_free(k);
}

/* By the clock of the verdict that asks: a program may run for long, and a clock be set back. */
static void acceptances_have_their_time(void **state) {
    struct facts f = first;
    struct known *k = opened(f.when);
    const int64_t then = f.when;
    struct err e;

    (void)state;
    f.simulated = false;
    assert_int_equal(known_accept(k, &f, &warn, &e), 0);
    f.when = then + (KNOWN_DAYS - 1) * DAY;
    assert_int_equal(known_accepted(k, &f, &warn), then);
    f.when = then + KNOWN_DAYS * DAY;
    assert_int_equal(known_accepted(k, &f, &warn), 0);
    f.when = then - 3600;
    assert_int_equal(known_accepted(k, &f, &warn), then);
    f.when = then - 2 * DAY; /* nobody accepts tomorrow's warning */
    assert_int_equal(known_accepted(k, &f, &warn), 0);
    known_free(k);
}

static void what_cannot_be_remembered(void **state) {
    struct facts f = first;
    struct check c = warn;
    struct known *k = opened(f.when);
    struct err e;

    (void)state;
    assert_int_equal(known_accept(k, &f, &c, &e), -1); /* simulated */
    assert_string_equal(e.code, "not-remembered");
    f.simulated = false;
    c.state = CHECK_NOT_CHECKED;
    assert_int_equal(known_accept(k, &f, &c, &e), -1);
    f.chip_len = 0;
    assert_int_equal(known_accept(k, &f, &warn, &e), -1); /* one machine among many */
    assert_int_equal(known_acceptances(k), 0);
    known_free(k);
}

static void what_is_forgotten_is_asked_again(void **state) {
    struct facts f = first;
    struct check other = warn;
    struct known *k = opened(f.when);
    struct err e;

    (void)state;
    f.simulated = false;
    other.id = "snp.host_data";
    assert_int_equal(known_accept(k, &f, &warn, &e), 0);
    assert_int_equal(known_accept(k, &f, &other, &e), 0);
    assert_int_equal(known_acceptances(k), 2);
    assert_int_equal(known_forget(k, &f, &warn, &e), 1);
    known_free(k);
    k = opened(f.when);
    assert_int_equal(known_accepted(k, &f, &warn), 0);
    assert_int_equal(known_accepted(k, &f, &other), f.when);
    assert_int_equal(known_forget(k, &f, NULL, &e), 1);
    assert_int_equal(known_forget(k, &f, NULL, &e), 0);
    known_free(k);
}

static void no_days_keep_nothing(void **state) {
    struct known *k = known_new(path, first.when, 0, NULL);
    struct err e;

    (void)state;
    assert_int_equal(known_put(k, &first, &e), 0);
    assert_non_null(known_last(k, &first)); /* for this run */
    known_free(k);
    assert_int_not_equal(access(path, F_OK), 0);
}

/* The fuzzer's seed is a file that this program reads. */
static void the_seed_is_one(void **state) {
    struct known *k = known_new("tests/fuzz/corpus/known/one", 1795300001, KNOWN_DAYS, NULL);

    (void)state;
    assert_true(k->n_last == 1 && k->n_acc == 1);
    known_free(k);
}

static void odd_files_do_no_harm(void **state) {
    static const char *const rows[] = {
        "",
        "\n\n",
        "not json\n",
        "{\"t\":\"last\"}\n",
        "{\"t\":\"accept\",\"provider\":\"00\"}\n",
        "[]\n{}\n",
    };
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct known *k;

        assert_int_equal(file_write(path, view_str(rows[i]), 0600, true, &e), 0);
        k = opened(first.when);
        assert_true(k->n_last == 0 && k->n_acc == 0);
        known_free(k);
    }
}

/* What one program remembers the other does not lose, and what one forgets the other does not write
 * back. */
static void two_programs_take_turns(void **state) {
    struct known *a = opened(first.when), *b = opened(first.when), *c;
    struct facts f = first, other = first;
    struct err e;

    (void)state;
    f.simulated = other.simulated = false;
    other.provider[0] ^= 1;
    assert_int_equal(known_accept(a, &f, &warn, &e), 0);
    assert_int_equal(known_put(b, &other, &e), 0);
    c = opened(first.when);
    assert_int_equal(known_accepted(c, &f, &warn), f.when);
    assert_non_null(known_last(c, &other));
    assert_int_equal(known_forget(c, &f, NULL, &e), 1);
    known_free(c);
    assert_int_equal(known_put(a, &first, &e), 0); /* it still held the acceptance */
    c = opened(first.when);
    assert_int_equal(known_accepted(c, &f, &warn), 0);
    known_free(a);
    known_free(b);
    known_free(c);
}

static void a_provider_is_forgotten_whole(void **state) {
    struct known *k = opened(first.when);
    struct facts f = first, other = first;
    struct err e;

    (void)state;
    f.simulated = false;
    other.provider[0] ^= 1;
    assert_int_equal(known_put(k, &f, &e), 0);
    assert_int_equal(known_accept(k, &f, &warn, &e), 0);
    assert_int_equal(known_put(k, &other, &e), 0);
    assert_int_equal(known_of_provider(k, f.provider), 2);
    assert_int_equal(known_forget_provider(k, f.provider, &e), 0);
    known_free(k);
    k = opened(first.when);
    assert_int_equal(known_of_provider(k, f.provider), 0);
    assert_int_equal(known_of_provider(k, other.provider), 1);
    known_free(k);
}

/* A line of a later program stays; a file that cannot be read is not written over. */
static void what_is_not_understood_stays(void **state) {
    static const char line[] = "{\"t\":\"later\",\"x\":1}\n";
    struct err e = {0}, note = {0};
    cleanup_buf struct buf text = {0};
    struct known *k;

    (void)state;
    assert_int_equal(file_write(path, view_str(line), 0600, true, &e), 0);
    k = opened(first.when);
    assert_int_equal(known_put(k, &first, &e), 0);
    known_free(k);
    assert_int_equal(file_read(path, STATEFILE_MAX, &text, &e), 0);
    assert_non_null(memmem(text.p, text.n, line, strlen(line)));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    k = known_new(path, first.when, KNOWN_DAYS, &note);
    assert_non_null(strstr(note.text, "neither read nor changed"));
    assert_int_equal(known_put(k, &first, &e), -1);
    assert_non_null(known_last(k, &first)); /* for this run */
    known_free(k);
    assert_int_equal(rmdir(path), 0);
}

/* The rows stay bounded, and the newest are those that stay. */
static void many_are_not_too_many(void **state) {
    struct known *k = known_new(NULL, first.when, KNOWN_DAYS, NULL);
    struct facts f = first;
    struct err e;

    (void)state;
    f.simulated = false;
    for (unsigned i = 0; i < KNOWN_ROWS + 10; i++) {
        f.chip[0] = (uint8_t)i;
        f.chip[1] = (uint8_t)(i >> 8);
        assert_int_equal(known_put(k, &f, &e), 0);
        assert_int_equal(known_accept(k, &f, &warn, &e), 0);
    }
    assert_int_equal(k->n_last, KNOWN_ROWS);
    assert_int_equal(k->n_acc, KNOWN_ROWS);
    assert_true(known_accepted(k, &f, &warn) != 0);
    known_free(k);
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(facts_say_what_the_bundle_says),
        T(the_last_one_is_kept),
        T(a_machine_is_told_from_another),
        T(acceptances_hold_for_one_value_of_one_machine),
        T(acceptances_have_their_time),
        T(what_cannot_be_remembered),
        T(what_is_forgotten_is_asked_again),
        T(no_days_keep_nothing),
        T(the_seed_is_one),
        T(odd_files_do_no_harm),
        T(many_are_not_too_many),
        T(two_programs_take_turns),
        T(a_provider_is_forgotten_whole),
        T(what_is_not_understood_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
