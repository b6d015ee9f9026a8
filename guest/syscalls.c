#include "sandbox.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
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
    "fchmod",
    "fchmodat",
    "fcntl",
    "fdatasync",
    "flock",
    "fstat",
    "fstatfs",
    "fsync",
    "ftruncate",
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
    "pwrite64",
    "pwritev",
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
    "utimensat",
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
    /* waiting and local pipes */
    "accept",
    "accept4",
    "bind",
    "connect",
    "epoll_create",
    "epoll_create1",
    "epoll_ctl",
    "epoll_pwait",
    "epoll_wait",
    "eventfd",
    "eventfd2",
    "getpeername",
    "getsockname",
    "getsockopt",
    "listen",
    "pipe",
    "pipe2",
    "poll",
    "ppoll",
    "pselect6",
    "recvfrom",
    "recvmsg",
    "select",
    "sendmsg",
    "sendto",
    "setsockopt",
    "shutdown",
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
    "prlimit64",
    "restart_syscall",
    "rseq",
    "rt_sigaction",
    "rt_sigpending",
    "rt_sigprocmask",
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

/* Allowed with one exact argument only. */
static const struct {
    const char *name;
    unsigned arg;
    uint64_t value;
} limited[] = {
    {"socket", 0, AF_UNIX},        {"socketpair", 0, AF_UNIX}, {"ioctl", 1, TCGETS},
    {"ioctl", 1, FIONREAD},        {"ioctl", 1, FIONBIO},      {"prctl", 0, PR_SET_NAME},
    {"prctl", 0, PR_GET_NAME},     {"prctl", 0, PR_SET_VMA},   {"prctl", 0, PR_SET_PDEATHSIG},
    {"prctl", 0, PR_GET_DUMPABLE},
};

#define CLONE_NEW_ANY                                                                              \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |  \
     CLONE_NEWNET)

/* clone3 passes its flags in memory, where a filter cannot look: libc then falls back to clone. */
static int add_clone(scmp_filter_ctx ctx) {
    int rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

    return rc ? rc
              : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                                 SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NEW_ANY, 0));
}

static int add_limited(scmp_filter_ctx ctx) {
    int rc = 0;

    for (size_t i = 0; !rc && i < COUNT(limited); i++)
        rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(limited[i].name), 1,
                              SCMP_CMP64(limited[i].arg, SCMP_CMP_EQ, limited[i].value, 0));
    return rc;
}

static int add_allowed(scmp_filter_ctx ctx) {
    int rc = 0;

    for (size_t i = 0; !rc && i < COUNT(allowed); i++)
        rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(allowed[i]), 0);
    return rc;
}

struct syscalls *syscalls_new(struct err *e) {
    struct syscalls *s = mem_new(sizeof *s);
    int rc = -ENOMEM;

    s->ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (s->ctx)
        rc = seccomp_attr_set(s->ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (!rc)
        rc = add_allowed(s->ctx);
    if (!rc)
        rc = add_limited(s->ctx);
    if (!rc)
        rc = add_clone(s->ctx);
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
