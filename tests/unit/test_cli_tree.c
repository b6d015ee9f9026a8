#include "tui/cli_tree.c"
#include "tests/unit/unit.h"
#include "tests/unit/world.h"
#include "core/text.h"

static struct world w;

static int setup(void **state) {
    (void)state;
    world_init(&w);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    world_free(&w);
    return 0;
}

static size_t each_line(const struct buf *b, const char *must) {
    const char *p = (const char *)b->p;
    size_t n = 0;

    while (*p) {
        size_t len = strcspn(p, "\n");
        cleanup_free char *line = mem_strn(p, len);

        assert_int_equal(p[len], '\n');
        if (must && !strstr(line, must))
            fail_msg("without %s: %s", must, line);
        assert_true(text_ascii_printable(view_str(line)));
        p += len + 1;
        n++;
    }
    return n;
}

static void every_line_says_simulated(void **state) {
    struct verdict *v = world_verify(&w);
    cleanup_buf struct buf out = {0};

    (void)state;
    verdict_text(v, &out);
    assert_true(each_line(&out, "SIMULATED") > 40);
    assert_non_null(strstr((char *)out.p, "SIMULATED VERDICT PASS  policy demo, processor Genoa"));
    verdict_free(v);
    w.ev.guest[0] ^= 1; /* a failure has more lines: they say it too */
    v = world_verify(&w);
    buf_reset(&out);
    verdict_text(v, &out);
    assert_true(each_line(&out, "SIMULATED") > 45);
    assert_non_null(strstr((char *)out.p, "why       The key that speaks to you"));
    verdict_free(v);
}

static void a_root_of_nobody_is_not_called_simulated(void **state) {
    struct verdict *v;
    cleanup_buf struct buf out = {0};

    (void)state;
    w.x.n_sim_roots = 0;
    v = world_verify(&w);
    verdict_text(v, &out);
    (void)each_line(&out, NULL);
    assert_null(strstr((char *)out.p, "SIMULATED"));
    assert_non_null(strstr((char *)out.p, "VERDICT FAIL"));
    verdict_free(v);
}

static void confirmations_are_shown(void **state) {
    struct verdict *v;
    cleanup_buf struct buf out = {0};
    struct err e;

    (void)state;
    w.x.pins.n_digests = 0;
    v = world_verify(&w);
    assert_int_equal(verdict_confirm(v, "release.endorsed", false, &e), 0);
    assert_int_equal(verdict_confirm(v, "workload.endorsed", true, &e), 0);
    verdict_text(v, &out);
    assert_non_null(strstr((char *)out.p, "guest image vouched for (accepted)"));
    assert_non_null(strstr((char *)out.p, "workload vouched for (accepted earlier)"));
    assert_non_null(strstr((char *)out.p, "do        Check the workload and pin its digest"));
    verdict_free(v);
}

static size_t count_checks(const cJSON *list) {
    static const char *const keys[] = {"id",       "title", "state", "source",
                                       "expected", "got",   "why",   "do"};
    static const char *const flags[] = {"required", "accepted", "remembered"};
    const cJSON *c;
    size_t n = 0;

    assert_true(cJSON_IsArray(list));
    cJSON_ArrayForEach(c, list) {
        for (size_t i = 0; i < COUNT(keys); i++)
            assert_true(cJSON_IsString(cJSON_GetObjectItem(c, keys[i])));
        for (size_t i = 0; i < COUNT(flags); i++)
            assert_true(cJSON_IsBool(cJSON_GetObjectItem(c, flags[i])));
        assert_int_equal(cJSON_GetArraySize(c), COUNT(keys) + COUNT(flags) + 1);
        n += 1 + count_checks(cJSON_GetObjectItem(c, "checks"));
    }
    return n;
}

static void json_has_the_promised_shape(void **state) {
    struct verdict *v = world_verify(&w);
    cleanup_buf struct buf out = {0};
    struct err e;
    cJSON *o;

    (void)state;
    verdict_json(v, &out);
    o = json_parse(buf_view(&out), (size_t)1 << 20, &e);
    assert_non_null(o);
    assert_int_equal(cJSON_GetArraySize(o), 5);
    assert_string_equal(json_opt(o, "verdict"), "PASS");
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(o, "simulated")));
    assert_string_equal(json_opt(o, "product"), "Genoa");
    assert_int_equal(strlen(json_opt(o, "as_of")), 20);
    assert_true(count_checks(cJSON_GetObjectItem(o, "checks")) > 40);
    cJSON_Delete(o);
    verdict_free(v);
}

static void times(void **state) {
    char out[32];

    (void)state;
    time_rfc3339(0, out);
    assert_string_equal(out, "1970-01-01T00:00:00Z");
    time_rfc3339(1795305600, out);
    assert_string_equal(out, "2026-11-22T00:00:00Z");
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(every_line_says_simulated),
        T(a_root_of_nobody_is_not_called_simulated),
        T(confirmations_are_shown),
        T(json_has_the_promised_shape),
        T(times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
