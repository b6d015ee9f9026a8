/* cdvm relay: the embedded relay and blob store as a program of its own. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "relayd.h"
#include "core/cli_option.h"
#include "core/conf.h"
#include "core/log.h"

enum { EX_USAGE = 64, EX_UNAVAILABLE = 69 };

static const char usage[] =
    "usage: cdvm relay [OPTION]...\n"
    "\n"
    "A small Nostr relay and Blossom blob store on one port.\n"
    "\n"
    "  --port N        port to listen on; 0 takes a free one and prints it (default 7777)\n"
    "  --bind ADDRESS  numeric address to listen on (default 127.0.0.1: this machine only)\n"
    "  --db PATH       a folder, made if absent, or a file ending in .db (default: the folder\n"
    "                  `relay` in ${XDG_DATA_HOME:-~/.local/share}/cdvm)\n"
    "  --url URL       public ws:// or wss:// address, when there is a proxy or a name\n"
    "  --pow BITS      proof of work wanted of every event (NIP-13; default 0)\n"
    "  --rate N        events a second taken from one connection\n"
    "  --max-blob MIB  largest blob (default 64)\n"
    "  --max-blobs MIB all blobs together (default 8192)\n"
    "  --verbose       log to stderr\n"
    "  --help          this text\n";

struct settings {
    struct relayd_opts o;
    bool verbose, help;
};

static bool number(const char *s, unsigned long max, unsigned long *out) {
    char *end;

    *out = strtoul(s, &end, 10);
    return *s >= '0' && *s <= '9' && !*end && *out <= max;
}

static int bad_number(const char *option, const char *value) {
    fprintf(stderr, "cdvm relay: --%s does not take '%s'\n", option, value);
    return -1;
}

static int take_number(struct settings *s, char opt, const char *name, const char *value) {
    unsigned long n;

    if (!number(value, opt == 'p' ? 65535 : opt == 'w' ? 256 : 1u << 30, &n))
        return bad_number(name, value);
    switch (opt) {
    case 'p':
        s->o.port = (uint16_t)n;
        break;
    case 'w':
        s->o.min_pow = (unsigned)n;
        break;
    case 'r':
        s->o.events_per_s = (unsigned)n;
        break;
    case 'm':
        s->o.max_blob = (uint64_t)n << 20;
        break;
    case 'M':
        s->o.max_blobs = (uint64_t)n << 20;
        break;
    }
    return 0;
}

static int take_options(struct settings *s, int argc, char **argv) {
    static const struct option longs[] = {
        {"port", 1, NULL, 'p'},
        {"bind", 1, NULL, 'b'},
        {"db", 1, NULL, 'd'},
        {"url", 1, NULL, 'u'},
        {"pow", 1, NULL, 'w'},
        {"rate", 1, NULL, 'r'},
        {"max-blob", 1, NULL, 'm'},
        {"max-blobs", 1, NULL, 'M'},
        {"verbose", 0, NULL, 'v'},
        {"help", 0, NULL, 'h'},
        {0},
    };
    struct err e;
    int opt, at = 0;

    optind = 1;
    while ((opt = cli_option(argc, argv, CLI_WORDS_ANYWHERE "h", longs, &at, &e)) != -1) {
        if (opt == '?') {
            fprintf(stderr, "cdvm relay: %s\n", e.text);
            return -1;
        }
        if (opt == 'b')
            s->o.bind = optarg;
        else if (opt == 'd')
            s->o.path = optarg;
        else if (opt == 'u')
            s->o.url = optarg;
        else if (opt == 'v')
            s->verbose = true;
        else if (opt == 'h')
            s->help = true;
        else if (take_number(s, (char)opt, longs[at].name, optarg) < 0)
            return -1;
    }
    if (optind < argc)
        fprintf(stderr, "cdvm relay: '%s' is not an option\n", argv[optind]);
    return optind < argc ? -1 : 0;
}

static void on_stop(void *arg, int sig) {
    (void)sig;
    loop_quit(arg);
}

static int serve(struct loop *l, struct ws_net *n, struct relayd_opts o, struct err *e) {
    cleanup_free char *usual = o.path ? NULL : conf_path(CONF_DATA, "relay", e);
    struct relayd *r;

    if (!o.path && !(o.path = usual))
        return -1;
    if (!(r = relayd_new(n, &o, e)))
        return -1;
    printf("relay  %s\nblobs  %s\n", relayd_url(r), relayd_blob_url(r));
    fflush(stdout);
    if (o.bind && !o.url && !relayd_loopback(r))
        fputs("cdvm relay: without --url, clients can authenticate (NIP-42) only where they call "
              "it by this very address\n",
              stderr);
    loop_signal(l, SIGINT, on_stop, l);
    loop_signal(l, SIGTERM, on_stop, l);
    loop_run(l);
    relayd_free(r);
    return 0;
}

int cli_relay(int argc, char **argv) {
    struct settings s = {.o = {.port = 7777}};
    struct ws_net *n = NULL;
    struct loop *l;
    struct err e;
    int rc = -1;

    if (take_options(&s, argc, argv) < 0) {
        fputs("`cdvm relay --help` lists the options\n", stderr);
        return EX_USAGE;
    }
    if (s.help)
        return fputs(usage, stdout) < 0 ? EX_UNAVAILABLE : 0;
    log_to(STDERR_FILENO, s.verbose ? LOG_DEBUG : LOG_ERROR, true);
    if ((l = loop_new(&e)) && (n = ws_net_new(l, &e)))
        rc = serve(l, n, s.o, &e);
    if (rc < 0)
        fprintf(stderr, "cdvm relay: %s\n", e.text);
    ws_net_free(n);
    loop_free(l);
    return rc < 0 ? EX_UNAVAILABLE : 0;
}
