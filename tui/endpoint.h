/* The HTTP server of `cdvm ask --serve`: GET /v1/models, POST /v1/chat/completions (streamed or
 * not), GET /cdvm/attestation. It knows nothing of jobs: it asks a port, and is told.
 *
 * Nothing is answered with 200 before the port says that the guest was verified and is ready; until
 * then, and once it has gone, every request that the doorman lets in gets 503 with the reason.
 * Questions go to the guest one after the other, in the order they came; a client that hangs up
 * takes its own back. */
#ifndef CDVM_ENDPOINT_H
#define CDVM_ENDPOINT_H

#include "core/talk.h"
#include "core/ws.h"
#include "doorman.h"
#include "openai.h"

struct endpoint;

/* Who answers; borrowed until the next turn of the loop. */
struct endpoint_who {
    struct openai_model model;
    const char *offer;   /* by which the model may be named as well */
    const char *guest;   /* hex of the key that the verdict is about */
    const char *verdict; /* "PASS", "SIMULATED PASS"... */
    bool simulated;
    bool turns; /* it reads a conversation; else it gets the last message of the user alone */
};

struct endpoint_port {
    /* 0 and *who, or -1 and the sentence for 503. */
    int (*ready)(void *arg, struct endpoint_who *who, struct err *why);
    int (*ask)(void *arg, struct view text, uint8_t id[static 32], struct err *e);
    void (*cancel)(void *arg, const uint8_t id[static 32]);
    void (*attestation)(void *arg, struct jw *w); /* members of an object; also when not ready */
};

/* port and door are borrowed; the door's port number is filled in when it was 0. */
struct endpoint *endpoint_new(struct ws_net *n, struct door *d, const struct endpoint_port *port,
                              void *arg, struct err *e);
void endpoint_free(struct endpoint *p); /* not from inside a callback of it; NULL legal */

/* What the guest says about the question `id`; ids of nobody are dropped. */
void endpoint_delta(struct endpoint *p, const uint8_t id[static 32], struct view text);
void endpoint_table(struct endpoint *p, const uint8_t id[static 32], const cJSON *table);
void endpoint_sources(struct endpoint *p, const uint8_t id[static 32], const cJSON *list);
void endpoint_progress(struct endpoint *p, const uint8_t id[static 32], uint64_t done,
                       uint64_t total);
/* code NULL: text is the whole answer. Else the workload's refusal and its sentence. */
void endpoint_answer(struct endpoint *p, const uint8_t id[static 32], struct view text,
                     const char *code, const struct talk_usage *usage);
void endpoint_over(struct endpoint *p, const struct err *why); /* whoever waits is told */
/* The answer that is being given is stopped, as by the program that asked; false: there is none. */
bool endpoint_stop(struct endpoint *p);

#endif
