#include "chip_key.h"

#include <string.h>

static enum snp_product product_of(const struct host_cpu *cpu) {
    static const enum snp_product all[] = {PRODUCT_MILAN, PRODUCT_GENOA, PRODUCT_TURIN};
    const char *name = host_cpu_product(cpu);

    for (size_t i = 0; name && i < COUNT(all); i++)
        if (!strcmp(product_name(all[i]), name))
            return all[i];
    return PRODUCT_UNKNOWN;
}

int chip_key_of(const struct host_cpu *cpu, const uint8_t id[static CHIP_ID],
                const struct sev_status *status, struct kds_key *out, struct err *e) {
    *out = (struct kds_key){.product = product_of(cpu)};
    if (!out->product)
        return err_set(e, "no-vcek", "AMD has no certificates for this processor (%.60s)",
                       cpu->name);
    if (status->mask_chip_id || status->mask_chip_key)
        return err_set(e, "no-vcek",
                       "this machine is set to hide its chip %s from guests: customers cannot "
                       "verify it (SNP_SET_CONFIG of the secure processor)",
                       status->mask_chip_id ? "id" : "key");
    if (!snp_tcb_decode(out->product, status->reported_tcb, &out->tcb))
        return err_set(e, "no-vcek",
                       "the firmware level that this machine reports is not one of %s",
                       product_name(out->product));
    out->chip_len = out->product == PRODUCT_TURIN ? 8 : CHIP_ID;
    memcpy(out->chip, id, out->chip_len);
    return 0;
}

int chip_key_read(const char *device, const struct host_cpu *cpu, struct kds_key *out,
                  struct err *e) {
    uint8_t id[CHIP_ID];
    struct sev_status status;

    return sev_chip_id(device, id, e) < 0 || sev_status_read(device, &status, e) < 0
               ? -1
               : chip_key_of(cpu, id, &status, out, e);
}
