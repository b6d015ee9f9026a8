/* The sanitiser: valid UTF-8 out, nothing that a terminal acts on, and a second pass changes
 * nothing. */
#include "core/text.h"
#include "tests/fuzz/fuzz.h"

#define MAX 64

static void check(struct safe_text t, enum text_mode mode) {
    struct view v = view_of(t.s, t.n);
    size_t n, count = 0;
    uint32_t cp;

    MUST(utf8_valid(v) && strlen(t.s) == t.n);
    while ((n = utf8_next(v, &cp))) {
        MUST(cp_width(cp) >= 0 || (mode == TEXT_PROSE && cp == '\n'));
        v = view_of(v.p + n, v.n - n);
        count++;
    }
    MUST(count <= MAX);
}

static void check_file_name(struct view v) {
    cleanup_free char *name = file_name_safe(v);
    size_t n = strlen(name);

    MUST(n > 0 && n <= 200 && name[0] != '.' && name[0] != '-');
    MUST(!strchr(name, '/') && utf8_valid(view_str(name)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    for (int mode = TEXT_LINE; mode <= TEXT_PROSE; mode++) {
        cleanup_buf struct buf once = {0}, twice = {0};
        struct safe_text a = text_safe(view_of(data, size), (enum text_mode)mode, MAX, &once), b;

        check(a, (enum text_mode)mode);
        b = text_safe(view_of(a.s, a.n), (enum text_mode)mode, MAX, &twice);
        MUST(a.n == b.n && memcmp(a.s, b.s, a.n) == 0);
        MUST(text_width(view_of(a.s, a.n)) >= 0);
    }
    check_file_name(view_of(data, size));
    return 0;
}
