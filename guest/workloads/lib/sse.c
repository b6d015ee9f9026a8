#include "sse.h"

#include <string.h>

struct sse {
    void (*event)(void *arg, struct view data);
    void *arg;
    struct buf line, data;
    bool has_data, after_cr;
};

struct sse *sse_new(void (*event)(void *arg, struct view data), void *arg) {
    struct sse *s = mem_new(sizeof *s);

    s->event = event;
    s->arg = arg;
    buf_init(&s->line, SSE_MAX);
    buf_init(&s->data, SSE_MAX);
    return s;
}

void sse_free(struct sse *s) {
    if (!s)
        return;
    buf_wipe(&s->line);
    buf_wipe(&s->data);
    cleanup_free_fn(&s);
}

static void dispatch(struct sse *s) {
    if (s->has_data)
        s->event(s->arg, buf_view(&s->data));
    s->has_data = false;
    buf_reset(&s->data);
}

/* "data:" with one space after it at most; every other field and comments say nothing to us. */
static void on_line(struct sse *s) {
    struct view v = buf_view(&s->line);

    if (!v.n) {
        dispatch(s);
        return;
    }
    if (v.n < 4 || memcmp(v.p, "data", 4) || (v.n > 4 && v.p[4] != ':'))
        return;
    v = v.n > 4 ? view_of(v.p + 5, v.n - 5) : view_of(NULL, 0);
    if (v.n && v.p[0] == ' ')
        v = view_of(v.p + 1, v.n - 1);
    if (s->has_data)
        buf_u8(&s->data, '\n');
    buf_add(&s->data, v.p, v.n);
    s->has_data = true;
}

/* A line ends with CR, LF or CR LF, the pair perhaps in two pieces. */
static void on_byte(struct sse *s, uint8_t c) {
    bool pair = c == '\n' && s->after_cr;

    s->after_cr = c == '\r';
    if (pair)
        return;
    if (c != '\r' && c != '\n') {
        buf_u8(&s->line, c);
        return;
    }
    on_line(s);
    buf_reset(&s->line);
}

int sse_feed(struct sse *s, struct view v, struct err *e) {
    for (size_t i = 0; i < v.n; i++) {
        on_byte(s, v.p[i]);
        if (s->line.full || s->data.full)
            return err_set(e, "bad-engine", "the engine's event has more than %zu bytes", SSE_MAX);
    }
    return 0;
}
