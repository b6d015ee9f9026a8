/* One report of the simulator's verified whole (parse, chain, CRL, signature, rules, tree) beside
 * the bare OpenSSL calls that it needs: decoding three certificates and a list, four RSA-4096
 * verifies and one P-384. Also the launch digest of a 4 MiB firmware beside hashing the same bytes.
 */
#include <malloc.h>
#include <sys/resource.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "attest/snp_cert.h"
#include "tests/bench/bench.h"
#include "tests/unit/world.h"

#define FIRMWARE ((size_t)4 << 20)

struct state {
    struct world w;
    struct snp_report report;
    uint8_t *firmware;
    struct expect_report x;
};

static void need(bool ok, const char *what) {
    if (ok)
        return;
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

static void verify_report(void *arg) {
    struct state *s = arg;
    struct verdict *v =
        evidence_verify_report(s->w.ev.report, &s->w.c, &s->x, &s->w.policy, WORLD_NOW);

    need(verdict_state(v) == CHECK_PASS, "the report does not pass");
    verdict_free(v);
}

static void verify_bundle(void *arg) {
    struct state *s = arg;
    struct verdict *v = world_verify(&s->w);

    need(verdict_allows(v), "the bundle does not pass");
    verdict_free(v);
}

static X509 *decode(struct view der) {
    const uint8_t *p = der.p;

    return d2i_X509(NULL, &p, (long)der.n);
}

static void bare_calls(void *arg) {
    const struct state *s = arg;
    X509 *ark = decode(s->w.c.ark), *ask = decode(s->w.c.ask), *vek = decode(s->w.c.vek);
    const uint8_t *p = s->w.c.crl[0].p;
    X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)s->w.c.crl[0].n);
    struct err e;

    need(X509_verify(ark, X509_get0_pubkey(ark)) == 1, "ark");
    need(X509_verify(ask, X509_get0_pubkey(ark)) == 1, "ask");
    need(X509_verify(vek, X509_get0_pubkey(ask)) == 1, "vek");
    need(X509_CRL_verify(crl, X509_get0_pubkey(ark)) == 1, "crl");
    need(!vek_verify_report(vek, s->w.ev.report, &s->report, &e), "report");
    X509_CRL_free(crl);
    X509_free(vek);
    X509_free(ask);
    X509_free(ark);
}

static void measure(void *arg) {
    struct state *s = arg;
    uint8_t digest[48];

    snp_digest_firmware(view_of(s->firmware, FIRMWARE), digest);
}

static void bare_hash(void *arg) {
    struct state *s = arg;
    uint8_t digest[48];

    sha384(view_of(s->firmware, FIRMWARE), digest);
}

/* Memory must not grow with the number of verifications: neither the peak nor what is in use. */
static void no_growth(struct state *s, int n) {
    struct rusage before, after;
    struct mallinfo2 used, then;

    for (int i = 0; i < 10; i++)
        verify_bundle(s);
    getrusage(RUSAGE_SELF, &before);
    used = mallinfo2();
    for (int i = 0; i < n; i++)
        verify_bundle(s);
    getrusage(RUSAGE_SELF, &after);
    then = mallinfo2();
    printf(
        "{\"name\":\"attest-memory-growth\",\"unit\":\"KiB\",\"median\":%ld,\"p95\":%ld,\"n\":%d,"
        "\"against\":null,\"heap_bytes\":%lld}\n",
        after.ru_maxrss - before.ru_maxrss, after.ru_maxrss - before.ru_maxrss, n,
        (long long)then.uordblks - (long long)used.uordblks);
}

/* bench_attest [growth]: all of it, or memory alone. GROWTH: verifications (3000). */
int main(int argc, char **argv) {
    static struct state s;
    static uint8_t data[64];
    const char *more = getenv("GROWTH");
    const int n = more ? (int)strtol(more, NULL, 10) : 3000;
    const bool growth = argc > 1 && !strcmp(argv[1], "growth");
    cleanup_buf struct buf none = {0};

    world_init(&s.w);
    binding_report_data(s.w.ev.guest, s.w.request.customer, s.w.request.nonce, s.w.request.id,
                        buf_view(&none), data);
    s.x = (struct expect_report){.report_data = data,
                                 .measurement = s.w.measurement,
                                 .sim_roots = (const uint8_t(*)[32])s.w.sim_root,
                                 .n_sim_roots = 1};
    need(snp_report_parse(s.w.ev.report, &s.report), "report");
    s.firmware = mem_new(FIRMWARE);
    if (!growth) {
        bench_pair("attest-report", 300, verify_report, "bare OpenSSL calls", bare_calls, &s);
        bench_pair("attest-bundle", 300, verify_bundle, "bare OpenSSL calls", bare_calls, &s);
        bench_pair("measure-4MiB", 50, measure, "SHA-384 of the same bytes", bare_hash, &s);
    }
    no_growth(&s, n);
    free(s.firmware);
    world_free(&s.w);
    return 0;
}
