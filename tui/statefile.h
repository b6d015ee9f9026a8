/* A small file of lines that is kept for the person: favourites, history. Read whole, changed under
 * a lock after what another cdvm may have written meanwhile has been read again, and written anew
 * by rename, mode 0600. A line that nobody here understands stays as it is, and a file that cannot
 * be read is never written over: damage costs a line, not the file. */
#ifndef CDVM_STATEFILE_H
#define CDVM_STATEFILE_H

#include "core/bytes.h"

#define STATEFILE_MAX ((size_t)2 << 20)

struct statefile {
    char *path;         /* owned; NULL: nothing is read or kept */
    struct buf strange; /* lines that nobody understood */
    int lock;           /* -1 when not held */
};

/* One line, without its end. False: not understood. */
typedef bool statefile_take(void *arg, struct view line);

void statefile_init(struct statefile *f, const char *path);
void statefile_free(struct statefile *f);
/* Absent is empty. */
int statefile_read(struct statefile *f, statefile_take *take, void *arg, struct err *e) WARN_UNUSED;
/* Locks and reads again; the caller empties its own list first, changes it, then writes. Every
 * successful begin is followed by one statefile_end, with the lines of its list; body.p NULL:
 * nothing has changed. */
int statefile_begin(struct statefile *f, statefile_take *take, void *arg,
                    struct err *e) WARN_UNUSED;
int statefile_end(struct statefile *f, struct view body, struct err *e) WARN_UNUSED;

/* The next word of a line, up to a space; the view moves past it. Empty at the end. */
struct view statefile_word(struct view *line);
bool statefile_number(struct view word, int64_t *out); /* decimal, -1 for "-" */
void statefile_put_number(struct buf *out, int64_t v); /* a space, and the same */

#endif
