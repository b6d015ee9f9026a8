#include "roots.h"

#include <string.h>

#include "core/enc.h"

/* Measured from AMD's certificates as carried, byte for byte alike, by independent projects.
 * Valid until 2045 to 2048. */
static const struct root roots[] = {
    {PRODUCT_MILAN, ROLE_ARK, "ARK-Milan",
     "69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd",
     "9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9"},
    {PRODUCT_MILAN, ROLE_ASK, "SEV-Milan",
     "67d303bd3905fd38db8b20e0793699870e7fa612eaad5dec358293fd8c0bac1b",
     "42491669ccb851d627ea9846cd24eccbeb7de7c2a62740120fff88001d38ebb6"},
    {PRODUCT_MILAN, ROLE_ASVK, "SEV-VLEK-Milan",
     "c5e081f59b7efab1fe2f8b505e159704e72f29cab7ef7cf628a05a42439082f5",
     "66450a123ea5876206df67f2514a4fea224c0f63b18313423078b0edc4535e33"},
    {PRODUCT_GENOA, ROLE_ARK, "ARK-Genoa",
     "4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1",
     "429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831"},
    {PRODUCT_GENOA, ROLE_ASK, "SEV-Genoa",
     "5464738c1546aed5f2cecf1dc98c5c960a92e8913238a61711bc90ec6e828521",
     "0324d55bcd48ba877a8fd87c0e1b4934dec8448e3807a24384a34dc6a6c9ebb8"},
    {PRODUCT_GENOA, ROLE_ASVK, "SEV-VLEK-Genoa",
     "197e610743a917d6b9bb982a5a9226ccc0a15b611be0619e626aca9151457372",
     "7d1633252ebbadaa75f96e9b4e6f7d43a90ceb3f843937482630f8da2459264e"},
    {PRODUCT_TURIN, ROLE_ARK, "ARK-Turin",
     "1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a",
     "4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08"},
    {PRODUCT_TURIN, ROLE_ASK, "SEV-Turin",
     "5b77ef5fe7a7a004fd9032668fba9d0fda22f88c4442069a479636a6ae3b3185",
     "0000ead352025f208bf55297c4192c34cd1b878002107366d8f2065a9ae7d3a9"},
    {PRODUCT_TURIN, ROLE_ASVK, "SEV-VLEK-Turin",
     "104e10a8bd060a3c20a434261a57d0588fd65a88915b4f65b08bdecaf8df1a3c",
     "bfc441408b2f806c5dbf180bd8920e6e60dd404d82141780d85dbf962954d386"},
};

/* Measured from the roots that NVIDIA's own verifier carries. Valid until 9999 and 2053. */
static const char *const nvidia[] = {
    [NVIDIA_DEVICES] = "102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48",
    [NVIDIA_REFERENCES] = "12977b5115acb0381179279fffeb5a8c4d264971ebb32298023a465fa41df5d1",
};

const char *product_name(enum snp_product p) {
    static const char *const names[] = {"unknown", "Milan", "Genoa", "Turin"};

    return names[p];
}

const struct root *root_pinned(enum snp_product p, enum root_role role) {
    for (size_t i = 0; i < COUNT(roots); i++)
        if (roots[i].product == p && roots[i].role == role)
            return &roots[i];
    return NULL;
}

const struct root *root_by_der(const uint8_t der[static 32]) {
    char hex[65];

    hex_encode(view_of(der, 32), hex);
    for (size_t i = 0; i < COUNT(roots); i++)
        if (!strcmp(roots[i].der, hex))
            return &roots[i];
    return NULL;
}

static bool nvidia_pinned(enum nvidia_root r, const uint8_t der[static 32]) {
    char hex[65];

    hex_encode(view_of(der, 32), hex);
    return !strcmp(nvidia[r], hex);
}

#ifdef CDVM_TEST_ROOTS
static const uint8_t *test_nvidia[COUNT(nvidia)];

void roots_test_nvidia(enum nvidia_root r, const uint8_t *der) {
    test_nvidia[r] = der;
}

bool root_is_nvidia(enum nvidia_root r, const uint8_t der[static 32]) {
    return nvidia_pinned(r, der) || (test_nvidia[r] && !memcmp(test_nvidia[r], der, 32));
}

static struct {
    enum snp_product product;
    uint8_t der[32];
} test_roots[8];
static size_t n_test_roots;

void roots_test_add(enum snp_product p, const uint8_t der[static 32]) {
    if (n_test_roots == COUNT(test_roots))
        return;
    test_roots[n_test_roots].product = p;
    memcpy(test_roots[n_test_roots++].der, der, 32);
}

void roots_test_clear(void) {
    n_test_roots = 0;
}

bool root_is_test(enum snp_product p, const uint8_t der[static 32]) {
    for (size_t i = 0; i < n_test_roots; i++)
        if (test_roots[i].product == p && !memcmp(test_roots[i].der, der, 32))
            return true;
    return false;
}
#else
bool root_is_nvidia(enum nvidia_root r, const uint8_t der[static 32]) {
    return nvidia_pinned(r, der);
}

bool root_is_test(enum snp_product p, const uint8_t der[static 32]) {
    (void)p;
    (void)der;
    return false;
}
#endif
