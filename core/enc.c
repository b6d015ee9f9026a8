#include "enc.h"

#include <string.h>

#define BAD 0xff

/* Upper case is refused: one value has one text, so that ids compare as text everywhere. */
static uint8_t hex_digit(uint8_t c) {
    if (c >= '0' && c <= '9')
        return (uint8_t)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (uint8_t)(c - 'a' + 10);
    return BAD;
}

void hex_encode(struct view v, char *out) {
    static const char digit[] = "0123456789abcdef";

    for (size_t i = 0; i < v.n; i++) {
        *out++ = digit[v.p[i] >> 4];
        *out++ = digit[v.p[i] & 15];
    }
    *out = 0;
}

char *hex_new(struct view v) {
    char *s = mem_new(2 * v.n + 1);

    hex_encode(v, s);
    return s;
}

bool hex_decode(struct view hex, uint8_t *out, size_t n) {
    uint8_t bad = 0;

    if (hex.n % 2 || hex.n / 2 != n) {
        memset(out, 0, n);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        uint8_t hi = hex_digit(hex.p[2 * i]), lo = hex_digit(hex.p[2 * i + 1]);

        bad |= (hi | lo) & 0xf0;
        out[i] = (uint8_t)(hi << 4 | lo);
    }
    if (bad)
        memset(out, 0, n);
    return !bad;
}

bool hex_decode_str(const char *hex, uint8_t *out, size_t n) {
    if (hex)
        return hex_decode(view_str(hex), out, n);
    memset(out, 0, n);
    return false;
}

static const char alphabet_std[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char alphabet_url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void group_encode(const char *alphabet, const uint8_t *in, char *out) {
    uint32_t x = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];

    out[0] = alphabet[x >> 18];
    out[1] = alphabet[x >> 12 & 63];
    out[2] = alphabet[x >> 6 & 63];
    out[3] = alphabet[x & 63];
}

/* Encodes in slices so that the buffer is asked for room once per slice, not per group. */
static void b64_encode(const char *alphabet, bool pad, struct view v, struct buf *out) {
    char slice[4096];
    uint8_t tail[3] = {0};

    while (v.n >= 3) {
        size_t n = 0;

        for (; v.n >= 3 && n < sizeof slice; n += 4) {
            group_encode(alphabet, v.p, slice + n);
            v.p += 3;
            v.n -= 3;
        }
        buf_add(out, slice, n);
    }
    if (v.n) {
        memcpy(tail, v.p, v.n);
        group_encode(alphabet, tail, slice);
        memset(slice + v.n + 1, '=', 3 - v.n);
        buf_add(out, slice, pad ? 4 : v.n + 1);
    }
    explicit_bzero(slice, sizeof slice);
}

void base64_encode(struct view v, struct buf *out) {
    b64_encode(alphabet_std, true, v, out);
}

void base64url_encode(struct view v, struct buf *out) {
    b64_encode(alphabet_url, false, v, out);
}

static void reverse_table(const char *alphabet, uint8_t rev[static 256]) {
    memset(rev, BAD, 256);
    for (uint8_t i = 0; i < 64; i++)
        rev[(uint8_t)alphabet[i]] = i;
}

/* Four characters to three bytes; sets a high bit in *bad when one is not of the alphabet. */
static void group_decode(const uint8_t *rev, const uint8_t *in, uint8_t *out, uint8_t *bad) {
    uint8_t a = rev[in[0]], b = rev[in[1]], c = rev[in[2]], d = rev[in[3]];

    *bad |= (uint8_t)(a | b | c | d);
    out[0] = (uint8_t)(a << 2 | b >> 4);
    out[1] = (uint8_t)(b << 4 | c >> 2);
    out[2] = (uint8_t)(c << 6 | d);
}

/* The last two or three characters without padding. Spare bits must be zero: one text per value. */
static bool tail_decode(const uint8_t *rev, struct view s, struct buf *out) {
    uint8_t in[4] = {0}, got[3], bad = 0;

    if (s.n == 0)
        return true;
    if (s.n == 1)
        return false;
    memcpy(in, s.p, s.n);
    for (size_t i = s.n; i < 4; i++)
        in[i] = 'A';
    group_decode(rev, in, got, &bad);
    buf_add(out, got, s.n - 1);
    return bad < 64 && got[s.n - 1] == 0;
}

static bool b64_decode(const char *alphabet, struct view s, struct buf *out) {
    uint8_t rev[256], slice[3072], bad = 0;
    size_t before = out->n;
    bool ok;

    reverse_table(alphabet, rev);
    while (s.n >= 4) {
        size_t n = 0;

        for (; s.n >= 4 && n < sizeof slice; n += 3) {
            group_decode(rev, s.p, slice + n, &bad);
            s.p += 4;
            s.n -= 4;
        }
        buf_add(out, slice, n);
    }
    ok = bad < 64 && tail_decode(rev, s, out) && !out->full;
    if (!ok)
        out->n = before;
    return ok;
}

bool base64_decode(struct view s, struct buf *out) {
    if (s.n % 4)
        return false;
    if (s.n && s.p[s.n - 1] == '=')
        s.n--;
    if (s.n % 4 == 3 && s.p[s.n - 1] == '=')
        s.n--;
    return b64_decode(alphabet_std, s, out);
}

bool base64url_decode(struct view s, struct buf *out) {
    return b64_decode(alphabet_url, s, out);
}
