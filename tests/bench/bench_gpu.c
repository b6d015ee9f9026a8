/* One captured GPU judged whole (report, chain, firmware, tree) beside the bare OpenSSL calls that
 * it needs: five certificates decoded, four links and one report verified on P-384. Reads the
 * captures under VECTORS; without them it prints nothing. */
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include "attest/evidence.h"
#include "attest/gpu_device.h"
#include "tests/bench/bench.h"

struct state {
    struct gpu_item item;
    struct gpu_subject subject;
    struct policy policy;
};

static void need(bool ok, const char *what) {
    if (ok)
        return;
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

static void judge(void *arg) {
    struct state *s = arg;
    struct verdict *v = evidence_verify_gpu(&s->subject, 1, NULL, NULL, &s->policy, 1795305600);

    need(verdict_find(v, "gpu.signature")->state == CHECK_PASS, "the GPU's signature");
    need(verdict_find(v, "gpu.fwid")->state == CHECK_PASS, "the GPU's firmware");
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

static bool load(const char *name, struct buf *out) {
    const char *base = getenv("VECTORS");
    cleanup_free char *path =
        mem_fmt("%s/gpu/h100-550.90.07/%s", base ? base : "../shared/vectors", name);

    return !file_read(path, GPU_LIST_MAX, out, NULL);
}

int main(void) {
    static struct state s;
    cleanup_buf struct buf report = {0}, chain = {0};
    struct err e;

    if (!load("report.bin", &report) || !load("chain.pem", &chain))
        return 0;
    need(!gpu_item_read(&s.item, "HOPPER", buf_view(&report), buf_view(&chain), &e), "files");
    s.subject = (struct gpu_subject){s.item.ev, s.item.n_certs, false};
    policy_preset(&s.policy, POLICY_STANDARD);
    bench_pair("attest-gpu", 300, judge, "bare OpenSSL calls", bare, &s);
    gpu_item_free(&s.item);
    return 0;
}
