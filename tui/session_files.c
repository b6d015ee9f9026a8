/* Files of a session: in band, or through blob servers of the user's own configuration. */
#include "session_priv.h"

#include <stdlib.h>
#include <string.h>

#include "core/loop.h"

/* In band is slow and every relay sees it: without a server, this is the most. */
#define INBAND_ALONE ((uint64_t)8 << 20)

static bool configured(const struct session_conf *c, const char *server) {
    for (size_t i = 0; i < c->n_blossom; i++)
        if (!strcmp(c->blossom[i], server))
            return true;
    return false;
}

/* The i-th server that both sides may use: of the offer, if configured here or confirmed for this
 * job. */
static const char *server_at(const struct session_conf *c, const struct offer *o, size_t i) {
    for (size_t k = 0; k < o->n_blossom; k++) {
        const char *url = o->blossom[k];

        if ((c->offer_blossom || configured(c, url)) && i-- == 0)
            return url;
    }
    return NULL;
}

int session_conf_route(const struct session_conf *c, const struct offer *o, uint64_t size,
                       const char **server, struct err *e) {
    uint64_t limit = offer_limit(o, "file", XFER_FILE_MAX);

    *server = NULL;
    if (size > limit || size > XFER_FILE_MAX)
        return err_set(e, "too-large", "%llu bytes; this offer takes files of up to %llu",
                       (unsigned long long)size, (unsigned long long)limit);
    if (size <= XFER_INBAND)
        return 0;
    *server = c->http ? server_at(c, o, 0) : NULL;
    if (!*server && size > INBAND_ALONE)
        return err_set(e, "no-blob-server",
                       "%llu bytes need a blob server, and none of the offer's is in your "
                       "configuration",
                       (unsigned long long)size);
    return 0;
}

int session_route(const struct session *s, uint64_t size, const char **server, struct err *e) {
    return session_conf_route(&s->c, s->offer, size, server, e);
}

/* --- out --- */

static void tell_up(struct session *s, const struct item *it, uint64_t done) {
    struct session_event ev = {.type = SE_FILE_UP, .meta = &it->meta, .done = done};

    session_emit(s, &ev);
}

static int inband_step(struct session *s, struct item *it, struct err *e) {
    struct talk *t = s->guest->talk;
    uint64_t before, first = talk_sent(t);
    int rc;

    if (!it->out)
        it->out = xfer_out_inband(t, &it->meta, buf_view(&it->data));
    before = xfer_out_done(it->out);
    rc = xfer_out_step(it->out, e);
    if (!it->sent && talk_sent(t) > first) /* the guest answers to its `start` */
        it->sent = sent_add(s, it, talk_sent_id(t, first));
    if (rc < 0 && strcmp(e->code, "busy") == 0)
        rc = 0;
    if (xfer_out_done(it->out) != before)
        tell_up(s, it, xfer_out_done(it->out));
    if (rc == 1)
        sent_complete(s, it->sent);
    return rc;
}

static void upload_next(struct session *s, struct item *it);

static void on_put(void *arg, struct view body, const struct err *e) {
    struct session *s = arg;
    struct item *it = s->items; /* only the first item moves */
    struct err why;

    (void)body;
    it->op = NULL;
    if (e) {
        why = *e;
        err_wrap(&why, "%s", it->server);
        it->upload_failed = why;
        return; /* reported by the next step */
    }
    it->parts_done += it->blob.parts[it->part].n;
    it->part++;
    if (it->part < it->blob.n_parts)
        upload_next(s, it);
}

static void on_put_progress(void *arg, uint64_t done, uint64_t total) {
    struct session *s = arg;
    struct item *it = s->items;
    uint64_t all = it->parts_done + done;

    (void)total;
    tell_up(s, it, all < it->meta.size ? all : it->meta.size);
}

static void upload_next(struct session *s, struct item *it) {
    struct err e;

    it->op = blossom_put(s->c.http, it->server, buf_view(&it->blob.parts[it->part]),
                         configured(&s->c, it->server), on_put, on_put_progress, s, &e);
    if (!it->op)
        it->upload_failed = e;
}

static int blob_step(struct session *s, struct item *it, struct err *e) {
    if (!it->blob.parts) {
        if (xfer_blob_make(&it->meta, buf_view(&it->data), &it->blob, e))
            return -1;
        upload_next(s, it);
    }
    if (it->upload_failed.code[0]) {
        *e = it->upload_failed;
        return -1;
    }
    if (it->part < it->blob.n_parts)
        return 0;
    if (xfer_blob_message(s->guest->talk, &it->blob, it->server, e))
        return strcmp(e->code, "busy") == 0 ? 0 : -1;
    sent_complete(s, sent_add(s, it, talk_sent_id(s->guest->talk, talk_sent(s->guest->talk) - 1)));
    return 1;
}

int file_step(struct session *s, struct item *it, struct err *e) {
    return it->server ? blob_step(s, it, e) : inband_step(s, it, e);
}

/* --- in --- */

/* Evidence: read before the guest was accepted, and nobody's file. */
static bool is_evidence(const struct xfer_meta *m) {
    return !strcmp(m->purpose, "gpu");
}

static void on_begin(void *arg, const struct xfer_meta *m) {
    struct session_event ev = {.type = SE_FILE_DOWN, .meta = m};

    if (!is_evidence(m))
        session_emit(arg, &ev);
}

static void on_progress(void *arg, const struct xfer_meta *m, uint64_t done) {
    struct session_event ev = {.type = SE_FILE_DOWN, .meta = m, .done = done};

    if (!is_evidence(m))
        session_emit(arg, &ev);
}

/* An answer too long for one message comes as a file; the kind 14 that ends the answer shows it. */
static void keep_text(struct session *s, const struct xfer_meta *m, struct view data) {
    struct sent *q = sent_find(s, m->reply);

    if (!q)
        return;
    buf_wipe(&q->long_text);
    buf_init(&q->long_text, data.n);
    buf_add(&q->long_text, data.p, data.n);
}

static void on_file(void *arg, const struct xfer_meta *m, struct view data) {
    struct session *s = arg;
    const struct sent *q = sent_find(s, m->reply);
    struct session_event ev = {.type = SE_FILE, .meta = m, .data = data, .id = q ? q->id : NULL};

    if (!strcmp(m->purpose, "text"))
        keep_text(s, m, data);
    else if (!is_evidence(m))
        session_emit(s, &ev);
}

static void on_failed(void *arg, const struct xfer_meta *m, const struct err *e) {
    struct session_event ev = {
        .type = SE_FILE_FAILED, .meta = m, .code = e->code, .text = view_str(e->text)};

    if (!is_evidence(m))
        session_emit(arg, &ev);
}

static void fetch_try(struct fetch *f);

static void on_got(void *arg, struct view body, const struct err *e) {
    struct fetch *f = arg;
    struct session *s = f->s;

    f->op = NULL;
    if (e) {
        f->server++;
        fetch_try(f);
        return;
    }
    f->used = false; /* before: the file may want its next part */
    xfer_in_blob(s->in, f->sha, body);
}

/* From the next server; URLs in messages play no part. */
static void fetch_try(struct fetch *f) {
    struct session *s = f->s;
    const char *url;
    struct err e;

    while ((url = server_at(&s->c, s->offer, f->server))) {
        f->op = blossom_get(s->c.http, url, f->sha, f->max, configured(&s->c, url), on_got, NULL, f,
                            &e);
        if (f->op)
            return;
        f->server++;
    }
    f->used = false;
    err_set(&e, "no-blob-server", "none of the blob servers that may be asked has the file");
    xfer_in_blob_failed(s->in, f->sha, &e);
}

static void on_want(void *arg, const uint8_t sha256[static 32], uint64_t max) {
    struct session *s = arg;
    struct err e;

    for (size_t i = 0; i < FETCHES_MAX && s->c.http; i++)
        if (!s->fetch[i].used) {
            struct fetch *f = &s->fetch[i];

            *f = (struct fetch){.s = s, .max = max, .used = true};
            memcpy(f->sha, sha256, 32);
            fetch_try(f);
            return;
        }
    err_set(&e, "no-blob-server", "too many files at once");
    xfer_in_blob_failed(s->in, sha256, &e);
}

void fetches_free(struct session *s) {
    for (size_t i = 0; i < FETCHES_MAX; i++)
        if (s->fetch[i].used)
            blossom_cancel(s->fetch[i].op);
}

size_t session_files_open(const struct session *s) {
    return s->in ? xfer_in_open(s->in) : 0;
}

const struct xfer_in_handler session_xfer_handler = {.begin = on_begin,
                                                     .progress = on_progress,
                                                     .file = on_file,
                                                     .failed = on_failed,
                                                     .want = on_want};
