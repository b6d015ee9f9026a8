/* Pure parts of the relay's HTTP side: what a header or path says. */
#ifndef CDVM_RELAY_AUTH_H
#define CDVM_RELAY_AUTH_H

#include "core/event.h"

/* Digits only, no sign, no list: false otherwise. lws itself takes "5,  3". */
bool http_length_parse(struct view v, uint64_t *out);

enum http_range { RANGE_NONE, RANGE_PART, RANGE_BAD };
/* "bytes=a-b", "bytes=a-" or "bytes=-n" of `size` bytes (RFC 9110 14.1.2). Several ranges or
 * another unit: RANGE_NONE, serve all. RANGE_BAD: 416. */
enum http_range http_range_parse(struct view v, uint64_t size, uint64_t *first, uint64_t *count);

/* "/<64 hex>[.ext]" */
bool http_blob_path(struct view path, uint8_t sha[static 32]);

/* What an authorization must say (BUD-11). */
struct http_auth_want {
    const char *verb;         /* "upload", "delete" */
    const uint8_t *sha;       /* must be among the x tags; NULL: http_auth_names asks later */
    const char *const *hosts; /* NULL-terminated; server tags, if any, must name one of them */
    int64_t now;
};
/* The verified kind 24242 of an "Authorization: Nostr <base64 or base64url>" value; owned. NULL
 * with "unauthorized" and a sentence. Single use is the caller's to check. */
struct event *http_auth_parse(struct view header, const struct http_auth_want *want, struct err *e);
bool http_auth_names(const struct event *auth, const uint8_t sha[static 32]);

#endif
