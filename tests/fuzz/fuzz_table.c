/* A guest's table, as JSON: whatever it says, there is a table of it; every cell is one clean line,
 * sorting loses and doubles nothing, and the text of it has a line for each row. */
#include <string.h>

#include "core/text.h"
#include "tests/fuzz/fuzz.h"
#include "tui/links.h"
#include "tui/table.h"

static void check_cell(const char *s) {
    struct view v = view_str(s);

    MUST(utf8_valid(v));
    for (size_t i = 0; i < v.n; i++)
        MUST(v.p[i] >= 0x20 && v.p[i] != 0x7f);
}

static size_t length_of_all(const struct table *t) {
    size_t n = 0;

    for (size_t r = 0; r < table_rows(t); r++)
        for (size_t c = 0; c < table_columns(t); c++) {
            check_cell(table_at(t, r, c));
            n += strlen(table_at(t, r, c)) * (c + 1);
        }
    return n;
}

static void check_text(const struct table *t) {
    cleanup_buf struct buf text = {0};
    size_t lines = 0;

    table_text(t, true, &text);
    for (size_t i = 0; i < text.n; i++)
        lines += text.p[i] == '\n';
    MUST(table_rows(t) == 0 || lines == table_rows(t) + 1);
}

/* Text for the chat: a host that is not ASCII leaves as ASCII, and nothing is lost but that. */
static void check_links(const uint8_t *data, size_t size) {
    cleanup_buf struct buf out = {0}, again = {0};

    MUST(links_settled(view_of(data, size)) <= size);
    links_plain(view_of(data, size), &out);
    links_plain(buf_view(&out), &again);
    MUST(view_eq(buf_view(&out), buf_view(&again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct err e;
    cJSON *o = json_parse_fractions(view_of(data, size), 1 << 16, &e);
    struct table *t;
    uint64_t total;
    uint8_t xid[16];
    size_t all;

    check_links(data, size);
    if (!o)
        return 0;
    t = table_read(o, &total, xid);
    MUST(total >= table_rows(t));
    all = length_of_all(t);
    check_text(t);
    for (size_t c = 0; c < table_columns(t); c++) {
        MUST(table_width(t, c) >= 1 && table_width(t, c) <= TABLE_CELL_MAX);
        check_cell(table_title(t, c));
        table_sort(t, c, c % 2 ? ORDER_DOWN : ORDER_UP);
        MUST(length_of_all(t) == all);
    }
    table_free(t);
    cJSON_Delete(o);
    return 0;
}
