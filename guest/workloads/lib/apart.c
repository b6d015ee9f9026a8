#include "apart.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "core/reader.h"
#include "core/text.h"
#include "extract.h"
#include "tool.h"
#include "watch.h"

#define LOOK_MS 50
#define ANSWER_MAX (DOCTEXT_MAX + DOCTEXT_HEADINGS * 9 + 4096)

/* --- the child's side: "+" and the text, or "-", a code, a NUL and a sentence --- */

static void limit(int what, uint64_t to) {
    struct rlimit r;

    if (getrlimit((__rlimit_resource_t)what, &r))
        return;
    if (r.rlim_cur > to)
        r.rlim_cur = to;
    setrlimit((__rlimit_resource_t)what, &r);
}

/* A forked child begins with all that its parent has mapped. */
static uint64_t mapped(void) {
    cleanup_buf struct buf statm = {0};

    if (file_read("/proc/self/statm", 4096, &statm, NULL))
        return 0;
    return strtoull((const char *)statm.p, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static _Noreturn void serve(const char *format, const char *path, int to) {
    struct buf answer;
    struct doctext t;
    struct err e = {0};

    tool_detach(to);
    limit(RLIMIT_AS, mapped() + APART_MEMORY);
    limit(RLIMIT_CPU, APART_SECONDS);
    limit(RLIMIT_FSIZE, 0); /* no files at all */
    buf_init(&answer, ANSWER_MAX);
    doctext_init(&t);
    if (extract(format, path, &t, &e))
        buf_fmt(&answer, "-%s%c%s", e.code, 0, e.text);
    else {
        buf_str(&answer, "+");
        doctext_write(&t, &answer);
    }
    _exit(fd_write_all(STDOUT_FILENO, buf_view(&answer), NULL) ? 1 : 0);
}

/* --- ours --- */

static int take(int fd, struct buf *answer, bool *ended, struct err *e) {
    uint8_t piece[65536];
    ssize_t n = read(fd, piece, sizeof piece);

    if (n < 0 && errno != EINTR)
        return err_sys(e, errno, "cannot hear the document's reader");
    *ended = n == 0;
    if (n > 0)
        buf_add(answer, piece, (size_t)n);
    return answer->full ? err_set(e, "bad-document", "the reader of this document says too much")
                        : 0;
}

static int hear(int fd, const struct docs_watch *w, struct buf *answer, struct err *e) {
    const int64_t last = watch_now() + APART_SECONDS * 1000;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    bool ended = false;

    while (!ended) {
        int n = poll(&p, 1, LOOK_MS);

        if (watch_look(w, e))
            return -1;
        if (watch_now() > last)
            return err_set(e, "timeout", "reading it took more than %d s", APART_SECONDS);
        if (n > 0 && take(fd, answer, &ended, e))
            return -1;
    }
    return 0;
}

static int refused(struct view v, struct err *e) {
    static const char *const codes[] = {"unsupported", "bad-document", "too-large", "system"};
    const uint8_t *nul = memchr(v.p, 0, v.n);
    cleanup_free char *why =
        nul ? text_safe_new(view_of(nul + 1, (size_t)(v.p + v.n - nul) - 1), TEXT_LINE, 300) : NULL;

    for (size_t i = 0; why && i < COUNT(codes); i++)
        if (!strcmp((const char *)v.p, codes[i]))
            return err_set(e, codes[i], "%s", why);
    return err_set(e, "bad-document", "the reader of this document gave a broken answer");
}

static int understand(struct view v, struct doctext *t, struct err *e) {
    if (!v.n)
        return err_set(e, "bad-document", "its reader broke down over it");
    return v.p[0] == '+' ? doctext_read(view_of(v.p + 1, v.n - 1), t, e)
                         : refused(view_of(v.p + 1, v.n - 1), e);
}

static int ask(int fd, pid_t pid, const struct docs_watch *w, struct doctext *t, struct err *e) {
    cleanup_buf struct buf answer = {0};
    int rc;

    buf_init(&answer, ANSWER_MAX);
    rc = hear(fd, w, &answer, e);
    if (rc)
        kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    if (!rc)
        rc = understand(buf_view(&answer), t, e);
    if (answer.p)
        explicit_bzero(answer.p, answer.cap);
    return rc;
}

int apart_extract(const char *format, const char *path, const struct docs_watch *w,
                  struct doctext *t, struct err *e) {
    int fds[2], rc;
    pid_t pid;

    doctext_init(t);
    if (pipe2(fds, O_CLOEXEC))
        return err_sys(e, errno, "cannot make a pipe");
    pid = fork();
    if (!pid)
        serve(format, path, fds[1]);
    close(fds[1]);
    rc = pid < 0 ? err_sys(e, errno, "cannot start a reader") : ask(fds[0], pid, w, t, e);
    close(fds[0]);
    if (rc)
        doctext_free(t);
    return rc;
}
