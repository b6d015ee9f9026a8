#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/json.h"
#include "core/text.h"
#include "qmp.h"

struct ask {
    uint64_t id; /* 0: free */
    qmp_fn *fn;
    void *arg;
};
struct qmp {
    struct loop_fd *watch;
    int fd;
    struct buf in, out;
    bool ready; /* greeting seen, capabilities sent */
    bool closed;
    bool freed; /* qmp_free from inside a callback */
    unsigned busy;
    uint64_t next_id;
    struct ask asked[QMP_ASKED];
    struct qmp_handler h;
    void *arg;
};

/* --- the parser --- */

static int parse_error(const cJSON *o, struct qmp_line *out, struct err *e) {
    out->kind = QMP_ERROR;
    out->name = json_str(o, "desc", e);
    return out->name ? 0 : -1;
}

static int parse_event(const cJSON *tree, struct qmp_line *out, struct err *e) {
    out->kind = QMP_EVENT;
    out->name = json_str(tree, "event", e);
    out->value = cJSON_GetObjectItemCaseSensitive(tree, "data");
    return out->name ? 0 : -1;
}

static int parse_tree(struct qmp_line *out, struct err *e) {
    const cJSON *t = out->tree, *v;
    uint64_t id;

    if (!cJSON_IsObject(t))
        return err_set(e, "bad-qmp", "QMP sent something that is not an object");
    if (cJSON_GetObjectItemCaseSensitive(t, "id") && json_u64(t, "id", &id, e))
        out->id = id;
    if (cJSON_GetObjectItemCaseSensitive(t, "QMP")) {
        out->kind = QMP_GREETING;
        return 0;
    }
    if ((v = cJSON_GetObjectItemCaseSensitive(t, "return"))) {
        out->kind = QMP_RETURN;
        out->value = v;
        return 0;
    }
    if ((v = cJSON_GetObjectItemCaseSensitive(t, "error")))
        return parse_error(v, out, e);
    if (cJSON_GetObjectItemCaseSensitive(t, "event"))
        return parse_event(t, out, e);
    return err_set(e, "bad-qmp", "QMP sent an object of no known kind");
}

int qmp_parse(struct view line, struct qmp_line *out, struct err *e) {
    *out = (struct qmp_line){0};
    out->tree = json_parse(line, QMP_LINE_MAX, e);
    if (!out->tree || parse_tree(out, e) < 0) {
        qmp_line_free(out);
        return err_wrap(e, "QMP");
    }
    return 0;
}

void qmp_line_free(struct qmp_line *l) {
    cJSON_Delete(l->tree);
    *l = (struct qmp_line){0};
}

/* --- the client --- */

static void fail_all(struct qmp *q, const struct err *why) {
    for (size_t i = 0; i < QMP_ASKED; i++) {
        struct ask a = q->asked[i];

        q->asked[i].id = 0;
        if (a.id && a.fn && !q->freed)
            a.fn(a.arg, NULL, why);
    }
}

static void close_with(struct qmp *q, const struct err *why) {
    if (q->closed)
        return;
    q->closed = true;
    loop_fd_del(q->watch);
    q->watch = NULL;
    fail_all(q, why);
    if (q->h.closed && !q->freed)
        q->h.closed(q->arg, why);
}

static void flush(struct qmp *q) {
    while (q->out.n) {
        ssize_t n = send(q->fd, q->out.p, q->out.n, MSG_NOSIGNAL);

        if (n < 0)
            break; /* EAGAIN: the loop calls again; a dead peer shows on reading */
        buf_drop(&q->out, (size_t)n);
    }
    if (q->watch)
        loop_fd_want(q->watch, LOOP_IN | (q->out.n ? LOOP_OUT : 0));
}

static void answered(struct qmp *q, const struct qmp_line *l) {
    struct err e;

    for (size_t i = 0; i < QMP_ASKED; i++) {
        struct ask a = q->asked[i];

        if (!a.id || a.id != l->id)
            continue;
        q->asked[i].id = 0;
        if (l->kind == QMP_ERROR) {
            cleanup_free char *safe = text_safe_new(view_str(l->name), TEXT_LINE, 100);

            err_set(&e, "qmp", "QEMU refused: %s", safe);
        }
        if (a.fn)
            a.fn(a.arg, l->kind == QMP_RETURN ? l->value : NULL, l->kind == QMP_ERROR ? &e : NULL);
        return;
    }
}

/* The capabilities command has number 0 and its answer is not waited for: QEMU takes commands in
 * order. What was asked before the greeting stands behind it in `out`. */
static void greeted(struct qmp *q) {
    static const char caps[] = "{\"execute\":\"qmp_capabilities\"}\n";
    struct buf rest = q->out;

    if (q->ready)
        return;
    q->ready = true;
    q->out = (struct buf){.max = QMP_LINE_MAX};
    buf_str(&q->out, caps);
    buf_add(&q->out, rest.p, rest.n);
    buf_free(&rest);
    flush(q);
}

static void take_line(struct qmp *q, struct view line) {
    struct qmp_line l;
    struct err e;

    if (line.n == 0)
        return;
    if (qmp_parse(line, &l, &e) < 0) {
        close_with(q, &e);
        return;
    }
    switch (l.kind) {
    case QMP_GREETING:
        greeted(q);
        break;
    case QMP_RETURN:
    case QMP_ERROR:
        answered(q, &l);
        break;
    case QMP_EVENT:
        if (q->h.event)
            q->h.event(q->arg, l.name, l.value);
        break;
    }
    qmp_line_free(&l);
}

static void take_lines(struct qmp *q) {
    const uint8_t *nl;

    while (!q->closed && !q->freed && q->in.n && (nl = memchr(q->in.p, '\n', q->in.n))) {
        size_t n = (size_t)(nl - q->in.p), keep = n && nl[-1] == '\r' ? n - 1 : n;
        cleanup_free char *line = mem_strn(q->in.p, keep); /* a callback may feed us again */

        buf_drop(&q->in, n + 1);
        take_line(q, view_of(line, keep));
    }
}

static void on_ready(void *arg, unsigned ready) {
    struct qmp *q = arg;
    char b[8192];
    ssize_t n;
    struct err e;

    if (ready & LOOP_OUT)
        flush(q);
    if (!(ready & (LOOP_IN | LOOP_HUP)))
        return;
    n = read(q->fd, b, sizeof b);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    q->busy++;
    if (n > 0)
        buf_add(&q->in, b, (size_t)n);
    if (n <= 0 || q->in.full) {
        err_set(&e, "qmp-closed", n <= 0 ? "QEMU closed QMP" : "QEMU sent an endless QMP line");
        close_with(q, &e);
    } else {
        take_lines(q);
    }
    if (--q->busy == 0 && q->freed)
        qmp_free(q);
}

struct qmp *qmp_new(struct loop *l, int fd, const struct qmp_handler *h, void *arg) {
    struct qmp *q = mem_new(sizeof *q);

    *q = (struct qmp){.fd = fd, .h = *h, .arg = arg, .next_id = 1};
    q->in.max = QMP_LINE_MAX + 2;
    q->out.max = QMP_LINE_MAX;
    q->watch = loop_fd_add(l, fd, LOOP_IN, on_ready, q);
    q->closed = !q->watch;
    return q;
}

void qmp_free(struct qmp *q) {
    if (!q)
        return;
    q->freed = true;
    if (q->busy)
        return;
    loop_fd_del(q->watch);
    buf_free(&q->in);
    buf_free(&q->out);
    free(q);
}

static int submit(struct qmp *q, struct ask ask, const char *command, const char *arguments,
                  struct err *e) {
    struct ask *slot = NULL;

    if (q->closed)
        return err_set(e, "qmp-closed", "QMP is closed");
    for (size_t i = 0; i < QMP_ASKED && !slot; i++)
        if (!q->asked[i].id)
            slot = &q->asked[i];
    if (!slot)
        return err_set(e, "busy", "%d QMP commands are waiting already", QMP_ASKED);
    ask.id = q->next_id++;
    *slot = ask;
    buf_fmt(&q->out, "{\"execute\":\"%s\",%s\"id\":%llu}\n", command, arguments,
            (unsigned long long)ask.id);
    if (q->ready)
        flush(q);
    return 0;
}

int qmp_ask(struct qmp *q, const char *command, qmp_fn *fn, void *arg, struct err *e) {
    return submit(q, (struct ask){0, fn, arg}, command, "", e);
}

int qmp_ask_type(struct qmp *q, const char *type, qmp_fn *fn, void *arg, struct err *e) {
    cleanup_free char *arguments = mem_fmt("\"arguments\":{\"typename\":\"%s\"},", type);

    return submit(q, (struct ask){0, fn, arg}, "qom-list-properties", arguments, e);
}
