#include "reader.h"

#include <string.h>

struct view reader_take(struct reader *r, size_t n) {
    struct view v = {r->p, n};

    if (r->failed || n > r->left) {
        *r = (struct reader){.failed = true};
        return (struct view){0};
    }
    if (n) /* p may be NULL when nothing is left */
        r->p += n;
    r->left -= n;
    return v;
}

void reader_copy(struct reader *r, void *out, size_t n) {
    struct view v = reader_take(r, n);

    if (v.n)
        memcpy(out, v.p, n);
    else if (n)
        memset(out, 0, n);
}

void reader_skip(struct reader *r, size_t n) {
    (void)reader_take(r, n);
}

struct view reader_rest(struct reader *r) {
    return reader_take(r, r->left);
}

static uint64_t get_le(struct reader *r, size_t n) {
    struct view v = reader_take(r, n);
    uint64_t x = 0;

    for (size_t i = v.n; i-- > 0;)
        x = x << 8 | v.p[i];
    return x;
}

static uint64_t get_be(struct reader *r, size_t n) {
    struct view v = reader_take(r, n);
    uint64_t x = 0;

    for (size_t i = 0; i < v.n; i++)
        x = x << 8 | v.p[i];
    return x;
}

uint8_t reader_u8(struct reader *r) {
    return (uint8_t)get_le(r, 1);
}
uint16_t reader_u16le(struct reader *r) {
    return (uint16_t)get_le(r, 2);
}
uint16_t reader_u16be(struct reader *r) {
    return (uint16_t)get_be(r, 2);
}
uint32_t reader_u32le(struct reader *r) {
    return (uint32_t)get_le(r, 4);
}
uint32_t reader_u32be(struct reader *r) {
    return (uint32_t)get_be(r, 4);
}
uint64_t reader_u64le(struct reader *r) {
    return get_le(r, 8);
}
