#include "tui/lineterm.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tui/input.h"
#include "tui/restore.h"

#define LINE_MAX_CHARS ((size_t)1 << 20)
#define PROMPT_MAX 48
#define PASTE_ON "\033[?2004h"
#define PASTE_OFF "\033[?2004l"

#define NO_NUMBER 1000

/* Where in an escape sequence of a key. */
enum seq { SEQ_NONE, SEQ_ESC, SEQ_CSI };

struct lineterm {
    struct loop *loop;
    const struct lineterm_handler *h;
    void *arg;
    bool tty, ascii; /* keys come one by one; nothing but ASCII goes out */
    bool marks;      /* the terminal marks pastes */
    bool shown;      /* prompt and typed text stand in the last row */
    bool hidden, pasted;
    bool ended, left; /* no more comes; and that was told */
    bool taking;
    bool lent; /* another program has the terminal */
    char prompt[PROMPT_MAX];
    struct loop_fd *in;
    struct input *input;
    struct edit *line;
    struct buf bytes; /* came, not yet a character, or not yet a line */
    enum seq seq;
    unsigned number; /* in a sequence */
};

/* --- out --- */

static void put(const char *p, size_t n) {
    (void)!fd_write_all(STDOUT_FILENO, view_of(p, n), NULL);
}

static void put_str(const char *s) {
    put(s, strlen(s));
}

/* Sanitised text, in the terminal's characters. */
static void put_text(const struct lineterm *t, struct view v) {
    cleanup_buf struct buf out = {0};
    uint32_t cp;
    size_t n;

    for (; (n = utf8_next(v, &cp)); v = view_of(v.p + n, v.n - n))
        if (!t->ascii || cp < 0x7f)
            buf_add(&out, v.p, n);
        else if (cp_width(cp) > 0)
            buf_u8(&out, (uint8_t)cp_ascii(cp));
    put((char *)out.p, out.n);
    if (out.n > 0)
        explicit_bzero(out.p, out.n);
}

static void put_typed(const struct lineterm *t) {
    cleanup_buf struct buf typed = {0};

    edit_text(t->line, &typed);
    put_text(t, buf_view(&typed));
    if (typed.n > 0)
        explicit_bzero(typed.p, typed.n);
}

void lineterm_show(struct lineterm *t) {
    if (!t->tty || t->shown || t->lent)
        return;
    t->shown = true;
    put_str(t->prompt);
    put_typed(t);
}

/* A row of its own for what comes. A prompt with nothing behind it leaves no trace. */
static void fresh_row(struct lineterm *t) {
    if (!t->shown)
        return;
    t->shown = false;
    if (edit_len(t->line) > 0) {
        put_str("\n");
        return;
    }
    put_str("\r");
    for (size_t i = 0; i < strlen(t->prompt); i++)
        put_str(" ");
    put_str("\r");
}

void lineterm_say(struct lineterm *t, struct safe_text line) {
    fresh_row(t);
    put_text(t, view_of(line.s, line.n));
    put_str("\n");
}

void lineterm_prompt(struct lineterm *t, const char *prompt, bool hidden) {
    if (!strcmp(prompt, t->prompt) && hidden == t->hidden)
        return;
    fresh_row(t);
    snprintf(t->prompt, sizeof t->prompt, "%s", prompt);
    t->hidden = hidden;
}

void lineterm_bell(struct lineterm *t) {
    if (t->tty)
        put_str("\a");
}

/* --- the line that is typed --- */

static int columns(void) {
    struct winsize ws;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0 ? ws.ws_col : 80;
}

/* Cells that prompt and text have in their last row. */
static int column(const struct lineterm *t) {
    int at = (int)strlen(t->prompt);

    for (size_t i = 0; i < edit_len(t->line); i++) {
        uint32_t cp = edit_at(t->line, i);

        at = cp == '\n' ? 0 : at + (cp_width(cp) > 0 ? cp_width(cp) : 0);
    }
    return at;
}

static void again(struct lineterm *t) {
    if (t->shown)
        put_str("\n");
    t->shown = false;
    lineterm_show(t);
}

static void type(struct lineterm *t, uint32_t cp) {
    char utf8[4];
    size_t n = utf8_put(cp, utf8);

    if (edit_insert(t->line, cp))
        put_text(t, view_of(utf8, n));
}

/* Wipes one character where it stands; what reached into another row is written anew. */
static void backspace(struct lineterm *t) {
    size_t len = edit_len(t->line);
    uint32_t cp = len > 0 ? edit_at(t->line, len - 1) : 0;
    int width = cp == '\n' ? 0 : cp_width(cp);
    bool here = len > 0 && width > 0 && column(t) % columns() > width;

    edit_do(t->line, EDIT_BACKSPACE);
    for (int i = 0; here && i < width; i++)
        put_str("\b \b");
    if (len > 0 && !here)
        again(t);
}

static void enter(struct lineterm *t) {
    cleanup_buf struct buf text = {0};
    bool pasted = t->pasted;

    edit_text(t->line, &text);
    edit_remember(t->line);
    put_str("\n");
    t->shown = t->pasted = false;
    t->h->line(t->arg, buf_view(&text), pasted);
    if (text.n > 0)
        explicit_bzero(text.p, text.n);
}

static void enter_hidden(struct lineterm *t) {
    put_str("\n");
    t->shown = false;
    t->h->key(t->arg, K_ENTER);
}

static const struct {
    uint32_t key;
    enum edit_op op;
} EDITS[] = {
    {K_CTRL('U'), EDIT_CLEAR}, {K_CTRL('W'), EDIT_KILL_WORD}, {K_CTRL('Y'), EDIT_YANK},
    {K_UP, EDIT_UP},           {K_CTRL('P'), EDIT_UP},        {K_DOWN, EDIT_DOWN},
    {K_CTRL('N'), EDIT_DOWN},
};

static bool edited(struct lineterm *t, uint32_t key) {
    for (size_t i = 0; i < COUNT(EDITS); i++)
        if (EDITS[i].key == key) {
            edit_do(t->line, EDITS[i].op);
            again(t);
            return true;
        }
    return false;
}

static void on_key(void *arg, uint32_t key) {
    struct lineterm *t = arg;

    lineterm_show(t);
    if (t->hidden && key == K_ENTER)
        enter_hidden(t);
    else if (t->hidden)
        t->h->key(t->arg, key);
    else if (key == K_ENTER)
        enter(t);
    else if (key == K_PASTED_ENTER || key == K_ALT(K_ENTER))
        type(t, '\n');
    else if (key == K_BACKSPACE)
        backspace(t);
    else if (key == K_TAB) {
        t->h->complete(t->arg, t->line);
        again(t);
    } else if (key == K_CTRL('L'))
        again(t);
    else if (key == K_CTRL('D') && edit_len(t->line) == 0)
        t->h->leave(t->arg);
    else if (key >= 0x20 && key < 0x110000)
        type(t, key);
    else if (!edited(t, key))
        t->h->key(t->arg, key);
}

static void on_paste(void *arg, struct view text, bool cut) {
    struct lineterm *t = arg;

    if (t->hidden) {
        t->h->paste(t->arg, text, cut);
        return;
    }
    lineterm_show(t);
    t->pasted = true;
    edit_paste(t->line, text);
    again(t);
}

static const struct input_handler INPUT = {on_key, on_paste};

/* --- in --- */

static uint32_t key_of(uint8_t final, unsigned number) {
    static const struct {
        uint8_t final;
        unsigned number;
        uint32_t key;
    } KEYS[] = {
        {'A', 0, K_UP},
        {'B', 0, K_DOWN},
        {'~', 200, K_PASTE_BEGIN},
        {'~', 201, K_PASTE_END},
    };

    for (size_t i = 0; i < COUNT(KEYS); i++)
        if (KEYS[i].final == final && KEYS[i].number == number)
            return KEYS[i].key;
    return 0;
}

static void in_sequence(struct lineterm *t, uint8_t c) {
    uint32_t key;

    if (c >= (t->number == 0 ? '1' : '0') && c <= '9' && t->number < 100) {
        t->number = t->number * 10 + (c - '0');
        return;
    }
    if (c < 0x40 || c > 0x7e) { /* only in sequences that mean nothing here */
        t->number = NO_NUMBER;
        return;
    }
    key = key_of(c, t->number);
    t->seq = SEQ_NONE;
    if (key)
        input_put(t->input, key);
}

static void on_character(struct lineterm *t, uint32_t cp) {
    if (t->seq == SEQ_CSI) {
        in_sequence(t, cp < 0x80 ? (uint8_t)cp : '~');
        return;
    }
    if (t->seq == SEQ_ESC && (cp == '[' || cp == 'O')) {
        t->seq = SEQ_CSI;
        t->number = 0;
        return;
    }
    if (t->seq == SEQ_ESC)
        input_put(t->input, K_ESC);
    t->seq = cp == K_ESC ? SEQ_ESC : SEQ_NONE;
    if (cp != K_ESC)
        input_put(t->input, cp);
}

/* A sequence that is cut waits for its rest; what is none is let go byte by byte. */
static void on_bytes(struct lineterm *t) {
    struct view v = buf_view(&t->bytes);
    uint32_t cp;

    while (v.n > 0) {
        size_t n = utf8_next(v, &cp);

        if (n == 0 && v.n < 4 && v.p[0] >= 0xc2)
            break;
        if (n > 0)
            on_character(t, cp);
        n = n > 0 ? n : 1;
        v = view_of(v.p + n, v.n - n);
    }
    buf_drop(&t->bytes, t->bytes.n - v.n);
    if (t->seq == SEQ_ESC)
        input_put(t->input, K_ESC);
    t->seq = t->seq == SEQ_ESC ? SEQ_NONE : t->seq;
    input_idle(t->input);
}

static void feed_hidden(struct lineterm *t, struct view line) {
    uint32_t cp;
    size_t n;

    for (; (n = utf8_next(line, &cp)); line = view_of(line.p + n, line.n - n))
        t->h->key(t->arg, cp);
    t->h->key(t->arg, K_ENTER);
}

/* The next line that came in through a pipe; at its end also one that is not ended. */
static bool line_waits(const struct lineterm *t, struct view *line) {
    const uint8_t *nl = t->bytes.n ? memchr(t->bytes.p, '\n', t->bytes.n) : NULL;

    *line = view_of(t->bytes.p, nl ? (size_t)(nl - t->bytes.p) : t->bytes.n);
    return nl || ((t->ended || t->bytes.full) && t->bytes.n > 0);
}

static void take_line(struct lineterm *t, struct view v) {
    cleanup_free char *line = mem_strn(v.p, v.n);
    size_t n = v.n;

    explicit_bzero(t->bytes.p, n);
    buf_drop(&t->bytes, n < t->bytes.n ? n + 1 : n);
    t->bytes.full = false;
    if (t->hidden)
        feed_hidden(t, view_of(line, n));
    else
        t->h->line(t->arg, view_of(line, n), false);
    explicit_bzero(line, n);
}

/* A line may change what the next one is about, and so is looked at when it is its turn. */
void lineterm_more(struct lineterm *t) {
    struct view line;

    if (t->tty || t->taking)
        return;
    t->taking = true;
    while (line_waits(t, &line) && t->h->ready(t->arg, line))
        take_line(t, line);
    t->taking = false;
    if (t->ended && t->bytes.n == 0 && !t->left && t->h->ready(t->arg, view_str(""))) {
        t->left = true;
        t->h->leave(t->arg);
    }
}

static void on_end(struct lineterm *t) {
    loop_fd_del(t->in);
    t->in = NULL;
    t->ended = true;
    if (t->tty)
        t->h->leave(t->arg);
    else
        lineterm_more(t);
}

static void on_input(void *arg, unsigned ready) {
    struct lineterm *t = arg;
    uint8_t piece[4096];
    ssize_t n = read(STDIN_FILENO, piece, sizeof piece);

    (void)ready;
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0) {
        on_end(t);
        return;
    }
    buf_add(&t->bytes, piece, (size_t)n);
    explicit_bzero(piece, sizeof piece);
    if (t->tty)
        on_bytes(t);
    else
        lineterm_more(t);
}

/* --- start and end --- */

static void take(struct lineterm *t) {
    if (!t->tty)
        return;
    restore_arm(t->marks ? PASTE_OFF : "", false);
    restore_lines();
    if (t->marks)
        put_str(PASTE_ON);
}

static void give(struct lineterm *t) {
    fresh_row(t);
    if (!t->tty)
        return;
    restore_done();
    restore_disarm();
}

void lineterm_suspend(struct lineterm *t) {
    give(t);
    restore_stop_here();
    take(t);
}

int lineterm_lend(struct lineterm *t, struct err *e) {
    if (!t->tty)
        return err_set(e, "no-terminal", "an editor needs a terminal");
    loop_fd_want(t->in, 0);
    t->lent = true;
    give(t);
    return 0;
}

void lineterm_reclaim(struct lineterm *t) {
    take(t);
    t->lent = false;
    loop_fd_want(t->in, LOOP_IN);
}

static void on_signal(void *arg, int sig) {
    struct lineterm *t = arg;

    if (t->lent && (sig == SIGINT || sig == SIGTSTP))
        return; /* meant for that program */
    if (sig == SIGTSTP)
        lineterm_suspend(t);
    else if (sig == SIGINT) {
        input_free(t->input); /* also out of a paste that never ends */
        t->input = input_new(t->marks, &INPUT, t);
        edit_do(t->line, EDIT_CLEAR);
        again(t);
        t->h->interrupt(t->arg);
    } else
        t->h->leave(t->arg);
}

static void watch(struct lineterm *t) {
    static const int SIGNALS[] = {SIGINT, SIGTSTP, SIGTERM, SIGHUP, SIGQUIT};

    for (size_t i = 0; i < COUNT(SIGNALS); i++)
        loop_signal(t->loop, SIGNALS[i], on_signal, t);
    t->in = loop_fd_add(t->loop, STDIN_FILENO, LOOP_IN, on_input, t);
}

struct lineterm *lineterm_start(struct loop *l, bool ascii, const struct lineterm_handler *h,
                                void *arg, struct err *e) {
    struct lineterm *t = mem_new(sizeof *t);
    const char *term = getenv("TERM");

    *t = (struct lineterm){.loop = l, .h = h, .arg = arg, .ascii = ascii};
    t->tty = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    t->marks = t->tty && term && *term && strcmp(term, "dumb") != 0;
    t->line = edit_new(LINE_MAX_CHARS, true);
    t->input = input_new(t->marks, &INPUT, t);
    buf_init(&t->bytes, LINE_MAX_CHARS);
    watch(t);
    if (!t->in)
        err_set(e, "no-terminal", "standard input must be a terminal or a pipe");
    if (!t->in || (t->tty && restore_remember(e) != 0)) {
        t->tty = false;
        lineterm_stop(t);
        return NULL;
    }
    take(t);
    return t;
}

void lineterm_stop(struct lineterm *t) {
    if (!t)
        return;
    give(t);
    loop_fd_del(t->in);
    input_free(t->input);
    edit_free(t->line);
    buf_wipe(&t->bytes);
    free(t);
}
