/* What is typed into the chat's input: text for the guest, or a /command. */
#ifndef CDVM_CMD_H
#define CDVM_CMD_H

#include "tui/app.h"

struct cmd {
    const char *name, *args, *help; /* "attach", "PATH", "send a file (asks first)" */
    void (*run)(struct app *a, const char *arg);
};
const struct cmd *cmd_table(size_t *n);

bool cmd_typed(const struct app *a); /* the input is a command */
/* Enter: sends the text or runs the command. Text that may not go out stays where it is. */
void cmd_enter(struct app *a);
/* Tab: completes a command's name or a path; says what there is when several fit. */
void cmd_complete(struct app *a);

#endif
