/* Of which certificate AMD's server has to be asked for this very machine: family, chip id and the
 * firmware level that reports carry. */
#ifndef CDVM_CHIP_KEY_H
#define CDVM_CHIP_KEY_H

#include "host_cpu.h"
#include "kds.h"
#include "sev_dev.h"

/* "no-vcek": the machine hides its chip id or its key, or its family or firmware level is not known
 * here. */
int chip_key_of(const struct host_cpu *cpu, const uint8_t id[static CHIP_ID],
                const struct sev_status *status, struct kds_key *out, struct err *e) WARN_UNUSED;
/* Asks the secure processor: device is "/dev/sev". Also "no-sev". */
int chip_key_read(const char *device, const struct host_cpu *cpu, struct kds_key *out,
                  struct err *e) WARN_UNUSED;

#endif
