/* After accept: questions and files out, answers in. */
#include "session_priv.h"

#include <stdlib.h>
#include <string.h>

#include "core/enc.h"
#include "core/loop.h"

#define SENT_MAX 4096

/* --- the books: which rumor was which question --- */

struct sent *sent_add(struct session *s, const struct item *it, const uint8_t rumor[static 32]) {
    struct sent *x;

    s->sent = mem_grow(s->sent, (s->n_sent + 1) * sizeof *s->sent);
    x = s->sent[s->n_sent++] = mem_new(sizeof *x);
    *x = (struct sent){.is_file = it->is_file, .meta = it->meta, .seq = UINT64_MAX};
    memcpy(x->id, it->id, 32);
    memcpy(x->rumor, rumor, 32);
    return x;
}

void sent_complete(struct session *s, struct sent *x) {
    x->seq = talk_sent(s->guest->talk) - 1;
}

struct sent *sent_find(struct session *s, const uint8_t rumor[static 32]) {
    for (size_t i = s->n_sent; i-- > 0;)
        if (!memcmp(s->sent[i]->rumor, rumor, 32))
            return s->sent[i];
    return NULL;
}

void sent_tick(struct session *s) {
    struct session_event ev = {.type = SE_SENT};
    uint64_t acked = talk_acked(s->guest->talk);

    for (size_t i = 0; i < s->n_sent; i++) {
        if (s->sent[i]->told || s->sent[i]->seq >= acked)
            continue;
        s->sent[i]->told = true;
        ev.id = s->sent[i]->id;
        session_emit(s, &ev);
    }
}

/* --- out --- */

static void item_free(struct item *it) {
    blossom_cancel(it->op);
    xfer_out_free(it->out);
    xfer_blob_free(&it->blob);
    buf_wipe(&it->data);
    free(it);
}

static struct item *item_add(struct session *s, bool is_file) {
    struct item **last = &s->items, *it = mem_new(sizeof *it);

    while (*last)
        last = &(*last)->next;
    it->is_file = is_file;
    *last = it;
    s->n_items++;
    return it;
}

static void item_drop(struct session *s) {
    struct item *it = s->items;

    s->items = it->next;
    s->n_items--;
    item_free(it);
}

void items_free(struct session *s) {
    while (s->items)
        item_drop(s);
}

static int question_step(struct session *s, struct item *it, struct err *e) {
    uint8_t rumor[32];

    if (talk_send_text(s->guest->talk, buf_view(&it->data), NULL, rumor, e))
        return strcmp(e->code, "busy") == 0 ? 0 : -1;
    sent_complete(s, sent_add(s, it, rumor));
    return 1;
}

static void item_failed(struct session *s, const struct item *it, const struct err *e) {
    struct session_event ev = {.type = SE_FILE_FAILED,
                               .meta = &it->meta,
                               .id = it->id,
                               .code = e->code,
                               .text = view_str(e->text)};

    if (!it->is_file)
        ev.type = SE_ANSWER; /* the question that could not be asked */
    session_emit(s, &ev);
}

/* The first item goes as far as it can; the next waits for it. */
void items_step(struct session *s) {
    if (s->stepping) /* called from an event of ours: the outer loop goes on */
        return;
    s->stepping = true;
    while (s->items && s->state == SESSION_READY) {
        struct item *it = s->items;
        struct err e;
        int rc = it->is_file ? file_step(s, it, &e) : question_step(s, it, &e);

        if (rc == 0)
            break;
        if (rc < 0)
            item_failed(s, it, &e);
        item_drop(s);
    }
    s->stepping = false;
}

static int may_send(const struct session *s, struct err *e) {
    if (s->state != SESSION_READY)
        return err_set(e, "not-ready", "nothing can be sent in state '%s'",
                       session_state_name(s->state));
    if (s->n_items >= ITEMS_MAX || s->n_sent >= SENT_MAX)
        return err_set(e, "busy", "too many messages wait to be sent");
    return 0;
}

int session_ask(struct session *s, struct view text, uint8_t id[static 32], struct err *e) {
    struct item *it;

    if (may_send(s, e))
        return -1;
    if (text.n > MSG_CONTENT_MAX)
        return err_set(e, "too-large", "a question of %zu bytes; attach it as a file", text.n);
    it = item_add(s, false);
    buf_add(&it->data, text.p, text.n);
    random_bytes(it->id, 32);
    memcpy(id, it->id, 32);
    items_step(s);
    return 0;
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

int session_attach(struct session *s, const char *path, const char *mime, const uint8_t *agreed,
                   uint8_t xid[static 16], struct err *e) {
    struct xfer_meta meta;
    struct buf data;
    struct item *it;
    const char *server;

    if (may_send(s, e))
        return -1;
    buf_init(&data, XFER_FILE_MAX);
    if (file_read(path, XFER_FILE_MAX, &data, e) || session_route(s, data.n, &server, e)) {
        buf_wipe(&data);
        return -1;
    }
    xfer_meta_init(&meta, base_name(path), mime, "file", NULL, buf_view(&data));
    if (agreed && memcmp(meta.sha256, agreed, 32) != 0) {
        buf_wipe(&data);
        return err_set(e, "changed-file", "%s changed while you were asked: not sent", path);
    }
    it = item_add(s, true);
    it->data = data;
    it->server = server;
    it->meta = meta;
    memcpy(it->id, it->meta.xid, 16);
    memcpy(xid, it->meta.xid, 16);
    items_step(s);
    return 0;
}

int session_cancel(struct session *s, const uint8_t id[static 32], struct err *e) {
    cleanup_buf struct buf body = {0};
    struct jw w = jw_new(&body);

    if (may_send(s, e))
        return -1;
    for (size_t i = 0; i < s->n_sent; i++)
        if (!s->sent[i]->is_file && !memcmp(s->sent[i]->id, id, 32)) {
            jw_khex(&w, "e", view_of(s->sent[i]->rumor, 32));
            return talk_send(s->guest->talk, "cancel", buf_view(&body), NULL, e);
        }
    return err_set(e, "unknown-question", "there is no such question to cancel");
}

/* --- in --- */

/* The question that a message names; NULL for none of ours. */
static struct sent *question_of(struct session *s, const cJSON *o) {
    uint8_t rumor[32];

    return json_hex(o, "e", rumor, 32, NULL) ? sent_find(s, rumor) : NULL;
}

/* For a job that is picked up later. */
static void ready_keep(struct session *s, const cJSON *o) {
    if (!s->ready.n) {
        struct jw w = jw_new(&s->ready);

        jw_json(&w, o);
    }
}

static void on_ready(struct session *s, const struct talk_msg *m) {
    const char *name = json_opt(m->o, "name");
    struct session_event ev = {
        .type = SE_READY, .text = view_str(name ? name : ""), .json = json_arr(m->o, "caps", NULL)};

    ready_keep(s, m->o);
    if (session_step(s, IN_READY, NULL))
        session_emit(s, &ev);
}

static void on_ping(struct session *s, const struct talk_msg *m) {
    struct err e;

    (void)m;
    if (talk_send(s->guest->talk, "pong", (struct view){0}, NULL, &e))
        session_notice(s, e.code, e.text);
}

static void on_pong(struct session *s, const struct talk_msg *m) {
    (void)s;
    (void)m; /* that it came is all: `heard` is set */
}

/* Deltas come unnumbered: after a gap there is no more of this stream, and the final text has it
 * all. */
static void on_delta(struct session *s, const struct talk_msg *m) {
    struct sent *q = question_of(s, m->o);
    const char *text = json_opt(m->o, "text");
    struct session_event ev = {.type = SE_DELTA, .text = view_str(text ? text : "")};
    uint64_t i;

    if (!q || !text || !json_u64(m->o, "i", &i, NULL) || i != q->deltas)
        return;
    q->deltas++;
    if (!text[0]) /* it keeps the rhythm */
        return;
    ev.id = q->id;
    session_emit(s, &ev);
}

static void on_progress(struct session *s, const struct talk_msg *m) {
    const struct sent *q = question_of(s, m->o);
    const char *unit = json_opt(m->o, "unit");
    struct session_event ev = {
        .type = SE_PROGRESS, .text = view_str(unit ? unit : ""), .note = json_opt(m->o, "note")};

    if (!q || !json_u64(m->o, "done", &ev.done, NULL))
        return;
    (void)!json_u64(m->o, "total", &ev.total, NULL);
    ev.id = q->id;
    session_emit(s, &ev);
}

static void on_json(struct session *s, const struct talk_msg *m, enum session_event_type type,
                    const cJSON *json) {
    const struct sent *q = question_of(s, m->o);
    struct session_event ev = {.type = type, .json = json};

    if (!q || !json)
        return;
    ev.id = q->id;
    session_emit(s, &ev);
}

static void on_table(struct session *s, const struct talk_msg *m) {
    if (json_arr(m->o, "columns", NULL) && json_arr(m->o, "rows", NULL))
        on_json(s, m, SE_TABLE, m->o);
}

static void on_sources(struct session *s, const struct talk_msg *m) {
    on_json(s, m, SE_SOURCES, json_arr(m->o, "sources", NULL));
}

static void on_text(struct session *s, const struct talk_msg *m) {
    struct session_event ev = {.type = SE_ANSWER,
                               .text = view_of(m->rumor->f.content, m->rumor->f.content_len),
                               .code = fields_get(&m->rumor->f, "error", 1)};
    struct talk_usage usage;
    uint8_t rumor[32];
    struct sent *q =
        hex_decode_str(fields_get(&m->rumor->f, "e", 1), rumor, 32) ? sent_find(s, rumor) : NULL;

    if (!q)
        return;
    if (q->is_file) { /* the guest could not take it */
        ev.type = SE_FILE_FAILED;
        ev.meta = &q->meta;
    } else if (ev.text.n == 0) {
        ev.text = buf_view(&q->long_text);
    }
    ev.id = q->id;
    ev.usage = talk_usage(m->rumor, &usage) ? &usage : NULL;
    session_emit(s, &ev);
    buf_wipe(&q->long_text);
}

/* --- receipt --- */

static void receipt_tell(struct session *s, const struct receipt *r) {
    struct session_event ev = {.type = SE_RECEIPT, .receipt = r};
    struct err e;

    ev.uncovered = receipt_check(r, s->guest->talk, &e);
    if (ev.uncovered < 0) {
        ev.code = e.code;
        ev.text = view_str(e.text);
    }
    s->receipt_told = true;
    session_emit(s, &ev);
}

/* Told once all that it counts has come, or when there is no more time; then the session may end.
 */
void receipt_try(struct session *s, bool last_chance) {
    struct receipt r;
    uint8_t root[32];

    if (s->receipt && !s->receipt_told && receipt_parse(s->receipt, &r, NULL) == 0 &&
        (last_chance || talk_root(s->guest->talk, TALK_IN, r.n_out, root)))
        receipt_tell(s, &r);
    if (s->receipt_told && s->teardown)
        (void)session_step(s, IN_DONE, NULL);
}

static int receipt_ours(const struct session *s, const struct event *ev, struct err *e) {
    struct receipt r;

    if (receipt_parse(ev, &r, e))
        return -1;
    if (memcmp(ev->f.pubkey, s->guest->key, 32) != 0 || memcmp(r.job, s->q.id, 32) != 0 ||
        memcmp(r.hello, s->guest->hello->f.id, 32) != 0 ||
        (s->accept && memcmp(r.accept, s->accept->f.id, 32) != 0))
        return err_set(e, "bad-receipt", "a receipt of another guest or job");
    return 0;
}

static void on_receipt(struct session *s, const struct talk_msg *m) {
    struct event *ev;
    struct err e;

    if (s->receipt)
        return;
    ev = receipt_event(m->o, &e);
    if (!ev || receipt_ours(s, ev, &e)) {
        event_free(ev);
        session_notice(s, e.code, e.text);
        return;
    }
    s->receipt = ev;
    (void)session_step(s, IN_END, NULL); /* idle, lease: the guest's own end */
    receipt_try(s, false);
}

static const struct {
    const char *type;
    void (*take)(struct session *s, const struct talk_msg *m);
} messages[] = {
    {"ready", on_ready},     {"ping", on_ping},         {"pong", on_pong},
    {"delta", on_delta},     {"progress", on_progress}, {"table", on_table},
    {"sources", on_sources}, {"text", on_text},         {"receipt", on_receipt},
};

void session_message(struct session *s, const struct talk_msg *m) {
    if (xfer_in_take(s->in, m))
        return;
    for (size_t i = 0; i < COUNT(messages); i++)
        if (!strcmp(messages[i].type, m->type)) {
            messages[i].take(s, m);
            return;
        }
}
