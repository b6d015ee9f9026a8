#include "tui/openai.c"
#include "tests/unit/unit.h"

static struct openai_request r;
static const char *param;
static struct err e;

static bool parse(const char *body) {
    openai_request_free(&r);
    return openai_request_parse(view_str(body), &r, &param, &e) == 0;
}
#define USER(text) "{\"role\":\"user\",\"content\":\"" text "\"}"

static void takes(const char *body, const char *question) {
    if (!parse(body))
        fail_msg("%s: %s", body, e.text);
    assert_string_equal((char *)r.question.p, question);
}

/* more: fields beside a good message. */
static void refuses_field(const char *more, const char *name, const char *code) {
    cleanup_free char *body = mem_fmt("{\"messages\":[" USER("q") "],%s}", more);

    if (parse(body))
        fail_msg("%s is taken", more);
    assert_string_equal(e.code, code);
    assert_string_equal(param, name);
}
static void takes_field(const char *more) {
    cleanup_free char *body = mem_fmt("{\"messages\":[" USER("q") "],%s}", more);

    takes(body, "q");
}

static int tear_down(void **state) {
    (void)state;
    openai_request_free(&r);
    return 0;
}

static void a_message_alone_is_the_question(void **state) {
    (void)state;
    takes("{\"messages\":[" USER("When does it end?") "]}", "When does it end?");
    assert_null(r.model);
    assert_false(r.stream);
    takes("{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
          "{\"type\":\"text\",\"text\":\"b\"}]}]}",
          "ab");
}

static void roles_are_labelled(void **state) {
    (void)state;
    takes("{\"messages\":[{\"role\":\"system\",\"content\":\"Be brief.\"}," USER(
              "Hi") ","
                    "{\"role\":\"assistant\",\"content\":\"Hello.\"}," USER("And?\\nNow") "]}",
          "System: Be brief.\n\nUser: Hi\n\nAssistant: Hello.\n\nUser: And?\nNow");
    assert_string_equal((char *)r.last.p, "And?\nNow");
    takes("{\"messages\":[{\"role\":\"developer\",\"content\":\"x\"}," USER("y") "]}",
          "System: x\n\nUser: y");
}

static void what_cannot_be_done_is_refused_by_name(void **state) {
    (void)state;
    refuses_field("\"n\":2", "n", "unsupported");
    refuses_field("\"n\":1.5", "n", "unsupported");
    refuses_field("\"tools\":[{}]", "tools", "unsupported");
    refuses_field("\"functions\":[{}]", "functions", "unsupported");
    refuses_field("\"tool_choice\":{\"type\":\"function\"}", "tool_choice", "unsupported");
    refuses_field("\"tool_choice\":\"required\"", "tool_choice", "unsupported");
    refuses_field("\"response_format\":{\"type\":\"json_schema\"}", "response_format",
                  "unsupported");
    refuses_field("\"logprobs\":true", "logprobs", "unsupported");
    refuses_field("\"top_logprobs\":3", "top_logprobs", "unsupported");
    refuses_field("\"modalities\":[\"text\",\"audio\"]", "modalities", "unsupported");
    refuses_field("\"audio\":{}", "audio", "unsupported");
    refuses_field("\"web_search_options\":{}", "web_search_options", "unsupported");
    refuses_field("\"stream\":1", "stream", "bad-request");
    refuses_field("\"model\":7", "model", "bad-request");
    refuses_field("\"stop\":[\"a\",\"b\",\"c\",\"d\",\"e\"]", "stop", "bad-request");
    refuses_field("\"stop\":\"\"", "stop", "bad-request");
}

static void what_some_programs_always_send_is_taken(void **state) {
    (void)state;
    takes_field("\"n\":1,\"tools\":[],\"tool_choice\":\"none\",\"logprobs\":false,"
                "\"response_format\":{\"type\":\"text\"},\"modalities\":[\"text\"]");
    assert_int_equal(r.ignored.n, 0);
    takes_field("\"n\":null,\"tools\":null,\"audio\":null,\"stop\":null,\"stream\":null");
    takes_field("\"stream\":true,\"stream_options\":{\"include_usage\":true},\"model\":\"m\"");
    assert_true(r.stream && r.usage);
    assert_string_equal(r.model, "m");
    takes_field("\"stop\":[\"\\n\",\"END\"]");
    assert_int_equal(r.n_stops, 2);
}

/* Into a header: names of ours alone. */
static void what_is_ignored_is_named(void **state) {
    (void)state;
    takes_field("\"temperature\":0.7,\"max_tokens\":1e2,\"x\\r\\nevil: 1\":2,\"y\":{}");
    assert_string_equal((char *)r.ignored.p, "temperature, max_tokens, 2 more");
}

static void bad_messages(void **state) {
    static const char *const bad[] = {
        "{}",
        "{\"messages\":null}",
        "{\"messages\":[]}",
        "{\"messages\":\"q\"}",
        "{\"messages\":[7]}",
        "{\"messages\":[{\"role\":\"user\"}]}",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"\"}]}",
        "{\"messages\":[{\"role\":\"system\",\"content\":\"x\"}]}",
        "{\"messages\":[{\"role\":\"tool\",\"content\":\"x\"}," USER("q") "]}",
        "{\"messages\":[{\"content\":\"x\"}]}",
        "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]}",
        "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"x\"}]}]}",
        "{\"messages\":[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{}]}," USER(
            "q") "]}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (parse(bad[i]))
            fail_msg("%s is taken", bad[i]);
        assert_string_equal(param, "messages");
    }
    assert_false(parse("[]"));
    assert_false(parse(""));
    assert_false(parse("{\"messages\":[" USER("\\u0000") "]}"));
}

static void a_conversation_has_a_limit(void **state) {
    cleanup_free char *text = mem_new(MSG_CONTENT_MAX + 2), *body = NULL;

    (void)state;
    memset(text, 'x', MSG_CONTENT_MAX + 1);
    body = mem_fmt("{\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}", text);
    assert_false(parse(body));
    assert_string_equal(e.code, "too-large");
    text[MSG_CONTENT_MAX] = 0;
    free(body);
    body = mem_fmt("{\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}", text);
    assert_true(parse(body));
}

static void errors_have_openai_s_shape(void **state) {
    cleanup_buf struct buf b = {0};

    (void)state;
    err_set(&e, "bad-token", "say \"who\"\x1b[2J");
    openai_error(&b, 401, &e, "n");
    assert_non_null(strstr((char *)b.p, "\"type\":\"authentication_error\",\"param\":\"n\","
                                        "\"code\":\"bad-token\""));
    assert_null(strstr((char *)b.p, "u001b"));
}

int main(void) {
#define T(f) cmocka_unit_test_teardown(f, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_message_alone_is_the_question),
        T(roles_are_labelled),
        T(what_cannot_be_done_is_refused_by_name),
        T(what_some_programs_always_send_is_taken),
        T(what_is_ignored_is_named),
        T(bad_messages),
        T(a_conversation_has_a_limit),
        T(errors_have_openai_s_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
