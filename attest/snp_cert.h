/* Certificates around a report: the chain VEK <- ASK/ASVK <- ARK, the extensions of a VEK, the CRL
 * and the certificate table (cdvm-attestation(7), "Chain of trust"). OpenSSL decodes and verifies;
 * what is acceptable is decided here. Functions return 0 or -1 with one sentence. */
#ifndef CDVM_SNP_CERT_H
#define CDVM_SNP_CERT_H

#include <openssl/x509.h>
#include "snp_report.h"

#define CERT_MAX ((size_t)16384)
#define CRL_MAX ((size_t)1 << 20)
#define CERT_TABLE_MAX ((size_t)1 << 20)

/* One certificate, every byte consumed. NULL on error "bad-cert". */
X509 *cert_parse(struct view der, struct err *e);
void cert_fingerprints(X509 *x, struct view der, uint8_t der_sha[static 32],
                       uint8_t spki_sha[static 32]);
/* x is signed by issuer: names match, RSASSA-PSS with SHA-384/MGF1-SHA-384/48, the signature holds.
 */
int cert_signed_by(X509 *x, X509 *issuer, struct err *e) WARN_UNUSED;
/* An authority: version 3, CA, RSA-4096, certSign; path_len 0 for an intermediate. */
int cert_is_authority(X509 *x, bool intermediate, struct err *e) WARN_UNUSED;
/* The one common name of the subject is `cn`. */
bool cert_named(X509 *x, const char *cn);
char *cert_cn(X509 *x, bool issuer); /* owned, sanitised; "" without one */
int cert_dates(X509 *x, const char *what, int64_t now, struct err *e) WARN_UNUSED;

/* What a VCEK or VLEK certifies (extensions under 1.3.6.1.4.1.3704.1). */
struct vek {
    struct snp_tcb tcb;
    uint8_t struct_version;
    char product[32]; /* "Milan-B0", "Genoa": informational */
    uint8_t hwid[64];
    size_t hwid_len; /* VCEK: 64, Turin 8; VLEK: 0 */
    char csp[64];    /* VLEK: whose cloud; else "" */
};
/* Exactly the extensions of this kind of key for this product, each once; leaf key on P-384; no CA.
 */
int vek_parse(X509 *x, enum snp_product p, bool vlek, struct vek *out, struct err *e) WARN_UNUSED;

/* ECDSA P-384 over the first 0x2a0 bytes as received. r: parsed from the same bytes. */
int vek_verify_report(X509 *vek, struct view report, const struct snp_report *r,
                      struct err *e) WARN_UNUSED;

/* A CRL against the ARK that must have signed it and the intermediate it may revoke. */
enum crl_state {
    CRL_GOOD,     /* fresh and does not list the intermediate */
    CRL_REVOKED,  /* lists it: counts even when the list itself is stale */
    CRL_UNUSABLE, /* wrong signer, stale, not yet valid, malformed: as if there were none */
};
/* max_age_days: 0 = until nextUpdate. text: one sentence. */
enum crl_state crl_check(struct view der, X509 *ark, X509 *intermediate, int64_t now,
                         uint32_t max_age_days, char *text, size_t n);

/* thisUpdate in Unix seconds; 0 when it is no list. Says nothing about who signed it. */
int64_t crl_begins(struct view der);

/* The GHCB extended report's table. Borrowed views into `table`; empty where there is no such
 * entry. */
struct cert_table {
    struct view vcek, vlek, ask, ark, crl;
};
int cert_table_parse(struct view table, struct cert_table *out, struct err *e) WARN_UNUSED;

#endif
