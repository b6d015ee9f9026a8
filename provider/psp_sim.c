#include "psp_sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "core/hash.h"
#include "core/secret.h"
#include "psp_cert.h"

#define SIGNED_BYTES ((size_t)0x2a0)
#define STORE_MAX ((size_t)32768)

/* A Genoa of 2026: what the pretended chip and firmware say of themselves. */
enum { SIM_BL = 0x0a, SIM_TEE = 0, SIM_SNP = 0x1b, SIM_UCODE = 0x54 };
#define SIM_PLATFORM 0x3c /* ECC, RAPL off, ciphertext hiding, alias check; SMT and TSME off */

struct psp_sim {
    EVP_PKEY *ark_key, *vcek_key;
    X509 *ark, *ask, *vcek;
    struct buf ark_der, ask_der, vcek_der;
    uint8_t chip_id[64];
};

void psp_sim_free(struct psp_sim *p) {
    if (!p)
        return;
    EVP_PKEY_free(p->ark_key);
    EVP_PKEY_free(p->vcek_key);
    X509_free(p->ark);
    X509_free(p->ask);
    X509_free(p->vcek);
    buf_free(&p->ark_der);
    buf_free(&p->ask_der);
    buf_free(&p->vcek_der);
    free(p);
}

struct view psp_sim_vek(const struct psp_sim *p) {
    return buf_view(&p->vcek_der);
}

struct view psp_sim_ask(const struct psp_sim *p) {
    return buf_view(&p->ask_der);
}

struct view psp_sim_ark(const struct psp_sim *p) {
    return buf_view(&p->ark_der);
}

void psp_sim_fingerprint(const struct psp_sim *p, uint8_t out[static 32]) {
    sha256(psp_sim_ark(p), out);
}

static void say(psp_sim_progress *fn, void *arg, const char *step) {
    if (fn)
        fn(arg, step);
}

/* Making an installation's keys. The ASK's private key is forgotten with this function. */
static bool sim_make(struct psp_sim *p, psp_sim_progress *fn, void *arg) {
    struct psp_chip chip = {.bl = SIM_BL, .tee = SIM_TEE, .snp = SIM_SNP, .ucode = SIM_UCODE};
    const int64_t now = time(NULL);
    EVP_PKEY *ask = NULL;

    random_bytes(chip.chip_id, sizeof chip.chip_id);
    say(fn, arg, "making the simulator's root key (RSA-4096, once per installation)");
    p->ark_key = EVP_RSA_gen(4096);
    say(fn, arg, "making the simulator's signing key (RSA-4096)");
    ask = EVP_RSA_gen(4096);
    p->vcek_key = EVP_EC_gen("P-384");
    if (p->ark_key && ask && p->vcek_key) {
        p->ark = psp_cert_ark(p->ark_key, now);
        p->ask = p->ark ? psp_cert_ask(ask, p->ark_key, p->ark, now) : NULL;
        p->vcek = p->ask ? psp_cert_vcek(p->vcek_key, ask, p->ask, &chip, now) : NULL;
    }
    EVP_PKEY_free(ask);
    return p->vcek != NULL;
}

/* One PEM file, so that it is there whole or not at all: two keys, three certificates. */
static int sim_store(const struct psp_sim *p, const char *path, struct err *e) {
    BIO *b = BIO_new(BIO_s_secmem());
    char *text = NULL;
    long n = 0;
    int rc = -1;

    if (b && PEM_write_bio_PKCS8PrivateKey(b, p->ark_key, NULL, NULL, 0, NULL, NULL) == 1 &&
        PEM_write_bio_PKCS8PrivateKey(b, p->vcek_key, NULL, NULL, 0, NULL, NULL) == 1 &&
        PEM_write_bio_X509(b, p->ark) == 1 && PEM_write_bio_X509(b, p->ask) == 1 &&
        PEM_write_bio_X509(b, p->vcek) == 1 && (n = BIO_get_mem_data(b, &text)) > 0)
        rc = file_write(path, view_of(text, (size_t)n), 0600, false, e);
    else
        err_set(e, "sim-keys", "cannot write the simulator's keys as PEM");
    BIO_free(b);
    return rc;
}

static bool sim_read(struct psp_sim *p, struct view pem) {
    BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);

    if (b) {
        p->ark_key = PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);
        p->vcek_key = PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);
        p->ark = PEM_read_bio_X509(b, NULL, NULL, NULL);
        p->ask = PEM_read_bio_X509(b, NULL, NULL, NULL);
        p->vcek = PEM_read_bio_X509(b, NULL, NULL, NULL);
    }
    BIO_free(b);
    return p->ark_key && p->vcek_key && p->ark && p->ask && p->vcek &&
           X509_check_private_key(p->ark, p->ark_key) == 1 &&
           X509_check_private_key(p->vcek, p->vcek_key) == 1;
}

static bool der_of(X509 *x, struct buf *out) {
    uint8_t *der = NULL;
    int n = i2d_X509(x, &der);

    if (n > 0)
        buf_add(out, der, (size_t)n);
    OPENSSL_free(der);
    return n > 0;
}

/* The chip id lives in the leaf's hwID extension and nowhere else. */
static bool sim_chip(struct psp_sim *p) {
    ASN1_OBJECT *oid = OBJ_txt2obj("1.3.6.1.4.1.3704.1.4", 1);
    int at = oid ? X509_get_ext_by_OBJ(p->vcek, oid, -1) : -1;
    const ASN1_OCTET_STRING *v = at < 0 ? NULL : X509_EXTENSION_get_data(X509_get_ext(p->vcek, at));

    ASN1_OBJECT_free(oid);
    if (!v || ASN1_STRING_length(v) != (int)sizeof p->chip_id)
        return false;
    memcpy(p->chip_id, ASN1_STRING_get0_data(v), sizeof p->chip_id);
    return true;
}

static int sim_load(struct psp_sim *p, const char *path, struct err *e) {
    struct buf pem = {0};
    int rc = file_read(path, STORE_MAX, &pem, e);

    if (!rc && !(sim_read(p, buf_view(&pem)) && sim_chip(p) && der_of(p->ark, &p->ark_der) &&
                 der_of(p->ask, &p->ask_der) && der_of(p->vcek, &p->vcek_der)))
        rc = err_set(e, "sim-keys", "'%s' is damaged: remove it to make new keys", path);
    buf_wipe(&pem);
    return rc;
}

static int sim_create(const char *path, psp_sim_progress *fn, void *arg, struct err *e) {
    struct psp_sim *p = mem_new(sizeof *p);
    int rc = sim_make(p, fn, arg)
                 ? sim_store(p, path, e)
                 : err_set(e, "sim-keys", "OpenSSL cannot make the simulator's keys");

    psp_sim_free(p);
    return rc;
}

struct psp_sim *psp_sim_open(const char *dir, psp_sim_progress *fn, void *arg, struct err *e) {
    cleanup_free char *path = mem_fmt("%s/psp-sim.pem", dir);
    struct psp_sim *p;
    struct stat st;

    if (mkdir(dir, 0700) && errno != EEXIST) {
        err_sys(e, errno, "cannot make '%s'", dir);
        return NULL;
    }
    /* Two programs at once: one creates, the other finds the file there and reads it. */
    if (stat(path, &st) && sim_create(path, fn, arg, e) && stat(path, &st))
        return NULL;
    p = mem_new(sizeof *p);
    if (!sim_load(p, path, e))
        return p;
    psp_sim_free(p);
    return NULL;
}

int psp_sim_crl(const struct psp_sim *p, int64_t now, struct buf *out, struct err *e) {
    X509_CRL *crl = psp_cert_crl(p->ark_key, p->ark, now);
    uint8_t *der = NULL;
    int n = crl ? i2d_X509_CRL(crl, &der) : -1;

    if (n > 0)
        buf_add(out, der, (size_t)n);
    OPENSSL_free(der);
    X509_CRL_free(crl);
    return n > 0 ? 0 : err_set(e, "sim-keys", "OpenSSL cannot sign the simulator's CRL");
}

static void put_le(uint8_t *p, uint64_t v, size_t n) {
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static void put_tcb(uint8_t *p) {
    const uint8_t tcb[8] = {SIM_BL, SIM_TEE, 0, 0, 0, 0, SIM_SNP, SIM_UCODE};

    memcpy(p, tcb, 8);
}

static void put_firmware(uint8_t *p) {
    const uint8_t v[3] = {49, 55, 1}; /* build, minor, major */

    memcpy(p, v, 3);
}

/* Offsets of ATTESTATION_REPORT (SNP ABI 56860). Everything left out is zero: VMPL 0, no ID block,
 * no HOST_DATA. */
static void report_fill(const struct psp_sim *p, const uint8_t *data, const uint8_t *digest,
                        uint64_t policy, uint8_t *r) {
    static const uint16_t tcbs[] = {0x038, 0x180, 0x1e0, 0x1f0};

    memset(r, 0, SIM_REPORT_SIZE);
    put_le(r, 3, 4);
    put_le(r + 0x008, policy, 8);
    put_le(r + 0x034, 1, 4); /* ECDSA P-384 with SHA-384 */
    put_le(r + 0x040, SIM_PLATFORM, 8);
    memcpy(r + 0x050, data, 64);
    memcpy(r + 0x090, digest, 48);
    random_bytes(r + 0x140, 32);
    memset(r + 0x160, 0xff, 32);
    r[0x188] = 0x19;
    r[0x189] = 0x11;
    r[0x18a] = 0x01;
    memcpy(r + 0x1a0, p->chip_id, 64);
    put_firmware(r + 0x1e8);
    put_firmware(r + 0x1ec);
    for (size_t i = 0; i < COUNT(tcbs); i++)
        put_tcb(r + tcbs[i]);
}

static bool put_signature(const uint8_t *der, size_t n, uint8_t *r) {
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)n);
    bool ok = sig && BN_bn2lebinpad(ECDSA_SIG_get0_r(sig), r + 0x2a0, 72) == 72 &&
              BN_bn2lebinpad(ECDSA_SIG_get0_s(sig), r + 0x2e8, 72) == 72;

    ECDSA_SIG_free(sig);
    return ok;
}

static bool report_sign(EVP_PKEY *key, uint8_t *r) {
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t der[160];
    size_t n = sizeof der;
    bool ok = ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha384(), NULL, key) == 1 &&
              EVP_DigestSign(ctx, der, &n, r, SIGNED_BYTES) == 1 && put_signature(der, n, r);

    EVP_MD_CTX_free(ctx);
    return ok;
}

int psp_sim_report(const struct psp_sim *p, const uint8_t report_data[static 64],
                   const uint8_t measurement[static 48], uint64_t policy,
                   uint8_t out[static SIM_REPORT_SIZE], struct err *e) {
    if (!(policy >> 17 & 1) || policy >> 26)
        return err_set(e, "bad-policy",
                       "guest policy 0x%llx: bit 17 must be set, bits 26 to 63 clear",
                       (unsigned long long)policy);
    report_fill(p, report_data, measurement, policy, out);
    if (!report_sign(p->vcek_key, out))
        return err_set(e, "sim-keys", "OpenSSL cannot sign the simulated report");
    return 0;
}
