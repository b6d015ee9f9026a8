#include "tui/shelf.c"

#include "core/hash.h"
#include "core/name.h"
#include "tests/unit/unit.h"

#define NOW 1764000000

static struct shelf *shelf;
static struct proven *proven;
static struct marks *marks;
static enum shelf_sort by;
static bool muted;

static struct keypair *key_of(unsigned who) {
    uint8_t sk[32] = {0};
    struct err e;
    struct keypair *k;

    sk[30] = (uint8_t)(who >> 8);
    sk[31] = (uint8_t)who;
    sk[0] = 1;
    k = keypair_from(sk, &e);
    assert_non_null(k);
    return k;
}

struct thing {
    unsigned who;
    const char *d, *what, *provider;
    uint64_t msat;
    int64_t at, expiration;
    const char *relay;
};

static struct event *offer_event(const struct thing *t, const struct keypair *k) {
    struct offer o = {.job_kind = 5050,
                      .price_msat = t->msat,
                      .expiration = t->expiration,
                      .privacy = "sev-snp",
                      .price_unit = "minute",
                      .workload_name = "chat",
                      .vcpus = 1,
                      .memory_mib = 512,
                      .vcpu_type = "EPYC-v4",
                      .relays = {"wss://relay.example"},
                      .n_relays = 1};

    snprintf(o.d, sizeof o.d, "%s", t->d ? t->d : "chat");
    snprintf(o.model_name, sizeof o.model_name, "%s", t->what ? t->what : "model");
    snprintf(o.provider_name, sizeof o.provider_name, "%s", t->provider ? t->provider : "");
    memset(o.workload, 'a', 64);
    memcpy(o.workload + 64, ":12", 4);
    snprintf(o.model, sizeof o.model, "none");
    return offer_make(&o, k, t->at ? t->at : NOW - 1000);
}

static bool put(struct thing t) {
    struct keypair *k = key_of(t.who);
    struct event *ev = offer_event(&t, k);
    struct err e;
    struct offer *o = offer_parse(ev, &e);
    bool news;

    if (!o)
        fail_msg("%s", e.text);
    news = shelf_put(shelf, o, ev, t.relay ? t.relay : "wss://one.example");
    offer_free(o);
    event_free(ev);
    keypair_free(k);
    return news;
}

static void beat(unsigned who, int64_t at, int64_t until) {
    struct keypair *k = key_of(who);
    struct heartbeat h = {.created_at = at, .expiration = until, .free_slots = 2};

    memcpy(h.pubkey, keypair_pub(k), 32);
    (void)shelf_beat(shelf, &h);
    keypair_free(k);
}

static void prove(unsigned who, enum proof_state s, const char *name) {
    struct keypair *k = key_of(who);
    struct proven_job j = {.proof = {s, NOW - 86400}};
    struct err e;

    memcpy(j.provider, keypair_pub(k), 32);
    snprintf(j.name, sizeof j.name, "%s", name);
    assert_int_equal(proven_put(proven, &j, &e), 0);
    keypair_free(k);
}

static void mark_as(unsigned who, enum mark m, const char *name) {
    struct keypair *k = key_of(who);
    struct err e;

    assert_int_equal(marks_set(marks, keypair_pub(k), m, name, NOW, &e), 0);
    keypair_free(k);
}

static void view_at(const char *filter, int64_t now) {
    struct shelf_ask ask = {filter, by, muted, proven, marks, now};

    shelf_view(shelf, &ask);
}

/* The model names of the list, one letter each. */
static void expect(const char *filter, const char *order) {
    cleanup_buf struct buf got = {0};
    const struct shelf_row *r;

    view_at(filter, NOW);
    for (size_t i = 0; (r = shelf_at(shelf, i)); i++)
        buf_fmt(&got, "%c", r->what[0]);
    buf_str(&got, "");
    assert_string_equal((char *)got.p, order);
}

static int set_up(void **st) {
    struct err note = {0};

    (void)st;
    shelf = shelf_new();
    proven = proven_new(NULL, PROVEN_DAYS, &note);
    marks = marks_new(NULL, &note);
    by = SORT_PROVEN;
    muted = false;
    return 0;
}

static int tear_down(void **st) {
    (void)st;
    shelf_free(shelf);
    proven_free(proven);
    marks_free(marks);
    return 0;
}

static void sorts_and_filters(void **st) {
    (void)st;
    expect("", "");
    put((struct thing){.who = 1, .what = "Llama", .provider = "zoe", .msat = 5000, .at = NOW - 40});
    put((struct thing){.who = 2, .what = "qwen", .provider = "Ann", .msat = 1000, .at = NOW - 30});
    put((struct thing){
        .who = 3, .what = "mistral", .provider = "bob", .msat = 9000, .at = NOW - 20});
    put((struct thing){.who = 4, .what = "away", .provider = "x", .at = NOW - 10});
    prove(3, PROOF_PASS, "bob");
    prove(2, PROOF_FAIL, "ann");
    for (unsigned i = 1; i < 4; i++)
        beat(i, NOW - 10 * i, NOW + 100);
    expect("", "mLqa"); /* passed, never tried, failed; who is away comes last */
    by = SORT_PRICE;
    expect("", "qLma");
    by = SORT_NAME;
    expect("", "Lmqa");
    by = SORT_PROVIDER;
    expect("", "qmLa");
    by = SORT_SEEN;
    expect("", "Lqma");
    by = SORT_AGE;
    expect("", "mqLa");
    by = SORT_PRICE;
    expect("QWEN", "q");
    expect(" SNP  l ", "qLma"); /* every word, anywhere */
    expect("snp llama 5", "L");
    expect("zoe", "L");
    expect("nothing", "");
}

static void filters_by_key(void **st) {
    struct keypair *k = key_of(1);
    char hex[9];

    (void)st;
    put((struct thing){.who = 1, .what = "one"});
    put((struct thing){.who = 2, .what = "two"});
    hex_encode(view_of(keypair_pub(k), 4), hex);
    expect(hex, "o");
    keypair_free(k);
}

/* NIP-01, and two relays of which one lies: the older version must not win by coming later. */
static void the_newest_version_stands(void **st) {
    (void)st;
    assert_true(put((struct thing){.who = 1, .what = "b", .at = 2000}));
    assert_false(put((struct thing){.who = 1, .what = "a", .at = 1000}));
    assert_false(put((struct thing){.who = 1, .what = "b", .at = 2000}));
    expect("", "b");
    assert_true(put((struct thing){.who = 1, .what = "c", .at = 3000}));
    assert_true(put((struct thing){.who = 1, .d = "other", .what = "d", .at = 1000}));
    by = SORT_NAME;
    expect("", "cd");
    assert_int_equal(shelf_count(shelf), 2);
}

static void rows_live_until_the_next_list(void **st) {
    const struct shelf_row *r;

    (void)st;
    put((struct thing){.who = 1, .what = "old", .at = 2000});
    expect("", "o");
    r = shelf_at(shelf, 0);
    put((struct thing){.who = 1, .what = "new", .at = 3000});
    assert_string_equal(r->what, "old");
    assert_ptr_equal(shelf_at(shelf, 0), r);
    expect("", "n");
}

static void heartbeats_come_and_go(void **st) {
    (void)st;
    put((struct thing){.who = 1});
    view_at("", NOW);
    assert_false(shelf_at(shelf, 0)->alive);
    beat(1, NOW - 10, NOW + 50);
    beat(1, NOW - 20, NOW + 500); /* an older one */
    view_at("", NOW);
    assert_true(shelf_at(shelf, 0)->alive);
    assert_int_equal(shelf_at(shelf, 0)->seen, NOW - 10);
    assert_int_equal(shelf_at(shelf, 0)->free_slots, 2);
    view_at("", NOW + 50);
    assert_false(shelf_at(shelf, 0)->alive);
    beat(1, NOW, NOW + 100000); /* who promises a day is still heard of within the hour */
    view_at("", NOW + 3599);
    assert_true(shelf_at(shelf, 0)->alive);
    view_at("", NOW + 3600);
    assert_false(shelf_at(shelf, 0)->alive);
    beat(1, NOW + 1000000, NOW + 2000000); /* from the future */
    view_at("", NOW + 1);
    assert_false(shelf_at(shelf, 0)->alive);
}

static void what_expires_is_not_shown(void **st) {
    struct err e;

    (void)st;
    put((struct thing){.who = 1, .expiration = NOW + 10});
    expect("", "m");
    view_at("", NOW + 10);
    assert_int_equal(shelf_shown(shelf), 0);
    assert_non_null(shelf_find(shelf, "chat", NOW, &e));
    assert_null(shelf_find(shelf, "chat", NOW + 10, &e));
}

static void marks_hide_and_lift(void **st) {
    (void)st;
    put((struct thing){.who = 1, .what = "a", .msat = 1});
    put((struct thing){.who = 2, .what = "b", .msat = 2});
    put((struct thing){.who = 3, .what = "c", .msat = 3});
    expect("", "abc");
    mark_as(3, MARK_FAVOURITE, "");
    mark_as(1, MARK_MUTED, "");
    expect("", "cb");
    assert_int_equal(shelf_muted(shelf), 1);
    muted = true;
    expect("", "cab");
    assert_int_equal(shelf_muted(shelf), 0);
    mark_as(1, MARK_NONE, "");
    muted = false;
    expect("", "cab");
}

static const struct shelf_row *row_of(const char *what) {
    const struct shelf_row *r;

    view_at("", NOW);
    for (size_t i = 0; (r = shelf_at(shelf, i)); i++)
        if (!strcmp(r->what, what))
            return r;
    fail_msg("no %s", what);
    return NULL;
}

/* Whoever takes a name that is known here is the one to look at twice. */
static void names_have_twins(void **st) {
    struct keypair *k = key_of(1);

    (void)st;
    put((struct thing){.who = 1, .what = "real", .provider = "alpenrechen"});
    assert_int_equal(row_of("real")->twin, TWIN_NONE);
    put((struct thing){.who = 2, .what = "twin", .provider = "Alpen Rechen"});
    assert_int_equal(row_of("real")->twin, TWIN_OFFER); /* nobody knows which is which */
    assert_int_equal(row_of("twin")->twin, TWIN_OFFER);
    assert_memory_equal(row_of("twin")->twin_key, keypair_pub(k), 32);
    prove(1, PROOF_PASS, "alpenrechen");
    assert_int_equal(row_of("real")->twin, TWIN_NONE);
    assert_int_equal(row_of("twin")->twin, TWIN_HISTORY);
    mark_as(2, MARK_FAVOURITE, "\xd0\xb0lpenrechen");  /* with a Cyrillic a */
    assert_int_equal(row_of("real")->twin, TWIN_NONE); /* known too */
    assert_int_equal(row_of("twin")->twin, TWIN_NONE);
    put((struct thing){.who = 3, .what = "third", .provider = "alpenrecheN"});
    assert_int_equal(row_of("third")->twin, TWIN_FAVOURITE);
    put((struct thing){.who = 1, .d = "more", .what = "same", .provider = "alpenrechen"});
    assert_int_equal(row_of("same")->twin, TWIN_NONE);
    keypair_free(k);
}

static void a_failed_job_makes_no_name_known(void **st) {
    (void)st;
    prove(1, PROOF_FAIL, "alpenrechen");
    put((struct thing){.who = 2, .what = "x", .provider = "alpenrechen"});
    assert_int_equal(row_of("x")->twin, TWIN_NONE);
}

static void odd_names_are_flagged(void **st) {
    (void)st;
    put((struct thing){.who = 1, .what = "x", .provider = "alp\xd0\xb5n"});
    assert_int_equal(row_of("x")->flags, NAME_MIXED);
    put((struct thing){.who = 2, .what = "y\xef\xbf\xbd", .provider = "plain"});
    assert_int_equal(row_of("y\xef\xbf\xbd")->flags, NAME_UNSEEN);
}

static void offers_are_found_by_name_and_owner(void **st) {
    struct keypair *k = key_of(2);
    cleanup_free char *hex = hex_new(view_of(keypair_pub(k), 32)), *word = mem_fmt("%s:table", hex);
    const struct shelf_row *r;
    struct offer *o;
    struct err e;

    (void)st;
    put((struct thing){.who = 1, .d = "table", .what = "a", .provider = "ann"});
    put((struct thing){.who = 2, .d = "table", .what = "b"});
    put((struct thing){.who = 2, .d = "chat", .what = "c"});
    r = shelf_find(shelf, "chat", NOW, &e);
    assert_non_null(r);
    assert_string_equal(r->what, "c");
    assert_null(shelf_find(shelf, "table", NOW, &e));
    assert_string_equal(e.code, "ambiguous-offer");
    r = shelf_find(shelf, word, NOW, &e);
    assert_non_null(r);
    assert_string_equal(r->what, "b");
    o = shelf_offer(r, &e);
    assert_non_null(o);
    assert_string_equal(o->model_name, "b");
    offer_free(o);
    assert_string_equal(shelf_find(shelf, "ann:table", NOW, &e)->what, "a");
    assert_null(shelf_find(shelf, "bob:table", NOW, &e));
    assert_string_equal(e.code, "unknown-offer");
    keypair_free(k);
}

static void the_only_one_alive_is_meant(void **st) {
    struct err e;

    (void)st;
    put((struct thing){.who = 1, .what = "a"});
    put((struct thing){.who = 2, .what = "b"});
    assert_null(shelf_only(shelf, NOW, &e));
    assert_string_equal(e.code, "unknown-offer");
    beat(2, NOW, NOW + 60);
    assert_string_equal(shelf_only(shelf, NOW, &e)->what, "b");
    beat(1, NOW, NOW + 60);
    assert_null(shelf_only(shelf, NOW, &e));
    assert_string_equal(e.code, "ambiguous-offer");
}

/* Rows made without signatures: thousands of them. */
static void put_cheap(uint32_t i, int64_t at, const char *relay) {
    struct offer o = {.job_kind = 5050, .created_at = at, .privacy = "sev-snp"};
    struct fields f = fields_new(31990, at, view_str("{}"));
    struct event ev = {.f = f};

    sha256(view_of(&i, sizeof i), o.pubkey);
    sha256(view_of(o.pubkey, 32), o.id);
    memcpy(ev.f.pubkey, o.pubkey, 32);
    memcpy(ev.f.id, o.id, 32);
    snprintf(o.d, sizeof o.d, "d");
    snprintf(o.model_name, sizeof o.model_name, "m%u", i);
    (void)shelf_put(shelf, &o, &ev, relay);
    fields_free(&ev.f);
}

static bool has_cheap(uint32_t i) {
    uint8_t key[32];

    sha256(view_of(&i, sizeof i), key);
    return *slot_of_name(shelf, key, "d") != NULL;
}

/* A relay that floods pushes out what it sent itself, not what the others have, nor what is dear.
 */
static void a_flood_drowns_only_itself(void **st) {
    const char *relay;
    uint8_t key[32], id[32];
    uint32_t dear = 5000000, shared = 5000001;
    struct err e;

    (void)st;
    for (uint32_t i = 0; i < 100; i++)
        put_cheap(1000000 + i, NOW - 500000, "wss://honest.example"); /* the oldest of all */
    put_cheap(dear, NOW - 500000, "wss://flood.example");
    put_cheap(shared, NOW - 500000, "wss://flood.example");
    sha256(view_of(&shared, sizeof shared), key);
    sha256(view_of(key, 32), id);
    shelf_again(shelf, id, "wss://honest.example"); /* both have it */
    sha256(view_of(&dear, sizeof dear), key);
    assert_int_equal(marks_set(marks, key, MARK_FAVOURITE, "", NOW, &e), 0);
    view_at("", NOW);
    for (uint32_t i = 0; i < 3 * SHELF_MAX; i++)
        put_cheap(i, NOW - 400000 + i, "wss://flood.example");
    assert_true(shelf_count(shelf) <= SHELF_MAX);
    for (uint32_t i = 0; i < 100; i++)
        assert_true(has_cheap(1000000 + i));
    assert_true(has_cheap(dear));
    assert_true(has_cheap(shared));
    assert_false(has_cheap(0));                /* the oldest went */
    assert_true(has_cheap(3 * SHELF_MAX - 1)); /* the newest is there */
    assert_true(shelf_dropped(shelf, &relay) > 2 * SHELF_MAX - 1000);
    assert_string_equal(relay, "wss://flood.example");
    view_at("", NOW); /* all tables still agree */
    for (size_t i = 0; i < shelf->n; i++) {
        assert_ptr_equal(*slot_of_name(shelf, shelf->all[i]->row.pubkey, "d"), shelf->all[i]);
        assert_ptr_equal(*slot_of_id(shelf, shelf->all[i]->row.id), shelf->all[i]);
        assert_int_equal(shelf->all[i]->at, i);
    }
}

static void heartbeats_are_bounded(void **st) {
    struct heartbeat h = {.created_at = NOW, .expiration = NOW + 60};

    (void)st;
    put_cheap(1, NOW, "wss://one.example");
    memcpy(h.pubkey, shelf->all[0]->row.pubkey, 32);
    assert_true(shelf_beat(shelf, &h));
    for (uint32_t i = 100; i < 100 + 3 * BEATS_MAX; i++) {
        sha256(view_of(&i, sizeof i), h.pubkey);
        assert_true(shelf_beat(shelf, &h));
    }
    assert_true(shelf->n_beats <= BEATS_MAX);
    view_at("", NOW);
    assert_true(shelf_at(shelf, 0)->alive); /* of one that offers something */
}

/* Bytes are bounded like rows: an offer of unusual size is refused, and counted. */
static void large_offers_are_refused(void **st) {
    struct offer o = {.job_kind = 5050, .d = "d", .privacy = "sev-snp"};
    cleanup_free char *much = mem_new(SHELF_OFFER_MAX + 1);
    struct event ev;
    const char *relay;

    (void)st;
    memset(much, 'x', SHELF_OFFER_MAX);
    ev = (struct event){.f = fields_new(31990, NOW, view_str(much))};
    assert_false(shelf_put(shelf, &o, &ev, "wss://large.example"));
    assert_int_equal(shelf_count(shelf), 0);
    assert_int_equal(shelf_dropped(shelf, &relay), 1);
    assert_string_equal(relay, "wss://large.example");
    fields_free(&ev.f);
}

static void prices(void **st) {
    static const struct {
        uint64_t msat;
        const char *unit, *text;
    } ROWS[] = {{0, "job", "free"},
                {1000, "job", "1 sat/job"},
                {1500, "minute", "1.5 sat/min"},
                {210000, "job", "210 sat/job"},
                {UINT64_MAX, "job", "18446744073709551 sat/job"}};
    char out[48];

    (void)st;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct offer o = {.price_msat = ROWS[i].msat};

        snprintf(o.price_unit, sizeof o.price_unit, "%s", ROWS[i].unit);
        shelf_price(&o, out, sizeof out);
        assert_string_equal(out, ROWS[i].text);
    }
}

static void claims(void **st) {
    static const struct {
        const char *privacy;
        uint32_t gpus;
        const char *text;
    } ROWS[] = {{"sev-snp+gpu-cc", 1, "SNP + hopper CC"},
                {"sev-snp+gpu-cc", 8, "SNP + 8x hopper CC"},
                {"sev-snp", 0, "SNP, no GPU"},
                {"sev-snp", 1, "SNP, GPU open"},
                {"sim", 0, "SIMULATED"},
                {"none", 0, "(none)"}};
    char out[32];

    (void)st;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct offer o = {.gpu_count = ROWS[i].gpus};

        snprintf(o.privacy, sizeof o.privacy, "%s", ROWS[i].privacy);
        snprintf(o.gpu_arch, sizeof o.gpu_arch, "hopper");
        shelf_claims(&o, out, sizeof out);
        assert_string_equal(out, ROWS[i].text);
    }
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(sorts_and_filters),
        T(filters_by_key),
        T(the_newest_version_stands),
        T(rows_live_until_the_next_list),
        T(heartbeats_come_and_go),
        T(what_expires_is_not_shown),
        T(marks_hide_and_lift),
        T(names_have_twins),
        T(a_failed_job_makes_no_name_known),
        T(odd_names_are_flagged),
        T(offers_are_found_by_name_and_owner),
        T(the_only_one_alive_is_meant),
        T(a_flood_drowns_only_itself),
        T(heartbeats_are_bounded),
        T(large_offers_are_refused),
        T(prices),
        T(claims),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
