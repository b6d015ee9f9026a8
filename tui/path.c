#include "tui/path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/bytes.h"

#define NAMES_TRIED 1000

const char *path_mime(const char *path) {
    static const struct {
        const char *end, *mime;
    } KNOWN[] = {
        {".csv", "text/csv"},
        {".tsv", "text/tab-separated-values"},
        {".txt", "text/plain"},
        {".md", "text/markdown"},
        {".json", "application/json"},
        {".pdf", "application/pdf"},
        {".jsonl", "application/x-ndjson"},
        {".parquet", "application/vnd.apache.parquet"},
        {".html", "text/html"},
        {".png", "image/png"},
        {".jpg", "image/jpeg"},
        {".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    };
    const char *dot = strrchr(path, '.');

    for (size_t i = 0; dot && i < COUNT(KNOWN); i++)
        if (!strcasecmp(dot, KNOWN[i].end))
            return KNOWN[i].mime;
    return "application/octet-stream";
}

char *path_shown(const char *path) {
    const char *home = getenv("HOME");
    size_t n = home ? strlen(home) : 0;

    if (n > 1 && !strncmp(path, home, n) && path[n] == '/')
        return mem_fmt("~%s", path + n);
    return mem_str(path);
}

char *path_typed(const char *typed) {
    const char *home = getenv("HOME");

    if (home && !strncmp(typed, "~/", 2))
        return mem_fmt("%s%s", home, typed + 1);
    return mem_str(typed);
}

/* name, name-2, name-3 ... before the extension. */
static char *numbered(const char *path, unsigned n) {
    const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');

    if (n < 2)
        return mem_str(path);
    if (!dot || dot == path || (slash && dot <= slash + 1))
        return mem_fmt("%s-%u", path, n);
    return mem_fmt("%.*s-%u%s", (int)(dot - path), path, n, dot);
}

bool path_taken(const char *path) {
    struct stat st;

    return lstat(path, &st) == 0 || errno != ENOENT; /* a dangling link is a name in use */
}

char *path_free_name(const char *path) {
    for (unsigned n = 1; n < NAMES_TRIED; n++) {
        char *to = numbered(path, n);

        if (!path_taken(to))
            return to;
        free(to);
    }
    return mem_str(path);
}

int path_creatable(const char *path, struct err *e) {
    const char *slash = strrchr(path, '/');
    cleanup_free char *folder =
        slash ? mem_strn(path, slash == path ? 1 : (size_t)(slash - path)) : mem_str(".");
    struct stat st;

    if (lstat(path, &st) == 0) /* a link that leads nowhere is in the way too */
        return err_set(e, "exists", "'%s' exists already, and no file is written over", path);
    if (errno != ENOENT || access(folder, W_OK | X_OK) != 0)
        return err_sys(e, errno, "'%s' cannot be made", path);
    return 0;
}
