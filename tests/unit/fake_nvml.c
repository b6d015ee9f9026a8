/* A libnvidia-ml.so.1 with the real interface (guest/nvml_abi.h) and no GPU: what it answers stands
 * in the files of the folder that FAKE_NVML names.
 *
 *   settings     lines "name number": gpus, arch, environment, cc, devtools, multi, probe,
 *                stays (the ready state that it keeps), report_size, chain_size
 *   fault        "symbol hang", "symbol crash" or "symbol number": what that call does instead
 *   chainN.pem   of GPU N; reportN its report, and keyN.pem, if there, the key that signs it anew
 *                over the caller's nonce
 *   calls        is written: every call's name, one a line */
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
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
    char text[1024] = {0}, *rest = text, *line;
    const size_t n = strlen(name);

    (void)!file_of(file, (uint8_t *)text, sizeof text - 1);
    while ((line = strsep(&rest, "\n")))
        if (!strncmp(line, name, n) && line[n] == ' ') {
            snprintf(value, 32, "%s", line + n + 1);
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

/* --- what the box must refuse: each true when it did --- */

static int no_root(void) {
    return getuid() && geteuid() && getgid() && setuid(0) < 0;
}

static int no_other_power(void) {
    FILE *status = fopen("/proc/self/status", "r");
    unsigned long long caps = 0;
    char line[128];

    while (status && fgets(line, sizeof line, status))
        if (!strncmp(line, "CapEff:", 7))
            caps = strtoull(line + 7, NULL, 16);
    if (status)
        fclose(status);
    return caps == 1ULL << CAP_SYS_ADMIN;
}

static int no_mounts(void) {
    return mount("tmpfs", "/tmp", "tmpfs", 0, "") < 0 && umount2("/proc", MNT_DETACH) < 0;
}

static int no_spaces(void) {
    return unshare(CLONE_NEWNS) < 0 && setns(0, 0) < 0;
}

static int no_network(void) {
    return socket(AF_INET, SOCK_STREAM, 0) < 0 && socket(AF_UNIX, SOCK_STREAM, 0) < 0 &&
           socket(AF_NETLINK, SOCK_RAW, 0) < 0;
}

static int no_writing(void) {
    return open("/tmp/x", O_WRONLY | O_CREAT, 0600) < 0 && open("/x", O_WRONLY | O_CREAT, 0600) < 0;
}

static int no_other_device(void) {
    return access("/dev/nvidiactl", R_OK | W_OK) == 0 && access("/dev/nvidia1", R_OK) == 0 &&
           access("/dev/vda", F_OK) && access("/dev/mem", F_OK) && access("/dev/sev-guest", F_OK) &&
           access("/dev/fuse", F_OK) && mknod("/dev/x", S_IFCHR, 0) < 0;
}

static int no_others(void) {
    return getpid() == 1 && kill(2, 0) < 0 && ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0;
}

static int no_descriptors(void) {
    int open_too = 0;

    for (int fd = 4; fd < 256; fd++)
        open_too += fcntl(fd, F_GETFD) >= 0 && fcntl(fd, F_GETFL) >= 0;
    return open_too <= 2; /* the GPUs that are held */
}

static int no_calls(void) {
    return syscall(SYS_bpf, 0, NULL, 0) < 0 && syscall(SYS_keyctl, 0, 0, 0, 0, 0) < 0 &&
           syscall(SYS_init_module, NULL, 0, "") < 0 && ioctl(0, TIOCSTI, "x") < 0;
}

static int probe(void) {
    static int (*const refused[])(void) = {
        no_root,    no_other_power,  no_mounts, no_spaces,      no_network,
        no_writing, no_other_device, no_others, no_descriptors, no_calls};

    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (!refused[i]())
            return 1000 + (int)i;
    return 0;
}

API int nvmlInit_v2(void);
API int nvmlInit_v2(void) {
    CALLED();
    return number("probe", 0) ? probe() : 0;
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
