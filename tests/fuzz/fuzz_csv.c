/* A customer's file: rows have the header's width and lie in bounds; reading it twice gives the
 * same. */
#include "guest/workloads/lib/columns.h"
#include "core/text.h"
#include "tests/fuzz/fuzz.h"

struct sum {
    uint64_t rows, bytes, line;
    int rc;
};

static struct sum pass(struct csv *c, struct column_scan *scan) {
    struct sum s = {0};
    struct csv_row row;
    struct err e = {0};
    size_t width = 0;

    while ((s.rc = csv_next(c, &row, &e)) == 1) {
        width = width ? width : row.n;
        MUST(row.n == width && row.line > s.line);
        s.line = row.line;
        s.rows++;
        for (size_t i = 0; i < row.n; i++) {
            MUST(row.field[i].text.n <= CSV_FIELD_MAX && utf8_valid(row.field[i].text));
            s.bytes += row.field[i].text.n;
            column_scan_add(scan, &row.field[i]);
        }
    }
    MUST(s.rc == 0 || (e.code[0] && utf8_valid(view_str(e.text))));
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct column_scan first = {0}, second = {0};
    struct csv *c = csv_new(view_of(data, size), NULL);
    struct sum a, b;

    if (!c)
        return 0;
    a = pass(c, &first);
    csv_rewind(c);
    b = pass(c, &second);
    MUST(!memcmp(&a, &b, sizeof a) && first.type == second.type && first.whole == second.whole &&
         first.frac == second.frac);
    csv_free(c);
    return 0;
}
