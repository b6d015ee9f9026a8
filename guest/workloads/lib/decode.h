/* The bytes of a text file as UTF-8.
 *
 * A byte order mark decides between UTF-8 and UTF-16. Without one the bytes are UTF-8; where they
 * are not, what most of the bytes above 0x7f say decides: mostly well-formed UTF-8 is repaired
 * (U+FFFD for each bad byte), anything else is read as Latin-1. */
#ifndef CDVM_WORKLOAD_DECODE_H
#define CDVM_WORKLOAD_DECODE_H

#include "core/bytes.h"

/* Appends valid UTF-8 without U+0000 to out, as far as its cap goes (out->full then). *latin1 tells
 * of the last resort. "unsupported" for bytes that are no text, with the reason. */
int decode_text(struct view in, struct buf *out, bool *latin1, struct err *e) WARN_UNUSED;

#endif
