/* The steps by which a child of the agent's gives up what it does not need. Each is called in the
 * child itself, allocates nothing, and returns 0, or -1 with errno. */
#ifndef CDVM_CONFINE_H
#define CDVM_CONFINE_H

#include <stdint.h>
#include <sys/types.h>

/* Blocks no signal; leads a session of its own. */
int confine_signals(void);
/* Mounts what is at `from` on `to` too, with these flags alone (MS_RDONLY ...). */
int confine_bind(const char *from, const char *to, unsigned long flags);
/* A device node, at an empty file made for it. */
int confine_device(const char *node, const char *at);
/* The working folder, a mount, becomes the root; nothing of the agent's tree stays mounted. */
int confine_root(void);
int confine_limit(int what, uint64_t to); /* RLIMIT_*, both */
/* Another user and group, no others, and of all capabilities these (bits by number). */
int confine_privileges(uid_t id, uint64_t keep);

#endif
