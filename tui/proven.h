/* What this machine verified itself, per provider: the PROVEN column. One small file of lines
 * "<provider key hex> <unix time> <state>", the newest verdict for each; nothing about content. */
#ifndef CDVM_PROVEN_H
#define CDVM_PROVEN_H

#include "core/bytes.h"

enum proof_state {
    PROOF_NEVER,
    PROOF_PASS,
    PROOF_WARN,
    PROOF_FAIL,
    PROOF_NOT_CHECKED,
    PROOF_SIMULATED,
};
struct proof {
    enum proof_state state;
    int64_t when; /* Unix seconds; 0 with PROOF_NEVER */
};

struct proven;
/* path NULL: nothing is read or kept. A file that is absent is empty; lines that make no sense are
 * passed over. At most 4,096 providers are remembered, the oldest go. */
struct proven *proven_new(const char *path);
void proven_free(struct proven *p); /* NULL legal */
struct proof proven_get(const struct proven *p, const uint8_t key[static 32]);
/* Remembers and writes the file anew (0600, by rename). */
int proven_put(struct proven *p, const uint8_t key[static 32], struct proof proof,
               struct err *e) WARN_UNUSED;

#endif
