/* The send gate: with a FAIL, WARN, NOT CHECKED or SIMULATED verdict nothing that a person can
 * press, paste or command sends data, or accepts the guest, without the typed confirmation that the
 * policy demands.
 *
 * The real model runs against a world that writes down what it is asked, and knows by itself what
 * was really typed. Two ways through it: every key and command in every state that can be told from
 * others, state by state (breadth first), and long random walks. Keys and commands come from their
 * tables; a question, a screen or something asked of the world that is new has to be entered in the
 * tables below, or the test fails. */
#include "tests/unit/unit.h"
#include "tests/unit/saved.h"
#include "tests/unit/table_offer.h"
#include "core/hash.h"
#include "tui/app.h"
#include "tui/cmd.h"
#include "tui/plain.c"

#define NOW 1764000000
#define JOBS_MAX 4
#define STATES_MAX 6000
#define DEPTH_MAX 40
#define WALKS 350
#define WALK_STEPS 250

/* --- what is known to be asked, and where --- */

/* What a yes to each question may have the world do. A question that is not here is not modelled.
 */
enum may { NOTHING, MAY_START = 1, MAY_ACCEPT = 2, MAY_ATTACH = 4, MAY_OTHER = 8 };
#define MODELLED 16
static const unsigned QUESTIONS[] = {
    [THEN_NOTHING] = MODELLED,
    [THEN_START] = MODELLED | MAY_START,
    [THEN_ACCEPT] = MODELLED | MAY_ACCEPT,
    [THEN_ATTACH] = MODELLED | MAY_ATTACH,
    [THEN_SAVE] = MODELLED,
    [THEN_PARAM] = MODELLED,
    [THEN_FORGET_SELLER] = MODELLED,
    [THEN_END] = MODELLED,
    [THEN_FORGET] = MODELLED,
    [THEN_QUIT] = MODELLED,
    [THEN_DELETE] = MODELLED,
    [THEN_IDENTITY_NAME] = MODELLED,
    [THEN_IDENTITY_KEY] = MODELLED,
    [THEN_IDENTITY_SIGNER] = MODELLED,
    [THEN_IDENTITY_PASSPHRASE] = MODELLED,
    [THEN_IDENTITY_AGAIN] = MODELLED,
    [THEN_IDENTITY_UNLOCK] = MODELLED,
    [THEN_IDENTITY_REMOVE] = MODELLED,
    /* A job that is picked up is none of these: its session verifies before it sends
     * (test_session_resume.c). */
    [THEN_RESUME] = MODELLED,
    [THEN_RESUME_PASSPHRASE] = MODELLED,
    [THEN_RESUME_FORGET] = MODELLED,
    [THEN_RESUME_SET] = MODELLED,
    [THEN_RESUME_AGAIN] = MODELLED,
    [THEN_SETTING] = MODELLED,
    [THEN_SIGNER] = MODELLED,
};
_Static_assert(COUNT(QUESTIONS) == THEN_COUNT, "a new question: say above what a yes may do");

/* Everything that can be asked of the world is in the world below. */
_Static_assert(sizeof(struct app_port) == 25 * sizeof(void (*)(void)),
               "something new can be asked of the world: model it below, then count it here");

/* --- verdicts --- */

enum kind {
    KIND_PASSED,
    KIND_WARNED,
    KIND_UNCHECKED,
    KIND_FAILED,
    KIND_SIM,
    KIND_SIM_WARNED,
    KIND_SIM_FAILED,
    KIND_COUNT
};
static const struct {
    const char *name;
    enum check_state state;
    bool simulated;
    const char *word; /* that must be typed; NULL: nothing makes it acceptable, or nothing need */
} KINDS[] = {
    [KIND_PASSED] = {"PASS", CHECK_PASS, false, NULL},
    [KIND_WARNED] = {"WARN", CHECK_WARN, false, "accept"},
    [KIND_UNCHECKED] = {"NOT CHECKED", CHECK_NOT_CHECKED, false, NULL},
    [KIND_FAILED] = {"FAIL", CHECK_FAIL, false, NULL},
    [KIND_SIM] = {"SIMULATED PASS", CHECK_PASS, true, "simulated"},
    [KIND_SIM_WARNED] = {"SIMULATED WARN", CHECK_WARN, true, "simulated"},
    [KIND_SIM_FAILED] = {"SIMULATED FAIL", CHECK_FAIL, true, NULL},
};

static struct check leaf[CHECK_FAIL + 1], top[CHECK_FAIL + 1];
static const struct check *leaf_of[CHECK_FAIL + 1];

static void checks_init(void) {
    static const char *const ID[] = {"snp.version", "snp.tcb.floor", "snp.crl", "snp.measurement"};

    for (enum check_state s = CHECK_PASS; s <= CHECK_FAIL; s++) {
        leaf[s] = (struct check){.id = ID[s], .title = "a line", .state = s, .required = true};
        leaf[s].expected = leaf[s].got = leaf[s].why = "words";
        leaf_of[s] = &leaf[s];
        top[s] = leaf[s];
        top[s].id = "verdict";
        top[s].child = &leaf_of[s];
        top[s].n_children = 1;
    }
}

/* --- the world --- */

static struct {
    struct app *app;
    struct offer *offer;
    enum kind kind;          /* of every guest */
    enum session_state shut; /* where its jobs stop, when not the one that the kind leads to */
    bool forced;
    bool accepted[JOBS_MAX + 1]; /* by somebody who typed what is needed */
    bool confirmed[JOBS_MAX + 1];
    unsigned jobs, sent;
    /* what was really pressed since the question on the screen was asked */
    char typed[64];
    size_t n_typed;
    bool edited, pasted;
    uint32_t key;         /* the one being pressed; 0 during a paste */
    struct prompt before; /* the question that was open when it was pressed */
    bool signer;          /* who starts a job has a remote signer */
    bool waiting;         /* which has not signed yet */
    bool remembered;      /* the warning was accepted earlier, and kept */
    char trail[8192];     /* for the message */
} g;

static void broken(const char *what) {
    fail_msg("%s with a verdict of %s%s; the way there: %s", what, KINDS[g.kind].name,
             g.forced ? ", not in its usual state" : "", g.trail);
}

/* The word stands typed, letter by letter, by keys, with nothing pasted into it. */
static bool word_was_typed(const char *word) {
    if (g.pasted || g.key != K_ENTER)
        return false;
    if (!g.edited)
        return strlen(word) == g.n_typed && !memcmp(word, g.typed, g.n_typed);
    for (; *word; word++) /* put together with editing keys: of letters that were all typed */
        if (!memchr(g.typed, *word, g.n_typed))
            return false;
    return true;
}

static bool may_accept(void) {
    const char *word = KINDS[g.kind].word;

    if (g.before.then != THEN_ACCEPT || !g.before.open || !word)
        return false;
    if (g.remembered && !g.before.edit)
        return g.key == 'y' || g.key == 'Y';
    return word_was_typed(word) || (!KINDS[g.kind].simulated && word_was_typed("remember"));
}

static bool w_pinned(void *arg, const uint8_t digest[static 32]) {
    (void)arg, (void)digest;
    return true;
}

static void tell(unsigned job, enum session_state s) {
    app_on_session(g.app, job, &(struct session_event){.type = SE_STATE, .state = s});
}

static struct facts *facts_now(void) {
    static struct facts f;

    f = (struct facts){.when = NOW, .simulated = KINDS[g.kind].simulated, .chip_len = 64};
    memset(f.text[FACT_RELEASE], 'a', 64);
    return &f;
}

/* A guest comes up and shows its report; the session does what session_verify.c does. */
static void guest_comes(unsigned job) {
    const enum check_state s = KINDS[g.kind].state;
    struct app_verdict v = {.top = &top[s], .state = s, .simulated = KINDS[g.kind].simulated};

    v.has_guest = true;
    v.guest[0] = 9;
    v.as_of = NOW;
    v.facts = facts_now();
    snprintf(v.policy, sizeof v.policy, "demo");
    if (s != CHECK_PASS)
        v.open[v.n_open++] = &leaf[s];
    tell(job, SESSION_VERIFYING);
    app_on_verdict(g.app, job, &v);
    if (g.forced)
        tell(job, g.shut);
    else if (s == CHECK_FAIL || s == CHECK_NOT_CHECKED)
        tell(job, SESSION_REFUSED);
    else if (g.kind == KIND_PASSED) {
        g.accepted[job] = true;
        tell(job, SESSION_ACCEPTED);
        tell(job, SESSION_READY);
    } else
        tell(job, SESSION_DECISION);
}

/* Nothing was left in this world, so nothing can be picked up. */
static int w_resume(void *arg, struct view text, struct err *e) {
    (void)arg;
    (void)text;
    broken("a job was picked up that nobody left");
    return err_set(e, "test", "nothing was left");
}

static void begin(const struct offer *o) {
    uint8_t id[32] = {0};
    unsigned job;

    id[0] = (uint8_t)++g.jobs;
    job = app_on_started(g.app, o, id);
    guest_comes(job);
}

/* Who was stopped from waiting for it starts nothing. */
static void signer_signs(void) {
    if (!g.waiting)
        return;
    g.waiting = false;
    app_on_signed(g.app);
    begin(g.offer);
}

static void w_unask(void *arg) {
    (void)arg;
    if (g.waiting && g.key != K_ESC)
        broken("a signer was waited for no longer, by no key that stops it");
    g.waiting = false;
}

/* Identities are tried in test_app_identity: none are kept in this world. */
static int w_meet(void *arg, const struct signer_url *at, const struct keypair *client,
                  struct err *e) {
    (void)arg, (void)at, (void)client, (void)e;
    broken("a signer was met that nobody named");
    return -1;
}

static int w_start(void *arg, const struct offer *o, struct err *e) {
    (void)arg;
    if (!(QUESTIONS[g.before.then] & MAY_START) || (g.key != 'y' && g.key != 'Y'))
        broken("a guest was started without a yes");
    if (g.jobs == JOBS_MAX)
        return err_set(e, "test", "enough");
    if (g.signer && g.jobs > 0) {
        if (g.waiting)
            broken("a signer was asked twice");
        g.waiting = true;
        app_on_waits(g.app, g.app->now + 60000, NULL);
        return 0;
    }
    begin(o);
    return 0;
}

static int w_confirm(void *arg, unsigned job, const char *id, bool remembered, struct err *e) {
    (void)arg, (void)id, (void)e;
    if (!may_accept() || (remembered && !g.remembered))
        broken("a warning was confirmed");
    assert_true(job <= JOBS_MAX);
    g.confirmed[job] = true;
    return 0;
}

static int w_accept(void *arg, unsigned job, bool simulated, struct err *e) {
    (void)arg, (void)e;
    if (!may_accept() || (KINDS[g.kind].simulated && !simulated))
        broken("the guest was accepted");
    if (KINDS[g.kind].state == CHECK_WARN && !g.confirmed[job])
        broken("the guest was accepted with a warning that nobody confirmed");
    g.accepted[job] = true;
    tell(job, SESSION_ACCEPTED);
    tell(job, SESSION_READY);
    return 0;
}

static int w_ask(void *arg, unsigned job, struct view text, uint8_t id[static 32], struct err *e) {
    (void)arg, (void)e;
    if (job > JOBS_MAX || !g.accepted[job])
        broken("a text was sent");
    if (g.key != K_ENTER && !(g.key & K_ALT(0)))
        broken("a text was sent by no key that sends");
    if (text.n == 0)
        broken("nothing was sent");
    sha256(text, id);
    g.sent++;
    return 0;
}

static int w_attach(void *arg, unsigned job, const char *path, const char *mime,
                    const uint8_t sha256[static 32], uint8_t xid[static 16], struct err *e) {
    (void)arg, (void)mime, (void)path, (void)sha256, (void)e;
    if (job > JOBS_MAX || !g.accepted[job])
        broken("a file was sent");
    if (!(QUESTIONS[g.before.then] & MAY_ATTACH) || !g.before.open ||
        (g.key != 'y' && g.key != 'Y'))
        broken("a file was sent without a yes");
    memset(xid, (int)g.sent++, 16);
    return 0;
}

static int w_cancel(void *arg, unsigned job, const uint8_t id[static 32], struct err *e) {
    (void)arg, (void)id, (void)e;
    if (job > JOBS_MAX || !g.accepted[job])
        broken("a message was sent");
    return 0;
}

static int w_route(void *arg, unsigned job, uint64_t size, const char **server, struct err *e) {
    (void)arg, (void)job, (void)size, (void)e;
    *server = NULL;
    return 0;
}

static int w_save(void *arg, unsigned job, const char *path, struct err *e) {
    (void)arg, (void)job, (void)path;
    return err_set(e, "test", "not here");
}

static void w_refuse(void *arg, unsigned job) {
    (void)arg;
    tell(job, SESSION_REFUSED);
}

static void w_end(void *arg, unsigned job) {
    (void)arg;
    tell(job, SESSION_ENDING);
    tell(job, SESSION_ENDED);
}

static void w_forget(void *arg, unsigned job) {
    (void)arg, (void)job;
}

static void w_quit(void *arg, bool at_once) {
    (void)arg, (void)at_once;
}

static void w_void(void *arg) {
    (void)arg;
}

/* Those who look at a saved bundle judge it: that sends nothing, and accepts nobody. */
static struct verdict *w_judge(void *arg, const struct bundle *b, int64_t at, struct err *e) {
    return saved_judge(arg, b, at, e);
}

static void w_word(void *arg, const char *word) {
    (void)arg, (void)word;
}

static void w_tell(void *arg, const char *words, bool away) {
    (void)arg, (void)words, (void)away;
}

static int w_write(void *arg, const char *path, struct view data, struct err *e) {
    (void)arg, (void)path, (void)data;
    return err_set(e, "test", "not here");
}

static int w_text(void *arg, struct view text, struct err *e) {
    (void)arg, (void)text;
    return err_set(e, "test", "not here");
}

static const struct app_port PORT = {.pinned = w_pinned,
                                     .start = w_start,
                                     .resume = w_resume,
                                     .confirm = w_confirm,
                                     .accept = w_accept,
                                     .refuse = w_refuse,
                                     .ask = w_ask,
                                     .attach = w_attach,
                                     .cancel = w_cancel,
                                     .route = w_route,
                                     .save = w_save,
                                     .end = w_end,
                                     .forget = w_forget,
                                     .quit = w_quit,
                                     .redraw = w_void,
                                     .suspend = w_void,
                                     .tell = w_tell,
                                     .write = w_write,
                                     .copy = w_text,
                                     .edit = w_text,
                                     .judge = w_judge,
                                     .setting = w_word,
                                     .probe = w_word,
                                     .meet = w_meet,
                                     .unask = w_unask};

static struct offer *offer_made(bool simulated) {
    struct offer o = table_offer("table", "wss://relay.example");
    uint8_t sk[32] = {[31] = 7};
    struct keypair *k = keypair_from(sk, NULL);
    struct event *ev;
    struct offer *out;

    snprintf(o.privacy, sizeof o.privacy, simulated ? "sim" : "sev-snp");
    ev = offer_make(&o, k, NOW);
    out = offer_parse(ev, NULL);
    assert_non_null(out);
    event_free(ev);
    keypair_free(k);
    return out;
}

/* The program with one offer and one job of this kind. */
static void world_open(void) {
    static struct settings set;
    const struct app_conf conf = {.port = &PORT,
                                  .policy = "demo",
                                  .simulated = true,
                                  .folder = "/nonexistent",
                                  .bundles = saved_folder(),
                                  .relays = 1,
                                  .set = &set,
                                  .unix_now = NOW};
    struct event *ev = event_parse(view_str(g.offer->json), NULL);

    settings_free(&set);
    set = (struct settings){0};
    memset(g.accepted, 0, sizeof g.accepted);
    memset(g.confirmed, 0, sizeof g.confirmed);
    g.jobs = 0;
    g.waiting = false;
    g.n_typed = 0;
    g.edited = g.pasted = false;
    g.trail[0] = 0;
    g.app = app_new(&conf);
    app_clock(g.app, 1000, NOW);
    app_resize(g.app, 24, 80);
    app_on_offer(g.app, g.offer, ev, "wss://relay.example");
    event_free(ev);
    app_on_settled(g.app);
    if (g.remembered)
        assert_int_equal(known_accept(g.app->known, facts_now(), &leaf[CHECK_WARN], NULL), 0);
    g.before = (struct prompt){.then = THEN_START, .open = true};
    g.key = 'y';
    assert_int_equal(w_start(NULL, g.offer, NULL), 0);
    g.before = (struct prompt){0};
    app_prepare(g.app);
}

static void world_close(void) {
    app_free(g.app);
    g.app = NULL;
}

/* --- what can be done to it --- */

struct input {
    uint32_t key;      /* 0: a paste, or a command */
    const char *paste; /* NULL: a command typed and entered */
    char line[80];
};
#define INPUTS_MAX 700
static struct input input[INPUTS_MAX];
static size_t n_inputs;

static void input_key(uint32_t key) {
    for (size_t i = 0; i < n_inputs; i++)
        if (input[i].key == key)
            return;
    assert_true(n_inputs < INPUTS_MAX);
    input[n_inputs++].key = key;
}

static void input_line(const char *slash, const char *name, const char *rest) {
    assert_true(n_inputs < INPUTS_MAX);
    snprintf(input[n_inputs++].line, sizeof input->line, "%s%s%s", slash, name, rest);
}

/* Every key of the table, every byte a keyboard sends, with Alt as well; every command, bare and
 * with a file, a number, several words; pastes that try to answer. */
static void inputs_make(void) {
    static const char *const PASTE[] = {
        "y",           "Y\n",        "accept",      "accept\n",
        "simulated\n", "remember\n", "my secret\n", "/attach LICENSE\ny\n",
        "\r\n",        "a\naccept\n"};
    const struct key_row *row;
    const struct cmd *cmd;
    size_t n, n_cmd;

    row = keys_table(&n);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < COUNT(row[i].key) && row[i].key[k]; k++)
            input_key(row[i].key[k]);
    for (uint32_t c = 1; c < 0x80; c++) {
        input_key(c);
        input_key(K_ALT(c));
    }
    for (uint32_t k = K_UP; k <= K_PASTED_ENTER; k++) {
        if (k == K_PASTE_BEGIN || k == K_PASTE_END)
            continue;
        input_key(k);
        input_key(K_ALT(k));
    }
    input_key(0xe9);
    input_key(0x1f600);
    for (size_t i = 0; i < COUNT(PASTE); i++)
        input[n_inputs++].paste = PASTE[i];
    cmd = cmd_table(&n_cmd);
    for (size_t i = 0; i < n_cmd; i++) {
        input_line("/", cmd[i].name, "");
        input_line("/", cmd[i].name, " LICENSE");
        input_line("/", cmd[i].name, " 1");
        input_line("/", cmd[i].name, " LICENSE README.md");
    }
    input_line("", "a question with secrets", "");
}

static void press_key(uint32_t key) {
    bool same;

    g.key = key;
    g.before = g.app->prompt; /* borrowed strings are not looked at */
    if (g.before.open && g.n_typed < sizeof g.typed && key >= 0x20 && key < 0x7f)
        g.typed[g.n_typed++] = (char)key;
    else if (g.before.open && key != K_ENTER)
        g.edited = true;
    app_key(g.app, key);
    same = g.app->prompt.open && g.before.open && g.app->prompt.edit == g.before.edit &&
           g.app->prompt.then == g.before.then;
    if (!same) {
        g.n_typed = 0;
        g.edited = g.pasted = false;
    }
}

static void trail(const struct input *in) {
    size_t n = strlen(g.trail);
    char name[24] = "";

    if (n + 120 > sizeof g.trail)
        return;
    if (in->key)
        keys_name(in->key, name);
    snprintf(g.trail + n, sizeof g.trail - n, "%s%s ",
             in->key     ? name
             : in->paste ? "PASTE:"
                         : "",
             in->key     ? ""
             : in->paste ? in->paste
                         : in->line);
}

static void give(const struct input *in) {
    static size_t n_given;
    enum scr focus = app_focus(g.app);

    trail(in);
    if (in->key)
        press_key(in->key);
    else if (in->paste) {
        g.key = 0;
        g.before = g.app->prompt;
        g.pasted |= g.app->prompt.open;
        app_paste(g.app, view_str(in->paste), false);
    } else {
        for (const char *s = in->line; *s; s++)
            press_key((uint32_t)(uint8_t)*s);
        press_key(K_ENTER);
    }
    app_clock(g.app, g.app->now + 300, NOW);
    if (app_focus(g.app) != focus || n_given++ % 16 == 0)
        app_prepare(g.app); /* keys may come faster than frames */
}

/* --- telling states apart --- */

static bool reached[SCR_COUNT], asked[THEN_COUNT];

/* How far what is typed is the beginning of the word; 99: it is not. */
static size_t word_prefix(const struct prompt *p) {
    cleanup_buf struct buf typed = {0};
    const char *words[] = {p->word, p->also};

    prompt_text(p, &typed);
    for (size_t i = 0; i < COUNT(words); i++)
        if (*words[i] && typed.n <= strlen(words[i]) &&
            (typed.n == 0 || !memcmp(words[i], typed.p, typed.n)))
            return typed.n + 32 * i;
    return typed.n ? 99 : 0;
}

static uint64_t mix(uint64_t h, uint64_t v) {
    return (h ^ v) * UINT64_C(0x100000001b3);
}

/* What decides what the next key does, coarsely: states that differ in what is typed behave alike.
 */
static uint64_t state_of(const struct app *a) {
    cleanup_buf struct buf draft = {0};
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    reached[app_focus(a)] = true;
    asked[a->prompt.open ? a->prompt.then : THEN_NOTHING] = true;
    edit_text(a->input, &draft);
    h = mix(h, a->screen);
    h = mix(h, app_focus(a));
    h = mix(h, a->help);
    h = mix(h, a->prompt.open ? 1 + a->prompt.then : 0);
    h = mix(h, a->prompt.open && !a->prompt.free && a->prompt.edit ? word_prefix(&a->prompt) : 0);
    h = mix(h, a->prompt.open ? a->prompt.job : 0);
    h = mix(h, a->filtering);
    h = mix(h, a->job->exists ? 1 + a->job->state : 0);
    h = mix(h, draft.n == 0 ? 0 : cmd_typed(a) ? 1 : 2);
    h = mix(h, a->n_attach > 0);
    h = mix(h, app_answering(a) != NULL);
    h = mix(h, a->screen == SCR_PROOF ? 1 + a->proof : 0);
    return h;
}

/* --- breadth first --- */

static struct state {
    uint64_t hash;
    uint32_t from, by; /* the state before, and the input that led from it here */
    uint32_t depth;
} state[STATES_MAX];
static size_t n_states;

static bool state_known(uint64_t h) {
    for (size_t i = 0; i < n_states; i++)
        if (state[i].hash == h)
            return true;
    return false;
}

static void state_add(uint64_t h, size_t from, size_t by) {
    if (n_states == STATES_MAX)
        fail_msg("more than %d states: state_of tells too much apart", STATES_MAX);
    state[n_states] = (struct state){h, (uint32_t)from, (uint32_t)by, 0};
    state[n_states].depth = n_states ? state[from].depth + 1 : 0;
    n_states++;
}

static void state_replay(size_t i) {
    uint32_t way[DEPTH_MAX + 1], n = 0;

    for (size_t k = i; k != 0; k = state[k].from) {
        assert_true(n < DEPTH_MAX);
        way[n++] = state[k].by;
    }
    world_open();
    while (n > 0)
        give(&input[way[--n]]);
}

/* Nothing more is to be learned behind a guest that was accepted as it must be, but what the guard
 * of files does. */
static bool beyond(size_t depth) {
    for (unsigned j = 1; j <= JOBS_MAX && g.kind != KIND_PASSED; j++)
        if (g.accepted[j])
            return true;
    return depth >= (g.kind == KIND_PASSED ? 3 : DEPTH_MAX);
}

/* Every input in this state; those that lead elsewhere are followed later. */
static size_t state_try(size_t i) {
    size_t moves = 0;

    state_replay(i);
    for (size_t k = 0; k < n_inputs; k++) {
        uint64_t h;

        if (!input[k].key && !input[k].paste && !keys_types(app_focus(g.app)))
            continue; /* a command is a command where one can be typed */
        give(&input[k]);
        moves++;
        h = state_of(g.app);
        if (h == state[i].hash)
            continue;
        if (!beyond(state[i].depth) && !state_known(h))
            state_add(h, i, k);
        world_close();
        state_replay(i);
    }
    world_close();
    return moves;
}

static void walk_all(const char *name) {
    size_t moves = 0;

    n_states = 0;
    world_open();
    state_add(state_of(g.app), 0, 0);
    world_close();
    for (size_t i = 0; i < n_states; i++)
        moves += state_try(i);
    print_message("# %s: %zu states, %zu inputs tried in them, deepest %u\n", name, n_states, moves,
                  state[n_states - 1].depth);
}

/* A verdict that refuses leads to one and the same state of the program whatever its name, and so
 * do the two that are simulated and ask: the walks at random have all of them. */
static void every_key_in_every_state(void **arg) {
    static const enum kind TRIED[] = {KIND_WARNED, KIND_FAILED, KIND_SIM_WARNED};

    (void)arg;
    g.forced = g.remembered = false;
    for (size_t i = 0; i < COUNT(TRIED); i++) {
        g.kind = TRIED[i];
        walk_all(KINDS[g.kind].name);
    }
}

/* And with a guest that passed: a text goes by the key that sends, a file after a yes. */
static void what_goes_to_a_good_guest(void **arg) {
    (void)arg;
    g.forced = g.remembered = false;
    g.kind = KIND_PASSED;
    g.sent = 0;
    walk_all(KINDS[g.kind].name);
    assert_true(g.sent > 0);
}

static void a_remembered_warning_still_asks(void **arg) {
    (void)arg;
    g.forced = false;
    g.remembered = true;
    g.kind = KIND_WARNED;
    walk_all("WARN, accepted in an earlier job");
}

/* A signer that never signs: no key starts the job in its place. */
static void a_signer_that_is_waited_for(void **arg) {
    (void)arg;
    g.forced = g.remembered = false;
    g.signer = true;
    g.kind = KIND_FAILED;
    walk_all("FAIL, and a remote signer");
    g.signer = false;
    assert_true(reached[SCR_WAIT] && asked[THEN_SIGNER]);
}

/* --- at random --- */

static uint64_t seed;

static uint32_t rnd(uint32_t below) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 20) % below;
}

/* Now and then something that gets further than a key at random would: the words themselves. */
static void stumble(void) {
    static const char *const WORD[] = {"accept", "simulated", "remember", "simulate", "accepted"};
    const char *s = WORD[rnd(COUNT(WORD))];

    if (rnd(3) == 0)
        give(&(struct input){.key = 'a'});
    for (; *s; s++)
        if (rnd(30) != 0)
            give(&(struct input){.key = (uint32_t)(uint8_t)*s});
    give(&(struct input){.key = rnd(4) ? K_ENTER : K_PASTED_ENTER});
}

static void walk_at_random(void) {
    world_open();
    for (int i = 0; i < WALK_STEPS; i++) {
        if (rnd(40) == 0)
            stumble();
        else
            give(&input[rnd((uint32_t)n_inputs)]);
        if (rnd(8) == 0)
            signer_signs();
        (void)state_of(g.app);
    }
    world_close();
}

/* Also with jobs that stand where their verdict would never have let them come. */
static void long_random_walks(void **arg) {
    (void)arg;
    g.remembered = false;
    for (int i = 0; i < WALKS; i++) {
        seed = (uint64_t)(i + 1) * UINT64_C(0x9e3779b97f4a7c15);
        g.kind = (enum kind)(i % KIND_COUNT);
        g.forced = i % 2 && g.kind != KIND_PASSED;
        g.signer = i % 3 == 0;
        do
            g.shut = (enum session_state)rnd(SESSION_FAILED + 1);
        while (g.shut == SESSION_READY);
        walk_at_random();
    }
    g.signer = false;
}

/* --- without screens --- */

/* Commands as /help says them, and what else can be a line. */
static char line_of[200][40];
static size_t n_lines;

static void heard_line(void *arg, struct safe_text t) {
    size_t n = t.n && t.s[0] == '/' ? strcspn(t.s + 1, " ,") + 1 : 0;

    (void)arg;
    if (n > 1 && n < sizeof line_of[0] - 12 && n_lines + 4 < COUNT(line_of)) {
        snprintf(line_of[n_lines++], sizeof line_of[0], "%.*s", (int)n, t.s);
        snprintf(line_of[n_lines++], sizeof line_of[0], "%.*s LICENSE", (int)n, t.s);
        snprintf(line_of[n_lines++], sizeof line_of[0], "%.*s 1", (int)n, t.s);
    }
}

static void no_line(void *arg, struct safe_text t) {
    (void)arg, (void)t;
}

static void no_prompt(void *arg, const char *prompt, bool hidden) {
    (void)arg, (void)prompt, (void)hidden;
}

static void lines_make(struct plain *p) {
    static const char *const MORE[] = {
        "y",        "Y",      "yes",           "accept",      "simulated",
        "remember", "secret", "/press Enter",  "/press y",    "/press a",
        "/press x", "/go 3",  "/press Ctrl-F", "/press Alt-s"};

    if (n_lines > 0)
        return;
    plain_line(p, view_str("/help"), false);
    assert_true(n_lines > 60);
    for (size_t i = 0; i < COUNT(MORE); i++)
        snprintf(line_of[n_lines++], sizeof line_of[0], "%s", MORE[i]);
}

/* A line is typed as a whole; a pasted one answers nothing. */
static void give_line(struct plain *p, const char *line, bool pasted) {
    const struct prompt *q = &g.app->prompt;
    bool yes = !strcmp(line, "y") || !strcmp(line, "Y") || !strcmp(line, "yes");

    g.before = *q;
    g.pasted = pasted;
    g.edited = false;
    g.key = q->open && !q->edit && yes && !pasted ? 'y' : K_ENTER;
    g.n_typed = strlen(line) < sizeof g.typed ? strlen(line) : sizeof g.typed;
    memcpy(g.typed, line, g.n_typed);
    trail(&(struct input){.paste = line});
    plain_line(p, view_str(line), pasted);
    app_clock(g.app, g.app->now + 300, NOW);
}

static void lines_without_screens(void **arg) {
    static const struct plain_out LEARN = {heard_line, no_prompt}, OUT = {no_line, no_prompt};

    (void)arg;
    g.remembered = g.forced = false;
    for (unsigned i = 0; i < 120; i++) {
        struct plain *p;

        seed = (uint64_t)(i + 1) * UINT64_C(0xd1342543de82ef95);
        g.kind = (enum kind)(KIND_WARNED + i % (KIND_COUNT - 1));
        world_open();
        p = plain_new(g.app, i == 0 ? &LEARN : &OUT, NULL);
        lines_make(p);
        for (int k = 0; k < 120; k++)
            give_line(p, line_of[rnd((uint32_t)n_lines)], rnd(5) == 0);
        plain_free(p);
        world_close();
    }
}

/* --- nothing was left out --- */

/* Screens that no key leads to in this test's world, and why. */
static const char *const OUT_OF_REACH[SCR_COUNT] = {
    [SCR_HIDDEN] = "identities are tried in test_app_identity",
    [SCR_SOURCE] = "no answer comes in this world",
    [SCR_FIRST] = "shown where nothing is configured yet: there is no job then",
    [SCR_TABLE] = "nor a table",
    [SCR_CELL] = "nor a cell of one",
};

static void every_screen_was_there(void **arg) {
    (void)arg;
    for (enum scr s = 0; s < SCR_COUNT; s++)
        if (!reached[s] && !OUT_OF_REACH[s])
            fail_msg("no key led to the screen '%s': give the world what it needs",
                     keys_screen_name(s));
    for (size_t i = 0; i < COUNT(QUESTIONS); i++)
        assert_true(QUESTIONS[i] & MODELLED);
    assert_true(asked[THEN_ACCEPT] && asked[THEN_ATTACH] && asked[THEN_START]);
}

/* The test itself: what it calls a breach is one. */
static void the_world_sees_a_breach(void **arg) {
    (void)arg;
    g.kind = KIND_SIM;
    g.forced = g.remembered = false;
    world_open();
    g.before = (struct prompt){.open = true, .then = THEN_ACCEPT, .edit = g.app->input};
    g.key = K_ENTER;
    memcpy(g.typed, "simulated", 9);
    g.n_typed = 9;
    assert_true(may_accept());
    g.pasted = true;
    assert_false(may_accept());
    g.pasted = false;
    g.n_typed = 8;
    assert_false(may_accept());
    g.n_typed = 9;
    g.key = K_PASTED_ENTER;
    assert_false(may_accept());
    g.key = K_ENTER;
    g.before.then = THEN_END;
    assert_false(may_accept());
    g.before.then = THEN_ACCEPT;
    g.kind = KIND_FAILED;
    assert_false(may_accept());
    g.kind = KIND_WARNED;
    assert_false(may_accept()); /* another word */
    world_close();
}

static int set_up(void **arg) {
    (void)arg;
    checks_init();
    inputs_make();
    g.offer = offer_made(true);
    return 0;
}

static int tear_down(void **arg) {
    (void)arg;
    offer_free(g.offer);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_world_sees_a_breach),
        cmocka_unit_test(every_key_in_every_state),
        cmocka_unit_test(what_goes_to_a_good_guest),
        cmocka_unit_test(a_remembered_warning_still_asks),
        cmocka_unit_test(a_signer_that_is_waited_for),
        cmocka_unit_test(long_random_walks),
        cmocka_unit_test(lines_without_screens),
        cmocka_unit_test(every_screen_was_there),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
