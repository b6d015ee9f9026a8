#include "core/bundle.c"
#include "core/dvm.h"
#include "tests/unit/own_key.h"

static struct event *event_of(uint32_t kind) {
    struct fields f = fields_new(kind, 1800000000, view_str("content"));

    return event_sign(&f, k);
}
static struct rumor *rumor_of(const char *text) {
    struct fields f = fields_new(KIND_TEXT, 1800000000, view_str(text));

    return rumor_make(&f, keypair_pub(k));
}

static struct bundle sample(void) {
    struct bundle b = {.receipt = event_of(KIND_RECEIPT),
                       .offer = event_of(KIND_OFFER),
                       .request = rumor_of("request"),
                       .hello = rumor_of("hello"),
                       .accept = rumor_of("accept")};

    b.manifest = mem_new(2 * sizeof *b.manifest);
    b.manifest[b.n_manifests++] = mem_str("{\"type\":\"guest\"}");
    b.manifest[b.n_manifests++] = mem_str("quote \" and newline \n");
    b.endorsement = mem_new(sizeof *b.endorsement);
    b.endorsement[b.n_endorsements++] = event_of(KIND_ENDORSEMENT);
    return b;
}

static void a_bundle_round_trips(void **state) {
    struct bundle b = sample(), got;
    struct buf json = {0};

    (void)state;
    bundle_json(&b, &json);
    assert_int_equal(bundle_parse(buf_view(&json), &got, NULL), 0);
    assert_memory_equal(got.receipt->f.id, b.receipt->f.id, 32);
    assert_memory_equal(got.offer->f.id, b.offer->f.id, 32);
    assert_memory_equal(got.accept->f.id, b.accept->f.id, 32);
    assert_null(got.teardown);
    assert_null(got.collateral);
    assert_int_equal(got.n_manifests, 2);
    assert_string_equal(got.manifest[1], b.manifest[1]);
    assert_int_equal(got.n_endorsements, 1);
    buf_free(&json);
    bundle_free(&b);
    bundle_free(&got);
}

/* The text of a good bundle with one string replaced by another of any length. */
static void refuse_with(const char *from, const char *to) {
    struct bundle b = sample(), got;
    cleanup_buf struct buf json = {0}, bad = {0};
    const char *at;
    struct err e;

    bundle_json(&b, &json);
    at = strstr((const char *)json.p, from);
    assert_non_null(at);
    buf_add(&bad, json.p, (size_t)(at - (const char *)json.p));
    buf_str(&bad, to);
    buf_str(&bad, at + strlen(from));
    assert_int_equal(bundle_parse(buf_view(&bad), &got, &e), -1);
    assert_true(e.text[0]);
    assert_null(got.offer);
    bundle_free(&b);
}

static void altered_bundles_are_refused(void **state) {
    (void)state;
    refuse_with("\"content\":\"content\"", "\"content\":\"contend\""); /* an event's id */
    refuse_with("\"content\":\"hello\"", "\"content\":\"hallo\"");     /* a rumor's id */
    refuse_with("\"hello\":{", "\"hollo\":{");                         /* something missing */
    refuse_with("\"v\":1", "\"v\":2");
    refuse_with("\"manifests\":[", "\"manifests\":[7,");
    refuse_with("\"endorsements\":[", "\"endorsements\":[{},");
    refuse_with("\"endorsements\":[", "\"endorsements\":7,\"x\":[");
    refuse_with("{", "");
}

static void too_many_manifests_are_refused(void **state) {
    cleanup_buf struct buf list = {0};

    (void)state;
    buf_str(&list, "\"manifests\":[");
    for (int i = 0; i < BUNDLE_LIST_MAX; i++)
        buf_str(&list, "\"m\",");
    refuse_with("\"manifests\":[", (const char *)list.p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bundle_round_trips),
        cmocka_unit_test(altered_bundles_are_refused),
        cmocka_unit_test(too_many_manifests_are_refused),
    };
    return cmocka_run_group_tests(tests, open_key, close_key);
}
