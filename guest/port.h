/* The guest's one door: a virtio-serial port that carries frames (core/channel). Non-blocking; what
 * does not fit waits in a queue. The host at the other end is hostile: a broken frame or a hang-up
 * ends the job, and nothing else can happen. */
#ifndef CDVM_PORT_H
#define CDVM_PORT_H

#include "core/channel.h"
#include "core/loop.h"

#define PORT_NAME "cdvm.0"
#define PORT_QUEUE_MAX ((size_t)16 << 20) /* a host that stops reading breaks the port */

struct port;
struct port_handler {
    void (*frame)(void *arg, const struct chan_frame *f); /* borrowed for the callback */
    void (*drained)(void *arg);                           /* the queue has become empty */
    void (*broken)(void *arg, const struct err *e);       /* once; nothing more is read */
};

/* Finds the port by name under sys/class/virtio-ports and opens it under dev. It must be the only
 * one. Waits a few seconds for the host to name and open it. NULL on error: code "no-port". */
struct port *port_open(const char *sys, const char *dev, struct err *e);
/* Takes over a connected descriptor. */
struct port *port_from_fd(int fd);
void port_free(struct port *p); /* closes; wipes what was queued; NULL legal */

/* Before this only port_send works (it queues). */
void port_watch(struct port *p, struct loop *l, const struct port_handler *h, void *arg);
/* Queues one frame and writes what fits. */
void port_send(struct port *p, enum chan_type type, struct view payload);
void port_state(struct port *p, enum chan_state state);
/* Frames with a structured payload are put together by chan_put_*: bytes as they are. */
void port_send_bytes(struct port *p, struct view frames);
size_t port_queued(const struct port *p);
/* Writes what is queued, for at most `ms`. For the last frames before the power goes off. */
void port_flush(struct port *p, int ms);

#endif
