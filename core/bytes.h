/* Bytes: a borrowed view, an owned growing buffer, and scope-bound cleanup.
 *
 * Memory: mem_new and buf_* abort the process when memory is exhausted; there is no half-built
 * state to handle. A buffer has a cap (`max`) so that hostile input cannot make it grow without
 * end: past the cap the buffer becomes `full`, keeps what it has, and ignores further appends. */
#ifndef CDVM_BYTES_H
#define CDVM_BYTES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"

/* Borrowed bytes; never freed through the view. p may be NULL when n is 0. */
struct view {
    const uint8_t *p;
    size_t n;
};

/* Owned bytes. Zero-initialise with {0} (cap BUF_MAX) or buf_init. p is NUL-terminated after any
 * append (the NUL is not counted in n). */
struct buf {
    uint8_t *p;
    size_t n, cap;
    size_t max; /* 0 means BUF_MAX */
    bool full;  /* an append was refused: contents are incomplete */
};

#define BUF_MAX ((size_t)64 << 20)

static inline struct view view_of(const void *p, size_t n) {
    return (struct view){(const uint8_t *)p, n};
}
struct view view_str(const char *s);        /* without the NUL */
bool view_eq(struct view a, struct view b); /* not constant time */
bool view_is(struct view a, const char *s);
static inline struct view buf_view(const struct buf *b) {
    return view_of(b->p, b->n);
}

void *mem_new(size_t n);                 /* zeroed; aborts on exhaustion */
void *mem_grow(void *p, size_t n);       /* realloc; aborts on exhaustion */
char *mem_str(const char *s);            /* copy; NULL gives NULL */
char *mem_strn(const void *p, size_t n); /* copy of n bytes, NUL-terminated */
char *mem_fmt(const char *fmt, ...) PRINTF_LIKE(1, 2);

void buf_init(struct buf *b, size_t max);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, const char *s);
void buf_fmt(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_u8(struct buf *b, uint8_t v);
void buf_u16be(struct buf *b, uint16_t v);
void buf_u32le(struct buf *b, uint32_t v);
void buf_u64le(struct buf *b, uint64_t v);
void buf_drop(struct buf *b, size_t n); /* removes n bytes from the front */
void buf_reset(struct buf *b);          /* empty, keeps the allocation */
void buf_free(struct buf *b);           /* frees; legal on {0} */
void buf_wipe(struct buf *b);           /* overwrites the allocation, then frees */
char *buf_take(struct buf *b);          /* hands the NUL-terminated bytes to the caller */

/* Scope-bound cleanup (GNU attribute): `cleanup_buf struct buf b = {0};` */
void cleanup_free_fn(void *p);
void cleanup_fd_fn(int *fd);
void cleanup_buf_fn(struct buf *b);
#define cleanup_free __attribute__((cleanup(cleanup_free_fn)))
#define cleanup_fd __attribute__((cleanup(cleanup_fd_fn)))
#define cleanup_buf __attribute__((cleanup(cleanup_buf_fn)))

/* Whole small files. max bounds what is read; a larger file is an error "too-large". */
int file_read(const char *path, size_t max, struct buf *out, struct err *e) WARN_UNUSED;
/* Creates (O_EXCL unless replace, then by rename) with `mode`, writes all, fsyncs. */
int file_write(const char *path, struct view data, unsigned mode, bool replace,
               struct err *e) WARN_UNUSED;
int fd_write_all(int fd, struct view data, struct err *e) WARN_UNUSED;

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#endif
