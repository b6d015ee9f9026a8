#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>

#include "ledger.h"

#define BOOTS_KEPT 20
#define KEPT_S ((int64_t)30 * 24 * 3600)

struct ledger {
    sqlite3 *db;
};

static const char schema[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
    "CREATE TABLE IF NOT EXISTS job("
    " id BLOB PRIMARY KEY CHECK(length(id)=32), customer BLOB NOT NULL, offer BLOB NOT NULL,"
    " received INT NOT NULL, expires INT NOT NULL, step TEXT NOT NULL, at INT NOT NULL,"
    " code TEXT NOT NULL DEFAULT '', over INT NOT NULL DEFAULT 0) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS job_open ON job(received) WHERE over=0;"
    "CREATE TABLE IF NOT EXISTS offer("
    " id BLOB PRIMARY KEY CHECK(length(id)=32), d TEXT NOT NULL, created INT NOT NULL,"
    " terms BLOB NOT NULL, json TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS boot(n INTEGER PRIMARY KEY, ms INT NOT NULL);";

static int fail(struct ledger *l, struct err *e) {
    return err_set(e, "ledger", "the ledger cannot be written: %s", sqlite3_errmsg(l->db));
}

struct ledger *ledger_open(const char *path, struct err *e) {
    struct ledger *l = mem_new(sizeof *l);

    if (sqlite3_open_v2(path, &l->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) ==
            SQLITE_OK &&
        sqlite3_busy_timeout(l->db, 2000) == SQLITE_OK &&
        sqlite3_exec(l->db, schema, NULL, NULL, NULL) == SQLITE_OK)
        return l;
    err_set(e, "ledger", "cannot open the ledger '%s': %s", path, sqlite3_errmsg(l->db));
    ledger_free(l);
    return NULL;
}

void ledger_free(struct ledger *l) {
    if (!l)
        return;
    sqlite3_close(l->db);
    free(l);
}

/* --- statements: prepared, bound in order, run --- */

static sqlite3_stmt *prepare(struct ledger *l, const char *sql) {
    sqlite3_stmt *s = NULL;

    return sqlite3_prepare_v2(l->db, sql, -1, &s, NULL) == SQLITE_OK ? s : NULL;
}

static void bind_id(sqlite3_stmt *s, int i, const uint8_t id[static 32]) {
    sqlite3_bind_blob(s, i, id, 32, SQLITE_STATIC);
}

static void bind_text(sqlite3_stmt *s, int i, const char *t) {
    sqlite3_bind_text(s, i, t, -1, SQLITE_STATIC);
}

/* Runs a statement that returns no rows. One statement is one transaction. */
static int run(struct ledger *l, sqlite3_stmt *s, struct err *e) {
    int rc = s ? sqlite3_step(s) : SQLITE_ERROR;

    if (rc != SQLITE_DONE)
        fail(l, e);
    sqlite3_finalize(s);
    return rc == SQLITE_DONE ? 0 : -1;
}

static void column_id(sqlite3_stmt *s, int i, uint8_t out[static 32]) {
    memset(out, 0, 32);
    if (sqlite3_column_bytes(s, i) == 32)
        memcpy(out, sqlite3_column_blob(s, i), 32);
}

static void column_text(sqlite3_stmt *s, int i, char *out, size_t n) {
    const unsigned char *t = sqlite3_column_text(s, i);

    snprintf(out, n, "%s", t ? (const char *)t : "");
}

/* --- jobs --- */

int ledger_take(struct ledger *l, const struct job_request *q, int64_t now, struct err *e) {
    sqlite3_stmt *s = prepare(l, "INSERT INTO job(id,customer,offer,received,expires,step,at)"
                                 " VALUES(?1,?2,?3,?4,?5,'received',?4) ON CONFLICT DO NOTHING");

    if (s) {
        bind_id(s, 1, q->id);
        bind_id(s, 2, q->customer);
        bind_id(s, 3, q->offer);
        sqlite3_bind_int64(s, 4, now);
        sqlite3_bind_int64(s, 5, q->expires);
    }
    if (run(l, s, e) < 0)
        return -1;
    return sqlite3_changes(l->db);
}

int ledger_step(struct ledger *l, const uint8_t job[static 32], const char *step, const char *code,
                bool over, int64_t now, struct err *e) {
    sqlite3_stmt *s = prepare(l, "UPDATE job SET step=?2,code=?3,over=?4,at=?5 WHERE id=?1");

    if (s) {
        bind_id(s, 1, job);
        bind_text(s, 2, step);
        bind_text(s, 3, code);
        sqlite3_bind_int(s, 4, over);
        sqlite3_bind_int64(s, 5, now);
    }
    return run(l, s, e);
}

static void read_job(sqlite3_stmt *s, struct ledger_job *out) {
    column_id(s, 0, out->job);
    column_id(s, 1, out->customer);
    column_text(s, 2, out->step, sizeof out->step);
    column_text(s, 3, out->code, sizeof out->code);
    out->over = sqlite3_column_int(s, 4);
}

bool ledger_find(struct ledger *l, const uint8_t job[static 32], struct ledger_job *out) {
    sqlite3_stmt *s = prepare(l, "SELECT id,customer,step,code,over FROM job WHERE id=?1");
    bool found;

    if (s)
        bind_id(s, 1, job);
    found = s && sqlite3_step(s) == SQLITE_ROW;
    if (found)
        read_job(s, out);
    sqlite3_finalize(s);
    return found;
}

int ledger_close_leftovers(struct ledger *l, const char *code, int64_t now, ledger_fn *fn,
                           void *arg, struct err *e) {
    sqlite3_stmt *s = prepare(l, "UPDATE job SET over=1,code=?1,at=?2 WHERE over=0"
                                 " RETURNING id,customer,step,code,over");
    int n = 0, rc = SQLITE_ERROR;

    if (s) {
        bind_text(s, 1, code);
        sqlite3_bind_int64(s, 2, now);
        while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
            struct ledger_job j;

            read_job(s, &j);
            fn(arg, &j);
            n++;
        }
    }
    if (rc != SQLITE_DONE)
        fail(l, e);
    sqlite3_finalize(s);
    return rc == SQLITE_DONE ? n : -1;
}

static int delete_before(struct ledger *l, const char *sql, int64_t before, struct err *e) {
    sqlite3_stmt *s = prepare(l, sql);

    if (s)
        sqlite3_bind_int64(s, 1, before);
    return run(l, s, e);
}

int ledger_prune(struct ledger *l, int64_t now, struct err *e) {
    if (delete_before(l, "DELETE FROM job WHERE over=1 AND expires<?1", now - KEPT_S, e) < 0)
        return -1;
    return delete_before(l, "DELETE FROM offer WHERE created<?1", now - KEPT_S, e);
}

/* --- offers --- */

int ledger_offer_put(struct ledger *l, const struct event *offer, const char *d,
                     const uint8_t terms[static 32], struct err *e) {
    sqlite3_stmt *s = prepare(l, "INSERT INTO offer(id,d,created,terms,json) VALUES(?1,?2,?3,?4,?5)"
                                 " ON CONFLICT DO NOTHING");
    cleanup_buf struct buf json = {0};

    event_json(offer, &json);
    if (s) {
        bind_id(s, 1, offer->f.id);
        bind_text(s, 2, d);
        sqlite3_bind_int64(s, 3, offer->f.created_at);
        bind_id(s, 4, terms);
        sqlite3_bind_text(s, 5, (const char *)json.p, (int)json.n, SQLITE_STATIC);
    }
    return run(l, s, e);
}

char *ledger_offer_newest(struct ledger *l, const char *d, uint8_t terms[static 32]) {
    sqlite3_stmt *s =
        prepare(l, "SELECT json,terms FROM offer WHERE d=?1 ORDER BY created DESC LIMIT 1");
    char *json = NULL;

    if (s)
        bind_text(s, 1, d);
    if (s && sqlite3_step(s) == SQLITE_ROW) {
        json = mem_str((const char *)sqlite3_column_text(s, 0));
        column_id(s, 1, terms);
    }
    sqlite3_finalize(s);
    return json;
}

bool ledger_offer_find(struct ledger *l, const uint8_t id[static 32], char d[static 64],
                       uint8_t terms[static 32]) {
    sqlite3_stmt *s = prepare(l, "SELECT d,terms FROM offer WHERE id=?1");
    bool found;

    if (s)
        bind_id(s, 1, id);
    found = s && sqlite3_step(s) == SQLITE_ROW;
    if (found) {
        column_text(s, 0, d, 64);
        column_id(s, 1, terms);
    }
    sqlite3_finalize(s);
    return found;
}

/* --- boots --- */

int ledger_boot_add(struct ledger *l, int64_t ms, struct err *e) {
    sqlite3_stmt *s = prepare(l, "INSERT INTO boot(ms) VALUES(?1)");

    if (s)
        sqlite3_bind_int64(s, 1, ms);
    if (run(l, s, e) < 0)
        return -1;
    s = prepare(l, "DELETE FROM boot WHERE n<=(SELECT max(n) FROM boot)-?1");
    if (s)
        sqlite3_bind_int(s, 1, BOOTS_KEPT);
    return run(l, s, e);
}

int64_t ledger_boot_median(struct ledger *l) {
    sqlite3_stmt *s = prepare(l, "SELECT ms FROM boot ORDER BY ms LIMIT 1"
                                 " OFFSET (SELECT count(*)/2 FROM boot)");
    int64_t ms = -1;

    if (s && sqlite3_step(s) == SQLITE_ROW)
        ms = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return ms;
}
