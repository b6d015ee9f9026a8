#include "gpu_fwid.h"

#include <string.h>

#include "core/reader.h"

enum {
    DER_INTEGER = 0x02,
    DER_OCTETS = 0x04,
    DER_OID = 0x06,
    DER_SEQUENCE = 0x30,
    CONTEXT_FIRST = 0x80, /* [0] of a DiceTcbInfo; a SEQUENCE in it has bit 0x20 too */
    CONTEXT_FWIDS = 0xa6,
    CONTEXT_LAST = 0x89,
};
#define CONSTRUCTED 0x20u

/* Length in its shortest form; nothing here is longer than 65,535 bytes. */
static size_t der_length(struct reader *r) {
    size_t n = reader_u8(r), least = 0;

    if (n < 0x80)
        return n;
    if (n == 0x81) {
        n = reader_u8(r);
        least = 0x80;
    } else if (n == 0x82) {
        n = reader_u16be(r);
        least = 0x100;
    } else
        r->failed = true;
    if (n < least)
        r->failed = true;
    return n;
}

static struct view der_any(struct reader *r, uint8_t *tag) {
    *tag = reader_u8(r);
    return reader_take(r, der_length(r));
}

/* The content of the next value, which must be of this kind. */
static struct view der_take(struct reader *r, uint8_t want) {
    uint8_t tag;
    struct view v = der_any(r, &tag);

    if (tag != want)
        r->failed = true;
    return r->failed ? (struct view){0} : v;
}

/* FWID ::= SEQUENCE { hashAlg sha384, digest OCTET STRING } */
static bool fwid_take(struct reader *r, uint8_t out[static GPU_FWID]) {
    static const uint8_t sha384_oid[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02};
    struct reader f = reader_new(der_take(r, DER_SEQUENCE));
    const struct view oid = der_take(&f, DER_OID), digest = der_take(&f, DER_OCTETS);

    if (!reader_ok(r) || !reader_done(&f) || !view_eq(oid, view_of(sha384_oid, sizeof sha384_oid)))
        return false;
    if (digest.n != GPU_FWID)
        return false;
    memcpy(out, digest.p, GPU_FWID);
    return true;
}

/* SEQUENCE { version 1, deviceID SubjectPublicKeyInfo, fwid FWID } */
bool gpu_fwid_composite(struct view der, uint8_t out[static GPU_FWID]) {
    struct reader all = reader_new(der), r = reader_new(der_take(&all, DER_SEQUENCE));
    const struct view version = der_take(&r, DER_INTEGER);

    (void)der_take(&r, DER_SEQUENCE);
    return reader_done(&all) && version.n == 1 && version.p[0] == 1 && fwid_take(&r, out) &&
           reader_done(&r);
}

static bool fwids_take(struct view list, uint8_t out[static GPU_FWID]) {
    struct reader r = reader_new(list);
    uint8_t further[GPU_FWID];

    if (!fwid_take(&r, out))
        return false;
    while (r.left)
        if (!fwid_take(&r, further))
            return false;
    return true;
}

/* DiceTcbInfo: members [0] to [9] in order, each at most once; [6] is the list of FWIDs. */
bool gpu_fwid_tcb_info(struct view der, uint8_t out[static GPU_FWID]) {
    struct reader all = reader_new(der), r = reader_new(der_take(&all, DER_SEQUENCE));
    unsigned next = CONTEXT_FIRST;
    bool found = false;

    while (r.left) {
        uint8_t tag;
        const struct view v = der_any(&r, &tag);

        if ((tag & ~CONSTRUCTED) < next || (tag & ~CONSTRUCTED) > CONTEXT_LAST)
            return false;
        next = (tag & ~CONSTRUCTED) + 1;
        if (tag == CONTEXT_FWIDS) {
            found = fwids_take(v, out);
            if (!found)
                return false;
        }
    }
    return found && reader_done(&all) && reader_done(&r);
}

struct form {
    struct view oid;
    bool (*read)(struct view der, uint8_t out[static GPU_FWID]);
};
static const uint8_t oid_composite[] = {0x67, 0x81, 0x05, 0x05, 0x04, 0x01};
static const uint8_t oid_tcb_info[] = {0x67, 0x81, 0x05, 0x05, 0x04, 0x01, 0x01};
static const struct form forms[] = {
    {{oid_composite, sizeof oid_composite}, gpu_fwid_composite},
    {{oid_tcb_info, sizeof oid_tcb_info}, gpu_fwid_tcb_info},
};

static const struct form *form_of(X509_EXTENSION *ext) {
    const ASN1_OBJECT *obj = X509_EXTENSION_get_object(ext);
    const struct view oid = view_of(OBJ_get0_data(obj), OBJ_length(obj));

    for (size_t i = 0; i < COUNT(forms); i++)
        if (view_eq(forms[i].oid, oid))
            return &forms[i];
    return NULL;
}

static int fwid_find(X509 *leaf, uint8_t out[static GPU_FWID], struct err *e) {
    bool found = false;

    for (int i = 0; i < X509_get_ext_count(leaf); i++) {
        X509_EXTENSION *ext = X509_get_ext(leaf, i);
        const struct form *form = form_of(ext);
        const ASN1_OCTET_STRING *os = X509_EXTENSION_get_data(ext);

        if (!form)
            continue;
        if (found)
            return err_set(e, "bad-fwid", "the certificate names its firmware twice");
        found = form->read(view_of(ASN1_STRING_get0_data(os), (size_t)ASN1_STRING_length(os)), out);
        if (!found)
            return err_set(e, "bad-fwid", "what the certificate says of its firmware is malformed");
    }
    return found ? 0 : err_set(e, "no-fwid", "the certificate does not name its firmware");
}

int gpu_fwid_read(X509 *leaf, uint8_t out[static GPU_FWID], struct err *e) {
    if (!fwid_find(leaf, out, e))
        return 0;
    memset(out, 0, GPU_FWID);
    return -1;
}
