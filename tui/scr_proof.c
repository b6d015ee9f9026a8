/* The page beside a tree: the line under the cursor in full, then every byte of the evidence by
 * its name; or what changed since the last accepted verdict. */
#include "tui/scr.h"

#include <string.h>

#include "core/nip19.h"
#include "tui/remedy.h"

static void fill_line(struct pager *p, const char *name, const char *value) {
    if (*value)
        pager_line(p, ROLE_TEXT, "%-9s %s", name, value);
}

static void fill_check(const struct app *a, const struct check *c, struct pager *p) {
    struct scr_state look = scr_check(c->state, a->job->verdict.simulated);

    pager_line(p, look.role, "%s %s  %s", look.symbol, look.word, c->title);
    fill_line(p, "why", c->why);
    fill_line(p, "do", remedy_of(c));
    fill_line(p, "expected", c->expected);
    fill_line(p, "got", c->got);
    pager_line(p, ROLE_DIM, "%-9s %s, source %s, %s under policy %s", "check", c->id,
               check_source_name(c->source), c->required ? "required" : "optional",
               a->job->verdict.policy);
}

static void fill_exhibit_line(void *arg, enum exhibit_line kind, const struct exhibit_item *it,
                              const char *text) {
    static const enum role ROLE[] = {[EXHIBIT_SECTION] = ROLE_TITLE,
                                     [EXHIBIT_ITEM] = ROLE_ACCENT,
                                     [EXHIBIT_WORDS] = ROLE_TEXT,
                                     [EXHIBIT_BYTES] = ROLE_DIM};
    struct pager *p = arg;

    (void)it;
    if (kind == EXHIBIT_SECTION)
        pager_gap(p);
    pager_add(p, "", ROLE[kind], kind == EXHIBIT_BYTES, view_str(text));
}

static void fill_behind(const struct exhibit *x, const struct check *c, size_t row,
                        struct pager *p) {
    const struct exhibit_item *it;

    for (size_t i = 0; (it = exhibit_behind(x, c->id, i)); i++) {
        if (i == 0)
            pager_gap(p);
        exhibit_item_lines(it, row, fill_exhibit_line, p);
    }
}

static void fill_evidence(const struct app *a, struct pager *p) {
    const struct check *c = tree_current(a->job->tree);
    const struct exhibit *x = a->job->exhibit;
    size_t row = a->cols >= 80 ? 16 : 8;

    if (c) {
        fill_check(a, c, p);
        fill_behind(x, c, row, p);
    }
    pager_gap(p);
    pager_line(p, ROLE_TITLE, "ALL OF THE EVIDENCE");
    exhibit_lines(x, row, fill_exhibit_line, p);
}

/* --- what changed --- */

void scr_facts_fill(const struct facts *before, const struct facts *after, struct pager *p) {
    for (enum fact f = 0; f < FACT_COUNT; f++) {
        bool same = fact_same(before, after, f);

        pager_line(p, same ? ROLE_DIM : ROLE_WARN, "%-15s %s", fact_name(f),
                   same ? "same" : "changed");
        if (!same)
            pager_line(p, ROLE_TEXT, "  before  %s", before->text[f]);
        pager_line(p, same ? ROLE_DIM : ROLE_TEXT, "  %s  %s", same ? "   is " : "now   ",
                   after->text[f]);
    }
}

static void fill_changes(const struct app *a, struct pager *p) {
    const struct app_job *j = a->job;
    bool chip = fact_same(j->before, j->facts, FACT_CHIP);
    char age[16];

    scr_age(j->facts->when - j->before->when, age);
    pager_line(p, ROLE_TITLE,
               "Since the last guest of this provider that was accepted here, %s ago", age);
    pager_line(p, ROLE_DIM,
               chip ? "The same machine: its chip has the same id."
                    : "Another machine: its chip was not met here before.");
    pager_gap(p);
    scr_facts_fill(j->before, j->facts, p);
    pager_gap(p);
    pager_line(p, ROLE_DIM,
               "A change is no failure: sellers update firmware and images. One that nobody "
               "announced is worth a question.");
}

void scr_proof_fill(const struct app *a, struct pager *p) {
    size_t top = pager_top(p);

    pager_clear(p);
    if (a->proof == PROOF_EVIDENCE && a->job->tree && a->job->exhibit)
        fill_evidence(a, p);
    else if (a->proof == PROOF_CHANGES && a->job->before && a->job->facts)
        fill_changes(a, p);
    pager_move(p, LIST_TOP);
    while (top-- > 0)
        pager_move(p, LIST_DOWN);
}

struct scr_cursor scr_proof_draw(const struct app *a, const struct scr_sizes *s) {
    static const char *const TITLE[] = {
        [PROOF_EVIDENCE] = "EVIDENCE", [PROOF_CHANGES] = "WHAT CHANGED"};
    const struct app_job *j = a->job;
    int right, x = 1;
    char age[16], key[20];

    scr_age(a->unix_now - j->verdict.as_of, age);
    npub_short(j->provider, key);
    right = draw_right(s->body.y, a->cols - 1, 30, ROLE_DIM, " verified %s ago", age) - 1;
    x += draw_fmt(s->body.y, x, right - x, ROLE_TITLE, "%s", TITLE[a->proof]) + 2;
    draw_fmt(s->body.y, x, right - x, ROLE_TEXT, "job %02x%02x  %.9s  %s", j->id[0], j->id[1], key,
             j->provider_name);
    draw_rule(s->body.y + 1, 0, a->cols, RULE_THIN);
    scr_page_draw(a->proof_page, s->proof, 0);
    return (struct scr_cursor){-1, 0};
}
