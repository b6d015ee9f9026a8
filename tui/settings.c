#include "settings.h"

#include <stdlib.h>
#include <string.h>

#include "core/conf_edit.h"
#include "core/dvm.h"
#include "tui/keys.h"
#include "tui/notify.h"
#include "tui/proven.h"

#define POLICY_FILE_MAX ((size_t)65536)
#define FILE_MAX ((size_t)1 << 20)

static const char *const SYMBOLS[] = {"auto", "ascii", "unicode", NULL};
static const char *const MOUSE[] = {"off", "wheel", NULL};
static const char *const BELL[] = {"on", "off", NULL};

const struct conf_key settings_keys[] = {
    {.name = "relay",
     .type = CONF_LIST,
     .offset = offsetof(struct settings, relay),
     .help = "relay to use, ws:// or wss://; may be repeated"},
    {.name = "blossom",
     .type = CONF_LIST,
     .offset = offsetof(struct settings, blossom),
     .help = "blob server that may be used for large files; may be repeated"},
    {.name = "policy",
     .type = CONF_STRING,
     .offset = offsetof(struct settings, policy),
     .help = "standard, strict, or a policy file"},
    {.name = "bell",
     .type = CONF_CHOICE,
     .offset = offsetof(struct settings, bell),
     .choices = BELL,
     .help = "the terminal's bell when a job needs a decision, is ready or is over: on, off"},
    {.name = "notify",
     .type = CONF_CHOICE,
     .offset = offsetof(struct settings, notify),
     .choices = notify_names,
     .help = "a notification of the desktop at the same moments: auto, off, osc9, osc777"},
    {.name = "out",
     .type = CONF_STRING,
     .offset = offsetof(struct settings, out),
     .help = "folder for result files"},
    {.name = "keep-receipts",
     .type = CONF_BOOL,
     .offset = offsetof(struct settings, keep_receipts),
     .help = "save evidence and receipt of every job at its end; no content"},
    {.name = "bind",
     .type = CONF_LIST,
     .offset = offsetof(struct settings, bind),
     .max = 100,
     .help = "SCREEN KEY OTHER-KEY: on that screen KEY does what the other one does"},
    {.name = "look-only",
     .type = CONF_BOOL,
     .offset = offsetof(struct settings, look_only),
     .help = "browse and verify only: no guest is ever accepted, so nothing is sent"},
    {.name = "log",
     .type = CONF_STRING,
     .offset = offsetof(struct settings, log),
     .help = "a log is appended to this file; never content, never keys"},
    {.name = "draft-dir",
     .type = CONF_STRING,
     .offset = offsetof(struct settings, draft_dir),
     .help = "folder for drafts in your own editor; private, yours to choose when "
             "XDG_RUNTIME_DIR is no tmpfs"},
    {.name = "theme",
     .type = CONF_CHOICE,
     .offset = offsetof(struct settings, theme),
     .choices = theme_names,
     .help = "auto, dark, light, mono, 8 or 256 colours"},
    {.name = "symbols",
     .type = CONF_CHOICE,
     .offset = offsetof(struct settings, symbols),
     .choices = SYMBOLS,
     .help = "auto (by the locale), ascii or unicode"},
    {.name = "mouse",
     .type = CONF_CHOICE,
     .offset = offsetof(struct settings, mouse),
     .choices = MOUSE,
     .help = "off: it is the terminal's; wheel: the wheel scrolls, Shift selects"},
    {.name = "redraw",
     .type = CONF_NUMBER,
     .offset = offsetof(struct settings, redraw),
     .min = 1,
     .max = 60,
     .help = "frames a second at most; 5 on a slow line"},
    {.name = "blur",
     .type = CONF_BOOL,
     .offset = offsetof(struct settings, blur),
     .help = "hide what was said while the window has no focus"},
    {.name = "plain",
     .type = CONF_BOOL,
     .offset = offsetof(struct settings, plain),
     .help = "lines instead of screens, for screen readers and pipes"},
    {.name = "history-days",
     .type = CONF_NUMBER,
     .offset = offsetof(struct settings, history_days),
     .max = 3650,
     .help = "days that verdicts about providers are kept, without content; 0 keeps none"},
};
const size_t settings_n_keys = COUNT(settings_keys);
_Static_assert(COUNT(settings_keys) <= SETTINGS_MAX, "a bit and a list for each key");

/* Keys that are in no row stand under DISPLAY. */
static const struct {
    const char *key;
    enum setting_group group;
    const char *unset;
} PLACES[] = {
    {"relay", SETTING_RELAYS, ""},
    {"bind", SETTING_BINDINGS, ""},
    {"blossom", SETTING_SERVERS, ""},
    {"policy", SETTING_POLICY, "standard"},
    {"look-only", SETTING_POLICY, ""},
    {"keep-receipts", SETTING_HISTORY, ""},
    {"out", SETTING_FILES, "the current folder"},
    {"draft-dir", SETTING_FILES, "$XDG_RUNTIME_DIR"},
    {"log", SETTING_FILES, "none"},
};

static size_t place_of(const struct conf_key *key) {
    size_t i = 0;

    while (i < COUNT(PLACES) && strcmp(PLACES[i].key, key->name) != 0)
        i++;
    return i;
}

enum setting_group settings_group(const struct conf_key *key) {
    size_t i = place_of(key);

    return i < COUNT(PLACES) ? PLACES[i].group : SETTING_DISPLAY;
}

bool settings_at_start(const struct conf_key *key) {
    return key == settings_key("log") || key == settings_key("plain");
}

const char *settings_unset(const struct conf_key *key) {
    size_t i = place_of(key);

    return i < COUNT(PLACES) ? PLACES[i].unset : "";
}

const struct conf_key *settings_key(const char *name) {
    for (size_t i = 0; i < COUNT(settings_keys); i++)
        if (!strcmp(settings_keys[i].name, name))
            return &settings_keys[i];
    return NULL;
}

static size_t bad_url(const struct conf_list *l, const char *scheme, const char *what,
                      struct err *e) {
    size_t i = 0;

    while (i < l->n && url_form_ok(l->v[i], scheme))
        i++;
    if (i < l->n)
        err_set(e, "bad-config", "%s '%s' is not a %s:// or %ss:// address", what, l->v[i], scheme,
                scheme);
    return i;
}

static size_t bad_binding(const struct conf_list *l, struct err *e) {
    size_t i = 0;

    while (i < l->n && keys_bind_ok(l->v[i], e) == 0)
        i++;
    return i;
}

const struct conf_key *settings_bad_entry(const struct settings *s, size_t *nth, struct err *e) {
    if ((*nth = bad_url(&s->relay, "ws", "relay", e)) < s->relay.n)
        return settings_key("relay");
    if ((*nth = bad_url(&s->blossom, "http", "blossom server", e)) < s->blossom.n)
        return settings_key("blossom");
    if ((*nth = bad_binding(&s->bind, e)) < s->bind.n)
        return settings_key("bind");
    return NULL;
}

int settings_bind(const struct settings *s, struct err *e) {
    keys_unbind();
    for (size_t i = 0; i < s->bind.n; i++)
        if (keys_bind(s->bind.v[i], e) != 0)
            return -1;
    return 0;
}

/* With file and line. */
static int check_entries(const struct settings *s, const char *path, struct err *e) {
    size_t nth;
    const struct conf_key *bad = settings_bad_entry(s, &nth, e);
    cleanup_buf struct buf text = {0};
    struct err other;

    if (!bad)
        return 0;
    if (file_read(path, FILE_MAX, &text, &other) != 0)
        return err_wrap(e, "%s", path);
    return err_wrap(e, "%s:%zu", path, conf_line(buf_view(&text), bad->name, nth));
}

int settings_load(struct settings *s, const char *path, struct err *e) {
    cleanup_free char *usual = path ? NULL : conf_path(CONF_CONFIG, "cdvm.conf", e);

    *s = (struct settings){.redraw = TUI_REDRAW, .history_days = PROVEN_DAYS};
    if (!path && !usual)
        return -1;
    path = path ? path : usual;
    if (conf_load(path, settings_keys, settings_n_keys, s, e) == 0 &&
        check_entries(s, path, e) == 0)
        return 0;
    settings_free(s);
    return -1;
}

int settings_check(const struct settings *s, struct err *e) {
    size_t nth;

    if (settings_bad_entry(s, &nth, e))
        return -1;
    if (s->relay.n == 0)
        return err_set(e, "no-relay",
                       "no relay is configured; give --relay URL, write `relay = URL` into "
                       "cdvm.conf, or try the simulator with `make demo`");
    return 0;
}

int settings_unreached(const struct settings *s, struct err *e) {
    const size_t n = s->relay.n;

    return err_set(e, "no-relay",
                   "none of your relays could be reached: %.120s%s%.120s%s. Is this computer on "
                   "line, and are they those of cdvm.conf or --relay that you meant?",
                   s->relay.v[0], n > 1 ? ", " : "", n > 1 ? s->relay.v[1] : "",
                   n > 2 ? " ..." : "");
}

void settings_free(struct settings *s) {
    conf_free(settings_keys, settings_n_keys, s);
    for (size_t i = 0; i < COUNT(s->known); i++)
        settings_list_free(&s->known[i]);
    settings_list_free(&s->retired);
}

void settings_list_add(struct conf_list *l, const char *v) {
    l->v = mem_grow(l->v, (l->n + 1) * sizeof *l->v);
    l->v[l->n++] = mem_str(v);
}

void settings_list_replace(struct conf_list *of_file, struct conf_list *given) {
    struct conf_list old = *of_file;

    if (!given->n)
        return;
    *of_file = *given;
    *given = old;
}

void settings_list_free(struct conf_list *l) {
    for (size_t i = 0; i < l->n; i++)
        free(l->v[i]);
    free(l->v);
    *l = (struct conf_list){0};
}

struct tui_options settings_terminal(const struct settings *s) {
    return (struct tui_options){
        .ascii = s->symbols == SYMBOLS_ASCII || !tui_utf8(),
        .wheel = s->mouse == 1,
        .redraw = (unsigned)s->redraw,
        .theme = (enum theme)s->theme,
    };
}

int settings_policy(const char *word, bool typed, struct policy *out, struct err *e) {
    cleanup_buf struct buf text = {0};
    enum policy_profile profile;

    if (!word)
        word = "standard";
    if (policy_profile_named(word, &profile)) {
        if (profile == POLICY_DEMO && !typed)
            return err_set(
                e, "demo-in-file",
                "the policy demo is given on the command line of this run or not at all");
        policy_preset(out, profile);
        return 0;
    }
    policy_preset(out, POLICY_STANDARD);
    if (file_read(word, POLICY_FILE_MAX, &text, e) || policy_parse(out, buf_view(&text), e))
        return err_wrap(e, "policy '%s'", word);
    return 0;
}
