#include "gpu_bind.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/loop.h"

#define VFIO "vfio-pci"
#define POLL_MS 10
#define RECORD_MAX ((size_t)4096)

/* Some drivers take a function after the write that asked them to has returned. */
static int settle_ms = 5000;

/* --- files of the device --- */

static int put_file(const char *path, const char *value, struct err *e) {
    cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
    size_t n = strlen(value);

    if (fd < 0 || write(fd, value, n) != (ssize_t)n)
        return err_sys(e, errno, "cannot write '%.*s' to '%s'", (int)strcspn(value, "\n"), value,
                       path);
    return 0;
}

static int put(const char *sys, const char *bdf, const char *file, const char *value,
               struct err *e) {
    cleanup_free char *path = mem_fmt("%s/bus/pci/devices/%s/%s", sys, bdf, file);

    return put_file(path, value, e);
}

static bool comes_to(const char *sys, const char *bdf, const char *driver) {
    const struct timespec nap = {.tv_nsec = POLL_MS * 1000000L};
    int64_t until = loop_now() + settle_ms;
    char now[DRIVER_TEXT];

    for (;;) {
        gpu_driver(sys, bdf, now);
        if (!strcmp(now, driver))
            return true;
        if (loop_now() >= until)
            return false;
        nanosleep(&nap, NULL);
    }
}

/* --- what changes hands --- */

struct function {
    const char *bdf, *driver;
};

static size_t functions_of(const struct gpu *g, struct function out[static GPU_MEMBERS_MAX + 1]) {
    size_t n = 0;

    out[n++] = (struct function){g->bdf, g->driver};
    for (size_t i = 0; i < g->n_members; i++)
        if (gpu_owns(g, &g->member[i]))
            out[n++] = (struct function){g->member[i].bdf, g->member[i].driver};
    return n;
}

void gpu_bind_record(const struct gpu *g, struct buf *out) {
    struct function f[GPU_MEMBERS_MAX + 1];
    size_t n = functions_of(g, f);

    for (size_t i = 0; i < n; i++)
        if (strcmp(f[i].driver, VFIO) != 0)
            buf_fmt(out, "%s %s\n", f[i].bdf, f[i].driver[0] ? f[i].driver : "-");
}

/* --- in use by the host? NVIDIA's driver waits for ever for its users when it is unbound --- */

static bool process_has(const char *proc, const char *pid, const char *node) {
    cleanup_free char *dir = mem_fmt("%s/%s/fd", proc, pid);
    DIR *d = opendir(dir);
    struct dirent *ent;
    char target[128];
    bool has = false;

    while (d && !has && (ent = readdir(d))) {
        ssize_t n = readlinkat(dirfd(d), ent->d_name, target, sizeof target - 1);

        target[n > 0 ? n : 0] = 0;
        has = !strcmp(target, node);
    }
    if (d)
        closedir(d);
    return has;
}

/* 0: nobody. */
static long holder_of(const char *proc, const char *node) {
    DIR *d = opendir(proc);
    struct dirent *ent;
    long pid = 0;

    while (d && !pid && (ent = readdir(d)))
        if (ent->d_name[0] >= '1' && ent->d_name[0] <= '9' && process_has(proc, ent->d_name, node))
            pid = strtol(ent->d_name, NULL, 10);
    if (d)
        closedir(d);
    return pid;
}

/* "Device Minor: \t 3" of what the driver says about it. */
static long minor_of(const char *proc, const char *bdf) {
    static const char key[] = "Device Minor:";
    cleanup_free char *path = mem_fmt("%s/driver/nvidia/gpus/%s/information", proc, bdf);
    cleanup_buf struct buf b = {0};
    const char *at;

    if (file_read(path, RECORD_MAX, &b, NULL) < 0 || !b.n)
        return -1;
    at = strstr((const char *)b.p, key);
    return at ? strtol(at + strlen(key), NULL, 10) : -1;
}

static int check_idle(const char *proc, const struct function *f, struct err *e) {
    long minor = strcmp(f->driver, "nvidia") ? -1 : minor_of(proc, f->bdf);
    cleanup_free char *node = mem_fmt("/dev/nvidia%ld", minor);
    long pid = minor < 0 ? 0 : holder_of(proc, node);

    if (!pid)
        return 0;
    return err_set(e, "gpu-in-use",
                   "%s is in use on this host: process %ld has %s open (nvidia-persistenced, a "
                   "monitor?): end it first",
                   f->bdf, pid, node);
}

/* --- taking, giving back --- */

static int take(const char *sys, const char *proc, const struct function *f, struct err *e) {
    cleanup_free char *probe = mem_fmt("%s/bus/pci/drivers_probe", sys);

    if (!strcmp(f->driver, VFIO))
        return 0;
    if (check_idle(proc, f, e) < 0 || put(sys, f->bdf, "driver_override", VFIO, e) < 0 ||
        (f->driver[0] && put(sys, f->bdf, "driver/unbind", f->bdf, e) < 0) ||
        put_file(probe, f->bdf, e) < 0)
        return -1;
    if (!comes_to(sys, f->bdf, VFIO))
        return err_set(e, "gpu-bind",
                       "vfio-pci does not take %s: it is held by %s (is the module loaded? "
                       "`modprobe vfio-pci`)",
                       f->bdf, f->driver[0] ? f->driver : "no driver");
    return 0;
}

int gpu_bind_take(const char *sys, const char *proc, const struct gpu *g, struct err *e) {
    struct function f[GPU_MEMBERS_MAX + 1];
    size_t n = functions_of(g, f);
    int rc = 0;

    for (size_t i = 0; i < n && rc == 0; i++)
        rc = take(sys, proc, &f[i], e);
    return rc;
}

static int give(const char *sys, const struct function *f, struct err *e) {
    cleanup_free char *probe = mem_fmt("%s/bus/pci/drivers_probe", sys);
    char now[DRIVER_TEXT];

    gpu_driver(sys, f->bdf, now);
    if (put(sys, f->bdf, "driver_override", "\n", e) < 0)
        return -1;
    if (strcmp(now, VFIO) != 0)
        return 0;
    if (put(sys, f->bdf, "driver/unbind", f->bdf, e) < 0)
        return -1;
    if (!strcmp(f->driver, "-"))
        return 0;
    if (put_file(probe, f->bdf, e) < 0)
        return -1;
    if (!comes_to(sys, f->bdf, f->driver))
        return err_set(e, "gpu-bind", "the host's driver %s does not take %s back", f->driver,
                       f->bdf);
    return 0;
}

static bool record_line(char *line, struct function *out) {
    char *gap = strchr(line, ' ');

    if (!gap || strchr(gap + 1, '/') || !gap[1] || strlen(gap + 1) >= DRIVER_TEXT)
        return false;
    *gap = 0;
    *out = (struct function){line, gap + 1};
    return bdf_ok(line);
}

/* All of them are tried; the last failure is told. */
int gpu_bind_back(const char *sys, struct view record, struct err *e) {
    cleanup_free char *copy = mem_strn(record.p, record.n);
    char *line, *rest = copy;
    struct function f;
    int rc = 0;

    while ((line = strsep(&rest, "\n"))) {
        if (!*line)
            continue;
        if (!record_line(line, &f))
            rc = err_set(e, "gpu-bind", "the record of a GPU's drivers is damaged");
        else if (give(sys, &f, e) < 0)
            rc = -1;
    }
    return rc;
}

long gpu_bind_guest(const char *proc, const struct gpu *g) {
    cleanup_free char *node = mem_fmt("/dev/vfio/devices/%s", g->cdev);

    return g->cdev[0] ? holder_of(proc, node) : 0;
}

int gpu_bind_reset(const char *sys, const char *bdf, const char *method, struct err *e) {
    return put(sys, bdf, "reset_method", method, e) < 0 || put(sys, bdf, "reset", "1", e) < 0 ? -1
                                                                                              : 0;
}
