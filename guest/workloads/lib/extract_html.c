#include "extract.h"

#include <string.h>
#include <strings.h>
#include <libxml/HTMLparser.h>
#include "decode.h"

/* What an element means for the text. What is not here is inline. */
enum effect { INLINE, LINE, PARAGRAPH, HEADING, VERBATIM, TITLE, DROP, CELL };

static const struct {
    const char *name;
    enum effect effect;
} elements[] = {
    {"address", PARAGRAPH}, {"article", PARAGRAPH},
    {"aside", PARAGRAPH},   {"blockquote", PARAGRAPH},
    {"br", LINE},           {"button", DROP},
    {"caption", PARAGRAPH}, {"dd", PARAGRAPH},
    {"div", PARAGRAPH},     {"dl", PARAGRAPH},
    {"dt", PARAGRAPH},      {"figcaption", PARAGRAPH},
    {"figure", PARAGRAPH},  {"form", PARAGRAPH},
    {"h1", HEADING},        {"h2", HEADING},
    {"h3", HEADING},        {"h4", HEADING},
    {"h5", HEADING},        {"h6", HEADING},
    {"hr", PARAGRAPH},      {"iframe", DROP},
    {"li", PARAGRAPH},      {"main", PARAGRAPH},
    {"nav", DROP},          {"noscript", DROP},
    {"object", DROP},       {"ol", PARAGRAPH},
    {"option", LINE},       {"p", PARAGRAPH},
    {"pre", VERBATIM},      {"script", DROP},
    {"section", PARAGRAPH}, {"select", DROP},
    {"style", DROP},        {"svg", DROP},
    {"table", PARAGRAPH},   {"td", CELL},
    {"template", DROP},     {"textarea", DROP},
    {"th", CELL},           {"title", TITLE},
    {"tr", LINE},           {"ul", PARAGRAPH},
};

static enum effect effect_of(const xmlNode *n) {
    for (size_t i = 0; i < COUNT(elements); i++)
        if (!strcasecmp((const char *)n->name, elements[i].name))
            return elements[i].effect;
    return INLINE;
}

static bool has_word(const char *list, const char *word) {
    size_t n = strlen(word);

    for (const char *at = list; (at = strcasestr(at, word)); at += n)
        if ((at == list || at[-1] == ' ') && (!at[n] || at[n] == ' '))
            return true;
    return false;
}

/* Menus and tables of contents repeat what the pages say, and answer nothing. */
static bool names_navigation(const char *list) {
    static const char *const words[] = {"nav",       "navigation",  "navbar",
                                        "navheader", "navfooter",   "docnav",
                                        "toc",       "breadcrumbs", "menu"};

    for (size_t i = 0; i < COUNT(words); i++)
        if (has_word(list, words[i]))
            return true;
    return false;
}

static bool is_navigation(const xmlNode *n) {
    for (const xmlAttr *a = n->properties; a; a = a->next) {
        const char *name = (const char *)a->name;

        if (a->children && a->children->content &&
            (!strcasecmp(name, "class") || !strcasecmp(name, "id") || !strcasecmp(name, "role")) &&
            names_navigation((const char *)a->children->content))
            return true;
    }
    return false;
}

static bool in_verbatim(const xmlNode *n) {
    for (n = n->parent; n; n = n->parent)
        if (n->type == XML_ELEMENT_NODE && effect_of(n) == VERBATIM)
            return true;
    return false;
}

static void take_title(struct doctext *t, const xmlNode *n) {
    struct doctext one;

    if (t->title.n || !n->children || !n->children->content)
        return;
    doctext_init(&one);
    doctext_add(&one, view_str((const char *)n->children->content));
    if (one.text.n <= t->title.max)
        buf_add(&t->title, one.text.p, one.text.n);
    doctext_free(&one);
}

static void take_text(struct doctext *t, const xmlNode *n) {
    struct view v = view_str((const char *)n->content);

    if (in_verbatim(n))
        doctext_verbatim(t, v);
    else
        doctext_add(t, v);
}

/* False where what is inside is not wanted. */
static bool enter(struct doctext *t, const xmlNode *n) {
    if ((n->type == XML_TEXT_NODE || n->type == XML_CDATA_SECTION_NODE) && n->content)
        take_text(t, n);
    if (n->type != XML_ELEMENT_NODE)
        return n->type == XML_HTML_DOCUMENT_NODE || n->type == XML_DOCUMENT_NODE;
    switch (effect_of(n)) {
    case TITLE:
        take_title(t, n);
        return false;
    case DROP:
        return false;
    case HEADING:
        doctext_open(t, (unsigned)(n->name[1] - '0'));
        break;
    case PARAGRAPH:
    case VERBATIM:
        doctext_break(t, GAP_PARAGRAPH);
        break;
    case LINE:
        doctext_break(t, GAP_LINE);
        break;
    case CELL:
    case INLINE:
        break;
    }
    return !is_navigation(n);
}

static void leave(struct doctext *t, const xmlNode *n) {
    static const enum doctext_gap after[] = {
        [INLINE] = GAP_NONE,       [LINE] = GAP_LINE,  [PARAGRAPH] = GAP_PARAGRAPH,
        [HEADING] = GAP_PARAGRAPH, [TITLE] = GAP_NONE, [VERBATIM] = GAP_PARAGRAPH,
        [DROP] = GAP_NONE,         [CELL] = GAP_LINE,
    };
    enum effect effect;

    if (n->type != XML_ELEMENT_NODE)
        return;
    effect = effect_of(n);
    if (effect == HEADING)
        doctext_close(t);
    doctext_break(t, after[effect]);
}

/* Over the whole tree without recursion. */
static void walk(struct doctext *t, const xmlNode *root) {
    const xmlNode *n = root;

    while (n) {
        if (enter(t, n) && n->children) {
            n = n->children;
            continue;
        }
        leave(t, n);
        while (n != root && !n->next) {
            n = n->parent;
            leave(t, n);
        }
        n = n == root ? NULL : n->next;
    }
}

int extract_html(struct view bytes, struct doctext *out, struct err *e) {
    const int options =
        HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET;
    cleanup_buf struct buf text = {0};
    htmlParserCtxtPtr ctxt;
    const xmlError *last;
    htmlDocPtr doc;

    buf_init(&text, DOCTEXT_MAX);
    if (decode_text(bytes, &text, &out->latin1, e))
        return -1;
    ctxt = htmlNewParserCtxt();
    doc = ctxt && text.n
              ? htmlCtxtReadMemory(ctxt, (const char *)text.p, (int)text.n, NULL, "UTF-8", options)
              : NULL;
    if (doc)
        walk(out, (const xmlNode *)doc);
    last = ctxt ? xmlCtxtGetLastError(ctxt) : NULL;
    out->cut |= text.full || (last && last->level == XML_ERR_FATAL); /* it gave up half-way */
    xmlFreeDoc(doc);
    htmlFreeParserCtxt(ctxt);
    return doc ? 0 : err_set(e, "bad-document", "the page cannot be read");
}
