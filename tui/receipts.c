#include "tui/receipts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/dvm.h"
#include "core/json.h"
#include "core/offer.h"
#include "tui/verify_bundle.h"

struct receipts {
    char *folder;
    struct receipt_row *row;
    size_t n;
};

struct receipts *receipts_new(const char *folder) {
    struct receipts *r = mem_new(sizeof *r);

    r->folder = mem_str(folder);
    return r;
}

static void rows_free(struct receipt_row *row, size_t n) {
    for (size_t i = 0; i < n; i++)
        free(row[i].name);
    free(row);
}

void receipts_free(struct receipts *r) {
    if (!r)
        return;
    rows_free(r->row, r->n);
    free(r->folder);
    free(r);
}

size_t receipts_count(const struct receipts *r) {
    return r->n;
}

const struct receipt_row *receipts_at(const struct receipts *r, size_t i) {
    return i < r->n ? &r->row[i] : NULL;
}

/* --- the folder --- */

/* "x.json", a file itself and no link to one. */
static bool is_candidate(int dir, const char *name, struct stat *st) {
    size_t n = strlen(name);

    return n > 5 && name[0] != '.' && !strcmp(name + n - 5, ".json") &&
           fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st->st_mode);
}

static int newer_first(const void *a, const void *b) {
    const struct receipt_row *x = a, *y = b;

    if (x->saved != y->saved)
        return x->saved < y->saved ? 1 : -1;
    return strcmp(x->name, y->name);
}

/* What was read before of a file that is still the same. */
static void row_keep(struct receipt_row *row, const struct receipts *old) {
    for (size_t i = 0; i < old->n; i++) {
        const struct receipt_row *was = &old->row[i];
        char *name = row->name;

        if (strcmp(was->name, name) != 0 || was->saved != row->saved || was->size != row->size)
            continue;
        *row = *was;
        row->name = name;
        return;
    }
}

static size_t rows_read(DIR *d, struct receipt_row **out) {
    struct dirent *ent;
    struct stat st;
    size_t n = 0;

    while ((ent = readdir(d))) {
        if (!is_candidate(dirfd(d), ent->d_name, &st))
            continue;
        *out = mem_grow(*out, (n + 1) * sizeof **out);
        (*out)[n++] = (struct receipt_row){
            .name = mem_str(ent->d_name), .saved = st.st_mtime, .size = (uint64_t)st.st_size};
    }
    return n;
}

int receipts_scan(struct receipts *r, struct err *e) {
    struct receipt_row *row = NULL;
    DIR *d = r->folder ? opendir(r->folder) : NULL;
    size_t n;

    if (!d && r->folder && errno != ENOENT)
        return err_set(e, "no-folder", "cannot read %s: %s", r->folder, strerror(errno));
    n = d ? rows_read(d, &row) : 0;
    if (d)
        closedir(d);
    if (n)
        qsort(row, n, sizeof *row, newer_first);
    for (; n > RECEIPTS_MAX; n--)
        free(row[n - 1].name);
    for (size_t i = 0; i < n; i++)
        row_keep(&row[i], r);
    rows_free(r->row, r->n);
    r->row = row;
    r->n = n;
    return 0;
}

/* --- one of them --- */

static char *path_of(const struct receipts *r, const char *name) {
    return mem_fmt("%s/%s", r->folder, name);
}

int receipts_open(const struct receipts *r, size_t i, struct bundle *out, struct err *e) {
    cleanup_free char *path = path_of(r, r->row[i].name);
    cleanup_buf struct buf text = {0};

    *out = (struct bundle){0};
    if (file_read(path, BUNDLE_MAX, &text, e) != 0)
        return -1;
    return bundle_parse(buf_view(&text), out, e);
}

bool accept_words(const struct bundle *b, struct accept_words *out) {
    struct msg m = {0};
    const cJSON *v;
    bool ok;

    *out = (struct accept_words){0};
    if (!b->accept || msg_parse(b->accept, &m, NULL) != 0)
        return false;
    v = json_obj(m.o, "verdict", NULL);
    ok = v && json_opt(v, "state") && json_bool(v, "simulated", &out->simulated, NULL);
    if (ok) {
        text_clip(out->state, sizeof out->state, json_opt(v, "state"));
        text_clip(out->policy, sizeof out->policy,
                  json_opt(v, "policy") ? json_opt(v, "policy") : "");
    }
    msg_free(&m);
    return ok;
}

static void row_words(struct receipt_row *row, const struct bundle *b) {
    struct offer *o = offer_parse(b->offer, NULL);
    struct accept_words a;

    memcpy(row->job, b->request->f.id, 32);
    memcpy(row->provider, b->offer->f.pubkey, 32);
    row->has_receipt = b->receipt != NULL;
    if (!bundle_then(b, &row->accepted))
        row->accepted = 0;
    if (accept_words(b, &a)) {
        snprintf(row->then, sizeof row->then, "%s%s", a.simulated ? "SIMULATED " : "", a.state);
        snprintf(row->policy, sizeof row->policy, "%s", a.policy);
    }
    if (!o)
        return;
    text_clip(row->provider_name, sizeof row->provider_name, o->provider_name);
    text_clip(row->what, sizeof row->what, o->name);
    row->claims_sim = offer_simulated(o);
    offer_free(o);
}

static void row_judge(struct receipt_row *row, const struct bundle *b, receipts_judge *judge,
                      void *arg, int64_t at) {
    struct err e = {0};
    struct verdict *v = judge(arg, b, at, &e);

    row->judged = v != NULL;
    if (v) {
        row->now = verdict_state(v);
        row->simulated = verdict_simulated(v);
    } else
        text_clip(row->why, sizeof row->why, e.text);
    verdict_free(v);
}

static void row_read(const struct receipts *r, size_t i, receipts_judge *judge, void *arg,
                     int64_t at) {
    struct receipt_row *row = &r->row[i];
    struct bundle b;
    struct err e;

    row->read = true;
    if (receipts_open(r, i, &b, &e) != 0) {
        text_clip(row->why, sizeof row->why, e.text);
        return;
    }
    row_words(row, &b);
    row_judge(row, &b, judge, arg, at);
    bundle_free(&b);
}

bool receipts_next(struct receipts *r, size_t first, size_t n, receipts_judge *judge, void *arg,
                   int64_t at) {
    for (size_t i = first; i < r->n && i - first < n; i++)
        if (!r->row[i].read) {
            row_read(r, i, judge, arg, at);
            return true;
        }
    return false;
}

int receipts_delete(struct receipts *r, const char *name, struct err *e) {
    cleanup_free char *path = path_of(r, name);

    if (unlink(path) != 0)
        return err_set(e, "not-deleted", "cannot delete %s: %s", path, strerror(errno));
    return receipts_scan(r, e);
}
