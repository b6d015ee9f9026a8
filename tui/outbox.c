#include "outbox.h"

#include <stdlib.h>
#include <string.h>

#include "core/enc.h"
#include "core/loop.h"
#include "core/msg.h"
#include "core/wrap.h"

#define PENDING_MAX 1024
#define KEEP_SECONDS 3600 /* relays may forget our wraps this long after the job's end */

struct outbox {
    struct pool *pool;
    const struct keypair *u;
    struct job_request request;
    struct wrap_keys *keys;
    bool plain_only; /* a relay refused kind 21059 */
    uint8_t pending[PENDING_MAX][32];
    size_t n_pending;
    uint8_t light[32]; /* id of the last 21059 */
    uint64_t sealed;
};

struct outbox *outbox_new(struct pool *pool, const struct keypair *u,
                          const struct job_request *request) {
    struct outbox *o = mem_new(sizeof *o);

    o->pool = pool;
    o->u = u;
    o->request = *request;
    o->keys = wrap_keys_new(u);
    return o;
}

void outbox_free(struct outbox *o) {
    if (!o)
        return;
    wrap_keys_free(o->keys);
    explicit_bzero(o, sizeof *o);
    free(o);
}

struct wrap_keys *outbox_keys(struct outbox *o) {
    return o->keys;
}

static void pending_add(struct outbox *o, const uint8_t id[static 32]) {
    if (o->n_pending == PENDING_MAX) {
        memmove(o->pending, o->pending + 1, (PENDING_MAX - 1) * 32);
        o->n_pending--;
    }
    memcpy(o->pending[o->n_pending++], id, 32);
}

void outbox_ok(struct outbox *o, const uint8_t id[static 32], bool ok, const char *msg) {
    for (size_t i = 0; ok && i < o->n_pending; i++)
        if (!memcmp(o->pending[i], id, 32)) {
            memmove(o->pending + i, o->pending + i + 1, (--o->n_pending - i) * 32);
            return;
        }
    /* "mute": nobody listened just now, which says nothing about the kind */
    if (!ok && !memcmp(o->light, id, 32) && strncmp(msg, "mute", 4) != 0)
        o->plain_only = true;
}

size_t outbox_pending(const struct outbox *o) {
    return o->n_pending;
}

uint64_t outbox_sealed_for_guest(const struct outbox *o) {
    return o->sealed;
}

static int seal(struct outbox *o, const uint8_t to[static 32], const struct rumor *r, bool stored,
                struct err *e) {
    uint32_t kind = stored || o->plain_only ? KIND_WRAP : KIND_WRAP_EPHEMERAL;
    int64_t until = o->request.expires + KEEP_SECONDS + (int64_t)random_below(KEEP_SECONDS);
    struct event *ev = wrap_make(r, o->u, o->keys, to, kind, unix_now(), until, e);
    int rc;

    if (!ev)
        return -1;
    rc = pool_publish(o->pool, ev, e);
    if (rc == 0 && kind == KIND_WRAP)
        pending_add(o, ev->f.id);
    if (kind == KIND_WRAP_EPHEMERAL)
        memcpy(o->light, ev->f.id, 32);
    event_free(ev);
    return rc;
}

int outbox_request(struct outbox *o, const struct rumor *request, struct err *e) {
    struct job_request q;

    if (job_request_parse(request, -1, &q, e)) /* refuses content */
        return -1;
    if (memcmp(q.id, o->request.id, 32) != 0)
        return err_set(e, "internal", "not this job's request");
    return seal(o, q.provider, request, true, e);
}

int outbox_cancel(struct outbox *o, struct err *e) {
    struct rumor *r = job_cancel_make(&o->request, o->u, unix_now());
    int rc = seal(o, o->request.provider, r, true, e);

    rumor_free(r);
    return rc;
}

/* --- control: what may be said to a guest that nobody has verified --- */

static bool is_nothing(const cJSON *v) {
    (void)v;
    return false;
}

static bool is_numbers(const cJSON *v) {
    const cJSON *n;
    int64_t i;

    if (!cJSON_IsArray(v) || cJSON_GetArraySize(v) > 64)
        return false;
    cJSON_ArrayForEach(n, v) {
        if (!json_int_of(n, &i))
            return false;
    }
    return true;
}

static bool is_reason(const cJSON *v) {
    static const char *const reasons[] = {"end", "refused", "error"};

    for (size_t i = 0; cJSON_IsString(v) && i < COUNT(reasons); i++)
        if (!strcmp(v->valuestring, reasons[i]))
            return true;
    return false;
}

static const struct {
    const char *type, *key; /* the one key of its own it may have, "" none */
    bool (*value_ok)(const cJSON *v);
} controls[] = {
    {"ping", "", is_nothing},     {"pong", "", is_nothing},     {"ack", "", is_nothing},
    {"nack", "want", is_numbers}, {"end", "reason", is_reason},
};

static bool head_key(const char *key) {
    static const char *const keys[] = {"v", "t", "job", "seq", "ack", "r", "pad"};

    for (size_t i = 0; i < COUNT(keys); i++)
        if (!strcmp(keys[i], key))
            return true;
    return false;
}

/* The pad is ours, but a check that trusts nobody costs nothing. */
static bool pad_ok(const cJSON *o) {
    const char *pad = json_opt(o, "pad");

    return pad && pad[strspn(pad, "0")] == '\0';
}

static bool is_control(const struct msg *m) {
    const cJSON *v;
    size_t row;

    for (row = 0; row < COUNT(controls); row++)
        if (!strcmp(controls[row].type, m->type))
            break;
    if (row == COUNT(controls) || !pad_ok(m->o))
        return false;
    cJSON_ArrayForEach(v, m->o) {
        if (!head_key(v->string) &&
            (strcmp(v->string, controls[row].key) != 0 || !controls[row].value_ok(v)))
            return false;
    }
    return true;
}

int outbox_control(struct outbox *o, const uint8_t guest[static 32], const struct rumor *r,
                   struct err *e) {
    struct msg m;
    bool fixed;

    if (msg_parse(r, &m, e))
        return -1;
    fixed = is_control(&m);
    msg_free(&m);
    if (!fixed)
        return err_set(e, "not-control", "only fixed messages go to a guest that is not verified");
    return seal(o, guest, r, true, e);
}

/* The rumor must say for itself that it is for this guest. */
static bool addressed_to(const struct rumor *r, const uint8_t guest[static 32]) {
    uint8_t p[32];

    return hex_decode_str(fields_get(&r->f, "p", 1), p, 32) && memcmp(p, guest, 32) == 0;
}

int outbox_user_data(struct outbox *o, const struct verdict *v, const struct rumor *r, bool stored,
                     struct err *e) {
    if (!v || !verdict_allows(v) || !verdict_guest(v) || !verdict_job(v))
        return err_set(e, "not-allowed", "no verdict allows sending anything to this guest");
    if (memcmp(verdict_job(v), o->request.id, 32) != 0)
        return err_set(e, "not-allowed", "the verdict is about another job");
    if (!addressed_to(r, verdict_guest(v)))
        return err_set(e, "not-allowed", "the message is for another guest than the verdict's");
    o->sealed++;
    return seal(o, verdict_guest(v), r, stored, e);
}
