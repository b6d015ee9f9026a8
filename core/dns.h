/* Name resolution in the program's only worker thread; results come back on the loop. */
#ifndef CDVM_DNS_H
#define CDVM_DNS_H

#include "loop.h"

struct dns;
struct dns_query;
struct dns *dns_new(struct loop *l, struct err *e);
void dns_free(struct dns *d);
/* addr: numeric address, or NULL with a sentence in e. Called from the loop, never synchronously.
 */
typedef void dns_fn(void *arg, const char *addr, const struct err *e);
struct dns_query *dns_resolve(struct dns *d, const char *host, dns_fn *fn, void *arg);
void dns_cancel(struct dns_query *q); /* before its callback only; NULL legal */
/* True for loopback, private, link-local, unique-local, multicast, documentation and unspecified
 * addresses, also inside mapped, NAT64 and 6to4 ones, and for what is no address (RFC 6890). */
bool addr_is_private(const char *numeric);

#endif
