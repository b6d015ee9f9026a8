#include "decode.h"

#include <string.h>
#include "core/text.h"

#define PROBE ((size_t)64 << 10) /* bytes looked at for signs that this is no text */

enum order { LITTLE, BIG };

static void put(uint32_t cp, struct buf *out) {
    char c[4];
    size_t n = utf8_put(cp, c);

    if (out->max && out->n + n > out->max)
        out->full = true; /* never half a character */
    if (cp && n && !out->full)
        buf_add(out, c, n);
}

/* --- UTF-16 --- */

static uint32_t unit(struct view in, size_t i, enum order order) {
    return order == BIG ? (uint32_t)in.p[i] << 8 | in.p[i + 1]
                        : (uint32_t)in.p[i + 1] << 8 | in.p[i];
}

static void decode_utf16(struct view in, enum order order, struct buf *out) {
    for (size_t i = 0; i + 1 < in.n; i += 2) {
        uint32_t u = unit(in, i, order), low = i + 3 < in.n ? unit(in, i + 2, order) : 0;

        if (u >= 0xd800 && u < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
            put(0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00), out);
            i += 2;
        } else
            put(u >= 0xd800 && u < 0xe000 ? 0xfffd : u, out);
    }
}

/* --- bytes --- */

/* Well-formed characters against bad bytes, of those above ASCII. */
static bool mostly_utf8(struct view in) {
    size_t good = 0, bad = 0, n;
    uint32_t cp;

    for (size_t i = 0; i < in.n; i += n) {
        n = utf8_next(view_of(in.p + i, in.n - i), &cp);
        good += n > 1;
        bad += n == 0;
        n = n ? n : 1;
    }
    return good >= bad;
}

static void decode_latin1(struct view in, struct buf *out) {
    for (size_t i = 0; i < in.n && !out->full; i++)
        put(in.p[i], out);
}

static void decode_repaired(struct view in, struct buf *out) {
    size_t n;
    uint32_t cp;

    for (size_t i = 0; i < in.n && !out->full; i += n) {
        n = utf8_next(view_of(in.p + i, in.n - i), &cp);
        put(n ? cp : 0xfffd, out);
        n = n ? n : 1;
    }
}

/* Text has no NUL, and of control characters few but white space. */
static bool binary(struct view in) {
    size_t n = in.n < PROBE ? in.n : PROBE, controls = 0;

    if (memchr(in.p, 0, n))
        return true;
    for (size_t i = 0; i < n; i++)
        controls += in.p[i] < 0x20 && !strchr("\t\n\v\f\r\x1b", in.p[i]);
    return controls > n / 50;
}

static bool starts_with(struct view v, const char *bytes, size_t n) {
    return v.n >= n && !memcmp(v.p, bytes, n);
}

static struct view after(struct view v, size_t n) {
    return view_of(v.p + n, v.n - n);
}

int decode_text(struct view in, struct buf *out, bool *latin1, struct err *e) {
    *latin1 = false;
    if (starts_with(in, "\xff\xfe", 2) || starts_with(in, "\xfe\xff", 2)) {
        decode_utf16(after(in, 2), in.p[0] == 0xfe ? BIG : LITTLE, out);
        return 0;
    }
    if (starts_with(in, "\xef\xbb\xbf", 3))
        in = after(in, 3);
    if (in.n && binary(in))
        return err_set(e, "unsupported", "the file is not text but binary data");
    *latin1 = !mostly_utf8(in);
    if (*latin1)
        decode_latin1(in, out);
    else
        decode_repaired(in, out);
    return 0;
}
