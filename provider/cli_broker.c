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
#include "attest/roots.h"
#include "core/hash.h"
#endif

struct broker_options {
    char *list, *state;
    struct conf_list relay, manifests, endorser, endorsement, test_root;
    bool print_key;
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
    {"print-key", CONF_BOOL, AT(print_key), 0, 0, NULL,
     "print your npub, made when there is none yet, and leave"},
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

#ifdef CDVM_TEST_ROOTS
static int take_test_root(const char *path, struct err *e) {
    uint8_t sha[32];

    if (sha256_file(path, sha, e))
        return -1;
    for (int p = PRODUCT_MILAN; p <= PRODUCT_TURIN; p++)
        roots_test_add((enum snp_product)p, sha);
    return 0;
}
#endif

static int check(const struct broker_options *o, struct err *e) {
    if (!o->relay.n && !o->print_key)
        return err_set(e, "bad-config", "no relay is configured: name one with --relay");
    for (size_t i = 0; i < o->relay.n; i++)
        if (!url_form_ok(o->relay.v[i], "ws"))
            return err_set(e, "bad-config", "relay '%s' is not a ws:// or wss:// address",
                           o->relay.v[i]);
#ifdef CDVM_TEST_ROOTS
    for (size_t i = 0; i < o->test_root.n; i++)
        if (take_test_root(o->test_root.v[i], e))
            return -1;
#endif
    return 0;
}

static void on_signal(void *arg, int sig) {
    (void)sig;
    loop_quit(arg);
}

/* Owned. */
static char *npub_of(const struct keypair *key) {
    struct nip19 n = {.type = NIP19_NPUB};
    struct buf npub = {0};

    memcpy(n.id, keypair_pub(key), 32);
    (void)!nip19_encode(&n, &npub, NULL);
    return buf_take(&npub);
}

static void greet(const struct keypair *key, const struct broker_house *house) {
    cleanup_free char *npub = npub_of(key);

    log_line(LOG_INFO, "broker", "%s, %zu rows", npub, broker_house_rows(house));
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

static int serve_list(const struct broker_options *o, const struct keypair *own, const char *state,
                      struct err *e) {
    cleanup_free char *list = o->list ? mem_str(o->list) : conf_path(CONF_CONFIG, "broker.list", e);
    cleanup_free char *book = mem_fmt("%s/book", state), *memory = mem_fmt("%s/memory", state);
    const struct broker_files f = {.list = list,
                                   .manifests = (const char *const *)o->manifests.v,
                                   .n_manifests = o->manifests.n,
                                   .endorsers = (const char *const *)o->endorser.v,
                                   .n_endorsers = o->endorser.n,
                                   .endorsements = (const char *const *)o->endorsement.v,
                                   .n_endorsements = o->endorsement.n,
                                   .memory = memory};
    struct broker_conf c = {
        .key = own, .relays = (const char *const *)o->relay.v, .n_relays = o->relay.n};
    int rc = -1;

    if (list && (c.house = broker_house_open(&f, e)) && (c.book = broker_book_open(book, e)))
        rc = with_net(&c, e);
    broker_book_free(c.book);
    broker_house_free(c.house);
    return rc;
}

static int print_key(const struct keypair *own) {
    cleanup_free char *npub = npub_of(own);

    puts(npub);
    return 0;
}

static int run(const struct broker_options *o, struct err *e) {
    cleanup_free char *state = state_folder(o, e);
    cleanup_free char *key = state ? mem_fmt("%s/key", state) : NULL;
    struct keypair *own = key ? identity_open(key, e) : NULL;
    int rc = -1;

    if (own)
        rc = o->print_key ? print_key(own) : serve_list(o, own, state, e);
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
