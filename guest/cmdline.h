/* The words of ours on the measured kernel command line (cdvm-protocol(7), "Command line
 * template").
 *
 * cdvm.work=<root>:<blocks>, cdvm.model=<root>:<blocks>|none, cdvm.broker=<64 hex>|none: each
 * exactly once; cdvm.base=<root>:<blocks> at most once, in a release that has a base volume; any
 * other word that begins with "cdvm." is refused, and so is a broker without a model. All other
 * words are the kernel's. */
#ifndef CDVM_CMDLINE_H
#define CDVM_CMDLINE_H

#include "core/release.h"

struct cmdline {
    struct volume work, model, base;
    bool has_model;
    bool has_base;
    bool has_broker;
    uint8_t broker[32]; /* the model owner's key */
};

/* Code "bad-cmdline". A trailing newline is allowed. */
int cmdline_parse(struct view text, struct cmdline *out, struct err *e) WARN_UNUSED;

#endif
