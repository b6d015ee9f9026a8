#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_FOUND 127

void tool_detach(int out) {
    int null = open("/dev/null", O_RDWR);

    if (null < 0) /* none in the sandbox: a folder can be neither read nor written */
        null = open("/", O_RDONLY);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(out, STDOUT_FILENO);
    dup2(null, STDIN_FILENO);
    dup2(null, STDERR_FILENO);
    close_range(STDERR_FILENO + 1, ~0U, 0);
}

static _Noreturn void become(const char *const *argv, int out) {
    static char *const environment[] = {NULL};

    tool_detach(out);
    execve(argv[0], (char *const *)(uintptr_t)argv, environment);
    _exit(NOT_FOUND);
}

static int collect(int fd, struct buf *out) {
    uint8_t piece[16384];
    ssize_t n;

    while (!out->full && (n = read(fd, piece, sizeof piece)) != 0) {
        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0) {
            size_t room = out->max ? out->max - out->n : (size_t)n;

            buf_add(out, piece, (size_t)n < room ? (size_t)n : room);
            out->full = (size_t)n > room;
        }
    }
    return 0;
}

int tool_output(const char *const *argv, struct buf *out, int *status, struct err *e) {
    int fds[2], rc, why;
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC))
        return err_sys(e, errno, "cannot make a pipe");
    pid = fork();
    if (!pid)
        become(argv, fds[1]);
    why = errno;
    close(fds[1]);
    rc = pid < 0 ? -1 : collect(fds[0], out);
    close(fds[0]);
    if (pid > 0 && (rc || out->full))
        kill(pid, SIGKILL);
    while (pid > 0 && waitpid(pid, status, 0) < 0 && errno == EINTR)
        ;
    if (rc || (WIFEXITED(*status) && WEXITSTATUS(*status) == NOT_FOUND))
        return err_sys(e, rc ? why : ENOENT, "cannot run %s", argv[0]);
    if (out->full)
        *status = 0;
    return 0;
}
