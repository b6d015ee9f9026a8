/* cdvm image endorse: vouch with a key of your own, in public. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli_image.h"
#include "core/enc.h"
#include "core/nip19.h"
#include "core/pool.h"
#include "core/text.h"
#include "endorsing.h"
#include "identity.h"

#define EVENTS_MAX (IMAGE_VOLUMES_MAX + 1)
#define USUAL_DAYS 180
#define DAY_S 86400
#define WAIT_MS 15000
#define CHIP_HEX 128

/* What is going out, and who has taken it. */
struct outgoing {
    struct event *ev[EVENTS_MAX];
    char *what[EVENTS_MAX]; /* "workload table/1" */
    bool taken[EVENTS_MAX];
    size_t n, open; /* answers still to come */
    struct loop *loop;
};

static void add_event(struct outgoing *out, struct event *ev, char *what) {
    out->what[out->n] = what;
    out->ev[out->n++] = ev;
}

/* --- the key --- */

static void say_who(const struct keypair *k) {
    struct nip19 n = {.type = NIP19_NPUB};
    cleanup_buf struct buf npub = {0};

    memcpy(n.id, keypair_pub(k), 32);
    if (nip19_encode(&n, &npub, NULL) == 0)
        image_say("endorsing as %s", (const char *)npub.p);
}

static struct keypair *open_key(const struct image_options *o, struct err *e) {
    cleanup_free char *usual = o->key ? NULL : conf_path(CONF_DATA, "endorser.key", e);
    const char *path = o->key ? o->key : usual;
    bool fresh = path && access(path, F_OK) < 0;
    struct keypair *k = path ? identity_open(path, e) : NULL;

    if (k && fresh)
        image_say("there was no key yet: a new one is in '%s'. It is what others pin: keep it safe "
                  "and make a copy",
                  path);
    if (k)
        say_who(k);
    return k;
}

/* --- what is said --- */

static int64_t until(const struct image_options *o, int64_t now) {
    return now + (int64_t)(o->days ? o->days : USUAL_DAYS) * DAY_S;
}

/* Seconds rise by themselves: a later word stands above an earlier one without any record of it. */
static uint64_t seq_of(const struct image_options *o, int64_t now) {
    return o->seq ? o->seq : (uint64_t)now;
}

static void endorse_one(struct outgoing *out, const struct endorsed *what,
                        const struct image_options *o, const struct keypair *k) {
    int64_t now = unix_now();
    uint64_t seq = seq_of(o, now);

    add_event(out,
              o->revoke ? endorsement_revoke(what, seq, now, k)
                        : endorsement_make(what, seq, now, until(o, now), k),
              mem_fmt("%s %s/%s", what->type, what->name, what->version));
}

static int endorse_named(struct outgoing *out, const struct image *m, const char *name,
                         const struct image_options *o, const struct keypair *k, struct err *e) {
    const struct image_volume *v = image_named(m, name);
    bool release = !strcmp(name, "release");
    struct endorsed what;

    if (!release && !v)
        return err_set(e, "usage", "the image has no volume '%s'", name);
    if (out->n == EVENTS_MAX)
        return err_set(e, "usage", "more names than the image has");
    what = release ? endorsed_release(m) : endorsed_volume(v);
    endorse_one(out, &what, o, k);
    return 0;
}

static void endorse_all(struct outgoing *out, const struct image *m, const struct image_options *o,
                        const struct keypair *k) {
    struct endorsed what = endorsed_release(m);

    endorse_one(out, &what, o, k);
    for (size_t i = 0; i < m->n_volumes; i++) {
        what = endorsed_volume(&m->volume[i]);
        endorse_one(out, &what, o, k);
    }
}

/* Only what stands there, byte for byte, as its manifests say. */
static int endorse_image(struct outgoing *out, const struct image_call *c, const struct keypair *k,
                         struct err *e) {
    struct image *m = image_load(c->word[0], e);
    int rc = m ? 0 : -1;

    if (m && c->n_words == 1)
        endorse_all(out, m, c->o, k);
    for (size_t i = 1; rc == 0 && i < c->n_words; i++)
        rc = endorse_named(out, m, c->word[i], c->o, k, e);
    image_free(m);
    return rc;
}

static int endorse_chip(struct outgoing *out, const struct image_options *o,
                        const struct keypair *k, struct err *e) {
    uint8_t id[CHIP_HEX / 2];
    int64_t now = unix_now();

    if (!hex_decode_str(o->chip, id, sizeof id))
        return err_set(e, "usage", "--chip takes the 128 hex digits of a report's CHIP_ID");
    if (!o->revoke && !o->operator_)
        return err_set(e, "usage", "--operator says at whose place you have seen the machine");
    add_event(
        out,
        chip_make(o->chip, o->revoke ? NULL : o->operator_, seq_of(o, now), now, until(o, now), k),
        mem_fmt("chip %.16s...", o->chip));
    return 0;
}

/* --- on its way --- */

static void on_ok(void *arg, const uint8_t id[32], bool ok, const char *url, const char *msg) {
    struct outgoing *out = arg;
    cleanup_free char *safe = text_safe_new(view_str(msg), TEXT_LINE, 120);

    for (size_t i = 0; i < out->n; i++) {
        if (memcmp(out->ev[i]->f.id, id, 32))
            continue;
        out->taken[i] |= ok;
        image_say("%s: %s %s%s%s", url, out->what[i], ok ? "taken" : "refused", *safe ? ": " : "",
                  safe);
        if (--out->open == 0)
            loop_quit(out->loop);
    }
}

static void on_late(void *arg) {
    loop_quit(arg);
}

static void on_event(void *arg, const char *sub, const struct event *ev, const char *url) {
    (void)arg;
    (void)sub;
    (void)ev;
    (void)url;
}

static void on_eose(void *arg, const char *sub) {
    (void)arg;
    (void)sub;
}

static void on_state(void *arg) {
    (void)arg;
}

static int send_to(struct pool *p, struct outgoing *out, const struct conf_list *relays,
                   struct err *e) {
    struct loop_timer *late = loop_timer_add(out->loop, loop_now() + WAIT_MS, on_late, out->loop);
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < relays->n; i++)
        rc = pool_add(p, relays->v[i], e);
    for (size_t i = 0; rc == 0 && i < out->n; i++)
        rc = pool_publish(p, out->ev[i], e);
    out->open = out->n * pool_count(p);
    if (rc == 0)
        loop_run(out->loop);
    loop_timer_del(late);
    return rc;
}

static int all_taken(const struct outgoing *out, struct err *e) {
    for (size_t i = 0; i < out->n; i++)
        if (!out->taken[i])
            return err_set(e, "no-relay", "no relay has taken %s", out->what[i]);
    return 0;
}

static int publish(struct outgoing *out, const struct conf_list *relays, const struct keypair *k,
                   struct err *e) {
    static const struct pool_handler h = {
        .event = on_event, .eose = on_eose, .ok = on_ok, .state = on_state};
    struct ws_net *net = NULL;
    struct pool *p = NULL;
    int rc = -1;

    out->loop = loop_new(e);
    net = out->loop ? ws_net_new(out->loop, e) : NULL;
    p = net ? pool_new(net, k, &h, out) : NULL;
    if (p)
        rc = send_to(p, out, relays, e);
    pool_free(p);
    ws_net_free(net);
    loop_free(out->loop);
    return rc < 0 ? -1 : all_taken(out, e);
}

static void print_events(const struct outgoing *out) {
    for (size_t i = 0; i < out->n; i++) {
        cleanup_buf struct buf json = {0};

        event_json(out->ev[i], &json);
        printf("%s\n", (const char *)json.p);
    }
}

static int check(const struct image_call *c, struct err *e) {
    if ((c->n_words == 0) == (c->o->chip == NULL))
        return err_set(e, "usage", "name a guest image, or a chip with --chip");
    if (!c->o->relay.n && !c->o->print)
        return err_set(e, "usage", "say with --relay where it is published, or --print it only");
    return 0;
}

static int endorse(const struct image_call *c, struct outgoing *out, struct err *e) {
    struct keypair *k = check(c, e) == 0 ? open_key(c->o, e) : NULL;
    int rc = -1;

    if (k)
        rc = c->o->chip ? endorse_chip(out, c->o, k, e) : endorse_image(out, c, k, e);
    if (rc == 0 && c->o->print)
        print_events(out);
    else if (rc == 0)
        rc = publish(out, &c->o->relay, k, e);
    keypair_free(k);
    return rc;
}

static int run_endorse(const struct image_call *c) {
    struct outgoing out = {0};
    struct err e;
    int rc = endorse(c, &out, &e);

    for (size_t i = 0; i < out.n; i++) {
        event_free(out.ev[i]);
        free(out.what[i]);
    }
    return rc < 0 ? image_complain(&e) : 0;
}

static const struct conf_key endorse_keys[] = {
    {"relay", CONF_LIST, OPTION_AT(relay), 0, 250, NULL, "where it is published (repeat)"},
    {"print", CONF_BOOL, OPTION_AT(print), 0, 0, NULL, "print the events; publish nothing"},
    {"key", CONF_STRING, OPTION_AT(key), 0, 0, NULL,
     "file of your key, made when absent (endorser.key in the data folder)"},
    {"days", CONF_NUMBER, OPTION_AT(days), 1, 3650, NULL, "how long it holds (180)"},
    {"seq", CONF_NUMBER, OPTION_AT(seq), 1, (uint64_t)1 << 52, NULL,
     "number above your earlier words on it (the time)"},
    {"revoke", CONF_BOOL, OPTION_AT(revoke), 0, 0, NULL, "take back what this key has said of it"},
    {"chip", CONF_STRING, OPTION_AT(chip), 0, 128, NULL, "a machine instead, by its CHIP_ID"},
    {"operator", CONF_STRING, OPTION_AT(operator_), 0, 400, NULL,
     "with --chip: at whose place you have seen it"},
};

const struct image_command image_endorse = {
    "endorse",
    "DIR [release|NAME]...",
    "vouch for an image's release and volumes (all, or those named), or with --chip for a "
    "machine.\n"
    "Rebuild it from its source before: your word is what others rely on",
    0,
    EVENTS_MAX,
    endorse_keys,
    COUNT(endorse_keys),
    run_endorse};
