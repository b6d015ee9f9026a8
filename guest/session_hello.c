#include "session_priv.h"

#include <string.h>
#include <sys/sysinfo.h>
#include "core/binding.h"
#include "core/hello.h"
#include "entropy.h"
#include "request.h"

static uint64_t files_max(void) {
    struct sysinfo si;
    uint64_t part = sysinfo(&si) ? 0 : (uint64_t)si.totalram * si.mem_unit / 4;

    return part && part < XFER_FILE_MAX ? part : XFER_FILE_MAX;
}

static void open_talk(struct session *s) {
    const char *pace = job_param(&s->q, "pace");

    s->keys = wrap_keys_new(s->me);
    s->talk = talk_new(TALK_GUEST, s->me, s->q.customer, s->q.id, &session_talk_handler, s);
    s->files = xfer_in_new(files_max(), &session_file_handler, s);
    s->blobs = blobs_new(s->port, &session_blob_handler, s);
    s->answers = answers_new(s->talk, s->blobs, pace && !strcmp(pace, "free"));
}

/* A list of GPUs that is too long for hello itself. At most 16 pieces: all go out at once. */
static void send_gpu_file(struct session *s) {
    const struct view json = session_gpu_json(s);
    struct xfer_meta m;
    struct xfer_out *x;
    struct err e;

    if (json.n <= HELLO_GPU_MAX || s->stage != STAGE_OFFERED)
        return;
    xfer_meta_init(&m, "gpu.json", "application/json", "gpu", NULL, json);
    x = xfer_out_inband(s->talk, &m, json);
    if (xfer_out_step(x, &e) != 1)
        session_stop(s, "error", CHAN_ERR_PROTOCOL);
    xfer_out_free(x);
}

/* The evidence is out: from here on the customer decides. */
static void send_hello(struct session *s, struct view report) {
    struct hello h = {.report = {0}};
    cleanup_buf struct buf body = {0};

    buf_add(&h.report, report.p, report.n);
    memcpy(h.echo_customer, s->q.customer, 32);
    memcpy(h.echo_nonce, s->q.nonce, 32);
    memcpy(h.echo_job, s->q.id, 32);
    h.gpu_json = session_gpu_json(s);
    hello_body(&h, &body);
    hello_free(&h);
    s->stage = STAGE_OFFERED;
    session_say(s, "hello", buf_view(&body), s->hello_id);
    send_gpu_file(s);
    port_state(s->port, CHAN_ATTESTED);
    s->hello_at = loop_now() + SESSION_HELLO_MS;
    s->stage_until = loop_now() + SESSION_ACCEPT_MS;
    s->load = load_start(s->loop, s->conf->cmdline, s->model_key, &session_load_handler, s);
    s->model_key = NULL;
}

static void take_report(struct session *s, struct view report) {
    if (s->stage == STAGE_KEYING)
        session_key_report(s, report);
    else
        send_hello(s, report);
}

void session_ask_report(struct session *s, const uint8_t data[static 64]) {
    cleanup_buf struct buf report = {0};
    struct err e;
    int rc = report_get(&s->conf->report, data, &report, &e);

    if (rc < 0)
        session_stop(s, "error", CHAN_ERR_REPORT);
    else if (rc)
        take_report(s, buf_view(&report));
    else
        port_send(s->port, CHAN_REPORT_REQ, view_of(data, 64));
}

void session_attest(struct session *s) {
    uint8_t data[64];

    s->stage = STAGE_REPORTING;
    s->stage_until = loop_now() + SESSION_REPORT_MS;
    binding_report_data(keypair_pub(s->me), s->q.customer, s->q.nonce, s->q.id,
                        session_gpu_digest(s), data);
    session_ask_report(s, data);
}

void session_report(struct session *s, struct view report) {
    if (report.n == REPORT_LEN)
        take_report(s, report);
    else
        session_stop(s, "error", CHAN_ERR_REPORT);
}

void session_brief(struct session *s, struct view job) {
    int64_t time;
    struct err e;

    if (request_parse(job, &s->q, &time, &e)) {
        session_stop(s, "error", CHAN_ERR_JOB);
        return;
    }
    if (s->conf->set_clock)
        s->conf->set_clock(time);
    s->me = entropy_keypair(s->q.nonce, &e);
    if (!s->me) {
        session_stop(s, "error", CHAN_ERR_ENTROPY);
        return;
    }
    open_talk(s);
    port_state(s->port, CHAN_KEYED);
    session_prove(s);
}

void session_proved(struct session *s) {
    if (s->conf->cmdline->has_broker)
        session_ask_key(s);
    else
        session_attest(s);
}
