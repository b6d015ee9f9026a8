#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/loop.h"
#include "device_node.h"
#include "spawn.h"

#define NOBODY 65534
#define FDS_MAX 16
#define DEVICES_MAX 4
#define HIGH 100 /* descriptors are moved above this first, so that no dup2 overwrites a source */

/* What went wrong in the child, through a close-on-exec pipe: exec's errno, or nothing. */
struct child_fault {
    int step, sysno;
};
enum { STEP_FDS = 1, STEP_RIGHTS, STEP_EXEC };

static const char *const step_words[] = {"", "placing its descriptors", "dropping rights",
                                         "starting the program"};

static bool place_fds(const struct spawn *s, int report) {
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int high[FDS_MAX + 2];

    if (null < 0)
        return false;
    high[0] = fcntl(s->out < 0 ? null : s->out, F_DUPFD_CLOEXEC, HIGH);
    high[1] = fcntl(s->err < 0 ? null : s->err, F_DUPFD_CLOEXEC, HIGH);
    for (size_t i = 0; i < s->n_fds; i++)
        high[i + 2] = fcntl(s->fds[i], F_DUPFD_CLOEXEC, HIGH);
    for (size_t i = 0; i < s->n_fds + 2; i++)
        if (high[i] < 0 || (i >= 2 && dup2(high[i], (int)i + 1) < 0))
            return false;
    return dup2(null, 0) == 0 && dup2(high[0], 1) == 1 && dup2(high[1], 2) == 2 &&
           syscall(SYS_close_range, 3U + (unsigned)s->n_fds, (unsigned)report - 1, 0U) == 0 &&
           syscall(SYS_close_range, (unsigned)report + 1, ~0U, 0U) == 0;
}

static void default_signals(void) {
    sigset_t none;

    for (int sig = 1; sig < NSIG; sig++)
        signal(sig, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A guest has no use for root's rights: nothing is opened by name but QEMU's own ROM files. */
struct rights {
    bool drop;
    gid_t group[DEVICES_MAX];
    size_t n_groups;
};

static bool leave_root(const struct rights *r) {
    return setgroups(r->n_groups, r->group) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
           setresuid(NOBODY, NOBODY, NOBODY) == 0;
}

/* The death signal comes after the change of user, which would clear it; then the parent may
 * already be gone. */
static bool bind_to_parent(pid_t parent) {
    umask(077);
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
           getppid() == parent;
}

/* No core dump, no byte to any file (sockets and pipes are none) but the memory it is to make, few
 * descriptors. */
static bool limit_resources(const struct spawn *s) {
    static const struct rlimit none = {0, 0}, files = {256, 256};
    const struct rlimit size = {s->file_max, s->file_max};

    return setrlimit(RLIMIT_CORE, &none) == 0 && setrlimit(RLIMIT_FSIZE, &size) == 0 &&
           setrlimit(RLIMIT_NOFILE, &files) == 0;
}

/* As far as the hard limit goes, which is this program's own. */
static bool raise_memlock(uint64_t bytes) {
    struct rlimit l;

    if (!bytes)
        return true;
    if (getrlimit(RLIMIT_MEMLOCK, &l) < 0)
        return false;
    l.rlim_cur = l.rlim_max < bytes ? l.rlim_max : bytes;
    return setrlimit(RLIMIT_MEMLOCK, &l) == 0;
}

static _Noreturn void child_fails(int report, int step) {
    struct child_fault f = {step, errno};

    (void)!write(report, &f, sizeof f);
    _exit(127);
}

/* Between fork and exec: async-signal-safe calls only. */
static _Noreturn void child_main(const struct spawn *s, pid_t parent, const struct rights *r,
                                 int report) {
    static char *const env[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};

    setsid();
    default_signals();
    report = fcntl(report, F_DUPFD_CLOEXEC, HIGH + 50);
    if (report < 0)
        _exit(127);
    if (!place_fds(s, report))
        child_fails(report, STEP_FDS);
    if (chdir(s->dir ? s->dir : "/") < 0 || !raise_memlock(s->memlock) ||
        (r->drop && !leave_root(r)) || !bind_to_parent(parent) || !limit_resources(s))
        child_fails(report, STEP_RIGHTS);
    execve(s->argv[0], s->argv, env);
    child_fails(report, STEP_EXEC);
}

/* Who the child becomes. A node that only root may open leaves no choice. */
static struct rights rights_of(const struct spawn *s) {
    struct rights r = {.drop = s->drop_root && geteuid() == 0};

    for (size_t i = 0; s->devices && s->devices[i] && r.n_groups < DEVICES_MAX; i++) {
        enum device_right right = device_right(s->devices[i], &r.group[r.n_groups]);

        r.n_groups += right == DEVICE_GROUP;
        r.drop = r.drop && right != DEVICE_OWNER;
    }
    return r;
}

int spawn_child(const struct spawn *s, struct err *e) {
    struct child_fault fault = {0};
    int report[2];
    struct rights rights = rights_of(s);
    pid_t parent = getpid(), pid;
    ssize_t n;

    if (s->n_fds > FDS_MAX || pipe2(report, O_CLOEXEC) < 0)
        return err_sys(e, errno, "cannot start '%s'", s->argv[0]);
    pid = fork();
    if (pid == 0)
        child_main(s, parent, &rights, report[1]);
    close(report[1]);
    do
        n = pid < 0 ? -1 : read(report[0], &fault, sizeof fault);
    while (n < 0 && errno == EINTR && pid > 0);
    close(report[0]);
    if (pid < 0)
        return err_sys(e, errno, "cannot start '%s'", s->argv[0]);
    if (n == 0)
        return pid;
    waitpid(pid, NULL, 0);
    err_sys(e, fault.sysno, "cannot start '%s': %s", s->argv[0],
            step_words[fault.step > 0 && fault.step <= STEP_EXEC ? fault.step : STEP_EXEC]);
    return -1;
}

/* Reads until the end, the cap or the deadline. */
static bool drain(int fd, size_t max, int64_t until, struct buf *out) {
    char b[4096];

    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int64_t left = until - loop_now();
        ssize_t n;

        if (left <= 0 || poll(&p, 1, (int)left) <= 0)
            return false;
        n = read(fd, b, sizeof b);
        if (n <= 0)
            return n == 0;
        if (out->n + (size_t)n <= max)
            buf_add(out, b, (size_t)n);
    }
}

int spawn_output(char *const *argv, size_t max, int deadline_ms, struct buf *out, struct err *e) {
    struct spawn s = {.argv = argv, .out = -1, .err = -1};
    int p[2], pid, status = 0;
    bool whole;

    if (pipe2(p, O_CLOEXEC) < 0)
        return err_sys(e, errno, "cannot start '%s'", argv[0]);
    s.out = p[1];
    pid = spawn_child(&s, e);
    close(p[1]);
    whole = pid > 0 && drain(p[0], max, loop_now() + deadline_ms, out);
    close(p[0]);
    if (pid < 0)
        return -1;
    if (!whole)
        kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    if (!whole || status != 0)
        return err_set(e, "vm-failed", "'%s' did not answer as it should", argv[0]);
    return 0;
}
