#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "gateblob.h"

#define SLOTS 2       /* at work, a direction */
#define WANTED 16     /* downloads asked for: as many files as may come in at once (xfer.h) */
#define ASKS_MAX 8192 /* downloads a job: absent ones cost this host requests too */

struct blob {
    struct gateblob *owner;
    bool used, waiting, complete; /* complete: put: all received; get: all fetched */
    uint8_t sha[32];
    uint64_t total, sent; /* put: size announced; get: bytes handed to the guest */
    uint64_t max;
    struct buf data;
    size_t server; /* the one being tried */
    struct blossom_op *op;
    enum chan_blob_status worst; /* of the servers tried so far */
};
struct gateblob {
    struct gateblob_conf c;
    struct blob put[SLOTS], get[WANTED];
    uint64_t put_total, get_total;
    unsigned asks;
};

struct gateblob *gateblob_new(const struct gateblob_conf *c) {
    struct gateblob *b = mem_new(sizeof *b);

    b->c = *c;
    for (size_t i = 0; i < SLOTS; i++)
        b->put[i].owner = b;
    for (size_t i = 0; i < WANTED; i++)
        b->get[i].owner = b;
    return b;
}

static void release(struct blob *s) {
    blossom_cancel(s->op);
    buf_free(&s->data);
    *s = (struct blob){.owner = s->owner};
}

void gateblob_free(struct gateblob *b) {
    if (!b)
        return;
    for (size_t i = 0; i < SLOTS; i++)
        release(&b->put[i]);
    for (size_t i = 0; i < WANTED; i++)
        release(&b->get[i]);
    free(b);
}

static struct blob *find(struct blob *slots, size_t n, const uint8_t sha[static 32]) {
    for (size_t i = 0; i < n; i++)
        if (slots[i].used && !memcmp(slots[i].sha, sha, 32))
            return &slots[i];
    return NULL;
}

static struct blob *take_slot(struct blob *slots, size_t n, const uint8_t sha[static 32]) {
    for (size_t i = 0; i < n; i++)
        if (!slots[i].used) {
            slots[i].used = true;
            slots[i].data.max = GATEBLOB_MAX;
            slots[i].worst = CHAN_BLOB_ABSENT;
            memcpy(slots[i].sha, sha, 32);
            return &slots[i];
        }
    return NULL;
}

static void emit_status(struct gateblob *b, const uint8_t sha[static 32], enum chan_blob_status s) {
    cleanup_buf struct buf frame = {0};

    if (chan_put_blob_status(&frame, sha, s, NULL) == 0)
        b->c.emit(b->c.arg, buf_view(&frame));
}

static void fetch_waiting(struct gateblob *b);

static void finish(struct blob *s, enum chan_blob_status status) {
    struct gateblob *b = s->owner;
    uint8_t sha[32];

    memcpy(sha, s->sha, 32);
    s->op = NULL;
    release(s);
    emit_status(b, sha, status);
    fetch_waiting(b);
}

/* --- guest to server --- */

static void upload(struct blob *s);

static void uploaded(void *arg, struct view body, const struct err *e) {
    struct blob *s = arg;

    (void)body;
    s->op = NULL;
    if (!e) {
        finish(s, CHAN_BLOB_OK);
        return;
    }
    s->server++;
    upload(s);
}

static void upload(struct blob *s) {
    struct gateblob *b = s->owner;
    struct err e;

    for (; s->server < b->c.n_servers; s->server++) {
        s->op = blossom_put(b->c.http, b->c.servers[s->server], buf_view(&s->data),
                            b->c.allow_private, uploaded, NULL, s, &e);
        if (s->op)
            return;
    }
    finish(s, CHAN_BLOB_FAILED);
}

static int check_hash(const struct blob *s, struct err *e) {
    uint8_t got[32];

    sha256(buf_view(&s->data), got);
    if (memcmp(got, s->sha, 32))
        return err_set(e, "bad-frame", "the guest's blob has not the hash it named");
    return 0;
}

static struct blob *begin_put(struct gateblob *b, const struct chan_blob *f) {
    struct blob *s;

    if (f->total > GATEBLOB_MAX || b->put_total + f->total > GATEBLOB_TOTAL) {
        emit_status(b, f->sha256, CHAN_BLOB_TOO_LARGE);
        return NULL;
    }
    s = b->c.n_servers ? take_slot(b->put, SLOTS, f->sha256) : NULL;
    if (!s) {
        emit_status(b, f->sha256, CHAN_BLOB_FAILED);
        return NULL;
    }
    s->total = f->total;
    b->put_total += f->total;
    return s;
}

int gateblob_put(struct gateblob *b, struct view payload, struct err *e) {
    struct chan_blob f;
    struct blob *s;

    if (chan_blob_parse(payload, &f, e) < 0)
        return -1;
    s = find(b->put, SLOTS, f.sha256);
    if (!s && f.offset == 0)
        s = begin_put(b, &f);
    if (!s || s->complete)
        return 0; /* the rest of one that was refused, or already has its answer */
    if (f.total != s->total || f.offset != s->data.n)
        return err_set(e, "bad-frame", "the guest's blob came out of order");
    buf_add(&s->data, f.data.p, f.data.n);
    if (s->data.n < s->total)
        return 0;
    s->complete = true;
    if (check_hash(s, e) < 0)
        return -1;
    upload(s);
    return 0;
}

/* --- server to guest --- */

static void fetch(struct blob *s);

static enum chan_blob_status status_of(const struct err *e) {
    if (!strcmp(e->code, "too-large"))
        return CHAN_BLOB_TOO_LARGE;
    return !strcmp(e->code, "not-found") ? CHAN_BLOB_ABSENT : CHAN_BLOB_FAILED;
}

static void fetched(void *arg, struct view body, const struct err *e) {
    struct blob *s = arg;
    struct gateblob *b = s->owner;

    s->op = NULL;
    if (e) {
        if (status_of(e) > s->worst)
            s->worst = status_of(e);
        s->server++;
        fetch(s);
        return;
    }
    if (body.n == 0) { /* a BLOB_DATA frame carries at least one byte */
        finish(s, CHAN_BLOB_ABSENT);
        return;
    }
    buf_add(&s->data, body.p, body.n);
    s->total = body.n;
    s->complete = true;
    b->get_total += body.n;
    b->c.more(b->c.arg);
}

static void fetch(struct blob *s) {
    struct gateblob *b = s->owner;
    struct err e;

    for (; s->server < b->c.n_servers; s->server++) {
        s->op = blossom_get(b->c.http, b->c.servers[s->server], s->sha, (size_t)s->max,
                            b->c.allow_private, fetched, NULL, s, &e);
        if (s->op)
            return;
        s->worst = CHAN_BLOB_FAILED;
    }
    finish(s, s->worst);
}

static void fetch_waiting(struct gateblob *b) {
    size_t busy = 0;

    for (size_t i = 0; i < WANTED; i++)
        busy += b->get[i].used && !b->get[i].waiting;
    for (size_t i = 0; i < WANTED && busy < SLOTS; i++)
        if (b->get[i].waiting) {
            b->get[i].waiting = false;
            busy++;
            fetch(&b->get[i]);
        }
}

int gateblob_get(struct gateblob *b, struct view payload, struct err *e) {
    struct chan_blob_get f;
    struct blob *s;

    if (chan_blob_get_parse(payload, &f, e) < 0)
        return -1;
    if (find(b->get, WANTED, f.sha256))
        return 0;
    s = b->get_total < GATEBLOB_TOTAL && b->asks < ASKS_MAX ? take_slot(b->get, WANTED, f.sha256)
                                                            : NULL;
    if (!s) {
        emit_status(b, f.sha256, CHAN_BLOB_FAILED);
        return 0;
    }
    s->max = f.max < GATEBLOB_MAX ? f.max : GATEBLOB_MAX;
    s->waiting = true;
    b->asks++;
    fetch_waiting(b);
    return 0;
}

bool gateblob_pump(struct gateblob *b) {
    for (size_t i = 0; i < WANTED; i++) {
        struct blob *s = &b->get[i];
        size_t left = s->data.n - (size_t)s->sent;
        struct chan_blob f = {.total = s->total, .offset = s->sent};
        cleanup_buf struct buf frame = {0};

        if (!s->used || !s->complete)
            continue;
        memcpy(f.sha256, s->sha, 32);
        f.data = view_of(s->data.p + s->sent, left < CHAN_BLOB_CHUNK ? left : CHAN_BLOB_CHUNK);
        if (chan_put_blob(&frame, CHAN_BLOB_DATA, &f, NULL) == 0)
            b->c.emit(b->c.arg, buf_view(&frame));
        s->sent += f.data.n;
        if (s->sent == s->total) {
            release(s);
            fetch_waiting(b);
        }
        return true;
    }
    return false;
}
