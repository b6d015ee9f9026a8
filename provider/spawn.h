/* Starting a child that inherits nothing but what is named: descriptors in fixed places, an empty
 * environment but PATH, default signals, no core dumps, killed with us, no way to gain privileges.
 */
#ifndef CDVM_SPAWN_H
#define CDVM_SPAWN_H

#include "core/bytes.h"

struct spawn {
    char *const *argv; /* argv[0] is an absolute path */
    const char *dir;   /* working directory, NULL: "/" */
    const int *fds;    /* descriptor i becomes 3 + i in the child */
    size_t n_fds;      /* at most 16 */
    int out, err;      /* become 1 and 2; -1: /dev/null */
    bool drop_root;    /* as root: run as nobody... */
    /* ...in the groups of these nodes, at most 4, NULL-terminated (stays root where only root may
     * open one); NULL: none */
    const char *const *devices;
    uint64_t file_max; /* bytes that a file of its own may have; 0: it writes none */
    uint64_t memlock;  /* bytes that it may lock in memory, up to our hard limit; 0: as it is */
};

/* pid, or -1 ("vm-failed": a failing exec is reported here, not by the child's exit status). The
 * child is killed by the kernel when the thread that called this ends. */
int spawn_child(const struct spawn *s, struct err *e) WARN_UNUSED;

/* Runs to its end and takes at most `max` bytes of its stdout; deadline in ms. -1 also when it
 * exits with another status than 0 ("vm-failed"). Blocks: for start-up only. */
int spawn_output(char *const *argv, size_t max, int deadline_ms, struct buf *out,
                 struct err *e) WARN_UNUSED;

#endif
