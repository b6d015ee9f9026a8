#include "advisory.h"

/* SB-3019 (CVE-2024-56161): SNP levels from AMD's bulletin; microcode: the first revision after the
 * cut-off that the Linux microcode loader has for each part (October 2025). Boot loader levels and
 * Turin's SNP level: what machines in the field report, see ADVISORY_DATE. */
#define SB3019 "2025-02-03", "AMD-SB-3019 (CVE-2024-56161)"
#define CUTOFF "2025-10-27", "Linux x86/microcode/AMD cut-off revisions"

static const struct tcb_floor rows[] = {
    /* family, models, steppings; fmc, bl, tee, snp, ucode */
    {0x19, 0x00, 0x0f, 0, 15, 0, 4, 0, 0x18, 0, SB3019},    /* Milan */
    {0x19, 0x01, 0x01, 0, 0, 0, 0, 0, 0, 0x7b, CUTOFF},     /* Milan B0 */
    {0x19, 0x01, 0x01, 1, 1, 0, 0, 0, 0, 0xdb, CUTOFF},     /* Milan B1 */
    {0x19, 0x01, 0x01, 2, 2, 0, 0, 0, 0, 0x44, CUTOFF},     /* Milan-X */
    {0x19, 0x10, 0x1f, 0, 15, 0, 0x0a, 0, 0x17, 0, SB3019}, /* Genoa */
    {0x19, 0x11, 0x11, 1, 1, 0, 0, 0, 0, 0x54, CUTOFF},     /* Genoa B1 */
    {0x19, 0x11, 0x11, 2, 2, 0, 0, 0, 0, 0x4f, CUTOFF},     /* Genoa-X */
    {0x19, 0xa0, 0xaf, 0, 15, 0, 0x0a, 0, 0x17, 0, SB3019}, /* Bergamo, Siena */
    {0x19, 0xa0, 0xa0, 1, 1, 0, 0, 0, 0, 0x17, CUTOFF},
    {0x19, 0xa0, 0xa0, 2, 2, 0, 0, 0, 0, 0x19, CUTOFF},
    {0x1a, 0x00, 0x11, 0, 15, 0, 1, 0, 2, 0, SB3019},   /* Turin */
    {0x1a, 0x02, 0x02, 1, 1, 0, 0, 0, 0, 0x47, CUTOFF}, /* Turin C1 */
    {0x1a, 0x11, 0x11, 0, 0, 0, 0, 0, 0, 0x47, CUTOFF}, /* Turin dense */
};

static bool row_matches(const struct tcb_floor *r, uint8_t family, uint8_t model,
                        uint8_t stepping) {
    return r->family == family && model >= r->model_lo && model <= r->model_hi &&
           stepping >= r->step_lo && stepping <= r->step_hi;
}

static void raise_byte(uint8_t *level, uint8_t to) {
    if (*level < to)
        *level = to;
}

void floor_raise(struct snp_tcb *floor, const struct tcb_floor *row, uint8_t family, uint8_t model,
                 uint8_t stepping) {
    if (!row_matches(row, family, model, stepping))
        return;
    raise_byte(&floor->fmc, row->fmc);
    raise_byte(&floor->bl, row->bl);
    raise_byte(&floor->tee, row->tee);
    raise_byte(&floor->snp, row->snp);
    raise_byte(&floor->ucode, row->ucode);
}

bool advisory_floor(uint8_t family, uint8_t model, uint8_t stepping, struct snp_tcb *out) {
    *out = (struct snp_tcb){0};
    for (size_t i = 0; i < COUNT(rows); i++)
        floor_raise(out, &rows[i], family, model, stepping);
    return out->ucode != 0;
}
