/* One passage of an answer, marked where it stands in the person's own document. */
#include "tui/scr.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void draw_source_head(const struct app *a, const struct scr_sizes *s) {
    size_t of;
    const struct source *src = app_source(a, &of);
    char at[40] = "", score[40] = "";
    int y = s->body.y;

    if (!src)
        return;
    if (src->has_offset)
        snprintf(at, sizeof at, "   at byte %" PRIu64, src->offset);
    if (src->has_score)
        snprintf(score, sizeof score, "   score %" PRId64, src->score);
    draw_fmt(y, 1, a->cols - 2, ROLE_TITLE, "Passage %zu of %zu   %s%s%s", a->job->source + 1, of,
             src->doc, at, score);
    if (*a->job->source_note)
        draw_fmt(y + 1, 1, a->cols - 2, ROLE_WARN, "%s", a->job->source_note);
    else
        draw_text(y + 1, 1, a->cols - 2, ROLE_DIM,
                  safe_lit("Your own file; > marks what the answer was made from."));
    draw_rule(y + 2, 0, a->cols, RULE_THIN);
}

struct scr_cursor scr_source_draw(const struct app *a, const struct scr_sizes *s) {
    const struct pager *p = a->job->source_page;
    struct rect r = s->source;
    struct pager_row row;

    draw_source_head(a, s);
    for (int i = 0; p && i < r.h && pager_row(p, pager_top(p) + (size_t)i, &row); i++)
        if (row.role == ROLE_ACCENT)
            draw_text(r.y + i, r.x - 2, 1, ROLE_ACCENT, safe_lit(">"));
    if (p)
        scr_page_draw(p, r, 0, ROLE_ACCENT);
    return (struct scr_cursor){-1, 0};
}
