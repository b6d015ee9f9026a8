#include "provider/relay_http.c"
#include "tests/unit/unit.h"
#include "tests/unit/net.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "core/blossom.h"
#include "core/enc.h"
#include "core/hash.h"
#include "core/http.h"

/* ---- requests through our own HTTP client ---- */

struct web {
    struct net n;
    struct http *h;
    struct keypair *key;
    bool done;
    long status;
    struct buf body;
    char reason[128], code[32];
};

static void web_up(struct web *w, const struct relayd_opts *o) {
    *w = (struct web){0};
    net_up(&w->n, o);
    w->h = http_new(w->n.loop, NULL);
    w->key = keypair_new();
}

static void web_down(struct web *w) {
    http_free(w->h);
    buf_free(&w->body);
    keypair_free(w->key);
    net_down(&w->n);
}

static void on_answer(void *arg, struct http_answer *a) {
    struct web *w = arg;

    w->done = true;
    w->status = a->status;
    snprintf(w->reason, sizeof w->reason, "%s", a->reason);
    snprintf(w->code, sizeof w->code, "%s", a->err ? a->err->code : "");
    buf_free(&w->body);
    w->body = a->body;
    a->body = (struct buf){0};
}

static long ask(struct web *w, const char *method, const char *path, const char *const headers[],
                struct view body) {
    cleanup_free char *url = mem_fmt("%s%s", relayd_blob_url(w->n.relay), path);
    struct err e;

    w->done = false;
    w->status = 0;
    if (!http_start(w->h,
                    &(struct http_ask){.method = method,
                                       .url = url,
                                       .headers = headers,
                                       .body = body,
                                       .max_body = 1 << 20,
                                       .allow_private = true},
                    on_answer, NULL, w, &e))
        fail_msg("%s", e.text);
    assert_true(net_until(&w->n, &w->done, 10000));
    return w->status;
}

static char *auth_by(const struct keypair *k, const char *verb, struct view data) {
    uint8_t sha[32];
    cleanup_free char *value = NULL;

    sha256(data, sha);
    value = blossom_auth(k, verb, sha, "127.0.0.1", unix_now(), false);
    return mem_fmt("Authorization: %s", value);
}

static char *path_of(struct view data) {
    uint8_t sha[32];
    cleanup_free char *hex = NULL;

    sha256(data, sha);
    hex = hex_new(view_of(sha, 32));
    return mem_fmt("/%s", hex);
}

static long upload(struct web *w, struct view data) {
    cleanup_free char *auth = auth_by(w->key, "upload", data);

    return ask(w, "PUT", "/upload", (const char *[]){auth, NULL}, data);
}

static void serves_the_information_document(void **state) {
    static const char *const accept[] = {"Accept: application/nostr+json", NULL};
    struct web w;
    cJSON *doc;

    (void)state;
    web_up(&w, &(struct relayd_opts){.min_pow = 3});
    assert_int_equal(ask(&w, "GET", "/", accept, view_str("")), 200);
    doc = json_parse(buf_view(&w.body), 1 << 16, NULL);
    assert_non_null(doc);
    assert_int_equal(
        cJSON_GetObjectItem(cJSON_GetObjectItem(doc, "limitation"), "min_pow_difficulty")->valueint,
        3);
    cJSON_Delete(doc);
    assert_int_equal(ask(&w, "GET", "/", NULL, view_str("")), 200);
    assert_null(strstr((char *)w.body.p, "limitation"));
    web_down(&w);
}

static void uploads_once_and_serves_whole_and_parts(void **state) {
    struct view data = view_str("0123456789");
    cleanup_free char *path = path_of(data), *named = mem_fmt("%s.txt", path);
    struct web w;

    (void)state;
    web_up(&w, NULL);
    assert_int_equal(ask(&w, "GET", path, NULL, view_str("")), 404);
    assert_int_equal(upload(&w, data), 201);
    assert_non_null(strstr((char *)w.body.p, path + 1));
    assert_int_equal(upload(&w, data), 200); /* there already */
    assert_int_equal(ask(&w, "GET", path, NULL, view_str("")), 200);
    assert_true(view_is(buf_view(&w.body), "0123456789"));
    assert_int_equal(ask(&w, "GET", named, NULL, view_str("")), 200);
    assert_int_equal(ask(&w, "HEAD", path, NULL, view_str("")), 200);
    assert_int_equal(w.body.n, 0);
    assert_int_equal(ask(&w, "GET", path, (const char *[]){"Range: bytes=2-4", NULL}, view_str("")),
                     206);
    assert_true(view_is(buf_view(&w.body), "234"));
    assert_int_equal(ask(&w, "GET", path, (const char *[]){"Range: bytes=-2", NULL}, view_str("")),
                     206);
    assert_true(view_is(buf_view(&w.body), "89"));
    assert_int_equal(ask(&w, "GET", path, (const char *[]){"Range: bytes=10-", NULL}, view_str("")),
                     416);
    web_down(&w);
}

static void an_empty_blob_is_a_blob(void **state) {
    struct web w;

    (void)state;
    web_up(&w, NULL);
    assert_int_equal(upload(&w, view_str("")), 201);
    web_down(&w);
}

static void an_authorization_is_good_for_one_request(void **state) {
    struct view data = view_str("once");
    cleanup_free char *auth = NULL;
    struct web w;

    (void)state;
    web_up(&w, NULL);
    auth = auth_by(w.key, "upload", data);
    assert_int_equal(ask(&w, "PUT", "/upload", (const char *[]){auth, NULL}, data), 201);
    assert_int_equal(ask(&w, "PUT", "/upload", (const char *[]){auth, NULL}, data), 401);
    assert_non_null(strstr(w.reason, "used before"));
    web_down(&w);
}

static void uploads_need_the_right_authorization(void **state) {
    struct view data = view_str("this"), other = view_str("that");
    cleanup_free char *delete = NULL, *for_other = NULL, *path = path_of(data);
    struct web w;

    (void)state;
    web_up(&w, NULL);
    assert_int_equal(ask(&w, "PUT", "/upload", NULL, data), 401);
    delete = auth_by(w.key, "delete", data);
    assert_int_equal(ask(&w, "PUT", "/upload", (const char *[]){delete, NULL}, data), 401);
    for_other = auth_by(w.key, "upload", other);
    assert_int_equal(ask(&w, "PUT", "/upload", (const char *[]){for_other, NULL}, data), 409);
    assert_int_equal(ask(&w, "GET", path, NULL, view_str("")), 404);
    web_down(&w);
}

static void only_uploaders_delete(void **state) {
    struct view data = view_str("mine");
    cleanup_free char *path = path_of(data), *foreign = NULL, *own = NULL;
    struct keypair *k = keypair_new();
    struct web w;

    (void)state;
    web_up(&w, NULL);
    assert_int_equal(upload(&w, data), 201);
    foreign = auth_by(k, "delete", data);
    assert_int_equal(ask(&w, "DELETE", path, (const char *[]){foreign, NULL}, view_str("")), 403);
    own = auth_by(w.key, "delete", data);
    assert_int_equal(ask(&w, "DELETE", path, (const char *[]){own, NULL}, view_str("")), 200);
    assert_int_equal(ask(&w, "GET", path, NULL, view_str("")), 404);
    keypair_free(k);
    web_down(&w);
}

static void a_blob_stays_while_somebody_owns_it(void **state) {
    struct view data = view_str("shared");
    cleanup_free char *path = path_of(data), *first = NULL, *second = NULL;
    struct keypair *k = keypair_new();
    struct web w;

    (void)state;
    web_up(&w, NULL);
    assert_int_equal(upload(&w, data), 201);
    second = auth_by(k, "upload", data);
    assert_int_equal(ask(&w, "PUT", "/upload", (const char *[]){second, NULL}, data), 200);
    first = auth_by(w.key, "delete", data);
    assert_int_equal(ask(&w, "DELETE", path, (const char *[]){first, NULL}, view_str("")), 200);
    assert_int_equal(ask(&w, "GET", path, NULL, view_str("")), 200);
    keypair_free(k);
    web_down(&w);
}

static void preflights(void **state) {
    struct view data = view_str("soon");
    cleanup_free char *path = path_of(data), *auth = NULL, *sha = NULL;
    struct web w;

    (void)state;
    web_up(&w, NULL);
    auth = auth_by(w.key, "upload", data);
    sha = mem_fmt("X-SHA-256: %s", path + 1);
    assert_int_equal(ask(&w, "HEAD", "/upload",
                         (const char *[]){auth, sha, "X-Content-Length: 4", NULL}, view_str("")),
                     200);
    assert_int_equal(ask(&w, "HEAD", "/upload",
                         (const char *[]){auth, sha, "X-Content-Length: 999999999", NULL},
                         view_str("")),
                     413);
    assert_int_equal(ask(&w, "HEAD", "/upload", (const char *[]){sha, "X-Content-Length: 4", NULL},
                         view_str("")),
                     401);
    assert_int_equal(ask(&w, "HEAD", "/upload", (const char *[]){auth, "X-Content-Length: 4", NULL},
                         view_str("")),
                     400);
    assert_int_equal(ask(&w, "HEAD", "/upload", (const char *[]){auth, sha, NULL}, view_str("")),
                     411);
    /* the question did not use the authorization up */
    assert_int_equal(ask(&w, "PUT", "/upload", (const char *[]){auth, NULL}, data), 201);
    assert_int_equal(ask(&w, "OPTIONS", "/upload", NULL, view_str("")), 204);
    assert_int_equal(ask(&w, "PUT", "/mirror", NULL, view_str("{}")), 501);
    assert_int_equal(ask(&w, "POST", "/upload", NULL, view_str("x")), 405);
    assert_int_equal(ask(&w, "GET", "/../relay.db", NULL, view_str("")), 404);
    web_down(&w);
}

static void sizes_and_quota(void **state) {
    enum { MIB = 1 << 20 };
    cleanup_free uint8_t *data = mem_new(MIB + 1);
    struct web w;
    struct relayd_opts o = {.max_blob = MIB, .max_blobs = 2 * MIB + 1000};

    (void)state;
    web_up(&w, &o);
    assert_int_equal(upload(&w, view_of(data, MIB + 1)), 413);
    assert_int_equal(upload(&w, view_of(data, MIB)), 201);
    data[0] = 1;
    assert_int_equal(upload(&w, view_of(data, MIB)), 201);
    data[0] = 2;
    assert_int_equal(upload(&w, view_of(data, MIB)), 507);
    assert_int_equal(upload(&w, view_of(data, 100)), 201);
    relayd_free(w.n.relay); /* what is there counts after a restart too */
    net_relay(&w.n, &o);
    assert_int_equal(upload(&w, view_of(data, 2000)), 507);
    web_down(&w);
}

static void files_are_private(void **state) {
    struct view data = view_str("secret");
    cleanup_free char *path = path_of(data), *file = NULL;
    struct stat st;
    struct web w;

    (void)state;
    web_up(&w, NULL);
    assert_int_equal(upload(&w, data), 201);
    file = mem_fmt("%s/blobs%s", w.n.dir, path);
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    web_down(&w);
}

/* ---- requests that no honest client makes ---- */

/* Sends bytes as they are; returns what came until the server closed (owned). */
static char *talk(struct web *w, const char *request) {
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(w->n.port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int64_t end = loop_now() + 3000;
    struct buf got = {0};
    char chunk[4096];
    ssize_t n = -1;

    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
    while (n != 0 && loop_now() < end) {
        loop_turn(w->n.loop, 10);
        n = recv(fd, chunk, sizeof chunk, MSG_DONTWAIT);
        if (n > 0)
            buf_add(&got, chunk, (size_t)n);
    }
    close(fd);
    return buf_take(&got);
}

static void hostile_requests(void **state) {
    static const struct {
        const char *request, *status;
    } rows[] = {
        {"PUT /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
         "chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n",
         " 411 "},
        {"PUT /upload HTTP/1.1\r\nHost: x\r\n\r\n", " 411 "},
        {"PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 5,  3\r\n\r\nabcde", " 400 "},
        {"PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", " 400 "},
        {"PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000000000000000000\r\n\r\n",
         " 400 "},
        {"PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\nGET / "
         "HTTP/1.1\r\n\r\n",
         " 413 "},
        {"PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nX-SHA-256: zz\r\n\r\nabcd",
         " 400 "},
        {"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
         "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
         ""},
    };
    struct web w;

    (void)state;
    web_up(&w, NULL);
    for (size_t i = 0; i < COUNT(rows); i++) {
        cleanup_free char *got = talk(&w, rows[i].request);
        const char *again = strstr(got, "HTTP/1.1");

        if (!strstr(got, rows[i].status) || strstr(got, " 101 "))
            fail_msg("row %zu: %s", i, got);
        if (again && strstr(again + 1, "HTTP/1.1"))
            fail_msg("row %zu: the body was taken for a request: %s", i, got);
    }
    assert_int_equal(ask(&w, "GET", "/", NULL, view_str("")), 200); /* still there */
    web_down(&w);
}

static void a_cut_off_upload_leaves_nothing(void **state) {
    struct view data = view_str("0123456789");
    cleanup_free char *auth = NULL, *request = NULL, *got = NULL, *path = path_of(data);
    struct web w;

    (void)state;
    web_up(&w, NULL);
    auth = auth_by(w.key, "upload", data);
    request =
        mem_fmt("PUT /upload HTTP/1.1\r\nHost: x\r\n%s\r\nContent-Length: 10\r\n\r\n01234", auth);
    {
        struct sockaddr_in a = {.sin_family = AF_INET,
                                .sin_port = htons(w.n.port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
        assert_int_equal(send(fd, request, strlen(request), 0), strlen(request));
        net_for(&w.n, 100);
        assert_non_null(w.n.relay->peers->http->up);
        close(fd);
        net_for(&w.n, 100);
    }
    assert_null(w.n.relay->peers);
    assert_int_equal(ask(&w, "GET", path, NULL, view_str("")), 404);
    assert_int_equal(upload(&w, data), 201);
    web_down(&w);
}

static void stops_in_the_middle_of_an_upload(void **state) {
    struct view data = view_str("0123456789");
    cleanup_free char *auth = NULL, *request = NULL;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct web w;

    (void)state;
    web_up(&w, NULL);
    auth = auth_by(w.key, "upload", data);
    request =
        mem_fmt("PUT /upload HTTP/1.1\r\nHost: x\r\n%s\r\nContent-Length: 10\r\n\r\n01234", auth);
    a.sin_port = htons(w.n.port);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(send(fd, request, strlen(request), 0), strlen(request));
    net_for(&w.n, 100);
    relayd_free(w.n.relay);
    w.n.relay = NULL;
    net_for(&w.n, 100);
    close(fd);
    web_down(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serves_the_information_document),
        cmocka_unit_test(uploads_once_and_serves_whole_and_parts),
        cmocka_unit_test(an_empty_blob_is_a_blob),
        cmocka_unit_test(an_authorization_is_good_for_one_request),
        cmocka_unit_test(uploads_need_the_right_authorization),
        cmocka_unit_test(only_uploaders_delete),
        cmocka_unit_test(a_blob_stays_while_somebody_owns_it),
        cmocka_unit_test(preflights),
        cmocka_unit_test(sizes_and_quota),
        cmocka_unit_test(files_are_private),
        cmocka_unit_test(hostile_requests),
        cmocka_unit_test(a_cut_off_upload_leaves_nothing),
        cmocka_unit_test(stops_in_the_middle_of_an_upload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
