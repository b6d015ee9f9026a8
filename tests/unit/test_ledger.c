#include "provider/ledger.c"

#include <unistd.h>

#include "tests/unit/unit.h"

struct fixture {
    char path[64];
    struct ledger *l;
    struct err e;
};

static int start(void **state) {
    static struct fixture f;
    int fd;

    f = (struct fixture){.path = "/tmp/cdvm-test-ledger-XXXXXX"};
    fd = mkstemp(f.path);
    assert_true(fd >= 0);
    close(fd);
    f.l = ledger_open(f.path, &f.e);
    assert_non_null(f.l);
    *state = &f;
    return 0;
}

static void reopen(struct fixture *f) {
    ledger_free(f->l);
    f->l = ledger_open(f->path, &f->e);
    assert_non_null(f->l);
}

static int stop(void **state) {
    struct fixture *f = *state;
    static const char *const more[] = {"", "-wal", "-shm"};

    ledger_free(f->l);
    for (size_t i = 0; i < COUNT(more); i++) {
        cleanup_free char *p = mem_fmt("%s%s", f->path, more[i]);

        (void)unlink(p);
    }
    return 0;
}

static struct job_request request(uint8_t id) {
    struct job_request q = {.expires = 2000};

    memset(q.id, id, 32);
    memset(q.customer, id + 100, 32);
    return q;
}

static void a_job_id_is_new_only_once(void **state) {
    struct fixture *f = *state;
    struct job_request q = request(1), other = request(2);

    assert_int_equal(ledger_take(f->l, &q, 1000, &f->e), 1);
    assert_int_equal(ledger_take(f->l, &q, 1001, &f->e), 0);
    assert_int_equal(ledger_take(f->l, &other, 1002, &f->e), 1);
    reopen(f);
    assert_int_equal(ledger_take(f->l, &q, 9999, &f->e), 0);
    assert_int_equal(ledger_step(f->l, q.id, "done", "", true, 1003, &f->e), 0);
    assert_int_equal(ledger_take(f->l, &q, 9999, &f->e), 0);
}

static void steps_are_kept(void **state) {
    struct fixture *f = *state;
    struct job_request q = request(1);
    struct ledger_job j;

    assert_false(ledger_find(f->l, q.id, &j));
    assert_int_equal(ledger_take(f->l, &q, 1000, &f->e), 1);
    assert_true(ledger_find(f->l, q.id, &j));
    assert_string_equal(j.step, "received");
    assert_int_equal(ledger_step(f->l, q.id, "failed", "boot-timeout", true, 1001, &f->e), 0);
    reopen(f);
    assert_true(ledger_find(f->l, q.id, &j));
    assert_string_equal(j.step, "failed");
    assert_string_equal(j.code, "boot-timeout");
    assert_true(j.over);
    assert_memory_equal(j.customer, q.customer, 32);
}

static void on_left(void *arg, const struct ledger_job *j) {
    uint8_t *seen = arg;

    seen[j->job[0]]++;
    assert_int_equal(j->customer[0], j->job[0] + 100);
}

static void leftovers_are_closed_once(void **state) {
    struct fixture *f = *state;
    uint8_t seen[256] = {0};
    uint8_t first[32];
    struct ledger_job j;

    memset(first, 1, sizeof first);
    for (uint8_t i = 1; i <= 3; i++) {
        struct job_request q = request(i);

        assert_int_equal(ledger_take(f->l, &q, 1000 + i, &f->e), 1);
        assert_int_equal(ledger_step(f->l, q.id, i == 2 ? "done" : "serving", "", i == 2, 1, &f->e),
                         0);
    }
    reopen(f);
    assert_int_equal(ledger_close_leftovers(f->l, "guest-died", 2000, on_left, seen, &f->e), 2);
    assert_true(seen[1] == 1 && seen[2] == 0 && seen[3] == 1);
    assert_int_equal(ledger_close_leftovers(f->l, "guest-died", 2001, on_left, seen, &f->e), 0);
    assert_true(ledger_find(f->l, first, &j));
    assert_string_equal(j.code, "guest-died");
}

static struct event *signed_offer(const struct keypair *k, int64_t at) {
    struct fields f = fields_new(KIND_OFFER, at, view_str("{}"));

    return event_sign(&f, k);
}

static void offers_are_found_by_id(void **state) {
    struct fixture *f = *state;
    struct keypair *k = keypair_new();
    struct event *old = signed_offer(k, 100), *new = signed_offer(k, 200);
    uint8_t terms[32] = {1}, other[32] = {2}, got[32];
    char d[64];

    assert_null(ledger_offer_newest(f->l, "table", got));
    assert_int_equal(ledger_offer_put(f->l, old, "table", terms, &f->e), 0);
    assert_int_equal(ledger_offer_put(f->l, new, "table", other, &f->e), 0);
    assert_int_equal(ledger_offer_put(f->l, new, "table", other, &f->e), 0);
    reopen(f);
    assert_true(ledger_offer_find(f->l, old->f.id, d, got));
    assert_string_equal(d, "table");
    assert_memory_equal(got, terms, 32);
    assert_false(ledger_offer_find(f->l, terms, d, got));
    {
        cleanup_free char *json = ledger_offer_newest(f->l, "table", got);
        struct event *ev = json ? event_parse(view_str(json), &f->e) : NULL;

        assert_non_null(ev);
        assert_memory_equal(ev->f.id, new->f.id, 32);
        assert_memory_equal(got, other, 32);
        event_free(ev);
    }
    event_free(old);
    event_free(new);
    keypair_free(k);
}

static void what_can_come_no_more_is_forgotten(void **state) {
    struct fixture *f = *state;
    struct job_request over = request(1), open_job = request(2);
    struct ledger_job j;

    assert_int_equal(ledger_take(f->l, &over, 1000, &f->e), 1);
    assert_int_equal(ledger_take(f->l, &open_job, 1000, &f->e), 1);
    assert_int_equal(ledger_step(f->l, over.id, "done", "", true, 1000, &f->e), 0);
    assert_int_equal(ledger_prune(f->l, over.expires + KEPT_S, &f->e), 0);
    assert_true(ledger_find(f->l, over.id, &j));
    assert_int_equal(ledger_prune(f->l, over.expires + KEPT_S + 1, &f->e), 0);
    assert_false(ledger_find(f->l, over.id, &j));
    assert_true(ledger_find(f->l, open_job.id, &j));
}

static void the_median_boot_is_of_the_last_twenty(void **state) {
    struct fixture *f = *state;

    assert_int_equal(ledger_boot_median(f->l), -1);
    for (int64_t ms = 1; ms <= 100; ms++)
        assert_int_equal(ledger_boot_add(f->l, ms * 1000, &f->e), 0);
    assert_int_equal(ledger_boot_median(f->l), 91000);
}

static void a_broken_file_is_a_sentence(void **state) {
    struct fixture *f = *state;
    cleanup_free char *path = mem_fmt("%s-broken", f->path);
    struct err e = {0};

    assert_int_equal(file_write(path, view_str("this is not a database at all, not even nearly"),
                                0600, true, NULL),
                     0);
    assert_null(ledger_open(path, &e));
    assert_string_equal(e.code, "ledger");
    assert_non_null(strstr(e.text, path));
    (void)unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_job_id_is_new_only_once, start, stop),
        cmocka_unit_test_setup_teardown(steps_are_kept, start, stop),
        cmocka_unit_test_setup_teardown(leftovers_are_closed_once, start, stop),
        cmocka_unit_test_setup_teardown(offers_are_found_by_id, start, stop),
        cmocka_unit_test_setup_teardown(what_can_come_no_more_is_forgotten, start, stop),
        cmocka_unit_test_setup_teardown(the_median_boot_is_of_the_last_twenty, start, stop),
        cmocka_unit_test_setup_teardown(a_broken_file_is_a_sentence, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
