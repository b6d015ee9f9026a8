#include "gpu_measure.h"

#include <stdio.h>
#include <string.h>

/* The video decoder's firmware: loaded, and so measured, only where the decoder is on. */
#define INDEX_NVDEC0 35

static const struct rim_value *golden(const struct gpu_rim *const *rim, size_t n, unsigned index,
                                      bool *twice) {
    const struct rim_value *found = NULL;

    for (size_t i = 0; i < n; i++) {
        if (!rim[i]->value[index].active)
            continue;
        *twice = *twice || found;
        found = &rim[i]->value[index];
    }
    return found;
}

static bool any_of(const struct rim_value *v, struct view measured) {
    for (unsigned k = 0; k < v->n; k++)
        if (view_eq(measured, view_of(v->hash[k], GPU_DIGEST)))
            return true;
    return false;
}

static void judge(const struct gpu_report *r, unsigned index, const struct rim_value *v,
                  struct gpu_measure *out) {
    const struct view measured = r->digest[index + 1];
    const unsigned bad = out->n_wrong + out->n_missing;

    out->golden++;
    if (index == INDEX_NVDEC0 && r->nvdec == GPU_SAYS_OFF) {
        out->skipped++;
        return;
    }
    if (measured.p && any_of(v, measured)) {
        out->matched++;
        return;
    }
    if (bad < GPU_MISMATCHES)
        out->wrong[bad] = (uint8_t)index;
    if (measured.p)
        out->n_wrong++;
    else
        out->n_missing++;
}

void gpu_measure_compare(const struct gpu_report *r, const struct gpu_rim *const *rim, size_t n,
                         struct gpu_measure *out) {
    *out = (struct gpu_measure){0};
    for (unsigned i = 0; i < RIM_INDEXES; i++) {
        bool twice = false;
        const struct rim_value *v = golden(rim, n, i, &twice);

        if (twice) {
            *out = (struct gpu_measure){.conflict = true, .conflict_index = (uint8_t)i};
            return;
        }
        if (v)
            judge(r, i, v, out);
    }
}

bool gpu_measure_good(const struct gpu_measure *m) {
    return !m->conflict && m->matched && m->matched + m->skipped == m->golden;
}

void gpu_measure_text(const struct gpu_measure *m, char *out, size_t n) {
    const unsigned all = m->n_wrong + m->n_missing, shown = all < 12 ? all : 12;
    size_t at = 0;

    out[0] = 0;
    for (unsigned i = 0; i < shown && at < n; i++)
        at += (size_t)snprintf(out + at, n - at, "%s%u", i ? ", " : "", m->wrong[i]);
    if (all > shown && at < n)
        snprintf(out + at, n - at, " and %u more", all - shown);
}
