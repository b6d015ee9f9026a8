#include "tui/engine_priv.h"

#include "tui/clipboard.h"
#include "tui/editor.h"
#include "tui/notify.h"
#include "tui/option_facts.h"
#include "tui/plain_run.h"
#include "tui/scr.h"

#define TICK_MS 1000    /* while something on the screen counts seconds */
#define MINUTE_MS 60000 /* otherwise: the clock in the corner */

void engine_touch(struct engine *g) {
    if (g->tui)
        tui_dirty(g->tui);
    else if (g->plain)
        plain_run_dirty(g->plain);
}

void engine_clock(struct engine *g) {
    app_clock(g->app, loop_now(), unix_now());
}

/* --- what is pressed, and what is drawn --- */

static void on_key(void *arg, uint32_t key) {
    struct engine *g = arg;

    engine_clock(g);
    app_key(g->app, key);
    engine_touch(g);
}

static void on_paste(void *arg, struct view text, bool cut) {
    struct engine *g = arg;

    engine_clock(g);
    app_paste(g->app, text, cut);
    engine_touch(g);
}

static void on_resize(void *arg, int rows, int cols) {
    struct engine *g = arg;

    app_resize(g->app, rows, cols);
}

static void on_focus(void *arg, bool here) {
    struct engine *g = arg;

    app_on_focus(g->app, here);
    engine_touch(g);
}

/* When the screen will be out of date by itself: seconds that count, a list held back, the minute.
 */
static int64_t next_tick(const struct engine *g) {
    int64_t now = loop_now(), due = app_offers_due(g->app);

    if (app_receipts_busy(g->app))
        return now;
    if (due >= 0)
        return due;
    if (g->errand || app_jobs_alive(g->app) > 0 || g->app->screen == SCR_SETTINGS)
        return now + TICK_MS;
    return now + MINUTE_MS - (unix_now() % 60) * 1000;
}

static void tell_options(struct engine *g) {
    struct option_relay relay[OPTION_RELAYS];

    if (g->app->screen == SCR_SETTINGS)
        app_on_option_relays(g->app, relay, option_facts_relays(g->conf->set, g->browse, relay));
}

static void on_draw(void *arg) {
    struct engine *g = arg;

    engine_clock(g);
    engine_reap(g);
    if (g->browse)
        app_on_relays(g->app, browse_relays_up(g->browse));
    tell_options(g);
    app_prepare(g->app);
    if (g->tui)
        scr_draw(g->app);
    else if (g->plain)
        plain_run_tell(g->plain);
    g->tick_at = next_tick(g);
    loop_timer_set(g->tick, g->tick_at);
}

static void on_leave(void *arg) {
    engine_quit(arg, true);
}

int engine_terminal(struct engine *g, struct err *e) {
    static const struct tui_handler TERMINAL = {on_key,   on_paste, on_resize,
                                                on_focus, on_draw,  on_leave};
    const struct engine_conf *c = g->conf;

    engine_clock(g);
    if (c->set->plain || plain_run_needed())
        g->plain = plain_run_start(g->loop, c->tui.ascii, g->app, &TERMINAL, g, e);
    else
        g->tui = tui_start(g->loop, &c->tui, &TERMINAL, g, e);
    return g->tui || g->plain ? 0 : -1;
}

/* --- what the model asks --- */

void engine_redraw(void *arg) {
    struct engine *g = arg;

    if (g->tui)
        tui_redraw(g->tui);
}

void engine_suspend(void *arg) {
    struct engine *g = arg;

    if (g->tui)
        tui_suspend(g->tui);
    else
        plain_run_suspend(g->plain);
}

void engine_tell(void *arg, const char *words, bool away) {
    struct engine *g = arg;
    const struct settings *set = g->conf->set;
    cleanup_buf struct buf clean = {0}, bytes = {0};

    notify_bytes(away ? notify_here((enum notify)set->notify) : NOTIFY_OFF, set->bell == BELL_ON,
                 text_safe(view_str(words), TEXT_LINE, NOTIFY_WORDS_MAX, &clean), &bytes);
    if (g->tui)
        tui_write(g->tui, buf_view(&bytes));
    else if (set->bell == BELL_ON)
        plain_run_bell(g->plain);
}

int engine_copy(void *arg, struct view text, struct err *e) {
    struct engine *g = arg;

    cleanup_buf struct buf bytes = {0};

    if (!g->tui)
        return err_set(e, "no-clipboard", "without screens nothing is copied to the clipboard");
    if (clipboard_bytes(text, &bytes, e) != 0)
        return -1;
    tui_write(g->tui, buf_view(&bytes));
    return 0;
}

static int lend(struct engine *g, struct err *e) {
    if (!g->tui)
        return plain_run_lend(g->plain, e);
    tui_lend(g->tui);
    return 0;
}

static void reclaim(struct engine *g) {
    if (g->tui)
        tui_reclaim(g->tui);
    else
        plain_run_reclaim(g->plain);
}

static void on_edited(void *arg, struct view text, const struct err *e) {
    struct engine *g = arg;

    reclaim(g);
    engine_clock(g);
    app_on_edited(g->app, text, e);
    editor_free(g->editor);
    g->editor = NULL;
    engine_touch(g);
}

int engine_edit(void *arg, struct view draft, struct err *e) {
    struct engine *g = arg;

    if (lend(g, e) != 0)
        return -1;
    g->editor = editor_start(g->loop, g->conf->set->draft_dir, draft, on_edited, g, e);
    if (g->editor)
        return 0;
    reclaim(g);
    return -1;
}
