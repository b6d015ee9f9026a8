#include "plain.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "contract.h"
#include "core/json.h"
#include "core/text.h"

#define CHUNK 8192         /* of output in one delta: escaped it is still one line */
#define RESULT_FILES_MAX 8 /* of one answer */
#define FOLDER_MAX 1024    /* entries of /out that are looked at */

struct plain {
    struct loop *loop;
    const struct sandbox_spec *spec;
    struct sandbox *box;
    const char *name;
    plain_line_fn *say;
    void *arg;
    char id[65]; /* of the question that runs */
    struct loop_fd *in_watch, *out_watch, *limit_watch;
    struct loop_child *child;
    struct buf question; /* what it has not read yet */
    struct buf raw;      /* the start of a character */
    cJSON *next;         /* a question that came while a cancelled program was being ended; owned */
    bool running, ended, closed, cancelled, paused;
    int status;
};

struct plain *plain_new(struct loop *l, const struct sandbox_spec *spec, struct sandbox *box,
                        const char *name, plain_line_fn *say, void *arg) {
    struct plain *p = mem_new(sizeof *p);

    *p = (struct plain){.loop = l, .spec = spec, .box = box, .name = name, .say = say, .arg = arg};
    return p;
}

/* --- lines in its name --- */

static void finish(struct plain *p, struct jw *w) {
    jw_end_obj(w);
    p->say(p->arg, buf_view(w->out));
    buf_wipe(w->out);
}

static void say_ready(struct plain *p) {
    struct buf line = {0};
    struct jw w = contract_begin(&line, "ready", NULL);

    jw_kstr(&w, "name", p->name);
    jw_key(&w, "caps");
    jw_arr(&w);
    jw_str(&w, "files");
    jw_end_arr(&w);
    finish(p, &w);
}

static void say_done(struct plain *p, const char *id) {
    struct buf line = {0};
    struct jw w = contract_begin(&line, "done", id);

    finish(p, &w);
}

static void say_error(struct plain *p, const char *id, const struct err *e) {
    struct buf line = {0};
    struct jw w = contract_begin(&line, "error", id);

    jw_kstr(&w, "code", e->code);
    jw_kstr(&w, "message", e->text);
    finish(p, &w);
}

static void say_text(struct plain *p, bool last) {
    struct buf line = {0}, text = {0};
    struct jw w = contract_begin(&line, "delta", p->id);

    plain_text(&p->raw, last, &text);
    jw_key(&w, "text");
    jw_view(&w, buf_view(&text));
    if (text.n)
        finish(p, &w);
    buf_wipe(&line);
    buf_wipe(&text);
}

/* --- what it leaves in /out --- */

static const char *mime_of(const char *name) {
    static const char *const known[][2] = {
        {".txt", "text/plain"},        {".md", "text/markdown"},
        {".csv", "text/csv"},          {".html", "text/html"},
        {".json", "application/json"}, {".pdf", "application/pdf"},
        {".png", "image/png"},         {".jpg", "image/jpeg"},
        {".jpeg", "image/jpeg"},       {".svg", "image/svg+xml"},
        {".zip", "application/zip"},   {".parquet", "application/vnd.apache.parquet"},
    };
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot && i < COUNT(known); i++)
        if (!strcasecmp(dot, known[i][0]))
            return known[i][1];
    return "application/octet-stream";
}

static void say_file(struct plain *p, const char *name) {
    cleanup_free char *path = mem_fmt("/out/%s", name);
    struct buf line = {0};
    struct jw w = contract_begin(&line, "file", p->id);

    jw_kstr(&w, "path", path);
    jw_kstr(&w, "name", name);
    jw_kstr(&w, "mime", mime_of(name));
    finish(p, &w);
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int take_entry(DIR *d, const char *name, char **names, size_t *n, struct err *e) {
    struct stat st;

    if (!strcmp(name, ".") || !strcmp(name, ".."))
        return 0;
    if (fstatat(dirfd(d), name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
        return err_set(e, "bad-workload", "the program left something in /out that is not a file");
    if (!utf8_valid(view_str(name)))
        return err_set(e, "bad-workload", "the program left a file whose name is not text");
    if (*n == RESULT_FILES_MAX)
        return err_set(e, "too-large", "the program left more than %d files", RESULT_FILES_MAX);
    names[(*n)++] = mem_str(name);
    return 0;
}

/* The program is gone by now: what is found here stays as it is. */
static int list_files(const char *folder, char **names, size_t *n, struct err *e) {
    DIR *d = opendir(folder);
    struct dirent *f;
    int rc = 0, seen = 0;

    if (!d)
        return err_sys(e, errno, "cannot list %s", folder);
    while (rc == 0 && (f = readdir(d)))
        rc = ++seen > FOLDER_MAX ? err_set(e, "too-large", "the program left too much in /out")
                                 : take_entry(d, f->d_name, names, n, e);
    closedir(d);
    qsort(names, *n, sizeof *names, by_name);
    return rc;
}

static int hand_over(struct plain *p, struct err *e) {
    char *names[RESULT_FILES_MAX];
    size_t n = 0;
    int rc = list_files(p->box->out, names, &n, e);

    for (size_t i = 0; i < n; i++) {
        if (rc == 0)
            say_file(p, names[i]);
        free(names[i]);
    }
    return rc;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f) {
    (void)st;
    (void)type;
    if (f->level)
        (void)remove(path);
    return 0;
}

/* --- one run --- */

static void stop_watching(struct plain *p) {
    loop_fd_del(p->in_watch);
    loop_fd_del(p->out_watch);
    loop_fd_del(p->limit_watch);
    loop_child_del(p->child);
    p->in_watch = p->out_watch = p->limit_watch = NULL;
    p->child = NULL;
}

static int judge(const struct plain *p, struct err *e) {
    if (p->cancelled)
        return err_set(e, "cancelled", "cancelled");
    if (p->status && sandbox_cause(p->box, e))
        return -1; /* better than a number */
    if (WIFSIGNALED(p->status))
        return err_set(e, "exit-status", "the program was ended by signal %d", WTERMSIG(p->status));
    if (WEXITSTATUS(p->status))
        return err_set(e, "exit-status", "the program ended with status %d",
                       WEXITSTATUS(p->status));
    return 0;
}

static void on_ask(struct plain *p, const cJSON *o);

static void ask_next(struct plain *p) {
    cJSON *o = p->next;

    p->next = NULL;
    if (o)
        on_ask(p, o);
    json_wipe(o);
}

/* Both have come: its end, and the end of its output. */
static void maybe_over(struct plain *p) {
    char id[sizeof p->id];
    struct err e;
    int rc;

    if (!p->ended || !p->closed)
        return;
    stop_watching(p);
    if (!p->cancelled)
        say_text(p, true);
    rc = judge(p, &e);
    if (rc == 0)
        rc = hand_over(p, &e);
    sandbox_stop(p->box);
    nftw(p->box->out, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    buf_wipe(&p->question);
    buf_wipe(&p->raw);
    p->running = false;
    memcpy(id, p->id, sizeof id);
    if (rc == 0)
        say_done(p, id);
    else
        say_error(p, id, &e);
    ask_next(p);
}

/* Process 1 of its namespace: with it goes everything that it started. */
static void on_end(void *arg, int status) {
    struct plain *p = arg;

    p->ended = true;
    p->status = status;
    p->box->pid = -1;
    maybe_over(p);
}

/* Its end will tell which limit it was. */
static void on_limit(void *arg, unsigned ready) {
    struct plain *p = arg;
    struct err ignored;

    (void)ready;
    if (p->box->pid > 0 && sandbox_breach(p->box, &ignored))
        kill(p->box->pid, SIGKILL);
}

static void on_output(void *arg, unsigned ready) {
    struct plain *p = arg;
    uint8_t chunk[CHUNK];
    ssize_t n = read(p->box->from, chunk, sizeof chunk);

    (void)ready;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0) {
        buf_add(&p->raw, chunk, (size_t)n);
        if (p->cancelled)
            buf_reset(&p->raw);
        else
            say_text(p, false);
        explicit_bzero(chunk, (size_t)n);
        return;
    }
    loop_fd_del(p->out_watch);
    p->out_watch = NULL;
    p->closed = true;
    maybe_over(p);
}

static void close_input(struct plain *p) {
    loop_fd_del(p->in_watch);
    p->in_watch = NULL;
    close(p->box->to);
    p->box->to = -1;
    buf_wipe(&p->question);
}

static void on_input(void *arg, unsigned ready) {
    struct plain *p = arg;
    ssize_t n = ready & LOOP_OUT ? write(p->box->to, p->question.p, p->question.n) : -1;

    if (n < 0 && (ready & LOOP_OUT) && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0)
        buf_drop(&p->question, (size_t)n);
    if (n < 0 || !p->question.n) /* it has all of it, or does not want it */
        close_input(p);
}

static void nonblocking(int fd) {
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static void watch_output(struct plain *p) {
    if (p->running && !p->closed && !p->paused && !p->out_watch)
        p->out_watch = loop_fd_add(p->loop, p->box->from, LOOP_IN, on_output, p);
}

static int start_program(struct plain *p, const char *text, struct err *e) {
    size_t n = strlen(text);

    if (sandbox_start(p->spec, p->box, e))
        return -1;
    p->running = true;
    p->ended = p->closed = p->cancelled = false;
    buf_add(&p->question, text, n);
    if (!n || text[n - 1] != '\n')
        buf_u8(&p->question, '\n');
    nonblocking(p->box->to);
    nonblocking(p->box->from);
    p->in_watch = loop_fd_add(p->loop, p->box->to, LOOP_OUT, on_input, p);
    watch_output(p);
    p->limit_watch = loop_fd_add(p->loop, sandbox_events(p->box), LOOP_IN, on_limit, p);
    p->child = loop_child_add(p->loop, p->box->pid, on_end, p);
    return 0;
}

/* Not watched at all: its end would be reported over and over. */
void plain_pause(struct plain *p, bool pause) {
    p->paused = pause;
    if (pause) {
        loop_fd_del(p->out_watch);
        p->out_watch = NULL;
    } else {
        watch_output(p);
    }
}

/* --- the agent's lines --- */

static void on_start(struct plain *p, const cJSON *o) {
    (void)o;
    say_ready(p);
}

/* The number under which it lies becomes the customer's name; a later file of that name replaces
 * it. */
static int name_file(struct plain *p, const cJSON *o, struct err *e) {
    const char *path = json_str(o, "path", e), *given = json_str(o, "name", e);
    cleanup_free char *name = given ? file_name_safe(view_str(given)) : NULL;
    cleanup_free char *from = path ? mem_fmt("%s/%s", p->box->in, path + strlen("/in/")) : NULL;
    cleanup_free char *to = name ? mem_fmt("%s/%s", p->box->in, name) : NULL;

    if (!from || !to)
        return -1;
    return rename(from, to) ? err_sys(e, errno, "cannot name the file '%s'", name) : 0;
}

static void on_file(struct plain *p, const cJSON *o) {
    const char *id = json_opt(o, "id");
    struct err e;

    if (name_file(p, o, &e) < 0)
        say_error(p, id, &e);
    else
        say_done(p, id);
}

static void on_ask(struct plain *p, const cJSON *o) {
    const char *id = json_opt(o, "id"), *text = json_opt(o, "text");
    struct err e;

    if (p->running && p->cancelled && !p->next) {
        p->next = cJSON_Duplicate(o, true);
        return;
    }
    if (!p->running)
        snprintf(p->id, sizeof p->id, "%s", id ? id : "");
    if (p->running)
        err_set(&e, "busy", "the program still works on another question");
    else if (start_program(p, text ? text : "", &e) == 0)
        return;
    say_error(p, id, &e);
}

static void on_cancel(struct plain *p, const cJSON *o) {
    const char *id = json_opt(o, "id");

    if (!p->running || !id || strcmp(id, p->id))
        return;
    p->cancelled = true;
    plain_pause(p, false); /* so that the end of its output is seen */
    if (p->box->pid > 0)
        kill(p->box->pid, SIGKILL);
}

static const struct {
    const char *type;
    void (*run)(struct plain *p, const cJSON *o);
} lines[] = {{"start", on_start}, {"file", on_file}, {"ask", on_ask}, {"cancel", on_cancel}};

static void take_line(struct plain *p, struct view line) {
    cJSON *o = json_parse(line, CONTRACT_LINE_MAX, NULL);
    const char *type = json_opt(o, "t");

    for (size_t i = 0; type && i < COUNT(lines); i++)
        if (!strcmp(type, lines[i].type))
            lines[i].run(p, o);
    json_wipe(o);
}

void plain_take(struct plain *p, struct view text) {
    const uint8_t *end;

    while (text.n && (end = memchr(text.p, '\n', text.n))) {
        size_t n = (size_t)(end - text.p);

        take_line(p, view_of(text.p, n));
        text = view_of(end + 1, text.n - n - 1);
    }
}

void plain_free(struct plain *p) {
    if (!p)
        return;
    stop_watching(p);
    buf_wipe(&p->question);
    buf_wipe(&p->raw);
    json_wipe(p->next);
    cleanup_free_fn(&p);
}
