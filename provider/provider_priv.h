/* What provider.c, intake.c and storefront.c share. */
#ifndef CDVM_PROVIDER_PRIV_H
#define CDVM_PROVIDER_PRIV_H

#include "core/wrap.h"
#include "job.h"
#include "ledger.h"
#include "provider.h"
#include "relayd.h"

struct provider {
    const struct provider_conf *conf;
    struct ws_net *net;
    struct console *out;
    struct keypair *key;
    struct wrap_keys *keys;
    struct image *image;
    struct accel accel;
    struct psp_sim *psp;   /* NULL with the backend snp */
    struct snp_host snp;   /* with the backend snp alone */
    struct gpu_pool *gpus; /* NULL: none */
    struct papers *papers; /* NULL: none */
    struct ledger *ledger;
    struct relayd *relayd;
    struct pool *pool;
    struct tell *tell;
    char *rundir;
    const char *relays[JOB_RELAYS_MAX], *blossom[4]; /* of the offers; borrowed */
    size_t n_relays, n_blossom;
    int lock_fd;
    struct job_env env;
    struct job **jobs; /* those not yet freed, in order of arrival */
    size_t n_jobs;
    int64_t beat_at;           /* date of the last heartbeat, Unix seconds */
    int64_t intake, intake_at; /* rate of requests: thousandths of one, and when last filled */
    uint64_t ran;              /* jobs that had a guest and are over */
    bool stopping;
    struct loop_timer *dispatch, *heartbeat, *offers, *stop;
    int64_t stop_by;
};

size_t provider_slots_used(const struct provider *p);
bool provider_is_snp(const struct provider *p);
/* Slots that a request could have now: no more than free GPUs where every offer needs one. */
size_t provider_slots_free(const struct provider *p);
size_t provider_queued(const struct provider *p);
/* Takes over the job into the list. */
void provider_add(struct provider *p, struct job *j);

/* storefront.c */
int storefront_open(struct provider *p, struct err *e) WARN_UNUSED; /* publishes all, sets timers */
void storefront_changed(struct provider *p); /* slots or queue: heartbeat soon */
/* What an offer of ours sells. NULL: "unknown-offer" or "price-changed". */
const struct image_offer *storefront_find(struct provider *p, const struct job_request *q,
                                          struct err *e);

/* intake.c */
int intake_open(struct provider *p, struct err *e) WARN_UNUSED; /* subscribes */
void intake_event(struct provider *p, const struct event *ev);

#endif
