#include "cli.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "browse.h"
#include "core/dvm.h"
#include "core/enc.h"
#include "core/loop.h"
#include "model.h"
#include "settings.h"
#include "table.h"

#define SETTLE_MS 10000

static const char help[] =
    "usage: cdvm offers [OPTION]...\n\n"
    "Lists the offers on your relays. Everything in the list is the seller's claim.\n\n"
    "  --relay URL   relay to use; may be repeated (replaces those of cdvm.conf)\n"
    "  --policy P    demo shows simulated offers too\n"
    "  --json        one JSON object a line\n";

struct offers {
    struct settings set;
    struct conf_list relay; /* of the command line */
    struct policy policy;
    const char *policy_word;
    bool json, help;
    struct loop *loop;
    struct ws_net *net;
    struct browse *browse;
    struct loop_timer *settle;
};

static char *price_text(const struct offer *o) {
    if (o->price_msat == 0)
        return mem_str("free");
    return mem_fmt("%llu sat/%s", (unsigned long long)((o->price_msat + 999) / 1000),
                   o->price_unit);
}

static void print_row(struct table *t, const struct listing *l) {
    const struct offer *o = l->offer;
    cleanup_free char *price = price_text(o), *free_slots = mem_fmt("%u", l->free_slots);
    cleanup_free char *memory = mem_fmt("%u MiB", o->memory_mib);
    char key[20], words[160];
    struct model model;

    model_of_offer(o, &model);
    model_words(&model, words, sizeof words);

    npub_short(o->pubkey, key);
    table_cell(t, view_str(o->d));
    table_cell(t, view_str(o->name));
    table_cell(t, view_str(key));
    table_cell(t, view_str(o->privacy));
    table_cell(t, view_str(o->workload_name));
    table_cell(t, view_str(words));
    table_cell(t, view_str(memory));
    table_cell(t, view_str(price));
    table_cell(t, view_str(l->alive ? free_slots : "-"));
}

static void print_table(struct browse *b) {
    static const char *const titles[] = {"OFFER", "NAME",   "BY",    "CLAIMS", "WORKLOAD",
                                         "MODEL", "MEMORY", "PRICE", "FREE"};
    struct table *t = table_new(COUNT(titles));
    cleanup_buf struct buf text = {0};

    for (size_t i = 0; i < COUNT(titles); i++)
        table_cell(t, view_str(titles[i]));
    for (size_t i = 0, n = browse_count(b); i < n; i++) {
        struct listing l = browse_at(b, i);

        print_row(t, &l);
    }
    table_text(t, false, &text);
    printf("%s\n", text.n ? (const char *)text.p : "");
    table_free(t);
}

static void print_json(const struct listing *l) {
    const struct offer *o = l->offer;
    cleanup_buf struct buf b = {0};
    struct jw w = jw_new(&b);

    jw_obj(&w);
    jw_kstr(&w, "d", o->d);
    jw_kstr(&w, "name", o->name);
    jw_khex(&w, "id", view_of(o->id, 32));
    jw_khex(&w, "provider", view_of(o->pubkey, 32));
    jw_kstr(&w, "claims", o->privacy);
    jw_kstr(&w, "workload", o->workload_name);
    jw_kstr(&w, "model", o->model_name);
    jw_kint(&w, "model_bytes", (int64_t)o->model_bytes);
    jw_kint(&w, "memory_mib", o->memory_mib);
    jw_kint(&w, "kind", o->job_kind);
    jw_kstr(&w, "broker", o->broker);
    jw_khex(&w, "release", view_of(o->release, 32));
    jw_kint(&w, "price_msat", (int64_t)o->price_msat);
    jw_kstr(&w, "price_unit", o->price_unit);
    jw_kbool(&w, "alive", l->alive);
    jw_kint(&w, "free", l->free_slots);
    jw_kint(&w, "queue", l->queue);
    jw_end_obj(&w);
    printf("%s\n", (const char *)b.p);
}

static void on_settled(void *arg) {
    struct offers *x = arg;

    if (!x->json)
        print_table(x->browse);
    for (size_t i = 0, n = browse_count(x->browse); x->json && i < n; i++) {
        struct listing l = browse_at(x->browse, i);

        print_json(&l);
    }
    loop_quit(x->loop);
}

static int run(struct offers *x) {
    static const struct browse_handler h = {.settled = on_settled};
    struct err e;
    int code = EX_CONFIG;

    if ((x->loop = loop_new(&e)) && (x->net = ws_net_new(x->loop, &e)) &&
        (x->browse = browse_new(x->net, (const char *const *)x->set.relay.v, x->set.relay.n,
                                x->policy.profile == POLICY_DEMO, &h, x, &e))) {
        x->settle = loop_timer_add(x->loop, loop_now() + SETTLE_MS, on_settled, x);
        loop_run(x->loop);
        code = browse_relays_up(x->browse) ? EX_OK : EX_UNAVAILABLE;
        if (code != EX_OK)
            fprintf(stderr, "cdvm offers: none of your relays answered\n");
    } else {
        fprintf(stderr, "cdvm offers: %s\n", e.text);
    }
    browse_free(x->browse);
    loop_timer_del(x->settle);
    ws_net_free(x->net);
    loop_free(x->loop);
    return code;
}

static int read_options(struct offers *x, int argc, char **argv) {
    static const struct option options[] = {
        {"relay", required_argument, NULL, 'r'},
        {"policy", required_argument, NULL, 'p'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int c;

    optind = 0;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == '?')
            return -1;
        if (c == 'r')
            settings_list_add(&x->relay, optarg);
        x->policy_word = c == 'p' ? optarg : x->policy_word;
        x->json |= c == 'j';
        x->help |= c == 'h';
    }
    return optind == argc ? 0 : -1;
}

static int offers_with(struct offers *x, int argc, char **argv) {
    struct err e;

    if (read_options(x, argc, argv)) {
        fputs(help, stderr);
        return EX_USAGE;
    }
    if (x->help) {
        fputs(help, stdout);
        return 0;
    }
    settings_list_replace(&x->set.relay, &x->relay);
    if (settings_check(&x->set, &e) ||
        settings_policy(x->policy_word ? x->policy_word : x->set.policy, x->policy_word != NULL,
                        &x->policy, &e)) {
        fprintf(stderr, "cdvm offers: %s\n", e.text);
        return EX_CONFIG;
    }
    return run(x);
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
    settings_list_free(&x.relay);
    settings_free(&x.set);
    return code;
}
