#include "llama.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "core/text.h"
#include "llama_priv.h"

#define ARGS_MAX 64
#define REPLY_MAX ((size_t)4 << 20)
#define LOG_TAIL 4096
#define WAIT_MS 50
#define CONTEXT_MAX (1U << 20)

/* --- the process --- */

struct args {
    char *v[ARGS_MAX + 1];
    size_t n;
};

static void arg(struct args *a, const char *s) {
    if (a->n < ARGS_MAX)
        a->v[a->n++] = mem_str(s);
}

static void arg_pair(struct args *a, const char *key, uint64_t value) {
    cleanup_free char *s = mem_fmt("%llu", (unsigned long long)value);

    arg(a, key);
    arg(a, s);
}

/* One slot and no prompt store: one customer, one conversation. -lv 1: errors only. */
static void make_args(const struct llama *l, struct args *a) {
    static const char *const fixed[] = {
        "--offline", "--no-ui", "--no-slots", "--no-warmup",    "-np", "1",   "--cache-ram",
        "0",         "-fit",    "off",        "--threads-http", "2",   "-lv", "1"};
    const struct llama_spec *s = &l->spec;

    for (const char *const *p = s->argv; *p; p++)
        arg(a, *p);
    for (size_t i = 0; i < COUNT(fixed); i++)
        arg(a, fixed[i]);
    arg(a, "-m");
    arg(a, s->model);
    arg(a, "--host");
    arg(a, l->socket);
    arg_pair(a, "-t", s->threads);
    arg_pair(a, "-tb", s->threads);
    arg_pair(a, "-c", s->context);
    if (s->embedding)
        arg(a, "--embeddings");
    else if (s->emulated) {
        arg_pair(a, "-b", 16);
        arg_pair(a, "-ub", 16);
    }
}

static void free_args(struct args *a) {
    for (size_t i = 0; i < a->n; i++)
        free(a->v[i]);
}

/* The child: its input is an empty pipe, its output the log. It dies with us. */
_Noreturn static void child(char *const *argv, char *const *env, int in, int log) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) || dup2(in, STDIN_FILENO) < 0 ||
        dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
        _exit(126);
    execve(argv[0], argv, env);
    _exit(127);
}

static int spawn_with(struct llama *l, char *const *argv, int log, struct err *e) {
    static char passive[] = "OMP_WAIT_POLICY=passive";
    char *const env[] = {l->spec.emulated ? passive : NULL, NULL};
    int in[2];

    if (pipe2(in, O_CLOEXEC))
        return err_sys(e, errno, "cannot make a pipe");
    l->pid = fork();
    if (!l->pid)
        child(argv, env, in[0], log);
    close(in[0]);
    close(in[1]);
    return l->pid < 0 ? err_sys(e, errno, "cannot start the engine") : 0;
}

/* It leaves its socket behind and would not start over an old one. */
static int spawn(struct llama *l, struct err *e) {
    cleanup_fd int log = open(l->log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    struct args a = {0};
    int rc;

    unlink(l->socket);
    if (log < 0)
        return err_sys(e, errno, "cannot make %s", l->log);
    make_args(l, &a);
    rc = spawn_with(l, a.v, log, e);
    free_args(&a);
    return rc;
}

struct llama *llama_start(const struct llama_spec *s, struct err *e) {
    struct llama *l = mem_new(sizeof *l);

    l->spec = *s;
    l->pid = -1;
    l->socket = mem_fmt("%s/%s.sock", s->folder, s->name);
    l->log = mem_fmt("%s/%s.log", s->folder, s->name);
    if (!spawn(l, e))
        return l;
    llama_free(l);
    return NULL;
}

void llama_free(struct llama *l) {
    if (!l)
        return;
    if (l->pid > 0) {
        kill(l->pid, SIGKILL);
        while (waitpid(l->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    unlink(l->socket);
    unlink(l->log);
    free(l->socket);
    free(l->log);
    cleanup_free_fn(&l);
}

bool llama_alive(struct llama *l) {
    if (l->pid > 0 && waitpid(l->pid, &l->status, WNOHANG) == l->pid)
        l->pid = -1;
    return l->pid > 0;
}

/* --- what it says of itself --- */

/* "0.00.057.910 E srv start: couldn't ..." -> "srv start: couldn't ..."; NULL for other lines. */
static const char *error_in(const char *line) {
    const char *at = strstr(line, " E ");

    return at ? at + 3 + strspn(at + 3, " ") : NULL;
}

/* An error line at the end of its log: the first there while it loads (what follows are
 * consequences), later the last. Owned; NULL = none. */
static char *last_words(const struct llama *l) {
    cleanup_fd int fd = open(l->log, O_RDONLY | O_CLOEXEC);
    char text[LOG_TAIL + 1], *line = text, *end;
    const char *found = NULL;
    struct stat st;
    ssize_t n;

    if (fd < 0 || fstat(fd, &st))
        return NULL;
    n = pread(fd, text, LOG_TAIL, st.st_size > LOG_TAIL ? st.st_size - LOG_TAIL : 0);
    text[n > 0 ? n : 0] = 0;
    for (; (end = strchr(line, '\n')); line = end + 1) {
        *end = 0;
        if (error_in(line) && (!found || l->context))
            found = error_in(line);
    }
    return found ? text_safe_new(view_str(found), TEXT_LINE, 160) : NULL;
}

int llama_explain(struct llama *l, struct err *e) {
    cleanup_free char *words = NULL;

    if (llama_alive(l))
        return -1;
    words = last_words(l);
    if (WIFSIGNALED(l->status))
        return err_set(e, "engine-gone", "the engine was ended by signal %d%s%s",
                       WTERMSIG(l->status), words ? ": " : "", words ? words : "");
    return err_set(e, "engine-gone", "the engine ended with status %d%s%s", WEXITSTATUS(l->status),
                   words ? ": " : "", words ? words : "");
}

/* --- its JSON --- */

cJSON *llama_json(struct view text) {
    cJSON *o = text.n ? cJSON_ParseWithLength((const char *)text.p, text.n) : NULL;

    if (cJSON_IsObject(o))
        return o;
    json_wipe(o);
    return NULL;
}

static double number(const cJSON *o, const char *key) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

    return cJSON_IsNumber(v) && v->valuedouble > 0 && v->valuedouble < 1e12 ? v->valuedouble : 0;
}

uint64_t llama_uint(const cJSON *o, const char *key) {
    return (uint64_t)number(o, key);
}

uint64_t llama_micros(const cJSON *o, const char *key) {
    return (uint64_t)(number(o, key) * 1000);
}

/* {"error":{"code","message","type","n_prompt_tokens","n_ctx"}} */
int llama_refused(int status, const cJSON *o, struct err *e) {
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(o, "error");
    const char *type = json_opt(error, "type"), *message = json_opt(error, "message");
    cleanup_free char *why = text_safe_new(view_str(message ? message : ""), TEXT_LINE, 200);

    if (type && !strcmp(type, "exceed_context_size_error"))
        return err_set(e, "too-long",
                       "the prompt has %llu tokens and the model's context holds %llu",
                       (unsigned long long)llama_uint(error, "n_prompt_tokens"),
                       (unsigned long long)llama_uint(error, "n_ctx"));
    if (status == 200)
        return err_set(e, "engine-error", "the engine gave up: %s",
                       *why ? why : "it did not say why");
    return err_set(e, "engine-error", "the engine refused (HTTP %d): %s", status,
                   *why ? why : "it did not say why");
}

cJSON *llama_fetch(struct llama *l, const char *path, struct view body,
                   const struct unixhttp_watch *w, struct err *e) {
    cleanup_buf struct buf reply = {0};
    cJSON *o;
    int status;

    if (unixhttp_fetch(l->socket, path, body, REPLY_MAX, w, &status, &reply, e)) {
        if (e && !strcmp(e->code, "engine-gone"))
            (void)llama_explain(l, e);
        return NULL;
    }
    o = llama_json(buf_view(&reply));
    if (status == 200 && o)
        return o;
    if (status == 200)
        err_set(e, "bad-engine", "the engine's answer is no JSON object");
    else
        (void)llama_refused(status, o, e);
    json_wipe(o);
    return NULL;
}

/* --- until it is ready --- */

static int read_facts(struct llama *l, const struct unixhttp_watch *w, struct err *e) {
    cJSON *o = llama_fetch(l, "/props", view_of(NULL, 0), w, e);
    const cJSON *usual = cJSON_GetObjectItemCaseSensitive(o, "default_generation_settings");
    const cJSON *caps = cJSON_GetObjectItemCaseSensitive(o, "chat_template_caps");
    uint64_t context = llama_uint(usual, "n_ctx");

    if (!o)
        return -1;
    l->system = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(caps, "supports_system_role"));
    l->context = context < CONTEXT_MAX ? (uint32_t)context : CONTEXT_MAX;
    json_wipe(o);
    return l->context ? 0 : err_set(e, "bad-engine", "the engine does not tell its context");
}

/* 1 = loaded, 0 = not yet (no socket, or HTTP 503 while it loads), -1 = gone or stopped. */
static int poll_health(struct llama *l, const struct unixhttp_watch *w, struct err *e) {
    cleanup_buf struct buf reply = {0};
    int status, rc;

    rc = unixhttp_fetch(l->socket, "/health", view_of(NULL, 0), 4096, w, &status, &reply, e);
    if (!rc && status == 200)
        return 1;
    if (rc && strcmp(e->code, "engine-gone"))
        return -1;
    if (!llama_alive(l))
        return llama_explain(l, e);
    if (w && w->stop && w->stop(w->arg))
        return err_set(e, "cancelled", "cancelled");
    return w && w->deadline && unixhttp_now() > w->deadline
               ? err_set(e, "engine-slow", "the engine did not load the model in time")
               : 0;
}

int llama_wait(struct llama *l, const struct unixhttp_watch *w, struct err *e) {
    const struct timespec pause = {.tv_nsec = WAIT_MS * 1000000L};
    struct err why;
    int rc;

    while (!(rc = poll_health(l, w, &why)))
        nanosleep(&pause, NULL);
    if (rc < 0)
        return err_set(e, why.code, "%s", why.text);
    if (read_facts(l, w, e))
        return -1;
    return l->spec.embedding ? llama_learn_dims(l, w, e) : 0;
}

uint32_t llama_context(const struct llama *l) {
    return l->context;
}

bool llama_system(const struct llama *l) {
    return l->system;
}
