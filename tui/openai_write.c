/* Answers in the JSON of OpenAI's chat API. Text of the guest is sanitised: it ends up on
 * terminals. */
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "openai.h"

static void safe_str(struct jw *w, const char *key, const char *s) {
    cleanup_free char *safe = text_safe_new(view_str(s), TEXT_LINE, SIZE_MAX);

    jw_kstr(w, key, safe);
}

/* --- errors --- */

static const struct {
    unsigned status;
    const char *type;
} types[] = {
    {400, "invalid_request_error"}, {401, "authentication_error"},  {403, "permission_error"},
    {404, "not_found_error"},       {405, "invalid_request_error"}, {411, "invalid_request_error"},
    {413, "invalid_request_error"}, {414, "invalid_request_error"}, {415, "invalid_request_error"},
    {429, "rate_limit_error"},      {503, "service_unavailable"},
};

void openai_error_members(struct jw *w, unsigned status, const struct err *e, const char *param) {
    const char *type = "server_error";

    for (size_t i = 0; i < COUNT(types); i++)
        if (types[i].status == status)
            type = types[i].type;
    jw_key(w, "error");
    jw_obj(w);
    safe_str(w, "message", e->text);
    jw_kstr(w, "type", type);
    jw_key(w, "param");
    if (param)
        jw_str(w, param);
    else
        jw_null(w);
    safe_str(w, "code", e->code);
    jw_end_obj(w);
}

void openai_error(struct buf *out, unsigned status, const struct err *e, const char *param) {
    struct jw w = jw_new(out);

    jw_obj(&w);
    openai_error_members(&w, status, e, param);
    jw_end_obj(&w);
}

/* --- models --- */

void openai_models(struct buf *out, const struct openai_model *m) {
    struct jw w = jw_new(out);

    jw_obj(&w);
    jw_kstr(&w, "object", "list");
    jw_key(&w, "data");
    jw_arr(&w);
    jw_obj(&w);
    safe_str(&w, "id", m->id);
    jw_kstr(&w, "object", "model");
    jw_kint(&w, "created", m->created);
    safe_str(&w, "owned_by", m->owner);
    jw_end_obj(&w);
    jw_end_arr(&w);
    jw_end_obj(&w);
}

/* --- answers --- */

const char *openai_finish(const struct talk_usage *u) {
    return u && !strcmp(u->finish, "length") ? "length" : "stop";
}

static struct jw answer_begin(struct buf *out, const struct openai_answer *a, const char *object) {
    struct jw w = jw_new(out);

    jw_obj(&w);
    jw_kstr(&w, "id", a->id);
    jw_kstr(&w, "object", object);
    jw_kint(&w, "created", a->created);
    safe_str(&w, "model", a->model->id);
    return w;
}

static void choice_begin(struct jw *w) {
    jw_key(w, "choices");
    jw_arr(w);
    jw_obj(w);
    jw_kint(w, "index", 0);
}

static void choice_end(struct jw *w, const char *finish) {
    jw_key(w, "logprobs");
    jw_null(w);
    jw_key(w, "finish_reason");
    if (finish)
        jw_str(w, finish);
    else
        jw_null(w);
    jw_end_obj(w);
    jw_end_arr(w);
}

static void usage_member(struct jw *w, const struct talk_usage *u) {
    if (!u)
        return;
    jw_key(w, "usage");
    jw_obj(w);
    jw_kint(w, "prompt_tokens", (int64_t)u->prompt);
    jw_kint(w, "completion_tokens", (int64_t)u->completion);
    jw_kint(w, "total_tokens", (int64_t)(u->prompt + u->completion));
    jw_end_obj(w);
}

/* What no other server can say. */
static void own_member(struct jw *w, const struct openai_answer *a) {
    jw_key(w, "cdvm");
    jw_obj(w);
    jw_kstr(w, "guest", a->guest);
    jw_kbool(w, "simulated", a->simulated);
    if (a->sources && a->sources->n)
        sources_json(a->sources, w);
    jw_end_obj(w);
}

void openai_completion(struct buf *out, const struct openai_answer *a, struct view text,
                       const char *finish) {
    struct jw w = answer_begin(out, a, "chat.completion");

    choice_begin(&w);
    jw_key(&w, "message");
    jw_obj(&w);
    jw_kstr(&w, "role", "assistant");
    jw_key(&w, "content");
    jw_view(&w, text);
    jw_key(&w, "refusal");
    jw_null(&w);
    jw_end_obj(&w);
    choice_end(&w, finish);
    usage_member(&w, a->usage);
    own_member(&w, a);
    jw_end_obj(&w);
}

/* --- streams --- */

static void event_begin(struct buf *out) {
    buf_str(out, "data: ");
}

static void event_end(struct buf *out) {
    buf_str(out, "\n\n");
}

void openai_chunk(struct buf *out, const struct openai_answer *a, struct view text, bool first,
                  const char *finish) {
    struct jw w;

    event_begin(out);
    w = answer_begin(out, a, "chat.completion.chunk");
    choice_begin(&w);
    jw_key(&w, "delta");
    jw_obj(&w);
    if (first)
        jw_kstr(&w, "role", "assistant");
    if (text.n || first) {
        jw_key(&w, "content");
        jw_view(&w, text);
    }
    jw_end_obj(&w);
    choice_end(&w, finish);
    if (finish)
        own_member(&w, a);
    jw_end_obj(&w);
    event_end(out);
}

void openai_stream_usage(struct buf *out, const struct openai_answer *a) {
    struct jw w;

    event_begin(out);
    w = answer_begin(out, a, "chat.completion.chunk");
    jw_key(&w, "choices");
    jw_arr(&w);
    jw_end_arr(&w);
    usage_member(&w, a->usage);
    jw_end_obj(&w);
    event_end(out);
}

void openai_stream_error(struct buf *out, unsigned status, const struct err *e) {
    event_begin(out);
    openai_error(out, status, e, NULL);
    event_end(out);
}

void openai_stream_end(struct buf *out) {
    buf_str(out, "data: [DONE]\n\n");
}
