/* An HTTP/1.1 response, taken apart as its bytes come (RFC 9112). Pure: bytes in, status and body
 * out.
 *
 * Bodies: Content-Length, chunked, or up to the end of the connection. Refused ("bad-engine"): a
 * head or chunk line over HTTPIN_LINE_MAX bytes, more than HTTPIN_HEAD_MAX bytes of head, a length
 * that is no number, both kinds of length at once, two different lengths, another transfer coding,
 * and bytes after the end. 1xx responses are passed over. */
#ifndef CDVM_WORKLOAD_HTTPIN_H
#define CDVM_WORKLOAD_HTTPIN_H

#include "core/bytes.h"

#define HTTPIN_LINE_MAX ((size_t)8192)
#define HTTPIN_HEAD_MAX ((size_t)32768)

struct httpin;
/* `body` gets each piece as it comes, borrowed for the call; it may call httpin_status. */
struct httpin *httpin_new(void (*body)(void *arg, struct view piece), void *arg);
void httpin_free(struct httpin *h);                                          /* NULL legal; wipes */
int httpin_feed(struct httpin *h, struct view v, struct err *e) WARN_UNUSED; /* -1: give it up */
/* The connection has ended. -1 when the response had not. */
int httpin_end(struct httpin *h, struct err *e) WARN_UNUSED;
bool httpin_done(const struct httpin *h);
int httpin_status(const struct httpin *h); /* 100..599 once the status line is in, 0 before */

#endif
