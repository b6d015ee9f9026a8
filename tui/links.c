#include "tui/links.h"

#include <string.h>
#include <wctype.h>

#include "core/text.h"

#define LABEL_MAX 64 /* code points of a label worth encoding: DNS allows 63 bytes */
#define HOLD_MAX 300 /* bytes of a word that are waited for */

/* --- punycode, RFC 3492 section 6 --- */

enum { BASE = 36, TMIN = 1, TMAX = 26, SKEW = 38, DAMP = 700, FIRST_BIAS = 72, FIRST_N = 0x80 };

static uint32_t adapt(uint32_t delta, uint32_t points, bool first) {
    uint32_t k = 0;

    delta = first ? delta / DAMP : delta / 2;
    for (delta += delta / points; delta > (BASE - TMIN) * TMAX / 2; k += BASE)
        delta /= BASE - TMIN;
    return k + (BASE - TMIN + 1) * delta / (delta + SKEW);
}

static uint32_t threshold(uint32_t k, uint32_t bias) {
    return k <= bias ? TMIN : k >= bias + TMAX ? TMAX : k - bias;
}

static void put_digit(struct buf *out, uint32_t d) {
    buf_u8(out, (uint8_t)(d < 26 ? 'a' + d : '0' + d - 26));
}

static void put_delta(struct buf *out, uint32_t q, uint32_t bias) {
    for (uint32_t k = BASE;; k += BASE) {
        uint32_t t = threshold(k, bias);

        if (q < t)
            break;
        put_digit(out, t + (q - t) % (BASE - t));
        q = (q - t) / (BASE - t);
    }
    put_digit(out, q);
}

static uint32_t least_from(const uint32_t *cp, size_t n, uint32_t from) {
    uint32_t least = UINT32_MAX;

    for (size_t i = 0; i < n; i++)
        if (cp[i] >= from && cp[i] < least)
            least = cp[i];
    return least;
}

/* At most LABEL_MAX code points below 0x110000: no sum in here can overflow. */
static void put_punycode(const uint32_t *cp, size_t n, struct buf *out) {
    uint32_t at = FIRST_N, delta = 0, bias = FIRST_BIAS, basic = 0, done;

    for (size_t i = 0; i < n; i++)
        if (cp[i] < 0x80) {
            buf_u8(out, (uint8_t)cp[i]);
            basic++;
        }
    done = basic;
    if (basic > 0)
        buf_str(out, "-");
    while (done < n) {
        uint32_t next = least_from(cp, n, at);

        delta += (next - at) * (done + 1);
        at = next;
        for (size_t i = 0; i < n; i++) {
            delta += cp[i] < at;
            if (cp[i] != at)
                continue;
            put_delta(out, delta, bias);
            bias = adapt(delta, done + 1, done == basic);
            delta = 0;
            done++;
        }
        delta++;
        at++;
    }
}

/* --- hosts --- */

static uint32_t next_cp(struct view *v) {
    uint32_t cp;
    size_t n = utf8_next(*v, &cp);

    if (n == 0) {
        n = 1;
        cp = 0xfffd;
    }
    *v = view_of(v->p + n, v->n - n);
    return cp;
}

static bool is_ascii(struct view v) {
    while (v.n > 0 && v.p[v.n - 1] < 0x80)
        v.n--;
    return v.n == 0;
}

static void put_label(struct view label, struct buf *out) {
    uint32_t cp[LABEL_MAX];
    struct view rest = label;
    size_t n = 0;

    if (is_ascii(label)) {
        buf_add(out, label.p, label.n);
        return;
    }
    while (rest.n > 0 && n < LABEL_MAX) {
        uint32_t c = next_cp(&rest);

        cp[n++] = c < 0x80 ? c : (uint32_t)towlower((wint_t)c);
    }
    buf_str(out, "xn--");
    put_punycode(cp, n, out);
    if (rest.n > 0)
        buf_str(out, "...");
}

void links_host(struct view host, struct buf *out) {
    while (host.n > 0) {
        const uint8_t *dot = memchr(host.p, '.', host.n);
        size_t n = dot ? (size_t)(dot - host.p) : host.n;

        put_label(view_of(host.p, n), out);
        if (dot)
            buf_str(out, ".");
        n += dot != NULL;
        host = view_of(host.p + n, host.n - n);
    }
}

/* --- addresses --- */

static bool ends_host(uint8_t c) {
    return c <= ' ' || strchr("/?#:\"'<>()[]{}|\\^`,;!*", c) != NULL;
}

/* What stands before the last @ is no host, however much it looks like one. */
static struct view host_of(struct view after_slashes) {
    struct view v = after_slashes;
    size_t end = 0, from = 0;

    for (; end < v.n && !strchr("/?#\"<>\\", v.p[end]) && v.p[end] > ' '; end++)
        if (v.p[end] == '@')
            from = end + 1;
    v = view_of(v.p + from, v.n - from);
    for (end = 0; end < v.n && !ends_host(v.p[end]);)
        end++;
    return view_of(v.p, end);
}

static size_t find_slashes(struct view text) {
    const uint8_t *at = text.n ? memmem(text.p, text.n, "://", 3) : NULL;

    return at ? (size_t)(at - text.p) + 3 : text.n;
}

void links_plain(struct view text, struct buf *out) {
    while (text.n > 0) {
        size_t n = find_slashes(text);
        struct view rest = view_of(text.p + n, text.n - n), host = host_of(rest);

        buf_add(out, text.p, n + (size_t)(host.p - rest.p));
        links_host(host, out);
        n += (size_t)(host.p - rest.p) + host.n;
        text = view_of(text.p + n, text.n - n);
    }
}

static bool scheme_sign(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           strchr("+-.:/", c);
}

/* "ht", "https:/" and "https://b" may grow into one; "Zeit," may not. */
static bool may_be_address(struct view word) {
    size_t n = 0;

    while (n < word.n && word.p[n] && scheme_sign(word.p[n]))
        n++;
    return n == word.n || (word.n > 3 && memmem(word.p, word.n, "://", 3));
}

size_t links_settled(struct view text) {
    size_t at = text.n;

    while (at > 0 && text.p[at - 1] > ' ')
        at--;
    if (text.n - at > HOLD_MAX || !may_be_address(view_of(text.p + at, text.n - at)))
        return text.n;
    return at;
}
