/* The driver against an engine that says what it likes: one canned response per connection. */
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "guest/workloads/lib/llama_chat.c"
#include "tests/unit/unit.h"

struct engine {
    char path[64];
    int fd;
    const char *response;
    bool hangs; /* keeps the connection after the response, until the other end closes */
    bool closed_by_peer;
    struct buf request;
    pthread_t thread;
};

static void *serve(void *arg) {
    struct engine *g = arg;
    int fd = accept(g->fd, NULL, NULL);
    char chunk[4096];
    ssize_t n = recv(fd, chunk, sizeof chunk, 0);

    buf_add(&g->request, chunk, n > 0 ? (size_t)n : 0);
    for (const char *p = g->response; *p; p++) /* the cruellest rhythm */
        (void)!send(fd, p, 1, MSG_NOSIGNAL);
    g->closed_by_peer = g->hangs && recv(fd, chunk, sizeof chunk, 0) <= 0;
    close(fd);
    return NULL;
}

static void engine_start(struct engine *g, const char *response) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    *g = (struct engine){.response = response};
    snprintf(g->path, sizeof g->path, "/tmp/cdvm-llama-%d.sock", getpid());
    unlink(g->path);
    memcpy(a.sun_path, g->path, strlen(g->path) + 1);
    g->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(g->fd, (const struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(g->fd, 1), 0);
    assert_int_equal(pthread_create(&g->thread, NULL, serve, g), 0);
}

static void engine_close(struct engine *g) {
    close(g->fd);
    unlink(g->path);
    buf_free(&g->request);
}

static void engine_end(struct engine *g) {
    pthread_join(g->thread, NULL);
    engine_close(g);
}

struct heard {
    struct buf text;
    uint32_t done, total;
};

static void on_text(void *arg, struct view utf8) {
    struct heard *h = arg;

    buf_add(&h->text, utf8.p, utf8.n);
}

static void on_prompt(void *arg, const struct llama_reading *r) {
    struct heard *h = arg;

    h->done = r->done;
    h->total = r->total;
}

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
#define DELTA(text) "data: {\"choices\":[{\"delta\":{\"content\":\"" text "\"}}]}\n\n"
#define FINISH(why)                                                                                \
    "data: {\"choices\":[{\"finish_reason\":\"" why                                                \
    "\",\"delta\":{}}],\"timings\":{\"cache_n\":2,"                                                \
    "\"prompt_n\":3,\"predicted_n\":20,\"prompt_ms\":1.5,\"predicted_ms\":4.25}}\n\ndata: "        \
    "[DONE]\n\n"

/* What was heard, or "!code: sentence". */
static char *chat(const char *response, struct llama_usage *u, struct heard *h) {
    const struct llama_events ev = {on_text, NULL, on_prompt, h};
    struct engine g;
    struct err e = {0};
    struct llama l = {.pid = getpid()};
    char *got;
    int rc;

    engine_start(&g, response);
    l.socket = g.path;
    rc = llama_chat(&l, &(struct llama_ask){view_str("[]"), 5, view_str(",\"seed\":1")}, &ev, NULL,
                    u, &e);
    engine_end(&g);
    buf_str(&h->text, "");
    got = rc ? mem_fmt("!%s: %s", e.code, e.text) : mem_str((const char *)h->text.p);
    buf_free(&h->text);
    return got;
}

static void check(const char *response, const char *want) {
    struct llama_usage u;
    struct heard h = {0};
    cleanup_free char *got = chat(response, &u, &h);

    assert_string_equal(got, want);
}

static void an_answer_is_streamed(void **state) {
    struct llama_usage u;
    struct heard h = {0};
    cleanup_free char *got =
        chat(OK_HEAD
             "data: {\"choices\":[],\"prompt_progress\":{\"total\":9,\"processed\":4,\"time_ms\":"
             "3}}\n\n" DELTA("Once") DELTA(" upon\\n\\u00e9") FINISH("length"),
             &u, &h);

    (void)state;
    assert_string_equal(got, "Once upon\n\xc3\xa9");
    assert_int_equal(h.done, 4);
    assert_int_equal(h.total, 9);
    assert_int_equal(u.finish, LLAMA_LENGTH);
    assert_int_equal(u.prompt, 5);
    assert_int_equal(u.cached, 2);
    assert_int_equal(u.tokens, 20);
    assert_int_equal(u.prompt_us, 1500);
    assert_int_equal(u.us, 4250);
}

static void the_request_is_what_was_meant(void **state) {
    const struct llama_events ev = {0};
    struct llama_usage u;
    struct engine g;
    struct llama l = {.pid = getpid()};

    (void)state;
    engine_start(&g, OK_HEAD FINISH("stop"));
    l.socket = g.path;
    assert_int_equal(llama_chat(&l,
                                &(struct llama_ask){view_str("[1]"), 5, view_str(",\"seed\":1")},
                                &ev, NULL, &u, NULL),
                     0);
    pthread_join(g.thread, NULL);
    assert_non_null(strstr((const char *)g.request.p, "POST /v1/chat/completions HTTP/1.1\r\n"));
    assert_non_null(
        strstr((const char *)g.request.p, "{\"messages\":[1],\"max_tokens\":5,\"stream\":"));
    assert_non_null(strstr((const char *)g.request.p, ",\"seed\":1}"));
    engine_close(&g);
}

static void errors_of_the_engine_are_told(void **state) {
    (void)state;
    check("HTTP/1.1 400 Bad Request\r\n\r\n"
          "{\"error\":{\"code\":400,\"message\":\"map::at\\u0007 x\"}}",
          "!engine-error: the engine refused (HTTP 400): map::at\xef\xbf\xbd x");
    check("HTTP/1.1 400 Bad Request\r\n\r\n{\"error\":{\"type\":\"exceed_context_size_error\","
          "\"n_prompt_tokens\":1002,\"n_ctx\":512}}",
          "!too-long: the prompt has 1002 tokens and the model's context holds 512");
    check("HTTP/1.1 500 Oh\r\n\r\n<html>",
          "!engine-error: the engine refused (HTTP 500): it did not "
          "say why");
    check(OK_HEAD DELTA("a") "data: {\"error\":{\"message\":\"lost\"}}\n\n",
          "!engine-error: the engine gave up: lost");
}

static void what_is_no_answer_is_refused(void **state) {
    (void)state;
    check("", "!bad-engine: the engine's HTTP response was cut off");
    check(OK_HEAD, "!bad-engine: the engine's answer was cut off");
    check(OK_HEAD DELTA("a"), "!bad-engine: the engine's answer was cut off");
    check(OK_HEAD "data: [1]\n\n", "!bad-engine: an event of the engine's is no JSON object");
    check(OK_HEAD
          "data: {\"choices\":{}}\n\ndata: {\"choices\":[{\"delta\":7}],\"timings\":[]}\n\n" FINISH(
              "stop"),
          "");
}

/* Halves of a surrogate pair do not parse; bytes that are no UTF-8 become U+FFFD. */
static void text_is_made_valid(void **state) {
    (void)state;
    check(OK_HEAD DELTA("a\xff z") FINISH("stop"), "a\xef\xbf\xbd z");
    check(OK_HEAD DELTA("\\ud800") FINISH("stop"),
          "!bad-engine: an event of the engine's is no JSON object");
}

static void numbers_out_of_range_are_nought(void **state) {
    struct llama_usage u;
    struct heard h = {0};
    cleanup_free char *got = chat(
        OK_HEAD "data: {\"choices\":[{\"finish_reason\":\"stop\"}],\"timings\":{\"prompt_n\":-1,"
                "\"predicted_n\":1e300,\"predicted_ms\":\"x\"}}\n\n",
        &u, &h);

    (void)state;
    assert_string_equal(got, "");
    assert_int_equal(u.prompt, 0);
    assert_int_equal(u.tokens, 0);
    assert_int_equal(u.us, 0);
}

static bool at_once(void *arg) {
    (void)arg;
    return true;
}

static void stopping_closes_the_connection(void **state) {
    const struct unixhttp_watch w = {-1, at_once, NULL, 0};
    const struct llama_events ev = {0};
    struct llama_usage u;
    struct engine g;
    struct llama l = {.pid = getpid()};
    struct err e;

    (void)state;
    engine_start(&g, OK_HEAD DELTA("a"));
    g.hangs = true;
    l.socket = g.path;
    assert_int_equal(llama_chat(&l, &(struct llama_ask){view_str("[]"), 5, {0}}, &ev, &w, &u, &e),
                     -1);
    assert_string_equal(e.code, "cancelled");
    pthread_join(g.thread, NULL);
    assert_true(g.closed_by_peer);
    engine_close(&g);
}

static void a_deadline_ends_the_wait(void **state) {
    const struct unixhttp_watch w = {-1, NULL, NULL, unixhttp_now() + 50};
    struct engine g;
    struct llama l = {.pid = getpid()};
    struct err e;
    uint32_t n;

    (void)state;
    engine_start(&g, "");
    g.hangs = true;
    l.socket = g.path;
    assert_int_equal(llama_count(&l, view_str("[]"), &w, &n, &e), -1);
    assert_string_equal(e.code, "engine-slow");
    engine_end(&g);
}

static void nobody_listens(void **state) {
    struct llama l = {.socket = "/tmp/cdvm-no-such.sock", .pid = getpid()};
    struct err e;
    uint32_t n;

    (void)state;
    assert_int_equal(llama_count(&l, view_str("[]"), NULL, &n, &e), -1);
    assert_string_equal(e.code, "engine-gone");
}

static int embed(const char *data, float out[static 2], struct err *e) {
    const struct view text = view_str("a");
    cleanup_free char *response = mem_fmt("HTTP/1.1 200 OK\r\n\r\n{\"data\":[%s]}", data);
    struct engine g;
    struct llama l = {.pid = getpid(), .dims = 2};
    int rc;

    engine_start(&g, response);
    l.socket = g.path;
    rc = llama_embed(&l, &text, 1, out, NULL, e);
    engine_end(&g);
    return rc;
}

static void vectors(void **state) {
    float out[2];
    struct err e;

    (void)state;
    assert_int_equal(embed("{\"index\":0,\"embedding\":\"AACAPwAAAMA=\"}", out, &e), 0);
    assert_true(out[0] == 1.0F && out[1] == -2.0F);
    assert_int_equal(embed("{\"index\":1,\"embedding\":\"AACAPwAAAMA=\"}", out, &e), -1);
    assert_int_equal(embed("{\"index\":0,\"embedding\":\"AACAPw==\"}", out, &e), -1);
    assert_int_equal(embed("{\"index\":0,\"embedding\":\"AADAfwAAwH8=\"}", out, &e), -1); /* NaN */
    assert_int_equal(embed("", out, &e), -1);
    assert_string_equal(e.code, "bad-engine");
    assert_int_equal(embed("{\"index\":0,\"embedding\":\"AACAPwAAAMA=\"},{\"index\":1,"
                           "\"embedding\":\"AACAPwAAAMA=\"}",
                           out, &e),
                     -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_streamed),
        cmocka_unit_test(the_request_is_what_was_meant),
        cmocka_unit_test(errors_of_the_engine_are_told),
        cmocka_unit_test(what_is_no_answer_is_refused),
        cmocka_unit_test(text_is_made_valid),
        cmocka_unit_test(numbers_out_of_range_are_nought),
        cmocka_unit_test(stopping_closes_the_connection),
        cmocka_unit_test(a_deadline_ends_the_wait),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(vectors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
