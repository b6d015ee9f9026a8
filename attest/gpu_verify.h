/* The checks over the evidence of GPUs: adds the group "gpu" to a verdict. Each check is one line
 * for all devices: the worst of them speaks, by name. */
#ifndef CDVM_GPU_VERIFY_H
#define CDVM_GPU_VERIFY_H

#include "gpu_device.h"
#include "verdict_make.h"

#define GPU_RIMS 8
#define GPU_OCSPS 64
#define GPU_CRLS 8
/* What NVIDIA signs about devices, carried by anybody. Empty where it is absent. */
struct gpu_collateral {
    struct view rim[GPU_RIMS]; /* reference values, as XML */
    size_t n_rims;
    struct view ocsp[GPU_OCSPS]; /* answers of its responders, as DER */
    size_t n_ocsps;
    struct view crl[GPU_CRLS]; /* DER */
    size_t n_crls;
};

struct gpu_input {
    const struct gpu_subject *gpu;
    size_t n;
    const char *unreadable; /* why evidence that came is not among gpu; NULL: all of it is */
    const struct gpu_collateral *collateral; /* NULL: none came */
    const struct policy *policy;
    int64_t now;
    const struct gpu_floor *floor; /* of advisories */
    size_t n_floors;
    const uint8_t *nonce; /* 32 bytes that the reports must carry; NULL: not known */
    bool in_guest;        /* a guest shows them; else they stand by themselves, of nobody's job */
    bool guest_authentic; /* what the guest says counts: its own report is AMD's */
    bool bound;           /* its report covers this evidence */
    uint32_t offered;     /* in_guest: how many GPUs */
    const char *arch;     /* in_guest: what the offer calls them, "" for nothing */
};
void gpu_verify(struct verdict *v, const struct gpu_input *in);

struct evidence; /* evidence.h */
/* Those that a guest shows, asked for this nonce and job of its customer's; the verdict has its
 * bind.gpu already. rest: all of the input that follows from neither. */
void gpu_verify_guest(struct verdict *v, const struct evidence *ev, const uint8_t nonce[static 32],
                      const uint8_t job[static 32], const struct gpu_input *rest);

#endif
