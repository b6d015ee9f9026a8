/* Questions about identities: what is typed, what is never shown, what comes of it. */
#include "tui/app_identity.c"

#include <ftw.h>

#include "tests/unit/tui_world.h"

static char dir[64];
static struct identities *kept;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at) {
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static int start(void **state) {
    struct err e;

    (void)state;
    snprintf(dir, sizeof dir, "/tmp/cdvm-app-id.XXXXXX");
    assert_non_null(mkdtemp(dir));
    kept = identities_open(dir, &e);
    return kept ? 0 : -1;
}

static int stop(void **state) {
    (void)state;
    identities_free(kept);
    buf_free(&world.log);
    return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct app *person(void) {
    struct app *a = app_with_offers();

    a->conf.identities = kept;
    return a;
}

static void typed(struct app *a, const char *text) {
    type(a, text);
    app_key(a, K_ENTER);
}

static struct app *with_work(void) {
    struct app *a = person();

    app_identity_make(a);
    typed(a, "work");
    typed(a, "long enough");
    typed(a, "long enough");
    return a;
}

static void one_is_made_and_chosen(void **state) {
    struct app *a = with_work();

    (void)state;
    assert_false(a->prompt.open);
    assert_non_null(strstr(a->status, "'work' is kept"));
    assert_null(app_identity(a)); /* being there is not being chosen */
    app_identity_choose(a, "work");
    assert_string_equal(app_identity(a)->name, "work");
    app_identity_choose(a, NULL);
    assert_null(app_identity(a));
    app_done(a);
}

static void passphrases_that_differ_do_nothing(void **state) {
    struct app *a = person();

    (void)state;
    app_identity_make(a);
    typed(a, "work");
    typed(a, "long enough");
    typed(a, "long enougH");
    assert_non_null(strstr(a->status, "differ"));
    app_identity_make(a);
    typed(a, "work");
    typed(a, "short");
    assert_non_null(strstr(a->status, "shorter"));
    assert_false(a->prompt.open);
    assert_int_equal(identities_count(kept), 0);
    app_done(a);
}

static void a_locked_one_is_unlocked_when_chosen(void **state) {
    struct app *a = with_work();

    (void)state;
    app_identity_lock(a, "work");
    app_identity_choose(a, "work");
    assert_int_equal(app_focus(a), SCR_HIDDEN);
    typed(a, "wrong passphrase");
    assert_non_null(strstr(a->status, "wrong"));
    assert_null(app_identity(a));
    app_identity_choose(a, "work");
    typed(a, "long enough");
    assert_string_equal(app_identity(a)->name, "work");
    app_done(a);
}

static void keys_are_pasted_and_escape_forgets_them(void **state) {
    static const char nsec[] = "nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5\n";
    struct app *a = person();

    (void)state;
    app_identity_import(a);
    typed(a, "old");
    assert_int_equal(app_focus(a), SCR_HIDDEN);
    app_paste(a, view_str(nsec), false);
    app_key(a, K_ENTER);
    app_key(a, K_ESC);
    assert_false(a->prompt.open);
    assert_null(a->identity.text);
    assert_int_equal(identities_count(kept), 0);
    app_identity_import(a);
    typed(a, "old");
    app_paste(a, view_str("two\nlines"), false); /* is refused as a whole */
    app_paste(a, view_str(nsec), false);
    app_key(a, K_ENTER);
    typed(a, "long enough");
    typed(a, "long enough");
    assert_int_equal(identities_count(kept), 1);
    app_done(a);
}

static void an_enter_inside_a_burst_is_no_enter(void **state) {
    struct app *a = with_work();

    (void)state;
    app_identity_lock(a, "work");
    app_identity_unlock(a, "work");
    type(a, "long enough");
    app_key(a, K_PASTED_ENTER);
    assert_true(a->prompt.open);
    app_key(a, K_CTRL('U'));
    type(a, "long enougH");
    app_key(a, K_BACKSPACE);
    type(a, "h");
    app_key(a, K_ENTER);
    assert_true(identities_find(kept, "work")->unlocked);
    app_done(a);
}

static void removal_wants_the_word(void **state) {
    struct app *a = with_work();

    (void)state;
    app_identity_remove(a, "work");
    typed(a, "yes");
    assert_int_equal(identities_count(kept), 1);
    app_identity_remove(a, "work");
    typed(a, "remove");
    assert_int_equal(identities_count(kept), 0);
    app_done(a);
}

static void bad_names_and_unknown_ones_are_told(void **state) {
    struct app *a = with_work();

    (void)state;
    app_identity_make(a);
    typed(a, "a b");
    assert_non_null(strstr(a->status, "no name"));
    app_identity_make(a);
    typed(a, "work");
    assert_non_null(strstr(a->status, "already"));
    app_identity_unlock(a, "nobody");
    assert_non_null(strstr(a->status, "nobody"));
    app_identity_choose(a, "nobody");
    app_identity_remove(a, "nobody");
    assert_false(a->prompt.open);
    app_done(a);
}

static void a_start_says_who_will_be_known(void **state) {
    struct app *a = with_work();

    (void)state;
    app_key(a, K_ENTER);
    app_ask_start(a);
    assert_null(strstr((char *)a->prompt.body.p, "will know"));
    app_key(a, K_ESC);
    app_identity_choose(a, "work");
    app_ask_start(a);
    assert_non_null(strstr((char *)a->prompt.body.p, "will know that it is you: work ("));
    app_done(a);
}

#define WITH_FOLDER(t) cmocka_unit_test_setup_teardown(t, start, stop)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(one_is_made_and_chosen),
        WITH_FOLDER(passphrases_that_differ_do_nothing),
        WITH_FOLDER(a_locked_one_is_unlocked_when_chosen),
        WITH_FOLDER(keys_are_pasted_and_escape_forgets_them),
        WITH_FOLDER(an_enter_inside_a_burst_is_no_enter),
        WITH_FOLDER(removal_wants_the_word),
        WITH_FOLDER(bad_names_and_unknown_ones_are_told),
        WITH_FOLDER(a_start_says_who_will_be_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
