/* NVIDIA GPUs of a host, as Linux shows them under /sys: who shares an IOMMU group with whom, how
 * large their windows are, which driver holds them.
 *
 * Reads only; the root is an argument, so that a host can be described by a folder. Nothing here is
 * trusted by a customer: it decides what the provider dares to launch. */
#ifndef CDVM_GPU_SYSFS_H
#define CDVM_GPU_SYSFS_H

#include "core/bytes.h"

#define BDF_TEXT 13 /* "0000:41:00.0" with its NUL */
#define GPU_BARS 6
#define GPU_MEMBERS_MAX 32
#define GPUS_MAX 64
#define DRIVER_TEXT 32

struct gpu_bar {
    uint64_t size; /* bytes; 0: not there, or the upper half of the one before */
    bool memory, wide, prefetchable;
};
/* One function of an IOMMU group. */
struct gpu_member {
    char bdf[BDF_TEXT];
    uint32_t class;           /* 24 bits */
    char driver[DRIVER_TEXT]; /* "": none */
};
struct gpu {
    char bdf[BDF_TEXT];
    uint16_t vendor, device;
    uint32_t class;
    struct gpu_bar bar[GPU_BARS];
    char driver[DRIVER_TEXT];
    int group;                                 /* number of the IOMMU group; -1: no IOMMU */
    struct gpu_member member[GPU_MEMBERS_MAX]; /* of the group, without the GPU itself */
    size_t n_members;
    char cdev[DRIVER_TEXT]; /* "vfio0" of /dev/vfio/devices; "" until vfio-pci holds it */
};

/* "0000:41:00.0": four, two, two hexadecimal digits in lower case and a function from 0 to 7. */
bool bdf_ok(const char *s);
/* All of vendor 10de and class 0302 ("3D controller"), ascending by address. sys: "/sys". A host
 * without PCI has none. -1 "bad-sysfs": a file there is not what Linux writes. */
int gpu_list(const char *sys, struct gpu *out, size_t max, size_t *n, struct err *e) WARN_UNUSED;
/* That one; "no-gpu" names those there are. */
int gpu_find(const char *sys, const char *bdf, struct gpu *out, struct err *e) WARN_UNUSED;
/* A function of the GPU's own card: jobs take it from its driver with the GPU (gpu_bind.h). */
bool gpu_owns(const struct gpu *g, const struct gpu_member *m);
/* The first of its group that could read a guest's memory: no bridge, and not held by vfio-pci.
 * foreign: of another card. NULL: none. */
const struct gpu_member *gpu_intruder(const struct gpu *g, bool foreign);
/* Can it be handed to a guest: behind an IOMMU, held by vfio-pci with all that shares its group but
 * bridges? Else "gpu-unfit" and what to do. */
int gpu_fit(const struct gpu *g, struct err *e) WARN_UNUSED;

/* Who holds any function now; "": nobody. */
void gpu_driver(const char *sys, const char *bdf, char out[static DRIVER_TEXT]);

/* Windows in bytes that its BARs need of the bridge above: 64-bit prefetchable, and below 4 GiB. */
uint64_t gpu_window64(const struct gpu *g);
uint64_t gpu_window32(const struct gpu *g);
/* MiB above RAM that the firmware has to set aside for it: twice the next power of two, since a
 * window is as large and as aligned as a power of two. */
uint64_t gpu_aperture_mib(const struct gpu *g);

#endif
