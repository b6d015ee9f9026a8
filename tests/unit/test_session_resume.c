/* A program that dies in the middle of a job, and one that picks the job up. */
#include "tui/session_resume.c"

#include "tests/unit/unit.h"
#include "tests/unit/stage.h"

#define WORD "a passphrase of length"

static struct stage t;
static struct resume *left;

static int set_up(void **state) {
    char folder[128];
    struct err e;

    (void)state;
    stage_up(&t);
    snprintf(folder, sizeof folder, "%s/resume", t.net.dir);
    left = resume_open(folder, &e);
    assert_non_null(left);
    assert_int_equal(resume_set(left, view_str(WORD), &e), 0);
    assert_int_equal(resume_unlock(left, view_str(WORD), &e), 0);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    session_free(t.s);
    t.s = NULL;
    resume_free(left);
    stage_down(&t);
    return 0;
}

static void ready(void) {
    const struct session_conf c = {.resume = left};

    stage_ready_with(&t, &c);
}

static char *job_name(void) {
    return hex_new(view_of(t.q.id, 32));
}

/* What the file says now. */
static void read_left(struct buf *out) {
    cleanup_free char *job = job_name();
    struct err e;

    if (resume_read(left, job, unix_now(), out, &e))
        fail_msg("%s", e.text);
}

/* The program is gone, without a word to anybody. */
static void crash(struct buf *kept) {
    read_left(kept);
    session_free(t.s);
    t.s = NULL;
    t.ready = t.answered = t.saw_verdict = t.receipt = t.closed = false;
    t.n_states = 0;
    t.notices[0] = 0;
}

static struct session *again(const struct buf *kept, struct err *e) {
    const struct session_conf c = {
        .net = t.net.ws, .policy = &t.policy, .trust = &t.trust, .resume = left};

    return session_resume(&c, buf_view(kept), stage_event, &t, e);
}

static void pick_up(struct buf *kept) {
    struct err e;

    t.s = again(kept, &e);
    if (!t.s)
        fail_msg("%s", e.text);
    buf_wipe(kept);
    assert_false(t.saw_verdict); /* no event from inside */
}

static void ask(const char *text) {
    struct peer *g = &t.guest[0];
    uint8_t id[32];
    struct err e;

    g->got_text = false;
    if (session_ask(t.s, view_str(text), id, &e))
        fail_msg("%s", e.text);
    assert_true(stage_until(&t, &g->got_text));
    assert_string_equal(g->text, text);
}

static void answer(const char *text) {
    struct peer *g = &t.guest[0];

    t.answered = false;
    assert_int_equal(talk_send_answer(g->talk, view_str(text), g->text_id, NULL, NULL, NULL), 0);
    assert_true(stage_until(&t, &t.answered));
    assert_string_equal(t.answer, text);
}

static void guest_ends(void) {
    struct peer *g = &t.guest[0];
    struct receipt r = {.reason = "end"};
    struct event *ev;

    memcpy(r.job, t.q.id, 32);
    memcpy(r.hello, g->hello_id, 32);
    memcpy(r.accept, g->accept_id, 32);
    receipt_count(&r, g->talk);
    ev = receipt_make(&r, g->key, unix_now());
    assert_int_equal(receipt_send(g->talk, ev, NULL), 0);
    event_free(ev);
}

static void finish(void) {
    struct resume_left jobs[RESUME_JOBS];
    struct teardown d = {.started = 1, .ended = 2, .rundir_removed = true};
    struct event *ev;
    size_t stale;

    session_end(t.s);
    assert_true(stage_until(&t, &t.guest[0].got_end));
    guest_ends();
    assert_true(stage_until(&t, &t.receipt));
    assert_int_equal(t.uncovered, 0);
    memcpy(d.job, t.q.id, 32);
    ev = teardown_make(&d, t.provider.key, unix_now());
    peer_say(&t, &t.provider,
             teardown_message(ev, t.q.id, t.provider.key, t.q.customer, unix_now()));
    event_free(ev);
    assert_true(stage_until(&t, &t.closed));
    assert_int_equal(resume_scan(left, unix_now(), jobs, &stale), 0);
    assert_int_equal(stale, 0);
}

static void a_job_is_picked_up_and_its_receipt_covers_all(void **state) {
    static const enum session_state want[] = {SESSION_ACCEPTED, SESSION_READY, SESSION_ENDING,
                                              SESSION_ENDED};
    cleanup_buf struct buf kept = {0};

    (void)state;
    ready();
    ask("one");
    answer("first");
    net_for(&t.net, SNAPSHOT_MS + 600);
    crash(&kept);
    pick_up(&kept);
    assert_true(stage_until(&t, &t.ready));
    assert_true(t.saw_verdict);
    ask("two");
    answer("second");
    assert_int_equal(t.guest[0].n_accept, 1);
    assert_int_equal(t.guest[0].n_text, 2);
    assert_false(t.guest[0].broken);
    finish();
    assert_int_equal(t.n_states, COUNT(want));
    assert_memory_equal(t.states, want, sizeof want);
    assert_string_equal(t.notices, "");
}

/* The worst moment: the question has just gone out, and no snapshot knows of it. */
static void an_answer_to_it_arrives(void **state) {
    struct peer *g = &t.guest[0];
    cleanup_buf struct buf kept = {0};

    (void)state;
    ready();
    net_for(&t.net, SNAPSHOT_MS + 600);
    ask("one");
    crash(&kept);
    assert_int_equal(
        talk_send_answer(g->talk, view_str("while away"), g->text_id, NULL, NULL, NULL), 0);
    net_for(&t.net, 300);
    pick_up(&kept);
    assert_true(stage_until(&t, &t.answered));
    assert_string_equal(t.answer, "while away");
    ask("two");
    answer("second");
    assert_int_equal(g->n_text, 2);
    assert_false(g->broken);
    finish();
}

/* A file that was older than what came in: the guest sends that again. */
static void what_the_file_missed_comes_again(void **state) {
    cleanup_buf struct buf kept = {0};

    (void)state;
    ready();
    net_for(&t.net, SNAPSHOT_MS + 600);
    ask("one");
    read_left(&kept); /* the answer will not be in it */
    answer("first");
    session_free(t.s);
    t.answered = t.ready = t.saw_verdict = t.receipt = t.closed = false;
    t.notices[0] = 0;
    pick_up(&kept);
    assert_true(stage_until(&t, &t.answered)); /* once more */
    ask("two");
    answer("second");
    finish();
}

static void nothing_said_and_counted_is_in_it(void **state) {
    cleanup_buf struct buf kept = {0};

    (void)state;
    ready();
    ask("a secret question");
    read_left(&kept);
    assert_non_null(strstr((char *)kept.p, "a secret question")); /* it may have to go again */
    answer("a secret answer");
    net_for(&t.net, SNAPSHOT_MS + 1500);
    buf_wipe(&kept);
    read_left(&kept);
    assert_null(strstr((char *)kept.p, "secret"));
}

static void another_policy_is_asked_again(void **state) {
    cleanup_buf struct buf kept = {0};

    (void)state;
    ready();
    crash(&kept);
    policy_preset(&t.policy, POLICY_STANDARD);
    pick_up(&kept);
    assert_true(stage_reach(&t, SESSION_REFUSED));
    assert_true(t.saw_verdict);
    assert_false(t.ready);
    assert_true(stage_until(&t, &t.guest[0].got_end));
}

/* The evidence is what counts: with another guest's key in the hello nothing is sent to it. */
static void evidence_that_was_altered_is_refused(void **state) {
    cleanup_buf struct buf kept = {0};
    struct err e;
    cJSON *o;
    char *json;
    struct rumor *hello;
    struct fields f;
    struct buf text = {0};

    (void)state;
    ready();
    net_for(&t.net, SNAPSHOT_MS + 600);
    crash(&kept);
    *(char *)memchr(kept.p, '\n', kept.n) = 0;
    o = cJSON_Parse((char *)kept.p);
    assert_non_null(o);
    hello = rumor_parse(view_str(json_opt(o, "hello")), &e);
    f = hello->f;
    hello->f = (struct fields){0};
    rumor_free(hello);
    hello = rumor_make(&f, keypair_pub(t.guest[1].key));
    rumor_json(hello, &text);
    rumor_free(hello);
    cJSON_ReplaceItemInObjectCaseSensitive(o, "hello", cJSON_CreateString((char *)text.p));
    json = cJSON_PrintUnformatted(o);
    buf_free(&text);
    buf_str(&text, json);
    assert_null(again(&text, &e)); /* the conversation does not begin with it */
    assert_string_equal(e.code, "bad-resume");
    buf_free(&text);
    free(json);
    cJSON_Delete(o);
}

static void parts_of_other_jobs_are_refused(void **state) {
    static const char *const keys[] = {"u",      "offer", "request", "hello",
                                       "accept", "talk",  "sent",    "v"};
    cleanup_buf struct buf kept = {0};

    (void)state;
    ready();
    crash(&kept);
    *(char *)memchr(kept.p, '\n', kept.n) = 0;
    for (size_t i = 0; i < COUNT(keys); i++) {
        cJSON *o = cJSON_Parse((char *)kept.p);
        cleanup_buf struct buf text = {0};
        struct err e = {0};
        char *json;

        cJSON_DeleteItemFromObjectCaseSensitive(o, keys[i]);
        json = cJSON_PrintUnformatted(o);
        buf_str(&text, json);
        assert_null(again(&text, &e));
        assert_true(e.code[0] && e.text[0]);
        free(json);
        cJSON_Delete(o);
    }
}

/* What was on its way is much, and a busy machine takes its time. */
static void guest_catches_up(void) {
    struct talk_sum sum = {0};

    for (int i = 0; i < 300 && sum.n_in < talk_sent(t.s->guest->talk); i++) {
        net_for(&t.net, 100);
        talk_sum(t.guest[0].talk, &sum);
    }
    assert_int_equal(sum.n_in, talk_sent(t.s->guest->talk));
}

static void a_file_half_sent_is_told_and_dropped(void **state) {
    cleanup_free char *path = mem_fmt("%s/big", t.net.dir);
    cleanup_buf struct buf data = {0}, kept = {0};
    uint8_t xid[16];
    struct err e;

    (void)state;
    for (size_t i = 0; i < 700000; i++)
        buf_u8(&data, (uint8_t)i);
    assert_int_equal(file_write(path, buf_view(&data), 0600, true, &e), 0);
    ready();
    assert_int_equal(session_attach(t.s, path, "text/plain", NULL, xid, &e), 0);
    for (int i = 0; i < 20 && t.guest[0].n_file == 0; i++)
        net_for(&t.net, 50);
    assert_int_equal(t.guest[0].n_file, 1);
    crash(&kept);
    pick_up(&kept);
    assert_true(stage_until(&t, &t.failed_file));
    assert_true(stage_until(&t, &t.ready));
    guest_catches_up();
    ask("two");
    answer("second");
    assert_false(t.guest[0].broken);
    finish();
}

static void without_a_passphrase_nothing_is_kept(void **state) {
    cleanup_free char *job = NULL;
    struct buf out = {0};
    struct err e;

    (void)state;
    assert_int_equal(resume_unset(left, &e), 0);
    ready();
    job = job_name();
    assert_int_equal(resume_read(left, job, unix_now(), &out, &e), -1);
    assert_string_equal(e.code, "locked");
    assert_null(t.s->keep.file);
}

static void a_passphrase_may_be_set_in_the_middle(void **state) {
    cleanup_buf struct buf kept = {0};
    struct err e;

    (void)state;
    assert_int_equal(resume_unset(left, &e), 0);
    ready();
    ask("one");
    answer("first");
    assert_int_equal(resume_set(left, view_str(WORD), &e), 0);
    assert_int_equal(resume_unlock(left, view_str(WORD), &e), 0);
    ask("two");
    crash(&kept);
    pick_up(&kept);
    assert_true(stage_until(&t, &t.ready));
    answer("second");
    finish();
}

/* A snapshot that says that the person confirmed nothing: the question is asked again. */
static void without_the_typed_word_it_is_asked_again(void **state) {
    cleanup_buf struct buf kept = {0};
    uint8_t id[32];
    struct err e;
    char *ok;

    (void)state;
    ready();
    net_for(&t.net, SNAPSHOT_MS + 600);
    crash(&kept);
    ok = strstr((char *)kept.p, "\"simulated_ok\":true");
    assert_non_null(ok);
    memcpy(ok, "\"simulated_ok\":null", 19);
    pick_up(&kept);
    assert_true(stage_reach(&t, SESSION_DECISION));
    assert_int_equal(session_ask(t.s, view_str("x"), id, &e), -1);
    assert_string_equal(e.code, "not-ready");
    assert_int_equal(session_accept(t.s, false, &e), -1);
    assert_int_equal(session_accept(t.s, true, &e), 0);
    assert_true(stage_until(&t, &t.ready));
    assert_int_equal(t.guest[0].n_accept, 1);
}

static void two_programs_do_not_pick_up_one_job(void **state) {
    struct resume_left jobs[RESUME_JOBS];
    cleanup_buf struct buf kept = {0};
    size_t stale;
    struct err e;

    (void)state;
    ready();
    read_left(&kept);
    assert_int_equal(resume_scan(left, unix_now(), jobs, &stale), 0); /* somebody is at it */
    assert_null(again(&kept, &e));
    assert_string_equal(e.code, "busy");
}

#define JOB(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        JOB(a_job_is_picked_up_and_its_receipt_covers_all),
        JOB(an_answer_to_it_arrives),
        JOB(what_the_file_missed_comes_again),
        JOB(nothing_said_and_counted_is_in_it),
        JOB(another_policy_is_asked_again),
        JOB(evidence_that_was_altered_is_refused),
        JOB(parts_of_other_jobs_are_refused),
        JOB(a_file_half_sent_is_told_and_dropped),
        JOB(without_a_passphrase_nothing_is_kept),
        JOB(a_passphrase_may_be_set_in_the_middle),
        JOB(without_the_typed_word_it_is_asked_again),
        JOB(two_programs_do_not_pick_up_one_job),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
