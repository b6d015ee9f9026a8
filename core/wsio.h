/* Whole websocket messages in and out of one libwebsockets connection; shared by the client (ws.c)
 * and the embedded relay. lws hands over fragments and takes data only when the socket is writable.
 */
#ifndef CDVM_WSIO_H
#define CDVM_WSIO_H

#include "bytes.h"

struct lws;

/* Messages waiting for the socket. Zero-initialise, then set max (bytes). */
struct wsio_out {
    struct wsio_msg *head, *last;
    size_t bytes, max;
};
/* Copies text and asks lws for a writable callback. -1 "busy" when max would be passed. */
int wsio_push(struct wsio_out *q, struct lws *wsi, struct view text, struct err *e) WARN_UNUSED;
/* In a writable callback: writes until the socket is full; asks again if something is left. -1 when
 * the connection is broken. */
int wsio_write(struct wsio_out *q, struct lws *wsi) WARN_UNUSED;
struct view wsio_first(const struct wsio_out *q); /* the message to be sent next; queue not empty */
void wsio_drop_first(struct wsio_out *q);
void wsio_out_free(struct wsio_out *q);

enum wsio_got { WSIO_MORE, WSIO_WHOLE, WSIO_TOO_LARGE, WSIO_BINARY };
/* In a receive callback: collects fragments in `held` (cap = held->max). On WSIO_WHOLE *msg is the
 * message, borrowed until the next call. */
enum wsio_got wsio_take(struct buf *held, struct lws *wsi, struct view piece, struct view *msg);

#endif
