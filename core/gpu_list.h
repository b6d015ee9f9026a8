/* Evidence of GPUs as a list in JSON: in hello, and in files of the form that every tool shares,
 *
 *   [{"arch":"HOPPER","nonce":hex,"evidence":base64 of the report,
 *     "certificate":base64 of the chain in PEM, leaf first,"state":8 hex digits}, ...]
 *
 * where state (ccFeature, devTools, environment, multiGpuMode as NVML said them) is ours and absent
 * in files of others. Other members are passed over. What is bound is in the protocol's order:
 * ascending by the serial number of certificate 1, whose holder is the device (cdvm-protocol(7),
 * "Binding"). */
#ifndef CDVM_GPU_LIST_H
#define CDVM_GPU_LIST_H

#include "binding.h"
#include "json.h"

#define GPU_LIST_MAX ((size_t)1 << 20) /* bytes of JSON */
#define GPU_PEM_MAX ((size_t)16384)    /* bytes of one chain */

struct gpu_item {
    struct gpu_evidence ev; /* its views lie in the buffers below */
    struct buf report, cert[GPU_CERTS];
    size_t n_certs; /* carried; other than GPU_CERTS is no chain, and then the rest is dropped */
    bool has_nonce, has_state;
    uint8_t nonce[32]; /* as the list says; what counts is the one in the report */
    char arch[16];
};
struct gpu_list {
    struct gpu_item *item;
    size_t n;
};

/* "bad-gpu-list", "too-large". gpu_list_free(out) in any case. */
int gpu_list_parse(struct view json, struct gpu_list *out, struct err *e) WARN_UNUSED;
int gpu_list_read(const cJSON *array, struct gpu_list *out, struct err *e) WARN_UNUSED;
void gpu_list_free(struct gpu_list *l); /* legal on {0} */
/* The value: an array of what the caller holds, with state. nonce: of all of them. */
void gpu_list_write(const struct gpu_evidence *gpu, size_t n, const uint8_t nonce[static 32],
                    struct jw *w);

/* One device of raw bytes: chain in PEM. arch: "HOPPER", "BLACKWELL" or "LS10";
 * NULL: not said, and then ev.arch is NULL. */
int gpu_item_read(struct gpu_item *out, const char *arch, struct view report, struct view pem,
                  struct err *e) WARN_UNUSED;
void gpu_item_free(struct gpu_item *i);
/* Puts devices into the protocol's order. "same-gpu" when two have the same serial number,
 * "bad-gpu-list" when one has none that can be read. */
int gpu_order(struct gpu_evidence *gpu, size_t n, struct err *e) WARN_UNUSED;

/* What a guest binds of a list: every device whole, with its state, in the protocol's order. gpu
 * has room for GPUS_MAX and borrows from l. "bad-gpu-list", "same-gpu" */
int gpu_list_bound(const struct gpu_list *l, struct gpu_evidence *gpu, struct err *e) WARN_UNUSED;

/* Certificates of a PEM text: nothing but certificates, lines of 64 characters ending in "\n", so
 * that one chain has one text. Fills at most max and counts them all. */
int pem_certificates(struct view pem, struct buf *der, size_t max, size_t *n,
                     struct err *e) WARN_UNUSED;

#endif
