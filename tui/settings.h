/* What the customer's programs read from $XDG_CONFIG_HOME/cdvm/cdvm.conf and from their options;
 * both by the same names (core/conf.h). */
#ifndef CDVM_SETTINGS_H
#define CDVM_SETTINGS_H

#include "attest/policy.h"
#include "core/conf.h"
#include "tui/tui.h"

enum symbols { SYMBOLS_AUTO, SYMBOLS_ASCII, SYMBOLS_UNICODE };

enum setting_bell { BELL_ON, BELL_OFF };

struct settings {
    struct conf_list relay;   /* ws:// or wss:// */
    struct conf_list blossom; /* http:// or https:// */
    char *policy;             /* "standard", "strict", or a policy file; NULL standard */
    unsigned bell;            /* enum setting_bell */
    unsigned notify;          /* enum notify */
    char *out;                /* where result files go; NULL: the current folder */
    unsigned theme;           /* enum theme */
    unsigned symbols;         /* enum symbols */
    unsigned mouse;           /* 1: the wheel scrolls */
    uint64_t redraw;          /* frames a second */
    bool blur;                /* hide what was said while the window has no focus */
};
extern const struct conf_key settings_keys[];
extern const size_t settings_n_keys;

/* The file (path NULL: the usual place). Errors "bad-config", also for a URL that is none. */
int settings_load(struct settings *s, const char *path, struct err *e) WARN_UNUSED;
/* After options were added: URLs are URLs, at least one relay ("no-relay"). */
int settings_check(const struct settings *s, struct err *e) WARN_UNUSED;
void settings_free(struct settings *s);
/* Lists given by options: where there is one, it stands for the file's. */
void settings_list_add(struct conf_list *l, const char *v);                     /* copies */
void settings_list_replace(struct conf_list *of_file, struct conf_list *given); /* swaps them */
void settings_list_free(struct conf_list *l);
/* How the terminal is used, by these settings and its locale. */
struct tui_options settings_terminal(const struct settings *s);
/* word: a profile or a policy file. `demo` only when it was given on this run (typed). */
int settings_policy(const char *word, bool typed, struct policy *out, struct err *e) WARN_UNUSED;

#endif
