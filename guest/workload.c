#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "plain.h"
#include "sandbox.h"

#define SHARED "/run/workload"
#define JOB_PATH "cdvm/job.json"
#define MIB ((uint64_t)1 << 20)
#define SAID_MAX (32 * MIB)         /* what it may print without having been told anything */
#define QUEUE_MAX ((size_t)4 << 20) /* lines that the program does not read */

struct workload {
    struct loop *loop;
    struct workload_handler h;
    void *arg;
    struct contract_job job;
    struct sandbox_spec spec; /* of the job's strings */
    struct sandbox box;
    struct plain *plain; /* where a program that knows no contract is started for each question */
    struct loop_fd *in_watch, *out_watch, *limit_watch;
    struct loop_child *child;
    struct buf in, out; /* its output so far; lines for it */
    uint64_t said;      /* bytes since it was last told something */
    unsigned n_files;
    bool gone, paused;
};

static void stop(struct workload *w) {
    loop_fd_del(w->in_watch);
    loop_fd_del(w->out_watch);
    loop_fd_del(w->limit_watch);
    w->in_watch = w->out_watch = w->limit_watch = NULL;
}

/* Process 1 of its namespace: when it dies, so does everything it started. */
static void give_up(struct workload *w, const struct err *e) {
    if (w->gone)
        return;
    w->gone = true;
    stop(w);
    if (w->box.pid > 0)
        kill(w->box.pid, SIGKILL);
    w->h.gone(w->arg, e);
}

static void on_end(void *arg, int status) {
    struct workload *w = arg;
    struct err e;

    w->box.pid = -1;
    if (status && sandbox_cause(&w->box, &e))
        ; /* better than a number */
    else if (WIFSIGNALED(status))
        err_set(&e, "workload-died", "the workload was ended by signal %d", WTERMSIG(status));
    else
        err_set(&e, "workload-died", "the workload ended with status %d", WEXITSTATUS(status));
    give_up(w, &e);
}

static void on_limit(void *arg, unsigned ready) {
    struct workload *w = arg;
    struct err e;

    (void)ready;
    if (sandbox_breach(&w->box, &e))
        give_up(w, &e);
}

/* --- its output --- */

static void on_line(struct workload *w, struct view line) {
    struct contract_msg m;
    struct err e;

    if (contract_parse(line, &m, &e)) {
        give_up(w, &e);
        return;
    }
    w->h.message(w->arg, &m);
    contract_msg_free(&m);
}

static void split(struct workload *w) {
    struct err e;
    uint8_t *end;

    while (!w->gone && w->in.n && (end = memchr(w->in.p, '\n', w->in.n))) {
        size_t n = (size_t)(end - w->in.p);

        on_line(w, view_of(w->in.p, n));
        buf_drop(&w->in, n + 1);
    }
    if (!w->gone && w->in.n > CONTRACT_LINE_MAX) {
        err_set(&e, "bad-workload", "the workload's line is over %zu bytes", CONTRACT_LINE_MAX);
        give_up(w, &e);
    }
}

static void too_much(struct workload *w) {
    struct err e;

    err_set(&e, "workload-output", "the workload printed more than %llu MiB at once and was ended",
            (unsigned long long)(SAID_MAX / MIB));
    give_up(w, &e);
}

static void on_output(void *arg, unsigned ready) {
    struct workload *w = arg;
    uint8_t chunk[16384];
    ssize_t n = read(w->box.from, chunk, sizeof chunk);

    (void)ready;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) { /* its end is told by on_end */
        loop_fd_del(w->out_watch);
        w->out_watch = NULL;
        return;
    }
    w->said += (uint64_t)n;
    buf_add(&w->in, chunk, (size_t)n);
    if (w->said > SAID_MAX)
        too_much(w);
    else
        split(w);
}

void workload_pause(struct workload *w, bool pause) {
    w->paused = pause;
    if (w->plain)
        plain_pause(w->plain, pause);
    if (w->out_watch)
        loop_fd_want(w->out_watch, pause ? 0 : LOOP_IN);
}

/* --- its input --- */

static void write_some(struct workload *w) {
    while (w->out.n) {
        ssize_t n = write(w->box.to, w->out.p, w->out.n);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN) /* it has closed its input: its end will tell */
            buf_reset(&w->out);
        if (n <= 0)
            break;
        buf_drop(&w->out, (size_t)n);
    }
    if (w->in_watch)
        loop_fd_want(w->in_watch, w->out.n ? LOOP_OUT : 0);
}

static void on_input(void *arg, unsigned ready) {
    struct workload *w = arg;

    if (ready & LOOP_OUT)
        write_some(w);
    else if (ready & LOOP_HUP) {
        loop_fd_del(w->in_watch);
        w->in_watch = NULL;
    }
}

void workload_say(struct workload *w, struct view lines) {
    struct err e;

    if (w->gone)
        return;
    if (w->plain) {
        plain_take(w->plain, lines);
        return;
    }
    w->said = 0;
    buf_add(&w->out, lines.p, lines.n);
    if (w->out.full) {
        err_set(&e, "bad-workload", "the workload does not read its input");
        give_up(w, &e);
        return;
    }
    write_some(w);
}

/* --- start and end --- */

static int read_job(const char *root, struct contract_job *job, struct err *e) {
    cleanup_free char *path = mem_fmt("%s/%s", root, JOB_PATH);
    cleanup_buf struct buf text = {0};

    return file_read(path, 65536, &text, e) || contract_job_parse(buf_view(&text), job, e) ? -1 : 0;
}

static void describe(const struct contract_job *job, struct sandbox_spec *spec) {
    spec->shared = SHARED;
    spec->argv = job->argv;
    spec->env = job->env;
    spec->cwd = job->cwd;
    spec->uid = job->uid;
    spec->memory = job->memory_mib * MIB;
    spec->in_max = job->in_mib * MIB;
    spec->out_max = job->out_mib * MIB;
    spec->tmp_max = job->tmp_mib * MIB;
    spec->processes = job->processes;
    spec->files = job->files;
    spec->sockets = job->sockets;
    spec->system = job->system;
}

static void nonblocking(int fd) {
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static int start_program(struct workload *w, struct err *e) {
    if (sandbox_start(&w->spec, &w->box, e))
        return -1;
    nonblocking(w->box.to);
    nonblocking(w->box.from);
    w->in_watch = loop_fd_add(w->loop, w->box.to, 0, on_input, w);
    w->out_watch = loop_fd_add(w->loop, w->box.from, LOOP_IN, on_output, w);
    w->limit_watch = loop_fd_add(w->loop, sandbox_events(&w->box), LOOP_IN, on_limit, w);
    w->child = loop_child_add(w->loop, w->box.pid, on_end, w);
    return 0;
}

static void on_plain(void *arg, struct view line) {
    on_line(arg, line);
}

static int start(struct workload *w, struct err *e) {
    if (read_job(w->spec.root, &w->job, e))
        return -1;
    describe(&w->job, &w->spec);
    if (sandbox_make(&w->spec, &w->box, e))
        return -1;
    if (w->job.mode == CONTRACT_MODE_CONTRACT)
        return start_program(w, e);
    w->plain = plain_new(w->loop, &w->spec, &w->box, w->job.name, on_plain, w);
    return 0;
}

struct workload *workload_start(struct loop *l, const struct workload_place *at,
                                const struct workload_handler *h, void *arg, struct err *e) {
    struct workload *w = mem_new(sizeof *w);

    w->loop = l;
    w->h = *h;
    w->arg = arg;
    w->spec = (struct sandbox_spec){.root = at->root, .model = at->model, .gpus = at->gpus};
    w->box = (struct sandbox){.pid = -1, .to = -1, .from = -1};
    buf_init(&w->in, 2 * CONTRACT_LINE_MAX);
    buf_init(&w->out, QUEUE_MAX);
    if (start(w, e) == 0)
        return w;
    workload_free(w);
    return NULL;
}

void workload_free(struct workload *w) {
    if (!w)
        return;
    stop(w);
    loop_child_del(w->child);
    plain_free(w->plain);
    sandbox_end(&w->box);
    contract_job_free(&w->job);
    buf_wipe(&w->in);
    buf_wipe(&w->out);
    cleanup_free_fn(&w);
}

/* --- files --- */

int workload_put(struct workload *w, struct view data, char path[static 32], struct err *e) {
    cleanup_free char *name = mem_fmt("%s/%u", w->box.in, w->n_files);
    cleanup_fd int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);

    if (fd < 0 || fchmod(fd, 0444))
        return err_sys(e, errno, "cannot make %s", name);
    if (fd_write_all(fd, data, e)) {
        unlink(name);
        return err_set(e, "too-large", "the file does not fit into the guest");
    }
    snprintf(path, 32, "/in/%u", w->n_files++);
    return 0;
}

/* The program owns the folder and may change it while we look: one plain name in it, no link
 * followed, and what was opened is what is checked and read. */
static int open_out(int dir, const char *name, struct err *e) {
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd < 0)
        return err_set(e, "bad-workload", "the workload names a result file that cannot be opened");
    return fd;
}

static int read_plain(int fd, size_t max, struct buf *out, struct err *e) {
    uint8_t chunk[65536];
    struct stat st;
    ssize_t n;

    if (fstat(fd, &st) || !S_ISREG(st.st_mode))
        return err_set(e, "bad-workload", "the workload's result is not a plain file");
    while ((n = read(fd, chunk, sizeof chunk)) > 0) {
        if (out->n + (size_t)n > max)
            return err_set(e, "too-large", "the result file has more than %zu bytes", max);
        buf_add(out, chunk, (size_t)n);
    }
    return n < 0 ? err_sys(e, errno, "cannot read the result file") : 0;
}

int workload_get(struct workload *w, const char *path, size_t max, struct buf *out, struct err *e) {
    const char *name = path + 5;
    cleanup_fd int dir = open(w->box.out, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -1;

    if (strncmp(path, "/out/", 5) || strchr(name, '/'))
        return err_set(e, "bad-workload", "the workload's result file is not in /out");
    fd = open_out(dir, name, e);
    if (fd < 0 || read_plain(fd, max, out, e))
        return -1;
    unlinkat(dir, name, 0);
    return 0;
}
