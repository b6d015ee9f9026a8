/* One error: a stable code for programs and one sentence for a person.
 *
 * Every fallible function returns 0 or -1 (or bool) and fills `struct err` on failure. The caller
 * owns the struct (stack); nothing is allocated. Context is added on the way up with err_wrap, so
 * the text reads as a causal chain: "cannot read offer: price: 'x' is not a number". */
#ifndef CDVM_ERR_H
#define CDVM_ERR_H

#include <stdbool.h>
#include <stddef.h>

#define WARN_UNUSED __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

struct err {
    char code[32];  /* stable, lower-case, e.g. "bad-request" (cdvm-protocol(7), "Errors") */
    char text[480]; /* one sentence, UTF-8; nothing in it that a terminal acts on */
};

/* Sets code and text. Always returns -1, so `return err_set(e, ...)` is the idiom. e may be NULL.
 */
int err_set(struct err *e, const char *code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Prefixes the text with "context: ". Always returns -1. e may be NULL. */
int err_wrap(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* err_set with ": strerror(sysno)" appended. */
int err_sys(struct err *e, int sysno, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
