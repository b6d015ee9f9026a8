/* Subscriptions of the embedded relay: stored events first, as fast as the client reads, then live.
 */
#include "relayd_priv.h"

#include <stdlib.h>
#include <string.h>

#include "core/enc.h"
#include "core/json.h"
#include "core/wrap.h"

/* ---- small messages ---- */

static void send_about(struct conn *c, const char *type, const char *id, const char *rest) {
    cleanup_buf struct buf b = {0};

    buf_fmt(&b, "[\"%s\",", type);
    json_escape(view_str(id), &b);
    buf_str(&b, rest);
    buf_str(&b, "]");
    conn_send(c, buf_view(&b));
}

static void send_closed(struct conn *c, const char *id, const char *prefix, const char *why) {
    cleanup_buf struct buf rest = {0};
    cleanup_free char *text = mem_fmt("%s: %s", prefix, why);

    buf_str(&rest, ",");
    json_escape(view_str(text), &rest);
    send_about(c, "CLOSED", id, (const char *)rest.p);
}

static void send_event(struct conn *c, const char *id, struct view json) {
    cleanup_buf struct buf b = {0};

    buf_str(&b, "[\"EVENT\",");
    json_escape(view_str(id), &b);
    buf_str(&b, ",");
    buf_add(&b, json.p, json.n);
    buf_str(&b, "]");
    conn_send(c, buf_view(&b));
}

/* ---- the list ---- */

void rsub_free(struct rsub *s) {
    if (!s)
        return;
    for (size_t i = 0; i < s->n_f; i++)
        filter_free(s->f[i]);
    free(s->f);
    free(s->id);
    free(s->rows);
    free(s);
}

void rsub_drop(struct conn *c, const char *id) {
    for (struct rsub **p = &c->subs; *p; p = &(*p)->next) {
        struct rsub *s = *p;

        if (strcmp(s->id, id) != 0)
            continue;
        *p = s->next;
        c->n_subs--;
        rsub_free(s);
        return;
    }
}

/* ---- who may read gift wraps ---- */

static bool secret_kind(uint32_t kind) {
    return kind == KIND_WRAP || kind == KIND_WRAP_EPHEMERAL;
}

static bool asks_for_wraps(const struct filter *f) {
    for (size_t i = 0; i < f->n_kinds; i++)
        if (secret_kind(f->kinds[i]))
            return true;
    return false;
}

static bool asks_for_others(const struct conn *c, const struct filter *f) {
    uint8_t key[32];

    for (size_t t = 0; t < f->n_tags; t++)
        for (size_t i = 0; f->tags[t].name == 'p' && i < f->tags[t].n; i++)
            if (!hex_decode_str(f->tags[t].v[i], key, 32) || !conn_has_key(c, key))
                return true;
    return false;
}

/* NULL, or the refusal's prefix. Filters that only might match a wrap are served without wraps. */
static const char *wraps_refused(const struct conn *c, const struct rsub *s) {
    for (size_t i = 0; i < s->n_f; i++) {
        if (!asks_for_wraps(s->f[i]))
            continue;
        if (!c->n_keys)
            return "auth-required";
        if (asks_for_others(c, s->f[i]))
            return "restricted";
    }
    return NULL;
}

static bool may_see(const struct conn *c, const struct fields *f) {
    uint8_t key[32];

    if (!secret_kind(f->kind))
        return true;
    for (size_t i = 0; i < f->n_tags; i++)
        if (f->tags[i].n > 1 && !strcmp(f->tags[i].v[0], "p") &&
            hex_decode_str(f->tags[i].v[1], key, 32) && conn_has_key(c, key))
            return true;
    return false;
}

/* ---- REQ and COUNT ---- */

static int filters_take(struct rsub *s, const cJSON *msg, struct err *e) {
    int n = cJSON_GetArraySize(msg) - 2;
    const cJSON *o;

    if (n < 1)
        return err_set(e, "invalid", "a filter is missing");
    if (n > RELAYD_FILTERS_MAX)
        return err_set(e, "invalid", "more than %d filters", RELAYD_FILTERS_MAX);
    s->f = mem_new((size_t)n * sizeof(struct filter *));
    for (o = msg->child->next->next; o; o = o->next) {
        struct filter *f = filter_parse(o, e);

        if (!f)
            return -1;
        s->f[s->n_f++] = f;
    }
    return 0;
}

/* What REQ and COUNT have in common. NULL when it was refused; the client has been told. */
static struct rsub *rsub_new(struct conn *c, const cJSON *msg) {
    const cJSON *id = cJSON_GetArrayItem(msg, 1);
    struct rsub *s;
    struct err why;
    const char *no;

    if (!cJSON_IsString(id) || !*id->valuestring || strlen(id->valuestring) > RELAYD_SUB_ID_MAX) {
        c->strikes++;
        conn_notice(c, "invalid: a subscription id has 1 to %d characters", RELAYD_SUB_ID_MAX);
        return NULL;
    }
    s = mem_new(sizeof *s);
    s->id = mem_str(id->valuestring);
    if (!bucket_take(&c->reqs))
        send_closed(c, s->id, "rate-limited", "too many requests at once");
    else if (filters_take(s, msg, &why) < 0)
        send_closed(c, s->id, "invalid", why.text);
    else if ((no = wraps_refused(c, s)))
        send_closed(c, s->id, no, "gift wraps are served to their recipient only");
    else
        return s;
    rsub_free(s);
    return NULL;
}

void relayd_req(struct conn *c, const cJSON *msg) {
    struct rsub *s = rsub_new(c, msg);
    struct err why;

    if (!s)
        return;
    relayd_commit(c->rd); /* what this turn stored is then history, not news */
    rsub_drop(c, s->id);  /* the same id replaces (NIP-01) */
    if (c->n_subs >= RELAYD_SUBS_MAX) {
        send_closed(c, s->id, "error", "too many subscriptions on this connection");
        rsub_free(s);
        return;
    }
    if (relay_store_find(c->rd->store, s->f, s->n_f, conn_reader(c), unix_now(), RELAYD_LIMIT_MAX,
                         &s->rows, &s->n_rows, &why) < 0) {
        send_closed(c, s->id, "error", why.text);
        rsub_free(s);
        return;
    }
    s->next = c->subs;
    c->subs = s;
    c->n_subs++;
    relayd_backfill(c);
}

void relayd_count(struct conn *c, const cJSON *msg) {
    struct rsub *s = rsub_new(c, msg);
    char rest[64];
    uint64_t n;
    struct err why;

    if (!s)
        return;
    if (relay_store_count(c->rd->store, s->f, s->n_f, conn_reader(c), unix_now(), INT32_MAX, &n,
                          &why) < 0) {
        send_closed(c, s->id, "error", why.text);
    } else {
        snprintf(rest, sizeof rest, ",{\"count\":%llu}", (unsigned long long)n);
        send_about(c, "COUNT", s->id, rest);
    }
    rsub_free(s);
}

/* ---- sending ---- */

static void backfill_one(struct conn *c, struct rsub *s) {
    cleanup_buf struct buf json = {0};

    while (s->at < s->n_rows && c->out.bytes < RELAYD_OUT_LOW && !c->closing) {
        buf_reset(&json);
        if (relay_store_json(c->rd->store, s->rows[s->at++], &json))
            send_event(c, s->id, buf_view(&json));
    }
    if (s->at < s->n_rows || s->eose)
        return;
    s->eose = true;
    free(s->rows);
    s->rows = NULL;
    s->n_rows = s->at = 0;
    send_about(c, "EOSE", s->id, "");
}

void relayd_backfill(struct conn *c) {
    for (struct rsub *s = c->subs; s && c->out.bytes < RELAYD_OUT_LOW; s = s->next)
        if (!s->eose)
            backfill_one(c, s);
}

static bool wants(const struct rsub *s, const struct fields *f) {
    for (size_t i = 0; i < s->n_f; i++)
        if (filter_match(s->f[i], f))
            return true;
    return false;
}

void relayd_deliver(struct relayd *r, const struct event *ev, struct view json) {
    for (struct conn *c = r->conns; c; c = c->next) {
        if (c->closing || !c->subs || !may_see(c, &ev->f))
            continue;
        for (struct rsub *s = c->subs; s; s = s->next)
            if (wants(s, &ev->f))
                send_event(c, s->id, json);
    }
}
