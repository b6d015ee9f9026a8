#include "core/offer.c"
#include "tests/unit/own_key.h"

#define REF "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:12"
#define NOW INT64_C(1800000000)

static struct offer sample(void) {
    struct offer o = {.job_kind = KIND_JOB_TOOL,
                      .d = "table",
                      .name = "Tables",
                      .about = "SQL over your files",
                      .provider_name = "Example",
                      .privacy = "sev-snp",
                      .release = {7},
                      .workload_name = "table",
                      .workload = REF,
                      .model_name = "none",
                      .model = "none",
                      .broker = "none",
                      .vcpus = 2,
                      .memory_mib = 1024,
                      .vcpu_type = "EPYC-Genoa",
                      .guest_features = 1,
                      .price_unit = "job",
                      .expiration = NOW + 3600,
                      .relays = {"wss://relay.example"},
                      .n_relays = 1,
                      .blossom = {"https://blobs.example"},
                      .n_blossom = 1,
                      .limits = {{"file", 1000000}, {"accept", 300}},
                      .n_limits = 2};
    return o;
}

static void an_offer_round_trips(void **state) {
    struct offer o = sample(), *got;
    struct event *ev = offer_make(&o, k, NOW);

    (void)state;
    got = offer_parse(ev, NULL);
    assert_non_null(got);
    assert_memory_equal(got->id, ev->f.id, 32);
    assert_memory_equal(got->pubkey, keypair_pub(k), 32);
    assert_string_equal(got->d, "table");
    assert_string_equal(got->name, "Tables");
    assert_string_equal(got->about, "SQL over your files");
    assert_string_equal(got->provider_name, "Example");
    assert_string_equal(got->workload, REF);
    assert_string_equal(got->model, "none");
    assert_string_equal(got->vcpu_type, "EPYC-Genoa");
    assert_true(got->vcpus == 2 && got->memory_mib == 1024 && got->guest_features == 1);
    assert_true(got->gpu_count == 0 && got->price_msat == 0 && got->expiration == NOW + 3600);
    assert_true(offer_limit(got, "file", 5) == 1000000);
    assert_true(offer_limit(got, "idle", 5) == 5);
    assert_string_equal(got->relays[0], "wss://relay.example");
    assert_string_equal(got->blossom[0], "https://blobs.example");
    assert_false(offer_simulated(got));
    assert_non_null(strstr(got->json, "\"sig\""));
    offer_free(got);
    event_free(ev);
}

/* A good offer with one tag given another value, or left out (value NULL). */
static struct event *changed(const char *name, size_t at, const char *value) {
    struct offer o = sample();
    struct event *ev = offer_make(&o, k, NOW);
    struct fields f = ev->f;

    ev->f = (struct fields){0};
    event_free(ev);
    for (size_t i = 0; i < f.n_tags; i++)
        if (!strcmp(f.tags[i].v[0], name)) {
            free(f.tags[i].v[value ? at : 0]);
            f.tags[i].v[value ? at : 0] = mem_str(value ? value : "gone");
        }
    return event_sign(&f, k);
}

static void refuse(const char *name, size_t at, const char *value) {
    struct event *ev = changed(name, at, value);
    struct err e;

    if (offer_parse(ev, &e))
        fail_msg("%s = %s was taken", name, value ? value : "absent");
    assert_string_equal(e.code, "bad-offer");
    event_free(ev);
}

/* A number of the seller's: bounded, and never wrapped into none at all. */
static void patience_is_bounded(void **state) {
    static const struct {
        uint64_t said;
        int64_t ms;
    } cases[] = {{300, 300000},     {86399, 86399000},      {86400, 86400000},
                 {86401, 86400000}, {UINT64_MAX, 86400000}, {0, 0}};
    struct offer o = sample();

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        o.limits[1].value = cases[i].said;
        assert_int_equal(offer_accept_ms(&o), cases[i].ms);
    }
    o.n_limits = 0;
    assert_int_equal(offer_accept_ms(&o), 600000);
}

static void bad_offers_are_refused(void **state) {
    (void)state;
    refuse("d", 1, "");
    refuse("d", 1, "a b");
    refuse("d", 1, NULL);
    refuse("k", 1, "5000");
    refuse("cdvm", 1, "2");
    refuse("cdvm", 1, NULL);
    refuse("privacy", 1, "tdx");
    refuse("release", 1, "abc");
    refuse("release", 1, NULL);
    refuse("workload", 2, NULL);
    refuse("model", 2, "");
    refuse("broker", 1, "somebody");
    refuse("vm", 1, "0");
    refuse("vm", 1, "100000");
    refuse("vm", 2, "EPYC;reboot");
    refuse("vm", 4, "0");
    refuse("price", 1, "-5");
    refuse("price", 2, "hour");
    refuse("relay", 1, "http://relay.example");
    refuse("relay", 1, NULL);
    refuse("blossom", 1, "ws://blobs.example");
    refuse("limit", 2, "many");
    refuse("expiration", 1, "soon");
}

static void a_volume_is_one_word_of_one_spelling(void **state) {
    static const char *const bad[] = {
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:12 panic=0",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa :12",
        " aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:12",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:012",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:0",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:1234567890123",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA:12",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:12",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:12\n",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "none",
        "",
    };
    uint8_t root[32];
    uint64_t blocks;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_false(volume_ref_parse(bad[i], false, root, &blocks));
        refuse("workload", 2, bad[i]);
    }
    assert_true(volume_ref_parse(REF, false, root, &blocks));
    assert_true(root[31] == 0xaa && blocks == 12);
    assert_true(volume_ref_parse("none", true, root, &blocks));
}

static void a_repeated_tag_is_refused(void **state) {
    struct offer o = sample();
    struct event *ev = offer_make(&o, k, NOW);
    struct fields f = ev->f;
    struct err e;

    (void)state;
    ev->f = (struct fields){0};
    event_free(ev);
    fields_add(&f, "workload", "table", REF);
    ev = event_sign(&f, k);
    assert_null(offer_parse(ev, &e));
    assert_string_equal(e.code, "bad-offer");
    event_free(ev);
}

static void words_are_sanitised_and_loose(void **state) {
    static const char *const contents[] = {"", "not json", "{\"name\":7,}", "[]",
                                           "{\"name\":\"a\\u202eb\\u001b[2J\"}"};
    struct offer *got;

    (void)state;
    for (size_t i = 0; i < COUNT(contents); i++) {
        struct event *ev = changed("nothing", 1, "x");
        struct fields f = ev->f;

        ev->f = (struct fields){0};
        event_free(ev);
        free(f.content);
        f.content = mem_str(contents[i]);
        f.content_len = strlen(contents[i]);
        ev = event_sign(&f, k);
        got = offer_parse(ev, NULL);
        assert_non_null(got);
        assert_true(got->name[0]);
        assert_null(strchr(got->name, 0x1b));
        assert_null(strstr(got->name, "\xe2\x80\xae"));
        offer_free(got);
        event_free(ev);
    }
}

static void a_heartbeat_round_trips(void **state) {
    struct heartbeat h = {.expiration = NOW + 300, .free_slots = 3, .queue = 1}, got;
    struct event *ev = heartbeat_make(&h, k, NOW);

    (void)state;
    assert_int_equal(heartbeat_parse(ev, &got, NULL), 0);
    assert_true(got.free_slots == 3 && got.queue == 1 && got.expiration == NOW + 300);
    assert_true(got.created_at == NOW);
    assert_memory_equal(got.pubkey, keypair_pub(k), 32);
    event_free(ev);
}

static void other_kinds_are_no_offers(void **state) {
    struct heartbeat h = {.expiration = NOW}, got;
    struct event *ev = heartbeat_make(&h, k, NOW);
    struct offer o = sample();

    (void)state;
    assert_null(offer_parse(ev, NULL));
    event_free(ev);
    ev = offer_make(&o, k, NOW);
    assert_int_equal(heartbeat_parse(ev, &got, NULL), -1);
    event_free(ev);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offer_round_trips),
        cmocka_unit_test(patience_is_bounded),
        cmocka_unit_test(bad_offers_are_refused),
        cmocka_unit_test(a_volume_is_one_word_of_one_spelling),
        cmocka_unit_test(a_repeated_tag_is_refused),
        cmocka_unit_test(words_are_sanitised_and_loose),
        cmocka_unit_test(a_heartbeat_round_trips),
        cmocka_unit_test(other_kinds_are_no_offers),
    };
    return cmocka_run_group_tests(tests, open_key, close_key);
}
