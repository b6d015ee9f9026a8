#include "outfile.h"

#include <string.h>

struct outfile {
    struct talk *talk;
    struct blobs *blobs;
    struct xfer_meta meta;
    struct buf data;
    struct xfer_out *inband;
    struct xfer_blob blob; /* n_parts 0: not through blobs */
    size_t part;           /* parts stored */
    bool storing;
};

/* The transfer keeps a copy of its own. */
static void go_inband(struct outfile *o) {
    o->inband = xfer_out_inband(o->talk, &o->meta, buf_view(&o->data));
    buf_wipe(&o->data);
}

struct outfile *outfile_new(struct talk *t, struct blobs *b, const struct xfer_meta *m,
                            struct buf *data) {
    struct outfile *o = mem_new(sizeof *o);

    o->talk = t;
    o->blobs = b;
    o->meta = *m;
    o->data = *data;
    *data = (struct buf){0};
    if (o->data.n <= XFER_INBAND || xfer_blob_make(m, buf_view(&o->data), &o->blob, NULL))
        go_inband(o);
    return o;
}

void outfile_free(struct outfile *o) {
    if (!o)
        return;
    xfer_out_free(o->inband);
    xfer_blob_free(&o->blob);
    buf_wipe(&o->data);
    cleanup_free_fn(&o);
}

static int step_blobs(struct outfile *o, struct err *e) {
    if (o->storing)
        return 0;
    if (o->part == o->blob.n_parts)
        return xfer_blob_message(o->talk, &o->blob, NULL, e) ? -1 : 1;
    o->storing = blobs_put(o->blobs, o->blob.part_sha[o->part], buf_view(&o->blob.parts[o->part]));
    return 0;
}

static bool busy(const struct err *e) {
    return !strcmp(e->code, "busy");
}

int outfile_step(struct outfile *o, struct err *e) {
    int rc = o->inband ? xfer_out_step(o->inband, e) : step_blobs(o, e);

    return rc < 0 && busy(e) ? 0 : rc;
}

void outfile_stored(struct outfile *o, const uint8_t sha256[static 32], bool ok) {
    if (!o->storing || memcmp(sha256, o->blob.part_sha[o->part], 32))
        return;
    o->storing = false;
    if (ok)
        o->part++;
    else
        go_inband(o);
}
