/* The four messages by which a guest gets the key of a sealed model (cdvm-protocol(7), "Sealed
 * models"): the inside of their JSON objects. Each is an unnumbered message (msg.h) in a stored
 * gift wrap that expires MODELKEY_LIFE_S after it was made; its `job` is the job id.
 *
 * key_ask       G -> K  "model": root
 * key_nonce     K -> G  "nonce": Nk
 * key_evidence  G -> K  "report": base64, "gpu": a list (gpu_list.h), "n": N, "work": "root:blocks"
 * key           K -> G  "key": base64 of MK
 *
 * Roots and nonces are 64 hex digits. `work` is what the guest was started with: it tells the owner
 * which command line to recompute the launch digest for, and proves nothing by itself. */
#ifndef CDVM_MODELKEY_H
#define CDVM_MODELKEY_H

#include "hello.h"
#include "release.h"

#define MODELKEY_LEN ((size_t)64) /* aes-256-xts: two keys of 32 bytes */
#define MODELKEY_LIFE_S 600

void key_ask_body(const uint8_t model[static 32], struct buf *body);
/* All parsers: "bad-message". */
int key_ask_parse(const cJSON *o, uint8_t model[static 32], struct err *e) WARN_UNUSED;

void key_nonce_body(const uint8_t nonce[static 32], struct buf *body);
int key_nonce_parse(const cJSON *o, uint8_t nonce[static 32], struct err *e) WARN_UNUSED;

struct key_evidence {
    struct buf report; /* owned */
    uint8_t nonce[32]; /* N, the customer's: GPU evidence is made over it */
    struct volume work;
    struct view gpu_json; /* body only: the list as JSON; empty for none. It must fit the message */
    struct gpu_list gpu;  /* owned */
};
void key_evidence_body(const struct key_evidence *k, struct buf *body);
/* Codes of gpu_list_read as well. key_evidence_free(out) in any case. */
int key_evidence_parse(const cJSON *o, struct key_evidence *out, struct err *e) WARN_UNUSED;
void key_evidence_free(struct key_evidence *k); /* legal on {0} */

/* key: MODELKEY_LEN bytes. body is the caller's to wipe. */
void key_body(const struct secret *key, struct buf *body);
/* Owned; NULL on error. The tree keeps a copy until msg_free wipes it. */
struct secret *key_parse(const cJSON *o, struct err *e);

#endif
