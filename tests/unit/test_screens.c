/* Golden screens: every screen at three sizes, in UTF-8 and in ASCII, drawn by the real code into a
 * curses screen that has no terminal, read back cell by cell and compared with tests/screens/.
 *
 *   UPDATE_SCREENS=1 build/unit/test_screens    writes them anew (then look at the difference) */
#include "tui/draw.c"

#include <inttypes.h>
#include <locale.h>
#include <sys/stat.h>
#include <time.h>

#include "core/enc.h"
#include "tests/unit/tui_world.h"
#include "tui/cmd.h"
#include "tui/scr.h"

static FILE *nowhere;
static SCREEN *screen;

/* --- scenes --- */

static struct app *app_over(void) {
    struct app *a = app_chatting();
    struct receipt r = {.n_in = 3, .n_out = 5, .reason = "end"};
    struct teardown t = {.started = NOW, .ended = NOW + 31, .rundir_removed = true};

    later(a, 10000);
    state(a, SESSION_ENDING);
    app_on_session(a, &(struct session_event){.type = SE_RECEIPT, .receipt = &r});
    app_on_session(a, &(struct session_event){.type = SE_TEARDOWN, .teardown = &t});
    state(a, SESSION_ENDED);
    return a;
}

static struct app *scene_first(void) {
    return app_for(0);
}

static struct app *scene_filter(void) {
    struct app *a = app_with_offers();

    type(a, "/llama");
    return a;
}

static struct app *scene_offer(void) {
    struct app *a = app_with_offers();

    app_key(a, K_ENTER);
    return a;
}

static struct app *scene_start(void) {
    struct app *a = scene_offer();

    app_key(a, K_ENTER);
    return a;
}

static struct app *scene_accept(void) {
    struct app *a = app_deciding();

    type(a, "a");
    type(a, "simul");
    return a;
}

static struct app *scene_attach(void) {
    struct app *a = app_ready();

    struct err e;

    mkdir("build", 0755);
    assert_int_equal(file_write("build/ledger.csv", view_str("id,amount\n1,2\n"), 0600, true, &e),
                     0);
    type(a, "/attach build/ledger.csv");
    app_key(a, K_ENTER);
    return a;
}

static struct app *scene_help(void) {
    struct app *a = app_ready();

    app_key(a, K_F1);
    return a;
}

static struct app *scene_failed(void) {
    struct app *a = app_booting();
    struct err why = {"boot-timeout", "the guest did not say hello within 120 s"};

    later(a, 120000);
    app_on_session(a,
                   &(struct session_event){.type = SE_STATE, .state = SESSION_FAILED, .why = &why});
    return a;
}

static struct app *scene_scrolled(void) {
    struct app *a = app_chatting();

    for (int i = 0; i < 40; i++)
        app_chat(a, "guest", ROLE_TEXT, false, view_str("one more line of an answer"));
    app_prepare(a);
    app_key(a, K_PAGE_UP);
    for (int i = 0; i < 3; i++)
        app_chat(a, "guest", ROLE_TEXT, false, view_str("and news"));
    return a;
}

static struct app *scene_passage(void) {
    struct app *a = app_answered_with_sources();

    app_key(a, K_ALT('s'));
    return a;
}

static struct app *scene_passage_alone(void) {
    struct app *a = scene_passage();

    app_key(a, 'n');
    return a;
}

static struct app *scene_attach_three(void) {
    struct app *a = app_with_model();

    type(a, "/attach examples/lease.md examples/medical-note.txt examples/ledger-note.txt");
    app_key(a, K_ENTER);
    return a;
}

static struct app *scene_param(void) {
    struct app *a = scene_offer();

    app_key(a, 'p');
    type(a, "system=Answer in one sentence and name the passage.");
    app_key(a, K_ENTER);
    app_key(a, 'p');
    type(a, "temperature=");
    return a;
}

static const struct {
    const char *name;
    struct app *(*make)(void);
} SCENES[] = {
    {"first", scene_first},
    {"offers", app_with_offers},
    {"filter", scene_filter},
    {"offer", scene_offer},
    {"start", scene_start},
    {"boot", app_booting},
    {"attest", app_deciding},
    {"accept", scene_accept},
    {"ready", app_ready},
    {"chat", app_chatting},
    {"scrolled", scene_scrolled},
    {"attach", scene_attach},
    {"help", scene_help},
    {"end", app_over},
    {"failed", scene_failed},
    {"reading", app_reading},
    {"sources", app_answered_with_sources},
    {"passage", scene_passage},
    {"passage-alone", scene_passage_alone},
    {"attach-three", scene_attach_three},
    {"param", scene_param},
};
static const int SIZES[][2] = {{60, 16}, {80, 24}, {100, 30}};

/* --- reading back --- */

/* Appends what one cell shows; returns its width. */
static int read_cell(int y, int x, struct buf *out) {
    wchar_t chars[CCHARW_MAX + 1] = {0};
    char utf8[4];
    attr_t attr;
    short pair;
    cchar_t cell;

    mvin_wch(y, x, &cell);
    getcchar(&cell, chars, &attr, &pair, NULL);
    for (int i = 0; chars[i]; i++)
        buf_add(out, utf8, utf8_put((uint32_t)chars[i], utf8));
    return chars[0] > 0x7f && wcwidth(chars[0]) == 2 ? 2 : 1;
}

static void read_screen(struct buf *out) {
    for (int y = 0; y < LINES; y++) {
        for (int x = 0; x < COLS;)
            x += read_cell(y, x, out);
        while (out->n > 0 && out->p[out->n - 1] == ' ')
            out->n--;
        buf_str(out, "\n");
    }
}

static void shoot(struct app *a, int cols, int rows, struct buf *out) {
    resizeterm(rows, cols);
    app_resize(a, rows, cols);
    app_prepare(a);
    scr_draw(a);
    read_screen(out);
}

static void compare_golden(const char *path, const struct buf *got) {
    cleanup_buf struct buf want = {0};
    struct err e;

    if (getenv("UPDATE_SCREENS")) {
        assert_int_equal(file_write(path, buf_view(got), 0644, true, &e), 0);
        return;
    }
    if (file_read(path, 1 << 20, &want, &e) != 0)
        fail_msg("%s", e.text);
    if (!view_eq(buf_view(&want), buf_view(got)))
        fail_msg("%s: the screen is now:\n%.*s", path, (int)got->n, (char *)got->p);
}

static void golden(bool ascii) {
    draw_start(ascii, THEME_AUTO);
    world.ascii = ascii;
    for (size_t i = 0; i < COUNT(SCENES); i++)
        for (size_t k = 0; k < COUNT(SIZES); k++) {
            cleanup_buf struct buf got = {0};
            struct app *a = SCENES[i].make();
            cleanup_free char *path = mem_fmt("tests/screens/%s-%dx%d%s.txt", SCENES[i].name,
                                              SIZES[k][0], SIZES[k][1], ascii ? "-ascii" : "");

            shoot(a, SIZES[k][0], SIZES[k][1], &got);
            compare_golden(path, &got);
            app_done(a);
        }
}

static void golden_utf8(void **state_) {
    (void)state_;
    golden(false);
}

static void golden_ascii(void **state_) {
    (void)state_;
    golden(true);
}

/* Any size, any scene: nothing breaks, and too small says so. */
static void every_size_survives(void **state_) {
    (void)state_;
    draw_start(false, THEME_AUTO);
    for (size_t i = 0; i < COUNT(SCENES); i++) {
        struct app *a = SCENES[i].make();

        for (int rows = 1; rows < 40; rows += 3)
            for (int cols = 1; cols < 130; cols += 7) {
                cleanup_buf struct buf got = {0};

                shoot(a, cols, rows, &got);
                if (cols >= 20 && (rows < SCR_MIN_ROWS || cols < SCR_MIN_COLS))
                    assert_non_null(strstr((char *)got.p, "enlarge to 60x16"));
            }
        app_done(a);
    }
}

/* The banner is on every screen of a simulated job. */
static void banner_is_everywhere(void **state_) {
    static const uint32_t KEYS[] = {K_ALT('2'), K_ALT('3'), K_ALT('4'), K_ALT('5')};

    (void)state_;
    for (size_t i = 0; i < COUNT(KEYS); i++) {
        cleanup_buf struct buf got = {0};
        struct app *a = app_ready();

        app_key(a, KEYS[i]);
        shoot(a, 60, 16, &got);
        assert_non_null(strstr((char *)got.p, "[S] SIMULATED"));
        app_key(a, K_F1);
        app_ask_end(a); /* a question over the help over the screen */
        buf_reset(&got);
        shoot(a, 60, 16, &got);
        assert_non_null(strstr((char *)got.p, "[S] SIMULATED"));
        app_done(a);
    }
}

/* No colour is not less: with and without it the cells hold the same text. */
static void mono_says_the_same(void **state_) {
    (void)state_;
    for (size_t i = 0; i < COUNT(SCENES); i++) {
        cleanup_buf struct buf colour = {0}, mono = {0};
        struct app *a;

        draw_start(false, THEME_256);
        a = SCENES[i].make();
        shoot(a, 80, 24, &colour);
        app_done(a);
        draw_start(false, THEME_MONO);
        a = SCENES[i].make();
        shoot(a, 80, 24, &mono);
        app_done(a);
        assert_true(view_eq(buf_view(&colour), buf_view(&mono)));
    }
}

static int setup(void **state_) {
    (void)state_;
    setenv("TZ", "UTC", 1);
    setenv("LINES", "24", 1);
    setenv("COLUMNS", "80", 1);
    tzset();
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        return -1;
    nowhere = fopen("/dev/null", "r+");
    screen = newterm("xterm-256color", nowhere, nowhere);
    unsetenv("LINES");
    unsetenv("COLUMNS");
    return screen ? 0 : -1;
}

static int teardown(void **state_) {
    (void)state_;
    endwin();
    delscreen(screen);
    fclose(nowhere);
    buf_free(&world.log);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_utf8),         cmocka_unit_test(golden_ascii),
        cmocka_unit_test(every_size_survives), cmocka_unit_test(banner_is_everywhere),
        cmocka_unit_test(mono_says_the_same),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
