/* A passphrase for a program without a screen: typed at the terminal without echo, or read from a
 * file descriptor that a script hands over. Never from arguments or the environment. */
#ifndef CDVM_ASKPASS_H
#define CDVM_ASKPASS_H

#include "tui/hidden.h"
#include "tui/identity.h"

/* Asks on /dev/tty, whatever standard input is. Owned; NULL: "no-terminal", "cancelled". */
struct hidden *askpass_tty(const char *question, struct err *e);
/* The first line of what can be read there; the descriptor stays open. NULL: "bad-passphrase". */
struct hidden *askpass_fd(int fd, struct err *e);
/* The list of identities with this one unlocked and chosen. fd: where its passphrase is read, -1
 * for the terminal. Owned; NULL on error. */
struct identities *askpass_identity(const char *name, int fd, struct err *e);

#endif
