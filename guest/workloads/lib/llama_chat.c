#include <string.h>
#include "core/text.h"
#include "llama_priv.h"
#include "sse.h"

#define ERROR_MAX ((size_t)65536)

int llama_count(struct llama *l, struct view messages, const struct unixhttp_watch *w, uint32_t *n,
                struct err *e) {
    cleanup_buf struct buf body = {0};
    cJSON *o;
    uint64_t tokens;

    buf_str(&body, "{\"messages\":");
    buf_add(&body, messages.p, messages.n);
    buf_str(&body, "}");
    o = llama_fetch(l, "/v1/chat/completions/input_tokens", buf_view(&body), w, e);
    tokens = llama_uint(o, "input_tokens");
    json_wipe(o);
    if (!o)
        return -1;
    if (!tokens || tokens > UINT32_MAX)
        return err_set(e, "bad-engine", "the engine did not count the prompt's tokens");
    *n = (uint32_t)tokens;
    return 0;
}

/* --- a streamed answer --- */

struct stream {
    const struct llama_events *ev;
    struct llama_usage *u;
    struct sse *sse;
    struct buf refusal; /* the body when the status is not 200 */
    uint32_t thoughts;
    bool finished; /* a finish reason has come */
    struct err e;  /* code "" while it goes well */
};

static void give_text(struct stream *s, const char *text) {
    struct view v = view_str(text);
    cleanup_buf struct buf fixed = {0};

    if (!v.n || !s->ev->text)
        return;
    if (!utf8_valid(v)) {
        (void)text_safe(v, TEXT_PROSE, v.n, &fixed);
        v = buf_view(&fixed);
    }
    s->ev->text(s->ev->arg, v);
}

static void take_delta(struct stream *s, const cJSON *choice) {
    const cJSON *delta = cJSON_GetObjectItemCaseSensitive(choice, "delta");
    const char *text = json_opt(delta, "content"), *why = json_opt(choice, "finish_reason");

    if (json_opt(delta, "reasoning_content") && s->ev->thought)
        s->ev->thought(s->ev->arg, ++s->thoughts);
    if (text)
        give_text(s, text);
    if (!why)
        return;
    s->finished = true;
    s->u->finish = !strcmp(why, "length") ? LLAMA_LENGTH : LLAMA_STOP;
}

static void take_timings(struct stream *s, const cJSON *t) {
    struct llama_usage *u = s->u;

    if (!t)
        return;
    u->cached = (uint32_t)llama_uint(t, "cache_n");
    u->prompt = (uint32_t)llama_uint(t, "prompt_n") + u->cached;
    u->tokens = (uint32_t)llama_uint(t, "predicted_n");
    u->prompt_us = llama_micros(t, "prompt_ms");
    u->us = llama_micros(t, "predicted_ms");
}

static void take_progress(const struct stream *s, const cJSON *p) {
    const struct llama_reading r = {(uint32_t)llama_uint(p, "processed"),
                                    (uint32_t)llama_uint(p, "total"),
                                    (uint32_t)llama_uint(p, "cache")};

    if (s->ev->prompt && r.total && r.cached <= r.done && r.done <= r.total)
        s->ev->prompt(s->ev->arg, &r);
}

static void take_chunk(struct stream *s, const cJSON *o) {
    if (cJSON_GetObjectItemCaseSensitive(o, "error")) {
        (void)llama_refused(200, o, &s->e);
        return;
    }
    take_progress(s, cJSON_GetObjectItemCaseSensitive(o, "prompt_progress"));
    take_timings(s, cJSON_GetObjectItemCaseSensitive(o, "timings"));
    take_delta(s, cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(o, "choices"), 0));
}

static void on_event(void *arg, struct view data) {
    struct stream *s = arg;
    cJSON *o;

    if (*s->e.code || view_is(data, "[DONE]"))
        return;
    o = llama_json(data);
    if (o)
        take_chunk(s, o);
    else
        err_set(&s->e, "bad-engine", "an event of the engine's is no JSON object");
    json_wipe(o);
}

static bool on_piece(void *arg, int status, struct view piece) {
    struct stream *s = arg;
    struct err e;

    if (status != 200) {
        buf_add(&s->refusal, piece.p, piece.n);
        return !s->refusal.full;
    }
    if (sse_feed(s->sse, piece, &e))
        s->e = e;
    return !*s->e.code;
}

static void write_ask(const struct llama_ask *q, struct buf *body) {
    buf_str(body, "{\"messages\":");
    buf_add(body, q->messages.p, q->messages.n);
    buf_fmt(body,
            ",\"max_tokens\":%u,\"stream\":true,\"cache_prompt\":true,\"return_progress\":true,"
            "\"timings_per_token\":true",
            q->max_tokens);
    buf_add(body, q->sampling.p, q->sampling.n);
    buf_str(body, "}");
}

static int outcome(struct llama *l, const struct stream *s, int status, int rc, struct err *e) {
    cJSON *o;

    if (*s->e.code)
        return err_set(e, s->e.code, "%s", s->e.text);
    if (rc) {
        if (!strcmp(e->code, "engine-gone"))
            (void)llama_explain(l, e);
        return -1;
    }
    if (status == 200)
        return s->finished ? 0 : err_set(e, "bad-engine", "the engine's answer was cut off");
    o = llama_json(buf_view(&s->refusal));
    (void)llama_refused(status, o, e);
    json_wipe(o);
    return -1;
}

int llama_chat(struct llama *l, const struct llama_ask *q, const struct llama_events *ev,
               const struct unixhttp_watch *w, struct llama_usage *u, struct err *e) {
    struct stream s = {.ev = ev, .u = u};
    cleanup_buf struct buf body = {0};
    struct err why = {0};
    int status, rc;

    *u = (struct llama_usage){0};
    write_ask(q, &body);
    buf_init(&s.refusal, ERROR_MAX);
    s.sse = sse_new(on_event, &s);
    rc = unixhttp_ask(&(struct unixhttp_request){l->socket, "/v1/chat/completions", buf_view(&body),
                                                 on_piece, &s},
                      w, &status, &why);
    rc = outcome(l, &s, status, rc, &why);
    sse_free(s.sse);
    buf_wipe(&s.refusal);
    return rc ? err_set(e, why.code, "%s", why.text) : 0;
}
