/* What NVIDIA would sign, by authorities of our own: reference values in its one form of XML, and
 * answers about certificates. */
#ifndef CDVM_UNIT_NVIDIA_MADE_H
#define CDVM_UNIT_NVIDIA_MADE_H

#include <libxml/c14n.h>
#include <libxml/parser.h>
#include <openssl/ocsp.h>

#include "core/enc.h"
#include "tests/unit/gpu_pki.h"

#define MADE_DSIG "http://www.w3.org/2000/09/xmldsig#"
#define MADE_C14N "http://www.w3.org/2006/12/xml-c14n11"
#define MADE_MORE "http://www.w3.org/2001/04/xmldsig-more#"
#define MADE_ZERO                                                                                  \
    "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"   \
    "000000"

/* Signers of reference values: certificates 1 (who signs) to 4 (the root); 0 is nobody's. */
static inline void signers_init(struct pki *p) {
    static const char *const cn[GPU_CERTS] = {
        "nobody", "HCC RIM L4 Signer", "NVIDIA Reference Value L3 GH100 001",
        "NVIDIA Reference Value GH100 CA", "NVIDIA CoRIM signing Root CA"};

    pki_init(p);
    for (int i = 0; i < GPU_CERTS; i++)
        p->row[i].cn = cn[i];
    p->row[1].ca = false;
    p->row[1].usage = "critical,digitalSignature";
    pki_make(p);
}

static inline int within(void *node, xmlNodePtr at, xmlNodePtr parent) {
    if (at->type == XML_NAMESPACE_DECL || at->type == XML_ATTRIBUTE_NODE)
        at = parent;
    while (at && at != node)
        at = at->parent;
    return at != NULL;
}

/* The canonical form of a document, or of the element of this name in it alone. */
static inline void made_canonical(const struct buf *xml, const char *element, struct buf *out) {
    xmlDoc *doc = xmlReadMemory((char *)xml->p, (int)xml->n, NULL, NULL, XML_PARSE_NONET);
    xmlOutputBuffer *to = xmlAllocOutputBuffer(NULL);
    xmlNode *node = xmlDocGetRootElement(doc);

    assert_non_null(node);
    if (element) {
        node = node->last; /* the signature */
        node = node->children;
        assert_string_equal((char *)node->name, element);
    }
    assert_true(xmlC14NExecute(doc, element ? within : NULL, node, XML_C14N_1_1, NULL, 0, to) >= 0);
    buf_add(out, xmlOutputBufferGetContent(to), xmlOutputBufferGetSize(to));
    xmlOutputBufferClose(to);
    xmlFreeDoc(doc);
}

/* r, then s, of what is in b. */
static inline void made_ecdsa(EVP_PKEY *key, const struct buf *b, uint8_t raw[static 96]) {
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t der[128];
    const uint8_t *p = der;
    size_t n = sizeof der;
    ECDSA_SIG *sig;

    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha384(), NULL, key), 1);
    assert_int_equal(EVP_DigestSign(ctx, der, &n, b->p, b->n), 1);
    sig = d2i_ECDSA_SIG(NULL, &p, (long)n);
    BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 48);
    BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 48, 48);
    ECDSA_SIG_free(sig);
    EVP_MD_CTX_free(ctx);
}

static inline void made_info(const struct buf *body, struct buf *out) {
    cleanup_buf struct buf plain = {0};
    uint8_t sha[48];
    unsigned n = sizeof sha;

    made_canonical(body, NULL, &plain);
    EVP_Digest(plain.p, plain.n, sha, &n, EVP_sha384(), NULL);
    buf_str(out, "<ds:SignedInfo><ds:CanonicalizationMethod Algorithm=\"" MADE_C14N "\"/>"
                 "<ds:SignatureMethod Algorithm=\"" MADE_MORE "ecdsa-sha384\"/>"
                 "<ds:Reference URI=\"\"><ds:Transforms><ds:Transform Algorithm=\"" MADE_DSIG
                 "enveloped-signature\"/><ds:Transform Algorithm=\"" MADE_C14N "\"/>"
                 "</ds:Transforms><ds:DigestMethod Algorithm=\"" MADE_MORE "sha384\"/>"
                 "<ds:DigestValue>");
    base64_encode(view_of(sha, n), out);
    buf_str(out, "</ds:DigestValue></ds:Reference></ds:SignedInfo>");
}

static inline void made_wrap(const struct pki *p, const struct buf *body, const struct buf *info,
                             struct view signature, struct buf *out) {
    static const char end[] = "</SoftwareIdentity>";

    buf_reset(out);
    buf_add(out, body->p, body->n - (sizeof end - 1));
    buf_str(out, "<ds:Signature xmlns:ds=\"" MADE_DSIG "\">");
    buf_add(out, info->p, info->n);
    buf_str(out, "<ds:SignatureValue>");
    base64_encode(signature, out);
    buf_str(out, "</ds:SignatureValue><ds:KeyInfo><ds:X509Data>");
    for (int i = 1; i < GPU_CERTS; i++) {
        buf_str(out, "<ds:X509Certificate>");
        base64_encode(p->cert[i], out);
        buf_str(out, "</ds:X509Certificate>");
    }
    buf_str(out, "</ds:X509Data></ds:KeyInfo></ds:Signature>");
    buf_str(out, end);
}

/* Reference values with one active value of zeros at this index. resources: instead, as XML; NULL:
 * that one. */
static inline void made_rim(const struct pki *p, const char *product, const char *version,
                            unsigned index, const char *resources, struct buf *out) {
    cleanup_buf struct buf body = {0}, info = {0}, plain = {0};
    uint8_t raw[96] = {1};

    buf_fmt(&body,
            "<SoftwareIdentity xmlns=\"http://standards.iso.org/iso/19770/-2/2015/schema.xsd\" "
            "name=\"%s\"><Meta colloquialVersion=\"%s\" product=\"%s\"/><Payload "
            "xmlns:h=\"http://www.w3.org/2001/04/xmlenc#sha384\">",
            product, version, product);
    if (resources)
        buf_str(&body, resources);
    else
        buf_fmt(&body,
                "<Resource type=\"Measurement\" index=\"%u\" active=\"True\" alternatives=\"1\" "
                "h:Hash0=\"" MADE_ZERO "\" size=\"48\"/>",
                index);
    buf_str(&body, "</Payload></SoftwareIdentity>");
    made_info(&body, &info);
    made_wrap(p, &body, &info, view_of(raw, sizeof raw), out);
    made_canonical(out, "SignedInfo", &plain);
    made_ecdsa(p->key[1], &plain, raw);
    made_wrap(p, &body, &info, view_of(raw, sizeof raw), out);
}

static inline X509 *made_x509(const struct pki *p, int i) {
    const uint8_t *at = p->cert[i].p;

    return d2i_X509(NULL, &at, (long)p->cert[i].n);
}

/* An answer of the authority above certificate i about it, good for a day from then. reason: of a
 * revocation. */
static inline void made_answer(const struct pki *p, int i, int status, int reason, int64_t from,
                               struct buf *out) {
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    X509 *x = made_x509(p, i), *issuer = made_x509(p, i + 1);
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha384(), x, issuer);
    ASN1_TIME *a = ASN1_TIME_set(NULL, from), *b = ASN1_TIME_set(NULL, from + 86400);
    OCSP_RESPONSE *r;
    uint8_t *der = NULL;
    int n;

    assert_non_null(OCSP_basic_add1_status(basic, id, status, reason, a, a, b));
    assert_int_equal(
        OCSP_basic_sign(basic, issuer, p->key[i + 1], EVP_sha384(), NULL, OCSP_RESPID_KEY), 1);
    r = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    n = i2d_OCSP_RESPONSE(r, &der);
    buf_reset(out);
    buf_add(out, der, (size_t)n);
    OPENSSL_free(der);
    OCSP_RESPONSE_free(r);
    OCSP_CERTID_free(id);
    OCSP_BASICRESP_free(basic);
    ASN1_TIME_free(a);
    ASN1_TIME_free(b);
    X509_free(x);
    X509_free(issuer);
}

#endif
