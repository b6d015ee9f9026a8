/* What the person has said of sellers: favourites, and those that are not to be shown. One file of
 * lines "<key hex> <favourite|muted> <unix time> <name>"; the name is what the seller called itself
 * then, so that another key with that name is noticed later. Never thrown away. */
#ifndef CDVM_MARKS_H
#define CDVM_MARKS_H

#include "core/bytes.h"

enum mark { MARK_NONE, MARK_FAVOURITE, MARK_MUTED };

struct mark_row {
    uint8_t key[32];
    enum mark mark;
    int64_t when;
    char name[64]; /* sanitised */
};

struct marks;
/* path NULL: kept for this run only. What cannot be read is said in *note, and then not changed
 * either. Never NULL. */
struct marks *marks_new(const char *path, struct err *note);
void marks_free(struct marks *m); /* NULL legal */
enum mark marks_get(const struct marks *m, const uint8_t key[static 32]);
/* An empty name leaves the one that is known. On error ("too-many", or the file's) nothing has
 * changed. */
int marks_set(struct marks *m, const uint8_t key[static 32], enum mark mark, const char *name,
              int64_t now, struct err *e) WARN_UNUSED;
size_t marks_count(const struct marks *m);
const struct mark_row *marks_at(const struct marks *m, size_t i); /* by key; NULL beyond */

uint64_t marks_version(const struct marks *m); /* another one after every change */

#endif
