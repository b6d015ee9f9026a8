/* The box that the workload runs in (cdvm-protocol(7), "Workload contract").
 *
 * New mount, pid, net, ipc and uts namespaces; the workload's own image as read-only root with
 * tmpfs on /in (read-only inside), /out and /tmp; no proc, sys or dev; another uid without
 * capabilities; no_new_privs; a seccomp allow-list; resource limits; only descriptors 0 to 2, of
 * which 2 goes nowhere. */
#ifndef CDVM_SANDBOX_H
#define CDVM_SANDBOX_H

#include <sys/types.h>
#include "core/bytes.h"

struct sandbox_spec {
    const char *root;   /* the mounted image; has folders in, out and tmp */
    const char *model;  /* a mounted volume to appear read-only as /model; NULL = none */
    const char *shared; /* folder of the agent's in which in/ and out/ are made */
    char *const *argv;  /* argv[0] is a path inside the image */
    char *const *env;
    uid_t uid;                         /* also the gid */
    uint64_t memory;                   /* bytes of address space of one process */
    uint64_t in_max, out_max, tmp_max; /* bytes of each tmpfs */
    uint64_t processes, files;
};

struct sandbox {
    pid_t pid;
    int to, from;   /* its standard input and output; the owner of the struct closes them */
    char *in, *out; /* folders as the agent sees them; owned */
};

/* Starts the program; on success all of `out` is set. Code "system" names the step that failed. */
int sandbox_start(const struct sandbox_spec *spec, struct sandbox *out, struct err *e) WARN_UNUSED;
/* Closes, unmounts and frees; the process must be gone. */
void sandbox_end(struct sandbox *s);

/* The seccomp half, in a file of its own. Built before the clone, loaded as the last step. */
struct syscalls;
struct syscalls *syscalls_new(struct err *e);
int syscalls_load(const struct syscalls *s); /* 0 or -errno */
void syscalls_free(struct syscalls *s);

#endif
