#include "core/blossom.c"
#include "tests/unit/unit.h"
#include "tests/unit/net.h"

struct got {
    bool done;
    struct err e; /* code empty: success */
    struct buf body;
    uint64_t progress;
};

static void on_blob(void *arg, struct view body, const struct err *e) {
    struct got *g = arg;

    g->done = true;
    if (e)
        g->e = *e;
    if (body.n)
        buf_add(&g->body, body.p, body.n);
}

static void on_count(void *arg, uint64_t done, uint64_t total) {
    (void)total;
    ((struct got *)arg)->progress = done;
}

static struct got put(struct net *n, struct http *h, struct view data) {
    struct got g = {0};
    struct err e;

    assert_non_null(
        blossom_put(h, relayd_blob_url(n->relay), data, true, on_blob, on_count, &g, &e));
    assert_true(net_until(n, &g.done, 10000));
    return g;
}

static struct got get(struct net *n, struct http *h, const uint8_t sha[32], size_t max,
                      bool private) {
    struct got g = {0};
    struct err e;

    assert_non_null(
        blossom_get(h, relayd_blob_url(n->relay), sha, max, private, on_blob, NULL, &g, &e));
    assert_true(net_until(n, &g.done, 10000));
    return g;
}

static void puts_and_gets(void **state) {
    size_t size = 3000000;
    cleanup_free uint8_t *data = mem_new(size);
    uint8_t sha[32];
    struct net n;
    struct got g;
    struct http *h;

    (void)state;
    net_up(&n, NULL);
    h = http_new(n.loop, NULL);
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)(i * i >> 7);
    sha256(view_of(data, size), sha);
    g = put(&n, h, view_of(data, size));
    assert_string_equal(g.e.code, "");
    assert_int_equal(g.progress, size);
    g = get(&n, h, sha, size, true);
    assert_string_equal(g.e.code, "");
    assert_true(view_eq(buf_view(&g.body), view_of(data, size)));
    buf_free(&g.body);
    g = get(&n, h, sha, size - 1, true);
    assert_string_equal(g.e.code, "too-large");
    g = get(&n, h, sha, size, false);
    assert_string_equal(g.e.code, "private-address");
    sha[0] ^= 1;
    g = get(&n, h, sha, size, true);
    assert_string_equal(g.e.code, "not-found");
    http_free(h);
    net_down(&n);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(puts_and_gets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
