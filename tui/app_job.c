#include "tui/app.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/enc.h"
#include "tui/scr.h"
#include "tui/table.h"

void app_file_free(struct app_file *f) {
    buf_wipe(&f->data);
    free(f->saved);
    free(f->path);
}

unsigned app_on_started(struct app *a, const struct offer *o, const uint8_t id[static 32]) {
    struct app_job *j = app_job_add(a);

    if (!j)
        return 0;
    j->simulated = offer_simulated(o);
    j->began = a->now;
    j->began_unix = a->unix_now;
    memcpy(j->id, id, 32);
    memcpy(j->provider, o->pubkey, 32);
    text_clip(j->provider_name, sizeof j->provider_name, o->provider_name);
    model_of_offer(o, &j->model);
    if (model_named(&j->model))
        model_words(&j->model, j->what, sizeof j->what);
    else
        text_clip(j->what, sizeof j->what, o->workload_name);
    shelf_price(o, j->price, sizeof j->price);
    j->chat = pager_new(CHAT_ENTRIES);
    j->state = SESSION_REQUESTED;
    j->step[STEP_REQUEST].seen = a->now;
    app_job_note(a, j, ROLE_DIM, "Nothing leaves this machine before the guest is verified.");
    app_job_show(a, j);
    app_go(a, SCR_JOBS);
    return j->number;
}

/* A precision for "%.*s" of a view, whose p may then be NULL. */
static int words(struct view v, size_t max) {
    return (int)(v.n < max ? v.n : max);
}

/* Something that a person will want to know of has come: marked until its screens are shown. */
static void news(const struct app *a, struct app_job *j) {
    j->unread += !app_looks_at(a, j);
}

/* A state of the job that a person waits for: told aloud, unless it is known that the eyes are on
 * it. Never a message. */
static void tell(const struct app *a, struct app_job *j, const char *what) {
    bool away = a->away || !a->tells_focus;
    char words[64];

    news(a, j);
    if (!away && j == a->job && (app_looks_at(a, j) || a->screen == SCR_JOBS))
        return;
    snprintf(words, sizeof words, "job %02x%02x %s", j->id[0], j->id[1], what);
    a->conf.port->tell(a->conf.port_arg, words, away);
}

/* --- turns --- */

struct app_turn *app_turn_of(struct app_job *j, const uint8_t *id) {
    for (size_t i = j->n_turns; id && i-- > 0;)
        if (!memcmp(j->turn[i].id, id, 32))
            return &j->turn[i];
    return NULL;
}

const struct app_turn *app_job_answering(const struct app_job *j) {
    for (size_t i = j->n_turns; i-- > 0;)
        if (j->turn[i].open)
            return &j->turn[i];
    return NULL;
}

const struct app_turn *app_answering(const struct app *a) {
    return app_job_answering(a->job);
}

static void on_delta(struct app *a, struct app_job *j, const struct session_event *ev) {
    struct app_turn *t = app_turn_of(j, ev->id);

    if (!t || !t->open || ev->text.n == 0)
        return;
    if (t->entry == 0)
        t->entry = app_job_chat(a, j, "guest", ROLE_TEXT, false, view_str(""));
    pager_extend(j->chat, t->entry, ev->text);
    t->chars += ev->text.n;
}

static void on_answer(struct app *a, struct app_job *j, const struct session_event *ev) {
    struct app_turn *t = app_turn_of(j, ev->id);
    enum role r = ev->code ? ROLE_BAD : ROLE_TEXT;
    bool nothing = ev->text.n == 0;

    j->progress[0] = 0;
    j->pace = (struct pace){0};
    if (t && t->entry)
        pager_replace(j->chat, t->entry, r, ev->text);
    else if (!nothing)
        app_job_chat(a, j, "guest", r, false, ev->text);
    if (ev->code)
        app_job_note(a, j, ROLE_BAD, "Not answered (%s).", ev->code);
    news(a, j);
    if (!t)
        return;
    t->open = false;
    app_sources_under(a, j, t);
}

static void on_progress(struct app *a, struct app_job *j, const struct session_event *ev) {
    cleanup_free char *unit = text_safe_new(ev->text, TEXT_LINE, 40);
    cleanup_free char *note = text_safe_new(view_str(ev->note ? ev->note : ""), TEXT_LINE, 100);
    char words[120];

    pace_at(&j->pace, a->now, ev->done, ev->total);
    pace_words(&j->pace, unit, words, sizeof words);
    snprintf(j->progress, sizeof j->progress, "%s%s%s", words, *note ? ", " : "", note);
}

/* --- tables --- */

static void cell_put(struct table *t, const cJSON *v) {
    cleanup_buf struct buf b = {0};

    if (cJSON_IsString(v))
        table_cell(t, view_str(v->valuestring));
    else if (cJSON_IsNumber(v)) {
        buf_fmt(&b, "%.15g", v->valuedouble);
        table_cell(t, buf_view(&b));
    } else
        table_cell(t, view_str(cJSON_IsTrue(v) ? "true" : cJSON_IsFalse(v) ? "false" : ""));
}

static void on_table(struct app *a, struct app_job *j, const cJSON *o) {
    const cJSON *columns = cJSON_GetObjectItemCaseSensitive(o, "columns"), *row, *cell;
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(o, "rows");
    const cJSON *total = cJSON_GetObjectItemCaseSensitive(o, "total");
    int n = cJSON_GetArraySize(columns);
    struct table *t = table_new(n > 0 ? (size_t)n : 1);
    size_t wide = n < 1 ? 1 : n > TABLE_COLUMNS_MAX ? TABLE_COLUMNS_MAX : (size_t)n;
    cleanup_buf struct buf text = {0};
    int64_t all = 0;

    for (size_t i = 0; i < wide; i++)
        cell_put(t, cJSON_GetArrayItem(columns, (int)i));
    cJSON_ArrayForEach(row, rows) {
        size_t i = 0;

        cJSON_ArrayForEach(cell, row) {
            if (i++ < wide)
                cell_put(t, cell);
        }
        for (; i < wide; i++)
            table_cell(t, view_str(""));
    }
    table_text(t, a->conf.ascii, &text);
    app_job_chat(a, j, "table", ROLE_TEXT, true, buf_view(&text));
    if (json_int_of(total, &all) && (uint64_t)all > table_rows(t))
        app_job_note(a, j, ROLE_DIM, "%zu of %" PRId64 " rows; the file has them all",
                     table_rows(t), all);
    table_free(t);
}

/* --- files --- */

static struct app_file *file_of(struct app_job *j, const uint8_t xid[static 16]) {
    for (size_t i = 0; i < j->n_files; i++)
        if (!memcmp(j->file[i].xid, xid, 16))
            return &j->file[i];
    return NULL;
}

static struct app_file *file_add(struct app *a, struct app_job *j, const struct xfer_meta *m,
                                 bool up) {
    struct app_file *f;

    if (j->n_files == APP_FILES) {
        app_file_free(&j->file[0]);
        memmove(j->file, j->file + 1, (APP_FILES - 1) * sizeof j->file[0]);
        j->n_files--;
    }
    f = &j->file[j->n_files++];
    *f = (struct app_file){.up = up, .size = m->size, .began = a->now};
    memcpy(f->xid, m->xid, 16);
    memcpy(f->sha256, m->sha256, 32);
    text_clip(f->name, sizeof f->name, m->name);
    return f;
}

static struct app_file *file_touch(struct app *a, struct app_job *j, const struct session_event *ev,
                                   bool up) {
    struct app_file *f = file_of(j, ev->meta->xid);

    if (!f)
        f = file_add(a, j, ev->meta, up);
    f->done = ev->done;
    f->moved = a->now;
    return f;
}

static void sha_short(const uint8_t sha[static 32], char out[static 16]) {
    snprintf(out, 16, "%02x%02x..%02x%02x", sha[0], sha[1], sha[30], sha[31]);
}

static size_t file_number(const struct app_job *j, const struct app_file *f) {
    size_t n = 0;

    for (const struct app_file *k = j->file; k <= f; k++)
        n += !k->up;
    return n;
}

static void on_file(struct app *a, struct app_job *j, const struct session_event *ev) {
    struct app_file *f = file_touch(a, j, ev, false);
    char sha[16];

    f->done = f->size;
    f->state = FILE_WHOLE;
    buf_init(&f->data, XFER_FILE_MAX);
    buf_add(&f->data, ev->data.p, ev->data.n);
    sha_short(f->sha256, sha);
    news(a, j);
    app_job_note(a, j, ROLE_TITLE, "File %zu: %s, %" PRIu64 " bytes, sha256 %s. /get %zu saves it.",
                 file_number(j, f), f->name, f->size, sha, file_number(j, f));
}

static void on_file_failed(struct app *a, struct app_job *j, const struct session_event *ev) {
    struct app_file *f = file_of(j, ev->meta->xid);

    if (!f)
        f = file_add(a, j, ev->meta, false);
    f->state = FILE_BROKEN;
    snprintf(f->why, sizeof f->why, "%.*s", words(ev->text, 150), (const char *)ev->text.p);
    app_job_note(a, j, ROLE_BAD, "%s did not get through (%s): %s", f->name,
                 ev->code ? ev->code : "?", f->why);
}

/* The guest has it: a file of ours when the id is an xid, else a question. */
static void on_sent(struct app *a, struct app_job *j, const struct session_event *ev) {
    struct app_file *f = ev->id ? file_of(j, ev->id) : NULL;
    char sha[16];

    if (!f || !f->up || f->state == FILE_WHOLE)
        return;
    f->state = FILE_WHOLE;
    f->done = f->size;
    sha_short(f->sha256, sha);
    app_job_note(a, j, ROLE_DIM, "%s is with the guest, sha256 %s.", f->name, sha);
}

void app_file_path(struct app *a, struct app_job *j, const struct xfer_meta *m, const char *path) {
    struct app_file *f = file_of(j, m->xid);

    if (!f)
        f = file_add(a, j, m, true);
    free(f->path);
    f->path = mem_str(path);
}

struct app_file *app_file_named(struct app *a, const char *word) {
    struct app_job *j = a->job;
    char *end;
    size_t n = strtoul(word, &end, 10), k = 0;

    for (size_t i = 0; i < j->n_files; i++) {
        struct app_file *f = &j->file[i];

        if (f->up)
            continue;
        k++;
        if (!strcmp(f->name, word) || (*word && !*end && k == n))
            return f;
    }
    return NULL;
}

/* --- the way of the job --- */

static void step_claimed(const struct app *a, struct app_job *j, enum step s) {
    if (j->step[s].claimed == 0)
        j->step[s].claimed = a->now;
}

static void step_seen(const struct app *a, struct app_job *j, enum step s) {
    if (j->step[s].seen == 0)
        j->step[s].seen = a->now;
}

static void on_phase(struct app *a, struct app_job *j, const struct session_event *ev) {
    static const enum step STEP[] = {
        [PHASE_QUEUED] = STEP_QUEUED,   [PHASE_CREATING] = STEP_CREATING,
        [PHASE_BOOTING] = STEP_BOOTING, [PHASE_ATTESTING] = STEP_ATTESTING,
        [PHASE_SERVING] = STEP_READY,   [PHASE_WIPING] = STEP_WIPING,
        [PHASE_DONE] = STEP_GONE,
    };
    cleanup_free char *text = text_safe_new(ev->text, TEXT_LINE, 200);

    snprintf(j->claim, sizeof j->claim, "%s%s%s", job_phase_name(ev->phase), *text ? ": " : "",
             text);
    if (ev->phase < COUNT(STEP) && STEP[ev->phase] != STEP_REQUEST)
        step_claimed(a, j, STEP[ev->phase]);
}

static void state_ended(struct app *a, struct app_job *j, const struct session_event *ev) {
    static const char *const ENDED[] = {[SESSION_ENDED] = "has ended",
                                        [SESSION_REFUSED] = "was refused",
                                        [SESSION_FAILED] = "has failed"};

    j->ended = a->now;
    for (size_t i = 0; i < j->n_turns; i++)
        j->turn[i].open = false;
    j->progress[0] = 0;
    if (ev->why) {
        snprintf(j->why_code, sizeof j->why_code, "%s", ev->why->code);
        snprintf(j->why, sizeof j->why, "%s", ev->why->text);
    }
    app_job_note(a, j, j->state == SESSION_ENDED ? ROLE_DIM : ROLE_BAD, "The job is over (%s).%s%s",
                 session_state_name(j->state), *j->why ? " " : "", j->why);
    tell(a, j, ENDED[j->state]);
    if (j == a->job && (a->screen == SCR_JOBS || a->screen == SCR_CHAT || a->screen == SCR_ATTEST))
        app_go(a, SCR_END);
}

static void on_state(struct app *a, struct app_job *j, const struct session_event *ev) {
    j->state = ev->state;
    switch (ev->state) {
    case SESSION_REQUESTED:
        return;
    case SESSION_STARTING:
        return;
    case SESSION_VERIFYING:
        step_seen(a, j, STEP_HELLO);
        return;
    case SESSION_DECISION:
        tell(a, j, "needs your decision");
        if (j == a->job && a->screen == SCR_JOBS)
            app_go(a, SCR_ATTEST);
        return;
    case SESSION_ACCEPTED:
        step_seen(a, j, STEP_ACCEPT);
        app_attest_accepted(a, j);
        return;
    case SESSION_READY:
        step_seen(a, j, STEP_READY);
        return;
    case SESSION_ENDING:
        step_seen(a, j, STEP_END);
        app_job_note(a, j, ROLE_DIM, "Ending: waiting for the guest's receipt.");
        return;
    case SESSION_ENDED:
    case SESSION_REFUSED:
    case SESSION_FAILED:
        state_ended(a, j, ev);
        return;
    }
}

/* Who will answer, and how far to trust it. */
static void note_model(struct app *a, struct app_job *j) {
    const struct model *m = &j->model;
    const char *caution = model_caution(m);
    char words[160];

    model_words(m, words, sizeof words);
    if (model_named(m))
        app_job_note(a, j, ROLE_TITLE, "Model: %s%s.", words,
                     m->by_guest ? "" : ", says the seller");
    if (caution)
        app_job_note(a, j, ROLE_WARN, "%s", caution);
    if (m->emulated)
        app_job_note(a, j, ROLE_DIM, "The guest's processor is emulated: an answer takes minutes.");
}

static void on_ready(struct app *a, struct app_job *j, const struct session_event *ev) {
    cleanup_free char *name = text_safe_new(ev->text, TEXT_LINE, 60);

    step_seen(a, j, STEP_READY);
    snprintf(j->workload, sizeof j->workload, "%s", name);
    model_learn(&j->model, ev->json);
    app_job_note(a, j, ROLE_DIM, "Ready: %s. /attach PATH sends a file, /help lists the rest.",
                 j->model.by_guest ? "chat" : name); /* whose name is its model's */
    note_model(a, j);
    tell(a, j, "is ready");
    if (j == a->job && (a->screen == SCR_JOBS || a->screen == SCR_ATTEST))
        app_go(a, SCR_CHAT);
}

/* --- the end --- */

static void on_receipt(const struct app *a, struct app_job *j, const struct session_event *ev) {

    step_seen(a, j, STEP_RECEIPT);
    j->has_receipt = true;
    if (ev->receipt)
        j->receipt = *ev->receipt;
    j->uncovered = ev->uncovered;
    snprintf(j->receipt_note, sizeof j->receipt_note, "%.*s", words(ev->text, 250),
             (const char *)ev->text.p);
}

static void on_teardown(const struct app *a, struct app_job *j, const struct session_event *ev) {
    step_claimed(a, j, STEP_GONE);
    j->has_teardown = true;
    j->teardown = *ev->teardown;
}

static void on_notice(struct app *a, struct app_job *j, const struct session_event *ev) {
    app_job_note(a, j, ROLE_WARN, "%.*s (%s)", words(ev->text, 900), (const char *)ev->text.p,
                 ev->code ? ev->code : "notice");
    app_say(a, ROLE_WARN, "%.*s", words(ev->text, 200), (const char *)ev->text.p);
}

void app_on_session(struct app *a, unsigned job, const struct session_event *ev) {
    struct app_job *j = app_job_of(a, job);

    if (!j)
        return; /* forgotten in a hurry: the engine alone cares now */
    switch (ev->type) {
    case SE_STATE:
        on_state(a, j, ev);
        return;
    case SE_PHASE:
        on_phase(a, j, ev);
        return;
    case SE_VERDICT: /* app_on_verdict */
    case SE_CLOSED:
        return;
    case SE_NOTICE:
        on_notice(a, j, ev);
        return;
    case SE_READY:
        on_ready(a, j, ev);
        return;
    case SE_SENT:
        on_sent(a, j, ev);
        return;
    case SE_DELTA:
        on_delta(a, j, ev);
        return;
    case SE_PROGRESS:
        on_progress(a, j, ev);
        return;
    case SE_SOURCES:
        app_on_sources(a, j, ev);
        return;
    case SE_TABLE:
        on_table(a, j, ev->json);
        return;
    case SE_ANSWER:
        on_answer(a, j, ev);
        return;
    case SE_FILE_UP:
        file_touch(a, j, ev, true);
        return;
    case SE_FILE_DOWN:
        file_touch(a, j, ev, false);
        return;
    case SE_FILE:
        on_file(a, j, ev);
        return;
    case SE_FILE_FAILED:
        on_file_failed(a, j, ev);
        return;
    case SE_RECEIPT:
        on_receipt(a, j, ev);
        return;
    case SE_TEARDOWN:
        on_teardown(a, j, ev);
        return;
    }
}
