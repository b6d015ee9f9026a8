#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CAPS_MAX 63

int confine_signals(void) {
    sigset_t none;

    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL) || setsid() < 0 ? -1 : 0;
}

int confine_bind(const char *from, const char *to, unsigned long flags) {
    return mount(from, to, NULL, MS_BIND, NULL) ||
                   mount(NULL, to, NULL, MS_BIND | MS_REMOUNT | flags, NULL)
               ? -1
               : 0;
}

int confine_device(const char *node, const char *at) {
    int fd = open(at, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0)
        return -1;
    close(fd);
    return confine_bind(node, at, MS_NOSUID | MS_NOEXEC);
}

/* Stacks the old root on the new one and lets go of it. */
int confine_root(void) {
    return syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) || chdir("/") ? -1 : 0;
}

int confine_limit(int what, uint64_t to) {
    struct rlimit r = {to, to};

    return setrlimit((__rlimit_resource_t)what, &r);
}

static int keep_only(uint64_t caps) {
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

    for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
        data[i].effective = data[i].permitted = (uint32_t)(caps >> 32 * i);
    return (int)syscall(SYS_capset, &head, data);
}

int confine_privileges(uid_t id, uint64_t keep) {
    for (unsigned long cap = 0; cap <= CAPS_MAX; cap++)
        if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) && errno != EINVAL)
            return -1;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || setgroups(0, NULL) ||
        prctl(PR_SET_KEEPCAPS, keep != 0, 0, 0, 0))
        return -1;
    return setresgid(id, id, id) || setresuid(id, id, id) || keep_only(keep) ? -1 : 0;
}
