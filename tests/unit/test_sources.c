#include "tui/sources.c"
#include "tests/unit/unit.h"

static const char LEASE[] = "# Lease\n\nThe flat is let to A. Berg.\r\nNotice is three\n"
                            "months, in writing.\n\nNo pets.\n";

static struct sources read_json(const char *json) {
    cJSON *list = json_parse(view_str(json), 1 << 20, NULL);
    struct sources s;

    assert_non_null(list);
    sources_read(list, &s);
    cJSON_Delete(list);
    return s;
}

static void what_a_guest_sends_is_read(void **state) {
    struct sources s =
        read_json("[{\"doc\":\"lease.md\",\"offset\":37,\"score\":812,\"snippet\":\"Notice is\"},"
                  "{\"doc\":\"b.txt\",\"snippet\":\"x\"}]");
    cleanup_buf struct buf line = {0};

    (void)state;
    assert_int_equal(s.n, 2);
    assert_string_equal(s.v[0].doc, "lease.md");
    assert_true(s.v[0].has_offset && s.v[0].has_score);
    assert_int_equal(s.v[0].offset, 37);
    assert_int_equal(s.v[0].score, 812);
    assert_false(s.v[1].has_offset || s.v[1].has_score);
    source_words(&s.v[0], 1, 100, &line);
    assert_true(view_is(buf_view(&line), "[1] lease.md, at byte 37: \"Notice is\""));
    buf_reset(&line);
    source_words(&s.v[0], 12, 3, &line);
    assert_null(memmem(line.p, line.n, "Notice", 6));
    sources_free(&s);
    sources_free(&s);
}

static void what_is_no_source_is_left_out(void **state) {
    struct sources s =
        read_json("[1,null,\"x\",[],{},{\"doc\":\"a\"},{\"snippet\":\"b\"},"
                  "{\"doc\":\"\",\"snippet\":\"b\"},{\"doc\":7,\"snippet\":\"b\"},"
                  "{\"doc\":\"a\",\"snippet\":\"b\",\"offset\":-4,\"score\":\"x\"}]");
    cleanup_buf struct buf many = {0};

    (void)state;
    assert_int_equal(s.n, 1);
    assert_false(s.v[0].has_offset || s.v[0].has_score);
    sources_free(&s);
    buf_str(&many, "[");
    for (int i = 0; i < SOURCES_MAX + 9; i++)
        buf_fmt(&many, "%s{\"doc\":\"d\",\"snippet\":\"s\"}", i ? "," : "");
    buf_str(&many, "]");
    s = read_json((const char *)many.p);
    assert_int_equal(s.n, SOURCES_MAX);
    sources_free(&s);
    sources_read(NULL, &s);
    assert_int_equal(s.n, 0);
    sources_free(&s);
}

static void hostile_text_is_disarmed(void **state) {
    struct sources s = read_json("[{\"doc\":\"a\\u001b]0;x\\u0007\\u202eb\\n\",\"snippet\":\"c"
                                 "\\u001b[2J\\u202ed\\ne\"}]");
    cleanup_buf struct buf line = {0};

    (void)state;
    source_words(&s.v[0], 1, 100, &line);
    for (size_t i = 0; i < line.n; i++)
        assert_true(line.p[i] >= 0x20);
    assert_null(strstr(s.v[0].doc, "\xe2\x80\xae"));
    assert_null(strstr(s.v[0].snippet, "\xe2\x80\xae"));
    assert_non_null(strchr(s.v[0].snippet, '\n')); /* prose keeps its lines */
    sources_free(&s);
}

static void expect_found(const char *snippet, uint64_t offset, bool has_offset, const char *text) {
    struct source s = {.snippet = (char *)(uintptr_t)snippet, .offset = offset};
    size_t from = 0, to = 0;
    bool found;

    s.has_offset = has_offset;
    found = source_find(&s, view_str(LEASE), &from, &to);
    if (!text) {
        assert_false(found);
        return;
    }
    assert_true(found);
    if (to - from != strlen(text) || memcmp(LEASE + from, text, to - from) != 0)
        fail_msg("found '%.*s'", (int)(to - from), LEASE + from);
}

static void a_passage_is_found_where_it_stands(void **state) {
    (void)state;
    expect_found("No pets.", 0, false, "No pets.");
    expect_found("No pets.", 68, true, "No pets.");
    expect_found("No pets.", 100000, true, "No pets."); /* a bad offset still finds it */
    expect_found("Notice is three months, in writing.", 38, true,
                 "Notice is three\nmonths, in writing."); /* another white space */
    expect_found("  Notice   is\nthree", 38, true, "Notice is three");
    expect_found("Berg. Notice is", 0, true, "Berg.\r\nNotice is");
    expect_found("Notice is thr...", 38, true, "Notice is thr"); /* cut with an ellipsis */
    expect_found("Notice is thr\xe2\x80\xa6", 0, true, "Notice is thr");
    expect_found("\xe2\x80\xa6 is three months\xe2\x80\xa6", 0, true, "is three\nmonths");
    expect_found("The flat is sold", 9, true, NULL);
    expect_found("", 0, true, NULL);
    expect_found(" ...", 0, true, NULL);
    expect_found("Noticeis", 0, true, NULL);
}

/* The nearest to the offset, when it stands there twice. */
static void the_nearest_is_taken(void **state) {
    static const char DOC[] = "same words. other words. same words.";
    struct source s = {.snippet = (char[]){"same words."}, .offset = 30, .has_offset = true};
    size_t from, to;

    (void)state;
    assert_true(source_find(&s, view_str(DOC), &from, &to));
    assert_int_equal(from, 25);
    s.offset = 3;
    assert_true(source_find(&s, view_str(DOC), &from, &to));
    assert_int_equal(from, 0);
    assert_int_equal(to, 11);
    assert_false(source_find(&s, view_str(""), &from, &to));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_guest_sends_is_read),
        cmocka_unit_test(what_is_no_source_is_left_out),
        cmocka_unit_test(hostile_text_is_disarmed),
        cmocka_unit_test(a_passage_is_found_where_it_stands),
        cmocka_unit_test(the_nearest_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
