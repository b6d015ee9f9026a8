/* Questions of clients, one after the other, and their answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/enc.h"
#include "core/text.h"
#include "endpoint_priv.h"
#include "table.h"

static void step(struct endpoint *p);

/* --- an order's end --- */

static void order_free(struct order *o) {
    openai_request_free(&o->req);
    buf_wipe(&o->table);
    buf_wipe(&o->raw);
    sources_free(&o->sources);
    free(o);
}

static void order_unlink(struct order *o) {
    struct endpoint *p = o->by->ep;
    struct order **at = &p->orders;

    while (*at != o)
        at = &(*at)->next;
    *at = o->next;
    p->n_orders--;
    o->by->order = NULL;
}

/* Takes the question back where the guest has it. */
void order_drop(struct order *o) {
    struct endpoint *p = o->by->ep;

    order_unlink(o);
    if (o->asked)
        p->port->cancel(p->arg, o->id);
    order_free(o);
    step(p);
}

static void order_done(struct order *o) {
    struct endpoint *p = o->by->ep;

    order_unlink(o);
    order_free(o);
    step(p);
}

static void order_fail(struct order *o, unsigned status, const struct err *e) {
    struct visitor *v = o->by;

    if (o->begun) {
        openai_stream_error(&v->reply.body, status, e);
        v->reply.last = true;
        v->stage = STAGE_SEND;
        visitor_flush(v);
    } else {
        v->reply.stream = false;
        visitor_refuse(v, status, e, NULL);
    }
    order_done(o);
}

/* --- what is told of an answer --- */

static struct openai_answer answer_of(const struct order *o, const struct endpoint_who *who) {
    struct openai_answer a = {.created = o->created,
                              .model = &who->model,
                              .usage = o->counted ? &o->usage : NULL,
                              .sources = &o->sources,
                              .guest = who->guest,
                              .simulated = who->simulated};

    memcpy(a.id, o->name, sizeof a.id);
    return a;
}

/* The table, then the text, sanitised as one. */
static void whole_text(const struct order *o, struct view text, struct buf *out) {
    struct buf all = {0};

    buf_add(&all, o->table.p, o->table.n);
    buf_add(&all, text.p, text.n);
    (void)text_safe(buf_view(&all), TEXT_PROSE, SIZE_MAX, out);
    buf_wipe(&all);
}

/* Where the first stop sequence begins; text.n when there is none. */
static size_t first_stop(const struct order *o, struct view text) {
    size_t at = text.n;

    for (size_t i = 0; i < o->req.n_stops; i++) {
        const char *stop = o->req.stop[i];
        const uint8_t *hit = text.n ? memmem(text.p, text.n, stop, strlen(stop)) : NULL;

        if (hit && (size_t)(hit - text.p) < at)
            at = (size_t)(hit - text.p);
    }
    return at;
}

/* What may be told before more has come: no more than cannot be the beginning of a stop. */
static size_t sure(const struct order *o, struct view text) {
    size_t longest = 1, n;

    for (size_t i = 0; i < o->req.n_stops; i++)
        if (strlen(o->req.stop[i]) > longest)
            longest = strlen(o->req.stop[i]);
    n = text.n > longest - 1 ? text.n - (longest - 1) : 0;
    while (n && n < text.n && (text.p[n] & 0xc0) == 0x80)
        n--;
    return n;
}

static void stream_begin(struct order *o) {
    o->begun = true;
    o->by->reply.status = 200;
    o->by->reply.stream = true;
}

static void tell(struct order *o, const struct endpoint_who *who, struct view text, size_t upto) {
    const struct openai_answer a = answer_of(o, who);
    bool first = !o->begun;

    if (upto <= o->told)
        return;
    if (first)
        stream_begin(o);
    openai_chunk(&o->by->reply.body, &a, view_of(text.p + o->told, upto - o->told), o->told == 0,
                 NULL);
    o->told = upto;
    o->quiet = loop_now();
    visitor_flush(o->by);
}

static void finish_stream(struct order *o, const struct endpoint_who *who, struct view text,
                          const char *finish) {
    const struct openai_answer a = answer_of(o, who);
    struct visitor *v = o->by;

    tell(o, who, text, text.n);
    if (!o->begun)
        stream_begin(o);
    openai_chunk(&v->reply.body, &a, (struct view){0}, o->told == 0, finish);
    if (o->req.usage && o->counted)
        openai_stream_usage(&v->reply.body, &a);
    openai_stream_end(&v->reply.body);
    v->reply.last = true;
    v->stage = STAGE_SEND;
    visitor_flush(v);
}

/* text: sanitised, and without what comes after a stop. */
static void finish(struct order *o, const struct endpoint_who *who, struct view text,
                   const char *word) {
    const struct openai_answer a = answer_of(o, who);

    if (o->req.stream) {
        finish_stream(o, who, text, word);
    } else {
        openai_completion(&o->by->reply.body, &a, text, word);
        visitor_reply(o->by, 200);
    }
    order_done(o);
}

/* --- what the guest says --- */

static struct order *running(struct endpoint *p, const uint8_t id[static 32]) {
    struct order *o = p->orders;

    return o && o->asked && memcmp(o->id, id, 32) == 0 ? o : NULL;
}

/* Tells what has come, up to a stop sequence, which ends the order. */
static void look(struct order *o) {
    struct endpoint *p = o->by->ep;
    struct endpoint_who who;
    struct buf safe = {0};
    struct err e;
    size_t stop;

    o->unseen = false;
    o->looked = loop_now();
    if (p->port->ready(p->arg, &who, &e))
        return;
    whole_text(o, buf_view(&o->raw), &safe);
    stop = first_stop(o, buf_view(&safe));
    if (stop < safe.n) {
        p->port->cancel(p->arg, o->id);
        finish(o, &who, view_of(safe.p, stop), "stop");
    } else if (o->req.stream) {
        tell(o, &who, buf_view(&safe), sure(o, buf_view(&safe)));
    }
    buf_wipe(&safe);
}

/* A guest that sends a letter at a time does not have the whole looked at for each. */
static void more(struct order *o) {
    o->unseen = o->req.stream || o->req.n_stops;
    if (o->unseen && loop_now() - o->looked >= LOOK_MS)
        look(o);
}

static void too_long(struct order *o) {
    struct endpoint *p = o->by->ep;
    struct err e;

    p->port->cancel(p->arg, o->id);
    err_set(&e, "too-large", "the answer has more than %zu bytes", ANSWER_MAX);
    order_fail(o, 502, &e);
}

void endpoint_delta(struct endpoint *p, const uint8_t id[static 32], struct view text) {
    struct order *o = running(p, id);

    if (!o)
        return;
    if (text.n > ANSWER_MAX - o->raw.n) {
        too_long(o);
        return;
    }
    buf_add(&o->raw, text.p, text.n);
    more(o);
}

void endpoint_table(struct endpoint *p, const uint8_t id[static 32], const cJSON *json) {
    struct order *o = running(p, id);
    struct table *t;

    if (!o || o->raw.n) /* it comes before the text, as the protocol has it */
        return;
    t = table_of_json(json);
    table_text(t, false, &o->table);
    buf_str(&o->table, "\n\n");
    table_free(t);
    more(o);
}

void endpoint_sources(struct endpoint *p, const uint8_t id[static 32], const cJSON *list) {
    struct order *o = running(p, id);

    if (!o)
        return;
    sources_free(&o->sources);
    sources_read(list, &o->sources);
}

/* A comment, which clients skip: it keeps them, and what is between, from giving up. */
static void stream_comment(struct order *o, const char *words) {
    if (!o->begun)
        stream_begin(o);
    buf_fmt(&o->by->reply.body, ": %s\n\n", words);
    o->quiet = loop_now();
    visitor_flush(o->by);
}

void endpoint_progress(struct endpoint *p, const uint8_t id[static 32], uint64_t done,
                       uint64_t total) {
    struct order *o = running(p, id);
    char words[64];

    if (!o || !o->req.stream || loop_now() - o->quiet < QUIET_MS / 2)
        return;
    snprintf(words, sizeof words, "%llu of %llu", (unsigned long long)done,
             (unsigned long long)total);
    stream_comment(o, words);
}

/* Which of a workload's refusals are about the question. Others are the server's. */
static unsigned status_of(const char *code) {
    static const char *const server[] = {"busy", "workload-died", "workload-memory"};

    for (size_t i = 0; i < COUNT(server); i++)
        if (!strcmp(server[i], code))
            return 503;
    return 400;
}

/* What was streamed cannot be taken back: the whole must begin with it. */
static void answered(struct order *o, const struct endpoint_who *who, struct view text) {
    struct buf safe = {0}, told = {0};
    struct err e;

    whole_text(o, buf_view(&o->raw), &told);
    whole_text(o, text, &safe);
    if (o->told && (safe.n < o->told || memcmp(safe.p, told.p, o->told) != 0)) {
        err_set(&e, "changed-answer", "the guest's whole answer is not what it had begun to say");
        order_fail(o, 502, &e);
    } else {
        size_t n = first_stop(o, buf_view(&safe));

        finish(o, who, view_of(safe.p, n),
               n < safe.n ? "stop" : openai_finish(o->counted ? &o->usage : NULL));
    }
    buf_wipe(&safe);
    buf_wipe(&told);
}

void endpoint_answer(struct endpoint *p, const uint8_t id[static 32], struct view text,
                     const char *code, const struct talk_usage *usage) {
    struct order *o = running(p, id);
    struct endpoint_who who;
    struct err e;

    if (!o)
        return;
    o->counted = usage != NULL;
    if (usage)
        o->usage = *usage;
    if (code) {
        cleanup_free char *words = text_safe_new(text, TEXT_LINE, 400);
        cleanup_free char *safe = text_safe_new(view_str(code), TEXT_LINE, 30);

        err_set(&e, safe, "%s", words);
        order_fail(o, status_of(code), &e);
    } else if (text.n > ANSWER_MAX) {
        too_long(o);
    } else if (p->port->ready(p->arg, &who, &e)) {
        order_fail(o, 503, &e);
    } else {
        answered(o, &who, text);
    }
}

void endpoint_over(struct endpoint *p, const struct err *why) {
    while (p->orders) {
        p->orders->asked = false;
        order_fail(p->orders, 503, why);
    }
}

bool endpoint_stop(struct endpoint *p) {
    struct err e;

    if (!p->orders || !p->orders->asked)
        return false;
    p->port->cancel(p->arg, p->orders->id);
    err_set(&e, "cancelled", "whoever runs this server stopped the answer");
    order_fail(p->orders, 400, &e); /* 503 would have clients ask once more */
    return true;
}

/* --- orders in --- */

/* The next one, once the one before has gone. */
static void step(struct endpoint *p) {
    struct order *o = p->orders;
    struct endpoint_who who;
    struct view text;
    struct err e;

    if (!o || o->asked)
        return;
    if (p->port->ready(p->arg, &who, &e)) {
        order_fail(o, 503, &e);
        return;
    }
    o->asked = true;
    text = buf_view(who.turns ? &o->req.question : &o->req.last);
    if (p->port->ask(p->arg, text, o->id, &e)) {
        o->asked = false;
        order_fail(o, strcmp(e.code, "too-large") ? 503 : 400, &e);
    }
}

static bool model_known(const struct openai_request *r, const struct endpoint_who *who) {
    const char *const names[] = {who->model.id, who->offer, "cdvm"};

    for (size_t i = 0; r->model && i < COUNT(names); i++)
        if (!strcmp(r->model, names[i]))
            return true;
    return !r->model;
}

/* 0, or the status to refuse with. */
static unsigned order_check(struct endpoint *p, struct openai_request *r, struct view body,
                            const char **param, struct err *e) {
    struct endpoint_who who;

    *param = NULL;
    if (p->port->ready(p->arg, &who, e))
        return 503;
    if (p->n_orders == ORDERS_MAX) {
        err_set(e, "busy", "%d questions wait already: ask again later", ORDERS_MAX);
        return 429;
    }
    if (openai_request_parse(body, r, param, e))
        return 400;
    if (model_known(r, &who))
        return 0;
    *param = "model";
    err_set(e, "model_not_found", "the model here is '%s'", who.model.id);
    openai_request_free(r);
    return 404;
}

static void order_name(struct order *o) {
    uint8_t random[12];
    char hex[25];

    random_bytes(random, sizeof random);
    hex_encode(view_of(random, sizeof random), hex);
    snprintf(o->name, sizeof o->name, "chatcmpl-%s", hex);
}

void order_place(struct visitor *v) {
    struct endpoint *p = v->ep;
    struct order **last = &p->orders, *o = mem_new(sizeof *o);
    const char *param;
    struct err e;
    unsigned status = order_check(p, &o->req, buf_view(&v->body), &param, &e);

    if (status) {
        free(o);
        visitor_refuse(v, status, &e, param);
        return;
    }
    o->by = v;
    o->quiet = loop_now();
    o->created = unix_now();
    order_name(o);
    while (*last)
        last = &(*last)->next;
    *last = o;
    p->n_orders++;
    v->order = o;
    v->stage = STAGE_WAIT;
    v->deadline = -1;
    if (o->req.ignored.n)
        v->reply.ignored = mem_strn(o->req.ignored.p, o->req.ignored.n);
    step(p);
}

void orders_tick(struct endpoint *p, int64_t now) {
    for (struct order *o = p->orders; o; o = o->next)
        if (o->req.stream && now - o->quiet >= QUIET_MS)
            stream_comment(o, o->asked ? "working" : "waiting for the question before");
    if (p->orders && p->orders->unseen) /* may end it */
        look(p->orders);
}
