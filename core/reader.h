/* Sticky-failure cursor over borrowed bytes.
 *
 * A parser is a straight list of getters with one reader_ok/reader_done check at the end. A failed
 * getter returns zeroes, empties the reader and marks it failed; all later getters fail too. Bounds
 * are compared as `n > left`, unsigned, so no length can wrap. */
#ifndef CDVM_READER_H
#define CDVM_READER_H

#include "bytes.h"

struct reader {
    const uint8_t *p;
    size_t left;
    bool failed;
};

static inline struct reader reader_new(struct view v) {
    return (struct reader){v.p, v.n, false};
}
uint8_t reader_u8(struct reader *r);
uint16_t reader_u16le(struct reader *r);
uint16_t reader_u16be(struct reader *r);
uint32_t reader_u32le(struct reader *r);
uint32_t reader_u32be(struct reader *r);
uint64_t reader_u64le(struct reader *r);
void reader_copy(struct reader *r, void *out, size_t n); /* out zeroed on failure */
struct view reader_take(struct reader *r, size_t n);     /* borrowed; empty on failure */
void reader_skip(struct reader *r, size_t n);
struct view reader_rest(struct reader *r); /* everything left */
static inline bool reader_ok(const struct reader *r) {
    return !r->failed;
}
static inline bool reader_done(const struct reader *r) { /* ok and nothing left over */
    return !r->failed && r->left == 0;
}

#endif
