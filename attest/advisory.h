/* Dated floors for firmware and microcode, per CPU model range and stepping: microcode numbers of
 * different parts under one root (Genoa, Bergamo, Siena) cannot be compared. */
#ifndef CDVM_ADVISORY_H
#define CDVM_ADVISORY_H

#include "policy.h"
#include "snp_report.h"

#define ADVISORY_DATE "2026-11-22" /* the table is as of this day */

/* The floor for one part: component-wise the highest of all rows that match. Returns false when no
 * row gives a microcode level for this model and stepping: then there is nothing to compare with.
 */
bool advisory_floor(uint8_t family, uint8_t model, uint8_t stepping, struct snp_tcb *out);
/* Raises `floor` by one more row, where it matches. */
void floor_raise(struct snp_tcb *floor, const struct tcb_floor *row, uint8_t family, uint8_t model,
                 uint8_t stepping);

#endif
