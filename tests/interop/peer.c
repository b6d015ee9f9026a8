/* Our side of the interoperability tests: core/ behind a few verbs, so that other implementations
 * can be set against it. Keys here are throw-away ones; nothing else takes keys as arguments.
 *
 *   peer encrypt SK PUB < text          peer decrypt SK PUB < payload
 *   peer wrap SK PUB [KIND] < text      a gift wrap holding a kind 14 rumor
 *   peer unwrap SK < wrap               the rumor, every check passed
 *   peer publish URL SK < event-text    signs a kind 1 note and publishes it
 *   peer send URL SK < event            publishes a signed event as it is
 *   peer fetch URL SK FILTER            stored events, one a line
 *   peer put SERVER < blob              prints the sha256
 *   peer get SERVER SHA256              prints the blob
 *   peer lock SK PASSPHRASE             prints an ncryptsec
 *   peer unlock PASSPHRASE < ncryptsec  prints the secret key
 *   peer bunker URL SK                  has a remote signer sign, prints the event
 *   peer sell URL NAME                  offers a machine, prints who was introduced by the first
 *                                       request: a public key, or "nobody"                     */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/blossom.h"
#include "core/enc.h"
#include "core/hash.h"
#include "core/introduction.h"
#include "core/kinds.h"
#include "core/nip44.h"
#include "core/nip46.h"
#include "core/nip49.h"
#include "core/offer.h"
#include "core/pool.h"
#include "core/wrap.h"
#include "tests/unit/table_offer.h"

#define WAIT_MS 10000

static struct loop *loop;
static struct ws_net *net;

static void die(const char *what, const struct err *e) {
    fprintf(stderr, "peer: %s: %s\n", what, e->text);
    exit(1);
}

static void check(int rc, const char *what, const struct err *e) {
    if (rc < 0)
        die(what, e);
}

static struct buf input(void) {
    struct buf b = {0};
    uint8_t chunk[65536];
    ssize_t n;

    while ((n = read(STDIN_FILENO, chunk, sizeof chunk)) > 0)
        buf_add(&b, chunk, (size_t)n);
    if (b.full) {
        fputs("peer: too much input\n", stderr);
        exit(64);
    }
    buf_add(&b, "", 0);
    return b;
}

static void print(struct view v) {
    fwrite(v.p, 1, v.n, stdout);
}

static void key_arg(const char *hex, uint8_t out[32]) {
    if (!hex_decode_str(hex, out, 32)) {
        fprintf(stderr, "peer: '%s' is not a key\n", hex);
        exit(64);
    }
}

static struct keypair *secret_arg(const char *hex) {
    uint8_t sk[32];
    struct err e;
    struct keypair *k;

    key_arg(hex, sk);
    if (!(k = keypair_from(sk, &e)))
        die("key", &e);
    return k;
}

/* ---- encryption ---- */

static struct nip44_key conversation(char **v) {
    struct keypair *k = secret_arg(v[0]);
    uint8_t pub[32];
    struct nip44_key key;
    struct err e;

    key_arg(v[1], pub);
    check(nip44_conversation(k, pub, &key, &e), "conversation", &e);
    keypair_free(k);
    return key;
}

static int do_encrypt(char **v) {
    struct nip44_key key = conversation(v);
    struct buf in = input(), out = {0};
    struct err e;

    check(nip44_encrypt(&key, buf_view(&in), NULL, &out, &e), "encrypt", &e);
    print(buf_view(&out));
    return 0;
}

static int do_decrypt(char **v) {
    struct nip44_key key = conversation(v);
    struct buf in = input(), out = {0};
    struct err e;

    check(nip44_decrypt(&key, buf_view(&in), &out, &e), "decrypt", &e);
    print(buf_view(&out));
    return 0;
}

static void print_event(const struct event *ev) {
    struct buf out = {0};

    event_json(ev, &out);
    buf_str(&out, "\n");
    print(buf_view(&out));
    buf_free(&out);
}

static int do_wrap(char **v) {
    struct keypair *k = secret_arg(v[0]);
    uint32_t kind = v[2] ? (uint32_t)strtoul(v[2], NULL, 10) : KIND_WRAP;
    struct buf in = input();
    struct fields f = fields_new(14, unix_now(), buf_view(&in));
    struct rumor *rumor;
    struct event *ev;
    uint8_t pub[32];
    struct err e;

    key_arg(v[1], pub);
    fields_add(&f, "p", v[1]);
    rumor = rumor_make(&f, keypair_pub(k));
    if (!(ev = wrap_make(rumor, k, NULL, pub, kind, unix_now(), 0, &e)))
        die("wrap", &e);
    print_event(ev);
    return 0;
}

static int do_unwrap(char **v) {
    struct keypair *k = secret_arg(v[0]);
    struct buf in = input(), out = {0};
    struct event *ev;
    struct rumor *rumor;
    struct err e;

    if (!(ev = event_parse(buf_view(&in), &e)))
        die("wrap", &e);
    if (!(rumor = wrap_open(ev, k, NULL, &e)))
        die("unwrap", &e);
    rumor_json(rumor, &out);
    print(buf_view(&out));
    return 0;
}

/* ---- relays ---- */

struct talk {
    struct pool *pool;
    bool done, ok;
    char why[256];
};

static void on_event(void *arg, const char *sub, const struct event *ev, const char *url) {
    (void)arg, (void)sub, (void)url;
    print_event(ev);
}

static void on_eose(void *arg, const char *sub) {
    struct talk *t = arg;

    (void)sub;
    if (t->done)
        return;
    t->done = true;
    t->ok = pool_up(t->pool) > 0;
    snprintf(t->why, sizeof t->why, "the relay cannot be reached");
}

static void on_closed(void *arg, const char *sub, const char *url, const char *why) {
    struct talk *t = arg;

    (void)sub, (void)url;
    if (!*why)
        return; /* rust-nostr ends a request for ids so when it has sent them all */
    t->done = true;
    snprintf(t->why, sizeof t->why, "%s", why);
}

static void on_ok(void *arg, const uint8_t id[32], bool ok, const char *url, const char *msg) {
    struct talk *t = arg;

    (void)id, (void)url;
    t->done = true;
    t->ok = ok;
    snprintf(t->why, sizeof t->why, "%s", msg);
}

static struct pool *pool_to(const char *url, const struct keypair *k, struct talk *t) {
    static const struct pool_handler h = {
        .event = on_event, .eose = on_eose, .ok = on_ok, .closed = on_closed};
    struct pool *p = pool_new(net, k, &h, t);
    struct err e;

    t->pool = p;
    check(pool_add(p, url, &e), "relay", &e);
    return p;
}

static int finish(struct talk *t) {
    int64_t end = loop_now() + WAIT_MS;

    while (!t->done && loop_now() < end)
        loop_turn(loop, 100);
    if (!t->ok)
        fprintf(stderr, "peer: %s\n", t->done ? t->why : "no answer");
    return t->ok ? 0 : 1;
}

static int publish(const char *url, const struct keypair *k, const struct event *ev) {
    struct talk t = {0};
    struct pool *p = pool_to(url, k, &t);
    struct err e;
    int rc;

    check(pool_publish(p, ev, &e), "publish", &e);
    rc = finish(&t);
    pool_free(p);
    return rc;
}

static int do_publish(char **v) {
    struct keypair *k = secret_arg(v[1]);
    struct buf in = input();
    struct fields f = fields_new(1, unix_now(), buf_view(&in));
    struct event *ev = event_sign(&f, k);

    print_event(ev);
    return publish(v[0], k, ev);
}

static int do_send(char **v) {
    struct keypair *k = secret_arg(v[1]);
    struct buf in = input();
    struct err e;
    struct event *ev;

    while (in.n && in.p[in.n - 1] == '\n')
        in.n--;
    if (!(ev = event_parse(buf_view(&in), &e)))
        die("event", &e);
    return publish(v[0], k, ev);
}

static int do_fetch(char **v) {
    struct keypair *k = secret_arg(v[1]);
    struct talk t = {0};
    struct pool *p = pool_to(v[0], k, &t);
    struct err e;
    int rc;

    check(pool_subscribe(p, "fetch", v[2], &e), "filter", &e);
    rc = finish(&t);
    pool_free(p);
    keypair_free(k);
    return rc;
}

/* ---- blobs ---- */

static void on_blob(void *arg, struct view body, const struct err *e) {
    struct talk *t = arg;

    t->done = true;
    t->ok = !e;
    if (e)
        snprintf(t->why, sizeof t->why, "%.200s", e->text);
    else
        print(body);
}

static int do_put(char **v) {
    struct buf in = input();
    struct talk t = {0};
    uint8_t sha[32];
    char hex[65];
    struct err e;
    struct http *h = http_new(loop, &e);

    if (!blossom_put(h, v[0], buf_view(&in), true, on_blob, NULL, &t, &e))
        die("put", &e);
    if (finish(&t))
        return 1;
    sha256(buf_view(&in), sha);
    hex_encode(view_of(sha, 32), hex);
    puts(hex);
    return 0;
}

static int do_get(char **v) {
    struct talk t = {0};
    uint8_t sha[32];
    struct err e;
    struct http *h = http_new(loop, &e);

    key_arg(v[1], sha);
    if (!blossom_get(h, v[0], sha, 32 << 20, true, on_blob, NULL, &t, &e))
        die("get", &e);
    return finish(&t);
}

/* ---- keys under a passphrase ---- */

static int do_lock(char **v) {
    struct keypair *k = secret_arg(v[0]);
    struct buf text = {0};
    struct err e;

    check(nip49_write(k, view_str(v[1]), NIP49_UNTOLD, &text, &e), "lock", &e);
    print(buf_view(&text));
    buf_free(&text);
    keypair_free(k);
    return 0;
}

static int do_unlock(char **v) {
    struct buf text = input();
    struct keypair *k;
    struct nip49 n;
    char hex[65];
    struct err e;

    check(nip49_parse(buf_view(&text), &n, &e), "ncryptsec", &e);
    if (!(k = nip49_open(&n, view_str(v[0]), &e)))
        die("unlock", &e);
    hex_encode(view_of(secret_get(keypair_secret(k)), 32), hex);
    print(view_str(hex));
    keypair_free(k);
    buf_free(&text);
    return 0;
}

/* ---- a remote signer ---- */

static struct nip46 *bunker;
static int bunker_rc = -1;

static void on_signed(void *arg, const struct event *ev, const struct err *why) {
    struct buf json = {0};

    (void)arg;
    if (!ev)
        die("sign", why);
    event_json(ev, &json);
    print(buf_view(&json));
    buf_free(&json);
    bunker_rc = 0;
    loop_quit(loop);
}

static void on_bunker(void *arg, const uint8_t user[static 32]) {
    struct fields f = fields_new(KIND_INTRODUCTION, unix_now(), view_str(""));
    struct err e;

    (void)arg;
    (void)user;
    fields_add(&f, "p", "a \"quoted\" value");
    check(nip46_sign(bunker, &f, on_signed, NULL, &e), "sign", &e);
}

static void on_visit(void *arg, const char *url) {
    (void)arg;
    fprintf(stderr, "peer: visit %s\n", url);
}

static void on_bunker_failed(void *arg, const struct err *why) {
    (void)arg;
    die("signer", why);
}

static void on_late(void *arg) {
    (void)arg;
    fputs("peer: nobody says anything\n", stderr);
    loop_quit(loop);
}

static int do_bunker(char **v) {
    static const struct nip46_handler h = {on_bunker, on_visit, on_bunker_failed};
    struct keypair *k = secret_arg(v[1]);
    struct loop_timer *late = loop_timer_add(loop, loop_now() + WAIT_MS, on_late, NULL);
    struct signer_url at;
    struct err e;

    check(signer_url_parse(view_str(v[0]), &at, &e), "address", &e);
    if (!(bunker = nip46_new(net, &at, k, NULL, &h, NULL, &e)))
        die("signer", &e);
    loop_run(loop);
    nip46_free(bunker);
    loop_timer_del(late);
    keypair_free(k);
    return bunker_rc;
}

/* ---- a seller who reads one request ---- */

static struct keypair *seller;
static bool asked;

static void on_request(void *arg, const char *sub, const struct event *ev, const char *url) {
    struct rumor *r;
    struct job_request q;
    uint8_t who[32];
    char hex[65] = "nobody";
    struct err e;
    int rc;

    (void)arg, (void)sub, (void)url;
    if (asked || !(r = wrap_open(ev, seller, NULL, &e)))
        return;
    check(job_request_parse(r, unix_now(), &q, &e), "request", &e);
    rc = introduction_of(&q, unix_now(), who, &e);
    check(rc, "introduction", &e);
    if (rc > 0)
        hex_encode(view_of(who, 32), hex);
    puts(hex);
    rumor_free(r);
    asked = true;
    loop_quit(loop);
}

static void put_up(struct pool *p, struct event *ev) {
    struct err e;

    check(pool_publish(p, ev, &e), "publish", &e);
    event_free(ev);
}

static void offer_machine(struct pool *p, const char *url, const char *name) {
    const struct offer o = table_offer(name, url);
    struct heartbeat h = {.expiration = unix_now() + 300, .free_slots = 1};

    put_up(p, offer_make(&o, seller, unix_now()));
    put_up(p, heartbeat_make(&h, seller, unix_now()));
}

static int do_sell(char **v) {
    static const struct pool_handler h = {.event = on_request};
    struct loop_timer *late = loop_timer_add(loop, loop_now() + WAIT_MS, on_late, NULL);
    char hex[65], filter[160];
    struct pool *p;
    struct err e;

    seller = keypair_new();
    hex_encode(view_of(keypair_pub(seller), 32), hex);
    snprintf(filter, sizeof filter, "{\"kinds\":[1059,21059],\"#p\":[\"%s\"]}", hex);
    p = pool_new(net, seller, &h, NULL);
    check(pool_add(p, v[0], &e), "relay", &e);
    check(pool_subscribe(p, "inbox", filter, &e), "filter", &e);
    offer_machine(p, v[0], v[1]);
    loop_run(loop);
    pool_free(p);
    loop_timer_del(late);
    keypair_free(seller);
    return asked ? 0 : 1;
}

static const struct {
    const char *name;
    int args;
    int (*run)(char **v);
} verbs[] = {
    {"encrypt", 2, do_encrypt}, {"decrypt", 2, do_decrypt}, {"wrap", 2, do_wrap},
    {"unwrap", 1, do_unwrap},   {"publish", 2, do_publish}, {"send", 2, do_send},
    {"fetch", 3, do_fetch},     {"put", 1, do_put},         {"get", 2, do_get},
    {"lock", 2, do_lock},       {"unlock", 1, do_unlock},   {"bunker", 2, do_bunker},
    {"sell", 2, do_sell},
};

int main(int argc, char **argv) {
    struct err e;

    loop = loop_new(&e);
    net = loop ? ws_net_new(loop, &e) : NULL;
    if (!net)
        die("start", &e);
    for (size_t i = 0; argc > 1 && i < COUNT(verbs); i++)
        if (strcmp(argv[1], verbs[i].name) == 0 && argc - 2 >= verbs[i].args)
            return verbs[i].run(argv + 2);
    fputs("usage: peer VERB ARGUMENT... (see the top of peer.c)\n", stderr);
    return 64;
}
