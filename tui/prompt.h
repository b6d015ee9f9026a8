/* A question over a screen: yes or no by one key, or a word that must be typed in full. The default
 * is always no, and nothing pasted can answer. */
#ifndef CDVM_PROMPT_H
#define CDVM_PROMPT_H

#include "tui/edit.h"

enum prompt_then {
    THEN_NOTHING,
    THEN_START,
    THEN_ACCEPT,
    THEN_ATTACH,
    THEN_END,
    THEN_QUIT,
};

struct prompt {
    bool open;
    enum prompt_then then;
    char title[64], word[16]; /* word empty: yes or no */
    struct buf body;          /* prose, sanitised when drawn */
    struct edit *edit;        /* NULL for yes or no */
};

/* word NULL: yes or no. Lines are added to p->body by the caller. */
void prompt_ask(struct prompt *p, enum prompt_then then, const char *title, const char *word);
/* Closes; true when the word was typed exactly (or none was needed). */
bool prompt_answer(struct prompt *p);
void prompt_close(struct prompt *p); /* legal when not open */

#endif
