#include "core/http.c"
#include "tests/unit/unit.h"

#include <netinet/in.h>

/* A server that answers everything with the same bytes, in portions, or with silence. */
struct canned {
    struct loop *l;
    struct http *h;
    int listener, fd;
    struct loop_fd *lwatch, *watch;
    const char *answer;
    char url[64];
    /* what the client was told */
    bool done, cancel_in_progress;
    int calls, progressed;
    long status;
    char code[32], reason[128];
    int64_t date;
    struct http_req *req;
};

static void canned_read(void *arg, unsigned ready) {
    struct canned *c = arg;
    char chunk[4096];
    ssize_t n = recv(c->fd, chunk, sizeof chunk, MSG_DONTWAIT);

    (void)ready;
    if (n > 0 && c->answer)
        assert_int_equal(send(c->fd, c->answer, strlen(c->answer), MSG_NOSIGNAL),
                         strlen(c->answer));
    if (n > 0 && !c->answer)
        return;
    loop_fd_del(c->watch);
    c->watch = NULL;
    close(c->fd);
    c->fd = -1;
}

static void canned_accept(void *arg, unsigned ready) {
    struct canned *c = arg;

    (void)ready;
    c->fd = accept(c->listener, NULL, NULL);
    c->watch = loop_fd_add(c->l, c->fd, LOOP_IN, canned_read, c);
}

static void canned_up(struct canned *c, const char *answer) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;

    *c = (struct canned){.l = loop_new(NULL), .fd = -1, .answer = answer};
    c->h = http_new(c->l, NULL);
    c->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(c->listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(c->listener, 4), 0);
    assert_int_equal(getsockname(c->listener, (struct sockaddr *)&a, &n), 0);
    snprintf(c->url, sizeof c->url, "http://127.0.0.1:%u/x", ntohs(a.sin_port));
    c->lwatch = loop_fd_add(c->l, c->listener, LOOP_IN, canned_accept, c);
}

static void canned_down(struct canned *c) {
    http_free(c->h);
    if (c->fd >= 0)
        close(c->fd);
    close(c->listener);
    loop_free(c->l);
}

static void on_answer(void *arg, struct http_answer *a) {
    struct canned *c = arg;

    c->done = true;
    c->calls++;
    c->status = a->status;
    snprintf(c->reason, sizeof c->reason, "%s", a->reason);
    c->date = a->date;
    snprintf(c->code, sizeof c->code, "%s", a->err ? a->err->code : "");
    http_cancel(c->req); /* its own, too late: nothing happens */
}

static void on_count(void *arg, uint64_t done, uint64_t total) {
    struct canned *c = arg;

    (void)done, (void)total;
    c->progressed++;
    if (c->cancel_in_progress) {
        http_cancel(c->req);
        c->done = true;
    }
}

static void ask(struct canned *c, const char *url, int timeout_ms, size_t max) {
    struct err e;

    c->done = false;
    c->req = http_start(c->h,
                        &(struct http_ask){.method = "GET",
                                           .url = url ? url : c->url,
                                           .max_body = max,
                                           .timeout_ms = timeout_ms,
                                           .allow_private = true},
                        on_answer, on_count, c, &e);
    assert_non_null(c->req);
    assert_int_equal(c->calls, 0); /* never at once */
    for (int i = 0; i < 200 && !c->done; i++)
        loop_turn(c->l, 50);
    assert_true(c->done);
}

static void takes_status_and_reason(void **state) {
    struct canned c;

    (void)state;
    canned_up(&c, "HTTP/1.1 402 Pay\r\nX-Reason:  pay \x1b[31mme\r\nContent-Length: 2\r\n\r\nno");
    ask(&c, NULL, 5000, 100);
    assert_int_equal(c.status, 402);
    assert_null(strchr(c.reason, 0x1b));
    assert_int_equal(strncmp(c.reason, "pay ", 4), 0);
    assert_int_equal(c.calls, 1);
    canned_down(&c);
}

static void takes_the_date(void **state) {
    static const struct {
        const char *header;
        int64_t date;
    } rows[] = {
        {"Date: Mon, 23 Nov 2026 11:45:00 GMT", 1795434300},
        {"date:Mon, 23 Nov 2026 11:45:00 GMT", 1795434300},
        {"Date: yesterday", 0},
        {"Date: ", 0},
        {"X-Date: Mon, 23 Nov 2026 11:45:00 GMT", 0},
        {"Date: Mon, 23 Nov 2026 11:45:00 GMT                                                    .",
         0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        cleanup_free char *answer =
            mem_fmt("HTTP/1.1 200 OK\r\n%s\r\nContent-Length: 0\r\n\r\n", rows[i].header);
        struct canned c;

        canned_up(&c, answer);
        ask(&c, NULL, 5000, 100);
        assert_int_equal(c.date, rows[i].date);
        canned_down(&c);
    }
}

static void follows_no_redirect(void **state) {
    struct canned c;

    (void)state;
    canned_up(&c, "HTTP/1.1 302 Go\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n");
    ask(&c, NULL, 5000, 100);
    assert_int_equal(c.status, 302);
    canned_down(&c);
}

static void too_much_is_cut(void **state) {
    struct canned c;

    (void)state;
    canned_up(&c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789");
    ask(&c, NULL, 5000, 9);
    assert_string_equal(c.code, "too-large");
    assert_int_equal(c.status, 0);
    canned_down(&c);
}

static void a_truncated_answer_is_an_error(void **state) {
    struct canned c;

    (void)state;
    canned_up(&c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n012");
    ask(&c, NULL, 500, 100);
    assert_int_equal(c.status, 0);
    assert_int_not_equal(c.code[0], 0);
    canned_down(&c);
}

static void nonsense_is_an_error(void **state) {
    struct canned c;

    (void)state;
    canned_up(&c, "SSH-2.0-OpenSSH_9.2\r\n");
    ask(&c, NULL, 1000, 100);
    assert_int_equal(c.status, 0);
    assert_string_equal(c.code, "http");
    canned_down(&c);
}

static void silence_times_out(void **state) {
    struct canned c;

    (void)state;
    canned_up(&c, NULL);
    ask(&c, NULL, 200, 100);
    assert_string_equal(c.code, "timeout");
    canned_down(&c);
}

static void nobody_there(void **state) {
    struct canned c;

    (void)state;
    canned_up(&c, NULL);
    ask(&c, "http://127.0.0.1:1/", 5000, 100);
    assert_string_equal(c.code, "connect");
    canned_down(&c);
}

static void a_request_may_be_cancelled_inside_its_progress(void **state) {
    struct canned c;

    (void)state;
    canned_up(&c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    c.cancel_in_progress = true;
    ask(&c, NULL, 5000, 100);
    for (int i = 0; i < 5; i++)
        loop_turn(c.l, 20);
    assert_int_equal(c.calls, 0);
    assert_null(c.h->reqs);
    canned_down(&c);
}

static void a_cancelled_request_makes_no_call(void **state) {
    struct canned c;
    struct err e;

    (void)state;
    canned_up(&c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    http_cancel(http_start(
        c.h,
        &(struct http_ask){.method = "GET", .url = c.url, .max_body = 9, .allow_private = true},
        on_answer, NULL, &c, &e));
    for (int i = 0; i < 5; i++)
        loop_turn(c.l, 20);
    assert_int_equal(c.calls, 0);
    canned_down(&c);
}

static void private_and_odd_addresses_are_refused(void **state) {
    static const char *const odd[] = {"file:///etc/passwd", "gopher://x/", "x", "http://a b/"};
    struct canned c;
    struct err e;

    (void)state;
    canned_up(&c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    for (size_t i = 0; i < COUNT(odd); i++)
        assert_null(http_start(c.h, &(struct http_ask){.method = "GET", .url = odd[i]}, on_answer,
                               NULL, &c, &e));
    c.req =
        http_start(c.h, &(struct http_ask){.method = "GET", .url = c.url}, on_answer, NULL, &c, &e);
    for (int i = 0; i < 100 && !c.done; i++)
        loop_turn(c.l, 20);
    assert_string_equal(c.code, "private-address");
    canned_down(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_status_and_reason),
        cmocka_unit_test(takes_the_date),
        cmocka_unit_test(follows_no_redirect),
        cmocka_unit_test(too_much_is_cut),
        cmocka_unit_test(a_truncated_answer_is_an_error),
        cmocka_unit_test(nonsense_is_an_error),
        cmocka_unit_test(silence_times_out),
        cmocka_unit_test(nobody_there),
        cmocka_unit_test(a_request_may_be_cancelled_inside_its_progress),
        cmocka_unit_test(a_cancelled_request_makes_no_call),
        cmocka_unit_test(private_and_odd_addresses_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
