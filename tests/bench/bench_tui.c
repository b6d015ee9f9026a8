/* The screens at the sizes they must live with: 10,000 offers, 100,000 lines of chat, memory, and a
 * paste. */
#include <locale.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/bench/bench.h"

/* curses has a struct screen of its own: it stays in this file */
#include <curses.h>

#include "core/dvm.h"
#include "tui/scr.h"

#define OFFERS 10000
#define KEYS 500
#define NOW 1764000000
#define LINES_SAID 100000
#define FRAMES 300

static struct app *app;

static void nothing(void *arg) {
    (void)arg;
}

static int ask(void *arg, unsigned job, struct view text, uint8_t id[static 32], struct err *e);
static const struct app_port PORT = {.ask = ask, .redraw = nothing, .suspend = nothing};

/* Real events, signed, verified and parsed as if a relay had sent them. */
static void put_offer(uint32_t i, const struct keypair *k) {
    struct offer o = {.job_kind = KIND_JOB_CHAT, .vcpus = 8, .memory_mib = 65536, .n_relays = 2};
    cleanup_buf struct buf json = {0};
    struct event *ev;
    struct offer *out;

    o.price_msat = i * 7919u % 100000u;
    snprintf(o.d, sizeof o.d, "offer-%u", i);
    snprintf(o.name, sizeof o.name, "model-%u with documents", i % 97);
    snprintf(o.about, sizeof o.about, "Private inference in a sealed guest. Nothing is kept.");
    snprintf(o.provider_name, sizeof o.provider_name, "provider %u", i % KEYS);
    snprintf(o.privacy, sizeof o.privacy, "sev-snp");
    snprintf(o.price_unit, sizeof o.price_unit, "job");
    snprintf(o.workload_name, sizeof o.workload_name, "chat");
    snprintf(o.model_name, sizeof o.model_name, "model-%u", i % 97);
    snprintf(o.vcpu_type, sizeof o.vcpu_type, "EPYC-v4");
    memset(o.workload, 'a', 64);
    memcpy(o.workload + 64, ":2048", 6);
    memcpy(o.model, o.workload, sizeof o.model);
    snprintf(o.relays[0], sizeof o.relays[0], "wss://relay.example");
    snprintf(o.relays[1], sizeof o.relays[1], "wss://other.example");
    ev = offer_make(&o, k, NOW - i);
    event_json(ev, &json);
    event_free(ev);
    ev = event_parse(buf_view(&json), NULL);
    out = ev ? offer_parse(ev, NULL) : NULL;
    if (!out)
        abort();
    app_on_offer(app, out, ev, "wss://relay.example");
    offer_free(out);
    event_free(ev);
}

static struct keypair *key[KEYS];

static void put_offers(void) {
    for (size_t i = 0; i < KEYS; i++) {
        struct heartbeat h = {.created_at = NOW, .expiration = NOW + 300, .free_slots = 1};

        key[i] = keypair_new();
        memcpy(h.pubkey, keypair_pub(key[i]), 32);
        app_on_beat(app, &h);
    }
    for (uint32_t i = 0; i < OFFERS; i++)
        put_offer(i, key[i % KEYS]);
    for (size_t i = 1; i < KEYS; i++) { /* the sellers', who are elsewhere */
        keypair_free(key[i]);
        key[i] = NULL;
    }
}

static void frame(void *arg) {
    (void)arg;
    app_prepare(app);
    scr_draw(app);
}

/* The heaviest frame: something came in, so all of it is judged, sorted and filtered again. */
static void frame_of_news(void *arg) {
    static uint32_t more = OFFERS;

    put_offer(more++, key[0]);
    app_clock(app, app->now + 300, NOW);
    frame(arg);
}

static void frame_of_list(void *arg) {
    app_key(app, K_DOWN);
    frame(arg);
}

static void frame_of_filter(void *arg) {
    static int at;

    app_key(app, at++ & 1 ? K_BACKSPACE : '7'); /* every frame another view of all offers */
    frame(arg);
}

static void frame_of_chat(void *arg) {
    app_chat(app, "guest", ROLE_TEXT, false, view_str("one more line, and it is followed"));
    frame(arg);
}

static void reflow(void *arg) {
    app_resize(app, 24, app->cols == 80 ? 79 : 80);
    app_prepare(app);
    (void)arg;
}

static void say_much(void) {
    struct offer o = {.job_kind = KIND_JOB_CHAT};
    uint8_t job[32] = {1};

    app_on_started(app, &o, job);
    app_go(app, SCR_CHAT);
    for (int i = 0; i < LINES_SAID; i++)
        app_chat(app, "guest", ROLE_TEXT, false,
                 view_str("a line of an answer of ordinary length, some seventy characters of it"));
}

/* --- an answer of 100,000 lines, and a draft as long as may be --- */

static struct buf answer;

static int ask(void *arg, unsigned job, struct view text, uint8_t id[static 32], struct err *e) {
    (void)arg, (void)job, (void)text, (void)e;
    memset(id, 7, 32);
    return 0;
}

static void happens(const struct session_event *ev) {
    app_on_session(app, app->job->number, ev);
}

/* Streamed to the last line but one thousandth: what follows is timed. */
static void stream_much(void) {
    while (answer.n < LINES_SAID * 10)
        buf_str(&answer, "a short 1\n");
    app_chat(app, "", ROLE_TEXT, false, view_str(""));
    happens(&(struct session_event){.type = SE_STATE, .state = SESSION_READY});
    (void)app_send(app, view_str("say much"));
    for (size_t at = 0; at < answer.n; at += answer.n / 1000)
        happens(&(struct session_event){
            .type = SE_DELTA,
            .id = app->job->turn[0].id,
            .text = view_of(answer.p + at,
                            answer.n / 1000 < answer.n - at ? answer.n / 1000 : answer.n - at)});
}

static void frame_of_stream(void *arg) {
    happens(&(struct session_event){
        .type = SE_DELTA, .id = app->job->turn[0].id, .text = view_str("and some more words ")});
    frame(arg);
}

static void whole_answer(void *arg) {
    happens(&(struct session_event){
        .type = SE_ANSWER, .id = app->job->turn[0].id, .text = buf_view(&answer)});
    frame(arg);
}

static void frame_of_split(void *arg) {
    app_key(app, K_PAGE_UP);
    frame(arg);
}

static void frame_of_search(void *arg) {
    static int at;

    app_key(app, at++ & 1 ? K_BACKSPACE : 's'); /* every frame all of it is looked through */
    frame(arg);
}

static void frame_of_draft(void *arg) {
    app_key(app, 'x');
    app_key(app, K_BACKSPACE);
    frame(arg);
}

static void paste_much(void) {
    struct buf text = {0};

    while (text.n < 2000000)
        buf_str(&text, "two megabytes of a draft, \033[31mline for line\n");
    app_paste(app, buf_view(&text), false);
    app_key(app, K_LEFT);
    buf_free(&text);
}

static void milliseconds(const char *name, size_t n, bench_fn *f) {
    int64_t *t = calloc(n, sizeof *t);

    if (!t)
        abort();
    for (size_t i = 0; i < n; i++)
        t[i] = bench_time(f, NULL);
    qsort(t, n, sizeof *t, bench_order);
    printf("{\"name\":\"%s\",\"unit\":\"ms\",\"median\":%.3f,\"p95\":%.3f,\"n\":%zu,\"against\":"
           "null}\n",
           name, (double)t[n / 2] / 1e6, (double)t[n * 95 / 100] / 1e6, n);
    free(t);
}

static void memory(const char *name) {
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    printf("{\"name\":\"%s\",\"unit\":\"MiB\",\"median\":%.1f,\"p95\":null,\"n\":1,\"against\":"
           "null}\n",
           name, (double)u.ru_maxrss / 1024);
}

int main(void) {
    struct settings set = {0};
    struct app_conf conf = {.set = &set,
                            .port = &PORT,
                            .policy = "standard",
                            .folder = ".",
                            .bundles = ".",
                            .relays = 1};
    FILE *nowhere = fopen("/dev/null", "r+");

    setlocale(LC_CTYPE, "C.UTF-8");
    setenv("LINES", "24", 1);
    setenv("COLUMNS", "80", 1);
    if (!nowhere || !newterm("xterm-256color", nowhere, nowhere))
        return 1;
    draw_start(false, THEME_256);
    app = app_new(&conf);
    app_resize(app, 24, 80);
    app_clock(app, 1000, NOW);
    memory("tui: memory with nothing");
    put_offers();
    milliseconds("tui: frame, 10,000 offers and news among them", FRAMES, frame_of_news);
    memory("tui: memory with 10,000 offers");
    milliseconds("tui: frame, 10,000 offers", FRAMES, frame_of_list);
    app_key(app, '/');
    milliseconds("tui: frame, 10,000 offers filtered as one types", FRAMES, frame_of_filter);
    app_key(app, K_ESC);
    say_much();
    milliseconds("tui: frame, 100,000 lines of chat, one new each", FRAMES, frame_of_chat);
    milliseconds("tui: 100,000 lines of chat flow again", 20, reflow);
    memory("tui: memory with both");
    stream_much();
    milliseconds("tui: frame, an answer of 100,000 lines that still streams", FRAMES,
                 frame_of_stream);
    milliseconds("tui: that answer as a whole, in place of what streamed", 5, whole_answer);
    milliseconds("tui: frame, a page up in it, split", FRAMES, frame_of_split);
    app_key(app, K_CTRL('F'));
    app_key(app, 'u');
    milliseconds("tui: frame, all of it searched as one types", 40, frame_of_search);
    app_key(app, K_ESC);
    memory("tui: memory with the long answer too");
    paste_much();
    milliseconds("tui: frame, a draft of 1,000,000 characters", FRAMES, frame_of_draft);
    memory("tui: memory with the draft too");
    buf_free(&answer);
    endwin();
    app_free(app);
    keypair_free(key[0]);
    return 0;
}
