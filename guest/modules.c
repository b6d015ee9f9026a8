#include "modules.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Drivers may find that this machine has not got their device. Those of NVIDIA's that build on its
 * first lack its symbols then (ENOENT). */
static const struct {
    const char *name;
    int error;
} may_fail[] = {
    {"sev_guest", ENODEV}, {"aesni_intel", ENODEV}, {"nvidia", ENODEV}, {"nvidia_", ENOENT}};

static bool is_excused(const char *name, int error) {
    for (size_t i = 0; i < COUNT(may_fail); i++)
        if (error == may_fail[i].error && strstr(name, may_fail[i].name))
            return true;
    return error == EEXIST; /* the initrd brought it, or the kernel has it built in */
}

static int load_one(const char *dir, const char *name, struct err *e) {
    cleanup_free char *path = mem_fmt("%s/%s", dir, name);
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return err_sys(e, errno, "cannot open %s", path);
    if (syscall(SYS_finit_module, fd, "", 0) && !is_excused(name, errno))
        return err_sys(e, errno, "cannot load %s", path);
    return 0;
}

static int not_dotted(const struct dirent *d) {
    return d->d_name[0] != '.';
}

static int by_bytes(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

int modules_load(const char *dir, struct err *e) {
    struct dirent **list;
    int n = scandir(dir, &list, not_dotted, by_bytes), rc = 0;

    if (n < 0)
        return err_sys(e, errno, "cannot list %s", dir);
    for (int i = 0; i < n; i++) {
        if (!rc)
            rc = load_one(dir, list[i]->d_name, e);
        free(list[i]);
    }
    free(list);
    return rc;
}

int modules_lock(struct err *e) {
    static const char path[] = "/proc/sys/kernel/modules_disabled";
    cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, "1", 1) != 1)
        return err_sys(e, errno, "cannot lock kernel modules in %s", path);
    return 0;
}
