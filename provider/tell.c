#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/wrap.h"
#include "tell.h"

#define WAITING 64
#define WAITING_MS 10000
#define EXPIRES_S (3 * 24 * 3600)

struct tell {
    struct pool *pool;
    const struct keypair *key;
    struct wrap_keys *keys;
    struct {
        uint8_t id[32];
        int64_t until;
    } waiting[WAITING];
    size_t next;
};

struct tell *tell_new(struct pool *pool, const struct keypair *key) {
    struct tell *t = mem_new(sizeof *t);

    t->pool = pool;
    t->key = key;
    t->keys = wrap_keys_new(key);
    return t;
}

void tell_free(struct tell *t) {
    if (!t)
        return;
    wrap_keys_free(t->keys);
    free(t);
}

/* Takes over ev. */
static void publish(struct tell *t, struct event *ev, const char *what) {
    struct err e;

    if (pool_publish(t->pool, ev, &e) < 0) {
        log_line(LOG_WARN, "tell", "no relay takes %s: %s", what, e.text);
    } else {
        memcpy(t->waiting[t->next].id, ev->f.id, 32);
        t->waiting[t->next].until = loop_now() + WAITING_MS;
        t->next = (t->next + 1) % WAITING;
    }
    event_free(ev);
}

/* Takes over rumor, which may be NULL. */
static void seal(struct tell *t, struct rumor *rumor, const uint8_t customer[static 32],
                 const char *what) {
    int64_t now = unix_now();
    struct event *ev;
    struct err e;

    if (!rumor) {
        log_line(LOG_WARN, "tell", "%s does not fit into a message", what);
        return;
    }
    ev = wrap_make(rumor, t->key, t->keys, customer, KIND_WRAP, now, now + EXPIRES_S, &e);
    if (ev)
        publish(t, ev, what);
    else
        log_line(LOG_WARN, "tell", "%s cannot be sealed: %s", what, e.text);
    rumor_free(rumor);
}

void tell_feedback(struct tell *t, const struct job_feedback *f,
                   const uint8_t customer[static 32]) {
    seal(t, job_feedback_make(f, t->key, customer, unix_now()), customer, "feedback");
}

void tell_error(struct tell *t, const uint8_t job[static 32], const uint8_t customer[static 32],
                const char *code, const char *text) {
    struct job_feedback f = {.status = JOB_ERROR};

    memcpy(f.job, job, 32);
    text_clip(f.code, sizeof f.code, code);
    text_clip(f.text, sizeof f.text, text);
    tell_feedback(t, &f, customer);
}

void tell_collateral(struct tell *t, const struct collateral *c, const uint8_t job[static 32],
                     const uint8_t customer[static 32]) {
    struct rumor *part[COLLATERAL_PARTS];
    struct err e;
    size_t n;

    if (collateral_make(c, job, t->key, customer, unix_now(), part, &n, &e)) {
        log_line(LOG_WARN, "tell", "%s", e.text);
        return;
    }
    for (size_t i = 0; i < n; i++)
        seal(t, part[i], customer, "collateral");
}

void tell_teardown(struct tell *t, const struct teardown *d, const uint8_t customer[static 32]) {
    struct event *signed_line = teardown_make(d, t->key, unix_now());

    seal(t, teardown_message(signed_line, d->job, t->key, customer, unix_now()), customer,
         "the teardown");
    event_free(signed_line);
}

void tell_public(struct tell *t, struct event *ev) {
    publish(t, ev, "a public event");
}

void tell_confirmed(struct tell *t, const uint8_t id[static 32]) {
    for (size_t i = 0; i < WAITING; i++)
        if (!memcmp(t->waiting[i].id, id, 32))
            t->waiting[i].until = 0;
}

size_t tell_waiting(const struct tell *t) {
    int64_t now = loop_now();
    size_t n = 0;

    for (size_t i = 0; i < WAITING; i++)
        n += t->waiting[i].until > now;
    return n;
}
