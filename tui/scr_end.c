/* Goodbye: what the guest signed, what the provider says, what it cost, what stays on this disk. */
#include "tui/scr.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/wait.h>

#include "core/nip19.h"

static void fill_state(const struct app_job *j, struct pager *p) {
    char all[16], key[20];

    npub_short(j->provider, key);
    scr_elapsed((j->ended ? j->ended : j->began) - j->began, all);
    pager_line(p, j->state == SESSION_FAILED ? ROLE_BAD : ROLE_TITLE, "Job %02x%02x: %s", j->id[0],
               j->id[1], session_state_name(j->state));
    if (*j->why)
        pager_line(p, ROLE_BAD, "%s (%s)", j->why, j->why_code);
    pager_line(p, ROLE_TEXT, "%s by %s (%s)", j->what, j->provider_name, key);
    if (j->ended)
        pager_line(p, ROLE_TEXT, "lasted %s, price %s", all, j->price);
    pager_gap(p);
}

static void fill_receipt(const struct app_job *j, struct pager *p) {
    const struct receipt *r = &j->receipt;
    enum role good = j->simulated ? ROLE_SIM : ROLE_OK; /* nothing simulated is green */
    char guest[20];

    pager_line(p, ROLE_TITLE, "RECEIPT    signed by the guest");
    if (!j->has_receipt) {
        pager_line(p, session_state_final(j->state) && j->has_verdict ? ROLE_WARN : ROLE_DIM,
                   j->state == SESSION_ENDING ? "waiting for it" : "none came");
        return;
    }
    if (j->uncovered < 0) {
        pager_line(p, ROLE_BAD, "It does not fit this conversation: %s", j->receipt_note);
        return;
    }
    npub_short(j->verdict.guest, guest);
    pager_line(p, good, "Signature of guest %s holds; it says it wiped itself (%s).", guest,
               r->reason);
    pager_line(p, ROLE_TEXT, "It took %" PRIu64 " messages of yours and sent %" PRIu64 ".", r->n_in,
               r->n_out);
    if (j->uncovered > 0)
        pager_line(p, ROLE_WARN, "It does not cover your last %d.", j->uncovered);
    else
        pager_line(p, good, "Counts and hash roots equal our own: it covers everything you sent.");
}

static void fill_teardown(const struct app_job *j, struct pager *p) {
    const struct teardown *t = &j->teardown;

    pager_gap(p);
    pager_line(p, ROLE_TITLE, "TEARDOWN   the provider's word, signed by it");
    if (!j->has_teardown) {
        pager_line(p, ROLE_DIM, j->state == SESSION_ENDING ? "waiting for it" : "none came");
        return;
    }
    pager_line(p, ROLE_TEXT, "Machine ended %s, after %" PRId64 " s.",
               WIFEXITED(t->exit_status) && WEXITSTATUS(t->exit_status) == 0 ? "by itself"
                                                                             : "by force",
               t->ended - t->started);
    pager_line(p, t->rundir_removed ? ROLE_TEXT : ROLE_WARN, "Its folder %s.",
               t->rundir_removed ? "was removed" : "is still there");
    if (t->gpus)
        pager_line(p, t->gpu_reset && t->gpu_cc ? ROLE_TEXT : ROLE_WARN, "%u GPU %s, %s.", t->gpus,
                   t->gpu_reset ? "reset" : "NOT reset",
                   t->gpu_cc ? "confidential mode still on" : "confidential mode not confirmed");
}

static void fill_disk(const struct app_job *j, struct pager *p) {
    bool any = j->bundle != NULL;

    pager_gap(p);
    pager_line(p, ROLE_TITLE, "ON THIS DISK");
    if (j->bundle)
        pager_line(p, ROLE_TEXT, "%s (evidence and receipt)", j->bundle);
    for (size_t i = 0; i < j->n_files; i++)
        if (j->file[i].saved) {
            pager_line(p, ROLE_TEXT, "%s", j->file[i].saved);
            any = true;
        }
    if (!any)
        pager_line(p, ROLE_TEXT, "Nothing of this job.");
    if (j->has_verdict)
        pager_line(p, ROLE_DIM, "Beside this, one line: when this provider was last verified.");
    pager_line(p, ROLE_DIM, "The keys of this job lived in memory only.");
    if (j->has_verdict && !j->bundle)
        pager_line(p, ROLE_ACCENT,
                   "s saves evidence and receipt: `cdvm verify` checks them any time.");
}

void scr_end_fill(const struct app *a, struct pager *p) {
    size_t top = pager_top(p);

    pager_clear(p);
    fill_state(a->job, p);
    fill_receipt(a->job, p);
    fill_teardown(a->job, p);
    fill_disk(a->job, p);
    pager_move(p, LIST_TOP);
    while (top-- > 0)
        pager_move(p, LIST_DOWN);
}
