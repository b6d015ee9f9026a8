/* cdvm provider --print-argv: QEMU's arguments for the first offer, one a line, run by nobody. */
#ifndef CDVM_CLI_ARGV_H
#define CDVM_CLI_ARGV_H

#include "provconf.h"

/* The whole line or nothing. Reads the image; asks QEMU what it can do, and with the backend `sim`
 * takes the emulated CPU unless KVM was asked for. Codes of image_load, qemu_can, gpu_fit, vm_argv;
 * "bad-image": a firmware without a place for the kernel's hashes, a vCPU type not in the release.
 */
int argv_print(const struct provider_conf *c, struct err *e) WARN_UNUSED;

#endif
