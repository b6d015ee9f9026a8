#include "core/talk.c"
#include "core/talk_save.c"
#include "core/wrap.h"
#include "core/xfer.h"
#include "tests/unit/unit.h"

#define PARTIES 2

/* Two talks joined by a link that loses, doubles and reorders, from a fixed seed. */
struct end {
    struct talk *talk;
    struct keypair *key;
    struct rumor *inbox[4096];
    size_t n_inbox;
    char *got[4096]; /* texts and types in the order of delivery */
    size_t n_got;
    size_t sent, sent_twice, nacks;
    struct err why;
    bool broken, busy;
};
struct link {
    struct end end[PARTIES];
    uint64_t seed;
    unsigned lose, twice; /* of 100 */
    bool shuffle;
    int64_t now;
};
static struct link *net;

static unsigned dice(unsigned n) {
    net->seed = net->seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(net->seed >> 33) % n;
}

static void put(struct end *to, const struct rumor *r) {
    assert_true(to->n_inbox < COUNT(to->inbox));
    to->inbox[to->n_inbox++] = rumor_copy(r);
}

static struct end *other(struct end *e) {
    return e == &net->end[0] ? &net->end[1] : &net->end[0];
}

static void on_send(void *arg, const struct rumor *r, bool stored) {
    struct end *from = arg;

    (void)stored;
    from->sent++;
    if (strstr(r->f.content, "\"t\":\"nack\""))
        from->nacks++;
    if (dice(100) < net->lose)
        return;
    put(other(from), r);
    if (dice(100) < net->twice)
        put(other(from), r);
}

static void on_message(void *arg, const struct talk_msg *m) {
    struct end *e = arg;

    assert_true(e->n_got < COUNT(e->got));
    e->got[e->n_got++] = mem_str(m->kind == KIND_TEXT ? m->rumor->f.content : m->type);
}

static void on_broken(void *arg, const struct err *why) {
    struct end *e = arg;

    assert_false(e->broken);
    e->broken = true;
    e->why = *why;
}

static bool on_busy(void *arg) {
    const struct end *e = arg;

    return e->busy;
}

static const struct talk_handler handler = {on_send, on_message, on_broken, on_busy};
static const uint8_t job_id[32] = {7};

static struct link *link_new(void) {
    struct link *l = mem_new(sizeof *l);

    l->seed = 42;
    l->now = 1000000;
    for (size_t i = 0; i < PARTIES; i++)
        l->end[i].key = keypair_new();
    net = l;
    for (size_t i = 0; i < PARTIES; i++)
        l->end[i].talk = talk_new(i == 0 ? TALK_CUSTOMER : TALK_GUEST, l->end[i].key,
                                  keypair_pub(l->end[1 - i].key), job_id, &handler, &l->end[i]);
    return l;
}

static void link_free(struct link *l) {
    for (size_t i = 0; i < PARTIES; i++) {
        struct end *e = &l->end[i];

        talk_free(e->talk);
        keypair_free(e->key);
        while (e->n_inbox)
            rumor_free(e->inbox[--e->n_inbox]);
        while (e->n_got)
            free(e->got[--e->n_got]);
    }
    free(l);
}

static void pump_one(struct end *e) {
    size_t i = net->shuffle ? dice((unsigned)e->n_inbox) : 0;
    struct rumor *r = e->inbox[i];
    struct err err;

    memmove(e->inbox + i, e->inbox + i + 1, (--e->n_inbox - i) * sizeof *e->inbox);
    if (talk_take(e->talk, r, &err) && !e->broken)
        fail_msg("%s", err.text);
    rumor_free(r);
}

/* A quarter of a second: what is under way arrives, then both tick. */
static void turn(void) {
    for (size_t i = 0; i < PARTIES; i++)
        while (net->end[i].n_inbox)
            pump_one(&net->end[i]);
    net->now += 250;
    for (size_t i = 0; i < PARTIES; i++)
        talk_tick(net->end[i].talk, net->now);
}

static bool settled(void) {
    return !talk_unacked(net->end[0].talk) && !talk_unacked(net->end[1].talk) &&
           !net->end[0].n_inbox && !net->end[1].n_inbox;
}

static void say(struct end *e, const char *type) {
    struct err err;

    if (talk_send(e->talk, type, (struct view){0}, NULL, &err))
        fail_msg("%s", err.text);
}

static void say_number(struct end *e, unsigned n) {
    char text[32];
    struct err err;

    snprintf(text, sizeof text, "message %u", n);
    if (talk_send_text(e->talk, view_str(text), NULL, NULL, &err))
        fail_msg("%s", err.text);
}

static void open_both(void) {
    struct end *u = &net->end[0], *g = &net->end[1];
    int turns = 0;

    say(g, "hello");
    while (!u->n_got && turns++ < 1000) { /* the owner repeats hello */
        turn();
        talk_resend(g->talk, 0);
    }
    say(u, "accept");
    while (!settled() && turns++ < 4000)
        turn();
    assert_string_equal(u->got[0], "hello");
    assert_string_equal(g->got[0], "accept");
}

static void check_order(const struct end *e, size_t skip, unsigned n) {
    char text[32];

    assert_int_equal(e->n_got, skip + n);
    for (unsigned i = 0; i < n; i++) {
        snprintf(text, sizeof text, "message %u", i);
        assert_string_equal(e->got[skip + i], text);
    }
}

static void check_sums(void) {
    struct talk_sum u, g;

    talk_sum(net->end[0].talk, &u);
    talk_sum(net->end[1].talk, &g);
    assert_true(u.n_in == g.n_out && u.n_out == g.n_in);
    assert_true(u.bytes_in == g.bytes_out && u.bytes_out == g.bytes_in);
    assert_memory_equal(u.root_in, g.root_out, 32);
    assert_memory_equal(u.root_out, g.root_in, 32);
}

/* Sends n from each side over a link of these faults and expects all of it, once, in order. */
static void converse(unsigned lose, unsigned twice, bool shuffle, unsigned n, uint64_t seed) {
    struct link *l = link_new();
    int turns = 0;

    l->seed = seed;
    l->lose = lose;
    l->twice = twice;
    l->shuffle = shuffle;
    open_both();
    for (unsigned i = 0; i < n; i++) {
        while (talk_unacked(l->end[0].talk) >= TALK_KEEP ||
               talk_unacked(l->end[1].talk) >= TALK_KEEP) {
            turn();
            assert_true(turns++ < 20000);
        }
        say_number(&l->end[0], i);
        say_number(&l->end[1], i);
        if (dice(4) == 0)
            turn();
    }
    while (!settled() && turns++ < 20000)
        turn();
    assert_false(l->end[0].broken);
    assert_false(l->end[1].broken);
    check_order(&l->end[0], 1, n);
    check_order(&l->end[1], 1, n);
    check_sums();
    link_free(l);
}

static void a_good_link_delivers_in_order(void **state) {
    (void)state;
    converse(0, 0, false, 400, 1);
}

static void a_bad_link_delivers_in_order_once(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++)
        converse(20, 20, true, 150, seed);
}

static void a_terrible_link_delivers_in_order_once(void **state) {
    (void)state;
    converse(60, 50, true, 60, 99);
}

static void nacks_are_at_most_one_a_second(void **state) {
    struct link *l = link_new();
    size_t before;

    (void)state;
    open_both();
    l->lose = 100;
    say_number(&l->end[0], 0);
    l->lose = 0;
    say_number(&l->end[0], 1);
    l->lose = 100; /* neither nack nor repetition gets through */
    before = l->end[1].nacks;
    for (int i = 0; i < 40; i++) /* ten seconds */
        turn();
    assert_in_range(l->end[1].nacks - before, 9, 11);
    link_free(l);
}

static void a_nack_names_at_most_64(void **state) {
    struct link *l = link_new();
    size_t before;

    (void)state;
    open_both();
    l->lose = 100;
    for (unsigned i = 0; i < 100; i++)
        say_number(&l->end[0], i);
    l->lose = 0;
    say_number(&l->end[0], 100);
    while (!l->end[1].nacks)
        turn();
    before = l->end[0].sent;
    pump_one(&l->end[0]);
    assert_int_equal(l->end[0].sent - before, TALK_NACK_MAX);
    link_free(l);
}

/* What waits for a slow relay is on its way: another copy would make it slower. */
static void nothing_is_sent_again_while_busy(void **state) {
    struct end *u;
    size_t sent;

    (void)state;
    net = link_new();
    open_both();
    u = &net->end[0];
    net->lose = 100;
    u->busy = true;
    say(u, "chunk");
    sent = u->sent;
    for (int i = 0; i < 4 * 60; i++)
        turn();
    assert_int_equal(u->sent, sent);
    u->busy = false;
    net->lose = 0;
    for (int i = 0; i < 4 * 60 && !settled(); i++)
        turn();
    assert_true(settled());
    assert_true(u->sent > sent);
    link_free(net);
}

static void a_gap_that_stays_ends_the_job(void **state) {
    struct link *l = link_new();

    (void)state;
    open_both();
    l->lose = 100;
    say_number(&l->end[0], 0);
    l->lose = 0;
    say_number(&l->end[0], 1);
    l->lose = 100;
    for (int i = 0; i < TALK_LOST_MS / 250 + 8; i++)
        turn();
    assert_true(l->end[1].broken);
    assert_string_equal(l->end[1].why.code, "lost");
    link_free(l);
}

/* A rumor by U with a chosen seq, made outside of the talk. */
static struct rumor *forged(int64_t seq, const char *text) {
    struct fields f = fields_new(KIND_TEXT, 1700000000, view_str(text));
    cleanup_free char *to = hex_new(view_of(keypair_pub(net->end[1].key), 32));
    cleanup_free char *s = mem_fmt("%lld", (long long)seq);

    fields_add(&f, "p", to);
    fields_add(&f, "seq", s);
    fields_add(&f, "ack", "1");
    return rumor_padded(&f, keypair_pub(net->end[0].key), NULL);
}

static void take_conflict(int64_t seq) {
    struct rumor *r = forged(seq, "another one");
    struct err e;

    assert_int_equal(talk_take(net->end[1].talk, r, &e), -1);
    assert_string_equal(e.code, "seq-conflict");
    assert_true(net->end[1].broken);
    assert_string_equal(net->end[1].why.code, "seq-conflict");
    assert_int_equal(talk_take(net->end[1].talk, r, &e), -1);
    assert_string_equal(e.code, "broken");
    assert_int_equal(talk_send(net->end[1].talk, "ping", (struct view){0}, NULL, &e), -1);
    rumor_free(r);
}

static void a_delivered_number_with_another_id_is_a_conflict(void **state) {
    struct link *l = link_new();

    (void)state;
    open_both();
    say_number(&l->end[0], 0);
    turn();
    take_conflict(1);
    link_free(l);
}

static void a_waiting_number_with_another_id_is_a_conflict(void **state) {
    struct link *l = link_new();
    struct rumor *r;

    (void)state;
    open_both();
    r = forged(5, "first");
    assert_int_equal(talk_take(l->end[1].talk, r, NULL), 0);
    assert_int_equal(talk_take(l->end[1].talk, r, NULL), 0); /* the same again is a duplicate */
    rumor_free(r);
    take_conflict(5);
    link_free(l);
}

static void numbers_far_ahead_are_refused(void **state) {
    struct link *l = link_new();
    struct rumor *near, *far;
    struct err e;

    (void)state;
    open_both(); /* number 0 is taken, 1 is next */
    near = forged(TALK_WINDOW, "near");
    far = forged(TALK_WINDOW + 1, "far");
    assert_int_equal(talk_take(l->end[1].talk, near, &e), 0);
    assert_int_equal(talk_take(l->end[1].talk, far, &e), -1);
    assert_string_equal(e.code, "bad-message");
    assert_false(l->end[1].broken);
    rumor_free(near);
    rumor_free(far);
    link_free(l);
}

static void strangers_are_refused(void **state) {
    struct link *l = link_new();
    struct keypair *k = keypair_new();
    struct fields f = fields_new(KIND_TEXT, 1700000000, view_str("hi"));
    struct rumor *r;
    struct err e;

    (void)state;
    fields_add(&f, "seq", "0");
    r = rumor_padded(&f, keypair_pub(k), NULL);
    assert_int_equal(talk_take(l->end[1].talk, r, &e), -1);
    assert_string_equal(e.code, "wrong-author");
    rumor_free(r);
    keypair_free(k);
    link_free(l);
}

static void seq_0_is_hello_and_accept(void **state) {
    struct link *l = link_new();
    struct rumor *r = forged(0, "data before accept");
    struct err e;

    (void)state;
    assert_int_equal(talk_take(l->end[1].talk, r, &e), -1);
    assert_string_equal(e.code, "bad-message");
    assert_int_equal(talk_send_text(l->end[0].talk, view_str("x"), NULL, NULL, &e), -1);
    assert_string_equal(e.code, "bad-message");
    assert_int_equal(talk_send(l->end[1].talk, "ready", (struct view){0}, NULL, &e), -1);
    rumor_free(r);
    link_free(l);
}

static void a_customer_may_end_instead_of_accept(void **state) {
    struct link *l = link_new();

    (void)state;
    say(&l->end[1], "hello");
    turn();
    say(&l->end[0], "end");
    turn();
    assert_string_equal(l->end[1].got[0], "end");
    link_free(l);
}

static void too_many_unacknowledged_is_busy(void **state) {
    struct link *l = link_new();
    struct err e;

    (void)state;
    open_both();
    l->lose = 100;
    for (unsigned i = 0; i < TALK_KEEP; i++)
        say_number(&l->end[0], i);
    assert_int_equal(talk_send_text(l->end[0].talk, view_str("x"), NULL, NULL, &e), -1);
    assert_string_equal(e.code, "busy");
    assert_int_equal(talk_send(l->end[0].talk, "ping", (struct view){0}, NULL, &e), 0);
    link_free(l);
}

static void replayed_light_messages_come_once(void **state) {
    struct link *l = link_new();

    (void)state;
    open_both();
    l->twice = 100;
    say(&l->end[0], "ping");
    turn();
    assert_int_equal(l->end[1].n_got, 2); /* accept, ping */
    link_free(l);
}

static void an_impossible_ack_is_refused(void **state) {
    struct link *l = link_new();
    struct fields f = fields_new(KIND_TEXT, 1700000000, view_str("x"));
    struct rumor *r;
    struct err e;

    (void)state;
    open_both();
    fields_add(&f, "seq", "1");
    fields_add(&f, "ack", "2"); /* the guest has sent hello only */
    r = rumor_padded(&f, keypair_pub(l->end[0].key), NULL);
    assert_int_equal(talk_take(l->end[1].talk, r, &e), -1);
    assert_string_equal(e.code, "bad-message");
    rumor_free(r);
    link_free(l);
}

static size_t padded_len(const struct rumor *r) {
    const char *pad = fields_get(&r->f, "pad", 1);

    return r->f.content_len + (pad ? strlen(pad) : 0);
}

static void content_reaches_a_bucket(void **state) {
    static const size_t sizes[] = {0, 1, 400, 512, 513, 2048, 2049, 8000, 8193, 27000};
    struct link *l = link_new();
    char *text = mem_new(30000);

    (void)state;
    open_both();
    for (size_t i = 0; i < COUNT(sizes); i++) {
        const struct rumor *r;
        size_t n;

        memset(text, 'a', sizes[i]);
        assert_int_equal(talk_send_text(l->end[0].talk, view_of(text, sizes[i]), NULL, NULL, NULL),
                         0);
        r = l->end[0].talk->kept[i + 1];
        n = padded_len(r);
        assert_true(n == 512 || n == 2048 || n == 8192 || n == 28000);
        assert_true(n >= sizes[i]);
    }
    assert_int_equal(talk_send(l->end[0].talk, "cancel", (struct view){0}, NULL, NULL), 0);
    assert_int_equal(padded_len(l->end[0].talk->kept[COUNT(sizes) + 1]), 512);
    free(text);
    link_free(l);
}

/* The last bucket with as many quotes as it takes: the wrap must still fit a relay. */
static void the_largest_message_fits_a_relay(void **state) {
    struct link *l = link_new();
    char *text = mem_new(30000);
    size_t n = 14200;
    struct event *wrap;
    cleanup_buf struct buf json = {0};
    struct err e;

    (void)state;
    open_both();
    memset(text, '"', 30000);
    while (talk_send_text(l->end[0].talk, view_of(text, n), NULL, NULL, &e)) {
        assert_string_equal(e.code, "too-large");
        n -= 10;
    }
    assert_in_range(n, 13500, 14190);
    wrap = wrap_make(l->end[0].talk->kept[1], l->end[0].key, NULL, keypair_pub(l->end[1].key),
                     KIND_WRAP, 1700000000, 0, &e);
    assert_non_null(wrap);
    event_json(wrap, &json);
    assert_true(json.n <= EVENT_MAX);
    event_free(wrap);
    free(text);
    link_free(l);
}

/* A file in band over a bad link: the same code at both ends. */
static struct xfer_in *file_in;
static struct buf file_got;

static void on_file(void *arg, const struct xfer_meta *m, struct view data) {
    (void)arg;
    assert_string_equal(m->name, "ledger.csv");
    buf_add(&file_got, data.p, data.n);
}

static void on_file_message(void *arg, const struct talk_msg *m) {
    (void)arg;
    if (!xfer_in_take(file_in, m))
        assert_string_equal(m->type, "accept");
}

static void a_file_crosses_a_bad_link(void **state) {
    static const struct xfer_in_handler h = {.file = on_file};
    struct link *l = link_new();
    struct xfer_meta m;
    struct xfer_out *out;
    uint8_t *data = mem_new(200000);
    int turns = 0;

    (void)state;
    random_bytes(data, 200000);
    xfer_meta_init(&m, "../ledger.csv", "text/csv", "file", NULL, view_of(data, 200000));
    open_both();
    l->end[1].talk->h.message = on_file_message;
    file_in = xfer_in_new(1 << 20, &h, NULL);
    buf_init(&file_got, 1 << 20);
    out = xfer_out_inband(l->end[0].talk, &m, view_of(data, 200000));
    l->lose = 25;
    l->twice = 10;
    l->shuffle = true;
    while (xfer_out_step(out, NULL) == 0 || !settled()) {
        turn();
        assert_true(turns++ < 20000);
    }
    assert_true(view_eq(buf_view(&file_got), view_of(data, 200000)));
    assert_int_equal(xfer_out_done(out), 200000);
    xfer_out_free(out);
    xfer_in_free(file_in);
    buf_free(&file_got);
    free(data);
    link_free(l);
}

/* --- put down and taken up again --- */

/* The customer's program dies and comes back with what it had when n_in of the guest's messages
 * were over; what it had sent since then is given one by one, if `more`. */
static void customer_dies(uint64_t n_in, size_t more) {
    struct end *u = &net->end[0];
    cleanup_buf struct buf json = {0};
    struct jw w = jw_new(&json);
    struct rumor *late[8];
    struct err e;
    cJSON *o;

    jw_obj(&w);
    talk_save(u->talk, n_in, &w);
    jw_end_obj(&w);
    for (unsigned i = 0; i < more; i++) {
        say_number(u, 1000 + i);
        late[i] = rumor_copy(u->talk->kept[(u->talk->out.n - 1) % TALK_KEEP]);
    }
    talk_free(u->talk);
    while (u->n_inbox)
        rumor_free(u->inbox[--u->n_inbox]);
    o = json_parse(buf_view(&json), json.n, &e);
    assert_non_null(o);
    u->talk = talk_restore(TALK_CUSTOMER, u->key, keypair_pub(net->end[1].key), job_id, o, &handler,
                           u, &e);
    if (!u->talk)
        fail_msg("%s", e.text);
    for (size_t i = 0; i < more; i++) {
        assert_int_equal(talk_restore_sent(u->talk, late[i], &e), 0);
        rumor_free(late[i]);
    }
    cJSON_Delete(o);
}

static void goes_on_after(unsigned lose, uint64_t back, size_t more) {
    struct link *l = link_new();
    struct talk_sum a, b;

    open_both();
    for (unsigned i = 0; i < 40; i++) {
        l->lose = lose;
        say_number(&l->end[i % 2], i);
        turn();
    }
    talk_sum(l->end[0].talk, &a);
    customer_dies(a.n_in > back ? a.n_in - back : 1, more);
    for (unsigned i = 40; i < 60; i++) {
        say_number(&l->end[i % 2], i);
        turn();
    }
    l->lose = 0;
    for (unsigned i = 0; i < 400 && !l->end[0].broken; i++)
        turn();
    assert_false(l->end[0].broken || l->end[1].broken);
    talk_sum(l->end[0].talk, &a);
    talk_sum(l->end[1].talk, &b);
    assert_int_equal(a.n_out, b.n_in);
    assert_int_equal(a.n_in, b.n_out);
    assert_memory_equal(a.root_out, b.root_in, 32);
    assert_memory_equal(a.root_in, b.root_out, 32);
    link_free(l);
}

static void a_customer_that_died_goes_on(void **state) {
    (void)state;
    goes_on_after(0, 0, 0);
    goes_on_after(30, 0, 5);
}

/* What it had taken after it was saved comes again, for it is asked for. */
static void what_was_not_saved_comes_again(void **state) {
    (void)state;
    goes_on_after(0, 7, 0);
    goes_on_after(30, 7, 8);
}

static void what_was_saved_badly_is_refused(void **state) {
    static const char *const bad[] = {
        "{}",
        "{\"out\":\"00\",\"in\":\"\",\"acked\":0,\"kept\":[]}",
        "{\"out\":\"\",\"in\":\"\",\"acked\":1,\"kept\":[]}",
        "{\"out\":\"\",\"in\":\"\",\"acked\":0,\"kept\":[\"{}\"]}",
        "{\"out\":\"0000000000000000000000000000000000000000000000000000000000000000\","
        "\"in\":\"\",\"acked\":0,\"kept\":[]}",
        "{\"out\":\"zz00000000000000000000000000000000000000000000000000000000000000\","
        "\"in\":\"\",\"acked\":1,\"kept\":[]}",
    };
    struct link *l = link_new();

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        cJSON *o = json_parse(view_str(bad[i]), 4096, NULL);
        struct err e = {0};

        assert_non_null(o);
        assert_null(talk_restore(TALK_CUSTOMER, l->end[0].key, keypair_pub(l->end[1].key), job_id,
                                 o, &handler, &l->end[0], &e));
        assert_true(e.code[0] && e.text[0]);
        cJSON_Delete(o);
    }
    link_free(l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_link_delivers_in_order),
        cmocka_unit_test(a_bad_link_delivers_in_order_once),
        cmocka_unit_test(a_terrible_link_delivers_in_order_once),
        cmocka_unit_test(nacks_are_at_most_one_a_second),
        cmocka_unit_test(a_nack_names_at_most_64),
        cmocka_unit_test(nothing_is_sent_again_while_busy),
        cmocka_unit_test(a_gap_that_stays_ends_the_job),
        cmocka_unit_test(a_delivered_number_with_another_id_is_a_conflict),
        cmocka_unit_test(a_waiting_number_with_another_id_is_a_conflict),
        cmocka_unit_test(numbers_far_ahead_are_refused),
        cmocka_unit_test(strangers_are_refused),
        cmocka_unit_test(seq_0_is_hello_and_accept),
        cmocka_unit_test(a_customer_may_end_instead_of_accept),
        cmocka_unit_test(too_many_unacknowledged_is_busy),
        cmocka_unit_test(replayed_light_messages_come_once),
        cmocka_unit_test(an_impossible_ack_is_refused),
        cmocka_unit_test(content_reaches_a_bucket),
        cmocka_unit_test(the_largest_message_fits_a_relay),
        cmocka_unit_test(a_file_crosses_a_bad_link),
        cmocka_unit_test(a_customer_that_died_goes_on),
        cmocka_unit_test(what_was_not_saved_comes_again),
        cmocka_unit_test(what_was_saved_badly_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
