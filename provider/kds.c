#include "kds.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "attest/snp_cert.h"
#include "core/conf.h"
#include "core/enc.h"

#define TIMEOUT_MS 30000
#define TRIES 5        /* of one part, all but the last answered 429 */
#define LOCKED_MS 1000 /* another program asks: look again after this */
#define ANSWER_MAX ((size_t)1 << 20)

struct kds {
    struct loop *loop;
    struct http *http;
    struct http_req *req;
    struct loop_timer *timer;
    struct kds_key key;
    char *base, *dir;
    int spacing_ms, lock;
    bool allow_private;
    enum kds_part part;
    unsigned tries;
    struct collateral got;
    struct err err;
    bool failed, unreachable;
    kds_fn *fn;
    void *arg;
};

int kds_key_of(struct view report, struct kds_key *out, struct err *e) {
    static const uint8_t hidden[64];
    struct snp_report r;

    *out = (struct kds_key){0};
    if (!snp_report_parse(report, &r) || !snp_version_known(r.version))
        return err_set(e, "no-vcek", "this is not an SEV-SNP report");
    out->product = snp_product_of(r.cpu_family, r.cpu_model);
    if (r.version == 2 || !out->product)
        return err_set(e, "no-vcek", "the report names no processor family that is known here");
    if ((r.key_info >> 2 & 7) != SIGNING_VCEK)
        return err_set(e, "no-vcek", "the report is not signed by a chip's own key (VCEK)");
    if (!memcmp(r.chip_id, hidden, sizeof hidden))
        return err_set(e, "no-vcek", "the machine hides its chip id: nobody can ask for its key");
    if (!snp_tcb_decode(out->product, r.reported_tcb, &out->tcb))
        return err_set(e, "no-vcek", "the report's firmware level has reserved bytes set");
    out->chip_len = out->product == PRODUCT_TURIN ? 8 : 64;
    memcpy(out->chip, r.chip_id, out->chip_len);
    return 0;
}

void kds_path(const struct kds_key *k, enum kds_part part, struct buf *out) {
    static const char *const last[KDS_PARTS] = {[KDS_CHAIN] = "cert_chain", [KDS_CRL] = "crl"};
    char chip[2 * sizeof k->chip + 1];

    buf_fmt(out, "/vcek/v1/%s/", product_name(k->product));
    if (part != KDS_VCEK) {
        buf_str(out, last[part]);
        return;
    }
    hex_encode(view_of(k->chip, k->chip_len), chip);
    buf_fmt(out, "%s?", chip);
    if (k->product == PRODUCT_TURIN)
        buf_fmt(out, "fmcSPL=%u&", k->tcb.fmc);
    buf_fmt(out, "blSPL=%u&teeSPL=%u&snpSPL=%u&ucodeSPL=%u", k->tcb.bl, k->tcb.tee, k->tcb.snp,
            k->tcb.ucode);
}

/* --- what an answer must be --- */

static int vcek_fits(const struct kds_key *k, struct view der, struct err *e) {
    X509 *x = cert_parse(der, e);
    struct vek v;
    int rc = x ? vek_parse(x, k->product, false, &v, e) : -1;

    X509_free(x);
    if (rc)
        return -1;
    if (!snp_tcb_eq(&v.tcb, &k->tcb) ||
        !view_eq(view_of(v.hwid, v.hwid_len), view_of(k->chip, k->chip_len)))
        return err_set(e, "bad-answer", "it is for another chip or firmware level");
    return 0;
}

static bool pem_next(BIO *b, struct buf *out) {
    char *name = NULL, *header = NULL;
    uint8_t *der = NULL;
    long n = 0;
    bool ok = PEM_read_bio(b, &name, &header, &der, &n) == 1 && !strcmp(name, "CERTIFICATE");

    if (ok)
        buf_add(out, der, (size_t)n);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(der);
    ERR_clear_error();
    return ok;
}

static int take_chain(struct collateral *got, struct view pem, struct err *e) {
    BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
    bool ok;

    buf_reset(&got->ask);
    buf_reset(&got->ark);
    ok = b && pem_next(b, &got->ask) && pem_next(b, &got->ark);
    BIO_free(b);
    return ok ? 0 : err_set(e, "bad-answer", "it is not two PEM certificates");
}

/* Lists that have ended are asked for anew. */
static int take_crl(struct collateral *got, struct view der, struct err *e) {
    const uint8_t *p = der.p;
    X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)der.n);
    const ASN1_TIME *until = crl ? X509_CRL_get0_nextUpdate(crl) : NULL;
    bool ok = until && p == der.p + der.n && X509_cmp_current_time(until) > 0;

    X509_CRL_free(crl);
    ERR_clear_error();
    if (!ok)
        return err_set(e, "bad-answer", "it is not a revocation list that is in force");
    buf_reset(&got->crl);
    buf_add(&got->crl, der.p, der.n);
    return 0;
}

int kds_take(const struct kds_key *k, enum kds_part part, struct view body, struct collateral *got,
             struct err *e) {
    if (part == KDS_CHAIN)
        return take_chain(got, body, e);
    if (part == KDS_CRL)
        return take_crl(got, body, e);
    if (vcek_fits(k, body, e))
        return -1;
    buf_add(&got->vek, body.p, body.n);
    return 0;
}

static int part_take(struct kds *k, struct view body, struct err *e) {
    return kds_take(&k->key, k->part, body, &k->got, e);
}

/* --- cache --- */

char *kds_file(const struct kds_key *k, enum kds_part part) {
    const struct snp_tcb *t = &k->tcb;
    char chip[2 * sizeof k->chip + 1];

    if (part == KDS_CHAIN)
        return mem_fmt("%s.chain.pem", product_name(k->product));
    if (part == KDS_CRL)
        return mem_fmt("%s.crl", product_name(k->product));
    hex_encode(view_of(k->chip, k->chip_len), chip);
    return mem_fmt("%s-%s-%02x%02x%02x%02x%02x.vcek", product_name(k->product), chip, t->fmc, t->bl,
                   t->tee, t->snp, t->ucode);
}

static char *part_file(const struct kds *k) {
    cleanup_free char *name = kds_file(&k->key, k->part);

    return mem_fmt("%s/%s", k->dir, name);
}

static bool part_cached(struct kds *k) {
    cleanup_free char *path = part_file(k);
    cleanup_buf struct buf b = {0};

    return access(path, R_OK) == 0 && !file_read(path, ANSWER_MAX, &b, NULL) &&
           !part_take(k, buf_view(&b), NULL);
}

static enum snp_product family_of(const char *name) {
    for (int p = PRODUCT_MILAN; p <= PRODUCT_TURIN; p++) {
        const char *family = product_name((enum snp_product)p);
        const size_t n = strlen(family);

        if (!strncmp(name, family, n) && name[n] == '-')
            return (enum snp_product)p;
    }
    return PRODUCT_UNKNOWN;
}

static bool is_vcek(const char *name) {
    const size_t n = strlen(name);

    return family_of(name) != PRODUCT_UNKNOWN && n > 5 && !strcmp(name + n - 5, ".vcek");
}

/* Certificates stay good; the newest is of the firmware that runs. */
static char *newest_vcek(const char *dir) {
    DIR *d = opendir(dir);
    struct timespec best = {0};
    char *found = NULL;
    struct dirent *entry;

    while (d && (entry = readdir(d))) {
        cleanup_free char *path = mem_fmt("%s/%s", dir, entry->d_name);
        struct stat st;

        if (!is_vcek(entry->d_name) || stat(path, &st) ||
            (found && (st.st_mtim.tv_sec < best.tv_sec ||
                       (st.st_mtim.tv_sec == best.tv_sec && st.st_mtim.tv_nsec <= best.tv_nsec))))
            continue;
        best = st.st_mtim;
        free(found);
        found = mem_str(entry->d_name);
    }
    if (d)
        closedir(d);
    return found;
}

bool kds_cached(const char *dir, struct collateral *out) {
    cleanup_free char *own = dir ? NULL : conf_path(CONF_CACHE, "collateral", NULL), *name = NULL,
                      *path = NULL;
    struct kds k = {.dir = dir ? mem_str(dir) : own ? mem_str(own) : NULL};
    bool ok = false;

    name = k.dir ? newest_vcek(k.dir) : NULL;
    path = name ? mem_fmt("%s/%s", k.dir, name) : NULL;
    if (path && !file_read(path, ANSWER_MAX, &k.got.vek, NULL)) {
        k.key.product = family_of(name);
        for (k.part = KDS_CHAIN; k.part < KDS_PARTS; k.part++)
            (void)part_cached(&k);
        *out = k.got;
        ok = true;
    }
    free(k.dir);
    return ok;
}

/* --- asking --- */

static void kds_free(struct kds *k) {
    http_cancel(k->req);
    loop_timer_del(k->timer);
    if (k->lock >= 0)
        close(k->lock);
    collateral_free(&k->got);
    free(k->base);
    free(k->dir);
    free(k);
}

static void finish(struct kds *k) {
    k->fn(k->arg, &k->got, k->failed ? &k->err : NULL);
    kds_free(k);
}

static void next_part(struct kds *k) {
    do
        k->part++;
    while (k->part < KDS_PARTS && (part_cached(k) || k->unreachable));
    k->tries = 0;
    loop_timer_set(k->timer, loop_now());
}

/* One that did not come is remembered; the others may still. */
static void part_failed(struct kds *k, const struct err *why) {
    static const char *const names[KDS_PARTS] = {"certificate of the report's key",
                                                 "certificate chain", "revocation list"};

    if (!k->failed) {
        k->err = *why;
        err_wrap(&k->err, "AMD's key server: %s", names[k->part]);
    }
    k->failed = true;
    next_part(k);
}

static void part_came(struct kds *k, struct view body) {
    cleanup_free char *path = part_file(k);
    struct err e;

    if (part_take(k, body, &e)) {
        part_failed(k, &e);
        return;
    }
    if (file_write(path, body, 0600, true, &e)) { /* it came, all the same */
        k->err = e;
        k->failed = true;
    }
    next_part(k);
}

static int answer_error(const struct http_answer *a, struct err *e) {
    if (a->err) {
        *e = *a->err;
        return -1;
    }
    if (a->status == 404)
        return err_set(e, "not-found", "it knows no such chip at this firmware level");
    if (a->status == 429)
        return err_set(e, "throttled", "it asks for patience: try again in some minutes");
    return a->status == 200 ? 0 : err_set(e, "http", "it answers %ld", a->status);
}

static void on_answer(void *arg, struct http_answer *a) {
    struct kds *k = arg;
    struct err e;

    k->req = NULL;
    k->unreachable = a->status == 0; /* the other parts would only wait for nothing */
    if (a->status == 429 && k->tries < TRIES)
        loop_timer_set(k->timer, loop_now() + ((int64_t)k->spacing_ms << k->tries));
    else if (answer_error(a, &e))
        part_failed(k, &e);
    else
        part_came(k, buf_view(&a->body));
}

static int ask(struct kds *k, struct err *e) {
    cleanup_buf struct buf url = {0};

    buf_str(&url, k->base);
    kds_path(&k->key, k->part, &url);
    k->tries++;
    k->req = http_start(k->http,
                        &(struct http_ask){.method = "GET",
                                           .url = (const char *)url.p,
                                           .max_body = ANSWER_MAX,
                                           .timeout_ms = TIMEOUT_MS,
                                           .allow_private = k->allow_private},
                        on_answer, NULL, k, e);
    return k->req ? 0 : -1;
}

/* Milliseconds until the next request is polite: the lock's date is that of the last one. */
static int64_t patience(const struct kds *k) {
    struct timespec now;
    struct stat st;
    int64_t since;

    if (fstat(k->lock, &st) || clock_gettime(CLOCK_REALTIME, &now))
        return k->spacing_ms;
    since = (now.tv_sec - st.st_mtim.tv_sec) * 1000 + (now.tv_nsec - st.st_mtim.tv_nsec) / 1000000;
    return st.st_size == 0 || since < 0 || since > k->spacing_ms ? 0 : k->spacing_ms - since;
}

/* Held until this request is over: two programs wait for each other. */
static bool lock_take(struct kds *k, struct err *e) {
    cleanup_free char *path = mem_fmt("%s/last-request", k->dir);

    if (k->lock < 0)
        k->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (k->lock < 0)
        err_sys(e, errno, "cannot open '%s'", path);
    return k->lock >= 0 && flock(k->lock, LOCK_EX | LOCK_NB) == 0;
}

static bool lock_stamp(struct kds *k) {
    return pwrite(k->lock, "x", 1, 0) == 1 && futimens(k->lock, NULL) == 0;
}

static void on_timer(void *arg) {
    struct kds *k = arg;
    struct err e = {0};
    int64_t wait;

    if (k->part == KDS_PARTS) {
        finish(k);
        return;
    }
    if (!lock_take(k, &e)) {
        if (k->lock < 0)
            part_failed(k, &e);
        else
            loop_timer_set(k->timer, loop_now() + LOCKED_MS);
        return;
    }
    wait = patience(k);
    if (wait > 0)
        loop_timer_set(k->timer, loop_now() + wait);
    else if (!lock_stamp(k) || ask(k, &e))
        part_failed(k, &e);
}

struct kds *kds_start(struct loop *l, struct http *h, const struct kds_key *key,
                      const struct kds_opts *o, kds_fn *fn, void *arg, struct err *e) {
    struct kds *k;

    if (mkdir(o->dir, 0700) && errno != EEXIST) {
        err_sys(e, errno, "cannot make the folder '%s'", o->dir);
        return NULL;
    }
    k = mem_new(sizeof *k);
    *k = (struct kds){.loop = l,
                      .http = h,
                      .key = *key,
                      .base = mem_str(o->base),
                      .dir = mem_str(o->dir),
                      .spacing_ms = o->spacing_ms,
                      .allow_private = o->allow_private,
                      .lock = -1,
                      .fn = fn,
                      .arg = arg};
    k->timer = loop_timer_add(l, -1, on_timer, k);
    if (part_cached(k))
        next_part(k);
    else
        loop_timer_set(k->timer, loop_now());
    return k;
}

void kds_cancel(struct kds *k) {
    if (k)
        kds_free(k);
}

/* --- blocking --- */

struct waiting {
    struct loop *loop;
    struct collateral *out;
    struct err *e;
};

static void on_fetched(void *arg, struct collateral *got, const struct err *e) {
    struct waiting *w = arg;

    *w->out = *got;
    *got = (struct collateral){0};
    if (e)
        *w->e = *e;
    loop_quit(w->loop);
}

int kds_fetch(struct view report, struct collateral *out, struct err *e) {
    cleanup_free char *dir = NULL;
    struct waiting w = {.out = out, .e = e};
    struct http *h = NULL;
    struct kds_key key;
    int rc = -1;

    *out = (struct collateral){0};
    if (kds_key_of(report, &key, e) || !(dir = conf_path(CONF_CACHE, "collateral", e)))
        return -1;
    w.loop = loop_new(e);
    h = w.loop ? http_new(w.loop, e) : NULL;
    if (h && kds_start(w.loop, h, &key, &(struct kds_opts){KDS_BASE, dir, KDS_SPACING_MS, false},
                       on_fetched, &w, e)) {
        loop_run(w.loop);
        rc = out->vek.n ? 0 : -1;
    }
    http_free(h);
    loop_free(w.loop);
    return rc;
}
