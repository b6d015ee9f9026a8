/* What a relay says to us. Nothing is believed: events are verified and matched against the
 * subscription that they claim to answer. */
#include "relay_priv.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "enc.h"
#include "json.h"
#include "log.h"
#include "text.h"

#define MESSAGE_MAX ((size_t)131072)
#define LIES_MAX 20
#define AUTH_REFUSALS_MAX 2 /* "auth-required" after a good AUTH: do not ask for ever */
#define CHALLENGE_MAX 128

/* strfry writes CLOSED reasons as "ERROR: auth-required: ...". */
static bool reason_is(const char *reason, const char *prefix) {
    if (strncasecmp(reason, "ERROR: ", 7) == 0)
        reason += 7;
    return strncmp(reason, prefix, strlen(prefix)) == 0;
}

static void lie(struct relay *r, const char *what) {
    r->lies++;
    log_line(LOG_WARN, "relay", "'%s' %s", r->url, what);
    if (r->lies >= LIES_MAX)
        relay_drop(r);
}

static const char *str_at(const cJSON *msg, int i) {
    const cJSON *v = cJSON_GetArrayItem(msg, i);

    return cJSON_IsString(v) ? v->valuestring : NULL;
}

static bool sub_wants(const struct relay_sub *s, const struct fields *f) {
    for (size_t i = 0; i < s->n_f; i++)
        if (filter_match(s->f[i], f))
            return true;
    return false;
}

/* ["EVENT", sub, {event}]. One for a subscription that we have just closed is no lie. */
static void take_event(struct relay *r, const cJSON *msg) {
    const char *id = str_at(msg, 1);
    struct relay_sub *s = id ? relay_sub_find(r, id) : NULL;
    struct raw_event *raw;
    struct event *ev;
    struct err why;

    if (!s)
        return;
    raw = raw_event_from_json(cJSON_GetArrayItem(msg, 2), &why);
    if (!raw) {
        lie(r, "sent something that is not an event");
    } else if (r->h.known && r->h.known(r->arg, r, id, raw->f.id)) {
        r->events++;
        raw_event_free(raw);
    } else if (!sub_wants(s, &raw->f)) {
        raw_event_free(raw);
        lie(r, "sent an event that was not asked for");
    } else if (!(ev = event_verify(raw, &why))) {
        lie(r, "sent an event with a wrong id or signature");
    } else {
        r->events++;
        if (!fields_expired(&ev->f, unix_now()) && r->h.event)
            r->h.event(r->arg, r, id, ev);
        event_free(ev);
    }
}

static void take_eose(struct relay *r, const cJSON *msg) {
    const char *id = str_at(msg, 1);
    struct relay_sub *s = id ? relay_sub_find(r, id) : NULL;

    if (!s || s->eose || !s->sent)
        return;
    s->eose = true;
    s->refusals = 0;
    r->latency = loop_now() - s->sent_at;
    if (r->h.eose)
        r->h.eose(r->arg, r, id);
}

static void out_done(struct relay *r, struct relay_out *o, bool ok, const char *why) {
    uint8_t id[32];

    memcpy(id, o->id, sizeof id);
    relay_out_drop(r, o);
    if (r->h.ok)
        r->h.ok(r->arg, r, id, ok, why);
}

/* What was refused for want of AUTH goes out again. */
static void auth_done(struct relay *r) {
    r->authed = true;
    for (struct relay_sub *s = r->subs; s; s = s->next)
        s->wants_auth = false;
    for (struct relay_out *o = r->outs; o; o = o->next)
        o->wants_auth = false;
    relay_flush(r);
}

static struct relay_sub *sub_waiting(struct relay *r) {
    for (struct relay_sub *s = r->subs; s; s = s->next)
        if (s->wants_auth)
            return s;
    return NULL;
}

static struct relay_out *out_waiting(struct relay *r) {
    for (struct relay_out *o = r->outs; o; o = o->next)
        if (o->wants_auth)
            return o;
    return NULL;
}

/* All that waited for AUTH is refused for good; callbacks may change the lists meanwhile. */
static void auth_refused(struct relay *r, const char *why) {
    struct relay_sub *s;
    struct relay_out *o;

    while (!r->freed && (s = sub_waiting(r))) {
        cleanup_free char *id = mem_str(s->id);

        s->wants_auth = false;
        s->sent = true; /* answered: not again on this connection */
        if (r->h.closed)
            r->h.closed(r->arg, r, id, why);
    }
    while (!r->freed && (o = out_waiting(r)))
        out_done(r, o, false, why);
}

static bool may_authenticate(const struct relay *r) {
    return r->key || r->h.challenge;
}

/* relay_flush sends it again, in its time: too much at once is no try. */
static void out_limited(struct relay *r, struct relay_out *o) {
    if (!o->sent)
        return;
    throttle_refused(&r->rate, o->sent_at, loop_now());
    o->sent = false;
    o->limited = true;
    o->tries--;
}

static void out_answered(struct relay *r, struct relay_out *o, bool ok, const char *why) {
    /* Waits for the OK to our AUTH, then goes out again. */
    if (!ok && reason_is(why, "auth-required") && o->tries <= AUTH_REFUSALS_MAX &&
        may_authenticate(r)) {
        o->sent = false;
        o->wants_auth = true;
        (void)relay_authenticate(r);
        return;
    }
    if (!ok && reason_is(why, "rate-limited")) {
        out_limited(r, o);
        return;
    }
    throttle_taken(&r->rate, loop_now());
    r->latency = loop_now() - o->sent_at;
    out_done(r, o, ok || reason_is(why, "duplicate"), why);
}

/* ["OK", id, bool, text] */
static void take_ok(struct relay *r, const cJSON *msg) {
    const char *hex = str_at(msg, 1), *why = str_at(msg, 3);
    bool ok = cJSON_IsTrue(cJSON_GetArrayItem(msg, 2));
    cleanup_free char *text = NULL;
    struct relay_out *o;
    uint8_t id[32];

    if (!hex_decode_str(hex, id, sizeof id)) {
        lie(r, "answered for an id that is no id");
        return;
    }
    text = text_safe_new(view_str(why ? why : ""), TEXT_LINE, 200);
    if (r->auth_sent && memcmp(id, r->auth_id, sizeof id) == 0) {
        r->auth_sent = false;
        if (ok)
            auth_done(r);
        else
            auth_refused(r, text);
    } else if ((o = relay_out_find(r, id))) {
        out_answered(r, o, ok, text);
        if (!r->freed)
            relay_flush(r);
    }
}

/* ["CLOSED", sub, reason]: re-sent after AUTH, otherwise on the next connection. */
static void take_closed(struct relay *r, const cJSON *msg) {
    const char *id = str_at(msg, 1), *why = str_at(msg, 2);
    struct relay_sub *s = id ? relay_sub_find(r, id) : NULL;
    cleanup_free char *text = NULL;

    if (!s)
        return;
    text = text_safe_new(view_str(why ? why : ""), TEXT_LINE, 200);
    if (reason_is(text, "auth-required") && s->refusals++ < AUTH_REFUSALS_MAX &&
        may_authenticate(r)) {
        s->sent = false;
        s->wants_auth = true;
        (void)relay_authenticate(r);
        return;
    }
    if (r->h.closed)
        r->h.closed(r->arg, r, id, text);
}

/* ["AUTH", challenge]: the newest one counts. */
static void take_auth(struct relay *r, const cJSON *msg) {
    const char *c = str_at(msg, 1);
    size_t n = c ? strlen(c) : 0;

    if (n == 0 || n > CHALLENGE_MAX || !text_ascii_printable(view_str(c))) {
        lie(r, "sent a challenge that is not 1 to 128 printable characters");
        return;
    }
    free(r->challenge);
    r->challenge = mem_str(c);
    r->auth_sent = r->authed = false;
    if (r->key)
        (void)relay_authenticate(r);
    else if (r->h.challenge)
        r->h.challenge(r->arg, r, c);
}

static void take_notice(struct relay *r, const cJSON *msg) {
    const char *text = str_at(msg, 1);
    cleanup_free char *safe = text_safe_new(view_str(text ? text : ""), TEXT_LINE, 200);

    log_line(LOG_INFO, "relay", "'%s' says: %s", r->url, safe);
}

static const struct {
    const char *name;
    void (*take)(struct relay *r, const cJSON *msg);
} messages[] = {
    {"EVENT", take_event},   {"EOSE", take_eose}, {"OK", take_ok},
    {"CLOSED", take_closed}, {"AUTH", take_auth}, {"NOTICE", take_notice},
};

void relay_take(struct relay *r, struct view text) {
    cJSON *msg;
    const char *name;

    if (r->freed || r->state != RELAY_UP)
        return;
    msg = json_parse(text, MESSAGE_MAX, NULL);
    name = cJSON_IsArray(msg) ? str_at(msg, 0) : NULL;
    if (!name)
        lie(r, "sent a message that is not a JSON array with a name");
    for (size_t i = 0; name && i < COUNT(messages); i++)
        if (strcmp(name, messages[i].name) == 0)
            messages[i].take(r, msg);
    cJSON_Delete(msg);
}
