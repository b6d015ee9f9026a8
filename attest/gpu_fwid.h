/* The firmware that a GPU's attestation key was made for, as its certificate says: the DICE
 * extension of certificate 0 (TCG DICE Attestation Architecture). Hopper GPUs and LS10 switches
 * carry a composite device id (2.23.133.5.4.1), Blackwell GPUs a DiceTcbInfo (2.23.133.5.4.1.1). */
#ifndef CDVM_GPU_FWID_H
#define CDVM_GPU_FWID_H

#include <openssl/x509.h>
#include "core/bytes.h"

#define GPU_FWID ((size_t)48) /* SHA-384 */

/* "no-fwid" when the certificate has neither extension, "bad-fwid" when what it has is not DER of
 * one of the two forms to its last byte, or is there twice. out is zero on error. */
int gpu_fwid_read(X509 *leaf, uint8_t out[static GPU_FWID], struct err *e) WARN_UNUSED;

/* The two forms by themselves: false when the bytes are not of that form. */
bool gpu_fwid_composite(struct view der, uint8_t out[static GPU_FWID]);
bool gpu_fwid_tcb_info(struct view der, uint8_t out[static GPU_FWID]); /* the first of its list */

#endif
