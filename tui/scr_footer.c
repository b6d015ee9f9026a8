/* The last row: what the keys do here and now, made of the table of keys. */
#include "tui/scr.h"

#include <string.h>

#define HINTS_MAX 32
#define GAP 2

/* Would this key do something now? The footer shows only what does. */
static bool useful(const struct app *a, enum action act) {
    if (act == ACT_ACCEPT)
        return a->job->state == SESSION_DECISION;
    if (act == ACT_DESTROY)
        return app_job_alive(a->job);
    if (act == ACT_FORGET || (act == ACT_OPEN && a->screen == SCR_JOBS))
        return a->job->exists && (act == ACT_OPEN || !app_job_alive(a->job));
    if (act == ACT_UNREAD_JOB)
        return app_jobs_unread(a) > 0;
    if (act == ACT_SAVE)
        return a->job->has_verdict;
    if (act == ACT_FOLD || act == ACT_NEXT_OPEN)
        return app_look(a).tree != NULL;
    if (act == ACT_OPEN && a->screen == SCR_RECEIPTS)
        return a->receipt_list.n > 0;
    if (act == ACT_COPY && a->screen == SCR_FILES)
        return a->job->n_files > 0;
    if (act == ACT_EVIDENCE)
        return app_look(a).exhibit != NULL;
    if (act == ACT_CHANGES)
        return app_look(a).before != NULL;
    if (act == ACT_TURN)
        return a->receipt && a->receipt->then;
    if (act == ACT_DIFF)
        return a->marked != NULL;
    if (act == ACT_MARK || act == ACT_DELETE)
        return a->receipt_list.n > 0;
    if (act == ACT_UNACCEPT)
        return known_acceptances(a->known) > 0;
    if (act == ACT_SOURCE)
        return app_has_sources(a);
    if (act == ACT_TABLE)
        return a->job->n_tables > 0;
    if (act == ACT_FILE_ATTACH)
        return a->job->state == SESSION_READY;
    if (act == ACT_FILE_GET)
        return app_file_at(a) && !app_file_at(a)->up;
    return act != ACT_INTERRUPT || app_answering(a);
}

#define RANKS 4

/* What is left out last when there is little room; the others go by the order of the table. */
static int rank(enum action act) {
    static const struct {
        enum action act;
        int rank;
    } RANK[] = {
        {ACT_HELP, 0}, {ACT_YES, 0},  {ACT_NO, 0},   {ACT_INTERRUPT, 0},
        {ACT_BACK, 1}, {ACT_QUIT, 1}, {ACT_SKIP, 1}, {ACT_PALETTE, RANKS - 1},
    };

    for (size_t i = 0; i < COUNT(RANK); i++)
        if (RANK[i].act == act)
            return RANK[i].rank;
    return 2;
}

static int width(const struct key_row *row) {
    char name[24];

    keys_name(row->key[0], name);
    return (int)(strlen(name) + 1 + strlen(row->hint)) + GAP;
}

static size_t hints(const struct app *a, const struct key_row **out) {
    enum scr focus = app_focus(a);
    size_t all, n = 0;
    const struct key_row *row = keys_table(&all);

    for (size_t i = 0; i < all && n < HINTS_MAX; i++)
        if (row[i].hint && keys_on(&row[i], focus) && useful(a, row[i].action))
            out[n++] = &row[i];
    return n;
}

/* Those that fit into w cells, the more important ones first; the others become NULL. */
static void choose(const struct key_row **row, size_t n, int w) {
    for (int r = 0; r < RANKS; r++)
        for (size_t i = 0; i < n; i++) {
            if (!row[i] || rank(row[i]->action) != r)
                continue;
            if (width(row[i]) - GAP <= w)
                w -= width(row[i]);
            else
                row[i] = NULL;
        }
}

void scr_footer_draw(const struct app *a) {
    const struct key_row *row[HINTS_MAX];
    size_t n = hints(a, row);
    int x = 1, y = a->rows - 1;

    choose(row, n, a->cols - 2);
    for (size_t i = 0; i < n; i++) {
        char name[24];

        if (!row[i])
            continue;
        keys_name(row[i]->key[0], name);
        x += draw_fmt(y, x, a->cols - x, ROLE_ACCENT, "%s", name) + 1;
        x += draw_fmt(y, x, a->cols - x, ROLE_TEXT, "%s", row[i]->hint) + GAP;
    }
}
