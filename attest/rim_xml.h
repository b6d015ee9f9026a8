/* The XML of reference values: parsed without network, entities, XInclude or DTD, its elements and
 * attributes found by namespace and name, its signature verified. Inside gpu_rim only. */
#ifndef CDVM_RIM_XML_H
#define CDVM_RIM_XML_H

#include <libxml/tree.h>
#include <openssl/x509.h>
#include "core/bytes.h"

#define RIM_WORD                                                                                   \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"                                         \
    "0123456789.-_"

/* Owned: xmlFreeDoc. NULL: "bad-rim". */
xmlDoc *rim_parse(struct view xml, struct err *e);

bool rim_is(const xmlNode *n, const char *ns, const char *name);
/* The first child element, the next sibling, of that name; NULL: none. */
const xmlNode *rim_child(const xmlNode *n, const char *ns, const char *name);
const xmlNode *rim_next(const xmlNode *n, const char *ns, const char *name);
/* NULL: no such attribute. ns NULL: one without a namespace. Borrowed. */
const char *rim_attribute(const xmlNode *n, const char *ns, const char *name);

/* The one signature of the document, by four certificates (leaf first; what stands in cert is the
 * caller's, on error too) up to NVIDIA's pinned root. */
int rim_verify(xmlDoc *doc, int64_t now, X509 *cert[static 4], struct err *e) WARN_UNUSED;

#endif
