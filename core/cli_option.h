/* The words of a command line, one after the other, as getopt_long(3) reads them; what is wrong is
 * one sentence of ours. */
#ifndef CDVM_CLI_OPTION_H
#define CDVM_CLI_OPTION_H

#include <getopt.h>

#include "core/err.h"

/* Where words that are no options may stand; letters that are options follow, as in ":h". */
#define CLI_WORDS_ANYWHERE ":"
#define CLI_WORDS_LAST "+:"

/* The value of the next option, its argument in optarg and its place in *at (NULL legal); -1 when
 * there is none; '?' with e ("usage"). optind = 0 begins. */
int cli_option(int argc, char **argv, const char *letters, const struct option *longs, int *at,
               struct err *e);

#endif
