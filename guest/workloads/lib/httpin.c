#include "httpin.h"

#include <string.h>
#include <strings.h>

enum at {
    AT_STATUS,
    AT_FIELDS,
    AT_LENGTH,
    AT_SIZE,
    AT_CHUNK,
    AT_CHUNK_END,
    AT_TRAILER,
    AT_REST,
    AT_DONE
};

struct httpin {
    void (*body)(void *arg, struct view piece);
    void *arg;
    enum at at;
    struct buf line;
    size_t head; /* bytes of head or trailer so far */
    int status;
    bool has_length, chunked;
    uint64_t left; /* of the body or the chunk */
};

struct httpin *httpin_new(void (*body)(void *arg, struct view piece), void *arg) {
    struct httpin *h = mem_new(sizeof *h);

    h->body = body;
    h->arg = arg;
    buf_init(&h->line, HTTPIN_LINE_MAX);
    return h;
}

void httpin_free(struct httpin *h) {
    if (!h)
        return;
    buf_wipe(&h->line);
    cleanup_free_fn(&h);
}

bool httpin_done(const struct httpin *h) {
    return h->at == AT_DONE;
}

int httpin_status(const struct httpin *h) {
    return h->status;
}

static int bad(struct err *e, const char *what) {
    return err_set(e, "bad-engine", "the engine's HTTP response %s", what);
}

/* --- lines: each is without its line end --- */

static bool digits(const char *s, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (s[i] < '0' || s[i] > '9')
            return false;
    return true;
}

static int on_status(struct httpin *h, const char *s, struct err *e) {
    bool good = !strncmp(s, "HTTP/1.", 7) && (s[7] == '0' || s[7] == '1') && s[8] == ' ';

    if (!good || strnlen(s + 9, 3) < 3 || !digits(s + 9, 3) || (s[12] && s[12] != ' '))
        return bad(e, "has no status line");
    h->status = (s[9] - '0') * 100 + (s[10] - '0') * 10 + (s[11] - '0');
    if (h->status < 100 || h->status > 599)
        return bad(e, "has no proper status");
    h->at = AT_FIELDS;
    return 0;
}

/* Decimal or hex digits only, below 2^40: no length of ours is near it. */
static bool number(const char *s, size_t n, unsigned base, uint64_t *out) {
    static const char set[] = "0123456789abcdef";
    uint64_t v = 0;

    if (!n)
        return false;
    for (size_t i = 0; i < n; i++) {
        const char *d = memchr(set, s[i] >= 'A' && s[i] <= 'F' ? s[i] + 32 : s[i], base);

        if (!d || v >> 36)
            return false;
        v = v * base + (uint64_t)(d - set);
    }
    *out = v;
    return true;
}

static int take_length(struct httpin *h, const char *value, struct err *e) {
    uint64_t n;

    if (!number(value, strlen(value), 10, &n) || (h->has_length && n != h->left))
        return bad(e, "has no proper Content-Length");
    h->has_length = true;
    h->left = n;
    return 0;
}

static int take_coding(struct httpin *h, const char *value, struct err *e) {
    if (strcasecmp(value, "chunked") || h->chunked)
        return bad(e, "has a transfer coding that is not chunked");
    h->chunked = true;
    return 0;
}

static int on_field(struct httpin *h, char *s, struct err *e) {
    static const struct {
        const char *name;
        int (*take)(struct httpin *h, const char *value, struct err *e);
    } known[] = {{"content-length", take_length}, {"transfer-encoding", take_coding}};
    char *colon = strchr(s, ':'), *value;

    if (!colon || colon == s)
        return bad(e, "has a line that is no header field");
    *colon = 0;
    value = colon + 1 + strspn(colon + 1, " \t");
    for (size_t n = strlen(value); n && strchr(" \t", value[n - 1]); n--)
        value[n - 1] = 0;
    for (size_t i = 0; i < COUNT(known); i++)
        if (!strcasecmp(s, known[i].name))
            return known[i].take(h, value, e);
    return 0;
}

static int on_head_end(struct httpin *h, struct err *e) {
    if (h->status < 200) {
        h->at = AT_STATUS;
        h->has_length = h->chunked = false;
        return 0;
    }
    if (h->chunked && h->has_length)
        return bad(e, "has two kinds of length");
    if (h->status == 204 || h->status == 304 || (h->has_length && !h->left))
        h->at = AT_DONE;
    else
        h->at = h->chunked ? AT_SIZE : h->has_length ? AT_LENGTH : AT_REST;
    return 0;
}

static int on_size(struct httpin *h, const char *s, struct err *e) {
    size_t n = strcspn(s, "; \t");

    if (!number(s, n, 16, &h->left))
        return bad(e, "has a chunk without a size");
    h->head = 0;
    h->at = h->left ? AT_CHUNK : AT_TRAILER;
    return 0;
}

static int on_line(struct httpin *h, char *s, struct err *e) {
    switch (h->at) {
    case AT_STATUS:
        return on_status(h, s, e);
    case AT_FIELDS:
        return *s ? on_field(h, s, e) : on_head_end(h, e);
    case AT_SIZE:
        return on_size(h, s, e);
    case AT_CHUNK_END:
        h->at = AT_SIZE;
        return *s ? bad(e, "has a chunk that is longer than it says") : 0;
    case AT_TRAILER:
        h->at = *s ? AT_TRAILER : AT_DONE;
        return 0;
    case AT_LENGTH:
    case AT_CHUNK:
    case AT_REST:
    case AT_DONE:
        break;
    }
    return bad(e, "goes on after its end");
}

/* --- bytes --- */

static int take_line(struct httpin *h, struct view *v, struct err *e) {
    const uint8_t *end = memchr(v->p, '\n', v->n);
    size_t n = end ? (size_t)(end - v->p) + 1 : v->n;
    int rc = 0;

    buf_add(&h->line, v->p, n);
    *v = view_of(v->p + n, v->n - n);
    h->head += n;
    if (h->line.full || h->head > HTTPIN_HEAD_MAX)
        return bad(e, "has too long a head");
    if (!end)
        return 0;
    h->line.p[--h->line.n] = 0;
    if (h->line.n && h->line.p[h->line.n - 1] == '\r')
        h->line.p[--h->line.n] = 0;
    if (memchr(h->line.p, 0, h->line.n))
        return bad(e, "has a zero byte in its head");
    rc = on_line(h, (char *)h->line.p, e);
    buf_reset(&h->line);
    return rc;
}

static void take_body(struct httpin *h, struct view *v) {
    size_t n = h->at != AT_REST && h->left < v->n ? (size_t)h->left : v->n;

    h->body(h->arg, view_of(v->p, n));
    *v = view_of(v->p + n, v->n - n);
    if (h->at == AT_REST)
        return;
    h->left -= n;
    if (!h->left)
        h->at = h->at == AT_CHUNK ? AT_CHUNK_END : AT_DONE;
}

int httpin_feed(struct httpin *h, struct view v, struct err *e) {
    while (v.n) {
        if (h->at == AT_DONE)
            return bad(e, "goes on after its end");
        if (h->at == AT_LENGTH || h->at == AT_CHUNK || h->at == AT_REST)
            take_body(h, &v);
        else if (take_line(h, &v, e))
            return -1;
    }
    return 0;
}

int httpin_end(struct httpin *h, struct err *e) {
    if (h->at == AT_REST)
        h->at = AT_DONE;
    return h->at == AT_DONE ? 0 : bad(e, "was cut off");
}
