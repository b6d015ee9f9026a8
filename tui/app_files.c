/* Files of a job, both ways: what is known of each, and the cursor of their screen. */
#include "tui/app.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void app_file_free(struct app_file *f) {
    buf_wipe(&f->data);
    free(f->saved);
    free(f->path);
}

static struct app_file *file_of(struct app_job *j, const uint8_t xid[static 16]) {
    for (size_t i = 0; i < j->n_files; i++)
        if (!memcmp(j->file[i].xid, xid, 16))
            return &j->file[i];
    return NULL;
}

static struct app_file *file_add(const struct app *a, struct app_job *j, const struct xfer_meta *m,
                                 bool up) {
    struct app_file *f;

    if (j->n_files == APP_FILES) {
        app_file_free(&j->file[0]);
        memmove(j->file, j->file + 1, (APP_FILES - 1) * sizeof j->file[0]);
        j->n_files--;
    }
    f = &j->file[j->n_files++];
    *f = (struct app_file){.up = up, .size = m->size, .began = a->now, .moved = a->now};
    memcpy(f->xid, m->xid, 16);
    memcpy(f->sha256, m->sha256, 32);
    text_clip(f->name, sizeof f->name, m->name);
    return f;
}

static struct app_file *file_touch(const struct app *a, struct app_job *j,
                                   const struct session_event *ev, bool up) {
    struct app_file *f = file_of(j, ev->meta->xid);

    if (!f)
        f = file_add(a, j, ev->meta, up);
    if (ev->done > f->done || f->pace.began == 0) {
        f->moved = a->now;
        pace_at(&f->pace, a->now, ev->done, f->size);
    }
    f->done = ev->done;
    return f;
}

static void sha_short(const uint8_t sha[static 32], char out[static 16]) {
    snprintf(out, 16, "%02x%02x..%02x%02x", sha[0], sha[1], sha[30], sha[31]);
}

size_t app_file_number(const struct app_job *j, const struct app_file *f) {
    size_t n = 0;

    for (const struct app_file *k = j->file; k <= f; k++)
        n += !k->up;
    return n;
}

void app_on_file_moved(struct app *a, struct app_job *j, const struct session_event *ev, bool up) {
    file_touch(a, j, ev, up);
}

void app_on_file(struct app *a, struct app_job *j, const struct session_event *ev) {
    struct app_file *f = file_touch(a, j, ev, false);
    char sha[16];

    f->done = f->size;
    f->state = FILE_WHOLE;
    buf_init(&f->data, XFER_FILE_MAX);
    buf_add(&f->data, ev->data.p, ev->data.n);
    sha_short(f->sha256, sha);
    app_job_news(a, j);
    app_job_note(a, j, ROLE_TITLE, "File %zu: %s, %" PRIu64 " bytes, sha256 %s. /get %zu saves it.",
                 app_file_number(j, f), f->name, f->size, sha, app_file_number(j, f));
}

void app_on_file_failed(struct app *a, struct app_job *j, const struct session_event *ev) {
    struct app_file *f = file_of(j, ev->meta->xid);
    cleanup_free char *why = text_safe_new(ev->text, TEXT_LINE, 150);

    if (!f)
        f = file_add(a, j, ev->meta, false);
    f->state = FILE_BROKEN;
    text_clip(f->why, sizeof f->why, why);
    app_job_note(a, j, ROLE_BAD, "%s did not get through (%s): %s", f->name,
                 ev->code ? ev->code : "?", f->why);
}

bool app_file_sent(struct app *a, struct app_job *j, const uint8_t *xid) {
    struct app_file *f = xid ? file_of(j, xid) : NULL;
    char sha[16];

    if (!f || !f->up)
        return false;
    if (f->state == FILE_WHOLE)
        return true;
    f->state = FILE_WHOLE;
    f->done = f->size;
    sha_short(f->sha256, sha);
    app_job_note(a, j, ROLE_DIM, "%s is with the guest, sha256 %s.", f->name, sha);
    return true;
}

void app_file_path(struct app *a, struct app_job *j, const struct xfer_meta *m, const char *path) {
    struct app_file *f = file_of(j, m->xid);

    if (!f)
        f = file_add(a, j, m, true);
    free(f->path);
    f->path = mem_str(path);
}

struct app_file *app_file_named(struct app *a, const char *word) {
    struct app_job *j = a->job;
    char *end;
    size_t n = strtoul(word, &end, 10), k = 0;

    for (size_t i = 0; i < j->n_files; i++) {
        struct app_file *f = &j->file[i];

        if (f->up)
            continue;
        k++;
        if (!strcmp(f->name, word) || (*word && !*end && k == n))
            return f;
    }
    return NULL;
}

struct app_file *app_file_xid(struct app_job *j, const uint8_t xid[static 16]) {
    return file_of(j, xid);
}

struct app_file *app_file_at(const struct app *a) {
    struct app_job *j = a->job;

    return a->files.cur < j->n_files ? &j->file[a->files.cur] : NULL;
}

/* A command typed for the person, who sees it and may change it. */
void app_type_command(struct app *a, const char *text) {
    app_go(a, SCR_CHAT);
    edit_remember(a->input); /* a draft is not lost: Up brings it back */
    edit_set(a->input, view_str(text));
}

void app_file_attach(struct app *a) {
    const char *why;

    if (app_may_send(a, &why))
        app_type_command(a, "/attach ");
    else
        app_say(a, ROLE_WARN, "%s", why);
}

void app_file_get(struct app *a) {
    struct app_file *f = app_file_at(a);

    if (!f || f->up)
        app_say(a, ROLE_WARN,
                f ? "that file is yours: it lies where it lay" : "no file came or went yet");
    else
        app_save_file(a, f, NULL);
}
