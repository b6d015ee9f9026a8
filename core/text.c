#include "text.h"
#include "text_table.h"

#include <string.h>

#define REPLACEMENT 0xfffd
#define ELLIPSIS 0x2026
#define MARKS_MAX 2
#define TAB 8
#define FILE_NAME_MAX 200

/* Low byte of a text_table entry. */
enum cp_class { CLASS_DROP, CLASS_MARK, CLASS_NARROW, CLASS_WIDE, CLASS_SPACE };

static enum cp_class class_of(uint32_t cp) {
    size_t lo = 0, hi = COUNT(text_table);

    if (cp >= 0x20 && cp < 0x7f)
        return cp == ' ' ? CLASS_SPACE : CLASS_NARROW;
    if (cp > 0x10ffff)
        return CLASS_DROP;
    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;

        if (text_table[mid] >> 8 <= cp)
            lo = mid;
        else
            hi = mid;
    }
    return (enum cp_class)(text_table[lo] & 0xff);
}

int cp_width(uint32_t cp) {
    static const int width[] = {[CLASS_DROP] = -1,
                                [CLASS_MARK] = 0,
                                [CLASS_NARROW] = 1,
                                [CLASS_WIDE] = 2,
                                [CLASS_SPACE] = 1};

    return width[class_of(cp)];
}

/* Bytes of the sequence that a lead byte opens, 0 for a byte that opens none. */
static size_t lead_len(uint8_t c) {
    if (c < 0x80)
        return 1;
    if (c < 0xc2 || c > 0xf4)
        return 0;
    return c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

/* Unicode table 3-7: only the second byte's range depends on the lead. */
static bool second_ok(uint8_t lead, uint8_t c) {
    uint8_t lo = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    uint8_t hi = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;

    return c >= lo && c <= hi;
}

size_t utf8_next(struct view v, uint32_t *cp) {
    static const uint8_t lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    size_t n = v.n ? lead_len(v.p[0]) : 0;

    *cp = 0;
    if (n == 0 || n > v.n || (n > 1 && !second_ok(v.p[0], v.p[1])))
        return 0;
    *cp = v.p[0] & lead_bits[n];
    for (size_t i = 1; i < n; i++) {
        if ((v.p[i] & 0xc0) != 0x80) {
            *cp = 0;
            return 0;
        }
        *cp = *cp << 6 | (v.p[i] & 0x3f);
    }
    return n;
}

size_t utf8_put(uint32_t cp, char out[static 4]) {
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xc0 | cp >> 6);
        out[1] = (char)(0x80 | (cp & 0x3f));
        return 2;
    }
    if (cp < 0x10000) {
        out[0] = (char)(0xe0 | cp >> 12);
        out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
        out[2] = (char)(0x80 | (cp & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | cp >> 18);
    out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
    out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
    out[3] = (char)(0x80 | (cp & 0x3f));
    return 4;
}

/* Length of the ASCII run at the front, eight bytes at a time. */
static size_t ascii_run(struct view v) {
    size_t i = 0;
    uint64_t x;

    for (; i + sizeof x <= v.n; i += sizeof x) {
        memcpy(&x, v.p + i, sizeof x);
        if (x & 0x8080808080808080)
            break;
    }
    while (i < v.n && v.p[i] < 0x80)
        i++;
    return i;
}

bool utf8_valid(struct view v) {
    uint32_t cp;

    while (v.n) {
        size_t n = ascii_run(v);

        if (n == 0)
            n = utf8_next(v, &cp);
        if (n == 0)
            return false;
        v = view_of(v.p + n, v.n - n);
    }
    return true;
}

/* Our own few characters and the commonest typography, for terminals that show ASCII only. */
static const struct {
    uint32_t cp;
    char as;
} ASCII_FOR[] = {
    {0x2026, '~'}, {0x2013, '-'}, {0x2014, '-'}, {0x2018, '\''}, {0x2019, '\''}, {0x201c, '"'},
    {0x201d, '"'}, {0x2500, '-'}, {0x2550, '='}, {0x2502, '|'},  {0x250c, '+'},  {0x2510, '+'},
    {0x2514, '+'}, {0x2518, '+'}, {0x2022, '*'}, {0x00a0, ' '},  {0x00d7, 'x'},  {0x2192, '>'},
};

char cp_ascii(uint32_t cp) {
    if (cp >= 0x20 && cp < 0x7f)
        return (char)cp;
    for (size_t i = 0; i < COUNT(ASCII_FOR); i++)
        if (ASCII_FOR[i].cp == cp)
            return ASCII_FOR[i].as;
    return '?';
}

bool text_ascii_printable(struct view v) {
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] < 0x20 || v.p[i] > 0x7e)
            return false;
    return true;
}

int text_width(struct view v) {
    int cells = 0;
    uint32_t cp;
    size_t n;

    while ((n = utf8_next(v, &cp))) {
        int w = cp_width(cp);

        cells += w > 0 ? w : 0;
        v = view_of(v.p + n, v.n - n);
    }
    return cells;
}

/* The sanitiser's state between two code points. */
struct safe {
    struct buf *out;
    enum text_mode mode;
    size_t max, count;
    size_t keep;    /* bytes that stay when an ellipsis must take the last place */
    size_t column;  /* cells since the last newline, for tabs */
    unsigned marks; /* on the current cell */
    bool base;      /* there is a cell that a mark can stand on */
    bool space;     /* TEXT_LINE: white space was seen and not yet written */
    bool dropping;  /* TEXT_LINE: the last thing written stands for a dropped run */
    bool cut;
};

static void put(struct safe *s, uint32_t cp) {
    char utf8[4];

    if (s->cut)
        return;
    if (s->count == s->max) {
        s->cut = true;
        s->out->n = s->keep;
        cp = ELLIPSIS;
    }
    if (s->max)
        buf_add(s->out, utf8, utf8_put(cp, utf8));
    s->count++;
    if (s->count < s->max)
        s->keep = s->out->n;
}

static void put_space(struct safe *s) {
    if (s->space)
        put(s, ' ');
    s->space = false;
}

static void put_cell(struct safe *s, uint32_t cp, size_t width) {
    put_space(s);
    put(s, cp);
    s->base = true;
    s->marks = 0;
    s->column += width;
    s->dropping = false;
}

/* A run of dropped code points leaves one visible sign in a name, none in prose. */
static void drop(struct safe *s) {
    if (s->mode == TEXT_LINE && !s->dropping)
        put_cell(s, REPLACEMENT, 1);
    s->dropping = s->mode == TEXT_LINE;
}

static void put_mark(struct safe *s, uint32_t cp) {
    if (!s->base || s->space || s->dropping || s->marks == MARKS_MAX) {
        drop(s);
        return;
    }
    put(s, cp);
    s->marks++;
}

static void prose_white(struct safe *s, uint32_t cp) {
    size_t stop = s->column + TAB - s->column % TAB;

    if (cp == '\n') {
        put(s, '\n');
        s->column = 0;
        s->base = false;
        return;
    }
    if (cp != '\t')
        stop = s->column + 1;
    while (s->column < stop && !s->cut)
        put_cell(s, ' ', 1);
}

static void white(struct safe *s, uint32_t cp) {
    if (s->mode == TEXT_PROSE)
        prose_white(s, cp);
    else
        s->space = s->count > 0;
}

static void safe_cp(struct safe *s, uint32_t cp) {
    if (cp == '\n' || cp == '\t') {
        white(s, cp);
        return;
    }
    switch (class_of(cp)) {
    case CLASS_DROP:
        if (cp == '\r' && s->mode == TEXT_LINE)
            white(s, ' ');
        else
            drop(s);
        break;
    case CLASS_MARK:
        put_mark(s, cp);
        break;
    case CLASS_NARROW:
        put_cell(s, cp, 1);
        break;
    case CLASS_WIDE:
        put_cell(s, cp, 2);
        break;
    case CLASS_SPACE:
        white(s, cp);
        break;
    }
}

/* One U+FFFD for each maximal part of a broken sequence (Unicode 3.9, "best practice"). */
static size_t broken_len(struct view v) {
    size_t want = lead_len(v.p[0]), n = 1;

    if (want < 2 || v.n < 2 || !second_ok(v.p[0], v.p[1]))
        return 1;
    while (n < want && n < v.n && (v.p[n] & 0xc0) == 0x80)
        n++;
    return n;
}

/* Prose is nearly all printable ASCII, which goes as it is: a run of it at once. Never up to `max`,
 * where an ellipsis may be due. Returns the bytes taken. */
static size_t safe_run(struct safe *s, struct view in) {
    size_t room = s->max - s->count, n = 0;

    while (s->mode == TEXT_PROSE && n + 1 < room && n < in.n && in.p[n] >= 0x20 && in.p[n] < 0x7f)
        n++;
    if (n == 0)
        return 0;
    buf_add(s->out, in.p, n);
    s->count += n;
    s->column += n;
    s->keep = s->out->n;
    s->base = true;
    s->marks = 0;
    return n;
}

struct safe_text text_safe(struct view in, enum text_mode mode, size_t max, struct buf *out) {
    struct safe s = {.out = out, .mode = mode, .max = max};
    uint32_t cp;

    buf_reset(out);
    buf_add(out, "", 0); /* NUL-terminated even when nothing follows */
    while (in.n && !s.cut) {
        size_t n = safe_run(&s, in);

        if (n == 0 && (n = utf8_next(in, &cp)))
            safe_cp(&s, cp);
        else if (n == 0) {
            n = broken_len(in);
            if (!s.dropping)
                put_cell(&s, REPLACEMENT, 1);
            s.dropping = mode == TEXT_LINE;
        }
        in = view_of(in.p + n, in.n - n);
    }
    return (struct safe_text){(const char *)out->p, out->n};
}

char *text_safe_new(struct view in, enum text_mode mode, size_t max) {
    struct buf out = {0};

    (void)text_safe(in, mode, max, &out);
    return buf_take(&out);
}

/* A cut must not leave half a sequence. */
static size_t cut_at(const char *s, size_t n, size_t max) {
    if (n <= max)
        return n;
    while (max && ((uint8_t)s[max] & 0xc0) == 0x80)
        max--;
    return max;
}

char *file_name_safe(struct view name) {
    cleanup_free char *safe = text_safe_new(name, TEXT_LINE, name.n + 1);
    const char *base = safe;
    size_t n;

    for (const char *p = safe; *p; p++)
        if (*p == '/' || *p == '\\')
            base = p + 1;
    base += strspn(base, ".- ");
    n = cut_at(base, strlen(base), FILE_NAME_MAX);
    while (n && (base[n - 1] == ' ' || base[n - 1] == '.'))
        n--;
    return n ? mem_strn(base, n) : mem_str("unnamed");
}
