#include "guest/workloads/lib/httpin.c"
#include "guest/workloads/lib/sse.h"
#include "tests/unit/unit.h"

static void on_piece(void *arg, struct view piece) {
    buf_add(arg, piece.p, piece.n);
}

/* "status body" when fed in pieces of `step` bytes and then ended, or "!sentence". */
static char *read_all(struct view v, size_t step) {
    cleanup_buf struct buf out = {0};
    struct httpin *h = httpin_new(on_piece, &out);
    struct err e = {0};
    int rc = 0;
    char *got;

    while (!rc && v.n) {
        size_t n = v.n < step ? v.n : step;

        rc = httpin_feed(h, view_of(v.p, n), &e);
        v = view_of(v.p + n, v.n - n);
    }
    if (!rc && !httpin_done(h))
        rc = httpin_end(h, &e);
    buf_str(&out, "");
    if (rc)
        assert_string_equal(e.code, "bad-engine");
    got = rc ? mem_fmt("!%s", e.text + strlen("the engine's HTTP response "))
             : mem_fmt("%d %s", httpin_status(h), (const char *)out.p);
    httpin_free(h);
    return got;
}

static void check(const char *in, const char *want) {
    static const size_t steps[] = {1, 2, 7, 65536};

    for (size_t i = 0; i < COUNT(steps); i++) {
        cleanup_free char *got = read_all(view_str(in), steps[i]);

        assert_string_equal(got, want);
    }
}

static void bodies_of_three_kinds(void **state) {
    (void)state;
    check("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "200 hello");
    check("HTTP/1.1 200 OK\r\ncontent-length:5 \r\n\r\nhello", "200 hello");
    check("HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n"
          "0123456789\r\n0\r\nX: y\r\n\r\n",
          "400 abc0123456789");
    check("HTTP/1.0 200 OK\r\n\r\nto the end", "200 to the end");
    check("HTTP/1.1 200\nContent-Length: 2\n\nok", "200 ok");
    check("HTTP/1.1 204 No Content\r\n\r\n", "204 ");
    check("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", "500 ");
    check("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", "200 x");
}

static void what_is_refused(void **state) {
    (void)state;
    check("SSH-2.0-OpenSSH\r\n", "!has no status line");
    check("HTTP/1.1 2x0 OK\r\n\r\n", "!has no status line");
    check("HTTP/1.1 999 OK\r\n\r\n", "!has no proper status");
    check("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "!has a line that is no header field");
    check("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "!has no proper Content-Length");
    check("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
          "!has no proper Content-Length");
    check("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
          "!has no proper Content-Length");
    check("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
          "!has two kinds of length");
    check("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
          "!has a transfer coding that is not chunked");
    check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
          "!has a chunk without a size");
    check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n",
          "!has a chunk that is longer than it says");
    check("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc", "!goes on after its end");
}

static void what_is_cut_off(void **state) {
    (void)state;
    check("", "!was cut off");
    check("HTTP/1.1 200 OK\r\n", "!was cut off");
    check("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", "!was cut off");
    check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "!was cut off");
}

static void a_head_without_end_is_refused(void **state) {
    cleanup_buf struct buf in = {0};
    cleanup_free char *one = NULL, *many = NULL;

    (void)state;
    buf_str(&in, "HTTP/1.1 200 OK\r\nX: ");
    for (size_t i = 0; i < HTTPIN_LINE_MAX; i++)
        buf_u8(&in, 'a');
    one = read_all(buf_view(&in), 1000);
    assert_string_equal(one, "!has too long a head");
    buf_reset(&in);
    buf_str(&in, "HTTP/1.1 200 OK\r\n");
    while (in.n < HTTPIN_HEAD_MAX + 10)
        buf_str(&in, "X: y\r\n");
    many = read_all(buf_view(&in), 1000);
    assert_string_equal(many, "!has too long a head");
}

/* --- events --- */

static void on_event(void *arg, struct view data) {
    buf_add(arg, data.p, data.n);
    buf_str(arg, "|");
}

static void check_events(const char *in, const char *want) {
    static const size_t steps[] = {1, 3, 65536};

    for (size_t i = 0; i < COUNT(steps); i++) {
        cleanup_buf struct buf out = {0};
        struct sse *s = sse_new(on_event, &out);
        struct view v = view_str(in);

        while (v.n) {
            size_t n = v.n < steps[i] ? v.n : steps[i];

            assert_int_equal(sse_feed(s, view_of(v.p, n), NULL), 0);
            v = view_of(v.p + n, v.n - n);
        }
        buf_str(&out, "");
        assert_string_equal((const char *)out.p, want);
        sse_free(s);
    }
}

static void events(void **state) {
    (void)state;
    check_events("data: a\n\ndata: b\n\n", "a|b|");
    check_events("data: a\r\n\r\ndata:b\r\rdata:  c\n\n", "a|b| c|");
    check_events("data: a\ndata: b\n\n", "a\nb|");
    check_events(": ping\n\nevent: x\nid: 1\ndata: a\n\n", "a|");
    check_events("data\n\ndata:\n\n", "||");
    check_events("database: x\n\ndata: not ended\n", "");
}

static void an_event_without_end_is_refused(void **state) {
    cleanup_buf struct buf out = {0}, line = {0};
    struct sse *s = sse_new(on_event, &out);
    struct err e = {0};
    int rc = 0;

    (void)state;
    buf_str(&line, "data: ");
    while (line.n < 65536)
        buf_u8(&line, 'x');
    for (int i = 0; !rc && i < 5; i++)
        rc = sse_feed(s, buf_view(&line), &e);
    assert_int_equal(rc, -1);
    assert_string_equal(e.code, "bad-engine");
    sse_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_of_three_kinds),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(what_is_cut_off),
        cmocka_unit_test(a_head_without_end_is_refused),
        cmocka_unit_test(events),
        cmocka_unit_test(an_event_without_end_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
