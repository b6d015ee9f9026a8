#include "sandbox.h"

#include "confine.h"
#include "gpunodes.h"
#include "group.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAMESPACES (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)
#define REPORT_FD 3 /* tells the agent which step failed; closed by exec */
#define CGROUPS "/sys/fs/cgroup"
#define PAGE ((uint64_t)4096)
#define MIB ((uint64_t)1 << 20)
#define RESERVE (64 * MIB) /* what the agent may come to need beside what it has already */

/* What the child needs, all made before it exists. */
struct plan {
    const struct sandbox_spec *spec;
    const struct sandbox *box;
    const struct syscalls *filter;
    int stdin_fd, stdout_fd;
};

/* --- the child, step by step; each returns 0 or -1 with errno --- */

static int step_signals(const struct plan *p) {
    (void)p;
    return confine_signals();
}

static int step_oom(const struct plan *p) {
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    bool done = fd >= 0 && write(fd, "1000", 4) == 4;

    (void)p;
    if (fd >= 0)
        close(fd);
    return done ? 0 : -1;
}

static int step_mounts(const struct plan *p) {
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || chdir(p->spec->root))
        return -1;
    if (confine_bind(p->box->in, "in", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC) ||
        confine_bind(p->box->out, "out", MS_NOSUID | MS_NODEV | MS_NOEXEC) ||
        confine_bind(p->box->tmp, "tmp", MS_NOSUID | MS_NODEV | MS_NOEXEC))
        return -1;
    return p->spec->model ? confine_bind(p->spec->model, "model", MS_RDONLY | MS_NOSUID | MS_NODEV)
                          : 0;
}

/* The nodes that hold nothing and lead nowhere, and the names that libraries look for. */
static const struct {
    const char *at, *node, *link;
} devices[] = {
    {"dev/null", "/dev/null", NULL},         {"dev/zero", "/dev/zero", NULL},
    {"dev/full", "/dev/full", NULL},         {"dev/random", "/dev/random", NULL},
    {"dev/urandom", "/dev/urandom", NULL},   {"dev/fd", NULL, "/proc/self/fd"},
    {"dev/stdin", NULL, "/proc/self/fd/0"},  {"dev/stdout", NULL, "/proc/self/fd/1"},
    {"dev/stderr", NULL, "/proc/self/fd/2"}, {"dev/shm", NULL, "/tmp"},
};

static int make_gpus(unsigned gpus) {
    char node[GPUNODE_PATH];

    for (unsigned i = 0; gpus && gpunodes_path(i, gpus, node); i++)
        if (confine_device(node, node + 1))
            return -1;
    return 0;
}

/* With GPUs the whole of /proc, since the driver's library reads what the driver says there. */
static int step_system(const struct plan *p) {
    const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    const bool gpus = p->spec->gpus > 0;

    if (!p->spec->system && !gpus)
        return 0;
    if (mount("proc", "proc", "proc", flags | (gpus ? MS_RDONLY : 0),
              gpus ? "hidepid=invisible" : "subset=pid,hidepid=invisible") ||
        mount("tmpfs", "dev", "tmpfs", flags, "mode=0755,size=4k,nr_inodes=48"))
        return -1;
    for (size_t i = 0; i < COUNT(devices); i++)
        if (devices[i].link ? symlink(devices[i].link, devices[i].at)
                            : confine_device(devices[i].node, devices[i].at))
            return -1;
    if (make_gpus(p->spec->gpus))
        return -1;
    return mount(NULL, "dev", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | flags, NULL);
}

static int step_root(const struct plan *p) {
    (void)p;
    return confine_root();
}

static int step_name(const struct plan *p) {
    (void)p;
    return sethostname("workload", 8);
}

static int step_descriptors(const struct plan *p) {
    if (dup2(p->stdin_fd, STDIN_FILENO) < 0 || dup2(p->stdout_fd, STDOUT_FILENO) < 0)
        return -1;
    return (int)syscall(SYS_close_range, REPORT_FD + 1U, ~0U, 0U);
}

/* Its group becomes the root of what it could see of the tree. */
static int step_group(const struct plan *p) {
    (void)p;
    return unshare(CLONE_NEWCGROUP);
}

/* A file may be as long as its folder is large: no holes of a terabyte. Going over it is an error
 * to the program, like a full folder. */
static int step_limits(const struct plan *p) {
    const struct sandbox_spec *s = p->spec;
    uint64_t longest = (s->out_max > s->tmp_max ? s->out_max : s->tmp_max) + PAGE;

    signal(SIGXFSZ, SIG_IGN);
    return confine_limit(RLIMIT_CORE, 0) || confine_limit(RLIMIT_MEMLOCK, 0) ||
                   confine_limit(RLIMIT_MSGQUEUE, 0) || confine_limit(RLIMIT_FSIZE, longest) ||
                   confine_limit(RLIMIT_NOFILE, s->files)
               ? -1
               : 0;
}

static int step_privileges(const struct plan *p) {
    return confine_privileges(p->spec->uid, 0);
}

static int step_landlock(const struct plan *p) {
    return landlock_close(p->spec->sockets, p->spec->gpus > 0);
}

static int step_syscalls(const struct plan *p) {
    int rc = syscalls_load(p->filter);

    errno = -rc;
    return rc ? -1 : 0;
}

static int step_run(const struct plan *p) {
    umask(077);
    if (p->spec->cwd && chdir(p->spec->cwd))
        return -1;
    return execve(p->spec->argv[0], p->spec->argv, p->spec->env);
}

static const struct {
    const char *what;
    int (*run)(const struct plan *p);
} steps[] = {
    {"set signals", step_signals},
    {"offer it to the OOM killer first", step_oom},
    {"mount its folders", step_mounts},
    {"mount its /proc and /dev", step_system},
    {"change its root", step_root},
    {"name its host", step_name},
    {"place its descriptors", step_descriptors},
    {"hide its control group", step_group},
    {"set its limits", step_limits},
    {"drop its privileges", step_privileges},
    {"close its file system", step_landlock},
    {"load its system call filter", step_syscalls},
    {"run it", step_run},
};

struct failure {
    int step, error;
};

/* Descriptor 2 stays what it is for the agent: /dev/null. */
_Noreturn static void child(const struct plan *p, int report) {
    struct failure f = {0};

    if (report != REPORT_FD && dup3(report, REPORT_FD, O_CLOEXEC) < 0)
        _exit(126);
    for (f.step = 0; f.step < (int)COUNT(steps); f.step++)
        if (steps[f.step].run(p)) {
            f.error = errno;
            break;
        }
    if (write(REPORT_FD, &f, sizeof f) != sizeof f)
        _exit(126);
    _exit(127);
}

/* --- the agent's side --- */

static int make_folder(const char *path, uid_t owner, unsigned mode, uint64_t max, struct err *e) {
    cleanup_free char *options =
        mem_fmt("mode=0%o,uid=%u,gid=%u,size=%llu,nr_inodes=%llu", mode, owner, owner,
                (unsigned long long)max, (unsigned long long)(max / PAGE + 16));

    if (mkdir(path, 0700) && errno != EEXIST)
        return err_sys(e, errno, "cannot make %s", path);
    if (mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options))
        return err_sys(e, errno, "cannot mount %s", path);
    return 0;
}

static void drop_folder(char **path) {
    if (*path)
        umount2(*path, MNT_DETACH);
    cleanup_free_fn(path);
    *path = NULL;
}

static int make_folders(const struct sandbox_spec *s, struct sandbox *box, struct err *e) {
    if (mkdir(s->shared, 0700) && errno != EEXIST)
        return err_sys(e, errno, "cannot make %s", s->shared);
    box->in = mem_fmt("%s/in", s->shared);
    box->out = mem_fmt("%s/out", s->shared);
    if (make_folder(box->in, 0, 0755, s->in_max, e))
        return -1;
    return make_folder(box->out, s->uid, 0700, s->out_max, e);
}

int sandbox_make(const struct sandbox_spec *spec, struct sandbox *out, struct err *e) {
    *out = (struct sandbox){.pid = -1, .to = -1, .from = -1};
    if (!make_folders(spec, out, e))
        return 0;
    sandbox_end(out);
    return -1;
}

static int make_group(const struct sandbox_spec *s, struct sandbox *box, struct err *e) {
    const struct group_limits limits = {group_memory("/proc/meminfo", s->memory, RESERVE),
                                        s->processes};

    if (!limits.memory)
        return err_set(e, "workload-memory", "the guest has no memory left for its workload");
    box->group = group_new(CGROUPS, &limits, e);
    return box->group ? 0 : -1;
}

static int read_failure(int fd, struct err *e) {
    struct failure f;
    ssize_t n;

    while ((n = read(fd, &f, sizeof f)) < 0 && errno == EINTR)
        ;
    if (!n)
        return 0; /* closed by exec */
    if (n != sizeof f || f.step < 0 || f.step >= (int)COUNT(steps))
        return err_set(e, "system", "the workload's start was cut off");
    return err_sys(e, f.error, "cannot start the workload: cannot %s", steps[f.step].what);
}

static pid_t spawn(const struct plan *p, int report) {
    struct clone_args args = {.flags = NAMESPACES | CLONE_INTO_CGROUP,
                              .exit_signal = SIGCHLD,
                              .cgroup = (unsigned)group_fd(p->box->group)};
    long pid = syscall(SYS_clone3, &args, sizeof args);

    if (!pid)
        child(p, report);
    return (pid_t)pid;
}

static int spawn_and_wait(const struct plan *p, struct sandbox *box, struct err *e) {
    int fds[2];
    int rc;

    if (pipe2(fds, O_CLOEXEC))
        return err_sys(e, errno, "cannot make a pipe");
    box->pid = spawn(p, fds[1]);
    close(fds[1]);
    rc = box->pid < 0 ? err_sys(e, errno, "cannot clone the workload") : read_failure(fds[0], e);
    close(fds[0]);
    if (rc && box->pid > 0) {
        waitpid(box->pid, NULL, 0);
        box->pid = -1;
    }
    return rc;
}

static int start_with(const struct sandbox_spec *spec, const struct syscalls *filter,
                      struct sandbox *box, struct err *e) {
    int in[2], out[2], rc;
    struct plan p = {.spec = spec, .box = box, .filter = filter};

    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
        return err_sys(e, errno, "cannot make a pipe");
    p.stdin_fd = in[0];
    p.stdout_fd = out[1];
    box->to = in[1];
    box->from = out[0];
    rc = spawn_and_wait(&p, box, e);
    close(in[0]);
    close(out[1]);
    return rc;
}

static int start_in(const struct sandbox_spec *spec, struct sandbox *box, struct err *e) {
    struct syscalls *filter;
    int rc = -1;

    box->tmp = mem_fmt("%s/tmp", spec->shared);
    if (make_folder(box->tmp, spec->uid, 0700, spec->tmp_max, e) || make_group(spec, box, e))
        return -1;
    filter =
        syscalls_new((spec->sockets ? SYSCALLS_SOCKETS : 0) | (spec->gpus ? SYSCALLS_GPU : 0), e);
    if (filter)
        rc = start_with(spec, filter, box, e);
    syscalls_free(filter);
    return rc;
}

int sandbox_start(const struct sandbox_spec *spec, struct sandbox *box, struct err *e) {
    int rc = start_in(spec, box, e);

    if (rc)
        sandbox_stop(box);
    return rc;
}

/* Process 1 of its namespace: when it dies, so does everything it started. */
void sandbox_stop(struct sandbox *box) {
    if (box->pid > 0) {
        kill(box->pid, SIGKILL);
        waitpid(box->pid, NULL, 0);
    }
    cleanup_fd_fn(&box->to);
    cleanup_fd_fn(&box->from);
    group_free(box->group);
    drop_folder(&box->tmp);
    box->group = NULL;
    box->pid = box->to = box->from = -1;
}

void sandbox_end(struct sandbox *box) {
    sandbox_stop(box);
    drop_folder(&box->in);
    drop_folder(&box->out);
}

/* --- what it ran into --- */

int sandbox_events(const struct sandbox *box) {
    return box->group ? group_events(box->group) : -1;
}

int sandbox_breach(const struct sandbox *box, struct err *e) {
    return box->group ? group_breach(box->group, e) : 0;
}

static int check_folder(const char *path, const char *name, struct err *e) {
    struct statvfs v;

    if (!path || statvfs(path, &v) || (v.f_bavail && v.f_ffree))
        return 0;
    return err_set(e, "workload-disk",
                   "the workload ended after it had filled its folder %s of %llu MiB", name,
                   (unsigned long long)(v.f_blocks * v.f_frsize / MIB));
}

int sandbox_cause(const struct sandbox *box, struct err *e) {
    return sandbox_breach(box, e) || check_folder(box->tmp, "/tmp", e) ||
                   check_folder(box->out, "/out", e)
               ? -1
               : 0;
}
