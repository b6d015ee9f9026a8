/* Another program's standard output, within limits. */
#ifndef CDVM_WORKLOAD_TOOL_H
#define CDVM_WORKLOAD_TOOL_H

#include "core/bytes.h"

/* Runs argv (argv[0] a path, NULL at the end) with an empty environment and nothing on its standard
 * input, and appends what it prints until it ends or out is full, when it is killed. *status is
 * what waitpid gave (0 when killed for being full). It dies with its caller. -1 ("system") only
 * when it could not be started or heard. */
int tool_output(const char *const *argv, struct buf *out, int *status, struct err *e) WARN_UNUSED;

/* In a process just forked: it dies with its parent, `out` becomes its standard output, standard
 * input and error lead nowhere, and every other descriptor is closed: what goes wrong in it cannot
 * speak to anybody else. */
void tool_detach(int out);

#endif
