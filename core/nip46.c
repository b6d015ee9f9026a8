#include "nip46.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dvm.h"
#include "enc.h"
#include "json.h"
#include "loop.h"
#include "nip44.h"
#include "pool.h"
#include "text.h"

#define ID_LEN 32 /* characters of a request's id */
#define REPLY_MAX ((size_t)65536)
#define PERMS "sign_event:25931"
#define NAME "cdvm"

enum stage {
    STAGE_WAITING,
    STAGE_CONNECTING,
    STAGE_ASKING,
    STAGE_READY,
    STAGE_SIGNING,
    STAGE_OVER
};

struct nip46 {
    struct signer_url at;
    const struct keypair *client;
    struct nip46_handler h;
    void *arg;
    struct pool *pool;
    struct loop_timer *patience;
    enum stage stage;
    bool has_user;
    uint8_t user[32];
    char id[ID_LEN + 1]; /* of the request that waits for its answer */
    uint8_t want[32];    /* id of the event that is to come back */
    nip46_signed_fn *fn;
    void *fn_arg;
};

/* --- addresses --- */

static int hex_digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Percent-encoding undone into out; false when it does not fit or is none. */
static bool decode(struct view v, char *out, size_t cap) {
    size_t n = 0;

    for (size_t i = 0; i < v.n; i++) {
        char c = (char)v.p[i];

        if (c == '%') {
            int hi = v.n - i > 2 ? hex_digit((char)v.p[i + 1]) : -1;
            int lo = v.n - i > 2 ? hex_digit((char)v.p[i + 2]) : -1;

            if (hi < 0 || lo < 0)
                return false;
            c = (char)(hi * 16 + lo);
            i += 2;
        }
        if (n + 1 >= cap || (uint8_t)c <= 0x20 || (uint8_t)c >= 0x7f)
            return false;
        out[n++] = c;
    }
    out[n] = 0;
    return true;
}

static void encode(const char *s, struct buf *out) {
    for (; *s; s++) {
        if (strchr("-_.~", *s) || (*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'z') ||
            (*s >= 'A' && *s <= 'Z'))
            buf_u8(out, (uint8_t)*s);
        else
            buf_fmt(out, "%%%02X", (uint8_t)*s);
    }
}

static int bad(struct err *e, const char *why) {
    return err_set(e, "bad-signer", "this is no address of a signer: %s", why);
}

static int take_relay(struct signer_url *u, struct view v, struct err *e) {
    if (u->n_relays == NIP46_RELAYS)
        return 0; /* more are ignored */
    if (!decode(v, u->relay[u->n_relays], sizeof u->relay[0]) ||
        !url_form_ok(u->relay[u->n_relays], "ws"))
        return bad(e, "a relay that is not a ws:// or wss:// address");
    u->n_relays++;
    return 0;
}

static int take_pair(struct signer_url *u, struct view pair, struct err *e) {
    const uint8_t *eq = pair.n ? memchr(pair.p, '=', pair.n) : NULL;
    struct view key = view_of(pair.p, eq ? (size_t)(eq - pair.p) : pair.n);
    struct view value = eq ? view_of(eq + 1, pair.n - key.n - 1) : (struct view){0};

    if (view_is(key, "relay"))
        return take_relay(u, value, e);
    if (view_is(key, "secret") && !decode(value, u->secret, sizeof u->secret))
        return bad(e, "its secret is too long, or no text");
    return 0;
}

static int take_query(struct signer_url *u, struct view q, struct err *e) {
    while (q.n) {
        const uint8_t *amp = memchr(q.p, '&', q.n);
        struct view pair = view_of(q.p, amp ? (size_t)(amp - q.p) : q.n);

        if (take_pair(u, pair, e))
            return -1;
        q = amp ? view_of(amp + 1, q.n - pair.n - 1) : (struct view){0};
    }
    return u->n_relays ? 0 : bad(e, "it names no relay");
}

int signer_url_parse(struct view text, struct signer_url *out, struct err *e) {
    static const char scheme[] = "bunker://";
    size_t head = strlen(scheme);

    *out = (struct signer_url){0};
    while (text.n && text.p[text.n - 1] <= ' ')
        text.n--;
    for (; text.n && *text.p <= ' '; text.n--)
        text.p++;
    if (text.n < head || memcmp(text.p, scheme, head) != 0)
        return bad(e, "it does not begin with bunker://");
    text = view_of(text.p + head, text.n - head);
    if (text.n < 65 || text.p[64] != '?' || !hex_decode(view_of(text.p, 64), out->signer, 32))
        return bad(e, "64 hex digits and a '?' must follow bunker://");
    if (take_query(out, view_of(text.p + 65, text.n - 65), e) == 0)
        return 0;
    explicit_bzero(out, sizeof *out);
    return -1;
}

static void put_relays(const struct signer_url *u, struct buf *out) {
    for (size_t i = 0; i < u->n_relays; i++) {
        buf_fmt(out, "%crelay=", i ? '&' : '?');
        encode(u->relay[i], out);
    }
}

void signer_url_write(const struct signer_url *u, struct buf *out) {
    char hex[65];

    hex_encode(view_of(u->signer, 32), hex);
    buf_fmt(out, "bunker://%s", hex);
    put_relays(u, out);
}

void nip46_invitation(const struct signer_url *at, const uint8_t client[static 32],
                      struct buf *out) {
    char hex[65];

    hex_encode(view_of(client, 32), hex);
    buf_fmt(out, "nostrconnect://%s", hex);
    put_relays(at, out);
    buf_str(out, "&secret=");
    encode(at->secret, out);
    buf_str(out, "&perms=");
    encode(PERMS, out);
    buf_str(out, "&name=" NAME);
}

/* --- ends --- */

static void over(struct nip46 *n, const struct err *why) {
    nip46_signed_fn *fn = n->fn;

    if (n->stage == STAGE_OVER)
        return;
    n->stage = STAGE_OVER;
    n->fn = NULL;
    loop_timer_set(n->patience, -1);
    if (fn)
        fn(n->fn_arg, NULL, why);
    n->h.failed(n->arg, why);
}

static void on_patience(void *arg) {
    struct err e;

    err_set(&e, "signer-silent", "the signer did not answer; is it running, and on its relays?");
    over(arg, &e);
}

static void wait_for(struct nip46 *n, int ms) {
    loop_timer_set(n->patience, loop_now() + ms);
}

/* --- requests --- */

static int publish(struct nip46 *n, struct view text, struct err *e) {
    cleanup_buf struct buf payload = {0};
    struct nip44_key k;
    struct fields f;
    struct event *ev;
    char hex[65];
    int rc;

    rc = nip44_conversation(n->client, n->at.signer, &k, e);
    if (rc == 0)
        rc = nip44_encrypt(&k, text, NULL, &payload, e);
    explicit_bzero(&k, sizeof k);
    if (rc)
        return -1;
    hex_encode(view_of(n->at.signer, 32), hex);
    f = fields_new(KIND_SIGNER, unix_now(), buf_view(&payload));
    fields_add(&f, "p", hex);
    ev = event_sign(&f, n->client);
    rc = pool_publish(n->pool, ev, e);
    event_free(ev);
    return rc;
}

/* One is open at a time; what answers an earlier one is not heard. */
static int request(struct nip46 *n, const char *method, const char *const *param, size_t n_params,
                   struct err *e) {
    struct buf text = {0};
    struct jw w = jw_new(&text);
    uint8_t id[ID_LEN / 2];
    int rc;

    random_bytes(id, sizeof id);
    hex_encode(view_of(id, sizeof id), n->id);
    jw_obj(&w);
    jw_kstr(&w, "id", n->id);
    jw_kstr(&w, "method", method);
    jw_key(&w, "params");
    jw_arr(&w);
    for (size_t i = 0; i < n_params; i++)
        jw_str(&w, param[i]);
    jw_end_arr(&w);
    jw_end_obj(&w);
    rc = publish(n, buf_view(&text), e);
    buf_wipe(&text); /* it may hold the secret */
    wait_for(n, NIP46_ANSWER_MS);
    return rc;
}

static int ask_key(struct nip46 *n, struct err *e) {
    n->stage = STAGE_ASKING;
    explicit_bzero(n->at.secret, sizeof n->at.secret);
    return request(n, "get_public_key", NULL, 0, e);
}

static int ask_connect(struct nip46 *n, struct err *e) {
    char hex[65];
    const char *const param[] = {hex, n->at.secret, PERMS};

    n->stage = STAGE_CONNECTING;
    hex_encode(view_of(n->at.signer, 32), hex);
    return request(n, "connect", param, COUNT(param), e);
}

static void draft_json(const struct fields *f, struct buf *out) {
    struct jw w = jw_new(out);

    jw_obj(&w);
    jw_kint(&w, "kind", f->kind);
    jw_kint(&w, "created_at", f->created_at);
    jw_key(&w, "content");
    jw_view(&w, view_of(f->content, f->content_len));
    jw_key(&w, "tags");
    jw_arr(&w);
    for (size_t i = 0; i < f->n_tags; i++) {
        jw_arr(&w);
        for (size_t k = 0; k < f->tags[i].n; k++)
            jw_str(&w, f->tags[i].v[k]);
        jw_end_arr(&w);
    }
    jw_end_arr(&w);
    jw_end_obj(&w);
}

int nip46_sign(struct nip46 *n, struct fields *draft, nip46_signed_fn *fn, void *arg,
               struct err *e) {
    cleanup_buf struct buf json = {0};
    const char *param;
    int rc;

    memcpy(draft->pubkey, n->user, 32);
    fields_id(draft, n->want);
    draft_json(draft, &json);
    fields_free(draft);
    if (n->stage != STAGE_READY)
        return err_set(e, "busy", "the signer is not there, or at something else");
    param = (const char *)json.p;
    rc = request(n, "sign_event", &param, 1, e);
    if (rc)
        return -1;
    n->stage = STAGE_SIGNING;
    n->fn = fn;
    n->fn_arg = arg;
    return 0;
}

/* --- answers --- */

static void on_key(struct nip46 *n, const char *result) {
    uint8_t user[32];
    struct err e;

    if (!hex_decode_str(result, user, 32)) {
        err_set(&e, "bad-signer", "the signer's answer is no public key");
        over(n, &e);
        return;
    }
    if (n->has_user && memcmp(user, n->user, 32) != 0) {
        err_set(&e, "bad-signer", "the signer now signs with another key than before");
        over(n, &e);
        return;
    }
    memcpy(n->user, user, 32);
    n->has_user = true;
    n->stage = STAGE_READY;
    loop_timer_set(n->patience, -1);
    n->h.ready(n->arg, n->user);
}

/* Its id covers key, kind, date, tags and content, so one comparison is enough. */
static void on_signed(struct nip46 *n, const char *result) {
    nip46_signed_fn *fn = n->fn;
    struct err e = {0};
    struct event *ev = event_parse(view_str(result), &e);

    if (ev && memcmp(ev->f.id, n->want, 32) != 0)
        err_set(&e, "bad-signer", "the signer signed something else than it was asked to");
    else if (!ev)
        err_wrap(&e, "the signer's answer is no signed event");
    if (e.code[0]) {
        snprintf(e.code, sizeof e.code, "bad-signer");
        event_free(ev);
        over(n, &e);
        return;
    }
    n->stage = STAGE_READY;
    n->fn = NULL;
    loop_timer_set(n->patience, -1);
    fn(n->fn_arg, ev, NULL);
    event_free(ev);
}

/* A refusal of one event leaves the connection as it is; before that there is none. */
static void on_refusal(struct nip46 *n, const char *text) {
    nip46_signed_fn *fn = n->fn;
    cleanup_free char *safe = text_safe_new(view_str(text), TEXT_LINE, 200);
    struct err e;

    err_set(&e, "signer-refused", "the signer says: %s", safe);
    if (n->stage != STAGE_SIGNING) {
        over(n, &e);
        return;
    }
    n->stage = STAGE_READY;
    n->fn = NULL;
    loop_timer_set(n->patience, -1);
    fn(n->fn_arg, NULL, &e);
}

static void on_visit(struct nip46 *n, const char *url) {
    cleanup_free char *safe = text_safe_new(view_str(url), TEXT_LINE, 500);

    wait_for(n, NIP46_PERSON_MS);
    n->h.visit(n->arg, safe);
}

static void on_result(struct nip46 *n, const char *result) {
    struct err e;

    switch (n->stage) {
    case STAGE_CONNECTING: /* "ack", or the secret */
        if (ask_key(n, &e))
            over(n, &e);
        return;
    case STAGE_ASKING:
        on_key(n, result);
        return;
    case STAGE_SIGNING:
        on_signed(n, result);
        return;
    case STAGE_WAITING:
    case STAGE_READY:
    case STAGE_OVER:
        return;
    }
}

static void on_reply(struct nip46 *n, const cJSON *o) {
    const char *id = json_opt(o, "id"), *result = json_opt(o, "result"),
               *error = json_opt(o, "error");

    if (!id || strcmp(id, n->id) != 0 || n->stage == STAGE_READY)
        return;
    if (result && !strcmp(result, "auth_url"))
        on_visit(n, error ? error : "");
    else if (error && *error)
        on_refusal(n, error);
    else
        on_result(n, result ? result : "");
}

/* The one who knows the secret is the signer that was invited. */
static void on_guest(struct nip46 *n, const uint8_t who[static 32], const cJSON *o) {
    const char *result = json_opt(o, "result");
    struct err e;

    if (!result || strlen(result) != strlen(n->at.secret) ||
        !secret_eq(result, n->at.secret, strlen(result)))
        return;
    memcpy(n->at.signer, who, 32);
    if (ask_key(n, &e))
        over(n, &e);
}

static cJSON *open_reply(struct nip46 *n, const struct event *ev) {
    struct buf text = {.max = REPLY_MAX};
    struct nip44_key k;
    cJSON *o = NULL;

    if (nip44_conversation(n->client, ev->f.pubkey, &k, NULL) == 0 &&
        nip44_decrypt(&k, view_of(ev->f.content, ev->f.content_len), &text, NULL) == 0)
        o = json_parse(buf_view(&text), REPLY_MAX, NULL);
    explicit_bzero(&k, sizeof k);
    buf_wipe(&text);
    return o;
}

static void on_event(void *arg, const char *sub, const struct event *ev, const char *url) {
    struct nip46 *n = arg;
    bool theirs = memcmp(ev->f.pubkey, n->at.signer, 32) == 0;
    cJSON *o;

    (void)sub;
    (void)url;
    if (ev->f.kind != KIND_SIGNER || n->stage == STAGE_OVER ||
        (n->stage != STAGE_WAITING && !theirs))
        return;
    o = open_reply(n, ev);
    if (o && n->stage == STAGE_WAITING)
        on_guest(n, ev->f.pubkey, o);
    else if (o)
        on_reply(n, o);
    json_wipe(o);
}

/* --- opening --- */

static int open_pool(struct nip46 *n, struct ws_net *net, struct err *e) {
    static const struct pool_handler handler = {.event = on_event};
    cleanup_free char *hex = hex_new(view_of(keypair_pub(n->client), 32));
    cleanup_free char *filter = mem_fmt("{\"kinds\":[%d],\"#p\":[\"%s\"],\"since\":%lld}",
                                        KIND_SIGNER, hex, (long long)unix_now() - 60);

    n->pool = pool_new(net, n->client, &handler, n);
    for (size_t i = 0; i < n->at.n_relays; i++)
        if (pool_add(n->pool, n->at.relay[i], e))
            return -1;
    return pool_subscribe(n->pool, "signer", filter, e);
}

static struct nip46 *open_at(struct ws_net *net, const struct signer_url *at,
                             const struct keypair *client, const struct nip46_handler *h, void *arg,
                             struct err *e) {
    struct nip46 *n = mem_new(sizeof *n);

    n->at = *at;
    n->client = client;
    n->h = *h;
    n->arg = arg;
    n->patience = loop_timer_add(ws_loop(net), loop_now() + NIP46_PERSON_MS, on_patience, n);
    if (open_pool(n, net, e) == 0)
        return n;
    nip46_free(n);
    return NULL;
}

struct nip46 *nip46_new(struct ws_net *net, const struct signer_url *at,
                        const struct keypair *client, const uint8_t *user,
                        const struct nip46_handler *h, void *arg, struct err *e) {
    struct nip46 *n = open_at(net, at, client, h, arg, e);
    int rc;

    if (!n)
        return NULL;
    if (user)
        memcpy(n->user, user, 32);
    n->has_user = user != NULL;
    rc = user && !*at->secret ? ask_key(n, e) : ask_connect(n, e);
    if (rc == 0)
        return n;
    nip46_free(n);
    return NULL;
}

struct nip46 *nip46_await(struct ws_net *net, const struct signer_url *at,
                          const struct keypair *client, const struct nip46_handler *h, void *arg,
                          struct err *e) {
    if (strlen(at->secret) < 16) {
        err_set(e, "bad-signer", "an invitation needs a secret that cannot be guessed");
        return NULL;
    }
    return open_at(net, at, client, h, arg, e);
}

void nip46_free(struct nip46 *n) {
    if (!n)
        return;
    loop_timer_del(n->patience);
    pool_free(n->pool);
    explicit_bzero(n, sizeof *n);
    free(n);
}

const struct signer_url *nip46_url(const struct nip46 *n) {
    return &n->at;
}
