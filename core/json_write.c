#include "json.h"
#include "enc.h"
#include "json_plain.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct jw jw_new(struct buf *out) {
    return (struct jw){.out = out};
}

/* Before every key and every value that no key precedes. */
static void separate(struct jw *w) {
    if (w->comma[w->depth])
        buf_u8(w->out, ',');
    w->comma[w->depth] = 1;
}

static void open_list(struct jw *w, uint8_t c) {
    separate(w);
    buf_u8(w->out, c);
    if (w->depth == JSON_DEPTH) { /* nobody could parse it: never hand it on as whole */
        w->out->full = true;
        return;
    }
    w->comma[++w->depth] = 0;
}

static void close_list(struct jw *w, uint8_t c) {
    buf_u8(w->out, c);
    if (w->depth)
        w->depth--;
}

void jw_obj(struct jw *w) {
    open_list(w, '{');
}

void jw_arr(struct jw *w) {
    open_list(w, '[');
}

void jw_end_obj(struct jw *w) {
    close_list(w, '}');
}

void jw_end_arr(struct jw *w) {
    close_list(w, ']');
}

/* NIP-01: the seven short escapes; other control bytes as \u00xx, which is what nearly all peers
 * hash; 0x7f and everything above verbatim. */
static void put_escape(struct buf *out, uint8_t c) {
    static const char letter[0x20] = {
        ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't', ['\b'] = 'b', ['\f'] = 'f'};
    uint8_t short_form[2] = {'\\', c < 0x20 ? (uint8_t)letter[c] : c};

    if (short_form[1])
        buf_add(out, short_form, 2);
    else
        buf_fmt(out, "\\u%04x", c);
}

void json_escape(struct view v, struct buf *out) {
    buf_u8(out, '"');
    while (v.n) {
        size_t run = json_plain_run(v);

        buf_add(out, v.p, run);
        if (run < v.n)
            put_escape(out, v.p[run++]);
        v = view_of(v.p + run, v.n - run);
    }
    buf_u8(out, '"');
}

void jw_key(struct jw *w, const char *key) {
    separate(w);
    json_escape(view_str(key), w->out);
    buf_u8(w->out, ':');
    w->comma[w->depth] = 0; /* the value that follows takes no comma */
}

void jw_view(struct jw *w, struct view utf8) {
    separate(w);
    json_escape(utf8, w->out);
}

void jw_str(struct jw *w, const char *s) {
    jw_view(w, view_str(s));
}

void jw_hex(struct jw *w, struct view bytes) {
    cleanup_free char *hex = hex_new(bytes);

    jw_raw(w, view_str("\""));
    buf_str(w->out, hex);
    buf_u8(w->out, '"');
}

void jw_b64(struct jw *w, struct view bytes) {
    jw_raw(w, view_str("\""));
    base64_encode(bytes, w->out);
    buf_u8(w->out, '"');
}

void jw_int(struct jw *w, int64_t v) {
    separate(w);
    buf_fmt(w->out, "%" PRId64, v);
}

void jw_bool(struct jw *w, bool v) {
    jw_raw(w, view_str(v ? "true" : "false"));
}

void jw_null(struct jw *w) {
    jw_raw(w, view_str("null"));
}

void jw_raw(struct jw *w, struct view json) {
    separate(w);
    buf_add(w->out, json.p, json.n);
}

static void put_number(struct jw *w, const cJSON *v) {
    int64_t x;

    if (json_int_of(v, &x))
        jw_int(w, x);
    else
        w->out->full = true; /* json_parse lets none through */
}

static void put_members(struct jw *w, const cJSON *v, bool object) {
    for (const cJSON *m = v->child; m; m = m->next) {
        if (object)
            jw_key(w, m->string);
        jw_json(w, m);
    }
}

void jw_json(struct jw *w, const cJSON *v) {
    if (cJSON_IsObject(v)) {
        jw_obj(w);
        put_members(w, v, true);
        jw_end_obj(w);
    } else if (cJSON_IsArray(v)) {
        jw_arr(w);
        put_members(w, v, false);
        jw_end_arr(w);
    } else if (cJSON_IsString(v))
        jw_str(w, v->valuestring);
    else if (cJSON_IsNumber(v))
        put_number(w, v);
    else if (cJSON_IsBool(v))
        jw_bool(w, cJSON_IsTrue(v));
    else
        jw_null(w);
}

void jw_kstr(struct jw *w, const char *key, const char *s) {
    jw_key(w, key);
    jw_str(w, s);
}

void jw_kint(struct jw *w, const char *key, int64_t v) {
    jw_key(w, key);
    jw_int(w, v);
}

void jw_kbool(struct jw *w, const char *key, bool v) {
    jw_key(w, key);
    jw_bool(w, v);
}

void jw_khex(struct jw *w, const char *key, struct view bytes) {
    jw_key(w, key);
    jw_hex(w, bytes);
}

void jw_kb64(struct jw *w, const char *key, struct view bytes) {
    jw_key(w, key);
    jw_b64(w, bytes);
}

static int by_key(const void *a, const void *b) {
    return strcmp((*(const cJSON *const *)a)->string, (*(const cJSON *const *)b)->string);
}

static bool ascii(const char *s) {
    for (; *s; s++)
        if ((uint8_t)*s > 0x7f)
            return false;
    return true;
}

static int canonical(struct jw *w, const cJSON *v, struct err *e);

/* RFC 8785 sorts by UTF-16 units; for the ASCII keys taken here that is byte order. */
static int canonical_object(struct jw *w, const cJSON *o, struct err *e) {
    size_t n = (size_t)cJSON_GetArraySize(o), i = 0;
    cleanup_free const cJSON **m = mem_new(n * sizeof *m);

    for (const cJSON *c = o->child; c; c = c->next)
        m[i++] = c;
    qsort(m, n, sizeof *m, by_key);
    jw_obj(w);
    for (i = 0; i < n; i++) {
        if (!ascii(m[i]->string))
            return err_set(e, "bad-json", "a key is not ASCII, so it has no canonical form here");
        jw_key(w, m[i]->string);
        if (canonical(w, m[i], e) < 0)
            return -1;
    }
    jw_end_obj(w);
    return 0;
}

static int canonical(struct jw *w, const cJSON *v, struct err *e) {
    if (cJSON_IsObject(v))
        return canonical_object(w, v, e);
    if (cJSON_IsString(v) && !ascii(v->valuestring))
        return err_set(e, "bad-json", "a string is not ASCII, so it has no canonical form here");
    if (!cJSON_IsArray(v)) {
        jw_json(w, v);
        return 0;
    }
    jw_arr(w);
    for (const cJSON *m = v->child; m; m = m->next)
        if (canonical(w, m, e) < 0)
            return -1;
    jw_end_arr(w);
    return 0;
}

int json_canonical(const cJSON *v, struct buf *out, struct err *e) {
    struct jw w = jw_new(out);

    if (canonical(&w, v, e) < 0)
        return -1;
    return out->full ? err_set(e, "too-large", "the canonical form does not fit") : 0;
}
