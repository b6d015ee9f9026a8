/* The owner's list (cdvm-protocol(7), "Sealed models"): which guests get which model's key. One row
 * a line, words apart by blanks, in any order; # begins a comment:
 *
 *   release=<sha256 of the manifest> work=<root:blocks> model=<root:blocks> key=<file> max=<n>
 *   [total=<n>] [gpus=<n>] [vcpus=<most>]
 *
 * max: keys that one machine (CHIP_ID) gets for this row, ever. total: that all machines get. gpus:
 * how many the guest must prove (0). vcpus: the most it may have (64). */
#ifndef CDVM_BROKER_LIST_H
#define CDVM_BROKER_LIST_H

#include "core/release.h"

#define BROKER_ROWS_MAX 1024
#define BROKER_VCPUS_MAX 512

struct broker_row {
    uint8_t release[32];
    struct volume work, model;
    char key[256]; /* file name as written */
    uint64_t max, total;
    uint32_t gpus, vcpus;
    unsigned line;
};
struct broker_list {
    struct broker_row *row;
    size_t n;
};
/* "bad-list" with `file` and line. broker_list_free(out) in any case. */
int broker_list_parse(struct view text, const char *file, struct broker_list *out,
                      struct err *e) WARN_UNUSED;
void broker_list_free(struct broker_list *l); /* legal on {0} */

#endif
