#include "collateral.h"

#include <string.h>

#include "enc.h"
#include "hash.h"

static const struct {
    const char *key;
    size_t at;
} certs[] = {
    {"vek", offsetof(struct collateral, vek)},
    {"ask", offsetof(struct collateral, ask)},
    {"ark", offsetof(struct collateral, ark)},
    {"crl", offsetof(struct collateral, crl)},
};
static const char *const lists[] = {
    [COLL_RIM] = "rims", [COLL_OCSP] = "ocsp", [COLL_GPU_CRL] = "gpu_crls"};

static struct buf *cert_at(struct collateral *c, size_t i) {
    return (struct buf *)((char *)c + certs[i].at);
}

void collateral_free(struct collateral *c) {
    for (size_t i = 0; i < COUNT(certs); i++)
        buf_free(cert_at(c, i));
    while (c->n_files)
        buf_free(&c->file[--c->n_files].bytes);
}

bool collateral_add(struct collateral *c, enum collateral_kind kind, struct view bytes) {
    struct collateral_file *f = &c->file[c->n_files];

    if (!bytes.n || bytes.n > COLLATERAL_FILE_MAX || c->n_files == COLLATERAL_FILES)
        return false;
    *f = (struct collateral_file){.kind = kind};
    buf_add(&f->bytes, bytes.p, bytes.n);
    c->n_files++;
    return true;
}

/* --- writing --- */

#define ROOM ((size_t)24000) /* of one message: the rest is its frame, and quotes escaped anew */
#define ENTRY ((size_t)128)  /* of one entry, more than its keys, hash and numbers take */
#define WHOLE ((size_t)6000) /* files up to this go as they are */
#define PIECE_MIN ((size_t)2048)
#define PIECES COLL_KINDS /* the place of "pieces" behind the lists */

/* Messages being filled: the insides of their lists. */
struct pack {
    struct buf body[COLLATERAL_PARTS]; /* those that are full */
    size_t n;
    struct buf head, list[COLL_KINDS + 1];
    bool full; /* more than fits was asked for */
};

static size_t pack_used(const struct pack *p) {
    size_t n = p->head.n;

    for (size_t i = 0; i < COUNT(p->list); i++)
        n += p->list[i].n;
    return n;
}

static void pack_flush(struct pack *p) {
    struct buf *body = &p->body[p->n];
    struct jw w = jw_new(body);

    p->full = p->n == COLLATERAL_PARTS;
    if (p->full)
        return;
    if (p->head.n)
        jw_raw(&w, buf_view(&p->head));
    for (size_t i = 0; i < COUNT(p->list); i++) {
        if (!p->list[i].n)
            continue;
        jw_key(&w, i == PIECES ? "pieces" : lists[i]);
        jw_raw(&w, view_str("["));
        buf_add(body, p->list[i].p, p->list[i].n);
        buf_str(body, "]");
        buf_reset(&p->list[i]);
    }
    buf_reset(&p->head);
    p->n++;
}

/* How many bytes of base64 go into this message, beside their entry. */
static size_t pack_room(struct pack *p, size_t least) {
    size_t used = pack_used(p) + ENTRY;

    if (used + least > ROOM) {
        pack_flush(p);
        used = ENTRY;
    }
    return p->full ? 0 : ROOM - used;
}

static struct jw pack_entry(struct pack *p, size_t list) {
    if (p->list[list].n)
        buf_str(&p->list[list], ",");
    return jw_new(&p->list[list]);
}

static size_t base64_size(size_t n) {
    return (n + 2) / 3 * 4;
}

static void pack_pieces(struct pack *p, struct view bytes, const uint8_t sha[static 32]) {
    for (size_t at = 0, n; at < bytes.n && !p->full; at += n) {
        const size_t room = pack_room(p, PIECE_MIN) / 4 * 3;
        struct jw w = pack_entry(p, PIECES);

        n = bytes.n - at < room ? bytes.n - at : room;
        jw_obj(&w);
        jw_khex(&w, "sha256", view_of(sha, 32));
        jw_kint(&w, "at", (int64_t)at);
        jw_kb64(&w, "data", view_of(bytes.p + at, n));
        jw_end_obj(&w);
    }
}

static void pack_file(struct pack *p, const struct collateral_file *f) {
    const bool whole = f->bytes.n <= WHOLE;
    uint8_t sha[32];
    struct jw w;

    (void)pack_room(p, whole ? base64_size(f->bytes.n) : 0);
    w = pack_entry(p, f->kind);
    if (whole) {
        jw_b64(&w, buf_view(&f->bytes));
        return;
    }
    sha256(buf_view(&f->bytes), sha);
    jw_obj(&w);
    jw_khex(&w, "sha256", view_of(sha, 32));
    jw_kint(&w, "size", (int64_t)f->bytes.n);
    jw_end_obj(&w);
    pack_pieces(p, buf_view(&f->bytes), sha);
}

static void pack_all(struct pack *p, const struct collateral *c) {
    struct collateral own = *c; /* for cert_at: the buffers are only read */
    struct jw w = jw_new(&p->head);

    for (size_t i = 0; i < COUNT(certs); i++)
        if (cert_at(&own, i)->n)
            jw_kb64(&w, certs[i].key, buf_view(cert_at(&own, i)));
    for (size_t i = 0; i < c->n_files; i++)
        pack_file(p, &c->file[i]);
    if (pack_used(p) || !p->n)
        pack_flush(p);
}

static void pack_free(struct pack *p) {
    for (size_t i = 0; i < COLLATERAL_PARTS; i++)
        buf_free(&p->body[i]);
    for (size_t i = 0; i < COUNT(p->list); i++)
        buf_free(&p->list[i]);
    buf_free(&p->head);
}

static struct rumor *part_make(struct pack *p, size_t i, const uint8_t job[static 32],
                               const struct keypair *k, const uint8_t to[static 32], int64_t now) {
    struct jw w = jw_new(&p->body[i]);

    if (p->n > 1) {
        w.comma[0] = p->body[i].n > 0;
        jw_kint(&w, "i", (int64_t)i);
        jw_kint(&w, "of", (int64_t)p->n);
    }
    return msg_make("collateral", job, buf_view(&p->body[i]), k, to, now);
}

int collateral_make(const struct collateral *c, const uint8_t job[static 32],
                    const struct keypair *p, const uint8_t to[static 32], int64_t now,
                    struct rumor *part[static COLLATERAL_PARTS], size_t *n, struct err *e) {
    struct pack pack = {0};
    bool ok;

    pack_all(&pack, c);
    ok = !pack.full;
    for (*n = 0; ok && *n < pack.n;) {
        part[*n] = part_make(&pack, *n, job, p, to, now);
        ok = part[*n] != NULL;
        *n += ok;
    }
    pack_free(&pack);
    if (ok)
        return 0;
    while (*n)
        rumor_free(part[--*n]);
    return err_set(e, "too-large",
                   "the certificates and reference values of this machine do not "
                   "fit into %d messages",
                   COLLATERAL_PARTS);
}

/* --- reading --- */

/* What was said of a file before its bytes came. Size 0: it came whole. */
struct named {
    uint8_t sha[32];
    uint64_t size;
};
struct reading {
    struct collateral *out;
    struct named named[COLLATERAL_FILES]; /* beside out->file */
};

static int bad(struct err *e, const char *what) {
    return err_set(e, "bad-message", "collateral: %s", what);
}

static int take_whole(struct collateral_file *f, const char *text, struct err *e) {
    if (!base64_decode(view_str(text), &f->bytes) || f->bytes.full)
        return bad(e, "a file in a list is not base64, or too large");
    return 0;
}

static int take_name(struct named *nm, const cJSON *v, struct err *e) {
    if (!json_hex(v, "sha256", nm->sha, 32, NULL) || !json_u64(v, "size", &nm->size, NULL) ||
        !nm->size || nm->size > COLLATERAL_FILE_MAX)
        return bad(e, "an entry of a list is neither base64 nor sha256 and size");
    return 0;
}

static int take_entry(struct reading *r, enum collateral_kind kind, const cJSON *v, struct err *e) {
    const size_t at = r->out->n_files;
    struct collateral_file *f = &r->out->file[at];

    if (at == COLLATERAL_FILES)
        return bad(e, "more files than anybody needs");
    *f = (struct collateral_file){.kind = kind};
    r->named[at] = (struct named){0};
    r->out->n_files++;
    buf_init(&f->bytes, COLLATERAL_FILE_MAX);
    return cJSON_IsString(v) ? take_whole(f, v->valuestring, e) : take_name(&r->named[at], v, e);
}

static bool unfinished(const struct reading *r, size_t i) {
    return r->out->file[i].bytes.n < r->named[i].size;
}

/* Bytes of a file that nobody named, or out of their place, are passed over. */
static int take_piece(struct reading *r, const cJSON *v, struct err *e) {
    const char *data = json_opt(v, "data");
    uint8_t sha[32];
    uint64_t at;

    if (!data || !json_hex(v, "sha256", sha, 32, NULL) || !json_u64(v, "at", &at, NULL))
        return bad(e, "a piece without sha256, place or data");
    for (size_t i = 0; i < r->out->n_files; i++) {
        struct buf *b = &r->out->file[i].bytes;

        if (!unfinished(r, i) || memcmp(r->named[i].sha, sha, 32) != 0 || b->n != at)
            continue;
        if (!base64_decode(view_str(data), b) || b->full)
            return bad(e, "a piece is not base64, or too long");
        return 0;
    }
    return 0;
}

static int take_lists(struct reading *r, const cJSON *o, struct err *e) {
    const cJSON *v;

    for (int kind = 0; kind < COLL_KINDS; kind++) {
        const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, lists[kind]);

        if (list && !cJSON_IsArray(list))
            return bad(e, "'rims', 'ocsp' or 'gpu_crls' is not a list");
        cJSON_ArrayForEach(v, list) {
            if (take_entry(r, (enum collateral_kind)kind, v, e))
                return -1;
        }
    }
    cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(o, "pieces")) {
        if (take_piece(r, v, e))
            return -1;
    }
    return 0;
}

/* The first message that brings a certificate counts. */
static int take_certs(struct reading *r, const cJSON *o, struct err *e) {
    for (size_t i = 0; i < COUNT(certs); i++) {
        const char *s = json_opt(o, certs[i].key);
        struct buf *b = cert_at(r->out, i);

        if (s && !b->n && !base64_decode(view_str(s), b))
            return err_set(e, "bad-message", "collateral: %s is not base64", certs[i].key);
    }
    return 0;
}

static int take_part(struct reading *r, const struct rumor *part, struct err *e) {
    struct msg m;
    int rc;

    if (msg_parse(part, &m, e))
        return -1;
    if (strcmp(m.type, "collateral") != 0)
        rc = bad(e, "it is a message of another type");
    else
        rc = take_certs(r, m.o, e) || take_lists(r, m.o, e) ? -1 : 0;
    msg_free(&m);
    return rc;
}

static bool finished(const struct reading *r, size_t i) {
    struct view got = buf_view(&r->out->file[i].bytes);
    uint8_t sha[32];

    if (!r->named[i].size)
        return got.n > 0;
    sha256(got, sha);
    return got.n == r->named[i].size && !memcmp(sha, r->named[i].sha, 32);
}

static void drop_unfinished(struct reading *r) {
    const size_t n = r->out->n_files;

    r->out->n_files = 0;
    for (size_t i = 0; i < n; i++)
        if (finished(r, i))
            r->out->file[r->out->n_files++] = r->out->file[i];
        else
            buf_free(&r->out->file[i].bytes);
}

int collateral_read(struct rumor *const *part, size_t n, struct collateral *out, struct err *e) {
    struct reading r = {.out = out};
    int rc = 0;

    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = take_part(&r, part[i], e);
    if (rc)
        collateral_free(out);
    else
        drop_unfinished(&r);
    return rc;
}

/* --- as they come --- */

static bool place_of(const struct msg *m, uint64_t *i, uint64_t *of) {
    const bool counted = cJSON_GetObjectItemCaseSensitive(m->o, "of") != NULL;

    *i = 0;
    *of = 1;
    return !counted || (json_u64(m->o, "i", i, NULL) && json_u64(m->o, "of", of, NULL) &&
                        *of <= COLLATERAL_PARTS && *i < *of);
}

bool collateral_set_add(struct collateral_set *s, const struct rumor *r, const struct msg *m) {
    uint64_t i, of;

    if (!place_of(m, &i, &of) || (s->n && of != s->of) || s->part[i])
        return false;
    s->of = (size_t)of;
    s->part[i] = rumor_copy(r);
    s->n++;
    return true;
}

bool collateral_set_whole(const struct collateral_set *s) {
    return s->n && s->n == s->of;
}

size_t collateral_set_list(const struct collateral_set *s,
                           struct rumor *out[static COLLATERAL_PARTS]) {
    size_t n = 0;

    for (size_t i = 0; i < COLLATERAL_PARTS; i++)
        if (s->part[i])
            out[n++] = s->part[i];
    return n;
}

int collateral_set_read(const struct collateral_set *s, struct collateral *out, struct err *e) {
    struct rumor *part[COLLATERAL_PARTS];

    return collateral_read(part, collateral_set_list(s, part), out, e);
}

void collateral_set_free(struct collateral_set *s) {
    for (size_t i = 0; i < COLLATERAL_PARTS; i++)
        rumor_free(s->part[i]);
    *s = (struct collateral_set){0};
}
