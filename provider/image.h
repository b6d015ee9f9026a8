/* A guest image: a folder that `make image` fills and `cdvm image manifest` describes.
 *
 *   kernel, initrd, ovmf.fd, cmdline.template, packages.lock   the release
 *   release.manifest                                           its canonical manifest
 *   NAME.vol, NAME.json                                        a workload volume and its job.json
 *   NAME.manifest                                              its canonical manifest
 *
 * Loading reads every byte once: kernel and initrd into sealed memory files, which are what QEMU is
 * given, so the hashes here are those of what boots. */
#ifndef CDVM_IMAGE_H
#define CDVM_IMAGE_H

#include "core/release.h"

#define IMAGE_VOLUMES_MAX 8

struct image_volume {
    char name[64];
    int fd;               /* opened read-only */
    struct volume volume; /* computed from the bytes */
    struct manifest *manifest;
    struct buf content; /* of the manifest */
    uint8_t digest[32];
};
struct image {
    int kernel_fd, initrd_fd; /* sealed memory files */
    uint8_t kernel_sha256[32], initrd_sha256[32], lock_sha256[32];
    struct ovmf ovmf;
    char *cmdline; /* template, from cmdline.template */
    struct release *release;
    struct buf content; /* of the release manifest */
    uint8_t digest[32];
    struct image_volume volume[IMAGE_VOLUMES_MAX];
    size_t n_volumes;
};

/* The pieces without any manifest: what `cdvm image manifest` starts from. */
struct image *image_open(const char *dir, struct err *e);
/* Adds the manifests that stand in the folder. */
int image_read_manifests(struct image *m, const char *dir, struct err *e) WARN_UNUSED;
/* "bad-image", with a sentence naming the first piece that is not what its manifest says. */
int image_check(const struct image *m, struct err *e) WARN_UNUSED;
/* All three: what a provider does. NULL on error. */
struct image *image_load(const char *dir, struct err *e);
void image_free(struct image *m); /* NULL legal */
const struct image_volume *image_find(const struct image *m, const char *root_blocks);

/* The launch digest of this image's bytes under that command line, as SEV-SNP would compute it. */
int image_launch_digest(const struct image *m, const char *append, uint32_t vcpus,
                        const char *vcpu_type, uint64_t features, uint8_t out[static 48],
                        struct err *e) WARN_UNUSED;

#endif
