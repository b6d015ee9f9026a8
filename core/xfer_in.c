/* Files coming in: hostile sizes, orders and hashes; nothing is handed over before it is whole. */
#include "xfer.h"

#include <stdlib.h>
#include <string.h>

#include "enc.h"
#include "hash.h"
#include "part.h"

struct incoming {
    struct xfer_meta m;
    bool blob;
    struct buf data;
    uint64_t next; /* in band: index of the next chunk; blob: of the next part */
    uint8_t key[32], iv[12];
    uint8_t (*sha)[32]; /* blob: of the ciphertext of each part */
    size_t n_parts;
};

struct xfer_in {
    struct incoming *open[XFER_OPEN_MAX];
    size_t n;
    uint64_t held, max_total; /* bytes announced by open files, and their limit */
    struct xfer_in_handler h;
    void *arg;
};

struct xfer_in *xfer_in_new(uint64_t max_total, const struct xfer_in_handler *h, void *arg) {
    struct xfer_in *x = mem_new(sizeof *x);

    x->max_total = max_total;
    x->h = *h;
    x->arg = arg;
    return x;
}

static void incoming_free(struct incoming *f) {
    if (!f)
        return;
    buf_wipe(&f->data);
    free(f->sha);
    explicit_bzero(f, sizeof *f);
    free(f);
}

void xfer_in_free(struct xfer_in *x) {
    if (!x)
        return;
    for (size_t i = 0; i < x->n; i++)
        incoming_free(x->open[i]);
    free(x);
}

size_t xfer_in_open(const struct xfer_in *x) {
    return x->n;
}

/* --- the list of open files --- */

static struct incoming *find_xid(const struct xfer_in *x, const uint8_t xid[static 16]) {
    for (size_t i = 0; i < x->n; i++)
        if (!memcmp(x->open[i]->m.xid, xid, 16))
            return x->open[i];
    return NULL;
}

static struct incoming *find_part(const struct xfer_in *x, const uint8_t sha[static 32]) {
    for (size_t i = 0; i < x->n; i++) {
        struct incoming *f = x->open[i];

        if (f->blob && f->next < f->n_parts && !memcmp(f->sha[f->next], sha, 32))
            return f;
    }
    return NULL;
}

static void unlist(struct xfer_in *x, const struct incoming *f) {
    for (size_t i = 0; i < x->n; i++)
        if (x->open[i] == f) {
            x->open[i] = x->open[--x->n];
            x->held -= f->m.size;
            return;
        }
}

/* Takes f off the list first: a callback may bring the next message. */
static void fail(struct xfer_in *x, struct incoming *f, const struct err *e) {
    unlist(x, f);
    if (x->h.failed)
        x->h.failed(x->arg, &f->m, e);
    incoming_free(f);
}

static int may_open(const struct xfer_in *x, const struct incoming *f, struct err *e) {
    if (x->n == XFER_OPEN_MAX)
        return err_set(e, "too-large", "%s: more than %d files at once", f->m.name, XFER_OPEN_MAX);
    if (f->m.size > XFER_FILE_MAX || f->m.size > x->max_total - x->held)
        return err_set(e, "too-large", "%s: %llu bytes are more than fit", f->m.name,
                       (unsigned long long)f->m.size);
    if (find_xid(x, f->m.xid))
        return err_set(e, "bad-file", "%s: begun twice", f->m.name);
    return 0;
}

/* Lists f, or reports and frees it. */
static bool open_file(struct xfer_in *x, struct incoming *f) {
    struct err e;

    if (may_open(x, f, &e)) {
        fail(x, f, &e);
        return false;
    }
    buf_init(&f->data, padme((size_t)f->m.size));
    x->open[x->n++] = f;
    x->held += f->m.size;
    if (x->h.begin)
        x->h.begin(x->arg, &f->m);
    return true;
}

/* All bytes are there: the last checks. */
static void finish(struct xfer_in *x, struct incoming *f) {
    struct view data = view_of(f->data.p, (size_t)f->m.size);
    uint8_t sha[32];
    struct err e;

    if (f->data.n < f->m.size || (!f->blob && f->data.n > f->m.size)) {
        err_set(&e, "bad-file", "%s: %zu bytes came, %llu were announced", f->m.name, f->data.n,
                (unsigned long long)f->m.size);
        fail(x, f, &e);
        return;
    }
    sha256(data, sha);
    if (memcmp(sha, f->m.sha256, 32) != 0) {
        err_set(&e, "bad-file", "%s: its hash is not the announced one", f->m.name);
        fail(x, f, &e);
        return;
    }
    unlist(x, f);
    if (x->h.file)
        x->h.file(x->arg, &f->m, data);
    incoming_free(f);
}

static void progress(struct xfer_in *x, const struct incoming *f) {
    uint64_t done = f->data.n < f->m.size ? f->data.n : f->m.size;

    if (x->h.progress)
        x->h.progress(x->arg, &f->m, done);
}

/* --- in band --- */

static void meta_words(struct xfer_meta *m, const char *name, const char *mime,
                       const char *purpose) {
    struct xfer_meta clean;

    xfer_meta_init(&clean, name ? name : "", mime ? mime : "", purpose ? purpose : "file", NULL,
                   (struct view){0});
    memcpy(m->name, clean.name, sizeof m->name);
    memcpy(m->mime, clean.mime, sizeof m->mime);
    memcpy(m->purpose, clean.purpose, sizeof m->purpose);
}

static int start_parse(const cJSON *o, struct xfer_meta *m, struct err *e) {
    const char *reply = json_opt(o, "e");

    meta_words(m, json_opt(o, "name"), json_opt(o, "mime"), json_opt(o, "purpose"));
    if (!json_hex(o, "xid", m->xid, 16, e) || !json_u64(o, "size", &m->size, e) ||
        !json_hex(o, "sha256", m->sha256, 32, e))
        return err_wrap(e, "file");
    if (reply && !hex_decode_str(reply, m->reply, 32))
        return err_set(e, "bad-file", "%s: the question it answers is not named by an id", m->name);
    return 0;
}

static void take_start(struct xfer_in *x, const cJSON *o) {
    struct incoming *f = mem_new(sizeof *f);
    struct err e;

    if (start_parse(o, &f->m, &e)) {
        f->m.size = 0;
        fail(x, f, &e);
        return;
    }
    (void)open_file(x, f);
}

static int chunk_add(struct incoming *f, const cJSON *o, struct err *e) {
    const char *data = json_str(o, "data", e);
    size_t before = f->data.n;
    uint64_t i;

    if (!data || !json_u64(o, "i", &i, e))
        return -1;
    if (f->blob || i != f->next)
        return err_set(e, "bad-file", "%s: a chunk out of place", f->m.name);
    if (!base64_decode(view_str(data), &f->data) || f->data.full || f->data.n > f->m.size ||
        f->data.n == before)
        return err_set(e, "bad-file", "%s: a chunk that is empty, too long or not base64",
                       f->m.name);
    f->next++;
    return 0;
}

static void take_chunk(struct xfer_in *x, struct incoming *f, const cJSON *o) {
    struct err e;

    if (chunk_add(f, o, &e))
        fail(x, f, &e);
    else
        progress(x, f);
}

static void take_end(struct xfer_in *x, struct incoming *f, const cJSON *o) {
    (void)o;
    finish(x, f);
}

static void take_abort(struct xfer_in *x, struct incoming *f, const cJSON *o) {
    struct err e;

    (void)o;
    err_set(&e, "aborted", "%s: the sender gave up", f->m.name);
    fail(x, f, &e);
}

static const struct {
    const char *type;
    void (*take)(struct xfer_in *x, struct incoming *f, const cJSON *o);
} steps[] = {{"chunk", take_chunk}, {"end", take_end}, {"abort", take_abort}};

/* chunk, end, abort; of a file that is not open (refused at its start) they are nobody's. */
static bool take_step(struct xfer_in *x, const struct talk_msg *m) {
    struct incoming *f;
    uint8_t xid[16];

    if (!hex_decode_str(json_opt(m->o, "xid"), xid, 16))
        return false;
    f = find_xid(x, xid);
    for (size_t i = 0; i < COUNT(steps); i++)
        if (!strcmp(steps[i].type, m->type)) {
            if (f && !f->blob)
                steps[i].take(x, f, m->o);
            return true;
        }
    return false;
}

/* --- through blobs --- */

static int parts_parse(const struct fields *t, struct incoming *f, struct err *e) {
    size_t padded = padme((size_t)f->m.size), i = 0;
    const struct tag *x;
    uint64_t index;

    f->n_parts = padded ? (padded + XFER_PART - 1) / XFER_PART : 1;
    f->sha = mem_new(f->n_parts * sizeof *f->sha);
    for (; (x = fields_find(t, "x", i)); i++) {
        if (i == f->n_parts || x->n < 2 || !hex_decode_str(x->v[1], f->sha[i], 32))
            return err_set(e, "bad-file", "%s: a part too many or without its hash", f->m.name);
        if (f->n_parts > 1 && (x->n < 3 || !decimal_parse(x->v[2], &index) || index != i))
            return err_set(e, "bad-file", "%s: its parts are not in order", f->m.name);
    }
    if (i != f->n_parts)
        return err_set(e, "bad-file", "%s: %zu parts are named, its size needs %zu", f->m.name, i,
                       f->n_parts);
    return 0;
}

static int secrets_parse(const struct fields *t, struct incoming *f, struct err *e) {
    const char *alg = fields_get(t, "encryption-algorithm", 1);

    if (!alg || strcmp(alg, "aes-gcm") != 0)
        return err_set(e, "bad-file", "%s: not encrypted with aes-gcm", f->m.name);
    if (!hex_decode_str(fields_get(t, "decryption-key", 1), f->key, 32) ||
        !hex_decode_str(fields_get(t, "decryption-nonce", 1), f->iv, 12))
        return err_set(e, "bad-file", "%s: without its key and nonce", f->m.name);
    return 0;
}

static int file_parse(const struct fields *t, struct incoming *f, struct err *e) {
    const char *size = fields_get(t, "size", 1), *reply = fields_get(t, "e", 1);

    meta_words(&f->m, fields_get(t, "name", 1), fields_get(t, "file-type", 1),
               fields_get(t, "purpose", 1));
    if (!size || !decimal_parse(size, &f->m.size) || f->m.size > XFER_FILE_MAX ||
        !hex_decode_str(fields_get(t, "ox", 1), f->m.sha256, 32))
        return err_set(e, "bad-file", "%s: without a size under the limit and a hash", f->m.name);
    if (!hex_decode_str(fields_get(t, "xid", 1), f->m.xid, 16))
        memcpy(f->m.xid, f->m.sha256, 16); /* another NIP-17 client's */
    if (reply && !hex_decode_str(reply, f->m.reply, 32))
        return err_set(e, "bad-file", "%s: the question it answers is not named by an id",
                       f->m.name);
    if (secrets_parse(t, f, e))
        return -1;
    return parts_parse(t, f, e);
}

static uint64_t part_len(const struct incoming *f) {
    uint64_t left = padme((size_t)f->m.size) - f->next * XFER_PART;

    return (left < XFER_PART ? left : XFER_PART) + PART_TAG;
}

static void want_part(struct xfer_in *x, const struct incoming *f) {
    if (x->h.want)
        x->h.want(x->arg, f->sha[f->next], part_len(f));
}

static void take_file(struct xfer_in *x, const struct fields *t) {
    struct incoming *f = mem_new(sizeof *f);
    struct err e;

    f->blob = true;
    if (file_parse(t, f, &e)) {
        f->m.size = 0;
        fail(x, f, &e);
    } else if (open_file(x, f)) {
        want_part(x, f);
    }
}

static int part_add(struct incoming *f, struct view data, struct err *e) {
    struct part_place at = {f->key, {0}, (uint32_t)f->next, (uint32_t)f->n_parts, f->m.size};
    uint8_t sha[32];

    memcpy(at.iv, f->iv, sizeof at.iv);
    sha256(data, sha);
    if (memcmp(sha, f->sha[f->next], 32) != 0)
        return err_set(e, "bad-hash", "%s: the server gave something else", f->m.name);
    if (data.n != part_len(f))
        return err_set(e, "bad-file", "%s: a part of %zu bytes, not %llu", f->m.name, data.n,
                       (unsigned long long)part_len(f));
    if (part_open(&at, data, &f->data, e))
        return err_wrap(e, "%s", f->m.name);
    f->next++;
    return 0;
}

void xfer_in_blob(struct xfer_in *x, const uint8_t sha256[static 32], struct view data) {
    struct incoming *f = find_part(x, sha256);
    struct err e;

    if (!f)
        return;
    if (part_add(f, data, &e)) {
        fail(x, f, &e);
        return;
    }
    progress(x, f);
    if (f->next == f->n_parts)
        finish(x, f);
    else
        want_part(x, f);
}

void xfer_in_blob_failed(struct xfer_in *x, const uint8_t sha256[static 32], const struct err *e) {
    struct incoming *f = find_part(x, sha256);

    if (f)
        fail(x, f, e);
}

bool xfer_in_take(struct xfer_in *x, const struct talk_msg *m) {
    if (m->kind == KIND_FILE) {
        take_file(x, &m->rumor->f);
        return true;
    }
    if (m->kind != KIND_MESSAGE)
        return false;
    if (!strcmp(m->type, "start")) {
        take_start(x, m->o);
        return true;
    }
    return take_step(x, m);
}
