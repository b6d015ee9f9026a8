/* Evidence of GPUs that is too long for a hello: a file of purpose "gpu" in the messages right
 * behind it (cdvm-protocol(7), "Private messages"). It is read before the guest is accepted, from
 * messages that otherwise wait unread; what it is worth is for the verdict to say. */
#include "session_priv.h"

#include <string.h>

#include "core/hello.h"

bool candidate_gpu_awaited(const struct candidate *c) {
    struct hello h = {0};
    struct msg m;
    bool awaited = false;

    if (!msg_parse(c->hello, &m, NULL) && !hello_parse(m.o, &h, NULL))
        awaited = h.gpu_follows;
    hello_free(&h);
    msg_free(&m);
    return awaited;
}

static void on_file(void *arg, const struct xfer_meta *m, struct view data) {
    struct candidate *c = arg;

    if (!strcmp(m->purpose, "gpu"))
        buf_add(&c->gpu, data.p, data.n);
}

static const struct xfer_in_handler collecting = {.file = on_file};

/* The one of this number, parsed. */
static bool held_at(const struct candidate *c, int64_t seq, struct msg *m, const struct rumor **r) {
    for (size_t i = 0; i < c->n_held; i++) {
        *r = c->held[i];
        if (msg_parse(*r, m, NULL))
            continue;
        if (m->seq == seq && !memcmp(m->job, c->s->q.id, 32))
            return true;
        msg_free(m);
    }
    return false;
}

/* From number 1 until the file is whole, or a message of it is missing. */
void candidate_gpu_collect(struct candidate *c) {
    struct xfer_in *in;
    const struct rumor *r;
    struct msg m;

    if (!c->gpu_awaited)
        return;
    in = xfer_in_new(GPU_LIST_MAX, &collecting, c);
    for (int64_t seq = 1; !c->gpu.n && held_at(c, seq, &m, &r); seq++) {
        const struct talk_msg one = {r->f.kind, m.type, m.o, r, seq};

        (void)xfer_in_take(in, &one);
        msg_free(&m);
    }
    xfer_in_free(in);
    if (c->gpu.n)
        c->gpu_awaited = false;
}
