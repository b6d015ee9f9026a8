#include "hello.h"

#include <string.h>

#include "enc.h"

void hello_body(const struct hello *h, struct buf *body) {
    struct jw w = jw_new(body);

    jw_kb64(&w, "report", buf_view(&h->report));
    jw_key(&w, "echo");
    jw_obj(&w);
    jw_khex(&w, "u", view_of(h->echo_customer, 32));
    jw_khex(&w, "n", view_of(h->echo_nonce, 32));
    jw_khex(&w, "job", view_of(h->echo_job, 32));
    jw_end_obj(&w);
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

int hello_parse(const cJSON *o, struct hello *out, struct err *e) {
    const char *report = json_opt(o, "report");

    *out = (struct hello){0};
    buf_init(&out->report, HELLO_REPORT_MAX);
    if (!report || !base64_decode(view_str(report), &out->report) || out->report.full)
        return bad(e, "the hello has no report in base64");
    return parse_echo(cJSON_GetObjectItemCaseSensitive(o, "echo"), out, e);
}

void hello_free(struct hello *h) {
    buf_free(&h->report);
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
