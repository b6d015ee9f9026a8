#include "answers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/enc.h"
#include "core/loop.h"
#include "core/text.h"
#include "outfile.h"

#define QUESTIONS_MAX 16
#define FILES_MAX 8 /* result files of one answer */
#define TEXT_MAX ((size_t)1 << 20)
#define DELTA_MAX ((size_t)8000)    /* bytes of text in one delta */
#define BACKLOG_MAX ((size_t)65536) /* text not yet sent: the workload waits over it */
#define PROGRESS_MS 500
#define FILE_MAX ((size_t)XFER_FILE_MAX)

struct question {
    uint8_t id[32];
    char hex[65];
    char *text;
};
struct upload { /* a file that the workload has been given, until it says done or error */
    uint8_t id[32];
    char xid[33];
};
/* The answer being made. */
struct answer {
    struct buf text;
    size_t sent; /* of text, in deltas */
    unsigned n_deltas;
    int64_t last_delta, last_progress;
    cJSON *table; /* the contract's table; owned */
    bool told_table;
    struct outfile *file[FILES_MAX];
    uint8_t xid[16]; /* of the first file */
    size_t n_files, files_sent;
    bool finished, too_long, counted;
    struct talk_usage usage; /* where counted */
    struct err error;        /* code "" when it went well */
};
struct answers {
    struct talk *talk;
    struct blobs *blobs;
    struct workload *workload;
    bool free_pace, hold, running;
    struct question queue[QUESTIONS_MAX]; /* [0] is the one that runs, if one does */
    size_t n;
    struct answer now;
    struct upload uploads[XFER_OPEN_MAX];
    size_t n_uploads;
    bool progress_due;
    cJSON *progress;   /* the newest one; owned */
    struct err failed; /* the workload is gone: why */
};

struct answers *answers_new(struct talk *t, struct blobs *b, bool free_pace) {
    struct answers *a = mem_new(sizeof *a);

    a->talk = t;
    a->blobs = b;
    a->free_pace = free_pace;
    return a;
}

static void answer_clear(struct answer *n) {
    for (size_t i = 0; i < n->n_files; i++)
        outfile_free(n->file[i]);
    buf_wipe(&n->text);
    json_wipe(n->table);
    *n = (struct answer){0};
}

static void question_drop(struct answers *a, size_t i) {
    char *text = a->queue[i].text;

    explicit_bzero(text, strlen(text));
    free(text);
    a->n--;
    memmove(&a->queue[i], &a->queue[i + 1], (a->n - i) * sizeof a->queue[0]);
}

void answers_free(struct answers *a) {
    if (!a)
        return;
    while (a->n)
        question_drop(a, a->n - 1);
    answer_clear(&a->now);
    json_wipe(a->progress);
    cleanup_free_fn(&a);
}

void answers_workload(struct answers *a, struct workload *w) {
    a->workload = w;
}

bool answers_idle(const struct answers *a) {
    return !a->n && !a->n_uploads;
}

/* A sentence as the answer to something that never ran. Lost when 256 messages wait: so is the
 * customer. */
void answers_refuse(struct answers *a, const uint8_t id[static 32], const struct err *e) {
    struct err ignored;

    (void)!talk_send_answer(a->talk, view_str(e->text), id, e->code, NULL, &ignored);
}

static void refuse(struct answers *a, const uint8_t id[static 32], const char *code,
                   const char *sentence) {
    struct err e;

    err_set(&e, code, "%s", sentence);
    answers_refuse(a, id, &e);
}

/* --- from the customer --- */

void answers_ask(struct answers *a, const uint8_t id[static 32], struct view text) {
    struct question *q = &a->queue[a->n];

    if (*a->failed.code) {
        answers_refuse(a, id, &a->failed);
        return;
    }
    if (a->n == QUESTIONS_MAX) {
        refuse(a, id, "busy", "too many questions are waiting: ask again later");
        return;
    }
    a->n++;
    memcpy(q->id, id, 32);
    hex_encode(view_of(id, 32), q->hex);
    q->text = mem_strn(text.p, text.n);
}

static void say(struct answers *a, const struct buf *lines) {
    if (a->workload)
        workload_say(a->workload, buf_view(lines));
}

void answers_cancel(struct answers *a, const uint8_t id[static 32]) {
    cleanup_buf struct buf line = {0};

    for (size_t i = 0; i < a->n; i++) {
        if (memcmp(a->queue[i].id, id, 32))
            continue;
        if (i == 0 && a->running) {
            contract_cancel(&line, a->queue[i].hex);
            say(a, &line);
        } else {
            refuse(a, id, "cancelled", "cancelled before it was begun");
            question_drop(a, i);
        }
        return;
    }
}

static int give_file(struct answers *a, const uint8_t id[static 32], const struct xfer_meta *m,
                     struct view data, struct err *e) {
    struct upload *u = &a->uploads[a->n_uploads];
    cleanup_buf struct buf line = {0};
    char path[32];

    if (a->n_uploads == COUNT(a->uploads))
        return err_set(e, "busy", "too many files wait for the workload");
    if (workload_put(a->workload, data, path, e))
        return -1;
    memcpy(u->id, id, 32);
    hex_encode(view_of(m->xid, 16), u->xid);
    a->n_uploads++;
    contract_file(&line, u->xid, m->name, path, m->sha256);
    say(a, &line);
    return 0;
}

void answers_file(struct answers *a, const uint8_t id[static 32], const struct xfer_meta *m,
                  struct view data) {
    struct err e;

    if (*a->failed.code)
        answers_refuse(a, id, &a->failed);
    else if (give_file(a, id, m, data, &e))
        answers_refuse(a, id, &e);
}

void answers_hold(struct answers *a, bool hold) {
    a->hold = hold;
}

/* --- from the workload --- */

static bool about_current(const struct answers *a, const struct contract_msg *m) {
    return a->running && m->id && !strcmp(m->id, a->queue[0].hex);
}

static struct upload *find_upload(struct answers *a, const char *id) {
    for (size_t i = 0; id && i < a->n_uploads; i++)
        if (!strcmp(a->uploads[i].xid, id))
            return &a->uploads[i];
    return NULL;
}

static void upload_done(struct answers *a, struct upload *u) {
    a->n_uploads--;
    memmove(u, u + 1, (size_t)(&a->uploads[a->n_uploads] - u) * sizeof *u);
}

static void on_upload(struct answers *a, struct upload *u, const struct contract_msg *m) {
    if (m->type == CONTRACT_ERROR)
        refuse(a, u->id, m->code, m->message);
    if (m->type == CONTRACT_ERROR || m->type == CONTRACT_DONE)
        upload_done(a, u);
}

static void set_error(struct answer *n, const char *code, const char *sentence) {
    err_set(&n->error, code, "%s", sentence);
    n->finished = true;
}

static void on_delta(struct answers *a, const struct contract_msg *m) {
    struct view text = view_str(m->text);

    if (a->now.text.n + text.n > TEXT_MAX)
        a->now.too_long = true;
    else
        buf_add(&a->now.text, text.p, text.n);
}

/* Owning the parsed line is cheaper than copying a table. */
static void on_table(struct answers *a, const struct contract_msg *m) {
    json_wipe(a->now.table);
    a->now.table = cJSON_Duplicate(m->o, true);
}

static int take_result(struct answers *a, const struct contract_msg *m, struct err *e) {
    struct answer *n = &a->now;
    cleanup_buf struct buf data = {0};
    struct xfer_meta meta;

    if (n->n_files == FILES_MAX)
        return err_set(e, "too-large", "more than %d result files", FILES_MAX);
    buf_init(&data, FILE_MAX);
    if (workload_get(a->workload, m->path, FILE_MAX, &data, e))
        return -1;
    xfer_meta_init(&meta, m->name, m->mime, "file", a->queue[0].id, buf_view(&data));
    if (!n->n_files)
        memcpy(n->xid, meta.xid, sizeof n->xid);
    n->file[n->n_files++] = outfile_new(a->talk, a->blobs, &meta, &data);
    return 0;
}

static void on_result(struct answers *a, const struct contract_msg *m) {
    struct err e;

    if (take_result(a, m, &e))
        set_error(&a->now, e.code, e.text);
}

static void on_sources(struct answers *a, const struct contract_msg *m) {
    cleanup_buf struct buf body = {0};
    struct jw w = jw_new(&body);
    struct err ignored;

    jw_kstr(&w, "e", a->queue[0].hex);
    jw_key(&w, "sources");
    jw_json(&w, m->list);
    (void)!talk_send(a->talk, "sources", buf_view(&body), NULL, &ignored);
}

/* Of an object that is the workload's own matter: what is in it as expected is passed on. */
static void on_usage(struct answer *n, const cJSON *usage) {
    const char *finish = json_opt(usage, "finish");

    n->counted = json_u64(usage, "prompt", &n->usage.prompt, NULL) &&
                 json_u64(usage, "completion", &n->usage.completion, NULL);
    snprintf(n->usage.finish, sizeof n->usage.finish, "%s",
             finish && text_ascii_printable(view_str(finish)) ? finish : "");
}

static void on_current(struct answers *a, const struct contract_msg *m) {
    switch (m->type) {
    case CONTRACT_DELTA:
        on_delta(a, m);
        return;
    case CONTRACT_TABLE:
        on_table(a, m);
        return;
    case CONTRACT_FILE:
        on_result(a, m);
        return;
    case CONTRACT_SOURCES:
        on_sources(a, m);
        return;
    case CONTRACT_DONE:
        if (m->usage)
            on_usage(&a->now, m->usage);
        a->now.finished = true;
        return;
    case CONTRACT_ERROR:
        set_error(&a->now, m->code, m->message);
        return;
    case CONTRACT_PROGRESS:
    case CONTRACT_READY:
        return;
    }
}

static void on_progress(struct answers *a, const struct contract_msg *m) {
    json_wipe(a->progress);
    a->progress = cJSON_Duplicate(m->o, true);
    a->progress_due = true;
}

void answers_message(struct answers *a, const struct contract_msg *m) {
    struct upload *u = find_upload(a, m->id);

    if (m->type == CONTRACT_PROGRESS && (u || about_current(a, m)))
        on_progress(a, m);
    else if (u)
        on_upload(a, u, m);
    else if (about_current(a, m))
        on_current(a, m);
}

void answers_fail(struct answers *a, const struct err *e) {
    a->failed = *e;
    a->workload = NULL;
    if (a->running && !a->now.finished)
        set_error(&a->now, e->code, e->text);
    while (a->n > (size_t)a->running) {
        answers_refuse(a, a->queue[a->n - 1].id, e);
        question_drop(a, a->n - 1);
    }
    while (a->n_uploads)
        answers_refuse(a, a->uploads[--a->n_uploads].id, e);
}

void answers_stored(struct answers *a, const uint8_t sha256[static 32], bool ok) {
    for (size_t i = 0; i < a->now.n_files; i++)
        outfile_stored(a->now.file[i], sha256, ok);
}

/* --- to the customer --- */

static size_t whole_chars(struct view text, size_t max) {
    if (text.n <= max)
        return text.n;
    while (max && (text.p[max] & 0xc0) == 0x80)
        max--;
    return max;
}

static void send_delta(struct answers *a, int64_t now) {
    struct answer *n = &a->now;
    size_t left = n->text.n - n->sent;
    struct view piece = view_of(n->text.p ? n->text.p + n->sent : NULL, left);
    cleanup_buf struct buf body = {0};
    struct jw w = jw_new(&body);
    struct err ignored;

    n->last_delta =
        now - n->last_delta < 2 * ANSWERS_PACE_MS ? n->last_delta + ANSWERS_PACE_MS : now;
    piece.n = whole_chars(piece, DELTA_MAX);
    jw_kstr(&w, "e", a->queue[0].hex);
    jw_kint(&w, "i", n->n_deltas++);
    jw_key(&w, "text");
    jw_view(&w, piece);
    if (!talk_send(a->talk, "delta", buf_view(&body), NULL, &ignored))
        n->sent += piece.n;
}

static bool delta_due(const struct answers *a, int64_t now) {
    const struct answer *n = &a->now;

    if (n->finished || talk_busy(a->talk)) /* the next one will hold more */
        return false;
    return a->free_pace ? n->sent < n->text.n : now - n->last_delta >= ANSWERS_PACE_MS;
}

static void copy_key(struct jw *w, const cJSON *o, const char *key) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

    if (!v)
        return;
    jw_key(w, key);
    jw_json(w, v);
}

/* Loading is told on the question that waits for it; without one there is nobody to tell. */
static void send_progress(struct answers *a, int64_t now) {
    static const char *const keys[] = {"done", "total", "unit", "note"};
    cleanup_buf struct buf body = {0};
    struct jw w = jw_new(&body);
    struct err ignored;

    a->now.last_progress = now;
    a->progress_due = false;
    if (!a->n)
        return;
    jw_kstr(&w, "e", a->queue[0].hex);
    for (size_t i = 0; i < COUNT(keys); i++)
        copy_key(&w, a->progress, keys[i]);
    (void)!talk_send(a->talk, "progress", buf_view(&body), NULL, &ignored);
}

static void table_body(const struct answers *a, int rows, struct buf *body) {
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(a->now.table, "rows"), *row;
    struct jw w = jw_new(body);

    jw_kstr(&w, "e", a->queue[0].hex);
    copy_key(&w, a->now.table, "columns");
    jw_key(&w, "rows");
    jw_arr(&w);
    cJSON_ArrayForEach(row, list) if (rows-- > 0) jw_json(&w, row);
    jw_end_arr(&w);
    copy_key(&w, a->now.table, "total");
    if (a->now.n_files)
        jw_khex(&w, "file", view_of(a->now.xid, sizeof a->now.xid));
}

/* As many rows as fit one message. */
static int send_table(struct answers *a, struct err *e) {
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(a->now.table, "rows");
    int rows = cJSON_GetArraySize(list);

    for (;; rows /= 2) {
        cleanup_buf struct buf body = {0};

        table_body(a, rows, &body);
        if (!talk_send(a->talk, "table", buf_view(&body), NULL, e))
            return 1;
        if (strcmp(e->code, "too-large") || !rows)
            return !strcmp(e->code, "busy") ? 0 : -1;
    }
}

/* Each of these: 1 = done, 0 = later, -1 = cannot be sent at all. */
static int step_table(struct answers *a, struct err *e) {
    int rc = a->now.table && !a->now.told_table ? send_table(a, e) : 1;

    a->now.told_table |= rc != 0;
    return rc;
}

static int step_files(struct answers *a, struct err *e) {
    int rc = 1;

    while (a->now.files_sent < a->now.n_files &&
           (rc = outfile_step(a->now.file[a->now.files_sent], e)) == 1)
        a->now.files_sent++;
    return rc;
}

static int send_text_file(struct answers *a, struct err *e) {
    struct answer *n = &a->now;
    struct xfer_meta meta;

    if (n->n_files == FILES_MAX)
        return err_set(e, "too-large", "the answer has too many parts");
    xfer_meta_init(&meta, "answer.txt", "text/plain", "text", a->queue[0].id, buf_view(&n->text));
    n->file[n->n_files++] = outfile_new(a->talk, a->blobs, &meta, &n->text);
    return 0;
}

static int step_answer(struct answers *a, struct err *e) {
    struct answer *n = &a->now;
    bool failed = *n->error.code;
    struct view text = failed ? view_str(n->error.text) : buf_view(&n->text);

    if (!talk_send_answer(a->talk, text, a->queue[0].id, failed ? n->error.code : NULL,
                          n->counted ? &n->usage : NULL, e))
        return 1;
    if (!strcmp(e->code, "too-large") && !failed)
        return send_text_file(a, e);
    return !strcmp(e->code, "busy") ? 0 : -1;
}

static void finish(struct answers *a) {
    static int (*const steps[])(struct answers *, struct err *) = {step_table, step_files,
                                                                   step_answer};
    struct err e;

    for (size_t i = 0; i < COUNT(steps); i++) {
        int rc = steps[i](a, &e);

        if (!rc)
            return;
        if (rc < 0 && !*a->now.error.code)
            set_error(&a->now, e.code, e.text);
    }
    answer_clear(&a->now);
    a->running = false;
    question_drop(a, 0);
}

static void begin(struct answers *a, int64_t now) {
    cleanup_buf struct buf line = {0};
    struct question *q = &a->queue[0];

    answer_clear(&a->now);
    buf_init(&a->now.text, TEXT_MAX);
    a->now.last_delta = now;
    a->running = true;
    if (contract_ask(&line, q->hex, view_str(q->text)))
        say(a, &line);
    else
        set_error(&a->now, "too-large", "the question is too long for the workload");
}

static void check_length(struct answers *a) {
    cleanup_buf struct buf line = {0};

    if (!a->now.too_long || a->now.finished)
        return;
    contract_cancel(&line, a->queue[0].hex);
    say(a, &line);
    set_error(&a->now, "too-large", "the answer has more than 1 MiB of text");
}

static void throttle(struct answers *a) {
    if (a->workload)
        workload_pause(a->workload, a->now.text.n - a->now.sent > BACKLOG_MAX);
}

void answers_tick(struct answers *a, int64_t now) {
    if (a->progress_due && now - a->now.last_progress >= PROGRESS_MS && !talk_busy(a->talk))
        send_progress(a, now);
    if (!a->running && a->n && !a->hold && !a->n_uploads && a->workload)
        begin(a, now);
    if (!a->running)
        return;
    check_length(a);
    if (delta_due(a, now))
        send_delta(a, now);
    throttle(a);
    if (a->now.finished && a->progress_due) /* the last of it says how it went */
        send_progress(a, now);
    if (a->now.finished)
        finish(a);
}
