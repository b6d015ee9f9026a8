/* The session's GPUs (gpus.h): evidence before the report, work only after accept. */
#include "session_priv.h"

#include <string.h>
#include "core/binding.h"

static const struct {
    const char *code;
    enum chan_state state;
} states[] = {
    {"gpu-count", CHAN_ERR_GPU_COUNT},
    {"gpu-driver", CHAN_ERR_GPU},
    {"bad-nvml", CHAN_ERR_GPU},
};

static void on_failed(void *arg, const struct err *e) {
    enum chan_state state = CHAN_ERR_GPU_EVIDENCE;

    for (size_t i = 0; i < COUNT(states); i++)
        if (!strcmp(states[i].code, e->code))
            state = states[i].state;
    session_stop(arg, "error", (uint8_t)state);
}

static void on_proved(void *arg) {
    session_proved(arg);
}

static void on_opened(void *arg) {
    struct session *s = arg;

    s->gpus_open = true;
    session_start_workload(s);
}

void session_prove(struct session *s) {
    static const struct gpus_handler h = {on_proved, on_opened, on_failed};
    uint8_t nonce[32];

    if (!s->conf->gpus) {
        session_proved(s);
        return;
    }
    s->stage = STAGE_PROVING;
    s->stage_until = 0; /* the question has a limit of its own */
    binding_gpu_nonce(keypair_pub(s->me), s->q.nonce, s->q.id, nonce);
    gpus_watch(s->conf->gpus, s->loop, &h, s);
    gpus_prove(s->conf->gpus, nonce);
}

void session_open_gpus(struct session *s) {
    if (s->conf->gpus)
        gpus_open(s->conf->gpus);
}

void session_close_gpus(struct session *s) {
    if (s->conf->gpus)
        gpus_close(s->conf->gpus);
}

struct view session_gpu_digest(const struct session *s) {
    return s->conf->gpus ? gpus_digest(s->conf->gpus) : view_of(NULL, 0);
}

struct view session_gpu_json(const struct session *s) {
    return s->conf->gpus ? gpus_json(s->conf->gpus) : view_of(NULL, 0);
}
