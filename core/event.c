#include "event.h"
#include "enc.h"
#include "hash.h"
#include "json.h"
#include "nip44.h"

#include <stdlib.h>
#include <string.h>

#define KIND_MAX 65535

static void tags_free(struct tag *tags, size_t n) {
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < tags[i].n; j++) {
            if (tags[i].v[j]) /* a file's key is a tag */
                explicit_bzero(tags[i].v[j], strlen(tags[i].v[j]));
            free(tags[i].v[j]);
        }
        free(tags[i].v);
    }
    free(tags);
}

void fields_free(struct fields *f) {
    tags_free(f->tags, f->n_tags);
    if (f->content)
        explicit_bzero(f->content, f->content_len);
    free(f->content);
    *f = (struct fields){0};
}

struct fields fields_new(uint32_t kind, int64_t created_at, struct view content) {
    return (struct fields){.kind = kind,
                           .created_at = created_at,
                           .content = mem_strn(content.p, content.n),
                           .content_len = content.n};
}

/* Room for one more tag of n strings. The array doubles at each power of two. */
static struct tag *tag_slot(struct fields *f, size_t n) {
    struct tag *t;

    if ((f->n_tags & (f->n_tags - 1)) == 0)
        f->tags = mem_grow(f->tags, (f->n_tags ? 2 * f->n_tags : 1) * sizeof *f->tags);
    t = &f->tags[f->n_tags++];
    *t = (struct tag){mem_new(n * sizeof *t->v), n};
    return t;
}

void fields_tag(struct fields *f, size_t n, const char *const v[]) {
    struct tag *t = tag_slot(f, n);

    for (size_t i = 0; i < n; i++)
        t->v[i] = mem_str(v[i]);
}

static void put_tags(struct jw *w, const struct fields *f) {
    jw_arr(w);
    for (size_t i = 0; i < f->n_tags; i++) {
        jw_arr(w);
        for (size_t j = 0; j < f->tags[i].n; j++)
            jw_str(w, f->tags[i].v[j]);
        jw_end_arr(w);
    }
    jw_end_arr(w);
}

void fields_id(const struct fields *f, uint8_t id[static 32]) {
    struct buf text = {0};
    struct jw w = jw_new(&text);

    jw_arr(&w);
    jw_int(&w, 0);
    jw_hex(&w, view_of(f->pubkey, 32));
    jw_int(&w, f->created_at);
    jw_int(&w, f->kind);
    put_tags(&w, f);
    jw_view(&w, view_of(f->content, f->content_len));
    jw_end_arr(&w);
    sha256(buf_view(&text), id);
    buf_wipe(&text);
}

static void put_fields(const struct fields *f, bool with_sig, struct buf *out) {
    struct jw w = jw_new(out);

    jw_obj(&w);
    jw_khex(&w, "id", view_of(f->id, 32));
    jw_khex(&w, "pubkey", view_of(f->pubkey, 32));
    jw_kint(&w, "created_at", f->created_at);
    jw_kint(&w, "kind", f->kind);
    jw_key(&w, "tags");
    put_tags(&w, f);
    jw_key(&w, "content");
    jw_view(&w, view_of(f->content, f->content_len));
    if (with_sig)
        jw_khex(&w, "sig", view_of(f->sig, 64));
    jw_end_obj(&w);
}

void event_json(const struct event *ev, struct buf *out) {
    put_fields(&ev->f, true, out);
}

void rumor_json(const struct rumor *r, struct buf *out) {
    put_fields(&r->f, false, out);
}

struct event *event_sign(struct fields *f, const struct keypair *k) {
    struct event *ev = mem_new(sizeof *ev);

    ev->f = *f;
    *f = (struct fields){0};
    memcpy(ev->f.pubkey, keypair_pub(k), 32);
    fields_id(&ev->f, ev->f.id);
    keypair_sign(k, ev->f.id, ev->f.sig);
    return ev;
}

struct rumor *rumor_make(struct fields *f, const uint8_t author[static 32]) {
    struct rumor *r = mem_new(sizeof *r);

    r->f = *f;
    *f = (struct fields){0};
    memcpy(r->f.pubkey, author, 32);
    memset(r->f.sig, 0, sizeof r->f.sig);
    fields_id(&r->f, r->f.id);
    return r;
}

static struct fields fields_copy(const struct fields *f) {
    struct fields c = *f;

    c.content = mem_strn(f->content, f->content_len);
    c.tags = NULL;
    c.n_tags = 0;
    for (size_t i = 0; i < f->n_tags; i++)
        fields_tag(&c, f->tags[i].n, (const char *const *)f->tags[i].v);
    return c;
}

struct event *event_copy(const struct event *ev) {
    struct event *c = mem_new(sizeof *c);

    c->f = fields_copy(&ev->f);
    return c;
}

struct rumor *rumor_copy(const struct rumor *r) {
    struct rumor *c = mem_new(sizeof *c);

    c->f = fields_copy(&r->f);
    return c;
}

void raw_event_free(struct raw_event *e) {
    if (!e)
        return;
    fields_free(&e->f);
    free(e);
}

void event_free(struct event *e) {
    if (!e)
        return;
    fields_free(&e->f);
    free(e);
}

void rumor_free(struct rumor *r) {
    if (!r)
        return;
    fields_free(&r->f);
    free(r);
}

static int parse_tag(struct fields *f, const cJSON *t, struct err *e) {
    struct tag *slot;
    size_t n = 0;

    for (const cJSON *s = t->child; s; s = s->next, n++)
        if (!cJSON_IsString(s))
            return err_set(e, "bad-event", "tag %zu holds something that is not a string",
                           f->n_tags + 1);
    if (!cJSON_IsArray(t) || n == 0)
        return err_set(e, "bad-event", "tag %zu is not an array of strings", f->n_tags + 1);
    slot = tag_slot(f, n);
    n = 0;
    for (const cJSON *s = t->child; s; s = s->next)
        slot->v[n++] = mem_str(s->valuestring);
    return 0;
}

static int parse_tags(struct fields *f, const cJSON *o, struct err *e) {
    const cJSON *tags = json_arr(o, "tags", e);

    if (!tags)
        return -1;
    for (const cJSON *t = tags->child; t; t = t->next) {
        if (f->n_tags == EVENT_TAGS_MAX)
            return err_set(e, "bad-event", "more than %d tags", EVENT_TAGS_MAX);
        if (parse_tag(f, t, e) < 0)
            return -1;
    }
    return 0;
}

static int parse_fields(struct fields *f, const cJSON *o, struct err *e) {
    const char *content;
    uint64_t kind, created_at;

    if (!cJSON_IsObject(o))
        return err_set(e, "bad-event", "not an object");
    if (!json_hex(o, "id", f->id, 32, e) || !json_hex(o, "pubkey", f->pubkey, 32, e) ||
        !json_u64(o, "created_at", &created_at, e) || !json_u64(o, "kind", &kind, e))
        return -1;
    if (kind > KIND_MAX)
        return err_set(e, "bad-event", "kind %llu is over %d", (unsigned long long)kind, KIND_MAX);
    content = json_str(o, "content", e);
    if (!content)
        return -1;
    f->kind = (uint32_t)kind;
    f->created_at = (int64_t)created_at;
    f->content = mem_str(content);
    f->content_len = strlen(content);
    return parse_tags(f, o, e);
}

static int bad_event(struct err *e) {
    if (e)
        memcpy(e->code, "bad-event", sizeof "bad-event");
    return err_wrap(e, "not a Nostr event");
}

struct raw_event *raw_event_from_json(const cJSON *o, struct err *e) {
    struct raw_event *raw = mem_new(sizeof *raw);

    if (parse_fields(&raw->f, o, e) == 0 && json_hex(o, "sig", raw->f.sig, 64, e))
        return raw;
    bad_event(e);
    raw_event_free(raw);
    return NULL;
}

struct raw_event *raw_event_parse(struct view text, struct err *e) {
    cJSON *o = json_parse(text, EVENT_MAX, e);
    struct raw_event *raw = o ? raw_event_from_json(o, e) : NULL;

    cJSON_Delete(o);
    return raw;
}

static int check_id(const struct fields *f, struct err *e) {
    uint8_t id[32];

    fields_id(f, id);
    if (memcmp(id, f->id, 32) != 0)
        return err_set(e, "bad-id", "the event's id is not the hash of its contents");
    return 0;
}

struct event *event_verify(struct raw_event *raw, struct err *e) {
    struct event *ev = NULL;

    if (check_id(&raw->f, e) == 0) {
        if (schnorr_verify(raw->f.pubkey, view_of(raw->f.id, 32), raw->f.sig)) {
            ev = mem_new(sizeof *ev);
            ev->f = raw->f;
            raw->f = (struct fields){0};
        } else
            err_set(e, "bad-sig", "the event's signature is not valid for its author");
    }
    raw_event_free(raw);
    return ev;
}

struct event *event_parse(struct view text, struct err *e) {
    struct raw_event *raw = raw_event_parse(text, e);

    return raw ? event_verify(raw, e) : NULL;
}

/* cdvm-protocol(7): a rumor has its six keys and nothing else; above all no signature. */
static int check_rumor_keys(const cJSON *o, struct err *e) {
    static const char *const known[] = {"id", "pubkey", "created_at", "kind", "tags", "content"};

    for (const cJSON *m = o->child; m; m = m->next) {
        size_t i = 0;

        if (m->string && strcmp(m->string, "sig") == 0)
            return err_set(e, "bad-event", "a rumor must not be signed");
        while (i < COUNT(known) && m->string && strcmp(m->string, known[i]) != 0)
            i++;
        if (i == COUNT(known))
            return err_set(e, "bad-event", "a rumor must have no keys but its six");
    }
    return 0;
}

struct rumor *rumor_parse(struct view text, struct err *e) {
    cJSON *o = json_parse(text, NIP44_PAYLOAD_MAX, e);
    struct rumor *r = mem_new(sizeof *r);

    if (!o || parse_fields(&r->f, o, e) < 0 || check_rumor_keys(o, e) < 0 ||
        check_id(&r->f, e) < 0) {
        rumor_free(r);
        r = NULL;
    }
    json_wipe(o);
    return r;
}
