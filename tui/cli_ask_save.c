/* What `cdvm ask` keeps: result files and the bundle, never over another file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli_ask_priv.h"
#include "core/conf.h"
#include "core/enc.h"

#define NAMES_TRIED 1000 /* name.csv, name-1.csv, ... */

/* "dir/name.csv", then "dir/name-1.csv"... */
static char *path_try(const char *dir, const char *name, int i) {
    const char *dot = strrchr(name, '.');
    size_t stem = dot && dot != name ? (size_t)(dot - name) : strlen(name);

    if (i == 0)
        return mem_fmt("%s/%s", dir, name);
    return mem_fmt("%s/%.*s-%d%s", dir, (int)stem, name, i, name + stem);
}

static void show_saved(struct ask_out *o, const char *path, const struct xfer_meta *m) {
    cleanup_free char *hex = hex_new(view_of(m->sha256, 32));
    cleanup_buf struct buf b = {0};
    struct jw w;

    if (!o->a->json) {
        buf_fmt(&b, "%s  %llu bytes  sha256 %s%s\n", path, (unsigned long long)m->size, hex,
                o->simulated ? "  SIMULATED" : "");
        ask_write(o, buf_view(&b));
        return;
    }
    w = ask_json_begin(o, &b, "file");
    jw_kstr(&w, "path", path);
    ask_json_meta(&w, m);
    ask_json_end(o, &w);
}

/* path: owned by the caller. */
static int save_in(const char *dir, const char *name, struct view data, char **path,
                   struct err *e) {
    struct stat st;

    for (int i = 0; i < NAMES_TRIED; i++) {
        *path = path_try(dir, name, i);
        if (lstat(*path, &st) != 0) /* a link that leads nowhere is in the way too */
            return file_write(*path, data, 0600, false, e);
        free(*path);
        *path = NULL;
    }
    return err_set(e, "exists", "'%s' and %d names like it exist", name, NAMES_TRIED - 1);
}

/* The state folder lies on a disk as a rule, the runtime folder in memory: one of them has room. */
int ask_rescue(const char *name, struct view data, char **path, struct err *e) {
    static const enum conf_dir places[] = {CONF_STATE, CONF_RUNTIME};

    for (size_t i = 0; i < COUNT(places); i++) {
        cleanup_free char *dir = conf_path(places[i], "rescued", e);

        if (dir && (mkdir(dir, 0700) == 0 || errno == EEXIST) &&
            save_in(dir, name, data, path, e) == 0)
            return 0;
        cleanup_free_fn(path);
        *path = NULL;
    }
    return -1;
}

static int save_elsewhere(struct ask_out *o, const struct xfer_meta *m, struct view data,
                          struct err *e) {
    cleanup_free char *path = NULL;
    struct err why;

    if (ask_rescue(m->name, data, &path, &why))
        return -1;
    show_saved(o, path, m);
    why = *e;
    return err_set(e, why.code, "%.300s; it was saved as %.140s", why.text, path);
}

int ask_save(struct ask_out *o, const struct xfer_meta *m, struct view data, struct err *e) {
    cleanup_free char *path = NULL;

    if (save_in(o->a->set.out ? o->a->set.out : ".", m->name, data, &path, e))
        return save_elsewhere(o, m, data, e);
    show_saved(o, path, m);
    return 0;
}

void ask_bundle_saved(struct ask_out *o, const char *path) {
    cleanup_buf struct buf b = {0};
    struct jw w;

    if (!o->a->json) {
        ask_say(o, "receipt and evidence are in %s; check them with `cdvm verify %s`", path, path);
        return;
    }
    w = ask_json_begin(o, &b, "bundle");
    jw_kstr(&w, "path", path);
    ask_json_end(o, &w);
}
