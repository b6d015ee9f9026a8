/* One captured GPU judged: by itself beside the bare OpenSSL calls that it needs (five certificates
 * decoded, four links and one report verified on P-384), and with both sets of reference values and
 * seven OCSP answers beside `xmlsec1 --verify` of one of the sets, where that program is installed.
 * Reads the captures under VECTORS; without them it prints nothing. */
#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include "attest/evidence.h"
#include "attest/gpu_verify.h"
#include "tests/bench/bench.h"

#define T_DEVICE ((int64_t)1755777600) /* 2025-08-21 12:00 */
#define RUNS 100

struct state {
    struct gpu_item item;
    struct gpu_subject subject;
    struct policy policy;
    struct buf bytes[9];
    struct gpu_collateral c;
};

static void need(bool ok, const char *what) {
    if (ok)
        return;
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

static void passes(const struct verdict *v, const char *id) {
    need(verdict_find(v, id)->state == CHECK_PASS, id);
}

static void judge(void *arg) {
    struct state *s = arg;
    struct verdict *v = evidence_verify_gpu(&s->subject, 1, NULL, NULL, &s->policy, T_DEVICE);

    passes(v, "gpu.signature");
    passes(v, "gpu.fwid");
    verdict_free(v);
}

static void judge_full(void *arg) {
    struct state *s = arg;
    struct verdict *v = evidence_verify_gpu(&s->subject, 1, &s->c, NULL, &s->policy, T_DEVICE);

    passes(v, "gpu.rim.driver");
    passes(v, "gpu.rim.vbios");
    passes(v, "gpu.measurements");
    verdict_free(v);
}

static void bare(void *arg) {
    const struct state *s = arg;
    const struct view report = s->subject.ev.report;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    X509 *x[GPU_CERTS];
    uint8_t *der = NULL;
    int n;

    for (int i = 0; i < GPU_CERTS; i++) {
        const uint8_t *p = s->subject.ev.cert[i].p;

        x[i] = d2i_X509(NULL, &p, (long)s->subject.ev.cert[i].n);
        need(i == 0 || X509_verify(x[i - 1], X509_get0_pubkey(x[i])) == 1, "link");
    }
    ECDSA_SIG_set0(sig, BN_bin2bn(report.p + report.n - 96, 48, NULL),
                   BN_bin2bn(report.p + report.n - 48, 48, NULL));
    n = i2d_ECDSA_SIG(sig, &der);
    need(EVP_DigestVerifyInit(ctx, NULL, EVP_sha384(), NULL, X509_get0_pubkey(x[0])) == 1 &&
             EVP_DigestVerify(ctx, der, (size_t)n, report.p, report.n - 96) == 1,
         "report");
    for (int i = 0; i < GPU_CERTS; i++)
        X509_free(x[i]);
    OPENSSL_free(der);
    EVP_MD_CTX_free(ctx);
    ECDSA_SIG_free(sig);
}

static char *path_of(const char *name) {
    const char *base = getenv("VECTORS");

    return mem_fmt("%s/gpu/%s", base ? base : "../shared/vectors", name);
}

static bool load(const char *name, struct buf *out) {
    cleanup_free char *path = path_of(name);

    return !file_read(path, GPU_LIST_MAX, out, NULL);
}

#define SET "h100-550.90.07/"
#define DRIVER SET "NV_GPU_DRIVER_GH100_550.90.07.xml"

static void load_words(struct state *s) {
    static const char *const names[] = {DRIVER,
                                        SET "NV_GPU_VBIOS_1010_0200_882_96009F0001.xml",
                                        SET "ocsp/gpu-chain-1-brom.der",
                                        SET "ocsp/gpu-chain-2-provisioner-ica.der",
                                        SET "ocsp/gpu-chain-3-identity.der",
                                        SET "ocsp/driver-rim-0-leaf.der",
                                        SET "ocsp/vbios-rim-0-leaf.der",
                                        SET "ocsp/rim-chain-1-l3.der",
                                        SET "ocsp/rim-chain-2-l2.der"};

    for (size_t i = 0; i < COUNT(names); i++) {
        need(load(names[i], &s->bytes[i]), names[i]);
        if (i < 2)
            s->c.rim[s->c.n_rims++] = buf_view(&s->bytes[i]);
        else
            s->c.ocsp[s->c.n_ocsps++] = buf_view(&s->bytes[i]);
    }
}

static int64_t cpu_now(int who) {
    struct rusage u;

    getrusage(who, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * (int64_t)1000000 + u.ru_utime.tv_usec +
           u.ru_stime.tv_usec;
}

/* CPU time of one run of the program, in microseconds; -1 when it is not installed or fails. */
static int64_t xmlsec1(void) {
    cleanup_free char *root = path_of("roots/nvidia_corim_signing_root.pem");
    cleanup_free char *rim = path_of(DRIVER);
    char *argv[] = {"xmlsec1",
                    "--verify",
                    "--enabled-key-data",
                    "x509",
                    "--trusted-pem",
                    root,
                    "--verification-gmt-time",
                    "2025-08-21+12:00:00",
                    rim,
                    NULL};
    const int64_t before = cpu_now(RUSAGE_CHILDREN);
    posix_spawn_file_actions_t quiet;
    int status = 1, rc;
    pid_t pid;

    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
    rc = posix_spawnp(&pid, argv[0], &quiet, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&quiet);
    if (rc || waitpid(pid, &status, 0) < 0 || status)
        return -1;
    return cpu_now(RUSAGE_CHILDREN) - before;
}

static void cpu_time(struct state *s) {
    int64_t ours[RUNS], theirs[RUNS];

    judge_full(s);
    for (size_t i = 0; i < RUNS; i++) {
        const int64_t before = cpu_now(RUSAGE_SELF);

        judge_full(s);
        ours[i] = cpu_now(RUSAGE_SELF) - before;
        theirs[i] = xmlsec1();
    }
    qsort(ours, RUNS, sizeof *ours, bench_order);
    qsort(theirs, RUNS, sizeof *theirs, bench_order);
    printf("{\"name\":\"attest-gpu-full\",\"unit\":\"ms of CPU\",\"median\":%.1f,\"p95\":%.1f,"
           "\"n\":%d,\"against\":",
           (double)ours[RUNS / 2] / 1000, (double)ours[RUNS * 95 / 100] / 1000, RUNS);
    if (theirs[0] < 0)
        printf("null}\n");
    else
        printf("{\"name\":\"xmlsec1 --verify of one RIM\",\"median\":%.1f,\"p95\":%.1f}}\n",
               (double)theirs[RUNS / 2] / 1000, (double)theirs[RUNS * 95 / 100] / 1000);
}

int main(void) {
    static struct state s;
    cleanup_buf struct buf report = {0}, chain = {0};
    struct err e;

    if (!load(SET "report.bin", &report) || !load(SET "chain.pem", &chain))
        return 0;
    need(!gpu_item_read(&s.item, "HOPPER", buf_view(&report), buf_view(&chain), &e), "files");
    s.subject = (struct gpu_subject){s.item.ev, s.item.n_certs, false};
    policy_preset(&s.policy, POLICY_STANDARD);
    load_words(&s);
    bench_pair("attest-gpu", 300, judge, "bare OpenSSL calls", bare, &s);
    cpu_time(&s);
    for (size_t i = 0; i < COUNT(s.bytes); i++)
        buf_free(&s.bytes[i]);
    gpu_item_free(&s.item);
    return 0;
}
