/* The owner of sealed models, K (cdvm-protocol(7), "Sealed models"): answers key_ask with a fresh
 * nonce and evidence with a key, where the list says so; everything else gets no answer, and a line
 * in the log with a stable code. Nothing it is told by anybody but its own files decides: what
 * comes from relays are questions, signed evidence, and certificates signed by AMD. */
#ifndef CDVM_BROKER_H
#define CDVM_BROKER_H

#include "broker_book.h"
#include "broker_house.h"
#include "core/key.h"
#include "core/ws.h"

#define BROKER_NONCE_MS 120000    /* an unused nonce is good that long */
#define BROKER_COLLATERAL_MS 5000 /* patience for a provider's certificates */

/* Borrowed for the broker's life. */
struct broker_conf {
    struct ws_net *net;
    const struct keypair *key;
    struct broker_house *house;
    struct broker_book *book;
    const char *const *relays;
    size_t n_relays;
};
struct broker;
struct broker *broker_new(const struct broker_conf *c, struct err *e);
void broker_free(struct broker *b); /* NULL legal */

#endif
