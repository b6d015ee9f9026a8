/* What the customer's programs read from $XDG_CONFIG_HOME/cdvm/cdvm.conf and from their options;
 * both by the same names (core/conf.h). The screen of settings changes them while the program runs,
 * and writes those that were changed back into the file. */
#ifndef CDVM_SETTINGS_H
#define CDVM_SETTINGS_H

#include "attest/policy.h"
#include "core/conf.h"
#include "tui/tui.h"

enum symbols { SYMBOLS_AUTO, SYMBOLS_ASCII, SYMBOLS_UNICODE };

enum setting_bell { BELL_ON, BELL_OFF };

#define SETTINGS_MAX 64 /* at least settings_n_keys */

struct settings {
    struct conf_list relay;   /* ws:// or wss:// */
    struct conf_list blossom; /* http:// or https:// */
    char *policy;             /* "standard", "strict", or a policy file; NULL standard */
    unsigned bell;            /* enum setting_bell */
    unsigned notify;          /* enum notify */
    char *out;                /* where result files go; NULL: the current folder */
    char *log;                /* file to append a log to; NULL: none */
    char *draft_dir;          /* for drafts in an outside editor; NULL: $XDG_RUNTIME_DIR */
    unsigned theme;           /* enum theme */
    unsigned symbols;         /* enum symbols */
    unsigned mouse;           /* 1: the wheel scrolls */
    uint64_t redraw;          /* frames a second */
    bool blur;                /* hide what was said while the window has no focus */
    bool plain;               /* lines instead of screens */
    bool keep_receipts;       /* the bundle of every job is saved at its end */
    struct conf_list bind;    /* keys of the person's own (keys.h) */
    bool look_only;           /* browse and verify: no guest is ever accepted */
    uint64_t history_days;    /* how long verdicts are kept (no content); 0: not at all */

    /* Not in the file. Of list keys, by their row in settings_keys: every entry that this run has
     * had, in order, so that one switched off can be switched on again. */
    struct conf_list known[SETTINGS_MAX];
    uint64_t changed; /* bit per row of settings_keys: by settings_put and settings_toggle */
    struct conf_list retired; /* entries and strings that a job may still read */
};
extern const struct conf_key settings_keys[];
extern const size_t settings_n_keys;

/* Where a key stands on the screen. */
enum setting_group {
    SETTING_RELAYS,
    SETTING_SERVERS,
    SETTING_BINDINGS,
    SETTING_POLICY,
    SETTING_DISPLAY,
    SETTING_HISTORY,
    SETTING_FILES,
};
enum setting_group settings_group(const struct conf_key *key);
bool settings_at_start(const struct conf_key *key);     /* counts from the next start on */
const char *settings_unset(const struct conf_key *key); /* what counts while nothing is given */
const struct conf_key *settings_key(const char *name);  /* NULL: there is none */

/* The file (path NULL: the usual place). Errors "bad-config", also for a URL that is none. */
int settings_load(struct settings *s, const char *path, struct err *e) WARN_UNUSED;
/* After options were added: URLs are URLs, at least one relay ("no-relay"). */
int settings_check(const struct settings *s, struct err *e) WARN_UNUSED;
/* None of the relays answered, and what to look at: "no-relay". Always -1. */
int settings_unreached(const struct settings *s, struct err *e);
/* That alone. NULL, or the key whose entry *nth is none. */
const struct conf_key *settings_bad_entry(const struct settings *s, size_t *nth, struct err *e);
/* From now on the keys are those of the settings. */
int settings_bind(const struct settings *s, struct err *e) WARN_UNUSED;
void settings_free(struct settings *s);
/* Lists given by options: where there is one, it stands for the file's. */
void settings_list_add(struct conf_list *l, const char *v);                     /* copies */
void settings_list_replace(struct conf_list *of_file, struct conf_list *given); /* swaps them */
void settings_list_free(struct conf_list *l);
/* How the terminal is used, by these settings and its locale. */
struct tui_options settings_terminal(const struct settings *s);
/* word: a profile or a policy file. `demo` only when it was given on this run (typed). */
int settings_policy(const char *word, bool typed, struct policy *out, struct err *e) WARN_UNUSED;

/* --- changed by the person --- */

/* A new value, in a list one more. What the file would refuse is refused ("bad-config",
 * "demo-in-file"), and nothing is changed. An empty text unsets a text. */
int settings_put(struct settings *s, const struct conf_key *key, struct view value,
                 struct err *e) WARN_UNUSED;
/* A switch is turned, a choice goes to its next word, the policy to its next profile. False for
 * keys of other types: their value has to be typed. */
bool settings_next(struct settings *s, const struct conf_key *key);
/* The entries of a list that this run has had, and whether each is in use now. */
const struct conf_list *settings_known(struct settings *s, const struct conf_key *key);
bool settings_in_use(const struct settings *s, const struct conf_key *key, const char *entry);
void settings_toggle(struct settings *s, const struct conf_key *key, const char *entry);
void settings_suggest(struct settings *s, const struct conf_key *key, const char *entry);
/* What was changed, into the file: everything else in it stays as it stands, entries of a list that
 * were not switched off stay too. Mode 0600, by rename; a link is followed. Nothing is written over
 * a file that would not be read again. */
int settings_save(struct settings *s, const char *path, struct err *e) WARN_UNUSED;

#endif
