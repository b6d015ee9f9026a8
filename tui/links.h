/* Addresses in text from outside: shown in full, and a host with letters beyond ASCII in punycode
 * (RFC 3492), so that two that look alike read differently. Nothing here opens one. */
#ifndef CDVM_LINKS_H
#define CDVM_LINKS_H

#include "core/bytes.h"

/* Appends the text with the host of every scheme://host in it made ASCII. */
void links_plain(struct view text, struct buf *out);
/* Of text that still grows: the bytes at its front that no more text can turn into a part of an
 * address. All but the last word, when that may be one. */
size_t links_settled(struct view text);
/* "b\xc3\xbc" "cher.example" -> "xn--bcher-kva.example". Broken UTF-8 becomes U+FFFD first. */
void links_host(struct view host, struct buf *out);

#endif
