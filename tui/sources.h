/* The passages that an answer was made from (message `sources`, cdvm-protocol(7)): read from the
 * guest's JSON, sanitised, and found again in the person's own copy of the document. No curses. */
#ifndef CDVM_SOURCES_H
#define CDVM_SOURCES_H

#include "core/json.h"

#define SOURCES_MAX 32
#define SOURCE_SNIPPET_MAX 8192 /* code points kept of a passage */

struct source {
    char *doc, *snippet; /* sanitised, one line and prose; never NULL */
    uint64_t offset;     /* of the passage in the document's text, in bytes */
    bool has_offset;
    int64_t score; /* higher is nearer; the workload's own scale */
    bool has_score;
};
/* In the order of the numbers that the answer may cite: [1] is v[0].. */
struct sources {
    struct source *v;
    size_t n;
};
/* Entries without a document or a passage are left out; more than SOURCES_MAX are cut off. */
void sources_read(const cJSON *list, struct sources *out);
/* "sources":[...] into an object that is open. */
void sources_json(const struct sources *s, struct jw *w);
void sources_free(struct sources *s); /* wipes; legal on {0} */
/* "[2] lease.md, at byte 312: "The landlord ..."" with at most `max` code points of the passage. */
void source_words(const struct source *s, size_t number, size_t max, struct buf *out);

/* Where the passage stands in a document: bytes [*from, *to). White space counts as equal whatever
 * it is, and the place nearest to the stated offset is taken. False when it is not there. */
bool source_find(const struct source *s, struct view doc, size_t *from, size_t *to);

#endif
