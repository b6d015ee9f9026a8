/* Files out, and what both directions share; files in are xfer_in.c. */
#include "xfer.h"

#include <stdlib.h>
#include <string.h>

#include "enc.h"
#include "hash.h"
#include "loop.h"
#include "part.h"
#include "text.h"

void xfer_meta_init(struct xfer_meta *m, const char *name, const char *mime, const char *purpose,
                    const uint8_t *reply, struct view data) {
    cleanup_free char *safe = file_name_safe(view_str(name));
    bool plain = text_ascii_printable(view_str(mime)) && mime[0] && strlen(mime) < sizeof m->mime;

    *m = (struct xfer_meta){.size = data.n};
    text_clip(m->name, sizeof m->name, safe);
    text_clip(m->mime, sizeof m->mime, plain ? mime : "application/octet-stream");
    text_clip(m->purpose, sizeof m->purpose, purpose);
    if (reply)
        memcpy(m->reply, reply, 32);
    sha256(data, m->sha256);
    random_bytes(m->xid, sizeof m->xid);
}

/* Padmé: the length keeps log2(log2(n)) + 1 significant bits; at most 12 % more. */
size_t padme(size_t n) {
    unsigned e, s;
    size_t mask;

    if (n < 2)
        return n;
    e = 63u - (unsigned)__builtin_clzll(n);
    s = 32u - (unsigned)__builtin_clz(e);
    mask = ((size_t)1 << (e - s)) - 1;
    return (n + mask) & ~mask;
}

static bool has_reply(const struct xfer_meta *m) {
    static const uint8_t none[32];

    return memcmp(m->reply, none, 32) != 0;
}

/* --- in band --- */

enum out_state { OUT_START, OUT_CHUNKS, OUT_END, OUT_DONE };

struct xfer_out {
    struct talk *t;
    struct xfer_meta m;
    struct buf data;
    size_t sent; /* bytes */
    uint64_t index;
    enum out_state state;
};

struct xfer_out *xfer_out_inband(struct talk *t, const struct xfer_meta *m, struct view data) {
    struct xfer_out *x = mem_new(sizeof *x);

    x->t = t;
    x->m = *m;
    buf_init(&x->data, data.n);
    buf_add(&x->data, data.p, data.n);
    return x;
}

static int send_start(struct xfer_out *x, struct err *e) {
    cleanup_buf struct buf body = {0};
    struct jw w = jw_new(&body);

    jw_khex(&w, "xid", view_of(x->m.xid, 16));
    jw_kstr(&w, "name", x->m.name);
    jw_kstr(&w, "mime", x->m.mime);
    jw_kint(&w, "size", (int64_t)x->m.size);
    jw_khex(&w, "sha256", view_of(x->m.sha256, 32));
    jw_kstr(&w, "purpose", x->m.purpose);
    if (has_reply(&x->m))
        jw_khex(&w, "e", view_of(x->m.reply, 32));
    return talk_send(x->t, "start", buf_view(&body), NULL, e);
}

static int send_chunk(struct xfer_out *x, size_t n, struct err *e) {
    cleanup_buf struct buf body = {0};
    struct jw w = jw_new(&body);

    jw_khex(&w, "xid", view_of(x->m.xid, 16));
    jw_kint(&w, "i", (int64_t)x->index);
    jw_kb64(&w, "data", view_of(x->data.p + x->sent, n));
    return talk_send(x->t, "chunk", buf_view(&body), NULL, e);
}

static int send_xid(struct xfer_out *x, const char *type, struct err *e) {
    cleanup_buf struct buf body = {0};
    struct jw w = jw_new(&body);

    jw_khex(&w, "xid", view_of(x->m.xid, 16));
    return talk_send(x->t, type, buf_view(&body), NULL, e);
}

/* One message; the state moves only when it was sent. */
static int send_next(struct xfer_out *x, struct err *e) {
    size_t left = x->data.n - x->sent, n = left < XFER_CHUNK ? left : XFER_CHUNK;

    switch (x->state) {
    case OUT_START:
        if (send_start(x, e))
            return -1;
        x->state = left ? OUT_CHUNKS : OUT_END;
        return 0;
    case OUT_CHUNKS:
        if (send_chunk(x, n, e))
            return -1;
        x->sent += n;
        x->index++;
        if (x->sent == x->data.n)
            x->state = OUT_END;
        return 0;
    case OUT_END:
        if (send_xid(x, "end", e))
            return -1;
        x->state = OUT_DONE;
        return 0;
    case OUT_DONE:
        return 0;
    }
    return 0;
}

int xfer_out_step(struct xfer_out *x, struct err *e) {
    while (x->state != OUT_DONE && talk_unacked(x->t) < XFER_FLIGHT)
        if (send_next(x, e))
            return -1;
    return x->state == OUT_DONE;
}

uint64_t xfer_out_done(const struct xfer_out *x) {
    return x->sent;
}

void xfer_out_abort(struct xfer_out *x) {
    struct err e;

    if (x->state == OUT_CHUNKS || x->state == OUT_END)
        (void)!send_xid(x, "abort", &e); /* a talk that cannot say it is over anyway */
    x->state = OUT_DONE;
}

void xfer_out_free(struct xfer_out *x) {
    if (!x)
        return;
    buf_wipe(&x->data);
    free(x);
}

/* --- through blobs --- */

static int blob_part(struct xfer_blob *b, size_t i, struct view data, size_t padded,
                     struct err *e) {
    size_t from = i * XFER_PART, len = padded - from < XFER_PART ? padded - from : XFER_PART;
    size_t have = data.n > from ? data.n - from : 0, n = have < len ? have : len;
    struct part_place at = {b->key, {0}, (uint32_t)i, (uint32_t)b->n_parts, data.n};

    memcpy(at.iv, b->iv, sizeof at.iv);
    if (part_seal(&at, view_of(n ? data.p + from : NULL, n), len - n, &b->parts[i], e))
        return -1;
    sha256(buf_view(&b->parts[i]), b->part_sha[i]);
    return 0;
}

int xfer_blob_make(const struct xfer_meta *m, struct view data, struct xfer_blob *out,
                   struct err *e) {
    size_t padded = padme(data.n);

    *out = (struct xfer_blob){.meta = *m};
    if (data.n > XFER_FILE_MAX)
        return err_set(e, "too-large", "a file of %zu bytes, the limit is %llu", data.n,
                       (unsigned long long)XFER_FILE_MAX);
    out->n_parts = padded ? (padded + XFER_PART - 1) / XFER_PART : 1;
    out->parts = mem_new(out->n_parts * sizeof *out->parts);
    out->part_sha = mem_new(out->n_parts * sizeof *out->part_sha);
    random_bytes(out->key, sizeof out->key);
    random_bytes(out->iv, out->n_parts > 1 ? 8 : 12);
    for (size_t i = 0; i < out->n_parts; i++)
        if (blob_part(out, i, data, padded, e)) {
            xfer_blob_free(out);
            return -1;
        }
    return 0;
}

void xfer_blob_free(struct xfer_blob *b) {
    for (size_t i = 0; b->parts && i < b->n_parts; i++)
        buf_free(&b->parts[i]);
    free(b->parts);
    free(b->part_sha);
    explicit_bzero(b, sizeof *b);
}

static void add_hex(struct fields *f, const char *name, struct view v) {
    cleanup_free char *hex = hex_new(v);

    fields_add(f, name, hex);
    explicit_bzero(hex, 2 * v.n); /* it may be the file's key */
}

static void add_parts(struct fields *f, const struct xfer_blob *b) {
    for (size_t i = 0; i < b->n_parts; i++) {
        cleanup_free char *hex = hex_new(view_of(b->part_sha[i], 32));
        cleanup_free char *index = mem_fmt("%zu", i);

        if (b->n_parts == 1)
            fields_add(f, "x", hex);
        else
            fields_add(f, "x", hex, index);
    }
}

int xfer_blob_message(struct talk *t, const struct xfer_blob *b, const char *server_url,
                      struct err *e) {
    cleanup_free char *sha = hex_new(view_of(b->part_sha[0], 32));
    cleanup_free char *url = server_url ? mem_fmt("%s/%s", server_url, sha) : mem_str(sha);
    cleanup_free char *size = mem_fmt("%llu", (unsigned long long)b->meta.size);
    struct fields f = fields_new(KIND_FILE, unix_now(), view_str(url));

    fields_add(&f, "file-type", b->meta.mime);
    fields_add(&f, "encryption-algorithm", "aes-gcm");
    add_hex(&f, "decryption-key", view_of(b->key, 32));
    add_hex(&f, "decryption-nonce", view_of(b->iv, 12));
    add_parts(&f, b);
    add_hex(&f, "ox", view_of(b->meta.sha256, 32));
    fields_add(&f, "size", size);
    fields_add(&f, "name", b->meta.name);
    fields_add(&f, "purpose", b->meta.purpose);
    add_hex(&f, "xid", view_of(b->meta.xid, 16));
    if (has_reply(&b->meta))
        add_hex(&f, "e", view_of(b->meta.reply, 32));
    return talk_send_file(t, &f, NULL, e);
}
