#include "tui/restore.h"

#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#define CRASH_STACK 65536
#define PATIENCE_MS 2000
#define PIECE 256

/* Whatever sequence was cut in the middle ends here. */
#define STRING_END "\033\\"

/* Everything a crash needs, made beforehand: a handler may only write and call tcsetattr. */
static struct {
    struct termios was;
    char bytes[512];
    size_t n;
    volatile sig_atomic_t armed;
} restore;

static const int CRASHES[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL};

int restore_remember(struct err *e) {
    if (tcgetattr(STDIN_FILENO, &restore.was) != 0)
        return err_set(e, "no-terminal", "cannot read the terminal's settings");
    return 0;
}

static int put(int c) {
    if (restore.n < sizeof restore.bytes)
        restore.bytes[restore.n++] = (char)c;
    return c;
}

static void put_str(const char *s) {
    while (*s)
        put(*s++);
}

static void put_screen(void) {
    static const char *const CAPS[] = {"sgr0", "clear", "cnorm", "rmkx", "rmcup"};

    for (size_t i = 0; i < COUNT(CAPS); i++) {
        char *cap = tigetstr(CAPS[i]);

        if (cap && cap != (char *)-1)
            tputs(cap, 1, put);
    }
}

static void prepare(const char *modes_off, bool screen) {
    restore.n = 0;
    if (screen)
        put_str(STRING_END);
    put_str(modes_off);
    if (screen)
        put_screen();
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

void restore_arm(const char *modes_off, bool screen) {
    prepare(modes_off, screen);
    restore.armed = 1;
    crash_handlers();
}

void restore_raw(void) {
    struct termios t = restore.was;

    cfmakeraw(&t);
    t.c_cc[VMIN] = 1;
    t.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &t);
}

void restore_lines(void) {
    struct termios t = restore.was;

    t.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN);
    t.c_iflag &= ~(tcflag_t)(IXON);
    t.c_cc[VMIN] = 1;
    t.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &t);
}

/* A terminal that takes nothing any more cannot keep the program from leaving. */
static void write_patiently(void) {
    struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};

    for (size_t at = 0; at < restore.n && poll(&p, 1, PATIENCE_MS) == 1 && p.revents == POLLOUT;) {
        size_t rest = restore.n - at;
        ssize_t n = write(STDOUT_FILENO, restore.bytes + at, rest < PIECE ? rest : PIECE);

        if (n < 0 && errno != EINTR)
            return;
        at += n > 0 ? (size_t)n : 0;
    }
}

void restore_done(void) {
    write_patiently();
    tcsetattr(STDIN_FILENO, TCSANOW, &restore.was);
}

void restore_disarm(void) {
    restore.armed = 0;
    for (size_t i = 0; i < COUNT(CRASHES); i++)
        signal(CRASHES[i], SIG_DFL);
}

void restore_stop_here(void) {
    sigset_t stop, was;

    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    signal(SIGTSTP, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &stop, &was);
    raise(SIGTSTP);
    sigprocmask(SIG_SETMASK, &was, NULL);
}
