/* What a hostile guest writes into its channel, as the host's gateway takes it. No relay is
 * connected. */
#include <sys/socket.h>
#include <unistd.h>

#include "provider/gateway.h"
#include "tests/fuzz/fuzz.h"

static struct ws_net *net;
static struct http *http;
static struct rumor *request;
static struct job_request job;
static unsigned broken;

static void on_state(void *arg, uint8_t code) {
    (void)arg;
    (void)code;
}

static void on_guest(void *arg, const uint8_t key[static 32]) {
    (void)arg;
    (void)key;
}

static int on_report(void *arg, const uint8_t data[static 64], uint8_t out[static GATEWAY_REPORT]) {
    (void)arg;
    memset(out, data[0], GATEWAY_REPORT);
    return 0;
}

static void on_broken(void *arg, const struct err *why) {
    (void)arg;
    MUST(why->code[0] && why->text[0]);
    MUST(++broken == 1);
}

static void on_finished(void *arg) {
    (void)arg;
}

/* One loop for all runs. The relay of the request cannot be reached: port 1 of this machine. */
static void set_up(void) {
    struct loop *l = loop_new(NULL);
    struct keypair *u = keypair_new();
    struct err e;

    net = ws_net_new(l, &e);
    http = http_new(l, &e);
    job = (struct job_request){.kind = KIND_JOB_TOOL, .expires = unix_now() + 3600, .n_relays = 1};
    memcpy(job.relays[0], "ws://127.0.0.1:1", 17);
    memset(job.provider, 1, 32);
    request = job_request_make(&job, u, unix_now(), &e);
    MUST(net && http && request);
    keypair_free(u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct gateway_handler h = {on_state, on_guest, on_report, on_broken, on_finished};
    struct gateway_conf c = {.request = request};
    struct gateway *g;
    struct err e;
    int p[2];

    if (!net)
        set_up();
    if (size < 2)
        return 0;
    broken = 0;
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p) == 0);
    c = (struct gateway_conf){
        .net = net, .http = http, .fd = p[0], .request = request, .job = &job};
    g = gateway_new(&c, &h, NULL, &e);
    MUST(g);
    if (data[0] & 1)
        gateway_brief(g);
    if (data[0] & 2)
        gateway_learn(g);
    MUST(write(p[1], data + 1, size - 1) == (ssize_t)(size - 1));
    close(p[1]);
    gateway_finish(g);
    gateway_free(g);
    close(p[0]);
    return 0;
}
