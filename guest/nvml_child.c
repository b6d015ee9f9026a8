#include "nvml_child.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#ifndef NVML_SECOND_MS /* a test is in a hurry */
#define NVML_SECOND_MS 1000
#endif

/* NVIDIA's own tools give a call five seconds. The first to open a GPU boots its firmware and
 * exchanges keys with it. */
static const unsigned seconds[NVML_CALLS] = {
    [NVML_CALL_HOLD] = 60,       [NVML_CALL_LOAD] = 10,  [NVML_CALL_INIT] = 30,
    [NVML_CALL_DRIVER] = 5,      [NVML_CALL_COUNT] = 5,  [NVML_CALL_HANDLE] = 30,
    [NVML_CALL_PERSIST] = 10,    [NVML_CALL_ARCH] = 5,   [NVML_CALL_SETTINGS] = 5,
    [NVML_CALL_CERTIFICATE] = 5, [NVML_CALL_REPORT] = 5, [NVML_CALL_SET_READY] = 10,
    [NVML_CALL_GET_READY] = 5,
};

struct child {
    int fd;
    const char *library, *dev;
    struct nvml_api api;
    bool up;
    nvml_device gpu[GPUS_MAX];
    uint32_t arch[GPUS_MAX];
    unsigned count;
    struct buf answer;         /* the body of the one in work */
    enum nvml_call failed;     /* when a call was refused ... */
    int code;                  /* ... and with what */
    struct nvml_report report; /* large: not on the stack */
    struct nvml_certificate certificate;
};

/* --- the time limit: what the signal's handler may know --- */

static struct {
    int fd;
    volatile sig_atomic_t op, call;
} limit;

static void on_alarm(int sig) {
    uint8_t frame[NVML_HEAD + 1];

    (void)sig;
    nvml_head(frame, (enum nvml_op)limit.op, NVML_TIMED_OUT, 1);
    frame[NVML_HEAD] = (uint8_t)limit.call;
    if (write(limit.fd, frame, sizeof frame) < 0)
        _exit(1);
    _exit(2);
}

static void timer(unsigned s) {
    const unsigned ms = s * NVML_SECOND_MS;
    const struct itimerval t = {.it_value = {ms / 1000, ms % 1000 * 1000}};

    setitimer(ITIMER_REAL, &t, NULL);
}

static void begin(enum nvml_call c) {
    limit.call = (sig_atomic_t)c;
    timer(seconds[c]);
}

static bool end(struct child *c, int rc) {
    timer(0);
    if (rc == NVML_OK)
        return true;
    c->failed = (enum nvml_call)limit.call;
    c->code = rc;
    return false;
}

#define CALL(c, number, call) (begin(number), end(c, (c)->api.call))

/* --- the library --- */

/* Persistence as NVIDIA's own daemon makes it: with the GPU in confidential mode its adapter starts
 * once after a reset, so it must never be without a client. */
static int hold_one(const char *dev, int i) {
    cleanup_free char *node = mem_fmt("%s/nvidia%d", dev, i);

    return open(node, O_RDWR | O_CLOEXEC) < 0 ? errno : 0;
}

static bool hold_gpus(struct child *c) {
    int rc = 0;

    for (int i = 0; i < GPUS_MAX && !rc; i++) {
        begin(NVML_CALL_HOLD);
        rc = hold_one(c->dev, i);
        if (!end(c, rc == ENOENT ? NVML_OK : rc))
            return false;
    }
    return true;
}

static const struct {
    enum nvml_call call;
    size_t at;
} symbols[] = {
    {NVML_CALL_INIT, offsetof(struct nvml_api, init)},
    {NVML_CALL_DRIVER, offsetof(struct nvml_api, driver)},
    {NVML_CALL_COUNT, offsetof(struct nvml_api, count)},
    {NVML_CALL_HANDLE, offsetof(struct nvml_api, handle)},
    {NVML_CALL_PERSIST, offsetof(struct nvml_api, persist)},
    {NVML_CALL_ARCH, offsetof(struct nvml_api, arch)},
    {NVML_CALL_SETTINGS, offsetof(struct nvml_api, settings)},
    {NVML_CALL_CERTIFICATE, offsetof(struct nvml_api, certificate)},
    {NVML_CALL_REPORT, offsetof(struct nvml_api, report)},
    {NVML_CALL_SET_READY, offsetof(struct nvml_api, set_ready)},
    {NVML_CALL_GET_READY, offsetof(struct nvml_api, get_ready)},
};

static bool load_library(struct child *c) {
    void *lib, *symbol = NULL;

    begin(NVML_CALL_LOAD);
    lib = dlopen(c->library, RTLD_NOW | RTLD_LOCAL);
    for (size_t i = 0; lib && i < COUNT(symbols); i++) {
        symbol = dlsym(lib, nvml_call_name(symbols[i].call));
        if (!symbol)
            break;
        memcpy((char *)&c->api + symbols[i].at, &symbol, sizeof symbol);
    }
    return end(c, lib && symbol ? NVML_OK : -1);
}

/* Where the daemon's way is the only one that another user may take, the GPUs are held open
 * already. */
static bool persist(struct child *c, nvml_device gpu) {
    return CALL(c, NVML_CALL_PERSIST, persist(gpu, NVML_ENABLED)) ||
           c->code == NVML_NO_PERMISSION || c->code == NVML_NOT_SUPPORTED;
}

static bool find_gpus(struct child *c) {
    if (!CALL(c, NVML_CALL_COUNT, count(&c->count)))
        return false;
    for (unsigned i = 0; i < c->count && i < GPUS_MAX; i++)
        if (!CALL(c, NVML_CALL_HANDLE, handle(i, &c->gpu[i])) || !persist(c, c->gpu[i]))
            return false;
    for (unsigned i = 0; i < c->count && i < GPUS_MAX; i++)
        if (!CALL(c, NVML_CALL_ARCH, arch(c->gpu[i], &c->arch[i])))
            return false;
    return true;
}

static bool bring_up(struct child *c) {
    char driver[NVML_DRIVER_MAX];

    if (!c->up)
        c->up = hold_gpus(c) && load_library(c) && CALL(c, NVML_CALL_INIT, init()) &&
                CALL(c, NVML_CALL_DRIVER, driver(driver, sizeof driver)) && find_gpus(c);
    return c->up;
}

/* --- the questions; each puts an answer's body together --- */

static bool facts(struct child *c) {
    struct nvml_settings s = {.version = NVML_SETTINGS_V1};
    unsigned count = 0, ready = 0;

    if (!CALL(c, NVML_CALL_SETTINGS, settings(&s)) || !CALL(c, NVML_CALL_COUNT, count(&count)) ||
        !CALL(c, NVML_CALL_GET_READY, get_ready(&ready)))
        return false;
    nvml_put_facts(&c->answer, &s, count, ready != 0);
    return true;
}

/* A number of the library's must lie within its own array. */
static bool fits(struct child *c, enum nvml_call call, uint32_t n, size_t max) {
    c->failed = call;
    c->code = NVML_INSUFFICIENT_SIZE;
    return n && n <= max;
}

static bool one_evidence(struct child *c, unsigned i, struct view nonce) {
    memset(&c->certificate, 0, sizeof c->certificate);
    memset(&c->report, 0, sizeof c->report);
    memcpy(c->report.nonce, nonce.p, nonce.n);
    if (!CALL(c, NVML_CALL_CERTIFICATE, certificate(c->gpu[i], &c->certificate)) ||
        !CALL(c, NVML_CALL_REPORT, report(c->gpu[i], &c->report)) ||
        !fits(c, NVML_CALL_CERTIFICATE, c->certificate.attestation_chain_size,
              NVML_ATTESTATION_CHAIN_MAX) ||
        !fits(c, NVML_CALL_REPORT, c->report.report_size, NVML_REPORT_MAX))
        return false;
    nvml_put_gpu(&c->answer, c->arch[i], view_of(c->report.report, c->report.report_size),
                 view_of(c->certificate.attestation_chain, c->certificate.attestation_chain_size));
    return true;
}

static bool on_facts(struct child *c, struct view payload) {
    (void)payload;
    return facts(c);
}

static bool on_evidence(struct child *c, struct view nonce) {
    if (!facts(c))
        return false;
    for (unsigned i = 0; i < c->count && i < GPUS_MAX; i++)
        if (!one_evidence(c, i, nonce))
            return false;
    return true;
}

static bool on_ready(struct child *c, struct view payload) {
    return CALL(c, NVML_CALL_SET_READY, set_ready(payload.p[0])) && facts(c);
}

static const struct {
    enum nvml_op op;
    bool (*run)(struct child *c, struct view payload);
} ops[] = {{NVML_FACTS, on_facts}, {NVML_EVIDENCE, on_evidence}, {NVML_READY, on_ready}};

static bool run(struct child *c, const struct nvml_ask *ask) {
    for (size_t i = 0; i < COUNT(ops); i++)
        if (ops[i].op == ask->op)
            return bring_up(c) && ops[i].run(c, ask->payload);
    return false;
}

static void answer(struct child *c, const struct nvml_ask *ask) {
    enum nvml_outcome o = NVML_DONE;
    uint8_t head[NVML_HEAD];

    buf_reset(&c->answer);
    limit.op = (sig_atomic_t)ask->op;
    if (!run(c, ask)) {
        buf_reset(&c->answer);
        nvml_put_refused(&c->answer, c->failed, c->code);
        o = NVML_REFUSED;
    }
    nvml_head(head, ask->op, o, c->answer.n);
    if (fd_write_all(c->fd, view_of(head, sizeof head), NULL) ||
        fd_write_all(c->fd, buf_view(&c->answer), NULL))
        _exit(1);
}

void nvml_child_run(int fd, const char *library, const char *dev) {
    struct sigaction act = {.sa_handler = on_alarm};
    struct child *c = mem_new(sizeof *c);
    uint8_t in[4 + NVML_ASK_MAX];
    struct nvml_ask ask;
    size_t have = 0, n;
    ssize_t got;
    int rc;

    *c = (struct child){.fd = fd, .library = library, .dev = dev};
    limit.fd = fd;
    sigaction(SIGALRM, &act, NULL);
    for (;;) {
        while (!(rc = nvml_ask_take(view_of(in, have), &ask, &n))) {
            got = read(fd, in + have, sizeof in - have);
            if (got <= 0)
                _exit(0);
            have += (size_t)got;
        }
        if (rc < 0)
            _exit(1);
        answer(c, &ask);
        memmove(in, in + n, have - n);
        have -= n;
    }
}
