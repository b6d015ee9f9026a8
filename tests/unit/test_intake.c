/* Requests to a provider over a real relay: what is refused, with which code, and what becomes a
 * job. The image is a hollow one, so an admitted job ends with vm-failed: nothing here starts a
 * guest. */
#include "provider/intake.c"

#include "core/introduction.h"
#include "core/offer.h"
#include "tests/unit/unit.h"
#include "tests/unit/net.h"

struct fixture {
    struct net net;
    struct provider_conf conf;
    struct provider p;
    struct image image;
    struct release release;
    struct manifest manifest;
    char ledger[96];
    struct keypair *u;
    struct pool *customer, *inbox;
    struct job_feedback said[16];
    size_t n_said, n_plain;
    char plain[512];
};

static void on_pool_event(void *arg, const char *sub, const struct event *ev, const char *url) {
    struct fixture *f = arg;

    (void)sub;
    (void)url;
    intake_event(&f->p, ev);
}

static void on_answer(void *arg, const char *sub, const struct event *ev, const char *url) {
    struct fixture *f = arg;
    struct rumor *r;
    struct err e;

    (void)sub;
    (void)url;
    if (ev->f.kind == KIND_FEEDBACK) {
        f->n_plain++;
        snprintf(f->plain, sizeof f->plain, "%s %s", fields_get(&ev->f, "status", 2),
                 fields_get(&ev->f, "e", 1));
        return;
    }
    r = wrap_open(ev, f->u, NULL, &e);
    if (r && r->f.kind == KIND_FEEDBACK && f->n_said < COUNT(f->said) &&
        job_feedback_parse(r, &f->said[f->n_said], &e) == 0)
        f->n_said++;
    rumor_free(r);
}

static void nothing(void *arg) {
    (void)arg;
}

static void nothing_eose(void *arg, const char *sub) {
    (void)arg;
    (void)sub;
}

static void nothing_ok(void *arg, const uint8_t id[32], bool ok, const char *url, const char *msg) {
    (void)arg;
    (void)id;
    (void)url;
    if (!ok)
        print_message("# relay refused: %s\n", msg);
}

static struct pool *open_pool(struct fixture *f, const struct keypair *k,
                              void (*on_event)(void *, const char *, const struct event *,
                                               const char *)) {
    struct pool_handler h = {
        .event = on_event, .eose = nothing_eose, .ok = nothing_ok, .state = nothing};
    struct pool *p = pool_new(f->net.ws, k, &h, f);

    assert_int_equal(pool_add(p, relayd_url(f->net.relay), NULL), 0);
    return p;
}

static void on_job_over(void *arg, struct job *j) {
    struct fixture *f = arg;

    for (size_t i = 0; i < f->p.n_jobs; i++)
        if (f->p.jobs[i] == j) {
            f->p.jobs[i] = f->p.jobs[--f->p.n_jobs];
            break;
        }
    job_free(j);
}

static void on_job_step(void *arg, const struct job *j) {
    struct fixture *f = arg;

    assert_int_equal(ledger_step(f->p.ledger, job_asked(j)->id, job_step_name(job_at(j)),
                                 job_code(j), job_step_over(job_at(j)), 1, NULL),
                     0);
}

static void make_image(struct fixture *f) {
    static char name[] = "table", guest[] = "guest", version[] = "1", mode[] = "contract",
                empty[] = "";

    f->manifest = (struct manifest){
        .name = name, .version = version, .mode = mode, .repo = empty, .commit = empty};
    f->release =
        (struct release){.name = guest, .version = version, .repo = empty, .commit = empty};
    f->image = (struct image){.release = &f->release, .n_volumes = 1, .cmdline = empty};
    f->image.volume[0] = (struct image_volume){.name = "table", .manifest = &f->manifest};
    f->image.volume[0].volume.blocks = 7;
    f->image.offer[f->image.n_offers++] = (struct image_offer){
        .d = "table", .work = &f->image.volume[0], .job_kind = KIND_JOB_TOOL, .broker = "none"};
    buf_str(&f->image.content, "{}");
    buf_str(&f->image.volume[0].content, "{}");
}

static int start(void **state) {
    static struct fixture f;
    static char sim[] = "sim", type[] = "EPYC", name[] = "tester", about[] = "about";
    struct err e;
    char hex[65];
    cleanup_free char *filter = NULL;

    f = (struct fixture){.u = keypair_new()};
    net_up(&f.net, NULL);
    make_image(&f);
    f.conf = (struct provider_conf){.slots = 1,
                                    .queue = 1,
                                    .memory = 512,
                                    .vcpus = 1,
                                    .lease = 1,
                                    .accept = 60,
                                    .backend = sim,
                                    .vcpu_type = type,
                                    .name = name,
                                    .about = about};
    snprintf(f.ledger, sizeof f.ledger, "%s/ledger.db", f.net.dir);
    f.p = (struct provider){.conf = &f.conf,
                            .net = f.net.ws,
                            .out = console_new(2, true, true),
                            .key = keypair_new(),
                            .image = &f.image,
                            .ledger = ledger_open(f.ledger, &e),
                            .relays = {relayd_url(f.net.relay)},
                            .n_relays = 1};
    f.inbox = f.p.pool = open_pool(&f, f.p.key, on_pool_event);
    f.p.tell = tell_new(f.p.pool, f.p.key);
    f.p.env = (struct job_env){.net = f.net.ws,
                               .tell = f.p.tell,
                               .image = &f.image,
                               .rundir = f.net.dir,
                               .vcpus = 1,
                               .memory_mib = 512,
                               .features = 1,
                               .stepped = on_job_step,
                               .over = on_job_over,
                               .arg = &f};
    assert_int_equal(storefront_open(&f.p, &e), 0);
    assert_int_equal(intake_open(&f.p, &e), 0);
    f.customer = open_pool(&f, f.u, on_answer);
    hex_encode(view_of(keypair_pub(f.u), 32), hex);
    filter = mem_fmt("{\"kinds\":[1059,7000],\"#p\":[\"%s\"]}", hex);
    assert_int_equal(pool_subscribe(f.customer, "me", filter, &e), 0);
    net_for(&f.net, 200);
    *state = &f;
    return 0;
}

static int stop(void **state) {
    struct fixture *f = *state;

    while (f->p.n_jobs)
        job_free(f->p.jobs[--f->p.n_jobs]);
    free(f->p.jobs);
    loop_timer_del(f->p.heartbeat);
    loop_timer_del(f->p.offers);
    tell_free(f->p.tell);
    pool_free(f->customer);
    pool_free(f->inbox);
    ledger_free(f->p.ledger);
    console_free(f->p.out);
    keypair_free(f->p.key);
    keypair_free(f->u);
    buf_free(&f->image.content);
    buf_free(&f->image.volume[0].content);
    net_down(&f->net);
    return 0;
}

/* A request that is right in everything; tests spoil one thing. */
static struct job_request good(struct fixture *f) {
    struct job_request q = {.kind = KIND_JOB_TOOL, .expires = unix_now() + 600};
    uint8_t terms[32];
    cleanup_free char *json = ledger_offer_newest(f->p.ledger, "table", terms);
    struct event *offer = event_parse(view_str(json), NULL);

    assert_non_null(offer);
    memcpy(q.offer, offer->f.id, 32);
    event_free(offer);
    memcpy(q.provider, keypair_pub(f->p.key), 32);
    random_bytes(q.nonce, 32);
    snprintf(q.relays[q.n_relays++], sizeof q.relays[0], "%s", f->p.relays[0]);
    return q;
}

static void send_rumor(struct fixture *f, const struct rumor *r) {
    struct err e;
    struct event *ev =
        wrap_make(r, f->u, NULL, keypair_pub(f->p.key), KIND_WRAP, unix_now(), 0, &e);

    assert_non_null(ev);
    assert_int_equal(pool_publish(f->customer, ev, &e), 0);
    event_free(ev);
}

static struct rumor *send_request(struct fixture *f, struct job_request *q) {
    struct err e;
    struct rumor *r = job_request_make(q, f->u, unix_now(), &e);

    if (!r)
        fail_msg("%s", e.text);
    send_rumor(f, r);
    return r;
}

static bool wait_said(struct fixture *f, size_t n) {
    for (int i = 0; i < 250 && f->n_said < n; i++)
        (void)loop_turn(f->net.loop, 20);
    return f->n_said >= n;
}

/* The only answer to q is that code. */
static void refused(struct fixture *f, struct job_request *q, const char *code) {
    struct ledger_job j;
    struct rumor *r = send_request(f, q);

    assert_true(wait_said(f, 1));
    net_for(&f->net, 100);
    assert_int_equal(f->n_said, 1);
    assert_int_equal(f->said[0].status, JOB_ERROR);
    assert_string_equal(f->said[0].code, code);
    assert_memory_equal(f->said[0].job, q->id, 32);
    assert_true(f->said[0].text[0]);
    assert_true(ledger_find(f->p.ledger, q->id, &j));
    assert_true(j.over);
    assert_string_equal(j.code, code);
    rumor_free(r);
}

static void a_good_request_is_admitted(void **state) {
    struct fixture *f = *state;
    struct job_request q = good(f);
    struct rumor *r = send_request(f, &q);

    assert_true(wait_said(f, 2));
    assert_int_equal(f->said[0].phase, PHASE_CREATING);
    assert_string_equal(f->said[1].code, "vm-failed");
    rumor_free(r);
}

static void a_replay_is_not_answered(void **state) {
    struct fixture *f = *state;
    struct job_request q = good(f);
    struct rumor *r = send_request(f, &q);

    assert_true(wait_said(f, 2));
    for (int i = 0; i < 3; i++)
        send_rumor(f, r); /* the same rumor in new wraps */
    net_for(&f->net, 400);
    assert_int_equal(f->n_said, 2);
    rumor_free(r);
}

/* As a customer does who wants to be known by `as`. */
static void introduce(struct fixture *f, const struct keypair *as, struct job_request *q) {
    struct fields draft;
    struct event *ev;

    memcpy(q->customer, keypair_pub(f->u), 32);
    draft = introduction_draft(q, unix_now());
    ev = event_sign(&draft, as);
    assert_int_equal(introduction_put(ev, q, NULL), 0);
    event_free(ev);
}

static void a_known_customer_is_shown(void **state) {
    struct fixture *f = *state;
    struct job_request q = good(f);
    struct keypair *as = keypair_new();
    struct nip19 id = {.type = NIP19_NPUB};
    cleanup_buf struct buf npub = {0};
    struct rumor *r;
    char shown[1024] = "";
    int out[2];

    assert_int_equal(pipe2(out, O_NONBLOCK), 0);
    console_free(f->p.out);
    f->p.out = console_new(out[1], true, false);
    introduce(f, as, &q);
    r = send_request(f, &q);
    assert_true(wait_said(f, 2));
    assert_string_equal(f->said[1].code, "vm-failed"); /* admitted */
    assert_true(read(out[0], shown, sizeof shown - 1) > 0);
    memcpy(id.id, keypair_pub(as), 32);
    assert_int_equal(nip19_encode(&id, &npub, NULL), 0);
    assert_non_null(strstr(shown, (char *)npub.p));
    close(out[0]);
    close(out[1]);
    keypair_free(as);
    rumor_free(r);
}

static void somebody_elses_introduction_is_refused(void **state) {
    struct fixture *f = *state;
    struct job_request q = good(f);
    struct keypair *as = keypair_new();

    introduce(f, as, &q);
    random_bytes(q.nonce, 32); /* taken from another job of the same customer */
    refused(f, &q, "bad-request");
    keypair_free(as);
}

static void an_unknown_offer_is_refused(void **state) {
    struct job_request q = good(*state);

    q.offer[0] ^= 1;
    refused(*state, &q, "unknown-offer");
}

static void an_offer_that_changed_is_refused(void **state) {
    struct fixture *f = *state;
    struct job_request q = good(f);

    f->p.env.memory_mib *= 2;
    refused(f, &q, "price-changed");
}

static void another_kind_of_job_is_refused(void **state) {
    struct job_request q = good(*state);

    q.kind = KIND_JOB_CHAT;
    refused(*state, &q, "bad-request");
}

static void a_relay_outside_the_offer_is_refused(void **state) {
    struct job_request q = good(*state);

    snprintf(q.relays[q.n_relays++], sizeof q.relays[0], "wss://internal.example");
    refused(*state, &q, "bad-request");
}

static void an_expired_request_is_refused(void **state) {
    struct fixture *f = *state;
    struct job_request q = good(f);
    struct ledger_job j;
    struct rumor *r;
    struct err e;

    q.expires = unix_now() - 5; /* as if it had lain on the relay */
    r = job_request_make(&q, f->u, unix_now() - 600, &e);
    assert_non_null(r);
    send_rumor(f, r);
    assert_true(wait_said(f, 1));
    assert_int_equal(f->said[0].status, JOB_ERROR);
    assert_true(ledger_find(f->p.ledger, q.id, &j));
    assert_true(j.over);
    rumor_free(r);
}

static void without_slot_and_queue_there_is_no_capacity(void **state) {
    struct fixture *f = *state;
    struct job_request q = good(f);

    f->conf.slots = f->conf.queue = 0;
    refused(f, &q, "no-capacity");
}

static void without_slot_it_queues(void **state) {
    struct fixture *f = *state;
    struct job_request q = good(f), q2 = good(f);
    struct rumor *r, *r2;

    f->conf.slots = 0;
    r = send_request(f, &q);
    assert_true(wait_said(f, 1));
    assert_int_equal(f->said[0].phase, PHASE_QUEUED);
    assert_int_equal(provider_queued(&f->p), 1);
    r2 = send_request(f, &q2);
    assert_true(wait_said(f, 2));
    assert_string_equal(f->said[1].code, "no-capacity");
    rumor_free(r);
    rumor_free(r2);
}

static void a_queued_job_expires(void **state) {
    struct fixture *f = *state;
    struct job_request q = good(f);
    struct rumor *r;

    f->conf.slots = 0;
    q.expires = unix_now() + 2;
    r = send_request(f, &q);
    assert_true(wait_said(f, 2));
    assert_int_equal(f->said[0].phase, PHASE_QUEUED);
    assert_string_equal(f->said[1].code, "no-capacity");
    rumor_free(r);
}

static void cancel(struct fixture *f, const struct job_request *q, const struct keypair *by) {
    struct err e;
    struct rumor *r = job_cancel_make(q, by, unix_now());
    struct event *ev = wrap_make(r, by, NULL, keypair_pub(f->p.key), KIND_WRAP, unix_now(), 0, &e);

    assert_non_null(ev);
    assert_int_equal(pool_publish(f->customer, ev, &e), 0);
    event_free(ev);
    rumor_free(r);
}

static void a_customer_who_leaves_frees_the_queue(void **state) {
    struct fixture *f = *state;
    struct keypair *other = keypair_new();
    struct job_request q = good(f);
    struct rumor *r;

    f->conf.slots = 0;
    r = send_request(f, &q);
    assert_true(wait_said(f, 1));
    cancel(f, &q, other); /* not theirs to cancel */
    net_for(&f->net, 200);
    assert_int_equal(provider_queued(&f->p), 1);
    cancel(f, &q, f->u);
    assert_true(wait_said(f, 2));
    assert_string_equal(f->said[1].code, "cancelled");
    assert_int_equal(provider_queued(&f->p), 0);
    rumor_free(r);
    keypair_free(other);
}

static void other_messages_are_ignored(void **state) {
    struct fixture *f = *state;
    struct fields fl = fields_new(KIND_TEXT, unix_now(), view_str("hello"));
    char hex[65];
    struct rumor *r;

    hex_encode(view_of(keypair_pub(f->p.key), 32), hex);
    fields_add(&fl, "p", hex);
    r = rumor_make(&fl, keypair_pub(f->u));
    send_rumor(f, r);
    net_for(&f->net, 300);
    assert_int_equal(f->n_said, 0);
    assert_int_equal(f->p.n_jobs, 0);
    rumor_free(r);
}

/* Signed and sent in the open, as ordinary NIP-90 clients do. */
static void a_plain_request_is_told_where_to_go(void **state) {
    struct fixture *f = *state;
    struct fields fl = fields_new(KIND_JOB_CHAT, unix_now() + 1, view_str(""));
    char hex[65], id[65];
    struct event *ev;

    hex_encode(view_of(keypair_pub(f->p.key), 32), hex);
    fields_add(&fl, "p", hex);
    fields_add(&fl, "i", "my secret", "text");
    ev = event_sign(&fl, f->u);
    assert_int_equal(pool_publish(f->customer, ev, NULL), 0);
    for (int i = 0; i < 250 && !f->n_plain; i++)
        (void)loop_turn(f->net.loop, 20);
    assert_int_equal(f->n_plain, 1);
    hex_encode(view_of(ev->f.id, 32), id);
    assert_non_null(strstr(f->plain, "plain-job-refused"));
    assert_non_null(strstr(f->plain, id));
    assert_int_equal(f->p.n_jobs, 0);
    event_free(ev);
}

static void a_flood_is_answered_slowly(void **state) {
    struct fixture *f = *state;

    f->p.intake_at = loop_now();
    f->p.intake = 3000;
    f->conf.slots = f->conf.queue = 0;
    for (int i = 0; i < 10; i++) {
        struct job_request q = good(f);
        struct rumor *r = send_request(f, &q);

        rumor_free(r);
    }
    net_for(&f->net, 400);
    assert_true(f->n_said >= 3 && f->n_said <= 6);
}

/* --- what a customer finds --- */

struct found {
    size_t offers, manifests, inboxes, beats, wrong;
};

static void on_found(void *arg, const char *sub, const struct event *ev, const char *url) {
    struct found *n = arg;
    struct heartbeat beat;
    struct offer *o;
    uint8_t x[32], want[32];

    (void)sub;
    (void)url;
    switch (ev->f.kind) {
    case KIND_OFFER:
        o = offer_parse(ev, NULL);
        n->offers += o && offer_simulated(o) && o->price_msat == 0 && o->memory_mib == 512;
        offer_free(o);
        break;
    case KIND_ENDORSEMENT:
        manifest_digest(view_of(ev->f.content, ev->f.content_len), want);
        n->manifests += hex_decode_str(fields_get(&ev->f, "x", 1), x, 32) && !memcmp(x, want, 32) &&
                        fields_get(&ev->f, "type", 1) && fields_get(&ev->f, "expiration", 1);
        break;
    case KIND_DM_RELAYS:
        n->inboxes += fields_get(&ev->f, "relay", 1) != NULL;
        break;
    case KIND_HEARTBEAT:
        n->beats += heartbeat_parse(ev, &beat, NULL) == 0 && beat.free_slots == 1 && !beat.queue;
        break;
    default:
        n->wrong++;
    }
}

static void all_that_is_published_can_be_read(void **state) {
    struct fixture *f = *state;
    static const struct pool_handler h = {
        .event = on_found, .eose = nothing_eose, .ok = nothing_ok, .state = nothing};
    struct found n = {0};
    struct pool *anyone = pool_new(f->net.ws, NULL, &h, &n);
    char hex[65];
    cleanup_free char *filter = NULL;

    hex_encode(view_of(keypair_pub(f->p.key), 32), hex);
    filter = mem_fmt("{\"authors\":[\"%s\"]}", hex);
    assert_int_equal(pool_add(anyone, relayd_url(f->net.relay), NULL), 0);
    assert_int_equal(pool_subscribe(anyone, "all", filter, NULL), 0);
    net_for(&f->net, 400);
    assert_int_equal(n.offers, 1);
    assert_int_equal(n.manifests, 2);
    assert_int_equal(n.inboxes, 1);
    assert_int_equal(n.beats, 1);
    assert_int_equal(n.wrong, 0);
    pool_free(anyone);
}

static int publish_all_offers(struct fixture *f, struct err *e) {
    loop_timer_del(f->p.heartbeat);
    loop_timer_del(f->p.offers);
    return storefront_open(&f->p, e);
}

static void an_offer_keeps_its_id_while_its_terms_stand(void **state) {
    struct fixture *f = *state;
    uint8_t before[32];
    struct job_request q = good(f);
    struct err e;

    memcpy(before, q.offer, 32);
    assert_int_equal(publish_all_offers(f, &e), 0);
    q = good(f);
    assert_memory_equal(q.offer, before, 32);
    f->p.env.vcpus = 2;
    assert_int_equal(publish_all_offers(f, &e), 0);
    q = good(f);
    assert_memory_not_equal(q.offer, before, 32);
}

static void a_stopping_provider_takes_nothing(void **state) {
    struct fixture *f = *state;
    struct job_request q = good(f);
    struct rumor *r;

    f->p.stopping = true;
    r = send_request(f, &q);
    net_for(&f->net, 300);
    assert_int_equal(f->n_said, 0);
    rumor_free(r);
}

#define WITH_RELAY(t) cmocka_unit_test_setup_teardown(t, start, stop)
int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_RELAY(a_good_request_is_admitted),
        WITH_RELAY(a_replay_is_not_answered),
        WITH_RELAY(a_known_customer_is_shown),
        WITH_RELAY(somebody_elses_introduction_is_refused),
        WITH_RELAY(an_unknown_offer_is_refused),
        WITH_RELAY(an_offer_that_changed_is_refused),
        WITH_RELAY(another_kind_of_job_is_refused),
        WITH_RELAY(a_relay_outside_the_offer_is_refused),
        WITH_RELAY(an_expired_request_is_refused),
        WITH_RELAY(without_slot_and_queue_there_is_no_capacity),
        WITH_RELAY(without_slot_it_queues),
        WITH_RELAY(a_queued_job_expires),
        WITH_RELAY(a_customer_who_leaves_frees_the_queue),
        WITH_RELAY(other_messages_are_ignored),
        WITH_RELAY(a_plain_request_is_told_where_to_go),
        WITH_RELAY(a_flood_is_answered_slowly),
        WITH_RELAY(all_that_is_published_can_be_read),
        WITH_RELAY(an_offer_keeps_its_id_while_its_terms_stand),
        WITH_RELAY(a_stopping_provider_takes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
