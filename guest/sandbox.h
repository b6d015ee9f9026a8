/* The box that the workload runs in (cdvm-protocol(7), "Workload contract").
 *
 * New mount, pid, net, ipc, uts and cgroup namespaces; the workload's own image as read-only root
 * with tmpfs on /in (read-only inside), /out and /tmp; no sys, no proc and no dev unless asked for;
 * another uid without capabilities; a control group for memory and processes; no_new_privs;
 * Landlock where the kernel has it; a seccomp allow-list; resource limits; only descriptors 0 to 2,
 * of which 2 goes nowhere. */
#ifndef CDVM_SANDBOX_H
#define CDVM_SANDBOX_H

#include <sys/types.h>
#include "core/bytes.h"

struct sandbox_spec {
    const char *root;   /* the mounted image; has folders in, out and tmp */
    const char *model;  /* a mounted volume to appear read-only as /model; NULL = none */
    const char *shared; /* folder of the agent's in which in/, out/ and tmp/ are made */
    char *const *argv;  /* argv[0] is a path inside the image */
    char *const *env;
    const char *cwd;                   /* a folder inside the image; NULL = "/" */
    uid_t uid;                         /* also the gid */
    uint64_t memory;                   /* bytes of all its processes and of what they write */
    uint64_t in_max, out_max, tmp_max; /* bytes of each tmpfs */
    uint64_t processes, files;
    bool sockets;  /* may make UNIX sockets, among its own processes */
    bool system;   /* has /proc with its own processes, and /dev with null, zero and the like */
    unsigned gpus; /* has the device nodes of so many GPUs, and then also the above */
};

struct group;
struct sandbox {
    pid_t pid;            /* of the program; -1 while none runs */
    int to, from;         /* its standard input and output; closed by sandbox_stop */
    char *in, *out, *tmp; /* folders as the agent sees them; owned */
    struct group *group;
};

/* The folders /in and /out, which outlive a program. */
int sandbox_make(const struct sandbox_spec *spec, struct sandbox *out, struct err *e) WARN_UNUSED;
/* Starts the program of `spec` in the box, with a new /tmp. One at a time. Code "system" names the
 * step that failed; "workload-memory" when the machine has nothing left for it. */
int sandbox_start(const struct sandbox_spec *spec, struct sandbox *box, struct err *e) WARN_UNUSED;
/* Kills it and everything it started, waits for that, takes its /tmp away. */
void sandbox_stop(struct sandbox *box);
/* Stops, unmounts and frees; legal on {.pid = -1, .to = -1, .from = -1}. */
void sandbox_end(struct sandbox *box);

/* Readable when sandbox_breach may have something new to say; -1 while no program runs. */
int sandbox_events(const struct sandbox *box);
/* -1 when the program ran into its limit of memory or processes: "workload-memory",
 * "workload-processes". */
int sandbox_breach(const struct sandbox *box, struct err *e) WARN_UNUSED;
/* The same, asked after it ended badly: also "workload-disk" for a folder that is full. */
int sandbox_cause(const struct sandbox *box, struct err *e) WARN_UNUSED;

/* The seccomp half, in a file of its own. Built before the clone, loaded as the last step. */
struct syscalls;
#define SYSCALLS_SOCKETS 1u /* UNIX sockets */
#define SYSCALLS_GPU 2u     /* the calls of NVIDIA's driver */
struct syscalls *syscalls_new(unsigned more, struct err *e);
int syscalls_load(const struct syscalls *s); /* 0 or -errno */
void syscalls_free(struct syscalls *s);

/* The Landlock half, for the child: 0, also where the kernel has none, or -1 with errno. */
int landlock_close(bool sockets, bool gpus);

#endif
