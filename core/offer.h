/* Offers (NIP-89 kind 31990 with the tags of cdvm-protocol(7), "Public events") and heartbeats
 * (kind 11998). Everything in an offer is the seller's claim. */
#ifndef CDVM_OFFER_H
#define CDVM_OFFER_H

#include "event.h"

#define VOLUME_REF_MAX 80 /* "<64 hex>:<blocks>" or "none" */

struct offer {
    uint8_t id[32], pubkey[32];
    int64_t created_at, expiration; /* expiration 0 = none */
    char d[64];
    uint32_t job_kind;                             /* 5050 or 5999 */
    char name[128], about[512], provider_name[64]; /* sanitised claims */
    char privacy[24];                              /* "sev-snp+gpu-cc", "sev-snp", "sim", "none" */
    uint8_t release[32];                           /* sha256 of the release manifest */
    char workload_name[64], workload[VOLUME_REF_MAX];
    char model_name[64], model[VOLUME_REF_MAX]; /* "none" when there is no model */
    uint64_t model_bytes;
    char broker[65]; /* 64 hex or "none" */
    uint32_t vcpus, memory_mib;
    char vcpu_type[32];
    uint64_t guest_features;
    uint32_t gpu_count;
    char gpu_arch[16];
    uint64_t price_msat;
    char price_unit[8]; /* "job" or "minute"; price 0 = free */
    struct offer_limit {
        char name[32];
        uint64_t value;
    } limits[16];
    size_t n_limits;
    char relays[8][256], blossom[4][256];
    size_t n_relays, n_blossom;
    char *json; /* the whole event as received: the raw view, and for receipts */
};
/* NULL on error ("bad-offer"): not a cdvm/1 offer, malformed references (the grammar of
 * `root:blocks` is checked here, before anything is substituted anywhere), missing tags. */
struct offer *offer_parse(const struct event *ev, struct err *e);
void offer_free(struct offer *o);
uint64_t offer_limit(const struct offer *o, const char *name, uint64_t otherwise);
/* For how long the guest waits to be accepted, at most a day (limit `accept`, in seconds; 600). */
int64_t offer_accept_ms(const struct offer *o);
bool offer_simulated(const struct offer *o);
struct event *offer_make(const struct offer *o, const struct keypair *p, int64_t now);
/* "[0-9a-f]{64}:[1-9][0-9]{0,11}" exactly, or "none" when allowed. root gets the 32 bytes. */
bool volume_ref_parse(const char *s, bool none_ok, uint8_t root[static 32], uint64_t *blocks);

struct heartbeat {
    uint8_t pubkey[32];
    int64_t created_at, expiration;
    uint32_t free_slots, queue;
};
struct event *heartbeat_make(const struct heartbeat *h, const struct keypair *p, int64_t now);
int heartbeat_parse(const struct event *ev, struct heartbeat *out, struct err *e) WARN_UNUSED;

#endif
