#include "needs.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "attest/gpu_crl.h"
#include "attest/gpu_device.h"
#include "attest/gpu_ocsp.h"
#include "attest/snp_cert.h"
#include "core/enc.h"
#include "core/hash.h"
#include "core/json.h"

#define NVIDIA_RIM "https://rim.attestation.nvidia.com/v1/rim/"
#define NVIDIA_OCSP "https://ocsp.ndis.nvidia.com/"
#define NVIDIA_CRL "http://crl.ndis.nvidia.com/"
#define NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
#define BAD(...) err_set(e, "bad-answer", __VA_ARGS__)

enum need_kind { NEED_CHAIN, NEED_VCEK, NEED_CRL, NEED_RIM, NEED_OCSP, NEED_GPU_CRL, NEED_KINDS };

/* A need, and what its answer is held against. */
struct wanted {
    struct need pub;
    enum need_kind kind;
    struct kds_key key;                     /* AMD's */
    char chip[RIM_TEXT], version[RIM_TEXT]; /* of reference values */
    X509 *x, *issuer;                       /* of words on a certificate */
    struct buf post;
};
struct needs {
    char *cache;
    int64_t now;
    struct wanted want[NEEDS_MAX];
    size_t n;
};

struct needs *needs_new(const char *cache, int64_t now) {
    struct needs *n = mem_new(sizeof *n);

    n->cache = mem_str(cache);
    n->now = now;
    return n;
}

void needs_free(struct needs *n) {
    if (!n)
        return;
    for (size_t i = 0; i < n->n; i++) {
        X509_free(n->want[i].x);
        X509_free(n->want[i].issuer);
        buf_free(&n->want[i].post);
    }
    free(n->cache);
    free(n);
}

size_t needs_count(const struct needs *n) {
    return n->n;
}
const struct need *needs_at(const struct needs *n, size_t i) {
    return &n->want[i].pub;
}

static struct wanted *find(struct needs *n, const char *file) {
    for (size_t i = 0; i < n->n; i++)
        if (!strcmp(n->want[i].pub.file, file))
            return &n->want[i];
    return NULL;
}

static int cached(const struct needs *n, const char *file, struct buf *out, struct err *e) {
    cleanup_free char *path = mem_fmt("%s/%s", n->cache, file);

    return file_read(path, NEED_ANSWER_MAX, out, e);
}

/* --- AMD: is it that? --- */

static bool is_pinned(X509 *x, struct view der, enum snp_product p, enum root_role role) {
    uint8_t sha[32], spki[32];
    char hex[65];

    cert_fingerprints(x, der, sha, spki);
    hex_encode(view_of(sha, 32), hex);
    return !strcmp(hex, root_pinned(p, role)->der);
}

static int chain_judge(const struct needs *n, const struct wanted *w, struct view body,
                       struct err *e) {
    struct collateral got = {0};
    X509 *ask = NULL, *ark = NULL;
    int rc = kds_take(&w->key, KDS_CHAIN, body, &got, e);

    (void)n;
    if (rc == 0 &&
        (!(ask = cert_parse(buf_view(&got.ask), e)) || !(ark = cert_parse(buf_view(&got.ark), e))))
        rc = -1;
    else if (rc == 0 && (!is_pinned(ask, buf_view(&got.ask), w->key.product, ROLE_ASK) ||
                         !is_pinned(ark, buf_view(&got.ark), w->key.product, ROLE_ARK)))
        rc = BAD("it is not AMD's chain for %s", product_name(w->key.product));
    X509_free(ask);
    X509_free(ark);
    collateral_free(&got);
    return rc;
}

/* The two authorities above it, as the cache has them. */
static int authorities(const struct needs *n, const struct wanted *w, X509 **ask, X509 **ark,
                       struct err *e) {
    cleanup_free char *file = kds_file(&w->key, KDS_CHAIN);
    cleanup_buf struct buf pem = {0};
    struct collateral got = {0};
    int rc = -1;

    if (cached(n, file, &pem, NULL) || chain_judge(n, w, buf_view(&pem), NULL))
        BAD("AMD's chain has to be there first");
    else if (!kds_take(&w->key, KDS_CHAIN, buf_view(&pem), &got, e)) {
        *ask = cert_parse(buf_view(&got.ask), e);
        *ark = cert_parse(buf_view(&got.ark), e);
        rc = *ask && *ark ? 0 : -1;
    }
    collateral_free(&got);
    return rc;
}

static int vcek_judge(const struct needs *n, const struct wanted *w, struct view body,
                      struct err *e) {
    struct collateral got = {0};
    X509 *ask = NULL, *ark = NULL, *x = NULL;
    int rc = -1;

    if (!kds_take(&w->key, KDS_VCEK, body, &got, e) && !authorities(n, w, &ask, &ark, e) &&
        (x = cert_parse(body, e)))
        rc = cert_signed_by(x, ask, e) || cert_dates(x, "it", n->now, e) ? -1 : 0;
    X509_free(x);
    X509_free(ask);
    X509_free(ark);
    collateral_free(&got);
    return rc;
}

/* A list that revokes the intermediate is kept: it is true. */
static int crl_judge(const struct needs *n, const struct wanted *w, struct view body,
                     struct err *e) {
    X509 *ask = NULL, *ark = NULL;
    char why[200] = "";
    int rc = authorities(n, w, &ask, &ark, e);

    if (rc == 0 && crl_check(body, ark, ask, n->now, 0, why, sizeof why) == CRL_UNUSABLE)
        rc = BAD("%s", why);
    X509_free(ask);
    X509_free(ark);
    return rc;
}

/* --- NVIDIA: is it that? --- */

static int rim_judge(const struct needs *n, const struct wanted *w, struct view body,
                     struct err *e) {
    struct gpu_rim *r = gpu_rim_read(body, n->now);
    struct err why;
    int rc = 0;

    if (!r->authentic)
        rc = BAD("it is not NVIDIA's: %.300s", r->error.text);
    else if (!gpu_rim_pick(&r, 1, w->chip, w->version, &why))
        rc = BAD("it is for %s of a %s, not for %s of a %s", r->version, r->product, w->version,
                 w->chip);
    gpu_rim_free(r);
    return rc;
}

/* A bad word counts as much as a good one. */
static int word_judge(const struct needs *n, const struct wanted *w, struct view body,
                      struct err *e) {
    struct gpu_said said;

    if (w->kind == NEED_OCSP)
        gpu_ocsp_check(body, w->x, w->issuer, n->now, &said);
    else
        gpu_crl_check(body, w->x, w->issuer, n->now, &said);
    if (said.word == WORD_NONE)
        return BAD("it says nothing of that certificate");
    return said.word == WORD_UNUSABLE ? BAD("%s", said.text) : 0;
}

static int (*const judges[NEED_KINDS])(const struct needs *, const struct wanted *, struct view,
                                       struct err *) = {
    [NEED_CHAIN] = chain_judge, [NEED_VCEK] = vcek_judge, [NEED_CRL] = crl_judge,
    [NEED_RIM] = rim_judge,     [NEED_OCSP] = word_judge, [NEED_GPU_CRL] = word_judge};

/* --- what is needed --- */

/* NULL when it is on the list already, or the list is full. */
static struct wanted *add(struct needs *n, enum need_kind kind, const char *file) {
    struct wanted *w = &n->want[n->n];

    if (n->n == NEEDS_MAX || find(n, file))
        return NULL;
    *w = (struct wanted){.kind = kind};
    snprintf(w->pub.file, sizeof w->pub.file, "%s", file);
    n->n++;
    return w;
}

static void look(const struct needs *n, struct wanted *w) {
    cleanup_buf struct buf b = {0};

    w->pub.post = buf_view(&w->post);
    if (cached(n, w->pub.file, &b, NULL) == 0)
        w->pub.have = judges[w->kind](n, w, buf_view(&b), &w->pub.why) == 0;
}

/* In the order in which they lean on each other. */
void needs_add_chip(struct needs *n, const struct kds_key *key) {
    static const struct {
        enum need_kind kind;
        enum kds_part part;
        const char *what;
    } rows[] = {{NEED_CHAIN, KDS_CHAIN, "AMD's authorities for"},
                {NEED_VCEK, KDS_VCEK, "the chip's certificate at its firmware level,"},
                {NEED_CRL, KDS_CRL, "AMD's revocation list for"}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        cleanup_free char *file = kds_file(key, rows[i].part);
        cleanup_buf struct buf path = {0};
        struct wanted *w = add(n, rows[i].kind, file);

        if (!w)
            continue;
        kds_path(key, rows[i].part, &path);
        w->key = *key;
        w->pub.optional = rows[i].part == KDS_CRL;
        snprintf(w->pub.url, sizeof w->pub.url, "%s%s", KDS_BASE, (const char *)path.p);
        snprintf(w->pub.what, sizeof w->pub.what, "%s %s", rows[i].what,
                 product_name(key->product));
        look(n, w);
    }
}

int needs_add_report(struct needs *n, struct view report, struct err *e) {
    struct kds_key key;

    if (kds_key_of(report, &key, e))
        return -1;
    needs_add_chip(n, &key);
    return 0;
}

static void add_rim(struct needs *n, const char *id, const char *chip, const char *version) {
    cleanup_free char *file = mem_fmt("gpu/rim/%s.xml", id);
    struct wanted *w = *id && strspn(id, NAME_CHARS) == strlen(id) ? add(n, NEED_RIM, file) : NULL;

    if (!w)
        return;
    snprintf(w->chip, sizeof w->chip, "%s", chip);
    snprintf(w->version, sizeof w->version, "%s", version);
    snprintf(w->pub.url, sizeof w->pub.url, NVIDIA_RIM "%s", id);
    snprintf(w->pub.what, sizeof w->pub.what, "NVIDIA's reference values %s", id);
    look(n, w);
}

static void about(struct wanted *w, X509 *x, X509 *issuer, const char *what) {
    cleanup_free char *cn = cert_cn(x, false);

    X509_up_ref(x);
    X509_up_ref(issuer);
    w->x = x;
    w->issuer = issuer;
    snprintf(w->pub.what, sizeof w->pub.what, "%s '%.80s'", what, cn);
}

/* The responder wants the certificate named by SHA-384. */
static bool question(X509 *x, X509 *issuer, struct buf *out) {
    OCSP_REQUEST *q = OCSP_REQUEST_new();
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha384(), x, issuer);
    uint8_t *der = NULL;
    int size = -1;

    if (q && id && OCSP_request_add0_id(q, id))
        size = i2d_OCSP_REQUEST(q, &der);
    else
        OCSP_CERTID_free(id);
    if (size > 0)
        buf_add(out, der, (size_t)size);
    OPENSSL_free(der);
    OCSP_REQUEST_free(q);
    return size > 0;
}

static void add_ocsp(struct needs *n, X509 *x, X509 *issuer) {
    uint8_t *der = NULL, sha[32];
    const int size = i2d_X509(x, &der);
    char hex[33], file[64];
    struct wanted *w;

    sha256(view_of(der, size > 0 ? (size_t)size : 0), sha);
    OPENSSL_free(der);
    hex_encode(view_of(sha, 16), hex);
    snprintf(file, sizeof file, "gpu/ocsp/%s.der", hex);
    w = add(n, NEED_OCSP, file);
    if (!w)
        return;
    about(w, x, issuer, "OCSP answer on");
    snprintf(w->pub.url, sizeof w->pub.url, NVIDIA_OCSP);
    (void)!question(x, issuer, &w->post);
    look(n, w);
}

/* Lists are at more than one place there: "crl/l2-gh100.crl", "crl-corim/l1-corim". */
static bool list_name(const char *url, char out[static 100]) {
    const size_t n = strlen(NVIDIA_CRL);
    const char *name = strrchr(url, '/');

    if (strncmp(url, NVIDIA_CRL, n) != 0 || strlen(url) >= NEED_URL ||
        strspn(url + n, NAME_CHARS "/") != strlen(url + n) || !name[1] || name[1] == '.')
        return false;
    snprintf(out, 100, "%.90s", name + 1);
    if (strlen(out) > 4 && !strcmp(out + strlen(out) - 4, ".crl"))
        out[strlen(out) - 4] = 0;
    return true;
}

static void add_list(struct needs *n, X509 *x, X509 *issuer, const char *url) {
    char name[100], file[NEED_FILE];
    struct wanted *w;

    if (!list_name(url, name))
        return;
    snprintf(file, sizeof file, "gpu/crl/%s.crl", name);
    w = add(n, NEED_GPU_CRL, file);
    if (!w)
        return;
    about(w, x, issuer, "revocation list that would name");
    w->pub.optional = true; /* OCSP answers say the same */
    snprintf(w->pub.url, sizeof w->pub.url, "%s", url);
    look(n, w);
}

static void add_lists(struct needs *n, X509 *x, X509 *issuer) {
    CRL_DIST_POINTS *points = X509_get_ext_d2i(x, NID_crl_distribution_points, NULL, NULL);

    for (int i = 0; points && i < sk_DIST_POINT_num(points); i++) {
        const DIST_POINT_NAME *d = sk_DIST_POINT_value(points, i)->distpoint;

        for (int k = 0; d && d->type == 0 && k < sk_GENERAL_NAME_num(d->name.fullname); k++) {
            const GENERAL_NAME *g = sk_GENERAL_NAME_value(d->name.fullname, k);

            if (g->type == GEN_URI)
                add_list(n, x, issuer, (const char *)ASN1_STRING_get0_data(g->d.ia5));
        }
    }
    CRL_DIST_POINTS_free(points);
}

static void add_words(struct needs *n, X509 *const *x, size_t from, size_t until) {
    for (size_t i = from; i <= until; i++) {
        add_ocsp(n, x[i], x[i + 1]);
        add_lists(n, x[i], x[i + 1]);
    }
}

/* Of the signers of reference values that are there. */
static void add_signers(struct needs *n) {
    const size_t end = n->n;

    for (size_t i = 0; i < end; i++) {
        cleanup_buf struct buf b = {0};
        struct gpu_rim *r;

        if (n->want[i].kind != NEED_RIM || !n->want[i].pub.have ||
            cached(n, n->want[i].pub.file, &b, NULL))
            continue;
        r = gpu_rim_read(buf_view(&b), n->now);
        if (r->authentic)
            add_words(n, r->cert, 0, RIM_CERTS - 2);
        gpu_rim_free(r);
    }
}

static int add_gpu(struct needs *n, const struct gpu_device *d, struct err *e) {
    const struct err *why = !d->readable  ? &d->report_error
                            : !d->chained ? &d->chain_error
                                          : &d->signature_error;
    const char *chip = gpu_device_chip(d);
    char id[RIM_ID];

    if (!d->authentic)
        return err_set(e, "bad-gpu", "evidence of a GPU is not authentic: %.300s", why->text);
    if (gpu_rim_driver_id(&d->report, chip, id))
        add_rim(n, id, chip, d->report.driver);
    if (gpu_rim_vbios_id(&d->report, chip, id))
        add_rim(n, id, chip, d->report.vbios);
    add_words(n, d->chain.x, 1, GPU_CERTS - 2);
    return 0;
}

int needs_add_gpus(struct needs *n, const struct gpu_evidence *gpu, size_t n_gpu, struct err *e) {
    int rc = 0;

    for (size_t i = 0; i < n_gpu && rc == 0; i++) {
        const struct gpu_subject s = {.ev = gpu[i], .n_certs = GPU_CERTS};
        struct gpu_device *d = mem_new(sizeof *d);

        gpu_device_read(d, &s, n->now);
        rc = add_gpu(n, d, e);
        gpu_device_free(d);
        free(d);
    }
    add_signers(n);
    return rc;
}

/* --- keeping --- */

/* {"id":...,"rim": base64 of the XML, ...} */
static int rim_decode(const struct wanted *w, struct view answer, struct buf *out, struct err *e) {
    const char *id, *rim, *name = strrchr(w->pub.url, '/') + 1;
    cJSON *o = json_parse_fractions(answer, NEED_ANSWER_MAX, e);
    int rc = -1;

    if (!o || !(id = json_str(o, "id", e)) || !(rim = json_str(o, "rim", e)))
        BAD("it is not what NVIDIA's service answers");
    else if (strcmp(id, name) != 0)
        BAD("it is another document than the one asked for");
    else if (!base64_decode(view_str(rim), out))
        BAD("its reference values are not base64");
    else
        rc = 0;
    cJSON_Delete(o);
    return rc;
}

static int make_folders(const struct needs *n, const char *file, struct err *e) {
    cleanup_free char *path = mem_fmt("%s/%s", n->cache, file);

    for (char *s = path + strlen(n->cache); s; s = strchr(s + 1, '/')) {
        *s = 0;
        if (mkdir(path, 0700) && errno != EEXIST)
            return err_sys(e, errno, "cannot make the folder '%s'", path);
        *s = '/';
    }
    return 0;
}

int needs_keep(struct needs *n, const char *file, struct view answer, struct err *e) {
    cleanup_free char *path = mem_fmt("%s/%s", n->cache, file);
    cleanup_buf struct buf xml = {0};
    struct wanted *w = find(n, file);
    struct err why;

    if (!w)
        return err_set(e, "no-need", "nothing here calls for '%.100s'", file);
    if (w->kind == NEED_RIM) {
        if (rim_decode(w, answer, &xml, e))
            return -1;
        answer = buf_view(&xml);
    }
    if (judges[w->kind](n, w, answer, &why))
        return BAD("%.300s", why.text);
    return make_folders(n, file, e) || file_write(path, answer, 0600, true, e) ? -1 : 0;
}
