/* The signed report over 64 bytes of REPORT_DATA, from whoever can make one.
 *
 * Order (cdvm-protocol(7), "Channel", frames 9 and 10): configfs-tsm, then /dev/sev-guest; the
 * host's simulator is asked, by the session, only where the kernel offers neither. */
#ifndef CDVM_REPORT_H
#define CDVM_REPORT_H

#include "core/bytes.h"

#define REPORT_LEN ((size_t)1184) /* SEV-SNP ATTESTATION_REPORT, ABI 1.55 table 23 */

struct report_places {
    const char *tsm;    /* .../config/tsm/report */
    const char *device; /* /dev/sev-guest */
};

/* 1: `out` holds the report. 0: this kernel has no report interface. -1: it has one and it failed.
 */
int report_get(const struct report_places *at, const uint8_t data[static 64], struct buf *out,
               struct err *e) WARN_UNUSED;

#endif
