#include <math.h>
#include <string.h>
#include "core/enc.h"
#include "llama_priv.h"

#define DIMS_MAX 16384

static void write_ask(const struct view *texts, size_t n, struct buf *body) {
    struct jw w = jw_new(body);

    jw_obj(&w);
    jw_kstr(&w, "encoding_format", "base64");
    jw_key(&w, "input");
    jw_arr(&w);
    for (size_t i = 0; i < n; i++)
        jw_view(&w, texts[i]);
    jw_end_arr(&w);
    jw_end_obj(&w);
}

/* Little-endian float32 in base64. */
static bool take_bytes(const cJSON *row, struct buf *out) {
    const char *text = json_opt(row, "embedding");

    return text && base64_decode(view_str(text), out) && out->n && out->n % sizeof(float) == 0 &&
           out->n / sizeof(float) <= DIMS_MAX;
}

static bool take_row(const cJSON *row, size_t dims, float *out) {
    cleanup_buf struct buf bytes = {0};

    if (!take_bytes(row, &bytes) || bytes.n != dims * sizeof *out)
        return false;
    memcpy(out, bytes.p, bytes.n);
    for (size_t i = 0; i < dims; i++)
        if (!isfinite(out[i]))
            return false;
    return true;
}

static cJSON *ask(struct llama *l, const struct view *texts, size_t n,
                  const struct unixhttp_watch *w, struct err *e) {
    cleanup_buf struct buf body = {0};

    write_ask(texts, n, &body);
    return llama_fetch(l, "/v1/embeddings", buf_view(&body), w, e);
}

int llama_learn_dims(struct llama *l, const struct unixhttp_watch *w, struct err *e) {
    const struct view word = view_str("word");
    cleanup_buf struct buf bytes = {0};
    cJSON *o = ask(l, &word, 1, w, e);
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(o, "data");
    bool good = take_bytes(cJSON_GetArrayItem(data, 0), &bytes);

    json_wipe(o);
    if (!o)
        return -1;
    l->dims = good ? bytes.n / sizeof(float) : 0;
    return good ? 0 : err_set(e, "bad-engine", "the engine gave no vector for a word");
}

size_t llama_dims(const struct llama *l) {
    return l->dims;
}

int llama_embed(struct llama *l, const struct view *texts, size_t n, float *out,
                const struct unixhttp_watch *w, struct err *e) {
    cJSON *o = ask(l, texts, n, w, e);
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(o, "data"), *row;
    size_t done = 0, rows = (size_t)cJSON_GetArraySize(data);

    cJSON_ArrayForEach(row, data) {
        if (done == n || llama_uint(row, "index") != done ||
            !take_row(row, l->dims, out + done * l->dims))
            break;
        done++;
    }
    json_wipe(o);
    if (!o)
        return -1;
    return rows == n && done == n
               ? 0
               : err_set(e, "bad-engine", "the engine's vectors are not what was asked");
}
