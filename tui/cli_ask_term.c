/* What `cdvm ask` does where its standard error is a terminal: progress in one line that is written
 * over, and the states of the tree in colour (not with NO_COLOR, not where TERM is dumb). */
#include "cli_ask_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS_DEFAULT 80

void ask_term_init(struct ask_out *o) {
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

    o->live = isatty(STDERR_FILENO) && term && *term && strcmp(term, "dumb") != 0;
    o->colour = o->live && !(no_color && *no_color);
    o->one_terminal = isatty(STDOUT_FILENO) && isatty(STDERR_FILENO);
}

static size_t columns(void) {
    struct winsize w;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 20 ? w.ws_col : COLUMNS_DEFAULT;
}

/* A wide character takes two columns: a line that wraps could not be taken back. */
static void cut(char *s, size_t width) {
    size_t n = strlen(s);

    while (n && (size_t)text_width(view_of(s, n)) > width)
        for (n--; n && ((unsigned char)s[n] & 0xc0) == 0x80; n--) {
        }
    s[n] = 0;
}

void ask_live(struct ask_out *o, const char *words) {
    cleanup_free char *text = ask_safe(view_str(words), TEXT_LINE);
    const char *mark = o->simulated ? "SIMULATED  " : "";
    double t = (double)(loop_now() - o->began) / 1000.0;
    char head[48];

    snprintf(head, sizeof head, "%7.1f s  %s", t, mark);
    cut(text, columns() - strlen(head) - 1);
    fprintf(stderr, "\r%s%s\033[K", head, text);
    fflush(stderr);
    o->live_shown = true;
}

void ask_live_clear(struct ask_out *o) {
    if (o->live_shown)
        fputs("\r\033[K", stderr);
    o->live_shown = false;
}

static const struct {
    const char *word, *sgr;
} states[] = {
    {"[PASS]", "32"},         {"[WARN]", "33"},         {"[FAIL]", "31;1"},
    {"[NOT CHECKED]", "2"},   {"VERDICT PASS", "32;1"}, {"VERDICT WARN", "33;1"},
    {"VERDICT FAIL", "31;1"},
};

/* The first state of the line; what stands behind it may quote anything. */
static void coloured_line(const char *line, size_t n, struct buf *out) {
    for (size_t i = 0; i < COUNT(states); i++) {
        const char *at = memmem(line, n, states[i].word, strlen(states[i].word));
        size_t before = at ? (size_t)(at - line) : 0, len = strlen(states[i].word);

        if (!at || strspn(line, " SIMULATED") < before)
            continue;
        buf_add(out, line, before);
        buf_fmt(out, "\033[%sm%s\033[0m", states[i].sgr, states[i].word);
        buf_add(out, at + len, n - before - len);
        return;
    }
    buf_add(out, line, n);
}

void ask_tree(struct ask_out *o, struct view tree) {
    cleanup_buf struct buf out = {0};

    ask_live_clear(o);
    while (tree.n) {
        const uint8_t *end = memchr(tree.p, '\n', tree.n);
        size_t n = end ? (size_t)(end - tree.p) + 1 : tree.n;

        if (o->colour)
            coloured_line((const char *)tree.p, n, &out);
        else
            buf_add(&out, tree.p, n);
        tree = view_of(tree.p + n, tree.n - n);
    }
    fwrite(out.p, 1, out.n, stderr);
}
