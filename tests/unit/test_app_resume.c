/* Questions about jobs that outlive a crash. */
#include "tui/app_resume.c"

#include "core/loop.h"
#include "tests/unit/tui_world.h"

#define WORD "long enough"
static const uint8_t JOB[32] = {0x7f, 0x21, 0xab};

static char dir[64];
static struct resume *kept;

static int start(void **state) {
    struct err e;

    (void)state;
    snprintf(dir, sizeof dir, "/tmp/cdvm-app-resume.XXXXXX");
    assert_non_null(mkdtemp(dir));
    kept = resume_open(dir, &e);
    return kept ? 0 : -1;
}

static int stop(void **state) {
    (void)state;
    resume_free(kept);
    buf_free(&world.log);
    return remove_tree(dir);
}

static struct app *person(void) {
    struct app *a = app_with_offers();

    a->conf.resume = kept;
    return a;
}

/* What a program that died leaves. */
static void leave(int64_t until) {
    struct resume_file *f;
    struct err e;

    if (!resume_on(kept))
        assert_int_equal(resume_set(kept, view_str(WORD), &e), 0);
    f = resume_file_new(kept, JOB, &e);
    assert_non_null(f);
    assert_int_equal(resume_file_write(f, view_str("{\"a\":1}"), until, &e), 0);
    resume_file_free(f);
}

static size_t lie_there(void) {
    struct resume_left job[RESUME_JOBS];
    size_t stale;

    return resume_scan(kept, 0, job, &stale);
}

static void a_passphrase_is_set_and_unset(void **state) {
    struct app *a = person();

    (void)state;
    app_resume_set(a);
    typed(a, "short");
    assert_false(resume_on(kept));
    app_resume_set(a);
    typed(a, WORD);
    typed(a, "another one");
    assert_non_null(strstr(a->status, "differ"));
    assert_false(app_resume_on(a));
    app_resume_set(a);
    typed(a, WORD);
    typed(a, WORD);
    assert_true(app_resume_on(a));
    app_resume_unset(a);
    assert_false(app_resume_on(a));
    app_done(a);
}

static void nothing_left_asks_nothing(void **state) {
    struct app *a = person();

    (void)state;
    app_resume_look(a);
    assert_false(a->prompt.open);
    app_done(a);
}

static void what_is_left_is_picked_up(void **state) {
    struct app *a = person();

    (void)state;
    leave(NOW + 300);
    app_resume_look(a);
    assert_non_null(strstr((char *)a->prompt.body.p, "job 7f21ab00, whose guest waits 5 minutes"));
    app_key(a, 'y');
    typed(a, "a wrong passphrase");
    assert_true(a->prompt.open); /* once more */
    assert_non_null(strstr(a->status, "wrong"));
    typed(a, WORD);
    assert_false(a->prompt.open);
    assert_string_equal((char *)world.log.p, "resume {\"a\":1}\n;");
    assert_true(a->job->exists);
    app_done(a);
}

static void no_leaves_it_and_yes_forgets_it(void **state) {
    struct app *a = person();

    (void)state;
    leave(NOW + 300);
    app_resume_look(a);
    app_key(a, K_ESC);
    assert_int_equal(a->prompt.then, THEN_RESUME_FORGET);
    app_key(a, K_ENTER); /* the default: it stays */
    assert_int_equal(lie_there(), 1);
    app_resume_look(a);
    app_key(a, 'y');
    app_key(a, K_ESC); /* the passphrase is not known any more */
    app_key(a, 'y');
    assert_int_equal(lie_there(), 0);
    app_done(a);
}

static void what_is_too_old_is_told(void **state) {
    struct app *a = person();

    (void)state;
    leave(NOW - 1);
    app_resume_look(a);
    assert_false(a->prompt.open);
    assert_non_null(strstr(a->status, "cannot be picked up any more"));
    assert_int_equal(lie_there(), 0);
    app_done(a);
}

#define WITH_FOLDER(t) cmocka_unit_test_setup_teardown(t, start, stop)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(a_passphrase_is_set_and_unset), WITH_FOLDER(nothing_left_asks_nothing),
        WITH_FOLDER(what_is_left_is_picked_up),     WITH_FOLDER(no_leaves_it_and_yes_forgets_it),
        WITH_FOLDER(what_is_too_old_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
