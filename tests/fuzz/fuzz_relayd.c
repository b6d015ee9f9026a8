/* The embedded relay against whatever a client says: one message a line, on one connection and a
 * database in memory. Bytes 1 to 4 stand for what an input could not guess: a good note, a gift
 * wrap to somebody else, a deletion of the note, a good AUTH event. A wrap never goes out to a
 * reader who is not its recipient; every answer is JSON. */
#include "provider/relayd_conn.c"
#include "tests/fuzz/fuzz.h"

#include "core/relay.h"

static struct relayd rd;
static struct conn *conn;
static struct keypair *key;
static struct buf note, wrap, deletion;

static void no_commit(void *arg) {
    (void)arg;
}

static void event_to(struct buf *out, struct fields *f) {
    struct event *ev = event_sign(f, key);

    event_json(ev, out);
    event_free(ev);
}

static void make_events(void) {
    static const char other[] = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
    struct fields f = fields_new(1, 1700000000, view_str("hello"));
    char hex[65];

    event_to(&note, &f);
    f = fields_new(1059, 1700000000, view_str("WRAPPED"));
    fields_add(&f, "p", other);
    event_to(&wrap, &f);
    memcpy(hex, strstr((char *)note.p, "\"id\":\"") + 6, 64);
    hex[64] = 0;
    f = fields_new(5, 1700000001, view_str(""));
    fields_add(&f, "e", hex);
    event_to(&deletion, &f);
}

static void nobody_comes(void *arg, int fd) {
    (void)arg;
    close(fd);
}

static void set_up(void) {
    static const uint8_t sk[32] = {2};
    struct loop *l = loop_new(NULL);

    key = keypair_from(sk, NULL);
    rd.store = relay_store_new(":memory:", NULL);
    rd.listener = l ? listener_new(l, "127.0.0.1", 0, nobody_comes, NULL, NULL) : NULL;
    MUST(rd.listener && rd.store);
    rd.own_url = mem_fmt("ws://127.0.0.1:%u", listener_port(rd.listener));
    rd.o.events_per_s = rd.o.reqs_per_s = 1u << 30;
    rd.commit = loop_timer_add(l, -1, no_commit, NULL);
    make_events();
}

static void expand(struct view line, struct buf *out) {
    const struct buf *words[] = {&note, &wrap, &deletion};

    for (size_t i = 0; i < line.n; i++)
        if (line.p[i] >= 1 && line.p[i] <= 3) {
            buf_add(out, words[line.p[i] - 1]->p, words[line.p[i] - 1]->n);
        } else if (line.p[i] == 4) {
            struct event *ev = relay_auth_event(rd.own_url, conn->challenge, key, unix_now());

            event_json(ev, out);
            event_free(ev);
        } else {
            buf_add(out, line.p + i, 1);
        }
}

/* What waits in the queue went through wsio_push: look at it as the client would. */
static void check_answers(void) {
    while (conn->out.head) {
        struct view text = wsio_first(&conn->out);
        cJSON *msg = json_parse(text, 1 << 20, NULL);

        MUST(cJSON_IsArray(msg));
        MUST(!memmem(text.p, text.n, "\"content\":\"WRAPPED\"", 19));
        cJSON_Delete(msg);
        wsio_drop_first(&conn->out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct peer p = {.rd = &rd};

    if (!key)
        set_up();
    conn_open(&p);
    conn = p.conn;
    while (size) {
        const uint8_t *nl = memchr(data, '\n', size);
        size_t n = nl ? (size_t)(nl - data) : size;
        cleanup_buf struct buf msg = {0};

        expand(view_of(data, n), &msg);
        relayd_take(conn, buf_view(&msg));
        relayd_commit(&rd);
        check_answers();
        relayd_backfill(conn);
        check_answers();
        data += n + (nl != NULL);
        size -= n + (nl != NULL);
    }
    conn_free(conn);
    return 0;
}
