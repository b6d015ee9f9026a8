/* A seller and his guest in one small program: it offers a simulated machine with GPUs, and answers
 * every request with a report of the simulator that binds GPUs captured elsewhere, and with what
 * NVIDIA signed about them, last message first. No machine runs: what a customer's program makes of
 * such evidence is all that is looked at.
 *
 * usage: gpu_guest RELAY CAPTURES CONFIG [LIST]
 * CAPTURES: gpu/ of the vectors; LIST: instead of its H100, a list in the form that tools share.
 * CONFIG gets the customer's pins and sim-roots; manifests go where the customer keeps them. */
#include "core/collateral.h"
#include "core/enc.h"
#include "core/hello.h"
#include "core/loop.h"
#include "tui/trust.h"
#include "core/pool.h"
#include "core/wrap.h"
#include "core/xfer.h"
#include "tests/unit/world.h"

struct seller {
    struct world w;
    struct loop *loop;
    struct pool *pool;
    struct keypair *p, *g;
    struct gpu_list list;
    struct gpu_evidence gpu[GPUS_MAX];
    struct collateral carried;
    struct talk *talk;
    const char *captures;
};

static void must(bool ok, const struct err *e) {
    if (ok)
        return;
    fprintf(stderr, "gpu_guest: %s\n", e->text);
    exit(2);
}

static void load(const struct seller *s, const char *name, struct buf *out) {
    cleanup_free char *path = mem_fmt("%s/%s", s->captures, name);
    struct err e;

    must(!file_read(path, GPU_LIST_MAX, out, &e), &e);
}

static void load_h100(struct seller *s) {
    cleanup_buf struct buf report = {0}, chain = {0};
    struct err e;

    load(s, "h100-550.90.07/report.bin", &report);
    load(s, "h100-550.90.07/chain.pem", &chain);
    s->list.item = mem_new(sizeof *s->list.item);
    s->list.n = 1;
    must(!gpu_item_read(&s->list.item[0], "HOPPER", buf_view(&report), buf_view(&chain), &e), &e);
}

static void load_list(struct seller *s, const char *name) {
    cleanup_buf struct buf json = {0};
    struct err e;

    load(s, name, &json);
    must(!gpu_list_parse(buf_view(&json), &s->list, &e), &e);
}

/* As a driver in order would say it of each. */
static void load_gpus(struct seller *s, const char *list) {
    struct err e;

    if (list)
        load_list(s, list);
    else
        load_h100(s);
    for (size_t i = 0; i < s->list.n; i++) {
        s->list.item[i].has_state = true;
        memcpy(s->list.item[i].ev.state, (const uint8_t[]){1, 0, 2, list != NULL}, 4);
    }
    must(!gpu_list_bound(&s->list, s->gpu, &e), &e);
    s->w.ev.gpu = s->gpu;
    s->w.ev.n_gpu = s->list.n;
}

static void load_carried(struct seller *s) {
    static const struct {
        enum collateral_kind kind;
        const char *name;
    } files[] = {
        {COLL_RIM, "h100-550.90.07/NV_GPU_DRIVER_GH100_550.90.07.xml"},
        {COLL_RIM, "h100-550.90.07/NV_GPU_VBIOS_1010_0200_882_96009F0001.xml"},
        {COLL_OCSP, "h100-550.90.07/ocsp/gpu-chain-1-brom.der"},
        {COLL_OCSP, "h100-550.90.07/ocsp/gpu-chain-2-provisioner-ica.der"},
        {COLL_OCSP, "h100-550.90.07/ocsp/gpu-chain-3-identity.der"},
    };
    struct collateral *c = &s->carried;

    for (size_t i = 0; i < COUNT(files); i++) {
        cleanup_buf struct buf b = {0};

        load(s, files[i].name, &b);
        world_must(collateral_add(c, files[i].kind, buf_view(&b)));
    }
    buf_add(&c->vek, s->w.c.vek.p, s->w.c.vek.n);
    buf_add(&c->ask, s->w.c.ask.p, s->w.c.ask.n);
    buf_add(&c->ark, s->w.c.ark.p, s->w.c.ark.n);
    buf_add(&c->crl, s->w.crl.p, s->w.crl.n);
}

/* --- what is said --- */

static void publish(struct seller *s, struct event *ev) {
    struct err e;

    world_must(ev);
    must(!pool_publish(s->pool, ev, &e), &e);
    event_free(ev);
}

static void say(struct seller *s, struct rumor *r) {
    world_must(r);
    publish(s, wrap_make(r, s->p, NULL, s->w.request.customer, KIND_WRAP, unix_now(), 0, NULL));
    rumor_free(r);
}

static void talk_out(void *arg, const struct rumor *r, bool stored) {
    struct seller *s = arg;

    publish(s, wrap_make(r, s->g, NULL, s->w.request.customer,
                         stored ? KIND_WRAP : KIND_WRAP_EPHEMERAL, unix_now(), 0, NULL));
}

static void talk_in(void *arg, const struct talk_msg *m) {
    (void)arg;
    (void)m;
}

static void talk_over(void *arg, const struct err *e) {
    (void)arg;
    (void)e;
}

static void feedback(struct seller *s) {
    struct job_feedback f = {.status = JOB_PROCESSING, .phase = PHASE_ATTESTING};

    memcpy(f.job, s->w.request.id, 32);
    say(s, job_feedback_make(&f, s->p, s->w.request.customer, unix_now()));
}

static void carry(struct seller *s) {
    struct rumor *part[COLLATERAL_PARTS];
    struct err e;
    size_t n;

    must(!collateral_make(&s->carried, s->w.request.id, s->p, s->w.request.customer, unix_now(),
                          part, &n, &e),
         &e);
    printf("collateral: %zu messages\n", n);
    while (n)
        say(s, part[--n]);
}

static void hello(struct seller *s) {
    static const struct talk_handler h = {
        .send = talk_out, .message = talk_in, .broken = talk_over};
    cleanup_buf struct buf body = {0}, json = {0};
    struct jw w = jw_new(&json);
    struct hello out = {.has_echo = true};
    struct xfer_meta m;
    struct xfer_out *x;
    struct err e;

    gpu_list_write(s->gpu, s->list.n, s->list.item[0].nonce, &w);
    buf_add(&out.report, s->w.report, sizeof s->w.report);
    memcpy(out.echo_customer, s->w.request.customer, 32);
    memcpy(out.echo_nonce, s->w.request.nonce, 32);
    memcpy(out.echo_job, s->w.request.id, 32);
    out.gpu_json = buf_view(&json);
    hello_body(&out, &body);
    hello_free(&out);
    s->talk = talk_new(TALK_GUEST, s->g, s->w.request.customer, s->w.request.id, &h, s);
    must(!talk_send(s->talk, "hello", buf_view(&body), NULL, &e), &e);
    printf("GPU list: %zu bytes\n", json.n);
    if (json.n <= HELLO_GPU_MAX)
        return;
    xfer_meta_init(&m, "gpu.json", "application/json", "gpu", NULL, buf_view(&json));
    x = xfer_out_inband(s->talk, &m, buf_view(&json));
    must(xfer_out_step(x, &e) == 1, &e);
    xfer_out_free(x);
}

static void answer(struct seller *s) {
    keypair_free(s->g);
    talk_free(s->talk);
    s->g = keypair_new();
    memcpy(s->w.ev.guest, keypair_pub(s->g), 32);
    world_good_report(&s->w);
    feedback(s);
    hello(s);
    carry(s);
    fflush(stdout);
}

static void on_event(void *arg, const char *sub, const struct event *ev, const char *url) {
    struct seller *s = arg;
    struct rumor *r = wrap_open(ev, s->p, NULL, NULL);

    (void)sub;
    (void)url;
    if (r && !job_request_parse(r, unix_now(), &s->w.request, NULL))
        answer(s);
    rumor_free(r);
}

/* --- the shop --- */

static void offer(struct seller *s, const char *relay) {
    struct offer *o = &s->w.offer, *parsed;
    const struct heartbeat beat = {.expiration = unix_now() + 600, .free_slots = 1};
    struct event *ev;

    snprintf(o->d, sizeof o->d, "gpus%zu", s->list.n);
    snprintf(o->name, sizeof o->name, "Captured GPUs");
    snprintf(o->privacy, sizeof o->privacy, "sim");
    snprintf(o->price_unit, sizeof o->price_unit, "job");
    snprintf(o->relays[0], sizeof o->relays[0], "%s", relay);
    snprintf(o->gpu_arch, sizeof o->gpu_arch, "HOPPER");
    o->gpu_count = (uint32_t)s->list.n;
    o->n_relays = 1;
    o->job_kind = KIND_JOB_TOOL;
    o->memory_mib = 512;
    ev = offer_make(o, s->p, unix_now());
    parsed = offer_parse(ev, NULL);
    world_must(parsed);
    memcpy(o->id, parsed->id, 32);
    offer_free(parsed);
    publish(s, ev);
    publish(s, heartbeat_make(&beat, s->p, unix_now()));
}

static void save(const char *dir, const char *name, const struct buf *b) {
    cleanup_free char *path = mem_fmt("%s/%s", dir, name);

    world_must(!file_write(path, buf_view(b), 0600, true, NULL));
}

static void trust(const struct seller *s, const char *dir) {
    cleanup_buf struct buf pins = {0}, roots = {0};
    char release[65], work[65], root[65];

    hex_encode(view_of(s->w.pin[0], 32), release);
    hex_encode(view_of(s->w.pin[1], 32), work);
    hex_encode(view_of(s->w.sim_root, 32), root);
    buf_fmt(&pins, "release %s\nworkload %s\n", release, work);
    buf_fmt(&roots, "%s\n", root);
    save(dir, "pins", &pins);
    save(dir, "sim-roots", &roots);
    world_must(!manifest_save(buf_view(&s->w.release), NULL));
    world_must(!manifest_save(buf_view(&s->w.workload), NULL));
}

static void on_nothing(void *arg, const char *sub) {
    (void)arg;
    (void)sub;
}

static void on_ok(void *arg, const uint8_t id[32], bool ok, const char *url, const char *msg) {
    (void)arg;
    (void)id;
    if (!ok)
        fprintf(stderr, "gpu_guest: %s refused: %s\n", url, msg);
}

static void on_state(void *arg) {
    (void)arg;
}

static void listen_to_requests(struct seller *s) {
    cleanup_free char *filter = NULL;
    char hex[65];
    struct err e;

    hex_encode(view_of(keypair_pub(s->p), 32), hex);
    filter = mem_fmt("{\"kinds\":[1059,21059],\"#p\":[\"%s\"]}", hex);
    must(!pool_subscribe(s->pool, "requests", filter, &e), &e);
}

int main(int argc, char **argv) {
    static const struct pool_handler h = {
        .event = on_event, .eose = on_nothing, .ok = on_ok, .state = on_state};
    static struct seller s;
    struct ws_net *net;
    struct err e;

    world_must(argc == 4 || argc == 5);
    s.captures = argv[2];
    world_init(&s.w);
    load_gpus(&s, argc == 5 ? argv[4] : NULL);
    load_carried(&s);
    trust(&s, argv[3]);
    s.p = keypair_new();
    s.loop = loop_new(&e);
    net = ws_net_new(s.loop, &e);
    s.pool = pool_new(net, s.p, &h, &s);
    must(!pool_add(s.pool, argv[1], &e), &e);
    listen_to_requests(&s);
    offer(&s, argv[1]);
    puts("offered");
    fflush(stdout);
    loop_run(s.loop);
    return 0;
}
