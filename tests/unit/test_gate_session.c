/* The send gate below the screens: every public function of a session, called in every state that
 * it can be in, sends no data of the customer's but in READY after an allowed verdict; and where
 * somebody forces the state, the one function that encrypts still asks the verdict.
 *
 * The functions are those that tui/session.h declares: one that is not in the table below fails the
 * test. */
#include "tui/session.c"
#include "tui/session_verify.c"

#include <ctype.h>

#include "attest/verdict_make.h"
#include "tests/unit/unit.h"
#include "tests/unit/stage.h"

static struct stage t;
static const struct check *warned(void);

static int set_up(void **state) {
    (void)state;
    stage_up(&t);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    stage_down(&t);
    return 0;
}

/* --- everything that can be called --- */

static void try_ask(struct session *s) {
    uint8_t id[32];

    (void)!session_ask(s, view_str("a secret"), id, NULL);
}

static void try_attach(struct session *s) {
    uint8_t xid[16];

    (void)!session_attach(s, "LICENSE", "text/plain", NULL, xid, NULL);
}

static void try_cancel(struct session *s) {
    static const uint8_t id[32] = {1};

    (void)!session_cancel(s, id, NULL);
}

static void try_accept(struct session *s) {
    (void)!session_accept(s, false, NULL); /* nobody typed that it is simulated */
}

static void try_confirm(struct session *s) {
    (void)!session_confirm(s, "snp.measurement", false, NULL);
    (void)!session_confirm(s, "nosuch", true, NULL);
}

static void try_route(struct session *s) {
    const char *server;

    (void)!session_route(s, 1000, &server, NULL);
}

static void try_bundle(struct session *s) {
    cleanup_buf struct buf json = {0};

    session_bundle(s, &json);
}

static void try_save(struct session *s) {
    (void)!session_bundle_save(s, "/nonexistent/x", NULL);
    (void)!session_messages_save(s, "/nonexistent/x", NULL);
}

static void try_looks(struct session *s) {
    (void)session_state(s);
    (void)session_offer(s);
    (void)session_request(s);
    (void)session_verdict(s);
    (void)session_guest(s);
    (void)session_why(s);
    (void)session_files_open(s);
}

static void try_tick(struct session *s) {
    items_step(s);
    net_for(&t.net, 300);
}

static void (*const TRIES[])(struct session *s) = {
    try_ask,   try_attach, try_cancel, try_accept, try_confirm,
    try_route, try_bundle, try_save,   try_looks,  try_tick,
};

/* The names that the tries above call; those below that make, free or end a session (a resumed one:
 * test_session_resume.c), or take none.
 */
static const char *const NAMES[] = {
    "session_ask",           "session_attach",     "session_cancel", "session_accept",
    "session_confirm",       "session_route",      "session_bundle", "session_bundle_save",
    "session_messages_save", "session_state",      "session_offer",  "session_request",
    "session_verdict",       "session_guest",      "session_why",    "session_files_open",
    "session_new",           "session_free",       "session_end",    "session_refuse",
    "session_resume",        "session_conf_route", "session_fn",     "session_state_name",
    "session_state_final"};

static bool named(const char *name, size_t n) {
    for (size_t i = 0; i < COUNT(NAMES); i++)
        if (strlen(NAMES[i]) == n && !strncmp(NAMES[i], name, n))
            return true;
    return false;
}

static void every_function_is_tried(void **state) {
    cleanup_buf struct buf text = {0};
    size_t found = 0;
    struct err e;

    (void)state;
    if (file_read("tui/session.h", 1 << 20, &text, &e))
        fail_msg("%s", e.text);
    for (const char *p = (char *)text.p; (p = strstr(p, "session_")); p++) {
        size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyz_");

        if (p[n] != '(' || (p > (char *)text.p && (isalnum((unsigned char)p[-1]) || p[-1] == '_')))
            continue;
        found++;
        if (!named(p, n))
            fail_msg("%.*s is not tried: put it into the table", (int)n, p);
    }
    assert_true(found >= COUNT(NAMES));
}

/* --- the states --- */

static void up_to_requested(void) {
    stage_rent(&t, NULL);
}

static void up_to_starting(void) {
    up_to_requested();
    stage_feedback(&t, &t.provider, JOB_PROCESSING, "");
    assert_true(stage_reach(&t, SESSION_STARTING));
}

static void up_to_verifying(void) {
    up_to_starting();
    stage_good_hello(&t, &t.guest[0]);
    assert_true(stage_reach(&t, SESSION_VERIFYING));
}

static void up_to_decision(void) {
    up_to_starting();
    stage_collateral(&t, &t.provider);
    stage_good_hello(&t, &t.guest[0]);
    assert_true(stage_reach(&t, SESSION_DECISION));
}

static void up_to_warned(void) {
    t.trust.pins.n_digests = 1; /* nobody vouches for the workload */
    up_to_decision();
    assert_int_equal(verdict_state(t.s->verdict), CHECK_WARN);
}

static void up_to_accepted(void) {
    up_to_decision();
    assert_int_equal(session_accept(t.s, true, NULL), 0);
}

static void up_to_ending(void) {
    stage_ready(&t);
    session_end(t.s);
    assert_int_equal(session_state(t.s), SESSION_ENDING);
}

static void up_to_ended(void) {
    up_to_ending();
    assert_true(session_step(t.s, IN_DONE, NULL));
}

static void up_to_refused(void) {
    up_to_decision();
    session_refuse(t.s);
}

static void up_to_failed(void) {
    struct err e;

    stage_ready(&t);
    err_set(&e, "guest-silent", "a test");
    session_fail(t.s, &e);
}

static void up_to_closed(void) {
    up_to_refused();
    assert_true(stage_until(&t, &t.closed));
}

/* FAIL: another image runs. */
static void up_to_a_fail(void) {
    up_to_starting();
    stage_collateral(&t, &t.provider);
    memcpy(t.w.ev.guest, keypair_pub(t.guest[0].key), 32);
    t.w.measurement[7] ^= 1;
    world_report(&t.w, t.q.customer, t.q.nonce, t.q.id, 0x30000);
    stage_hello(&t, &t.guest[0]);
    assert_true(stage_reach(&t, SESSION_REFUSED));
    assert_int_equal(verdict_state(t.s->verdict), CHECK_FAIL);
}

/* NOT CHECKED: nobody brought the certificates, and patience is over. */
static void up_to_not_checked(void) {
    up_to_verifying();
    t.s->entered -= 3600000;
    assert_true(stage_reach(&t, SESSION_REFUSED));
    assert_int_equal(verdict_state(t.s->verdict), CHECK_NOT_CHECKED);
}

static const struct {
    const char *name;
    void (*up)(void);
    size_t accepts; /* that the guest may have got: the one message before READY that is sealed for
                     * it */
} STATES[] = {
    {"requested", up_to_requested, 0},
    {"starting", up_to_starting, 0},
    {"verifying", up_to_verifying, 0},
    {"decision, simulated", up_to_decision, 0},
    {"decision, WARN", up_to_warned, 0},
    {"accepted", up_to_accepted, 1},
    {"ending", up_to_ending, 1},
    {"ended", up_to_ended, 1},
    {"refused by the person", up_to_refused, 0},
    {"failed", up_to_failed, 1},
    {"closed", up_to_closed, 0},
    {"refused: FAIL", up_to_a_fail, 0},
    {"refused: NOT CHECKED", up_to_not_checked, 0},
};

/* Nothing but hello's answer, control and the end has come to any guest, nor to the seller. */
static void nothing_was_sent(size_t i) {
    const struct peer *const all[] = {&t.guest[0], &t.guest[1], &t.provider};

    net_for(&t.net, 150);
    for (size_t k = 0; k < COUNT(all); k++)
        if (all[k]->n_text || all[k]->n_file || all[k]->n_accept > STATES[i].accepts)
            fail_msg("%s: data was sent", STATES[i].name);
}

static void no_function_sends_in_any_other_state(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(STATES); i++) {
        stage_up(&t);
        STATES[i].up();
        for (size_t k = 0; k < COUNT(TRIES); k++) {
            enum session_state before = session_state(t.s);

            TRIES[k](t.s);
            if (session_state(t.s) != before && before != SESSION_VERIFYING &&
                !session_state_final(session_state(t.s)))
                fail_msg("%s: a try moved it to %s", STATES[i].name,
                         session_state_name(session_state(t.s)));
        }
        nothing_was_sent(i);
        assert_int_equal(t.s->n_items, 0);
        stage_down(&t);
    }
}

/* And in READY it does go: the test above does not pass because nothing ever would. */
static void in_ready_it_goes(void **state) {
    (void)state;
    stage_ready(&t);
    try_ask(t.s);
    assert_true(stage_until(&t, &t.guest[0].got_text));
    assert_string_equal(t.guest[0].text, "a secret");
}

/* --- the one that encrypts --- */

/* Somebody moves the state by hand, past the verdict: the queue is filled, and nothing leaves. */
static void forced(void (*up)(void)) {
    uint64_t sealed;

    stage_up(&t);
    up();
    if (t.closed || !t.s->guest || !t.s->guest->talk) {
        stage_down(&t);
        return;
    }
    sealed = outbox_sealed_for_guest(t.s->out);
    for (int accepted = 0; accepted < 2; accepted++) {
        t.s->state = SESSION_READY;
        t.s->accepted = accepted;
        try_ask(t.s);
        try_attach(t.s);
        try_cancel(t.s);
        items_step(t.s);
        assert_int_equal(outbox_sealed_for_guest(t.s->out), sealed);
    }
    net_for(&t.net, 300);
    assert_int_equal(t.guest[0].n_text + t.guest[0].n_file + t.guest[0].n_accept, 0);
    t.s->accepted = false;
    t.s->state = SESSION_REFUSED;
    stage_down(&t);
}

static void a_forced_state_opens_nothing(void **state) {
    (void)state;
    forced(up_to_a_fail);
    forced(up_to_not_checked);
    forced(up_to_warned);
    forced(up_to_verifying);
}

static const struct check *warned(void) {
    const struct check *open[1] = {NULL};

    assert_true(verdict_open(t.s->verdict, open, 1) >= 1);
    return open[0];
}

/* A warning: not without its confirmation, and not by confirming something else. */
static void a_warning_needs_its_own_word(void **state) {
    struct err e;

    (void)state;
    up_to_warned();
    assert_int_equal(session_accept(t.s, true, &e), -1);
    assert_string_equal(e.code, "not-allowed");
    assert_int_equal(session_confirm(t.s, "snp.measurement", false, &e), -1);
    assert_string_equal(e.code, "not-a-warning");
    assert_int_equal(session_accept(t.s, true, &e), -1);
    assert_int_equal(session_confirm(t.s, warned()->id, true, &e), 0);
    assert_true(warned()->confirmed && warned()->remembered);
    assert_int_equal(session_accept(t.s, false, &e), -1); /* and it is simulated */
    assert_int_equal(session_accept(t.s, true, &e), 0);
}

/* Who only looks accepts nobody: neither a guest that passes by itself, nor one by hand. */
static void who_only_looks_accepts_nobody(void **state) {
    struct err e;

    (void)state;
    up_to_decision();
    verdict_set_product(t.s->verdict, "Genoa", false); /* as if real hardware had signed */
    t.s->c.look_only = true;
    t.s->state = SESSION_VERIFYING;
    decide(t.s);
    assert_int_equal(session_state(t.s), SESSION_DECISION);
    assert_int_equal(session_accept(t.s, true, &e), -1);
    assert_string_equal(e.code, "look-only");
    assert_int_equal(outbox_sealed_for_guest(t.s->out), 0);
    t.s->c.look_only = false;
    t.s->state = SESSION_VERIFYING;
    decide(t.s); /* and otherwise a guest that passes is accepted by itself */
    assert_int_equal(session_state(t.s), SESSION_ACCEPTED);
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_is_tried),
        cmocka_unit_test(no_function_sends_in_any_other_state),
        cmocka_unit_test(a_forced_state_opens_nothing),
        T(in_ready_it_goes),
        T(a_warning_needs_its_own_word),
        T(who_only_looks_accepts_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
