#include "bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct view view_str(const char *s) {
    return view_of(s, s ? strlen(s) : 0);
}

bool view_eq(struct view a, struct view b) {
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool view_is(struct view a, const char *s) {
    return view_eq(a, view_str(s));
}

void *mem_new(size_t n) {
    void *p = calloc(1, n ? n : 1);

    if (!p)
        abort();
    return p;
}

void *mem_grow(void *p, size_t n) {
    void *q = realloc(p, n ? n : 1);

    if (!q)
        abort();
    return q;
}

char *mem_str(const char *s) {
    return s ? mem_strn(s, strlen(s)) : NULL;
}

char *mem_strn(const void *p, size_t n) {
    char *s = mem_new(n + 1);

    if (n)
        memcpy(s, p, n);
    return s;
}

__attribute__((format(printf, 2, 0))) static void buf_vfmt(struct buf *b, const char *fmt,
                                                           va_list ap) {
    va_list again;
    int n;
    char *s;

    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0)
        return;
    s = mem_new((size_t)n + 1);
    vsnprintf(s, (size_t)n + 1, fmt, ap);
    buf_add(b, s, (size_t)n);
    free(s);
}

char *mem_fmt(const char *fmt, ...) {
    struct buf b = {0};
    va_list ap;

    va_start(ap, fmt);
    buf_vfmt(&b, fmt, ap);
    va_end(ap);
    return buf_take(&b);
}

void buf_init(struct buf *b, size_t max) {
    *b = (struct buf){.max = max};
}

/* Not by realloc, which leaves the bytes behind where it moved them from. */
static void buf_grow(struct buf *b, size_t need) {
    size_t cap = b->cap ? b->cap : 64;
    uint8_t *p;

    while (cap < need)
        cap *= 2;
    p = mem_new(cap);
    if (b->p) {
        memcpy(p, b->p, b->n);
        explicit_bzero(b->p, b->cap);
        free(b->p);
    }
    b->p = p;
    b->cap = cap;
}

static bool buf_room(struct buf *b, size_t n) {
    size_t max = b->max ? b->max : BUF_MAX;
    size_t need;

    if (n > max - b->n) {
        b->full = true;
        return false;
    }
    need = b->n + n + 1;
    if (need <= b->cap)
        return true;
    buf_grow(b, need);
    return true;
}

void buf_add(struct buf *b, const void *p, size_t n) {
    if (b->full || !buf_room(b, n))
        return;
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = 0;
}

void buf_str(struct buf *b, const char *s) {
    buf_add(b, s, strlen(s));
}

void buf_fmt(struct buf *b, const char *fmt, ...) {
    va_list ap;

    va_start(ap, fmt);
    buf_vfmt(b, fmt, ap);
    va_end(ap);
}

void buf_u8(struct buf *b, uint8_t v) {
    buf_add(b, &v, 1);
}

void buf_u16be(struct buf *b, uint16_t v) {
    uint8_t x[2] = {(uint8_t)(v >> 8), (uint8_t)v};

    buf_add(b, x, 2);
}

void buf_u32le(struct buf *b, uint32_t v) {
    uint8_t x[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};

    buf_add(b, x, 4);
}

void buf_u64le(struct buf *b, uint64_t v) {
    buf_u32le(b, (uint32_t)v);
    buf_u32le(b, (uint32_t)(v >> 32));
}

void buf_drop(struct buf *b, size_t n) {
    if (n > b->n)
        n = b->n;
    if (!n)
        return;
    memmove(b->p, b->p + n, b->n - n);
    b->n -= n;
    b->p[b->n] = 0;
}

void buf_reset(struct buf *b) {
    b->n = 0;
    b->full = false;
}

void buf_free(struct buf *b) {
    free(b->p);
    *b = (struct buf){.max = b->max};
}

void buf_wipe(struct buf *b) {
    if (b->p)
        explicit_bzero(b->p, b->cap);
    buf_free(b);
}

char *buf_take(struct buf *b) {
    char *s = b->p ? (char *)b->p : mem_new(1);

    *b = (struct buf){.max = b->max};
    return s;
}

void cleanup_free_fn(void *p) {
    free(*(void **)p);
}

void cleanup_fd_fn(int *fd) {
    if (*fd >= 0)
        close(*fd);
}

void cleanup_buf_fn(struct buf *b) {
    buf_wipe(b);
}

int file_read(const char *path, size_t max, struct buf *out, struct err *e) {
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    uint8_t chunk[65536];
    ssize_t n;

    if (fd < 0)
        return err_sys(e, errno, "cannot open '%s'", path);
    while ((n = read(fd, chunk, sizeof chunk)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(e, errno, "cannot read '%s'", path);
        if ((size_t)n > max || out->n > max - (size_t)n)
            return err_set(e, "too-large", "'%s' is larger than %zu bytes", path, max);
        buf_add(out, chunk, (size_t)n);
        if (out->full)
            return err_set(e, "too-large", "'%s' is larger than the buffer allows", path);
    }
    return 0;
}

int fd_write_all(int fd, struct view data, struct err *e) {
    while (data.n) {
        ssize_t n = write(fd, data.p, data.n);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(e, errno, "cannot write");
        data.p += n;
        data.n -= (size_t)n;
    }
    return 0;
}

int file_write(const char *path, struct view data, unsigned mode, bool replace, struct err *e) {
    cleanup_free char *tmp = replace ? mem_fmt("%s.tmp%d", path, (int)getpid()) : mem_str(path);
    cleanup_fd int fd = -1;

    if (replace)
        unlink(tmp);
    fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, (mode_t)mode);
    if (fd < 0)
        return err_sys(e, errno, "cannot create '%s'", tmp);
    if (fd_write_all(fd, data, e) < 0 || (fsync(fd) < 0 && err_sys(e, errno, "cannot flush"))) {
        unlink(tmp);
        return err_wrap(e, "'%s'", tmp);
    }
    if (replace && rename(tmp, path) < 0) {
        err_sys(e, errno, "cannot rename '%s' to '%s'", tmp, path);
        unlink(tmp);
        return -1;
    }
    return 0;
}
