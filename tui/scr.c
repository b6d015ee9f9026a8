#include "tui/scr.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tui/palette.h"
#include "tui/cmd.h"

#define BANNER "[S] SIMULATED  this guest is not sealed: send no secrets"

/* --- words --- */

struct scr_state scr_check(enum check_state s, bool simulated) {
    static const struct scr_state LOOK[] = {
        [CHECK_PASS] = {"PASS", "[+]", ROLE_OK},
        [CHECK_WARN] = {"WARN", "[!]", ROLE_WARN},
        [CHECK_NOT_CHECKED] = {"NOT CHECKED", "[ ]", ROLE_DIM},
        [CHECK_FAIL] = {"FAIL", "[x]", ROLE_BAD},
    };
    struct scr_state look = LOOK[s];

    if (simulated) {
        look.symbol = "[S]";
        look.role = s == CHECK_PASS ? ROLE_SIM : look.role;
    }
    return look;
}

struct scr_state scr_proof(enum proof_state s) {
    static const struct scr_state LOOK[] = {
        [PROOF_NEVER] = {"never tried", "[ ]", ROLE_DIM},
        [PROOF_PASS] = {"PASS", "[+]", ROLE_OK},
        [PROOF_WARN] = {"WARN", "[!]", ROLE_WARN},
        [PROOF_FAIL] = {"FAIL", "[x]", ROLE_BAD},
        [PROOF_NOT_CHECKED] = {"NOT CHECKED", "[ ]", ROLE_DIM},
        [PROOF_SIMULATED] = {"SIMULATED", "[S]", ROLE_SIM},
    };

    return LOOK[s];
}

void scr_age(int64_t s, char out[static 16]) {
    s = s < 0 ? 0 : s > (int64_t)1 << 40 ? (int64_t)1 << 40 : s;
    if (s < 60)
        snprintf(out, 16, "%" PRId64 " s", s);
    else if (s < 3600)
        snprintf(out, 16, "%" PRId64 " m", s / 60);
    else if (s < 86400)
        snprintf(out, 16, "%" PRId64 " h", s / 3600);
    else
        snprintf(out, 16, "%" PRId64 " d", s / 86400);
}

void scr_elapsed(int64_t ms, char out[static 16]) {
    ms = ms < 0 ? 0 : ms > (int64_t)1 << 40 ? (int64_t)1 << 40 : ms;
    if (ms < 60000)
        snprintf(out, 16, "%" PRId64 ".%d s", ms / 1000, (int)(ms % 1000 / 100));
    else
        snprintf(out, 16, "%" PRId64 " m %02d s", ms / 60000, (int)(ms / 1000 % 60));
}

void scr_bytes(uint64_t n, char out[static 16]) {
    static const char *const UNIT[] = {"B", "KB", "MB", "GB", "TB"};
    double v = (double)n;
    size_t u = 0;

    while (v >= 1000 && u + 1 < COUNT(UNIT)) {
        v /= 1000;
        u++;
    }
    snprintf(out, 16, u == 0 || v >= 100 ? "%.0f %s" : "%.1f %s", v, UNIT[u]);
}

void scr_clock(int64_t unix_s, bool seconds, char out[static 16]) {
    time_t t = (time_t)unix_s;
    struct tm tm;

    localtime_r(&t, &tm);
    strftime(out, 16, seconds ? "%H:%M:%S" : "%H:%M", &tm);
}

/* --- sizes --- */

static int moving_files(const struct app *a) {
    int n = 0;

    for (size_t i = 0; i < a->job->n_files; i++)
        n += a->job->file[i].state == FILE_MOVING;
    return n;
}

static int least(int a, int b) {
    return a < b ? a : b;
}

static void chat_sizes(const struct app *a, struct scr_sizes *s) {
    struct edit_row rows[1];
    struct edit_place at;
    size_t first;
    struct rect b = s->body;
    int head = b.h >= 16 ? (a->job->model.chats ? 3 : 2) : 1;
    int lines = (int)edit_layout(a->input, b.w - 4, rows, 1, &first, &at);
    int input = a->finding ? 1 : least(lines, b.h / 3);

    s->transfers = least(moving_files(a) + (*a->job->progress != 0), b.h >= 16 ? 3 : 1);
    s->input = (struct rect){b.y + b.h - input, b.x + 3, input, b.w - 4};
    s->chat = (struct rect){b.y + head, b.x + 1, b.h - head - input - 1 - s->transfers, b.w - 2};
    s->indent = 13;
    s->split = s->chat.h >= 20 ? 6 : s->chat.h >= 12 ? 4 : 0;
}

struct scr_sizes scr_sizes(const struct app *a) {
    struct scr_sizes s = {.body = {2, 0, a->rows - 4, a->cols}};
    struct rect b = s.body;

    s.pane = b.h >= 24 ? 8 : b.h >= 18 ? 6 : 3;
    s.offers = b.h - 2 - s.pane;
    s.job_titles = b.h >= 16;
    s.jobs = least((int)(a->n_jobs ? a->n_jobs : 1), b.h >= 24 ? APP_JOBS : b.h >= 18 ? 5 : 2);
    s.receipts = b.h - 5;
    s.head = b.h >= 24 ? 3 : 2;
    s.why = b.h >= 24 ? 8 : b.h >= 18 ? 6 : 4;
    s.tree = b.h - s.head - s.why;
    s.options = b.h - (b.h >= 18 ? 4 : 3);
    s.first = b.h - (b.h >= 26 ? 17 : b.h >= 20 ? 13 : 7); /* welcome, titles, notes */
    s.page = (struct rect){b.y, b.x + 1, b.h, b.w - 2};
    s.proof = (struct rect){b.y + 2, b.x + 1, b.h - 2, b.w - 2};
    s.source = (struct rect){b.y + 3, b.x + 3, b.h - 3, b.w - 4};
    s.help = (struct rect){3, 4, a->rows - 6, a->cols - 8}; /* the inside of its frame */
    s.files = b.h - 2 - (b.h >= 18 ? 7 : 5);
    s.table = (struct rect){b.y + 4, b.x + 2, b.h - 4 - (b.h >= 18 ? 4 : 3), b.w - 3};
    chat_sizes(a, &s);
    return s;
}

/* --- frame --- */

static const struct {
    enum scr screen;
    bool of_job; /* says nothing without one */
    const char *digit, *name;
} TABS[] = {
    {SCR_OFFERS, false, "1", " Offers"},     {SCR_JOBS, false, "2", " Jobs"},
    {SCR_ATTEST, true, "3", " Attest"},      {SCR_CHAT, true, "4", " Chat"},
    {SCR_FILES, true, "5", " Files"},        {SCR_SETTINGS, false, "6", " Keys"},
    {SCR_RECEIPTS, false, "7", " Receipts"},
};

static enum scr tab_of(const struct app *a) {
    static const enum scr UNDER[SCR_COUNT] = {
        [SCR_JOBS] = SCR_JOBS,         [SCR_ATTEST] = SCR_ATTEST,    [SCR_CHAT] = SCR_CHAT,
        [SCR_SOURCE] = SCR_CHAT,       [SCR_TABLE] = SCR_CHAT,       [SCR_CELL] = SCR_CHAT,
        [SCR_FILES] = SCR_FILES,       [SCR_END] = SCR_JOBS,         [SCR_SETTINGS] = SCR_SETTINGS,
        [SCR_RECEIPTS] = SCR_RECEIPTS, [SCR_RECEIPT] = SCR_RECEIPTS,
    };
    const enum scr s = a->screen == SCR_PROOF ? a->proof_from : a->screen;

    return UNDER[s];
}

/* Where all names do not fit with room between them they stand close, without the program's; then
 * only the digits do. */
enum tabs { TABS_WIDE, TABS_CLOSE, TABS_DIGITS };

/* "[4 Chat 7f21]", " 2 Jobs+1 ": which of several jobs this is, and how many others have news. */
static void tab_words(const struct app *a, size_t i, enum tabs how, char out[static 40]) {
    const char *edge = how == TABS_CLOSE ? "" : " ";
    bool here = TABS[i].screen == tab_of(a);
    size_t news = TABS[i].screen == SCR_JOBS ? app_jobs_unread(a) : 0;
    char job[8] = "", plus[8] = "";

    if (here && a->n_jobs > 1 && (TABS[i].of_job || a->screen == SCR_END))
        snprintf(job, sizeof job, " %02x%02x", a->job->id[0], a->job->id[1]);
    if (news)
        snprintf(plus, sizeof plus, "+%zu", news % 100);
    snprintf(out, 40, "%s%s%s%s%s%s%s", how == TABS_CLOSE ? " " : "", here ? "[" : edge,
             TABS[i].digit, how != TABS_DIGITS || here ? TABS[i].name : "", job, plus,
             here ? "]" : edge);
}

static int tabs_width(const struct app *a, enum tabs how) {
    char words[40];
    int w = 0;

    for (size_t i = 0; i < COUNT(TABS); i++) {
        tab_words(a, i, how, words);
        w += (int)strlen(words);
    }
    return w;
}

#define TABS_X 7 /* behind the program's name */

static enum tabs tabs_fit(const struct app *a, int right) {
    return tabs_width(a, TABS_WIDE) <= right - TABS_X ? TABS_WIDE
           : tabs_width(a, TABS_CLOSE) <= right       ? TABS_CLOSE
                                                      : TABS_DIGITS;
}

static void draw_tabs(const struct app *a, int right) {
    enum tabs how = tabs_fit(a, right);
    int x = how == TABS_CLOSE ? 0 : TABS_X;
    char words[40];

    if (x)
        draw_text(0, 1, 4, ROLE_TITLE, safe_lit("cdvm"));
    for (size_t i = 0; i < COUNT(TABS); i++) {
        enum role r = TABS[i].of_job && !a->job->exists ? ROLE_DIM : ROLE_TEXT;

        tab_words(a, i, how, words);
        if (TABS[i].screen == tab_of(a) || strchr(words, '+'))
            r = ROLE_ACCENT;
        x += draw_fmt(0, x, right - x, r, "%s", words);
    }
}

#define CLOCK 7 /* "12:05" and the room before it */

/* The time gives way where the names of the screens then fit: it stands beside every message too.
 */
static int draw_clock(const struct app *a, int right, int others) {
    char time[16];

    if (tabs_fit(a, right - CLOCK - others) == TABS_DIGITS &&
        tabs_fit(a, right - others) != TABS_DIGITS)
        return right;
    scr_clock(a->unix_now, false, time);
    return draw_right(0, right, 5, ROLE_TEXT, "%s", time) - 2;
}

static void draw_header(const struct app *a) {
    const struct identity *who = app_identity(a);
    char relays[24], key[24] = "";
    int right = a->cols - 1;

    snprintf(relays, sizeof relays, "relays %zu/%zu", a->relays_up, a->conf.relays);
    if (a->cols >= 100)
        snprintf(key, sizeof key, "key %.19s", who ? who->name : "one-time");
    right = draw_clock(a, right, (int)strlen(relays) + 1 + (*key ? (int)strlen(key) + 2 : 0));
    if (*key)
        right = draw_right(0, right, 20, ROLE_TEXT, "%s", key) - 2;
    right = draw_right(0, right, 16, a->relays_up ? ROLE_TEXT : ROLE_WARN, "%s", relays) - 1;
    if (a->screen == SCR_FIRST)
        draw_fmt(0, 1, right - 1, ROLE_TEXT, "cdvm   First start, step %d of %d",
                 (int)a->first.step + 2, FIRST_STEPS + 1);
    else
        draw_tabs(a, right);
    if (app_simulated(a)) {
        draw_fmt(1, 0, a->cols, ROLE_BANNER, " %-*s", a->cols - 1, BANNER);
        return;
    }
    draw_rule(1, 0, a->cols, RULE_THICK);
}

static void draw_status(const struct app *a) {
    int y = a->rows - 2;
    const char *why;
    char hint[160] = "";

    if (a->screen == SCR_CHAT)
        cmd_hint(a, hint, sizeof hint);
    if (*a->status)
        draw_fmt(y, 1, a->cols - 2, a->status_role, "%s", a->status);
    else if (*hint)
        draw_fmt(y, 1, a->cols - 2, ROLE_DIM, "%s", hint);
    else if (a->screen == SCR_CHAT && !app_may_send(a, &why))
        draw_fmt(y, 1, a->cols - 2, ROLE_WARN, "%s", why);
    else
        draw_rule(y, 0, a->cols, RULE_THIN);
}

#define MORE 5 /* " more", in the last row */

void scr_page_draw(const struct pager *p, struct rect r, int indent, enum role gutter) {
    bool more = pager_top(p) + (size_t)r.h < pager_rows(p);
    struct pager_row row;

    for (int i = 0; i < r.h && pager_row(p, pager_top(p) + (size_t)i, &row); i++) {
        int w = more && i + 1 == r.h ? r.w - MORE : r.w;

        draw_text(r.y + i, r.x, row.text.n ? indent - 1 : w, row.text.n ? gutter : row.role,
                  row.gutter);
        draw_text(r.y + i, r.x + indent, w - indent, row.role, row.text);
    }
    if (more)
        draw_right(r.y + r.h - 1, r.x + r.w, 8, ROLE_ACCENT, " more");
}

static struct scr_cursor page_offer(const struct app *a, const struct scr_sizes *s) {
    scr_page_draw(a->offer_page, s->page, 0, ROLE_ACCENT);
    return (struct scr_cursor){-1, 0};
}

static struct scr_cursor page_cell(const struct app *a, const struct scr_sizes *s) {
    scr_page_draw(a->cell_page, s->page, 0, ROLE_ACCENT);
    return (struct scr_cursor){-1, 0};
}

typedef struct scr_cursor screen_fn(const struct app *a, const struct scr_sizes *s);
static screen_fn *const DRAW[] = {
    [SCR_OFFERS] = scr_offers_draw,   [SCR_OFFER] = page_offer,
    [SCR_JOBS] = scr_jobs_draw,       [SCR_ATTEST] = scr_attest_draw,
    [SCR_CHAT] = scr_chat_draw,       [SCR_SOURCE] = scr_source_draw,
    [SCR_TABLE] = scr_table_draw,     [SCR_CELL] = page_cell,
    [SCR_FILES] = scr_files_draw,     [SCR_END] = scr_end_draw,
    [SCR_PROOF] = scr_proof_draw,     [SCR_SETTINGS] = scr_settings_draw,
    [SCR_FIRST] = scr_first_draw,     [SCR_RECEIPTS] = scr_receipts_draw,
    [SCR_RECEIPT] = scr_receipt_draw,
};

static void draw_too_small(const struct app *a) {
    draw_fmt(a->rows / 2, 0, a->cols, ROLE_TITLE, "enlarge to %dx%d", SCR_MIN_COLS, SCR_MIN_ROWS);
    draw_show(-1, 0);
}

/* Nothing that was said, asked or typed may be read over a shoulder. */
static void draw_nothing(const struct app *a) {
    if (!a->gone)
        draw_text(a->rows / 2, 2, a->cols - 2, ROLE_TITLE,
                  safe_lit("cdvm hides itself until this window has the focus again (blur)"));
    draw_show(-1, 0);
}

void scr_draw(const struct app *a) {
    struct scr_cursor at;
    struct scr_sizes s;

    draw_clear();
    if (a->gone || (a->away && a->conf.blur)) {
        draw_nothing(a);
        return;
    }
    if (a->rows < SCR_MIN_ROWS || a->cols < SCR_MIN_COLS) {
        draw_too_small(a);
        return;
    }
    s = scr_sizes(a);
    draw_header(a);
    at = DRAW[a->screen](a, &s);
    draw_status(a);
    scr_footer_draw(a);
    if (a->help) {
        scr_help_draw(a, &s);
        at.y = -1;
    }
    if (a->palette->open)
        at = scr_palette_draw(a, &s);
    if (a->prompt.open)
        at = scr_prompt_draw(a);
    draw_show(at.y, at.x);
}
