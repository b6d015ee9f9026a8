#include "talk_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enc.h"
#include "hash.h"
#include "loop.h"

#define ACK_EVERY 16        /* numbered messages taken before an ack goes out at once */
#define GAP_PATIENCE_MS 300 /* reordering settles by itself */

/* What talk needs to know of a rumor. m is empty for kinds 14 and 15. */
struct incoming {
    const char *type;
    int64_t seq, ack;
    struct msg m;
};

static bool type_numbered(const char *type) {
    static const char *const light[] = {"ping",  "pong",     "ack",    "nack",
                                        "delta", "progress", "receipt"};

    for (size_t i = 0; i < COUNT(light); i++)
        if (!strcmp(light[i], type))
            return false;
    return true;
}

/* Seq 0 opens a direction and nothing else does. */
static bool seq_fits(enum talk_role author, const char *type, int64_t seq) {
    bool opens = author == TALK_GUEST ? !strcmp(type, "hello") : !strcmp(type, "accept");

    if (author == TALK_CUSTOMER && !strcmp(type, "end"))
        return true;
    return seq == 0 ? opens : !opens;
}

void talk_ids_add(struct ids *l, const uint8_t id[static 32], uint64_t bytes) {
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 64;
        l->id = mem_grow(l->id, l->cap * sizeof *l->id);
    }
    memcpy(l->id[l->n++], id, 32);
    l->bytes += bytes;
}

/* Content without the zeros that pad a message of kind 25930 before its final `"}`. */
static uint64_t content_bytes(const struct rumor *r) {
    size_t n = r->f.content_len, end = n >= 2 ? n - 2 : 0;

    if (r->f.kind != KIND_MESSAGE)
        return n;
    while (end > 0 && r->f.content[end - 1] == '0')
        end--;
    return end + (n >= 2 ? 2 : n);
}

struct talk *talk_new(enum talk_role role, const struct keypair *me, const uint8_t peer[static 32],
                      const uint8_t job[static 32], const struct talk_handler *h, void *arg) {
    struct talk *t = mem_new(sizeof *t);

    t->role = role;
    t->me = me;
    memcpy(t->peer, peer, 32);
    memcpy(t->job, job, 32);
    t->h = *h;
    t->arg = arg;
    t->retry_at = t->gap_since = -1;
    t->retry_ms = TALK_RETRY_MS;
    t->nacked = t->nack_answered = -TALK_NACK_MS;
    return t;
}

static void rumor_wipe(struct rumor *r) {
    if (r && r->f.content)
        explicit_bzero(r->f.content, r->f.content_len);
    rumor_free(r);
}

void talk_free(struct talk *t) {
    if (!t)
        return;
    for (size_t i = 0; i < TALK_KEEP; i++)
        rumor_wipe(t->kept[i]);
    for (size_t i = 0; i < TALK_WINDOW; i++)
        rumor_wipe(t->waiting[i]);
    free(t->in.id);
    free(t->out.id);
    explicit_bzero(t, sizeof *t);
    free(t);
}

const uint8_t *talk_peer(const struct talk *t) {
    return t->peer;
}

static int talk_break(struct talk *t, const struct err *why, struct err *e) {
    if (e)
        *e = *why;
    if (!t->broken) {
        t->broken = true;
        t->h.broken(t->arg, why);
    }
    return -1;
}

/* --- out --- */

size_t talk_unacked(const struct talk *t) {
    return t->out.n - (size_t)t->acked;
}

uint64_t talk_sent(const struct talk *t) {
    return t->out.n;
}

const uint8_t *talk_sent_id(const struct talk *t, uint64_t seq) {
    return seq < t->out.n ? t->out.id[seq] : NULL;
}

uint64_t talk_acked(const struct talk *t) {
    return t->acked;
}

static int can_send(const struct talk *t, const char *type, bool numbered, struct err *e) {
    if (t->broken)
        return err_set(e, "broken", "this conversation has ended");
    if (!numbered)
        return 0;
    if (!seq_fits(t->role, type, (int64_t)t->out.n))
        return err_set(e, "bad-message", "%s cannot be message number %zu", type, t->out.n);
    if (talk_unacked(t) >= TALK_KEEP)
        return err_set(e, "busy", "%d messages wait for the other side", TALK_KEEP);
    return 0;
}

/* Takes over r. */
static int emit(struct talk *t, struct rumor *r, bool numbered, bool stored, uint8_t *out_id) {
    size_t slot = t->out.n % TALK_KEEP;

    if (!r)
        return -1;
    if (out_id)
        memcpy(out_id, r->f.id, 32);
    t->told = t->in.n;
    t->ack_due = false;
    if (numbered) {
        talk_ids_add(&t->out, r->f.id, content_bytes(r));
        rumor_wipe(t->kept[slot]);
        t->kept[slot] = r;
    }
    t->h.send(t->arg, r, stored);
    if (!numbered)
        rumor_wipe(r);
    return 0;
}

int talk_send(struct talk *t, const char *type, struct view body, uint8_t *out_id, struct err *e) {
    bool numbered = type_numbered(type), stored = numbered || !strcmp(type, "receipt");
    struct msg_head h = {type, t->job, numbered ? (int64_t)t->out.n : -1, (int64_t)t->in.n};

    if (can_send(t, type, numbered, e))
        return -1;
    return emit(t, msg_build(&h, body, keypair_pub(t->me), t->peer, unix_now(), e), numbered,
                stored, out_id);
}

static void add_count(struct fields *f, const char *name, size_t n) {
    cleanup_free char *s = mem_fmt("%zu", n);

    fields_add(f, name, s);
}

static int send_tagged(struct talk *t, const char *type, struct fields *f, uint8_t *out_id,
                       struct err *e) {
    char hex[65];

    if (can_send(t, type, true, e)) {
        fields_free(f);
        return -1;
    }
    hex_encode(view_of(t->peer, 32), hex);
    fields_add(f, "p", hex);
    add_count(f, "seq", t->out.n);
    add_count(f, "ack", t->in.n);
    return emit(t, rumor_padded(f, keypair_pub(t->me), e), true, true, out_id);
}

static struct fields text_fields(struct view text, const uint8_t *reply) {
    struct fields f = fields_new(KIND_TEXT, unix_now(), text);
    char hex[65];

    if (reply) {
        hex_encode(view_of(reply, 32), hex);
        fields_add(&f, "e", hex);
    }
    return f;
}

int talk_send_text(struct talk *t, struct view text, const uint8_t *reply, uint8_t *out_id,
                   struct err *e) {
    struct fields f = text_fields(text, reply);

    return send_tagged(t, "text", &f, out_id, e);
}

static void add_usage(struct fields *f, const struct talk_usage *u) {
    char prompt[24], completion[24];

    snprintf(prompt, sizeof prompt, "%" PRIu64, u->prompt);
    snprintf(completion, sizeof completion, "%" PRIu64, u->completion);
    fields_add(f, "usage", prompt, completion, u->finish);
}

int talk_send_answer(struct talk *t, struct view text, const uint8_t reply[static 32],
                     const char *code, const struct talk_usage *usage, struct err *e) {
    struct fields f = text_fields(text, reply);

    if (code)
        fields_add(&f, "error", code);
    if (usage)
        add_usage(&f, usage);
    return send_tagged(t, "text", &f, NULL, e);
}

bool talk_usage(const struct rumor *answer, struct talk_usage *out) {
    const char *prompt = fields_get(&answer->f, "usage", 1),
               *completion = fields_get(&answer->f, "usage", 2),
               *finish = fields_get(&answer->f, "usage", 3);

    *out = (struct talk_usage){0};
    if (!prompt || !completion || !finish || strlen(finish) >= sizeof out->finish ||
        !decimal_parse(prompt, &out->prompt) || !decimal_parse(completion, &out->completion))
        return false;
    snprintf(out->finish, sizeof out->finish, "%s", finish);
    return true;
}

int talk_send_file(struct talk *t, struct fields *f, uint8_t *out_id, struct err *e) {
    return send_tagged(t, "file", f, out_id, e);
}

void talk_resend(struct talk *t, int64_t seq) {
    if (t->broken || seq < 0 || (uint64_t)seq >= t->out.n || (uint64_t)seq + TALK_KEEP < t->out.n)
        return;
    t->h.send(t->arg, t->kept[seq % TALK_KEEP], true);
}

bool talk_busy(const struct talk *t) {
    return t->h.busy && t->h.busy(t->arg);
}

static void answer_nack(struct talk *t, const cJSON *o) {
    const cJSON *want = cJSON_GetObjectItemCaseSensitive(o, "want"), *v;
    int64_t seq, left = TALK_NACK_MAX;

    if (t->now - t->nack_answered < TALK_NACK_MS * 3 / 4) /* the peer's clock may run ahead */
        return;
    if (talk_busy(t)) /* it may be among what still waits */
        return;
    t->nack_answered = t->now;
    cJSON_ArrayForEach(v, want) {
        if (left-- > 0 && json_int_of(v, &seq))
            talk_resend(t, seq);
    }
}

static void count_acked(struct talk *t, uint64_t ack) {
    if (ack <= t->acked)
        return;
    t->acked = ack;
    t->retry_at = -1;
    t->retry_ms = TALK_RETRY_MS;
}

/* --- in --- */

static int tags_parse(const struct fields *f, struct incoming *in, struct err *e) {
    const char *seq = fields_get(f, "seq", 1), *ack = fields_get(f, "ack", 1);
    uint64_t n;
    uint8_t salt[16];

    if (!seq || !decimal_parse(seq, &n) || !hex_decode_str(fields_get(f, "r", 1), salt, 16))
        return err_set(e, "bad-message", "kind %u without a number or without its salt", f->kind);
    in->seq = (int64_t)n;
    if (ack && !decimal_parse(ack, &n))
        return err_set(e, "bad-message", "kind %u: ack is not a number", f->kind);
    in->ack = ack ? (int64_t)n : -1;
    return 0;
}

static int message_parse(const struct talk *t, const struct rumor *r, struct incoming *in,
                         struct err *e) {
    if (msg_parse(r, &in->m, e))
        return -1;
    in->type = in->m.type;
    in->seq = in->m.seq;
    in->ack = in->m.ack;
    if (memcmp(in->m.job, t->job, 32) != 0)
        return err_set(e, "bad-message", "%s: of another job", in->type);
    if (type_numbered(in->type) != (in->seq >= 0))
        return err_set(e, "bad-message", "%s: %s", in->type,
                       in->seq < 0 ? "without its number" : "must not be numbered");
    return 0;
}

/* in->m is to be freed whatever comes back. */
static int incoming_parse(const struct talk *t, const struct rumor *r, struct incoming *in,
                          struct err *e) {
    *in = (struct incoming){.seq = -1, .ack = -1};
    switch (r->f.kind) {
    case KIND_TEXT:
        in->type = "text";
        return tags_parse(&r->f, in, e);
    case KIND_FILE:
        in->type = "file";
        return tags_parse(&r->f, in, e);
    case KIND_MESSAGE:
        return message_parse(t, r, in, e);
    default:
        return err_set(e, "bad-message", "kind %u does not belong into a conversation", r->f.kind);
    }
}

static void hand_over(struct talk *t, const struct rumor *r, const struct incoming *in) {
    struct talk_msg m = {r->f.kind, in->type, in->m.o, r, in->seq};

    t->h.message(t->arg, &m);
}

/* True the first time only; the oldest are forgotten. */
static bool seen_add(struct talk *t, const uint8_t id[static 32]) {
    size_t n = t->n_seen < TALK_SEEN_MAX ? t->n_seen : TALK_SEEN_MAX;

    for (size_t i = 0; i < n; i++)
        if (!memcmp(t->seen[i], id, 32))
            return false;
    memcpy(t->seen[t->n_seen++ % TALK_SEEN_MAX], id, 32);
    return true;
}

static void take_light(struct talk *t, const struct rumor *r, const struct incoming *in) {
    if (!seen_add(t, r->f.id))
        return;
    if (!strcmp(in->type, "nack"))
        answer_nack(t, in->m.o);
    else if (strcmp(in->type, "ack") != 0)
        hand_over(t, r, in);
}

static int conflict(struct talk *t, int64_t seq, struct err *e) {
    struct err why;

    err_set(&why, "seq-conflict", "two different messages came as number %lld", (long long)seq);
    return talk_break(t, &why, e);
}

/* Whether a numbered rumor is new. 1 = new, 0 = had it, -1 = refused. */
static int seq_check(struct talk *t, const struct rumor *r, int64_t seq, struct err *e) {
    const struct rumor *held;

    if ((uint64_t)seq < t->in.n) {
        t->ack_due = true;
        return memcmp(t->in.id[seq], r->f.id, 32) ? conflict(t, seq, e) : 0;
    }
    if ((uint64_t)seq >= t->in.n + TALK_WINDOW || seq >= (int64_t)TALK_NUMBERED_MAX)
        return err_set(e, "bad-message", "message number %lld is too far ahead of %zu",
                       (long long)seq, t->in.n);
    held = t->waiting[seq % TALK_WINDOW];
    if (held)
        return memcmp(held->f.id, r->f.id, 32) ? conflict(t, seq, e) : 0;
    return 1;
}

/* The next numbered rumor, checked when it was put there. */
static void deliver_one(struct talk *t, struct rumor *r) {
    struct incoming in;

    if (incoming_parse(t, r, &in, NULL) == 0) {
        talk_ids_add(&t->in, r->f.id, content_bytes(r));
        hand_over(t, r, &in);
    }
    msg_free(&in.m);
    rumor_wipe(r);
}

static void deliver(struct talk *t) {
    struct rumor **slot;

    if (t->delivering) /* a callback took a rumor: the outer loop goes on */
        return;
    t->delivering = true;
    while (!t->broken && *(slot = &t->waiting[t->in.n % TALK_WINDOW])) {
        struct rumor *r = *slot;

        *slot = NULL;
        t->n_waiting--;
        t->gap_since = -1;
        deliver_one(t, r);
    }
    t->delivering = false;
}

static void ack_now(struct talk *t) {
    struct err e;

    /* Until it accepts a guest, a customer says nothing that it was not asked. */
    if (t->broken || (t->role == TALK_CUSTOMER && t->out.n == 0))
        return;
    if (talk_send(t, "ack", (struct view){0}, NULL, &e))
        t->ack_due = true;
}

static int take_numbered(struct talk *t, const struct rumor *r, const struct incoming *in,
                         struct err *e) {
    enum talk_role author = t->role == TALK_GUEST ? TALK_CUSTOMER : TALK_GUEST;
    int fresh;

    if (!seq_fits(author, in->type, in->seq))
        return err_set(e, "bad-message", "%s cannot be message number %lld", in->type,
                       (long long)in->seq);
    fresh = seq_check(t, r, in->seq, e);
    if (fresh <= 0)
        return fresh;
    t->waiting[in->seq % TALK_WINDOW] = rumor_copy(r);
    t->n_waiting++;
    deliver(t);
    if (t->in.n - t->told >= ACK_EVERY)
        ack_now(t);
    return 0;
}

static int take_parsed(struct talk *t, const struct rumor *r, const struct incoming *in,
                       struct err *e) {
    if (in->ack > (int64_t)t->out.n)
        return err_set(e, "bad-message", "%s counts %lld messages of ours, there are %zu", in->type,
                       (long long)in->ack, t->out.n);
    if (in->ack >= 0)
        count_acked(t, (uint64_t)in->ack);
    if (in->seq >= 0)
        return take_numbered(t, r, in, e);
    take_light(t, r, in);
    return 0;
}

int talk_take(struct talk *t, const struct rumor *r, struct err *e) {
    struct incoming in;
    int rc;

    if (t->broken)
        return err_set(e, "broken", "this conversation has ended");
    if (memcmp(r->f.pubkey, t->peer, 32) != 0)
        return err_set(e, "wrong-author", "a message by somebody else");
    rc = incoming_parse(t, r, &in, e);
    if (rc == 0)
        rc = take_parsed(t, r, &in, e);
    msg_free(&in.m);
    return rc;
}

/* --- time --- */

static void send_nack(struct talk *t) {
    cleanup_buf struct buf body = {0};
    struct jw w = jw_new(&body);
    size_t left = t->n_waiting, asked = 0;

    jw_key(&w, "want");
    jw_arr(&w);
    for (uint64_t seq = t->in.n; left > 0 && asked < TALK_NACK_MAX; seq++) {
        if (t->waiting[seq % TALK_WINDOW]) {
            left--;
            continue;
        }
        jw_int(&w, (int64_t)seq);
        asked++;
    }
    jw_end_arr(&w);
    t->nacked = t->now;
    if (talk_send(t, "nack", buf_view(&body), NULL, NULL))
        t->ack_due = true;
}

static void watch_gap(struct talk *t) {
    struct err why;

    if (t->n_waiting == 0)
        return;
    if (t->gap_since < 0)
        t->gap_since = t->now;
    if (t->now - t->gap_since >= TALK_LOST_MS) {
        err_set(&why, "lost", "message number %zu never came", t->in.n);
        talk_break(t, &why, NULL);
    } else if (t->now - t->gap_since >= GAP_PATIENCE_MS && t->now - t->nacked >= TALK_NACK_MS) {
        send_nack(t);
    }
}

static void watch_unacked(struct talk *t) {
    size_t left = TALK_NACK_MAX;

    if (talk_unacked(t) == 0 || (t->role == TALK_GUEST && t->in.n == 0)) {
        t->retry_at = -1;
        return;
    }
    if (t->retry_at < 0 || talk_busy(t))
        t->retry_at = t->now + t->retry_ms;
    if (t->now < t->retry_at)
        return;
    for (uint64_t seq = t->acked; seq < t->out.n && left > 0; seq++, left--)
        talk_resend(t, (int64_t)seq);
    t->retry_ms = t->retry_ms * 2 < TALK_RETRY_MAX_MS ? t->retry_ms * 2 : TALK_RETRY_MAX_MS;
    t->retry_at = t->now + t->retry_ms;
}

void talk_tick(struct talk *t, int64_t now_ms) {
    t->now = now_ms;
    if (!t->broken)
        watch_gap(t);
    if (!t->broken)
        watch_unacked(t);
    if (!t->broken && (t->ack_due || t->in.n > t->told))
        ack_now(t);
}

/* --- transcript --- */

void talk_sum(const struct talk *t, struct talk_sum *out) {
    *out = (struct talk_sum){
        .n_in = t->in.n, .n_out = t->out.n, .bytes_in = t->in.bytes, .bytes_out = t->out.bytes};
    merkle_root((const uint8_t(*)[32])t->in.id, t->in.n, out->root_in);
    merkle_root((const uint8_t(*)[32])t->out.id, t->out.n, out->root_out);
}

const uint8_t (*talk_ids(const struct talk *t, enum talk_dir dir, uint64_t *n))[32] {
    const struct ids *l = dir == TALK_IN ? &t->in : &t->out;

    *n = l->n;
    return (const uint8_t(*)[32])l->id;
}

bool talk_root(const struct talk *t, enum talk_dir dir, uint64_t n, uint8_t root[static 32]) {
    const struct ids *l = dir == TALK_IN ? &t->in : &t->out;

    if (n > l->n)
        return false;
    merkle_root((const uint8_t(*)[32])l->id, (size_t)n, root);
    return true;
}
