/* The shell scripts that come with the program: beside a source checkout's own `cdvm`, or installed
 * under ../share/cdvm. */
#ifndef CDVM_SCRIPT_H
#define CDVM_SCRIPT_H

#include "core/bytes.h"

/* The path of qemu-scripts/NAME; owned. `source`: a checkout to take it from, NULL to look for one.
 * NULL: "no-script". */
char *script_find(const char *source, const char *name, struct err *e);
/* Runs it to its end, with our environment and standard error. out: takes its standard output, at
 * most 64 KiB of it; NULL: that is ours too. "script-failed" when it ends with another status than
 * 0: it has then said why. */
int script_run(char *const *argv, struct buf *out, struct err *e) WARN_UNUSED;

#endif
