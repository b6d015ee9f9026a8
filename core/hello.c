#include "hello.h"

#include <string.h>

#include "enc.h"
#include "hash.h"

/* A list in the message, or word of a file that follows it. */
static void gpu_write(const struct hello *h, struct jw *w) {
    uint8_t sha[32];

    if (!h->gpu_json.n)
        return;
    jw_key(w, "gpu");
    if (h->gpu_json.n <= HELLO_GPU_MAX) {
        jw_raw(w, h->gpu_json);
        return;
    }
    sha256(h->gpu_json, sha);
    jw_obj(w);
    jw_kint(w, "size", (int64_t)h->gpu_json.n);
    jw_khex(w, "sha256", view_of(sha, sizeof sha));
    jw_end_obj(w);
}

void hello_body(const struct hello *h, struct buf *body) {
    struct jw w = jw_new(body);

    jw_kb64(&w, "report", buf_view(&h->report));
    jw_key(&w, "echo");
    jw_obj(&w);
    jw_khex(&w, "u", view_of(h->echo_customer, 32));
    jw_khex(&w, "n", view_of(h->echo_nonce, 32));
    jw_khex(&w, "job", view_of(h->echo_job, 32));
    jw_end_obj(&w);
    gpu_write(h, &w);
}

static int bad(struct err *e, const char *what) {
    return err_set(e, "bad-message", "%s", what);
}

static int parse_echo(const cJSON *echo, struct hello *out, struct err *e) {
    if (!echo)
        return 0;
    out->has_echo = true;
    if (!json_hex(echo, "u", out->echo_customer, 32, e) ||
        !json_hex(echo, "n", out->echo_nonce, 32, e) ||
        !json_hex(echo, "job", out->echo_job, 32, e))
        return bad(e, "the hello's echo is not three values of 64 hex digits");
    return 0;
}

static void gpu_take(struct hello *h) {
    if (!gpu_list_bound(&h->gpu_owned, h->gpu, &h->gpu_error)) {
        h->n_gpu = h->gpu_owned.n;
        h->gpu_error = (struct err){0};
    }
}

static void parse_gpu(const cJSON *gpu, struct hello *out) {
    struct err *e = &out->gpu_error;

    if (!gpu)
        return;
    if (cJSON_IsArray(gpu)) {
        if (!gpu_list_read(gpu, &out->gpu_owned, e))
            gpu_take(out);
        return;
    }
    if (!json_u64(gpu, "size", &out->gpu_size, e) ||
        !json_hex(gpu, "sha256", out->gpu_sha256, 32, e) || out->gpu_size > GPU_LIST_MAX) {
        err_set(e, "bad-message", "'gpu' is neither a list nor size and sha256 of one");
        return;
    }
    out->gpu_follows = true;
    err_set(e, "gpu-missing", "it is in a file that did not come");
}

void hello_gpu_file(struct hello *h, struct view file) {
    uint8_t sha[32];

    sha256(file, sha);
    gpu_list_free(&h->gpu_owned);
    h->n_gpu = 0;
    if (file.n != h->gpu_size || memcmp(sha, h->gpu_sha256, sizeof sha) != 0)
        err_set(&h->gpu_error, "gpu-missing", "the file of it is not the one announced");
    else if (!gpu_list_parse(file, &h->gpu_owned, &h->gpu_error))
        gpu_take(h);
}

int hello_parse(const cJSON *o, struct hello *out, struct err *e) {
    const char *report = json_opt(o, "report");

    *out = (struct hello){0};
    buf_init(&out->report, HELLO_REPORT_MAX);
    if (!report || !base64_decode(view_str(report), &out->report) || out->report.full)
        return bad(e, "the hello has no report in base64");
    parse_gpu(cJSON_GetObjectItemCaseSensitive(o, "gpu"), out);
    return parse_echo(cJSON_GetObjectItemCaseSensitive(o, "echo"), out, e);
}

void hello_free(struct hello *h) {
    buf_free(&h->report);
    gpu_list_free(&h->gpu_owned);
    *h = (struct hello){0};
}

void accept_body(const struct accept *a, struct buf *body) {
    struct jw w = jw_new(body);

    jw_khex(&w, "hello", view_of(a->hello, 32));
    jw_kint(&w, "now", a->now);
    jw_key(&w, "verdict");
    jw_raw(&w, a->verdict.n ? a->verdict : view_str("{}"));
    jw_kint(&w, "max_minutes", a->max_minutes);
}

int accept_parse(const cJSON *o, struct accept *out, struct err *e) {
    uint64_t now, minutes;

    *out = (struct accept){0};
    if (!json_hex(o, "hello", out->hello, 32, e) || !json_u64(o, "now", &now, e) ||
        !json_u64(o, "max_minutes", &minutes, e))
        return bad(e, "the accept has not all of hello, now and max_minutes");
    if (!minutes || minutes > ACCEPT_MINUTES_MAX)
        return bad(e, "the accept's max_minutes is not within 1 and a day");
    out->now = (int64_t)now;
    out->max_minutes = (uint32_t)minutes;
    return 0;
}
