#include "core/filter.c"
#include "tests/unit/vectors.h"

#define ID "00000000000000000000000000000000000000000000000000000000000000ff"

static struct filter *parse_text(const char *text, struct err *e) {
    cJSON *o = json_parse(view_str(text), 1 << 20, e);
    struct filter *f;

    assert_non_null(o);
    f = filter_parse(o, e);
    cJSON_Delete(o);
    return f;
}

static bool matches(const char *text, const struct fields *ev) {
    struct filter *f = parse_text(text, NULL);
    bool r;

    assert_non_null(f);
    r = filter_match(f, ev);
    filter_free(f);
    return r;
}

static void fields_and_lists(void **state) {
    struct fields ev = fields_new(5050, 1000, view_str(""));

    (void)state;
    ev.id[31] = ev.pubkey[31] = 0xff;
    fields_add(&ev, "t", "one", "two");
    fields_add(&ev, "tt", "three");
    fields_add(&ev, "e");

    assert_true(matches("{}", &ev));
    assert_true(matches("{\"ids\":[\"" ID "\"],\"authors\":[\"" ID "\"],\"kinds\":[1,5050],"
                        "\"since\":1000,\"until\":1000,\"limit\":0,\"#t\":[\"x\",\"one\"]}",
                        &ev));
    assert_false(matches("{\"ids\":[]}", &ev));
    assert_false(matches("{\"authors\":[]}", &ev));
    assert_false(matches("{\"kinds\":[]}", &ev));
    assert_false(matches("{\"#t\":[]}", &ev));
    assert_false(matches("{\"#t\":[\"two\"]}", &ev)); /* not the first value */
    assert_false(matches("{\"#t\":[\"three\"]}", &ev));
    assert_false(matches("{\"#T\":[\"one\"]}", &ev));
    assert_false(matches("{\"#e\":[\"" ID "\"]}", &ev));
    assert_false(matches("{\"since\":1001}", &ev));
    assert_false(matches("{\"until\":999}", &ev));
    assert_false(matches("{\"kinds\":[5050],\"#t\":[\"x\"]}", &ev));
    fields_free(&ev);
}

static void bad_filters_are_named(void **state) {
    static const char *const wrong[] = {
        "[]",
        "{\"search\":\"x\"}",
        "{\"#tt\":[]}",
        "{\"#\":[]}",
        "{\"#1\":[]}",
        "{\"Ids\":[]}",
        "{\"ids\":\"" ID "\"}",
        "{\"ids\":[1]}",
        "{\"ids\":[\"00\"]}",
        "{\"ids\":[\"00000000000000000000000000000000000000000000000000000000000000FF\"]}",
        "{\"#p\":[\"npub1\"]}",
        "{\"#e\":[\"\"]}",
        "{\"#t\":[1]}",
        "{\"#t\":\"a\"}",
        "{\"kinds\":[-1]}",
        "{\"kinds\":[65536]}",
        "{\"kinds\":[\"1\"]}",
        "{\"since\":-1}",
        "{\"until\":\"now\"}",
        "{\"limit\":null}",
    };
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        if (parse_text(wrong[i], &e))
            fail_msg("taken: %s", wrong[i]);
        assert_string_equal(e.code, "invalid");
    }
}

/* A filter of n elements over two lists. */
static struct filter *parse_sized(int n, struct err *e) {
    cleanup_buf struct buf b = {0};

    buf_str(&b, "{\"#t\":[\"x\"],\"kinds\":[0");
    for (int i = 2; i < n; i++)
        buf_fmt(&b, ",%d", i);
    buf_str(&b, "]}");
    return parse_text((char *)b.p, e);
}

static void elements_are_capped(void **state) {
    struct filter *f = parse_sized(ELEMENTS_MAX, NULL);
    struct err e;

    (void)state;
    assert_non_null(f);
    filter_free(f);
    filter_free(NULL);
    assert_null(parse_sized(ELEMENTS_MAX + 1, &e));
    assert_non_null(strstr(e.text, "500 elements"));
}

static void matches_of_the_vectors(void **state) {
    const cJSON *row, *ev, *id;

    (void)state;
    VECTORS(v, "nostr/nip01_filters.json");
    cJSON_ArrayForEach(row, row_at(v, "filters")) {
        struct filter *f = filter_parse(row_at(row, "filter"), NULL);
        int matched = 0;

        assert_non_null(f);
        cJSON_ArrayForEach(ev, row_at(v, "events")) {
            struct raw_event *raw = raw_event_from_json(ev, NULL);
            bool wanted = false;

            assert_non_null(raw);
            cJSON_ArrayForEach(id, row_at(row, "matching_ids")) wanted |=
                strcmp(id->valuestring, row_str(ev, "id")) == 0;
            assert_int_equal(filter_match(f, &raw->f), wanted);
            matched += wanted;
            raw_event_free(raw);
        }
        assert_int_equal(matched, cJSON_GetArraySize(row_at(row, "matching_ids")));
        filter_free(f);
    }
    cJSON_Delete(v);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_and_lists),
        cmocka_unit_test(bad_filters_are_named),
        cmocka_unit_test(elements_are_capped),
        cmocka_unit_test(matches_of_the_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
