/* The control group of a workload: what all its processes together may take (Linux
 * admin-guide/cgroup-v2). The tree is mounted in the agent's file systems alone; the program sees
 * its own group as the root of all, if anything. */
#ifndef CDVM_GROUP_H
#define CDVM_GROUP_H

#include "core/bytes.h"

struct group_limits {
    uint64_t memory; /* bytes: its pages, page tables, and what it keeps in its folders; no swap */
    uint64_t processes; /* threads count as well */
};

struct group;
/* Makes one below the cgroup2 mounted on `tree`. NULL on error: code "system". */
struct group *group_new(const char *tree, const struct group_limits *limits, struct err *e);
void group_free(struct group *g); /* kills what is in it and takes it away; NULL legal */
/* The folder, for clone3's CLONE_INTO_CGROUP. */
int group_fd(const struct group *g);
/* All that runs in it, at once. */
void group_kill(const struct group *g);
/* Whether it ran into a limit since it was made: -1 with "workload-memory" (a process of it had to
 * be ended) or "workload-processes" (one more was refused), else 0. */
int group_breach(const struct group *g, struct err *e) WARN_UNUSED;
/* Becomes readable (POLLPRI) when group_breach may have changed its mind. Owned by g. */
int group_events(const struct group *g);

/* The smaller of `asked` and what this machine has left now beside `reserve`; 0 when nothing is. */
uint64_t group_memory(const char *meminfo, uint64_t asked, uint64_t reserve);

#endif
