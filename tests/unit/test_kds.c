/* The key server's URLs by their golden strings, and everything else against one of our own on
 * loopback. */
#include "provider/kds.c"
#include "tests/unit/unit.h"
#include "tests/unit/world.h"

#include <netinet/in.h>

#define SPACING 100 /* ms between requests here */
#define SLACK 25    /* file dates are as coarse as the timer tick, answers take their time */

/* --- a key server --- */

struct fake {
    struct loop *loop;
    struct http *http;
    int listener, fd;
    struct loop_fd *lwatch, *watch;
    char base[64], dir[64];
    struct view body[KDS_PARTS];
    struct buf chain;
    int status[KDS_PARTS], busy; /* answers 429 this many times first */
    char paths[8][300];
    int64_t at[8];
    size_t n_asked;
    /* what came */
    bool done;
    struct collateral got;
    struct err err;
};

static enum kds_part part_of(const char *path) {
    if (strstr(path, "cert_chain"))
        return KDS_CHAIN;
    return strstr(path, "/crl") ? KDS_CRL : KDS_VCEK;
}

static void fake_answer(struct fake *f, const char *path) {
    const enum kds_part part = part_of(path);
    const int status = f->busy-- > 0 ? 429 : f->status[part];
    cleanup_buf struct buf b = {0};

    buf_fmt(&b, "HTTP/1.1 %d X\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n", status,
            status == 200 ? f->body[part].n : 0);
    if (status == 200)
        buf_add(&b, f->body[part].p, f->body[part].n);
    assert_int_equal(send(f->fd, b.p, b.n, MSG_NOSIGNAL), b.n);
}

static void fake_read(void *arg, unsigned ready) {
    struct fake *f = arg;
    char text[4096] = "";
    ssize_t n = recv(f->fd, text, sizeof text - 1, MSG_DONTWAIT);

    (void)ready;
    if (n > 0) {
        assert_true(f->n_asked < COUNT(f->paths));
        assert_int_equal(strncmp(text, "GET ", 4), 0);
        text[4 + strcspn(text + 4, " ")] = '\0';
        snprintf(f->paths[f->n_asked], sizeof f->paths[0], "%.299s", text + 4);
        f->at[f->n_asked++] = loop_now();
        fake_answer(f, text + 4);
    }
    loop_fd_del(f->watch);
    close(f->fd);
}

static void fake_accept(void *arg, unsigned ready) {
    struct fake *f = arg;

    (void)ready;
    f->fd = accept(f->listener, NULL, NULL);
    f->watch = loop_fd_add(f->loop, f->fd, LOOP_IN, fake_read, f);
}

static void pem_add(struct buf *out, struct view der) {
    buf_str(out, "-----BEGIN CERTIFICATE-----\n");
    base64_encode(der, out);
    buf_str(out, "\n-----END CERTIFICATE-----\n");
}

static void fake_up(struct fake *f, const struct world *w) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;

    *f = (struct fake){.loop = loop_new(NULL), .dir = "/tmp/cdvm-kds-XXXXXX"};
    f->http = http_new(f->loop, NULL);
    assert_non_null(mkdtemp(f->dir));
    f->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(f->listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(f->listener, 4), 0);
    assert_int_equal(getsockname(f->listener, (struct sockaddr *)&a, &n), 0);
    snprintf(f->base, sizeof f->base, "http://127.0.0.1:%u", ntohs(a.sin_port));
    f->lwatch = loop_fd_add(f->loop, f->listener, LOOP_IN, fake_accept, f);
    pem_add(&f->chain, w->c.ask);
    pem_add(&f->chain, w->c.ark);
    f->body[KDS_VCEK] = w->c.vek;
    f->body[KDS_CHAIN] = buf_view(&f->chain);
    f->body[KDS_CRL] = buf_view(&w->crl);
    for (int i = 0; i < KDS_PARTS; i++)
        f->status[i] = 200;
}

static void fake_down(struct fake *f) {
    http_free(f->http);
    loop_free(f->loop);
    close(f->listener);
    remove_tree(f->dir);
    buf_free(&f->chain);
    collateral_free(&f->got);
}

static void on_got(void *arg, struct collateral *got, const struct err *e) {
    struct fake *f = arg;

    f->done = true;
    f->got = *got;
    *got = (struct collateral){0};
    f->err = e ? *e : (struct err){0};
}

static void fetch(struct fake *f, const struct world *w) {
    const struct kds_opts o = {f->base, f->dir, SPACING, true};
    struct kds_key key;
    struct err e = {0};

    collateral_free(&f->got);
    f->done = false;
    f->n_asked = 0;
    if (kds_key_of(w->ev.report, &key, &e) || !kds_start(f->loop, f->http, &key, &o, on_got, f, &e))
        fail_msg("%s", e.text);
    for (int i = 0; i < 400 && !f->done; i++)
        loop_turn(f->loop, 25);
    assert_true(f->done);
}

/* --- tests --- */

static struct world w;

static int setup(void **state) {
    (void)state;
    world_init(&w);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    world_free(&w);
    return 0;
}

/* The addresses of AMD's server, for each family. */
static void golden_addresses(void **state) {
    static const struct {
        uint8_t family, model;
        const char *vcek, *chain, *crl;
    } rows[] = {
        {0x19, 0x01,
         "/vcek/v1/Milan/"
         "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
         "c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf"
         "?blSPL=4&teeSPL=0&snpSPL=24&ucodeSPL=219",
         "/vcek/v1/Milan/cert_chain", "/vcek/v1/Milan/crl"},
        {0x19, 0xa0,
         "/vcek/v1/Genoa/"
         "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
         "c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf"
         "?blSPL=4&teeSPL=0&snpSPL=24&ucodeSPL=219",
         "/vcek/v1/Genoa/cert_chain", "/vcek/v1/Genoa/crl"},
        {0x1a, 0x02,
         "/vcek/v1/Turin/a0a1a2a3a4a5a6a7"
         "?fmcSPL=4&blSPL=0&teeSPL=1&snpSPL=3&ucodeSPL=219",
         "/vcek/v1/Turin/cert_chain", "/vcek/v1/Turin/crl"},
    };
    static const uint8_t tcb[2][8] = {{4, 0, 0, 0, 0, 0, 24, 219}, {4, 0, 1, 3, 0, 0, 0, 219}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *const want[KDS_PARTS] = {rows[i].vcek, rows[i].chain, rows[i].crl};
        struct kds_key k;
        struct err e = {0};

        for (int b = 0; b < 64; b++)
            w.report[0x1a0 + b] = (uint8_t)(0xa0 + b);
        w.report[0x188] = rows[i].family;
        w.report[0x189] = rows[i].model;
        memcpy(w.report + 0x180, tcb[rows[i].family == 0x1a], 8);
        memset(w.report + 0x38, 0x77, 8); /* CURRENT is another: REPORTED is what keys are for */
        if (kds_key_of(w.ev.report, &k, &e))
            fail_msg("%s", e.text);
        for (int p = 0; p < KDS_PARTS; p++) {
            cleanup_buf struct buf path = {0};

            kds_path(&k, (enum kds_part)p, &path);
            assert_string_equal((const char *)path.p, want[p]);
        }
    }
}

static void reports_that_no_key_fits(void **state) {
    static const struct {
        uint16_t at;
        uint8_t value;
    } rows[] = {{0, 2}, {0, 6}, {0x189, 0x40}, {0x48, 4}, {0x48, 0x1c}, {0x183, 1}};
    uint8_t good[SIM_REPORT_SIZE];
    struct kds_key k;
    struct err e = {0};

    (void)state;
    memcpy(good, w.report, sizeof good);
    for (size_t i = 0; i < COUNT(rows); i++) {
        w.report[rows[i].at] = rows[i].value;
        assert_int_equal(kds_key_of(w.ev.report, &k, &e), -1);
        assert_string_equal(e.code, "no-vcek");
        memcpy(w.report, good, sizeof good);
    }
    memset(w.report + 0x1a0, 0, 64);
    assert_int_equal(kds_key_of(w.ev.report, &k, &e), -1);
    assert_non_null(strstr(e.text, "chip id"));
    assert_int_equal(kds_key_of(view_of(good, 10), &k, &e), -1);
}

static void all_of_it_once_then_from_the_cache(void **state) {
    struct fake f;

    (void)state;
    fake_up(&f, &w);
    fetch(&f, &w);
    assert_string_equal(f.err.text, "");
    assert_int_equal(f.n_asked, 3);
    assert_true(view_eq(buf_view(&f.got.vek), w.c.vek));
    assert_true(view_eq(buf_view(&f.got.ask), w.c.ask));
    assert_true(view_eq(buf_view(&f.got.ark), w.c.ark));
    assert_true(view_eq(buf_view(&f.got.crl), buf_view(&w.crl)));
    for (size_t i = 1; i < f.n_asked; i++)
        if (f.at[i] - f.at[i - 1] < SPACING - SLACK)
            fail_msg("only %lld ms between requests", (long long)(f.at[i] - f.at[i - 1]));
    fetch(&f, &w);
    assert_int_equal(f.n_asked, 0);
    assert_true(view_eq(buf_view(&f.got.vek), w.c.vek));
    assert_true(view_eq(buf_view(&f.got.ark), w.c.ark));
    assert_true(view_eq(buf_view(&f.got.crl), buf_view(&w.crl)));
    fake_down(&f);
}

/* What a provider says of its own machine. */
static void the_newest_of_the_cache(void **state) {
    const struct timespec then[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    cleanup_free char *older = NULL, *other = NULL;
    struct collateral c = {0};
    struct fake f;

    (void)state;
    fake_up(&f, &w);
    assert_false(kds_cached(f.dir, &c));
    fetch(&f, &w);
    older = mem_fmt("%s/Genoa-00.vcek", f.dir);
    other = mem_fmt("%s/Naples-11.vcek", f.dir);
    assert_int_equal(file_write(older, view_str("old"), 0600, true, NULL), 0);
    assert_int_equal(utimensat(AT_FDCWD, older, then, 0), 0);
    assert_int_equal(file_write(other, view_str("no family"), 0600, true, NULL), 0);
    assert_true(kds_cached(f.dir, &c));
    assert_true(view_eq(buf_view(&c.vek), w.c.vek));
    assert_true(view_eq(buf_view(&c.ask), w.c.ask));
    assert_true(view_eq(buf_view(&c.ark), w.c.ark));
    assert_true(view_eq(buf_view(&c.crl), buf_view(&w.crl)));
    collateral_free(&c);
    fake_down(&f);
}

static void patience_is_doubled(void **state) {
    struct fake f;

    (void)state;
    fake_up(&f, &w);
    f.busy = 2;
    fetch(&f, &w);
    assert_int_equal(f.n_asked, 5);
    assert_string_equal(f.paths[0], f.paths[2]);
    assert_true(f.at[1] - f.at[0] >= 2 * SPACING - SLACK);
    assert_true(f.at[2] - f.at[1] >= 4 * SPACING - SLACK);
    assert_string_equal(f.err.text, "");
    assert_true(f.got.vek.n && f.got.crl.n);
    fake_down(&f);
}

static void what_does_not_come_is_named(void **state) {
    struct fake f;

    (void)state;
    fake_up(&f, &w);
    f.status[KDS_VCEK] = 404;
    fetch(&f, &w);
    assert_string_equal(f.err.code, "not-found");
    assert_int_equal(f.got.vek.n, 0);
    assert_true(f.got.ark.n && f.got.crl.n);
    f.status[KDS_VCEK] = 200; /* nothing wrong was kept */
    f.status[KDS_CRL] = 500;
    fetch(&f, &w);
    assert_string_equal(f.err.text, "");
    assert_int_equal(f.n_asked, 1);
    assert_true(f.got.vek.n && f.got.crl.n);
    fake_down(&f);
}

/* A server, or a cache, that hands out something else. */
static void other_answers_are_not_taken(void **state) {
    struct fake f;
    struct kds_key key;
    cleanup_free char *path = NULL;
    struct err e;

    (void)state;
    fake_up(&f, &w);
    f.body[KDS_VCEK] = w.c.ask;
    f.body[KDS_CHAIN] = w.c.ark;
    f.body[KDS_CRL] = w.c.vek;
    fetch(&f, &w);
    assert_int_equal(f.got.vek.n + f.got.crl.n, 0);
    assert_int_equal(f.n_asked, 3);
    f.body[KDS_VCEK] = w.c.vek;
    w.report[0x180]++; /* asks for another level than the certificate's */
    fetch(&f, &w);
    assert_string_equal(f.err.code, "bad-answer");
    assert_int_equal(f.got.vek.n, 0);
    w.report[0x180]--;
    fetch(&f, &w);
    assert_true(f.got.vek.n > 0);
    assert_int_equal(kds_key_of(w.ev.report, &key, &e), 0);
    path = part_file(&(struct kds){.dir = f.dir, .key = key, .part = KDS_VCEK});
    assert_int_equal(file_write(path, view_str("spoiled"), 0600, true, &e), 0);
    fetch(&f, &w);
    assert_string_equal(f.paths[0] + strlen(f.paths[0]) - 11, "ucodeSPL=84");
    assert_true(view_eq(buf_view(&f.got.vek), w.c.vek));
    fake_down(&f);
}

/* No server at all: said once, at once, and what is cached is there all the same. */
static void nobody_there(void **state) {
    struct fake f;
    int64_t start;

    (void)state;
    fake_up(&f, &w);
    f.status[KDS_VCEK] = f.status[KDS_CRL] = 404;
    fetch(&f, &w); /* only the chain comes */
    close(f.listener);
    loop_fd_del(f.lwatch);
    start = loop_now();
    fetch(&f, &w);
    assert_true(loop_now() - start < 10 * SPACING);
    assert_string_equal(f.err.code, "connect");
    assert_int_equal(f.got.vek.n + f.got.crl.n, 0);
    assert_true(f.got.ask.n && f.got.ark.n);
    f.listener = dup(0);
    fake_down(&f);
}

static void a_request_can_be_taken_back(void **state) {
    const struct kds_key key = {.product = PRODUCT_GENOA, .chip_len = 64};
    struct fake f;
    struct kds *k;

    (void)state;
    fake_up(&f, &w);
    k = kds_start(f.loop, f.http, &key, &(struct kds_opts){f.base, f.dir, SPACING, true}, on_got,
                  &f, NULL);
    assert_non_null(k);
    loop_turn(f.loop, 10);
    kds_cancel(k);
    for (int i = 0; i < 5; i++)
        loop_turn(f.loop, 10);
    assert_false(f.done);
    fake_down(&f);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(golden_addresses),
        T(reports_that_no_key_fits),
        T(all_of_it_once_then_from_the_cache),
        T(the_newest_of_the_cache),
        T(patience_is_doubled),
        T(what_does_not_come_is_named),
        T(other_answers_are_not_taken),
        T(nobody_there),
        T(a_request_can_be_taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
