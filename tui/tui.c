#include "tui/tui.h"

#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <unistd.h>

#include "tui/draw.h"
#include "tui/restore.h"
#include "tui/ttyout.h"

#define ESC_DELAY_MS 25

#define PASTE_ON "\033[?2004h"
#define FOCUS_ON "\033[?1004h"
/* Also what a crash, or a program before us, may have left on. */
#define MODES_OFF "\033[?2004l\033[?1004l\033[?1006l\033[?1003l\033[?1002l\033[?1000l"

/* Keys of our own beside those of curses. */
enum { SEQ_PASTE_BEGIN = KEY_MAX + 1, SEQ_PASTE_END, SEQ_FOCUS_IN, SEQ_FOCUS_OUT };

#define WHEEL_LINES 3

struct tui {
    struct loop *loop;
    const struct tui_handler *h;
    void *arg;
    struct input *input;
    struct loop_fd *in;
    struct loop_timer *frame;
    struct ttyout *out;
    int64_t frame_ms; /* between two frames */
    int64_t drawn;    /* loop_now of the last frame */
    bool dirty, wheel;
    bool waiting; /* bytes that belong to no frame */
    bool lent;    /* another program has the terminal */
    SCREEN *screen;
};

static const struct {
    int curses;
    uint32_t key;
} KEYS[] = {
    {KEY_UP, K_UP},
    {KEY_DOWN, K_DOWN},
    {KEY_LEFT, K_LEFT},
    {KEY_RIGHT, K_RIGHT},
    {KEY_HOME, K_HOME},
    {KEY_END, K_END},
    {KEY_PPAGE, K_PAGE_UP},
    {KEY_NPAGE, K_PAGE_DOWN},
    {KEY_DC, K_DELETE},
    {KEY_BTAB, K_BACK_TAB},
    {KEY_ENTER, K_ENTER},
    {KEY_BACKSPACE, K_BACKSPACE},
    {KEY_F(1), K_F1},
    {KEY_F(2), K_F2},
    {KEY_F(3), K_F3},
    {KEY_F(4), K_F4},
    {KEY_F(5), K_F5},
    {KEY_F(6), K_F6},
    {SEQ_PASTE_BEGIN, K_PASTE_BEGIN},
    {SEQ_PASTE_END, K_PASTE_END},
    {SEQ_FOCUS_IN, K_FOCUS_IN},
    {SEQ_FOCUS_OUT, K_FOCUS_OUT},
};

static uint32_t key_of(int curses) {
    for (size_t i = 0; i < COUNT(KEYS); i++)
        if (KEYS[i].curses == curses)
            return KEYS[i].key;
    return 0;
}

static void put_wheel(struct tui *t) {
    MEVENT ev;

    if (getmouse(&ev) != OK || !(ev.bstate & (BUTTON4_PRESSED | BUTTON5_PRESSED)))
        return;
    for (int i = 0; i < WHEEL_LINES; i++)
        input_put(t->input, ev.bstate & BUTTON4_PRESSED ? K_WHEEL_UP : K_WHEEL_DOWN);
}

static void on_input(void *arg, unsigned ready) {
    struct tui *t = arg;
    wint_t c;
    int rc;

    while ((rc = get_wch(&c)) != ERR) {
        uint32_t key = rc == KEY_CODE_YES ? key_of((int)c) : (uint32_t)c;

        if (rc == KEY_CODE_YES && c == KEY_MOUSE)
            put_wheel(t);
        else if (key != 0)
            input_put(t->input, key);
    }
    input_idle(t->input);
    if (ready & LOOP_HUP)
        t->h->leave(t->arg);
}

static void on_key(void *arg, uint32_t key) {
    struct tui *t = arg;

    if (key == K_FOCUS_IN || key == K_FOCUS_OUT)
        t->h->focus(t->arg, key == K_FOCUS_IN);
    else
        t->h->key(t->arg, key);
}

static void on_paste(void *arg, struct view text, bool cut) {
    struct tui *t = arg;

    t->h->paste(t->arg, text, cut);
}

static const struct input_handler INPUT = {on_key, on_paste};

static void send(struct tui *t) {
    t->waiting = false;
    ttyout_send(t->out);
}

static void draw_now(struct tui *t) {
    t->dirty = false;
    t->drawn = loop_now();
    t->h->draw(t->arg);
    send(t);
}

/* While a frame is on its way none is drawn: what is drawn afterwards is what is true then. */
static void on_idle(void *arg) {
    struct tui *t = arg;

    if (t->lent || (!t->dirty && !t->waiting) || ttyout_busy(t->out))
        return;
    if (!t->dirty)
        send(t);
    else if (loop_now() - t->drawn >= t->frame_ms)
        draw_now(t);
    else
        loop_timer_set(t->frame, t->drawn + t->frame_ms);
}

static void on_drained(void *arg) {
    (void)arg; /* as below */
}

static void on_frame(void *arg) {
    (void)arg; /* waking up is all: on_idle draws */
}

static void on_resize(struct tui *t) {
    struct winsize ws;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_row > 0 && ws.ws_col > 0)
        resizeterm(ws.ws_row, ws.ws_col);
    t->h->resize(t->arg, LINES, COLS);
    tui_redraw(t);
}

static void on_signal(void *arg, int sig) {
    struct tui *t = arg;

    if (t->lent && sig != SIGTERM && sig != SIGHUP)
        return;
    if (sig == SIGWINCH || sig == SIGCONT)
        on_resize(t);
    else if (sig == SIGTSTP)
        tui_suspend(t);
    else
        t->h->leave(t->arg);
}

bool tui_utf8(void) {
    setlocale(LC_CTYPE, "");
    return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

/* Does the terminal say where a paste begins and ends? Not every terminfo entry tells. */
static bool marks_pastes(void) {
    static const char *const SORTS[] = {"xterm",     "tmux",  "rxvt", "foot",
                                        "alacritty", "kitty", "st"};
    const char *term = getenv("TERM");
    const char *cap = tigetstr("BE");

    if ((cap && cap != (const char *)-1) || getenv("TMUX"))
        return true;
    for (size_t i = 0; term && i < COUNT(SORTS); i++)
        if (!strncmp(term, SORTS[i], strlen(SORTS[i])))
            return true;
    return false;
}

static void wheel_set(struct tui *t, bool on) {
    t->wheel = on;
    mousemask(on ? BUTTON4_PRESSED | BUTTON5_PRESSED : 0, NULL);
    mouseinterval(0);
}

static void modes_on(struct tui *t) {
    raw();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    define_key("\033[200~", SEQ_PASTE_BEGIN);
    define_key("\033[201~", SEQ_PASTE_END);
    define_key("\033[I", SEQ_FOCUS_IN);
    define_key("\033[O", SEQ_FOCUS_OUT);
    if (!getenv("ESCDELAY"))
        set_escdelay(ESC_DELAY_MS);
    if (t->wheel)
        wheel_set(t, true);
}

/* Ours to have and to give back: curses writes to a file and touches no settings. */
static void terminal_take(struct tui *t) {
    restore_arm(MODES_OFF, true);
    restore_raw();
    ttyout_put(t->out, view_str(PASTE_ON FOCUS_ON));
}

static void terminal_give(struct tui *t) {
    endwin();
    ttyout_drop(t->out);
    restore_done();
    restore_disarm();
}

static int terminal_check(struct err *e) {
    const char *term = getenv("TERM");

    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return err_set(e, "no-terminal",
                       "standard input and output must be a terminal; --plain needs none");
    if (!term || !*term || !strcmp(term, "dumb"))
        return err_set(e, "no-terminal",
                       "TERM is '%s', which cannot place text; --plain does not need that",
                       term ? term : "");
    return restore_remember(e);
}

static SCREEN *terminal_start(struct tui *t, struct err *e) {
    SCREEN *s = newterm(NULL, ttyout_file(t->out), stdin);
    const char *term = getenv("TERM");
    const char *cup = s ? tigetstr("cup") : NULL;

    if (cup && cup != (const char *)-1)
        return s;
    if (s) {
        endwin();
        delscreen(s);
    }
    err_set(e, "no-terminal",
            "TERM is '%s', which %s; set TERM to what your terminal is, or use --plain", term,
            s ? "cannot place text" : "this machine does not know");
    return NULL;
}

static void watch(struct tui *t) {
    static const int SIGNALS[] = {SIGWINCH, SIGCONT, SIGTSTP, SIGTERM, SIGINT, SIGHUP};

    for (size_t i = 0; i < COUNT(SIGNALS); i++)
        loop_signal(t->loop, SIGNALS[i], on_signal, t);
    t->in = loop_fd_add(t->loop, STDIN_FILENO, LOOP_IN, on_input, t);
    t->frame = loop_timer_add(t->loop, -1, on_frame, t);
    loop_on_idle(t->loop, on_idle, t);
}

static void tui_free(struct tui *t) {
    ttyout_free(t->out);
    input_free(t->input);
    free(t);
}

void tui_words(char out[static 64]) {
    const char *paste = marks_pastes() ? "bracketed paste" : "pastes are guessed";

    if (has_colors())
        snprintf(out, 64, "%d colours, %s", tigetnum("colors"), paste);
    else
        snprintf(out, 64, "no colours, %s", paste);
}

struct tui *tui_start(struct loop *l, const struct tui_options *o, const struct tui_handler *h,
                      void *arg, struct err *e) {
    struct tui *t;

    if (terminal_check(e) != 0)
        return NULL;
    t = mem_new(sizeof *t);
    *t = (struct tui){.loop = l, .h = h, .arg = arg, .dirty = true, .wheel = o->wheel};
    t->frame_ms = 1000 / (o->redraw ? o->redraw : TUI_REDRAW);
    t->out = ttyout_new(l, on_drained, t, e);
    t->screen = t->out ? terminal_start(t, e) : NULL;
    if (!t->screen) {
        tui_free(t);
        return NULL;
    }
    modes_on(t);
    terminal_take(t);
    draw_start(o->ascii || !tui_utf8(), o->theme);
    t->input = input_new(marks_pastes(), &INPUT, t);
    watch(t);
    on_resize(t);
    return t;
}

void tui_set(struct tui *t, const struct tui_options *o) {
    t->frame_ms = 1000 / (o->redraw ? o->redraw : TUI_REDRAW);
    draw_start(o->ascii || !tui_utf8(), o->theme);
    if (o->wheel != t->wheel)
        wheel_set(t, o->wheel);
    tui_redraw(t);
}

void tui_stop(struct tui *t) {
    if (!t)
        return;
    loop_fd_del(t->in);
    loop_timer_del(t->frame);
    loop_on_idle(t->loop, NULL, NULL);
    if (!t->lent)
        terminal_give(t);
    delscreen(t->screen);
    tui_free(t);
}

void tui_dirty(struct tui *t) {
    t->dirty = true;
}

void tui_redraw(struct tui *t) {
    draw_redraw();
    t->dirty = true;
}

void tui_suspend(struct tui *t) {
    terminal_give(t);
    restore_stop_here();
    terminal_take(t);
    refresh();
    on_resize(t);
}

void tui_write(struct tui *t, struct view bytes) {
    ttyout_put(t->out, bytes);
    t->waiting |= bytes.n > 0;
}

void tui_lend(struct tui *t) {
    terminal_give(t);
    loop_fd_want(t->in, 0);
    t->lent = true;
}

void tui_reclaim(struct tui *t) {
    t->lent = false;
    loop_fd_want(t->in, LOOP_IN);
    terminal_take(t);
    refresh();
    on_resize(t);
}
