/* The signature of reference values: first its form, which must be the one that NVIDIA writes, to
 * the last element; then the certificates; then, by the key of the first of them, xmlsec. */
#include "rim_xml.h"

#include <string.h>

#include <xmlsec/xmlsec.h>

#include <xmlsec/errors.h>
#include <xmlsec/openssl/app.h>
#include <xmlsec/openssl/crypto.h>
#include <xmlsec/openssl/evp.h>
#include <xmlsec/xmldsig.h>

#include "core/enc.h"
#include "core/hash.h"
#include "gpu_cert.h"
#include "gpu_rim.h"
#include "roots.h"
#include "snp_cert.h"

#define DSIG "http://www.w3.org/2000/09/xmldsig#"
#define C14N11 "http://www.w3.org/2006/12/xml-c14n11"
#define BAD(...) err_set(e, "rim-signature", __VA_ARGS__)

/* White space, which nobody signed and nothing reads. */
static bool blank(const xmlNode *n) {
    return n->type == XML_TEXT_NODE && xmlIsBlankNode(n);
}

/* Its children are these, each once and in this order, and nothing else. */
static bool children_are(const xmlNode *n, const char *const *names, size_t count,
                         const xmlNode **out) {
    size_t i = 0;

    for (const xmlNode *c = n->children; c; c = c->next) {
        if (blank(c))
            continue;
        if (i == count || !rim_is(c, DSIG, names[i]))
            return false;
        out[i++] = c;
    }
    return i == count;
}

/* An element that names this algorithm, without parameters. */
static bool algorithm_is(const xmlNode *n, const char *uri) {
    const char *a = rim_attribute(n, NULL, "Algorithm");

    return children_are(n, NULL, 0, NULL) && a && !strcmp(a, uri);
}

/* The element after n in document order. */
static const xmlNode *walk(const xmlNode *n) {
    if (n->type == XML_ELEMENT_NODE && n->children)
        return n->children;
    while (n && !n->next)
        n = n->parent;
    return n ? n->next : NULL;
}

/* Nowhere else in the document: a second one could be the one that somebody else verifies. */
static xmlNode *signature_of(xmlDoc *doc, struct err *e) {
    xmlNode *root = xmlDocGetRootElement(doc);
    const xmlNode *found = NULL;
    unsigned n = 0;

    for (const xmlNode *at = root; at; at = walk(at))
        if (rim_is(at, DSIG, "Signature")) {
            found = at;
            n++;
        }
    if (n != 1) {
        BAD("the document has %u signatures instead of one", n);
        return NULL;
    }
    if (found->parent != root) {
        BAD("the signature is not directly below the root: it may cover another document");
        return NULL;
    }
    return (xmlNode *)found;
}

static int transforms_check(const xmlNode *transforms, struct err *e) {
    static const char *const two[] = {"Transform", "Transform"};
    const xmlNode *t[2];

    if (!children_are(transforms, two, COUNT(two), t) ||
        !algorithm_is(t[0], DSIG "enveloped-signature") || !algorithm_is(t[1], C14N11))
        return BAD("its transforms are not the enveloped signature and canonical XML 1.1");
    return 0;
}

static int reference_check(const xmlNode *reference, struct err *e) {
    static const char *const parts[] = {"Transforms", "DigestMethod", "DigestValue"};
    const char *uri = rim_attribute(reference, NULL, "URI");
    const xmlNode *p[COUNT(parts)];

    if (!uri || *uri)
        return BAD("it covers '%.40s', not the whole document", uri ? uri : "nothing named");
    if (!children_are(reference, parts, COUNT(parts), p))
        return BAD("its reference is not in NVIDIA's form");
    if (transforms_check(p[0], e))
        return -1;
    return algorithm_is(p[1], "http://www.w3.org/2001/04/xmldsig-more#sha384")
               ? 0
               : BAD("its digest is not SHA-384");
}

static int info_check(const xmlNode *info, struct err *e) {
    static const char *const parts[] = {"CanonicalizationMethod", "SignatureMethod", "Reference"};
    const xmlNode *p[COUNT(parts)];

    if (!children_are(info, parts, COUNT(parts), p))
        return BAD("it has not exactly one canonical form, one method and one reference");
    if (!algorithm_is(p[0], C14N11))
        return BAD("its canonical form is not canonical XML 1.1");
    if (!algorithm_is(p[1], "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"))
        return BAD("its method is not ECDSA with SHA-384");
    return reference_check(p[2], e);
}

/* *data: its X509Data. */
static int form_check(const xmlNode *signature, const xmlNode **data, struct err *e) {
    static const char *const parts[] = {"SignedInfo", "SignatureValue", "KeyInfo"};
    static const char *const keys[] = {"X509Data"};
    const xmlNode *p[COUNT(parts)];

    if (!children_are(signature, parts, COUNT(parts), p))
        return BAD("it is not in NVIDIA's form");
    if (!children_are(p[2], keys, 1, data))
        return BAD("it does not bring its certificates, and those alone");
    return info_check(p[0], e);
}

/* --- certificates --- */

/* The base64 in an element of text alone, with line breaks in it. */
static bool text_decode(const xmlNode *n, struct buf *out) {
    cleanup_buf struct buf plain = {.max = CERT_MAX * 2};
    const char *s;

    if (!n->children || n->children->next || n->children->type != XML_TEXT_NODE)
        return false;
    for (s = (const char *)n->children->content; *s; s++)
        if (!strchr(" \t\r\n", *s))
            buf_add(&plain, s, 1);
    return plain.n && !plain.full && base64_decode(buf_view(&plain), out);
}

/* The last of them, however many there are: by their root it is told whose they are. */
static int root_check(const xmlNode *data, struct err *e) {
    cleanup_buf struct buf der = {0};
    const xmlNode *last = NULL;
    uint8_t sha[32];

    for (const xmlNode *n = rim_child(data, DSIG, "X509Certificate"); n;
         n = rim_next(n, DSIG, "X509Certificate"))
        last = n;
    if (!last || !text_decode(last, &der))
        return err_set(e, "bad-cert", "it brings no certificates in base64");
    sha256(buf_view(&der), sha);
    return root_is_nvidia(NVIDIA_REFERENCES, sha)
               ? 0
               : err_set(e, "rim-root",
                         "the root of its certificates is not NVIDIA's of reference values");
}

static int certificates_read(const xmlNode *data, X509 *cert[static RIM_CERTS], struct err *e) {
    static const char *const four[] = {"X509Certificate", "X509Certificate", "X509Certificate",
                                       "X509Certificate"};
    const xmlNode *node[RIM_CERTS];

    if (root_check(data, e))
        return -1;
    if (!children_are(data, four, RIM_CERTS, node))
        return err_set(e, "bad-chain", "it does not bring exactly %d certificates", RIM_CERTS);
    for (int i = 0; i < RIM_CERTS; i++) {
        cleanup_buf struct buf der = {0};

        if (!text_decode(node[i], &der))
            return err_set(e, "bad-cert", "certificate %d is not in base64", i);
        cert[i] = cert_parse(buf_view(&der), e);
        if (!cert[i])
            return err_wrap(e, "certificate %d", i);
    }
    return 0;
}

static int certificates_check(X509 *const cert[static RIM_CERTS], int64_t now, struct err *e) {
    for (int i = RIM_CERTS - 1; i >= 0; i--)
        if (gpu_cert_check(cert[i], i == RIM_CERTS - 1 ? NULL : cert[i + 1], i > 0, now, e))
            return err_wrap(e, "certificate %d", i);
    return 0;
}

/* --- xmlsec --- */

static void quiet(const char *file, int line, const char *func, const char *object,
                  const char *subject, int reason, const char *msg) {
    (void)file;
    (void)line;
    (void)func;
    (void)object;
    (void)subject;
    (void)reason;
    (void)msg;
}

/* libxml2 would print what it thinks of a document. */
static void silent(void *ctx, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void silent(void *ctx, const char *fmt, ...) {
    (void)ctx;
    (void)fmt;
}

/* Once for the whole program, which has one thread. */
static bool library(void) {
    static bool tried, works;

    if (tried)
        return works;
    tried = true;
    works = xmlSecInit() >= 0 && xmlSecCheckVersion() == 1 && xmlSecOpenSSLInit() >= 0;
    xmlSecErrorsSetCallback(quiet);
    xmlSetGenericErrorFunc(NULL, silent);
    return works;
}

/* Owned; NULL: it is no key for xmlsec. */
static xmlSecKey *key_of(X509 *x) {
    EVP_PKEY *pkey = X509_get_pubkey(x);
    xmlSecKeyData *data = pkey ? xmlSecOpenSSLEvpKeyAdopt(pkey) : NULL;
    xmlSecKey *key = data ? xmlSecKeyCreate() : NULL;

    if (!data)
        EVP_PKEY_free(pkey);
    if (key && xmlSecKeySetValue(key, data) >= 0)
        return key;
    if (data)
        xmlSecKeyDataDestroy(data);
    if (key)
        xmlSecKeyDestroy(key);
    return NULL;
}

/* Nothing but what form_check has seen: the same is said twice, in two ways. */
static bool restrict_to_four(xmlSecDSigCtx *ctx) {
    const xmlSecTransformId reference[] = {xmlSecTransformEnvelopedId, xmlSecTransformInclC14N11Id,
                                           xmlSecOpenSSLTransformSha384Id};
    const xmlSecTransformId signature[] = {xmlSecTransformInclC14N11Id,
                                           xmlSecOpenSSLTransformEcdsaSha384Id};

    ctx->enabledReferenceUris = xmlSecTransformUriTypeEmpty;
    for (size_t i = 0; i < COUNT(reference); i++)
        if (xmlSecDSigCtxEnableReferenceTransform(ctx, reference[i]) < 0)
            return false;
    for (size_t i = 0; i < COUNT(signature); i++)
        if (xmlSecDSigCtxEnableSignatureTransform(ctx, signature[i]) < 0)
            return false;
    return true;
}

/* A key that is set beforehand keeps xmlsec from looking for one in the document. */
static bool signed_by(xmlNode *signature, X509 *x) {
    xmlSecDSigCtx *ctx = library() ? xmlSecDSigCtxCreate(NULL) : NULL;
    bool ok = false;

    if (!ctx)
        return false;
    ctx->signKey = key_of(x);
    if (ctx->signKey && restrict_to_four(ctx))
        ok = xmlSecDSigCtxVerify(ctx, signature) >= 0 && ctx->status == xmlSecDSigStatusSucceeded &&
             xmlSecPtrListGetSize(&ctx->signedInfoReferences) == 1;
    xmlSecDSigCtxDestroy(ctx);
    return ok;
}

int rim_verify(xmlDoc *doc, int64_t now, X509 *cert[static RIM_CERTS], struct err *e) {
    xmlNode *signature = signature_of(doc, e);
    const xmlNode *data = NULL;

    if (!signature || form_check(signature, &data, e) || certificates_read(data, cert, e) ||
        certificates_check(cert, now, e))
        return -1;
    return signed_by(signature, cert[0])
               ? 0
               : BAD("the signature does not stand: the document is forged or was changed");
}
