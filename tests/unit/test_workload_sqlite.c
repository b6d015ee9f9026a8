#include "guest/workloads/lib/engine_sqlite.c"
#include <time.h>
#include <unistd.h>
#include "tests/unit/unit.h"

#define MEMORY ((uint64_t)64 << 20)

static struct table_db *fresh(void) {
    struct err e = {0};
    const struct table_limits l = {.memory = MEMORY / 3 * 4, .threads = 1, .in = "/", .out = "/"};
    struct table_db *d = engine_sqlite.open(&l, &e);

    if (!d)
        fail_msg("%s", e.text);
    return d;
}

/* A file of these bytes; its path is good until the next call. */
static const char *file_of(const char *text) {
    static char path[] = "/tmp/cdvm-test-table-XXXXXX";
    int fd;

    memcpy(path + sizeof path - 7, "XXXXXX", 6);
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    return path;
}

static int try_load(struct table_db *d, const char *file, const char *csv, struct err *e) {
    const char *path = file_of(csv);
    int rc = engine_sqlite.load(d, file, path, NULL, e);

    unlink(path);
    return rc;
}

static void load_file(struct table_db *d, const char *file, const char *csv) {
    struct err e = {0};

    if (try_load(d, file, csv, &e))
        fail_msg("%s", e.text);
}

/* The first cell of the answer, or the code of the error. */
static int ask_watched(struct table_db *d, const char *sql, const struct table_watch *w,
                       char *cell_out, size_t n, struct err *e) {
    const char *name, *cell_text;
    struct result *r = result_new("/none", RESULT_PARQUET, e); /* makes no file by itself */
    int rc;

    rc = engine_sqlite.ask(d, sql, r, w, e);
    cell_text = result_single(r, &name);
    snprintf(cell_out, n, "%s", rc ? e->code : cell_text ? cell_text : "NULL");
    result_free(r);
    return rc;
}

static const char *ask_for(struct table_db *d, const char *sql) {
    static char out[256];
    struct err e = {0};

    ask_watched(d, sql, NULL, out, sizeof out, &e);
    return out;
}

static void sums_are_right(void **state) {
    struct table_db *d = fresh();

    (void)state;
    load_file(d, "ledger.csv", "region,amount\nnorth,10\nsouth,2.5\nsouth,\n");
    assert_string_equal(ask_for(d, "SELECT sum(amount) FROM ledger"), "12.5");
    assert_string_equal(ask_for(d, "SELECT count(amount) FROM ledger"), "2");
    assert_string_equal(
        ask_for(d, "SELECT region FROM ledger GROUP BY 1 ORDER BY sum(amount) LIMIT 1"), "south");
    close_sqlite(d);
}

static void numbers_are_numbers_and_codes_are_text(void **state) {
    struct table_db *d = fresh();

    (void)state;
    load_file(d, "t.csv", "n,zip,empty,q\n9,01234,,\"\"\n10,00001,,x\n");
    assert_string_equal(ask_for(d, "SELECT max(n) FROM t"), "10"); /* as text it would be 9 */
    assert_string_equal(ask_for(d, "SELECT min(zip) FROM t"), "00001");
    assert_string_equal(ask_for(d, "SELECT count(empty) FROM t"), "0");
    assert_string_equal(ask_for(d, "SELECT typeof(q) FROM t LIMIT 1"),
                        "text"); /* quoted: empty, not absent */
    close_sqlite(d);
}

static void several_files_are_several_tables(void **state) {
    struct table_db *d = fresh();

    (void)state;
    load_file(d, "a.csv", "id,x\n1,one\n2,two\n");
    load_file(d, "b.csv", "id,y\n2,zwei\n");
    load_file(d, "A.csv", "id\n7\n");
    assert_string_equal(ask_for(d, "SELECT a.x || b.y FROM a JOIN b USING (id)"), "twozwei");
    assert_string_equal(ask_for(d, "SELECT id FROM a_2"), "7");
    assert_int_equal(tables(d), 3);
    assert_int_equal(table(d, 0)->rows, 2);
    close_sqlite(d);
}

static void a_bad_file_leaves_nothing(void **state) {
    struct table_db *d = fresh();
    struct err e = {0};

    (void)state;
    assert_int_equal(try_load(d, "x.csv", "a,b\n1,2\n3\n", &e), -1);
    assert_string_equal(e.code, "bad-csv");
    assert_non_null(strstr(e.text, "line 3"));
    assert_int_equal(tables(d), 0);
    assert_string_equal(ask_for(d, "SELECT * FROM x"), "bad-sql");
    load_file(d, "x.csv", "a\n1\n");
    assert_string_equal(ask_for(d, "SELECT a FROM x"), "1");
    close_sqlite(d);
}

static void hostile_names_stay_names(void **state) {
    struct table_db *d = fresh();

    (void)state;
    load_file(d, "x\"; DROP TABLE y.csv", "a\"b,\"); DROP TABLE z; --\"\n1,2\n");
    assert_int_equal(tables(d), 1);
    assert_string_equal(ask_for(d, "SELECT count(*) FROM sqlite_master"), "1");
    close_sqlite(d);
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
    struct table_db *d = fresh();

    (void)state;
    load_file(d, "t.csv", "a\n1\n");
    for (size_t i = 0; i < COUNT(denied); i++)
        if (strcmp(ask_for(d, denied[i]), "denied"))
            fail_msg("%s: %s", denied[i], ask_for(d, denied[i]));
    assert_string_equal(ask_for(d, "SELECT a FROM t"), "1");
    close_sqlite(d);
}

static void wrong_and_huge_sql_gives_a_code(void **state) {
    struct table_db *d = fresh();
    cleanup_buf struct buf deep = {0};

    (void)state;
    buf_str(&deep, "SELECT ");
    load_file(d, "t.csv", "a\n1\n");
    assert_string_equal(ask_for(d, "SELEC 1"), "bad-sql");
    assert_string_equal(ask_for(d, ""), "bad-sql");
    assert_string_equal(ask_for(d, "-- nothing"), "bad-sql");
    assert_string_equal(ask_for(d, "SELECT * FROM nowhere"), "bad-sql");
    assert_string_equal(ask_for(d, "SELECT zeroblob(1000000000)"), "too-large");
    assert_string_equal(ask_for(d, "SELECT hex(randomblob(16777000)) || hex(randomblob(16777000))"),
                        "too-large");
    for (int i = 0; i < 500; i++)
        buf_str(&deep, "(");
    assert_string_equal(ask_for(d, (const char *)deep.p), "bad-sql");
    close_sqlite(d);
}

/* --- giving up --- */

static bool stop_at_once(void *arg) {
    ++*(unsigned *)arg;
    return true;
}

#define ENDLESS                                                                                    \
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT count(*) FROM c"

static void an_endless_question_can_be_cancelled(void **state) {
    struct table_db *d = fresh();
    unsigned asked = 0;
    const struct table_watch w = {.stop = stop_at_once, .arg = &asked};
    struct err e = {0};
    char c[64];

    (void)state;
    assert_int_equal(ask_watched(d, ENDLESS, &w, c, sizeof c, &e), -1);
    assert_string_equal(e.code, "cancelled");
    assert_true(asked > 0);
    close_sqlite(d);
}

static void an_endless_question_times_out(void **state) {
    struct table_db *d = fresh();
    const struct table_watch w = {.deadline = 1};
    struct err e = {0};
    char c[64];

    (void)state;
    assert_int_equal(ask_watched(d, ENDLESS, &w, c, sizeof c, &e), -1);
    assert_string_equal(e.code, "timeout");
    close_sqlite(d);
}

static void memory_is_limited(void **state) {
    struct table_db *d = fresh();

    (void)state;
    assert_string_equal(
        ask_for(d, "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c LIMIT 100) "
                   "SELECT count(DISTINCT hex(randomblob(1000000))) FROM c"),
        "too-large");
    assert_string_equal(ask_for(d, "SELECT 1"), "1");
    close_sqlite(d);
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
