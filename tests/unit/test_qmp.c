#include "provider/qmp.c"
#include "tests/unit/unit.h"

static int parse(const char *text, struct qmp_line *l) {
    struct err e;

    return qmp_parse(view_str(text), l, &e);
}

static void lines_are_told_apart(void **state) {
    struct qmp_line l;

    (void)state;
    assert_int_equal(parse("{\"QMP\":{\"version\":{},\"capabilities\":[\"oob\"]}}", &l), 0);
    assert_int_equal(l.kind, QMP_GREETING);
    qmp_line_free(&l);
    assert_int_equal(parse("{\"return\":{\"a\":1},\"id\":7}", &l), 0);
    assert_int_equal(l.kind, QMP_RETURN);
    assert_int_equal(l.id, 7);
    assert_non_null(cJSON_GetObjectItem(l.value, "a"));
    qmp_line_free(&l);
    assert_int_equal(parse("{\"error\":{\"class\":\"X\",\"desc\":\"no\"},\"id\":8}", &l), 0);
    assert_int_equal(l.kind, QMP_ERROR);
    assert_string_equal(l.name, "no");
    qmp_line_free(&l);
    assert_int_equal(parse("{\"event\":\"SHUTDOWN\",\"data\":{\"guest\":true},"
                           "\"timestamp\":{\"seconds\":1,\"microseconds\":2}}",
                           &l),
                     0);
    assert_int_equal(l.kind, QMP_EVENT);
    assert_string_equal(l.name, "SHUTDOWN");
    qmp_line_free(&l);
}

static void other_lines_are_refused(void **state) {
    static const char *const bad[] = {"",
                                      "[]",
                                      "1",
                                      "{}",
                                      "{\"event\":5}",
                                      "{\"error\":\"x\"}",
                                      "{\"error\":{\"class\":\"X\"}}",
                                      "{\"return\":{},\"return\":{}}",
                                      "{\"return\":{}} {}",
                                      "{\"return\":\"\\u0000\"}"};
    struct qmp_line l;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(parse(bad[i], &l), -1);
}

/* --- the client, with this test as QEMU --- */

struct fixture {
    struct loop *l;
    int ours, theirs;
    struct qmp *q;
    int answers, errors, events;
    bool closed;
};

static void on_answer(void *arg, const cJSON *ret, const struct err *e) {
    struct fixture *f = arg;

    f->answers += ret != NULL;
    f->errors += e != NULL;
}

static void on_event(void *arg, const char *name, const cJSON *data) {
    struct fixture *f = arg;

    (void)data;
    f->events += !strcmp(name, "RESUME");
}

static void on_closed(void *arg, const struct err *why) {
    struct fixture *f = arg;

    assert_non_null(why);
    f->closed = true;
}

static int start(void **state) {
    static struct fixture f;
    static const struct qmp_handler h = {.event = on_event, .closed = on_closed};
    int p[2];

    f = (struct fixture){.l = loop_new(NULL)};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p), 0);
    f.ours = p[0];
    f.theirs = p[1];
    f.q = qmp_new(f.l, f.ours, &h, &f);
    *state = &f;
    return 0;
}

static int stop(void **state) {
    struct fixture *f = *state;

    qmp_free(f->q);
    close(f->ours);
    if (f->theirs >= 0)
        close(f->theirs);
    loop_free(f->l);
    return 0;
}

static void say(struct fixture *f, const char *s) {
    assert_int_equal(write(f->theirs, s, strlen(s)), (ssize_t)strlen(s));
    for (int i = 0; i < 5; i++)
        (void)loop_turn(f->l, 5);
}

static char *heard(struct fixture *f) {
    static char b[4096];
    ssize_t n = read(f->theirs, b, sizeof b - 1);

    b[n > 0 ? n : 0] = 0;
    return b;
}

static void commands_wait_for_the_greeting(void **state) {
    struct fixture *f = *state;
    struct err e;

    assert_int_equal(qmp_ask(f->q, "query-pci", on_answer, f, &e), 0);
    assert_string_equal(heard(f), "");
    say(f, "{\"QMP\":{\"version\":{},\"capabilities\":[]}}\r\n");
    assert_string_equal(heard(f), "{\"execute\":\"qmp_capabilities\"}\n"
                                  "{\"execute\":\"query-pci\",\"id\":1}\n");
    say(f, "{\"return\":{}}\r\n{\"return\":[],\"id\":1}\r\n");
    assert_int_equal(f->answers, 1);
}

static void answers_find_their_question(void **state) {
    struct fixture *f = *state;
    struct fixture other = {0};
    struct err e;

    say(f, "{\"QMP\":{}}\n");
    assert_int_equal(qmp_ask(f->q, "a", on_answer, f, &e), 0);
    assert_int_equal(qmp_ask(f->q, "b", on_answer, &other, &e), 0);
    say(f, "{\"event\":\"RESUME\",\"timestamp\":{}}\n{\"error\":{\"desc\":\"x\"},\"id\":2}\n");
    assert_int_equal(other.errors, 1);
    assert_int_equal(f->answers + f->errors, 0);
    say(f, "{\"return\":{},\"id\":99}\n{\"return\":{},\"id\":1}\n{\"return\":{},\"id\":1}\n");
    assert_int_equal(f->answers, 1);
    assert_int_equal(f->events, 1);
}

static void a_closed_socket_fails_what_waits(void **state) {
    struct fixture *f = *state;
    struct err e;

    say(f, "{\"QMP\":{}}\n");
    assert_int_equal(qmp_ask(f->q, "a", on_answer, f, &e), 0);
    close(f->theirs);
    f->theirs = -1;
    for (int i = 0; i < 5; i++)
        (void)loop_turn(f->l, 5);
    assert_int_equal(f->errors, 1);
    assert_true(f->closed);
    assert_int_equal(qmp_ask(f->q, "b", on_answer, f, &e), -1);
    assert_string_equal(e.code, "qmp-closed");
}

static void rubbish_closes_it(void **state) {
    struct fixture *f = *state;

    say(f, "{\"QMP\":{}}\nhello\n");
    assert_true(f->closed);
}

static void an_endless_line_closes_it(void **state) {
    struct fixture *f = *state;
    char b[4096];

    memset(b, ' ', sizeof b);
    for (size_t n = 0; n < 2 * QMP_LINE_MAX && !f->closed; n += sizeof b) {
        (void)!write(f->theirs, b, sizeof b);
        (void)loop_turn(f->l, 1);
    }
    assert_true(f->closed);
}

static void too_many_questions_are_refused(void **state) {
    struct fixture *f = *state;
    struct err e;

    for (int i = 0; i < QMP_ASKED; i++)
        assert_int_equal(qmp_ask(f->q, "a", NULL, NULL, &e), 0);
    assert_int_equal(qmp_ask(f->q, "a", NULL, NULL, &e), -1);
    assert_string_equal(e.code, "busy");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_told_apart),
        cmocka_unit_test(other_lines_are_refused),
        cmocka_unit_test_setup_teardown(commands_wait_for_the_greeting, start, stop),
        cmocka_unit_test_setup_teardown(answers_find_their_question, start, stop),
        cmocka_unit_test_setup_teardown(a_closed_socket_fails_what_waits, start, stop),
        cmocka_unit_test_setup_teardown(rubbish_closes_it, start, stop),
        cmocka_unit_test_setup_teardown(an_endless_line_closes_it, start, stop),
        cmocka_unit_test_setup_teardown(too_many_questions_are_refused, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
