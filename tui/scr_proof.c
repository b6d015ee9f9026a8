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

static void fill_check(const struct app_look *l, const struct check *c, struct pager *p) {
    struct scr_state look = scr_check(c->state, l->simulated);

    pager_line(p, look.role, "%s %s  %s", look.symbol, look.word, c->title);
    fill_line(p, "why", c->why);
    fill_line(p, "do", remedy_of(c));
    fill_line(p, "expected", c->expected);
    fill_line(p, "got", c->got);
    pager_line(p, ROLE_DIM, "%-9s %s, source %s, %s under policy %s", "check", c->id,
               check_source_name(c->source), c->required ? "required" : "optional", l->policy);
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
    const struct app_look l = app_look(a);
    const struct check *c = tree_current(l.tree);
    const struct exhibit *x = l.exhibit;
    size_t row = a->cols >= 80 ? 16 : 8;

    if (c) {
        fill_check(&l, c, p);
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
    const struct app_look l = app_look(a);
    bool saved = a->proof_from == SCR_RECEIPT;
    char age[16];

    scr_age(l.after->when - l.before->when, age);
    pager_line(p, ROLE_TITLE,
               saved ? "Since it was accepted, %s ago"
                     : "Since the last guest of this provider that was accepted here, %s ago",
               age);
    if (!saved)
        pager_line(p, ROLE_DIM, "%s",
                   fact_same(l.before, l.after, FACT_CHIP)
                       ? "The same machine: its chip has the same id."
                       : "Another machine: its chip was not met here before.");
    pager_gap(p);
    scr_facts_fill(l.before, l.after, p);
    pager_gap(p);
    pager_line(p, ROLE_DIM, "%s",
               saved ? "What was fine then may have been revoked, or have ended, since."
                     : "A change is no failure: sellers update firmware and images. One that "
                       "nobody announced is worth a question.");
}

void scr_proof_fill(const struct app *a, struct pager *p) {
    const struct app_look l = app_look(a);
    size_t top = pager_top(p);

    pager_clear(p);
    if (a->proof == PROOF_EVIDENCE && l.tree && l.exhibit)
        fill_evidence(a, p);
    else if (a->proof == PROOF_CHANGES && l.before && l.after)
        fill_changes(a, p);
    else if (a->proof == PROOF_DIFF && a->receipt && a->other)
        scr_diff_fill(a, p);
    pager_move(p, LIST_TOP);
    while (top-- > 0)
        pager_move(p, LIST_DOWN);
}

struct scr_cursor scr_proof_draw(const struct app *a, const struct scr_sizes *s) {
    static const char *const TITLE[] = {[PROOF_EVIDENCE] = "EVIDENCE",
                                        [PROOF_CHANGES] = "WHAT CHANGED",
                                        [PROOF_DIFF] = "TWO RECEIPTS"};
    const struct app_look l = app_look(a);
    int right = a->cols - 1, x = 1, y = s->body.y;
    char age[16], key[20];

    x += draw_fmt(y, x, right - x, ROLE_TITLE, "%s", TITLE[a->proof]) + 2;
    draw_rule(y + 1, 0, a->cols, RULE_THIN);
    scr_page_draw(a->proof_page, s->proof, 0, ROLE_ACCENT);
    if (a->proof == PROOF_DIFF || !l.job)
        return (struct scr_cursor){-1, 0};
    scr_age(a->unix_now - l.as_of, age);
    npub_short(l.provider, key);
    right = draw_right(y, right, 30, ROLE_DIM, " verified %s ago", age) - 1;
    draw_fmt(y, x, right - x, ROLE_TEXT, "job %02x%02x  %.9s  %s", l.job[0], l.job[1], key,
             l.provider_name);
    return (struct scr_cursor){-1, 0};
}
