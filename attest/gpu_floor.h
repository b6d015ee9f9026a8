/* Versions of GPU drivers and VBIOSes below which a GPU is not trusted: of this program, of a
 * policy file ("gpu-driver = GH100 550.54.15"), of advisories. */
#ifndef CDVM_GPU_FLOOR_H
#define CDVM_GPU_FLOOR_H

#include "core/bytes.h"

#define GPU_FLOOR_CHIP 12
#define GPU_FLOOR_VERSION 32
#define GPU_FLOORS_MAX 16 /* of one source */

enum gpu_part { GPU_DRIVER, GPU_VBIOS };
struct gpu_floor {
    enum gpu_part part;
    char chip[GPU_FLOOR_CHIP];       /* "GH100", "GB202" */
    char version[GPU_FLOOR_VERSION]; /* "550.54.15", "96.00.5E"; what is left out is 0 */
};

/* "GH100 550.54.15". "bad-policy" */
int gpu_floor_parse(const char *text, enum gpu_part part, struct gpu_floor *out,
                    struct err *e) WARN_UNUSED;
/* Driver versions are decimal, VBIOS versions hexadecimal, both in parts between dots. False when
 * one of them is neither; else *below says whether version is below the floor. */
bool gpu_floor_compare(const struct gpu_floor *f, const char *version, bool *below);

/* Those of this program. */
extern const struct gpu_floor gpu_floor_table[];
extern const size_t gpu_floor_count;

#endif
