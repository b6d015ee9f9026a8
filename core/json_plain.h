/* Shared by the JSON scan and the writer: how many bytes at the front need neither escape nor a
 * look. */
#ifndef CDVM_JSON_PLAIN_H
#define CDVM_JSON_PLAIN_H

#include <string.h>

#include "bytes.h"

static inline bool json_plain(uint8_t c) {
    return c >= 0x20 && c != '"' && c != '\\';
}

/* High bits of the bytes of x that are below n (n <= 128); exact for the lowest such byte, which is
 * all that the caller asks. */
static inline uint64_t json_bytes_below(uint64_t x, uint8_t n) {
    return (x - UINT64_C(0x0101010101010101) * n) & ~x & UINT64_C(0x8080808080808080);
}

static inline uint64_t json_bytes_equal(uint64_t x, uint8_t c) {
    return json_bytes_below(x ^ UINT64_C(0x0101010101010101) * c, 1);
}

/* Eight bytes at a time: message contents are long runs of base64. */
static inline size_t json_plain_run(struct view v) {
    size_t i = 0;
    uint64_t x;

    for (; i + sizeof x <= v.n; i += sizeof x) {
        memcpy(&x, v.p + i, sizeof x);
        if (json_bytes_below(x, 0x20) | json_bytes_equal(x, '"') | json_bytes_equal(x, '\\'))
            break;
    }
    while (i < v.n && json_plain(v.p[i]))
        i++;
    return i;
}

#endif
