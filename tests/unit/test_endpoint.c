/* The endpoint over real sockets; the guest is the test itself. */
#include "tui/endpoint.c"
#include "tests/unit/unit.h"
#include "tests/unit/net.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

struct shop {
    struct net n;
    struct door door;
    struct endpoint *ep;
    bool ready;
    unsigned asked, cancelled;
    char text[256];
    uint8_t id[32];
    unsigned turns; /* of the loop, while something was waited for */
};

static int shop_ready(void *arg, struct endpoint_who *who, struct err *why) {
    static const char guest[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    const struct shop *s = arg;

    *who = (struct endpoint_who){.model = {"tiny", "somebody", 1},
                                 .offer = "chat",
                                 .guest = guest,
                                 .verdict = "PASS",
                                 .turns = true};
    return s->ready ? 0 : err_set(why, "snp.chain.root", "FAIL: this root is not AMD's");
}

static int shop_ask(void *arg, struct view text, uint8_t id[static 32], struct err *e) {
    struct shop *s = arg;

    (void)e;
    s->asked++;
    snprintf(s->text, sizeof s->text, "%.*s", (int)text.n, (const char *)text.p);
    random_bytes(s->id, 32);
    memcpy(id, s->id, 32);
    return 0;
}

static void shop_cancel(void *arg, const uint8_t id[static 32]) {
    (void)id;
    ((struct shop *)arg)->cancelled++;
}

static void shop_attestation(void *arg, struct jw *w) {
    (void)arg;
    jw_kstr(w, "state", "tested");
}

static struct shop t;

static int set_up(void **state) {
    static const struct endpoint_port p = {shop_ready, shop_ask, shop_cancel, shop_attestation};
    struct err e;

    (void)state;
    t = (struct shop){.ready = true};
    net_up(&t.n, NULL);
    assert_int_equal(door_open("127.0.0.1:0", &t.door, &e), 0);
    t.ep = endpoint_new(t.n.ws, &t.door, &p, &t, &e);
    assert_non_null(t.ep);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    endpoint_free(t.ep);
    door_close(&t.door);
    net_for(&t.n, 20);
    net_down(&t.n);
    return 0;
}

/* --- a client --- */

struct caller {
    int fd;
    char got[65536];
    size_t n;
    bool gone;
};

static void call(struct caller *c) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(t.door.port)};

    *c = (struct caller){.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)connect(c->fd, (struct sockaddr *)&to, sizeof to);
    net_for(&t.n, 30);
}

static void put(struct caller *c, const char *s, size_t n) {
    assert_int_equal(send(c->fd, s, n, MSG_NOSIGNAL), n);
}

static void hear(struct caller *c) {
    ssize_t n = recv(c->fd, c->got + c->n, sizeof c->got - 1 - c->n, 0);

    if (n > 0)
        c->n += (size_t)n;
    c->gone |= n == 0 || (n < 0 && errno != EAGAIN);
    c->got[c->n] = 0;
}

/* Until `what` has come, or the connection ended, or ms have gone. */
static bool heard(struct caller *c, const char *what, int ms) {
    t.turns = 0;
    for (int64_t end = loop_now() + ms; loop_now() < end && !c->gone; t.turns++) {
        if (what && strstr(c->got, what))
            return true;
        loop_turn(t.n.loop, 10);
        hear(c);
    }
    return what && strstr(c->got, what);
}

static void forget(struct caller *c) {
    c->n = 0;
    c->got[0] = 0;
}

static char *request(const char *method, const char *path, const char *more, const char *body) {
    cleanup_buf struct buf address = {0};

    door_address(&t.door, &address);
    return mem_fmt("%s %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %.*s\r\n%sContent-Length: "
                   "%zu\r\n\r\n%s",
                   method, path, (const char *)address.p, (int)secret_len(t.door.token),
                   (const char *)secret_get(t.door.token), more, strlen(body), body);
}
#define JSON "Content-Type: application/json\r\n"
#define CHAT "/v1/chat/completions"
#define HELLO "{\"messages\":[{\"role\":\"user\",\"content\":\"Hello?\"}]}"
#define STREAM "{\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hello?\"}]}"

static void say(struct caller *c, const char *method, const char *path, const char *more,
                const char *body) {
    cleanup_free char *r = request(method, path, more, body);

    put(c, r, strlen(r));
}

static bool asks(struct caller *c, const char *body) {
    unsigned before = t.asked;

    say(c, "POST", CHAT, JSON, body);
    for (int i = 0; i < 100 && t.asked == before; i++)
        loop_turn(t.n.loop, 10);
    return t.asked == before + 1;
}

static void answer(const char *text) {
    endpoint_answer(t.ep, t.id, view_str(text), NULL, NULL);
}

/* --- tests --- */

static void a_question_and_its_answer(void **state) {
    struct caller c;

    (void)state;
    call(&c);
    assert_true(asks(&c, HELLO));
    assert_string_equal(t.text, "Hello?");
    assert_false(heard(&c, "200", 50));
    answer("Good day.");
    assert_true(heard(&c, "Good day.", 2000));
    assert_non_null(strstr(c.got, "HTTP/1.1 200 "));
    assert_non_null(strstr(c.got, "cdvm-verdict: PASS"));
    forget(&c);
    assert_true(asks(&c, HELLO)); /* on the same connection */
    answer("Again.");
    assert_true(heard(&c, "Again.", 2000));
    close(c.fd);
}

static void an_empty_body_is_answered(void **state) {
    struct caller c;

    (void)state;
    call(&c);
    for (int i = 0; i < 2; i++) {
        say(&c, "POST", CHAT, JSON, "");
        assert_true(heard(&c, "bad-json", 2000));
        forget(&c);
    }
    say(&c, "GET", "/v1/models", "", "");
    assert_true(heard(&c, "tiny", 2000));
    close(c.fd);
}

static void chunks_are_refused_with_a_sentence(void **state) {
    cleanup_free char *r = NULL;
    struct caller c;

    (void)state;
    call(&c);
    r = request("POST", CHAT, JSON "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n");
    put(&c, r, strlen(r));
    assert_true(heard(&c, "no-length", 2000));
    heard(&c, NULL, 4000);
    assert_true(c.gone);
    close(c.fd);
}

static void who_does_not_wait_for_the_answer_is_left(void **state) {
    cleanup_free char *r = request("POST", CHAT, JSON, HELLO), *two = mem_fmt("%s%s", r, r);
    struct caller c;
    int64_t began;

    (void)state;
    call(&c);
    put(&c, two, strlen(two));
    began = loop_now();
    heard(&c, NULL, 3000);
    /* libwebsockets 4.3 reads neither until the deadline; the loop is not starved either way */
    assert_true(c.gone ? loop_now() - began < 2000 : t.turns < 1000);
    assert_true(t.asked <= 1 && t.asked == t.cancelled);
    close(c.fd);
    call(&c);
    assert_true(asks(&c, HELLO));
    put(&c, r, strlen(r)); /* later, but before the answer */
    heard(&c, NULL, 3000);
    assert_true(c.gone && t.asked == t.cancelled);
    close(c.fd);
}

static void who_hangs_up_takes_the_question_back(void **state) {
    struct caller c;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        call(&c);
        assert_true(asks(&c, i ? STREAM : HELLO));
        close(c.fd);
        for (int j = 0; j < 300 && t.cancelled == i; j++)
            loop_turn(t.n.loop, 10);
        assert_int_equal(t.cancelled, i + 1);
        assert_null(t.ep->orders);
    }
}

static void a_stream_comes_as_it_is_said(void **state) {
    struct caller c;

    (void)state;
    call(&c);
    assert_true(asks(&c, STREAM));
    endpoint_delta(t.ep, t.id, view_str("One, "));
    assert_true(heard(&c, "One, ", 2000));
    endpoint_delta(t.ep, t.id, view_str("two\x1b[2J"));
    assert_true(heard(&c, "two", 2000));
    assert_null(strstr(c.got, "[DONE]"));
    answer("One, two\x1b[2J, three.");
    assert_true(heard(&c, "[DONE]\n\n\r\n0\r\n\r\n", 2000));
    assert_non_null(strstr(c.got, ", three."));
    assert_non_null(strstr(c.got, "\"finish_reason\":\"stop\""));
    assert_null(strstr(c.got, "u001b"));
    forget(&c);
    assert_true(asks(&c, HELLO));
    answer("After it.");
    assert_true(heard(&c, "After it.", 2000));
    close(c.fd);
}

#define STOPS(more)                                                                                \
    "{\"stop\":[\"END\",\"##\"]," more "\"messages\":[{\"role\":\"user\",\"content\":\"Go\"}]}"

static void a_stop_sequence_ends_the_answer(void **state) {
    struct caller c;

    (void)state;
    call(&c);
    assert_true(asks(&c, STOPS("")));
    endpoint_delta(t.ep, t.id, view_str("One. E"));
    endpoint_delta(t.ep, t.id, view_str("ND. Two."));
    assert_true(heard(&c, "\"content\":\"One. \"", 3000)); /* while the guest still speaks */
    assert_int_equal(t.cancelled, 1);
    answer("One. END. Two."); /* of nobody any more */
    forget(&c);
    assert_true(asks(&c, STOPS("\"stream\":true,")));
    endpoint_delta(t.ep, t.id, view_str("One# and E"));
    assert_true(heard(&c, "One# and", 3000));
    assert_null(strstr(c.got, "One# and E")); /* it may become a stop */
    answer("One# and ENough. ## Two");
    assert_true(heard(&c, "[DONE]", 3000));
    assert_non_null(strstr(c.got, "ough."));
    assert_null(strstr(c.got, "Two"));
    close(c.fd);
}

static void questions_wait_for_each_other(void **state) {
    struct caller a, b;

    (void)state;
    call(&a);
    call(&b);
    assert_true(asks(&a, HELLO));
    say(&b, "POST", CHAT, JSON, HELLO);
    net_for(&t.n, 100);
    assert_int_equal(t.asked, 1);
    answer("To a.");
    assert_true(heard(&a, "To a.", 2000));
    assert_int_equal(t.asked, 2);
    answer("To b.");
    assert_true(heard(&b, "To b.", 2000));
    close(a.fd);
    close(b.fd);
}

static void too_many_are_told_to_come_again(void **state) {
    struct caller c[ORDERS_MAX + 1];

    (void)state;
    for (size_t i = 0; i <= ORDERS_MAX; i++) {
        call(&c[i]);
        say(&c[i], "POST", CHAT, JSON, HELLO);
        net_for(&t.n, 10);
    }
    assert_true(heard(&c[ORDERS_MAX], "429", 2000));
    endpoint_over(t.ep, &(struct err){"ended", "the job has ended"});
    for (size_t i = 0; i < ORDERS_MAX; i++) {
        assert_true(heard(&c[i], "the job has ended", 2000));
        assert_non_null(strstr(c[i].got, "HTTP/1.1 503 "));
    }
    for (size_t i = 0; i <= ORDERS_MAX; i++)
        close(c[i].fd);
}

static void a_refusal_in_the_middle_of_a_stream(void **state) {
    struct caller c;

    (void)state;
    call(&c);
    assert_true(asks(&c, STREAM));
    endpoint_answer(t.ep, t.id, view_str("the question has too many tokens"), "too-long", NULL);
    assert_true(heard(&c, "HTTP/1.1 400 ", 2000)); /* nothing was said yet */
    forget(&c);
    assert_true(asks(&c, STREAM));
    endpoint_delta(t.ep, t.id, view_str("One"));
    assert_true(heard(&c, "One", 2000));
    endpoint_answer(t.ep, t.id, view_str("it broke"), "workload-died", NULL);
    assert_true(heard(&c, "data: {\"error\":{\"message\":\"it broke\"", 2000));
    assert_true(heard(&c, "0\r\n\r\n", 2000));
    assert_null(strstr(c.got, "[DONE]"));
    close(c.fd);
}

static void what_was_streamed_cannot_be_taken_back(void **state) {
    struct caller c;

    (void)state;
    call(&c);
    assert_true(asks(&c, STREAM));
    endpoint_delta(t.ep, t.id, view_str("Yes"));
    assert_true(heard(&c, "Yes", 2000));
    answer("No");
    assert_true(heard(&c, "changed-answer", 2000));
    close(c.fd);
}

static void endless_text_is_cut_off(void **state) {
    cleanup_free char *text = mem_new(ANSWER_MAX);
    struct caller c;

    (void)state;
    memset(text, 'x', ANSWER_MAX - 1);
    call(&c);
    assert_true(asks(&c, HELLO));
    endpoint_delta(t.ep, t.id, view_str(text));
    assert_int_equal(t.cancelled, 0);
    endpoint_delta(t.ep, t.id, view_str("xx"));
    assert_true(heard(&c, "HTTP/1.1 502 ", 2000));
    assert_int_equal(t.cancelled, 1);
    close(c.fd);
}

static void what_the_answer_took(void **state) {
    const struct talk_usage u = {12, 5, "length"};
    struct caller c;

    (void)state;
    call(&c);
    assert_true(asks(&c, HELLO));
    endpoint_answer(t.ep, t.id, view_str("A b"), NULL, &u);
    assert_true(heard(&c, "\"total_tokens\":17", 2000));
    assert_non_null(strstr(c.got, "\"finish_reason\":\"length\""));
    close(c.fd);
}

static void nothing_is_taken_before_it_is_ready(void **state) {
    struct caller c;

    (void)state;
    t.ready = false;
    call(&c);
    say(&c, "POST", CHAT, JSON, HELLO);
    assert_true(heard(&c, "this root is not AMD's", 2000));
    assert_non_null(strstr(c.got, "HTTP/1.1 503 "));
    assert_int_equal(t.asked, 0);
    close(c.fd);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_question_and_its_answer),
        T(an_empty_body_is_answered),
        T(chunks_are_refused_with_a_sentence),
        T(who_does_not_wait_for_the_answer_is_left),
        T(who_hangs_up_takes_the_question_back),
        T(a_stream_comes_as_it_is_said),
        T(a_stop_sequence_ends_the_answer),
        T(questions_wait_for_each_other),
        T(too_many_are_told_to_come_again),
        T(a_refusal_in_the_middle_of_a_stream),
        T(what_was_streamed_cannot_be_taken_back),
        T(endless_text_is_cut_off),
        T(what_the_answer_took),
        T(nothing_is_taken_before_it_is_ready),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
