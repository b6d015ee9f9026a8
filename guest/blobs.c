#include "blobs.h"

#include <string.h>
#include "core/hash.h"

struct wanted {
    bool used;
    uint8_t sha256[32];
    uint64_t max, total; /* total 0 until the first chunk */
    struct buf data;
};
struct blobs {
    struct port *port;
    struct blobs_handler h;
    void *arg;
    struct wanted wanted[BLOBS_WANTED_MAX];
    bool putting;
    uint8_t put_sha[32];
    struct view put;
    size_t put_at; /* bytes handed to the port */
};

struct blobs *blobs_new(struct port *p, const struct blobs_handler *h, void *arg) {
    struct blobs *b = mem_new(sizeof *b);

    b->port = p;
    b->h = *h;
    b->arg = arg;
    return b;
}

static void forget(struct wanted *w) {
    buf_free(&w->data);
    *w = (struct wanted){0};
}

void blobs_free(struct blobs *b) {
    for (size_t i = 0; b && i < BLOBS_WANTED_MAX; i++)
        forget(&b->wanted[i]);
    cleanup_free_fn(&b);
}

static struct wanted *find(struct blobs *b, const uint8_t sha256[static 32]) {
    for (size_t i = 0; i < BLOBS_WANTED_MAX; i++)
        if (b->wanted[i].used && !memcmp(b->wanted[i].sha256, sha256, 32))
            return &b->wanted[i];
    return NULL;
}

static struct wanted *unused(struct blobs *b) {
    for (size_t i = 0; i < BLOBS_WANTED_MAX; i++)
        if (!b->wanted[i].used)
            return &b->wanted[i];
    return NULL;
}

static void lose(struct blobs *b, const uint8_t sha256[static 32], const char *code,
                 const char *sentence) {
    struct err e;

    err_set(&e, code, "%s", sentence);
    b->h.lost(b->arg, sha256, &e);
}

void blobs_get(struct blobs *b, const uint8_t sha256[static 32], uint64_t max) {
    struct chan_blob_get get = {.max = max};
    cleanup_buf struct buf frame = {0};
    struct wanted *w = find(b, sha256);

    if (w || !(w = unused(b)))
        return;
    w->used = true;
    w->max = max;
    memcpy(w->sha256, sha256, 32);
    memcpy(get.sha256, sha256, 32);
    if (!chan_put_blob_get(&frame, &get, NULL))
        port_send_bytes(b->port, buf_view(&frame));
}

static int take_chunk(struct wanted *w, const struct chan_blob *c, struct err *e) {
    if (c->total > w->max)
        return err_set(e, "bad-frame", "a blob larger than was asked for");
    if (!w->total) {
        w->total = c->total;
        buf_init(&w->data, (size_t)c->total);
    }
    if (c->total != w->total || c->offset != w->data.n)
        return err_set(e, "bad-frame", "a blob's chunks are out of order");
    buf_add(&w->data, c->data.p, c->data.n);
    return 0;
}

static void complete(struct blobs *b, struct wanted *w) {
    struct wanted mine = *w;
    uint8_t sha[32];

    *w = (struct wanted){0}; /* the callback may ask for the next */
    sha256(buf_view(&mine.data), sha);
    if (memcmp(sha, mine.sha256, 32))
        lose(b, mine.sha256, "blob-failed", "the blob is not the one that was asked for");
    else
        b->h.got(b->arg, mine.sha256, buf_view(&mine.data));
    buf_free(&mine.data);
}

int blobs_take_data(struct blobs *b, struct view payload, struct err *e) {
    struct chan_blob c;
    struct wanted *w;

    if (chan_blob_parse(payload, &c, e))
        return -1;
    if (!(w = find(b, c.sha256)))
        return err_set(e, "bad-frame", "a blob that was not asked for");
    if (take_chunk(w, &c, e))
        return -1;
    if (w->data.n == w->total)
        complete(b, w);
    return 0;
}

/* --- out --- */

bool blobs_put(struct blobs *b, const uint8_t sha256[static 32], struct view data) {
    if (b->putting)
        return false;
    b->putting = true;
    b->put = data;
    b->put_at = 0;
    memcpy(b->put_sha, sha256, 32);
    blobs_pump(b);
    return true;
}

static void send_chunk(struct blobs *b) {
    size_t left = b->put.n - b->put_at, n = left < CHAN_BLOB_CHUNK ? left : CHAN_BLOB_CHUNK;
    struct chan_blob c = {
        .total = b->put.n, .offset = b->put_at, .data = view_of(b->put.p + b->put_at, n)};
    cleanup_buf struct buf frame = {0};

    memcpy(c.sha256, b->put_sha, 32);
    b->put_at += n;
    if (!chan_put_blob(&frame, CHAN_BLOB_PUT, &c, NULL))
        port_send_bytes(b->port, buf_view(&frame));
}

void blobs_pump(struct blobs *b) {
    while (b->putting && b->put_at < b->put.n && port_queued(b->port) < CHAN_BLOB_CHUNK)
        send_chunk(b);
}

int blobs_take_status(struct blobs *b, struct view payload, struct err *e) {
    enum chan_blob_status s;
    struct wanted *w;
    uint8_t sha[32];

    if (chan_blob_status_parse(payload, sha, &s, e))
        return -1;
    if (b->putting && !memcmp(sha, b->put_sha, 32)) {
        b->putting = false;
        b->h.stored(b->arg, sha, s == CHAN_BLOB_OK);
    } else if ((w = find(b, sha))) {
        forget(w);
        lose(b, sha, "blob-failed",
             s == CHAN_BLOB_ABSENT ? "no blob server has it" : "the host could not fetch it");
    }
    return 0;
}
