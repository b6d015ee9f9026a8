/* One list of everything that can be done, with its key: the rows of the tables of keys and of
 * commands, those of the screen one is on first. Filtered by words as one types; a command's own
 * arguments may follow its name. No curses. */
#ifndef CDVM_PALETTE_H
#define CDVM_PALETTE_H

#include "tui/cmd.h"

#define PALETTE_ROWS 256

struct palette_row {
    const struct key_row *key; /* or */
    const struct cmd *cmd;
    enum scr on; /* where the key works */
};
struct palette {
    bool open;
    struct edit *edit;
    char *typed;                          /* what the rows were made for */
    struct palette_row row[PALETTE_ROWS]; /* those that fit what was typed */
    struct list list;
};

void palette_open(struct palette *p);
void palette_close(struct palette *p); /* legal when it is not open */
/* on: the screen that is under it. */
void palette_fill(struct palette *p, enum scr on, size_t height);
const struct palette_row *palette_at(const struct palette *p);    /* under the cursor; NULL: none */
bool palette_named(const struct palette *p, const struct cmd *c); /* "/attach ", or more */
/* What was typed behind a command's name ("" without); owned. */
char *palette_argument(const struct palette *p, const struct cmd *c);
enum action palette_way(enum scr to); /* what brings that screen up; ACT_NONE: no key does */
/* How a row is shown: "/attach PATH...", "Ctrl-F". */
void palette_name(const struct palette_row *r, char out[static 64]);

#endif
