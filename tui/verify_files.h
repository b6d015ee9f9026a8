/* The files and values that `cdvm verify --snp-report` takes, read into what evidence.h wants. */
#ifndef CDVM_VERIFY_FILES_H
#define CDVM_VERIFY_FILES_H

#include "attest/evidence.h"

#define POLICY_FILE_MAX ((size_t)65536)

struct report_paths { /* NULL: not given */
    const char *report, *vek, *ask, *ark, *table;
    const char *const *crl;
    size_t n_crl;
    const char *nonce, *measurement; /* 128 and 96 hex digits */
};
struct report_files {
    struct buf report, vek, ask, ark, table, crl[COLLATERAL_CRLS];
    uint8_t nonce[64], measurement[48];
    struct snp_collateral collateral; /* views of the above */
    struct expect_report expect;
};
/* Certificates and lists may be DER or PEM. Free in any case. */
int report_files_read(struct report_files *f, const struct report_paths *p,
                      struct err *e) WARN_UNUSED;
void report_files_free(struct report_files *f);
/* PEM becomes the DER in it; anything else stays as it is. */
void verify_pem(struct buf *b);

#ifdef CDVM_TEST_ROOTS
/* Takes the certificate in this file as an ARK of every family: only in cdvm-testroots. */
bool verify_test_root(const char *path);
#endif

#endif
