/* What a key or a command does: the table of actions, and what each comes down to. */
#include "tui/app.h"

#include "tui/palette.h"
#include "tui/scr.h"

#define TWICE_MS 2000 /* between the two presses of a key that is meant twice */

/* --- moving about --- */

void app_go(struct app *a, enum scr s) {
    if (s != a->screen)
        a->came_from = a->screen;
    a->screen = s;
}

static void do_help(struct app *a) {
    a->help = true;
    pager_clear(a->help_page);
}

static void do_back(struct app *a) {
    static const enum scr UP[] = {
        [SCR_OFFER] = SCR_OFFERS,     [SCR_JOBS] = SCR_OFFERS, [SCR_ATTEST] = SCR_JOBS,
        [SCR_CHAT] = SCR_ATTEST,      [SCR_SOURCE] = SCR_CHAT, [SCR_END] = SCR_JOBS,
        [SCR_TABLE] = SCR_CHAT,       [SCR_CELL] = SCR_TABLE,  [SCR_FILES] = SCR_CHAT,
        [SCR_RECEIPT] = SCR_RECEIPTS,
    };

    if (a->help)
        a->help = false;
    else if (a->screen == SCR_PROOF)
        a->screen = a->proof_from;
    else if (a->screen == SCR_SETTINGS)
        a->screen = a->job->exists || a->came_from == SCR_OFFER ? a->came_from : SCR_OFFERS;
    else if (a->screen != SCR_OFFERS)
        a->screen = UP[a->screen];
}

static void go_job(struct app *a, enum scr s) {
    if (!a->job->exists)
        app_say(a, ROLE_WARN, "there is no job yet: choose an offer and press Enter");
    else
        app_go(a, s);
}

static void do_go_offers(struct app *a) {
    app_go(a, SCR_OFFERS);
}

static void do_go_jobs(struct app *a) {
    app_go(a, SCR_JOBS);
}

static void do_go_attest(struct app *a) {
    go_job(a, SCR_ATTEST);
}

static void do_go_chat(struct app *a) {
    go_job(a, SCR_CHAT);
}

static void do_try(struct app *a) {
    if (a->screen == SCR_FIRST)
        app_first_try(a);
    else
        app_settings_try(a);
}

static void do_go_settings(struct app *a) {
    app_go(a, SCR_SETTINGS);
}

static void do_go_files(struct app *a) {
    go_job(a, SCR_FILES);
}

/* The pages among the screens, scrolled alike. */
static struct pager *page_of(struct app *a) {
    struct pager *const pages[SCR_COUNT] = {
        [SCR_OFFER] = a->offer_page,        [SCR_END] = a->end_page,
        [SCR_PROOF] = a->proof_page,        [SCR_CHAT] = a->job->chat,
        [SCR_SOURCE] = a->job->source_page, [SCR_CELL] = a->cell_page,
        [SCR_HELP] = a->help_page};

    return pages[a->help ? SCR_HELP : a->screen];
}

static void move(struct app *a, enum list_move m) {
    struct pager *page = page_of(a);

    if (a->palette->open)
        list_move(&a->palette->list, m);
    else if (page)
        pager_move(page, m);
    else if (a->screen == SCR_OFFERS)
        list_move(&a->offers, m);
    else if (a->screen == SCR_JOBS)
        app_jobs_move(a, m);
    else if (a->screen == SCR_SETTINGS)
        app_settings_move(a, m);
    else if (a->screen == SCR_FILES)
        list_move(&a->files, m);
    else if (a->screen == SCR_TABLE && app_table(a))
        list_move(&app_table(a)->rows, m);
    else if (a->screen == SCR_FIRST)
        app_first_move(a, m);
    else if (a->screen == SCR_RECEIPTS)
        list_move(&a->receipt_list, m);
    else if (app_look(a).tree)
        tree_move(app_look(a).tree, m);
}

static void do_up(struct app *a) {
    move(a, LIST_UP);
}

static void do_down(struct app *a) {
    move(a, LIST_DOWN);
}

static void do_page_up(struct app *a) {
    move(a, LIST_PAGE_UP);
}

static void do_page_down(struct app *a) {
    move(a, LIST_PAGE_DOWN);
}

static void do_top(struct app *a) {
    move(a, LIST_TOP);
}

static void do_bottom(struct app *a) {
    move(a, LIST_BOTTOM);
}

static void do_unread(struct app *a) {
    if (!a->job->chat || !pager_unread(a->job->chat))
        app_say(a, ROLE_DIM, "there is nothing new below");
}

/* --- jobs --- */

static void do_next_job(struct app *a) {
    app_jobs_step(a, 1);
}

static void do_prev_job(struct app *a) {
    app_jobs_step(a, -1);
}

/* --- offers --- */

static void do_open(struct app *a) {
    if (a->screen == SCR_OFFER)
        app_ask_start(a);
    else if (a->screen == SCR_JOBS)
        app_job_open(a);
    else if (a->screen == SCR_RECEIPTS)
        app_receipt_verify(a);
    else
        app_offers_enter(a);
}

/* --- attestation --- */

static void do_fold(struct app *a) {
    app_tree_do(a, tree_fold);
}

static void do_left(struct app *a) {
    if (a->screen == SCR_SETTINGS)
        app_settings_side(a, false);
    else if (a->screen == SCR_TABLE)
        app_table_column(a, -1);
    else
        app_tree_do(a, tree_left);
}

static void do_right(struct app *a) {
    if (a->screen == SCR_SETTINGS)
        app_settings_side(a, true);
    else if (a->screen == SCR_TABLE)
        app_table_column(a, 1);
    else
        app_tree_do(a, tree_right);
}

static void do_next_open(struct app *a) {
    app_tree_do(a, tree_next_open);
}

static void do_prev_open(struct app *a) {
    app_tree_do(a, tree_prev_open);
}

static void do_save(struct app *a) {
    app_save_bundle(a, NULL);
}

/* --- chat --- */

static void do_send(struct app *a) {
    cmd_enter(a);
}

static void do_newline(struct app *a) {
    if (!edit_insert(a->input, '\n'))
        app_say(a, ROLE_WARN, "there is no room for more");
}

static void do_complete(struct app *a) {
    if (a->palette->open)
        app_palette_complete(a);
    else
        cmd_complete(a);
}

static void do_resend(struct app *a) {
    app_resend(a, 1);
}

static void do_edit_again(struct app *a) {
    app_edit_again(a, 1);
}

static void do_prefix(struct app *a) {
    a->ctrl_x = true;
}

static void do_table(struct app *a) {
    app_table_open(a, a->job->n_tables);
}

static void do_next_table(struct app *a) {
    app_table_step(a, 1);
}

static void do_prev_table(struct app *a) {
    app_table_step(a, -1);
}

static void do_source(struct app *a) {
    app_source_open(a, 1);
}

static void do_next_source(struct app *a) {
    app_source_step(a, 1);
}

static void do_prev_source(struct app *a) {
    app_source_step(a, -1);
}

/* --- questions --- */

static void do_yes(struct app *a) {
    if (a->prompt.open)
        app_answered(a, true);
    else if (a->palette->open)
        app_palette_run(a);
    else
        app_offers_filter_end(a, true);
}

static void do_no(struct app *a) {
    if (a->prompt.open)
        app_answered(a, false);
    else if (a->palette->open)
        palette_close(a->palette);
    else
        app_offers_filter_end(a, false);
}

/* --- everywhere --- */

static void do_redraw(struct app *a) {
    a->conf.port->redraw(a->conf.port_arg);
}

static void do_suspend(struct app *a) {
    a->conf.port->suspend(a->conf.port_arg);
}

static bool twice(struct app *a, int64_t *first) {
    bool second = *first != 0 && a->now - *first < TWICE_MS;

    *first = a->now;
    return second;
}

static void do_panic(struct app *a) {
    if (!twice(a, &a->panic_at)) {
        app_say(a, ROLE_WARN, "Ctrl-Q again: destroy every guest, wipe everything, leave");
        return;
    }
    prompt_close(&a->prompt);
    palette_close(a->palette);
    app_jobs_wipe(a);
    a->screen = SCR_OFFERS;
    a->gone = true;
    a->conf.port->quit(a->conf.port_arg, true);
}

/* Stops an answer, else throws the draft away, else (twice) leaves. */
static void do_interrupt(struct app *a) {
    bool chat = app_focus(a) == SCR_CHAT;

    if (chat && app_answering(a))
        app_stop_answer(a);
    else if (chat && edit_len(a->input) > 0)
        edit_do(a->input, EDIT_CLEAR);
    else if (twice(a, &a->interrupt_at))
        a->conf.port->quit(a->conf.port_arg, true);
    else
        app_say(a, ROLE_WARN, "Ctrl-C again leaves at once");
}

static void do_quit(struct app *a) {
    if (app_jobs_alive(a) > 0)
        app_ask_quit(a);
    else
        a->conf.port->quit(a->conf.port_arg, false);
}

/* --- dispatch --- */

static struct edit *editor_of(struct app *a) {
    struct edit *const editors[SCR_COUNT] = {[SCR_CHAT] = a->input,
                                             [SCR_FILTER] = a->filter,
                                             [SCR_FIND] = a->find,
                                             [SCR_WORD] = a->prompt.edit,
                                             [SCR_PALETTE] = a->palette->edit};

    return editors[app_focus(a)];
}

/* Of the line that is not shown: what edits it, in place of edit_do. */
static void hidden_do(struct hidden *h, enum action act) {
    if (act == ACT_EDIT_BACKSPACE)
        hidden_backspace(h);
    else if (act == ACT_EDIT_KILL_START)
        hidden_clear(h);
}

typedef void action_fn(struct app *a);
static action_fn *const ACTION[ACT_EDIT_FIRST] = {
    [ACT_HELP] = do_help,
    [ACT_PALETTE] = app_palette_open,
    [ACT_REDRAW] = do_redraw,
    [ACT_SUSPEND] = do_suspend,
    [ACT_PANIC] = do_panic,
    [ACT_QUIT] = do_quit,
    [ACT_BACK] = do_back,
    [ACT_INTERRUPT] = do_interrupt,
    [ACT_GO_OFFERS] = do_go_offers,
    [ACT_GO_JOBS] = do_go_jobs,
    [ACT_GO_ATTEST] = do_go_attest,
    [ACT_GO_CHAT] = do_go_chat,
    [ACT_GO_SETTINGS] = do_go_settings,
    [ACT_CHOOSE] = app_first_choose,
    [ACT_NEXT_STEP] = app_first_next,
    [ACT_PREV_STEP] = app_first_back,
    [ACT_SIMULATOR] = app_first_simulator,
    [ACT_SKIP] = app_first_skip,
    [ACT_CHANGE] = app_settings_change,
    [ACT_LOCK] = app_settings_lock,
    [ACT_REMOVE] = app_settings_remove,
    [ACT_TYPE] = app_settings_type,
    [ACT_TRY] = do_try,
    [ACT_WRITE] = app_settings_write,
    [ACT_GO_FILES] = do_go_files,
    [ACT_UP] = do_up,
    [ACT_DOWN] = do_down,
    [ACT_PAGE_UP] = do_page_up,
    [ACT_PAGE_DOWN] = do_page_down,
    [ACT_TOP] = do_top,
    [ACT_BOTTOM] = do_bottom,
    [ACT_UNREAD] = do_unread,
    [ACT_NEXT_JOB] = do_next_job,
    [ACT_PREV_JOB] = do_prev_job,
    [ACT_UNREAD_JOB] = app_jobs_next_unread,
    [ACT_FORGET] = app_ask_forget,
    [ACT_LEFT] = do_left,
    [ACT_RIGHT] = do_right,
    [ACT_OPEN] = do_open,
    [ACT_RAW] = app_offers_raw,
    [ACT_FILTER] = app_offers_filter,
    [ACT_SORT] = app_offers_sort,
    [ACT_SORT_BACK] = app_offers_sort_back,
    [ACT_UNFILTER] = app_offers_escape,
    [ACT_NEXT_OFFER] = app_offers_next,
    [ACT_PREV_OFFER] = app_offers_prev,
    [ACT_FAVOURITE] = app_offers_favourite,
    [ACT_MUTE] = app_offers_mute,
    [ACT_SHOW_MUTED] = app_offers_muted,
    [ACT_FORGET_SELLER] = app_ask_forget_seller,
    [ACT_FOLD] = do_fold,
    [ACT_NEXT_OPEN] = do_next_open,
    [ACT_PREV_OPEN] = do_prev_open,
    [ACT_EVIDENCE] = app_evidence,
    [ACT_CHANGES] = app_changes,
    [ACT_UNACCEPT] = app_forget_accepted,
    [ACT_GO_RECEIPTS] = app_receipts_open,
    [ACT_MARK] = app_receipt_mark,
    [ACT_DIFF] = app_receipt_diff,
    [ACT_TURN] = app_receipt_turn,
    [ACT_DELETE] = app_ask_delete,
    [ACT_ACCEPT] = app_ask_accept,
    [ACT_DESTROY] = app_ask_end,
    [ACT_SAVE] = do_save,
    [ACT_SEND] = do_send,
    [ACT_NEWLINE] = do_newline,
    [ACT_COMPLETE] = do_complete,
    [ACT_FIND] = app_find_open,
    [ACT_FIND_OLDER] = app_find_older,
    [ACT_FIND_NEWER] = app_find_newer,
    [ACT_FIND_KEEP] = app_find_keep,
    [ACT_FIND_END] = app_find_end,
    [ACT_RESEND] = do_resend,
    [ACT_EDIT_AGAIN] = do_edit_again,
    [ACT_PREFIX] = do_prefix,
    [ACT_COPY] = app_copy,
    [ACT_TABLE] = do_table,
    [ACT_NEXT_TABLE] = do_next_table,
    [ACT_PREV_TABLE] = do_prev_table,
    [ACT_TABLE_SORT] = app_table_sort,
    [ACT_TABLE_SAVE] = app_table_save,
    [ACT_CELL] = app_table_show_cell,
    [ACT_FILE_GET] = app_file_get,
    [ACT_FILE_ATTACH] = app_file_attach,
    [ACT_SOURCE] = do_source,
    [ACT_NEXT_SOURCE] = do_next_source,
    [ACT_PREV_SOURCE] = do_prev_source,
    [ACT_PARAM] = app_ask_param,
    [ACT_YES] = do_yes,
    [ACT_NO] = do_no,
};

/* What follows a change of a line that is being written. */
static void edited(struct app *a, const struct edit *e) {
    if (e == a->find)
        app_find_typed(a);
}

void app_do(struct app *a, enum action act) {
    struct edit *e = editor_of(a);
    enum scr focus = app_focus(a);

    if (act >= ACT_EDIT_FIRST && e) {
        edit_do(e, (enum edit_op)(act - ACT_EDIT_FIRST));
        edited(a, e);
    } else if (act >= ACT_EDIT_FIRST && focus == SCR_HIDDEN)
        hidden_do(a->prompt.hidden, act);
    else if (act < ACT_EDIT_FIRST && ACTION[act])
        ACTION[act](a);
    if (a->filtering)
        a->shelf_changed = true;
}

/* The second key of Ctrl-X Ctrl-E. Ctrl-X and another key: that key is lost. */
static bool second_key(struct app *a, uint32_t key) {
    bool second = a->ctrl_x;

    a->ctrl_x = false;
    if (second && app_focus(a) == SCR_CHAT && (key == K_CTRL('E') || key == 'e'))
        app_edit_outside(a);
    return second;
}

void app_key(struct app *a, uint32_t key) {
    enum scr focus = app_focus(a);
    enum action act = keys_find(focus, key);
    struct edit *e = editor_of(a);

    a->status[0] = 0;
    if (second_key(a, key))
        return;
    if (a->shelf_changed)
        app_offers_view(a, true); /* what the person sees is what the key means */
    if (a->palette->open)
        app_palette_fill(a);
    if (act != ACT_NONE)
        app_do(a, act);
    else if (e && key < 0x110000) {
        if (!edit_insert(e, key) && edit_full(e))
            app_say(a, ROLE_WARN, "there is no room for more");
        edited(a, e);
    } else if (focus == SCR_HIDDEN && key < 0x110000 && !hidden_insert(a->prompt.hidden, key))
        app_say(a, ROLE_WARN, "that is no character, or there is no room for more");
    if (a->filtering)
        a->shelf_changed = true;
}

/* A paste goes into the text being written and nowhere else: it answers no question. */
void app_paste(struct app *a, struct view text, bool cut) {
    struct edit *e = editor_of(a);
    enum scr focus = app_focus(a);

    if (focus == SCR_HIDDEN) {
        if (cut || !hidden_paste(a->prompt.hidden, text))
            app_say(a, ROLE_WARN, "that is not one line of text, or too long: nothing was taken");
        return;
    }
    if (!e || (focus == SCR_WORD && !a->prompt.free)) {
        app_say(a, ROLE_WARN, "a paste does nothing here");
        return;
    }
    edit_paste(e, text);
    if (cut || edit_full(e))
        app_say(a, ROLE_WARN, "the paste was too long: only its beginning is here");
    edited(a, e);
    a->shelf_changed |= a->filtering;
}
