#include "cli.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "ask.h"
#include "askpass.h"
#include "core/cli_option.h"
#include "core/dvm.h"

static const char help[] =
    "usage: cdvm ask [OPTION]... QUESTION\n"
    "       cdvm ask [OPTION]... --questions FILE\n"
    "       cdvm ask [OPTION]... --serve 127.0.0.1:PORT\n\n"
    "Rents a sealed machine for one job, checks it, asks QUESTION, saves what comes back, ends the "
    "job.\n"
    "QUESTION may be - for standard input: other users of this computer can read a command line.\n"
    "The answer goes to standard output, progress and verdict to standard error.\n"
    "With --serve other programs ask, by the API of OpenAI, until you end it with Ctrl-C.\n\n"
    "  --relay URL          relay to use; may be repeated (replaces those of cdvm.conf)\n"
    "  --blossom URL        blob server that may be used; may be repeated\n"
    "  --offer WHICH        D or OWNER:D, OWNER a name or an npub (default: the only one alive)\n"
    "  --policy P           standard (default), strict, demo, or a policy file\n"
    "  --attach FILE        send FILE before the question; may be repeated\n"
    "  --param KEY=VALUE    parameter of the job, readable by the provider; may be repeated\n"
    "  --accept-warn        accept a verdict with warnings\n"
    "  --accept-simulated   use a simulated machine (with --policy demo): it protects nothing\n"
    "  --yes-warn ID[,ID]   accept these warnings and no others\n"
    "  --questions FILE     ask what is in FILE (- standard input), one question a line, in order; "
    "a \\\n"
    "                       at a line's end goes on in the next. The first that fails is the last\n"
    "  --keep-going         ask on after a question that failed\n"
    "  --serve ADDRESS      serve an OpenAI API at 127.0.0.1:PORT or [::1]:PORT (port 0: any)\n"
    "  --token-file FILE    write the API's token to FILE instead of showing it\n"
    "  --out DIR            folder for result files (default: here)\n"
    "  --receipt FILE       save receipt and evidence, for `cdvm verify FILE` (also --bundle)\n"
    "  --messages FILE      save the messages too, in the clear: `cdvm verify --disclose` proves "
    "one\n"
    "  --timeout SECONDS    give up after this long\n"
    "  --minutes N          how long the machine is wanted at most (default 60)\n"
    "  --identity NAME      be known to the seller; its passphrase is asked at the terminal\n"
    "  --passphrase-fd N    read that passphrase from file descriptor N\n"
    "  --json               one JSON object a line on standard output\n\n"
    "Exit: 0 answered; 1 verdict FAIL, 2 WARN not accepted, 3 NOT CHECKED (in these three nothing "
    "of\n"
    "your question or files was encrypted); 64 usage, 65 a question or file was not understood, 66 "
    "a file\n"
    "cannot be read, 69 no such offer or no relay, 73 a file cannot be made, 74 nobody reads the "
    "output,\n"
    "75 timeout, 76 protocol or provider error, 77 identity locked or not signed, 78 "
    "configuration, 130 Ctrl-C. "
    "cdvm(1) has the "
    "table.\n";

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
    OPT_QUESTIONS,
    OPT_KEEP_GOING,
    OPT_SERVE,
    OPT_TOKEN_FILE,
    OPT_OUT,
    OPT_RECEIPT,
    OPT_MESSAGES,
    OPT_TIMEOUT,
    OPT_MINUTES,
    OPT_IDENTITY,
    OPT_PASSPHRASE_FD,
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
    {"questions", required_argument, NULL, OPT_QUESTIONS},
    {"keep-going", no_argument, NULL, OPT_KEEP_GOING},
    {"serve", required_argument, NULL, OPT_SERVE},
    {"token-file", required_argument, NULL, OPT_TOKEN_FILE},
    {"out", required_argument, NULL, OPT_OUT},
    {"receipt", required_argument, NULL, OPT_RECEIPT},
    {"bundle", required_argument, NULL, OPT_RECEIPT},
    {"messages", required_argument, NULL, OPT_MESSAGES},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"minutes", required_argument, NULL, OPT_MINUTES},
    {"identity", required_argument, NULL, OPT_IDENTITY},
    {"passphrase-fd", required_argument, NULL, OPT_PASSPHRASE_FD},
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, OPT_HELP},
    {0},
};

/* What the options said, before it is put together. */
struct given {
    struct ask_args *a;
    struct conf_list relay, blossom; /* replace those of the file */
    const char *policy;
    const char *file; /* of questions */
    const char *identity;
    int passphrase_fd; /* -1: the terminal */
    bool help;
};

static int take_param(struct ask_args *a, const char *v, struct err *e) {
    return job_param_put(v, a->params, &a->n_params, e) ? err_wrap(e, "--param") : 0;
}

static int take_fd(struct given *g, const char *v, struct err *e) {
    uint64_t n;

    if (!decimal_parse(v, &n) || n > 1023)
        return err_set(e, "usage", "--passphrase-fd '%s' is no file descriptor", v);
    g->passphrase_fd = (int)n;
    return 0;
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

static int take_minutes(struct ask_args *a, const char *v, struct err *e) {
    uint64_t n;

    if (!decimal_parse(v, &n) || n < 1 || n > 1440)
        return err_set(e, "usage", "--minutes wants 1 to 1440");
    a->minutes = (uint32_t)n;
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
    case OPT_QUESTIONS:
        g->file = v;
        return 0;
    case OPT_KEEP_GOING:
        a->keep_going = true;
        return 0;
    case OPT_SERVE:
        a->serve = v;
        return 0;
    case OPT_TOKEN_FILE:
        a->token_file = v;
        return 0;
    case OPT_OUT:
        return conf_set(settings_keys, settings_n_keys, "out", view_str(v), &a->set, e);
    case OPT_RECEIPT:
        a->bundle = v;
        return 0;
    case OPT_MESSAGES:
        a->messages = v;
        return 0;
    case OPT_TIMEOUT:
        return take_timeout(a, v, e);
    case OPT_MINUTES:
        return take_minutes(a, v, e);
    case OPT_IDENTITY:
        g->identity = v;
        return 0;
    case OPT_PASSPHRASE_FD:
        return take_fd(g, v, e);
    case OPT_JSON:
        a->json = true;
        return 0;
    case OPT_HELP:
        g->help = true;
        return 0;
    }
    return err_set(e, "usage", "unknown option");
}

/* One question is taken whole, with its line ends; a file of them is cut at those. */
static int read_questions(struct ask_args *a, const char *path, bool one, struct err *e) {
    struct buf text;
    int rc;

    buf_init(&text, QUESTIONS_BYTES);
    rc = file_read(strcmp(path, "-") != 0 ? path : "/dev/stdin",
                   one ? MSG_CONTENT_MAX : QUESTIONS_BYTES, &text, e);
    if (!rc && one)
        questions_add(&a->questions, buf_view(&text));
    else if (!rc)
        rc = questions_parse(buf_view(&text), &a->questions, e);
    buf_wipe(&text);
    return rc ? err_wrap(e, "%s", one ? "question" : path) : 0;
}

/* Questions come from one place. */
static int take_questions(struct given *g, int n, char **words, struct err *e) {
    struct ask_args *a = g->a;

    if ((n > 0) + (g->file != NULL) + (a->serve != NULL) != 1 || n > 1)
        return err_set(e, "usage",
                       "one QUESTION in quotes, or --questions FILE, or --serve ADDRESS");
    if (a->serve)
        return a->json ? err_set(e, "usage", "--serve has no --json: its programs get JSON") : 0;
    if (a->token_file)
        return err_set(e, "usage", "--token-file goes with --serve");
    if (g->file)
        return read_questions(a, g->file, false, e);
    if (!strcmp(words[0], "-"))
        return read_questions(a, "-", true, e);
    questions_add(&a->questions, view_str(words[0]));
    return 0;
}

/* A program sends the whole conversation with each request: the guest is not to keep one as well.
 */
static int forget_turns(struct ask_args *a, struct err *e) {
    for (size_t i = 0; i < a->n_params; i++)
        if (!strcmp(a->params[i].key, "turns"))
            return 0;
    return job_param_put("turns=0", a->params, &a->n_params, e);
}

static int put_together(struct given *g, struct err *e) {
    struct ask_args *a = g->a;

    settings_list_replace(&a->set.relay, &g->relay);
    settings_list_replace(&a->set.blossom, &g->blossom);
    if (settings_check(&a->set, e) || (a->serve && forget_turns(a, e)))
        return -1;
    return settings_policy(g->policy ? g->policy : a->set.policy, g->policy != NULL, &a->policy, e);
}

static int refused(const struct err *e, int code) {
    fprintf(stderr, "cdvm ask: %s%s\n", e->text, code == EX_USAGE ? " (cdvm ask --help)" : "");
    return code;
}

/* Why there is no question. */
static int questions_refused(const struct err *e) {
    static const struct {
        const char *code;
        int exit;
    } exits[] = {{"usage", EX_USAGE}, {"bad-questions", EX_DATAERR}, {"too-large", EX_DATAERR}};

    for (size_t i = 0; i < COUNT(exits); i++)
        if (!strcmp(exits[i].code, e->code))
            return refused(e, exits[i].exit);
    return refused(e, EX_NOINPUT);
}

static int ask_with(struct given *g, int argc, char **argv) {
    struct err e;
    int c;

    optind = 0;
    while ((c = cli_option(argc, argv, CLI_WORDS_LAST, options, NULL, &e)) != -1)
        if (c == '?' || take_option(g, c, optarg, &e))
            return refused(&e, EX_USAGE);
    if (g->help) {
        fputs(help, stdout);
        return 0;
    }
    if (take_questions(g, argc - optind, argv + optind, &e))
        return questions_refused(&e);
    if (put_together(g, &e))
        return refused(&e, EX_CONFIG);
    if (g->identity && !(g->a->identities = askpass_identity(g->identity, g->passphrase_fd, &e)))
        return refused(&e, EX_NOPERM);
    return ask_run(g->a);
}

int cli_ask(int argc, char **argv) {
    struct ask_args a = {0};
    struct given g = {.a = &a, .passphrase_fd = -1};
    struct err e;
    int code;

    if (settings_load(&a.set, NULL, &e)) {
        fprintf(stderr, "cdvm ask: %s\n", e.text);
        return EX_CONFIG;
    }
    signal(SIGPIPE, SIG_IGN); /* nobody reads: that is said, and the job ended in good order */
    code = ask_with(&g, argc, argv);
    settings_list_free(&g.relay);
    settings_list_free(&g.blossom);
    questions_free(&a.questions);
    identities_free(a.identities);
    settings_free(&a.set);
    return code;
}
