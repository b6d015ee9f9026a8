/* The guest's side of a sealed model (cdvm-protocol(7), "Sealed models"): before hello it asks the
 * model's owner K, whose key is on the measured command line, for the key of the disk, and shows a
 * report of its own over K's nonce.
 *
 *   key_ask -> key_nonce -> report' -> key_evidence -> key
 *
 * Only K's seals of the type that is due are looked at; K is sent nothing else, ever. Freeing the
 * exchange wipes all that it knew about K. */
#ifndef CDVM_GUEST_MODELKEY_H
#define CDVM_GUEST_MODELKEY_H

#include "cmdline.h"
#include "core/dvm.h"
#include "core/secret.h"
#include "core/wrap.h"

#define MODELKEY_AGAIN_MS 10000 /* what is not answered is sent again */

struct modelkey_handler {
    void (*send)(void *arg, const struct event *wrap); /* borrowed for the callback */
    /* A report over these 64 bytes is needed: answer with modelkey_report. */
    void (*report)(void *arg, const uint8_t data[64]);
    void (*got)(void *arg, struct secret *key); /* the callback's to keep; the last call */
};
/* What is shown: who asks, for which job, and its GPUs. All of it is borrowed. */
struct modelkey_subject {
    const struct cmdline *cmdline; /* has_broker and has_model must hold */
    const struct job_request *request;
    const struct keypair *guest;
    struct view gpu_digest, gpu_json; /* E, and the list; empty: no GPUs */
};
struct modelkey;
/* Sends key_ask. */
struct modelkey *modelkey_new(const struct modelkey_subject *s, const struct modelkey_handler *h,
                              void *arg);
void modelkey_free(struct modelkey *k); /* wipes; not from a callback; NULL legal */

/* A wrap from a relay; anything but K's due answer changes nothing. */
void modelkey_event(struct modelkey *k, const struct event *wrap);
bool modelkey_wants_report(const struct modelkey *k);
void modelkey_report(struct modelkey *k, struct view report);
void modelkey_tick(struct modelkey *k, int64_t now_ms);

#endif
