/* A line that is typed and never shown: passphrases and keys. It lives in locked memory, is wiped
 * when it goes, and what it shows of itself says only whether there is anything in it. */
#ifndef CDVM_HIDDEN_H
#define CDVM_HIDDEN_H

#include "core/secret.h"

#define HIDDEN_MAX 1024 /* bytes of UTF-8 */

struct hidden;
struct hidden *hidden_new(void);
void hidden_free(struct hidden *h); /* wipes; NULL legal */

bool hidden_insert(struct hidden *h, uint32_t cp); /* false: no character, or full */
/* One byte of UTF-8, from where nothing decodes it. */
bool hidden_byte(struct hidden *h, uint8_t byte);
/* A line end behind it goes; anything else that is no text makes the whole paste refused. */
bool hidden_paste(struct hidden *h, struct view utf8);
void hidden_backspace(struct hidden *h);
void hidden_clear(struct hidden *h);

struct view hidden_view(const struct hidden *h); /* borrowed until it changes */
bool hidden_eq(const struct hidden *a, const struct hidden *b);

#endif
