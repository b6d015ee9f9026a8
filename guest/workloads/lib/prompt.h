/* What the model is given: earlier turns, numbered passages, the question; cut to a number of
 * tokens.
 *
 * Order of giving up, until it fits: the oldest turn (question and answer together), then half of
 * the passages' length, then the last passage. The question and the system prompt are never cut:
 * when they alone are too long that is said ("too-long"). */
#ifndef CDVM_WORKLOAD_PROMPT_H
#define CDVM_WORKLOAD_PROMPT_H

#include "core/bytes.h"

#define PROMPT_TURNS_MAX 64
#define PROMPT_PASSAGES_MAX 16

struct prompt_turn {
    char *question, *answer; /* owned */
};
/* The conversation so far: its newest turns. */
struct prompt_history {
    struct prompt_turn turn[PROMPT_TURNS_MAX];
    size_t n;
};
/* The newest `most` turns stay, and no more than PROMPT_TURNS_MAX. */
void prompt_remember(struct prompt_history *h, size_t most, const char *question,
                     struct view answer);
void prompt_forget(struct prompt_history *h); /* wipes */

struct prompt_passage {
    const char *name; /* of the document */
    struct view text; /* UTF-8 */
};
struct prompt {
    const char *system; /* NULL = none */
    const struct prompt_history *history;
    const struct prompt_passage *passage;
    size_t n_passages;    /* at most PROMPT_PASSAGES_MAX */
    size_t passage_bytes; /* of each passage at most */
    const char *question;
};
struct prompt_fit {
    size_t turns, passages, passage_bytes; /* what was kept */
    uint32_t tokens;
};
/* The tokens of `messages` (a JSON array of {role, content}). */
typedef int (*prompt_count)(void *arg, struct view messages, uint32_t *tokens, struct err *e);

/* Appends the messages of at most `budget` tokens to out. */
int prompt_make(const struct prompt *p, uint32_t budget, prompt_count count, void *arg,
                struct buf *out, struct prompt_fit *fit, struct err *e) WARN_UNUSED;

#endif
