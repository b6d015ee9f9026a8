/* A host, as far as it matters to who sells confidential guests on it: facts, no judgement (that is
 * doctor.h's).
 *
 * They are read below a root: "" is this machine. Any other root is a folder that describes a
 * machine, with what Linux shows below /sys, /proc, /dev and /boot, the file `cpuid` (a leaf a
 * line: leaf, EAX, EBX, ECX, EDX in hexadecimal) and, for what no file says, the file `answers` in
 * the form of core/conf.h. */
#ifndef CDVM_HOST_H
#define CDVM_HOST_H

#include "attest/snp_report.h"
#include "device_node.h"
#include "gpu_life.h"
#include "image.h"
#include "kvm_try.h"
#include "provconf.h"
#include "qemu_able.h"
#include "sev_dev.h"

#define HOST_RELAYS_MAX 8

struct host_chip {
    char vendor[13], brand[49];
    uint8_t family, model, stepping;
    bool virtual;              /* a hypervisor is below: this is a guest itself */
    uint32_t sev_eax, sev_edx; /* of leaf 8000001F; 0 without it */
};
struct host_gpu {
    struct gpu gpu;
    enum gpu_cc cc; /* UNKNOWN of one that a guest has: it is left alone */
    char cc_why[GPU_CC_WHY];
    enum gpu_standing standing;
    char standing_why[GPU_CC_WHY];
};
struct host_relay {
    const char *url; /* borrowed from the settings */
    bool tried;
    int64_t ms; /* to its answer; -1: none, for the reason in why */
    struct err why;
    bool dated;      /* its server said the time */
    int64_t ahead_s; /* of it, our clock */
};
struct host_image {
    bool loads, hashes; /* the firmware has a place for the kernel's hashes */
    bool vcpu_type;     /* the release knows the settings' one */
    bool base;          /* it has the volume with the GPU's driver */
    size_t offers;
    struct err why; /* without `loads` */
};
enum host_clock { CLOCK_LOOSE, CLOCK_KEPT, CLOCK_UNKNOWN }; /* by the kernel's own word */

struct host {
    const struct provider_conf *conf;
    char *root, *sys; /* sys: <root>/sys */
    bool real;
    struct host_chip cpu;
    char kernel[65];
    unsigned kernel_major, kernel_minor;
    struct buf config, cmdline; /* the kernel's; config empty: not found */
    uint64_t memory_mib;
    uint64_t huge_mib; /* set aside as huge pages */
    struct host_gpu *gpu;
    size_t n_gpus;
    struct err
        gpu_why; /* the inventory failed, or lacks one that the settings name; else code "" */
    /* what is asked, not read */
    struct kvm_tried kvm;
    /* QEMU, as whom it is run, may open it; else why not */
    bool guests_kvm, guests_sev;
    char kvm_why[DEVICE_WHY], node_why[DEVICE_WHY];
    bool sev_answers, qemu_answers;
    struct sev_status sev;
    struct err sev_why, qemu_why;
    struct qemu_able qemu;
    struct host_image image;
    bool amd_papers, nvidia_papers; /* certificate of this chip; reference values: in the cache */
    uint64_t memlock_mib;           /* that a guest can be given; UINT64_MAX: no limit */
    uint64_t disk_mib;              /* free where state is kept; UINT64_MAX: not known */
    enum host_clock clock;
    struct host_relay relay[HOST_RELAYS_MAX];
    size_t n_relays;
};
/* Told before each part that may take seconds. */
typedef void host_slow_fn(void *arg, const char *what);

struct host_opts {
    const struct provider_conf *conf; /* borrowed for the host's life */
    const char *root;                 /* NULL: this machine */
    const struct image *image;        /* loaded already; NULL: the settings' one is */
    bool no_relays;                   /* are tried */
    host_slow_fn *slow;               /* NULL legal */
    void *arg;
};
/* Reads and asks: some 25 s at most, where QEMU, KVM and every relay hang. NULL "bad-host": the
 * folder is none, or its own two files cannot be read. */
struct host *host_new(const struct host_opts *o, struct err *e);
void host_free(struct host *h); /* NULL legal */

/* The first line of a file below the root, without its newline; false when it cannot be read. */
bool host_word(const struct host *h, const char *path, char out[static 64]);
bool host_has(const struct host *h, const char *path);
/* A folder has an entry whose name starts so. */
bool host_lists(const struct host *h, const char *folder, const char *start);
bool host_folder_has(const char *folder, const char *start); /* of any folder */
/* 'y', 'm', 'n' (absent) or '?' where the configuration is not known. name: "CONFIG_KVM". */
char host_config(const struct host *h, const char *name);
/* A word of the kernel's command line, "iommu=pt". */
bool host_cmdline(const struct host *h, const char *word);
/* By family and model; UNKNOWN for another maker's. */
enum snp_product host_product(const struct host *h);
bool host_kernel_is(const struct host *h, unsigned major, unsigned minor); /* or newer */

/* host_ask.c, host_relays.c: what is asked. */
void host_name_relays(struct host *h);
void host_ask_relays(struct host *h);
void host_ask(struct host *h, const struct host_opts *o);
int host_answers(struct host *h, struct err *e) WARN_UNUSED; /* the file instead */

#endif
