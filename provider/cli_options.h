/* Long options of a subcommand from a table of core/conf.h: one table is the parser, the ranges,
 * and the help. */
#ifndef CDVM_CLI_OPTIONS_H
#define CDVM_CLI_OPTIONS_H

#include <stdio.h>

#include "core/conf.h"

/* Fills `out` (defaults stand in it) and moves the other words to the front of argv, argv[0] being
 * the first of them; *n_words says how many. What follows "--" is not looked at and not counted:
 * see options_rest. 0 go on; 1 --help was asked for; -1 "usage" or "bad-config". */
int options_read(const struct conf_key *keys, size_t n, int argc, char **argv, void *out,
                 size_t *n_words, struct err *e) WARN_UNUSED;
/* The words behind "--", NULL-terminated as argv is; NULL when there is no "--". */
char **options_rest(int argc, char **argv);
void options_help(FILE *to, const struct conf_key *keys, size_t n);

#endif
