#include "gpu_rim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rim_xml.h"

#define SWID "http://standards.iso.org/iso/19770/-2/2015/schema.xsd"
#define HASHES "http://www.w3.org/2001/04/xmlenc#sha384"
#define BAD(...) err_set(e, "bad-rim", __VA_ARGS__)

/* The one child of this name. */
static const xmlNode *only(const xmlNode *root, const char *name, struct err *e) {
    const xmlNode *n = rim_child(root, SWID, name);

    if (!n || rim_next(n, SWID, name)) {
        BAD("the document has %s %s", n ? "more than one" : "no", name);
        return NULL;
    }
    return n;
}

/* Digits and letters, dots and such: what a product or version is made of. */
static int text_read(const xmlNode *n, const char *name, char out[static RIM_TEXT], struct err *e) {
    const char *s = rim_attribute(n, NULL, name);

    if (!s || !*s || strlen(s) >= RIM_TEXT || strspn(s, RIM_WORD) != strlen(s))
        return BAD("its Meta names no %s", name);
    snprintf(out, RIM_TEXT, "%s", s);
    return 0;
}

static int meta_read(const xmlNode *root, struct gpu_rim *r, struct err *e) {
    const xmlNode *meta = only(root, "Meta", e);

    if (!meta || text_read(meta, "product", r->product, e) ||
        text_read(meta, "colloquialVersion", r->version, e))
        return -1;
    return 0;
}

/* A number without sign, blank or leading zero, below max. */
static bool number(const xmlNode *n, const char *name, unsigned max, unsigned *out) {
    const char *s = rim_attribute(n, NULL, name);

    if (!s || !*s || strlen(s) > 3 || strspn(s, "0123456789") != strlen(s) || (*s == '0' && s[1]))
        return false;
    *out = (unsigned)strtoul(s, NULL, 10);
    return *out < max;
}

static int nibble(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The standard has hexadecimal of either case. */
static bool hash_read(const xmlNode *n, unsigned k, uint8_t out[static GPU_DIGEST]) {
    char name[16];
    const char *s;

    snprintf(name, sizeof name, "Hash%u", k);
    s = rim_attribute(n, HASHES, name);
    if (!s || strlen(s) != 2 * GPU_DIGEST)
        return false;
    for (size_t i = 0; i < GPU_DIGEST; i++) {
        const int high = nibble(s[2 * i]), low = nibble(s[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static int value_read(const xmlNode *n, struct gpu_rim *r, bool *seen, struct err *e) {
    const char *type = rim_attribute(n, NULL, "type"), *active = rim_attribute(n, NULL, "active");
    struct rim_value *v;
    unsigned index, count, size;

    if (!type || strcmp(type, "Measurement") != 0)
        return BAD("a Resource is no Measurement");
    if (!number(n, "index", RIM_INDEXES, &index))
        return BAD("a Resource has no index from 0 to %d", RIM_INDEXES - 1);
    if (seen[index])
        return BAD("index %u stands twice", index);
    if (!active || (strcmp(active, "True") != 0 && strcmp(active, "False") != 0))
        return BAD("index %u is neither active nor not", index);
    if (!number(n, "size", GPU_DIGEST + 1, &size) || size != GPU_DIGEST)
        return BAD("index %u is not of %zu bytes", index, GPU_DIGEST);
    if (!number(n, "alternatives", RIM_ALTERNATIVES + 1, &count) || !count)
        return BAD("index %u has no number of alternatives from 1 to %d", index, RIM_ALTERNATIVES);
    seen[index] = true;
    v = &r->value[index];
    for (unsigned k = 0; k < count; k++)
        if (!hash_read(n, k, v->hash[k]))
            return BAD("index %u: alternative %u is no SHA-384 in hexadecimal", index, k);
    v->n = count;
    v->active = !strcmp(active, "True");
    r->n_active += v->active;
    return 0;
}

static int values_read(const xmlNode *root, struct gpu_rim *r, struct err *e) {
    const xmlNode *payload = only(root, "Payload", e);
    bool seen[RIM_INDEXES] = {false};

    if (!payload)
        return -1;
    for (const xmlNode *n = rim_child(payload, SWID, "Resource"); n;
         n = rim_next(n, SWID, "Resource"))
        if (value_read(n, r, seen, e))
            return -1;
    return r->n_active ? 0 : BAD("its Payload has no active measurement");
}

/* Product and version are read first, so that what is refused can be named. */
static int document_read(xmlDoc *doc, int64_t now, struct gpu_rim *r, struct err *e) {
    const xmlNode *root = xmlDocGetRootElement(doc);

    if (!rim_is(root, SWID, "SoftwareIdentity"))
        return BAD("its root is no SoftwareIdentity");
    if (meta_read(root, r, e) || rim_verify(doc, now, r->cert, e))
        return -1;
    return values_read(root, r, e);
}

static void unprove(struct gpu_rim *r) {
    for (size_t i = 0; i < RIM_CERTS; i++) {
        X509_free(r->cert[i]);
        r->cert[i] = NULL;
    }
    memset(r->value, 0, sizeof r->value);
    r->n_active = 0;
}

struct gpu_rim *gpu_rim_read(struct view xml, int64_t now) {
    struct gpu_rim *r = mem_new(sizeof *r);
    xmlDoc *doc = rim_parse(xml, &r->error);

    r->authentic = doc && !document_read(doc, now, r, &r->error);
    if (!r->authentic)
        unprove(r);
    xmlFreeDoc(doc);
    return r;
}

void gpu_rim_free(struct gpu_rim *r) {
    if (!r)
        return;
    unprove(r);
    free(r);
}

static void upper(char *s) {
    for (; *s; s++)
        if (*s >= 'a' && *s <= 'z')
            *s = (char)(*s - 'a' + 'A');
}

static bool is_switch(const char *chip) {
    return !strcmp(chip, "LS10");
}

/* Hopper's id names no "CC": asked for with a later driver, it gives the values of another chip. */
bool gpu_rim_driver_id(const struct gpu_report *r, const char *chip, char out[static RIM_ID]) {
    *out = 0;
    if (!*chip || !r->driver[0] || is_switch(chip))
        return false;
    snprintf(out, RIM_ID, "NV_GPU_%sDRIVER_%s_%s", !strcmp(chip, "GH100") ? "" : "CC_", chip,
             r->driver);
    return true;
}

/* A switch's report carries no project: these are those of the one board there is. */
#define SWITCH_BOARD "NV_SWITCH_BIOS_5612_0002_890"

bool gpu_rim_vbios_id(const struct gpu_report *r, const char *chip, char out[static RIM_ID]) {
    char version[GPU_TEXT];
    size_t n = 0;

    *out = 0;
    for (const char *s = r->vbios; *s; s++)
        if (*s != '.')
            version[n++] = *s;
    version[n] = 0;
    if (!n || !*chip)
        return false;
    if (is_switch(chip))
        snprintf(out, RIM_ID, SWITCH_BOARD "_%s", version);
    else if (r->project[0] && r->project_sku[0] && r->chip_sku[0])
        snprintf(out, RIM_ID, "NV_GPU_VBIOS_%s_%s_%s_%s", r->project, r->project_sku, r->chip_sku,
                 version);
    upper(out);
    return *out;
}

/* Which of two authentic ones NVIDIA signed with the later certificate. */
static bool newer(const struct gpu_rim *a, const struct gpu_rim *b) {
    return ASN1_TIME_compare(X509_get0_notBefore(a->cert[0]), X509_get0_notBefore(b->cert[0])) > 0;
}

/* "GB20X" is not a product: what the chip calls itself is. */
const struct gpu_rim *gpu_rim_pick(struct gpu_rim *const *rim, size_t n, const char *chip,
                                   const char *version, struct err *reason) {
    const struct gpu_rim *best = NULL;

    *reason = (struct err){0};
    for (size_t i = 0; i < n; i++) {
        if (!*rim[i]->version && !reason->code[0])
            err_set(reason, "unreadable-rim", "%s", rim[i]->error.text);
        if (!*version || strcasecmp(rim[i]->version, version) != 0)
            continue;
        if (!rim[i]->authentic)
            *reason = rim[i]->error;
        else if (strcasecmp(rim[i]->product, chip) != 0)
            err_set(reason, "wrong-product",
                    "the values given for version %s are of a %s, the report is of a %s", version,
                    rim[i]->product, *chip ? chip : "chip that it does not name");
        else if (!best || newer(rim[i], best))
            best = rim[i];
    }
    if (best)
        *reason = (struct err){0};
    return best;
}
