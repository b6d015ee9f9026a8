/* --plain against a world that remembers what it was asked: what is said, what a line does, and
 * what no line does. */
#include "tui/plain.c"

#include <unistd.h>

#include "tests/unit/tui_world.h"

static struct buf said;
static char prompt[64];
static bool hidden;

static void say(void *arg, struct safe_text line) {
    (void)arg;
    for (size_t i = 0; i < line.n; i++)
        assert_true((uint8_t)line.s[i] >= 0x20 && line.s[i] != 0x7f); /* a line, and only one */
    buf_fmt(&said, "%.*s\n", (int)line.n, line.s);
}

static void on_prompt(void *arg, const char *words, bool is_hidden) {
    (void)arg;
    snprintf(prompt, sizeof prompt, "%s", words);
    hidden = is_hidden;
}

static const struct plain_out OUT = {say, on_prompt};

static struct plain *plain_for(struct app *a) {
    app_resize(a, 60, 160);
    buf_reset(&said);
    buf_reset(&world.log);
    return plain_new(a, &OUT, NULL);
}

static void tell(struct plain *p) {
    app_prepare(p->a);
    plain_tell(p);
}

static void line(struct plain *p, const char *s) {
    buf_reset(&said);
    buf_str(&said, "");
    plain_line(p, view_str(s), false);
    tell(p);
}

static bool heard_said(const char *words) {
    return strstr((char *)said.p, words) != NULL;
}

static bool was_asked(const char *what) {
    buf_str(&world.log, "");
    return strstr((char *)world.log.p, what) != NULL;
}

static void end(struct plain *p) {
    struct app *a = p->a;

    plain_free(p);
    app_done(a);
}

/* The first start in lines: the same questions, nothing written before the last of them. */
static void the_first_start_is_asked_in_lines(void **state_) {
    char dir[] = "/tmp/cdvm-plain.XXXXXX";
    struct app *a = app_with_offers();
    struct plain *p = plain_for(a);
    cleanup_free char *file = NULL;
    cleanup_buf struct buf text = {0};
    struct err e;

    (void)state_;
    assert_non_null(mkdtemp(dir));
    free((char *)a->conf.config);
    a->conf.config = mem_fmt("%s/cdvm.conf", dir);
    file = mem_str(a->conf.config);
    line(p, "/first");
    assert_true(heard_said("question 1 of 4: Who are you to the sellers?"));
    assert_true(
        heard_said("1. A new key for every job: nothing to keep, jobs unlinkable. Chosen."));
    line(p, "/first next");
    assert_true(heard_said("question 2 of 4"));
    assert_true(heard_said("wss://nos.lol, off."));
    line(p, "/first back");
    assert_true(heard_said("question 1 of 4"));
    line(p, "/first next");
    for (char n[] = "/first 1";
         n[7] <= '9' && !settings_in_use(a->conf.set, settings_key("relay"), "wss://nos.lol");
         n[7]++)
        line(p, n);
    assert_true(heard_said("wss://nos.lol, on."));
    line(p, "/first next");
    line(p, "/first 2");
    assert_true(heard_said("2. strict: anything not proven blocks. Chosen."));
    line(p, "/first next");
    assert_int_equal(access(file, F_OK), -1);
    line(p, "/first next");
    assert_int_equal(a->screen, SCR_OFFERS);
    assert_int_equal(file_read(file, 10000, &text, &e), 0);
    assert_non_null(memmem(text.p, text.n, "wss://nos.lol", 13));
    assert_non_null(memmem(text.p, text.n, "policy = strict", 15));
    end(p);
    assert_int_equal(remove_tree(dir), 0);
}

/* Every key that does something on some screen can be named. */
static void every_key_has_a_name(void **state_) {
    const struct key_row *row;
    size_t n;

    (void)state_;
    row = keys_table(&n);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < COUNT(row[i].key) && row[i].key[k]; k++) {
            char name[24];

            if (row[i].key[k] == K_PASTED_ENTER)
                continue; /* pressed by nobody */
            keys_name(row[i].key[k], name);
            if (key_named(name) != row[i].key[k])
                fail_msg("'%s' names another key", name);
        }
    assert_int_equal(key_named("a"), 'a');
    assert_int_equal(key_named("enter"), K_ENTER);
    assert_int_equal(key_named("no such key"), 0);
}

static void chooses_by_what_was_told(void **state_) {
    struct plain *p = plain_for(app_with_offers());

    (void)state_;
    line(p, "/start");
    assert_true(heard_said("Which offer?"));
    line(p, "/offer 1");
    assert_true(heard_said("one of those that /offers lists"));
    line(p, "/offers local");
    assert_true(heard_said("1. SIMULATED: table"));
    edit_set(p->a->filter, view_str("")); /* the list changes: 1 is another one now */
    p->a->shelf_changed = true;
    line(p, "/offer 1");
    assert_true(heard_said("local sim"));
    line(p, "/start");
    assert_true(heard_said("Question: "));
    assert_string_equal(prompt, "y/N> ");
    line(p, "");
    assert_false(p->a->job->exists); /* nothing is no */
    line(p, "/start");
    plain_line(p, view_str("y"), true);
    tell(p);
    assert_true(heard_said("A paste answers nothing"));
    assert_false(p->a->job->exists);
    line(p, "y");
    assert_true(p->a->job->exists);
    end(p);
}

static void the_way_is_told_once(void **state_) {
    struct plain *p = plain_for(app_booting());

    (void)state_;
    tell(p);
    assert_true(heard_said("the provider says: booting"));
    assert_true(heard_said("SIMULATED: Job 7f21"));
    buf_reset(&said);
    buf_str(&said, "");
    tell(p);
    assert_string_equal((char *)said.p, "");
    end(p);
}

static void accepting_wants_the_word(void **state_) {
    struct plain *p = plain_for(app_deciding());

    (void)state_;
    tell(p);
    assert_true(heard_said("VERDICT SIMULATED WARN"));
    line(p, "what is in there?");
    assert_true(heard_said("not sent: "));
    line(p, "/accept");
    assert_true(heard_said("Type simulated"));
    assert_string_equal(prompt, "SIMULATED simulated> ");
    line(p, "y");
    line(p, "/accept");
    plain_line(p, view_str("simulated"), true);
    assert_false(was_asked("accept"));
    plain_line(p, view_str("simulated"), false);
    assert_true(was_asked("accept 1"));
    assert_false(was_asked("ask"));
    end(p);
}

static void answers_come_line_by_line(void **state_) {
    struct plain *p = plain_for(app_ready());
    uint8_t id[32];

    (void)state_;
    memset(id, 0x51, 32);
    tell(p);
    line(p, "Who paid late?");
    assert_true(was_asked("ask Who paid late?"));
    happens(p->a, &(struct session_event){.type = SE_DELTA,
                                          .id = id,
                                          .text = view_str("Two of them:\nAnna \033[31mby")});
    buf_reset(&said);
    tell(p);
    assert_true(heard_said("Two of them:"));
    assert_false(heard_said("Anna")); /* its line is not whole */
    happens(p->a, &(struct session_event){.type = SE_ANSWER,
                                          .id = id,
                                          .text = view_str("Two of them:\nAnna and B\xc3\xa9la.")});
    buf_reset(&said);
    tell(p);
    assert_true(heard_said("Anna and B\xc3\xa9la."));
    assert_false(heard_said("Two of them")); /* told already */
    end(p);
}

static void another_answer_in_the_end_is_told_whole(void **state_) {
    struct plain *p = plain_for(app_ready());
    uint8_t id[32];

    (void)state_;
    memset(id, 0x51, 32);
    tell(p);
    line(p, "Who?");
    happens(p->a, &(struct session_event){.type = SE_DELTA, .id = id, .text = view_str("Anna.\n")});
    tell(p);
    happens(p->a,
            &(struct session_event){.type = SE_ANSWER, .id = id, .text = view_str("Nobody.")});
    buf_reset(&said);
    tell(p);
    assert_true(heard_said("Nobody."));
    end(p);
}

static void lines_of_a_pipe_wait(void **state_) {
    struct app *a = app_booting();
    struct plain *p = plain_for(a);

    (void)state_;
    app_on_settled(a);
    assert_false(plain_ready(p, view_str("/tree")));
    assert_false(plain_ready(p, view_str("a question")));
    assert_true(plain_ready(p, view_str("/status")));
    assert_true(plain_ready(p, view_str("/panic ")));
    state(a, SESSION_FAILED);
    assert_true(plain_ready(p, view_str("/tree")));
    end(p);
}

/* Each screen can be read, and reading changes nothing outside. */
static void every_screen_can_be_read(void **state_) {
    (void)state_;
    for (char n = '1'; n <= '7'; n++) {
        char go[8];
        struct plain *p = plain_for(app_chatting());

        snprintf(go, sizeof go, "/go %c", n);
        line(p, go);
        line(p, "/keys");
        assert_true(heard_said("Screen: "));
        line(p, "/why no.such.check");
        line(p, "/files");
        assert_true(heard_said("ledger.csv"));
        line(p, "/receipt");
        assert_true(heard_said("RECEIPT"));
        line(p, "/jobs");
        assert_true(heard_said("The present one"));
        assert_false(was_asked(";"));
        end(p);
    }
}

static void panic_is_one_line(void **state_) {
    struct plain *p = plain_for(app_ready());

    (void)state_;
    line(p, "/panic");
    assert_true(was_asked("quit 1"));
    assert_int_equal(p->a->n_jobs, 0);
    end(p);
}

static void a_hidden_line_is_asked_for_as_such(void **state_) {
    struct plain *p = plain_for(app_ready());

    (void)state_;
    prompt_ask_hidden(&p->a->prompt, THEN_NOTHING, "Passphrase");
    tell(p);
    assert_true(hidden);
    assert_string_equal(prompt, "not shown> ");
    plain_key(p, 'x');
    assert_int_equal(hidden_view(p->a->prompt.hidden).n, 1);
    plain_key(p, K_ESC);
    tell(p);
    assert_false(hidden);
    end(p);
}

/* What is waited for is no question: lines of a script wait with it, and none answers. */
static void a_signer_is_waited_for(void **state) {
    struct app *a = app_with_offers();
    struct plain *p = plain_for(a);

    (void)state;
    app_on_waits(a, a->now + 60000, "https://signer.example/yes");
    tell(p);
    assert_non_null(strstr((char *)said.p, "Waiting for your signer"));
    assert_non_null(strstr((char *)said.p, "https://signer.example/yes"));
    assert_non_null(strstr((char *)said.p, "Esc or /cancel stops."));
    assert_string_equal(prompt, "waiting> ");
    assert_false(plain_ready(p, view_str("y")));
    line(p, "y");
    assert_true(a->prompt.open);
    assert_true(plain_ready(p, view_str("/cancel")));
    line(p, "/cancel");
    assert_false(a->prompt.open);
    assert_non_null(strstr((char *)world.log.p, "unask;"));
    plain_free(p);
    app_done(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signer_is_waited_for),
        cmocka_unit_test(the_first_start_is_asked_in_lines),
        cmocka_unit_test(every_key_has_a_name),
        cmocka_unit_test(chooses_by_what_was_told),
        cmocka_unit_test(the_way_is_told_once),
        cmocka_unit_test(accepting_wants_the_word),
        cmocka_unit_test(answers_come_line_by_line),
        cmocka_unit_test(another_answer_in_the_end_is_told_whole),
        cmocka_unit_test(lines_of_a_pipe_wait),
        cmocka_unit_test(every_screen_can_be_read),
        cmocka_unit_test(panic_is_one_line),
        cmocka_unit_test(a_hidden_line_is_asked_for_as_such),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
