#include "gpunodes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* nv.h: NV_MAJOR_DEVICE_NUMBER; that of the memory manager is not fixed. */
#define NVIDIA_MAJOR 195
#define CONTROL_MINOR 255

static const struct {
    const char *path;
    unsigned minor;
    bool uvm;
} fixed[] = {
    {"/dev/nvidiactl", CONTROL_MINOR, false},
    {"/dev/nvidia-uvm", 0, true},
    {"/dev/nvidia-uvm-tools", 1, true},
};

bool gpunodes_path(unsigned i, unsigned gpus, char out[static GPUNODE_PATH]) {
    if (i < COUNT(fixed))
        snprintf(out, GPUNODE_PATH, "%s", fixed[i].path);
    else
        snprintf(out, GPUNODE_PATH, "/dev/nvidia%zu", i - COUNT(fixed));
    return i < COUNT(fixed) + gpus;
}

/* Lines "195 nvidia", those of character devices first. */
unsigned gpunodes_major(struct view devices, const char *driver) {
    cleanup_free char *text = mem_strn(devices.p, devices.n);
    char *rest = strstr(text, "Block devices:"), *line, *name;
    unsigned long major;

    if (rest)
        *rest = '\0';
    for (rest = text; (line = strsep(&rest, "\n"));) {
        major = strtoul(line, &name, 10);
        if (name != line && *name == ' ' && !strcmp(name + 1, driver) && major < 4096)
            return (unsigned)major;
    }
    return 0;
}

/* The sandboxes' users are others: what is bound into them must be open to them. */
static int make_one(const char *path, unsigned major, unsigned minor, struct err *e) {
    if (mknod(path, S_IFCHR, makedev(major, minor)) || chmod(path, 0666))
        return err_sys(e, errno, "cannot make %s", path);
    return 0;
}

int gpunodes_make(unsigned gpus, struct err *e) {
    cleanup_buf struct buf devices = {0};
    char path[GPUNODE_PATH];
    unsigned uvm;

    if (file_read("/proc/devices", 16384, &devices, e))
        return -1;
    uvm = gpunodes_major(buf_view(&devices), "nvidia-uvm");
    if (!uvm)
        return err_set(e, "gpu-driver", "the kernel has not got NVIDIA's driver");
    for (unsigned i = 0; gpunodes_path(i, gpus, path); i++) {
        const bool of_uvm = i < COUNT(fixed) && fixed[i].uvm;
        const unsigned minor = i < COUNT(fixed) ? fixed[i].minor : i - (unsigned)COUNT(fixed);

        if (make_one(path, of_uvm ? uvm : NVIDIA_MAJOR, minor, e))
            return -1;
    }
    return 0;
}
