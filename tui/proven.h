/* What this machine verified itself, per provider: the PROVEN column and EARLIER SESSIONS. One file
 * of lines, one for each job that came to a verdict:
 *
 *   <provider key hex> <unix time> <state> <seconds> <boot ms> <msat> <launch digest> <name>
 *
 * with "-" for what is not known; nothing about content. Lines of an age go by themselves. */
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
const char *proof_word(enum proof_state s); /* "pass", "never" ...: of the file and of JSON */

struct proven_job {
    uint8_t provider[32];
    struct proof proof;
    int64_t seconds, boot_ms; /* whole job; request to hello. -1 unknown */
    int64_t msat;             /* the offer's price; -1 unknown */
    char digest[97];          /* launch digest in hex, "" unknown */
    char name[64];            /* what the seller called itself, sanitised */
};

#define PROVEN_DAYS 90

struct proven;
/* path NULL, or days 0: nothing is read or kept beyond this run. What cannot be read is said in
 * *note, and then not written over either. Never NULL. At most 4,096 jobs, the oldest go. */
struct proven *proven_new(const char *path, unsigned days, struct err *note);
void proven_free(struct proven *p); /* NULL legal */
/* Drops what is older than its days; cheap when nothing is. */
void proven_tidy(struct proven *p, int64_t now);

/* Remembers; a job of the same provider and time is replaced (its end, learned later). Writes the
 * file anew. On error it is remembered for this run. */
int proven_put(struct proven *p, const struct proven_job *j, struct err *e) WARN_UNUSED;
/* Forgets every job with this provider, in the file too. */
int proven_forget(struct proven *p, const uint8_t key[static 32], struct err *e) WARN_UNUSED;

struct proof proven_get(const struct proven *p, const uint8_t key[static 32]); /* the newest */
/* Jobs with this provider: how many, and the i-th, the newest first (NULL beyond). */
size_t proven_jobs(const struct proven *p, const uint8_t key[static 32]);
const struct proven_job *proven_job(const struct proven *p, const uint8_t key[static 32], size_t i);
int64_t proven_boot_ms(const struct proven *p, const uint8_t key[static 32]); /* median; -1 none */

/* All of them, in no order that matters: the names that are known here. NULL beyond. */
const struct proven_job *proven_at(const struct proven *p, size_t i);

uint64_t proven_version(const struct proven *p); /* another one after every change */

#endif
