/* Paths of the person's own files: what they hold by their name, and how they are shown. */
#ifndef CDVM_PATH_H
#define CDVM_PATH_H

#include "core/err.h"

/* By the name alone: it tells the workload how to read the file. */
const char *path_mime(const char *path);
/* With ~ for the home folder when the path lies there; owned. */
char *path_shown(const char *path);
/* The other way: "~/x" becomes an absolute path; owned. */
char *path_typed(const char *typed);
/* The path, or one like it that nothing has: name-2, name-3 ... before the extension; owned. */
char *path_free_name(const char *path);
bool path_taken(const char *path); /* also by a link that leads nowhere */
/* Whether a file could be made there: none is there ("exists"), and its folder can be written to.
 */
int path_creatable(const char *path, struct err *e) WARN_UNUSED;

#endif
