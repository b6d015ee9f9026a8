/* A finished job whose simulated guest shows a GPU that was captured elsewhere, with all that
 * NVIDIA signed about it: receipt.json, the user's pins and sim-roots. The day is the one on which
 * the captured answers about the GPU's own certificates were fresh. What it cannot be is this
 * job's: gpu.nonce.
 *
 * usage: gpu_bundle CAPTURES FOLDER   CAPTURES: gpu/ of the vectors */
#include <time.h>

#define WORLD_NOW ((int64_t)1755777600) /* 2025-08-21 12:00 UTC */
#define WORLD_KEYS "build/test-psp-2025"
#include "core/enc.h"
#include "tests/unit/finished.h"

/* The simulator's certificates begin on that day (the linker sends its calls here). */
time_t __wrap_time(time_t *out);
time_t __wrap_time(time_t *out) {
    if (out)
        *out = WORLD_NOW;
    return WORLD_NOW;
}

static struct gpu_item gpu;

static void load(const char *dir, const char *name, struct buf *out) {
    cleanup_free char *path = mem_fmt("%s/h100-550.90.07/%s", dir, name);
    struct err e;

    if (file_read(path, GPU_LIST_MAX, out, &e)) {
        fprintf(stderr, "gpu_bundle: %s\n", e.text);
        exit(1);
    }
}

static void load_gpu(const char *dir) {
    cleanup_buf struct buf report = {0}, chain = {0};

    load(dir, "report.bin", &report);
    load(dir, "chain.pem", &chain);
    world_must(!gpu_item_read(&gpu, "HOPPER", buf_view(&report), buf_view(&chain), NULL));
    memcpy(gpu.ev.state, (const uint8_t[]){1, 0, 2, 0}, 4);
}

static void with_gpu(struct world *w) {
    w->ev.gpu = &gpu.ev;
    w->ev.n_gpu = w->offer.gpu_count = 1;
    snprintf(w->offer.gpu_arch, sizeof w->offer.gpu_arch, "HOPPER");
}

static void add_file(struct finished *f, const char *dir, enum collateral_kind kind,
                     const char *name) {
    cleanup_buf struct buf b = {0};

    load(dir, name, &b);
    world_must(collateral_add(&f->nvidia, kind, buf_view(&b)));
}

static void add_nvidia(struct finished *f, const char *dir) {
    static const char *const answers[] = {"gpu-chain-1-brom",     "gpu-chain-2-provisioner-ica",
                                          "gpu-chain-3-identity", "driver-rim-0-leaf",
                                          "vbios-rim-0-leaf",     "rim-chain-1-l3",
                                          "rim-chain-2-l2"};

    add_file(f, dir, COLL_RIM, "NV_GPU_DRIVER_GH100_550.90.07.xml");
    add_file(f, dir, COLL_RIM, "NV_GPU_VBIOS_1010_0200_882_96009F0001.xml");
    for (size_t i = 0; i < COUNT(answers); i++) {
        cleanup_free char *name = mem_fmt("ocsp/%s.der", answers[i]);

        add_file(f, dir, COLL_OCSP, name);
    }
    finished_collateral(f);
}

static void save(const char *dir, const char *name, const struct buf *b) {
    cleanup_free char *path = mem_fmt("%s/%s", dir, name);

    world_must(!file_write(path, buf_view(b), 0600, true, NULL));
}

static void save_trust(const char *dir, const struct world *w) {
    cleanup_buf struct buf pins = {0}, roots = {0};
    char release[65], work[65], root[65];

    hex_encode(view_of(w->pin[0], 32), release);
    hex_encode(view_of(w->pin[1], 32), work);
    hex_encode(view_of(w->sim_root, 32), root);
    buf_fmt(&pins, "release %s\nworkload %s\n", release, work);
    buf_fmt(&roots, "%s\n", root);
    save(dir, "pins", &pins);
    save(dir, "sim-roots", &roots);
}

int main(int argc, char **argv) {
    static struct finished f;
    cleanup_buf struct buf json = {0};

    world_must(argc == 3);
    load_gpu(argv[1]);
    finished_init_in(&f, with_gpu, FINISHED_IN);
    add_nvidia(&f, argv[1]);
    bundle_json(&f.b, &json);
    save(argv[2], "receipt.json", &json);
    save_trust(argv[2], &f.w);
    finished_free(&f);
    gpu_item_free(&gpu);
    return 0;
}
