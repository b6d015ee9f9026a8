/* The NVML child's answers: what is accepted lies within the bytes and obeys the limits, and what
 * the guest makes of it is put together or refused with a code; questions as well. */
#include "core/gpu_list.h"
#include "guest/nvml_wire.h"
#include "tests/fuzz/fuzz.h"

static void inside(struct view whole, struct view part, size_t max) {
    MUST(part.n && part.n <= max);
    MUST(part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void check_gpu(struct view v, const struct nvml_gpu *g) {
    struct gpu_item item;
    struct err e = {0};

    inside(v, g->report, NVML_REPORT_MAX);
    inside(v, g->chain, NVML_ATTESTATION_CHAIN_MAX);
    if (gpu_item_read(&item, "HOPPER", g->report, g->chain, &e))
        MUST(e.code[0] && e.text[0]);
    gpu_item_free(&item);
}

static void try_answer(struct view v, enum nvml_op op) {
    static struct nvml_answer a;
    struct err e = {0};

    if (nvml_answer_parse(v, op, &a, &e)) {
        MUST(!strcmp(e.code, "gpu-driver") || !strcmp(e.code, "bad-nvml"));
        return;
    }
    MUST(a.facts.count <= GPUS_MAX);
    for (uint32_t i = 0; op == NVML_EVIDENCE && i < a.facts.count; i++)
        check_gpu(v, &a.gpu[i]);
}

static void try_ask(struct view v) {
    struct nvml_ask ask;
    size_t n;

    if (nvml_ask_take(v, &ask, &n) == 1)
        MUST(n <= v.n && ask.payload.n <= NVML_NONCE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct view v = view_of(data, size);
    struct err e = {0};
    size_t n = 0;

    try_ask(v);
    switch (nvml_answer_whole(v, &n, &e)) {
    case 1:
        MUST(n >= 6 && n <= v.n && n <= NVML_ANSWER_MAX + 4);
        for (int op = NVML_FACTS; op <= NVML_READY; op++)
            try_answer(view_of(data, n), (enum nvml_op)op);
        break;
    case 0:
        MUST(!n || n > v.n);
        break;
    default:
        MUST(!strcmp(e.code, "bad-nvml"));
    }
    return 0;
}
