/* The first start as somebody new goes through it. */
#include "tui/app_first.c"

#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/tui_world.h"

static char dir[] = "/tmp/cdvm-test-XXXXXX", config[sizeof dir + 16];

static struct app *app_new_here(void) {
    struct app *a = app_for(0);

    free((char *)a->conf.config);
    a->conf.config = mem_str(config);
    a->conf.simulated = false;
    app_first_start(a);
    app_prepare(a);
    return a;
}

static bool written(void) {
    return access(config, F_OK) == 0;
}

static void file_must_be(const char *text) {
    cleanup_buf struct buf got = {0};
    struct stat st;
    struct err e;

    assert_int_equal(file_read(config, 1 << 20, &got, &e), 0);
    buf_str(&got, "");
    assert_non_null(strstr((char *)got.p, text));
    assert_int_equal(stat(config, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    unlink(config);
}

/* Nothing is asked of a relay that was not switched on. */
static void nobody_is_asked_unasked(void **state) {
    struct app *a = app_new_here();

    (void)state;
    hit(a, K_ENTER);
    hit(a, 'j');
    buf_str(&world.log, "");
    assert_string_equal((char *)world.log.p, "");
    assert_int_equal(world.set.relay.n, 0);
    app_done(a);
}

static void from_the_first_step_to_the_last(void **state) {
    struct app *a = app_new_here();

    (void)state;
    hit(a, K_ENTER); /* one-time keys */
    assert_int_equal(a->first.step, FIRST_RELAYS);
    hit(a, ' ');
    buf_str(&world.log, "");
    assert_non_null(strstr((char *)world.log.p, "probe wss://relay.damus.io;"));
    for (int i = 0; i < 3; i++)
        hit(a, 'j');
    hit(a, ' ');
    type(a, "ws://127.0.0.1:7");
    hit(a, K_ENTER);
    assert_non_null(strstr((char *)world.log.p, "probe ws://127.0.0.1:7;"));
    hit(a, K_ENTER);
    assert_int_equal(a->first.step, FIRST_STRICT);
    hit(a, 'j');
    hit(a, K_ENTER); /* strict */
    assert_int_equal(a->first.step, FIRST_KEEP);
    assert_false(written());
    hit(a, K_ENTER);
    assert_int_equal(a->screen, SCR_OFFERS);
    file_must_be("relay = wss://relay.damus.io\nrelay = ws://127.0.0.1:7\npolicy = strict\n");
    app_done(a);
}

static void look_only_is_written(void **state) {
    struct app *a = app_new_here();

    (void)state;
    a->first.step = FIRST_STRICT;
    hit(a, 'G');
    hit(a, K_DOWN);
    hit(a, K_DOWN);
    hit(a, ' ');
    hit(a, K_ENTER);
    hit(a, K_ENTER);
    assert_true(world.set.look_only);
    file_must_be("policy = standard\nlook-only = yes\n");
    app_done(a);
}

static void nothing_is_written_unless_said(void **state) {
    struct app *a = app_new_here();

    (void)state;
    for (int i = 0; i < 3; i++)
        hit(a, i == 1 && a->conf.set->relay.n == 0 ? ' ' : K_ENTER);
    while (a->first.step != FIRST_KEEP)
        hit(a, K_ENTER);
    hit(a, 'j');
    hit(a, K_ENTER);
    assert_int_equal(a->screen, SCR_OFFERS);
    assert_non_null(strstr(a->status, "nothing was written"));
    assert_false(written());
    app_done(a);
    a = app_new_here();
    hit(a, K_ESC);
    assert_int_equal(a->screen, SCR_OFFERS);
    assert_false(written());
    app_done(a);
}

static void back_and_forth(void **state) {
    struct app *a = app_new_here();

    (void)state;
    a->first.step = FIRST_STRICT;
    hit(a, 'j');
    hit(a, ' ');
    hit(a, K_BACK_TAB);
    assert_int_equal(a->first.step, FIRST_RELAYS);
    hit(a, K_ENTER);
    assert_int_equal(a->first.step, FIRST_STRICT);
    assert_int_equal(a->first.cur, STRICT_STRICT); /* what was chosen is still chosen */
    for (int i = 0; i < 5; i++)
        hit(a, K_BACK_TAB);
    assert_int_equal(a->first.step, FIRST_WHO);
    app_done(a);
}

static void the_simulator_is_told_of_and_not_started(void **state) {
    struct app *a = app_new_here();

    (void)state;
    hit(a, 's');
    assert_true(a->first.simulator);
    hit(a, K_ENTER);
    assert_false(a->first.simulator);
    assert_int_equal(a->first.step, FIRST_WHO);
    assert_false(a->conf.simulated);
    hit(a, 's');
    hit(a, K_ESC);
    assert_int_equal(a->screen, SCR_FIRST);
    app_done(a);
}

/* Pasting newlines into it answers nothing. */
static void a_paste_answers_nothing(void **state) {
    struct app *a = app_new_here();

    (void)state;
    app_paste(a, view_str("\n\n\n\n\n"), false);
    for (int i = 0; i < 8; i++)
        hit(a, K_PASTED_ENTER);
    assert_int_equal(a->first.step, FIRST_WHO);
    assert_false(written());
    app_done(a);
}

static void who_without_a_place_for_keys(void **state) {
    struct app *a = app_new_here();

    (void)state;
    hit(a, 'j');
    hit(a, K_ENTER);
    assert_int_equal(a->first.step, FIRST_WHO); /* not before there is one */
    assert_non_null(strstr(a->status, "no identities"));
    app_done(a);
}

/* The third choice: without an identity of that kind there is no way past it. */
static void a_remote_signer_is_asked_for(void **state) {
    static const uint8_t user[32] = {2};
    struct app *a = app_new_here();
    cleanup_free char *folder = mem_fmt("%s/identities", dir);
    struct identities *l;
    struct err e;

    (void)state;
    l = a->conf.identities = identities_open(folder, &e);
    assert_non_null(l);
    assert_int_equal(identities_make(l, "here", view_str("long enough"), &e), 0);
    hit(a, 'j');
    hit(a, 'j');
    hit(a, K_ENTER);
    assert_int_equal(a->first.chosen[FIRST_WHO], WHO_REMOTE);
    assert_int_equal(a->first.step, FIRST_WHO);
    assert_string_equal(a->prompt.title, "Use a remote signer");
    type(a, "away");
    hit(a, K_ENTER);
    type(a, "bunker://79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
            "?relay=wss://signer.example&secret=x");
    hit(a, K_ENTER);
    for (int i = 0; i < 2; i++) {
        type(a, "long enough");
        hit(a, K_ENTER);
    }
    app_on_met(a, user);
    hit(a, K_ENTER);
    assert_string_equal(app_identity(a)->name, "away"); /* not the one that is kept here */
    assert_int_equal(a->first.step, FIRST_RELAYS);
    hit(a, K_BACK_TAB);
    hit(a, 'k');
    hit(a, 'k');
    hit(a, K_ENTER);
    assert_null(app_identity(a)); /* one-time keys after all */
    assert_int_equal(identities_remove(l, "away", &e), 0);
    assert_int_equal(identities_remove(l, "here", &e), 0);
    rmdir(folder);
    app_done(a);
    identities_free(l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_asked_unasked),
        cmocka_unit_test(from_the_first_step_to_the_last),
        cmocka_unit_test(look_only_is_written),
        cmocka_unit_test(nothing_is_written_unless_said),
        cmocka_unit_test(back_and_forth),
        cmocka_unit_test(the_simulator_is_told_of_and_not_started),
        cmocka_unit_test(a_paste_answers_nothing),
        cmocka_unit_test(who_without_a_place_for_keys),
        cmocka_unit_test(a_remote_signer_is_asked_for),
    };
    int rc;

    if (!mkdtemp(dir))
        return 1;
    snprintf(config, sizeof config, "%s/cdvm.conf", dir);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(config);
    rmdir(dir);
    buf_free(&world.log);
    return rc;
}
