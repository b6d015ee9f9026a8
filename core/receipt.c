#include "receipt.h"

#include <string.h>

void receipt_count(struct receipt *r, const struct talk *g) {
    struct talk_sum s;

    talk_sum(g, &s);
    r->n_in = s.n_in;
    r->n_out = s.n_out;
    r->bytes_in = s.bytes_in;
    r->bytes_out = s.bytes_out;
    memcpy(r->root_in, s.root_in, 32);
    memcpy(r->root_out, s.root_out, 32);
}

/* The 32-byte and the counting fields, written and read in this order. */
static const struct {
    const char *key;
    size_t at;
} hashes[] =
    {
        {"job", offsetof(struct receipt, job)},
        {"hello", offsetof(struct receipt, hello)},
        {"accept", offsetof(struct receipt, accept)},
        {"root_in", offsetof(struct receipt, root_in)},
        {"root_out", offsetof(struct receipt, root_out)},
},
  counts[] = {
      {"n_in", offsetof(struct receipt, n_in)},
      {"n_out", offsetof(struct receipt, n_out)},
      {"bytes_in", offsetof(struct receipt, bytes_in)},
      {"bytes_out", offsetof(struct receipt, bytes_out)},
};

struct event *receipt_make(const struct receipt *r, const struct keypair *g, int64_t now) {
    cleanup_buf struct buf json = {0};
    struct jw w = jw_new(&json);
    struct fields f;

    jw_obj(&w);
    jw_kint(&w, "v", 1);
    for (size_t i = 0; i < COUNT(hashes); i++)
        jw_khex(&w, hashes[i].key, view_of((const char *)r + hashes[i].at, 32));
    for (size_t i = 0; i < COUNT(counts); i++) {
        uint64_t n;

        memcpy(&n, (const char *)r + counts[i].at, sizeof n);
        jw_kint(&w, counts[i].key, (int64_t)n);
    }
    jw_kbool(&w, "model_key", r->model_key);
    jw_kstr(&w, "reason", r->reason);
    jw_end_obj(&w);
    f = fields_new(KIND_RECEIPT, now, buf_view(&json));
    fields_add(&f, "type", "receipt");
    return event_sign(&f, g);
}

/* The content of a kind 1931 event of this type and version 1. NULL on error. Owned. */
static cJSON *content_parse(const struct event *ev, const char *type, struct err *e) {
    const char *is = fields_get(&ev->f, "type", 1);
    uint64_t v;
    cJSON *o;

    if (ev->f.kind != KIND_RECEIPT || !is || strcmp(is, type) != 0) {
        err_set(e, "bad-receipt", "kind %u is no %s", ev->f.kind, type);
        return NULL;
    }
    o = json_parse(view_of(ev->f.content, ev->f.content_len), EVENT_MAX, e);
    if (o && json_u64(o, "v", &v, e) && v == 1)
        return o;
    if (o)
        err_set(e, "bad-receipt", "a %s of another version", type);
    cJSON_Delete(o);
    return NULL;
}

static bool word_get(const cJSON *o, const char *key, char *out, size_t cap) {
    const char *s = json_opt(o, key);
    size_t n = s ? strspn(s, "abcdefghijklmnopqrstuvwxyz-") : 0;

    if (n == 0 || n >= cap || s[n] != '\0')
        return false;
    memcpy(out, s, n + 1);
    return true;
}

static int fields_parse(const cJSON *o, struct receipt *out, struct err *e) {
    for (size_t i = 0; i < COUNT(hashes); i++)
        if (!json_hex(o, hashes[i].key, (uint8_t *)out + hashes[i].at, 32, e))
            return -1;
    for (size_t i = 0; i < COUNT(counts); i++) {
        uint64_t n;

        if (!json_u64(o, counts[i].key, &n, e))
            return -1;
        memcpy((char *)out + counts[i].at, &n, sizeof n);
    }
    if (!json_bool(o, "model_key", &out->model_key, e))
        return -1;
    if (!word_get(o, "reason", out->reason, sizeof out->reason))
        return err_set(e, "bad-receipt", "its reason is not a word");
    return 0;
}

int receipt_parse(const struct event *ev, struct receipt *out, struct err *e) {
    cJSON *o = content_parse(ev, "receipt", e);
    int rc;

    *out = (struct receipt){0};
    if (!o)
        return -1;
    rc = fields_parse(o, out, e);
    cJSON_Delete(o);
    return rc ? err_wrap(e, "receipt") : 0;
}

static void event_body(const struct event *ev, struct buf *out) {
    cleanup_buf struct buf json = {0};
    struct jw w = jw_new(out);

    event_json(ev, &json);
    jw_key(&w, "event");
    jw_raw(&w, buf_view(&json));
}

int receipt_send(struct talk *g, const struct event *receipt, struct err *e) {
    cleanup_buf struct buf body = {0};

    event_body(receipt, &body);
    return talk_send(g, "receipt", buf_view(&body), NULL, e);
}

struct event *receipt_event(const cJSON *message, struct err *e) {
    const cJSON *o = json_obj(message, "event", e);
    struct raw_event *raw = o ? raw_event_from_json(o, e) : NULL;

    return raw ? event_verify(raw, e) : NULL;
}

static int root_check(const struct talk *u, enum talk_dir dir, uint64_t n,
                      const uint8_t root[static 32], const char *what, struct err *e) {
    uint8_t own[32];

    if (!talk_root(u, dir, n, own))
        return err_set(e, "receipt-mismatch", "the receipt counts %llu %s, there were fewer",
                       (unsigned long long)n, what);
    if (memcmp(own, root, 32) != 0)
        return err_set(e, "receipt-mismatch", "the receipt's hash of %llu %s is another one",
                       (unsigned long long)n, what);
    return 0;
}

int receipt_check(const struct receipt *r, const struct talk *u, struct err *e) {
    struct talk_sum s;
    uint64_t missing;

    if (root_check(u, TALK_OUT, r->n_in, r->root_in, "messages of yours", e) ||
        root_check(u, TALK_IN, r->n_out, r->root_out, "answers", e))
        return -1;
    talk_sum(u, &s);
    missing = s.n_out - r->n_in;
    return missing < INT32_MAX ? (int)missing : INT32_MAX;
}

/* --- teardown --- */

struct event *teardown_make(const struct teardown *t, const struct keypair *p, int64_t now) {
    cleanup_buf struct buf json = {0};
    struct jw w = jw_new(&json);
    struct fields f;

    jw_obj(&w);
    jw_kint(&w, "v", 1);
    jw_khex(&w, "job", view_of(t->job, 32));
    jw_kint(&w, "started", t->started);
    jw_kint(&w, "ended", t->ended);
    jw_kint(&w, "exit", t->exit_status);
    jw_kbool(&w, "rundir_removed", t->rundir_removed);
    jw_kint(&w, "gpus", t->gpus);
    jw_kbool(&w, "gpu_reset", t->gpu_reset);
    jw_kbool(&w, "gpu_cc", t->gpu_cc);
    jw_end_obj(&w);
    f = fields_new(KIND_RECEIPT, now, buf_view(&json));
    fields_add(&f, "type", "teardown");
    return event_sign(&f, p);
}

static int teardown_fields(const cJSON *o, struct teardown *out, struct err *e) {
    uint64_t started, ended, status, gpus;

    if (!json_hex(o, "job", out->job, 32, e) || !json_u64(o, "started", &started, e) ||
        !json_u64(o, "ended", &ended, e) || !json_u64(o, "exit", &status, e) ||
        !json_bool(o, "rundir_removed", &out->rundir_removed, e) ||
        !json_u64(o, "gpus", &gpus, e) || !json_bool(o, "gpu_reset", &out->gpu_reset, e) ||
        !json_bool(o, "gpu_cc", &out->gpu_cc, e))
        return -1;
    if (status > INT32_MAX || gpus > UINT32_MAX)
        return err_set(e, "bad-receipt", "an exit status or a GPU count out of range");
    out->started = (int64_t)started;
    out->ended = (int64_t)ended;
    out->exit_status = (int32_t)status;
    out->gpus = (uint32_t)gpus;
    return 0;
}

int teardown_parse(const struct event *ev, struct teardown *out, struct err *e) {
    cJSON *o = content_parse(ev, "teardown", e);
    int rc;

    *out = (struct teardown){0};
    if (!o)
        return -1;
    rc = teardown_fields(o, out, e);
    cJSON_Delete(o);
    return rc ? err_wrap(e, "teardown") : 0;
}

struct rumor *teardown_message(const struct event *teardown, const uint8_t job[static 32],
                               const struct keypair *p, const uint8_t customer[static 32],
                               int64_t now) {
    cleanup_buf struct buf body = {0};

    event_body(teardown, &body);
    return msg_make("teardown", job, buf_view(&body), p, customer, now);
}
