#include "tui/statefile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "core/dvm.h"

#define LOCK_TRIES 20

void statefile_init(struct statefile *f, const char *path) {
    *f = (struct statefile){.path = mem_str(path), .lock = -1};
    buf_init(&f->strange, STATEFILE_MAX);
}

static void unlock(struct statefile *f) {
    if (f->lock >= 0)
        close(f->lock);
    f->lock = -1;
}

void statefile_free(struct statefile *f) {
    unlock(f);
    buf_free(&f->strange);
    free(f->path);
}

static void lines_take(struct statefile *f, struct view all, statefile_take *take, void *arg) {
    while (all.n > 0) {
        const uint8_t *end = memchr(all.p, '\n', all.n);
        size_t n = end ? (size_t)(end - all.p) : all.n;

        if (n > 0 && !take(arg, view_of(all.p, n))) {
            buf_add(&f->strange, all.p, n);
            buf_str(&f->strange, "\n");
        }
        n += end != NULL;
        all = view_of(all.p + n, all.n - n);
    }
}

int statefile_read(struct statefile *f, statefile_take *take, void *arg, struct err *e) {
    cleanup_buf struct buf all = {0};

    buf_reset(&f->strange);
    if (!f->path || (access(f->path, F_OK) != 0 && errno == ENOENT))
        return 0;
    if (file_read(f->path, STATEFILE_MAX, &all, e) != 0)
        return err_wrap(e, "what was kept is neither read nor changed");
    lines_take(f, buf_view(&all), take, arg);
    return 0;
}

/* Held for the time of one small write; somebody who is stopped meanwhile does not stop us. */
static bool locked(int fd) {
    static const struct timespec PAUSE = {.tv_nsec = 5000000};

    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return true;
        nanosleep(&PAUSE, NULL);
    }
    return false;
}

/* The lock is a file beside it: the file itself is replaced. */
static int lock(struct statefile *f, struct err *e) {
    cleanup_free char *path = mem_fmt("%s.lock", f->path);

    f->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (f->lock < 0)
        return err_sys(e, errno, "cannot open '%s'", path);
    if (locked(f->lock))
        return 0;
    unlock(f);
    return err_set(e, "busy", "another cdvm holds '%s'", path);
}

int statefile_begin(struct statefile *f, statefile_take *take, void *arg, struct err *e) {
    if (!f->path)
        return 0;
    if (lock(f, e) != 0)
        return -1;
    if (statefile_read(f, take, arg, e) != 0) {
        unlock(f);
        return -1;
    }
    return 0;
}

int statefile_end(struct statefile *f, struct view body, struct err *e) {
    cleanup_buf struct buf all = {0};
    int rc = 0;

    if (f->path && body.p) {
        buf_add(&all, f->strange.p, f->strange.n);
        buf_add(&all, body.p, body.n);
        rc = file_write(f->path, buf_view(&all), 0600, true, e);
    }
    unlock(f);
    return rc;
}

/* --- words --- */

struct view statefile_word(struct view *line) {
    const uint8_t *end = line->n ? memchr(line->p, ' ', line->n) : NULL;
    size_t n = end ? (size_t)(end - line->p) : line->n;
    struct view word = view_of(line->p, n);

    n += end != NULL;
    *line = view_of(line->p + n, line->n - n);
    return word;
}

bool statefile_number(struct view word, int64_t *out) {
    char text[24];
    uint64_t v;

    *out = -1;
    if (view_is(word, "-"))
        return true;
    if (word.n == 0 || word.n >= sizeof text)
        return false;
    memcpy(text, word.p, word.n);
    text[word.n] = 0;
    if (!decimal_parse(text, &v))
        return false;
    *out = (int64_t)v;
    return true;
}

void statefile_put_number(struct buf *out, int64_t v) {
    if (v < 0)
        buf_str(out, " -");
    else
        buf_fmt(out, " %" PRId64, v);
}
