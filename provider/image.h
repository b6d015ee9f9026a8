/* A guest image: a folder that `make image` fills and `cdvm image manifest` describes.
 *
 *   kernel, initrd, ovmf.fd, cmdline.template, packages.lock   the release
 *   base.vol                                                   of a release for GPUs: the volume
 *                                                              that its command line names
 *   release.manifest                                           its canonical manifest
 *   NAME.vol, NAME.json                                        a workload volume and its job.json
 *   NAME.vol, NAME.model                                       a model volume and its card.json
 *   NAME.sealed                                                beside a model that only its owner
 *                                                              can open (modelfile.h): NAME.vol
 *                                                              is then encrypted
 *   NAME.manifest                                              its canonical manifest
 *   NAME.offer                                                 what is sold: image_offer below
 *
 * Loading reads every byte once: kernel and initrd into sealed memory files, which are what QEMU is
 * given, so the hashes here are those of what boots. */
#ifndef CDVM_IMAGE_H
#define CDVM_IMAGE_H

#include "core/release.h"
#include "vm.h"

#define IMAGE_VOLUMES_MAX 16
#define IMAGE_OFFERS_MAX 16

struct image_volume {
    char name[64];
    bool is_model;        /* it stands beside a NAME.model */
    int fd;               /* opened read-only */
    struct volume volume; /* computed from the bytes; of a sealed one: as its owner says */
    bool sealed;
    uint8_t broker[32]; /* the owner's key, when sealed */
    struct manifest *manifest;
    struct buf content; /* of the manifest */
    uint8_t digest[32];
};
/* A workload, with or without a model, in a guest of that size: one offer of the provider's. Text
 * is NULL and numbers are 0 where the template is silent: the provider's own settings then hold. */
struct image_offer {
    char d[64];                              /* the template's file without ".offer" */
    const struct image_volume *work, *model; /* model NULL: none */
    uint32_t job_kind;                       /* KIND_JOB_CHAT or KIND_JOB_TOOL */
    uint32_t memory_mib, vcpus;
    uint32_t gpus;      /* 0 or 1 */
    char *name, *about; /* owned; NULL: the workload's name, the provider's sentence */
    char broker[65];    /* 64 hex or "none" */
};
struct image {
    int kernel_fd, initrd_fd, ovmf_fd; /* sealed memory files */
    uint8_t kernel_sha256[32], initrd_sha256[32], lock_sha256[32];
    struct ovmf ovmf;
    char *cmdline; /* template, from cmdline.template */
    int base_fd;   /* opened read-only; -1: the release has no base */
    struct volume base;
    struct release *release;
    struct buf content; /* of the release manifest */
    uint8_t digest[32];
    struct image_volume volume[IMAGE_VOLUMES_MAX];
    size_t n_volumes;
    struct image_offer offer[IMAGE_OFFERS_MAX]; /* in the order of their names */
    size_t n_offers;
};

/* The pieces without any manifest: what `cdvm image manifest` starts from. */
struct image *image_open(const char *dir, struct err *e);
/* Adds the manifests that stand in the folder. */
int image_read_manifests(struct image *m, const char *dir, struct err *e) WARN_UNUSED;
/* "bad-image", with a sentence naming the first piece that is not what its manifest says. */
int image_check(const struct image *m, struct err *e) WARN_UNUSED;
/* The folder's offer templates; without any, one offer for each workload. Code "bad-template" with
 * file and line. Needs the manifests. */
int image_read_offers(struct image *m, const char *dir, struct err *e) WARN_UNUSED;
void image_drop_offers(struct image *m);
void image_drop_gpu_offers(struct image *m); /* those of guests with a GPU */
/* All four: what a provider does. NULL on error. */
struct image *image_load(const char *dir, struct err *e);
void image_free(struct image *m); /* NULL legal */
/* What the guest of that offer is given, in QEMU's order; how many are filled. */
size_t image_disks(const struct image *m, const struct image_offer *o,
                   struct vm_disk out[static VM_DISKS_MAX]);
const struct image_volume *image_find(const struct image *m, const char *root_blocks);
const struct image_volume *image_named(const struct image *m, const char *name);

/* What the parts of this module share: `take` is given each file of the folder that is wanted,
 * until it says -1. */
typedef int image_file_fn(struct image *m, const char *dir, const char *file, struct err *e);
int image_each(struct image *m, const char *dir, bool (*wanted)(const char *file),
               image_file_fn *take, struct err *e) WARN_UNUSED;

/* The launch digest of this image's bytes under that command line, as SEV-SNP would compute it. */
int image_launch_digest(const struct image *m, const char *append, uint32_t vcpus,
                        const char *vcpu_type, uint64_t features, uint8_t out[static 48],
                        struct err *e) WARN_UNUSED;

#endif
