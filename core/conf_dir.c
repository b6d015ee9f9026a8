/* The folders of conf.h: XDG Base Directory Specification 0.8. */
#include "conf.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct place {
    const char *env, *under_home;
} places[] = {
    [CONF_CONFIG] = {"XDG_CONFIG_HOME", ".config"},
    [CONF_DATA] = {"XDG_DATA_HOME", ".local/share"},
    [CONF_STATE] = {"XDG_STATE_HOME", ".local/state"},
    [CONF_CACHE] = {"XDG_CACHE_HOME", ".cache"},
    [CONF_RUNTIME] = {"XDG_RUNTIME_DIR", NULL},
};

/* The specification: a relative path in these variables is to be ignored. */
static const char *absolute(const char *env) {
    const char *s = getenv(env);

    return s && s[0] == '/' ? s : NULL;
}

static const char *home(void) {
    const char *s = absolute("HOME");
    struct passwd *pw = s ? NULL : getpwuid(getuid());

    return pw ? pw->pw_dir : s;
}

static int make_dirs(char *path, struct err *e) {
    for (char *p = path + 1;; p++) {
        char c = *p;

        if (c != '/' && c != 0)
            continue;
        *p = 0;
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return err_sys(e, errno, "cannot make the folder '%s'", path);
        *p = c;
        if (c == 0)
            return 0;
    }
}

/* Not a link, ours, and closed: else somebody could read our sockets or put theirs in our place. */
static bool private_dir(const char *path) {
    struct stat st;

    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
           (st.st_mode & 077) == 0;
}

static char *runtime_dir(struct err *e) {
    const char *base = absolute("XDG_RUNTIME_DIR"), *tmp = absolute("TMPDIR");
    char *path;

    if (base && private_dir(base))
        path = mem_fmt("%s/cdvm", base);
    else
        path = mem_fmt("%s/cdvm-%u", tmp ? tmp : "/tmp", (unsigned)geteuid());
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        err_sys(e, errno, "cannot make the folder '%s'", path);
    else if (!private_dir(path))
        err_set(e, "unsafe-folder",
                "'%s' is not a folder of yours closed to others (mode 0700); remove it or set "
                "XDG_RUNTIME_DIR",
                path);
    else
        return path;
    free(path);
    return NULL;
}

static char *below(const char *folder, const char *name) {
    return name ? mem_fmt("%s/%s", folder, name) : mem_str(folder);
}

char *conf_place(enum conf_dir dir, const char *name, struct err *e) {
    const struct place *place = &places[dir];
    const char *base = absolute(place->env), *h = base ? NULL : home();
    cleanup_free char *folder = NULL;

    if (!base && !h) {
        err_set(e, "no-home", "neither %s nor HOME names a folder", place->env);
        return NULL;
    }
    folder = base ? mem_fmt("%s/cdvm", base) : mem_fmt("%s/%s/cdvm", h, place->under_home);
    return below(folder, name);
}

static char *home_dir(enum conf_dir dir, struct err *e) {
    char *path = conf_place(dir, NULL, e);

    if (path && make_dirs(path, e) == 0)
        return path;
    free(path);
    return NULL;
}

char *conf_path(enum conf_dir dir, const char *name, struct err *e) {
    cleanup_free char *folder = dir == CONF_RUNTIME ? runtime_dir(e) : home_dir(dir, e);

    return folder ? below(folder, name) : NULL;
}
