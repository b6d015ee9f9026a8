#include "script.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX ((size_t)65536)

extern char **environ;

static char *program_folder(void) {
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    char *slash;

    if (n <= 0)
        return mem_str(".");
    path[n] = 0;
    slash = strrchr(path, '/');
    if (slash)
        *slash = 0;
    return mem_str(path);
}

char *script_find(const char *source, const char *name, struct err *e) {
    static const char *const around[] = {"", "/..", "/../share/cdvm"};
    cleanup_free char *here = source ? NULL : program_folder();

    for (size_t i = 0; i < (source ? 1 : COUNT(around)); i++) {
        char *path = mem_fmt("%s%s/qemu-scripts/%s", source ? source : here, around[i], name);

        if (access(path, X_OK) == 0)
            return path;
        free(path);
    }
    err_set(e, "no-script",
            "qemu-scripts/%s is not beside this program: run it from its source checkout or where "
            "`make install` has put it",
            name);
    return NULL;
}

/* Signals that we ignore are none of its business. */
static int start(char *const *argv, int out, pid_t *pid) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t usual;
    int rc;

    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setsigdefault(&attr, &usual);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
    if (out >= 0)
        posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    rc = posix_spawn(pid, argv[0], &files, &attr, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attr);
    return rc;
}

static void take_output(int fd, struct buf *out) {
    uint8_t block[4096];
    ssize_t n;

    out->max = OUTPUT_MAX;
    while ((n = read(fd, block, sizeof block)) > 0 || (n < 0 && errno == EINTR))
        buf_add(out, block, n > 0 ? (size_t)n : 0);
}

static int wait_for(pid_t pid, const char *name, struct err *e) {
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return err_sys(e, errno, "cannot wait for '%s'", name);
    if (!status)
        return 0;
    return err_set(e, "script-failed", "'%s' has failed: it says why above", name);
}

int script_run(char *const *argv, struct buf *out, struct err *e) {
    int p[2] = {-1, -1}, rc;
    pid_t pid;

    if (out && pipe2(p, O_CLOEXEC) < 0)
        return err_sys(e, errno, "cannot make a pipe");
    rc = start(argv, p[1], &pid);
    if (out)
        close(p[1]);
    if (out && !rc)
        take_output(p[0], out);
    if (out)
        close(p[0]);
    return rc ? err_sys(e, rc, "cannot start '%s'", argv[0]) : wait_for(pid, argv[0], e);
}
