/* /dev/sev: what the secure processor says of itself and of SEV-SNP on this machine (SNP ABI
 * specification 56860, SNP_PLATFORM_STATUS; linux/psp-sev.h). */
#ifndef CDVM_SEV_DEV_H
#define CDVM_SEV_DEV_H

#include "core/bytes.h"

#define SEV_STATUS_SIZE 32
#define CHIP_ID ((size_t)64)

struct sev_status {
    uint8_t api_major, api_minor;
    uint32_t build;
    bool ready;       /* SNP_INIT has been done */
    bool rmp_ready;   /* the table that says whose each page is */
    bool alias_clean; /* memory was looked over for aliases since reset, and there are none */
    bool mask_chip_id, mask_chip_key;
    bool hiding_able, hiding; /* ciphertext hiding: possible, on */
    uint32_t guests;
    uint8_t current_tcb[8], reported_tcb[8]; /* memory order */
};
/* False when v has another length. */
bool sev_status_parse(struct view v, struct sev_status *out);

/* Both ask the device. "no-sev" and a sentence: it is not there, not for this user, or refuses. */
int sev_status_read(const char *device, struct sev_status *out, struct err *e) WARN_UNUSED;
/* Of the first socket, whose key signs. */
int sev_chip_id(const char *device, uint8_t id[static CHIP_ID], struct err *e) WARN_UNUSED;

#endif
