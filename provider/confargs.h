/* Settings of a daemon: its file in the configuration folder, then its command line, one table of
 * keys for both (core/conf.h). */
#ifndef CDVM_CONFARGS_H
#define CDVM_CONFARGS_H

#include "core/conf.h"

#define CONFARGS_MAX 64

struct confargs {
    const struct conf_key *keys;
    size_t n;         /* at most CONFARGS_MAX */
    const char *file; /* "provider.conf"; --config FILE names another */
};
/* out holds the defaults before. 0 go on; 1 --help was asked for; -1 error. */
int confargs_read(const struct confargs *a, int argc, char **argv, void *out,
                  struct err *e) WARN_UNUSED;

#endif
