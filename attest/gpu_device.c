#include "gpu_device.h"

#include <stdio.h>
#include <string.h>

#include "core/enc.h"

static int chain_read(struct gpu_device *d, int64_t now, struct err *e) {
    const struct gpu_evidence *ev = &d->subject->ev;

    if (gpu_chain_build(&d->chain, ev->cert, d->subject->n_certs, now, e))
        return -1;
    return gpu_chain_fits(&d->chain, ev->arch, d->readable ? d->report.chip_info : "", e);
}

void gpu_device_read(struct gpu_device *d, const struct gpu_subject *s, int64_t now) {
    *d = (struct gpu_device){.subject = s};
    d->readable = !gpu_report_parse(s->ev.report, &d->report, &d->report_error);
    d->chained = !chain_read(d, now, &d->chain_error);
    d->authentic = d->readable && d->chained &&
                   !gpu_report_verify(&d->report, d->chain.x[0], &d->signature_error);
}

void gpu_device_free(struct gpu_device *d) {
    gpu_chain_free(&d->chain);
}

const char *gpu_device_chip(const struct gpu_device *d) {
    return d->authentic ? gpu_chain_chip(&d->chain, d->report.chip_info) : "";
}

void gpu_device_pick(struct gpu_device *d, struct gpu_rim *const *rim, size_t n) {
    const char *chip = gpu_device_chip(d);

    if (!d->authentic)
        return;
    if (!gpu_device_is_switch(d))
        d->driver = gpu_rim_pick(rim, n, chip, d->report.driver, &d->driver_error);
    d->vbios = gpu_rim_pick(rim, n, chip, d->report.vbios, &d->vbios_error);
}

bool gpu_device_is_switch(const struct gpu_device *d) {
    if (d->chain.family)
        return d->chain.family->kind == GPU_KIND_SWITCH;
    return d->subject->ev.arch && !strcmp(d->subject->ev.arch, "LS10");
}

void gpu_device_text(const struct gpu_device *d, char out[static GPU_DEVICE_TEXT]) {
    char id[2 * GPU_ID + 1];

    hex_encode(view_of(d->chain.id, GPU_ID), id);
    if (d->chain.family)
        snprintf(out, GPU_DEVICE_TEXT, "%s %s", d->chain.family->name, id);
    else
        snprintf(out, GPU_DEVICE_TEXT, "%.20s", d->subject->ev.arch ? d->subject->ev.arch : "GPU");
}
