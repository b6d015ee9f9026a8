/* OCI images as a folder on disk (image-spec: image-layout.md, image-index.md, manifest.md,
 * config.md). Every blob is checked against the size and the SHA-256 by which it is named, from the
 * index down; of several images one for linux/amd64 is taken. */
#ifndef CDVM_OCI_H
#define CDVM_OCI_H

#include "core/bytes.h"

#define OCI_LAYERS_MAX 256

struct oci_blob {
    uint8_t sha256[32];
    uint64_t size;
};
struct oci_words {
    char **v; /* owned */
    size_t n;
};
struct oci_image {
    struct oci_blob config, *layer; /* lowest first; owned */
    size_t n_layers;
    struct oci_words argv, env; /* Entrypoint followed by Cmd; "NAME=value" */
    char *cwd, *user;           /* as they stand there; "" when absent */
};

/* `layout`: the folder. ref: org.opencontainers.image.ref.name of the one that is meant; NULL when
 * there is only one. Codes "bad-oci", "too-large", "system". */
int oci_read(int layout, const char *ref, struct oci_image *out, struct err *e) WARN_UNUSED;
void oci_free(struct oci_image *m); /* legal on {0} */
/* The layer's bytes, after all of them were checked; the caller closes it. -1 on error. */
int oci_layer_open(int layout, const struct oci_blob *b, struct err *e) WARN_UNUSED;

/* The three parsers, for bytes from anybody. oci_pick: *nested is set when what it found is another
 * index. */
int oci_pick(struct view index, const char *ref, struct oci_blob *out, bool *nested,
             struct err *e) WARN_UNUSED;
int oci_take_manifest(struct view text, struct oci_image *out, struct err *e) WARN_UNUSED;
int oci_take_config(struct view text, struct oci_image *out, struct err *e) WARN_UNUSED;

#endif
