/* A guest that asks the owner of a sealed model for its key, with a report of the simulator's over
 * whatever it likes: for tests of `cdvm broker`, without a machine. Prints "KEY <sha256 of it>" or
 * "NONE".
 *
 * usage: asker -s SIM-FOLDER -r RELAY -b NPUB -i RELEASE.manifest -w ROOT:BLOCKS -m ROOT:BLOCKS
 *              [-x FAULT] [-t SECONDS]
 * faults: debug (its policy allows debugging), replay (evidence for an older nonce), spent (a lie,
 * then good evidence for the same nonce), stolen (a report made for another guest's key), lie (says
 * another workload than it runs), no-nonce (evidence unasked), no-certs
 *
 * usage: asker -s SIM-FOLDER -e OUT
 * An endorser of its own: OUT.npub, OUT.events (an advisory of today, a word for the simulator's
 * chip), OUT.ark (the root, DER). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "attest/reference.h"
#include "attest/snp_report.h"
#include "core/collateral.h"
#include "core/enc.h"
#include "core/hash.h"
#include "core/modelkey.h"
#include "core/pool.h"
#include "core/wrap.h"
#include "provider/psp_sim.h"

#define DEBUG ((uint64_t)1 << 19)

struct asker {
    struct loop *loop;
    struct pool *pool;
    struct psp_sim *psp;
    struct keypair *me, *other;
    struct release *release;
    const char *work, *model, *fault;
    uint8_t broker[32], job[32], nonce[32], old_nonce[32], digest[48];
    bool has_old, shown, answered;
};

static bool fault(const struct asker *a, const char *name) {
    return a->fault && !strcmp(a->fault, name);
}

static void die(const char *what, const struct err *e) {
    fprintf(stderr, "asker: %s: %s\n", what, e ? e->text : "");
    exit(2);
}

static void say(struct asker *a, const char *type, struct view body) {
    int64_t now = unix_now();
    struct rumor *r = msg_make(type, a->job, body, a->me, a->broker, now);
    struct err e;
    struct event *ev = wrap_make(r, a->me, NULL, a->broker, KIND_WRAP, now, now + 600, &e);

    if (!ev || pool_publish(a->pool, ev, &e))
        die(type, &e);
    event_free(ev);
    rumor_free(r);
}

static void measure(struct asker *a) {
    struct launch l = reference_launch(a->release, 1, a->release->guest_features[0]);
    cleanup_buf struct buf cmdline = {0};
    char broker[65];
    struct err e;

    hex_encode(view_of(a->broker, 32), broker);
    if (cmdline_render(a->release->cmdline, a->work, a->model, broker, &cmdline, &e))
        die("command line", &e);
    l.append = (const char *)cmdline.p;
    if (!vcpu_type_signature("EPYC-Genoa", &l.vcpu_signature) || launch_digest(&l, a->digest, &e))
        die("launch digest", &e);
}

static void show(struct asker *a, const uint8_t nonce[static 32]) {
    const struct keypair *in_report = fault(a, "stolen") ? a->other : a->me;
    struct key_evidence ev = {0};
    cleanup_buf struct buf body = {0};
    uint8_t data[64], report[SIM_REPORT_SIZE];
    struct volume model;
    struct err e;

    if (!volume_parse(a->model, &model) || !volume_parse(a->work, &ev.work))
        die("volumes", NULL);
    if (fault(a, "lie") || fault(a, "spent"))
        ev.work.root[0] ^= 1;
    binding_model_data(keypair_pub(in_report), a->broker, nonce, model.root, view_of(NULL, 0),
                       data);
    if (psp_sim_report(a->psp, data, a->digest,
                       a->release->policy | (fault(a, "debug") ? DEBUG : 0), report, &e))
        die("report", &e);
    buf_add(&ev.report, report, sizeof report);
    key_evidence_body(&ev, &body);
    say(a, "key_evidence", buf_view(&body));
    key_evidence_free(&ev);
}

static void send_certs(struct asker *a) {
    struct view der[] = {psp_sim_vek(a->psp), psp_sim_ask(a->psp), psp_sim_ark(a->psp)};
    struct collateral c = {0};
    struct buf *to[] = {&c.vek, &c.ask, &c.ark};
    struct keypair *carrier = keypair_new();
    int64_t now = unix_now();
    struct rumor *part[COLLATERAL_PARTS];
    struct event *ev;
    struct err e;
    size_t n;

    for (size_t i = 0; i < COUNT(der); i++)
        buf_add(to[i], der[i].p, der[i].n);
    if (psp_sim_crl(a->psp, now, &c.crl, &e))
        die("crl", &e);
    if (collateral_make(&c, a->job, carrier, a->broker, now, part, &n, &e) || n != 1)
        die("collateral", &e);
    ev = wrap_make(part[0], carrier, NULL, a->broker, KIND_WRAP, now, now + 600, &e);
    if (!ev || pool_publish(a->pool, ev, &e))
        die("collateral", &e);
    event_free(ev);
    rumor_free(part[0]);
    keypair_free(carrier);
    collateral_free(&c);
}

static void ask(struct asker *a) {
    cleanup_buf struct buf body = {0};
    struct volume model;

    if (!volume_parse(a->model, &model))
        die("model", NULL);
    key_ask_body(model.root, &body);
    say(a, "key_ask", buf_view(&body));
}

static void listen_to_answers(struct asker *a) {
    cleanup_free char *filter = NULL;
    char hex[65];
    struct err e;

    hex_encode(view_of(keypair_pub(a->me), 32), hex);
    filter = mem_fmt("{\"kinds\":[1059],\"#p\":[\"%s\"]}", hex);
    if (pool_subscribe(a->pool, "answers", filter, &e))
        die("subscribe", &e);
}

/* A new job: the next nonce is another one. */
static void begin(struct asker *a) {
    random_bytes(a->job, 32);
    if (!fault(a, "no-certs"))
        send_certs(a);
    ask(a);
}

static void on_nonce(struct asker *a, const struct msg *m) {
    if (key_nonce_parse(m->o, a->nonce, NULL))
        die("nonce", NULL);
    if (fault(a, "replay") && !a->has_old) {
        a->has_old = true;
        memcpy(a->old_nonce, a->nonce, 32);
        begin(a);
        return;
    }
    if (a->shown)
        return;
    a->shown = true;
    show(a, fault(a, "replay") ? a->old_nonce : a->nonce);
    if (fault(a, "spent")) {
        a->fault = NULL;
        show(a, a->nonce);
    }
}

static void on_key(struct asker *a, const struct msg *m) {
    struct secret *key = key_parse(m->o, NULL);
    uint8_t sha[32];
    char hex[65];

    if (!key)
        die("key", NULL);
    sha256(view_of(secret_get(key), secret_len(key)), sha);
    hex_encode(view_of(sha, 32), hex);
    printf("KEY %s\n", hex);
    secret_free(key);
    a->answered = true;
    loop_quit(a->loop);
}

static void on_event(void *arg, const char *sub, const struct event *ev, const char *url) {
    struct asker *a = arg;
    struct rumor *r = wrap_open(ev, a->me, NULL, NULL);
    struct msg m = {0};

    (void)sub, (void)url;
    if (r && !memcmp(r->f.pubkey, a->broker, 32) && !msg_parse(r, &m, NULL)) {
        if (!strcmp(m.type, "key_nonce"))
            on_nonce(a, &m);
        else if (!strcmp(m.type, "key"))
            on_key(a, &m);
        msg_free(&m);
    }
    rumor_free(r);
}

static void on_nothing(void *arg, const char *sub) {
    (void)arg, (void)sub;
}

static void on_ok(void *arg, const uint8_t id[32], bool ok, const char *url, const char *msg) {
    (void)arg, (void)id, (void)url;
    if (!ok)
        fprintf(stderr, "asker: refused: %s\n", msg);
}

static void on_state(void *arg) {
    (void)arg;
}

static void on_late(void *arg) {
    loop_quit(arg);
}

/* --- an endorser --- */

static void add_line(struct buf *out, struct fields *f, const struct keypair *k) {
    struct event *ev = event_sign(f, k);

    event_json(ev, out);
    buf_str(out, "\n");
    event_free(ev);
}

static void write_out(const char *path, const char *ending, struct view v) {
    cleanup_free char *to = mem_fmt("%s.%s", path, ending);
    struct err e;

    if (file_write(to, v, 0644, true, &e))
        die(to, &e);
}

static void endorse(const struct psp_sim *psp, const char *path) {
    struct keypair *k = keypair_new();
    uint8_t report[SIM_REPORT_SIZE], zero[64] = {0};
    struct fields advisory = fields_new(KIND_ADVISORY, unix_now(), view_str("{\"floors\":[]}"));
    struct fields chip = fields_new(KIND_CHIP, unix_now(), view_str("a test's machine"));
    cleanup_free char *until = mem_fmt("%lld", (long long)unix_now() + 86400);
    cleanup_buf struct buf lines = {0};
    char hex[129];
    struct err e;

    if (psp_sim_report(psp, zero, zero, 0x20000, report, &e))
        die("report", &e);
    hex_encode(view_of(report + 0x1a0, 64), hex);
    fields_add(&advisory, "d", "floors");
    fields_add(&advisory, "seq", "1");
    fields_add(&chip, "d", hex);
    fields_add(&chip, "seq", "1");
    fields_add(&chip, "expiration", until);
    add_line(&lines, &advisory, k);
    add_line(&lines, &chip, k);
    write_out(path, "events", buf_view(&lines));
    hex_encode(view_of(keypair_pub(k), 32), hex);
    write_out(path, "npub", view_str(hex));
    write_out(path, "ark", psp_sim_ark(psp));
    keypair_free(k);
}

static void run(struct asker *a, const char *relay, unsigned seconds) {
    static const struct pool_handler h = {
        .event = on_event, .eose = on_nothing, .ok = on_ok, .state = on_state};
    struct err e;
    struct ws_net *net;

    a->loop = loop_new(&e);
    net = ws_net_new(a->loop, &e);
    a->me = keypair_new();
    a->other = keypair_new();
    a->pool = pool_new(net, a->me, &h, a);
    if (pool_add(a->pool, relay, &e))
        die(relay, &e);
    listen_to_answers(a);
    measure(a);
    if (fault(a, "no-nonce")) {
        random_bytes(a->job, 32);
        show(a, a->nonce);
    } else
        begin(a);
    loop_timer_add(a->loop, loop_now() + seconds * 1000, on_late, a->loop);
    loop_run(a->loop);
    if (!a->answered)
        puts("NONE");
    pool_free(a->pool);
    ws_net_free(net);
    loop_free(a->loop);
}

int main(int argc, char **argv) {
    const char *sim = NULL, *relay = NULL, *manifest = NULL, *out = NULL;
    cleanup_buf struct buf content = {0};
    struct asker a = {0};
    unsigned seconds = 3;
    struct err e;
    int c;

    while ((c = getopt(argc, argv, "s:r:b:i:w:m:x:t:e:")) != -1) {
        if (c == 's')
            sim = optarg;
        else if (c == 'r')
            relay = optarg;
        else if (c == 'b' && pubkey_parse(optarg, a.broker, &e))
            die("broker", &e);
        else if (c == 'i')
            manifest = optarg;
        else if (c == 'w')
            a.work = optarg;
        else if (c == 'm')
            a.model = optarg;
        else if (c == 'x')
            a.fault = optarg;
        else if (c == 't')
            seconds = (unsigned)strtoul(optarg, NULL, 10);
        else if (c == 'e')
            out = optarg;
    }
    a.psp = sim ? psp_sim_open(sim, NULL, NULL, &e) : NULL;
    if (!a.psp)
        die("simulator", &e);
    if (out) {
        endorse(a.psp, out);
        return 0;
    }
    if (!relay || !manifest || !a.work || !a.model ||
        file_read(manifest, MANIFEST_MAX, &content, &e) ||
        !(a.release = release_parse(buf_view(&content), &e)))
        die("usage, or the manifest", NULL);
    run(&a, relay, seconds);
    return 0;
}
