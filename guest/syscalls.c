#include "sandbox.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>

struct syscalls {
    scmp_filter_ctx ctx;
};

/* What a single program of any language runtime needs to compute on files and pipes. Everything
 * else fails with EPERM: no mounting, no device nodes, no tracing, no keys, no new namespaces, no
 * network. */
static const char *const allowed[] = {
    /* files */
    "access",
    "chdir",
    "chmod",
    "close",
    "close_range",
    "copy_file_range",
    "creat",
    "dup",
    "dup2",
    "dup3",
    "faccessat",
    "faccessat2",
    "fadvise64",
    "fallocate",
    "fchdir",
    "fchmod",
    "fchmodat",
    "fcntl",
    "fdatasync",
    "flock",
    "fstat",
    "fstatfs",
    "fsync",
    "ftruncate",
    "futimesat",
    "getcwd",
    "getdents",
    "getdents64",
    "link",
    "linkat",
    "lseek",
    "lstat",
    "mkdir",
    "mkdirat",
    "newfstatat",
    "open",
    "openat",
    "pread64",
    "preadv",
    "preadv2",
    "pwrite64",
    "pwritev",
    "pwritev2",
    "read",
    "readahead",
    "readlink",
    "readlinkat",
    "readv",
    "rename",
    "renameat",
    "renameat2",
    "rmdir",
    "sendfile",
    "stat",
    "statfs",
    "statx",
    "symlink",
    "symlinkat",
    "truncate",
    "umask",
    "unlink",
    "unlinkat",
    "utime",
    "utimensat",
    "utimes",
    "write",
    "writev",
    /* memory */
    "brk",
    "madvise",
    "membarrier",
    "memfd_create",
    "mincore",
    "mmap",
    "mprotect",
    "mremap",
    "msync",
    "munmap",
    /* waiting and pipes */
    "epoll_create",
    "epoll_create1",
    "epoll_ctl",
    "epoll_pwait",
    "epoll_wait",
    "eventfd",
    "eventfd2",
    "pipe",
    "pipe2",
    "poll",
    "ppoll",
    "pselect6",
    "select",
    "timerfd_create",
    "timerfd_gettime",
    "timerfd_settime",
    /* processes, threads, signals */
    "arch_prctl",
    "execve",
    "exit",
    "exit_group",
    "futex",
    "get_robust_list",
    "getegid",
    "geteuid",
    "getgid",
    "getgroups",
    "getpgid",
    "getpgrp",
    "getpid",
    "getppid",
    "getpriority",
    "getresgid",
    "getresuid",
    "getrlimit",
    "getrusage",
    "getsid",
    "gettid",
    "getuid",
    "kill",
    "pause",
    "pidfd_open",
    "pidfd_send_signal",
    "prlimit64",
    "restart_syscall",
    "rseq",
    "rt_sigaction",
    "rt_sigpending",
    "rt_sigprocmask",
    "rt_sigqueueinfo",
    "rt_sigreturn",
    "rt_sigsuspend",
    "rt_sigtimedwait",
    "sched_getaffinity",
    "sched_getparam",
    "sched_getscheduler",
    "sched_get_priority_max",
    "sched_get_priority_min",
    "sched_setaffinity",
    "sched_yield",
    "set_robust_list",
    "set_tid_address",
    "setpgid",
    "setsid",
    "setitimer",
    "getitimer",
    "sigaltstack",
    "tgkill",
    "tkill",
    "vfork",
    "fork",
    "wait4",
    "waitid",
    /* time, machine, randomness */
    "alarm",
    "clock_getres",
    "clock_gettime",
    "clock_nanosleep",
    "getcpu",
    "getrandom",
    "gettimeofday",
    "nanosleep",
    "sysinfo",
    "time",
    "times",
    "uname",
};

/* Besides, for a program whose job.json asks for sockets: it talks to its own children. */
static const char *const on_sockets[] = {
    "accept", "accept4",  "bind",    "connect", "getpeername", "getsockname", "getsockopt",
    "listen", "recvfrom", "recvmsg", "sendmsg", "sendto",      "setsockopt",  "shutdown",
};

/* Allowed with one exact argument only. */
struct limited {
    const char *name;
    unsigned arg;
    uint64_t value;
};
static const struct limited limited[] = {
    {"ioctl", 1, TCGETS},           {"ioctl", 1, FIONREAD},        {"ioctl", 1, FIONBIO},
    {"prctl", 0, PR_SET_NAME},      {"prctl", 0, PR_GET_NAME},     {"prctl", 0, PR_SET_VMA},
    {"prctl", 0, PR_SET_PDEATHSIG}, {"prctl", 0, PR_GET_DUMPABLE},
};
static const struct limited limited_sockets[] = {
    {"socket", 0, AF_UNIX},
    {"socketpair", 0, AF_UNIX},
};

/* Answered as by a kernel that has not got them, so that libc takes the older way. clone3 passes
 * its flags in memory, where a filter cannot look. By number: libseccomp may be older than they
 * are.
 */
static const int absent[] = {SYS_clone3, 441 /* epoll_pwait2 */, 452 /* fchmodat2 */};

#define CLONE_NEW_ANY                                                                              \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |  \
     CLONE_NEWNET)

static int add_clone(scmp_filter_ctx ctx) {
    return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                            SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NEW_ANY, 0));
}

static int add_absent(scmp_filter_ctx ctx) {
    int rc = 0;

    for (size_t i = 0; !rc && i < COUNT(absent); i++)
        rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), absent[i], 0);
    return rc;
}

static int add_limited(scmp_filter_ctx ctx, const struct limited *list, size_t n) {
    int rc = 0;

    for (size_t i = 0; !rc && i < n; i++)
        rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(list[i].name), 1,
                              SCMP_CMP64(list[i].arg, SCMP_CMP_EQ, list[i].value, 0));
    return rc;
}

static int add_allowed(scmp_filter_ctx ctx, const char *const *list, size_t n) {
    int rc = 0;

    for (size_t i = 0; !rc && i < n; i++)
        rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(list[i]), 0);
    return rc;
}

/* The driver's calls are of type 'F' (NV_IOCTL_MAGIC); those of its memory manager are plain small
 * numbers, and two more (open-gpu-kernel-modules: nv-ioctl.h, uvm_ioctl.h, uvm_linux_ioctl.h). */
static int add_gpu(scmp_filter_ctx ctx) {
    static const struct {
        uint64_t mask, value;
    } calls[] = {
        {0xff00, 'F' << 8}, {~0xffULL, 0}, {UINT64_MAX, 0x30000001}, {UINT64_MAX, 0x30000002}};
    int rc = 0;

    for (size_t i = 0; !rc && i < COUNT(calls); i++)
        rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                              SCMP_CMP64(1, SCMP_CMP_MASKED_EQ, calls[i].mask, calls[i].value));
    return rc;
}

static int add_sockets(scmp_filter_ctx ctx) {
    int rc = add_allowed(ctx, on_sockets, COUNT(on_sockets));

    return rc ? rc : add_limited(ctx, limited_sockets, COUNT(limited_sockets));
}

static int add_all(scmp_filter_ctx ctx, unsigned more) {
    int rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);

    if (!rc)
        rc = add_allowed(ctx, allowed, COUNT(allowed));
    if (!rc)
        rc = add_limited(ctx, limited, COUNT(limited));
    if (!rc)
        rc = add_clone(ctx);
    if (!rc)
        rc = add_absent(ctx);
    if (!rc && more & SYSCALLS_GPU)
        rc = add_gpu(ctx);
    return rc || !(more & SYSCALLS_SOCKETS) ? rc : add_sockets(ctx);
}

struct syscalls *syscalls_new(unsigned more, struct err *e) {
    struct syscalls *s = mem_new(sizeof *s);
    int rc = -ENOMEM;

    s->ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (s->ctx)
        rc = add_all(s->ctx, more);
    if (!rc)
        return s;
    syscalls_free(s);
    err_sys(e, -rc, "cannot build the system call filter");
    return NULL;
}

int syscalls_load(const struct syscalls *s) {
    return seccomp_load(s->ctx);
}

void syscalls_free(struct syscalls *s) {
    if (s && s->ctx)
        seccomp_release(s->ctx);
    cleanup_free_fn(&s);
}
