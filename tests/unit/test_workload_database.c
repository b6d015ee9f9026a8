#include "guest/workloads/lib/database.c"
#include "tests/unit/unit.h"

#define MEMORY ((uint64_t)64 << 20)

static struct database *fresh(void) {
    struct err e = {0};
    struct database *d = database_new(MEMORY, &e);

    if (!d)
        fail_msg("%s", e.text);
    return d;
}

static void load(struct database *d, const char *file, const char *csv) {
    struct err e = {0};

    if (database_load(d, file, view_str(csv), NULL, &e))
        fail_msg("%s", e.text);
}

/* The first cell of the answer, or "code: ..." */
struct cell {
    char text[256];
    unsigned rows;
};

static bool on_names(void *arg, sqlite3_stmt *s) {
    (void)arg, (void)s;
    return true;
}

static bool on_row(void *arg, sqlite3_stmt *s) {
    struct cell *c = arg;
    const char *t = (const char *)sqlite3_column_text(s, 0);

    if (!c->rows++)
        snprintf(c->text, sizeof c->text, "%s", t ? t : "NULL");
    return true;
}

static const char *ask(struct database *d, const char *sql) {
    static struct cell c;
    const struct database_sink sink = {on_names, on_row, &c};
    struct err e = {0};

    c = (struct cell){0};
    if (database_ask(d, sql, &sink, NULL, &e))
        snprintf(c.text, sizeof c.text, "%s", e.code);
    return c.text;
}

static void sums_are_right(void **state) {
    struct database *d = fresh();

    (void)state;
    load(d, "ledger.csv", "region,amount\nnorth,10\nsouth,2.5\nsouth,\n");
    assert_string_equal(ask(d, "SELECT sum(amount) FROM ledger"), "12.5");
    assert_string_equal(ask(d, "SELECT count(amount) FROM ledger"), "2");
    assert_string_equal(ask(d, "SELECT region FROM ledger GROUP BY 1 ORDER BY sum(amount)"),
                        "south");
    database_free(d);
}

static void numbers_are_numbers_and_codes_are_text(void **state) {
    struct database *d = fresh();

    (void)state;
    load(d, "t.csv", "n,zip,empty,q\n9,01234,,\"\"\n10,00001,,x\n");
    assert_string_equal(ask(d, "SELECT max(n) FROM t"), "10"); /* as text it would be 9 */
    assert_string_equal(ask(d, "SELECT min(zip) FROM t"), "00001");
    assert_string_equal(ask(d, "SELECT empty FROM t"), "NULL");
    assert_string_equal(ask(d, "SELECT typeof(q) FROM t"), "text"); /* quoted: empty, not absent */
    database_free(d);
}

static void several_files_are_several_tables(void **state) {
    struct database *d = fresh();

    (void)state;
    load(d, "a.csv", "id,x\n1,one\n2,two\n");
    load(d, "b.csv", "id,y\n2,zwei\n");
    load(d, "A.csv", "id\n7\n");
    assert_string_equal(ask(d, "SELECT a.x || b.y FROM a JOIN b USING (id)"), "twozwei");
    assert_string_equal(ask(d, "SELECT id FROM a_2"), "7");
    assert_int_equal(database_tables(d), 3);
    assert_int_equal(database_table(d, 0)->rows, 2);
    database_free(d);
}

static void a_bad_file_leaves_nothing(void **state) {
    struct database *d = fresh();
    struct err e = {0};

    (void)state;
    assert_int_equal(database_load(d, "x.csv", view_str("a,b\n1,2\n3\n"), NULL, &e), -1);
    assert_string_equal(e.code, "bad-csv");
    assert_non_null(strstr(e.text, "line 3"));
    assert_int_equal(database_tables(d), 0);
    assert_string_equal(ask(d, "SELECT * FROM x"), "bad-sql");
    load(d, "x.csv", "a\n1\n");
    assert_string_equal(ask(d, "SELECT a FROM x"), "1");
    database_free(d);
}

static void hostile_names_stay_names(void **state) {
    struct database *d = fresh();

    (void)state;
    load(d, "x\"; DROP TABLE y.csv", "a\"b,\"); DROP TABLE z; --\"\n1,2\n");
    assert_int_equal(database_tables(d), 1);
    assert_string_equal(ask(d, "SELECT count(*) FROM sqlite_master"), "1");
    database_free(d);
}

static void hostile_sql_is_refused(void **state) {
    static const char *const denied[] = {
        "ATTACH DATABASE '/etc/passwd' AS p",
        "ATTACH DATABASE ':memory:' AS p",
        "DETACH DATABASE main",
        "VACUUM INTO '/tmp/leak'",
        "SELECT load_extension('/tmp/x.so')",
        "PRAGMA writable_schema=1",
        "PRAGMA temp_store_directory='/tmp'",
        "PRAGMA database_list",
        "PRAGMA hard_heap_limit=0",
        "CREATE TABLE t2(x)",
        "CREATE TEMP TABLE t2(x)",
        "CREATE VIRTUAL TABLE v USING fts5(x)",
        "INSERT INTO t VALUES (1)",
        "UPDATE t SET a=1",
        "DELETE FROM t",
        "DROP TABLE t",
        "BEGIN",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE t",
    };
    struct database *d = fresh();

    (void)state;
    load(d, "t.csv", "a\n1\n");
    for (size_t i = 0; i < COUNT(denied); i++)
        if (strcmp(ask(d, denied[i]), "denied"))
            fail_msg("%s: %s", denied[i], ask(d, denied[i]));
    assert_string_equal(ask(d, "SELECT a FROM t"), "1");
    database_free(d);
}

static void wrong_and_huge_sql_gives_a_code(void **state) {
    struct database *d = fresh();
    cleanup_buf struct buf deep = {0};

    (void)state;
    buf_str(&deep, "SELECT ");
    load(d, "t.csv", "a\n1\n");
    assert_string_equal(ask(d, "SELEC 1"), "bad-sql");
    assert_string_equal(ask(d, ""), "bad-sql");
    assert_string_equal(ask(d, "-- nothing"), "bad-sql");
    assert_string_equal(ask(d, "SELECT * FROM nowhere"), "bad-sql");
    assert_string_equal(ask(d, "SELECT zeroblob(1000000000)"), "too-large");
    assert_string_equal(ask(d, "SELECT hex(randomblob(16777000)) || hex(randomblob(16777000))"),
                        "too-large");
    for (int i = 0; i < 500; i++)
        buf_str(&deep, "(");
    assert_string_equal(ask(d, (const char *)deep.p), "bad-sql");
    database_free(d);
}

/* --- giving up --- */

static bool stop_at_once(void *arg) {
    ++*(unsigned *)arg;
    return true;
}

#define ENDLESS                                                                                    \
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT count(*) FROM c"

static void an_endless_question_can_be_cancelled(void **state) {
    struct database *d = fresh();
    unsigned asked = 0;
    const struct database_watch w = {.stop = stop_at_once, .arg = &asked};
    struct cell c = {0};
    const struct database_sink sink = {on_names, on_row, &c};
    struct err e = {0};

    (void)state;
    assert_int_equal(database_ask(d, ENDLESS, &sink, &w, &e), -1);
    assert_string_equal(e.code, "cancelled");
    assert_true(asked > 0);
    database_free(d);
}

static void an_endless_question_times_out(void **state) {
    struct database *d = fresh();
    const struct database_watch w = {.deadline = now_ms() + 50};
    struct cell c = {0};
    const struct database_sink sink = {on_names, on_row, &c};
    struct err e = {0};

    (void)state;
    assert_int_equal(database_ask(d, ENDLESS, &sink, &w, &e), -1);
    assert_string_equal(e.code, "timeout");
    database_free(d);
}

static void memory_is_limited(void **state) {
    struct database *d = fresh();

    (void)state;
    assert_string_equal(
        ask(d, "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c LIMIT 100) "
               "SELECT count(DISTINCT hex(randomblob(1000000))) FROM c"),
        "too-large");
    assert_string_equal(ask(d, "SELECT 1"), "1");
    database_free(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_right),
        cmocka_unit_test(numbers_are_numbers_and_codes_are_text),
        cmocka_unit_test(several_files_are_several_tables),
        cmocka_unit_test(a_bad_file_leaves_nothing),
        cmocka_unit_test(hostile_names_stay_names),
        cmocka_unit_test(hostile_sql_is_refused),
        cmocka_unit_test(wrong_and_huge_sql_gives_a_code),
        cmocka_unit_test(an_endless_question_can_be_cancelled),
        cmocka_unit_test(an_endless_question_times_out),
        cmocka_unit_test(memory_is_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
