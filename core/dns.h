/* Name resolution in the program's only worker thread; results come back on the loop. */
#ifndef CDVM_DNS_H
#define CDVM_DNS_H

#include "loop.h"

struct dns;
struct dns_query;
struct dns *dns_new(struct loop *l, struct err *e);
void dns_free(struct dns *d);
/* addr: numeric address, or NULL with a sentence in e. Called from the loop, never synchronously. */
typedef void dns_fn(void *arg, const char *addr, const struct err *e);
struct dns_query *dns_resolve(struct dns *d, const char *host, dns_fn *fn, void *arg);
void dns_cancel(struct dns_query *q);
/* True for loopback, private, link-local, unique-local, multicast and unspecified addresses. */
bool addr_is_private(const char *numeric);

#endif
