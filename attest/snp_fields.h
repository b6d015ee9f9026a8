/* The fields of an SEV-SNP report by name, offset and size, and in words (SNP ABI specification
 * 56860, "ATTESTATION_REPORT"): what a person sees behind a check. For showing alone: nothing is
 * decided by this table. */
#ifndef CDVM_SNP_FIELDS_H
#define CDVM_SNP_FIELDS_H

#include "snp_report.h"

struct snp_field {
    const char *name; /* the specification's; REPORT_DATA stands here as its two halves, G and H */
    uint16_t offset, size;
    const char *about; /* one phrase */
};
/* In the order of the report, together every byte of its 1184, each once. */
const struct snp_field *snp_fields(size_t *n);
const struct snp_field *snp_field_named(const char *name); /* NULL when there is none */
/* What the bytes say, appended: TCB parts, bits by name, versions; nothing where they speak for
 * themselves. v must be a whole report. */
void snp_field_words(const struct snp_field *f, struct view v, struct buf *out);

#endif
