/* The language model that answers, in words: a small one must never look like an oracle, and where
 * there is none that is said. Name and size are claims of the offer until the guest's `ready` says
 * them: measured code that read the card in the measured model volume. */
#ifndef CDVM_MODEL_H
#define CDVM_MODEL_H

#include "core/json.h"
#include "core/offer.h"

struct model {
    bool chats;              /* the workload speaks in words of its own: a model matters */
    char name[64], form[24]; /* "" no model; quantization, "Q4_1" */
    uint64_t parameters;     /* 0 unknown */
    uint64_t bytes;          /* of its volume; 0 unknown */
    char owner[20];          /* short npub of who holds a sealed model's key; "" not sealed */
    bool by_guest;           /* name and size are the guest's words */
    bool emulated;           /* the guest says that its processor is emulated */
};
void model_of_offer(const struct offer *o, struct model *out);
/* caps of `ready`: "model:NAME", "parameters:N", "quantization:WORD", "no-model", "emulated". */
void model_learn(struct model *m, const cJSON *caps);

/* "SmolLM2-135M-Instruct, 135 M parameters, Q4_1"; "none". Text without control bytes. */
void model_words(const struct model *m, char *out, size_t n);
/* A sentence that must stand beside what it says; NULL when none is due. */
const char *model_caution(const struct model *m);
bool model_named(const struct model *m);

#endif
