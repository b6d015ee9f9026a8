#include "gpu_floor.h"

#include <stdio.h>
#include <string.h>

/* The first VBIOS with confidential computing as a product, by the release notes of R550 and later.
 */
const struct gpu_floor gpu_floor_table[] = {{GPU_VBIOS, "GH100", "96.00.5E"}};
const size_t gpu_floor_count = COUNT(gpu_floor_table);

static int digit(char c, unsigned base) {
    int n = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;

    return n < (int)base ? n : -1;
}

/* The next part of a version, 0 behind its end. False when it is no number. */
static bool part_next(const char **s, unsigned base, unsigned long *out) {
    const char *p = *s;

    for (*out = 0; *p && *p != '.'; p++) {
        if (digit(*p, base) < 0 || p - *s >= 6)
            return false;
        *out = *out * base + (unsigned long)digit(*p, base);
    }
    if (p == *s && *p)
        return false;
    *s = *p ? p + 1 : p;
    return true;
}

bool gpu_floor_compare(const struct gpu_floor *f, const char *version, bool *below) {
    const unsigned base = f->part == GPU_VBIOS ? 16 : 10;
    const char *a = version, *b = f->version;
    int order = 0;

    if (!*a)
        return false;
    while (*a || *b) {
        unsigned long x, y;

        if (!part_next(&a, base, &x) || !part_next(&b, base, &y))
            return false;
        if (!order && x != y)
            order = x < y ? -1 : 1;
    }
    *below = order < 0;
    return true;
}

static bool chip_named(const char *s, size_t n) {
    for (size_t i = 0; i < n; i++)
        if ((s[i] < 'A' || s[i] > 'Z') && (s[i] < '0' || s[i] > '9') && s[i] != '_')
            return false;
    return n > 0 && n < GPU_FLOOR_CHIP;
}

int gpu_floor_parse(const char *text, enum gpu_part part, struct gpu_floor *out, struct err *e) {
    const char *gap = strchr(text, ' ');
    const size_t n = gap ? (size_t)(gap - text) : 0;
    bool below;

    *out = (struct gpu_floor){.part = part};
    if (chip_named(text, n) && strlen(gap + 1) < sizeof out->version) {
        memcpy(out->chip, text, n);
        snprintf(out->version, sizeof out->version, "%s", gap + 1);
        if (gpu_floor_compare(out, out->version, &below))
            return 0;
    }
    *out = (struct gpu_floor){.part = part};
    return err_set(e, "bad-policy", "'%.60s' is not a chip and a %s version, like '%s'", text,
                   part == GPU_VBIOS ? "VBIOS" : "driver",
                   part == GPU_VBIOS ? "GH100 96.00.5E" : "GH100 550.54.15");
}
