/* One GPU or NVSwitch whose evidence is judged: what came, and what could be read of it. */
#ifndef CDVM_GPU_DEVICE_H
#define CDVM_GPU_DEVICE_H

#include "core/gpu_list.h"
#include "gpu_chain.h"
#include "gpu_report.h"
#include "gpu_rim.h"

/* What came. Borrowed. */
struct gpu_subject {
    struct gpu_evidence ev; /* arch NULL: nobody says what it is */
    size_t n_certs;         /* carried; ev.cert has the first five */
    bool has_state;         /* ev.state was said by a guest */
};

struct gpu_device {
    const struct gpu_subject *subject;
    bool readable, chained; /* else the errors say why not */
    bool authentic;         /* the chain stands and its key signed the report */
    struct gpu_report report;
    struct gpu_chain chain;
    struct err report_error, chain_error, signature_error;
    /* Its reference values, borrowed; NULL: none that stands, and why, if one came. */
    const struct gpu_rim *driver, *vbios;
    struct err driver_error, vbios_error;
};
void gpu_device_read(struct gpu_device *d, const struct gpu_subject *s, int64_t now);
void gpu_device_free(struct gpu_device *d);
/* Picks its reference values by its signed report; none for one that is not authentic. */
void gpu_device_pick(struct gpu_device *d, struct gpu_rim *const *rim, size_t n);
const char *gpu_device_chip(const struct gpu_device *d); /* "GH100"; "" where unknown */
bool gpu_device_is_switch(const struct gpu_device *d);
/* "GH100 431d480fe5e87274"; what it calls itself where its chain does not stand. */
#define GPU_DEVICE_TEXT 48
void gpu_device_text(const struct gpu_device *d, char out[static GPU_DEVICE_TEXT]);

#endif
