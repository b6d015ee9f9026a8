#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct fs {
    const char *type, *dir, *data;
    unsigned long flags;
};

#define QUIET (MS_NOSUID | MS_NODEV | MS_NOEXEC)

static const struct fs base[] = {
    {"proc", "/proc", "", QUIET},
    {"sysfs", "/sys", "", QUIET},
    {"cgroup2", "/sys/fs/cgroup", "", QUIET},
    {"devtmpfs", "/dev", "mode=0700", MS_NOSUID | MS_NOEXEC},
    {"tmpfs", "/run", "mode=0700", QUIET},
};
static const struct fs configfs = {"configfs", "/sys/kernel/config", "", QUIET};

static int mount_one(const struct fs *f, struct err *e) {
    if (mount(f->type, f->dir, f->type, f->flags, f->data))
        return err_sys(e, errno, "cannot mount %s on %s", f->type, f->dir);
    return 0;
}

static int open_stdio(struct err *e) {
    int fd = open("/dev/null", O_RDWR);

    if (fd < 0)
        return err_sys(e, errno, "cannot open /dev/null");
    for (int i = 0; i <= STDERR_FILENO; i++)
        if (fd != i && dup2(fd, i) < 0)
            return err_sys(e, errno, "cannot open descriptor %d", i);
    if (fd > STDERR_FILENO)
        close(fd);
    return 0;
}

int machine_mount(struct err *e) {
    umask(077);
    for (size_t i = 0; i < COUNT(base); i++)
        if (mount_one(&base[i], e))
            return -1;
    return open_stdio(e);
}

int machine_mount_configfs(struct err *e) {
    return mount_one(&configfs, e);
}

static int shift_mount(const char *from, const char *to, struct err *e) {
    if ((mkdir(to, 0755) && errno != EEXIST) || mount(from, to, NULL, MS_MOVE, NULL))
        return err_sys(e, errno, "cannot move %s to %s", from, to);
    return 0;
}

/* The tmpfs of /run becomes the root: pivot_root refuses to work above the initial file system. */
int machine_leave_initrd(struct err *e) {
    if (shift_mount("/proc", "/run/proc", e) || shift_mount("/sys", "/run/sys", e) ||
        shift_mount("/dev", "/run/dev", e))
        return -1;
    if (chdir("/run") || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/") ||
        mkdir("/run", 0755))
        return err_sys(e, errno, "cannot leave the initial file system");
    return 0;
}

static const struct {
    const char *path, *value;
} switches[] = {
    {"/proc/sys/kernel/sysrq", "0"},
    {"/proc/sys/kernel/kexec_load_disabled", "1"},
    {"/proc/sys/kernel/unprivileged_bpf_disabled", "1"},
    {"/proc/sys/kernel/io_uring_disabled", "2"},
    {"/proc/sys/kernel/perf_event_paranoid", "3"},
    {"/proc/sys/kernel/yama/ptrace_scope", "3"},
    {"/proc/sys/kernel/dmesg_restrict", "1"},
    {"/proc/sys/kernel/kptr_restrict", "2"},
    {"/proc/sys/kernel/core_pattern", ""},
    {"/proc/sys/user/max_user_namespaces", "0"},
};

static int set_switch(const char *path, const char *value, struct err *e) {
    cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
    struct view line = view_str(*value ? value : "\n");

    if (fd < 0 || write(fd, line.p, line.n) != (ssize_t)line.n)
        return err_sys(e, errno, "cannot set %s", path);
    return 0;
}

int machine_firmware(const char *dir, struct err *e) {
    return set_switch("/sys/module/firmware_class/parameters/path", dir, e);
}

int machine_lock_down(struct err *e) {
    for (size_t i = 0; i < COUNT(switches); i++)
        if (set_switch(switches[i].path, switches[i].value, e))
            return -1;
    return 0;
}

void machine_set_clock(int64_t unix_seconds) {
    const int64_t from = 1735689600, to = 4102444800; /* the years 2025 to 2099 */

    if (unix_seconds >= from && unix_seconds < to)
        clock_settime(CLOCK_REALTIME, &(struct timespec){.tv_sec = unix_seconds});
}

/* Without ACPI there is no power switch; a reset ends QEMU under -no-reboot. */
void machine_power_off(void) {
    struct stat st;
    int how = stat("/sys/firmware/acpi", &st) ? RB_AUTOBOOT : RB_POWER_OFF;

    for (;;) {
        reboot(how);
        how = RB_AUTOBOOT;
        sleep(1);
    }
}
