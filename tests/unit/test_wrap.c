#include "core/wrap.c"
#include "core/json.h"
#include "tests/unit/vectors.h"

#define NOW INT64_C(1763800000)

static struct keypair *alice, *bob, *carol;

static int make_keys(void **state) {
    (void)state;
    alice = keypair_new();
    bob = keypair_new();
    carol = keypair_new();
    return 0;
}

static int free_keys(void **state) {
    (void)state;
    keypair_free(alice);
    keypair_free(bob);
    keypair_free(carol);
    return 0;
}

static struct rumor *message(const char *text, const struct keypair *from,
                             const struct keypair *to) {
    struct fields f = fields_new(14, NOW, view_str(text));
    char hex[65];

    hex_encode(view_of(keypair_pub(to), 32), hex);
    fields_add(&f, "p", hex);
    return rumor_make(&f, keypair_pub(from));
}

static void assert_refused(const struct event *wrap, const struct keypair *me, const char *says) {
    struct err e = {0};

    assert_non_null(wrap);
    assert_null(wrap_open(wrap, me, NULL, &e));
    assert_string_equal(e.code, "bad-wrap");
    if (!strstr(e.text, says))
        fail_msg("%s", e.text);
}

static void round_trip(uint32_t kind, struct wrap_keys *ka, struct wrap_keys *kb) {
    struct rumor *r = message("hi", alice, bob), *back;
    struct event *w = wrap_make(r, alice, ka, keypair_pub(bob), kind, NOW, 0, NULL);
    struct err e;

    assert_non_null(w);
    back = wrap_open(w, bob, kb, &e);
    if (!back)
        fail_msg("%s", e.text);
    assert_memory_equal(back->f.id, r->f.id, 32);
    assert_string_equal(back->f.content, "hi");
    rumor_free(r);
    rumor_free(back);
    event_free(w);
}

static void both_kinds_with_and_without_a_cache(void **state) {
    struct wrap_keys *ka = wrap_keys_new(alice), *kb = wrap_keys_new(bob);

    (void)state;
    round_trip(KIND_WRAP, NULL, NULL);
    for (int i = 0; i < 3; i++) {
        round_trip(KIND_WRAP, ka, kb);
        round_trip(KIND_WRAP_EPHEMERAL, ka, kb);
    }
    assert_int_equal(ka->n, 1);
    assert_int_equal(kb->n, 1);
    round_trip(KIND_WRAP, kb, ka); /* another key's cache is not used */
    assert_int_equal(ka->n, 1);
    wrap_keys_free(ka);
    wrap_keys_free(kb);
    wrap_keys_free(NULL);
}

static void the_cache_keeps_its_size(void **state) {
    struct wrap_keys *keys = wrap_keys_new(alice);
    struct nip44_key first, again, direct;
    struct keypair *peer = keypair_new();

    (void)state;
    assert_int_equal(conversation(keys, alice, keypair_pub(peer), &first, NULL), 0);
    for (int i = 0; i < CACHED; i++) {
        struct keypair *other = keypair_new();

        assert_int_equal(conversation(keys, alice, keypair_pub(other), &again, NULL), 0);
        assert_int_equal(nip44_conversation(alice, keypair_pub(other), &direct, NULL), 0);
        assert_memory_equal(again.k, direct.k, 32);
        keypair_free(other);
    }
    assert_int_equal(keys->n, CACHED);
    assert_int_equal(conversation(keys, alice, keypair_pub(peer), &again, NULL), 0);
    assert_memory_equal(again.k, first.k, 32);
    keypair_free(peer);
    wrap_keys_free(keys);
}

static void outside_tells_only_the_recipient(void **state) {
    struct rumor *r = message("hi", alice, bob);
    struct event *a = wrap_make(r, alice, NULL, keypair_pub(bob), KIND_WRAP, NOW, NOW + 60, NULL);
    struct event *b = wrap_make(r, alice, NULL, keypair_pub(bob), KIND_WRAP, NOW, 0, NULL);

    (void)state;
    assert_memory_not_equal(a->f.pubkey, b->f.pubkey, 32);
    assert_memory_not_equal(a->f.pubkey, keypair_pub(alice), 32);
    assert_int_equal(a->f.n_tags, 2);
    assert_string_equal(fields_get(&a->f, "expiration", 1), "1763800060");
    assert_int_equal(b->f.n_tags, 1);
    assert_true(b->f.n_tags == 1 && b->f.tags[0].n == 2);
    rumor_free(r);
    event_free(a);
    event_free(b);
}

static void times_lie_within_two_days(void **state) {
    struct rumor *r = message("hi", alice, bob);
    int64_t least = NOW, most = 0;

    (void)state;
    for (int i = 0; i < 40; i++) {
        struct event *w = wrap_make(r, alice, NULL, keypair_pub(bob), KIND_WRAP, NOW, 0, NULL);

        assert_in_range(w->f.created_at, NOW - 2 * 86400, NOW);
        least = w->f.created_at < least ? w->f.created_at : least;
        most = w->f.created_at > most ? w->f.created_at : most;
        event_free(w);
    }
    assert_true(most - least > 86400); /* 40 draws from two days */
    for (int i = 0; i < 3; i++) {
        struct event *w =
            wrap_make(r, alice, NULL, keypair_pub(bob), KIND_WRAP_EPHEMERAL, NOW, 0, NULL);

        assert_true(w->f.created_at == NOW);
        event_free(w);
    }
    assert_true(backdated(5) >= 0);
    rumor_free(r);
}

static void making_is_guarded(void **state) {
    struct rumor *r = message("hi", alice, bob);
    uint8_t off[32] = {[31] = 5};
    struct err e;

    (void)state;
    assert_null(wrap_make(r, bob, NULL, keypair_pub(bob), KIND_WRAP, NOW, 0, &e));
    assert_non_null(strstr(e.text, "another author"));
    assert_null(wrap_make(r, alice, NULL, keypair_pub(bob), 1, NOW, 0, &e));
    assert_non_null(strstr(e.text, "no gift wrap"));
    assert_null(wrap_make(r, alice, NULL, off, KIND_WRAP, NOW, 0, &e));
    assert_string_equal(e.code, "bad-key");
    rumor_free(r);
}

/* Plain text of n bytes as a message from alice to bob; true when it fits. */
static bool fits(size_t n, size_t *event_size) {
    cleanup_free char *text = mem_new(n + 1);
    struct rumor *r;
    struct event *w;
    struct err e;

    memset(text, 'x', n);
    r = message(text, alice, bob);
    w = wrap_make(r, alice, NULL, keypair_pub(bob), KIND_WRAP, NOW, 0, &e);
    if (w) {
        cleanup_buf struct buf b = {0};

        event_json(w, &b);
        *event_size = b.n;
    } else
        assert_string_equal(e.code, "too-large");
    event_free(w);
    rumor_free(r);
    return w != NULL;
}

static void a_wrap_never_exceeds_an_event(void **state) {
    size_t size = 0;

    (void)state;
    assert_true(fits(28000, &size)); /* cdvm-protocol(7), "Size and rhythm" */
    assert_in_range(size, 40000, EVENT_MAX);
    assert_false(fits(40000, &size));
    assert_false(fits(70000, &size));
}

/* A wrap around a seal of our own making, for what wrap_make would never make. */
static struct event *wrap_of(struct fields seal, const struct keypair *signer) {
    struct event *s = event_sign(&seal, signer);
    struct event *w = wrap_seal(s, keypair_pub(bob), KIND_WRAP, NOW, 0, NULL);

    event_free(s);
    return w;
}

static struct fields seal_fields(uint32_t kind, const struct rumor *r) {
    struct buf plain = {0}, content = {0};
    struct fields f;

    rumor_json(r, &plain);
    assert_int_equal(encrypt_to(NULL, alice, keypair_pub(bob), buf_view(&plain), &content, NULL),
                     0);
    f = fields_new(kind, NOW, buf_view(&content));
    buf_free(&plain);
    buf_free(&content);
    return f;
}

static void every_layer_is_checked(void **state) {
    struct rumor *good = message("hi", alice, bob), *forged = message("hi", carol, bob);
    struct rumor *other = message("hi", alice, carol);
    struct fields f;
    struct event *w;

    (void)state;
    w = wrap_make(good, alice, NULL, keypair_pub(bob), KIND_WRAP, NOW, 0, NULL);
    assert_refused(w, carol, "addressed to another key");
    w->f.kind = 1;
    assert_refused(w, bob, "kind");
    event_free(w);

    w = wrap_of(seal_fields(1, good), alice);
    assert_refused(w, bob, "kind is not 13");
    event_free(w);

    f = seal_fields(KIND_SEAL, good);
    fields_add(&f, "t", "x");
    w = wrap_of(f, alice);
    assert_refused(w, bob, "has tags");
    event_free(w);

    w = wrap_of(seal_fields(KIND_SEAL, forged), alice);
    assert_refused(w, bob, "another author");
    event_free(w);

    w = wrap_of(seal_fields(KIND_SEAL, good), carol); /* sealed by somebody without the key */
    assert_refused(w, bob, "inner layer");
    event_free(w);

    w = wrap_make(other, alice, NULL, keypair_pub(bob), KIND_WRAP, NOW, 0, NULL);
    assert_refused(w, bob, "message is addressed to another key");
    event_free(w);
    rumor_free(good);
    rumor_free(forged);
    rumor_free(other);
}

/* ---- vectors ---- */

static struct rumor *open_row(const cJSON *row, struct err *e) {
    cleanup_free char *text = row_text(row, "wrap");
    struct event *w = event_parse(view_str(text), e);
    struct rumor *r = NULL;
    struct keypair *me;
    uint8_t sk[32];

    row_hex(row, "recipient_sk", sk, 32);
    me = keypair_from(sk, NULL);
    if (w)
        r = wrap_open(w, me, NULL, e);
    event_free(w);
    keypair_free(me);
    return r;
}

static void generated_wraps_open(void **state) {
    const cJSON *row;
    int opened = 0;

    (void)state;
    VECTORS(v, "nostr/giftwrap_generated.json");
    cJSON_ArrayForEach(row, row_at(v, "valid")) {
        struct err e;
        struct rumor *r = open_row(row, &e);

        if (!r)
            fail_msg("%s", e.text);
        assert_hex(r->f.id, 32, row_str(row_at(row, "rumor"), "id"));
        assert_string_equal(r->f.content, row_str(row_at(row, "rumor"), "content"));
        opened++;
        rumor_free(r);
    }
    assert_int_equal(opened, 8);
    cJSON_Delete(v);
}

/* Each attack is refused for what it is, not by luck. Rows in the order of the file. */
static void attacks_are_refused(void **state) {
    static const struct {
        const char *code, *says;
    } want[] = {
        {"bad-wrap", "another author than the seal's signer"},
        {"bad-wrap", "seal: the event's signature"},
        {"bad-wrap", "seal: the event's id"},
        {"bad-wrap", "seal's kind is not 13"},
        {"bad-wrap", "seal has tags"},
        {"bad-wrap", "message: the event's id"},
        {"bad-wrap", "must not be signed"},
        {"bad-wrap", "seal: bad JSON"},
        {"bad-wrap", "message: bad JSON"},
        {"bad-wrap", "inner layer: cannot decrypt"},
        {"bad-wrap", "outer layer: cannot decrypt"},
        {"bad-sig", "signature is not valid"},
        {"bad-id", "id is not the hash"},
    };
    const cJSON *row;
    size_t i = 0;

    (void)state;
    VECTORS(v, "nostr/giftwrap_generated.json");
    assert_int_equal(cJSON_GetArraySize(row_at(v, "invalid")), COUNT(want));
    cJSON_ArrayForEach(row, row_at(v, "invalid")) {
        struct err e = {0};

        if (open_row(row, &e))
            fail_msg("taken: %s", row_str(row, "why"));
        if (strcmp(e.code, want[i].code) != 0 || !strstr(e.text, want[i].says))
            fail_msg("%s: %s (%s)", row_str(row, "why"), e.text, e.code);
        i++;
    }
    cJSON_Delete(v);
}

/* The examples of 17.md: the recipient's copy opens; the sender's copy to itself is not addressed
 * to the one who opens it, which wrap_open refuses because nobody here sends such copies. */
static void official_nip17(void **state) {
    const cJSON *rows;
    struct rumor *r;
    struct err e;

    (void)state;
    VECTORS(v, "nostr/nip59_nip17_official.json");
    rows = row_at(v, "nip17");
    assert_int_equal(cJSON_GetArraySize(rows), 2);
    r = open_row(cJSON_GetArrayItem(rows, 0), &e);
    assert_non_null(r);
    assert_string_equal(r->f.content, "Hola, que tal?");
    assert_hex(r->f.id, 32, row_str(row_at(cJSON_GetArrayItem(rows, 0), "rumor"), "id"));
    rumor_free(r);
    assert_null(open_row(cJSON_GetArrayItem(rows, 1), &e));
    assert_non_null(strstr(e.text, "message is addressed to another key"));
    cJSON_Delete(v);
}

/* The rumor of a row's seal, decrypted without any check of addresses. */
static struct rumor *rumor_in_seal(const cJSON *row) {
    cleanup_free char *text = row_text(row, "seal");
    struct event *seal = event_parse(view_str(text), NULL);
    cleanup_buf struct buf plain = {0};
    struct keypair *me;
    uint8_t sk[32];

    row_hex(row, "recipient_sk", sk, 32);
    me = keypair_from(sk, NULL);
    assert_non_null(seal);
    assert_int_equal(decrypt_from(NULL, me, &seal->f, &plain, NULL), 0);
    event_free(seal);
    keypair_free(me);
    return rumor_parse(buf_view(&plain), NULL);
}

/* The example of 59.md has no p tag in its rumor: all layers are right, and the last check refuses.
 */
static void official_nip59(void **state) {
    struct rumor *r;
    struct err e;

    (void)state;
    VECTORS(v, "nostr/nip59_nip17_official.json");
    r = rumor_in_seal(row_at(v, "nip59"));
    assert_non_null(r);
    assert_string_equal(r->f.content, "Are you going to the party tonight?");
    rumor_free(r);
    assert_null(open_row(row_at(v, "nip59"), &e));
    assert_non_null(strstr(e.text, "message is addressed to another key"));
    cJSON_Delete(v);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_kinds_with_and_without_a_cache),
        cmocka_unit_test(the_cache_keeps_its_size),
        cmocka_unit_test(outside_tells_only_the_recipient),
        cmocka_unit_test(times_lie_within_two_days),
        cmocka_unit_test(making_is_guarded),
        cmocka_unit_test(a_wrap_never_exceeds_an_event),
        cmocka_unit_test(every_layer_is_checked),
        cmocka_unit_test(generated_wraps_open),
        cmocka_unit_test(attacks_are_refused),
        cmocka_unit_test(official_nip17),
        cmocka_unit_test(official_nip59),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
