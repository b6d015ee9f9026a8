/* Goodbye: which proofs of the end came and who vouches for each, what the receipt covers, what it
 * cost, and what stays on this disk and where. */
#include "tui/scr.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "core/nip19.h"
#include "tui/path.h"
#include "tui/resume.h"

/* One line: at the left what it is, or whose word it is. */
__attribute__((format(printf, 4, 5))) static void line(struct pager *p, const char *left,
                                                       enum role r, const char *fmt, ...) {
    char text[2048];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    pager_add(p, left, r, false, view_str(text));
}

/* A small screen spends no row on nothing. */
static void heading(const struct app *a, struct pager *p, const char *words) {
    if (a->rows >= 30)
        pager_gap(p);
    pager_add(p, words, ROLE_TITLE, false, view_str(""));
}

/* Nothing simulated is green. */
static enum role good(const struct app_job *j) {
    return j->simulated ? ROLE_SIM : ROLE_OK;
}

static void fill_state(const struct app_job *j, struct pager *p) {
    char all[16], key[20], id[16];

    npub_short(j->provider, key);
    scr_elapsed((j->ended ? j->ended : j->began) - j->began, all);
    snprintf(id, sizeof id, "job %02x%02x", j->id[0], j->id[1]);
    line(p, id, j->state == SESSION_FAILED ? ROLE_BAD : ROLE_TITLE, "%s",
         session_state_name(j->state));
    if (*j->why)
        line(p, "", ROLE_BAD, "%s (%s)", j->why, j->why_code);
    line(p, "", ROLE_TEXT, "%s by %s (%s)", j->what, j->provider_name, key);
    if (j->ended)
        line(p, "lasted", ROLE_TEXT, "%s", all);
    line(p, "cost", ROLE_TEXT, j->price_msat == 0 ? "nothing: the offer is free" : "%s", j->price);
}

/* --- the guest's receipt --- */

static const char *why_no_receipt(const struct app_job *j) {
    if (!session_state_final(j->state))
        return "waiting for it";
    if (j->step[STEP_ACCEPT].seen == 0)
        return "none is due: no guest of this job was accepted, and nothing was sent to one";
    return "NOT RECEIVED: that the guest wiped itself is not proven";
}

static void fill_covered(const struct app_job *j, struct pager *p) {
    const struct receipt *r = &j->receipt;
    char in[16], out[16];

    scr_bytes(r->bytes_in, in);
    scr_bytes(r->bytes_out, out);
    line(p, "covers", ROLE_TEXT,
         "%" PRIu64 " messages of yours (%s) and %" PRIu64 " of its own (%s)", r->n_in, in,
         r->n_out, out);
    if (r->model_key)
        line(p, "", ROLE_TEXT, "the owner of the model gave this guest the key to it");
    if (j->uncovered > 0)
        line(p, "computed", ROLE_WARN, "it does not cover your last %d", j->uncovered);
    else
        line(p, "computed", good(j), "counts and roots equal ours: it covers everything you sent");
}

static void fill_receipt(const struct app *a, struct pager *p) {
    const struct app_job *j = a->job;
    const struct receipt *r = &j->receipt;
    char guest[20];

    heading(a, p, "RECEIPT");
    if (!j->has_receipt) {
        line(p, "guest",
             session_state_final(j->state) && j->step[STEP_ACCEPT].seen ? ROLE_WARN : ROLE_DIM,
             "%s", why_no_receipt(j));
        return;
    }
    if (j->uncovered < 0) {
        line(p, "computed", ROLE_BAD, "it does not fit this conversation: %s", j->receipt_note);
        return;
    }
    npub_short(j->verdict.guest, guest);
    line(p, "signed", good(j),
         j->simulated ? "by key %s, named by the simulated CPU's report"
                      : "by key %s, named by the CPU's report",
         guest);
    line(p, "guest", good(j), "says it ended (%s); its measured code then wipes and powers off",
         r->reason);
    fill_covered(j, p);
}

/* --- the provider's teardown: its word, and nothing that proves it --- */

static const char *exit_words(int status) {
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? "by itself" : "by force";
}

static void fill_gpus(const struct teardown *t, struct pager *p) {
    if (t->gpus == 0)
        return;
    line(p, "provider", t->gpu_reset ? ROLE_TEXT : ROLE_WARN, "%u GPU %s", t->gpus,
         t->gpu_reset ? "reset" : "NOT reset");
    line(p, "provider", t->gpu_cc ? ROLE_TEXT : ROLE_WARN,
         "their confidential mode was asked again: %s", t->gpu_cc ? "on" : "NOT confirmed");
}

static void fill_teardown(const struct app *a, struct pager *p) {
    const struct app_job *j = a->job;
    const struct teardown *t = &j->teardown;

    heading(a, p, "TEARDOWN");
    if (!j->has_teardown) {
        line(p, "provider", ROLE_DIM, "%s",
             session_state_final(j->state) ? "NOT RECEIVED" : "waiting for it");
        return;
    }
    line(p, "provider", ROLE_TEXT, "the machine ended %s, after %" PRId64 " s",
         exit_words(t->exit_status), t->ended - t->started);
    line(p, "provider", t->rundir_removed ? ROLE_TEXT : ROLE_WARN, "its folder %s",
         t->rundir_removed ? "was removed" : "is still there");
    fill_gpus(t, p);
    line(p, "", ROLE_DIM, "signed by the provider: its word, which nothing here can check");
}

/* --- this disk --- */

/* One of this program's own files, which hold a line about this job. */
static void line_in(struct pager *p, const char *path, const char *of_what) {
    cleanup_free char *shown = path ? path_shown(path) : NULL;

    if (shown)
        line(p, "one line", ROLE_TEXT, "%s: %s", shown, of_what);
}

/* What a crash of this program would leave, while the guest lives. */
static void fill_resume(const struct app *a, struct pager *p) {
    const struct app_job *j = a->job;
    cleanup_free char *path = a->conf.resume ? resume_file_path(a->conf.resume, j->id) : NULL;
    cleanup_free char *shown = path ? path_shown(path) : NULL;

    if (shown)
        line(p, "resume file", ROLE_TEXT, "%s, encrypted; deleted when the job is over", shown);
    else if (app_resume_on(a) && session_state_final(j->state))
        line(p, "resume file", ROLE_DIM, "none any more: the job is over");
}

static void fill_unsaved(const struct app_job *j, struct pager *p) {
    size_t n = 0;

    for (size_t i = 0; i < j->n_files; i++)
        n += !j->file[i].up && j->file[i].state == FILE_WHOLE && !j->file[i].saved;
    if (n > 0)
        line(p, "not saved", ROLE_ACCENT, "%zu %s came: /get in the chat (4) saves", n,
             n == 1 ? "file" : "files");
    if (j->has_verdict && !j->bundle)
        line(p, "not saved", ROLE_ACCENT,
             "evidence and receipt: s saves them, `cdvm verify` checks them any time");
    if (j->bundle && j->has_receipt && !j->bundle_receipt)
        line(p, "not saved", ROLE_ACCENT, "the receipt, which came later: s saves all of it again");
}

static void fill_disk(const struct app *a, struct pager *p) {
    const struct app_job *j = a->job;

    heading(a, p, "ON THIS DISK");
    for (size_t i = 0; i < j->n_kept && i < APP_KEPT; i++)
        line(p, j->kept[i].what, ROLE_TEXT, "%s", j->kept[i].path);
    if (j->n_kept > APP_KEPT)
        line(p, "", ROLE_TEXT, "and %zu more", j->n_kept - APP_KEPT);
    if (j->has_verdict)
        line_in(p, a->conf.proven, "when this provider was last verified");
    if (j->step[STEP_ACCEPT].seen)
        line_in(p, a->conf.known, "what the verdict said");
    fill_resume(a, p);
    if (j->n_kept == 0 && !j->has_verdict)
        line(p, "", ROLE_TEXT, "nothing of this job");
    fill_unsaved(j, p);
}

static bool talk_kept(const struct app_job *j) {
    for (size_t i = 0; i < j->n_kept && i < APP_KEPT; i++)
        if (!strcmp(j->kept[i].what, "chat"))
            return true;
    return false;
}

static void fill_gone(const struct app *a, struct pager *p) {
    const struct app_job *j = a->job;

    if (!session_state_final(j->state))
        return;
    heading(a, p, "NOT ON IT");
    line(p, "keys", ROLE_TEXT, "wiped; what relays may still hold of this job opens to nobody");
    line(p, "chat", ROLE_TEXT, "%s, until the job is forgotten: d in the list",
         talk_kept(j) ? "also in memory" : "in memory only");
}

void scr_end_fill(const struct app *a, struct pager *p) {
    size_t top = pager_top(p);

    pager_clear(p);
    fill_state(a->job, p);
    fill_receipt(a, p);
    fill_teardown(a, p);
    fill_disk(a, p);
    fill_gone(a, p);
    pager_move(p, LIST_TOP);
    while (top-- > 0)
        pager_move(p, LIST_DOWN);
}

struct scr_cursor scr_end_draw(const struct app *a, const struct scr_sizes *s) {
    scr_page_draw(a->end_page, s->page, SCR_END_INDENT, ROLE_DIM);
    return (struct scr_cursor){-1, 0};
}
