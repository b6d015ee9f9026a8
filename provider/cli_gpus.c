#include "cli_gpus.h"

#include <stdio.h>

static void print_gpu(const struct gpu_places *at, const struct gpu *g) {
    char why[GPU_CC_WHY];
    enum gpu_standing s = gpu_life_standing(at, g->bdf, why);
    struct err unfit = {0};

    if (s == GPU_STANDS_FREE && gpu_fit(g, &unfit) < 0)
        snprintf(why, sizeof why, "%.*s", GPU_CC_WHY - 1, unfit.text);
    printf("%s  %-9s  %04x  %-10s  %s%s%s\n", g->bdf, gpu_arch(g)[0] ? gpu_arch(g) : "?", g->device,
           g->driver[0] ? g->driver : "-", gpu_standing_name(s), why[0] ? ": " : "", why);
}

int gpus_print(const struct gpu_places *at, struct err *e) {
    cleanup_free struct gpu *all = mem_new(GPUS_MAX * sizeof *all);
    size_t n;

    if (gpu_list(at->sys, all, GPUS_MAX, &n, e) < 0)
        return -1;
    if (!n)
        return err_set(e, "no-gpu", "there is no NVIDIA GPU (PCI class 0302) in this machine");
    for (size_t i = 0; i < n; i++)
        print_gpu(at, &all[i]);
    return 0;
}

int gpus_clear(const struct gpu_places *at, const char *bdf, struct err *e) {
    if (gpu_places_make(at, e) < 0 || gpu_life_clear(at, bdf, e) < 0)
        return -1;
    printf("%s is free: it was reset, it answers, and its CC mode is on\n", bdf);
    return 0;
}
