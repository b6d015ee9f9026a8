/* A libnvidia-ml.so.1 with the real interface (guest/nvml_abi.h) and no GPU: what it answers stands
 * in the files of the folder that FAKE_NVML names.
 *
 *   settings     lines "name number": gpus, arch, environment, cc, devtools, multi, stays (the
 * ready state that it keeps), report_size, chain_size fault        "symbol hang", "symbol crash" or
 * "symbol number": what that call does instead chainN.pem   of GPU N; reportN its report, and
 * keyN.pem, if there, the key that signs it anew over the caller's nonce calls        is written:
 * every call's name, one a line */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "guest/nvml_abi.h"

#define API __attribute__((visibility("default")))
#define SIGNATURE 96

static unsigned ready;

static void path_of(char out[static 512], const char *name) {
    const char *folder = getenv("FAKE_NVML");

    snprintf(out, 512, "%s/%s", folder ? folder : "", name);
}

static size_t file_of(const char *name, uint8_t *out, size_t max) {
    char path[512];
    size_t n = 0;
    FILE *f;

    path_of(path, name);
    f = fopen(path, "rb");
    if (f) {
        n = fread(out, 1, max, f);
        fclose(f);
    }
    return n;
}

/* Of one of the two files of words and values. */
static int value_of(const char *file, const char *name, char value[static 32]) {
    char text[1024] = {0}, word[64], *line = text, *next;

    (void)!file_of(file, (uint8_t *)text, sizeof text - 1);
    for (; line && *line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        if (sscanf(line, "%63s %31s", word, value) == 2 && !strcmp(word, name))
            return 1;
    }
    return 0;
}

static unsigned number(const char *name, unsigned otherwise) {
    char value[32];

    return value_of("settings", name, value) ? (unsigned)strtoul(value, NULL, 0) : otherwise;
}

static int called(const char *name) {
    char path[512], value[32];
    FILE *f;

    path_of(path, "calls");
    f = fopen(path, "a");
    if (f) {
        fprintf(f, "%s\n", name);
        fclose(f);
    }
    if (!value_of("fault", name, value))
        return 0;
    while (!strcmp(value, "hang"))
        pause();
    if (!strcmp(value, "crash"))
        abort();
    return (int)strtol(value, NULL, 0);
}

#define CALLED()                                                                                   \
    do {                                                                                           \
        const int fault = called(__func__);                                                        \
                                                                                                   \
        if (fault)                                                                                 \
            return fault;                                                                          \
    } while (0)

API int nvmlInit_v2(void);
API int nvmlInit_v2(void) {
    CALLED();
    return 0;
}

API int nvmlSystemGetDriverVersion(char *version, unsigned length);
API int nvmlSystemGetDriverVersion(char *version, unsigned length) {
    CALLED();
    snprintf(version, length, "550.163.01");
    return 0;
}

API int nvmlDeviceGetCount_v2(unsigned *n);
API int nvmlDeviceGetCount_v2(unsigned *n) {
    CALLED();
    *n = number("gpus", 1);
    return 0;
}

static char handles[64]; /* only their addresses count */

API int nvmlDeviceGetHandleByIndex_v2(unsigned index, nvml_device *device);
API int nvmlDeviceGetHandleByIndex_v2(unsigned index, nvml_device *device) {
    CALLED();
    *device = (nvml_device)(void *)&handles[index];
    return 0;
}

API int nvmlDeviceSetPersistenceMode(nvml_device device, unsigned mode);
API int nvmlDeviceSetPersistenceMode(nvml_device device, unsigned mode) {
    (void)device;
    CALLED();
    return mode == NVML_ENABLED ? 0 : 2;
}

API int nvmlDeviceGetArchitecture(nvml_device device, unsigned *arch);
API int nvmlDeviceGetArchitecture(nvml_device device, unsigned *arch) {
    (void)device;
    CALLED();
    *arch = number("arch", NVML_ARCH_HOPPER);
    return 0;
}

API int nvmlSystemGetConfComputeSettings(struct nvml_settings *s);
API int nvmlSystemGetConfComputeSettings(struct nvml_settings *s) {
    CALLED();
    if (s->version != NVML_SETTINGS_V1)
        return 25; /* NVML_ERROR_ARGUMENT_VERSION_MISMATCH */
    s->environment = number("environment", 2);
    s->cc_feature = number("cc", 1);
    s->dev_tools = number("devtools", 0);
    s->multi_gpu = number("multi", 0);
    return 0;
}

static unsigned index_of(nvml_device device) {
    return (unsigned)((char *)(void *)device - handles);
}

API int nvmlDeviceGetConfComputeGpuCertificate(nvml_device device, struct nvml_certificate *c);
API int nvmlDeviceGetConfComputeGpuCertificate(nvml_device device, struct nvml_certificate *c) {
    char name[32];
    size_t n;

    CALLED();
    snprintf(name, sizeof name, "chain%u.pem", index_of(device));
    n = file_of(name, c->attestation_chain, sizeof c->attestation_chain);
    c->attestation_chain_size = number("chain_size", (unsigned)n);
    return 0;
}

static void sign(EVP_PKEY *key, uint8_t *report, size_t n) {
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t der[160];
    const uint8_t *p = der;
    size_t len = sizeof der;
    ECDSA_SIG *sig;

    if (EVP_DigestSignInit(ctx, NULL, EVP_sha384(), NULL, key) != 1 ||
        EVP_DigestSign(ctx, der, &len, report, n - SIGNATURE) != 1)
        abort();
    sig = d2i_ECDSA_SIG(NULL, &p, (long)len);
    BN_bn2binpad(ECDSA_SIG_get0_r(sig), report + n - SIGNATURE, SIGNATURE / 2);
    BN_bn2binpad(ECDSA_SIG_get0_s(sig), report + n - SIGNATURE / 2, SIGNATURE / 2);
    ECDSA_SIG_free(sig);
    EVP_MD_CTX_free(ctx);
}

API int nvmlDeviceGetConfComputeGpuAttestationReport(nvml_device device, struct nvml_report *r);
API int nvmlDeviceGetConfComputeGpuAttestationReport(nvml_device device, struct nvml_report *r) {
    char name[32], path[512];
    EVP_PKEY *key = NULL;
    size_t n;
    FILE *f;

    CALLED();
    snprintf(name, sizeof name, "report%u", index_of(device));
    n = file_of(name, r->report, sizeof r->report);
    snprintf(name, sizeof name, "key%u.pem", index_of(device));
    path_of(path, name);
    f = fopen(path, "r");
    if (f) {
        key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
        fclose(f);
    }
    if (key && n > SIGNATURE) {
        memcpy(r->report + 4, r->nonce, sizeof r->nonce);
        sign(key, r->report, n);
    }
    EVP_PKEY_free(key);
    r->report_size = number("report_size", (unsigned)n);
    return 0;
}

API int nvmlSystemSetConfComputeGpusReadyState(unsigned accepting);
API int nvmlSystemSetConfComputeGpusReadyState(unsigned accepting) {
    CALLED();
    ready = accepting;
    return 0;
}

API int nvmlSystemGetConfComputeGpusReadyState(unsigned *accepting);
API int nvmlSystemGetConfComputeGpusReadyState(unsigned *accepting) {
    CALLED();
    *accepting = number("stays", ready);
    return 0;
}
