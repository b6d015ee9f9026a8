/* From the GPU's nonce to the customer's verdict, all of it the product's own code: a guest's
 * session on a libnvidia-ml whose GPUs sign by a root made here, its evidence in hello, the
 * simulator's report over what it binds, and the verdict of the customer's program. And what comes
 * after accept: GPUs that are opened before the workload starts, and closed at the end. */
#define CDVM_TEST_ROOTS
#include "attest/roots.c"
#include "core/hello.h"
#include "core/modelkey.h"
#include "core/msg.h"
#include "core/talk.h"
#include "core/kinds.h"
#include "core/wrap.h"
#include "core/xfer.h"
#include "guest/load.h"
#include "guest/session.h"
#include "tests/unit/gpu_fake.h"
#include "tests/unit/gpu_vectors.h"
#include "tests/unit/guest_host.h"
#include "tests/unit/world.h"

/* --- the guest: this machine has no volumes, so they are said to be in memory --- */

static struct loop_timer *loading;
static const struct load_handler *loaded;
static void *loaded_arg;

static void on_loading(void *arg) {
    (void)arg;
    loaded->loaded(loaded_arg);
}

struct load *load_start(struct loop *l, const struct cmdline *what, struct secret *model_key,
                        const struct load_handler *h, void *arg) {
    (void)what, (void)model_key;
    loaded = h;
    loaded_arg = arg;
    loading = loop_timer_add(l, loop_now(), on_loading, NULL);
    return (struct load *)loading;
}

void load_free(struct load *l) {
    (void)l;
    loop_timer_del(loading);
}

/* Where no workload is: its start is what this test sees of it. */
const char *load_work(const struct load *l) {
    (void)l;
    return "/nonexistent";
}

const char *load_model(const struct load *l) {
    (void)l;
    return NULL;
}

static struct fake fake;
static unsigned n_gpus;
static struct cmdline cmdline; /* of the next guest */

static void run_guest(int fd) {
    struct session_conf conf = {
        .port = port_from_fd(fd),
        .cmdline = &cmdline,
        .report = {.tsm = "/nonexistent", .device = "/nonexistent"},
        .gpus = gpus_with(fake_child(&fake), n_gpus, NULL),
    };

    _exit(conf.gpus ? session_run(loop_new(NULL), &conf) : 254);
}

/* --- the customer --- */

struct customer {
    struct host h;
    struct world w;
    struct talk *talk;
    struct xfer_in *files;
    struct hello hello;
    bool has_hello, has_file;
};

static void on_send(void *arg, const struct rumor *r, bool stored) {
    struct customer *c = arg;
    struct event *ev = wrap_make(r, c->h.job.u, NULL, talk_peer(c->talk),
                                 stored ? KIND_WRAP : KIND_WRAP_EPHEMERAL, unix_now(), 0, NULL);
    cleanup_buf struct buf json = {0};

    event_json(ev, &json);
    send_frame(&c->h, CHAN_EVENT, buf_view(&json));
    event_free(ev);
}

static void on_message(void *arg, const struct talk_msg *m) {
    struct customer *c = arg;

    if (xfer_in_take(c->files, m))
        return;
    assert_string_equal(m->type, "hello");
    memcpy(c->w.ev.hello, m->rumor->f.id, 32);
    memcpy(c->w.ev.guest, m->rumor->f.pubkey, 32);
    assert_int_equal(hello_parse(m->o, &c->hello, NULL), 0);
    c->has_hello = true;
}

static void on_file(void *arg, const struct xfer_meta *m, struct view data) {
    struct customer *c = arg;

    assert_string_equal(m->purpose, "gpu");
    hello_gpu_file(&c->hello, data);
    c->has_file = true;
}

static void on_broken(void *arg, const struct err *e) {
    (void)arg;
    fail_msg("%s", e->text);
}

static void take_wrap(struct customer *c) {
    static const struct talk_handler th = {
        .send = on_send, .message = on_message, .broken = on_broken};
    static const struct xfer_in_handler xh = {.file = on_file};
    struct event *ev = event_parse(expect(&c->h, CHAN_EVENT), NULL);
    struct rumor *r = wrap_open(ev, c->h.job.u, NULL, NULL);

    assert_non_null(r);
    if (!c->talk) {
        c->talk = talk_new(TALK_CUSTOMER, c->h.job.u, r->f.pubkey, c->h.job.rumor->f.id, &th, c);
        c->files = xfer_in_new(GPU_LIST_MAX, &xh, c);
    }
    assert_int_equal(talk_take(c->talk, r, NULL), 0);
    rumor_free(r);
    event_free(ev);
}

/* A job up to the guest's evidence: the simulator signs over what the guest binds, whatever it is.
 */
static void attest(struct customer *c, unsigned gpus) {
    struct job_request *q = &c->w.request;
    uint8_t data[64];

    n_gpus = gpus;
    memset(c, 0, sizeof *c);
    world_init(&c->w);
    host_start(&c->h, run_guest);
    memcpy(q->id, c->h.job.rumor->f.id, 32);
    memcpy(q->customer, keypair_pub(c->h.job.u), 32);
    memcpy(q->nonce, c->h.job.q.nonce, 32);
    c->w.offer.gpu_count = gpus;
    send_job(&c->h);
    memcpy(data, expect(&c->h, CHAN_REPORT_REQ).p, sizeof data);
    assert_int_equal(psp_sim_report(c->w.psp, data, c->w.measurement, 0x30000, c->w.report, NULL),
                     0);
    send_frame(&c->h, CHAN_REPORT, view_of(c->w.report, sizeof c->w.report));
    while (!c->has_hello || (c->hello.gpu_follows && !c->has_file))
        take_wrap(c);
    assert_string_equal(c->hello.gpu_error.code, "");
    assert_int_equal(c->hello.n_gpu, gpus);
    c->w.ev.gpu = c->hello.gpu;
    c->w.ev.n_gpu = c->hello.n_gpu;
    c->w.ev.report = buf_view(&c->hello.report);
}

static void end_customer(struct customer *c, uint8_t state) {
    expect_end(&c->h, state);
    xfer_in_free(c->files);
    talk_free(c->talk);
    hello_free(&c->hello);
    world_free(&c->w);
}

static void hang_up(struct customer *c) {
    send_frame(&c->h, CHAN_SHUTDOWN, view_of(NULL, 0));
    end_customer(c, 0);
}

/* The checks of these ids are all in that state; the rest of the verdict is not looked at. */
static void must_be(const struct verdict *v, enum check_state state, const char *ids) {
    cleanup_free char *copy = mem_str(ids);
    char *rest = copy, *id;

    while ((id = strsep(&rest, " "))) {
        const struct check *n = verdict_find(v, id);

        if (!n || n->state != state)
            fail_msg("%s is %s: %s", id, n ? check_state_name(n->state) : "missing",
                     n ? n->why : "");
    }
}

#define BOUND                                                                                      \
    "snp.report_data bind.guest_key bind.customer bind.nonce bind.job bind.gpu gpu.count "         \
    "gpu.in-this-guest gpu.cc_state"
#define OWN "gpu.structure gpu.signature gpu.fwid gpu.mode"

static int open_all(void **state) {
    (void)state;
    fake_open(&fake);
    return 0;
}

static int close_all(void **state) {
    (void)state;
    roots_test_nvidia(NVIDIA_DEVICES, NULL);
    fake_close(&fake);
    return 0;
}

static void make_gpus(struct made_gpu *m, unsigned n) {
    static const uint8_t zero[32];

    for (unsigned i = 0; i < n; i++) {
        cleanup_free char *settings = mem_fmt("gpus %u\n", n);

        made_init(&m[i], (uint8_t)(9 - i));
        if (i)
            pki_join(&m[i].pki, &m[0].pki);
        pki_make(&m[i].pki);
        made_report(&m[i], zero);
        fake_made_gpu(&fake, i, &m[i]);
        fake_settings(&fake, settings);
    }
}

static void free_gpus(struct made_gpu *m, unsigned n) {
    for (unsigned i = 0; i < n; i++)
        made_free(&m[i]);
}

/* Nonce, evidence, binding and verdict fit, for one GPU and for a list that goes beside hello. */
static void evidence_of_the_guest_passes_under_its_root(void **state) {
    static const unsigned counts[] = {1, 6};

    (void)state;
    for (size_t i = 0; i < COUNT(counts); i++) {
        struct made_gpu m[6];
        struct customer c;
        struct verdict *v;

        make_gpus(m, counts[i]);
        attest(&c, counts[i]);
        assert_int_equal(c.has_file, counts[i] > 1);
        v = world_verify(&c.w);
        must_be(v, CHECK_FAIL, "gpu.chain"); /* no root of NVIDIA's signed it */
        must_be(v, CHECK_PASS, BOUND);
        verdict_free(v);
        roots_test_nvidia(NVIDIA_DEVICES, m[0].pki.root);
        v = world_verify(&c.w);
        must_be(v, CHECK_PASS, BOUND " " OWN " gpu.chain gpu.nonce");
        verdict_free(v);
        roots_test_nvidia(NVIDIA_DEVICES, NULL);
        hang_up(&c);
        free_gpus(m, counts[i]);
    }
}

/* What was captured elsewhere carries NVIDIA's signature and another job's nonce. */
static void evidence_of_another_job_fails_by_its_nonce(void **state) {
    cleanup_buf struct buf report = {0}, chain = {0};
    struct customer c;
    struct verdict *v;

    (void)state;
    if (!gpu_vectors())
        skip();
    assert_true(gpu_load("h100-550.90.07/report.bin", &report) &&
                gpu_load("h100-550.90.07/chain.pem", &chain));
    fake_gpu(&fake, 0, buf_view(&report), buf_view(&chain));
    attest(&c, 1);
    v = world_verify(&c.w);
    must_be(v, CHECK_PASS, BOUND " " OWN " gpu.chain");
    must_be(v, CHECK_FAIL, "gpu.nonce");
    assert_int_equal(verdict_state(v), CHECK_FAIL);
    verdict_free(v);
    hang_up(&c);
}

static void devtools_are_shown_as_they_are(void **state) {
    struct made_gpu m[1];
    struct customer c;
    struct verdict *v;

    (void)state;
    make_gpus(m, 1);
    fake_settings(&fake, "devtools 1\n");
    attest(&c, 1);
    roots_test_nvidia(NVIDIA_DEVICES, m[0].pki.root);
    v = world_verify(&c.w);
    must_be(v, CHECK_FAIL, "gpu.cc_state");
    must_be(v, CHECK_PASS, OWN " gpu.chain gpu.nonce bind.gpu");
    assert_false(verdict_allows(v));
    verdict_free(v);
    hang_up(&c);
    free_gpus(m, 1);
}

/* --- a sealed model: its owner sees the same evidence, over a binding of its own --- */

static struct rumor *next_wrap(struct host *h, const struct keypair *to) {
    struct event *ev = event_parse(expect(h, CHAN_EVENT), NULL);
    struct rumor *r = ev ? wrap_open(ev, to, NULL, NULL) : NULL;

    assert_non_null(r);
    event_free(ev);
    return r;
}

static void say_nonce(struct host *h, const struct keypair *k, const uint8_t guest[static 32],
                      const uint8_t nonce[static 32]) {
    cleanup_buf struct buf body = {0}, json = {0};
    struct rumor *r;
    struct event *ev;

    key_nonce_body(nonce, &body);
    r = msg_make("key_nonce", h->job.rumor->f.id, buf_view(&body), k, guest, unix_now());
    ev = wrap_make(r, k, NULL, guest, KIND_WRAP, unix_now(), 0, NULL);
    event_json(ev, &json);
    send_frame(h, CHAN_EVENT, buf_view(&json));
    event_free(ev);
    rumor_free(r);
}

static void the_owner_of_a_model_sees_the_gpu(void **state) {
    uint8_t report[REPORT_LEN] = {2}, nonce[32] = {7}, ng[32], data[64], want[64];
    struct gpu_evidence gpu[GPUS_MAX];
    cleanup_buf struct buf digest = {0};
    struct keypair *k = keypair_new();
    struct key_evidence ev;
    struct made_gpu m[1];
    struct rumor *r;
    struct host h;
    struct msg msg;

    (void)state;
    make_gpus(m, 1);
    n_gpus = 1;
    cmdline = (struct cmdline){.has_model = true, .has_broker = true, .work = {.blocks = 5}};
    memcpy(cmdline.broker, keypair_pub(k), 32);
    host_start(&h, run_guest);
    send_job(&h);
    r = next_wrap(&h, k);
    say_nonce(&h, k, r->f.pubkey, nonce);
    memcpy(data, expect(&h, CHAN_REPORT_REQ).p, sizeof data);
    rumor_free(r);
    send_frame(&h, CHAN_REPORT, view_of(report, sizeof report));
    r = next_wrap(&h, k);
    assert_int_equal(msg_parse(r, &msg, NULL), 0);
    assert_string_equal(msg.type, "key_evidence");
    assert_int_equal(key_evidence_parse(msg.o, &ev, NULL), 0);
    assert_int_equal(gpu_list_bound(&ev.gpu, gpu, NULL), 0);
    assert_int_equal(ev.gpu.n, 1);
    binding_gpu_nonce(r->f.pubkey, ev.nonce, msg.job, ng);
    assert_memory_equal(gpu[0].report.p + 4, ng, sizeof ng);
    assert_int_equal(binding_gpu_digest(gpu, 1, &digest, NULL), 0);
    binding_model_data(r->f.pubkey, keypair_pub(k), nonce, cmdline.model.root, buf_view(&digest),
                       want);
    assert_memory_equal(data, want, sizeof data);
    key_evidence_free(&ev);
    msg_free(&msg);
    rumor_free(r);
    keypair_free(k);
    cmdline = (struct cmdline){0};
    send_frame(&h, CHAN_SHUTDOWN, view_of(NULL, 0));
    expect_end(&h, 0);
    free_gpus(m, 1);
}

/* --- after accept --- */

static void say_accept(struct customer *c) {
    struct accept a = {.now = unix_now(), .max_minutes = 5};
    cleanup_buf struct buf body = {0};

    memcpy(a.hello, c->w.ev.hello, 32);
    accept_body(&a, &body);
    assert_int_equal(talk_send(c->talk, "accept", buf_view(&body), NULL, NULL), 0);
}

static unsigned times_called(const char *name) {
    cleanup_free char *path = fake_path(&fake, "calls");
    cleanup_buf struct buf calls = {0};
    unsigned n = 0;

    assert_int_equal(file_read(path, 65536, &calls, NULL), 0);
    for (const char *p = (char *)calls.p; (p = strstr(p, name)); p++)
        n++;
    return n;
}

#define SET_READY "nvmlSystemSetConfComputeGpusReadyState"

/* The workload is in memory long before; it is started once they are open, and cannot, here. */
static void gpus_open_with_accept_and_close_at_the_end(void **state) {
    struct made_gpu m[1];
    struct customer c;

    (void)state;
    make_gpus(m, 1);
    attest(&c, 1);
    usleep(100 * 1000);
    assert_int_equal(times_called(SET_READY), 0);
    assert_int_equal(waitpid(c.h.child, NULL, WNOHANG), 0);
    say_accept(&c);
    end_customer(&c, CHAN_ERR_WORKLOAD);
    assert_int_equal(times_called(SET_READY), 2);
    free_gpus(m, 1);
}

static void gpus_that_do_not_open_end_the_job(void **state) {
    struct made_gpu m[1];
    struct customer c;

    (void)state;
    make_gpus(m, 1);
    attest(&c, 1);
    fake_fault(&fake, SET_READY " 4\n");
    say_accept(&c);
    end_customer(&c, CHAN_ERR_GPU);
    free_gpus(m, 1);
}

static void a_gpu_that_appears_later_ends_the_job(void **state) {
    struct made_gpu m[1];
    struct customer c;

    (void)state;
    make_gpus(m, 1);
    attest(&c, 1);
    fake_settings(&fake, "gpus 2\n");
    say_accept(&c);
    end_customer(&c, CHAN_ERR_GPU_COUNT);
    free_gpus(m, 1);
}

/* --- before hello --- */

static void without_evidence_there_is_no_hello(void **state) {
    static const struct {
        const char *fault;
        enum chan_state end;
    } rows[] = {
        {"nvmlDeviceGetConfComputeGpuAttestationReport 3\n", CHAN_ERR_GPU},
        {"nvmlDeviceGetConfComputeGpuCertificate crash\n", CHAN_ERR_GPU},
    };
    struct made_gpu m[1];
    struct host h;

    (void)state;
    make_gpus(m, 1);
    n_gpus = 1;
    for (size_t i = 0; i < COUNT(rows); i++) {
        fake_fault(&fake, rows[i].fault);
        host_start(&h, run_guest);
        send_job(&h);
        expect_end(&h, (uint8_t)rows[i].end);
    }
    fake_fault(&fake, "");
    fake_settings(&fake, "arch 8\n");
    host_start(&h, run_guest);
    send_job(&h);
    expect_end(&h, CHAN_ERR_GPU_EVIDENCE);
    free_gpus(m, 1);
}

/* While the GPU signs, the host may end the job, and may not answer what was not asked. */
static void the_host_is_heard_meanwhile(void **state) {
    struct made_gpu m[1];
    struct host h;

    (void)state;
    make_gpus(m, 1);
    n_gpus = 1;
    fake_fault(&fake, "nvmlDeviceGetConfComputeGpuAttestationReport hang\n");
    host_start(&h, run_guest);
    send_job(&h);
    send_frame(&h, CHAN_SHUTDOWN, view_of(NULL, 0));
    expect_end(&h, 0);
    host_start(&h, run_guest);
    send_job(&h);
    send_frame(&h, CHAN_REPORT, view_of(NULL, 0));
    expect_end(&h, CHAN_ERR_FRAME);
    free_gpus(m, 1);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, open_all, close_all)
    const struct CMUnitTest tests[] = {
        T(evidence_of_the_guest_passes_under_its_root),
        T(evidence_of_another_job_fails_by_its_nonce),
        T(devtools_are_shown_as_they_are),
        T(the_owner_of_a_model_sees_the_gpu),
        T(gpus_open_with_accept_and_close_at_the_end),
        T(gpus_that_do_not_open_end_the_job),
        T(a_gpu_that_appears_later_ends_the_job),
        T(without_evidence_there_is_no_hello),
        T(the_host_is_heard_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
