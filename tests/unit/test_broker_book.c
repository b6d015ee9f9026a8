#include "provider/broker_book.c"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/unit.h"

struct fixture {
    char path[64];
    struct broker_book *b;
    struct broker_row row;
    uint8_t chip[64];
};

static int start(void **state) {
    struct fixture *f = mem_new(sizeof *f);
    struct err e;

    snprintf(f->path, sizeof f->path, "/tmp/cdvm-test-book-XXXXXX");
    close(mkstemp(f->path));
    f->b = broker_book_open(f->path, &e);
    f->row = (struct broker_row){.max = 2, .line = 4};
    *state = f;
    return f->b ? 0 : -1;
}

static int stop(void **state) {
    static const char *const endings[] = {"", "-wal", "-shm"};
    struct fixture *f = *state;

    broker_book_free(f->b);
    for (size_t i = 0; i < COUNT(endings); i++) {
        cleanup_free char *path = mem_fmt("%s%s", f->path, endings[i]);

        unlink(path);
    }
    free(f);
    return 0;
}

static int take_one(struct fixture *f, uint8_t chip, uint64_t *n, struct err *e) {
    f->chip[0] = chip;
    return broker_book_take(f->b, &f->row, view_of(f->chip, sizeof f->chip), 1000, n, e);
}

static void each_machine_has_its_own_count(void **state) {
    struct fixture *f = *state;
    struct err e;
    uint64_t n;

    assert_int_equal(take_one(f, 1, &n, &e), 0);
    assert_int_equal(n, 1);
    assert_int_equal(take_one(f, 1, &n, &e), 0);
    assert_int_equal(n, 2);
    assert_int_equal(take_one(f, 1, &n, &e), -1);
    assert_string_equal(e.code, "count-exhausted");
    assert_int_equal(take_one(f, 2, &n, &e), 0);
    assert_int_equal(n, 1);
}

static void a_total_bounds_all_machines(void **state) {
    struct fixture *f = *state;
    struct err e;

    f->row.total = 3;
    for (uint8_t i = 0; i < 3; i++)
        assert_int_equal(take_one(f, i, NULL, &e), 0);
    assert_int_equal(take_one(f, 9, NULL, &e), -1);
    assert_string_equal(e.code, "count-exhausted");
    assert_int_equal(take_one(f, 0, NULL, &e), -1);
}

static void rows_do_not_share_counts(void **state) {
    struct fixture *f = *state;
    struct err e;

    f->row.max = 1;
    assert_int_equal(take_one(f, 1, NULL, &e), 0);
    f->row.work.root[0] = 1;
    assert_int_equal(take_one(f, 1, NULL, &e), 0);
    f->row.release[0] = 1;
    assert_int_equal(take_one(f, 1, NULL, &e), 0);
    f->row.model.root[0] = 1;
    assert_int_equal(take_one(f, 1, NULL, &e), 0);
    assert_int_equal(take_one(f, 1, NULL, &e), -1);
}

static void counts_outlive_the_program(void **state) {
    struct fixture *f = *state;
    struct err e;
    uint64_t n;

    assert_int_equal(take_one(f, 1, &n, &e), 0);
    broker_book_free(f->b);
    f->b = broker_book_open(f->path, &e);
    assert_non_null(f->b);
    assert_int_equal(take_one(f, 1, &n, &e), 0);
    assert_int_equal(n, 2);
}

static void what_cannot_be_written_gives_nothing(void **state) {
    struct fixture *f = *state;
    struct err e;

    assert_int_equal(sqlite3_exec(f->b->db, "PRAGMA query_only=1", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(take_one(f, 1, NULL, &e), -1);
    assert_string_equal(e.code, "book");
    assert_null(broker_book_open("/nowhere/book", &e));
    assert_string_equal(e.code, "book");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_machine_has_its_own_count, start, stop),
        cmocka_unit_test_setup_teardown(a_total_bounds_all_machines, start, stop),
        cmocka_unit_test_setup_teardown(rows_do_not_share_counts, start, stop),
        cmocka_unit_test_setup_teardown(counts_outlive_the_program, start, stop),
        cmocka_unit_test_setup_teardown(what_cannot_be_written_gives_nothing, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
