#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox.h"

/* What headers of before Linux 6.12 do not have (uapi/linux/landlock.h). */
#define FS_TRUNCATE (1ULL << 14)
#define FS_IOCTL_DEV (1ULL << 15)
#define NET_ALL 3ULL   /* TCP: bind, connect */
#define SCOPE_ALL 3ULL /* abstract UNIX sockets, signals */

struct ruleset {
    uint64_t fs, net, scope;
};

#define READ                                                                                       \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE                                                                                      \
    (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_WRITE_FILE |  \
     LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |                              \
     LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_FIFO |    \
     LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER | FS_TRUNCATE)
#define DEVICES (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE)

/* By number of the interface: what each kernel may be asked to handle. */
static const struct ruleset known[] = {
    {0, 0, 0},
    {(LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1, 0, 0},
    {(LANDLOCK_ACCESS_FS_REFER << 1) - 1, 0, 0},
    {(FS_TRUNCATE << 1) - 1, 0, 0},
    {(FS_TRUNCATE << 1) - 1, NET_ALL, 0},
    {(FS_IOCTL_DEV << 1) - 1, NET_ALL, 0},
    {(FS_IOCTL_DEV << 1) - 1, NET_ALL, SCOPE_ALL},
};

static const struct {
    const char *path;
    uint64_t access;
    bool sockets;  /* may also hold those, when the program may have any */
    bool may_lack; /* an image need not have it */
    bool devices;  /* holds the nodes of GPUs, when the program may use any */
} rules[] = {
    {"/", READ, false, false, false},
    {"/out", WRITE, false, false, false},
    {"/tmp", WRITE, true, false, false},
    {"/dev", DEVICES, false, true, true},
};

static int add_rule(int ruleset, const char *path, uint64_t access) {
    struct landlock_path_beneath_attr a = {.allowed_access = access};
    long rc;

    a.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (a.parent_fd < 0)
        return -1;
    rc = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &a, 0);
    close(a.parent_fd);
    return (int)rc;
}

static int add_rules(int ruleset, uint64_t handled, bool sockets, bool gpus) {
    for (size_t i = 0; i < COUNT(rules); i++) {
        uint64_t more = (sockets && rules[i].sockets ? LANDLOCK_ACCESS_FS_MAKE_SOCK : 0) |
                        (gpus && rules[i].devices ? FS_IOCTL_DEV : 0);

        if (add_rule(ruleset, rules[i].path, (rules[i].access | more) & handled) &&
            !(rules[i].may_lack && errno == ENOENT))
            return -1;
    }
    return 0;
}

int landlock_close(bool sockets, bool gpus) {
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    struct ruleset r;
    int fd, rc;

    if (abi < 1)
        return 0; /* this kernel has none: mounts and the filter hold without it */
    r = known[abi < (long)COUNT(known) ? (size_t)abi : COUNT(known) - 1];
    fd = (int)syscall(SYS_landlock_create_ruleset, &r,
                      abi < 4   ? sizeof r.fs
                      : abi < 6 ? sizeof r.fs + sizeof r.net
                                : sizeof r,
                      0);
    if (fd < 0)
        return -1;
    rc = add_rules(fd, r.fs, sockets, gpus);
    if (!rc)
        rc = (int)syscall(SYS_landlock_restrict_self, fd, 0);
    close(fd);
    return rc;
}
