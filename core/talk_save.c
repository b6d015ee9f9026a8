#include "talk_save.h"

#include <string.h>

#include "enc.h"
#include "talk_priv.h"

static void put_ids(struct jw *w, const char *key, const struct ids *l, size_t n) {
    jw_khex(w, key, view_of(l->id, n * sizeof *l->id));
}

void talk_save(const struct talk *t, uint64_t n_in, struct jw *w) {
    size_t in = n_in < t->in.n ? (size_t)n_in : t->in.n;

    put_ids(w, "out", &t->out, t->out.n);
    put_ids(w, "in", &t->in, in);
    jw_kint(w, "acked", (int64_t)t->acked);
    jw_key(w, "kept");
    jw_arr(w);
    for (size_t seq = (size_t)t->acked; seq < t->out.n; seq++) {
        struct buf json = {0};

        rumor_json(t->kept[seq % TALK_KEEP], &json);
        jw_view(w, buf_view(&json));
        buf_wipe(&json);
    }
    jw_end_arr(w);
}

static int take_ids(const cJSON *o, const char *key, struct ids *l, struct err *e) {
    const char *hex = json_str(o, key, e);
    size_t n = hex ? strlen(hex) / 64 : 0;
    uint8_t id[32];

    if (!hex || n > TALK_NUMBERED_MAX)
        return err_set(e, "bad-message", "the ids of the conversation are missing or too many");
    if (strlen(hex) != n * 64)
        return err_set(e, "bad-message", "the ids of the conversation end inside one");
    for (size_t i = 0; i < n; i++) {
        if (!hex_decode(view_of(hex + 64 * i, 64), id, 32))
            return err_set(e, "bad-message", "the ids of the conversation are not hexadecimal");
        talk_ids_add(l, id, 0);
    }
    return 0;
}

/* The rumors behind the ids from `acked` on, each under its own id. */
static int take_kept(struct talk *t, const cJSON *o, struct err *e) {
    const cJSON *list = json_arr(o, "kept", e), *v;
    size_t seq = (size_t)t->acked;

    if (!list)
        return -1;
    cJSON_ArrayForEach(v, list) {
        struct rumor *r = cJSON_IsString(v) ? rumor_parse(view_str(v->valuestring), e) : NULL;

        if (!r || seq >= t->out.n || memcmp(r->f.id, t->out.id[seq], 32) != 0) {
            rumor_free(r);
            return err_set(e, "bad-message", "a message that was to be sent again is not whole");
        }
        t->kept[seq++ % TALK_KEEP] = r;
    }
    return seq == t->out.n ? 0 : err_set(e, "bad-message", "messages are missing");
}

static int take_all(struct talk *t, const cJSON *o, struct err *e) {
    uint64_t acked;

    if (take_ids(o, "out", &t->out, e) || take_ids(o, "in", &t->in, e) ||
        !json_u64(o, "acked", &acked, e))
        return -1;
    if (acked > t->out.n || t->out.n - acked > TALK_KEEP)
        return err_set(e, "bad-message", "%llu of %zu messages were counted",
                       (unsigned long long)acked, t->out.n);
    t->acked = acked;
    t->retry_at = 0;
    t->told = t->in.n;
    t->ack_due = true;
    return take_kept(t, o, e);
}

struct talk *talk_restore(enum talk_role role, const struct keypair *me,
                          const uint8_t peer[static 32], const uint8_t job[static 32],
                          const cJSON *o, const struct talk_handler *h, void *arg, struct err *e) {
    struct talk *t = talk_new(role, me, peer, job, h, arg);

    if (take_all(t, o, e) == 0)
        return t;
    talk_free(t);
    return NULL;
}

int talk_restore_sent(struct talk *t, const struct rumor *r, struct err *e) {
    size_t slot = t->out.n % TALK_KEEP;

    if (talk_unacked(t) >= TALK_KEEP)
        return err_set(e, "bad-message", "more messages than can wait for the other side");
    talk_ids_add(&t->out, r->f.id, 0);
    rumor_free(t->kept[slot]);
    t->kept[slot] = rumor_copy(r);
    return 0;
}
