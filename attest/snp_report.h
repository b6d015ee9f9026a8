/* The ATTESTATION_REPORT of SEV-SNP: 1184 bytes, little-endian, versions 2 to 5 (SNP ABI
 * specification 56860). Parsing reads; it never re-encodes: what is verified are the bytes as
 * received. */
#ifndef CDVM_SNP_REPORT_H
#define CDVM_SNP_REPORT_H

#include "roots.h"

#define SNP_REPORT_SIZE ((size_t)1184)
#define SNP_SIGNED_SIZE ((size_t)0x2a0)
#define SNP_POLICY_SMT ((uint64_t)1 << 16)
#define SNP_POLICY_ONE ((uint64_t)1 << 17) /* reserved, must be one */
#define SNP_POLICY_MIGRATE ((uint64_t)1 << 18)
#define SNP_POLICY_DEBUG ((uint64_t)1 << 19)
#define SNP_POLICY_RAPL_DIS ((uint64_t)1 << 23)
#define SNP_POLICY_CIPHERTEXT ((uint64_t)1 << 24)
#define SNP_POLICY_PAGE_SWAP ((uint64_t)1 << 25) /* from report version 5 */
#define SNP_PLATFORM_SMT ((uint64_t)1 << 0)
#define SNP_PLATFORM_RAPL_DIS ((uint64_t)1 << 3)
#define SNP_PLATFORM_CIPHERTEXT ((uint64_t)1 << 4)
#define SNP_PLATFORM_ALIAS ((uint64_t)1 << 5)

enum snp_signing_key { SIGNING_VCEK = 0, SIGNING_VLEK = 1, SIGNING_NONE = 7 };

struct snp_firmware {
    uint8_t build, minor, major;
};

/* TCB_VERSION, decoded by family. fmc is 0 before Turin. */
struct snp_tcb {
    uint8_t fmc, bl, tee, snp, ucode;
};

struct snp_report {
    uint32_t version, guest_svn, vmpl, signature_algo, key_info;
    uint64_t policy, platform_info;
    uint8_t family_id[16], image_id[16];
    uint8_t report_data[64], measurement[48], host_data[32];
    uint8_t id_key_digest[48], author_key_digest[48];
    uint8_t report_id[32], report_id_ma[32];
    uint8_t cpu_family, cpu_model, cpu_stepping; /* 0 in version 2 */
    uint8_t chip_id[64];
    uint8_t current_tcb[8], reported_tcb[8], committed_tcb[8], launch_tcb[8]; /* memory order */
    struct snp_firmware current, committed;
    uint64_t launch_mit, current_mit; /* 0 before version 5 */
    uint8_t sig_r[72], sig_s[72];     /* little-endian */
    size_t stray; /* offset of the first reserved byte that is set, 0 for none */
};
/* Versions other than 2 to 5 are read with the layout of 5: look at .version before anything else.
 * False only when v is not 1184 bytes. */
bool snp_report_parse(struct view v, struct snp_report *out);

bool snp_version_known(uint32_t version);
/* From CPUID family and model (version 3 and later); unsupported and unknown ones give UNKNOWN. */
enum snp_product snp_product_of(uint8_t family, uint8_t model);
bool snp_is_venice(uint8_t family, uint8_t model); /* announced, no roots public: refused by name */

/* False when a reserved byte of the TCB is set. */
bool snp_tcb_decode(enum snp_product p, const uint8_t raw[static 8], struct snp_tcb *out);
bool snp_tcb_le(const struct snp_tcb *a, const struct snp_tcb *b); /* every component a <= b */
bool snp_tcb_eq(const struct snp_tcb *a, const struct snp_tcb *b);
#define SNP_TCB_TEXT 64
void snp_tcb_text(enum snp_product p, const struct snp_tcb *t, char out[static SNP_TCB_TEXT]);

#endif
