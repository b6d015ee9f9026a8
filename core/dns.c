#include "dns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct dns_query {
    struct dns_query *next;
    char host[256];
    char addr[INET6_ADDRSTRLEN];
    struct err why; /* set when addr is empty */
    bool cancelled;
    dns_fn *fn;
    void *arg;
};

/* What both threads touch. A worker stuck in getaddrinfo outlives dns_free and then frees this. */
struct shared {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct dns_query *todo, *done; /* under lock */
    bool stop, busy;
    int wake; /* eventfd */
};

struct dns {
    struct loop_fd *watch;
    struct shared *sh;
    pthread_t worker;
};

static void queue_push(struct dns_query **q, struct dns_query *x) {
    while (*q)
        q = &(*q)->next;
    x->next = NULL;
    *q = x;
}

static struct dns_query *queue_pop(struct dns_query **q) {
    struct dns_query *x = *q;

    if (x)
        *q = x->next;
    return x;
}

static void shared_free(struct shared *sh) {
    struct dns_query *q;

    while ((q = queue_pop(&sh->todo)) || (q = queue_pop(&sh->done)))
        free(q);
    pthread_mutex_destroy(&sh->lock);
    pthread_cond_destroy(&sh->work);
    close(sh->wake);
    free(sh);
}

/* IPv4 first where there is one: broken IPv6 is the commoner fault, and AI_ADDRCONFIG leaves only
 * IPv6 on hosts that have nothing else. */
static const struct addrinfo *choose(const struct addrinfo *list) {
    for (const struct addrinfo *ai = list; ai; ai = ai->ai_next)
        if (ai->ai_family == AF_INET)
            return ai;
    return list;
}

static void resolve(struct dns_query *q) {
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *list = NULL;
    const struct addrinfo *ai;
    int rc = getaddrinfo(q->host, NULL, &hints, &list);

    if (rc) {
        err_set(&q->why, "dns", "cannot find the address of '%s': %s", q->host, gai_strerror(rc));
        return;
    }
    ai = choose(list);
    if (getnameinfo(ai->ai_addr, ai->ai_addrlen, q->addr, sizeof q->addr, NULL, 0, NI_NUMERICHOST))
        err_set(&q->why, "dns", "'%s' has no usable address", q->host);
    freeaddrinfo(list);
}

static void poke(struct shared *sh) {
    uint64_t one = 1;

    if (write(sh->wake, &one, sizeof one) < 0)
        return; /* the counter is already full: the loop will wake */
}

static void *worker(void *arg) {
    struct shared *sh = arg;
    struct dns_query *q;

    pthread_mutex_lock(&sh->lock);
    while (!sh->stop) {
        if (!(q = queue_pop(&sh->todo))) {
            pthread_cond_wait(&sh->work, &sh->lock);
            continue;
        }
        sh->busy = true;
        pthread_mutex_unlock(&sh->lock);
        resolve(q);
        pthread_mutex_lock(&sh->lock);
        queue_push(&sh->done, q);
        if (sh->stop) { /* dns_free did not wait: the state is ours now */
            pthread_mutex_unlock(&sh->lock);
            shared_free(sh);
            return NULL;
        }
        sh->busy = false;
        poke(sh);
    }
    pthread_mutex_unlock(&sh->lock);
    return NULL;
}

static void on_wake(void *arg, unsigned ready) {
    struct dns *d = arg;
    struct dns_query *q, *done;
    uint64_t n;

    (void)ready;
    if (read(d->sh->wake, &n, sizeof n) < 0)
        return;
    pthread_mutex_lock(&d->sh->lock);
    done = d->sh->done;
    d->sh->done = NULL;
    pthread_mutex_unlock(&d->sh->lock);
    while ((q = queue_pop(&done))) {
        if (!q->cancelled)
            q->fn(q->arg, q->addr[0] ? q->addr : NULL, q->addr[0] ? NULL : &q->why);
        free(q);
    }
}

/* Signals belong to the loop: the worker blocks all of them. */
static int worker_start(struct dns *d, struct err *e) {
    sigset_t all, old;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    rc = pthread_create(&d->worker, NULL, worker, d->sh);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return rc ? err_sys(e, rc, "cannot start the name resolver's thread") : 0;
}

struct dns *dns_new(struct loop *l, struct err *e) {
    struct dns *d = mem_new(sizeof *d);

    d->sh = mem_new(sizeof *d->sh);
    pthread_mutex_init(&d->sh->lock, NULL);
    pthread_cond_init(&d->sh->work, NULL);
    d->sh->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    d->watch = loop_fd_add(l, d->sh->wake, LOOP_IN, on_wake, d);
    if (!d->watch)
        err_sys(e, errno, "cannot watch the name resolver");
    if (d->watch && worker_start(d, e) == 0)
        return d;
    loop_fd_del(d->watch);
    shared_free(d->sh);
    free(d);
    return NULL;
}

void dns_free(struct dns *d) {
    bool busy;

    if (!d)
        return;
    loop_fd_del(d->watch);
    pthread_mutex_lock(&d->sh->lock);
    d->sh->stop = true;
    busy = d->sh->busy;
    pthread_cond_signal(&d->sh->work);
    pthread_mutex_unlock(&d->sh->lock);
    if (busy) { /* the resolver may hang for seconds: leave it to the worker */
        pthread_detach(d->worker);
    } else {
        pthread_join(d->worker, NULL);
        shared_free(d->sh);
    }
    free(d);
}

static bool is_numeric(const char *host) {
    struct in6_addr a;

    return inet_pton(AF_INET, host, &a) == 1 || inet_pton(AF_INET6, host, &a) == 1;
}

/* Numbers and "localhost" (RFC 6761) must not wait behind a dead resolver. */
struct dns_query *dns_resolve(struct dns *d, const char *host, dns_fn *fn, void *arg) {
    struct dns_query *q = mem_new(sizeof *q);
    bool local = strcmp(host, "localhost") == 0;

    q->fn = fn;
    q->arg = arg;
    if (local || is_numeric(host))
        snprintf(q->addr, sizeof q->addr, "%s", local ? "127.0.0.1" : host);
    else if (strlen(host) >= sizeof q->host)
        err_set(&q->why, "dns", "a host name of %zu bytes is too long", strlen(host));
    else
        snprintf(q->host, sizeof q->host, "%s", host);
    pthread_mutex_lock(&d->sh->lock);
    queue_push(q->host[0] ? &d->sh->todo : &d->sh->done, q);
    pthread_cond_signal(&d->sh->work);
    pthread_mutex_unlock(&d->sh->lock);
    if (!q->host[0])
        poke(d->sh);
    return q;
}

void dns_cancel(struct dns_query *q) {
    if (q)
        q->cancelled = true;
}

/* ---- which addresses are somebody's own network ---- */

struct range {
    uint8_t net[16];
    unsigned bits;
};

static const struct range private4[] = {
    /* RFC 6890 and successors */
    {{0}, 8},
    {{10}, 8},
    {{100, 64}, 10},
    {{127}, 8},
    {{169, 254}, 16},
    {{172, 16}, 12},
    {{192, 0, 0}, 24},
    {{192, 0, 2}, 24},
    {{192, 88, 99}, 24},
    {{192, 168}, 16},
    {{198, 18}, 15},
    {{198, 51, 100}, 24},
    {{203, 0, 113}, 24},
    {{224}, 4},
    {{240}, 4},
};

static const struct range private6[] = {
    {{0}, 96}, /* unspecified, loopback, v4-compatible */
    {{0x01, 0x00}, 64}, {{0xfc}, 7}, {{0xfe, 0x80}, 10},
    {{0xfe, 0xc0}, 10}, {{0xff}, 8}, {{0x20, 0x01, 0x0d, 0xb8}, 32},
};

static bool in_range(const uint8_t *a, const struct range *r) {
    unsigned whole = r->bits / 8, rest = r->bits % 8;

    if (memcmp(a, r->net, whole) != 0)
        return false;
    return !rest || (a[whole] ^ r->net[whole]) >> (8 - rest) == 0;
}

static bool in_any(const uint8_t *a, const struct range *r, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (in_range(a, &r[i]))
            return true;
    return false;
}

/* IPv6 forms that carry an IPv4 address: mapped, NAT64, 6to4. */
static const struct {
    struct range prefix;
    size_t at;
} carriers[] = {
    {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96}, 12},
    {{{0, 0x64, 0xff, 0x9b}, 96}, 12},
    {{{0x20, 0x02}, 16}, 2},
};

bool addr_is_private(const char *numeric) {
    char plain[INET6_ADDRSTRLEN];
    uint8_t a[16];

    snprintf(plain, sizeof plain, "%.*s", (int)strcspn(numeric, "%"), numeric); /* no scope id */
    if (inet_pton(AF_INET, plain, a) == 1)
        return in_any(a, private4, COUNT(private4));
    if (inet_pton(AF_INET6, plain, a) != 1)
        return true; /* what is not an address is not a public one */
    for (size_t i = 0; i < COUNT(carriers); i++)
        if (in_range(a, &carriers[i].prefix))
            return in_any(a + carriers[i].at, private4, COUNT(private4));
    return in_any(a, private6, COUNT(private6));
}
