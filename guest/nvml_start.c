/* The box of the NVML child (nvml.h). */
#include "nvml.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine.h"
#include "nvml_child.h"
#include "sandbox.h"

#define NVML_UID 990   /* below those that a workload may ask for */
#define NVML_FILES 256 /* open at once */
#define NVML_TASKS 32
#define SOCKET_FD 3
#define SPACES (CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)
#define QUIET (MS_NOSUID | MS_NODEV | MS_NOEXEC)

static int give_devices(unsigned gpus) {
    static const char *const nodes[] = {"null", "zero", "urandom", "nvidiactl"};
    char node[32];

    if (mount("tmpfs", "dev", "tmpfs", QUIET, "mode=0755,size=4k,nr_inodes=32"))
        return -1;
    for (size_t i = 0; i < COUNT(nodes) + gpus; i++) {
        if (i < COUNT(nodes))
            snprintf(node, sizeof node, "/dev/%s", nodes[i]);
        else
            snprintf(node, sizeof node, "/dev/nvidia%zu", i - COUNT(nodes));
        if (confine_device(node, node + 1))
            return -1;
    }
    return mount(NULL, "dev", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | QUIET, NULL);
}

static int change_root(const struct nvml_place *p) {
    if (unshare(SPACES) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || chdir(p->root))
        return -1;
    if (mount("proc", "proc", "proc", MS_RDONLY | QUIET, "hidepid=invisible") ||
        mount("sysfs", "sys", "sysfs", MS_RDONLY | QUIET, "") || give_devices(p->gpus))
        return -1;
    return confine_root();
}

static int give_up(const struct syscalls *filter) {
    if (confine_limit(RLIMIT_CORE, 0) || confine_limit(RLIMIT_FSIZE, 0) ||
        confine_limit(RLIMIT_NOFILE, NVML_FILES) || confine_limit(RLIMIT_NPROC, NVML_TASKS) ||
        confine_privileges(NVML_UID, 1ULL << CAP_SYS_ADMIN))
        return -1;
    return syscalls_load(filter) ? -1 : 0;
}

_Noreturn static void child(const struct nvml_place *p, const struct syscalls *filter, int fd) {
    if (dup2(fd, SOCKET_FD) < 0 || syscall(SYS_close_range, SOCKET_FD + 1U, ~0U, 0U) ||
        confine_signals() || change_root(p) || give_up(filter))
        _exit(126);
    nvml_child_run(SOCKET_FD, p->library, "/dev");
}

/* Its first process: when that ends, so does all that the library may have started. The agent
 * itself stays where it is. */
static pid_t fork_alone(void) {
    cleanup_fd int here = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
    pid_t pid;

    if (here < 0 || unshare(CLONE_NEWPID))
        return -1;
    pid = fork();
    if (pid && setns(here, CLONE_NEWPID))
        return -1;
    return pid;
}

static struct nvml *start(const struct nvml_place *p, const struct syscalls *filter,
                          struct err *e) {
    int fds[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds)) {
        err_sys(e, errno, "cannot make a pair of sockets");
        return NULL;
    }
    pid = fork_alone();
    if (!pid)
        child(p, filter, fds[1]);
    close(fds[1]);
    if (pid > 0)
        return nvml_from_fd(fds[0], pid);
    err_sys(e, errno, "cannot start the NVML child");
    close(fds[0]);
    return NULL;
}

struct nvml *nvml_start(const struct nvml_place *p, struct err *e) {
    struct syscalls *filter = syscalls_new(SYSCALLS_GPU, e);
    struct nvml *n = filter ? start(p, filter, e) : NULL;

    syscalls_free(filter);
    return n;
}
