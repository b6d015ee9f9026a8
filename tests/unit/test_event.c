#include "core/event.c"
#include "tests/unit/vectors.h"

static struct event *note(const char *content, const struct keypair *k) {
    struct fields f = fields_new(1, 1763800000, view_str(content));

    fields_add(&f, "p", "x\n\"\\", "");
    fields_add(&f, "-");
    return event_sign(&f, k);
}

static char *json_of(const struct event *ev) {
    struct buf b = {0};

    event_json(ev, &b);
    return buf_take(&b);
}

static void what_we_sign_verifies(void **state) {
    struct keypair *k = keypair_new();
    struct event *ev = note("hi \x01 \xf0\x9f\x98\x80", k), *copy = event_copy(ev), *back;
    cleanup_free char *text = json_of(ev), *text2 = json_of(copy);
    struct err e;

    (void)state;
    back = event_parse(view_str(text), &e);
    assert_non_null(back);
    assert_string_equal(back->f.content, ev->f.content);
    assert_int_equal(back->f.n_tags, 2);
    assert_string_equal(back->f.tags[0].v[1], "x\n\"\\");
    assert_string_equal(text, text2);
    event_free(ev);
    event_free(back);
    event_free(copy);
    event_free(NULL);
    raw_event_free(NULL);
    rumor_free(NULL);
    keypair_free(k);
}

/* An event's text with the first `from` replaced by `to`. */
static char *changed(const char *text, const char *from, const char *to) {
    const char *at = strstr(text, from);

    assert_non_null(at);
    return mem_fmt("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void shape_is_strict(void **state) {
    static const struct {
        const char *from, *to, *says;
    } rows[] = {
        {"\"kind\":1,", "\"kind\":65536,", "65536"},
        {"\"kind\":1,", "\"kind\":\"1\",", "'kind'"},
        {"\"kind\":1,", "", "'kind' is missing"},
        {"\"created_at\":1763800000", "\"created_at\":-1", "'created_at'"},
        {"[\"-\"]", "[]", "tag 2"},
        {"[\"-\"]", "[null]", "tag 2"},
        {"[\"-\"]", "{\"-\":\"-\"}", "tag 2"},
        {"[\"-\"]", "\"-\"", "tag 2"},
        {"\"content\":\"hi\"", "\"content\":null", "'content'"},
        {"\"content\":\"hi\"", "\"content\":\"hi\",\"content\":\"ho\"", "twice"},
        {"\"sig\":\"", "\"sig\":\"00", "'sig'"},
        {"\"id\":\"", "\"id\":\"A", "'id'"},
        {"{", "[{", "bad JSON"},
    };
    struct keypair *k = keypair_new();
    struct event *ev = note("hi", k);
    cleanup_free char *text = json_of(ev);
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        cleanup_free char *bad = changed(text, rows[i].from, rows[i].to);

        assert_null(event_parse(view_str(bad), &e));
        if (!strstr(e.text, rows[i].says))
            fail_msg("row %zu: %s", i, e.text);
    }
    assert_null(event_parse(view_str("[]"), &e));
    assert_string_equal(e.code, "bad-event");
    event_free(ev);
    keypair_free(k);
}

static void lies_have_codes(void **state) {
    struct keypair *k = keypair_new();
    struct event *ev = note("hi", k), *other = note("ho", k);
    cleanup_free char *text = json_of(ev), *bad_id = changed(text, "\"hi\"", "\"hI\"");
    struct raw_event *raw = raw_event_parse(view_str(text), NULL);
    struct err e;

    (void)state;
    assert_null(event_parse(view_str(bad_id), &e));
    assert_string_equal(e.code, "bad-id");
    memcpy(raw->f.sig, other->f.sig, 64);
    assert_null(event_verify(raw, &e));
    assert_string_equal(e.code, "bad-sig");
    event_free(ev);
    event_free(other);
    keypair_free(k);
}

static void extra_keys_of_an_event_are_ignored(void **state) {
    struct keypair *k = keypair_new();
    struct event *ev = note("hi", k), *back;
    cleanup_free char *text = json_of(ev);
    cleanup_free char *more = changed(text, "{", "{\"seen\":{\"on\":[1,true]},");

    (void)state;
    back = event_parse(view_str(more), NULL);
    assert_non_null(back);
    event_free(back);
    event_free(ev);
    keypair_free(k);
}

static void rumors_have_six_keys(void **state) {
    struct keypair *k = keypair_new();
    struct fields f = fields_new(14, 1763800000, view_str("hi"));
    struct rumor *r = rumor_make(&f, keypair_pub(k)), *copy = rumor_copy(r), *back;
    cleanup_buf struct buf b = {0};
    struct err e;

    (void)state;
    rumor_json(copy, &b);
    back = rumor_parse(buf_view(&b), &e);
    assert_non_null(back);
    assert_memory_equal(back->f.id, r->f.id, 32);
    for (int i = 0; i < 2; i++) {
        cleanup_free char *bad = changed((char *)b.p, "{", i ? "{\"sig\":\"\"," : "{\"extra\":0,");

        assert_null(rumor_parse(view_str(bad), &e));
        assert_non_null(strstr(e.text, i ? "must not be signed" : "its six"));
    }
    rumor_free(r);
    rumor_free(copy);
    rumor_free(back);
    keypair_free(k);
}

static void a_rumor_without_its_id_is_refused(void **state) {
    struct keypair *k = keypair_new();
    struct fields f = fields_new(14, 1763800000, view_str("hi"));
    struct rumor *r = rumor_make(&f, keypair_pub(k));
    cleanup_buf struct buf b = {0};
    struct err e;

    (void)state;
    r->f.id[0] ^= 1;
    rumor_json(r, &b);
    assert_null(rumor_parse(buf_view(&b), &e));
    assert_string_equal(e.code, "bad-id");
    rumor_free(r);
    keypair_free(k);
}

static bool taken_with_tags(int n, struct err *e) {
    struct keypair *k = keypair_new();
    struct fields f = fields_new(1, 0, view_str(""));
    cleanup_buf struct buf b = {0};
    struct event *ev, *back;

    for (int i = 0; i < n; i++)
        fields_add(&f, "t");
    ev = event_sign(&f, k);
    event_json(ev, &b);
    back = event_parse(buf_view(&b), e);
    n = back != NULL;
    event_free(ev);
    event_free(back);
    keypair_free(k);
    return n;
}

static void tags_are_capped(void **state) {
    struct err e;

    (void)state;
    assert_true(taken_with_tags(EVENT_TAGS_MAX, &e));
    assert_false(taken_with_tags(EVENT_TAGS_MAX + 1, &e));
    assert_non_null(strstr(e.text, "more than 2000 tags"));
}

static void oversized_text_is_refused_unparsed(void **state) {
    cleanup_free char *big = mem_new(EVENT_MAX + 1);
    struct err e;

    (void)state;
    assert_null(event_parse(view_of(big, EVENT_MAX + 1), &e));
    assert_string_equal(e.code, "too-large");
}

/* ---- vectors ---- */

static struct event *event_of(const cJSON *row, struct err *e) {
    cleanup_free char *text = row_text(row, "event");

    return event_parse(view_str(text), e);
}

/* With the row's key the same event must come out: the id is ours, not only accepted. */
static void check_made(const cJSON *row, const struct event *want) {
    struct fields f = fields_copy(&want->f);
    struct keypair *k;
    struct event *ev;
    uint8_t sk[32], hash[32];

    row_hex(row, "secret_key", sk, 32);
    k = keypair_from(sk, NULL);
    ev = event_sign(&f, k);
    assert_memory_equal(ev->f.id, want->f.id, 32);
    assert_memory_equal(ev->f.pubkey, want->f.pubkey, 32);
    sha256(view_str(row_str(row, "serialized")), hash);
    assert_memory_equal(ev->f.id, hash, 32);
    event_free(ev);
    keypair_free(k);
}

static void nip01_events(void **state) {
    const cJSON *row;
    struct event *ev;
    struct err e;

    (void)state;
    VECTORS(v, "nostr/nip01_events.json");
    cJSON_ArrayForEach(row, row_at(v, "valid")) {
        ev = event_of(row, &e);
        if (!ev)
            fail_msg("%s", e.text);
        check_made(row, ev);
        event_free(ev);
    }
    cJSON_ArrayForEach(row, row_at(v, "invalid")) {
        if (event_of(row, &e))
            fail_msg("taken: %s", row_str(row, "why"));
        assert_true(strlen(e.code) > 0 && strlen(e.text) > 0);
    }
    cJSON_Delete(v);
}

static void nip01_control_characters(void **state) {
    const cJSON *row;
    uint8_t pub[32], id[32];

    (void)state;
    VECTORS(v, "nostr/nip01_control_chars.json");
    row_hex(v, "pubkey", pub, 32);
    cJSON_ArrayForEach(row, row_at(v, "rows")) {
        char content[3] = {'a', (char)row_at(row, "byte")->valueint, 'b'};
        struct fields f = fields_new(1, 1763800000, view_of(content, 3));

        memcpy(f.pubkey, pub, 32);
        fields_id(&f, id);
        assert_hex(id, 32, row_str(row, "id_escaped"));
        fields_free(&f);
    }
    cJSON_Delete(v);
}

static void events_of_the_nips(void **state) {
    const cJSON *row;
    int good = 0;

    (void)state;
    VECTORS(v, "nostr/nip_doc_events.json");
    cJSON_ArrayForEach(row, row_at(v, "rows")) {
        struct event *ev = event_of(row, NULL);

        if ((ev != NULL) != cJSON_IsTrue(row_at(row, "valid")))
            fail_msg("%s", row_str(row, "file"));
        good += ev != NULL;
        event_free(ev);
    }
    assert_int_equal(good, 5);
    cJSON_Delete(v);
}

/* "Nostr <base64>": the header carries the very event beside it. */
static void check_header(const cJSON *part, const char *key,
                         bool (*decode)(struct view, struct buf *)) {
    const char *header = row_str(part, key);
    cleanup_buf struct buf text = {0};
    struct event *ev;

    assert_memory_equal(header, "Nostr ", 6);
    assert_true(decode(view_str(header + 6), &text));
    ev = event_parse(buf_view(&text), NULL);
    assert_non_null(ev);
    assert_hex(ev->f.id, 32, row_str(row_at(part, "event"), "id"));
    event_free(ev);
}

static void auth_events(void **state) {
    static const char *const parts[] = {"nip42", "nip98", "blossom_bud11"};

    (void)state;
    VECTORS(v, "nostr/auth_events.json");
    for (size_t i = 0; i < COUNT(parts); i++) {
        struct event *ev = event_of(row_at(v, parts[i]), NULL);

        assert_non_null(ev);
        assert_hex(ev->f.pubkey, 32, row_str(row_at(row_at(v, parts[i]), "event"), "pubkey"));
        event_free(ev);
    }
    check_header(row_at(v, "nip98"), "header", base64_decode);
    check_header(row_at(v, "blossom_bud11"), "header_base64url_nopad", base64url_decode);
    check_header(row_at(v, "blossom_bud11"), "header_legacy_base64", base64_decode);
    cJSON_Delete(v);
}

static void nip13_events(void **state) {
    const cJSON *row;

    (void)state;
    VECTORS(v, "nostr/nip13.json");
    cJSON_ArrayForEach(row, row_at(v, "rows")) {
        struct event *ev = event_of(row, NULL);

        assert_non_null(ev);
        assert_int_equal(pow_difficulty(ev->f.id), row_at(row, "leading_zero_bits")->valueint);
        event_free(ev);
    }
    cJSON_Delete(v);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_we_sign_verifies),
        cmocka_unit_test(shape_is_strict),
        cmocka_unit_test(lies_have_codes),
        cmocka_unit_test(extra_keys_of_an_event_are_ignored),
        cmocka_unit_test(rumors_have_six_keys),
        cmocka_unit_test(a_rumor_without_its_id_is_refused),
        cmocka_unit_test(tags_are_capped),
        cmocka_unit_test(oversized_text_is_refused_unparsed),
        cmocka_unit_test(nip01_events),
        cmocka_unit_test(nip01_control_characters),
        cmocka_unit_test(events_of_the_nips),
        cmocka_unit_test(auth_events),
        cmocka_unit_test(nip13_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
