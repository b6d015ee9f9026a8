#include "guest/workloads/lib/extract.c"
#include "guest/workloads/lib/apart.h"
#include "tests/unit/unit.h"

typedef int extract_fn(struct view bytes, struct doctext *out, struct err *e);

/* The text with a heading as <level:heading>, then the title; an error as "!code: sentence". */
static char *shown(extract_fn *fn, struct view in) {
    cleanup_buf struct buf out = {0};
    struct doctext t;
    struct err e = {0};
    size_t at = 0;

    doctext_init(&t);
    if (fn(in, &t, &e))
        buf_fmt(&out, "!%s: %s", e.code, e.text);
    for (size_t i = 0; i < t.n_headings; i++) {
        const struct doctext_heading *h = &t.heading[i];

        buf_add(&out, t.text.p + at, h->at - at);
        buf_fmt(&out, "<%u:%.*s>", h->level, (int)h->n, (const char *)t.text.p + h->at);
        at = h->at + h->n;
    }
    if (t.text.n)
        buf_add(&out, t.text.p + at, t.text.n - at);
    if (t.title.n)
        buf_fmt(&out, "|%s", (const char *)t.title.p);
    if (t.latin1)
        buf_str(&out, "|latin1");
    if (t.cut)
        buf_str(&out, "|cut");
    doctext_free(&t);
    buf_str(&out, "");
    return buf_take(&out);
}

static void check_bytes(extract_fn *fn, const char *in, size_t n, const char *want) {
    cleanup_free char *got = shown(fn, view_of(in, n));

    assert_string_equal(got, want);
}

static void check(extract_fn *fn, const char *in, const char *want) {
    check_bytes(fn, in, strlen(in), want);
}

static void text_stays_as_it_is(void **state) {
    (void)state;
    check(extract_text, "One  two\r\n\tthree\n", "One  two\r\n\tthree\n");
    check(extract_text, "\xef\xbb\xbfnaïve", "naïve");
}

static void other_encodings_become_utf8(void **state) {
    (void)state;
    check(extract_text, "caf\xe9 cr\xe8me", "café crème|latin1");
    check(extract_text, "naïve café \xe9 rôle", "naïve café \xef\xbf\xbd rôle");
    check_bytes(extract_text, "\xff\xfeZ\0\xfc\0", 6, "Zü");
    check_bytes(extract_text, "\xfe\xff\0Z\x20\xac", 6, "Z€");
    check_bytes(extract_text, "\xff\xfe\x3d\xd8\x00\xde", 6, "😀");
    check_bytes(extract_text, "\xff\xfe\x3d\xd8x\0", 6, "\xef\xbf\xbdx"); /* half of a pair */
    check_bytes(extract_text, "\xff\xfex", 3, "");
}

static void binary_is_refused(void **state) {
    (void)state;
    check_bytes(extract_text,
                "\x7f"
                "ELF\0\1\2",
                7, "!unsupported: the file is not text but binary data");
    check(extract_text, "\1\2\3\4\5\6", "!unsupported: the file is not text but binary data");
}

static void markdown_headings(void **state) {
    (void)state;
    check(extract_markdown, "# One #\ntext\n ### Two\n#no\n####### no\n# \n",
          "# <1:One> #\ntext\n ### <3:Two>\n#no\n####### no\n# \n");
    check(extract_markdown, "```\n# a comment\n```\n# A\n", "```\n# a comment\n```\n# <1:A>\n");
}

static void csv_rows_name_their_columns(void **state) {
    (void)state;
    check(extract_csv, "name,age\nAnn,41\n\"Bo, jr\",\n", "name: Ann; age: 41\nname: Bo, jr");
    check(extract_csv, "a;b\n1;2\n", "a: 1; b: 2");
    check(extract_csv, "a,b\n1,2,3\n", "a,b\n1,2,3\n"); /* no table: as it is */
}

static void html_is_laid_out(void **state) {
    (void)state;
    check(extract_html,
          "<html><head><title> The\n title</title><style>p{}</style></head><body>"
          "<h1>One <b>two</b></h1><p>Some&nbsp;text,<br>more &amp; more</p>"
          "<ul><li>a<li>b</ul><script>x()</script><pre>if\n  y</pre></body></html>",
          "<1:One two>\n\nSome text,\nmore & more\n\na\n\nb\n\nif\n  y|The title");
    check(extract_html, "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>",
          "a\nb\nc");
    check(extract_html, "no markup at all", "no markup at all");
}

static void html_navigation_goes(void **state) {
    (void)state;
    check(extract_html,
          "<nav>menu</nav><div class='toc x'>list</div><ul id='navbar'><li>a</ul><p>text", "text");
    check(extract_html, "<p class='stock navy'>text</p>", "text");
}

static void html_character_sets(void **state) {
    (void)state;
    check(extract_html, "<p>caf\xe9</p>", "café|latin1");
    check(extract_html, "<meta charset='iso-8859-1'><p>café</p>", "café"); /* the bytes decide */
}

static void html_of_any_depth(void **state) {
    cleanup_buf struct buf in = {0};
    cleanup_free char *got = NULL;

    (void)state;
    buf_str(&in, "<p>first</p>");
    for (int i = 0; i < 100000; i++)
        buf_str(&in, "<div><b>");
    buf_str(&in, "deep");
    got = shown(extract_html, buf_view(&in));
    assert_memory_equal(got, "first", 5);
}

#define DOCX(body) "<w:document xmlns:w='x'><w:body>" body "</w:body></w:document>"

static void docx_paragraphs(void **state) {
    (void)state;
    check(extract_docx_xml,
          DOCX("<w:p><w:pPr><w:pStyle w:val='Heading2'/></w:pPr><w:r><w:t>Head</w:t></w:r></w:p>"
               "<w:p><w:r><w:t>Hel</w:t></w:r><w:r><w:t>lo &amp; co</w:t><w:tab/><w:t>x</w:t>"
               "</w:r></w:p><w:p><w:del><w:r><w:t>gone</w:t></w:r></w:del>"
               "<w:r><w:t>two</w:t><w:br/><w:t>lines</w:t></w:r></w:p>"),
          "<2:Head>\n\nHello & co x\n\ntwo\nlines");
    check(extract_docx_xml,
          DOCX("<w:p><w:pPr><w:outlineLvl w:val='0'/></w:pPr><w:r><w:t>A</w:t></w:r>"
               "<w:r><w:t> b</w:t></w:r></w:p><w:p><w:r><w:t>c</w:t></w:r></w:p>"),
          "<1:A b>\n\nc");
}

static void docx_that_is_broken(void **state) {
    (void)state;
    check(extract_docx_xml, "", "!bad-document: the document inside the file is broken");
    check(extract_docx_xml, "<a", "!bad-document: the document inside the file is broken");
    check(extract_docx_xml, "<w:document xmlns:w='x'><w:p><w:r><w:t>kept</w:t></w:r></w:p><oops",
          "kept|cut");
    check(extract_docx_xml,
          "<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]><x><t>&b;</t></x>",
          "!bad-document: the document inside the file is broken");
}

static void formats_by_name_and_content(void **state) {
    static const struct {
        const char *name, *head, *want;
    } rows[] = {
        {"a.txt", "hello", "text"},
        {"README.MD", "# x", "markdown"},
        {"a.htm", "<html>", "html"},
        {"a.csv", "a,b", "csv"},
        {"a.pdf", "%PDF-1.7", "pdf"},
        {"a.txt", "%PDF-1.7", "pdf"},
        {"a.docx", "PK\3\4....", "docx"},
        {"a.txt", "PK\3\4....", NULL},
        {"a.docx", "hello", NULL},
        {"a.pdf", "hello", NULL},
        {"a.xlsx", "PK\3\4....", NULL},
        {"noname", "text", NULL},
        {"a.", "text", NULL},
        {"a.txt csv", "text", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct err e = {0};
        const char *got = extract_format(rows[i].name, view_str(rows[i].head), &e);

        assert_true(rows[i].want ? got && !strcmp(got, rows[i].want) : !got);
        assert_string_equal(e.code, rows[i].want ? "" : "unsupported");
    }
}

/* --- in a process of its own --- */

static char *file_of(const void *p, size_t n) {
    char *path = mem_str("/tmp/cdvm-test-XXXXXX");
    cleanup_fd int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, view_of(p, n), NULL), 0);
    return path;
}

static int apart(const char *format, const void *p, size_t n, struct doctext *t, struct err *e) {
    cleanup_free char *path = file_of(p, n);
    int rc = apart_extract(format, path, NULL, t, e);

    unlink(path);
    return rc;
}

static void apart_gives_the_same(void **state) {
    static const char html[] = "<title>T</title><h1>A</h1><p>b caf\xe9</p><h2>C</h2>";
    struct doctext t;
    struct err e = {0};

    (void)state;
    assert_int_equal(apart("html", html, sizeof html - 1, &t, &e), 0);
    assert_string_equal((char *)t.text.p, "A\n\nb café\n\nC");
    assert_string_equal((char *)t.title.p, "T");
    assert_int_equal(t.n_headings, 2);
    assert_true(t.latin1);
    doctext_free(&t);
}

static void apart_passes_refusals_on(void **state) {
    struct doctext t;
    struct err e = {0};

    (void)state;
    assert_int_equal(apart("text", "a\0b", 3, &t, &e), -1);
    assert_string_equal(e.code, "unsupported");
    assert_int_equal(apart("text", "", 0, &t, &e), -1);
    assert_string_equal(e.code, "bad-document");
    assert_int_equal(apart("text", " \n", 2, &t, &e), -1);
    assert_string_equal(e.code, "bad-document");
    assert_int_equal(apart("docx", "PK\3\4rubbish", 11, &t, &e), -1);
    assert_string_equal(e.code, "bad-document");
}

static bool stop_at_once(void *arg) {
    (void)arg;
    return true;
}

static void apart_can_be_stopped(void **state) {
    const struct docs_watch stopped = {.stop = stop_at_once}, late = {.deadline = 1};
    cleanup_free char *path = file_of("text", 4);
    struct doctext t;
    struct err e = {0};

    (void)state;
    assert_int_equal(apart_extract("text", path, &stopped, &t, &e), -1);
    assert_string_equal(e.code, "cancelled");
    assert_int_equal(apart_extract("text", path, &late, &t, &e), -1);
    assert_string_equal(e.code, "timeout");
    unlink(path);
}

/* What a parser that was taken over could send. */
static void lies_between_processes_are_refused(void **state) {
    struct doctext good, t;
    cleanup_buf struct buf whole = {0};
    struct err e;

    (void)state;
    doctext_init(&good);
    doctext_open(&good, 1);
    doctext_add(&good, view_str("é"));
    doctext_close(&good);
    doctext_add(&good, view_str("text"));
    doctext_write(&good, &whole);
    for (size_t i = 0; i < whole.n; i++) {
        doctext_init(&t);
        assert_int_equal(doctext_read(view_of(whole.p, i), &t, &e), -1);
        assert_string_equal(e.code, "bad-document");
        doctext_free(&t);
    }
    for (size_t i = 0; i < 8 * whole.n; i++) {
        whole.p[i / 8] ^= (uint8_t)(1u << i % 8);
        doctext_init(&t);
        if (!doctext_read(buf_view(&whole), &t, &e))
            for (size_t k = 0; k < t.n_headings; k++)
                assert_true(utf8_valid(view_of(t.text.p + t.heading[k].at, t.heading[k].n)));
        doctext_free(&t);
        whole.p[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    doctext_free(&good);
}

static void tools_are_bounded(void **state) {
    const char *const yes[] = {"/usr/bin/yes", NULL}, *const none[] = {"/nonexistent", NULL},
                      *const no[] = {"/bin/false", NULL};
    cleanup_buf struct buf out = {0};
    struct err e = {0};
    int status = 0;

    (void)state;
    buf_init(&out, 100000);
    assert_int_equal(tool_output(yes, &out, &status, &e), 0);
    assert_true(out.full && out.n == 100000);
    buf_free(&out);
    assert_int_equal(tool_output(none, &out, &status, &e), -1);
    assert_string_equal(e.code, "system");
    buf_free(&out);
    assert_int_equal(tool_output(no, &out, &status, &e), 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

/* The agent's line and everything else that is open here stays out of their reach. */
static void tools_hold_nothing_of_ours(void **state) {
    const char *const ls[] = {"/bin/ls", "/proc/self/fd", NULL};
    cleanup_buf struct buf out = {0};
    struct err e = {0};
    int open_here = dup(STDOUT_FILENO), status;

    (void)state;
    assert_int_equal(tool_output(ls, &out, &status, &e), 0);
    assert_string_equal((char *)out.p, "0\n1\n2\n3\n"); /* 3 is the folder */
    close(open_here);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_stays_as_it_is),
        cmocka_unit_test(other_encodings_become_utf8),
        cmocka_unit_test(binary_is_refused),
        cmocka_unit_test(markdown_headings),
        cmocka_unit_test(csv_rows_name_their_columns),
        cmocka_unit_test(html_is_laid_out),
        cmocka_unit_test(html_navigation_goes),
        cmocka_unit_test(html_character_sets),
        cmocka_unit_test(html_of_any_depth),
        cmocka_unit_test(docx_paragraphs),
        cmocka_unit_test(docx_that_is_broken),
        cmocka_unit_test(formats_by_name_and_content),
        cmocka_unit_test(apart_gives_the_same),
        cmocka_unit_test(apart_passes_refusals_on),
        cmocka_unit_test(apart_can_be_stopped),
        cmocka_unit_test(lies_between_processes_are_refused),
        cmocka_unit_test(tools_are_bounded),
        cmocka_unit_test(tools_hold_nothing_of_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
