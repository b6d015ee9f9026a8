#include "tui/tui.h"

#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include "tui/draw.h"

#define FRAME_MS 33
#define ESC_DELAY_MS 25
#define CRASH_STACK 65536

#define PASTE_ON "\033[?2004h"
#define PASTE_OFF "\033[?2004l"

struct tui {
    struct loop *loop;
    const struct tui_handler *h;
    void *arg;
    struct input *input;
    struct loop_fd *in;
    struct loop_timer *frame;
    int64_t drawn; /* loop_now of the last frame */
    bool dirty;
    SCREEN *screen;
};

/* Everything a crash needs, made beforehand: a handler may only write and call tcsetattr. */
static struct {
    struct termios was;
    char bytes[512];
    size_t n;
    volatile sig_atomic_t armed;
} restore;

static const int CRASHES[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL};

static int restore_put(int c) {
    if (restore.n < sizeof restore.bytes)
        restore.bytes[restore.n++] = (char)c;
    return c;
}

static void restore_prepare(void) {
    static const char *const CAPS[] = {"clear", "sgr0", "cnorm", "rmkx", "rmcup"};

    restore.n = 0;
    for (const char *p = PASTE_OFF; *p; p++)
        restore_put(*p);
    for (size_t i = 0; i < COUNT(CAPS); i++) {
        char *cap = tigetstr(CAPS[i]);

        if (cap && cap != (char *)-1)
            tputs(cap, 1, restore_put);
    }
}

static void on_crash(int sig) {
    static const char WORDS[] = "cdvm: crashed; the terminal is as it was before\r\n";

    if (restore.armed) {
        restore.armed = 0;
        (void)!write(STDOUT_FILENO, restore.bytes, restore.n);
        tcsetattr(STDIN_FILENO, TCSANOW, &restore.was);
        (void)!write(STDERR_FILENO, WORDS, sizeof WORDS - 1);
    }
    raise(sig); /* SA_RESETHAND: the default action now */
}

static void crash_handlers(void) {
    static char stack[CRASH_STACK]; /* a stack overflow is a crash too */
    struct sigaction sa = {.sa_handler = on_crash,
                           .sa_flags = (int)(SA_ONSTACK | SA_RESETHAND | SA_NODEFER)};

    sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL);
    for (size_t i = 0; i < COUNT(CRASHES); i++)
        sigaction(CRASHES[i], &sa, NULL);
}

static void crash_handlers_off(void) {
    for (size_t i = 0; i < COUNT(CRASHES); i++)
        signal(CRASHES[i], SIG_DFL);
}

static void write_now(const char *seq) {
    putp(seq);
    fflush(stdout);
}

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
    {KEY_MAX + 1, K_PASTE_BEGIN},
    {KEY_MAX + 2, K_PASTE_END},
};

static uint32_t key_of(int curses) {
    for (size_t i = 0; i < COUNT(KEYS); i++)
        if (KEYS[i].curses == curses)
            return KEYS[i].key;
    return 0;
}

static void on_input(void *arg, unsigned ready) {
    struct tui *t = arg;
    wint_t c;
    int rc;

    while ((rc = get_wch(&c)) != ERR) {
        uint32_t key = rc == KEY_CODE_YES ? key_of((int)c) : (uint32_t)c;

        if (key != 0)
            input_put(t->input, key);
    }
    input_idle(t->input);
    if (ready & LOOP_HUP)
        t->h->leave(t->arg);
}

static void on_key(void *arg, uint32_t key) {
    struct tui *t = arg;

    t->h->key(t->arg, key);
}

static void on_paste(void *arg, struct view text, bool cut) {
    struct tui *t = arg;

    t->h->paste(t->arg, text, cut);
}

static const struct input_handler INPUT = {on_key, on_paste};

static void draw_now(struct tui *t) {
    t->dirty = false;
    t->drawn = loop_now();
    t->h->draw(t->arg);
}

static void on_idle(void *arg) {
    struct tui *t = arg;

    if (!t->dirty)
        return;
    if (loop_now() - t->drawn >= FRAME_MS)
        draw_now(t);
    else
        loop_timer_set(t->frame, t->drawn + FRAME_MS);
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

    if (sig == SIGWINCH || sig == SIGCONT)
        on_resize(t);
    else if (sig == SIGTSTP)
        tui_suspend(t);
    else
        t->h->leave(t->arg);
}

static bool locale_is_utf8(void) {
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

static void modes_on(void) {
    raw();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    define_key("\033[200~", KEY_MAX + 1);
    define_key("\033[201~", KEY_MAX + 2);
    if (!getenv("ESCDELAY"))
        set_escdelay(ESC_DELAY_MS);
}

static int terminal_check(struct err *e) {
    const char *term = getenv("TERM");

    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return err_set(e, "no-terminal",
                       "standard input and output must be a terminal; `cdvm ask` needs none");
    if (!term || !*term || !strcmp(term, "dumb"))
        return err_set(e, "no-terminal",
                       "TERM is '%s', which cannot place text; `cdvm ask` works without a screen",
                       term ? term : "");
    if (tcgetattr(STDIN_FILENO, &restore.was) != 0)
        return err_set(e, "no-terminal", "cannot read the terminal's settings");
    return 0;
}

static void watch(struct tui *t) {
    static const int SIGNALS[] = {SIGWINCH, SIGCONT, SIGTSTP, SIGTERM, SIGINT, SIGHUP};

    for (size_t i = 0; i < COUNT(SIGNALS); i++)
        loop_signal(t->loop, SIGNALS[i], on_signal, t);
    t->in = loop_fd_add(t->loop, STDIN_FILENO, LOOP_IN, on_input, t);
    t->frame = loop_timer_add(t->loop, -1, on_frame, t);
    loop_on_idle(t->loop, on_idle, t);
}

struct tui *tui_start(struct loop *l, const struct tui_options *o, const struct tui_handler *h,
                      void *arg, struct err *e) {
    bool utf8 = locale_is_utf8();
    struct tui *t;

    if (terminal_check(e) != 0)
        return NULL;
    t = mem_new(sizeof *t);
    *t = (struct tui){.loop = l, .h = h, .arg = arg, .dirty = true};
    t->screen = newterm(NULL, stdout, stdin);
    if (!t->screen) {
        free(t);
        err_set(e, "no-terminal", "TERM is '%s', which this machine does not know", getenv("TERM"));
        return NULL;
    }
    modes_on();
    restore_prepare();
    restore.armed = 1;
    crash_handlers();
    draw_start(o->ascii || !utf8, o->theme);
    t->input = input_new(marks_pastes(), &INPUT, t);
    watch(t);
    write_now(PASTE_ON);
    h->resize(arg, LINES, COLS);
    return t;
}

void tui_stop(struct tui *t) {
    if (!t)
        return;
    loop_fd_del(t->in);
    loop_timer_del(t->frame);
    loop_on_idle(t->loop, NULL, NULL);
    draw_clear();
    draw_show(0, 0);
    write_now(PASTE_OFF);
    endwin();
    restore.armed = 0;
    crash_handlers_off();
    delscreen(t->screen);
    input_free(t->input);
    free(t);
}

void tui_dirty(struct tui *t) {
    t->dirty = true;
}

void tui_redraw(struct tui *t) {
    draw_redraw();
    t->dirty = true;
}

void tui_suspend(struct tui *t) {
    sigset_t stop, was;

    draw_clear();
    draw_show(0, 0);
    write_now(PASTE_OFF);
    endwin();
    restore.armed = 0;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    signal(SIGTSTP, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &stop, &was);
    raise(SIGTSTP); /* stops here */
    sigprocmask(SIG_SETMASK, &was, NULL);
    restore.armed = 1;
    refresh();
    write_now(PASTE_ON);
    on_resize(t);
}

void tui_bell(struct tui *t) {
    (void)t;
    beep();
}
