/* The words of a command line, one after the other, as getopt_long(3) reads them; what is wrong is
 * one sentence of ours. */
#ifndef CDVM_CLI_OPTION_H
#define CDVM_CLI_OPTION_H

#include <getopt.h>

#include "core/err.h"

enum cli_words {
    CLI_WORDS_ANYWHERE,
    CLI_WORDS_LAST
}; /* where words that are no options may stand */

/* The value of the next option, its argument in optarg and its place in *at (NULL legal); -1 when
 * there is none; '?' with e ("usage"). optind = 0 begins. */
int cli_option(int argc, char **argv, const struct option *longs, enum cli_words words, int *at,
               struct err *e);

#endif
