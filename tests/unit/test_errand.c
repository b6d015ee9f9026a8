/* Errands to a remote signer: what comes of them, well or badly, and what never does. */
#include "tui/errand.c"

#include "core/enc.h"
#include "tests/unit/unit.h"
#include "tests/unit/bunker.h"
#include "tests/unit/table_offer.h"

static struct fixture {
    struct net net;
    struct signer_url at;
    struct identities *l;
    struct offer *offer;
    struct errand *x;
    struct opening *op;
    char folder[96], visit[600];
    int64_t until;
    size_t n_waits;
    bool met, introduced, failed;
    uint8_t user[32], offer_id[32];
    struct err why;
} f;

static void on_waits(void *arg, int64_t until, const char *visit) {
    (void)arg;
    f.n_waits++;
    f.until = until;
    snprintf(f.visit, sizeof f.visit, "%s", visit ? visit : "");
}

/* Every owner frees it in its end. */
static void gone(void) {
    errand_free(f.x);
    f.x = NULL;
}

static void has_met(void *arg, const uint8_t user[static 32]) {
    (void)arg;
    f.met = true;
    memcpy(f.user, user, 32);
    gone();
}

static void has_introduced(void *arg, struct opening *op, const struct offer *o) {
    (void)arg;
    f.introduced = true;
    f.op = op;
    memcpy(f.offer_id, o->id, 32);
    gone();
}

static void has_failed(void *arg, const struct err *why) {
    (void)arg;
    f.failed = true;
    f.why = *why;
    gone();
}

static const struct errand_handler HANDLER = {on_waits, has_met, has_introduced, has_failed};

static struct offer *some_offer(void) {
    const struct offer o = table_offer("table", "wss://relay.example");
    struct keypair *k = keypair_new();
    struct offer *out;
    struct event *ev;

    ev = offer_make(&o, k, unix_now());
    out = offer_parse(ev, NULL);
    assert_non_null(out);
    event_free(ev);
    keypair_free(k);
    return out;
}

/* The identity as it is once its signer was met. */
static void admitted(void) {
    static const char WORD[] = "correct horse";
    struct newcomer *n = identities_prepare(f.l, "away", view_str(WORD), &f.why);

    assert_non_null(n);
    assert_int_equal(identities_admit(f.l, n, &f.at, keypair_pub(bunker.user), &f.why), 0);
    assert_false(errand_wanted(f.l));
    assert_int_equal(identities_choose(f.l, "away", &f.why), 0);
    assert_true(errand_wanted(f.l));
}

static int start(void **state) {
    (void)state;
    f = (struct fixture){.offer = some_offer()};
    net_up(&f.net, NULL);
    bunker_up(&f.net, &f.at);
    snprintf(f.folder, sizeof f.folder, "%s/identities", f.net.dir);
    f.l = identities_open(f.folder, &f.why);
    assert_non_null(f.l);
    admitted();
    return 0;
}

static int stop(void **state) {
    (void)state;
    errand_free(f.x);
    opening_free(f.op);
    offer_free(f.offer);
    identities_free(f.l);
    bunker_down();
    net_down(&f.net);
    return 0;
}

static void introduce(void) {
    f.x = errand_introduce(f.net.ws, f.l, f.offer, &HANDLER, NULL, &f.why);
    if (!f.x)
        fail_msg("%s", f.why.text);
    assert_int_equal(f.n_waits, 1); /* from inside: there is something to show at once */
    assert_true(f.until > loop_now() && f.until <= loop_now() + NIP46_ANSWER_MS);
}

static void fails_with(const char *code) {
    assert_true(net_until(&f.net, &f.failed, 8000));
    assert_string_equal(f.why.code, code);
    assert_false(f.introduced || f.met);
    assert_null(f.op);
}

static void a_signer_is_met(void **state) {
    struct keypair *client = keypair_new();

    (void)state;
    f.x = errand_meet(f.net.ws, &f.at, client, &HANDLER, NULL, &f.why);
    keypair_free(client); /* it was copied */
    assert_non_null(f.x);
    assert_true(net_until(&f.net, &f.met, 8000));
    assert_memory_equal(f.user, keypair_pub(bunker.user), 32);
    assert_string_equal(bunker.heard, "connect;get_public_key;");
    assert_false(f.failed || f.introduced);
}

static void the_opening_has_the_signed_word(void **state) {
    struct job_request q = {0};
    uint8_t who[32];

    (void)state;
    introduce();
    identities_lock(f.l, NULL); /* what it needs it has */
    assert_true(net_until(&f.net, &f.introduced, 8000));
    assert_memory_equal(f.offer_id, f.offer->id, 32);
    memcpy(q.customer, keypair_pub(f.op->u), 32);
    memcpy(q.provider, f.offer->pubkey, 32);
    memcpy(q.offer, f.offer->id, 32);
    memcpy(q.nonce, f.op->nonce, 32);
    memcpy(q.introduction, f.op->introduction, sizeof q.introduction);
    assert_int_equal(introduction_of(&q, unix_now(), who, &f.why), 1);
    assert_memory_equal(who, keypair_pub(bunker.user), 32);
    assert_string_equal(bunker.heard, "get_public_key;sign_event;"); /* the secret is no more */
}

/* Whatever it signs instead: there is no opening. */
static void what_was_not_asked_for_is_not_taken(void **state) {
    static const enum manner BAD[] = {ANOTHER_KEY, ANOTHER_TEXT, ANOTHER_DATE, BROKEN_SIGNATURE};

    (void)state;
    for (size_t i = 0; i < COUNT(BAD); i++) {
        f.failed = false;
        f.n_waits = 0;
        bunker.manner = BAD[i];
        introduce();
        fails_with("bad-signer");
    }
}

static void a_refusal_is_the_end(void **state) {
    (void)state;
    bunker.manner = REFUSES;
    introduce();
    fails_with("signer-refused");
    assert_non_null(strstr(f.why.text, "not today"));
    assert_null(strchr(f.why.text, '\033'));
}

static void another_key_than_the_one_met(void **state) {
    (void)state;
    keypair_free(bunker.user);
    bunker.user = keypair_new();
    introduce();
    fails_with("bad-signer");
    assert_null(strstr(bunker.heard, "sign_event"));
}

static void silence_ends_at_the_deadline(void **state) {
    (void)state;
    bunker.manner = SILENT;
    introduce();
    net_for(&f.net, 300);
    assert_false(f.failed);
    loop_timer_set(f.x->timer, loop_now());
    fails_with("signer-silent");
}

/* It may want its person once; wanting him for ever moves the deadline no further. */
static void a_visit_is_shown_and_gives_time_once(void **state) {
    int64_t until;

    (void)state;
    bunker.manner = SILENT;
    introduce();
    on_visit(f.x, "https://signer.example/yes");
    assert_string_equal(f.visit, "https://signer.example/yes");
    assert_true(f.until > loop_now() + NIP46_ANSWER_MS);
    until = f.until;
    net_for(&f.net, 50);
    on_visit(f.x, "https://signer.example/again");
    assert_int_equal(f.until, until);
    assert_int_equal(f.x->until, until);
    loop_timer_set(f.x->timer, loop_now());
    fails_with("signer-silent");
    assert_non_null(strstr(f.why.text, "nobody said yes"));
}

static void nothing_follows_one_that_was_stopped(void **state) {
    (void)state;
    introduce();
    gone();
    net_for(&f.net, 800);
    assert_false(f.met || f.introduced || f.failed);
    assert_int_equal(f.n_waits, 1);
}

#define WITH_SIGNER(t) cmocka_unit_test_setup_teardown(t, start, stop)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SIGNER(a_signer_is_met),
        WITH_SIGNER(the_opening_has_the_signed_word),
        WITH_SIGNER(what_was_not_asked_for_is_not_taken),
        WITH_SIGNER(a_refusal_is_the_end),
        WITH_SIGNER(another_key_than_the_one_met),
        WITH_SIGNER(silence_ends_at_the_deadline),
        WITH_SIGNER(a_visit_is_shown_and_gives_time_once),
        WITH_SIGNER(nothing_follows_one_that_was_stopped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
