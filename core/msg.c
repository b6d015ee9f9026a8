#include "msg.h"

#include <stdlib.h>
#include <string.h>

#include "enc.h"

static const size_t buckets[] = {512, 2048, 8192, MSG_CONTENT_MAX};

/* Bytes to the next bucket; false above the last. */
static bool bucket_room(size_t n, size_t *room) {
    for (size_t i = 0; i < COUNT(buckets); i++)
        if (n <= buckets[i]) {
            *room = buckets[i] - n;
            return true;
        }
    return false;
}

/* How much pad a rumor takes whose pad is still empty. Escapes are counted in the serialised rumor:
 * in the last bucket they are taken from the pad, so that the wrap stays under 64 KiB. */
static bool pad_room(const struct rumor *r, size_t *room) {
    struct buf json = {0};
    bool fits;

    rumor_json(r, &json);
    fits = json.n <= MSG_RUMOR_MAX && bucket_room(r->f.content_len, room);
    if (fits && *room > MSG_RUMOR_MAX - json.n)
        *room = MSG_RUMOR_MAX - json.n;
    buf_wipe(&json);
    return fits;
}

/* Grows *s by n zeros at byte `at`; len is its length before. */
static void pad_insert(char **s, size_t len, size_t at, size_t n) {
    char *grown = mem_new(len + n + 1);

    memcpy(grown, *s, at);
    memset(grown + at, '0', n);
    memcpy(grown + at + n, *s + at, len - at);
    explicit_bzero(*s, len);
    free(*s);
    *s = grown;
}

static void pad_fill(struct fields *f, size_t n) {
    struct tag *last;

    if (f->kind == KIND_MESSAGE) { /* before the `"}` that ends it */
        pad_insert(&f->content, f->content_len, f->content_len - 2, n);
        f->content_len += n;
        return;
    }
    last = &f->tags[f->n_tags - 1];
    pad_insert(&last->v[1], 0, 0, n);
}

/* f has its pad in place, empty. */
static struct rumor *rumor_fill(struct fields *f, const uint8_t author[static 32], struct err *e) {
    struct rumor *r = rumor_make(f, author);
    struct fields grown;
    size_t room;

    if (!pad_room(r, &room)) {
        err_set(e, "too-large", "a message of %zu bytes does not fit one relay event",
                r->f.content_len);
        rumor_free(r);
        return NULL;
    }
    grown = r->f;
    r->f = (struct fields){0};
    rumor_free(r);
    pad_fill(&grown, room);
    return rumor_make(&grown, author);
}

struct rumor *rumor_padded(struct fields *f, const uint8_t author[static 32], struct err *e) {
    uint8_t salt[16];
    char hex[33];

    random_bytes(salt, sizeof salt);
    hex_encode(view_of(salt, sizeof salt), hex);
    fields_add(f, "r", hex);
    fields_add(f, "pad", "");
    return rumor_fill(f, author, e);
}

static void body_write(const struct msg_head *h, struct view body, struct buf *out) {
    struct jw w = jw_new(out);
    uint8_t salt[16];

    random_bytes(salt, sizeof salt);
    jw_obj(&w);
    jw_kint(&w, "v", 1);
    jw_kstr(&w, "t", h->type);
    jw_khex(&w, "job", view_of(h->job, 32));
    if (body.n) {
        buf_str(out, ",");
        buf_add(out, body.p, body.n);
    }
    if (h->seq >= 0)
        jw_kint(&w, "seq", h->seq);
    if (h->ack >= 0)
        jw_kint(&w, "ack", h->ack);
    jw_khex(&w, "r", view_of(salt, sizeof salt));
    jw_kstr(&w, "pad", "");
    jw_end_obj(&w);
}

struct rumor *msg_build(const struct msg_head *h, struct view body, const uint8_t from[static 32],
                        const uint8_t to[static 32], int64_t now, struct err *e) {
    struct buf json = {0};
    struct fields f;
    char hex[65];

    body_write(h, body, &json);
    f = fields_new(KIND_MESSAGE, now, buf_view(&json));
    buf_wipe(&json);
    hex_encode(view_of(to, 32), hex);
    fields_add(&f, "p", hex);
    return rumor_fill(&f, from, e);
}

struct rumor *msg_make(const char *type, const uint8_t job[static 32], struct view body,
                       const struct keypair *from, const uint8_t to[static 32], int64_t now) {
    struct msg_head h = {type, job, -1, -1};

    return msg_build(&h, body, keypair_pub(from), to, now, NULL);
}

static bool type_ok(const char *s) {
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz_");

    return n > 0 && n <= MSG_TYPE_MAX && s[n] == '\0';
}

/* Absent is -1; present must be a whole number from 0. */
static bool number_get(const cJSON *o, const char *key, int64_t *out) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

    *out = -1;
    return !v || (json_int_of(v, out) && *out >= 0);
}

static int head_parse(struct msg *m, struct err *e) {
    uint8_t salt[16];
    uint64_t v;

    m->type = json_str(m->o, "t", e);
    if (!m->type || !json_u64(m->o, "v", &v, e) || !json_hex(m->o, "job", m->job, 32, e) ||
        !json_hex(m->o, "r", salt, sizeof salt, e))
        return err_wrap(e, "message");
    if (v != 1)
        return err_set(e, "bad-message", "a message of version %llu, this program speaks 1",
                       (unsigned long long)v);
    if (!type_ok(m->type))
        return err_set(e, "bad-message", "a message whose type is not a word");
    if (!number_get(m->o, "seq", &m->seq) || !number_get(m->o, "ack", &m->ack))
        return err_set(e, "bad-message", "%s: seq or ack is not a number from 0", m->type);
    return 0;
}

int msg_parse(const struct rumor *r, struct msg *out, struct err *e) {
    *out = (struct msg){.seq = -1, .ack = -1};
    if (r->f.kind != KIND_MESSAGE)
        return err_set(e, "bad-message", "kind %u is not a message", r->f.kind);
    out->o = json_parse(view_of(r->f.content, r->f.content_len), EVENT_MAX, e);
    if (!out->o)
        return err_wrap(e, "message");
    if (!cJSON_IsObject(out->o))
        err_set(e, "bad-message", "a message that is not an object");
    else if (head_parse(out, e) == 0)
        return 0;
    msg_free(out);
    return -1;
}

void msg_free(struct msg *m) {
    json_wipe(m->o);
    *m = (struct msg){.seq = -1, .ack = -1};
}
