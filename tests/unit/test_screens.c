/* Golden screens: every screen at three sizes, in UTF-8 and in ASCII, drawn by the real code into a
 * curses screen that has no terminal, read back cell by cell and compared with tests/screens/.
 *
 *   UPDATE_SCREENS=1 build/unit/test_screens    writes them anew (then look at the difference) */
#include "tui/draw.c"

#include <inttypes.h>
#include <locale.h>
#include <time.h>

#include "core/enc.h"
#include "tests/unit/unit.h"
#include "tui/cmd.h"
#include "tui/scr.h"

#define NOW 1764000000 /* 2025-11-24 16:00:00 UTC */

static FILE *nowhere;
static SCREEN *screen;

/* --- a world that remembers what it was asked --- */

static struct {
    struct buf log;
    struct app *app;
    struct offer *offer;
} world;

static const struct offer *port_offer(void *arg, const struct shelf_row *row, struct err *e) {
    (void)arg;
    (void)row;
    (void)e;
    return world.offer;
}

static int port_start(void *arg, const struct offer *o, struct err *e) {
    static const uint8_t job[32] = {0x7f, 0x21};

    (void)arg;
    (void)e;
    app_on_started(world.app, o, job);
    return 0;
}

static int port_confirm(void *arg, const char *id, struct err *e) {
    (void)arg;
    (void)e;
    buf_fmt(&world.log, "confirm %s;", id);
    return 0;
}

static int port_accept(void *arg, bool simulated, struct err *e) {
    (void)arg;
    (void)e;
    buf_fmt(&world.log, "accept %d;", simulated);
    return 0;
}

static void port_void(void *arg) {
    (void)arg;
}

static void port_end(void *arg) {
    (void)arg;
    buf_str(&world.log, "end;");
}

static void port_quit(void *arg, bool at_once) {
    (void)arg;
    buf_fmt(&world.log, "quit %d;", at_once);
}

static int port_ask(void *arg, struct view text, uint8_t id[static 32], struct err *e) {
    (void)arg;
    (void)e;
    memset(id, 0x51, 32);
    buf_fmt(&world.log, "ask %.*s;", (int)text.n, (const char *)text.p);
    return 0;
}

static int port_attach(void *arg, const char *path, const char *mime, uint8_t xid[static 16],
                       struct err *e) {
    (void)arg;
    (void)e;
    memset(xid, 7, 16);
    buf_fmt(&world.log, "attach %s %s;", path, mime);
    return 0;
}

static int port_cancel(void *arg, const uint8_t id[static 32], struct err *e) {
    (void)arg;
    (void)id;
    (void)e;
    buf_str(&world.log, "cancel;");
    return 0;
}

static int port_route(void *arg, uint64_t size, const char **server, struct err *e) {
    (void)arg;
    (void)size;
    (void)e;
    *server = NULL;
    return 0;
}

static int port_save(void *arg, const char *path, struct err *e) {
    (void)arg;
    (void)e;
    buf_fmt(&world.log, "save %s;", path);
    return 0;
}

static const struct app_port PORT = {port_offer, port_start,  port_confirm, port_accept, port_end,
                                     port_ask,   port_attach, port_cancel,  port_route,  port_save,
                                     port_end,   port_quit,   port_void,    port_void,   port_void};

/* --- what the world holds --- */

static struct offer *offer_of(unsigned seed, const char *name, const char *provider,
                              const char *privacy, const char *gpu, uint64_t msat) {
    struct offer *o = mem_new(sizeof *o);
    uint8_t sk[32] = {0};
    struct keypair *k;
    struct event *ev;
    struct err e;

    sk[31] = (uint8_t)(seed + 1);
    k = keypair_from(sk, &e);
    *o = (struct offer){.job_kind = strstr(name, "csv") ? 5999 : 5050, .vcpus = 8};
    o->memory_mib = 65536;
    o->gpu_count = *gpu ? 1 : 0;
    o->price_msat = msat;
    snprintf(o->d, sizeof o->d, "offer-%u", seed);
    snprintf(o->name, sizeof o->name, "%s", name);
    snprintf(o->about, sizeof o->about, "Private inference in a sealed guest. Nothing is kept.");
    snprintf(o->provider_name, sizeof o->provider_name, "%s", provider);
    snprintf(o->privacy, sizeof o->privacy, "%s", privacy);
    snprintf(o->workload_name, sizeof o->workload_name, "%s",
             o->job_kind == 5999 ? "table" : "chat");
    memset(o->workload, 'a', 64);
    memcpy(o->workload + 64, ":2048", 6);
    snprintf(o->model_name, sizeof o->model_name, "%s", o->job_kind == 5999 ? "none" : name);
    snprintf(o->model, sizeof o->model, "%s", o->job_kind == 5999 ? "none" : o->workload);
    snprintf(o->broker, sizeof o->broker, "none");
    snprintf(o->vcpu_type, sizeof o->vcpu_type, "EPYC-v4");
    snprintf(o->gpu_arch, sizeof o->gpu_arch, "%s", gpu);
    snprintf(o->price_unit, sizeof o->price_unit, "job");
    snprintf(o->limits[0].name, 32, "minutes");
    o->limits[0].value = 60;
    o->n_limits = 1;
    snprintf(o->relays[0], sizeof o->relays[0], "wss://relay.example");
    o->n_relays = 1;
    ev = offer_make(o, k, NOW - 90000 - (int)seed * 4000);
    free(o);
    o = offer_parse(ev, &e);
    if (!o)
        fail_msg("%s", e.text);
    event_free(ev);
    keypair_free(k);
    return o;
}

static void put_offer(struct app *a, struct offer *o, bool alive, int64_t seen) {
    struct listing l = {.offer = o, .alive = alive, .free_slots = 2, .seen = NOW - seen};

    app_on_offer(a, &l);
    if (offer_simulated(o)) {
        offer_free(world.offer);
        world.offer = o;
    } else
        offer_free(o);
}

static struct app *app_for(size_t relays) {
    struct app_conf conf = {.port = &PORT,
                            .policy = "demo",
                            .simulated = true,
                            .folder = ".",
                            .bundles = "/home/anna/.local/share/cdvm/receipts",
                            .relays = relays,
                            .ascii = ascii_only};
    struct app *a = app_new(&conf);

    world.app = a;
    buf_reset(&world.log);
    app_clock(a, 1000000, NOW);
    return a;
}

static struct app *app_with_offers(void) {
    struct app *a = app_for(5);
    struct err e;
    struct offer *o =
        offer_of(0, "llama-3.3-70b q8", "alpenrechen", "sev-snp+gpu-cc", "hopper", 210000);

    (void)!proven_put(a->proven, o->pubkey, (struct proof){PROOF_PASS, NOW - 3 * 86400}, &e);
    put_offer(a, o, true, 12);
    o = offer_of(1, "llama-3.3-70b q4", "cheapgpu", "sev-snp+gpu-cc", "hopper", 80000);
    (void)!proven_put(a->proven, o->pubkey, (struct proof){PROOF_WARN, NOW - 86400}, &e);
    put_offer(a, o, true, 300);
    o = offer_of(2, "deepseek-r1-70b", "fastlane", "sev-snp+gpu-cc", "hopper", 95000);
    (void)!proven_put(a->proven, o->pubkey, (struct proof){PROOF_FAIL, NOW - 7200}, &e);
    put_offer(a, o, true, 360);
    put_offer(a,
              offer_of(3, "\xe6\xbc\xa2\xe5\xad\x97-\xe6\xa8\xa1\xe5\x9e\x8b-32b",
                       "\xe6\x9d\xb1\xe4\xba\xac gpu", "sev-snp+gpu-cc", "hopper", 150000),
              true, 40);
    put_offer(a, offer_of(4, "csv tools", "tabula", "sev-snp", "", 90000), true, 180);
    put_offer(a, offer_of(5, "gratis\xe2\x80\xaemodel\033[2J", "bad\033]0;x\007guy", "none", "", 0),
              true, 60);
    put_offer(a, offer_of(6, "llama-3.1-8b", "hobbynode", "none", "", 1500), false, 9000);
    put_offer(a, offer_of(7, "csv demo", "local sim", "sim", "", 0), true, 1);
    app_on_relays(a, 4);
    app_on_settled(a);
    return a;
}

static const struct check ARK = {
    .id = "snp.chain.ark",
    .title = "ARK is a root that may sign",
    .state = CHECK_PASS,
    .source = SOURCE_HARDWARE,
    .required = true,
    .expected = "",
    .got = "sha256 4c1b..9e70",
    .why = "The root is a simulator's, named in this machine's own sim-roots file."};
static const struct check SIG = {.id = "snp.signature",
                                 .title = "report signature",
                                 .state = CHECK_PASS,
                                 .source = SOURCE_HARDWARE,
                                 .required = true,
                                 .expected = "",
                                 .got = "ECDSA P-384, 1184 bytes",
                                 .why = "The chip's key signed these 1184 bytes."};
static const struct check TCB = {
    .id = "snp.tcb.floor",
    .title = "firmware at or above the floor",
    .state = CHECK_WARN,
    .source = SOURCE_HARDWARE,
    .required = true,
    .expected = "microcode 0x58",
    .got = "microcode 0x57",
    .why = "The host runs an older microcode than the advisory of 3 November asks for; "
           "somebody who controls the host could use what it fixes. Ask for an update, or accept "
           "for this job only."};
static const struct check CRL = {.id = "snp.crl",
                                 .title = "certificates not revoked",
                                 .state = CHECK_NOT_CHECKED,
                                 .source = SOURCE_COMPUTED,
                                 .required = false,
                                 .expected = "",
                                 .got = "",
                                 .why = "Nobody brought a revocation list."};
static const struct check BIND = {
    .id = "binding",
    .title = "REPORT_DATA binds key, nonce, job",
    .state = CHECK_PASS,
    .source = SOURCE_COMPUTED,
    .required = true,
    .expected = "",
    .got = "c4d9 51fe",
    .why = "The report carries the hash of the guest's key, your nonce and this job."};
static const struct check *const CHAIN_KIDS[] = {&ARK, &SIG, &CRL}, *const LEVEL_KIDS[] = {&TCB};
static const struct check CHAIN = {.id = "snp.chain",
                                   .title = "CPU report and its chain",
                                   .state = CHECK_PASS,
                                   .source = SOURCE_HARDWARE,
                                   .required = true,
                                   .expected = "",
                                   .got = "",
                                   .why = "A chain of three certificates.",
                                   .child = CHAIN_KIDS,
                                   .n_children = 3};
static const struct check LEVEL = {.id = "snp.level",
                                   .title = "firmware level",
                                   .state = CHECK_WARN,
                                   .source = SOURCE_HARDWARE,
                                   .required = true,
                                   .expected = "",
                                   .got = "",
                                   .why = "One component is old.",
                                   .child = LEVEL_KIDS,
                                   .n_children = 1};
static const struct check *const TOP_KIDS[] = {&CHAIN, &LEVEL, &BIND};
static const struct check TOP = {.id = "verdict",
                                 .title = "the guest is the one you asked for",
                                 .state = CHECK_WARN,
                                 .source = SOURCE_COMPUTED,
                                 .required = true,
                                 .expected = "",
                                 .got = "",
                                 .why = "Everything required holds but one warning.",
                                 .child = TOP_KIDS,
                                 .n_children = 3};

static void state(struct app *a, enum session_state s) {
    struct session_event ev = {.type = SE_STATE, .state = s, .from = a->job.state};

    app_on_session(a, &ev);
}

static void phase(struct app *a, enum job_phase p, const char *text) {
    struct session_event ev = {.type = SE_PHASE, .phase = p, .text = view_str(text)};

    app_on_session(a, &ev);
}

static void later(struct app *a, int64_t ms) {
    app_clock(a, a->now + ms, a->unix_now + ms / 1000);
}

static struct app *app_booting(void) {
    struct app *a = app_with_offers();
    struct err e;

    if (app_open_offer(a, NULL, &e) != 0)
        fail_msg("%s", e.text);
    port_start(NULL, a->offer, NULL);
    later(a, 400);
    state(a, SESSION_STARTING);
    phase(a, PHASE_QUEUED, "");
    later(a, 300);
    phase(a, PHASE_CREATING, "");
    later(a, 100);
    phase(a, PHASE_BOOTING, "sim backend, \033[31mTCG\033[0m");
    later(a, 14250);
    return a;
}

static struct app *app_deciding(void) {
    struct app *a = app_booting();
    struct app_verdict v = {.top = &TOP,
                            .state = CHECK_WARN,
                            .simulated = true,
                            .has_guest = true,
                            .guest = {0xc4, 0xd9, 0x51, 0xfe, 0x07, 0xaa, 0x3b, 0x12},
                            .policy = "demo",
                            .product = "Genoa",
                            .open = {&TCB},
                            .n_open = 1};

    v.as_of = a->unix_now;
    phase(a, PHASE_ATTESTING, "");
    later(a, 700);
    state(a, SESSION_VERIFYING);
    later(a, 40);
    app_on_verdict(a, &v);
    state(a, SESSION_DECISION);
    return a;
}

static struct app *app_ready(void) {
    struct app *a = app_deciding();
    struct session_event ev = {.type = SE_READY, .text = view_str("table 1")};

    state(a, SESSION_ACCEPTED);
    later(a, 1200);
    state(a, SESSION_READY);
    app_on_session(a, &ev);
    return a;
}

static void type(struct app *a, const char *s) {
    for (; *s; s++)
        app_key(a, (uint32_t)(uint8_t)*s);
}

static struct app *app_chatting(void) {
    struct app *a = app_ready();
    uint8_t ID[32];
    struct xfer_meta up = {.name = "ledger.csv", .size = 2100000, .xid = {1}},
                     down = {.name = "result.csv", .size = 5, .xid = {2}, .sha256 = {0x91, 0xbe}};
    cJSON *table = cJSON_Parse("{\"columns\":[\"customer\",\"total\"],\"rows\":[[\"Anna\",1204.5],"
                               "[\"B\\u00e9la\",-3]],\"total\":40}");

    memset(ID, 0x51, 32);
    type(a, "Which customers paid late?");
    app_key(a, K_ENTER);
    later(a, 2000);
    app_on_session(a, &(struct session_event){.type = SE_TABLE, .id = ID, .json = table});
    app_on_session(
        a, &(struct session_event){.type = SE_FILE, .meta = &down, .data = view_str("a,b\n1")});
    app_on_session(a, &(struct session_event){
                          .type = SE_DELTA,
                          .id = ID,
                          .text = view_str("Two of them paid late: Anna by 12 days, B\xc3\xa9la by "
                                           "three. The others were on time.")});
    app_on_session(a, &(struct session_event){.type = SE_FILE_UP, .meta = &up, .done = 1344000});
    later(a, 4000);
    app_on_session(a, &(struct session_event){.type = SE_FILE_UP, .meta = &up, .done = 1364000});
    app_on_session(a, &(struct session_event){.type = SE_PROGRESS,
                                              .id = ID,
                                              .done = 300,
                                              .total = 1000,
                                              .text = view_str("rows"),
                                              .note = "sorting"});
    type(a, "and who ");
    app_key(a, K_ALT(K_ENTER));
    type(a, "signed it?");
    cJSON_Delete(table);
    return a;
}

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

/* --- scenes --- */

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

    type(a, "/attach LICENSE");
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

static const struct {
    const char *name;
    struct app *(*make)(void);
} SCENES[] = {
    {"first", scene_first},       {"offers", app_with_offers},
    {"filter", scene_filter},     {"offer", scene_offer},
    {"start", scene_start},       {"boot", app_booting},
    {"attest", app_deciding},     {"accept", scene_accept},
    {"ready", app_ready},         {"chat", app_chatting},
    {"scrolled", scene_scrolled}, {"attach", scene_attach},
    {"help", scene_help},         {"end", app_over},
    {"failed", scene_failed},
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

static void app_done(struct app *a) {
    app_free(a);
    offer_free(world.offer);
    world.offer = NULL;
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
