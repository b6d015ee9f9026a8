/* The one table of keys: dispatch, footer and help all come from it. */
#ifndef CDVM_KEYS_H
#define CDVM_KEYS_H

#include "tui/input.h"

/* Where keys go. The first ones are screens; the others lie over a screen while they are open. */
enum scr {
    SCR_OFFERS,
    SCR_OFFER, /* one offer in full */
    SCR_JOBS,
    SCR_ATTEST,
    SCR_PROOF, /* beside a tree: the bytes behind it, what changed */
    SCR_CHAT,
    SCR_SOURCE, /* a passage of an answer in its document */
    SCR_SETTINGS,
    SCR_TABLE, /* a table of an answer */
    SCR_CELL,  /* one cell of it in full */
    SCR_FILES,
    SCR_RECEIPTS, /* saved bundles */
    SCR_RECEIPT,  /* one of them, verified anew */
    SCR_END,
    SCR_FIRST,   /* the first start */
    SCR_FILTER,  /* typing a filter over the offers */
    SCR_FIND,    /* typing what to find in the chat */
    SCR_FOUND,   /* going from place to place */
    SCR_YESNO,   /* a question answered by one key */
    SCR_WORD,    /* a question answered by typing a word */
    SCR_HIDDEN,  /* a question answered by a line that is not shown */
    SCR_WAIT,    /* something is waited for */
    SCR_PALETTE, /* the list of everything that can be done */
    SCR_HELP,
    SCR_COUNT,
};

enum action {
    ACT_NONE,
    ACT_HELP,
    ACT_PALETTE,
    ACT_REDRAW,
    ACT_SUSPEND,
    ACT_PANIC,
    ACT_QUIT,
    ACT_BACK,
    ACT_INTERRUPT,
    ACT_GO_OFFERS,
    ACT_GO_JOBS,
    ACT_GO_ATTEST,
    ACT_GO_CHAT,
    ACT_GO_FILES,
    ACT_UP,
    ACT_DOWN,
    ACT_PAGE_UP,
    ACT_PAGE_DOWN,
    ACT_TOP,
    ACT_BOTTOM,
    ACT_UNREAD,
    ACT_NEXT_JOB,
    ACT_PREV_JOB,
    ACT_UNREAD_JOB,
    ACT_FORGET,
    ACT_LEFT,
    ACT_RIGHT,
    ACT_OPEN,
    ACT_RAW,
    ACT_FILTER,
    ACT_SORT,
    ACT_SORT_BACK,
    ACT_UNFILTER,
    ACT_NEXT_OFFER,
    ACT_PREV_OFFER,
    ACT_FAVOURITE,
    ACT_MUTE,
    ACT_SHOW_MUTED,
    ACT_FORGET_SELLER,
    ACT_FOLD,
    ACT_NEXT_OPEN,
    ACT_PREV_OPEN,
    ACT_EVIDENCE,
    ACT_CHANGES,
    ACT_UNACCEPT,
    ACT_GO_RECEIPTS,
    ACT_MARK,
    ACT_DIFF,
    ACT_TURN,
    ACT_DELETE,
    ACT_ACCEPT,
    ACT_DESTROY,
    ACT_SAVE,
    ACT_SEND,
    ACT_NEWLINE,
    ACT_COMPLETE,
    ACT_FIND,
    ACT_FIND_OLDER,
    ACT_FIND_NEWER,
    ACT_FIND_KEEP,
    ACT_FIND_END,
    ACT_RESEND,
    ACT_EDIT_AGAIN,
    ACT_PREFIX,
    ACT_COPY,
    ACT_TABLE,
    ACT_NEXT_TABLE,
    ACT_PREV_TABLE,
    ACT_TABLE_SORT,
    ACT_TABLE_SAVE,
    ACT_CELL,
    ACT_FILE_GET,
    ACT_FILE_ATTACH,
    ACT_SOURCE,
    ACT_NEXT_SOURCE,
    ACT_PREV_SOURCE,
    ACT_PARAM,
    ACT_GO_SETTINGS,
    ACT_CHOOSE,
    ACT_NEXT_STEP,
    ACT_PREV_STEP,
    ACT_SIMULATOR,
    ACT_SKIP,
    ACT_CHANGE,
    ACT_LOCK,
    ACT_REMOVE,
    ACT_TYPE,
    ACT_TRY,
    ACT_WRITE,
    ACT_YES,
    ACT_NO,
    ACT_EDIT_FIRST, /* from here on: enum edit_op in its order */
    ACT_EDIT_LEFT = ACT_EDIT_FIRST,
    ACT_EDIT_RIGHT,
    ACT_EDIT_WORD_LEFT,
    ACT_EDIT_WORD_RIGHT,
    ACT_EDIT_HOME,
    ACT_EDIT_END,
    ACT_EDIT_BACKSPACE,
    ACT_EDIT_DELETE,
    ACT_EDIT_KILL_END,
    ACT_EDIT_KILL_START,
    ACT_EDIT_KILL_WORD,
    ACT_EDIT_YANK,
    ACT_EDIT_UP,
    ACT_EDIT_DOWN,
    ACT_EDIT_CLEAR,
    ACT_COUNT,
};

struct key_row {
    unsigned on;     /* bits 1 << enum scr */
    uint32_t key[4]; /* 0 ends */
    enum action action;
    const char *hint; /* one or two words in the footer; NULL: only in the help */
    const char *help;
};

const struct key_row *keys_table(size_t *n);
/* A key of the person's own, "offers Z s": on that screen (the first word of its name) Z does what
 * s does there, and no more what it did. Questions cannot be bound, so every question stays; nor
 * can Ctrl-C and Ctrl-Q, nor a letter where letters are text. "bad-config", and nothing changes. */
int keys_bind(const char *line, struct err *e) WARN_UNUSED;
int keys_bind_ok(const char *line, struct err *e) WARN_UNUSED; /* would it be taken? */
void keys_unbind(void); /* all of them: the table is as it was built */
/* ACT_NONE when the screen does not bind it: a letter then goes to the editor, if there is one. */
enum action keys_find(enum scr s, uint32_t key);
bool keys_on(const struct key_row *row, enum scr s);
bool keys_types(enum scr s); /* letters are text here */
const char *keys_screen_name(enum scr s);
/* "Ctrl-X", "Alt-Enter", "PgUp", "F1", "q"; out of 24 bytes. */
void keys_name(uint32_t key, char out[static 24]);

#endif
