#include "name.h"

#include <stdio.h>
#include <string.h>

#include "text.h"

#include "name_table.h"

#define REPLACEMENT 0xfffd
#define LATIN 1
#define PACKED UINT32_C(0x80000000)
#define FAINT UINT32_C(0x40000000)

/* --- scripts --- */

/* 0: of none, or shared by all (digits, punctuation, marks). */
static unsigned script_of(uint32_t cp) {
    size_t lo = 0, hi = COUNT(name_script_table);

    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;

        if (name_script_table[mid] >> 8 <= cp)
            lo = mid;
        else
            hi = mid;
    }
    return name_script_table[lo] & 0xff;
}

struct scripts {
    uint8_t of[8]; /* in order of appearance; more are counted only */
    size_t n;
};

static void script_add(struct scripts *s, unsigned script) {
    if (script == 0)
        return;
    for (size_t i = 0; i < s->n && i < COUNT(s->of); i++)
        if (s->of[i] == script)
            return;
    if (s->n < COUNT(s->of))
        s->of[s->n] = (uint8_t)script;
    s->n++;
}

static struct scripts scripts_of(struct view v) {
    struct scripts s = {.n = 0};
    uint32_t cp;
    size_t n;

    for (; (n = utf8_next(v, &cp)); v = view_of(v.p + n, v.n - n))
        script_add(&s, script_of(cp));
    return s;
}

static bool in_list(const char *name, const char *const *list) {
    for (; *list; list++)
        if (!strcmp(name, *list))
            return true;
    return false;
}

static bool all_in(const struct scripts *s, const char *const *list) {
    for (size_t i = 0; i < s->n && i < COUNT(s->of); i++)
        if (!in_list(name_scripts[s->of[i]], list))
            return false;
    return s->n <= COUNT(s->of);
}

/* "Highly restrictive" of UTS 39: one script, or what Chinese, Japanese and Korean write together.
 */
static bool go_together(const struct scripts *s) {
    static const char *const CHINESE[] = {"Latin", "Han", "Bopomofo", NULL},
                             *const JAPANESE[] = {"Latin", "Han", "Hiragana", "Katakana", NULL},
                             *const KOREAN[] = {"Latin", "Han", "Hangul", NULL};

    return s->n < 2 || all_in(s, CHINESE) || all_in(s, JAPANESE) || all_in(s, KOREAN);
}

void name_scripts_words(struct view name, char *out, size_t n) {
    struct scripts s = scripts_of(name);
    size_t shown = s.n < 3 ? s.n : 3, at = 0;

    *out = 0;
    for (size_t i = 0; i < shown && at < n; i++)
        at += (size_t)snprintf(out + at, n - at, "%s%s",
                               i == 0         ? ""
                               : i + 1 == s.n ? " and "
                                              : ", ",
                               name_scripts[s.of[i]]);
    if (s.n > shown && at < n)
        snprintf(out + at, n - at, " and others");
}

/* --- looks --- */

/* Of a code point above ASCII; itself when it looks like nothing else. May be PACKED, or FAINT. */
static uint32_t look_of(uint32_t cp) {
    size_t lo = 0, hi = COUNT(name_looks);
    uint64_t first, count;

    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;

        if (name_looks[mid] >> 43 <= cp)
            lo = mid;
        else
            hi = mid;
    }
    first = name_looks[lo] >> 43;
    count = name_looks[lo] >> 33 & 0x3ff;
    if (cp < first || cp >= first + count)
        return cp;
    return (uint32_t)name_looks[lo] + (name_looks[lo] >> 32 & 1 ? cp - (uint32_t)first : 0);
}

/* The same shapes as in the table's maker. Spaces and punctuation: 0. */
static char ascii_look(uint32_t cp) {
    if (cp >= 'A' && cp <= 'Z' && cp != 'I')
        cp += 'a' - 'A';
    if (cp == 'I' || cp == 'i' || cp == '1' || cp == '|')
        return 'l';
    if (cp == '0')
        return 'o';
    return (cp >= 'a' && cp <= 'z') || (cp >= '0' && cp <= '9') ? (char)cp : 0;
}

struct look {
    char *out;
    size_t n;
    bool full;
};

static void look_put(struct look *l, const char *s, size_t n) {
    if (l->full || l->n + n >= NAME_LOOK) {
        l->full = true;
        return;
    }
    memcpy(l->out + l->n, s, n);
    l->n += n;
}

/* Two strokes that make one letter: rn is m, vv is w. */
static void look_ascii(struct look *l, uint32_t cp) {
    char c = ascii_look(cp), before = l->n ? l->out[l->n - 1] : 0;

    if (c == 0)
        return;
    if ((c == 'n' && before == 'r') || (c == 'v' && before == 'v'))
        l->out[l->n - 1] = c == 'n' ? 'm' : 'w';
    else
        look_put(l, &c, 1);
}

static void look_add(struct look *l, uint32_t cp) {
    char utf8[4];

    if (cp > 0x7f)
        cp = look_of(cp) & ~FAINT;
    for (; cp & PACKED && cp != PACKED; cp = PACKED | (cp & ~PACKED) >> 7)
        look_ascii(l, cp & 0x7f);
    if (cp == PACKED)
        return;
    if (cp < 0x80)
        look_ascii(l, cp);
    else if (cp_width(cp) > 0) /* no mark */
        look_put(l, utf8, utf8_put(cp, utf8));
}

void name_look(struct view name, char out[static NAME_LOOK]) {
    struct look l = {.out = out};
    uint32_t cp;
    size_t n;

    for (; (n = utf8_next(name, &cp)); name = view_of(name.p + n, name.n - n))
        look_add(&l, cp);
    out[l.n] = 0;
}

/* --- flags --- */

/* Above ASCII, not Latin, and yet it reads as ASCII. */
static bool disguised(uint32_t cp) {
    uint32_t look = cp > 0x7f ? look_of(cp) : cp;

    return look != cp && (look < 0x80 || look & PACKED) && script_of(cp) != LATIN;
}

unsigned name_flags(struct view name) {
    struct scripts s = scripts_of(name);
    bool all = true, any = false, unseen = false;
    uint32_t cp;
    size_t n;

    for (struct view v = name; (n = utf8_next(v, &cp)); v = view_of(v.p + n, v.n - n)) {
        bool letter = script_of(cp) > LATIN;

        unseen |= cp == REPLACEMENT;
        any |= disguised(cp);
        all &= !letter || disguised(cp);
    }
    return (!go_together(&s) ? NAME_MIXED
            : any && all     ? NAME_DISGUISE
                             : 0) |
           (unseen ? NAME_UNSEEN : 0);
}
