#include "cli.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "ask.h"
#include "core/dvm.h"

static const char help[] =
    "usage: cdvm ask [OPTION]... QUESTION\n\n"
    "Rents a sealed machine for one job, checks it, asks QUESTION, saves what comes back, ends the "
    "job.\n"
    "QUESTION may be - for standard input: other users of this computer can read a command line.\n"
    "The answer goes to standard output, progress and verdict to standard error.\n\n"
    "  --relay URL          relay to use; may be repeated (replaces those of cdvm.conf)\n"
    "  --blossom URL        blob server that may be used; may be repeated\n"
    "  --offer WHICH        D or OWNER:D, OWNER a name or an npub (default: the only one alive)\n"
    "  --policy P           standard (default), strict, demo, or a policy file\n"
    "  --attach FILE        send FILE before the question; may be repeated\n"
    "  --param KEY=VALUE    parameter of the job, readable by the provider; may be repeated\n"
    "  --accept-warn        accept a verdict with warnings\n"
    "  --accept-simulated   use a simulated machine (with --policy demo): it protects nothing\n"
    "  --yes-warn ID[,ID]   accept these warnings and no others\n"
    "  --out DIR            folder for result files (default: here)\n"
    "  --bundle FILE        save receipt and evidence, for `cdvm verify FILE`\n"
    "  --messages FILE      save the messages too, in the clear: `cdvm verify --disclose` proves "
    "one\n"
    "  --timeout SECONDS    give up after this long\n"
    "  --json               one JSON object a line on standard output\n\n"
    "Exit: 0 answered; 1 verdict FAIL, 2 WARN not accepted, 3 NOT CHECKED (in these three nothing "
    "of\n"
    "your question or files was encrypted); 64 usage, 65 the question or file was not understood, "
    "69 no\n"
    "such offer, 75 timeout, 76 protocol or provider error, 78 configuration.\n";

enum option_key {
    OPT_RELAY = 256,
    OPT_BLOSSOM,
    OPT_OFFER,
    OPT_POLICY,
    OPT_ATTACH,
    OPT_PARAM,
    OPT_ACCEPT,
    OPT_SIMULATED,
    OPT_YES,
    OPT_OUT,
    OPT_BUNDLE,
    OPT_MESSAGES,
    OPT_TIMEOUT,
    OPT_JSON,
    OPT_HELP,
};

static const struct option options[] = {
    {"relay", required_argument, NULL, OPT_RELAY},
    {"blossom", required_argument, NULL, OPT_BLOSSOM},
    {"offer", required_argument, NULL, OPT_OFFER},
    {"policy", required_argument, NULL, OPT_POLICY},
    {"attach", required_argument, NULL, OPT_ATTACH},
    {"param", required_argument, NULL, OPT_PARAM},
    {"accept-warn", no_argument, NULL, OPT_ACCEPT},
    {"accept-simulated", no_argument, NULL, OPT_SIMULATED},
    {"yes-warn", required_argument, NULL, OPT_YES},
    {"out", required_argument, NULL, OPT_OUT},
    {"bundle", required_argument, NULL, OPT_BUNDLE},
    {"messages", required_argument, NULL, OPT_MESSAGES},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, OPT_HELP},
    {0},
};

/* What the options said, before it is put together. */
struct given {
    struct ask_args *a;
    struct conf_list relay, blossom; /* replace those of the file */
    const char *policy;
    struct buf input; /* the question, when it came from standard input */
    bool help;
};

static int take_param(struct ask_args *a, const char *v, struct err *e) {
    return job_param_put(v, a->params, &a->n_params, e) ? err_wrap(e, "--param") : 0;
}

static int take_attach(struct ask_args *a, const char *v, struct err *e) {
    if (a->n_attach == ASK_ATTACH_MAX)
        return err_set(e, "usage", "at most %d files", ASK_ATTACH_MAX);
    a->attach[a->n_attach++] = v;
    return 0;
}

/* v is of argv, which is ours to cut. */
static int take_confirm(struct ask_args *a, char *v, struct err *e) {
    while (v) {
        const char *id = strsep(&v, ",");

        if (a->n_confirm == ASK_CONFIRM_MAX)
            return err_set(e, "usage", "at most %d ids", ASK_CONFIRM_MAX);
        a->confirm[a->n_confirm++] = id;
    }
    return 0;
}

static int take_timeout(struct ask_args *a, const char *v, struct err *e) {
    uint64_t s;

    if (!decimal_parse(v, &s) || s < 1 || s > 86400)
        return err_set(e, "usage", "--timeout wants seconds, 1 to 86400");
    a->timeout_s = (int)s;
    return 0;
}

static int take_option(struct given *g, int c, char *v, struct err *e) {
    struct ask_args *a = g->a;

    switch ((enum option_key)c) {
    case OPT_RELAY:
        settings_list_add(&g->relay, v);
        return 0;
    case OPT_BLOSSOM:
        settings_list_add(&g->blossom, v);
        return 0;
    case OPT_OFFER:
        a->offer = v;
        return 0;
    case OPT_POLICY:
        g->policy = v;
        return 0;
    case OPT_ATTACH:
        return take_attach(a, v, e);
    case OPT_PARAM:
        return take_param(a, v, e);
    case OPT_ACCEPT:
        a->accept_warn = true;
        return 0;
    case OPT_SIMULATED:
        a->accept_simulated = true;
        return 0;
    case OPT_YES:
        return take_confirm(a, v, e);
    case OPT_OUT:
        return conf_set(settings_keys, settings_n_keys, "out", view_str(v), &a->set, e);
    case OPT_BUNDLE:
        a->bundle = v;
        return 0;
    case OPT_MESSAGES:
        a->messages = v;
        return 0;
    case OPT_TIMEOUT:
        return take_timeout(a, v, e);
    case OPT_JSON:
        a->json = true;
        return 0;
    case OPT_HELP:
        g->help = true;
        return 0;
    }
    return err_set(e, "usage", "unknown option");
}

static int usage(const char *why) {
    fprintf(stderr, "cdvm ask: %s (cdvm ask --help)\n", why);
    return EX_USAGE;
}

static int take_question(struct given *g, const char *word, struct err *e) {
    if (strcmp(word, "-") != 0) {
        g->a->question = word;
        return 0;
    }
    if (file_read("/dev/stdin", MSG_CONTENT_MAX, &g->input, e))
        return err_wrap(e, "question");
    g->a->question = g->input.n ? (const char *)g->input.p : "";
    return 0;
}

static int put_together(struct given *g, int argc, char **argv, struct err *e) {
    struct ask_args *a = g->a;

    if (optind != argc - 1)
        return err_set(e, "usage", "one QUESTION, in quotes");
    if (take_question(g, argv[optind], e))
        return -1;
    settings_list_replace(&a->set.relay, &g->relay);
    settings_list_replace(&a->set.blossom, &g->blossom);
    if (settings_check(&a->set, e))
        return -1;
    return settings_policy(g->policy ? g->policy : a->set.policy, g->policy != NULL, &a->policy, e);
}

static int ask_with(struct given *g, int argc, char **argv) {
    struct err e;
    int c;

    optind = 0;
    while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1)
        if (c == '?')
            return EX_USAGE;
        else if (take_option(g, c, optarg, &e))
            return usage(e.text);
    if (g->help) {
        fputs(help, stdout);
        return 0;
    }
    if (put_together(g, argc, argv, &e)) {
        if (strcmp(e.code, "usage") == 0)
            return usage(e.text);
        fprintf(stderr, "cdvm ask: %s\n", e.text);
        return EX_CONFIG;
    }
    return ask_run(g->a);
}

int cli_ask(int argc, char **argv) {
    struct ask_args a = {0};
    struct given g = {.a = &a};
    struct err e;
    int code;

    if (settings_load(&a.set, NULL, &e)) {
        fprintf(stderr, "cdvm ask: %s\n", e.text);
        return EX_CONFIG;
    }
    code = ask_with(&g, argc, argv);
    settings_list_free(&g.relay);
    settings_list_free(&g.blossom);
    buf_wipe(&g.input);
    settings_free(&a.set);
    return code;
}
