#include "index.h"

#include <math.h>
#include <sqlite3.h>

struct index {
    sqlite3 *db;
    sqlite3_stmt *add, *search;
};

/* Words are reduced to their stems and lose their accents; headings count like text. */
static const char schema[] = "PRAGMA temp_store=memory;"
                             "CREATE VIRTUAL TABLE passage USING fts5(heading, body, content='',"
                             " tokenize='porter unicode61 remove_diacritics 2')";
static const char add_sql[] = "INSERT INTO passage(rowid, heading, body) VALUES (?1, ?2, ?3)";
static const char search_sql[] = "SELECT rowid, -bm25(passage) FROM passage WHERE passage MATCH ?1";

static int fail(const struct index *x, struct err *e) {
    return err_set(e, "system", "the index fails: %s", sqlite3_errmsg(x->db));
}

static bool prepare(struct index *x, const char *sql, sqlite3_stmt **s) {
    return sqlite3_prepare_v3(x->db, sql, -1, SQLITE_PREPARE_PERSISTENT, s, NULL) == SQLITE_OK;
}

struct index *index_new(struct err *e) {
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY;
    struct index *x = mem_new(sizeof *x);

    if (sqlite3_open_v2(":memory:", &x->db, flags, NULL) == SQLITE_OK &&
        sqlite3_exec(x->db, schema, NULL, NULL, NULL) == SQLITE_OK &&
        prepare(x, add_sql, &x->add) && prepare(x, search_sql, &x->search))
        return x;
    fail(x, e);
    index_free(x);
    return NULL;
}

void index_free(struct index *x) {
    if (!x)
        return;
    sqlite3_finalize(x->add);
    sqlite3_finalize(x->search);
    sqlite3_close(x->db);
    cleanup_free_fn(&x);
}

static int run(struct index *x, const char *sql, struct err *e) {
    return sqlite3_exec(x->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : fail(x, e);
}

int index_begin(struct index *x, struct err *e) {
    return run(x, "BEGIN", e);
}

int index_end(struct index *x, bool keep, struct err *e) {
    return run(x, keep ? "COMMIT" : "ROLLBACK", e);
}

int index_add(struct index *x, size_t passage, const char *heading, struct view text,
              struct err *e) {
    int rc;

    sqlite3_bind_int64(x->add, 1, (sqlite3_int64)passage + 1);
    sqlite3_bind_text(x->add, 2, heading, -1, SQLITE_STATIC);
    sqlite3_bind_text(x->add, 3, (const char *)text.p, (int)text.n, SQLITE_STATIC);
    rc = sqlite3_step(x->add) == SQLITE_DONE ? 0 : fail(x, e);
    sqlite3_reset(x->add);
    sqlite3_clear_bindings(x->add);
    return rc;
}

/* FTS5's BM25: k1 is 1.2, so a word gives at most its idf times k1 + 1; and its idf is never 0. */
#define K1 1.2
#define IDF_MIN 1e-6

static double most_of_word(size_t n, size_t with) {
    double idf = log(((double)n - (double)with + 0.5) / ((double)with + 0.5));

    return (idf > IDF_MIN ? idf : IDF_MIN) * (K1 + 1);
}

/* Adds the word's share of each passage's score; counts the passages that have it. The word is
 * quoted, so that nothing of a question is FTS5's own language. */
static int add_word(struct index *x, const char *word, float *score, size_t n, size_t *with,
                    struct err *e) {
    cleanup_free char *match = mem_fmt("\"%s\"", word);
    int rc;

    *with = 0;
    sqlite3_bind_text(x->search, 1, match, -1, SQLITE_STATIC);
    while ((rc = sqlite3_step(x->search)) == SQLITE_ROW) {
        sqlite3_int64 row = sqlite3_column_int64(x->search, 0);

        if (row > 0 && (uint64_t)row <= n) {
            score[row - 1] += (float)sqlite3_column_double(x->search, 1);
            ++*with;
        }
    }
    rc = rc == SQLITE_DONE ? 0 : fail(x, e);
    sqlite3_reset(x->search);
    sqlite3_clear_bindings(x->search);
    return rc;
}

int index_search(struct index *x, const struct query *q, float *score, size_t n, struct err *e) {
    double most = 0;

    for (size_t i = 0; i < n; i++)
        score[i] = 0;
    for (size_t i = 0; i < q->n; i++) {
        size_t with;

        if (add_word(x, q->word[i], score, n, &with, e))
            return -1;
        most += most_of_word(n, with);
    }
    for (size_t i = 0; most > 0 && i < n; i++)
        score[i] = (float)fmin(score[i] / most, 1);
    return 0;
}
