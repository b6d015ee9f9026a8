/* What the model does with a verdict: decisions that are remembered, what changed, receipts. */
#include "tui/app_attest.c"

#include <unistd.h>

#include "tests/unit/tui_world.h"
#include "tests/unit/saved.h"

/* A guest of real hardware with one warning. */
static struct app *app_warned(const char *got) {
    static struct check leaf, top;
    static const struct check *kid = &leaf;
    struct facts f = {.when = NOW, .provider = {1}, .chip = {5}, .chip_len = 64};
    struct app *a = app_booting();
    struct app_verdict v = {.state = CHECK_WARN, .has_guest = true, .policy = "standard"};

    leaf = TCB;
    leaf.got = got;
    top = (struct check){.id = "verdict", .title = "top", .state = CHECK_WARN, .why = ""};
    top.expected = top.got = "";
    top.child = &kid;
    top.n_children = 1;
    memset(f.text[FACT_RELEASE], 'a', 64);
    snprintf(f.text[FACT_OPEN], FACT_TEXT, "snp.tcb.floor");
    snprintf(f.text[FACT_TCB], FACT_TEXT, "%s", got);
    v.top = &top;
    v.open[v.n_open++] = &leaf;
    v.facts = &f;
    a->job->simulated = false;
    state(a, SESSION_VERIFYING);
    app_on_verdict(a, a->job->number, &v);
    state(a, SESSION_DECISION);
    app_go(a, SCR_ATTEST);
    buf_reset(&world.log);
    return a;
}

/* The same program, another job of the same machine. */
static void again(struct app *a) {
    struct facts f = *a->job->facts;
    struct app_verdict v = a->job->verdict;

    state(a, SESSION_ENDED);
    port_start(NULL, a->offer, NULL);
    a->job->simulated = false;
    v.facts = &f;
    v.simulated = false;
    state(a, SESSION_VERIFYING);
    app_on_verdict(a, a->job->number, &v);
    state(a, SESSION_DECISION);
    app_go(a, SCR_ATTEST);
    buf_reset(&world.log);
}

static void accepted_for_this_job_alone(void **st) {
    struct app *a = app_warned("0x57");

    (void)st;
    type(a, "a");
    assert_int_equal(app_focus(a), SCR_WORD);
    type(a, "accept");
    app_key(a, K_ENTER);
    expect_asked("confirm snp.tcb.floor;accept 0;");
    assert_int_equal(known_acceptances(a->known), 0);
    again(a);
    type(a, "a");
    assert_int_equal(app_focus(a), SCR_WORD); /* asked as before */
    app_done(a);
}

static void remembered_where_it_was_typed(void **st) {
    struct app *a = app_warned("0x57");

    (void)st;
    type(a, "aremember");
    app_key(a, K_ENTER);
    expect_asked("confirm snp.tcb.floor;accept 0;");
    expect_status(a, "and remembered");
    again(a);
    assert_true(app_check_accepted(a, a->job, a->job->verdict.open[0]) != 0);
    type(a, "a");
    assert_int_equal(app_focus(a), SCR_YESNO); /* it was typed before; still nothing by itself */
    app_paste(a, view_str("y"), false);
    app_key(a, K_ENTER);
    expect_asked("");
    type(a, "ay");
    expect_asked("confirm again@2 snp.tcb.floor;accept@2 0;");
    app_done(a);
}

static void another_value_is_asked_anew(void **st) {
    struct app *a = app_warned("0x57");
    struct check other = *a->job->verdict.open[0];

    (void)st;
    type(a, "aremember");
    app_key(a, K_ENTER);
    other.got = "0x56";
    assert_int_equal(app_check_accepted(a, a->job, &other), 0);
    app_done(a);
}

static void forgotten_is_asked_anew(void **st) {
    struct app *a = app_warned("0x57");

    (void)st;
    type(a, "f");
    expect_status(a, "nothing is remembered");
    type(a, "aremember");
    app_key(a, K_ENTER);
    again(a);
    type(a, "n");
    type(a, "f");
    expect_status(a, "1 remembered acceptance forgotten");
    type(a, "a");
    assert_int_equal(app_focus(a), SCR_WORD);
    app_key(a, K_ESC);
    app_done(a);
}

static void simulated_is_never_remembered(void **st) {
    struct app *a = app_deciding();

    (void)st;
    app_go(a, SCR_ATTEST);
    type(a, "aremember");
    app_key(a, K_ENTER);
    expect_asked("");
    expect_status(a, "that is not the word");
    type(a, "asimulated");
    app_key(a, K_ENTER);
    expect_asked("confirm snp.tcb.floor;accept 1;");
    assert_int_equal(known_acceptances(a->known), 0);
    app_done(a);
}

static void what_was_accepted_is_met_again(void **st) {
    struct app *a = app_warned("0x57");
    struct check leaf;

    (void)st;
    assert_null(a->job->before);
    type(a, "c");
    expect_status(a, "no guest of this provider was accepted here before");
    state(a, SESSION_ACCEPTED);
    again(a);
    assert_non_null(a->job->before);
    leaf = *a->job->verdict.open[0];
    assert_false(app_check_changed(a->job, &leaf));
    snprintf(a->job->facts->text[FACT_TCB], FACT_TEXT, "0x58");
    assert_true(app_check_changed(a->job, &leaf));
    snprintf(a->job->facts->text[FACT_TCB], FACT_TEXT, "0x57");
    snprintf(a->job->facts->text[FACT_OPEN], FACT_TEXT, "snp.tcb.floor2,x");
    assert_true(app_check_changed(a->job, &leaf)); /* no longer a warning */
    type(a, "c");
    assert_int_equal(a->screen, SCR_PROOF);
    app_key(a, K_ESC);
    assert_int_equal(a->screen, SCR_ATTEST);
    app_done(a);
}

/* At a job's end, where the person wants it: once, and with the receipt. */
static void receipts_are_kept_when_asked_for(void **st) {
    static const struct receipt r = {.reason = "end"};
    struct app *a = app_warned("0x57");
    bool before = a->conf.set->keep_receipts;

    (void)st;
    a->conf.set->keep_receipts = false;
    state(a, SESSION_ENDED);
    expect_asked("");
    again(a);
    a->conf.set->keep_receipts = true;
    happens(a, &(struct session_event){.type = SE_RECEIPT, .receipt = &r});
    state(a, SESSION_ENDED);
    buf_str(&world.log, "");
    assert_non_null(strstr((char *)world.log.p, "save@2 "));
    a->conf.set->keep_receipts = before;
    app_done(a);
}

/* --- receipts --- */

static struct app *app_receipts(void) {
    struct app *a = app_with_offers();

    world_judge = saved_judge;
    receipts_free(a->receipts);
    a->receipts = receipts_new(saved_folder());
    app_key(a, '7');
    while (app_prepare(a), app_receipts_busy(a))
        continue;
    return a;
}

static void receipts_are_verified_anew(void **st) {
    struct app *a = app_receipts();

    (void)st;
    assert_int_equal(receipts_count(a->receipts), 3);
    app_key(a, K_ENTER); /* the newest is no bundle */
    assert_int_equal(a->screen, SCR_RECEIPTS);
    assert_true(strlen(a->status) > 10);
    type(a, "j");
    app_key(a, K_ENTER);
    assert_int_equal(a->screen, SCR_RECEIPT);
    assert_non_null(a->receipt->then);
    assert_int_equal(verdict_state(a->receipt->now),
                     CHECK_FAIL); /* its certificates are of later */
    type(a, "t");
    assert_true(a->receipt->of_then);
    assert_int_equal(verdict_state(a->receipt->then), CHECK_WARN);
    type(a, "e");
    assert_int_equal(a->screen, SCR_PROOF);
    app_prepare(a);
    assert_true(pager_rows(a->proof_page) > 200);
    app_key(a, K_ESC);
    assert_int_equal(a->screen, SCR_RECEIPT);
    app_key(a, K_ESC);
    assert_int_equal(a->screen, SCR_RECEIPTS);
    app_done(a);
}

static void two_are_compared(void **st) {
    struct app *a = app_receipts();

    (void)st;
    type(a, "jd");
    expect_status(a, "mark the other one first");
    type(a, " ");
    type(a, "jd");
    assert_int_equal(a->screen, SCR_PROOF);
    assert_int_equal(a->proof, PROOF_DIFF);
    app_prepare(a);
    assert_true(pager_rows(a->proof_page) > 20);
    app_key(a, 'q');
    assert_int_equal(a->screen, SCR_RECEIPTS);
    type(a, "k ");
    assert_null(a->marked); /* a second time takes it off */
    app_done(a);
}

static void deleting_asks(void **st) {
    struct app *a = app_receipts();

    (void)st;
    type(a, "x");
    assert_int_equal(app_focus(a), SCR_YESNO);
    app_key(a, K_ENTER);
    assert_int_equal(receipts_count(a->receipts), 3);
    type(a, "xy");
    expect_status(a, "deleted");
    assert_int_equal(receipts_count(a->receipts), 2);
    assert_int_not_equal(access("build/receipts-test_app_attest/broken.json", F_OK), 0);
    app_done(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted_for_this_job_alone),
        cmocka_unit_test(remembered_where_it_was_typed),
        cmocka_unit_test(another_value_is_asked_anew),
        cmocka_unit_test(forgotten_is_asked_anew),
        cmocka_unit_test(simulated_is_never_remembered),
        cmocka_unit_test(what_was_accepted_is_met_again),
        cmocka_unit_test(receipts_are_kept_when_asked_for),
        cmocka_unit_test(receipts_are_verified_anew),
        cmocka_unit_test(two_are_compared),
        cmocka_unit_test(deleting_asks),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);

    buf_free(&world.log);
    return rc;
}
