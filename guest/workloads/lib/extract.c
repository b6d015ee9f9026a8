#include "extract.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "core/text.h"
#include "csv.h"
#include "decode.h"
#include "tool.h"

#define PDFTOTEXT "/usr/bin/pdftotext"
#define UNZIP "/usr/bin/unzip"
#define CSV_COLUMNS_NAMED 40 /* wider tables are read as plain text */

/* --- plain text and markdown: as they are --- */

static int decode_into(struct view bytes, struct doctext *out, struct err *e) {
    int rc = decode_text(bytes, &out->text, &out->latin1, e);

    out->cut = out->text.full;
    return rc;
}

int extract_text(struct view bytes, struct doctext *out, struct err *e) {
    return decode_into(bytes, out, e);
}

static struct view line_at(const struct buf *text, size_t at) {
    const uint8_t *end = memchr(text->p + at, '\n', text->n - at);

    return view_of(text->p + at, end ? (size_t)(end - text->p) - at : text->n - at);
}

/* "## Heading" (CommonMark 4.2): up to three spaces, one to six marks, a space. */
static void mark_atx(struct doctext *t, size_t at, struct view line) {
    size_t i = 0, marks, end = line.n;

    while (i < line.n && i < 3 && line.p[i] == ' ')
        i++;
    for (marks = 0; i < line.n && line.p[i] == '#'; i++)
        marks++;
    if (!marks || marks > 6 || i == line.n || (line.p[i] != ' ' && line.p[i] != '\t'))
        return;
    while (i < end && strchr(" \t", line.p[i]))
        i++;
    while (end > i && strchr(" \t\r#", line.p[end - 1]))
        end--;
    doctext_mark(t, at + i, end - i, (unsigned)marks);
}

static bool is_fence(struct view line) {
    return line.n >= 3 && (!memcmp(line.p, "```", 3) || !memcmp(line.p, "~~~", 3));
}

int extract_markdown(struct view bytes, struct doctext *out, struct err *e) {
    bool code = false;

    if (decode_into(bytes, out, e))
        return -1;
    for (size_t at = 0; at < out->text.n;) {
        struct view line = line_at(&out->text, at);

        code ^= is_fence(line);
        if (!code)
            mark_atx(out, at, line);
        at += line.n + 1;
    }
    return 0;
}

/* --- csv: a row is a line in which each value stands with its column's name --- */

struct columns {
    char *name[CSV_COLUMNS_NAMED];
    size_t n;
};

static void columns_take(struct columns *c, const struct csv_row *row) {
    for (c->n = 0; c->n < row->n; c->n++)
        c->name[c->n] = text_safe_new(row->field[c->n].text, TEXT_LINE, 60);
}

static void columns_free(struct columns *c) {
    while (c->n)
        cleanup_free_fn(&c->name[--c->n]);
}

static void add_row(struct doctext *t, const struct columns *c, const struct csv_row *row) {
    bool first = true;

    for (size_t i = 0; i < row->n; i++) {
        if (!row->field[i].text.n)
            continue;
        if (!first)
            doctext_verbatim(t, view_str("; "));
        first = false;
        doctext_add(t, view_str(c->name[i]));
        doctext_verbatim(t, view_str(": "));
        doctext_add(t, row->field[i].text);
    }
    doctext_break(t, GAP_LINE);
}

/* False where the text is no table after all. */
static bool add_rows(struct doctext *t, struct view text) {
    struct csv *csv = csv_new(text, NULL);
    struct columns c = {.n = 0};
    struct csv_row row;
    int rc = csv ? csv_next(csv, &row, NULL) : -1;

    if (rc == 1 && row.n <= CSV_COLUMNS_NAMED)
        columns_take(&c, &row);
    while (c.n && !t->cut && (rc = csv_next(csv, &row, NULL)) == 1)
        add_row(t, &c, &row);
    rc = c.n && rc >= 0;
    columns_free(&c);
    csv_free(csv);
    return rc;
}

int extract_csv(struct view bytes, struct doctext *out, struct err *e) {
    cleanup_buf struct buf text = {0};

    buf_init(&text, DOCTEXT_MAX);
    if (decode_text(bytes, &text, &out->latin1, e))
        return -1;
    if (!text.full && add_rows(out, buf_view(&text)))
        return 0;
    buf_reset(&out->text);
    out->gap = GAP_NONE;
    return decode_into(bytes, out, e);
}

/* --- files --- */

static int map(const char *path, struct view *v, struct err *e) {
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    void *p;

    if (fd < 0 || fstat(fd, &st))
        return err_sys(e, errno, "cannot open the file");
    if (!st.st_size)
        return err_set(e, "bad-document", "the file is empty");
    if ((uint64_t)st.st_size > EXTRACT_FILE_MAX)
        return err_set(e, "too-large", "the file has %zu MiB, and at most %zu MiB are read",
                       (size_t)st.st_size >> 20, EXTRACT_FILE_MAX >> 20);
    p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return err_sys(e, errno, "cannot read the file");
    *v = view_of(p, (size_t)st.st_size);
    return 0;
}

typedef int parse_fn(struct view bytes, struct doctext *out, struct err *e);

static int parse_file(parse_fn *parse, const char *path, struct doctext *out, struct err *e) {
    struct view v;
    int rc;

    if (map(path, &v, e))
        return -1;
    rc = parse(v, out, e);
    munmap((void *)(uintptr_t)v.p, v.n);
    return rc;
}

static bool succeeded(int status) {
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Pages end in a form feed, which is white space like any other. */
static int file_pdf(const char *path, struct doctext *out, struct err *e) {
    const char *const argv[] = {PDFTOTEXT, "-q", "-enc", "UTF-8", path, "-", NULL};
    cleanup_buf struct buf text = {0};
    int status = 0;

    buf_init(&text, DOCTEXT_MAX);
    if (tool_output(argv, &text, &status, e))
        return -1;
    if (!succeeded(status) && !text.n)
        return err_set(e, "bad-document", "the PDF is broken, or needs a password to open");
    if (extract_text(buf_view(&text), out, e))
        return -1;
    out->cut |= text.full || !succeeded(status);
    return 0;
}

static int file_docx(const char *path, struct doctext *out, struct err *e) {
    const char *const argv[] = {UNZIP, "-p", "-qq", path, "word/document.xml", NULL};
    cleanup_buf struct buf xml = {0};
    int status = 0;

    buf_init(&xml, EXTRACT_FILE_MAX);
    if (tool_output(argv, &xml, &status, e))
        return -1;
    if (!xml.n)
        return err_set(e, "bad-document", "the file is broken, or no Word document (.docx)");
    if (extract_docx_xml(buf_view(&xml), out, e))
        return -1;
    out->cut |= xml.full;
    return 0;
}

/* --- the formats --- */

static const struct format {
    const char *name;
    const char *extensions; /* each between blanks */
    parse_fn *parse;        /* of the bytes; or */
    int (*file)(const char *path, struct doctext *out, struct err *e);
} formats[] = {
    {"text", " txt text log asc ", extract_text, NULL},
    {"markdown", " md markdown mkd ", extract_markdown, NULL},
    {"html", " html htm xhtml ", extract_html, NULL},
    {"csv", " csv tsv ", extract_csv, NULL},
    {"pdf", " pdf ", NULL, file_pdf},
    {"docx", " docx ", NULL, file_docx},
};

static bool has_extension(const struct format *f, const char *name) {
    const char *dot = strrchr(name, '.');
    cleanup_free char *wanted = dot && dot[1] ? mem_fmt(" %s ", dot + 1) : NULL;

    return wanted && !strchr(dot + 1, ' ') && strcasestr(f->extensions, wanted);
}

static const struct format *by_name(const char *name) {
    for (size_t i = 0; i < COUNT(formats); i++)
        if (!strcmp(formats[i].name, name))
            return &formats[i];
    return NULL;
}

static const struct format *by_extension(const char *name) {
    for (size_t i = 0; i < COUNT(formats); i++)
        if (has_extension(&formats[i], name))
            return &formats[i];
    return NULL;
}

static bool starts_with(struct view v, const char *bytes) {
    return v.n >= strlen(bytes) && !memcmp(v.p, bytes, strlen(bytes));
}

const char *extract_format(const char *name, struct view head, struct err *e) {
    const struct format *f = by_extension(name);
    bool zip = starts_with(head, "PK\x03\x04");

    if (starts_with(head, "%PDF-"))
        return "pdf";
    if (f && zip == !strcmp(f->name, "docx") && strcmp(f->name, "pdf"))
        return f->name;
    err_set(e, "unsupported",
            f ? "the file's name says %s, but that is not what is in it"
              : "documents are read as txt, md, html, csv, pdf or docx",
            f ? f->name : "");
    return NULL;
}

static bool blank(const struct buf *text) {
    for (size_t i = 0; i < text->n; i++)
        if (!strchr(" \t\r\n\v\f", text->p[i]))
            return false;
    return true;
}

int extract(const char *format, const char *path, struct doctext *out, struct err *e) {
    const struct format *f = by_name(format);
    int rc = f->parse ? parse_file(f->parse, path, out, e) : f->file(path, out, e);

    if (!rc && blank(&out->text))
        rc = err_set(e, "bad-document",
                     "there is no text in it (a scanned document needs text recognition first)");
    return rc;
}
