/* The card of a model volume, /model/card.json: what the weights are, in the words of whoever
 * packed them; measured with them. */
#ifndef CDVM_WORKLOAD_CARD_H
#define CDVM_WORKLOAD_CARD_H

#include "core/json.h"

#define CARD_STOPS_MAX 4

struct card {
    char *name;                 /* owned; never empty */
    char *quantization;         /* owned; may be "" */
    uint64_t parameters;        /* 0 = not told */
    uint32_t context;           /* tokens to keep room for; 0 = not told */
    char *stop[CARD_STOPS_MAX]; /* texts that end an answer; owned */
    size_t n_stops;
};
/* An absent or broken card is none: the name is then "unnamed model". */
void card_read(const char *path, struct card *out);
void card_free(struct card *c); /* legal on {0} */
/* "SmolLM2-135M-Instruct, 135 M parameters, Q4_1", at most `max` bytes; owned. */
char *card_words(const struct card *c, size_t max);

#endif
