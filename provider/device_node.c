#include "device_node.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GROUP_RW (S_IRGRP | S_IWGRP)
#define OTHERS_RW (S_IROTH | S_IWOTH)

static void explain(const char *path, int sysno, char why[static DEVICE_WHY]) {
    struct stat st;
    struct group *g;

    if (stat(path, &st) < 0) {
        snprintf(why, DEVICE_WHY, "this machine has no %s", path);
        return;
    }
    g = getgrgid(st.st_gid);
    if (sysno == EACCES && g && (st.st_mode & S_IWGRP))
        snprintf(why, DEVICE_WHY,
                 "%s is for the group '%s': `sudo usermod -aG %s $USER`, log in again", path,
                 g->gr_name, g->gr_name);
    else
        snprintf(why, DEVICE_WHY, "%s cannot be opened: %s (group '%s', mode %04o)", path,
                 strerror(sysno), g ? g->gr_name : "unknown", (unsigned)st.st_mode & 07777);
}

int device_open(const char *path, char why[static DEVICE_WHY]) {
    int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0)
        explain(path, errno, why);
    return fd;
}

bool device_opens(const char *path, char why[static DEVICE_WHY]) {
    cleanup_fd int fd = device_open(path, why);

    return fd >= 0;
}

enum device_right device_right(const char *path, gid_t *group) {
    struct stat st;

    *group = 0;
    if (stat(path, &st) < 0)
        return DEVICE_ABSENT;
    if ((st.st_mode & OTHERS_RW) == OTHERS_RW)
        return DEVICE_ALL;
    if ((st.st_mode & GROUP_RW) != GROUP_RW || st.st_gid == 0)
        return DEVICE_OWNER;
    *group = st.st_gid;
    return DEVICE_GROUP;
}

bool device_for_guest(const char *path, char why[static DEVICE_WHY]) {
    cleanup_free char *copy = mem_str(path);
    const char *name = basename(copy);
    gid_t group;

    if (!device_opens(path, why))
        return false;
    if (geteuid() != 0 || device_right(path, &group) != DEVICE_OWNER)
        return true;
    snprintf(why, DEVICE_WHY,
             "%s is for root alone, and guests do not run as root: `chgrp kvm %s; chmod 660 %s`, "
             "and for every start KERNEL==\"%s\", GROUP=\"kvm\", MODE=\"0660\" in "
             "/etc/udev/rules.d/90-cdvm.rules",
             path, path, path, name);
    return false;
}
