/* The four messages about the key of a sealed model: parsers of their bodies, each given the same
 * object, by either side. */
#include "core/modelkey.h"
#include "tests/fuzz/fuzz.h"

static void evidence_again(const struct key_evidence *k) {
    cleanup_buf struct buf body = {0}, text = {0};
    struct key_evidence again;
    cJSON *o;

    key_evidence_body(k, &body);
    buf_str(&text, "{");
    buf_add(&text, body.p, body.n);
    buf_str(&text, "}");
    o = json_parse(buf_view(&text), 65536, NULL);
    MUST(o && key_evidence_parse(o, &again, NULL) == 0);
    MUST(view_eq(buf_view(&again.report), buf_view(&k->report)));
    MUST(!memcmp(&again.work, &k->work, sizeof again.work));
    key_evidence_free(&again);
    cJSON_Delete(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cJSON *o = json_parse(view_of(data, size), 65536, NULL);
    struct key_evidence k;
    struct err e = {0};
    struct secret *key;
    uint8_t out[32];

    if (!o)
        return 0;
    if (key_ask_parse(o, out, &e))
        MUST(!strcmp(e.code, "bad-message"));
    if (key_nonce_parse(o, out, &e))
        MUST(!strcmp(e.code, "bad-message"));
    if (key_evidence_parse(o, &k, &e) == 0)
        evidence_again(&k);
    else
        MUST(e.code[0]);
    key_evidence_free(&k);
    key = key_parse(o, &e);
    MUST(!key || secret_len(key) == MODELKEY_LEN);
    secret_free(key);
    cJSON_Delete(o);
    return 0;
}
