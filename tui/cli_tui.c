#include "tui/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "core/cli_option.h"
#include "core/log.h"
#include "tui/cli_keys.h"
#include "tui/engine.h"

static const char HELP[] =
    "usage: cdvm [tui] [OPTION]...\n\n"
    "Browse offers of sealed machines, start one, watch its report being checked, and only then\n"
    "talk to it. Press ? for the keys.\n\n"
    "  --relay URL    relay to look at; may be repeated (replaces those of cdvm.conf)\n"
    "  --blossom URL  blob server that may be used; may be repeated\n"
    "  --policy P     standard (default), strict, demo, or a policy file\n"
    "  --param K=V    parameter of the jobs, readable by the provider; may be repeated\n"
    "  --out DIR      folder for files from guests (default: here)\n"
    "  --draft-dir DIR  private folder for drafts in your own editor\n"
    "  --plain        lines instead of screens, for screen readers and pipes\n"
    "  --theme T      auto (default), dark, light, mono, 8 or 256 colours\n"
    "  --symbols S    auto (default), ascii or unicode\n"
    "  --ascii, --mono  the same as --symbols ascii, --theme mono\n"
    "  --mouse M      off (default): it is the terminal's; wheel: the wheel scrolls\n"
    "  --bell B       on (default) or off: when a job wants a decision, is ready or is over\n"
    "  --notify N     auto (default), off, osc9 or osc777: the same as a desktop notification\n"
    "  --redraw N     frames a second at most (30); 5 on a slow line\n"
    "  --blur         hide what was said while the window has no focus\n"
    "  --log FILE     append a log to FILE; never content, never keys\n";

enum option_key {
    OPT_RELAY = 256,
    OPT_BLOSSOM,
    OPT_POLICY,
    OPT_PARAM,
    OPT_SETTING, /* a key of cdvm.conf with its value */
    OPT_SWITCH,  /* one that is on or off */
    OPT_ASCII,
    OPT_MONO,
    OPT_LIST_KEYS, /* for doc/make-keys.pl */
    OPT_HELP
};

static const struct option OPTIONS[] = {
    {"relay", required_argument, NULL, OPT_RELAY},
    {"blossom", required_argument, NULL, OPT_BLOSSOM},
    {"policy", required_argument, NULL, OPT_POLICY},
    {"param", required_argument, NULL, OPT_PARAM},
    {"out", required_argument, NULL, OPT_SETTING},
    {"draft-dir", required_argument, NULL, OPT_SETTING},
    {"theme", required_argument, NULL, OPT_SETTING},
    {"symbols", required_argument, NULL, OPT_SETTING},
    {"mouse", required_argument, NULL, OPT_SETTING},
    {"redraw", required_argument, NULL, OPT_SETTING},
    {"bell", required_argument, NULL, OPT_SETTING},
    {"notify", required_argument, NULL, OPT_SETTING},
    {"blur", no_argument, NULL, OPT_SWITCH},
    {"plain", no_argument, NULL, OPT_SWITCH},
    {"ascii", no_argument, NULL, OPT_ASCII},
    {"mono", no_argument, NULL, OPT_MONO},
    {"log", required_argument, NULL, OPT_SETTING},
    {"list-keys", no_argument, NULL, OPT_LIST_KEYS},
    {"help", no_argument, NULL, OPT_HELP},
    {0},
};

struct given {
    struct settings set;
    struct conf_list relay, blossom; /* replace those of the file */
    struct engine_conf engine;
    const char *policy;
    bool help, list_keys;
};

static int set(struct given *g, const char *key, const char *v, struct err *e) {
    return conf_set(settings_keys, settings_n_keys, key, view_str(v), &g->set, e);
}

static int take(struct given *g, int c, const char *name, const char *v, struct err *e) {
    switch ((enum option_key)c) {
    case OPT_RELAY:
        settings_list_add(&g->relay, v);
        return 0;
    case OPT_BLOSSOM:
        settings_list_add(&g->blossom, v);
        return 0;
    case OPT_POLICY:
        g->policy = v;
        return 0;
    case OPT_PARAM:
        return job_param_put(v, g->engine.params, &g->engine.n_params, e) ? err_wrap(e, "--param")
                                                                          : 0;
    case OPT_SETTING:
        return set(g, name, v, e);
    case OPT_SWITCH:
        return set(g, name, "true", e);
    case OPT_ASCII:
        return set(g, "symbols", "ascii", e);
    case OPT_MONO:
        return set(g, "theme", "mono", e);
    case OPT_LIST_KEYS:
        g->list_keys = true;
        return 0;
    case OPT_HELP:
        g->help = true;
        return 0;
    }
    return err_set(e, "usage", "unknown option");
}

/* The log goes to a file or nowhere: the terminal is the screen's. */
static int open_log(const char *path, struct err *e) {
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;

    if (path && fd < 0)
        return err_set(e, "bad-config", "cannot write the log %s", path);
    log_to(fd, LOG_INFO, true);
    return 0;
}

static int put_together(struct given *g, struct policy *policy, struct err *e) {
    settings_list_replace(&g->set.relay, &g->relay);
    settings_list_replace(&g->set.blossom, &g->blossom);
    if (g->set.relay.n > 0 && settings_check(&g->set, e) != 0)
        return -1;
    if (settings_policy(g->policy ? g->policy : g->set.policy, g->policy != NULL, policy, e) != 0)
        return -1;
    if (settings_bind(&g->set, e) != 0)
        return -1;
    g->engine.set = &g->set;
    g->engine.tui = settings_terminal(&g->set);
    g->engine.policy = policy;
    g->engine.policy_given = g->policy != NULL;
    return open_log(g->set.log, e);
}

static int run(struct given *g, int argc) {
    struct policy policy;
    struct err e;

    if (g->help) {
        fputs(HELP, stdout);
        return 0;
    }
    if (g->list_keys) {
        cli_keys_list();
        return 0;
    }
    if (optind < argc) {
        fputs("cdvm tui: takes options only (cdvm tui --help)\n", stderr);
        return EX_USAGE;
    }
    if (put_together(g, &policy, &e) != 0) {
        fprintf(stderr, "cdvm: %s\n", e.text);
        return EX_CONFIG;
    }
    if (engine_run(&g->engine, &e) != 0) {
        fprintf(stderr, "cdvm: %s\n", e.text);
        return strcmp(e.code, "no-terminal") ? EX_UNAVAILABLE : EX_USAGE;
    }
    return 0;
}

int cli_tui(int argc, char **argv) {
    struct given g = {0};
    struct err e;
    int c, rc, at = 0;

    if (settings_load(&g.set, NULL, &e) != 0) {
        fprintf(stderr, "cdvm: %s\n", e.text);
        return EX_CONFIG;
    }
    optind = 0;
    while ((c = cli_option(argc, argv, CLI_WORDS_LAST, OPTIONS, &at, &e)) != -1)
        if (c == '?' || take(&g, c, OPTIONS[at].name, optarg, &e) != 0) {
            fprintf(stderr, "cdvm: %s (cdvm tui --help)\n", e.text);
            return EX_USAGE;
        }
    rc = run(&g, argc);
    settings_list_free(&g.relay);
    settings_list_free(&g.blossom);
    settings_free(&g.set);
    return rc;
}
