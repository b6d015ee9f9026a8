/* To this disk, and only when a person says so: files that came, the conversation as text. A name
 * is proposed that nothing has, shown in full, and may be changed; nothing is ever written over. */
#include "tui/app.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "core/enc.h"
#include "core/nip19.h"
#include "tui/path.h"

static bool is_folder(const char *path) {
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* --- what is saved --- */

static void put_head(const struct app *a, struct buf *out) {
    const struct app_job *j = a->job;
    char id[65], npub[64], when[24], at[24];
    time_t began = (time_t)j->began_unix, now = (time_t)a->unix_now;
    struct tm tm;

    hex_encode(view_of(j->id, 32), id);
    strftime(when, sizeof when, "%Y-%m-%d %H:%M", localtime_r(&began, &tm));
    strftime(at, sizeof at, "%Y-%m-%d %H:%M", localtime_r(&now, &tm));
    buf_fmt(out, "Conversation of job %s\nbegun %s, saved %s\n", id, when, at);
    npub_full(j->provider, npub);
    buf_fmt(out, "provider %s (%s)\n", j->provider_name, npub);
    if (j->has_verdict) {
        npub_full(j->verdict.guest, npub);
        buf_fmt(out, "guest %s, verdict %s%s\n", npub, check_state_name(j->verdict.state),
                j->simulated ? ", SIMULATED" : "");
    }
    buf_str(out, "\n");
}

static int write_talk(const struct app *a, const char *path, struct err *e) {
    struct buf text = {0};
    int rc;

    put_head(a, &text);
    pager_text(a->job->chat, &text);
    rc = a->conf.port->write(a->conf.port_arg, path, buf_view(&text), e);
    buf_wipe(&text);
    if (rc == 0)
        app_job_keep(a->job, "chat", path);
    return rc;
}

static int write_to(struct app *a, const char *path, struct err *e) {
    struct app_file *f = a->saving.talk ? NULL : app_file_xid(a->job, a->saving.xid);

    if (a->saving.talk)
        return write_talk(a, path, e);
    if (!f)
        return err_set(e, "no-file", "that file is not kept any more");
    if (a->conf.port->write(a->conf.port_arg, path, buf_view(&f->data), e) != 0)
        return -1;
    free(f->saved);
    f->saved = path_shown(path);
    app_job_keep(a->job, "file", path);
    return 0;
}

static void save_to(struct app *a, const char *path) {
    cleanup_free char *shown = path_shown(path);
    struct err e;

    if (write_to(a, path, &e) != 0)
        app_say(a, ROLE_BAD, "%s", e.text);
    else if (a->saving.talk)
        app_note(a, ROLE_TITLE, "Saved this conversation as %s, in the clear.", shown);
    else
        app_note(a, ROLE_TITLE, "Saved %s, sha256 ok.", shown);
    if (a->screen != SCR_CHAT && !*a->status)
        app_say(a, ROLE_TEXT, "saved %s", shown);
}

/* --- asking where --- */

static void ask_words(struct app *a) {
    struct buf *body = &a->prompt.body;
    const struct app_file *f = a->saving.talk ? NULL : app_file_xid(a->job, a->saving.xid);
    char hex[65];

    if (f) {
        hex_encode(view_of(f->sha256, 32), hex);
        buf_fmt(body, "%s, %" PRIu64 " bytes\nsha256 %s\n", f->name, f->size, hex);
        buf_str(body, "The name is the guest's. ");
    } else
        buf_str(body, "All that was said and shown in this chat, in the clear. ");
    buf_str(body, "Only you can read what is written, and nothing is written over.");
}

static void ask_where(struct app *a, const char *path) {
    cleanup_free char *to = path_free_name(path), *shown = path_shown(to);
    struct prompt *p = &a->prompt;

    prompt_ask_text(p, THEN_SAVE, a->saving.talk ? "Save this conversation?" : "Save this file?",
                    PATH_MAX_APP);
    p->job = a->job->number;
    if (strcmp(to, path) != 0)
        buf_fmt(&p->body, "There is a %s already: this name is free.\n", path);
    ask_words(a);
    edit_set(p->edit, view_str(shown));
}

/* A path that was typed and is free needs no question. */
static void save_at(struct app *a, const char *name, const char *to) {
    bool whole = to && *to && !is_folder(to);
    cleanup_free char *path = NULL;

    if (whole)
        path = mem_str(to);
    else
        path = mem_fmt("%s/%s", to && *to ? to : a->conf.folder, name);
    if (whole && !path_taken(path))
        save_to(a, path);
    else
        ask_where(a, path);
}

void app_save_file(struct app *a, const struct app_file *f, const char *to) {
    if (!f || f->state != FILE_WHOLE || f->up) {
        app_say(a, ROLE_WARN, f ? "that file is not whole yet" : "no such file came; /get 1");
        return;
    }
    a->saving.talk = false;
    memcpy(a->saving.xid, f->xid, 16);
    save_at(a, f->name, to);
}

void app_save_talk(struct app *a, const char *to) {
    char name[40];

    if (!a->job->chat) {
        app_say(a, ROLE_WARN, "nothing was said yet");
        return;
    }
    a->saving.talk = true;
    snprintf(name, sizeof name, "conversation-%02x%02x.txt", a->job->id[0], a->job->id[1]);
    save_at(a, name, to);
}

void app_save_named(struct app *a, struct view typed) {
    cleanup_free char *word = mem_strn(typed.p, typed.n), *path = path_typed(word);

    if (!*path)
        return;
    if (is_folder(path) || path_taken(path))
        ask_where(a, path);
    else
        save_to(a, path);
}
