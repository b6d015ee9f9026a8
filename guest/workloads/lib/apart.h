/* Reading a document in a process of its own, with limits on memory and time: whatever a hostile
 * file does to a parser, the process that holds the conversation sees bytes of a checked form, or a
 * sentence. */
#ifndef CDVM_WORKLOAD_APART_H
#define CDVM_WORKLOAD_APART_H

#include "docs.h"
#include "doctext.h"

#define APART_SECONDS 180                /* for one document */
#define APART_MEMORY ((uint64_t)1 << 30) /* of address space, over what the caller has mapped */

/* As extract() in extract.h; also "timeout", "cancelled" (the watch), "bad-document" when the
 * process died of the document. t is initialised here, and empty on error. */
int apart_extract(const char *format, const char *path, const struct docs_watch *w,
                  struct doctext *t, struct err *e) WARN_UNUSED;

#endif
