/* What clients of the embedded relay say: EVENT, REQ, CLOSE, AUTH, COUNT. */
#include "relayd_priv.h"

#include <stdlib.h>
#include <string.h>

#include "core/enc.h"
#include "core/json.h"
#include "core/log.h"
#include "core/text.h"
#include "core/wrap.h"

#define BATCH_MAX 500    /* events per transaction */
#define AUTH_SECONDS 600 /* how far an AUTH event's date may be off (NIP-42) */

static const char *str_at(const cJSON *msg, int i) {
    const cJSON *v = cJSON_GetArrayItem(msg, i);

    return cJSON_IsString(v) ? v->valuestring : NULL;
}

/* ---- OK ---- */

static void send_ok(struct conn *c, const uint8_t id[32], bool ok, const char *text) {
    cleanup_buf struct buf b = {0};
    char hex[65];

    hex_encode(view_of(id, 32), hex);
    buf_fmt(&b, "[\"OK\",\"%s\",%s,", hex, ok ? "true" : "false");
    json_escape(view_str(text), &b);
    buf_str(&b, "]");
    conn_send(c, buf_view(&b));
}

/* "prefix: sentence", as NIP-01 wants it. */
static void send_no(struct conn *c, const uint8_t id[32], const char *prefix, const char *why) {
    cleanup_free char *text = mem_fmt("%s: %s", prefix, why);

    send_ok(c, id, false, text);
}

/* An event that does not parse is refused by its id where it has one. */
static void refuse_unparsed(struct conn *c, const cJSON *o, const struct err *why) {
    const cJSON *v = cJSON_IsObject(o) ? cJSON_GetObjectItemCaseSensitive(o, "id") : NULL;
    uint8_t id[32];

    c->strikes++;
    if (cJSON_IsString(v) && hex_decode_str(v->valuestring, id, 32))
        send_no(c, id, "invalid", why->text);
    else
        conn_notice(c, "invalid: %s", why->text);
}

/* ---- the batch: answers and deliveries wait for the commit ---- */

static void pend(struct conn *c, struct event *ev, struct buf *json, const char *text,
                 bool deliver) {
    struct relayd *r = c->rd;

    if (r->n_pending == r->cap_pending) {
        r->cap_pending = r->cap_pending ? r->cap_pending * 2 : 64;
        r->pending = mem_grow(r->pending, r->cap_pending * sizeof *r->pending);
    }
    r->pending[r->n_pending++] =
        (struct pending){.from = c, .ev = ev, .json = *json, .text = text, .deliver = deliver};
    *json = (struct buf){0};
    if (r->n_pending == 1)
        loop_timer_set(r->commit, loop_now()); /* as soon as this turn's input is read */
    else if (r->n_pending >= BATCH_MAX)
        relayd_commit(r);
}

/* Conns only drop out of r->pending meanwhile: nothing is added while answers go out. */
void relayd_commit(struct relayd *r) {
    struct err why;
    bool ok = relay_store_commit(r->store, &why) == 0;
    cleanup_free char *text = ok ? NULL : mem_fmt("error: %s", why.text);

    loop_timer_set(r->commit, -1);
    if (!ok)
        log_line(LOG_ERROR, "relay", "%s", why.text);
    for (size_t i = 0; i < r->n_pending; i++) {
        struct pending *p = &r->pending[i];

        if (p->from)
            send_ok(p->from, p->ev->f.id, ok, ok ? p->text : text);
        if (ok && p->deliver)
            relayd_deliver(r, p->ev, buf_view(&p->json));
        event_free(p->ev);
        buf_free(&p->json);
    }
    r->n_pending = 0;
}

/* ---- EVENT ---- */

struct refusal {
    const char *prefix;
    char text[160];
};

static bool refuse(struct refusal *no, const char *prefix, const char *text) {
    no->prefix = prefix;
    snprintf(no->text, sizeof no->text, "%s", text);
    return false;
}

/* NIP-13: enough bits, and no less promised, so that luck does not count. */
static bool pow_enough(const struct conn *c, const struct fields *f, struct refusal *no) {
    unsigned want = c->rd->o.min_pow, bits = pow_difficulty(f->id);
    const char *target = fields_get(f, "nonce", 2);

    if (bits >= want && (!want || (target && strtoul(target, NULL, 10) >= want)))
        return true;
    no->prefix = "pow";
    snprintf(no->text, sizeof no->text, "difficulty %u is less than %u", bits, want);
    return false;
}

static bool may_publish(const struct conn *c, const struct fields *f, struct refusal *no) {
    if (!fields_protected(f) || conn_has_key(c, f->pubkey))
        return true;
    return c->n_keys ? refuse(no, "restricted", "only its author may publish this event")
                     : refuse(no, "auth-required", "only its author may publish this event");
}

static bool admit(struct conn *c, const struct fields *f, size_t json_n, struct refusal *no) {
    int64_t now = unix_now();

    if (json_n > EVENT_MAX)
        return refuse(no, "invalid", "the event is larger than 65536 bytes");
    if (f->created_at > now + RELAYD_FUTURE_S)
        return refuse(no, "invalid", "created_at is more than 15 minutes ahead");
    if (fields_expired(f, now))
        return refuse(no, "invalid", "the event has expired");
    if (f->kind == 22242)
        return refuse(no, "invalid", "kind 22242 is for AUTH messages");
    return pow_enough(c, f, no) && may_publish(c, f, no);
}

static void store(struct conn *c, struct event *ev, struct buf *json) {
    struct err why;

    switch (relay_store_put(c->rd->store, ev, buf_view(json), &why)) {
    case RELAY_PUT_NEW:
        pend(c, ev, json, "", true);
        return;
    case RELAY_PUT_DUPLICATE:
        pend(c, ev, json, "duplicate: this event is stored already", false);
        return;
    case RELAY_PUT_OLDER:
        pend(c, ev, json, "duplicate: a newer version of this event is stored", false);
        return;
    case RELAY_PUT_DELETED:
        send_no(c, ev->f.id, "deleted", "its deletion was asked for");
        break;
    case RELAY_PUT_FAILED:
        send_no(c, ev->f.id, "error", why.text);
        break;
    }
    event_free(ev);
}

static void accept_event(struct conn *c, struct event *ev) {
    cleanup_buf struct buf json = {0};
    struct refusal no;

    event_json(ev, &json);
    if (!admit(c, &ev->f, json.n, &no)) {
        send_no(c, ev->f.id, no.prefix, no.text);
    } else if (kind_class(ev->f.kind) == KIND_EPHEMERAL) { /* never touches the disk */
        send_ok(c, ev->f.id, true, "");
        relayd_deliver(c->rd, ev, buf_view(&json));
    } else {
        store(c, ev, &json);
        return;
    }
    event_free(ev);
}

static void take_event(struct conn *c, const cJSON *msg) {
    const cJSON *o = cJSON_GetArrayItem(msg, 1);
    struct raw_event *raw;
    struct event *ev;
    struct err why;
    uint8_t id[32];

    if (!(raw = raw_event_from_json(o, &why))) {
        refuse_unparsed(c, o, &why);
        return;
    }
    memcpy(id, raw->f.id, sizeof id);
    if (!bucket_take(&c->events)) {
        raw_event_free(raw);
        send_no(c, id, "rate-limited", "too many events at once, send this one again later");
    } else if (!(ev = event_verify(raw, &why))) {
        c->strikes++;
        send_no(c, id, "invalid", why.text);
    } else {
        accept_event(c, ev);
    }
}

/* ---- AUTH (NIP-42) ---- */

static bool same_place(const char *claimed, const char *ours) {
    struct url a, b;

    return url_parse(claimed, &a, NULL) == 0 && url_parse(ours, &b, NULL) == 0 &&
           strcmp(a.host, b.host) == 0 && a.port == b.port;
}

/* The relay tag keeps another relay from passing our challenge on to its own visitors. Names of
 * this machine's loopback are no use to such a relay. */
static bool names_us(const struct relayd *r, const char *claimed) {
    static const char *const locals[] = {"127.0.0.1", "localhost", "[::1]"};

    if ((r->url && same_place(claimed, r->url)) || same_place(claimed, r->own_url))
        return true;
    for (size_t i = 0; i < COUNT(locals); i++) {
        cleanup_free char *own = mem_fmt("ws://%s:%u", locals[i], relayd_port(r));

        if (same_place(claimed, own))
            return true;
    }
    return false;
}

static const char *auth_fault(const struct conn *c, const struct fields *f) {
    const char *challenge = fields_get(f, "challenge", 1), *relay = fields_get(f, "relay", 1);
    int64_t off = unix_now() - f->created_at;

    if (f->kind != 22242)
        return "an AUTH event has kind 22242";
    if (!challenge || strcmp(challenge, c->challenge) != 0)
        return "the challenge is not the one of this connection";
    if (!relay || !names_us(c->rd, relay))
        return "the relay tag names another relay";
    if (off > AUTH_SECONDS || off < -AUTH_SECONDS)
        return "created_at is more than ten minutes off";
    if (c->n_keys == RELAYD_KEYS_MAX && !conn_has_key(c, f->pubkey))
        return "too many keys on one connection";
    return NULL;
}

static void take_auth(struct conn *c, const cJSON *msg) {
    const cJSON *o = cJSON_GetArrayItem(msg, 1);
    struct raw_event *raw;
    struct event *ev;
    struct err why;
    const char *fault;
    uint8_t id[32];

    if (!(raw = raw_event_from_json(o, &why))) {
        refuse_unparsed(c, o, &why);
        return;
    }
    memcpy(id, raw->f.id, sizeof id);
    if (!(ev = event_verify(raw, &why))) {
        c->strikes++;
        send_no(c, id, "invalid", why.text);
        return;
    }
    fault = auth_fault(c, &ev->f);
    if (!fault && !conn_has_key(c, ev->f.pubkey))
        memcpy(c->keys[c->n_keys++], ev->f.pubkey, 32);
    if (fault)
        send_no(c, id, "invalid", fault);
    else
        send_ok(c, id, true, "");
    event_free(ev);
}

static void take_close(struct conn *c, const cJSON *msg) {
    const char *id = str_at(msg, 1);

    if (id)
        rsub_drop(c, id);
}

static const struct {
    const char *name;
    void (*take)(struct conn *c, const cJSON *msg);
} messages[] = {
    {"EVENT", take_event}, {"REQ", relayd_req},     {"CLOSE", take_close},
    {"AUTH", take_auth},   {"COUNT", relayd_count},
};

static void take(struct conn *c, const cJSON *msg) {
    const char *name = cJSON_IsArray(msg) ? str_at(msg, 0) : NULL;
    cleanup_free char *safe = NULL;

    for (size_t i = 0; name && i < COUNT(messages); i++)
        if (strcmp(name, messages[i].name) == 0) {
            messages[i].take(c, msg);
            return;
        }
    c->strikes++;
    if (!name) {
        conn_notice(c, "invalid: a message is a JSON array that begins with its name");
        return;
    }
    safe = text_safe_new(view_str(name), TEXT_LINE, 40);
    conn_notice(c, "unsupported: message '%s' is not known here", safe);
}

void relayd_take(struct conn *c, struct view text) {
    struct err why;
    cJSON *msg = json_parse(text, RELAYD_MESSAGE_MAX, &why);

    if (!msg) {
        c->strikes++;
        conn_notice(c, "invalid: %s", why.text);
        return;
    }
    take(c, msg);
    cJSON_Delete(msg);
}
