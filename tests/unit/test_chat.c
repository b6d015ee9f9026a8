/* The conversation: sending, marks, asking again, streams, search, tables, copies, drafts outside,
 * completion. */
#include "tui/app_talk.c"

#include <locale.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/tui_world.h"
#include "tui/cmd.h"

static char dir[64];

static void expect_draft(const struct app *a, const char *text) {
    cleanup_buf struct buf b = {0};

    edit_text(a->input, &b);
    buf_str(&b, "");
    assert_string_equal((char *)b.p, text);
}

/* The rows of the chat that hold the words. */
static size_t said(const struct app *a, const char *words) {
    struct pager_row row;
    size_t n = 0;

    for (size_t i = 0; pager_row(a->job->chat, i, &row); i++)
        n += memmem(row.text.s, row.text.n, words, strlen(words)) != NULL;
    return n;
}

static const char *tag_of(const struct app *a) {
    static char tag[PAGER_TAG + 1];
    struct pager_row row;

    tag[0] = 0;
    for (size_t i = 0; pager_row(a->job->chat, i, &row); i++)
        if (row.tag.n > 0)
            snprintf(tag, sizeof tag, "%s", row.tag.s);
    return tag;
}

static const uint8_t *question(struct app *a) {
    return a->job->turn[a->job->n_turns - 1].id;
}

static void answer(struct app *a, const char *text, const char *code) {
    happens(a, &(struct session_event){
                   .type = SE_ANSWER, .id = question(a), .text = view_str(text), .code = code});
}

static void stream(struct app *a, const char *text) {
    happens(a,
            &(struct session_event){.type = SE_DELTA, .id = question(a), .text = view_str(text)});
}

/* --- questions and their marks --- */

static void a_question_is_marked(void **st) {
    struct app *a = app_ready();

    (void)st;
    press(a, "first", K_ENTER);
    assert_string_equal(tag_of(a), "sending");
    happens(a, &(struct session_event){.type = SE_SENT, .id = question(a)});
    assert_string_equal(tag_of(a), "sent");
    answer(a, "fine", NULL);
    assert_string_equal(tag_of(a), "answered");
    press(a, "second", K_ENTER);
    answer(a, "", "cancelled");
    assert_string_equal(tag_of(a), "stopped");
    press(a, "third", K_ENTER);
    answer(a, "", "workload-failed");
    assert_string_equal(tag_of(a), "failed");
    press(a, "fourth", K_ENTER);
    state(a, SESSION_FAILED);
    assert_string_equal(tag_of(a), "not acked");
    app_done(a);
}

static void asking_again(void **st) {
    struct app *a = app_ready();

    (void)st;
    app_key(a, K_ALT('r'));
    expect_status(a, "nothing was asked yet");
    press(a, "why?\n", 0);
    app_key(a, K_ENTER);
    expect_asked("ask why?\n;");
    app_key(a, K_ALT('r'));
    expect_status(a, "repeated until the guest has it");
    happens(a, &(struct session_event){.type = SE_SENT, .id = question(a)});
    app_key(a, K_ALT('r'));
    expect_status(a, "Ctrl-C stops it");
    answer(a, "", "cancelled");
    expect_asked("");
    app_key(a, K_ALT('r'));
    expect_asked("ask why?\n;");
    answer(a, "so", NULL);
    press(a, "a draft", K_ALT('e'));
    expect_draft(a, "why?\n");
    expect_asked("");
    edit_do(a->input, EDIT_CLEAR);
    app_key(a, K_UP);
    expect_draft(a, "a draft");
    edit_do(a->input, EDIT_CLEAR);
    press(a, "/resend 3", K_ENTER);
    expect_status(a, "the last 2 questions are kept");
    press(a, "/resend x", K_ENTER);
    expect_status(a, "questions are kept");
    press(a, "/edit 2", K_ENTER);
    expect_draft(a, "why?\n");
    app_done(a);
}

/* A stopped question is asked again only while the gate is open. */
static void asking_again_passes_the_gate(void **st) {
    struct app *a = app_ready();

    (void)st;
    press(a, "secret", K_ENTER);
    answer(a, "", "cancelled");
    buf_reset(&world.log);
    a->job->state = SESSION_ENDED;
    app_key(a, K_ALT('r'));
    press(a, "/resend", K_ENTER);
    expect_asked("");
    expect_status(a, "not sent");
    app_done(a);
}

/* --- streams --- */

static void a_stream_shows_no_half_address(void **st) {
    struct app *a = app_ready();

    (void)st;
    press(a, "where?", K_ENTER);
    stream(a, "see htt");
    assert_int_equal(said(a, "htt"), 0);
    stream(a, "ps://b\xc3\xbc");
    stream(a, "cher.example/x now");
    assert_int_equal(said(a, "https://xn--bcher-kva.example/x"), 1);
    assert_int_equal(said(a, "b\xc3\xbc"), 0);
    assert_int_equal(said(a, "now"), 0);
    answer(a,
           "see https://b\xc3\xbc"
           "cher.example/x now.",
           NULL);
    assert_int_equal(said(a, "see https://xn--bcher-kva.example/x now."), 1);
    app_done(a);
}

static void what_an_answer_took_is_told(void **st) {
    struct app *a = app_ready();
    struct talk_usage u = {.prompt = 20, .completion = 212, .finish = "length"};

    (void)st;
    press(a, "why?", K_ENTER);
    stream(a, "one two ");
    later(a, 4000);
    stream(a, "three");
    assert_int_equal(a->job->turn[0].words, 3);
    happens(a, &(struct session_event){.type = SE_ANSWER,
                                       .id = question(a),
                                       .text = view_str("one two three"),
                                       .usage = &u});
    assert_int_equal(said(a, "212 tokens, 53.0 a second; it ended at its limit."), 1);
    app_done(a);
}

static void an_endless_answer_is_cut(void **st) {
    struct app *a = app_ready();
    struct buf much = {0};

    (void)st;
    while (much.n < ANSWER_SHOWN + 100000)
        buf_str(&much, "a line of an answer that does not end\n");
    press(a, "go", K_ENTER);
    happens(a,
            &(struct session_event){.type = SE_ANSWER, .id = question(a), .text = buf_view(&much)});
    assert_true(pager_entry(a->job->chat, a->job->turn[0].entry).n <= ANSWER_SHOWN);
    assert_int_equal(said(a, "only the first"), 1);
    buf_free(&much);
    app_done(a);
}

/* --- search --- */

static void searching_while_typing(void **st) {
    struct app *a = app_ready();

    (void)st;
    for (int i = 0; i < 100; i++)
        app_note(a, ROLE_TEXT, i % 40 == 3 ? "a needle, line %d" : "hay, line %d", i);
    press(a, "the draft", 0);
    app_prepare(a);
    app_key(a, K_CTRL('F'));
    assert_int_equal(app_focus(a), SCR_FIND);
    press(a, "nEEdle", 0);
    assert_int_equal(a->found, 3);
    assert_true(!pager_following(a->job->chat));
    app_key(a, K_CTRL('F'));
    app_key(a, K_CTRL('F'));
    app_key(a, K_CTRL('F'));
    expect_status(a, "nothing older");
    app_key(a, K_ENTER);
    assert_int_equal(app_focus(a), SCR_FOUND);
    press(a, "N", 0);
    press(a, "xyz", 0); /* letters are not text here */
    press(a, "NN", 0);
    expect_status(a, "nothing newer");
    press(a, "n", 0);
    app_key(a, '/');
    app_paste(a, view_str("s"), false);
    assert_int_equal(a->found, 0);
    app_key(a, K_ESC);
    assert_int_equal(app_focus(a), SCR_CHAT);
    expect_draft(a, "the draft");
    expect_asked("");
    app_key(a, K_ALT('>'));
    assert_true(pager_following(a->job->chat));
    app_done(a);
}

static void reading_above_while_it_streams(void **st) {
    struct app *a = app_ready();
    struct pager_row row, after;

    (void)st;
    for (int i = 0; i < 100; i++)
        app_note(a, ROLE_TEXT, "line %d", i);
    press(a, "go", K_ENTER);
    app_resize(a, 30, 100);
    app_prepare(a);
    app_key(a, K_PAGE_UP);
    app_prepare(a);
    assert_true(pager_row(a->job->chat, pager_top(a->job->chat), &row));
    for (int i = 0; i < 40; i++)
        stream(a, "more and more\n");
    app_prepare(a);
    assert_true(pager_row(a->job->chat, pager_top(a->job->chat), &after));
    assert_true(view_eq(view_of(row.text.s, row.text.n), view_of(after.text.s, after.text.n)));
    assert_true(pager_tail(a->job->chat) > 0);
    assert_true(pager_unseen(a->job->chat) >= 39);
    app_key(a, K_ALT('u'));
    app_prepare(a);
    assert_true(pager_unseen(a->job->chat) < 39);
    app_done(a);
}

/* --- tables --- */

static void table_comes(struct app *a, const char *json) {
    cJSON *o = cJSON_Parse(json);

    assert_non_null(o);
    happens(a, &(struct session_event){.type = SE_TABLE, .json = o});
    cJSON_Delete(o);
}

static void tables_scroll_and_sort(void **st) {
    struct app *a = app_ready();
    struct xfer_meta m = {.name = "result.csv", .size = 3, .xid = {0xab, 1}};

    (void)st;
    app_key(a, K_ALT('t'));
    expect_status(a, "no answer has brought a table");
    table_comes(a, "{\"columns\":[\"name\",\"sum\",\"note\"],\"rows\":[[\"b\",\"10\",\"\"],[\"A\","
                   "\"9.5\",\"x\"],[\"c\",\"1,204.50\",\"\"]],\"total\":900,"
                   "\"file\":\"ab010000000000000000000000000000\"}");
    assert_int_equal(said(a, "3 of 900 rows"), 1);
    app_key(a, K_ALT('t'));
    assert_int_equal(a->screen, SCR_TABLE);
    app_prepare(a);
    press(a, "s", 0);
    assert_string_equal(app_table_cell(a), "A");
    press(a, "s", 0);
    assert_string_equal(app_table_cell(a), "c");
    press(a, "s", 0);
    assert_string_equal(app_table_cell(a), "b");
    app_key(a, K_RIGHT);
    press(a, "s", 0);
    assert_string_equal(app_table_cell(a), "9.5");
    app_key(a, 'G');
    assert_string_equal(app_table_cell(a), "1,204.50");
    press(a, "c", 0);
    expect_asked("copy 1,204.50;");
    app_key(a, K_ENTER);
    assert_int_equal(a->screen, SCR_CELL);
    app_key(a, K_ESC);
    press(a, "w", 0);
    expect_status(a, "no file of this table");
    happens(a, &(struct session_event){.type = SE_FILE, .meta = &m, .data = view_str("a,b")});
    press(a, "w", 0);
    assert_int_equal(app_focus(a), SCR_WORD);
    app_key(a, K_ESC);
    table_comes(a, "{\"columns\":[\"x\"],\"rows\":[]}");
    press(a, "n", 0);
    assert_int_equal(a->job->table_at, 1);
    press(a, "nss", K_ENTER);
    assert_int_equal(a->screen, SCR_TABLE);
    for (int i = 0; i < APP_TABLES + 3; i++)
        table_comes(a, "{\"columns\":[\"x\"],\"rows\":[[1]]}");
    assert_int_equal(a->job->n_tables, APP_TABLES);
    app_prepare(a);
    app_key(a, K_ESC);
    press(a, "/table 99", K_ENTER);
    expect_status(a, "tables 1 to 8");
    app_done(a);
}

/* --- the clipboard --- */

static void copies_only_on_a_key(void **st) {
    struct app *a = app_ready();

    (void)st;
    app_key(a, K_ALT('c'));
    expect_status(a, "no answer to copy");
    press(a, "why?", K_ENTER);
    stream(a, "copy \033]52;c;eA==\007 this ");
    answer(a, "so \033]52;c;eA==\007it is", NULL);
    expect_asked("ask why?;");
    app_key(a, K_ALT('c'));
    expect_asked("copy so ]52;c;eA==it is;");
    press(a, "/copy guest", K_ENTER);
    buf_str(&world.log, "");
    assert_memory_equal(world.log.p, "copy npub1", 10);
    buf_reset(&world.log);
    press(a, "/copy x", K_ENTER);
    expect_status(a, "/copy answer");
    world.deaf = true;
    app_key(a, K_ALT('c'));
    expect_status(a, "the world is deaf");
    world.deaf = false;
    app_done(a);
}

/* --- the person's own editor --- */

static void drafts_go_outside_and_come_back(void **st) {
    struct app *a = app_ready();
    struct err e = {"no-editor", "the editor failed"};

    (void)st;
    press(a, "draft", K_CTRL('X'));
    app_key(a, K_CTRL('E'));
    expect_asked("edit draft;");
    app_key(a, K_CTRL('X'));
    app_key(a, 'e');
    expect_asked("");
    expect_status(a, "open already");
    app_on_edited(a, view_str("draft\nand more\n"), NULL);
    expect_draft(a, "draft\nand more");
    expect_asked("");
    app_key(a, K_CTRL('X'));
    app_key(a, K_CTRL('E'));
    app_on_edited(a, view_str(""), &e);
    expect_draft(a, "draft\nand more");
    app_key(a, K_CTRL('X'));
    app_key(a, 'q'); /* another second key does nothing */
    expect_draft(a, "draft\nand more");
    world.deaf = true;
    app_key(a, K_CTRL('X'));
    app_key(a, K_CTRL('E'));
    expect_status(a, "the world is deaf");
    world.deaf = false;
    assert_int_equal(a->editing, 0);
    app_done(a);
}

/* The draft comes back to its own job. */
static void a_draft_belongs_to_its_job(void **st) {
    struct app *a = app_ready();
    unsigned first = a->job->number;

    (void)st;
    press(a, "one", K_CTRL('X'));
    app_key(a, K_CTRL('E'));
    port_start(NULL, a->offer, NULL);
    assert_int_not_equal(a->job->number, first);
    app_on_edited(a, view_str("one and two"), NULL);
    expect_draft(a, "");
    app_job_show(a, app_job_of(a, first));
    expect_draft(a, "one and two");
    app_done(a);
}

/* --- commands --- */

static void completes(struct app *a, const char *typed, const char *to) {
    edit_do(a->input, EDIT_CLEAR);
    press(a, typed, K_TAB);
    expect_draft(a, to);
}

static void file_put(const char *name) {
    cleanup_free char *path = mem_fmt("%s/%s", dir, name);
    struct err e;

    assert_int_equal(file_write(path, view_str("x"), 0600, true, &e), 0);
}

static void completes_paths(void **st) {
    struct app *a = app_ready();
    cleanup_free char *start = mem_fmt("/attach %s/le", dir), *half = mem_fmt("%sdger-", start);
    cleanup_free char *one = mem_fmt("%sb", half), *whole = mem_fmt("%s.csv ", one);
    cleanup_free char *two = mem_fmt("/attach a %s/tw", dir);
    cleanup_free char *quoted = mem_fmt("/attach '%s/tw", dir);
    cleanup_free char *escaped = mem_fmt("/attach a %s/two\\ words.txt ", dir);
    cleanup_free char *alone = mem_fmt("/attach %s/two\\ words.txt ", dir);
    cleanup_free char *folder = mem_fmt("/save %s/fo", dir), *into = mem_fmt("%slder/", folder);

    (void)st;
    file_put("ledger-a.csv");
    file_put("ledger-b.csv");
    file_put("two words.txt");
    completes(a, start, half);
    expect_status(a, "ledger-a.csv");
    completes(a, one, whole);
    completes(a, two, escaped);
    completes(a, quoted, alone);
    completes(a, folder, into);
    app_done(a);
}

static void completes_every_argument(void **st) {
    struct app *a = app_answered_with_sources();
    struct xfer_meta m = {.name = "my result.csv", .size = 1, .xid = {3}};
    struct err e;

    (void)st;
    happens(a, &(struct session_event){.type = SE_FILE, .meta = &m, .data = view_str("x")});
    table_comes(a, "{\"columns\":[\"x\"],\"rows\":[]}");
    assert_int_equal(job_param_put("system=x", a->params, &a->n_params, &e), 0);
    completes(a, "/at", "/attach ");
    completes(a, "/nothing", "/nothing");
    completes(a, "/nothing x", "/nothing x");
    completes(a, "plain", "plain");
    completes(a, "/get ", "/get my\\ result.csv ");
    completes(a, "/get 1", "/get 1 ");
    completes(a, "/copy g", "/copy guest ");
    completes(a, "/table ", "/table 1 ");
    completes(a, "/resend ", "/resend 1 ");
    completes(a, "/param s", "/param system ");
    completes(a, "/job 7", "/job 7f21 ");
    completes(a, "/stop x", "/stop x");
    edit_do(a->input, EDIT_CLEAR);
    press(a, "/source ", K_TAB);
    expect_status(a, "1 2");
    app_done(a);
}

static void a_command_says_what_it_is(void **st) {
    struct app *a = app_ready();
    char hint[160];

    (void)st;
    cmd_hint(a, hint, sizeof hint);
    assert_string_equal(hint, "");
    press(a, "/att", 0);
    cmd_hint(a, hint, sizeof hint);
    assert_string_equal(hint, "/attach PATH...  send files to the guest (asks first)");
    press(a, "ach x", 0);
    cmd_hint(a, hint, sizeof hint);
    assert_memory_equal(hint, "/attach PATH", 12);
    app_done(a);
}

static int make_dir(void **st) {
    (void)st;
    snprintf(dir, sizeof dir, "/tmp/cdvm-chat-XXXXXX");
    if (!setlocale(LC_CTYPE, "C.UTF-8") || !mkdtemp(dir))
        return -1;
    cleanup_free char *folder = mem_fmt("%s/folder", dir);

    return mkdir(folder, 0700);
}

static int remove_dir(void **st) {
    static const char *const NAMES[] = {"ledger-a.csv", "ledger-b.csv", "two words.txt"};
    cleanup_free char *folder = mem_fmt("%s/folder", dir);

    (void)st;
    for (size_t i = 0; i < COUNT(NAMES); i++) {
        cleanup_free char *path = mem_fmt("%s/%s", dir, NAMES[i]);

        unlink(path);
    }
    buf_free(&world.log);
    rmdir(folder);
    return rmdir(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_is_marked),
        cmocka_unit_test(asking_again),
        cmocka_unit_test(asking_again_passes_the_gate),
        cmocka_unit_test(a_stream_shows_no_half_address),
        cmocka_unit_test(what_an_answer_took_is_told),
        cmocka_unit_test(an_endless_answer_is_cut),
        cmocka_unit_test(searching_while_typing),
        cmocka_unit_test(reading_above_while_it_streams),
        cmocka_unit_test(tables_scroll_and_sort),
        cmocka_unit_test(copies_only_on_a_key),
        cmocka_unit_test(drafts_go_outside_and_come_back),
        cmocka_unit_test(a_draft_belongs_to_its_job),
        cmocka_unit_test(completes_paths),
        cmocka_unit_test(completes_every_argument),
        cmocka_unit_test(a_command_says_what_it_is),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
