#include "core/event_query.c"
#include "tests/unit/vectors.h"

static void tags_by_name(void **state) {
    struct fields f = fields_new(1, 0, view_str(""));

    (void)state;
    fields_add(&f, "e");
    fields_add(&f, "p", "one", "hint");
    fields_add(&f, "p", "two");
    assert_string_equal(fields_get(&f, "p", 1), "one");
    assert_string_equal(fields_get(&f, "p", 2), "hint");
    assert_null(fields_get(&f, "p", 3));
    assert_null(fields_get(&f, "e", 1));
    assert_null(fields_get(&f, "P", 1));
    assert_string_equal(fields_find(&f, "p", 1)->v[1], "two");
    assert_null(fields_find(&f, "p", 2));
    assert_false(fields_protected(&f));
    fields_add(&f, "-");
    assert_true(fields_protected(&f));
    fields_free(&f);
}

static bool expired(const char *at, int64_t now) {
    struct fields f = fields_new(1, 0, view_str(""));
    bool r;

    fields_add(&f, "expiration", at);
    r = fields_expired(&f, now);
    fields_free(&f);
    return r;
}

static void expiry(void **state) {
    struct fields f = fields_new(1, 0, view_str(""));

    (void)state;
    assert_false(fields_expired(&f, INT64_MAX));
    assert_true(expired("100", 100));
    assert_true(expired("0", 0));
    assert_false(expired("101", 100));
    assert_false(expired("", 100));
    assert_false(expired("-1", 100));
    assert_false(expired("10 ", 100));
    assert_false(expired("0x1", 100));
    assert_false(expired("99999999999999999999", 100));
    fields_free(&f);
}

static void difficulty_counts_leading_zero_bits(void **state) {
    uint8_t id[32] = {0};

    (void)state;
    assert_int_equal(pow_difficulty(id), 256);
    id[31] = 1;
    assert_int_equal(pow_difficulty(id), 255);
    id[4] = 0x40;
    assert_int_equal(pow_difficulty(id), 33);
    id[0] = 0x80;
    assert_int_equal(pow_difficulty(id), 0);
}

static void classes_at_the_edges(void **state) {
    (void)state;
    assert_int_equal(kind_class(9999), KIND_REGULAR);
    assert_int_equal(kind_class(10000), KIND_REPLACEABLE);
    assert_int_equal(kind_class(19999), KIND_REPLACEABLE);
    assert_int_equal(kind_class(20000), KIND_EPHEMERAL);
    assert_int_equal(kind_class(29999), KIND_EPHEMERAL);
    assert_int_equal(kind_class(30000), KIND_ADDRESSABLE);
    assert_int_equal(kind_class(39999), KIND_ADDRESSABLE);
    assert_int_equal(kind_class(40000), KIND_REGULAR);
}

/* Kinds that NIP-01 leaves unclassified are treated as regular: stored, never replaced. */
static void classes_of_the_vectors(void **state) {
    static const char *const name[] = {"regular", "replaceable", "ephemeral", "addressable"};
    const cJSON *row;

    (void)state;
    VECTORS(v, "nostr/nip01_kind_class.json");
    cJSON_ArrayForEach(row, row_at(v, "rows")) {
        uint32_t kind = (uint32_t)cJSON_GetArrayItem(row, 0)->valueint;
        const char *want = cJSON_GetArrayItem(row, 1)->valuestring;

        if (strcmp(want, "unclassified") == 0)
            want = "regular";
        assert_string_equal(name[kind_class(kind)], want);
    }
    cJSON_Delete(v);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_by_name),
        cmocka_unit_test(expiry),
        cmocka_unit_test(difficulty_counts_leading_zero_bits),
        cmocka_unit_test(classes_at_the_edges),
        cmocka_unit_test(classes_of_the_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
