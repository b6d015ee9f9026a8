/* A question over a screen: yes or no by one key, a word that must be typed in full, a line of
 * text, or a line that is not shown; or something that is waited for. The default is always no, and
 * nothing pasted can answer yes or be the word. */
#ifndef CDVM_PROMPT_H
#define CDVM_PROMPT_H

#include "tui/edit.h"
#include "tui/hidden.h"

enum prompt_then {
    THEN_NOTHING,
    THEN_START,
    THEN_ACCEPT,
    THEN_ATTACH,
    THEN_SAVE,
    THEN_PARAM,
    THEN_FORGET_SELLER,
    THEN_END,
    THEN_FORGET,
    THEN_QUIT,
    THEN_DELETE,              /* a saved receipt */
    THEN_IDENTITY_NAME,       /* of one to be added */
    THEN_IDENTITY_KEY,        /* nsec or ncryptsec to be imported */
    THEN_IDENTITY_SIGNER,     /* bunker:// address of a remote signer */
    THEN_IDENTITY_PASSPHRASE, /* under which it is kept */
    THEN_IDENTITY_AGAIN,      /* the same once more */
    THEN_IDENTITY_UNLOCK,
    THEN_IDENTITY_REMOVE,
    THEN_RESUME,            /* pick up what was left */
    THEN_RESUME_PASSPHRASE, /* which opens it */
    THEN_RESUME_FORGET,
    THEN_RESUME_SET, /* under which jobs are kept from now on */
    THEN_RESUME_AGAIN,
    THEN_SETTING,
    THEN_SIGNER, /* none: a signer is waited for */
    THEN_COUNT,  /* tests/unit/test_gate.c knows each: what a yes to it may do */
};

struct prompt {
    bool open, free; /* free: any text will do */
    enum prompt_then then;
    int64_t until; /* loop_now; of what is waited for, which no key answers; 0: nothing */
    unsigned job;  /* number of the job that it is about; 0: about none */
    char title[64], word[16]; /* word empty: yes or no */
    char also[16];            /* another word that will do; empty: none */
    struct buf body;          /* prose, sanitised when drawn */
    struct edit *edit;        /* NULL for yes or no */
    struct hidden *hidden;    /* instead of edit, for a passphrase or a key */
};

/* word NULL: yes or no. Lines are added to p->body by the caller. */
void prompt_ask(struct prompt *p, enum prompt_then then, const char *title, const char *word);
/* Asks for a line of text of at most `max` characters. */
void prompt_ask_text(struct prompt *p, enum prompt_then then, const char *title, size_t max);
void prompt_text(const struct prompt *p, struct buf *out); /* what was typed; before answer */
/* Asks for a line that is never shown. */
void prompt_ask_hidden(struct prompt *p, enum prompt_then then, const char *title);
/* No question: something is waited for, at most until then, and Esc stops it. */
void prompt_wait(struct prompt *p, enum prompt_then then, const char *title, int64_t until);
struct hidden *prompt_hidden(struct prompt *p); /* taken out, now the caller's; before answer */
/* Closes; true when the word was typed exactly (or none was needed). */
bool prompt_answer(struct prompt *p);
void prompt_close(struct prompt *p); /* legal when not open */

#endif
