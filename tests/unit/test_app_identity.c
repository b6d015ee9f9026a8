/* Questions about identities: what is typed, what is never shown, what comes of it. */
#include "tui/app_identity.c"

#include "tests/unit/tui_world.h"

static char dir[64];
static struct identities *kept;

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
    return remove_tree(dir);
}

static struct app *person(void) {
    struct app *a = app_with_offers();

    a->conf.identities = kept;
    return a;
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

/* --- a remote signer --- */

#define ADDRESS                                                                                    \
    "bunker://79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"                    \
    "?relay=wss%3A%2F%2Fsigner.example&secret=s3cret"

static const uint8_t USER[32] = {0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0, 0x62,
                                 0x95, 0xce, 0x87, 0x0b, 0x07, 0x02, 0x9b, 0xfc, 0xdb, 0x2d, 0xce,
                                 0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17, 0x98};

static const char *heard_so_far(void) {
    buf_str(&world.log, "");
    return (const char *)world.log.p;
}

/* Up to where its signer is asked who this is. */
static struct app *meeting(void) {
    struct app *a = person();

    buf_reset(&world.log);
    app_identity_remote(a);
    typed(a, "away");
    assert_int_equal(app_focus(a), SCR_HIDDEN); /* it has a secret in it */
    app_paste(a, view_str(ADDRESS "\n"), false);
    app_key(a, K_ENTER);
    typed(a, "long enough");
    typed(a, "long enough");
    assert_int_equal(app_focus(a), SCR_WAIT);
    return a;
}

static struct app *with_signer(void) {
    struct app *a = meeting();

    app_on_met(a, USER);
    app_identity_choose(a, "away");
    assert_non_null(app_identity(a)->signer);
    return a;
}

/* The question before a start, with a yes. */
static struct app *starting(void) {
    struct app *a = with_signer();

    buf_reset(&world.log);
    app_key(a, K_ENTER);
    app_ask_start(a);
    assert_non_null(strstr((char *)a->prompt.body.p, "Your signer is asked"));
    app_key(a, 'y');
    assert_string_equal(heard_so_far(), "introduce;");
    assert_int_equal(app_focus(a), SCR_WAIT);
    assert_int_equal(a->n_jobs, 0);
    return a;
}

static void a_signer_is_met_and_kept(void **state) {
    struct app *a = meeting();

    (void)state;
    assert_string_equal(heard_so_far(), "meet wss://signer.example s3cret;");
    assert_int_equal(identities_count(kept), 0); /* not before it has answered */
    assert_null(a->identity.first);              /* the passphrase does not wait with it */
    app_on_met(a, USER);
    assert_false(a->prompt.open);
    assert_non_null(strstr(a->status, "'away' is known here"));
    assert_memory_equal(identities_find(kept, "away")->pub, USER, 32);
    assert_null(strstr(identities_find(kept, "away")->signer, "s3cret"));
    assert_null(a->identity.newcomer);
    app_identity_choose(a, "away");
    assert_memory_equal(keypair_pub(identities_key(kept)), world.client, 32);
    app_done(a);
}

static void a_meeting_that_fails_leaves_nothing(void **state) {
    struct err e;
    struct app *a;

    (void)state;
    for (int how = 0; how < 3; how++) {
        a = meeting();
        err_set(&e, "signer-refused", "the signer says: no");
        if (how == 0)
            app_on_unsigned(a, &e);
        else if (how == 1)
            app_key(a, K_ESC);
        else
            app_done(a);
        if (how == 2)
            break;
        assert_non_null(strstr(a->status, how ? "no identity was added" : "not added: the signer"));
        assert_int_equal(how, strstr(heard_so_far(), "unask;") != NULL);
        assert_false(a->prompt.open);
        app_on_met(a, USER); /* too late */
        app_done(a);
    }
    assert_int_equal(identities_count(kept), 0);
}

static void bad_addresses_are_told_before_a_passphrase(void **state) {
    struct app *a = person();

    (void)state;
    app_identity_remote(a);
    typed(a, "away");
    typed(a, "bunker://nobody");
    assert_false(a->prompt.open);
    assert_non_null(strstr(a->status, "no address of a signer"));
    assert_null(a->identity.text);
    world.deaf = true;
    app_identity_remote(a);
    typed(a, "away");
    typed(a, ADDRESS);
    typed(a, "long enough");
    typed(a, "long enough");
    world.deaf = false;
    assert_non_null(strstr(a->status, "deaf"));
    assert_null(a->identity.newcomer);
    app_done(a);
}

/* While it is waited for no key but Esc does anything to it: nothing starts, nothing is answered.
 */
static void only_escape_stops_the_wait(void **state) {
    static const uint32_t KEYS[] = {'y', 'Y', 'n', K_ENTER, K_PASTED_ENTER, ' ', '2', 'x', K_TAB};
    struct app *a = starting();

    (void)state;
    for (size_t i = 0; i < COUNT(KEYS); i++) {
        app_key(a, KEYS[i]);
        assert_int_equal(app_focus(a), SCR_WAIT);
    }
    app_paste(a, view_str("y\n"), false);
    assert_string_equal(heard_so_far(), "introduce;");
    app_key(a, K_ESC);
    assert_string_equal(heard_so_far(), "introduce;unask;");
    assert_non_null(strstr(a->status, "nothing was sent"));
    assert_false(a->prompt.open);
    assert_int_equal(a->n_jobs, 0);
    app_done(a);
}

static void a_refusal_or_silence_says_that_nothing_was_sent(void **state) {
    struct app *a = starting();
    struct err e;

    (void)state;
    err_set(&e, "signer-silent", "the signer did not answer; is it running, and on its relays?");
    app_on_unsigned(a, &e);
    assert_false(a->prompt.open);
    assert_non_null(strstr(a->status, "nothing was sent: the signer did not answer"));
    assert_int_equal(a->n_jobs, 0);
    app_done(a);
}

static void an_address_to_visit_is_shown_and_no_more(void **state) {
    struct app *a = starting();

    (void)state;
    app_on_waits(a, a->now + 300000, "https://signer.example/yes?token=1");
    assert_non_null(strstr((char *)a->prompt.body.p, "https://signer.example/yes?token=1"));
    assert_non_null(strstr((char *)a->prompt.body.p, "Nothing is opened"));
    assert_int_equal(a->prompt.until, a->now + 300000);
    assert_string_equal(heard_so_far(), "introduce;");
    app_on_signed(a);
    assert_false(a->prompt.open);
    app_done(a);
}

static void who_has_a_signer_keeps_the_key_there(void **state) {
    struct app *a = with_signer();

    (void)state;
    app_identity_remove(a, "away");
    assert_non_null(strstr((char *)a->prompt.body.p, "stays with your signer"));
    typed(a, "remove");
    assert_null(app_identity(a));
    assert_int_equal(identities_count(kept), 0);
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
        WITH_FOLDER(a_signer_is_met_and_kept),
        WITH_FOLDER(a_meeting_that_fails_leaves_nothing),
        WITH_FOLDER(bad_addresses_are_told_before_a_passphrase),
        WITH_FOLDER(only_escape_stops_the_wait),
        WITH_FOLDER(a_refusal_or_silence_says_that_nothing_was_sent),
        WITH_FOLDER(an_address_to_visit_is_shown_and_no_more),
        WITH_FOLDER(who_has_a_signer_keeps_the_key_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
