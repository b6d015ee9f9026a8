/* Tar archives of others into a stage, by libarchive: plain, gzip or zstd. What the stage refuses
 * is refused here, and device nodes, pipes and sockets as well; only those of /dev are left out and
 * counted, as every system brings its own. */
#ifndef CDVM_UNTAR_H
#define CDVM_UNTAR_H

#include "stage.h"

enum untar_as {
    UNTAR_PLAIN,     /* names that begin with ".wh." are names */
    UNTAR_WHITEOUTS, /* an OCI layer: only what it takes away from the layers below... */
    UNTAR_LAYER,     /* ...and only what it adds (image-spec, layer.md: in this order) */
};

struct untar {
    struct stage *stage;
    enum untar_as as;
    uint64_t max;     /* bytes that the archive may unpack to */
    unsigned devices; /* left out */
    /* Called now and then with the bytes read from fd so far; NULL: not. */
    void (*progress)(void *arg, uint64_t done);
    void *arg;
};
/* fd: at its start; stays the caller's. Codes "bad-archive", "too-large", "no-space", "system". */
int untar(struct untar *u, int fd, struct err *e) WARN_UNUSED;

#endif
