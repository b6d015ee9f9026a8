/* cdvm broker: the owner of sealed models gives their keys to the guests on its list. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "broker.h"
#include "cli.h"
#include "confargs.h"
#include "core/dvm.h"
#include "core/enc.h"
#include "core/log.h"
#include "identity.h"
#ifdef CDVM_TEST_ROOTS
#include "tui/verify_files.h"
#endif

struct broker_options {
    char *list, *state;
    struct conf_list relay, manifests, endorser, endorsement, test_root;
};

#define AT(field) offsetof(struct broker_options, field)
static const struct conf_key keys[] = {
    {"list", CONF_STRING, AT(list), 0, 0, NULL, "which guests get which key (broker.list)"},
    {"relay", CONF_LIST, AT(relay), 0, 250, NULL,
     "relay to be asked on: one of those that the offers name (repeat for more)"},
    {"manifests", CONF_LIST, AT(manifests), 0, 0, NULL,
     "folder with the manifests of the listed releases (repeat for more)"},
    {"endorser", CONF_LIST, AT(endorser), 0, 100, NULL,
     "npub whose word on machines and firmware counts (repeat for more)"},
    {"endorsement", CONF_LIST, AT(endorsement), 0, 0, NULL,
     "file of their events, kinds 31880 to 31882, one a line (repeat for more)"},
    {"state", CONF_STRING, AT(state), 0, 0, NULL, "folder for key and book"},
#ifdef CDVM_TEST_ROOTS
    {"test-root", CONF_LIST, AT(test_root), 0, 0, NULL, "take this root for AMD's"},
#endif
};

static void print_usage(FILE *to) {
    fputs("usage: cdvm broker [OPTION]...\n\n"
          "Answers guests that ask for the key of a sealed model: verifies their evidence under\n"
          "the strict policy, and gives the key to those on your list alone. One line for each\n"
          "decision on standard output. `cdvm image seal` makes models, keys and rows.\n\n",
          to);
    for (size_t i = 0; i < COUNT(keys); i++)
        fprintf(to, "  --%-12s %s\n", keys[i].name, keys[i].help);
    fputs("  --config FILE  instead of broker.conf in the configuration folder\n"
          "  -h, --help     this text\n\n"
          "The same names stand in broker.conf as `name = value`.\n",
          to);
}

static int complain(const struct err *e) {
    static const struct {
        const char *code;
        int exit;
    } codes[] = {{"usage", EX_USAGE},         {"bad-config", EX_CONFIG}, {"bad-list", EX_CONFIG},
                 {"unsafe-key", EX_NOPERM},   {"bad-key", EX_DATAERR},   {"book", EX_IOERR},
                 {"bad-manifest", EX_DATAERR}};

    fprintf(stderr, "cdvm broker: %s\n", e->text);
    for (size_t i = 0; i < COUNT(codes); i++)
        if (!strcmp(e->code, codes[i].code))
            return codes[i].exit;
    return EX_OSERR;
}

static int check(const struct broker_options *o, struct err *e) {
    if (!o->relay.n)
        return err_set(e, "bad-config", "no relay is configured: name one with --relay");
    for (size_t i = 0; i < o->relay.n; i++)
        if (!url_form_ok(o->relay.v[i], "ws"))
            return err_set(e, "bad-config", "relay '%s' is not a ws:// or wss:// address",
                           o->relay.v[i]);
#ifdef CDVM_TEST_ROOTS
    for (size_t i = 0; i < o->test_root.n; i++)
        if (!verify_test_root(o->test_root.v[i]))
            return err_set(e, "bad-config", "test-root '%s'", o->test_root.v[i]);
#endif
    return 0;
}

static void on_signal(void *arg, int sig) {
    (void)sig;
    loop_quit(arg);
}

static void greet(const struct keypair *key, const struct broker_house *house) {
    struct nip19 n = {.type = NIP19_NPUB};
    cleanup_buf struct buf npub = {0};

    memcpy(n.id, keypair_pub(key), 32);
    if (nip19_encode(&n, &npub, NULL) == 0)
        log_line(LOG_INFO, "broker", "%s, %zu rows", (const char *)npub.p,
                 broker_house_rows(house));
}

static int serve(const struct broker_conf *c, struct err *e) {
    struct loop *l = ws_loop(c->net);
    struct broker *b = broker_new(c, e);

    if (!b)
        return -1;
    loop_signal(l, SIGINT, on_signal, l);
    loop_signal(l, SIGTERM, on_signal, l);
    loop_signal(l, SIGHUP, on_signal, l);
    greet(c->key, c->house);
    loop_run(l);
    broker_free(b);
    return 0;
}

static int with_net(struct broker_conf *c, struct err *e) {
    struct loop *l = loop_new(e);
    int rc = -1;

    c->net = l ? ws_net_new(l, e) : NULL;
    if (c->net)
        rc = serve(c, e);
    ws_net_free(c->net);
    loop_free(l);
    return rc;
}

static char *state_folder(const struct broker_options *o, struct err *e) {
    char *dir = o->state ? mem_str(o->state) : conf_path(CONF_STATE, "broker", e);

    if (!dir || mkdir(dir, 0700) == 0 || errno == EEXIST)
        return dir;
    err_sys(e, errno, "cannot make the folder '%s'", dir);
    cleanup_free_fn(&dir);
    return NULL;
}

static int run(const struct broker_options *o, struct err *e) {
    cleanup_free char *list = o->list ? mem_str(o->list) : conf_path(CONF_CONFIG, "broker.list", e);
    cleanup_free char *state = state_folder(o, e);
    cleanup_free char *key = NULL, *book = NULL;
    const struct broker_files f = {list,
                                   (const char *const *)o->manifests.v,
                                   o->manifests.n,
                                   (const char *const *)o->endorser.v,
                                   o->endorser.n,
                                   (const char *const *)o->endorsement.v,
                                   o->endorsement.n};
    struct broker_conf c = {.relays = (const char *const *)o->relay.v, .n_relays = o->relay.n};
    struct keypair *own = NULL;
    int rc = -1;

    if (!list || !state)
        return -1;
    key = mem_fmt("%s/key", state);
    book = mem_fmt("%s/book", state);
    if ((c.key = own = identity_open(key, e)) && (c.house = broker_house_open(&f, e)) &&
        (c.book = broker_book_open(book, e)))
        rc = with_net(&c, e);
    broker_book_free(c.book);
    broker_house_free(c.house);
    keypair_free(own);
    return rc;
}

int cli_broker(int argc, char **argv) {
    const struct confargs a = {keys, COUNT(keys), "broker.conf"};
    struct broker_options o = {0};
    struct err e;
    int rc = confargs_read(&a, argc, argv, &o, &e);

    log_to(STDOUT_FILENO, LOG_INFO, true);
    signal(SIGPIPE, SIG_IGN);
    if (rc == 1)
        print_usage(stdout);
    else if (rc == 0)
        rc = check(&o, &e) ? -1 : run(&o, &e);
    conf_free(keys, COUNT(keys), &o);
    return rc < 0 ? complain(&e) : 0;
}
