#include "tui/errand.h"

#include <stdlib.h>
#include <string.h>

#include "core/loop.h"

enum end { END_NONE, END_MET, END_INTRODUCED, END_FAILED };

struct errand {
    struct errand_handler h;
    void *arg;
    struct keypair *client;
    struct nip46 *signer;
    struct loop_timer *timer; /* the deadline; then the end, told from outside the signer's calls */
    int64_t until;
    bool visited;
    uint8_t user[32];
    struct event *offer_event; /* of an introduction; NULL else */
    struct offer *offer;
    struct opening *opening;
    enum end end;
    struct err why;
};

/* --- ends --- */

static void end(struct errand *x, enum end how) {
    if (x->end != END_NONE)
        return;
    x->end = how;
    loop_timer_set(x->timer, loop_now());
}

static void end_badly(struct errand *x, const struct err *why) {
    if (x->end == END_NONE)
        x->why = *why;
    end(x, END_FAILED);
}

/* The last that is done with x: its owner may free it. */
static void tell(struct errand *x) {
    struct opening *op = x->opening;

    if (x->end == END_MET) {
        x->h.met(x->arg, x->user);
    } else if (x->end == END_INTRODUCED) {
        x->opening = NULL;
        x->h.introduced(x->arg, op, x->offer);
    } else {
        x->h.failed(x->arg, &x->why);
    }
}

static void on_timer(void *arg) {
    struct errand *x = arg;

    if (x->end == END_NONE) {
        err_set(&x->why, "signer-silent",
                x->visited ? "nobody said yes to the signer in time"
                           : "the signer did not answer; is it running, and on its relays?");
        x->end = END_FAILED;
    }
    tell(x);
}

/* --- what the signer says --- */

static void on_visit(void *arg, const char *url) {
    struct errand *x = arg;

    if (x->end != END_NONE)
        return;
    if (!x->visited)
        x->until = loop_now() + NIP46_PERSON_MS;
    x->visited = true;
    loop_timer_set(x->timer, x->until);
    x->h.waits(x->arg, x->until, url);
}

static void on_failed(void *arg, const struct err *why) {
    end_badly(arg, why);
}

static void on_met(void *arg, const uint8_t user[static 32]) {
    struct errand *x = arg;

    memcpy(x->user, user, 32);
    end(x, END_MET);
}

static void on_signed(void *arg, const struct event *ev, const struct err *why) {
    struct errand *x = arg;
    struct err e;

    if (!ev)
        end_badly(x, why);
    else if (opening_introduce(x->opening, x->offer, ev, x->user, &e))
        end_badly(x, &e);
    else
        end(x, END_INTRODUCED);
}

/* The signer is there, with the key it was met with: only now is the draft made and dated. */
static void on_there(void *arg, const uint8_t user[static 32]) {
    struct errand *x = arg;
    struct fields draft = opening_draft(x->opening, x->offer, unix_now());
    struct err e;

    (void)user;
    if (nip46_sign(x->signer, &draft, on_signed, x, &e))
        end_badly(x, &e);
}

/* --- the beginning --- */

static struct errand *errand_new(struct ws_net *net, const struct keypair *client,
                                 const struct errand_handler *h, void *arg, struct err *e) {
    struct errand *x = mem_new(sizeof *x);

    x->h = *h;
    x->arg = arg;
    x->until = loop_now() + NIP46_ANSWER_MS;
    x->timer = loop_timer_add(ws_loop(net), x->until, on_timer, x);
    x->client = keypair_from(secret_get(keypair_secret(client)), e);
    if (x->client)
        return x;
    errand_free(x);
    return NULL;
}

void errand_free(struct errand *x) {
    if (!x)
        return;
    nip46_free(x->signer);
    loop_timer_del(x->timer);
    keypair_free(x->client);
    opening_free(x->opening);
    event_free(x->offer_event);
    offer_free(x->offer);
    free(x);
}

/* x, when its signer is being asked; else it goes. */
static struct errand *begun(struct errand *x) {
    if (x->signer) {
        x->h.waits(x->arg, x->until, NULL);
        return x;
    }
    errand_free(x);
    return NULL;
}

struct errand *errand_meet(struct ws_net *net, const struct signer_url *at,
                           const struct keypair *client, const struct errand_handler *h, void *arg,
                           struct err *e) {
    static const struct nip46_handler MEETING = {on_met, on_visit, on_failed};
    struct errand *x = errand_new(net, client, h, arg, e);

    if (!x)
        return NULL;
    x->signer = nip46_new(net, at, x->client, NULL, &MEETING, x, e);
    return begun(x);
}

bool errand_wanted(const struct identities *l) {
    const struct identity *who = l ? identities_chosen(l) : NULL;

    return who && who->signer;
}

struct errand *errand_introduce(struct ws_net *net, const struct identities *l,
                                const struct offer *offer, const struct errand_handler *h,
                                void *arg, struct err *e) {
    static const struct nip46_handler SIGNING = {on_there, on_visit, on_failed};
    const struct identity *who = identities_chosen(l);
    struct errand *x = errand_new(net, identities_key(l), h, arg, e);
    struct signer_url at;

    if (!x)
        return NULL;
    memcpy(x->user, who->pub, 32);
    x->opening = opening_new();
    x->offer_event = event_parse(view_str(offer->json), e);
    x->offer = x->offer_event ? offer_parse(x->offer_event, e) : NULL;
    if (x->offer && signer_url_parse(view_str(who->signer), &at, e) == 0)
        x->signer = nip46_new(net, &at, x->client, x->user, &SIGNING, x, e);
    return begun(x);
}
