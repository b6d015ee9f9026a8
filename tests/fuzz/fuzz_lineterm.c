/* A terminal's bytes in lines: every line that comes out is text; and whatever is pasted, no line
 * is entered before the paste has ended and a key was pressed on its own. */
#include "tui/lineterm.c"

#include <fcntl.h>

#include "tests/fuzz/fuzz.h"

static size_t lines;

static void on_line(void *arg, struct view text, bool pasted) {
    (void)arg;
    (void)pasted;
    lines++;
    MUST(utf8_valid(text));
    for (size_t i = 0; i < text.n; i++)
        MUST(text.p[i] == '\n' || (text.p[i] >= 0x20 && text.p[i] != 0x7f));
}

static bool ready(void *arg, struct view text) {
    (void)arg;
    (void)text;
    return true;
}

static void other_key(void *arg, uint32_t key) {
    (void)arg;
    (void)key;
}

static void other_paste(void *arg, struct view text, bool cut) {
    (void)arg;
    (void)cut;
    MUST(utf8_valid(text));
}

static void nothing(void *arg) {
    (void)arg;
}

static void complete(void *arg, struct edit *line) {
    (void)arg;
    edit_insert(line, 'x');
}

static const struct lineterm_handler H = {on_line,  ready,   other_key, other_paste,
                                          complete, nothing, nothing};

static void feed(struct lineterm *t, const void *p, size_t n) {
    buf_add(&t->bytes, p, n);
    on_bytes(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char END[] = "\033[201~";
    struct lineterm t = {.h = &H, .tty = true, .marks = true};
    size_t cut = size > 0 ? data[0] % size : 0;

    if (fcntl(STDOUT_FILENO, F_GETFD) < 0 || isatty(STDOUT_FILENO))
        dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
    t.line = edit_new(LINE_MAX_CHARS, true);
    t.input = input_new(true, &INPUT, &t);
    t.ascii = size & 1;
    t.hidden = size % 7 == 0;
    feed(&t, data, cut);
    t.seq = SEQ_NONE;
    buf_reset(&t.bytes);
    lines = 0;
    feed(&t, "\033[200~", 6);
    feed(&t, data + cut, size - cut);
    if (!memmem(data + cut, size - cut, END, strlen(END)))
        MUST(lines == 0);
    feed(&t, "\033[201~\r", 7); /* an Enter that came with it */
    input_free(t.input);
    edit_free(t.line);
    buf_free(&t.bytes);
    return 0;
}
