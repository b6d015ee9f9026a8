#include "extract.h"

#include <stdlib.h>
#include <string.h>
#include <libxml/parser.h>

/* WordprocessingML (ECMA-376 part 1, 17): w:p paragraphs of w:r runs of w:t text. Names are
 * compared without their prefix, which a producer is free to choose. */
struct docx {
    struct doctext *out;
    xmlParserCtxtPtr ctxt;
    bool in_text;    /* inside w:t */
    unsigned level;  /* of the paragraph, when it is a heading */
    unsigned hidden; /* inside deleted text or a text box's second copy: depth */
    bool refused;    /* a document type declaration, which Word never writes */
};

static const char *attribute(const xmlChar **a, int n, const char *name, size_t *length) {
    for (int i = 0; i < n; i++, a += 5)
        if (!strcmp((const char *)a[0], name)) {
            *length = (size_t)(a[4] - a[3]);
            return (const char *)a[3];
        }
    return NULL;
}

/* "Heading2", and what LibreOffice writes: "Heading 2"; "Title" is the first level. */
static unsigned style_level(const char *v, size_t n) {
    if (n == 5 && !memcmp(v, "Title", 5))
        return 1;
    if (n < 8 || n > 9 || strncasecmp(v, "heading", 7) || v[n - 1] < '1' || v[n - 1] > '9')
        return 0;
    return (unsigned)(v[n - 1] - '0');
}

static void on_style(struct docx *d, const xmlChar **a, int n) {
    size_t length = 0;
    const char *v = attribute(a, n, "val", &length);

    if (v && style_level(v, length))
        d->level = style_level(v, length);
}

static void on_outline(struct docx *d, const xmlChar **a, int n) {
    size_t length = 0;
    const char *v = attribute(a, n, "val", &length);

    if (v && length == 1 && *v >= '0' && *v <= '8')
        d->level = (unsigned)(*v - '0') + 1;
}

static void on_run(struct docx *d, const xmlChar **a, int n) {
    (void)a, (void)n;
    if (d->level)
        doctext_open(d->out, d->level);
    d->level = 0;
}

static void on_text(struct docx *d, const xmlChar **a, int n) {
    (void)a, (void)n;
    d->in_text = true;
}

static void on_tab(struct docx *d, const xmlChar **a, int n) {
    (void)a, (void)n;
    doctext_break(d->out, GAP_SPACE);
}

static void on_line(struct docx *d, const xmlChar **a, int n) {
    (void)a, (void)n;
    doctext_break(d->out, GAP_LINE);
}

static void on_hidden(struct docx *d, const xmlChar **a, int n) {
    (void)a, (void)n;
    d->hidden = 1;
}

static void end_text(struct docx *d) {
    d->in_text = false;
}

static void end_paragraph(struct docx *d) {
    d->level = 0;
    doctext_close(d->out);
    doctext_break(d->out, GAP_PARAGRAPH);
}

static const struct {
    const char *name;
    void (*start)(struct docx *d, const xmlChar **attributes, int n);
    void (*end)(struct docx *d);
} elements[] = {
    {"t", on_text, end_text},
    {"p", NULL, end_paragraph},
    {"r", on_run, NULL},
    {"pStyle", on_style, NULL},
    {"outlineLvl", on_outline, NULL},
    {"tab", on_tab, NULL},
    {"br", on_line, NULL},
    {"cr", on_line, NULL},
    {"del", on_hidden, NULL},
    {"Fallback", on_hidden, NULL},
};

static void on_start(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int n_namespaces, const xmlChar **namespaces, int n, int n_defaulted,
                     const xmlChar **attributes) {
    struct docx *d = arg;

    (void)prefix, (void)uri, (void)n_namespaces, (void)namespaces, (void)n_defaulted;
    if (d->hidden) {
        d->hidden++;
        return;
    }
    for (size_t i = 0; i < COUNT(elements); i++)
        if (elements[i].start && !strcmp((const char *)name, elements[i].name))
            elements[i].start(d, attributes, n);
}

static void on_end(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri) {
    struct docx *d = arg;

    (void)prefix, (void)uri;
    if (d->hidden) {
        d->hidden--;
        return;
    }
    for (size_t i = 0; i < COUNT(elements); i++)
        if (elements[i].end && !strcmp((const char *)name, elements[i].name))
            elements[i].end(d);
}

static void on_characters(void *arg, const xmlChar *text, int n) {
    struct docx *d = arg;

    if (d->in_text && !d->hidden && n > 0)
        doctext_add(d->out, view_of(text, (size_t)n));
}

static void on_doctype(void *arg, const xmlChar *name, const xmlChar *id, const xmlChar *system) {
    struct docx *d = arg;

    (void)name, (void)id, (void)system;
    d->refused = true;
    xmlStopParser(d->ctxt);
}

int extract_docx_xml(struct view bytes, struct doctext *out, struct err *e) {
    xmlSAXHandler sax = {.initialized = XML_SAX2_MAGIC,
                         .startElementNs = on_start,
                         .endElementNs = on_end,
                         .characters = on_characters,
                         .cdataBlock = on_characters,
                         .internalSubset = on_doctype};
    struct docx d = {.out = out};
    int rc;

    d.ctxt = xmlCreatePushParserCtxt(&sax, &d, NULL, 0, NULL);
    if (!d.ctxt)
        return err_set(e, "system", "the XML parser does not start");
    xmlCtxtUseOptions(d.ctxt, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    rc = xmlParseChunk(d.ctxt, (const char *)bytes.p, (int)bytes.n, 1);
    xmlFreeParserCtxt(d.ctxt);
    doctext_close(out);
    if (d.refused || (rc && !out->text.n))
        return err_set(e, "bad-document", "the document inside the file is broken");
    out->cut |= rc != 0; /* what came before the fault is kept */
    return 0;
}
