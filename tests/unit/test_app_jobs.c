#include "tui/app_jobs.c"

#include "tests/unit/tui_world.h"
#include "tui/scr.h"

static bool chat_holds(const struct app_job *j, const char *words) {
    struct pager_row row;

    pager_resize(j->chat, 200, 20, 10);
    for (size_t i = 0; pager_row(j->chat, i, &row); i++)
        if (strstr(row.text.s, words))
            return true;
    return false;
}

static void to(struct app *a, unsigned job, enum session_state s) {
    app_on_session(a, job, &(struct session_event){.type = SE_STATE, .state = s});
}

static void answers(struct app *a, unsigned job, const char *text) {
    uint8_t id[32];

    memset(id, 0x51, 32);
    app_on_session(a, job,
                   &(struct session_event){.type = SE_ANSWER, .id = id, .text = view_str(text)});
}

/* The first is ready and has been asked something; the second, on the screens, is booting. */
static struct app *app_with_two(void) {
    struct app *a = app_ready();

    press(a, "what?", K_ENTER);
    app_prepare(a);
    assert_int_equal(port_start(NULL, a->offer, NULL), 0);
    assert_int_equal(a->job->number, 2);
    assert_int_equal(a->n_jobs, 2);
    buf_reset(&world.log);
    return a;
}

static void the_one_behind_receives_and_steals_nothing(void **st) {
    struct app *a = app_with_two();
    struct xfer_meta m = {.name = "out.csv", .size = 3, .xid = {1}};

    (void)st;
    app_prepare(a);
    answers(a, 1, "forty-two");
    app_on_session(a, 1,
                   &(struct session_event){.type = SE_FILE, .meta = &m, .data = view_str("a,b")});
    to(a, 1, SESSION_ENDING);
    to(a, 1, SESSION_ENDED);
    assert_int_equal(a->screen, SCR_JOBS);
    assert_int_equal(a->job->number, 2);
    assert_false(chat_holds(a->job, "forty-two"));
    assert_true(chat_holds(a->jobs[0], "forty-two"));
    assert_int_equal(a->jobs[0]->n_files, 1);
    assert_int_equal(a->jobs[0]->unread, 3);
    assert_int_equal(a->jobs[1]->unread, 0);
    assert_int_equal(app_jobs_unread(a), 1);
    assert_string_equal(a->status, "job 7f21 has ended: Alt-a goes there");
    app_on_session(a, 1, &(struct session_event){.type = SE_NOTICE, .text = view_str("a word")});
    assert_null(strstr(a->status, "a word")); /* in its own chat */
    assert_true(chat_holds(a->jobs[0], "a word"));
    app_done(a);
}

static void what_is_looked_at_is_read(void **st) {
    struct app *a = app_with_two();

    (void)st;
    answers(a, 1, "forty-two");
    app_job_show(a, a->jobs[0]);
    app_prepare(a);
    assert_int_equal(a->job->unread, 1); /* its line in a list is not the words themselves */
    app_go(a, SCR_CHAT);
    app_prepare(a);
    assert_int_equal(a->job->unread, 0);
    answers(a, 1, "and more");
    assert_int_equal(a->job->unread, 0);
    app_done(a);
}

/* What was written for one guest never goes to another. */
static void each_has_its_own_draft(void **st) {
    struct app *a = app_with_two();

    (void)st;
    to(a, 2, SESSION_READY);
    app_go(a, SCR_CHAT);
    type(a, "for the second");
    app_job_show(a, a->jobs[0]);
    assert_int_equal(edit_len(a->input), 0);
    press(a, "for the first", K_ENTER);
    expect_asked("ask for the first;");
    app_job_show(a, a->jobs[1]);
    app_key(a, K_ENTER);
    expect_asked("ask@2 for the second;");
    assert_false(chat_holds(a->jobs[0], "for the second"));
    app_done(a);
}

/* The answer to a question is for the job that it was asked about. */
static void a_yes_is_not_carried_over(void **st) {
    struct app *a = app_with_two();

    (void)st;
    app_ask_end(a);
    app_job_show(a, a->jobs[0]);
    app_key(a, 'y');
    expect_asked("");
    assert_non_null(strstr(a->status, "not on the screen"));
    app_ask_end(a);
    app_key(a, 'y');
    expect_asked("end;");
    app_done(a);
}

static void forgetting_wipes_and_tells(void **st) {
    struct app *a = app_with_two();

    (void)st;
    app_job_forget(a, a->jobs[0]); /* alive: stays */
    assert_int_equal(a->n_jobs, 2);
    to(a, 1, SESSION_ENDED);
    app_job_forget(a, a->jobs[0]);
    expect_asked("forget;");
    assert_int_equal(a->n_jobs, 1);
    assert_int_equal(a->job->number, 2);
    answers(a, 1, "too late"); /* and what comes late is nobody's */
    to(a, 2, SESSION_FAILED);
    app_job_forget(a, a->job);
    expect_asked("forget@2;");
    assert_false(a->job->exists);
    assert_ptr_equal(a->input, a->job->input);
    app_done(a);
}

static void an_ended_one_makes_room(void **st) {
    struct app *a = app_with_two();

    (void)st;
    while (a->n_jobs < APP_JOBS)
        assert_int_equal(port_start(NULL, a->offer, NULL), 0);
    assert_true(app_jobs_full(a));
    assert_null(app_job_add(a));
    app_ask_start(a);
    assert_false(a->prompt.open);
    assert_non_null(strstr(a->status, "8 guests are alive"));
    to(a, 3, SESSION_ENDED);
    app_ask_start(a);
    assert_non_null(strstr((char *)a->prompt.body.p, "is forgotten"));
    app_key(a, 'y');
    expect_asked("forget@3;");
    assert_int_equal(a->job->number, 9);
    assert_null(app_job_of(a, 3));
    assert_int_equal(a->n_jobs, APP_JOBS);
    app_done(a);
}

static void keys_go_from_job_to_job(void **st) {
    struct app *a = app_with_two();

    (void)st;
    to(a, 2, SESSION_READY);
    app_go(a, SCR_CHAT);
    app_key(a, K_ALT('n'));
    assert_int_equal(a->job->number, 1);
    assert_int_equal(a->screen, SCR_CHAT);
    to(a, 1, SESSION_ENDED); /* before the eyes of the person */
    assert_int_equal(a->screen, SCR_END);
    app_key(a, '[');
    assert_int_equal(a->job->number, 2);
    assert_int_equal(a->screen, SCR_CHAT);
    app_key(a, K_ALT('a'));
    assert_non_null(strstr(a->status, "nothing new"));
    app_key(a, K_ALT('p'));
    app_prepare(a);
    answers(a, 2, "x");
    app_key(a, K_ALT('a'));
    assert_int_equal(a->job->number, 2);
    assert_int_equal(a->screen, SCR_CHAT);
    press(a, "/job 1", K_ENTER);
    assert_int_equal(a->job->number, 1);
    assert_int_equal(a->screen, SCR_END);
    app_go(a, SCR_CHAT);
    press(a, "/job 8021", K_ENTER);
    assert_int_equal(a->job->number, 2);
    press(a, "/job 3", K_ENTER);
    assert_non_null(strstr(a->status, "no such job"));
    press(a, "/job", K_ENTER);
    assert_int_equal(a->screen, SCR_JOBS);
    app_done(a);
}

static void the_cursor_of_the_list_is_the_job(void **st) {
    struct app *a = app_with_two();

    (void)st;
    app_key(a, K_UP); /* before any frame */
    assert_int_equal(a->job->number, 1);
    app_key(a, 'g');
    app_key(a, 'G');
    assert_int_equal(a->job->number, 2);
    app_key(a, 'k');
    app_key(a, K_ENTER);
    assert_int_equal(a->screen, SCR_CHAT);
    app_go(a, SCR_JOBS);
    to(a, 2, SESSION_DECISION); /* not under the cursor: nothing moves */
    assert_int_equal(a->screen, SCR_JOBS);
    app_key(a, ']');
    assert_int_equal(a->screen, SCR_JOBS);
    app_key(a, K_ENTER);
    assert_int_equal(a->screen, SCR_ATTEST);
    app_key(a, K_ESC);
    app_key(a, 'd');
    assert_false(a->prompt.open);
    assert_non_null(strstr(a->status, "alive"));
    to(a, 2, SESSION_REFUSED);
    app_key(a, '2');
    app_key(a, 'd');
    app_key(a, K_ENTER); /* Enter is no */
    assert_int_equal(a->n_jobs, 2);
    app_key(a, 'd');
    app_key(a, 'y');
    expect_asked("forget@2;");
    assert_int_equal(a->screen, SCR_JOBS);
    assert_int_equal(a->job->number, 1);
    app_done(a);
}

/* States are told aloud, by the job's number in hex; messages and files never. */
static void only_states_are_told(void **st) {
    struct app *a = app_with_two();
    struct err why = {"x", "\033]0;evil\007"};

    (void)st;
    buf_reset(&world.told);
    answers(a, 1, "forty-two");
    app_on_session(a, 1, &(struct session_event){.type = SE_NOTICE, .text = view_str("notice")});
    app_on_session(a, 1, &(struct session_event){.type = SE_DELTA, .text = view_str("some")});
    assert_int_equal(world.told.n, 0);
    to(a, 2, SESSION_STARTING);
    to(a, 2, SESSION_VERIFYING);
    to(a, 2, SESSION_DECISION);
    to(a, 2, SESSION_ACCEPTED);
    to(a, 2, SESSION_READY);
    app_on_session(a, 2, &(struct session_event){.type = SE_READY, .text = view_str("\033[2J")});
    app_on_session(a, 2,
                   &(struct session_event){.type = SE_STATE, .state = SESSION_FAILED, .why = &why});
    to(a, 1, SESSION_ENDED);
    buf_add(&world.told, "", 1);
    assert_string_equal((char *)world.told.p,
                        "job 8021 needs your decision, away;job 8021 is ready, away;"
                        "job 8021 has failed, away;job 7f21 has ended, away;");
    app_done(a);
}

/* A terminal that tells its focus: what the person is looking at makes no noise, and the desktop is
 * told only of what cannot be seen. */
static void eyes_on_it_hear_nothing(void **st) {
    struct app *a = app_with_two();

    (void)st;
    buf_reset(&world.told);
    app_on_focus(a, true);
    to(a, 2, SESSION_DECISION);
    assert_int_equal(world.told.n, 0);
    to(a, 1, SESSION_ENDED);
    app_on_focus(a, false);
    to(a, 2, SESSION_FAILED);
    buf_add(&world.told, "", 1);
    assert_string_equal((char *)world.told.p, "job 7f21 has ended;job 8021 has failed, away;");
    app_done(a);
}

static void leaving_counts_the_guests(void **st) {
    struct app *a = app_with_two();

    (void)st;
    app_go(a, SCR_OFFERS);
    app_key(a, 'q');
    assert_non_null(strstr((char *)a->prompt.body.p, "2 guests are alive"));
    app_key(a, 'n');
    to(a, 1, SESSION_ENDED);
    app_key(a, 'q');
    assert_non_null(strstr((char *)a->prompt.body.p, "A guest is alive"));
    app_key(a, 'y');
    expect_asked("quit 0;");
    app_key(a, K_CTRL('Q'));
    app_key(a, K_CTRL('Q'));
    expect_asked("quit 1;");
    assert_int_equal(a->n_jobs, 0);
    assert_false(a->job->exists);
    answers(a, 2, "too late");
    app_done(a);
}

static int end(void **st) {
    (void)st;
    buf_free(&world.log);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_one_behind_receives_and_steals_nothing),
        cmocka_unit_test(what_is_looked_at_is_read),
        cmocka_unit_test(each_has_its_own_draft),
        cmocka_unit_test(a_yes_is_not_carried_over),
        cmocka_unit_test(forgetting_wipes_and_tells),
        cmocka_unit_test(an_ended_one_makes_room),
        cmocka_unit_test(keys_go_from_job_to_job),
        cmocka_unit_test(the_cursor_of_the_list_is_the_job),
        cmocka_unit_test(only_states_are_told),
        cmocka_unit_test(eyes_on_it_hear_nothing),
        cmocka_unit_test(leaving_counts_the_guests),
    };

    return cmocka_run_group_tests(tests, NULL, end);
}
