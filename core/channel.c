#include "channel.h"

#include <string.h>

#include "reader.h"

#define FRAME_HEAD ((size_t)5) /* length and type */
#define FEED_MAX ((size_t)CHAN_MAX + FRAME_HEAD + CHAN_FEED)

static const struct {
    uint8_t code;
    const char *name;
} states[] = {
    {CHAN_BOOTED, "booted"},
    {CHAN_KEYED, "keyed"},
    {CHAN_ATTESTED, "attested"},
    {CHAN_ACCEPTED, "accepted"},
    {CHAN_READY, "ready"},
    {CHAN_WIPING, "wiping"},
    {CHAN_ERR_HARDWARE, "error: hardware"},
    {CHAN_ERR_ENTROPY, "error: entropy"},
    {CHAN_ERR_CMDLINE, "error: command line"},
    {CHAN_ERR_FRAME, "error: frame"},
    {CHAN_ERR_JOB, "error: job"},
    {CHAN_ERR_REPORT, "error: report"},
    {CHAN_ERR_VOLUME, "error: volume"},
    {CHAN_ERR_WORKLOAD, "error: workload"},
    {CHAN_ERR_TIMEOUT, "error: timeout"},
    {CHAN_ERR_PROTOCOL, "error: protocol"},
    {CHAN_ERR_KEY, "error: model key"},
    {CHAN_ERR_GPU, "error: gpu"},
    {CHAN_ERR_GPU_COUNT, "error: gpu count"},
    {CHAN_ERR_GPU_EVIDENCE, "error: gpu evidence"},
};

const char *chan_state_name(uint8_t code) {
    for (size_t i = 0; i < COUNT(states); i++)
        if (states[i].code == code)
            return states[i].name;
    return "unknown state";
}

static bool type_known(uint8_t t) {
    return t >= CHAN_JOB && t <= CHAN_SHUTDOWN;
}

void chan_in_init(struct chan_in *in) {
    *in = (struct chan_in){0};
    buf_init(&in->b, FEED_MAX);
}

void chan_in_free(struct chan_in *in) {
    buf_wipe(&in->b);
    *in = (struct chan_in){0};
}

/* Frames handed out are dropped here and not in chan_next, so that a payload stays where it is. */
void chan_feed(struct chan_in *in, struct view bytes) {
    if (in->taken) {
        buf_drop(&in->b, in->taken);
        in->taken = 0;
    }
    buf_add(&in->b, bytes.p, bytes.n);
}

int chan_next(struct chan_in *in, struct chan_frame *out, struct err *e) {
    struct reader r = reader_new(buf_view(&in->b));
    uint32_t len;
    uint8_t type;

    *out = (struct chan_frame){0};
    reader_skip(&r, in->taken);
    if (in->b.full)
        return err_set(e, "bad-frame", "more bytes were fed than frames were taken");
    if (r.left < FRAME_HEAD)
        return 0;
    len = reader_u32le(&r);
    type = reader_u8(&r);
    if (len < 1 || len > CHAN_MAX)
        return err_set(e, "bad-frame", "a frame of %u bytes, the limit is 1 to %u", len, CHAN_MAX);
    if (!type_known(type))
        return err_set(e, "bad-frame", "unknown frame type %u", type);
    if (r.left < len - 1)
        return 0;
    out->type = (enum chan_type)type;
    out->payload = reader_take(&r, len - 1);
    in->taken += FRAME_HEAD + len - 1;
    return 1;
}

static int put_head(struct buf *out, enum chan_type type, size_t payload, struct err *e) {
    if (payload > CHAN_MAX - 1)
        return err_set(e, "too-large", "a frame payload of %zu bytes, the limit is %u", payload,
                       CHAN_MAX - 1);
    buf_u32le(out, (uint32_t)payload + 1);
    buf_u8(out, (uint8_t)type);
    return 0;
}

int chan_put(struct buf *out, enum chan_type type, struct view payload, struct err *e) {
    if (put_head(out, type, payload.n, e))
        return -1;
    buf_add(out, payload.p, payload.n);
    return 0;
}

int chan_put_auth(struct buf *out, uint8_t relay, struct view body, struct err *e) {
    if (put_head(out, CHAN_AUTH, body.n + 1, e))
        return -1;
    buf_u8(out, relay);
    buf_add(out, body.p, body.n);
    return 0;
}

int chan_auth_parse(struct view payload, struct chan_auth *out, struct err *e) {
    struct reader r = reader_new(payload);

    out->relay = reader_u8(&r);
    out->body = reader_rest(&r);
    if (!reader_ok(&r) || out->body.n == 0)
        return err_set(e, "bad-frame", "an AUTH frame of %zu bytes", payload.n);
    return 0;
}

bool chan_challenge_ok(struct view v) {
    if (v.n < 1 || v.n > CHAN_CHALLENGE_MAX)
        return false;
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] < 0x20 || v.p[i] > 0x7e)
            return false;
    return true;
}

static bool blob_fits(const struct chan_blob *b) {
    return b->data.n >= 1 && b->data.n <= CHAN_BLOB_CHUNK && b->offset <= b->total &&
           b->data.n <= b->total - b->offset;
}

int chan_put_blob(struct buf *out, enum chan_type type, const struct chan_blob *b, struct err *e) {
    if (!blob_fits(b))
        return err_set(e, "bad-frame", "a blob chunk of %zu bytes at %llu of %llu", b->data.n,
                       (unsigned long long)b->offset, (unsigned long long)b->total);
    if (put_head(out, type, 32 + 8 + 8 + b->data.n, e))
        return -1;
    buf_add(out, b->sha256, 32);
    buf_u64le(out, b->total);
    buf_u64le(out, b->offset);
    buf_add(out, b->data.p, b->data.n);
    return 0;
}

int chan_blob_parse(struct view payload, struct chan_blob *out, struct err *e) {
    struct reader r = reader_new(payload);

    reader_copy(&r, out->sha256, 32);
    out->total = reader_u64le(&r);
    out->offset = reader_u64le(&r);
    out->data = reader_rest(&r);
    if (!reader_ok(&r) || !blob_fits(out))
        return err_set(e, "bad-frame", "a blob frame of %zu bytes that does not fit its total",
                       payload.n);
    return 0;
}

int chan_put_blob_get(struct buf *out, const struct chan_blob_get *g, struct err *e) {
    if (put_head(out, CHAN_BLOB_GET, 40, e))
        return -1;
    buf_add(out, g->sha256, 32);
    buf_u64le(out, g->max);
    return 0;
}

int chan_blob_get_parse(struct view payload, struct chan_blob_get *out, struct err *e) {
    struct reader r = reader_new(payload);

    reader_copy(&r, out->sha256, 32);
    out->max = reader_u64le(&r);
    if (!reader_done(&r))
        return err_set(e, "bad-frame", "a BLOB_GET frame of %zu bytes, not 40", payload.n);
    return 0;
}

int chan_put_blob_status(struct buf *out, const uint8_t sha[static 32], enum chan_blob_status s,
                         struct err *e) {
    if (put_head(out, CHAN_BLOB_STATUS, 33, e))
        return -1;
    buf_add(out, sha, 32);
    buf_u8(out, (uint8_t)s);
    return 0;
}

int chan_blob_status_parse(struct view payload, uint8_t sha[static 32], enum chan_blob_status *s,
                           struct err *e) {
    struct reader r = reader_new(payload);
    uint8_t code;

    reader_copy(&r, sha, 32);
    code = reader_u8(&r);
    if (!reader_done(&r) || code > CHAN_BLOB_FAILED)
        return err_set(e, "bad-frame", "a BLOB_STATUS frame of %zu bytes, status %u", payload.n,
                       code);
    *s = (enum chan_blob_status)code;
    return 0;
}
