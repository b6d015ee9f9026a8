/* Many relays as one: publishes to all, merges subscriptions, dedupes by event id. */
#ifndef CDVM_POOL_H
#define CDVM_POOL_H

#include "relay.h"

struct pool;
struct pool_handler {
    /* Each event once over all relays. ev is borrowed for the callback. */
    void (*event)(void *arg, const char *sub, const struct event *ev, const char *relay_url);
    /* Optional: another relay sends an event that was handed up before. */
    void (*again)(void *arg, const char *sub, const uint8_t id[32], const char *relay_url);
    /* Once per pool_subscribe: every relay that can be reached has said EOSE, or 5 s have passed.
     */
    void (*eose)(void *arg, const char *sub);
    void (*ok)(void *arg, const uint8_t id[32], bool ok, const char *relay_url, const char *msg);
    void (*state)(void *arg); /* a relay went up or down */
    void (*challenge)(void *arg, const char *relay_url, const char *challenge); /* NULL: `auth` */
    /* Optional: a relay refused the subscription, for this sanitised reason. */
    void (*closed)(void *arg, const char *sub, const char *relay_url, const char *reason);
};
/* Not freed inside one of its own callbacks. auth is borrowed for the pool's life. */
struct pool *pool_new(struct ws_net *n, const struct keypair *auth, const struct pool_handler *h,
                      void *arg);
void pool_free(struct pool *p);
int pool_add(struct pool *p, const char *url, struct err *e) WARN_UNUSED; /* duplicate is fine */
/* For an address that somebody else named: refuses one that resolves to a private network. */
int pool_add_public(struct pool *p, const char *url, struct err *e) WARN_UNUSED;
/* Not inside one of the pool's callbacks. Unknown is fine. */
void pool_remove(struct pool *p, const char *url);
size_t pool_count(const struct pool *p);
/* Relays that have said that they sent all they have for this subscription. */
size_t pool_answers(const struct pool *p, const char *sub);
size_t pool_up(const struct pool *p);
struct relay *pool_at(const struct pool *p, size_t i);
struct relay *pool_find(const struct pool *p, const char *url);
int pool_subscribe(struct pool *p, const char *sub, const char *filters_json,
                   struct err *e) WARN_UNUSED;
void pool_unsubscribe(struct pool *p, const char *sub);
/* Events that have gone out to no relay: the fewest of any relay that is up, or of any. */
size_t pool_backlog(const struct pool *p);
/* 0 if at least one relay took it into its queue. */
int pool_publish(struct pool *p, const struct event *ev, struct err *e) WARN_UNUSED;

#endif
