/* A TCP socket that listens on one numeric address; what it accepts is handed over as a descriptor.
 * Not libwebsockets' own: its 4.1 versions listen on every interface when given an address, and
 * tell of a port in use only in their log. */
#ifndef CDVM_LISTEN_H
#define CDVM_LISTEN_H

#include "loop.h"

struct listener;
typedef void listener_fn(void *arg, int fd); /* takes the descriptor over; non-blocking */

/* bind: "127.0.0.1", "::1", ...; port 0 = any free one. Errors "bad-address", or the system's. */
struct listener *listener_new(struct loop *l, const char *bind, uint16_t port, listener_fn *fn,
                              void *arg, struct err *e);
void listener_free(struct listener *s); /* NULL legal */
uint16_t listener_port(const struct listener *s);
bool listener_loopback(const struct listener *s); /* nobody else can reach it */
bool address_loopback(const char *numeric);       /* false too when it is no address */

#endif
