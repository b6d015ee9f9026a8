#include "tui/engine_job.h"

int engine_confirm(void *arg, unsigned job, const char *id, bool remembered, struct err *e) {
    struct session *s = engine_session(arg, job, e);

    return s ? session_confirm(s, id, remembered, e) : -1;
}

int engine_accept(void *arg, unsigned job, bool simulated_ok, struct err *e) {
    struct session *s = engine_session(arg, job, e);

    return s ? session_accept(s, simulated_ok, e) : -1;
}

void engine_refuse(void *arg, unsigned job) {
    struct err e;
    struct session *s = engine_session(arg, job, &e);

    if (s)
        session_refuse(s);
}

int engine_text(void *arg, unsigned job, struct view text, uint8_t id[static 32], struct err *e) {
    struct session *s = engine_session(arg, job, e);

    return s ? session_ask(s, text, id, e) : -1;
}

int engine_attach(void *arg, unsigned job, const char *path, const char *mime,
                  const uint8_t sha256[static 32], uint8_t xid[static 16], struct err *e) {
    struct session *s = engine_session(arg, job, e);

    return s ? session_attach(s, path, mime, sha256, xid, e) : -1;
}

int engine_cancel(void *arg, unsigned job, const uint8_t id[static 32], struct err *e) {
    struct session *s = engine_session(arg, job, e);

    return s ? session_cancel(s, id, e) : -1;
}

int engine_route(void *arg, unsigned job, uint64_t size, const char **server, struct err *e) {
    struct session *s = engine_session(arg, job, e);

    return s ? session_route(s, size, server, e) : -1;
}

int engine_save(void *arg, unsigned job, const char *path, struct err *e) {
    struct session *s = engine_session(arg, job, e);

    return s ? session_bundle_save(s, path, e) : -1;
}

void engine_end(void *arg, unsigned job) {
    struct err e;
    struct session *s = engine_session(arg, job, &e);

    if (s)
        session_end(s);
}
