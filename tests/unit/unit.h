/* What every unit test includes after the .c under test. */
#ifndef CDVM_UNIT_H
#define CDVM_UNIT_H

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Path of a vector file, or NULL (the test then calls skip()) when ../shared is not beside us. */
static inline const char *vector_path(const char *rel) {
    static char path[512];
    const char *base = getenv("VECTORS");
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", base ? base : "../shared/vectors", rel);
    f = fopen(path, "rb");
    if (!f)
        return NULL;
    fclose(f);
    return path;
}

static inline int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at) {
    (void)st, (void)type, (void)at;
    return remove(path);
}

/* A folder that a test made, with all that is in it. 0, or -1. */
static inline int remove_tree(const char *dir) {
    return nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
