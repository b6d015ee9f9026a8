/* Pure parsers of the relay's HTTP side: Content-Length, Range, blob paths, Blossom authorizations.
 */
#include "relay_auth.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/enc.h"

#define KIND_BLOSSOM_AUTH 24242
#define AUTH_EVENT_MAX 8192
#define SKEW_S 60 /* created_at may be this far ahead of our clock */

bool http_length_parse(struct view v, uint64_t *out) {
    uint64_t n = 0;

    if (v.n == 0 || v.n > 18)
        return false;
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9')
            return false;
        n = n * 10 + (uint64_t)(v.p[i] - '0');
    }
    *out = n;
    return true;
}

enum http_range http_range_parse(struct view v, uint64_t size, uint64_t *first, uint64_t *count) {
    static const char unit[] = "bytes=";
    size_t skip = sizeof unit - 1;
    struct view a, b;
    const uint8_t *dash;
    uint64_t from = 0, to = 0;

    if (v.n <= skip || strncasecmp((const char *)v.p, unit, skip) != 0 || memchr(v.p, ',', v.n))
        return RANGE_NONE;
    a = view_of(v.p + skip, v.n - skip);
    if (!(dash = memchr(a.p, '-', a.n)))
        return RANGE_NONE;
    b = view_of(dash + 1, (size_t)(a.p + a.n - dash - 1));
    a.n = (size_t)(dash - a.p);
    if ((a.n && !http_length_parse(a, &from)) || (b.n && !http_length_parse(b, &to)) ||
        (!a.n && !b.n) || (a.n && b.n && to < from))
        return RANGE_NONE;
    if (!a.n) { /* the last `to` bytes */
        from = to < size ? size - to : 0;
        to = to ? size - 1 : 0;
        if (size == 0 || from == size)
            return RANGE_BAD;
    } else if (from >= size) {
        return RANGE_BAD;
    } else if (!b.n || to >= size) {
        to = size - 1;
    }
    *first = from;
    *count = to - from + 1;
    return RANGE_PART;
}

bool http_blob_path(struct view path, uint8_t sha[static 32]) {
    if (path.n < 65 || path.p[0] != '/' || !hex_decode(view_of(path.p + 1, 64), sha, 32))
        return false;
    return path.n == 65 || path.p[65] == '.';
}

bool http_auth_names(const struct event *auth, const uint8_t sha[static 32]) {
    char hex[65];
    const struct tag *t;

    hex_encode(view_of(sha, 32), hex);
    for (size_t i = 0; (t = fields_find(&auth->f, "x", i)); i++)
        if (t->n > 1 && strcmp(t->v[1], hex) == 0)
            return true;
    return false;
}

static bool tag_is(const struct fields *f, const char *name, const char *value) {
    const struct tag *t;

    for (size_t i = 0; (t = fields_find(f, name, i)); i++)
        if (t->n > 1 && strcasecmp(t->v[1], value) == 0)
            return true;
    return false;
}

static bool for_us(const struct fields *f, const char *const *hosts) {
    if (!fields_find(f, "server", 0))
        return true;
    for (; *hosts; hosts++)
        if (tag_is(f, "server", *hosts))
            return true;
    return false;
}

static const char *auth_fault(const struct event *ev, const struct http_auth_want *want) {
    const struct fields *f = &ev->f;
    const char *expires = fields_get(f, "expiration", 1);
    uint64_t until;

    if (f->kind != KIND_BLOSSOM_AUTH)
        return "the authorization is not an event of kind 24242";
    if (f->created_at > want->now + SKEW_S)
        return "the authorization is dated in the future";
    if (!expires || !http_length_parse(view_str(expires), &until))
        return "the authorization has no expiration";
    if ((int64_t)until <= want->now)
        return "the authorization has expired";
    if (!tag_is(f, "t", want->verb))
        return "the authorization is for something else (t tag)";
    if (!for_us(f, want->hosts))
        return "the authorization is for another server";
    if (!fields_find(f, "x", 0) || (want->sha && !http_auth_names(ev, want->sha)))
        return "the authorization does not name this blob (x tag)";
    return NULL;
}

/* Both alphabets, with and without padding, are in use. */
static bool decode_any(struct view v, struct buf *out) {
    struct view bare = v;

    while (bare.n && bare.p[bare.n - 1] == '=')
        bare.n--;
    if (base64_decode(v, out))
        return true;
    buf_reset(out);
    return base64url_decode(bare, out);
}

static struct event *auth_event(struct view header, struct err *e) {
    static const char scheme[] = "Nostr ";
    size_t skip = sizeof scheme - 1;
    cleanup_buf struct buf json = {.max = AUTH_EVENT_MAX};

    if (header.n <= skip || strncasecmp((const char *)header.p, scheme, skip) != 0) {
        err_set(e, "unauthorized", "an 'Authorization: Nostr' header is needed");
        return NULL;
    }
    if (!decode_any(view_of(header.p + skip, header.n - skip), &json) || json.full) {
        err_set(e, "unauthorized", "the authorization is not base64 of an event");
        return NULL;
    }
    return event_parse(buf_view(&json), e);
}

struct event *http_auth_parse(struct view header, const struct http_auth_want *want,
                              struct err *e) {
    struct event *ev = auth_event(header, e);
    const char *fault = ev ? auth_fault(ev, want) : NULL;

    if (ev && !fault)
        return ev;
    if (fault)
        err_set(e, "unauthorized", "%s", fault);
    event_free(ev);
    return NULL;
}
