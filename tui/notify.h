/* A word to somebody who is looking elsewhere: the bell, and a notification of the desktop by the
 * escape sequences that terminals have for it. No other program is started.
 *
 * What is told are states of jobs, in this program's own words: no content, no names. Whatever the
 * words are, nothing but letters, digits and plain punctuation goes out. */
#ifndef CDVM_NOTIFY_H
#define CDVM_NOTIFY_H

#include "core/text.h"

#define NOTIFY_WORDS_MAX 100

enum notify {
    NOTIFY_AUTO, /* what this terminal is known to take */
    NOTIFY_OFF,
    NOTIFY_OSC9,   /* ESC ] 9 ; words ST */
    NOTIFY_OSC777, /* ESC ] 777 ; notify ; cdvm ; words ST */
};
extern const char *const notify_names[]; /* in that order, NULL at the end */

/* AUTO decided by the environment (TERM, TERM_PROGRAM ...): OFF where it is not known, and inside
 * tmux and screen, which do not hand it on. */
enum notify notify_here(enum notify asked);
/* The bytes for the terminal. */
void notify_bytes(enum notify how, bool bell, struct safe_text words, struct buf *out);

#endif
