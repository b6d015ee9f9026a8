/* The provider's settings: provider.conf and the options of `cdvm provider`, one table for both. */
#ifndef CDVM_PROVCONF_H
#define CDVM_PROVCONF_H

#include "core/conf.h"

struct provider_conf {
    char *name, *about, *image, *state, *backend, *vcpu_type;
    char *qemu;      /* program; NULL: where Debian puts it */
    char *clear_gpu; /* PCI address */
    struct conf_list relay, blossom, gpu;
    uint64_t slots, queue, memory, vcpus, lease, accept, once, relay_port;
    unsigned accel; /* enum accel_want */
    bool run_relay, quiet, print_argv, list_gpus;
};
extern const struct conf_key provider_keys[];
extern const size_t n_provider_keys;

/* Defaults, then provider.conf in the configuration folder, then the command line. 0 go on; 1
 * --help was asked for; -1 error. */
int provider_conf_read(struct provider_conf *c, int argc, char **argv, struct err *e) WARN_UNUSED;
void provider_conf_defaults(struct provider_conf *c); /* strings owned */
void provider_conf_free(struct provider_conf *c);
/* What does not fit together: no relay, no such backend. "bad-config". With print_argv only what
 * the line needs. */
int provider_conf_check(const struct provider_conf *c, struct err *e) WARN_UNUSED;

#endif
