/* The simulator's secure processor: reports of the real layout, signed under a root of its own.
 *
 * Its certificates say SIM in every name and AMD in none; the fingerprint of its root is known to
 * this installation alone (sim-roots). What it signs can never verify under a policy other than
 * demo. */
#ifndef CDVM_PSP_SIM_H
#define CDVM_PSP_SIM_H

#include "core/bytes.h"

#define SIM_REPORT_SIZE 1184

struct psp_sim;

/* Slow steps (two RSA-4096 keys, once per installation) are announced as a sentence. May be NULL.
 */
typedef void psp_sim_progress(void *arg, const char *step);

/* Opens the keys in `dir` (0700), making them on first use (files 0600, written whole or not at
 * all). NULL on error. */
struct psp_sim *psp_sim_open(const char *dir, psp_sim_progress *fn, void *arg, struct err *e);
void psp_sim_free(struct psp_sim *p); /* NULL legal */

/* DER, borrowed until psp_sim_free. */
struct view psp_sim_vek(const struct psp_sim *p);
struct view psp_sim_ask(const struct psp_sim *p);
struct view psp_sim_ark(const struct psp_sim *p);
/* SHA-256 of the root's DER: the line of the sim-roots file. */
void psp_sim_fingerprint(const struct psp_sim *p, uint8_t out[static 32]);
/* An empty CRL signed by the root, good from an hour before now for 30 days. */
int psp_sim_crl(const struct psp_sim *p, int64_t now, struct buf *out, struct err *e) WARN_UNUSED;

/* One report of version 3 for a Genoa CPU. policy: the guest policy bits (release manifest). */
int psp_sim_report(const struct psp_sim *p, const uint8_t report_data[static 64],
                   const uint8_t measurement[static 48], uint64_t policy,
                   uint8_t out[static SIM_REPORT_SIZE], struct err *e) WARN_UNUSED;

#endif
