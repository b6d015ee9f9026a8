#include "nvml_wire.h"

#include <string.h>

#include "core/reader.h"

static const char *const call_names[NVML_CALLS] = {
    [NVML_CALL_HOLD] = "opening a GPU's device node",
    [NVML_CALL_LOAD] = "loading libnvidia-ml.so.1",
    [NVML_CALL_INIT] = "nvmlInit_v2",
    [NVML_CALL_DRIVER] = "nvmlSystemGetDriverVersion",
    [NVML_CALL_COUNT] = "nvmlDeviceGetCount_v2",
    [NVML_CALL_HANDLE] = "nvmlDeviceGetHandleByIndex_v2",
    [NVML_CALL_PERSIST] = "nvmlDeviceSetPersistenceMode",
    [NVML_CALL_ARCH] = "nvmlDeviceGetArchitecture",
    [NVML_CALL_SETTINGS] = "nvmlSystemGetConfComputeSettings",
    [NVML_CALL_CERTIFICATE] = "nvmlDeviceGetConfComputeGpuCertificate",
    [NVML_CALL_REPORT] = "nvmlDeviceGetConfComputeGpuAttestationReport",
    [NVML_CALL_SET_READY] = "nvmlSystemSetConfComputeGpusReadyState",
    [NVML_CALL_GET_READY] = "nvmlSystemGetConfComputeGpusReadyState",
};

const char *nvml_call_name(enum nvml_call c) {
    return call_names[c];
}

static void put_u32(uint8_t out[static 4], uint32_t v) {
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(v >> 8 * i);
}

/* --- questions --- */

static const struct {
    enum nvml_op op;
    size_t payload;
} questions[] = {{NVML_FACTS, 0}, {NVML_EVIDENCE, NVML_NONCE}, {NVML_READY, 1}};

void nvml_ask_put(struct buf *out, enum nvml_op op, struct view payload) {
    buf_u32le(out, (uint32_t)(1 + payload.n));
    buf_u8(out, (uint8_t)op);
    buf_add(out, payload.p, payload.n);
}

int nvml_ask_take(struct view v, struct nvml_ask *out, size_t *n) {
    struct reader r = reader_new(v);
    const uint32_t len = reader_u32le(&r);

    if (v.n < 4)
        return 0;
    if (!len || len > NVML_ASK_MAX)
        return -1;
    if (len > r.left)
        return 0;
    out->op = (enum nvml_op)reader_u8(&r);
    out->payload = reader_take(&r, len - 1);
    *n = 4 + (size_t)len;
    for (size_t i = 0; i < COUNT(questions); i++)
        if (questions[i].op == out->op && questions[i].payload == out->payload.n)
            return 1;
    return -1;
}

/* --- answers, made --- */

void nvml_head(uint8_t out[static NVML_HEAD], enum nvml_op op, enum nvml_outcome o, size_t n) {
    put_u32(out, (uint32_t)(n + 2));
    out[4] = (uint8_t)op;
    out[5] = (uint8_t)o;
}

void nvml_put_facts(struct buf *out, const struct nvml_settings *s, uint32_t count, bool ready) {
    buf_u32le(out, s->cc_feature);
    buf_u32le(out, s->dev_tools);
    buf_u32le(out, s->environment);
    buf_u32le(out, s->multi_gpu);
    buf_u32le(out, count);
    buf_u8(out, ready);
}

static void put_bytes(struct buf *out, struct view v) {
    buf_u32le(out, (uint32_t)v.n);
    buf_add(out, v.p, v.n);
}

void nvml_put_gpu(struct buf *out, uint32_t arch, struct view report, struct view chain) {
    buf_u32le(out, arch);
    put_bytes(out, report);
    put_bytes(out, chain);
}

void nvml_put_refused(struct buf *out, enum nvml_call c, int code) {
    buf_u8(out, (uint8_t)c);
    buf_u32le(out, (uint32_t)code);
}

/* --- answers, read --- */

static int bad(struct err *e, const char *what) {
    return err_set(e, "bad-nvml", "the NVML child's answer %s", what);
}

int nvml_answer_whole(struct view v, size_t *n, struct err *e) {
    struct reader r = reader_new(v);
    const uint32_t len = reader_u32le(&r);

    if (v.n < 4)
        return 0;
    if (len < 2 || len > NVML_ANSWER_MAX)
        return bad(e, "has a length that none can have");
    *n = 4 + (size_t)len;
    return len <= r.left;
}

static int refused(struct reader *r, enum nvml_outcome o, struct err *e) {
    const uint8_t call = reader_u8(r);
    const uint32_t code = o == NVML_REFUSED ? reader_u32le(r) : 0;

    if (!reader_done(r) || call >= NVML_CALLS)
        return bad(e, "tells of a failure that there cannot be");
    if (o == NVML_TIMED_OUT)
        return err_set(e, "gpu-driver", "%s did not return in time", call_names[call]);
    return err_set(e, "gpu-driver", "%s failed with %u", call_names[call], code);
}

static bool read_facts(struct reader *r, struct nvml_facts *f) {
    uint32_t state[COUNT(f->state)];
    bool small = true;
    uint8_t ready;

    for (size_t i = 0; i < COUNT(state); i++) {
        state[i] = reader_u32le(r);
        small = small && state[i] <= UINT8_MAX;
        f->state[i] = (uint8_t)state[i];
    }
    f->count = reader_u32le(r);
    ready = reader_u8(r);
    f->ready = ready;
    return reader_ok(r) && small && ready <= 1 && f->count <= GPUS_MAX;
}

static bool read_bytes(struct reader *r, size_t max, struct view *out) {
    const uint32_t n = reader_u32le(r);

    *out = n && n <= max ? reader_take(r, n) : (struct view){0};
    return reader_ok(r) && out->n;
}

static bool read_gpu(struct reader *r, struct nvml_gpu *g) {
    g->arch = reader_u32le(r);
    return read_bytes(r, NVML_REPORT_MAX, &g->report) &&
           read_bytes(r, NVML_ATTESTATION_CHAIN_MAX, &g->chain);
}

int nvml_answer_parse(struct view v, enum nvml_op op, struct nvml_answer *out, struct err *e) {
    struct reader r = reader_new(v);
    enum nvml_outcome o;

    *out = (struct nvml_answer){0};
    reader_skip(&r, 4);
    if (reader_u8(&r) != (uint8_t)op)
        return bad(e, "is one to another question");
    o = (enum nvml_outcome)reader_u8(&r);
    if (o == NVML_REFUSED || o == NVML_TIMED_OUT)
        return refused(&r, o, e);
    if (o != NVML_DONE || !read_facts(&r, &out->facts))
        return bad(e, "holds no facts that can be");
    for (uint32_t i = 0; op == NVML_EVIDENCE && i < out->facts.count; i++)
        if (!read_gpu(&r, &out->gpu[i]))
            return bad(e, "holds no report and chain of a GPU that can be");
    return reader_done(&r) ? 0 : bad(e, "is longer than what it says");
}
