/* Who may come in to `cdvm ask --serve`. The socket is on a loopback address, but every user and
 * every web page of this computer can reach that: a request must bear the token, must name this
 * server as its host (a page whose name was made to lead here, "DNS rebinding", names another), and
 * must not come from a page at all (no Origin). Pure: headers in, a decision out. */
#ifndef CDVM_DOORMAN_H
#define CDVM_DOORMAN_H

#include <netinet/in.h>

#include "core/secret.h"

#define DOOR_TOKEN_LEN 48 /* characters of the token: "cdvm-" and 32 random bytes in base64url */

struct door {
    char host[INET6_ADDRSTRLEN]; /* numeric, loopback */
    uint16_t port;
    struct secret *token; /* DOOR_TOKEN_LEN bytes; owned */
};
/* "127.0.0.1:8080" or "[::1]:8080"; port 0 = any. Anything but a loopback address is refused
 * ("not-loopback"). Makes a fresh token. */
int door_open(const char *word, struct door *out, struct err *e) WARN_UNUSED;
void door_close(struct door *d);                          /* wipes; legal on {0} */
void door_address(const struct door *d, struct buf *out); /* "127.0.0.1:8080", "[::1]:8080" */

/* What a request's headers say; NULL where one is absent. */
struct knock {
    const char *host, *origin, *authorization;
};
/* 0, or the HTTP status to refuse with: 403 ("bad-host", "bad-origin"), 401 ("no-token",
 * "bad-token"). The token is compared in constant time. */
unsigned door_check(const struct door *d, const struct knock *k, struct err *e);

#endif
