/* A job that outlives a crash of this program: what of it is on disk while it runs, and how it is
 * picked up from there.
 *
 * A message of ours is written down before it goes out, because the same number with another
 * message behind it would end the job. What came in may be behind: the guest, or a relay, sends it
 * again. Nothing that was kept is believed: the guest is verified anew from its evidence. */
#include "session_priv.h"

#include <stdlib.h>
#include <string.h>

#include "core/enc.h"
#include "core/loop.h"
#include "core/talk_save.h"

#define VERSION 2
#define SNAPSHOT_MS 1000  /* at most one in this time */
#define REFRESH_MS 30000  /* at least one: the file says until when the guest waits */
#define IDLE_S (600 + 30) /* the guest wipes itself when it has heard nothing for so long */

/* --- what is written --- */

static void put_event(struct jw *w, const char *key, const struct event *ev) {
    cleanup_buf struct buf json = {0};

    event_json(ev, &json);
    jw_key(w, key);
    jw_view(w, buf_view(&json));
}

static void put_rumor(struct jw *w, const char *key, const struct rumor *r) {
    struct buf json = {0};

    if (!r)
        return;
    rumor_json(r, &json);
    jw_key(w, key);
    jw_view(w, buf_view(&json));
    buf_wipe(&json);
}

/* What the guest was judged by, beside its hello. */
static void put_evidence(struct jw *w, const struct session *s) {
    jw_key(w, "collateral");
    jw_arr(w);
    for (size_t i = 0; i < COLLATERAL_PARTS; i++) {
        cleanup_buf struct buf json = {0};

        if (!s->coll.part[i])
            continue;
        rumor_json(s->coll.part[i], &json);
        jw_view(w, buf_view(&json));
    }
    jw_end_arr(w);
    if (s->guest->gpu.n) {
        jw_key(w, "gpu");
        jw_view(w, buf_view(&s->guest->gpu));
    }
}

static void put_sent(struct jw *w, const struct session *s) {
    jw_key(w, "sent");
    jw_arr(w);
    for (size_t i = 0; i < s->n_sent; i++) {
        const struct sent *x = s->sent[i];

        jw_obj(w);
        jw_khex(w, "id", view_of(x->id, 32));
        jw_khex(w, "rumor", view_of(x->rumor, 32));
        jw_kbool(w, "told", x->told);
        if (x->seq != UINT64_MAX)
            jw_kint(w, "seq", (int64_t)x->seq);
        if (x->is_file) {
            jw_kstr(w, "file", x->meta.name);
            jw_kint(w, "size", (int64_t)x->meta.size);
        }
        jw_end_obj(w);
    }
    jw_end_arr(w);
}

/* As far as everything that the guest began is over: a file that is half here comes again whole. */
static void mark(struct session *s) {
    bool open = session_files_open(s) > 0;
    uint64_t n;

    for (size_t i = 0; i < s->n_sent; i++)
        open |= s->sent[i]->long_text.n > 0;
    if (!open) {
        (void)talk_ids(s->guest->talk, TALK_IN, &n);
        s->keep.mark = n;
    }
}

static void snapshot(struct session *s, struct buf *out) {
    struct jw w = jw_new(out);

    mark(s);
    jw_obj(&w);
    jw_kint(&w, "v", VERSION);
    jw_khex(&w, "u", view_of(secret_get(keypair_secret(s->u)), 32));
    put_event(&w, "offer", s->offer_event);
    put_rumor(&w, "request", s->request);
    put_rumor(&w, "hello", s->guest->hello);
    put_rumor(&w, "accept", s->accept);
    put_evidence(&w, s);
    jw_key(&w, "confirmed");
    jw_view(&w, buf_view(&s->confirmed));
    jw_kbool(&w, "simulated_ok", s->simulated_ok);
    jw_kint(&w, "max_minutes", s->c.max_minutes);
    jw_kbool(&w, "ending", s->state == SESSION_ENDING);
    jw_key(&w, "ready");
    jw_view(&w, buf_view(&s->ready));
    put_sent(&w, s);
    jw_key(&w, "talk");
    jw_obj(&w);
    talk_save(s->guest->talk, s->keep.mark, &w);
    jw_end_obj(&w);
    jw_end_obj(&w);
}

/* --- while the job runs --- */

/* Once a job: without the file a crash ends the job, and that is all. */
static void keep_failed(struct session *s, const struct err *e) {
    if (!s->keep.failed)
        session_notice(s, e->code, e->text);
    s->keep.failed = true;
}

static void save(struct session *s) {
    struct buf json = {0};
    struct err e;

    s->keep.dirty = false;
    s->keep.at = loop_now();
    s->keep.ours = talk_sent(s->guest->talk);
    snapshot(s, &json);
    if (resume_file_write(s->keep.file, buf_view(&json), unix_now() + IDLE_S, &e))
        keep_failed(s, &e);
    buf_wipe(&json);
}

static bool keeping(struct session *s) {
    struct err e;

    if (s->keep.file)
        return true;
    if (!s->c.resume || s->keep.failed || !resume_on(s->c.resume))
        return false;
    s->keep.file = resume_file_new(s->c.resume, s->q.id, &e);
    if (!s->keep.file)
        keep_failed(s, &e);
    return s->keep.file;
}

static int add(struct session *s, const struct rumor *r) {
    struct buf json = {0};
    struct jw w = jw_new(&json);
    struct err e;
    int rc;

    jw_obj(&w);
    put_rumor(&w, "sent", r);
    jw_end_obj(&w);
    rc = resume_file_add(s->keep.file, buf_view(&json), &e);
    buf_wipe(&json);
    return rc;
}

/* What is sent again is there already. The passphrase may have been set in the middle of the job.
 */
void keep_before(struct session *s, const struct rumor *r) {
    const uint8_t *next = talk_sent_id(s->guest->talk, s->keep.ours);

    if (!s->keep.file) {
        if (keeping(s))
            save(s);
        return;
    }
    if (!next || memcmp(next, r->f.id, 32) != 0)
        return;
    s->keep.ours++;
    s->keep.dirty = true;
    if (add(s, r))
        save(s);
}

void keep_changed(struct session *s) {
    s->keep.dirty = true;
}

void keep_taken(struct session *s) {
    s->keep.dirty = true;
    mark(s);
}

void keep_tick(struct session *s, int64_t now) {
    int64_t age = now - s->keep.at;

    if (s->keep.file && !resume_on(s->c.resume)) /* the person wants nothing kept any more */
        keep_end(s);
    if (s->keep.file && ((s->keep.dirty && age >= SNAPSHOT_MS) || age >= REFRESH_MS))
        save(s);
}

void keep_end(struct session *s) {
    if (!s->keep.file)
        return;
    resume_file_remove(s->keep.file);
    resume_file_free(s->keep.file);
    s->keep.file = NULL;
    s->c.resume = NULL;
}

/* --- what is read --- */

struct saved {
    cJSON *o;
    struct keypair *u;
    struct event *offer;
    struct rumor *request, *hello, *accept;
    struct collateral_set collateral;
    struct job_request q;
    struct rumor **more; /* of ours, sent after the snapshot */
    size_t n_more;
};

static void rumor_forget(struct rumor *r) {
    if (r && r->f.content)
        explicit_bzero(r->f.content, r->f.content_len);
    rumor_free(r);
}

void saved_free(struct saved *x) {
    if (!x)
        return;
    json_wipe(x->o);
    keypair_free(x->u);
    event_free(x->offer);
    rumor_free(x->request);
    rumor_free(x->hello);
    rumor_free(x->accept);
    collateral_set_free(&x->collateral);
    for (size_t i = 0; i < x->n_more; i++)
        rumor_forget(x->more[i]);
    free(x->more);
    explicit_bzero(x, sizeof *x);
    free(x);
}

static struct rumor *take_rumor(const cJSON *o, const char *key, struct err *e) {
    const char *json = json_str(o, key, e);

    return json ? rumor_parse(view_str(json), e) : NULL;
}

static struct keypair *take_key(const cJSON *o, struct err *e) {
    struct keypair *k = NULL;
    uint8_t sk[32];

    if (json_hex(o, "u", sk, 32, e))
        k = keypair_from(sk, e);
    explicit_bzero(sk, sizeof sk);
    return k;
}

static int take_collateral(struct saved *x, struct err *e) {
    const cJSON *list = json_arr(x->o, "collateral", e), *v;

    if (!list)
        return -1;
    cJSON_ArrayForEach(v, list) {
        struct rumor *r = cJSON_IsString(v) ? rumor_parse(view_str(v->valuestring), e) : NULL;
        struct msg m;

        if (r && !msg_parse(r, &m, e)) {
            (void)collateral_set_add(&x->collateral, r, &m);
            msg_free(&m);
        }
        rumor_free(r);
    }
    return 0;
}

static int take_parts(struct saved *x, struct err *e) {
    const char *offer = json_str(x->o, "offer", e);

    x->u = take_key(x->o, e);
    x->offer = x->u && offer ? event_parse(view_str(offer), e) : NULL;
    x->request = x->offer ? take_rumor(x->o, "request", e) : NULL;
    x->hello = x->request ? take_rumor(x->o, "hello", e) : NULL;
    x->accept = x->hello ? take_rumor(x->o, "accept", e) : NULL;
    if (!x->accept)
        return -1;
    return take_collateral(x, e) ? -1 : job_request_parse(x->request, -1, &x->q, e);
}

static bool collateral_by(const struct collateral_set *c, const uint8_t key[static 32]) {
    for (size_t i = 0; i < COLLATERAL_PARTS; i++)
        if (c->part[i] && memcmp(c->part[i]->f.pubkey, key, 32) != 0)
            return false;
    return true;
}

/* The parts are of one job. What the guest is, is for the verdict to say. */
static int check_parts(const struct saved *x, struct err *e) {
    if (memcmp(x->q.customer, keypair_pub(x->u), 32) != 0 ||
        memcmp(x->accept->f.pubkey, x->q.customer, 32) != 0 ||
        memcmp(x->q.provider, x->offer->f.pubkey, 32) != 0 ||
        memcmp(x->q.offer, x->offer->f.id, 32) != 0 ||
        !collateral_by(&x->collateral, x->q.provider))
        return err_set(e, "bad-resume", "its parts are of different jobs");
    return 0;
}

static int take_snapshot(struct saved *x, struct view line, struct err *e) {
    uint64_t v;

    x->o = json_parse(line, RESUME_FILE_MAX, e);
    if (!x->o || !json_u64(x->o, "v", &v, e))
        return -1;
    if (v != VERSION)
        return err_set(e, "unsupported", "it was left by another version of cdvm");
    return take_parts(x, e) ? -1 : check_parts(x, e);
}

static int take_more(struct saved *x, struct view line, struct err *e) {
    cJSON *o = json_parse(line, RESUME_FILE_MAX, e);
    struct rumor *r = o ? take_rumor(o, "sent", e) : NULL;

    json_wipe(o);
    if (!r)
        return -1;
    x->more = mem_grow(x->more, (x->n_more + 1) * sizeof(struct rumor *));
    x->more[x->n_more++] = r;
    return x->n_more <= TALK_NUMBERED_MAX ? 0 : err_set(e, "bad-resume", "too many messages");
}

static struct saved *saved_parse(struct view text, struct err *e) {
    struct saved *x = mem_new(sizeof *x);
    int rc = 0;

    while (text.n && rc == 0) {
        const uint8_t *nl = memchr(text.p, '\n', text.n);
        struct view line = view_of(text.p, nl ? (size_t)(nl - text.p) : text.n);

        rc = x->o ? take_more(x, line, e) : take_snapshot(x, line, e);
        text = nl ? view_of(nl + 1, text.n - line.n - 1) : (struct view){0};
    }
    if (rc == 0 && x->o)
        return x;
    if (rc == 0)
        err_set(e, "bad-resume", "it is empty");
    saved_free(x);
    return NULL;
}

/* --- picking it up --- */

static int restore_talk(struct session *s, struct saved *x, struct err *e) {
    const cJSON *o = json_obj(x->o, "talk", e);
    struct candidate *c = &s->cand[0];
    const uint8_t(*in)[32], *first;
    uint64_t n;

    *c = (struct candidate){.s = s, .hello = x->hello};
    x->hello = NULL;
    memcpy(c->key, c->hello->f.pubkey, 32);
    s->n_cand = 1;
    if (!o || !(c->talk = talk_restore(TALK_CUSTOMER, s->u, c->key, s->q.id, o,
                                       &session_candidate_talk, c, e)))
        return -1;
    for (size_t i = 0; i < x->n_more; i++)
        if (talk_restore_sent(c->talk, x->more[i], e))
            return -1;
    in = talk_ids(c->talk, TALK_IN, &n);
    first = talk_sent_id(c->talk, 0);
    if (n == 0 || !first || memcmp(in[0], c->hello->f.id, 32) != 0 ||
        memcmp(first, x->accept->f.id, 32) != 0)
        return err_set(e, "bad-resume", "the conversation does not begin as it should");
    return 0;
}

static int restore_one(struct session *s, const cJSON *v, struct err *e) {
    const char *file = json_opt(v, "file");
    struct item it = {.is_file = file != NULL};
    uint8_t rumor[32];
    struct sent *x;
    uint64_t seq, size = 0;
    bool told;

    if (!json_hex(v, "id", it.id, 32, e) || !json_hex(v, "rumor", rumor, 32, e) ||
        !json_bool(v, "told", &told, e) || (file && !json_u64(v, "size", &size, e)))
        return -1;
    if (file) {
        text_clip(it.meta.name, sizeof it.meta.name, file);
        it.meta.size = size;
        memcpy(it.meta.xid, it.id, 16);
    }
    x = sent_add(s, &it, rumor);
    x->told = told;
    if (json_u64(v, "seq", &seq, NULL))
        x->seq = seq;
    return 0;
}

static void book(struct session *s, const struct item *it, const uint8_t rumor[static 32],
                 uint64_t seq) {
    sent_add(s, it, rumor)->seq = seq;
}

/* The beginning or the end of a file that goes in band. */
static void book_frame(struct session *s, const struct rumor *r, uint64_t seq) {
    struct item it = {.is_file = true};
    const char *name;
    struct msg m;

    if (msg_parse(r, &m, NULL))
        return;
    name = json_opt(m.o, "name");
    if (json_hex(m.o, "xid", it.id, 16, NULL) && !strcmp(m.type, "start")) {
        memcpy(it.meta.xid, it.id, 16);
        text_clip(it.meta.name, sizeof it.meta.name, name ? name : "");
        (void)!json_u64(m.o, "size", &it.meta.size, NULL);
        book(s, &it, r->f.id, UINT64_MAX);
    }
    for (size_t i = 0; !strcmp(m.type, "end") && i < s->n_sent; i++)
        if (s->sent[i]->is_file && !memcmp(s->sent[i]->id, it.id, 16))
            s->sent[i]->seq = seq;
    msg_free(&m);
}

/* What was written down and is not yet in the books: a question is then known by its own id. */
static void restore_later(struct session *s, const struct rumor *r, uint64_t seq) {
    struct item it = {.is_file = r->f.kind == KIND_FILE};

    if (sent_find(s, r->f.id))
        return;
    memcpy(it.id, r->f.id, 32);
    if (r->f.kind == KIND_MESSAGE)
        book_frame(s, r, seq);
    else
        book(s, &it, r->f.id, seq);
}

/* A message is written down before it is in the books: those that wait for the guest are looked
 * through. */
static void restore_waiting(struct session *s, const struct saved *x) {
    const cJSON *talk = cJSON_GetObjectItemCaseSensitive(x->o, "talk"), *v;
    uint64_t seq = talk_acked(s->cand[0].talk);

    cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(talk, "kept")) {
        struct rumor *r = rumor_parse(view_str(v->valuestring), NULL);

        if (r)
            restore_later(s, r, seq);
        rumor_forget(r);
        seq++;
    }
    for (size_t i = 0; i < x->n_more; i++)
        restore_later(s, x->more[i], seq + i);
}

static int restore_sent(struct session *s, const struct saved *x, struct err *e) {
    const cJSON *list = json_arr(x->o, "sent", e), *v;

    if (!list)
        return -1;
    cJSON_ArrayForEach(v, list) {
        if (restore_one(s, v, e))
            return -1;
    }
    restore_waiting(s, x);
    return 0;
}

static void restore_evidence(struct session *s, struct saved *x) {
    const char *gpu = json_opt(x->o, "gpu");

    s->coll = x->collateral;
    x->collateral = (struct collateral_set){0};
    buf_str(&s->cand[0].gpu, gpu ? gpu : "");
}

static bool is_true(const cJSON *o, const char *key) {
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, key));
}

static void restore_words(struct session *s, const struct saved *x) {
    const char *ready = json_opt(x->o, "ready"), *confirmed = json_opt(x->o, "confirmed");
    uint64_t minutes;

    buf_str(&s->ready, ready ? ready : "");
    buf_str(&s->confirmed, confirmed ? confirmed : "");
    s->simulated_ok = is_true(x->o, "simulated_ok");
    if (json_u64(x->o, "max_minutes", &minutes, NULL) && minutes <= UINT32_MAX)
        s->c.max_minutes = (uint32_t)minutes;
}

/* Takes over x in any case. */
static int restore(struct session *s, struct saved *x, struct err *e) {
    s->saved = x;
    s->q = x->q;
    s->u = x->u;
    s->offer_event = x->offer;
    s->request = x->request;
    x->u = NULL;
    x->offer = NULL;
    x->request = NULL;
    if (!(s->offer = offer_parse(s->offer_event, e)) || session_open_pool(s, e))
        return -1;
    s->out = outbox_new(s->pool, s->u, &s->q);
    if (restore_talk(s, x, e) || restore_sent(s, x, e))
        return -1;
    restore_evidence(s, x);
    s->accept = x->accept;
    x->accept = NULL;
    restore_words(s, x);
    s->n_logged = talk_sent(s->cand[0].talk);
    s->state = SESSION_VERIFYING;
    return 0;
}

struct session *session_resume(const struct session_conf *c, struct view text, session_fn *fn,
                               void *arg, struct err *e) {
    struct saved *x = saved_parse(text, e);
    struct session *s;

    if (!x) {
        err_wrap(e, "this job cannot be picked up");
        return NULL;
    }
    s = session_blank(c, fn, arg);
    if (restore(s, x, e)) {
        err_wrap(e, "this job cannot be picked up");
        session_free(s);
        return NULL;
    }
    if (c->resume && !(s->keep.file = resume_file_new(c->resume, s->q.id, e))) {
        session_free(s);
        return NULL;
    }
    loop_timer_set(s->tick, loop_now()); /* the evidence is here: nothing to wait for */
    session_fetch_manifests(s);
    return s;
}

/* --- once its guest is verified again --- */

/* What the person confirmed then counts for the same check now; a warning that is new does not. */
int saved_confirm(struct session *s, struct err *e) {
    char *line = (char *)s->confirmed.p;

    while (line && *line) {
        char *nl = strchr(line, '\n');
        cleanup_free char *id = mem_strn(line, nl ? (size_t)(nl - line) : strlen(line));
        const struct check *c = verdict_find(s->verdict, id);

        if (c && c->state == CHECK_WARN && verdict_confirm(s->verdict, id, true, e))
            return -1;
        line = nl ? nl + 1 : NULL;
    }
    return 0;
}

static void ready_again(struct session *s) {
    cJSON *o = s->ready.n ? json_parse(buf_view(&s->ready), MSG_CONTENT_MAX, NULL) : NULL;
    const char *name = json_opt(o, "name");
    struct session_event ev = {
        .type = SE_READY, .text = view_str(name ? name : ""), .json = json_arr(o, "caps", NULL)};

    if (o && session_step(s, IN_READY, NULL))
        session_emit(s, &ev);
    cJSON_Delete(o);
}

/* Files that were on their way: the guest is told to drop its half, the person that it did. */
static void drop_halves(struct session *s) {
    static const char why[] = "this program ended while it was being sent: attach it again";
    struct err e;

    for (size_t i = 0; i < s->n_sent; i++) {
        struct sent *x = s->sent[i];
        struct session_event ev = {.type = SE_FILE_FAILED,
                                   .meta = &x->meta,
                                   .id = x->id,
                                   .code = "interrupted",
                                   .text = view_str(why)};
        cleanup_buf struct buf body = {0};
        struct jw w = jw_new(&body);

        if (!x->is_file || x->seq != UINT64_MAX)
            continue;
        x->seq = talk_sent(s->guest->talk);
        x->told = true;
        jw_khex(&w, "xid", view_of(x->meta.xid, 16));
        if (talk_send(s->guest->talk, "abort", buf_view(&body), NULL, &e))
            session_notice(s, e.code, e.text);
        session_emit(s, &ev);
    }
}

void saved_go(struct session *s) {
    struct saved *x = s->saved;
    bool ending = is_true(x->o, "ending");

    s->saved = NULL;
    s->accepted = true; /* as it was */
    s->pinged = 0;      /* the guest hears of us with the next tick */
    if (keeping(s))
        save(s);
    (void)session_step(s, IN_ACCEPT, NULL);
    if (ending)
        (void)session_step(s, IN_END, NULL);
    else
        ready_again(s);
    drop_halves(s);
    session_release_held(s);
    saved_free(x);
}
