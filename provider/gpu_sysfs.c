#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/dvm.h"
#include "gpu_sysfs.h"

#define NVIDIA 0x10deu
#define CLASS_3D 0x0302u
#define SLOT_TEXT 10 /* "0000:41:00" of an address */
#define CLASS_BRIDGE 0x06u
#define MIB ((uint64_t)1 << 20)
#define SYSFS_MAX 4096

/* Flags of a line of `resource` (include/linux/ioport.h). */
#define RES_MEM 0x200u
#define RES_PREFETCH 0x2000u
#define RES_MEM_64 0x100000u

bool bdf_ok(const char *s) {
    static const char form[] = "xxxx:xx:xx.f";
    size_t i = 0;

    for (; s[i] && form[i]; i++)
        if (form[i] == 'x' ? !strchr("0123456789abcdef", s[i])
                           : (form[i] == 'f' ? s[i] < '0' || s[i] > '7' : s[i] != form[i]))
            return false;
    return !s[i] && !form[i];
}

/* --- files of one device --- */

/* "0x10de\n", at most max. */
static int read_hex(const char *dir, const char *name, uint64_t max, uint64_t *out, struct err *e) {
    cleanup_free char *path = mem_fmt("%s/%s", dir, name);
    cleanup_buf struct buf b = {0};
    char *end;

    if (file_read(path, SYSFS_MAX, &b, e) < 0)
        return err_wrap(e, "PCI");
    errno = 0;
    *out = b.n ? strtoull((const char *)b.p, &end, 16) : 0;
    if (!b.n || errno || end == (const char *)b.p || (*end && *end != '\n') || *out > max)
        return err_set(e, "bad-sysfs", "'%s' does not hold a hexadecimal number", path);
    return 0;
}

/* The last name of a link's target; "" without the link. */
static void read_link(const char *dir, const char *name, char out[static DRIVER_TEXT]) {
    cleanup_free char *path = mem_fmt("%s/%s", dir, name);
    char target[512];
    ssize_t n = readlink(path, target, sizeof target - 1);

    target[n > 0 ? n : 0] = 0;
    text_clip(out, DRIVER_TEXT, n > 0 ? basename(target) : "");
}

void gpu_driver(const char *sys, const char *bdf, char out[static DRIVER_TEXT]) {
    cleanup_free char *dir = mem_fmt("%s/bus/pci/devices/%s", sys, bdf);

    read_link(dir, "driver", out);
}

static bool take_bar(const char **s, struct gpu_bar *out) {
    uint64_t v[3];
    char *end;

    for (size_t i = 0; i < 3; i++) {
        errno = 0;
        v[i] = strtoull(*s, &end, 16);
        if (errno || end == *s)
            return false;
        *s = end;
    }
    *s += strspn(*s, "\n");
    if ((v[0] || v[1]) && (v[1] < v[0] || v[1] - v[0] == UINT64_MAX))
        return false;
    *out = (struct gpu_bar){.size = v[0] || v[1] ? v[1] - v[0] + 1 : 0,
                            .memory = v[2] & RES_MEM,
                            .wide = v[2] & RES_MEM_64,
                            .prefetchable = v[2] & RES_PREFETCH};
    return true;
}

/* One line a window: first byte, last byte, flags. The first six are the BARs. */
static int read_bars(const char *dir, struct gpu *g, struct err *e) {
    cleanup_free char *path = mem_fmt("%s/resource", dir);
    cleanup_buf struct buf b = {0};
    const char *s;

    if (file_read(path, SYSFS_MAX, &b, e) < 0)
        return err_wrap(e, "PCI");
    s = b.n ? (const char *)b.p : "";
    for (size_t i = 0; i < GPU_BARS; i++)
        if (!take_bar(&s, &g->bar[i]))
            return err_set(e, "bad-sysfs", "line %zu of '%s' is not a window", i + 1, path);
    return 0;
}

/* --- its IOMMU group --- */

static int by_bdf(const void *a, const void *b) {
    return memcmp(a, b, BDF_TEXT); /* both kinds of entry start with it */
}

static int add_member(struct gpu *g, const char *dir, const char *bdf, struct err *e) {
    cleanup_free char *at = mem_fmt("%s/%s", dir, bdf);
    struct gpu_member *m = &g->member[g->n_members];
    uint64_t class;

    if (g->n_members == GPU_MEMBERS_MAX)
        return err_set(e, "bad-sysfs", "the IOMMU group of %s has over %d functions", g->bdf,
                       GPU_MEMBERS_MAX);
    if (read_hex(at, "class", 0xffffff, &class, e) < 0)
        return -1;
    *m = (struct gpu_member){.class = (uint32_t) class};
    memcpy(m->bdf, bdf, BDF_TEXT);
    read_link(at, "driver", m->driver);
    g->n_members++;
    return 0;
}

static int read_group(const char *dir, struct gpu *g, struct err *e) {
    cleanup_free char *path = mem_fmt("%s/iommu_group/devices", dir);
    char number[DRIVER_TEXT], *end;
    DIR *d;
    struct dirent *ent;
    int rc = 0;

    g->group = -1;
    read_link(dir, "iommu_group", number);
    if (!number[0])
        return 0;
    g->group = (int)strtoul(number, &end, 10);
    if (*end || g->group < 0 || !(d = opendir(path)))
        return err_set(e, "bad-sysfs", "'%s/iommu_group' is not an IOMMU group", dir);
    while (rc == 0 && (ent = readdir(d)))
        if (bdf_ok(ent->d_name) && strcmp(ent->d_name, g->bdf) != 0)
            rc = add_member(g, path, ent->d_name, e);
    closedir(d);
    qsort(g->member, g->n_members, sizeof *g->member, by_bdf);
    return rc;
}

/* The character device that iommufd takes it by: the one name in vfio-dev/. */
static void read_cdev(const char *dir, struct gpu *g) {
    cleanup_free char *path = mem_fmt("%s/vfio-dev", dir);
    DIR *d = opendir(path);
    struct dirent *ent;

    g->cdev[0] = 0;
    while (d && (ent = readdir(d)))
        if (!strncmp(ent->d_name, "vfio", 4))
            text_clip(g->cdev, sizeof g->cdev, ent->d_name);
    if (d)
        closedir(d);
}

/* --- the list --- */

/* 1 a GPU, 0 something else. */
static int read_device(const char *devices, const char *bdf, struct gpu *g, struct err *e) {
    cleanup_free char *dir = mem_fmt("%s/%s", devices, bdf);
    uint64_t vendor, device, class;

    if (read_hex(dir, "vendor", 0xffff, &vendor, e) < 0 ||
        read_hex(dir, "device", 0xffff, &device, e) < 0 ||
        read_hex(dir, "class", 0xffffff, &class, e) < 0)
        return -1;
    if (vendor != NVIDIA || class >> 8 != CLASS_3D)
        return 0;
    *g = (struct gpu){
        .vendor = (uint16_t)vendor, .device = (uint16_t)device, .class = (uint32_t) class};
    memcpy(g->bdf, bdf, BDF_TEXT);
    read_link(dir, "driver", g->driver);
    read_cdev(dir, g);
    return read_bars(dir, g, e) < 0 || read_group(dir, g, e) < 0 ? -1 : 1;
}

int gpu_list(const char *sys, struct gpu *out, size_t max, size_t *n, struct err *e) {
    cleanup_free char *path = mem_fmt("%s/bus/pci/devices", sys);
    DIR *d = opendir(path);
    struct dirent *ent;
    int rc = 0;

    *n = 0;
    while (d && rc >= 0 && (ent = readdir(d))) {
        if (!bdf_ok(ent->d_name))
            continue;
        rc = *n == max ? err_set(e, "bad-sysfs", "there are over %zu GPUs", max)
                       : read_device(path, ent->d_name, &out[*n], e);
        *n += rc == 1;
    }
    if (d)
        closedir(d);
    qsort(out, *n, sizeof *out, by_bdf);
    return rc < 0 ? -1 : 0;
}

static int no_such_gpu(const char *bdf, const struct gpu *all, size_t n, struct err *e) {
    cleanup_buf struct buf names = {0};

    for (size_t i = 0; i < n; i++)
        buf_fmt(&names, "%s%s", i ? ", " : "", all[i].bdf);
    if (!n)
        return err_set(e, "no-gpu", "there is no NVIDIA GPU (PCI class 0302) in this machine");
    return err_set(e, "no-gpu", "'%s' is not an NVIDIA GPU of this machine: there is %.200s", bdf,
                   (const char *)names.p);
}

/* The others are looked at for the sentence alone: what becomes of them is no fault of this one. */
int gpu_find(const char *sys, const char *bdf, struct gpu *out, struct err *e) {
    cleanup_free char *devices = mem_fmt("%s/bus/pci/devices", sys);
    cleanup_free char *dir = mem_fmt("%s/%s", devices, bdf);
    cleanup_free struct gpu *all = NULL;
    struct gpu g; /* bdf may be out's own */
    size_t n;
    int rc;

    if (!bdf_ok(bdf))
        return err_set(e, "no-gpu", "'%.40s' is not a PCI address such as 0000:41:00.0", bdf);
    rc = access(dir, F_OK) < 0 ? 0 : read_device(devices, bdf, &g, e);
    if (rc < 0)
        return -1;
    if (rc) {
        *out = g;
        return 0;
    }
    all = mem_new(GPUS_MAX * sizeof *all);
    return gpu_list(sys, all, GPUS_MAX, &n, e) < 0 ? -1 : no_such_gpu(bdf, all, n, e);
}

bool gpu_owns(const struct gpu *g, const struct gpu_member *m) {
    return !memcmp(m->bdf, g->bdf, SLOT_TEXT);
}

const struct gpu_member *gpu_intruder(const struct gpu *g, bool foreign) {
    for (size_t i = 0; i < g->n_members; i++) {
        const struct gpu_member *m = &g->member[i];

        if (m->class >> 16 != CLASS_BRIDGE && strcmp(m->driver, "vfio-pci") != 0 &&
            !(foreign && gpu_owns(g, m)))
            return m;
    }
    return NULL;
}

int gpu_fit(const struct gpu *g, struct err *e) {
    const struct gpu_member *m = gpu_intruder(g, false);

    if (g->group < 0)
        return err_set(e, "gpu-unfit",
                       "%s is behind no IOMMU: switch it on in the firmware's setup (AMD-Vi)",
                       g->bdf);
    if (m)
        return err_set(e, "gpu-unfit",
                       "%s shares IOMMU group %d with %s (class %06x, driver %s): bind that to "
                       "vfio-pci too, or move the GPU to a slot of its own (ACS)",
                       g->bdf, g->group, m->bdf, m->class, m->driver[0] ? m->driver : "none");
    if (strcmp(g->driver, "vfio-pci") != 0)
        return err_set(e, "gpu-unfit", "%s is held by %s, not by vfio-pci", g->bdf,
                       g->driver[0] ? g->driver : "no driver");
    if (!g->cdev[0])
        return err_set(e, "gpu-unfit",
                       "%s has no vfio-dev: iommufd needs Linux 6.6 or newer with "
                       "CONFIG_VFIO_DEVICE_CDEV",
                       g->bdf);
    return 0;
}

/* --- windows --- */

static uint64_t round_up(uint64_t n, uint64_t unit) {
    return (n + unit - 1) / unit * unit;
}

static uint64_t windows(const struct gpu *g, bool high) {
    uint64_t sum = 0;

    for (size_t i = 0; i < GPU_BARS; i++) {
        const struct gpu_bar *b = &g->bar[i];

        if (b->memory && (b->wide && b->prefetchable) == high && b->size <= (uint64_t)1 << 48)
            sum += b->size;
    }
    return round_up(sum, MIB);
}

uint64_t gpu_window64(const struct gpu *g) {
    return windows(g, true);
}
uint64_t gpu_window32(const struct gpu *g) {
    return windows(g, false);
}

uint64_t gpu_aperture_mib(const struct gpu *g) {
    uint64_t need = gpu_window64(g) / MIB, power = 1;

    while (power < need)
        power <<= 1;
    return need ? power * 2 : 0;
}
