#include "wsio.h"

#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>

struct wsio_msg {
    struct wsio_msg *next;
    size_t n;
    uint8_t data[]; /* LWS_PRE bytes for the frame header, then the text */
};

int wsio_push(struct wsio_out *q, struct lws *wsi, struct view text, struct err *e) {
    struct wsio_msg *m;

    if (text.n > q->max || q->bytes > q->max - text.n)
        return err_set(e, "busy", "%zu bytes are waiting for the other side already", q->bytes);
    m = mem_new(sizeof *m + LWS_PRE + text.n);
    m->n = text.n;
    memcpy(m->data + LWS_PRE, text.p, text.n);
    if (q->head)
        q->last->next = m;
    else
        q->head = m;
    q->last = m;
    q->bytes += text.n;
    if (wsi)
        lws_callback_on_writable(wsi);
    return 0;
}

struct view wsio_first(const struct wsio_out *q) {
    return view_of(q->head->data + LWS_PRE, q->head->n);
}

void wsio_drop_first(struct wsio_out *q) {
    struct wsio_msg *m = q->head;

    q->head = m->next;
    q->bytes -= m->n;
    free(m);
}

int wsio_write(struct wsio_out *q, struct lws *wsi) {
    while (q->head && !lws_send_pipe_choked(wsi)) {
        struct wsio_msg *m = q->head;

        if (lws_write(wsi, m->data + LWS_PRE, m->n, LWS_WRITE_TEXT) < 0)
            return -1;
        wsio_drop_first(q);
    }
    if (q->head)
        lws_callback_on_writable(wsi);
    return 0;
}

void wsio_out_free(struct wsio_out *q) {
    while (q->head)
        wsio_drop_first(q);
}

enum wsio_got wsio_take(struct buf *held, struct lws *wsi, struct view piece, struct view *msg) {
    bool last = lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0;

    if (lws_frame_is_binary(wsi))
        return WSIO_BINARY;
    if (lws_is_first_fragment(wsi))
        buf_reset(held);
    if (piece.n > held->max - held->n)
        return WSIO_TOO_LARGE;
    if (last && !held->n) {
        *msg = piece;
        return WSIO_WHOLE;
    }
    buf_add(held, piece.p, piece.n);
    if (!last)
        return WSIO_MORE;
    *msg = buf_view(held);
    held->n = 0; /* the bytes stay in place for the borrower */
    return WSIO_WHOLE;
}
