#include "rim_xml.h"

#include <string.h>

#include <libxml/parser.h>

#include "gpu_rim.h"

/* A document type declares entities: the first of it ends the reading. */
static void doctype(void *arg, const xmlChar *name, const xmlChar *public, const xmlChar *system) {
    xmlParserCtxt *ctx = arg;

    (void)name;
    (void)public;
    (void)system;
    *(bool *)ctx->_private = true;
    xmlStopParser(ctx);
}

xmlDoc *rim_parse(struct view xml, struct err *e) {
    bool typed = false;
    xmlParserCtxt *ctx = xml.n && xml.n <= RIM_MAX ? xmlNewParserCtxt() : NULL;
    xmlDoc *doc = NULL;

    if (ctx) {
        ctx->_private = &typed;
        ctx->sax->internalSubset = doctype;
        doc = xmlCtxtReadMemory(ctx, (const char *)xml.p, (int)xml.n, NULL, NULL,
                                XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
        xmlFreeParserCtxt(ctx);
    }
    if (doc && !typed && !doc->intSubset && !doc->extSubset && xmlDocGetRootElement(doc))
        return doc;
    xmlFreeDoc(doc);
    if (typed)
        err_set(e, "bad-rim", "it declares a document type: reference values need none");
    else
        err_set(e, "bad-rim", "%zu bytes are not an XML document of at most %zu KiB", xml.n,
                RIM_MAX >> 10);
    return NULL;
}

static bool same_ns(const xmlNs *have, const char *want) {
    return want ? have && have->href && !strcmp((const char *)have->href, want) : !have;
}

bool rim_is(const xmlNode *n, const char *ns, const char *name) {
    return n && n->type == XML_ELEMENT_NODE && same_ns(n->ns, ns) &&
           !strcmp((const char *)n->name, name);
}

static const xmlNode *from(const xmlNode *n, const char *ns, const char *name) {
    while (n && !rim_is(n, ns, name))
        n = n->next;
    return n;
}

const xmlNode *rim_child(const xmlNode *n, const char *ns, const char *name) {
    return from(n->children, ns, name);
}

const xmlNode *rim_next(const xmlNode *n, const char *ns, const char *name) {
    return from(n->next, ns, name);
}

/* Its value is one text: without entities there is nothing else. */
static const char *value(const xmlAttr *a) {
    if (!a->children)
        return "";
    if (a->children->next || a->children->type != XML_TEXT_NODE)
        return NULL;
    return (const char *)a->children->content;
}

const char *rim_attribute(const xmlNode *n, const char *ns, const char *name) {
    for (const xmlAttr *a = n->properties; a; a = a->next)
        if (same_ns(a->ns, ns) && !strcmp((const char *)a->name, name))
            return value(a);
    return NULL;
}
