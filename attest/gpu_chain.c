#include "gpu_chain.h"

#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "gpu_cert.h"
#include "roots.h"
#include "snp_cert.h"

enum { LEAF, BROM, PROVISIONER, IDENTITY, ROOT };
static const char *const places[GPU_CERTS] = {"the report's key", "the device's key",
                                              "the provisioner", "the chip family", "the root"};

static const struct gpu_family families[] = {
    {"GH100", "HOPPER", GPU_KIND_GPU, 0x41, "NVIDIA GH100 Identity"},
    {"GB100", "BLACKWELL", GPU_KIND_GPU, 0x41, "NVIDIA GB100 Identity"},
    {"GB20X", "BLACKWELL", GPU_KIND_GPU, 0x41, "NVIDIA GB20X Identity"},
    {"LS_10", "LS10", GPU_KIND_SWITCH, 0x50, "NVIDIA GH100 Identity"},
};

#define BAD(...) err_set(e, "bad-chain", __VA_ARGS__)

static int root_check(const struct view *der, struct err *e) {
    uint8_t sha[32];

    sha256(*der, sha);
    if (root_is_nvidia(NVIDIA_DEVICES, sha))
        return 0;
    return BAD("this root is not NVIDIA's: anybody can make one with NVIDIA's names, and only the "
               "fingerprint pinned in this program tells them apart");
}

static int one_check(const struct gpu_chain *c, int i, int64_t now, struct err *e) {
    return gpu_cert_check(c->x[i], i == ROOT ? NULL : c->x[i + 1], i != LEAF, now, e);
}

static bool begins(const char *s, const char *with) {
    return !strncmp(s, with, strlen(with));
}

static bool ends(const char *s, const char *with) {
    const size_t n = strlen(s), m = strlen(with);

    return n >= m && !strcmp(s + n - m, with);
}

/* "GB20X" names GB202 and its like. */
static bool chip_in(const struct gpu_family *f, const char *chip) {
    const size_t n = strlen(f->name);

    if (strlen(chip) != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (f->name[i] != chip[i] && (f->name[i] != 'X' || chip[i] < '0' || chip[i] > '9'))
            return false;
    return true;
}

/* "NVIDIA GB202 Provisioner ICA 00000" */
static bool provisions(const struct gpu_family *f, const char *cn) {
    cleanup_free char *chip = NULL;
    const char *rest;

    if (!begins(cn, "NVIDIA "))
        return false;
    rest = strchr(cn + 7, ' ');
    chip = rest ? mem_strn(cn + 7, (size_t)(rest - cn) - 7) : NULL;
    return chip && (!strcmp(chip, f->name) || chip_in(f, chip)) &&
           begins(rest, " Provisioner ICA ");
}

static const struct gpu_family *family_of(const char *cn) {
    for (size_t i = 0; i < COUNT(families); i++)
        if (begins(cn, families[i].name) && cn[strlen(families[i].name)] == ' ')
            return &families[i];
    return NULL;
}

static int names_check(struct gpu_chain *c, struct err *e) {
    cleanup_free char *leaf = cert_cn(c->x[LEAF], false), *brom = cert_cn(c->x[BROM], false),
                      *ica = cert_cn(c->x[PROVISIONER], false),
                      *identity = cert_cn(c->x[IDENTITY], false);

    c->family = family_of(brom);
    if (!c->family)
        return err_set(e, "wrong-family", "no chip family is known for '%s'", brom);
    if (!ends(brom, " BROM") || family_of(leaf) != c->family || !ends(leaf, " FMC LF") ||
        !provisions(c->family, ica) || strcmp(identity, c->family->identity) != 0)
        return err_set(e, "wrong-family", "'%s' <- '%s' <- '%s' <- '%s' are not of one chip family",
                       leaf, brom, ica, identity);
    return 0;
}

/* The serial number of certificate 1: a byte for the kind of device, then its id. */
static int id_read(struct gpu_chain *c, struct err *e) {
    const ASN1_INTEGER *serial = X509_get0_serialNumber(c->x[BROM]);

    c->serial = view_of(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial));
    if (ASN1_STRING_type(serial) != V_ASN1_INTEGER || c->serial.n != 1 + GPU_ID ||
        c->serial.p[0] != c->family->serial)
        return BAD("its serial number is no device id");
    memcpy(c->id, c->serial.p + 1, GPU_ID);
    return 0;
}

static int chain_read(struct gpu_chain *c, const struct view *cert, size_t n, struct err *e) {
    if (n != GPU_CERTS)
        return BAD("the chain has %zu certificates instead of %d", n, GPU_CERTS);
    for (int i = 0; i < GPU_CERTS; i++) {
        c->x[i] = cert_parse(cert[i], e);
        if (!c->x[i])
            return err_wrap(e, "certificate %d, %s", i, places[i]);
    }
    return 0;
}

static int chain_check(struct gpu_chain *c, const struct view *cert, int64_t now, struct err *e) {
    if (root_check(&cert[ROOT], e))
        return -1;
    for (int i = ROOT; i >= LEAF; i--)
        if (one_check(c, i, now, e))
            return err_wrap(e, "certificate %d, %s", i, places[i]);
    if (names_check(c, e))
        return -1;
    return id_read(c, e) ? err_wrap(e, "certificate 1, %s", places[BROM]) : 0;
}

int gpu_chain_build(struct gpu_chain *c, const struct view *cert, size_t n, int64_t now,
                    struct err *e) {
    *c = (struct gpu_chain){0};
    if (!chain_read(c, cert, n, e) && !chain_check(c, cert, now, e))
        return 0;
    gpu_chain_free(c);
    return -1;
}

void gpu_chain_free(struct gpu_chain *c) {
    for (int i = 0; i < GPU_CERTS; i++)
        X509_free(c->x[i]);
    *c = (struct gpu_chain){0};
}

int gpu_chain_fits(const struct gpu_chain *c, const char *arch, const char *chip_info,
                   struct err *e) {
    if (arch && strcmp(arch, c->family->arch) != 0)
        return err_set(e, "wrong-family", "the evidence calls itself %.20s, its chain is of %s",
                       arch, c->family->name);
    if (*chip_info && !chip_in(c->family, chip_info))
        return err_set(e, "wrong-family", "the report is of a %s, its chain is of %s", chip_info,
                       c->family->name);
    return 0;
}

const char *gpu_chain_chip(const struct gpu_chain *c, const char *chip_info) {
    if (*chip_info)
        return chip_info;
    if (c->family->kind == GPU_KIND_SWITCH)
        return c->family->arch;
    return strchr(c->family->name, 'X') ? "" : c->family->name;
}
