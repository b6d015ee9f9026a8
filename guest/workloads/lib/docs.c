#include "docs_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "apart.h"
#include "core/text.h"
#include "extract.h"
#include "watch.h"

#define NAME_MAX_CHARACTERS 200
#define HEAD 16
#define WINDOW_HEADING 80 /* characters, so that both together stay within the model's tokens */

struct docs *docs_new(const struct docs_model *model, struct err *e) {
    struct docs *d = mem_new(sizeof *d);

    d->index = index_new(e);
    if (!d->index) {
        docs_free(d);
        return NULL;
    }
    if (model) {
        d->model = *model;
        d->has_model = true;
        d->batch = DOCS_BATCH;
        d->vectors = vectors_new(model->dims);
    }
    return d;
}

void docs_lend_nothing(struct docs *d) {
    while (d->n_lent)
        free(d->lent[--d->n_lent]);
    free(d->lent);
    d->lent = NULL;
}

static void doc_free(struct doc *doc) {
    free(doc->name);
    doctext_free(&doc->text);
    split_free(&doc->split);
}

void docs_free(struct docs *d) {
    if (!d)
        return;
    docs_lend_nothing(d);
    for (size_t i = 0; i < d->n; i++)
        doc_free(&d->doc[i]);
    free(d->doc);
    index_free(d->index);
    vectors_free(d->vectors);
    free(d);
}

size_t docs_count(const struct docs *d) {
    return d->n;
}

void docs_info(const struct docs *d, size_t i, struct docs_info *info) {
    const struct doc *doc = &d->doc[i];

    *info = (struct docs_info){.name = doc->name,
                               .format = doc->format,
                               .bytes = doc->text.text.n,
                               .words = doc->split.words,
                               .passages = doc->split.n_passages,
                               .latin1 = doc->text.latin1,
                               .cut = doc->text.cut};
}

/* --- adding --- */

static int read_head(const char *path, uint8_t head[HEAD], size_t *n, struct err *e) {
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, head, HEAD);

    if (got < 0)
        return err_sys(e, errno, "cannot open the file");
    *n = (size_t)got;
    return 0;
}

static const char *find_format(const char *name, const char *path, struct err *e) {
    uint8_t head[HEAD];
    size_t n = 0;

    return read_head(path, head, &n, e) ? NULL : extract_format(name, view_of(head, n), e);
}

static int check_room(const struct docs *d, const struct doc *doc, struct err *e) {
    if (d->n == DOCS_MAX)
        return err_set(e, "too-large", "there are %d documents already, which is all there can be",
                       DOCS_MAX);
    if (d->bytes + doc->text.text.n > DOCS_TEXT_MAX ||
        d->n_windows + doc->split.n_windows > DOCS_WINDOWS_MAX)
        return err_set(e, "too-large",
                       "together with the documents before it, it has more text than fits");
    return 0;
}

static int add_passages(struct docs *d, const struct doc *doc, const struct docs_watch *w,
                        struct err *e) {
    for (size_t i = 0; i < doc->split.n_passages; i++) {
        const struct split_passage *p = &doc->split.passage[i];
        cleanup_free char *heading =
            split_heading_path(&doc->text, doc->split.window[p->first].heading, DOCS_HEADING);

        if (watch_look(w, e) || index_add(d->index, d->n_passages + i, heading,
                                          view_of(doc->text.text.p + p->at, p->n), e))
            return -1;
    }
    return 0;
}

static int add_to_index(struct docs *d, const struct doc *doc, const struct docs_watch *w,
                        struct err *e) {
    int rc;

    if (index_begin(d->index, e))
        return -1;
    rc = add_passages(d, doc, w, e);
    return index_end(d->index, !rc, rc ? NULL : e) || rc ? -1 : 0;
}

static void keep(struct docs *d, const struct doc *doc) {
    if (d->n == d->cap) {
        d->cap = d->cap ? d->cap * 2 : 16;
        d->doc = mem_grow(d->doc, d->cap * sizeof *d->doc);
    }
    d->doc[d->n] = *doc;
    d->doc[d->n].first_window = d->n_windows;
    d->doc[d->n].first_passage = d->n_passages;
    d->n++;
    d->n_windows += doc->split.n_windows;
    d->n_passages += doc->split.n_passages;
    d->bytes += doc->text.text.n;
}

int docs_add(struct docs *d, const char *name, const char *path, const struct docs_watch *w,
             struct docs_info *info, struct err *e) {
    struct doc doc = {.name = text_safe_new(view_str(name), TEXT_LINE, NAME_MAX_CHARACTERS)};

    docs_lend_nothing(d);
    doc.format = find_format(name, path, e);
    if (!doc.format || apart_extract(doc.format, path, w, &doc.text, e)) {
        doc_free(&doc);
        return -1;
    }
    split_text(&doc.text, &doc.split);
    if (check_room(d, &doc, e) || add_to_index(d, &doc, w, e)) {
        doc_free(&doc);
        return -1;
    }
    keep(d, &doc);
    if (info)
        docs_info(d, d->n - 1, info);
    return 0;
}

/* --- vectors --- */

bool docs_embedded(const struct docs *d) {
    return !d->has_model || vectors_count(d->vectors) == d->n_windows;
}

/* A window's text, with what stands above it: "its" and "this option" mean little alone. */
static void window_text(const struct doc *doc, size_t i, struct buf *out) {
    const struct split_window *w = &doc->split.window[i];
    cleanup_free char *path = split_heading_path(&doc->text, w->heading, WINDOW_HEADING);

    buf_reset(out);
    if (*path)
        buf_fmt(out, "%s: ", path);
    buf_add(out, doc->text.text.p + w->at, w->n);
}

static const struct doc *doc_of_window(const struct docs *d, size_t window) {
    size_t i = d->n - 1;

    while (d->doc[i].first_window > window)
        i--;
    return &d->doc[i];
}

static int embed_batch(struct docs *d, size_t from, size_t n, struct err *e) {
    struct buf text[DOCS_BATCH] = {{0}};
    struct view view[DOCS_BATCH];
    cleanup_free float *rows = mem_new(n * d->model.dims * sizeof *rows);
    int rc;

    for (size_t i = 0; i < n; i++) {
        const struct doc *doc = doc_of_window(d, from + i);

        window_text(doc, from + i - doc->first_window, &text[i]);
        view[i] = buf_view(&text[i]);
    }
    rc = d->model.embed(d->model.arg, view, n, rows, e);
    if (!rc)
        rc = vectors_add(d->vectors, rows, n, e);
    for (size_t i = 0; i < n; i++)
        buf_wipe(&text[i]);
    return rc;
}

void docs_batch(struct docs *d, size_t n) {
    d->batch = n;
}

int docs_embed(struct docs *d, const struct docs_watch *w, struct err *e) {
    while (!docs_embedded(d)) {
        size_t from = vectors_count(d->vectors), n = d->n_windows - from;

        watch_progress(w, from, d->n_windows);
        if (watch_look(w, e) || embed_batch(d, from, n < d->batch ? n : d->batch, e))
            return -1;
    }
    watch_progress(w, d->n_windows, d->n_windows);
    return 0;
}
