#include "secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define ALIGN ((size_t)16)
#define LOCK_WANTED ((size_t)256 << 10) /* a page for each key of a few jobs at once */

struct secret {
    uint8_t *map; /* guard page, data pages, guard page; NULL in a part of another secret */
    size_t map_len;
    uint8_t *p; /* ends at the upper guard page, up to ALIGN: an overrun faults at once */
    size_t n;
};

static bool lock_failed;

static size_t round_up(size_t n, size_t to) {
    return (n + to - 1) / to * to;
}

/* Children (QEMU, the workload, NVML) get zeroes in place of the keys; dumps leave the pages out.
 */
static void protect(uint8_t *data, size_t n) {
    if (mlock(data, n) != 0)
        lock_failed = true;
    (void)madvise(data, n, MADV_DONTDUMP);
    (void)madvise(data, n, MADV_WIPEONFORK);
}

struct secret *secret_new(size_t n) {
    struct secret *s = mem_new(sizeof *s);
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t data = round_up(n ? n : 1, page);

    s->n = n;
    s->map_len = data + 2 * page;
    s->map = mmap(NULL, s->map_len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (s->map == MAP_FAILED || mprotect(s->map + page, data, PROT_READ | PROT_WRITE) != 0)
        abort();
    protect(s->map + page, data);
    s->p = s->map + page + data - round_up(n, ALIGN);
    return s;
}

struct secret *secret_from(const void *p, size_t n) {
    struct secret *s = secret_new(n);

    if (n)
        memcpy(s->p, p, n);
    return s;
}

struct secret *secret_random(size_t n) {
    struct secret *s = secret_new(n);

    random_bytes(s->p, n);
    return s;
}

struct secret *secret_part(struct secret *whole, size_t at, size_t n) {
    struct secret *s = mem_new(sizeof *s);

    if (at > whole->n || n > whole->n - at)
        abort();
    s->p = whole->p + at;
    s->n = n;
    return s;
}

const uint8_t *secret_get(const struct secret *s) {
    return s->p;
}

uint8_t *secret_edit(struct secret *s) {
    return s->p;
}

size_t secret_len(const struct secret *s) {
    return s->n;
}

void secret_free(struct secret *s) {
    if (!s)
        return;
    explicit_bzero(s->p, s->n);
    if (s->map)
        munmap(s->map, s->map_len);
    free(s);
}

bool secret_eq(const void *a, const void *b, size_t n) {
    const volatile uint8_t *x = a, *y = b;
    uint8_t diff = 0;

    for (size_t i = 0; i < n; i++)
        diff |= (uint8_t)(x[i] ^ y[i]);
    return diff == 0;
}

const char *secret_lock_warning(void) {
    secret_free(secret_new(LOCK_WANTED));
    return lock_failed ? "keys may end up in swap: too little memory can be locked (ulimit -l 256)"
                       : NULL;
}

void random_bytes(void *out, size_t n) {
    uint8_t *p = out;

    while (n) {
        ssize_t got = getrandom(p, n, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            abort();
        p += got;
        n -= (size_t)got;
    }
}

uint64_t random_below(uint64_t n) {
    uint64_t x, skip;

    if (n < 2)
        return 0;
    skip = (0 - n) % n; /* 2^64 mod n: values below it would favour small results */
    do
        random_bytes(&x, sizeof x);
    while (x < skip);
    return x % n;
}

void process_harden(void) {
    struct rlimit none = {0, 0};

    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)setrlimit(RLIMIT_CORE, &none);
    umask(077);
}

void cleanup_secret_fn(struct secret **s) {
    secret_free(*s);
}
