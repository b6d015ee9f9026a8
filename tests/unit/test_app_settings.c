/* The screen of keys and settings as a person uses it. */
#include "tui/app_settings.c"

#include <locale.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/tui_world.h"

static char config[] = "/tmp/cdvm-test-XXXXXX";

static struct app *app_at_settings(void) {
    struct app *a = app_for(3);

    keep(&a->conf.config, config);
    a->conf.simulated = false;
    app_resize(a, 24, 80);
    app_key(a, '6');
    app_prepare(a);
    return a;
}

/* Brings the cursor to the row of this label. */
static void go_to(struct app *a, const char *label) {
    app_key(a, 'g');
    for (size_t i = 0; i < a->options->n; i++) {
        if (strstr(options_at(a->options)->label, label))
            return;
        app_key(a, 'j');
    }
    fail_msg("no row '%s'", label);
}

static void file_must_be(const char *text) {
    cleanup_buf struct buf got = {0};
    struct err e;

    assert_int_equal(file_read(config, 1 << 20, &got, &e), 0);
    buf_str(&got, "");
    assert_string_equal((char *)got.p, text);
}

static void file_is(const char *text) {
    struct err e;

    assert_int_equal(file_write(config, view_str(text), 0600, true, &e), 0);
}

/* Every row that the cursor can reach can be changed, and the world hears which key it was. */
static void every_row_can_be_changed(void **state) {
    struct app *a = app_at_settings();
    size_t rows = 0;

    (void)state;
    for (hit(a, 'g');; rows++) {
        const struct option_row *r = options_at(a->options);
        size_t cur = a->options->cur;
        const struct conf_key *key = r->key;

        if (!key) {
            hit(a, 'j');
            continue;
        }
        hit(a, K_ENTER);
        if (a->prompt.open) {
            edit_do(a->prompt.edit, EDIT_CLEAR);
            type(a, key->type == CONF_NUMBER ? "1" : "x");
            hit(a, K_ESC);
            hit(a, 'e');
            assert_true(a->prompt.open);
            hit(a, K_ESC);
        } else {
            buf_str(&world.log, "");
            assert_non_null(strstr((char *)world.log.p, key->name));
        }
        a->options->cur = cur;
        hit(a, 'j');
        if (a->options->cur == cur)
            break;
    }
    assert_true(rows + 1 >= settings_n_keys);
    app_done(a);
}

static void relays_go_off_and_on_and_are_added(void **state) {
    struct app *a = app_at_settings();

    (void)state;
    go_to(a, "relay2");
    hit(a, ' ');
    expect_asked("setting relay;");
    assert_int_equal(world.set.relay.n, 2);
    assert_int_equal(a->conf.relays, 2);
    assert_string_equal(options_at(a->options)->label, "wss://relay2.example");
    assert_false(options_at(a->options)->on);
    hit(a, ' ');
    assert_int_equal(world.set.relay.n, 3);
    go_to(a, "add a relay");
    hit(a, K_ENTER);
    app_paste(a, view_str("ws://localhost:7777"), false);
    buf_reset(&world.log);
    hit(a, K_ENTER);
    expect_asked("setting relay;probe ws://localhost:7777;");
    assert_int_equal(world.set.relay.n, 4);
    app_on_tried(a, "ws://localhost:7777", 12, NULL);
    assert_string_equal(a->status, "ws://localhost:7777 answered in 12 ms");
    go_to(a, "add a relay");
    hit(a, K_ENTER);
    type(a, "https://not.a.relay");
    hit(a, K_ENTER);
    assert_non_null(strstr(a->status, "is not a ws://"));
    assert_int_equal(world.set.relay.n, 4);
    app_done(a);
}

static void a_relay_is_tried(void **state) {
    struct app *a = app_at_settings();

    (void)state;
    go_to(a, "relay3");
    hit(a, 't');
    expect_asked("probe wss://relay3.example;");
    assert_string_equal(options_at(a->options)->value, "trying");
    app_on_tried(a, "wss://relay3.example", -1, "no answer in 8 s");
    assert_string_equal(a->status, "wss://relay3.example: no answer in 8 s");
    go_to(a, "policy");
    hit(a, 't');
    expect_asked("");
    app_done(a);
}

static void w_writes_what_was_changed(void **state) {
    struct app *a = app_at_settings();
    struct stat st;

    (void)state;
    file_is("# mine\npolicy = standard\n");
    hit(a, 'w');
    assert_non_null(strstr(a->status, "nothing was changed"));
    file_must_be("# mine\npolicy = standard\n");
    go_to(a, "policy");
    hit(a, ' ');
    go_to(a, "look-only");
    hit(a, K_ENTER);
    expect_asked("setting policy;setting look-only;");
    file_must_be("# mine\npolicy = standard\n"); /* not before w */
    hit(a, 'w');
    assert_non_null(strstr(a->status, "written: "));
    file_must_be("# mine\npolicy = strict\nlook-only = yes\n");
    assert_int_equal(stat(config, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    app_done(a);
}

static void a_broken_file_is_named_with_its_line(void **state) {
    struct app *a = app_at_settings();

    (void)state;
    file_is("policy = strict\ncolor = red\n");
    go_to(a, "look-only");
    hit(a, ' ');
    hit(a, 'w');
    assert_non_null(strstr(a->status, ":2: unknown key 'color'"));
    file_must_be("policy = strict\ncolor = red\n");
    app_done(a);
}

static void demo_stays_what_this_run_is(void **state) {
    struct app *a = app_at_settings();

    (void)state;
    a->conf.simulated = a->conf.policy_given = true;
    go_to(a, "policy");
    hit(a, 'e');
    edit_do(a->prompt.edit, EDIT_CLEAR);
    type(a, "demo");
    hit(a, K_ENTER);
    assert_non_null(strstr(a->status, "not changed: the policy demo is given on the command line"));
    hit(a, ' ');
    assert_non_null(strstr(a->status, "counts from the next start"));
    assert_true(a->conf.policy_given);
    app_done(a);
}

/* Nothing of a guest is accepted, and the person is told where that comes from. */
static void look_only_accepts_nothing(void **state) {
    struct app *a = app_deciding();

    (void)state;
    world.set.look_only = true;
    app_go(a, SCR_ATTEST);
    app_key(a, 'a');
    assert_false(a->prompt.open);
    assert_non_null(strstr(a->status, "look-only"));
    app_done(a);
}

static void back_to_where_one_came_from(void **state) {
    struct app *a = app_deciding();

    (void)state;
    app_go(a, SCR_ATTEST);
    app_key(a, K_F6);
    assert_int_equal(a->screen, SCR_SETTINGS);
    app_key(a, K_ESC);
    assert_int_equal(a->screen, SCR_ATTEST);
    app_done(a);
    a = app_for(0);
    app_key(a, '6');
    app_key(a, 'q');
    assert_int_equal(a->screen, SCR_OFFERS);
    app_done(a);
}

/* Both columns, any height: the row under the cursor is in sight. */
static void the_cursor_stays_in_sight(void **state) {
    struct app *a = app_at_settings();
    struct options *o = a->options;

    (void)state;
    for (int cols = 60; cols <= 120; cols += 60)
        for (size_t height = 1; height < 40; height++) {
            bool two = cols >= APP_TWO_COLUMNS;

            app_resize(a, 24, cols);
            for (int i = 0; i < 60; i++) {
                bool right = two && o->cur >= o->right;
                size_t at = right ? o->cur - o->right : o->cur;

                app_key(a, i < 30 ? 'j' : i == 45 ? 'l' : 'k');
                app_settings_fill(a, height);
                right = two && o->cur >= o->right;
                at = right ? o->cur - o->right : o->cur;
                assert_in_range(at, o->top[right], o->top[right] + height - 1);
            }
        }
    app_done(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_can_be_changed),
        cmocka_unit_test(relays_go_off_and_on_and_are_added),
        cmocka_unit_test(a_relay_is_tried),
        cmocka_unit_test(w_writes_what_was_changed),
        cmocka_unit_test(a_broken_file_is_named_with_its_line),
        cmocka_unit_test(demo_stays_what_this_run_is),
        cmocka_unit_test(look_only_accepts_nothing),
        cmocka_unit_test(back_to_where_one_came_from),
        cmocka_unit_test(the_cursor_stays_in_sight),
    };
    int fd = mkstemp(config), rc;

    close(fd);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(config);
    buf_free(&world.log);
    return rc;
}
