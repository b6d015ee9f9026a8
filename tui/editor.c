#include "tui/editor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX 16
#define NAME "draft.txt"

struct editor {
    struct loop *loop;
    struct loop_child *child;
    pid_t pid;
    bool over;
    char *folder, *path; /* ours alone, and the draft in it */
    editor_fn *done;
    void *arg;
};

/* --- the folder --- */

static bool in_memory(const char *path) {
    struct statfs fs;

    return statfs(path, &fs) == 0 && (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
}

static int check_private(const char *path, struct err *e) {
    struct stat st;

    if (lstat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return err_set(e, "unsafe-folder", "there is no folder %s for a draft", path);
    if (st.st_uid != geteuid() || (st.st_mode & 077) != 0)
        return err_set(e, "unsafe-folder",
                       "%s is open to others: a draft does not go there (chmod 700)", path);
    return 0;
}

static const char *find_folder(const char *configured, struct err *e) {
    const char *runtime = getenv("XDG_RUNTIME_DIR");

    if (configured)
        return check_private(configured, e) == 0 ? configured : NULL;
    if (!runtime || !*runtime) {
        err_set(e, "unsafe-folder",
                "XDG_RUNTIME_DIR is not set: a draft has no private place in memory; draft-dir in "
                "cdvm.conf names another");
        return NULL;
    }
    if (check_private(runtime, e) != 0)
        return NULL;
    if (!in_memory(runtime)) {
        err_set(e, "unsafe-folder",
                "%s is on a disk: a draft would leave traces; draft-dir in cdvm.conf names another",
                runtime);
        return NULL;
    }
    return runtime;
}

/* --- the file --- */

static int make_draft(struct editor *ed, const char *base, struct view draft, struct err *e) {
    ed->folder = mem_fmt("%s/cdvm-draft-XXXXXX", base);
    if (!mkdtemp(ed->folder)) {
        free(ed->folder);
        ed->folder = NULL;
        return err_sys(e, errno, "cannot make a folder for the draft in %s", base);
    }
    ed->path = mem_fmt("%s/" NAME, ed->folder);
    return file_write(ed->path, draft, 0600, false, e);
}

static void file_zero(int fd, off_t size) {
    static const uint8_t ZERO[4096];
    struct err ignored;

    for (off_t at = 0; at < size; at += (off_t)sizeof ZERO)
        if (fd_write_all(fd, view_of(ZERO, sizeof ZERO), &ignored) != 0)
            return;
    fsync(fd);
}

static void file_shred(int dir, const char *name) {
    cleanup_fd int fd = openat(dir, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        file_zero(fd, st.st_size);
    unlinkat(dir, name, 0);
}

/* Also what an editor keeps beside its file: copies from before, swap files. */
static void shred_folder(const char *folder) {
    DIR *d = opendir(folder);
    struct dirent *ent;

    while (d && (ent = readdir(d)))
        if (strcmp(ent->d_name, ".") && strcmp(ent->d_name, ".."))
            file_shred(dirfd(d), ent->d_name);
    if (d)
        closedir(d);
    rmdir(folder);
}

/* --- the process --- */

/* $VISUAL may hold options: words at spaces, as the shell would part them, and nothing more. */
static size_t editor_words(char *line, char **word, size_t max) {
    static const char BLANK[] = " \t";
    size_t n = 0;

    while (n < max && *(line += strspn(line, BLANK))) {
        word[n++] = line;
        line += strcspn(line, BLANK);
        if (*line)
            *line++ = 0;
    }
    return n;
}

/* To the foreground of the terminal, from the background too; where there is none it fails, and
 * that is well. */
static void take_terminal(pid_t group) {
    sigset_t ttou, was;

    sigemptyset(&ttou);
    sigaddset(&ttou, SIGTTOU);
    sigprocmask(SIG_BLOCK, &ttou, &was);
    (void)tcsetpgrp(STDIN_FILENO, group);
    sigprocmask(SIG_SETMASK, &was, NULL);
}

__attribute__((noreturn)) static void be_editor(char *const *argv) {
    sigset_t none;

    setpgid(0, 0);
    take_terminal(getpid());
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    execvp(argv[0], argv);
    _exit(127);
}

static const char *editor_named(void) {
    const char *visual = getenv("VISUAL"), *editor = getenv("EDITOR");

    return visual && *visual ? visual : editor && *editor ? editor : NULL;
}

static void on_exit_of(void *arg, int status) {
    struct editor *ed = arg;
    struct buf text = {0};
    struct err e = {0};

    ed->over = true;
    take_terminal(getpgrp());
    buf_init(&text, EDITOR_TEXT_MAX);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        err_set(&e, "no-editor", "cannot run '%s' (VISUAL, EDITOR)", editor_named());
    else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        err_set(&e, "no-editor", "the editor failed: the draft is as it was");
    else if (file_read(ed->path, EDITOR_TEXT_MAX, &text, &e) != 0)
        err_wrap(&e, "the draft is as it was");
    shred_folder(ed->folder);
    free(ed->folder);
    ed->folder = NULL;
    ed->done(ed->arg, buf_view(&text), *e.code ? &e : NULL);
    buf_wipe(&text);
}

/* A stop is no end: it goes on at once. */
static void on_child_signal(void *arg, int sig) {
    struct editor *ed = arg;
    siginfo_t info = {0};

    (void)sig;
    if (!ed->over && waitid(P_PID, (id_t)ed->pid, &info, WSTOPPED | WNOHANG) == 0 &&
        info.si_pid == ed->pid)
        kill(-ed->pid, SIGCONT);
}

static void on_child_none(void *arg, int sig) {
    (void)arg;
    (void)sig;
}

static int run(struct editor *ed, struct err *e) {
    const char *named = editor_named();
    cleanup_free char *line = mem_str(named ? named : "");
    char *argv[WORDS_MAX + 2] = {0};
    size_t n = editor_words(line, argv, WORDS_MAX);

    if (n == 0)
        return err_set(e, "no-editor", "neither VISUAL nor EDITOR names an editor");
    argv[n] = ed->path;
    loop_signal(ed->loop, SIGCHLD, on_child_signal, ed);
    ed->pid = fork();
    if (ed->pid < 0)
        return err_sys(e, errno, "cannot start '%s'", argv[0]);
    if (ed->pid == 0)
        be_editor(argv);
    setpgid(ed->pid, ed->pid); /* as the child does: whoever is first */
    take_terminal(ed->pid);
    ed->child = loop_child_add(ed->loop, ed->pid, on_exit_of, ed);
    return ed->child ? 0 : err_sys(e, errno, "cannot watch '%s'", argv[0]);
}

struct editor *editor_start(struct loop *l, const char *folder, struct view draft, editor_fn *done,
                            void *arg, struct err *e) {
    const char *base = find_folder(folder, e);
    struct editor *ed;

    if (!base)
        return NULL;
    ed = mem_new(sizeof *ed);
    *ed = (struct editor){.loop = l, .done = done, .arg = arg};
    if (make_draft(ed, base, draft, e) != 0 || run(ed, e) != 0) {
        editor_free(ed);
        return NULL;
    }
    return ed;
}

void editor_free(struct editor *ed) {
    if (!ed)
        return;
    if (ed->child && !ed->over) {
        kill(-ed->pid, SIGHUP);
        take_terminal(getpgrp());
    }
    if (ed->child)
        loop_child_del(ed->child);
    if (ed->pid > 0)
        loop_signal(ed->loop, SIGCHLD, on_child_none, NULL);
    if (ed->folder)
        shred_folder(ed->folder);
    free(ed->folder);
    free(ed->path);
    free(ed);
}
