#include "tui/path.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/bytes.h"

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
