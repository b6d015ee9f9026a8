/* The running workload: its sandbox, its two pipes, and the folders files go through. */
#ifndef CDVM_WORKLOAD_H
#define CDVM_WORKLOAD_H

#include "contract.h"
#include "core/loop.h"

struct workload;
struct workload_handler {
    void (*message)(void *arg, const struct contract_msg *m); /* borrowed for the callback */
    /* Once: it has ended, broken the contract ("bad-workload") or could not be fed. It is dead by
     * then, or will be at once. */
    void (*gone)(void *arg, const struct err *e);
};

struct workload_place {
    const char *root, *model; /* mounted volumes, borrowed; model NULL: none */
    unsigned gpus;            /* it may use so many */
};
/* Starts the program of the image `root` as its /cdvm/job.json says. NULL on error. */
struct workload *workload_start(struct loop *l, const struct workload_place *at,
                                const struct workload_handler *h, void *arg, struct err *e);
/* Kills it and everything it started, gives back its folders. NULL legal; not from a callback. */
void workload_free(struct workload *w);

/* Lines made with contract_*: queued and written as the program reads. */
void workload_say(struct workload *w, struct view lines);
/* While paused nothing more is read from it: what it may send on is limited by how fast we can. */
void workload_pause(struct workload *w, bool pause);
/* A file for the program: written to /in under a number. Its path as the program sees it goes to
 * `path`. "too-large" when the folder is full. */
int workload_put(struct workload *w, struct view data, char path[static 32],
                 struct err *e) WARN_UNUSED;
/* A file of the program's: `path` as it names it, directly in /out, no links followed; read once,
 * then removed. "too-large" over max, "bad-workload" when it is anything else than a plain file
 * there.
 */
int workload_get(struct workload *w, const char *path, size_t max, struct buf *out,
                 struct err *e) WARN_UNUSED;

#endif
