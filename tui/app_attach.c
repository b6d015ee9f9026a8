/* Files of the person's own on their way out: what is asked before, and that they did not change
 * between the question and the yes. Whom they go to comes first, so that no number of files pushes
 * it out of sight. */
#include "tui/app.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/enc.h"
#include "core/hash.h"
#include "core/nip19.h"
#include "core/text.h"
#include "tui/path.h"

static int file_look(const char *path, uint64_t *size, uint8_t sha[static 32], struct err *e) {
    struct stat st;

    if (stat(path, &st) != 0)
        return err_set(e, "no-file", "there is no file %s", path);
    if (!S_ISREG(st.st_mode))
        return err_set(e, "no-file", "%s is not a file", path);
    if ((uint64_t)st.st_size > XFER_FILE_MAX)
        return err_set(e, "too-large", "%s is larger than %u MiB", path,
                       (unsigned)(XFER_FILE_MAX >> 20));
    *size = (uint64_t)st.st_size;
    return sha256_file(path, sha, e);
}

static void guard_file(struct buf *body, const struct app_attach *f, bool alone) {
    char hex[65];

    hex_encode(view_of(f->sha, 32), hex);
    if (alone)
        buf_fmt(body, "\n%s, %" PRIu64 " bytes\nsha256 %s", f->path, f->size, hex);
    else
        buf_fmt(body, "\n%s, %" PRIu64 " bytes, sha256 %.12s..%s", f->path, f->size, hex, hex + 60);
}

static void guard_words(struct app *a, const char *server) {
    struct prompt *p = &a->prompt;
    bool alone = a->n_attach == 1;
    uint64_t bytes = 0;
    char guest[20], title[64];

    for (size_t i = 0; i < a->n_attach; i++)
        bytes += a->attach[i].size;
    snprintf(title, sizeof title, "Send these %zu files, %" PRIu64 " bytes?", a->n_attach, bytes);
    npub_short(a->job->verdict.guest, guest);
    prompt_ask(p, THEN_ATTACH, alone ? "Send this file?" : title, NULL);
    p->job = a->job->number;
    buf_fmt(&p->body, "to guest %s, verdict %s%s\n", guest, check_state_name(a->job->verdict.state),
            a->job->simulated ? ", SIMULATED" : "");
    buf_fmt(&p->body, "encrypted, %s%s", server ? "through " : "inside the conversation",
            server ? server : "");
    for (size_t i = 0; i < a->n_attach; i++)
        guard_file(&p->body, &a->attach[i], alone);
}

static int attach_look(struct app *a, const char *path, const char **server, struct err *e) {
    struct app_attach *f = &a->attach[a->n_attach];

    if (strlen(path) >= sizeof f->path)
        return err_set(e, "no-file", "the path is too long");
    if (file_look(path, &f->size, f->sha, e) != 0 ||
        a->conf.port->route(a->conf.port_arg, a->job->number, f->size, server, e) != 0)
        return -1;
    snprintf(f->path, sizeof f->path, "%s", path);
    a->n_attach++;
    return 0;
}

/* All of them, or none. */
void app_ask_attach(struct app *a, const char *const *path, size_t n) {
    const char *why, *server = NULL, *through = NULL;
    struct err e;

    a->n_attach = 0;
    if (!app_may_send(a, &why)) {
        app_say(a, ROLE_WARN, "%s", why);
        return;
    }
    if (n > APP_ATTACH) {
        app_say(a, ROLE_WARN, "at most %d files at once", APP_ATTACH);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (attach_look(a, path[i], &server, &e) != 0) {
            app_say(a, ROLE_BAD, "%s", e.text);
            return;
        }
        through = server ? server : through;
    }
    guard_words(a, through);
}

/* What was asked about goes, and nothing that has taken its place since. */
static int attach_one(struct app *a, const struct app_attach *f, struct err *e) {
    const char *slash = strrchr(f->path, '/');
    cleanup_free char *name = file_name_safe(view_str(slash ? slash + 1 : f->path));
    struct xfer_meta m = {.size = f->size};

    if (a->conf.port->attach(a->conf.port_arg, a->job->number, f->path, path_mime(f->path), f->sha,
                             m.xid, e) != 0)
        return -1;
    memcpy(m.sha256, f->sha, 32);
    snprintf(m.name, sizeof m.name, "%s", name);
    app_file_path(a, a->job, &m, f->path);
    return 0;
}

void app_attach(struct app *a) {
    struct err e;

    for (size_t i = 0; i < a->n_attach; i++) {
        const struct app_attach *f = &a->attach[i];

        if (attach_one(a, f, &e) != 0) {
            app_say(a, ROLE_BAD, "%s", e.text);
            return;
        }
        app_note(a, ROLE_DIM, "Sending %s, %" PRIu64 " bytes.", f->path, f->size);
    }
}
