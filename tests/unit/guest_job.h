/* A customer's request and the JOB frame a host makes of it, for the guest's tests. */
#ifndef CDVM_TEST_GUEST_JOB_H
#define CDVM_TEST_GUEST_JOB_H

#include <stdio.h>
#include <string.h>
#include "core/dvm.h"
#include "core/json.h"
#include "core/loop.h"

struct made_job {
    struct keypair *u;
    struct job_request q;
    struct rumor *rumor;
};

static inline void job_make(struct made_job *m) {
    struct err e = {0};

    memset(m, 0, sizeof *m);
    m->u = keypair_new();
    m->q.kind = KIND_JOB_TOOL;
    m->q.expires = unix_now() + 3600;
    m->q.n_relays = 2;
    snprintf(m->q.relays[0], sizeof m->q.relays[0], "wss://one.example");
    snprintf(m->q.relays[1], sizeof m->q.relays[1], "wss://two.example");
    memcpy(m->q.provider, keypair_pub(m->u), 32); /* any key will do */
    random_bytes(m->q.offer, 32);
    random_bytes(m->q.nonce, 32);
    m->rumor = job_request_make(&m->q, m->u, unix_now(), &e);
}

static inline void job_drop(struct made_job *m) {
    keypair_free(m->u);
    rumor_free(m->rumor);
}

/* relays NULL: those of the request. */
static inline void job_frame(const struct made_job *m, const char *relays, struct buf *out) {
    cleanup_buf struct buf rumor = {0};

    rumor_json(m->rumor, &rumor);
    buf_fmt(out, "{\"rumor\":%s,\"relays\":%s,\"time\":1760000000}", (const char *)rumor.p,
            relays ? relays : "[\"wss://one.example\",\"wss://two.example\"]");
}

#endif
