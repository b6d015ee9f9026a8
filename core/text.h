/* Text from outside: strict UTF-8, display width, and the sanitiser.
 *
 * `struct safe_text` is the only text that draw.c takes; text_safe is its only maker (safe_lit for
 * string literals of our own). Rule: whitelist by Unicode category; Cc (but \n, tab), Cf, Zl, Zp,
 * Co, Cn, everything default-ignorable (variation selectors hide text as well) and blank
 * look-alikes go; all spaces are one kind of space; invalid UTF-8 becomes U+FFFD; at most two
 * combining marks a cell, and none before the first. */
#ifndef CDVM_TEXT_H
#define CDVM_TEXT_H

#include "bytes.h"

struct safe_text {
    const char *s; /* UTF-8, NUL-terminated, sanitised */
    size_t n;
};

enum text_mode {
    TEXT_LINE, /* names, prices, file names: white space folds to one space and goes at both ends; a
                  run of drops becomes one U+FFFD */
    TEXT_PROSE, /* keeps \n, expands tabs to columns of 8, drops silently */
};

/* Replaces the contents of out by sanitised UTF-8 (NUL-terminated; at most `max` code points, an
 * ellipsis marks a cut) and returns a view of it. The result borrows from out. */
struct safe_text text_safe(struct view in, enum text_mode mode, size_t max, struct buf *out);
/* The same into an owned C string, for logs, stderr and file names. */
char *text_safe_new(struct view in, enum text_mode mode, size_t max);
#define safe_lit(lit) ((struct safe_text){"" lit, sizeof(lit) - 1})

bool utf8_valid(struct view v);
/* Decodes one code point; returns its length or 0 when invalid or empty. */
size_t utf8_next(struct view v, uint32_t *cp);
size_t utf8_put(uint32_t cp, char out[static 4]);
int text_width(struct view utf8);         /* terminal cells of sanitised text */
int cp_width(uint32_t cp);                /* 0, 1 or 2; -1 for one that text_safe would drop */
char cp_ascii(uint32_t cp);               /* what stands for it in ASCII; '?' when nothing does */
bool text_ascii_printable(struct view v); /* all 0x20..0x7e */

/* Base name only, no leading dots or dashes, sanitised, at most 200 bytes, never empty
 * ("unnamed"); owned. For names of files that came from outside. */
char *file_name_safe(struct view name);

#endif
