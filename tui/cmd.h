/* What is typed into the chat's input: text for the guest, or a /command. */
#ifndef CDVM_CMD_H
#define CDVM_CMD_H

#include "tui/app.h"

/* What an argument is, for its completion. */
enum cmd_arg {
    ARG_NONE,
    ARG_PATHS, /* this one and all that follow */
    ARG_PATH,
    ARG_FILE, /* one that came: its number or name */
    ARG_SOURCE,
    ARG_TABLE,
    ARG_TURN,
    ARG_COPY,
    ARG_JOB,
    ARG_PARAM,
};

#define CMD_ARGS 2
struct cmd {
    const char *name, *args, *help; /* "attach", "PATH", "send a file (asks first)" */
    void (*run)(struct app *a, const char *arg);
    enum cmd_arg arg[CMD_ARGS];
};
const struct cmd *cmd_table(size_t *n);
const struct cmd *cmd_named(struct view name); /* without the slash; NULL: there is none */

bool cmd_typed(const struct app *a); /* the input is a command */
/* Enter: sends the text or runs the command. Text that may not go out stays where it is. */
void cmd_enter(struct app *a);

/* The next word of s without its quotes and backslashes, which work as in a shell; returns what
 * follows it. */
const char *cmd_word(const char *s, struct buf *word);

/* --- cmd_complete.c --- */
/* Tab: completes a command's name, a path, a number or a name; says what there is when several fit.
 */
void cmd_complete(struct app *a);
/* The command that is being typed, with its arguments and what it does: "" when it is none yet. */
void cmd_hint(const struct app *a, char *out, size_t n);

#endif
