/* The machine as the measured image allows it: one channel, at most two disks, nothing else; where
 * the release has a base volume also its disk, and GPUs behind their ports. Whoever launches the
 * guest can add devices; the agent then makes no key. */
#ifndef CDVM_HARDWARE_H
#define CDVM_HARDWARE_H

#include "core/bytes.h"

/* `sys` is where sysfs is mounted; base: the command line names a base volume. *gpus: how many of
 * NVIDIA's display functions there are. Refuses, with code "bad-hardware" and the device named: a
 * network interface other than lo, a PCI function outside the table (vendor, device and class must
 * all match), more of one kind than the table allows, and a machine without the channel's
 * controller. */
int hardware_check(const char *sys, bool base, unsigned *gpus, struct err *e) WARN_UNUSED;
/* True when this kernel runs under SEV-SNP (its own finding, from the CPU). */
bool hardware_snp(const char *sys);

#endif
