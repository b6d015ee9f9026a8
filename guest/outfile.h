/* One file on its way to the customer: in band while it is small, through blobs otherwise, in band
 * after all when no blob server takes it. */
#ifndef CDVM_OUTFILE_H
#define CDVM_OUTFILE_H

#include "blobs.h"
#include "core/xfer.h"

struct outfile;
/* Takes over data. talk and blobs are borrowed. */
struct outfile *outfile_new(struct talk *t, struct blobs *b, const struct xfer_meta *m,
                            struct buf *data);
void outfile_free(struct outfile *o); /* wipes; NULL legal */
/* Sends what can be sent now. 1 = all of it is with the talk, 0 = call again later, -1 = error. */
int outfile_step(struct outfile *o, struct err *e) WARN_UNUSED;
/* The fate of a blob (struct blobs_handler). */
void outfile_stored(struct outfile *o, const uint8_t sha256[static 32], bool ok);

#endif
