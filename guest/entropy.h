/* Where the guest's one-time key comes from (cdvm-protocol(7), "Binding").
 *
 * The kernel's pool must be seeded before anything else runs: a blocking read would seed itself
 * from timing that the host controls, and could never fail. The CPU's generator and the customer's
 * nonce are mixed in on top, so that one honest source is enough. */
#ifndef CDVM_ENTROPY_H
#define CDVM_ENTROPY_H

#include "core/event.h"

/* The agent's first act: true when the kernel's generator is seeded already. */
bool entropy_seeded(void);
/* The CPU has RDRAND, and RDSEED when `snp` (SEV-SNP is active: the CPUID page is then checked by
 * the secure processor). Code "no-entropy". */
int entropy_check(bool snp, struct err *e) WARN_UNUSED;
/* A fresh key pair from getrandom, 64 bytes of RDSEED (else RDRAND) and the customer's nonce. NULL
 * on error: code "no-entropy". */
struct keypair *entropy_keypair(const uint8_t nonce[static 32], struct err *e);

#endif
