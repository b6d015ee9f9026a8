/* The bytes behind a verdict's lines, over a saved bundle. */
#include "tui/exhibit.c"

#include "attest/checks.h"
#include "tests/unit/unit.h"
#include "tests/unit/saved.h"
#include "tui/remedy.c"

static struct saved_world w;
static struct exhibit *x;

static int set_up(void **state) {
    (void)state;
    saved_open(&w, SAVED_FIRST);
    x = exhibit_new(&w.bundle);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    exhibit_free(x);
    saved_close(&w);
    return 0;
}

static void bytes_are_the_evidences(void **state) {
    cleanup_buf struct buf report = {0};
    struct err e;

    (void)state;
    assert_int_equal(bundle_report(&w.bundle, &report, &e), 0);
    assert_int_equal(exhibit_named(x, "REPORTED_TCB")->offset, 0x180);
    for (size_t i = 0; i < exhibit_count(x); i++) {
        const struct exhibit_item *it = exhibit_at(x, i);

        if (strcmp(it->section, REPORT) == 0)
            assert_memory_equal(it->bytes.p, report.p + it->offset, it->bytes.n);
    }
    assert_memory_equal(exhibit_named(x, "G")->bytes.p, w.bundle.hello->f.pubkey, 32);
    assert_memory_equal(exhibit_named(x, "job")->bytes.p, w.bundle.request->f.id, 32);
    assert_memory_equal(exhibit_named(x, "REPORT_DATA.G")->bytes.p, w.bundle.hello->f.pubkey, 32);
    assert_non_null(strstr(exhibit_named(x, "H")->words, "equal to REPORT_DATA.H"));
    assert_non_null(strstr(exhibit_named(x, "VEK")->words, "issued by SIM-"));
    assert_non_null(strstr(exhibit_named(x, "VEK.TCB")->words, "ucode 0x"));
    assert_true(exhibit_named(x, "CRL")->bytes.n > 100);
    assert_non_null(strstr(exhibit_named(x, "release")->words, "\"name\":\"cdvm-guest\""));
    assert_non_null(exhibit_named(x, "workload"));
    assert_non_null(exhibit_named(x, "receipt"));
    assert_null(exhibit_named(x, "nosuch"));
}

/* Every line of the tree whose evidence is bytes has them; those that have none are known. */
static void every_check_has_its_bytes(void **state) {
    static const char *const none[] = {"advisory.fresh", "model.volume", "model.endorsed"};

    (void)state;
    for (enum check_id id = 0; id < CK_COUNT; id++) {
        const char *name = check_table[id].id;
        bool without = check_is_group(id) || !strncmp(name, "gpu.", 4); /* no GPU in this job */

        for (size_t i = 0; i < COUNT(none); i++)
            without |= strcmp(none[i], name) == 0;
        if (!exhibit_behind(x, name, 0) != without)
            fail_msg("%s %s", name, without ? "has bytes" : "has no bytes");
    }
}

static void a_changed_report_is_seen(void **state) {
    struct rumor *hello = w.bundle.hello;

    (void)state;
    hello->f.pubkey[0] ^= 1; /* another speaker: not the key in the report */
    exhibit_free(x);
    x = exhibit_new(&w.bundle);
    hello->f.pubkey[0] ^= 1;
    assert_non_null(strstr(exhibit_named(x, "H")->words, "NOT what"));
}

struct lines {
    size_t n[EXHIBIT_BYTES + 1], widest;
};

static void count_line(void *arg, enum exhibit_line kind, const struct exhibit_item *it,
                       const char *text) {
    struct lines *l = arg;

    assert_non_null(it);
    l->n[kind]++;
    if (kind == EXHIBIT_BYTES && strlen(text) > l->widest)
        l->widest = strlen(text);
}

static void all_of_it_as_lines(void **state) {
    struct lines l = {0};

    (void)state;
    exhibit_lines(x, 16, count_line, &l);
    assert_int_equal(l.n[EXHIBIT_SECTION], 8);
    assert_int_equal(l.n[EXHIBIT_ITEM], exhibit_count(x));
    assert_true(l.n[EXHIBIT_BYTES] > SNP_REPORT_SIZE / 16);
    assert_int_equal(l.widest, strlen("0x000  ") + 16 * 3 - 1);
    exhibit_free(NULL);
    assert_int_equal(exhibit_count(NULL), 0);
    assert_null(exhibit_behind(NULL, "snp.vmpl", 0));
}

/* A bundle that holds next to nothing shows next to nothing. */
static void parts_that_are_absent(void **state) {
    struct bundle b = {0};
    struct exhibit *y = exhibit_new(&b);

    (void)state;
    assert_int_equal(exhibit_count(y), 0);
    exhibit_free(y);
    b.hello = w.bundle.hello;
    y = exhibit_new(&b);
    assert_non_null(exhibit_named(y, "MEASUREMENT"));
    assert_null(exhibit_named(y, "N"));
    exhibit_free(y);
}

static void every_line_that_is_bad_has_a_remedy(void **state) {
    (void)state;
    for (enum check_id id = 0; id < CK_COUNT; id++) {
        struct check c = {.id = check_table[id].id, .state = CHECK_FAIL, .required = true};
        const struct check *kid = &c;

        assert_true(strlen(remedy_of(&c)) > 15 && strlen(remedy_of(&c)) < 80);
        c.state = CHECK_PASS;
        assert_string_equal(remedy_of(&c), "");
        c.state = CHECK_NOT_CHECKED;
        assert_true(*remedy_of(&c));
        c.required = false;
        assert_string_equal(remedy_of(&c), "");
        c = (struct check){.id = c.id, .state = CHECK_FAIL, .child = &kid, .n_children = 1};
        assert_string_equal(remedy_of(&c), "");
    }
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(bytes_are_the_evidences),  T(every_check_has_its_bytes),
        T(a_changed_report_is_seen), T(all_of_it_as_lines),
        T(parts_that_are_absent),    T(every_line_that_is_bad_has_a_remedy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
