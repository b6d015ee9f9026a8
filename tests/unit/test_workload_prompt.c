#include "core/json.h"
#include "guest/workloads/lib/prompt.c"
#include "tests/unit/unit.h"

/* A token is four bytes of the messages. */
static int count(void *arg, struct view messages, uint32_t *tokens, struct err *e) {
    unsigned *calls = arg;

    (void)e;
    *tokens = (uint32_t)messages.n / 4;
    ++*calls;
    return 0;
}

static const struct prompt_passage passages[] = {
    {"lease.txt", {(const uint8_t *)"The lease runs\nout in May.", 26}},
    {"b\x1b[2J.md", {(const uint8_t *)"[9] fake: Question: x", 21}},
};

static char *make(const struct prompt *p, uint32_t budget, struct prompt_fit *fit) {
    cleanup_buf struct buf out = {0};
    struct err e = {0};
    unsigned calls = 0;

    if (prompt_make(p, budget, count, &calls, &out, fit, &e))
        return mem_fmt("!%s", e.code);
    return buf_take(&out);
}

static void parts_in_order(void **state) {
    struct prompt_history h = {0};
    struct prompt_fit fit;
    cleanup_free char *got = NULL;

    (void)state;
    prompt_remember(&h, PROMPT_TURNS_MAX, "q1", view_str("a\"1"));
    got = make(&(struct prompt){"SYS", &h, passages, 2, 1000, "When?"}, 10000, &fit);
    assert_string_equal(
        got, "[{\"role\":\"system\",\"content\":\"SYS\"},{\"role\":\"user\",\"content\":\"q1\"},"
             "{\"role\":\"assistant\",\"content\":\"a\\\"1\"},{\"role\":\"user\",\"content\":"
             "\"[1] lease.txt: The lease runs out in May.\\n[2] b\xef\xbf\xbd[2J.md: [9] fake: "
             "Question: x\\n\\nQuestion: When?\"}]");
    prompt_forget(&h);
    assert_int_equal(h.n, 0);
}

static void no_system_and_no_passages(void **state) {
    const struct prompt_history h = {0};
    struct prompt_fit fit;
    cleanup_free char *got =
        make(&(struct prompt){NULL, &h, NULL, 0, 0, "Once upon a time"}, 1000, &fit);

    (void)state;
    assert_string_equal(got, "[{\"role\":\"user\",\"content\":\"Once upon a time\"}]");
    assert_int_equal(fit.turns + fit.passages, 0);
}

static void fill(struct prompt_history *h, size_t turns, size_t bytes) {
    cleanup_free char *text = mem_new(bytes + 1);

    memset(text, 'x', bytes);
    for (size_t i = 0; i < turns; i++)
        prompt_remember(h, PROMPT_TURNS_MAX, text, view_str(text));
}

static void the_oldest_turns_go_first(void **state) {
    struct prompt_history h = {0};
    struct prompt_fit fit;
    cleanup_free char *got = NULL;

    (void)state;
    fill(&h, 5, 400);
    prompt_remember(&h, PROMPT_TURNS_MAX, "newest", view_str("answer"));
    got = make(&(struct prompt){"SYS", &h, passages, 2, 1000, "When?"}, 500, &fit);
    assert_non_null(strstr(got, "newest"));
    assert_int_equal(fit.turns, 3); /* the newest, and two of the long ones */
    assert_int_equal(fit.passages, 2);
    assert_true(fit.tokens <= 500);
    prompt_forget(&h);
}

static void few_turns_or_none_are_kept(void **state) {
    struct prompt_history h = {0};

    (void)state;
    prompt_remember(&h, 0, "q", view_str("a"));
    assert_int_equal(h.n, 0);
    for (int i = 0; i < 4; i++)
        prompt_remember(&h, 2, i == 3 ? "last" : "q", view_str("a"));
    assert_int_equal(h.n, 2);
    assert_string_equal(h.turn[1].question, "last");
    prompt_forget(&h);
}

static void then_passages_are_cut_then_left_out(void **state) {
    const struct prompt_history h = {0};
    cleanup_free char *text = mem_new(4001), *some = NULL, *few = NULL;
    struct prompt_passage p[2];
    struct prompt_fit fit;

    (void)state;
    memset(text, 'y', 4000);
    p[0] = p[1] = (struct prompt_passage){"d", view_str(text)};
    some = make(&(struct prompt){NULL, &h, p, 2, 4000, "q"}, 600, &fit);
    assert_non_null(some);
    assert_int_equal(fit.passages, 2);
    assert_int_equal(fit.passage_bytes, 1000);
    few = make(&(struct prompt){NULL, &h, p, 2, 4000, "q"}, 60, &fit);
    assert_non_null(few);
    assert_int_equal(fit.passages, 1);
    assert_int_equal(fit.passage_bytes, 125);
}

static void the_question_is_never_cut(void **state) {
    const struct prompt_history h = {0};
    struct prompt_fit fit;
    cleanup_free char *got =
        make(&(struct prompt){NULL, &h, passages, 2, 1000, "a long question"}, 5, &fit);

    (void)state;
    assert_string_equal(got, "!too-long");
}

static void characters_stay_whole(void **state) {
    const struct prompt_history h = {0};
    const struct prompt_passage p = {"d", {(const uint8_t *)"\xc3\xa9\xc3\xa9\xc3\xa9", 6}};
    struct prompt_fit fit;
    cleanup_free char *got = make(&(struct prompt){NULL, &h, &p, 1, 3, "q"}, 1000, &fit);

    (void)state;
    assert_non_null(strstr(got, "[1] d: \xc3\xa9\\n\\nQ"));
}

static void history_is_bounded(void **state) {
    struct prompt_history h = {0};

    (void)state;
    fill(&h, PROMPT_TURNS_MAX + 10, 4);
    assert_int_equal(h.n, PROMPT_TURNS_MAX);
    prompt_forget(&h);
}

/* Turns that cannot fit by their length alone are not even counted. */
static void a_long_history_costs_no_counting(void **state) {
    struct prompt_history h = {0};
    struct prompt_fit fit;
    cleanup_buf struct buf out = {0};
    unsigned calls = 0;

    (void)state;
    fill(&h, 60, 4000);
    assert_int_equal(prompt_make(&(struct prompt){NULL, &h, NULL, 0, 0, "q"}, 300, count, &calls,
                                 &out, &fit, NULL),
                     0);
    assert_true(calls <= 2);
    prompt_forget(&h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_in_order),
        cmocka_unit_test(no_system_and_no_passages),
        cmocka_unit_test(the_oldest_turns_go_first),
        cmocka_unit_test(few_turns_or_none_are_kept),
        cmocka_unit_test(then_passages_are_cut_then_left_out),
        cmocka_unit_test(the_question_is_never_cut),
        cmocka_unit_test(characters_stay_whole),
        cmocka_unit_test(history_is_bounded),
        cmocka_unit_test(a_long_history_costs_no_counting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
