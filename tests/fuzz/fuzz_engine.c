/* An engine's response: status line, fields, body of any kind, and the events in it. The same bytes
 * in one piece and one by one give the same. */
#include "guest/workloads/lib/httpin.h"
#include "guest/workloads/lib/llama_priv.h"
#include "guest/workloads/lib/sse.h"
#include "tests/fuzz/fuzz.h"

struct seen {
    struct sse *sse;
    struct buf events;
    size_t body;
    int rc, bad;
};

static void on_event(void *arg, struct view data) {
    struct seen *s = arg;
    cJSON *o = llama_json(data);
    struct err e = {0};

    MUST(data.n <= SSE_MAX);
    buf_add(&s->events, data.p, data.n);
    buf_u8(&s->events, 0);
    if (o) {
        MUST(llama_refused(400, o, &e) == -1 && e.code[0]);
        MUST(llama_uint(o, "n") <= UINT64_C(1000000000000));
    }
    json_wipe(o);
}

static void on_body(void *arg, struct view piece) {
    struct seen *s = arg;

    s->body += piece.n;
    s->bad |= sse_feed(s->sse, piece, NULL);
}

static struct seen pass(struct view v, size_t step) {
    struct seen s = {0};
    struct httpin *h;
    struct err e = {0};

    s.sse = sse_new(on_event, &s);
    h = httpin_new(on_body, &s);
    while (!s.rc && v.n) {
        size_t n = v.n < step ? v.n : step;

        s.rc = httpin_feed(h, view_of(v.p, n), &e);
        v = view_of(v.p + n, v.n - n);
    }
    if (!s.rc && !httpin_done(h))
        s.rc = httpin_end(h, &e);
    MUST(!s.rc == !e.code[0]);
    MUST(s.rc || (httpin_status(h) >= 200 && httpin_status(h) <= 599));
    httpin_free(h);
    sse_free(s.sse);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct seen whole = pass(view_of(data, size), size ? size : 1);
    struct seen bytes = pass(view_of(data, size), 1);

    MUST(whole.rc == bytes.rc && whole.bad == bytes.bad && whole.body == bytes.body);
    MUST(view_eq(buf_view(&whole.events), buf_view(&bytes.events)));
    buf_free(&whole.events);
    buf_free(&bytes.events);
    return 0;
}
