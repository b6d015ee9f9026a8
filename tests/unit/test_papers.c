/* What goes to customers of AMD's papers: from the cache without a question, and what is said where
 * there is neither cache nor server. */
#include "provider/papers.c"
#include "tests/unit/unit.h"
#include "tests/unit/world.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/enc.h"

static struct world w;
static struct kds_key key;
static char dir[] = "/tmp/cdvm-papers-XXXXXX", said[300];
static struct loop *loop;
static struct http *http;

static void on_said(void *arg, const char *text) {
    (void)arg;
    snprintf(said, sizeof said, "%s", text);
}

static int setup(void **state) {
    (void)state;
    world_init(&w);
    snprintf(dir, sizeof dir, "/tmp/cdvm-papers-XXXXXX");
    said[0] = 0;
    loop = loop_new(NULL);
    http = http_new(loop, NULL);
    return !mkdtemp(dir) || kds_key_of(w.ev.report, &key, NULL);
}

static int teardown(void **state) {
    (void)state;
    http_free(http);
    loop_free(loop);
    world_free(&w);
    for (int part = 0; part < KDS_PARTS; part++) {
        cleanup_free char *name = kds_file(&key, (enum kds_part)part);
        cleanup_free char *path = mem_fmt("%s/%s", dir, name);

        (void)!unlink(path);
    }
    cleanup_free char *lock = mem_fmt("%s/last-request", dir);
    (void)!unlink(lock);
    return rmdir(dir);
}

static void cache(enum kds_part part, struct view bytes) {
    cleanup_free char *name = kds_file(&key, part);
    cleanup_free char *path = mem_fmt("%s/%s", dir, name);

    assert_int_equal(file_write(path, bytes, 0600, true, NULL), 0);
}

static void pem_add(struct buf *out, struct view der) {
    buf_str(out, "-----BEGIN CERTIFICATE-----\n");
    base64_encode(der, out);
    buf_str(out, "\n-----END CERTIFICATE-----\n");
}

/* Nobody listens on that port. */
static struct papers *started(void) {
    struct err e;
    struct papers *p =
        papers_new(loop, http, &key, &(struct kds_opts){"http://127.0.0.1:1", dir, 10, true},
                   on_said, NULL, &e);

    if (!p)
        fail_msg("%s", e.text);
    for (int i = 0; i < 200 && p->asking; i++)
        loop_turn(loop, 10);
    assert_null(p->asking);
    return p;
}

static void what_the_cache_has_needs_no_server(void **state) {
    struct collateral c = {0};
    cleanup_buf struct buf chain = {0};
    struct papers *p;

    (void)state;
    pem_add(&chain, w.c.ask);
    pem_add(&chain, w.c.ark);
    cache(KDS_CHAIN, buf_view(&chain));
    cache(KDS_VCEK, w.c.vek);
    cache(KDS_CRL, buf_view(&w.crl));
    p = started();
    assert_string_equal(said, "");
    assert_true(papers_add(p, &c));
    assert_true(view_eq(buf_view(&c.vek), w.c.vek));
    assert_true(view_eq(buf_view(&c.ask), w.c.ask));
    assert_true(view_eq(buf_view(&c.ark), w.c.ark));
    assert_true(view_eq(buf_view(&c.crl), buf_view(&w.crl)));
    collateral_free(&c);
    papers_free(p);
}

static void without_cache_and_server_it_is_said(void **state) {
    struct collateral c = {0};
    struct papers *p = started();

    (void)state;
    assert_non_null(strstr(said, "AMD's key server"));
    assert_false(papers_add(p, &c));
    assert_false(papers_add(NULL, &c));
    assert_int_equal(c.vek.n + c.ask.n + c.ark.n + c.crl.n, 0);
    collateral_free(&c);
    papers_free(p);
}

/* fetch-collateral.sh has run meanwhile: the next look finds it; the last stays where one fails. */
static void a_later_look_adds_and_loses_nothing(void **state) {
    struct papers *p = started();
    struct collateral c = {0};
    cleanup_free char *name = kds_file(&key, KDS_VCEK);
    cleanup_free char *path = mem_fmt("%s/%s", dir, name);

    (void)state;
    cache(KDS_VCEK, w.c.vek);
    for (int round = 0; round < 2; round++) {
        loop_timer_set(p->timer, loop_now());
        do
            loop_turn(loop, 10);
        while (p->asking);
        assert_true(view_eq(buf_view(&p->have.vek), w.c.vek));
        (void)!unlink(path);
    }
    assert_true(papers_add(p, &c));
    assert_true(c.vek.n > 0);
    collateral_free(&c);
    papers_free(p);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(what_the_cache_has_needs_no_server),
        T(without_cache_and_server_it_is_said),
        T(a_later_look_adds_and_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
