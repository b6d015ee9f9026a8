#include "tui/app_do.c"

#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/tui_world.h"

static char dir[64];

static void every_action_is_handled(void **st) {
    const struct key_row *row;
    size_t n;

    (void)st;
    row = keys_table(&n);
    for (size_t i = 0; i < n; i++)
        if (row[i].action < ACT_EDIT_FIRST && !ACTION[row[i].action])
            fail_msg("nothing does '%s'", row[i].help);
}

/* --- the gate --- */

/* Presses every key that the table or a keyboard has, answers every question with y and with a
 * wrong word, types every command: nothing of the person's may be asked of the world. */
static void try_everything(struct app *a, enum scr on) {
    const struct key_row *row;
    const struct cmd *cmd;
    size_t n, n_cmd;

    row = keys_table(&n);
    cmd = cmd_table(&n_cmd);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < 4 && row[i].key[k]; k++) {
            a->screen = on;
            app_key(a, row[i].key[k]);
            app_key(a, 'y');
            press(a, "wrong", K_ENTER);
        }
    for (uint32_t c = 1; c < 0x80; c++) {
        a->screen = on;
        app_key(a, c);
        app_key(a, K_ALT(c));
    }
    for (size_t i = 0; i < n_cmd; i++) {
        cleanup_free char *line = mem_fmt("/%s LICENSE", cmd[i].name);

        a->screen = SCR_CHAT;
        a->help = a->filtering = false;
        prompt_close(&a->prompt);
        edit_do(a->input, EDIT_CLEAR);
        press(a, line, K_ENTER);
        app_key(a, 'y');
        app_paste(a, view_str("simulated\naccept\ny\n"), false);
        app_key(a, K_PASTED_ENTER);
    }
}

static void nothing_was_sent(void) {
    buf_str(&world.log, "");
    if (strstr((char *)world.log.p, "ask") || strstr((char *)world.log.p, "attach") ||
        strstr((char *)world.log.p, "accept") || strstr((char *)world.log.p, "confirm"))
        fail_msg("asked of the world: %s", (char *)world.log.p);
}

static void no_way_around_the_gate(void **st) {
    static const enum session_state SHUT[] = {
        SESSION_REQUESTED, SESSION_STARTING, SESSION_VERIFYING, SESSION_DECISION, SESSION_ACCEPTED,
        SESSION_ENDING,    SESSION_ENDED,    SESSION_REFUSED,   SESSION_FAILED};

    (void)st;
    for (size_t i = 0; i < COUNT(SHUT); i++)
        for (enum scr s = SCR_OFFERS; s <= SCR_END; s++) {
            struct app *a = app_deciding();

            a->job->state = SHUT[i];
            try_everything(a, s);
            nothing_was_sent();
            app_done(a);
        }
}

static void text_that_may_not_go_stays(void **st) {
    struct app *a = app_deciding();

    (void)st;
    app_go(a, SCR_CHAT);
    press(a, "my secret", K_ENTER);
    expect_status(a, "not sent: the verdict needs your decision");
    assert_int_equal(edit_len(a->input), 9);
    a->job->state = SESSION_READY;
    app_key(a, K_ENTER);
    expect_asked("ask my secret;");
    assert_int_equal(edit_len(a->input), 0);
    app_done(a);
}

static void refused_text_stays(void **st) {
    struct app *a = app_ready();

    (void)st;
    world.deaf = true;
    press(a, "hello", K_ENTER);
    expect_status(a, "not sent: the world is deaf");
    assert_int_equal(edit_len(a->input), 5);
    assert_null(app_answering(a));
    world.deaf = false;
    app_done(a);
}

/* --- the decision --- */

static void simulated_wants_its_word(void **st) {
    struct app *a = app_deciding();

    (void)st;
    press(a, "a", 0);
    assert_int_equal(app_focus(a), SCR_WORD);
    press(a, "accept", K_ENTER);
    expect_status(a, "that is not the word");
    expect_asked("");
    press(a, "a", 0);
    app_paste(a, view_str("simulated"), false);
    app_key(a, K_ENTER);
    expect_asked("");
    press(a, "a", 0);
    press(a, "simulated", K_PASTED_ENTER);
    expect_asked("");
    app_key(a, K_ENTER);
    expect_asked("confirm snp.tcb.floor;accept 1;");
    app_done(a);
}

static void warnings_want_theirs(void **st) {
    struct app *a = app_deciding();

    (void)st;
    a->job->verdict.simulated = false;
    press(a, "asimulated", K_ENTER);
    expect_asked("");
    press(a, "a", K_ESC);
    press(a, "aaccept", K_ENTER);
    expect_asked("confirm snp.tcb.floor;accept 0;");
    app_done(a);
}

static void failure_cannot_be_accepted(void **st) {
    static const struct check FAILED = {.id = "snp.measurement",
                                        .state = CHECK_FAIL,
                                        .required = true,
                                        .title = "",
                                        .expected = "",
                                        .got = "",
                                        .why = ""};
    struct app *a = app_deciding();

    (void)st;
    a->job->verdict.open[1] = &FAILED;
    a->job->verdict.n_open = 2;
    press(a, "a", 0);
    assert_false(a->prompt.open);
    expect_status(a, "cannot be accepted");
    app_done(a);
}

static void refusing_and_ending(void **st) {
    struct app *a = app_deciding();

    (void)st;
    press(a, "xn", 0);
    expect_asked("");
    press(a, "x", K_ENTER); /* Enter is no */
    expect_asked("");
    press(a, "xy", 0);
    expect_asked("end;"); /* refuse, in this world */
    app_done(a);
}

/* --- files --- */

static char *path_in(const char *name) {
    return mem_fmt("%s/%s", dir, name);
}

static void file_put(const char *name, const char *text) {
    cleanup_free char *path = path_in(name);
    struct err e;

    assert_int_equal(file_write(path, view_str(text), 0600, true, &e), 0);
}

static void attach_asks_first(void **st) {
    struct app *a = app_ready();
    cleanup_free char *line = mem_fmt("/attach %s/data.csv ", dir);
    cleanup_free char *asked = mem_fmt("attach %s/data.csv text/csv;", dir);

    (void)st;
    file_put("data.csv", "a,b\n1,2\n");
    press(a, line, K_ENTER);
    assert_int_equal(app_focus(a), SCR_YESNO);
    assert_non_null(strstr((char *)a->prompt.body.p, "8 bytes"));
    assert_non_null(strstr((char *)a->prompt.body.p, "c4d9 51fe 07aa 3b12"));
    assert_non_null(strstr((char *)a->prompt.body.p, "SIMULATED"));
    app_key(a, K_ENTER);
    expect_asked("");
    press(a, line, K_ENTER);
    app_key(a, 'y');
    expect_asked(asked);
    app_done(a);
}

static void changed_file_is_not_sent(void **st) {
    struct app *a = app_ready();
    cleanup_free char *line = mem_fmt("/attach %s/data.csv", dir);

    (void)st;
    file_put("data.csv", "one");
    press(a, line, K_ENTER);
    file_put("data.csv", "two");
    app_key(a, 'y');
    expect_asked("");
    expect_status(a, "changed");
    app_done(a);
}

static void odd_paths_are_refused(void **st) {
    struct app *a = app_ready();

    (void)st;
    press(a, "/attach /nonexistent", K_ENTER);
    expect_status(a, "there is no file /nonexistent");
    press(a, "/attach /dev/zero", K_ENTER);
    expect_status(a, "is not a file");
    press(a, "/attach", K_ENTER);
    expect_status(a, "which file?");
    press(a, "/nosuch thing", K_ENTER);
    expect_status(a, "there is no command /nosuch");
    expect_asked("");
    app_done(a);
}

static void several_files_are_asked_about_at_once(void **st) {
    struct app *a = app_ready();
    cleanup_free char *line =
        mem_fmt("/attach %s/one.md '%s/two words.txt'  %s/three\\ more.txt", dir, dir, dir);
    cleanup_free char *asked = mem_fmt("attach %s/one.md text/markdown;attach %s/two words.txt "
                                       "text/plain;attach %s/three more.txt text/plain;",
                                       dir, dir, dir);
    cleanup_free char *one = mem_fmt("/attach %s/two words.txt", dir);

    (void)st;
    file_put("one.md", "1");
    file_put("two words.txt", "22");
    file_put("three more.txt", "333");
    press(a, line, K_ENTER);
    assert_int_equal(app_focus(a), SCR_YESNO);
    assert_string_equal(a->prompt.title, "Send these 3 files, 6 bytes?");
    assert_non_null(strstr((char *)a->prompt.body.p, "two words.txt, 2 bytes"));
    app_key(a, 'y');
    expect_asked(asked);
    press(a, one, K_ENTER); /* spaces as they are, when it is the only one */
    assert_string_equal(a->prompt.title, "Send this file?");
    app_done(a);
}

static void all_files_or_none(void **st) {
    struct app *a = app_ready();
    cleanup_free char *line = mem_fmt("/attach %s/one.md /nonexistent", dir);
    cleanup_free char *many = mem_str("/attach a b c d e f g h i");
    cleanup_free char *two = mem_fmt("/attach %s/one.md %s/two.txt", dir, dir);
    cleanup_free char *first = mem_fmt("attach %s/one.md text/markdown;", dir);

    (void)st;
    file_put("one.md", "1");
    file_put("two.txt", "2");
    press(a, line, K_ENTER);
    assert_false(a->prompt.open);
    expect_status(a, "there is no file /nonexistent");
    press(a, many, K_ENTER);
    expect_status(a, "at most 8 files");
    press(a, two, K_ENTER);
    file_put("two.txt", "changed");
    app_key(a, 'y');
    expect_asked(first);
    expect_status(a, "changed");
    app_done(a);
}

/* --- passages --- */

static size_t chat_holds(const struct app *a, const char *words) {
    struct pager_row row;
    size_t n = 0;

    for (size_t i = 0; pager_row(a->job->chat, i, &row); i++)
        n += strstr(row.text.s, words) != NULL;
    return n;
}

static void passages_stand_under_the_answer(void **st) {
    struct app *a = app_reading();
    uint8_t ID[32];

    (void)st;
    memset(ID, 0x51, 32);
    assert_false(app_has_sources(a));
    app_key(a, K_ALT('s'));
    expect_status(a, "no answer has named a passage");
    guest_sources(a);
    assert_int_equal(chat_holds(a, "[1] lease.md"), 0); /* not before the answer */
    happens(
        a, &(struct session_event){.type = SE_ANSWER, .id = ID, .text = view_str("Three months.")});
    assert_int_equal(chat_holds(a, "[1] lease.md"), 1);
    assert_int_equal(chat_holds(a, "[2] scan.pdf"), 1);
    guest_sources(a); /* later ones replace them and are shown at once */
    assert_int_equal(chat_holds(a, "[1] lease.md"), 2);
    memset(ID, 0x52, 32);
    happens(a, &(struct session_event){.type = SE_SOURCES, .id = ID, .json = NULL});
    happens(a, &(struct session_event){.type = SE_SOURCES, .id = NULL, .json = NULL});
    app_done(a);
}

static void a_passage_opens_where_it_stands(void **st) {
    struct app *a = app_answered_with_sources();
    struct pager_row row;
    size_t of, marked = 0;

    (void)st;
    app_key(a, K_ALT('s'));
    assert_int_equal(a->screen, SCR_SOURCE);
    assert_string_equal(app_source(a, &of)->doc, "lease.md");
    assert_int_equal(of, 2);
    assert_string_equal(a->job->source_note, "");
    app_prepare(a);
    for (size_t i = 0; pager_row(a->job->source_page, i, &row); i++)
        if (row.role == ROLE_ACCENT && marked++ == 0)
            assert_true(!strncmp(row.text.s, "Either side may end", 19));
    assert_true(marked > 0 && pager_rows(a->job->source_page) > marked + 8);
    app_key(a, 'n');
    assert_string_equal(app_source(a, &of)->doc, "scan.pdf");
    assert_non_null(strstr(a->job->source_note, "sent no document"));
    app_key(a, 'n');
    expect_status(a, "the last passage");
    app_key(a, 'p');
    app_key(a, 'p');
    expect_status(a, "the first passage");
    app_key(a, K_ESC);
    assert_int_equal(a->screen, SCR_CHAT);
    press(a, "/source 2", K_ENTER);
    assert_string_equal(app_source(a, &of)->doc, "scan.pdf");
    app_key(a, K_ESC);
    press(a, "/source 3", K_ENTER);
    expect_status(a, "passages 1 to 2");
    press(a, "/source x", K_ENTER);
    expect_status(a, "passages 1 to 2");
    app_done(a);
}

/* Only the file that was sent: not what has been put in its place since. */
static void another_document_is_not_shown(void **st) {
    struct app *a = app_answered_with_sources();
    cleanup_free char *path = path_in("lease.md");
    struct app_file *f = &a->job->file[0];

    (void)st;
    file_put("lease.md",
             "Either side may end this lease with a notice of three months, in writing.");
    free(f->path);
    f->path = mem_str(path);
    app_key(a, K_ALT('s'));
    assert_non_null(strstr(a->job->source_note, "has changed since"));
    assert_int_equal(pager_rows(a->job->source_page) < 6, 1);
    unlink(path);
    app_key(a, K_ESC);
    app_key(a, K_ALT('s'));
    assert_non_null(strstr(a->job->source_note, "The passage alone"));
    app_done(a);
}

static void passages_go_with_their_turn(void **st) {
    struct app *a = app_answered_with_sources();

    (void)st;
    for (int i = 0; i < APP_TURNS + 3; i++) {
        press(a, "again", K_ENTER);
        memset(a->job->turn[a->job->n_turns - 1].id, i, 32);
    }
    app_key(a, K_ALT('s'));
    expect_status(a, "no answer has named a passage");
    app_done(a);
}

/* --- who answers --- */

static void a_small_model_is_no_oracle(void **st) {
    struct app *a = app_with_model();

    (void)st;
    assert_int_equal(chat_holds(a, "SmolLM2-135M-Instruct, 135 M parameters, Q4_1"), 1);
    assert_int_equal(chat_holds(a, "This model is very small"), 1);
    assert_int_equal(chat_holds(a, "processor is emulated"), 1);
    app_done(a);
    a = app_deciding();
    a->job->model = (struct model){.chats = true};
    state(a, SESSION_READY);
    happens(a, &(struct session_event){.type = SE_READY, .text = view_str("chat")});
    assert_int_equal(chat_holds(a, "no language model in this guest"), 1);
    app_done(a);
}

/* --- parameters --- */

static void parameters_are_set_before_a_guest_starts(void **st) {
    struct app *a = app_with_offers();

    (void)st;
    app_key(a, K_ENTER);
    press(a, "p", 0);
    assert_int_equal(app_focus(a), SCR_WORD);
    app_paste(a, view_str("system=Be brief.\n"), false); /* a paste is welcome and sends nothing */
    app_key(a, K_PASTED_ENTER);
    assert_int_equal(a->n_params, 0);
    app_key(a, K_ENTER);
    assert_int_equal(a->n_params, 1);
    assert_string_equal(a->params[0].key, "system");
    assert_true(!strncmp(a->params[0].value, "Be brief.", 9));
    press(a, "psystem=Be very brief.", K_ENTER);
    assert_int_equal(a->n_params, 1);
    assert_string_equal(a->params[0].value, "Be very brief.");
    press(a, "pno value", K_ENTER);
    expect_status(a, "KEY=VALUE");
    press(a, "pBad=1", K_ENTER);
    expect_status(a, "KEY=VALUE");
    press(a, "px=1", K_ESC);
    assert_int_equal(a->n_params, 1);
    expect_asked("");
    app_done(a);
}

/* --- paste --- */

static void two_megabytes_of_paste_send_nothing(void **st) {
    struct app *a = app_ready();
    cleanup_buf struct buf big = {0};

    (void)st;
    while (big.n < 2000000)
        buf_str(&big, "secret line \033[201~\033]52;c;x\007\n");
    app_paste(a, buf_view(&big), false);
    for (int i = 0; i < 20; i++)
        app_key(a, K_PASTED_ENTER);
    expect_asked("");
    assert_int_equal(edit_len(a->input), DRAFT_MAX);
    for (size_t i = 0; i < 2000; i++)
        assert_int_not_equal(edit_at(a->input, i), 0x1b);
    app_key(a, 'y');
    expect_status(a, "there is no room for more");
    expect_asked("");
    app_done(a);
}

static void paste_answers_nothing(void **st) {
    struct app *a = app_with_offers();

    (void)st;
    app_paste(a, view_str("q\ny\n"), false);
    expect_status(a, "a paste does nothing here");
    expect_asked("");
    app_done(a);
}

/* --- leaving --- */

static void panic_takes_two(void **st) {
    struct app *a = app_chatting();

    (void)st;
    buf_reset(&world.log);
    app_key(a, K_CTRL('Q'));
    expect_asked("");
    later(a, TWICE_MS + 1);
    app_key(a, K_CTRL('Q'));
    expect_asked("");
    later(a, 100);
    app_key(a, K_CTRL('Q'));
    expect_asked("quit 1;");
    assert_false(a->job->exists);
    assert_int_equal(edit_len(a->input), 0);
    state(a, SESSION_ENDED); /* what still comes finds nothing to change */
    app_prepare(a);
    app_done(a);
}

static void ctrl_c_stops_then_leaves(void **st) {
    struct app *a = app_chatting();

    (void)st;
    buf_reset(&world.log);
    app_key(a, K_CTRL('C'));
    expect_asked("cancel;");
    happens(a, &(struct session_event){.type = SE_ANSWER,
                                       .id = a->job->turn[0].id,
                                       .code = "cancelled",
                                       .text = view_str("stopped")});
    assert_int_not_equal(edit_len(a->input), 0);
    app_key(a, K_CTRL('C'));
    assert_int_equal(edit_len(a->input), 0);
    app_key(a, K_CTRL('C'));
    expect_asked("");
    app_key(a, K_CTRL('C'));
    expect_asked("quit 1;");
    app_done(a);
}

static void quitting_asks_while_a_guest_lives(void **st) {
    struct app *a = app_ready();

    (void)st;
    app_go(a, SCR_OFFERS);
    press(a, "q", K_ENTER);
    expect_asked("");
    press(a, "qy", 0);
    expect_asked("quit 0;");
    a->job->state = SESSION_ENDED;
    press(a, "q", 0);
    expect_asked("quit 0;");
    app_done(a);
}

/* --- memory, streams --- */

static void verdicts_are_remembered(void **st) {
    struct app *a = app_deciding();
    struct proof p = proven_get(a->proven, a->job->provider);

    (void)st;
    assert_int_equal(p.state, PROOF_SIMULATED);
    assert_int_equal(p.when, a->unix_now);
    app_done(a);
}

static void simulated_offers_need_the_policy(void **st) {
    struct app *a = app_for(1);
    struct offer *o = offer_of(7, "csv demo", "local sim", "sim", "", 0);

    (void)st;
    a->conf.simulated = false;
    put_offer(a, o, true, 1);
    assert_int_equal(shelf_count(a->shelf), 0);
    app_done(a);
}

static void the_cursor_stays_with_its_offer(void **st) {
    struct app *a = app_with_offers();
    uint8_t id[32];

    (void)st;
    app_prepare(a);
    app_key(a, K_DOWN);
    app_key(a, K_DOWN);
    memcpy(id, shelf_at(a->shelf, a->offers.cur)->id, 32);
    app_key(a, 's');
    app_prepare(a);
    assert_memory_equal(shelf_at(a->shelf, a->offers.cur)->id, id, 32);
    app_done(a);
}

static void stray_events_change_nothing(void **st) {
    struct app *a = app_ready();
    size_t rows;
    uint8_t other[32] = {9};

    (void)st;
    app_prepare(a);
    rows = pager_rows(a->job->chat);
    happens(a, &(struct session_event){.type = SE_DELTA, .id = other, .text = view_str("x")});
    happens(a, &(struct session_event){.type = SE_SENT, .id = other});
    happens(a, &(struct session_event){.type = SE_TABLE, .id = other, .json = NULL});
    assert_true(pager_rows(a->job->chat) <= rows + 1);
    app_done(a);
}

static int make_dir(void **st) {
    (void)st;
    snprintf(dir, sizeof dir, "/tmp/cdvm-app-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **st) {
    static const char *const NAMES[] = {"data.csv",      "out.csv",        "out-2.csv", "out-3.csv",
                                        "README",        "told.txt",       "link",      "link-2",
                                        "ledger-a.csv",  "ledger-b.csv",   "one.md",    "two.txt",
                                        "two words.txt", "three more.txt", "lease.md"};

    (void)st;
    for (size_t i = 0; i < COUNT(NAMES); i++) {
        cleanup_free char *path = path_in(NAMES[i]);

        unlink(path);
    }
    buf_free(&world.log);
    return rmdir(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_action_is_handled),
        cmocka_unit_test(no_way_around_the_gate),
        cmocka_unit_test(text_that_may_not_go_stays),
        cmocka_unit_test(refused_text_stays),
        cmocka_unit_test(simulated_wants_its_word),
        cmocka_unit_test(warnings_want_theirs),
        cmocka_unit_test(failure_cannot_be_accepted),
        cmocka_unit_test(refusing_and_ending),
        cmocka_unit_test(attach_asks_first),
        cmocka_unit_test(changed_file_is_not_sent),
        cmocka_unit_test(odd_paths_are_refused),
        cmocka_unit_test(several_files_are_asked_about_at_once),
        cmocka_unit_test(all_files_or_none),
        cmocka_unit_test(passages_stand_under_the_answer),
        cmocka_unit_test(a_passage_opens_where_it_stands),
        cmocka_unit_test(another_document_is_not_shown),
        cmocka_unit_test(passages_go_with_their_turn),
        cmocka_unit_test(a_small_model_is_no_oracle),
        cmocka_unit_test(parameters_are_set_before_a_guest_starts),
        cmocka_unit_test(two_megabytes_of_paste_send_nothing),
        cmocka_unit_test(paste_answers_nothing),
        cmocka_unit_test(panic_takes_two),
        cmocka_unit_test(ctrl_c_stops_then_leaves),
        cmocka_unit_test(quitting_asks_while_a_guest_lives),
        cmocka_unit_test(verdicts_are_remembered),
        cmocka_unit_test(simulated_offers_need_the_policy),
        cmocka_unit_test(the_cursor_stays_with_its_offer),
        cmocka_unit_test(stray_events_change_nothing),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
