/* job.json of a workload volume, as the agent reads it (cdvm-protocol(7), "Workload contract"):
 * made here in one canonical form, from what an image or a person says. */
#ifndef CDVM_JOBFILE_H
#define CDVM_JOBFILE_H

#include "core/bytes.h"

#define JOBFILE_WORDS_MAX 64
#define JOBFILE_MAX ((size_t)16384)

struct jobfile {
    const char *const *argv; /* argv[0] absolute */
    size_t n_argv;
    const char *const *env; /* "NAME=value"; of two with one name the later holds */
    size_t n_env;
    const char *mode, *name, *cwd; /* cwd "" or "/": none is written; name "" likewise */
    uint32_t uid;
    struct jobfile_limit {
        const char *name;
        uint64_t value; /* 0: the agent's usual one */
    } limit[8];
    size_t n_limits;
};
/* Keys and environment sorted. Codes "bad-image" for what the agent would refuse. */
int jobfile_json(const struct jobfile *j, struct buf *out, struct err *e) WARN_UNUSED;

/* The agent runs nothing as root or as a user of its own: 1000 stands for those. */
uint32_t jobfile_uid(uint64_t wanted);

#endif
