/* A request of OpenAI's chat API as one question. */
#include "openai.h"

#include <stdlib.h>
#include <string.h>

#include "core/msg.h"
#include "core/text.h"

/* A field's value is checked; what is wrong with it is said. */
typedef int field_fn(const cJSON *v, struct openai_request *r, struct err *e);

static bool absent(const cJSON *v) {
    return !v || cJSON_IsNull(v);
}

/* --- messages --- */

static int add_part(const cJSON *part, struct buf *text, struct err *e) {
    const char *type = json_opt(part, "type"), *words = json_opt(part, "text");

    if (type && strcmp(type, "text") != 0) {
        cleanup_free char *shown = text_safe_new(view_str(type), TEXT_LINE, 40);

        return err_set(e, "unsupported", "a part of a message is '%s': only text is taken", shown);
    }
    if (!type || !words)
        return err_set(e, "bad-request", "a part of a message is not {type: text, text}");
    buf_str(text, words);
    return 0;
}

static int add_content(const cJSON *content, struct buf *text, struct err *e) {
    const cJSON *part;

    if (cJSON_IsString(content)) {
        buf_str(text, content->valuestring);
        return 0;
    }
    if (!cJSON_IsArray(content))
        return err_set(e, "bad-request", "a message has no content");
    cJSON_ArrayForEach(part, content) if (add_part(part, text, e)) return -1;
    return 0;
}

/* The label of the message's role; NULL on error. */
static const char *label_of(const cJSON *message, struct err *e) {
    static const char *const roles[][2] = {{"system", "System"},
                                           {"developer", "System"},
                                           {"user", "User"},
                                           {"assistant", "Assistant"}};
    const char *word = json_opt(message, "role");
    cleanup_free char *shown = text_safe_new(view_str(word ? word : ""), TEXT_LINE, 40);

    for (size_t i = 0; word && i < COUNT(roles); i++)
        if (!strcmp(word, roles[i][0]))
            return roles[i][1];
    err_set(e, word ? "unsupported" : "bad-request",
            "a message has the role '%s': system, developer, user and assistant are taken", shown);
    return NULL;
}

/* "User: When?" and a blank line between two; a message of the user alone is its text. */
static void put_message(const char *label, struct view text, bool alone, struct openai_request *r) {
    bool user = !strcmp(label, "User");

    if (user) {
        buf_wipe(&r->last);
        buf_add(&r->last, text.p, text.n);
    }
    if (!alone || !user)
        buf_fmt(&r->question, "%s%s: ", r->question.n ? "\n\n" : "", label);
    buf_add(&r->question, text.p, text.n);
}

static int add_message(const cJSON *m, bool alone, struct openai_request *r, struct err *e) {
    const char *label = label_of(m, e);
    struct buf text = {0};
    int rc;

    if (!label)
        return -1;
    if (!absent(cJSON_GetObjectItemCaseSensitive(m, "tool_calls")))
        return err_set(e, "unsupported", "a message calls tools: the guest has none");
    rc = add_content(cJSON_GetObjectItemCaseSensitive(m, "content"), &text, e);
    if (!rc)
        put_message(label, buf_view(&text), alone, r);
    buf_wipe(&text);
    return rc;
}

static int take_messages(const cJSON *v, struct openai_request *r, struct err *e) {
    int n = cJSON_GetArraySize(v);
    const cJSON *m;

    if (!cJSON_IsArray(v) || n == 0)
        return err_set(e, "bad-request", "'messages' is not a list with at least one message");
    cJSON_ArrayForEach(m, v) if (add_message(m, n == 1, r, e)) return -1;
    if (!r->last.n)
        return err_set(e, "bad-request", "no message of the user has any text");
    if (r->question.n > MSG_CONTENT_MAX)
        return err_set(e, "too-large",
                       "the conversation has %zu bytes, and %zu are taken: shorten it, or attach "
                       "documents with --attach",
                       r->question.n, MSG_CONTENT_MAX);
    return 0;
}

/* --- the other fields --- */

static int take_model(const cJSON *v, struct openai_request *r, struct err *e) {
    if (!cJSON_IsString(v))
        return err_set(e, "bad-request", "'model' is not a string");
    r->model = mem_str(v->valuestring);
    return 0;
}

static int take_stream(const cJSON *v, struct openai_request *r, struct err *e) {
    if (!cJSON_IsBool(v))
        return err_set(e, "bad-request", "'stream' is not true or false");
    r->stream = cJSON_IsTrue(v);
    return 0;
}

static int take_stream_options(const cJSON *v, struct openai_request *r, struct err *e) {
    if (!cJSON_IsObject(v))
        return err_set(e, "bad-request", "'stream_options' is not an object");
    r->usage = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(v, "include_usage"));
    return 0;
}

static int add_stop(const cJSON *v, struct openai_request *r, struct err *e) {
    if (!cJSON_IsString(v) || !*v->valuestring || strlen(v->valuestring) > OPENAI_STOP_LEN ||
        r->n_stops == OPENAI_STOPS_MAX)
        return err_set(e, "bad-request", "'stop' is a string, or up to %d, of 1 to %d bytes",
                       OPENAI_STOPS_MAX, OPENAI_STOP_LEN);
    r->stop[r->n_stops++] = mem_str(v->valuestring);
    return 0;
}

static int take_stop(const cJSON *v, struct openai_request *r, struct err *e) {
    const cJSON *s;

    if (!cJSON_IsArray(v))
        return add_stop(v, r, e);
    cJSON_ArrayForEach(s, v) if (add_stop(s, r, e)) return -1;
    return 0;
}

static int take_n(const cJSON *v, struct openai_request *r, struct err *e) {
    int64_t n;

    (void)r;
    if (json_int_of(v, &n) && n == 1)
        return 0;
    return err_set(e, "unsupported", "'n' must be 1: the guest gives one answer");
}

/* Empty ones are what some programs send when they want none. */
static int no_tools(const cJSON *v, struct openai_request *r, struct err *e) {
    (void)r;
    if (cJSON_IsArray(v) && !v->child)
        return 0;
    return err_set(e, "unsupported", "tools cannot be called: the guest has no way out");
}

static int no_tool_choice(const cJSON *v, struct openai_request *r, struct err *e) {
    (void)r;
    if (cJSON_IsString(v) && (!strcmp(v->valuestring, "none") || !strcmp(v->valuestring, "auto")))
        return 0;
    return err_set(e, "unsupported", "tools cannot be called: the guest has no way out");
}

static int only_text_format(const cJSON *v, struct openai_request *r, struct err *e) {
    const char *type = json_opt(v, "type");

    (void)r;
    if (type && !strcmp(type, "text"))
        return 0;
    return err_set(e, "unsupported",
                   "'response_format' must be text: the guest cannot be held to "
                   "another");
}

static int only_text_mode(const cJSON *v, struct openai_request *r, struct err *e) {
    (void)r;
    if (cJSON_GetArraySize(v) == 1 && cJSON_IsString(v->child) &&
        !strcmp(v->child->valuestring, "text"))
        return 0;
    return err_set(e, "unsupported", "'modalities' must be text alone");
}

static int only_false(const cJSON *v, struct openai_request *r, struct err *e) {
    (void)r;
    if (cJSON_IsFalse(v))
        return 0;
    return err_set(e, "unsupported", "'%s' is not to be had from this guest", v->string);
}

static int never(const cJSON *v, struct openai_request *r, struct err *e) {
    (void)r;
    return err_set(e, "unsupported", "'%s' is not to be had from this guest", v->string);
}

static int ignore(const cJSON *v, struct openai_request *r, struct err *e) {
    (void)e;
    buf_fmt(&r->ignored, "%s%s", r->ignored.n ? ", " : "", v->string);
    return 0;
}

/* In the order of OpenAI's reference. What is not named here is ignored, and counted. */
static const struct {
    const char *name;
    field_fn *take;
} fields[] = {
    {"messages", take_messages},
    {"model", take_model},
    {"audio", never},
    {"frequency_penalty", ignore},
    {"function_call", no_tool_choice},
    {"functions", no_tools},
    {"logit_bias", ignore},
    {"logprobs", only_false},
    {"max_completion_tokens", ignore},
    {"max_tokens", ignore},
    {"metadata", ignore},
    {"modalities", only_text_mode},
    {"n", take_n},
    {"parallel_tool_calls", ignore},
    {"prediction", ignore},
    {"presence_penalty", ignore},
    {"prompt_cache_key", ignore},
    {"reasoning_effort", ignore},
    {"response_format", only_text_format},
    {"safety_identifier", ignore},
    {"seed", ignore},
    {"service_tier", ignore},
    {"stop", take_stop},
    {"store", ignore},
    {"stream", take_stream},
    {"stream_options", take_stream_options},
    {"temperature", ignore},
    {"tool_choice", no_tool_choice},
    {"tools", no_tools},
    {"top_logprobs", never},
    {"top_p", ignore},
    {"user", ignore},
    {"verbosity", ignore},
    {"web_search_options", never},
};

static int take_field(const cJSON *v, struct openai_request *r, size_t *unknown, const char **param,
                      struct err *e) {
    for (size_t i = 0; i < COUNT(fields); i++)
        if (!strcmp(v->string, fields[i].name)) {
            *param = fields[i].name;
            return absent(v) ? 0 : fields[i].take(v, r, e);
        }
    ++*unknown;
    return 0;
}

static int take_fields(const cJSON *o, struct openai_request *r, const char **param,
                       struct err *e) {
    size_t unknown = 0;
    const cJSON *v;

    if (!cJSON_IsObject(o))
        return err_set(e, "bad-request", "the body is not a JSON object");
    cJSON_ArrayForEach(v, o) if (take_field(v, r, &unknown, param, e)) return -1;
    *param = "messages";
    if (!r->last.n)
        return err_set(e, "bad-request", "'messages' is missing");
    if (unknown)
        buf_fmt(&r->ignored, "%s%zu more", r->ignored.n ? ", " : "", unknown);
    *param = NULL;
    return 0;
}

int openai_request_parse(struct view body, struct openai_request *out, const char **param,
                         struct err *e) {
    cJSON *o = json_parse_fractions(body, OPENAI_BODY_MAX, e);
    const char *unused;
    int rc;

    param = param ? param : &unused;
    *param = NULL;
    *out = (struct openai_request){0};
    if (!o)
        return -1;
    rc = take_fields(o, out, param, e);
    json_wipe(o);
    if (rc)
        openai_request_free(out);
    return rc;
}

void openai_request_free(struct openai_request *r) {
    free(r->model);
    buf_wipe(&r->question);
    buf_wipe(&r->last);
    buf_free(&r->ignored);
    while (r->n_stops)
        free(r->stop[--r->n_stops]);
    *r = (struct openai_request){0};
}
