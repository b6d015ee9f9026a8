/* The list of everything, and that nothing in it goes around a question. */
#include "tui/palette.c"

#include "tests/unit/tui_world.h"

static void open_with(struct app *a, const char *typed) {
    hit(a, a->screen == SCR_CHAT ? K_ALT('x') : ':');
    assert_true(a->palette->open);
    type(a, typed);
    app_prepare(a);
}

static const char *first_help(const struct app *a) {
    const struct palette_row *r = palette_at(a->palette);

    return !r ? "" : r->cmd ? r->cmd->help : r->key->help;
}

static bool lists_action(const struct app *a, enum action act) {
    return has_action(a->palette, act);
}

/* Everything of the two tables that is not moving or writing is in the list, wherever one is. */
static void everything_is_listed(void **state) {
    struct app *a = app_deciding();
    size_t n_rows, n_cmds, commands = 0;
    const struct key_row *row = keys_table(&n_rows);

    (void)state;
    (void)cmd_table(&n_cmds);
    app_go(a, SCR_OFFERS);
    open_with(a, "");
    for (size_t i = 0; i < n_rows; i++)
        for (size_t k = 0; k < COUNT(REACHED); k++)
            if (keys_on(&row[i], REACHED[k].screen) && !by_hand(row[i].action))
                assert_true(lists_action(a, row[i].action));
    for (size_t i = 0; i < a->palette->list.n; i++)
        commands += a->palette->row[i].cmd != NULL;
    assert_int_equal(commands, n_cmds);
    assert_true(keys_on(a->palette->row[0].key, SCR_OFFERS)); /* this screen comes first */
    app_done(a);
}

static void words_filter_and_enter_runs(void **state) {
    struct app *a = app_with_offers();

    (void)state;
    open_with(a, "KEYS settings");
    assert_string_equal(first_help(a), "keys and settings");
    hit(a, K_ENTER);
    assert_false(a->palette->open);
    assert_int_equal(a->screen, SCR_SETTINGS);
    open_with(a, "no such thing");
    assert_int_equal(a->palette->list.n, 0);
    hit(a, K_ENTER); /* nothing to run: it stays open */
    assert_true(a->palette->open);
    hit(a, K_ESC);
    assert_false(a->palette->open);
    app_done(a);
}

/* What belongs to another screen is done there; where that cannot be, it is said. */
static void another_screen_is_brought_up(void **state) {
    struct app *a = app_with_offers();

    (void)state;
    open_with(a, "next line that is not PASS");
    hit(a, K_ENTER);
    assert_int_equal(a->screen, SCR_OFFERS);
    assert_non_null(strstr(a->status, "no job"));
    app_done(a);
    a = app_deciding();
    app_go(a, SCR_OFFERS);
    open_with(a, "next line that is not PASS");
    hit(a, K_ENTER);
    assert_int_equal(a->screen, SCR_ATTEST);
    app_done(a);
}

static void commands_take_their_arguments(void **state) {
    struct app *a = app_ready();

    (void)state;
    app_go(a, SCR_ATTEST);
    open_with(a, "/att");
    hit(a, K_TAB);
    assert_int_equal(edit_len(a->palette->edit), strlen("/attach "));
    hit(a, K_ENTER); /* no path yet */
    assert_true(a->palette->open);
    type(a, "LICEN");
    hit(a, K_TAB); /* paths are completed as in the chat */
    hit(a, K_ENTER);
    assert_false(a->palette->open);
    assert_int_equal(app_focus(a), SCR_YESNO);
    assert_int_equal(a->n_attach, 1);
    assert_string_equal(a->attach[0].path, "LICENSE");
    app_done(a);
}

static void the_cursor_starts_anew_with_other_words(void **state) {
    struct app *a = app_with_offers();

    (void)state;
    open_with(a, "");
    for (int i = 0; i < 5; i++)
        hit(a, K_DOWN);
    assert_int_equal(a->palette->list.cur, 5);
    hit(a, 'o');
    assert_int_equal(a->palette->list.cur, 0);
    hit(a, K_PAGE_DOWN);
    assert_true(a->palette->list.cur > 0);
    hit(a, K_ESC);
    app_done(a);
}

/* A paste is only text, and its newline runs nothing. */
static void a_paste_runs_nothing(void **state) {
    struct app *a = app_ready();

    (void)state;
    open_with(a, "");
    app_paste(a, view_str("attach LICENSE\nend\ny\n"), false);
    app_key(a, K_PASTED_ENTER);
    assert_true(a->palette->open);
    assert_false(a->prompt.open);
    app_done(a);
}

/* Every row, in every state in which nothing may be sent: nothing is sent. */
static void no_way_around_the_gate(void **state) {
    static const enum session_state SHUT[] = {SESSION_REQUESTED, SESSION_VERIFYING,
                                              SESSION_DECISION,  SESSION_ACCEPTED,
                                              SESSION_ENDED,     SESSION_FAILED};

    (void)state;
    for (size_t i = 0; i < COUNT(SHUT); i++)
        for (size_t row = 0;; row++) {
            struct app *a = app_deciding();
            bool more;

            free((char *)a->conf.folder);
            a->conf.folder = mem_str("/nonexistent"); /* what would be saved */
            a->job->state = SHUT[i];
            open_with(a, "");
            more = row < a->palette->list.n;
            for (size_t k = 0; k < row; k++)
                app_key(a, K_DOWN);
            app_key(a, K_ENTER);
            app_key(a, K_ENTER);
            app_key(a, 'y');
            app_key(a, K_ENTER);
            buf_str(&world.log, "");
            if (strstr((char *)world.log.p, "ask ") || strstr((char *)world.log.p, "attach ") ||
                strstr((char *)world.log.p, "accept ") || strstr((char *)world.log.p, "confirm "))
                fail_msg("row %zu asked the world: %s", row, (char *)world.log.p);
            app_done(a);
            if (!more)
                break;
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_listed),
        cmocka_unit_test(words_filter_and_enter_runs),
        cmocka_unit_test(another_screen_is_brought_up),
        cmocka_unit_test(commands_take_their_arguments),
        cmocka_unit_test(the_cursor_starts_anew_with_other_words),
        cmocka_unit_test(a_paste_runs_nothing),
        cmocka_unit_test(no_way_around_the_gate),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);

    buf_free(&world.log);
    return rc;
}
