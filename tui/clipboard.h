/* The clipboard of the person's terminal, by OSC 52: written to, never asked for. It works over
 * ssh; tmux passes it on with `set-clipboard on`. Only what a key asked for gets there. */
#ifndef CDVM_CLIPBOARD_H
#define CDVM_CLIPBOARD_H

#include "core/bytes.h"

/* What xterm takes: 100,000 bytes with the frame, so 3/4 of that before base64. */
#define CLIPBOARD_MAX ((size_t)74000)

/* The bytes for the terminal: ESC ] 52 ; c ; BASE64 BEL. The text is sanitised first (newlines
 * stay). "too-large", "empty". */
int clipboard_bytes(struct view text, struct buf *out, struct err *e) WARN_UNUSED;

#endif
