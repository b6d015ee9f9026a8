#include "tui/askpass.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define CTRL_C 3
#define CTRL_D 4
#define CTRL_U 21
#define BACKSPACE 8
#define DEL 127

static void say(int tty, const char *s) {
    (void)!fd_write_all(tty, view_str(s), NULL);
}

/* No echo, and no signals: nothing may end this program while the terminal is in that state. */
static int quieten(int tty, struct termios *was, struct err *e) {
    struct termios t;

    if (tcgetattr(tty, was) < 0)
        return err_sys(e, errno, "the terminal cannot be asked for a passphrase");
    t = *was;
    t.c_lflag &= (tcflag_t) ~(ECHO | ECHONL | ICANON | ISIG);
    t.c_cc[VMIN] = 1;
    t.c_cc[VTIME] = 0;
    if (tcsetattr(tty, TCSAFLUSH, &t) < 0)
        return err_sys(e, errno, "the terminal's echo cannot be turned off");
    return 0;
}

/* 1 more, 0 the line is whole, -1 given up. Bytes go in one by one: UTF-8 is what it becomes. */
static int take(struct hidden *h, uint8_t c) {
    switch (c) {
    case '\n':
    case '\r':
        return 0;
    case CTRL_C:
    case CTRL_D:
        return -1;
    case CTRL_U:
        hidden_clear(h);
        return 1;
    case BACKSPACE:
    case DEL:
        hidden_backspace(h);
        return 1;
    default:
        (void)hidden_byte(h, c);
        return 1;
    }
}

static int read_line(int fd, struct hidden *h, bool typed) {
    int more = 1;
    uint8_t c;

    while (more > 0) {
        ssize_t n = read(fd, &c, 1);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            more = typed ? -1 : 0;
        else if (typed)
            more = take(h, c);
        else
            more = c == '\n' ? 0 : hidden_byte(h, c) ? 1 : -1;
    }
    explicit_bzero(&c, 1);
    return more;
}

struct hidden *askpass_tty(const char *question, struct err *e) {
    int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct hidden *h = NULL;
    struct termios was;

    if (tty < 0) {
        err_set(e, "no-terminal",
                "there is no terminal to ask for the passphrase; give it with --passphrase-fd");
        return NULL;
    }
    if (quieten(tty, &was, e) == 0) {
        say(tty, question);
        h = hidden_new();
        if (read_line(tty, h, true) < 0) {
            err_set(e, "cancelled", "no passphrase was given");
            hidden_free(h);
            h = NULL;
        }
        say(tty, "\r\n");
        (void)tcsetattr(tty, TCSAFLUSH, &was);
    }
    close(tty);
    return h;
}

struct hidden *askpass_fd(int fd, struct err *e) {
    struct hidden *h = hidden_new();

    if (read_line(fd, h, false) == 0 && hidden_view(h).n > 0)
        return h;
    err_set(e, "bad-passphrase", "file descriptor %d gave no line of at most %d bytes", fd,
            HIDDEN_MAX);
    hidden_free(h);
    return NULL;
}

static int unlock(struct identities *l, const char *name, int fd, struct err *e) {
    cleanup_free char *question = mem_fmt("Passphrase of '%s': ", name);
    struct hidden *word;
    int rc;

    if (!identities_find(l, name)) {
        const char *trouble = identities_trouble(l);

        return err_set(e, "unknown-identity", "there is no identity '%.40s'%s%s", name,
                       trouble ? "; " : "", trouble ? trouble : "");
    }
    if (!(word = fd < 0 ? askpass_tty(question, e) : askpass_fd(fd, e)))
        return -1;
    rc = identities_unlock(l, name, hidden_view(word), e);
    hidden_free(word);
    return rc ? -1 : identities_choose(l, name, e);
}

struct identities *askpass_identity(const char *name, int fd, struct err *e) {
    struct identities *l = identity_name_ok(name) ? identities_open(NULL, e) : NULL;

    if (!identity_name_ok(name))
        err_set(e, "unknown-identity", "that is no name of an identity");
    if (l && unlock(l, name, fd, e) == 0)
        return l;
    identities_free(l);
    return NULL;
}
