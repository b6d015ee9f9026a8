#include "tui/session.c"
#include "core/bundle.h"
#include "core/disclosure.h"
#include "tests/unit/unit.h"
#include "tests/unit/stage.h"

static struct stage t;

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

static bool noticed(const char *code) {
    return strstr(t.notices, code) != NULL;
}

/* --- a good job --- */

static void guest_ends(struct peer *g) {
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

static void provider_tears_down(struct peer *by) {
    struct teardown d = {.started = 1, .ended = 2, .rundir_removed = true};
    struct event *ev;

    memcpy(d.job, t.q.id, 32);
    ev = teardown_make(&d, by->key, unix_now());
    peer_say(&t, by, teardown_message(ev, t.q.id, by->key, t.q.customer, unix_now()));
    event_free(ev);
}

static void check_bundle(void) {
    struct buf json = {0};
    struct bundle b;
    struct err e;

    session_bundle(t.s, &json);
    if (bundle_parse(buf_view(&json), &b, &e))
        fail_msg("%s", e.text);
    assert_memory_equal(b.request->f.id, t.q.id, 32);
    assert_memory_equal(b.hello->f.id, t.guest[0].hello_id, 32);
    assert_memory_equal(b.accept->f.id, t.guest[0].accept_id, 32);
    assert_memory_equal(b.offer->f.id, t.parsed->id, 32);
    assert_non_null(b.receipt);
    assert_non_null(b.teardown);
    assert_non_null(b.collateral);
    assert_int_equal(b.n_manifests, 2);
    bundle_free(&b);
    buf_free(&json);
}

/* Every message that was kept is proved by the receipt; both sides' are there, each once. */
static void check_messages(void) {
    cleanup_buf struct buf json = {0};
    cleanup_free char *text = mem_strn(t.s->messages.p, t.s->messages.n);
    struct bundle b;
    struct receipt r;
    size_t n[2] = {0};
    char *line, *rest = text;

    session_bundle(t.s, &json);
    assert_int_equal(bundle_parse(buf_view(&json), &b, NULL), 0);
    assert_int_equal(receipt_parse(b.receipt, &r, NULL), 0);
    assert_true(b.has_transcript && b.n_in == r.n_in && b.n_out == r.n_out);
    while ((line = strsep(&rest, "\n")) && *line) {
        struct rumor *m = rumor_parse(view_str(line), NULL);
        cleanup_buf struct buf shown = {0};
        struct disclosure d;
        struct err e = {0};

        assert_non_null(m);
        if (disclosure_make(&b, m, &shown, &e) || disclosure_parse(buf_view(&shown), &d, &e) ||
            disclosure_check(&d, &r, b.request->f.pubkey, b.hello->f.pubkey, &e))
            fail_msg("%s", e.text);
        n[d.out]++;
        disclosure_free(&d);
        rumor_free(m);
    }
    assert_int_equal(n[0], r.n_in);
    assert_int_equal(n[1], r.n_out - 1); /* the hello is in the bundle itself */
    bundle_free(&b);
}

static void a_good_job_runs_to_its_receipt(void **state) {
    static const enum session_state want[] = {SESSION_STARTING, SESSION_VERIFYING, SESSION_DECISION,
                                              SESSION_ACCEPTED, SESSION_READY,     SESSION_ENDING,
                                              SESSION_ENDED};
    struct peer *g = &t.guest[0];
    uint8_t id[32];

    (void)state;
    stage_ready(&t);
    assert_int_equal(session_ask(t.s, view_str("SELECT 1"), id, NULL), 0);
    assert_true(stage_until(&t, &g->got_text));
    assert_string_equal(g->text, "SELECT 1");
    assert_int_equal(talk_send_answer(g->talk, view_str("1 row."), g->text_id, NULL, NULL, NULL),
                     0);
    assert_true(stage_until(&t, &t.answered));
    assert_string_equal(t.answer, "1 row.");
    session_end(t.s);
    assert_true(stage_until(&t, &g->got_end));
    guest_ends(g);
    assert_true(stage_until(&t, &t.receipt));
    assert_int_equal(t.uncovered, 0);
    provider_tears_down(&t.provider);
    assert_true(stage_until(&t, &t.closed));
    assert_int_equal(t.n_states, COUNT(want));
    assert_memory_equal(t.states, want, sizeof want);
    assert_null(t.s->u); /* the key is gone */
    assert_string_equal(t.notices, "");
    check_bundle();
    check_messages();
}

static void nothing_is_sent_before_ready(void **state) {
    uint8_t id[32];
    struct err e;

    (void)state;
    stage_rent(&t, NULL);
    assert_int_equal(session_ask(t.s, view_str("secret"), id, &e), -1);
    assert_string_equal(e.code, "not-ready");
    stage_collateral(&t, &t.provider);
    stage_good_hello(&t, &t.guest[0]);
    assert_true(stage_reach(&t, SESSION_DECISION));
    assert_int_equal(session_ask(t.s, view_str("secret"), id, &e), -1);
    assert_int_equal(session_attach(t.s, "Makefile", "text/plain", NULL, id, &e), -1);
    assert_string_equal(e.code, "not-ready");
    assert_int_equal(outbox_sealed_for_guest(t.s->out), 0);
    assert_int_equal(session_accept(t.s, false, &e), -1); /* simulated, and nobody said so */
    assert_string_equal(e.code, "not-allowed");
    assert_int_equal(outbox_sealed_for_guest(t.s->out), 0);
    net_for(&t.net, 300);
    assert_int_equal(t.guest[0].n_wraps, 0);
}

static void a_job_runs_on_relays_of_both(void **state) {
    const char *relays[] = {"ws://127.0.0.1:1", relayd_url(t.net.relay)};
    struct session_conf c = {.relays = relays, .n_relays = 2};
    struct session *s;
    struct err e;

    (void)state;
    stage_rent(&t, &c);
    assert_int_equal(t.q.n_relays, 1);
    assert_string_equal(t.q.relays[0], relays[1]);

    c = (struct session_conf){.net = t.net.ws, .relays = relays, .n_relays = 1};
    c.policy = &t.policy;
    c.trust = &t.trust;
    s = session_new(&c, t.parsed, stage_event, &t, &e);
    assert_null(s);
    assert_string_equal(e.code, "no-relay");
}

static void a_person_may_refuse(void **state) {
    (void)state;
    stage_rent(&t, NULL);
    stage_collateral(&t, &t.provider);
    stage_good_hello(&t, &t.guest[0]);
    assert_true(stage_reach(&t, SESSION_DECISION));
    session_refuse(t.s);
    assert_int_equal(session_state(t.s), SESSION_REFUSED);
    assert_true(stage_until(&t, &t.guest[0].got_end)); /* it may go home */
    assert_int_equal(t.guest[0].n_wraps, 1);
    assert_true(stage_until(&t, &t.closed));
}

/* What a quick guest says before it is accepted is kept, and read after. */
static void a_quick_guest_loses_nothing(void **state) {
    struct err e;

    (void)state;
    stage_rent(&t, NULL);
    stage_good_hello(&t, &t.guest[0]);
    assert_int_equal(talk_send(t.guest[0].talk, "ready", view_str("\"name\":\"table\""), NULL, &e),
                     0);
    net_for(&t.net, 300);
    assert_false(t.ready);
    stage_collateral(&t, &t.provider);
    assert_true(stage_reach(&t, SESSION_DECISION));
    assert_false(t.ready);
    assert_int_equal(session_accept(t.s, true, &e), 0);
    assert_true(t.ready);
    assert_int_equal(session_state(t.s), SESSION_READY);
}

/* --- evidence that is not for this job --- */

static void refused_with(const char *code) {
    assert_true(stage_reach(&t, SESSION_REFUSED));
    assert_string_equal(session_why(t.s)->code, code);
    assert_int_equal(outbox_sealed_for_guest(t.s->out), 0);
    assert_true(stage_until(&t, &t.closed));
    net_for(&t.net, 200);
    assert_int_equal(t.guest[0].n_accept + t.guest[0].n_text + t.guest[0].n_file, 0);
    assert_int_equal(t.guest[0].n_wraps, t.guest[0].n_end); /* end, and nothing else */
}

static void rent_with_collateral(void) {
    stage_rent(&t, NULL);
    stage_collateral(&t, &t.provider);
}

static void a_swapped_nonce_is_named(void **state) {
    uint8_t other[32] = {9};

    (void)state;
    rent_with_collateral();
    stage_report(&t, keypair_pub(t.guest[0].key), t.q.customer, other, t.q.id);
    stage_hello(&t, &t.guest[0]);
    refused_with("bind.nonce");
}

static void a_swapped_customer_is_named(void **state) {
    uint8_t other[32] = {9};

    (void)state;
    rent_with_collateral();
    stage_report(&t, keypair_pub(t.guest[0].key), other, t.q.nonce, t.q.id);
    stage_hello(&t, &t.guest[0]);
    refused_with("bind.customer");
}

static void a_swapped_job_is_named(void **state) {
    uint8_t other[32] = {9};

    (void)state;
    rent_with_collateral();
    stage_report(&t, keypair_pub(t.guest[0].key), t.q.customer, t.q.nonce, other);
    stage_hello(&t, &t.guest[0]);
    refused_with("bind.job");
}

static void another_guests_report_is_named(void **state) {
    (void)state;
    rent_with_collateral();
    stage_report(&t, keypair_pub(t.guest[1].key), t.q.customer, t.q.nonce, t.q.id);
    stage_hello(&t, &t.guest[0]);
    refused_with("bind.guest_key");
}

static void another_image_is_named(void **state) {
    (void)state;
    rent_with_collateral();
    memcpy(t.w.ev.guest, keypair_pub(t.guest[0].key), 32);
    t.w.measurement[7] ^= 1;
    world_report(&t.w, t.q.customer, t.q.nonce, t.q.id, 0x30000);
    stage_hello(&t, &t.guest[0]);
    refused_with("snp.measurement");
}

static void without_sim_roots_it_fails(void **state) {
    (void)state;
    t.trust.n_sim_roots = 0;
    rent_with_collateral();
    stage_good_hello(&t, &t.guest[0]);
    refused_with("snp.chain.root");
}

static void the_standard_policy_refuses_a_simulator(void **state) {
    (void)state;
    policy_preset(&t.policy, POLICY_STANDARD);
    rent_with_collateral();
    stage_good_hello(&t, &t.guest[0]);
    assert_true(stage_reach(&t, SESSION_REFUSED));
    assert_int_equal(outbox_sealed_for_guest(t.s->out), 0);
}

/* A hello of an earlier job, sealed again to this customer. */
static void a_replayed_hello_is_not_heard(void **state) {
    static const struct talk_handler h = {
        .send = peer_talk_send, .message = peer_talk_message, .broken = peer_talk_broken};
    static const uint8_t earlier[32] = {8};

    (void)state;
    rent_with_collateral();
    t.guest[0].talk = talk_new(TALK_GUEST, t.guest[0].key, t.q.customer, earlier, &h, &t.guest[0]);
    stage_report(&t, keypair_pub(t.guest[0].key), t.q.customer, t.q.nonce, earlier);
    stage_hello(&t, &t.guest[0]);
    net_for(&t.net, 500);
    assert_int_equal(t.s->n_cand, 0);
    assert_false(t.saw_verdict);
}

/* The offer is replaced after the request: what counts is the one that the request names by id. */
static void an_offer_replaced_later_changes_nothing(void **state) {
    uint8_t id[32];

    (void)state;
    memcpy(id, t.parsed->id, 32);
    rent_with_collateral();
    assert_memory_equal(t.q.offer, id, 32);
    t.parsed->vcpus = 64; /* the caller's copy; a browser replaces it like this */
    memset(t.parsed->release, 0, 32);
    stage_good_hello(&t, &t.guest[0]);
    assert_true(stage_reach(&t, SESSION_DECISION));
    assert_int_equal(session_offer(t.s)->vcpus, 1);
}

/* --- who may speak --- */

static void a_second_guest_is_shown_and_refused(void **state) {
    (void)state;
    stage_ready(&t);
    stage_good_hello(&t, &t.guest[1]);
    net_for(&t.net, 500);
    assert_true(noticed("second-guest"));
    assert_int_equal(session_state(t.s), SESSION_READY);
    assert_memory_equal(session_guest(t.s), keypair_pub(t.guest[0].key), 32);
    assert_int_equal(t.guest[1].n_wraps, 0);
}

static size_t times_noticed(const char *code) {
    size_t n = 0;

    for (const char *p = t.notices; (p = strstr(p, code)); p++)
        n++;
    return n;
}

/* Whoever knows the job could otherwise push everything else out of the chat. */
static void a_crowd_is_not_shown_for_ever(void **state) {
    struct peer crowd[CANDIDATES_MAX + 2];

    (void)state;
    stage_ready(&t);
    for (size_t i = 0; i < COUNT(crowd); i++)
        peer_up(&crowd[i], &t.net);
    for (size_t i = 0; i < 2 * COUNT(crowd); i++) {
        struct peer *one = &crowd[i % COUNT(crowd)];

        talk_free(one->talk);
        one->talk = NULL;
        stage_good_hello(&t, one);
    }
    net_for(&t.net, 800);
    assert_int_equal(times_noticed("second-guest"), CANDIDATES_MAX);
    for (size_t i = 0; i < COUNT(crowd); i++)
        peer_down(&crowd[i]);
}

static void a_second_guest_before_the_verdict_too(void **state) {
    (void)state;
    stage_rent(&t, NULL);
    stage_good_hello(&t, &t.guest[0]);
    assert_true(stage_reach(&t, SESSION_VERIFYING));
    stage_good_hello(&t, &t.guest[1]);
    net_for(&t.net, 300);
    stage_collateral(&t, &t.provider);
    assert_true(stage_reach(&t, SESSION_DECISION));
    assert_true(noticed("second-guest"));
    assert_memory_equal(session_guest(t.s), keypair_pub(t.guest[0].key), 32);
}

/* A hello that does not pass takes no place: the first that does is the guest. */
static void a_bad_hello_does_not_hide_a_good_one(void **state) {
    uint8_t other[32] = {1};

    (void)state;
    stage_rent(&t, NULL);
    stage_report(&t, keypair_pub(t.guest[1].key), t.q.customer, other, t.q.id);
    stage_hello(&t, &t.guest[1]);
    assert_true(stage_reach(&t, SESSION_VERIFYING));
    stage_good_hello(&t, &t.guest[0]);
    net_for(&t.net, 300);
    stage_collateral(&t, &t.provider);
    assert_true(stage_reach(&t, SESSION_DECISION));
    assert_memory_equal(session_guest(t.s), keypair_pub(t.guest[0].key), 32);
    assert_memory_equal(verdict_guest(session_verdict(t.s)), keypair_pub(t.guest[0].key), 32);
}

static void trust_endorser(const struct keypair *k) {
    static uint8_t key[1][32];

    memcpy(key[0], keypair_pub(k), 32);
    t.trust.digest = t.w.pin;
    t.trust.endorser = key;
    t.trust.pins.n_endorsers = 1;
    t.trust.pins.endorser = (const uint8_t(*)[32])key;
}

static struct event *taken_back(const struct keypair *k) {
    struct fields f = fields_new(KIND_ENDORSEMENT, unix_now(), view_str(""));

    fields_add(&f, "d", "cdvm-guest/0.1.0");
    fields_add(&f, "type", "guest");
    fields_add(&f, "seq", "9");
    return event_sign(&f, k);
}

/* Nothing more goes to a guest whose release was revoked meanwhile, and it is told to leave. */
static void a_revocation_learned_later_stops_the_job(void **state) {
    struct keypair *k = keypair_new();
    struct event *ev = taken_back(k);
    uint8_t id[32];
    struct err e;

    (void)state;
    trust_endorser(k);
    stage_ready(&t);
    trust_add(&t.trust, ev);
    assert_true(stage_reach(&t, SESSION_FAILED));
    assert_string_equal(session_why(t.s)->code, "release.endorsed");
    assert_int_equal(session_ask(t.s, view_str("secret"), id, &e), -1);
    assert_true(stage_until(&t, &t.guest[0].got_end));
    assert_false(t.guest[0].got_text);
    event_free(t.trust.event[0]);
    free(t.trust.event);
    event_free(ev);
    keypair_free(k);
}

static void strangers_are_not_the_provider(void **state) {
    (void)state;
    stage_rent(&t, NULL);
    stage_feedback(&t, &t.guest[1], JOB_ERROR, "no-capacity");
    stage_collateral(&t, &t.guest[1]);
    net_for(&t.net, 500);
    assert_int_equal(session_state(t.s), SESSION_REQUESTED);
    assert_int_equal(t.s->coll.n, 0);
}

static void the_provider_is_no_guest(void **state) {
    (void)state;
    rent_with_collateral();
    stage_good_hello(&t, &t.provider);
    net_for(&t.net, 500);
    assert_int_equal(t.s->n_cand, 0);
}

static void candidates_are_few(void **state) {
    struct peer many[CANDIDATES_MAX + 2];

    (void)state;
    stage_rent(&t, NULL);
    for (size_t i = 0; i < COUNT(many); i++) {
        peer_up(&many[i], &t.net);
        stage_good_hello(&t, &many[i]);
    }
    net_for(&t.net, 800);
    assert_int_equal(t.s->n_cand, CANDIDATES_MAX);
    for (size_t i = 0; i < COUNT(many); i++)
        peer_down(&many[i]);
}

static void candidates_tags_count_too(void **state) {
    const struct msg_head h = {"hello", t.q.id, 0, 0};
    static char long_tag[20001];
    struct rumor *r;

    (void)state;
    stage_rent(&t, NULL);
    r = msg_build(&h, (struct view){0}, keypair_pub(t.guest[1].key), t.q.customer, unix_now(),
                  NULL);
    memset(long_tag, 'x', sizeof long_tag - 1);
    fields_add(&r->f, "note", long_tag);
    peer_say(&t, &t.guest[1], rumor_make(&r->f, keypair_pub(t.guest[1].key)));
    rumor_free(r);
    assert_true(stage_reach(&t, SESSION_VERIFYING));
    assert_true(t.s->cand_bytes > 20000);
}

static void other_guests_words_do_not_count(void **state) {
    (void)state;
    stage_ready(&t);
    stage_good_hello(&t, &t.guest[1]);
    assert_int_equal(
        talk_send_answer(t.guest[1].talk, view_str("lies"), t.guest[1].hello_id, NULL, NULL, NULL),
        0);
    net_for(&t.net, 400);
    assert_false(t.answered);
}

/* --- endings --- */

static void the_providers_error_ends_it(void **state) {
    (void)state;
    stage_rent(&t, NULL);
    stage_feedback(&t, &t.provider, JOB_ERROR, "no-capacity");
    assert_true(stage_reach(&t, SESSION_FAILED));
    assert_string_equal(session_why(t.s)->code, "no-capacity");
    assert_true(stage_until(&t, &t.closed));
}

/* A job that fails on this side is over on the guest's side too, not only when it has idled. */
static void a_failure_is_told_to_the_guest(void **state) {
    (void)state;
    stage_ready(&t);
    stage_feedback(&t, &t.provider, JOB_ERROR, "lease-over");
    assert_true(stage_reach(&t, SESSION_FAILED));
    assert_true(stage_until(&t, &t.guest[0].got_end));
    assert_int_equal(t.guest[0].n_end, 1);
    assert_true(stage_until(&t, &t.closed));
}

static void a_failure_before_the_decision_is_told_too(void **state) {
    (void)state;
    stage_rent(&t, NULL);
    stage_collateral(&t, &t.provider);
    stage_good_hello(&t, &t.guest[0]);
    assert_true(stage_reach(&t, SESSION_DECISION));
    stage_feedback(&t, &t.provider, JOB_ERROR, "guest-died");
    assert_true(stage_reach(&t, SESSION_FAILED));
    assert_true(stage_until(&t, &t.guest[0].got_end));
    assert_int_equal(t.guest[0].n_wraps, 1);
}

static void feedback_of_another_job_does_not(void **state) {
    (void)state;
    stage_rent(&t, NULL);
    t.q.id[0] ^= 1;
    stage_feedback(&t, &t.provider, JOB_ERROR, "no-capacity");
    net_for(&t.net, 400);
    assert_int_equal(session_state(t.s), SESSION_REQUESTED);
}

static void silence_ends_it(void **state) {
    struct session_conf c = {.answer_ms = 300};

    (void)state;
    stage_rent(&t, &c);
    assert_true(stage_reach(&t, SESSION_FAILED));
    assert_string_equal(session_why(t.s)->code, "no-answer");
}

static void a_guest_that_never_comes_ends_it(void **state) {
    struct session_conf c = {.hello_ms = 400};

    (void)state;
    stage_rent(&t, &c);
    stage_feedback(&t, &t.provider, JOB_PROCESSING, "");
    assert_true(stage_reach(&t, SESSION_FAILED));
    assert_string_equal(session_why(t.s)->code, "no-hello");
}

static void two_messages_with_one_number_end_it(void **state) {
    struct peer *g = &t.guest[0];
    struct fields f = fields_new(KIND_TEXT, 1, view_str("the other number 1"));
    cleanup_free char *u = NULL;

    (void)state;
    stage_ready(&t); /* ready was number 1 */
    u = hex_new(view_of(t.q.customer, 32));
    fields_add(&f, "p", u);
    fields_add(&f, "seq", "1");
    fields_add(&f, "ack", "1");
    peer_say(&t, g, rumor_padded(&f, keypair_pub(g->key), NULL));
    assert_true(stage_reach(&t, SESSION_FAILED));
    assert_string_equal(session_why(t.s)->code, "seq-conflict");
}

static void a_false_receipt_is_refused(void **state) {
    struct peer *g = &t.guest[0];

    (void)state;
    stage_ready(&t);
    memset(g->accept_id, 0, 32); /* it names another accept */
    guest_ends(g);
    net_for(&t.net, 400);
    assert_true(noticed("bad-receipt"));
    assert_false(t.receipt);
    assert_int_equal(session_state(t.s), SESSION_READY);
}

static void the_guests_own_end_is_an_end(void **state) {
    (void)state;
    stage_ready(&t);
    guest_ends(&t.guest[0]); /* idle, say */
    assert_true(stage_reach(&t, SESSION_ENDING));
    assert_true(t.receipt);
    assert_int_equal(t.uncovered, 0);
    provider_tears_down(&t.guest[1]); /* not the provider's word */
    net_for(&t.net, 300);
    assert_false(t.torn_down);
    provider_tears_down(&t.provider);
    assert_true(stage_reach(&t, SESSION_ENDED));
}

static void leaving_early_is_possible_in_every_state(void **state) {
    (void)state;
    stage_rent(&t, NULL);
    session_end(t.s);
    assert_int_equal(session_state(t.s), SESSION_ENDED);
    assert_true(stage_until(&t, &t.closed));
    session_end(t.s); /* again is nothing */
    session_refuse(t.s);
    assert_int_equal(session_state(t.s), SESSION_ENDED);
}

/* The seller of a request that was given up need not boot on. */
static void leaving_early_is_told_to_the_provider(void **state) {
    uint8_t job[32];

    (void)state;
    stage_rent(&t, NULL);
    rumor_free(t.provider.first);
    t.provider.first = NULL;
    t.provider.heard = false;
    session_end(t.s);
    assert_true(stage_until(&t, &t.provider.heard));
    assert_int_equal(job_cancel_parse(t.provider.first, job, NULL), 0);
    assert_memory_equal(job, t.q.id, 32);
    assert_memory_equal(t.provider.first->f.pubkey, t.q.customer, 32);
}

static void freeing_at_once_is_possible(void **state) {
    (void)state;
    stage_ready(&t);
    session_free(t.s);
    t.s = NULL;
    net_for(&t.net, 200);
}

/* --- files --- */

static void a_file_goes_before_its_question(void **state) {
    struct peer *g = &t.guest[0];
    cleanup_free char *path = mem_fmt("%s/ledger.csv", t.net.dir);
    uint8_t id[32], xid[16];

    (void)state;
    stage_ready(&t);
    assert_int_equal(file_write(path, view_str("a,b\n1,2\n"), 0600, false, NULL), 0);
    assert_int_equal(session_attach(t.s, path, "text/csv", NULL, xid, NULL), 0);
    assert_int_equal(session_ask(t.s, view_str("sum"), id, NULL), 0);
    assert_true(stage_until(&t, &g->got_text));
    assert_int_equal(g->n_file, 1);
}

/* Only the bytes that were agreed to: what has taken their place since stays here. */
static void another_file_does_not_go(void **state) {
    cleanup_free char *path = mem_fmt("%s/ledger.csv", t.net.dir);
    uint8_t agreed[32], xid[16];
    struct err e;

    (void)state;
    stage_ready(&t);
    assert_int_equal(file_write(path, view_str("a,b\n1,2\n"), 0600, false, NULL), 0);
    assert_int_equal(sha256_file(path, agreed, &e), 0);
    assert_int_equal(session_attach(t.s, path, "text/csv", agreed, xid, &e), 0);
    assert_int_equal(file_write(path, view_str("a,b\n1,3\n"), 0600, true, NULL), 0);
    assert_int_equal(session_attach(t.s, path, "text/csv", agreed, xid, &e), -1);
    assert_string_equal(e.code, "changed-file");
}

static void routes_follow_size_and_configuration(void **state) {
    const char *mine[] = {"https://mine.example"};
    struct session_conf c = {.http = (struct http *)&t, .blossom = mine, .n_blossom = 1};
    struct offer o = *t.parsed;
    const char *server;
    struct err e;

    (void)state;
    snprintf(o.blossom[0], sizeof o.blossom[0], "https://theirs.example");
    snprintf(o.blossom[1], sizeof o.blossom[1], "https://mine.example");
    o.n_blossom = 2;
    assert_int_equal(session_conf_route(&c, &o, 1000, &server, &e), 0);
    assert_null(server);
    assert_int_equal(session_conf_route(&c, &o, 10 << 20, &server, &e), 0);
    assert_string_equal(server, "https://mine.example");
    c.n_blossom = 0;
    assert_int_equal(session_conf_route(&c, &o, 10 << 20, &server, &e), -1);
    assert_string_equal(e.code, "no-blob-server");
    c.offer_blossom = true;
    assert_int_equal(session_conf_route(&c, &o, 10 << 20, &server, &e), 0);
    assert_string_equal(server, "https://theirs.example");
    assert_int_equal(session_conf_route(&c, &o, XFER_FILE_MAX + 1, &server, &e), -1);
    assert_string_equal(e.code, "too-large");
}

/* Every legal move leads somewhere, no final state is left, and none is named twice. */
static void the_table_of_moves_is_sound(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(moves); i++) {
        assert_false(session_state_final(moves[i].from));
        for (size_t k = i + 1; k < COUNT(moves); k++)
            assert_false(moves[i].from == moves[k].from && moves[i].in == moves[k].in);
    }
    for (enum session_state s = SESSION_REQUESTED; s < SESSION_ENDED; s++) {
        bool out = false;

        for (size_t i = 0; i < COUNT(moves); i++)
            out |= moves[i].from == s && session_state_final(moves[i].to);
        assert_true(out || s == SESSION_ACCEPTED || s == SESSION_READY);
        assert_non_null(session_state_name(s));
    }
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_good_job_runs_to_its_receipt),
        T(nothing_is_sent_before_ready),
        T(a_job_runs_on_relays_of_both),
        T(a_person_may_refuse),
        T(a_quick_guest_loses_nothing),
        T(a_swapped_nonce_is_named),
        T(a_swapped_customer_is_named),
        T(a_swapped_job_is_named),
        T(another_guests_report_is_named),
        T(another_image_is_named),
        T(without_sim_roots_it_fails),
        T(the_standard_policy_refuses_a_simulator),
        T(a_replayed_hello_is_not_heard),
        T(an_offer_replaced_later_changes_nothing),
        T(a_second_guest_is_shown_and_refused),
        T(a_crowd_is_not_shown_for_ever),
        T(a_second_guest_before_the_verdict_too),
        T(a_bad_hello_does_not_hide_a_good_one),
        T(a_revocation_learned_later_stops_the_job),
        T(strangers_are_not_the_provider),
        T(the_provider_is_no_guest),
        T(candidates_are_few),
        T(candidates_tags_count_too),
        T(other_guests_words_do_not_count),
        T(the_providers_error_ends_it),
        T(a_failure_is_told_to_the_guest),
        T(a_failure_before_the_decision_is_told_too),
        T(feedback_of_another_job_does_not),
        T(silence_ends_it),
        T(a_guest_that_never_comes_ends_it),
        T(two_messages_with_one_number_end_it),
        T(a_false_receipt_is_refused),
        T(the_guests_own_end_is_an_end),
        T(leaving_early_is_possible_in_every_state),
        T(leaving_early_is_told_to_the_provider),
        T(freeing_at_once_is_possible),
        T(a_file_goes_before_its_question),
        T(another_file_does_not_go),
        T(routes_follow_size_and_configuration),
        T(the_table_of_moves_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
