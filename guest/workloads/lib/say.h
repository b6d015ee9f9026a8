/* What a workload says to the agent (cdvm-protocol(7), "Workload contract"), one line each. */
#ifndef CDVM_WORKLOAD_SAY_H
#define CDVM_WORKLOAD_SAY_H

#include "lines.h"

struct say {
    struct buf body;
    struct jw w; /* write the line's members with jw_k* */
};
void say_begin(struct say *s, const char *id); /* id NULL: none */
/* False: nobody reads. Wipes s. */
bool say_send(struct say *s, struct lines *l, const char *type);

bool say_error(struct lines *l, const char *id, const struct err *e); /* id may be NULL */
bool say_progress(struct lines *l, const char *id, uint64_t done, uint64_t total, const char *unit,
                  const char *note);
/* In pieces that fit a line. */
bool say_text(struct lines *l, const char *id, struct view utf8);

#endif
