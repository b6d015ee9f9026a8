#include "lines.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

struct lines {
    int in, out;
    struct buf b;
    bool ended;
};

struct lines *lines_new(int in, int out) {
    struct lines *l = mem_new(sizeof *l);

    l->in = in;
    l->out = out;
    buf_init(&l->b, 2 * (LINE_MAX_BYTES + 1));
    return l;
}

void lines_free(struct lines *l) {
    if (!l)
        return;
    buf_wipe(&l->b);
    cleanup_free_fn(&l);
}

/* 1 = a line was taken, 0 = none complete, -1 = not an object. */
static int take_line(struct lines *l, cJSON **o) {
    uint8_t *end = l->b.n ? memchr(l->b.p, '\n', l->b.n) : NULL;
    size_t n;

    if (!end)
        return l->b.n > LINE_MAX_BYTES ? -1 : 0;
    n = (size_t)(end - l->b.p);
    *o = json_parse(view_of(l->b.p, n), LINE_MAX_BYTES, NULL);
    buf_drop(&l->b, n + 1);
    if (cJSON_IsObject(*o))
        return 1;
    cJSON_Delete(*o);
    return -1;
}

static bool fill(struct lines *l, int ms) {
    struct pollfd p = {.fd = l->in, .events = POLLIN};
    uint8_t chunk[4096];
    ssize_t n;

    if (poll(&p, 1, ms) <= 0)
        return false;
    n = read(l->in, chunk, sizeof chunk);
    if (n <= 0)
        l->ended = n == 0 || errno != EINTR;
    else
        buf_add(&l->b, chunk, (size_t)n);
    return n > 0;
}

int lines_next(struct lines *l, int ms, cJSON **o) {
    int rc;

    while (!(rc = take_line(l, o))) {
        if (l->ended)
            return -1;
        if (!fill(l, ms) && !l->ended)
            return 0;
    }
    return rc;
}

bool lines_say(struct lines *l, const char *type, struct view body) {
    cleanup_buf struct buf line = {0};

    buf_str(&line, "{\"t\":");
    json_escape(view_str(type), &line);
    if (body.n)
        buf_u8(&line, ',');
    buf_add(&line, body.p, body.n);
    buf_str(&line, "}\n");
    return !fd_write_all(l->out, buf_view(&line), NULL);
}
