/* cdvm offers: the list and the page of the screen, on standard output; and what is kept of
 * sellers, changed. The model is the screen's own. */
#include "cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli_offers.h"
#include "core/cli_option.h"
#include "core/dvm.h"
#include "core/enc.h"
#include "core/loop.h"
#include "scr.h"
#include "settings.h"
#include "table.h"
#include "trust.h"

#define SETTLE_MS 10000

static const char help[] =
    "usage: cdvm offers [OPTION]... [WORD]...\n"
    "       cdvm offers --show OFFER [OPTION]...\n"
    "       cdvm offers --favourite KEY | --mute KEY | --unmark KEY | --forget KEY\n\n"
    "Lists the offers on your relays that hold every WORD. CLAIMS is the seller's own text and\n"
    "proves nothing; PROVEN is what this machine verified in an earlier job, and when.\n\n"
    "  --relay URL      relay to use; may be repeated (replaces those of cdvm.conf)\n"
    "  --policy P       what would be required (--show); demo shows simulated offers too\n"
    "  --sort ORDER     proven (usual), price, model, provider, seen or newest\n"
    "  --muted          list muted sellers too\n"
    "  --show OFFER     one offer in full: its name, or KEY:NAME\n"
    "  --json           one JSON object a line\n"
    "  --favourite KEY  make a seller a favourite (npub or hex)\n"
    "  --mute KEY       hide all offers of a seller\n"
    "  --unmark KEY     neither favourite nor muted any more\n"
    "  --forget KEY     forget the earlier jobs with a seller, and what was accepted of it for "
    "later\n";

static void on_offer(void *arg, const struct offer *o, const struct event *ev, const char *relay) {
    struct offers *x = arg;

    app_on_offer(x->app, o, ev, relay);
}

static void on_again(void *arg, const uint8_t id[static 32], const char *relay) {
    struct offers *x = arg;

    app_on_offer_again(x->app, id, relay);
}

static void on_beat(void *arg, const struct heartbeat *h) {
    struct offers *x = arg;

    app_on_beat(x->app, h);
}

static void settled(void *arg) {
    struct offers *x = arg;
    struct err e;

    app_clock(x->app, loop_now(), unix_now());
    app_offers_view(x->app, true);
    x->code = browse_relays_up(x->browse) ? EX_OK : EX_UNAVAILABLE;
    if (x->code != EX_OK) {
        settings_unreached(&x->set, &e);
        fprintf(stderr, "cdvm offers: %s\n", e.text);
    } else if (x->show && offers_show(x, &e) != 0) {
        browse_explain(x->browse, &e);
        fprintf(stderr, "cdvm offers: %s\n", e.text);
        x->code = EX_UNAVAILABLE;
    } else if (!x->show) {
        offers_list(x);
        if (browse_left_out(x->browse))
            fprintf(stderr, "Simulated offers are listed with --policy demo only.\n");
    }
    loop_quit(x->loop);
}

static bool pinned(void *arg, const uint8_t digest[static 32]) {
    const struct offers *x = arg;
    const struct pins *p = &x->trust.pins;

    for (size_t i = 0; i < p->n_digests; i++)
        if (!memcmp(p->digest[i], digest, 32))
            return true;
    return false;
}

/* The paths are those of the screen. */
static int open_model(struct offers *x, struct err *e) {
    static const struct app_port port = {.pinned = pinned};
    cleanup_free char *history = conf_path(CONF_STATE, "history", e);
    cleanup_free char *known = history ? conf_path(CONF_STATE, "verdicts", e) : NULL;
    cleanup_free char *sellers = known ? conf_path(CONF_STATE, "sellers", e) : NULL;
    struct app_conf c = {.port = &port,
                         .port_arg = x,
                         .policy = x->policy.name,
                         .rules = &x->policy,
                         .simulated = x->policy.profile == POLICY_DEMO,
                         .proven = history,
                         .known = known,
                         .unix_now = unix_now(),
                         .history_days = (unsigned)x->set.history_days,
                         .marks = sellers,
                         .relays = x->set.relay.n};

    if (!sellers)
        return -1;
    x->app = app_new(&c);
    x->app->sort = x->sort;
    x->app->show_muted = x->muted;
    edit_set(x->app->filter, buf_view(&x->words));
    if (*x->app->status)
        fprintf(stderr, "cdvm offers: %s\n", x->app->status);
    return 0;
}

/* --- what is kept of sellers --- */

static int change(struct offers *x) {
    uint8_t key[32];
    int64_t now = unix_now();
    struct err e;
    int rc;

    if (pubkey_parse(x->key, key, &e) != 0) {
        fprintf(stderr, "cdvm offers: %s\n", e.text);
        return EX_USAGE;
    }
    rc = x->change == CHANGE_FORGET ? app_history_forget(x->app, key, &e)
                                    : marks_set(x->app->marks, key,
                                                x->change == CHANGE_FAVOURITE ? MARK_FAVOURITE
                                                : x->change == CHANGE_MUTE    ? MARK_MUTED
                                                                              : MARK_NONE,
                                                "", now, &e);
    if (rc == 0)
        return EX_OK;
    fprintf(stderr, "cdvm offers: %s\n", e.text);
    return EX_CANTCREAT;
}

/* --- the whole --- */

static int look(struct offers *x) {
    static const struct browse_handler h = {
        .offer = on_offer, .again = on_again, .beat = on_beat, .settled = settled};
    struct err e;

    x->code = EX_CONFIG;
    if (settings_check(&x->set, &e) == 0 && (x->loop = loop_new(&e)) &&
        (x->net = ws_net_new(x->loop, &e)) &&
        (x->browse = browse_new(x->net, (const char *const *)x->set.relay.v, x->set.relay.n,
                                x->policy.profile == POLICY_DEMO, &h, x, &e))) {
        x->settle = loop_timer_add(x->loop, loop_now() + SETTLE_MS, settled, x);
        loop_run(x->loop);
    } else {
        fprintf(stderr, "cdvm offers: %s\n", e.text);
    }
    browse_free(x->browse);
    loop_timer_del(x->settle);
    ws_net_free(x->net);
    loop_free(x->loop);
    return x->code;
}

static bool sort_named(const char *word, enum shelf_sort *out) {
    for (unsigned s = 0; s < SORT_COUNT; s++)
        if (!strncmp(shelf_sort_name((enum shelf_sort)s), word, strlen(word)) && *word) {
            *out = (enum shelf_sort)s;
            return true;
        }
    return false;
}

static int take(struct offers *x, int c, struct err *e) {
    static const enum change CHANGE[] = {['f'] = CHANGE_FAVOURITE,
                                         ['m'] = CHANGE_MUTE,
                                         ['u'] = CHANGE_UNMARK,
                                         ['F'] = CHANGE_FORGET};

    if (c == 'r')
        settings_list_add(&x->relay, optarg);
    if (c == 's' && !sort_named(optarg, &x->sort))
        return err_set(e, "usage", "there is no order '%.80s'", optarg);
    x->policy_word = c == 'p' ? optarg : x->policy_word;
    x->show = c == 'o' ? optarg : x->show;
    x->json |= c == 'j';
    x->muted |= c == 'M';
    x->help |= c == 'h';
    if ((size_t)c < COUNT(CHANGE) && CHANGE[c] != CHANGE_NONE) {
        x->changes++;
        x->change = CHANGE[c];
        x->key = optarg;
    }
    return 0;
}

static int read_options(struct offers *x, int argc, char **argv, struct err *e) {
    static const struct option options[] = {
        {"relay", required_argument, NULL, 'r'},
        {"policy", required_argument, NULL, 'p'},
        {"sort", required_argument, NULL, 's'},
        {"muted", no_argument, NULL, 'M'},
        {"show", required_argument, NULL, 'o'},
        {"json", no_argument, NULL, 'j'},
        {"favourite", required_argument, NULL, 'f'},
        {"mute", required_argument, NULL, 'm'},
        {"unmark", required_argument, NULL, 'u'},
        {"forget", required_argument, NULL, 'F'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int c;

    optind = 0;
    while ((c = cli_option(argc, argv, CLI_WORDS_ANYWHERE, options, NULL, e)) != -1)
        if (c == '?' || take(x, c, e))
            return -1;
    buf_str(&x->words, "");
    for (; optind < argc; optind++)
        buf_fmt(&x->words, "%s%s", x->words.n ? " " : "", argv[optind]);
    if (x->changes + (x->show != NULL) > 1)
        return err_set(e, "usage", "one of --show, --favourite, --mute, --unmark and --forget");
    if (x->words.n > 0 && (x->show || x->changes))
        return err_set(e, "usage", "words to look for go with the list alone");
    return 0;
}

static int offers_with(struct offers *x, int argc, char **argv) {
    struct err e;

    if (read_options(x, argc, argv, &e)) {
        fprintf(stderr, "cdvm offers: %s (cdvm offers --help)\n", e.text);
        return EX_USAGE;
    }
    if (x->help) {
        fputs(help, stdout);
        return 0;
    }
    settings_list_replace(&x->set.relay, &x->relay);
    if (settings_policy(x->policy_word ? x->policy_word : x->set.policy, x->policy_word != NULL,
                        &x->policy, &e) ||
        trust_load(&x->trust, false, &e) || open_model(x, &e)) {
        fprintf(stderr, "cdvm offers: %s\n", e.text);
        return EX_CONFIG;
    }
    return x->changes ? change(x) : look(x);
}

int cli_offers(int argc, char **argv) {
    struct offers x = {0};
    struct err e;
    int code;

    if (settings_load(&x.set, NULL, &e)) {
        fprintf(stderr, "cdvm offers: %s\n", e.text);
        return EX_CONFIG;
    }
    code = offers_with(&x, argc, argv);
    app_free(x.app);
    trust_free(&x.trust);
    buf_free(&x.words);
    settings_list_free(&x.relay);
    settings_free(&x.set);
    return code;
}
