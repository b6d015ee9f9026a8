#include "tui/plain_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tui/cmd.h"
#include "tui/flow.h"

struct plain *plain_new(struct app *a, const struct plain_out *out, void *arg) {
    struct plain *p = mem_new(sizeof *p);

    *p = (struct plain){.a = a, .out = out, .arg = arg};
    return p;
}

void plain_free(struct plain *p) {
    if (!p)
        return;
    for (size_t i = 0; i < APP_JOBS; i++)
        buf_wipe(&p->job[i].begun);
    free(p);
}

/* --- saying --- */

void plain_say_text(struct plain *p, struct view text) {
    cleanup_buf struct buf safe = {0};
    struct safe_text t = text_safe(text, TEXT_PROSE, SIZE_MAX, &safe);
    const char *at = t.s, *end = t.s + t.n;

    do {
        const char *nl = memchr(at, '\n', (size_t)(end - at));
        size_t n = nl ? (size_t)(nl - at) : (size_t)(end - at);

        p->out->say(p->arg, (struct safe_text){at, n});
        at += n + (nl != NULL);
    } while (at < end);
    if (safe.n > 0)
        explicit_bzero(safe.p, safe.n);
}

void plain_say(struct plain *p, const char *fmt, ...) {
    cleanup_free char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        abort();
    va_end(ap);
    plain_say_text(p, view_str(text));
}

/* --- commands that the chat's table does not have: there are no screens to walk through --- */

static void plain_press(struct plain *p, uint32_t key) {
    app_key(p->a, key);
}

static void go(struct plain *p, enum scr s, enum action act) {
    if (p->a->job->exists)
        app_go(p->a, s);
    app_do(p->a, act);
}

static void run_offers(struct plain *p, const char *arg) {
    app_go(p->a, SCR_OFFERS);
    edit_set(p->a->filter, view_str(arg));
    p->a->shelf_changed = true;
    app_prepare(p->a);
    plain_show_offers(p);
}

/* The list may have changed since it was told: the number means what was told. */
static void run_offer(struct plain *p, const char *arg) {
    uint64_t n = 0;

    app_go(p->a, SCR_OFFERS);
    if (!decimal_parse(arg, &n) || n == 0 || n > p->n_offers) {
        plain_say(p, "/offer NUMBER: one of those that /offers lists.");
        return;
    }
    app_prepare(p->a);
    for (size_t i = 0; i < shelf_shown(p->a->shelf); i++) {
        const struct shelf_row *row = shelf_at(p->a->shelf, i);

        if (memcmp(row->pubkey, p->offer[n - 1].pubkey, 32) != 0 ||
            strcmp(row->d, p->offer[n - 1].d) != 0)
            continue;
        list_to(&p->a->offers, i);
        app_do(p->a, ACT_OPEN);
        return;
    }
    plain_say(p, "That offer is no longer there; /offers lists those that are.");
}

static void run_sort(struct plain *p, const char *arg) {
    (void)arg;
    app_do(p->a, ACT_SORT);
    app_go(p->a, SCR_OFFERS);
    app_prepare(p->a);
    plain_show_offers(p);
}

static void run_start(struct plain *p, const char *arg) {
    (void)arg;
    if (p->a->offer)
        app_ask_start(p->a);
    else
        plain_say(p, "Which offer? /offers lists them, /offer NUMBER opens one.");
}

static void run_raw(struct plain *p, const char *arg) {
    (void)arg;
    app_do(p->a, ACT_RAW);
    app_prepare(p->a);
    plain_show_offer(p);
}

static void run_parameter(struct plain *p, const char *arg) {
    (void)arg;
    app_ask_param(p->a);
}

static void run_jobs(struct plain *p, const char *arg) {
    (void)arg;
    plain_show_jobs(p);
}

static void run_tree(struct plain *p, const char *arg) {
    (void)arg;
    plain_show_tree(p);
}

static void run_why(struct plain *p, const char *arg) {
    plain_show_check(p, arg);
}

static void run_accept(struct plain *p, const char *arg) {
    (void)arg;
    go(p, SCR_ATTEST, ACT_ACCEPT);
}

static void run_destroy(struct plain *p, const char *arg) {
    (void)arg;
    app_do(p->a, ACT_DESTROY);
}

static void run_files(struct plain *p, const char *arg) {
    (void)arg;
    plain_show_files(p);
}

static void run_receipt(struct plain *p, const char *arg) {
    (void)arg;
    plain_show_end(p);
}

static void run_status(struct plain *p, const char *arg) {
    (void)arg;
    plain_show_status(p);
}

static void run_show(struct plain *p, const char *arg) {
    (void)arg;
    plain_show_drawn(p);
}

static void run_keys(struct plain *p, const char *arg) {
    (void)arg;
    plain_show_keys(p);
}

static uint32_t key_named(const char *name) {
    const struct key_row *row;
    uint32_t cp;
    size_t n;

    row = keys_table(&n);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < COUNT(row[i].key) && row[i].key[k]; k++) {
            char known[24];

            keys_name(row[i].key[k], known);
            if (!strcmp(known, name) || (known[1] && !strcasecmp(known, name)))
                return row[i].key[k];
        }
    return utf8_next(view_str(name), &cp) == strlen(name) ? cp : 0;
}

static void run_press(struct plain *p, const char *arg) {
    uint32_t key = key_named(arg);

    if (key)
        plain_press(p, key);
    else
        plain_say(p, "There is no key %s; /keys lists those that do something here.", arg);
}

static void run_settings(struct plain *p, const char *arg) {
    (void)arg;
    if (p->a->screen == SCR_SETTINGS)
        plain_show_drawn(p);
    app_go(p->a, SCR_SETTINGS); /* and so it is shown */
}

/* "2" is the second row of the question, as the cursor would be put there and Space pressed. */
static void first_choose(struct app *a, size_t row) {
    app_first_move(a, LIST_TOP);
    while (row-- > 1)
        app_first_move(a, LIST_DOWN);
    app_first_choose(a);
}

static void run_first(struct plain *p, const char *arg) {
    static const struct {
        const char *word;
        void (*run)(struct app *a);
    } words[] = {{"next", app_first_next}, {"back", app_first_back}, {"skip", app_first_skip}};
    struct app *a = p->a;

    if (a->screen != SCR_FIRST) {
        app_first_start(a); /* and so it is shown */
        return;
    }
    for (size_t i = 0; i < COUNT(words); i++)
        if (!strcmp(arg, words[i].word))
            words[i].run(a);
    if (arg[0] >= '1' && arg[0] <= '9' && !arg[1])
        first_choose(a, (size_t)(arg[0] - '0'));
    if (a->screen == SCR_FIRST && !a->prompt.open)
        plain_show_first(p);
}

static void run_go(struct plain *p, const char *arg) {
    if (arg[0] >= '1' && arg[0] <= '9' && !arg[1])
        plain_press(p, K_ALT(arg[0]));
    else
        plain_say(p, "/go NUMBER: the screen of that number, as its keys would.");
}

static void run_quit(struct plain *p, const char *arg) {
    (void)arg;
    app_do(p->a, ACT_QUIT);
}

static void run_panic(struct plain *p, const char *arg) {
    (void)arg;
    app_do(p->a, ACT_PANIC);
    app_do(p->a, ACT_PANIC);
}

static void run_help(struct plain *p, const char *arg);

static const struct command {
    const char *name, *args, *help;
    void (*run)(struct plain *p, const char *arg);
    bool now; /* never waits for what goes on */
} COMMANDS[] = {
    {"offers", "[WORDS]", "list offers, or those that hold these words", run_offers, false},
    {"sort", "", "list them by proof, price, name or age: the next of these", run_sort, false},
    {"offer", "NUMBER", "read an offer in full", run_offer, false},
    {"raw", "", "the seller's event as it came, or not", run_raw, false},
    {"parameter", "", "set a parameter of the next job", run_parameter, false},
    {"start", "", "have a guest started for that offer; asks first", run_start, false},
    {"jobs", "", "every job, and how far the present one has come", run_jobs, true},
    {"tree", "", "everything that was checked about the guest", run_tree, false},
    {"why", "ID", "one line of that: what was expected, what came, what it means", run_why, false},
    {"accept", "", "accept this guest; asks for a word", run_accept, false},
    {"destroy", "", "destroy the guest; asks first", run_destroy, true},
    {"files", "", "files sent, and files that came", run_files, false},
    {"receipt", "", "what the guest signed, what was torn down, what stays here", run_receipt,
     false},
    {"status", "", "what goes on now", run_status, true},
    {"settings", "", "keys and settings; /keys tells how they are changed", run_settings, false},
    {"first", "[NUMBER|next|back|skip]", "the questions of the first start", run_first, false},
    {"go", "NUMBER", "another screen, then read aloud", run_go, false},
    {"show", "", "this screen as it would be drawn", run_show, false},
    {"keys", "", "what every key would do on this screen", run_keys, false},
    {"press", "KEY", "press a key of this screen: a, Enter, Ctrl-F, Alt-s", run_press, true},
    {"help", "", "this list", run_help, true},
    {"quit", "", "leave; asks when a guest is alive", run_quit, true},
    {"panic", "", "destroy every guest, wipe everything, leave at once", run_panic, true},
};

static bool ours(const char *name) {
    for (size_t i = 0; i < COUNT(COMMANDS); i++)
        if (!strcmp(COMMANDS[i].name, name))
            return true;
    return false;
}

static void run_help(struct plain *p, const char *arg) {
    const struct cmd *c;
    size_t n;

    (void)arg;
    plain_say(p, "A line that begins with / is a command; any other goes to the guest.");
    for (size_t i = 0; i < COUNT(COMMANDS); i++)
        plain_say(p, "/%s%s%s: %s", COMMANDS[i].name, *COMMANDS[i].args ? " " : "",
                  COMMANDS[i].args, COMMANDS[i].help);
    c = cmd_table(&n);
    for (size_t i = 0; i < n; i++)
        if (!ours(c[i].name))
            plain_say(p, "/%s%s%s: %s", c[i].name, *c[i].args ? " " : "", c[i].args, c[i].help);
    plain_say(p, "Tab completes. Ctrl-C stops an answer. Ctrl-Q twice is /panic.");
}

/* Of a line that begins with a slash; NULL: the chat may know it. *arg gets what stands behind. */
static const struct command *command_of(const char *line, const char **arg) {
    size_t n = strcspn(line + 1, " ");

    *arg = line + 1 + n + strspn(line + 1 + n, " ");
    for (size_t i = 0; i < COUNT(COMMANDS); i++)
        if (strlen(COMMANDS[i].name) == n && !strncmp(COMMANDS[i].name, line + 1, n))
            return &COMMANDS[i];
    return NULL;
}

/* --- a line --- */

/* As if it were typed into the chat. */
static void to_chat(struct plain *p, struct view text) {
    struct app *a = p->a;

    if (text.p[0] != '/' && !a->job->exists) {
        plain_say(p,
                  "There is no guest to send this to. /offers lists offers, /help the commands.");
        return;
    }
    edit_set(a->input, text);
    cmd_enter(a);
    edit_do(a->input, EDIT_CLEAR);
}

static void answer(struct plain *p, struct view text, bool pasted) {
    struct app *a = p->a;
    bool yes = view_is(text, "y") || view_is(text, "Y") || view_is(text, "yes");
    uint32_t cp;
    size_t n;

    if (a->prompt.until) {
        if (view_is(text, "/cancel"))
            plain_press(p, K_ESC);
        return;
    }
    if (pasted && !a->prompt.free) {
        plain_say(p, "A paste answers nothing. Type it.");
        p->asking = false;
        return;
    }
    if (!a->prompt.edit || view_is(text, "/cancel")) {
        plain_press(p, !a->prompt.edit ? yes ? 'y' : 'n' : K_ESC);
        return;
    }
    if (a->prompt.free && text.n > 0)
        edit_do(a->prompt.edit, EDIT_CLEAR); /* what stood there was a proposal */
    for (; (n = utf8_next(text, &cp)); text = view_of(text.p + n, text.n - n))
        plain_press(p, cp == '\n' ? ' ' : cp);
    plain_press(p, K_ENTER);
}

void plain_line(struct plain *p, struct view text, bool pasted) {
    cleanup_free char *line = mem_strn(text.p, flow_trim(text));
    enum scr before = p->a->screen;
    const struct command *c;
    const char *arg;

    p->status[0] = 0; /* the same words again are news now */
    p->a->status[0] = 0;
    if (p->a->prompt.open)
        answer(p, text, pasted);
    else if (line[0] == '/' && (c = command_of(line, &arg)))
        c->run(p, arg);
    else if (line[0])
        to_chat(p, view_str(line));
    explicit_bzero(line, strlen(line));
    app_prepare(p->a);
    if (p->a->screen != before && !p->a->prompt.open)
        plain_show_screen(p);
}

void plain_key(struct plain *p, uint32_t key) {
    plain_press(p, key);
}

void plain_complete(struct plain *p, struct edit *line) {
    cleanup_buf struct buf text = {0};

    edit_text(line, &text);
    edit_set(p->a->input, buf_view(&text));
    cmd_complete(p->a);
    buf_reset(&text);
    edit_text(p->a->input, &text);
    edit_set(line, buf_view(&text));
    edit_do(p->a->input, EDIT_CLEAR);
    plain_tell(p);
}

/* --- pace of lines that wait --- */

static bool moving(const struct app_job *j) {
    for (size_t i = 0; i < j->n_files; i++)
        if (j->file[i].state == FILE_MOVING)
            return true;
    return false;
}

static bool busy(const struct app *a) {
    static const bool GOES_ON[] = {
        [SESSION_REQUESTED] = true, [SESSION_STARTING] = true, [SESSION_VERIFYING] = true,
        [SESSION_ACCEPTED] = true,  [SESSION_ENDING] = true,   [SESSION_FAILED] = false,
    };
    const struct app_job *j = a->job;

    if (a->conf.relays > 0 && !a->settled)
        return true;
    return j->exists && (GOES_ON[j->state] || app_job_answering(j) || moving(j));
}

bool plain_ready(const struct plain *p, struct view line) {
    cleanup_free char *s = mem_strn(line.p, flow_trim(line));
    const struct command *c = NULL;
    const char *arg;
    bool waits;

    if (!p->a->prompt.open && s[0] == '/')
        c = command_of(s, &arg);
    waits = p->a->prompt.until && strcmp(s, "/cancel") != 0;
    explicit_bzero(s, strlen(s));
    if (waits)
        return false;
    return p->a->prompt.open || (c && c->now) || !busy(p->a);
}
