#include "json.h"
#include "enc.h"
#include "json_plain.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

/* The scan: RFC 8259 grammar, nothing more, with the narrowings that json.h lists. cJSON alone
 * would let trailing bytes, raw control bytes, invalid UTF-8 and duplicate keys pass, cut strings
 * at \u0000 and round integers. */
struct scan {
    const uint8_t *start, *p, *end;
    struct err *e;
    bool fractions; /* numbers may be any of RFC 8259's */
};

static bool refuse(struct scan *s, const char *why) {
    err_set(s->e, "bad-json", "bad JSON at byte %zu: %s", (size_t)(s->p - s->start), why);
    return false;
}

static bool more(const struct scan *s) {
    return s->p < s->end;
}

static int peek(const struct scan *s) {
    return more(s) ? *s->p : -1;
}

static void skip_space(struct scan *s) {
    while (more(s) && (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
        s->p++;
}

static bool take(struct scan *s, uint8_t c) {
    if (peek(s) != c)
        return false;
    s->p++;
    return true;
}

static bool is_digit(int c) {
    return c >= '0' && c <= '9';
}

/* Four hex digits after \u; either case, as RFC 8259 has it. */
static bool scan_u16(struct scan *s, uint32_t *out) {
    *out = 0;
    for (int i = 0; i < 4; i++) {
        int c = peek(s), low = c | 0x20;

        if (is_digit(c))
            *out = *out << 4 | (uint32_t)(c - '0');
        else if (c > 0 && low >= 'a' && low <= 'f')
            *out = *out << 4 | (uint32_t)(low - 'a' + 10);
        else
            return refuse(s, "\\u needs four hex digits");
        s->p++;
    }
    return true;
}

static bool scan_unicode(struct scan *s) {
    uint32_t hi, lo;

    if (!scan_u16(s, &hi))
        return false;
    if (hi == 0)
        return refuse(s, "\\u0000 is not allowed in a string");
    if (hi >= 0xdc00 && hi <= 0xdfff)
        return refuse(s, "a low surrogate stands alone");
    if (hi < 0xd800 || hi > 0xdbff)
        return true;
    if (!take(s, '\\') || !take(s, 'u') || !scan_u16(s, &lo) || lo < 0xdc00 || lo > 0xdfff)
        return refuse(s, "a high surrogate stands alone");
    return true;
}

static bool scan_escape(struct scan *s) {
    int c = peek(s);

    if (c < 0 || !strchr("\"\\/bfnrtu", c))
        return refuse(s, "unknown escape");
    s->p++;
    return c != 'u' || scan_unicode(s);
}

/* UTF-8 was checked over the whole text before. */
static bool scan_string(struct scan *s) {
    if (!take(s, '"'))
        return refuse(s, "a string is wanted");
    for (;;) {
        s->p += json_plain_run(view_of(s->p, (size_t)(s->end - s->p)));
        if (take(s, '"'))
            return true;
        if (!more(s))
            return refuse(s, "a string does not end");
        if (!take(s, '\\'))
            return refuse(s, "a raw control byte in a string");
        if (!scan_escape(s))
            return false;
    }
}

static bool scan_digits(struct scan *s) {
    const uint8_t *first = s->p;

    while (is_digit(peek(s)))
        s->p++;
    return s->p > first || refuse(s, "a digit is wanted");
}

static bool scan_any_number(struct scan *s) {
    const uint8_t *first;

    take(s, '-');
    first = s->p;
    if (!is_digit(peek(s)))
        return refuse(s, "a value is wanted");
    if (!scan_digits(s))
        return false;
    if (*first == '0' && s->p - first > 1)
        return refuse(s, "a number starts with 0");
    if (take(s, '.') && !scan_digits(s))
        return false;
    if ((peek(s) | 0x20) != 'e')
        return true;
    s->p++;
    if (!take(s, '+'))
        take(s, '-');
    return scan_digits(s);
}

static bool scan_number(struct scan *s) {
    bool minus = take(s, '-');
    const uint8_t *first = s->p;
    int64_t v = 0;

    while (is_digit(peek(s))) {
        if (s->p - first >= 16)
            return refuse(s, "a number out of range");
        v = v * 10 + (*s->p++ - '0');
    }
    if (s->p == first)
        return refuse(s, "a value is wanted");
    if (*first == '0' && (s->p - first > 1 || minus))
        return refuse(s, "a number starts with 0");
    if (peek(s) == '.' || (peek(s) | 0x20) == 'e')
        return refuse(s, "only whole numbers are allowed");
    return v <= JSON_INT_MAX ? true : refuse(s, "a number of 2^53 or more");
}

static bool scan_word(struct scan *s, const char *word) {
    size_t n = strlen(word);

    if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
        return refuse(s, "a value is wanted");
    s->p += n;
    return true;
}

static bool scan_value(struct scan *s, unsigned depth);

static bool scan_member(struct scan *s, unsigned depth, bool object) {
    skip_space(s);
    if (object) {
        if (!scan_string(s))
            return false;
        skip_space(s);
        if (!take(s, ':'))
            return refuse(s, "':' is wanted");
    }
    return scan_value(s, depth);
}

static bool scan_list(struct scan *s, unsigned depth, bool object) {
    uint8_t close = object ? '}' : ']';

    s->p++;
    if (depth >= JSON_DEPTH)
        return refuse(s, "nested too deep");
    skip_space(s);
    if (take(s, close))
        return true;
    do
        if (!scan_member(s, depth + 1, object))
            return false;
    while (take(s, ','));
    return take(s, close) || refuse(s, object ? "',' or '}' is wanted" : "',' or ']' is wanted");
}

static bool scan_value(struct scan *s, unsigned depth) {
    bool ok;

    skip_space(s);
    switch (peek(s)) {
    case '{':
        ok = scan_list(s, depth, true);
        break;
    case '[':
        ok = scan_list(s, depth, false);
        break;
    case '"':
        ok = scan_string(s);
        break;
    case 't':
        ok = scan_word(s, "true");
        break;
    case 'f':
        ok = scan_word(s, "false");
        break;
    case 'n':
        ok = scan_word(s, "null");
        break;
    default:
        ok = s->fractions ? scan_any_number(s) : scan_number(s);
    }
    skip_space(s);
    return ok;
}

static bool scan_text(struct view text, bool fractions, struct err *e) {
    struct scan s = {.e = e};

    if (text.n) /* no arithmetic on the NULL of an empty view */
        s = (struct scan){text.p, text.p, text.p + text.n, e, fractions};
    if (!utf8_valid(text)) {
        err_set(e, "bad-json", "bad JSON: it is not UTF-8");
        return false;
    }
    if (!scan_value(&s, 0))
        return false;
    return !more(&s) || refuse(&s, "something follows the value");
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t members(const cJSON *o) {
    size_t n = 0;

    for (const cJSON *m = o->child; m; m = m->next)
        n++;
    return n;
}

/* Sorted, so that a hostile object of 100,000 keys costs n log n. Keys are compared unescaped. */
static bool keys_differ(const cJSON *o, struct err *e) {
    size_t n = members(o), i = 0;
    cleanup_free const char **key = mem_new(n * sizeof *key);

    for (const cJSON *m = o->child; m; m = m->next)
        key[i++] = m->string;
    qsort(key, n, sizeof *key, by_name);
    for (i = 1; i < n; i++)
        if (strcmp(key[i - 1], key[i]) == 0) {
            cleanup_free char *safe = text_safe_new(view_str(key[i]), TEXT_LINE, 40);

            err_set(e, "bad-json", "bad JSON: key '%s' appears twice", safe);
            return false;
        }
    return true;
}

static bool tree_ok(const cJSON *v, struct err *e) {
    if (cJSON_IsObject(v) && v->child && v->child->next && !keys_differ(v, e))
        return false;
    for (const cJSON *m = v->child; m; m = m->next)
        if (m->child && !tree_ok(m, e))
            return false;
    return true;
}

static cJSON *parse(struct view text, size_t max, bool fractions, struct err *e) {
    cJSON *v;

    if (text.n > max) {
        err_set(e, "too-large", "%zu bytes of JSON, at most %zu are taken", text.n, max);
        return NULL;
    }
    if (!scan_text(text, fractions, e))
        return NULL;
    v = cJSON_ParseWithLength((const char *)text.p, text.n);
    if (!v)
        err_set(e, "bad-json", "bad JSON: the parser refuses it");
    else if (!tree_ok(v, e)) {
        json_wipe(v);
        v = NULL;
    }
    return v;
}

cJSON *json_parse(struct view text, size_t max, struct err *e) {
    return parse(text, max, false, e);
}

cJSON *json_parse_fractions(struct view text, size_t max, struct err *e) {
    return parse(text, max, true, e);
}

static void wipe_text(char *s) {
    if (s)
        explicit_bzero(s, strlen(s));
}

static void wipe_list(cJSON *v) {
    for (; v; v = v->next) {
        wipe_list(v->child);
        wipe_text(v->valuestring);
        wipe_text(v->string);
        v->valuedouble = v->valueint = 0;
    }
}

void json_wipe(cJSON *v) {
    wipe_list(v);
    cJSON_Delete(v);
}

static const cJSON *get(const cJSON *o, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(o, key);
}

static void wrong(struct err *e, const cJSON *v, const char *key, const char *want) {
    if (v)
        err_set(e, "bad-json", "'%s' must be %s", key, want);
    else
        err_set(e, "bad-json", "'%s' is missing", key);
}

const char *json_opt(const cJSON *o, const char *key) {
    return cJSON_GetStringValue(get(o, key));
}

const char *json_str(const cJSON *o, const char *key, struct err *e) {
    const cJSON *v = get(o, key);
    const char *s = cJSON_GetStringValue(v);

    if (!s)
        wrong(e, v, key, "a string");
    return s;
}

bool json_int_of(const cJSON *v, int64_t *out) {
    *out = 0;
    if (!cJSON_IsNumber(v) || !(v->valuedouble >= -(double)JSON_INT_MAX) ||
        !(v->valuedouble <= (double)JSON_INT_MAX))
        return false;
    *out = (int64_t)v->valuedouble;
    return (double)*out == v->valuedouble;
}

bool json_u64(const cJSON *o, const char *key, uint64_t *out, struct err *e) {
    const cJSON *v = get(o, key);
    int64_t x;
    bool ok = json_int_of(v, &x) && x >= 0;

    *out = ok ? (uint64_t)x : 0;
    if (!ok)
        wrong(e, v, key, "a whole number, not negative");
    return ok;
}

bool json_bool(const cJSON *o, const char *key, bool *out, struct err *e) {
    const cJSON *v = get(o, key);

    *out = cJSON_IsTrue(v);
    if (!cJSON_IsBool(v))
        wrong(e, v, key, "true or false");
    return cJSON_IsBool(v);
}

bool json_hex(const cJSON *o, const char *key, uint8_t *out, size_t n, struct err *e) {
    const cJSON *v = get(o, key);
    bool ok = hex_decode_str(cJSON_GetStringValue(v), out, n);

    if (!ok && v)
        err_set(e, "bad-json", "'%s' must be %zu lower-case hex digits", key, 2 * n);
    else if (!ok)
        wrong(e, v, key, "hex");
    return ok;
}

const cJSON *json_arr(const cJSON *o, const char *key, struct err *e) {
    const cJSON *v = get(o, key);

    if (cJSON_IsArray(v))
        return v;
    wrong(e, v, key, "an array");
    return NULL;
}

const cJSON *json_obj(const cJSON *o, const char *key, struct err *e) {
    const cJSON *v = get(o, key);

    if (cJSON_IsObject(v))
        return v;
    wrong(e, v, key, "an object");
    return NULL;
}
