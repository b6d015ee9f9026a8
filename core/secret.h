/* Secrets: locked, excluded from core dumps, zeroes in forked children, wiped on free. No function
 * formats one. */
#ifndef CDVM_SECRET_H
#define CDVM_SECRET_H

#include "bytes.h"

struct secret; /* opaque: bytes in an mmap of their own, guard pages either side, mlock'd */

struct secret *secret_new(size_t n);                 /* zeroed; aborts on exhaustion */
struct secret *secret_from(const void *p, size_t n); /* copies; the caller wipes its own */
struct secret *secret_random(size_t n);              /* getrandom; aborts on failure */
/* n bytes of `whole` from `at`, as a secret of its own in the same memory; freed (and wiped) before
 * it. */
struct secret *secret_part(struct secret *whole, size_t at, size_t n);
const uint8_t *secret_get(const struct secret *s);
uint8_t *secret_edit(struct secret *s);
size_t secret_len(const struct secret *s);
void secret_free(struct secret *s);                     /* wipes; NULL is legal */
bool secret_eq(const void *a, const void *b, size_t n); /* constant time */
/* The sentence to warn with, once, at start: RLIMIT_MEMLOCK is too small for the keys of a few
 * jobs, or kept one from being locked already. NULL when all is well. */
const char *secret_lock_warning(void);

void random_bytes(void *out, size_t n); /* getrandom; aborts on failure */
uint64_t random_below(uint64_t n);      /* uniform in [0, n) */
void process_harden(void);              /* no core dumps, not dumpable, umask 077 */

void cleanup_secret_fn(struct secret **s);
#define cleanup_secret __attribute__((cleanup(cleanup_secret_fn)))

#endif
