/* Text on the real curses: what reaches the terminal is text and sequences of terminfo's entry,
 * whether or not the sanitiser saw it before. */
#include "tui/draw.h"

#include <locale.h>
#include <sys/mman.h>

#include "tests/fuzz/fuzz.h"

#define fail_msg(...) abort()
#include "tests/unit/stream.h"

static FILE *out;

static void start(void) {
    setlocale(LC_CTYPE, "C.UTF-8");
    setenv("LINES", "24", 1);
    setenv("COLUMNS", "80", 1);
    out = fdopen(memfd_create("tty", 0), "w+");
    MUST(out && newterm("xterm-256color", out, stdin));
    stream_learn();
    refresh();
}

static void check(void) {
    static uint8_t bytes[1 << 20];
    int fd = fileno(out);
    ssize_t n = pread(fd, bytes, sizeof bytes, 0);

    MUST(n >= 0 && (size_t)n < sizeof bytes);
    stream_must_be_clean(view_of(bytes, (size_t)n));
    MUST(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cleanup_buf struct buf line = {0}, prose = {0};
    struct safe_text raw = {(const char *)data, size};
    struct safe_text one = text_safe(view_of(data, size), TEXT_LINE, 300, &line);
    struct safe_text many = text_safe(view_of(data, size), TEXT_PROSE, 300, &prose);

    if (!out)
        start();
    draw_start(size & 1, THEME_256);
    draw_clear();
    draw_text(0, 0, 80, ROLE_TEXT, raw);
    draw_text(1, 3, 20, ROLE_BAD, one);
    draw_fmt(2, 0, 80, ROLE_OK, "%.*s", (int)size, (const char *)data);
    draw_right(3, 80, 40, ROLE_DIM, "%s", one.s);
    draw_wrap(4, 0, 17, 12, ROLE_WARN, many);
    draw_box((struct rect){17, 5, 3, 60}, one);
    draw_look(18, 0, 80, ROLE_CURSOR);
    draw_redraw();
    draw_show(0, 0);
    check();
    return 0;
}
