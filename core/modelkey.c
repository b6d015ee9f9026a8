#include "modelkey.h"

#include <string.h>

#include "enc.h"

static int hex32(const cJSON *o, const char *key, uint8_t out[static 32], const char *what,
                 struct err *e) {
    if (json_hex(o, key, out, 32, NULL))
        return 0;
    return err_set(e, "bad-message", "%s: '%s' is not 64 hex digits", what, key);
}

void key_ask_body(const uint8_t model[static 32], struct buf *body) {
    struct jw w = jw_new(body);

    jw_khex(&w, "model", view_of(model, 32));
}

int key_ask_parse(const cJSON *o, uint8_t model[static 32], struct err *e) {
    return hex32(o, "model", model, "key_ask", e);
}

void key_nonce_body(const uint8_t nonce[static 32], struct buf *body) {
    struct jw w = jw_new(body);

    jw_khex(&w, "nonce", view_of(nonce, 32));
}

int key_nonce_parse(const cJSON *o, uint8_t nonce[static 32], struct err *e) {
    return hex32(o, "nonce", nonce, "key_nonce", e);
}

void key_evidence_body(const struct key_evidence *k, struct buf *body) {
    struct jw w = jw_new(body);
    char work[VOLUME_TEXT];

    volume_text(&k->work, work);
    jw_kb64(&w, "report", buf_view(&k->report));
    jw_key(&w, "gpu");
    jw_raw(&w, k->gpu_json.n ? k->gpu_json : view_str("[]"));
    jw_khex(&w, "n", view_of(k->nonce, 32));
    jw_kstr(&w, "work", work);
}

static int take_gpu(const cJSON *gpu, struct gpu_list *out, struct err *e) {
    if (!cJSON_IsArray(gpu))
        return err_set(e, "bad-message", "key_evidence: 'gpu' is not a list");
    return gpu_list_read(gpu, out, e) ? err_wrap(e, "key_evidence") : 0;
}

int key_evidence_parse(const cJSON *o, struct key_evidence *out, struct err *e) {
    const char *report = json_opt(o, "report"), *work = json_opt(o, "work");

    *out = (struct key_evidence){0};
    buf_init(&out->report, HELLO_REPORT_MAX);
    if (!report || !base64_decode(view_str(report), &out->report) || out->report.full)
        return err_set(e, "bad-message", "key_evidence: no report in base64");
    if (!work || !volume_parse(work, &out->work))
        return err_set(e, "bad-message", "key_evidence: 'work' is not root:blocks");
    if (hex32(o, "n", out->nonce, "key_evidence", e))
        return -1;
    return take_gpu(cJSON_GetObjectItemCaseSensitive(o, "gpu"), &out->gpu, e);
}

void key_evidence_free(struct key_evidence *k) {
    buf_free(&k->report);
    gpu_list_free(&k->gpu);
    *k = (struct key_evidence){0};
}

void key_body(const struct secret *key, struct buf *body) {
    struct jw w = jw_new(body);

    jw_kb64(&w, "key", view_of(secret_get(key), secret_len(key)));
}

struct secret *key_parse(const cJSON *o, struct err *e) {
    const char *text = json_opt(o, "key");
    struct buf raw = {.max = MODELKEY_LEN};
    struct secret *key = NULL;

    if (text && base64_decode(view_str(text), &raw) && raw.n == MODELKEY_LEN && !raw.full)
        key = secret_from(raw.p, raw.n);
    else
        err_set(e, "bad-message", "key: not %zu bytes in base64", MODELKEY_LEN);
    buf_wipe(&raw);
    return key;
}
