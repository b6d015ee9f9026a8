#include "relay_store_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/loop.h"
#include "core/enc.h"
#include "core/wrap.h"

#define STEPS_PER_CHECK 20000 /* of SQLite's machine, between looks at the clock */

/* slot: NULL for regular events, "" for replaceable ones, the d tag for addressable ones. */
static const char schema[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000;"
    "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16384; PRAGMA trusted_schema=OFF;"
    "PRAGMA max_page_count=2097152;" /* 8 GiB: a full relay says so, the disk stays usable */
    "CREATE TABLE IF NOT EXISTS event(n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE,"
    " pubkey BLOB NOT NULL, kind INTEGER NOT NULL, created_at INTEGER NOT NULL, expires INTEGER,"
    " slot TEXT, json TEXT NOT NULL);"
    "CREATE INDEX IF NOT EXISTS event_author ON event(pubkey, kind, created_at);"
    "CREATE INDEX IF NOT EXISTS event_kind ON event(kind, created_at);"
    "CREATE INDEX IF NOT EXISTS event_time ON event(created_at);"
    "CREATE INDEX IF NOT EXISTS event_expires ON event(expires) WHERE expires IS NOT NULL;"
    "CREATE UNIQUE INDEX IF NOT EXISTS event_slot ON event(pubkey, kind, slot)"
    " WHERE slot IS NOT NULL;"
    "CREATE TABLE IF NOT EXISTS tag(n INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,"
    " PRIMARY KEY(n, name, value)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS tag_value ON tag(name, value, n);"
    /* What kind 5 events asked to delete, present or not: by event id and by address. */
    "CREATE TABLE IF NOT EXISTS gone(id BLOB NOT NULL, by BLOB NOT NULL,"
    " PRIMARY KEY(id, by)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS gone_slot(pubkey BLOB NOT NULL, kind INTEGER NOT NULL,"
    " slot TEXT NOT NULL, until INTEGER NOT NULL, PRIMARY KEY(pubkey, kind, slot)) WITHOUT ROWID;"
    "PRAGMA user_version=1;";

static const char *const sql[ST_COUNT] = {
    [ST_BEGIN] = "BEGIN IMMEDIATE",
    [ST_COMMIT] = "COMMIT",
    [ST_SAVE] = "SAVEPOINT put",
    [ST_UNDO] = "ROLLBACK TO put",
    [ST_RELEASE] = "RELEASE put",
    [ST_INSERT] = "INSERT INTO event(id,pubkey,kind,created_at,expires,slot,json)"
                  " VALUES(?,?,?,?,?,?,?)",
    [ST_TAG] = "INSERT OR IGNORE INTO tag(n,name,value) VALUES(?,?,?)",
    [ST_BY_ID] = "SELECT n,pubkey,kind FROM event WHERE id=?",
    [ST_BY_SLOT] = "SELECT n,id,created_at FROM event WHERE pubkey=? AND kind=? AND slot=?",
    [ST_DROP] = "DELETE FROM event WHERE n=?",
    [ST_DROP_TAGS] = "DELETE FROM tag WHERE n=?",
    [ST_JSON] = "SELECT json FROM event WHERE n=?",
    [ST_GONE] = "SELECT by FROM gone WHERE id=?",
    [ST_GONE_ADD] = "INSERT OR IGNORE INTO gone(id,by) VALUES(?,?)",
    [ST_GONE_SLOT] = "SELECT until FROM gone_slot WHERE pubkey=? AND kind=? AND slot=?",
    [ST_GONE_SLOT_ADD] = "INSERT INTO gone_slot VALUES(?1,?2,?3,?4) ON CONFLICT DO UPDATE SET"
                         " until=max(until,excluded.until)",
    [ST_ADDRESSED] = "SELECT 1 FROM tag WHERE n=? AND name='p' AND value=?",
    [ST_EXPIRED] = "SELECT n FROM event WHERE expires<=? LIMIT 1000",
};

int relay_store_err(struct relay_store *s, struct err *e, const char *what) {
    bool full = sqlite3_errcode(s->db) == SQLITE_FULL;

    return err_set(e, full ? "full" : "database", "%s: %s", what, sqlite3_errmsg(s->db));
}

/* ---- opening ---- */

static int on_progress(void *arg) {
    const struct relay_store *s = arg;

    return s->search_until && loop_now() > s->search_until;
}

static int store_open(struct relay_store *s, const char *file, struct err *e) {
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;

    if (sqlite3_open_v2(file, &s->db, flags, NULL) != SQLITE_OK)
        return relay_store_err(s, e, "cannot open the relay's database");
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_busy_timeout(s->db, 2000);
    if (sqlite3_exec(s->db, schema, NULL, NULL, NULL) != SQLITE_OK)
        return relay_store_err(s, e, "cannot prepare the relay's database");
    for (size_t i = 0; i < ST_COUNT; i++)
        if (sqlite3_prepare_v3(s->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &s->st[i], NULL) !=
            SQLITE_OK)
            return relay_store_err(s, e, "cannot prepare the relay's statements");
    sqlite3_progress_handler(s->db, STEPS_PER_CHECK, on_progress, s);
    return 0;
}

struct relay_store *relay_store_new(const char *file, struct err *e) {
    struct relay_store *s = mem_new(sizeof *s);

    if (store_open(s, file, e) == 0)
        return s;
    err_wrap(e, "'%s'", file);
    relay_store_free(s);
    return NULL;
}

void relay_store_free(struct relay_store *s) {
    if (!s)
        return;
    if (s->open)
        (void)!relay_store_commit(s, NULL);
    for (size_t i = 0; i < ST_COUNT; i++)
        sqlite3_finalize(s->st[i]);
    sqlite3_close(s->db);
    free(s);
}

/* ---- statements ---- */

static sqlite3_stmt *use(struct relay_store *s, enum stmt i) {
    sqlite3_reset(s->st[i]);
    return s->st[i];
}

static void bind_blob(sqlite3_stmt *st, int i, const uint8_t b[32]) {
    sqlite3_bind_blob(st, i, b, 32, SQLITE_STATIC);
}

static void bind_text(sqlite3_stmt *st, int i, const char *t) {
    if (t)
        sqlite3_bind_text(st, i, t, -1, SQLITE_STATIC);
    else
        sqlite3_bind_null(st, i);
}

/* For statements without rows. */
static bool done(sqlite3_stmt *st) {
    bool ok = sqlite3_step(st) == SQLITE_DONE;

    sqlite3_reset(st);
    return ok;
}

static bool begin(struct relay_store *s) {
    if (!s->open)
        s->open = done(use(s, ST_BEGIN));
    return s->open;
}

int relay_store_commit(struct relay_store *s, struct err *e) {
    if (!s->open)
        return 0;
    s->open = false;
    if (done(use(s, ST_COMMIT)))
        return 0;
    relay_store_err(s, e, "cannot write to the relay's database");
    sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    return -1;
}

/* ---- deleting ---- */

static bool drop(struct relay_store *s, int64_t n) {
    sqlite3_stmt *st = use(s, ST_DROP_TAGS);

    sqlite3_bind_int64(st, 1, n);
    if (!done(st))
        return false;
    st = use(s, ST_DROP);
    sqlite3_bind_int64(st, 1, n);
    return done(st);
}

static bool addressed_to(struct relay_store *s, int64_t n, const uint8_t key[32]) {
    sqlite3_stmt *st = use(s, ST_ADDRESSED);
    char hex[65];
    bool yes;

    hex_encode(view_of(key, 32), hex);
    sqlite3_bind_int64(st, 1, n);
    bind_text(st, 2, hex);
    yes = sqlite3_step(st) == SQLITE_ROW;
    sqlite3_reset(st);
    return yes;
}

/* NIP-09: by the author; a gift wrap also by the recipient that its p tag names (NIP-59). */
static bool delete_id(struct relay_store *s, const uint8_t id[32], const uint8_t by[32]) {
    sqlite3_stmt *st = use(s, ST_GONE_ADD);
    int64_t n = 0, kind = 0;
    bool own = false;

    bind_blob(st, 1, id);
    bind_blob(st, 2, by);
    if (!done(st))
        return false;
    st = use(s, ST_BY_ID);
    bind_blob(st, 1, id);
    if (sqlite3_step(st) == SQLITE_ROW) {
        n = sqlite3_column_int64(st, 0);
        kind = sqlite3_column_int64(st, 2);
        own = memcmp(sqlite3_column_blob(st, 1), by, 32) == 0;
    }
    sqlite3_reset(st);
    if (!n || kind == 5 || (!own && !(kind == KIND_WRAP && addressed_to(s, n, by))))
        return true;
    return drop(s, n);
}

struct slot_row {
    int64_t n, created_at; /* n 0: none */
    uint8_t id[32];
};

static struct slot_row slot_find(struct relay_store *s, const uint8_t pubkey[32], uint32_t kind,
                                 const char *slot) {
    sqlite3_stmt *st = use(s, ST_BY_SLOT);
    struct slot_row row = {0};

    bind_blob(st, 1, pubkey);
    sqlite3_bind_int64(st, 2, kind);
    bind_text(st, 3, slot);
    if (sqlite3_step(st) == SQLITE_ROW) {
        row.n = sqlite3_column_int64(st, 0);
        memcpy(row.id, sqlite3_column_blob(st, 1), sizeof row.id);
        row.created_at = sqlite3_column_int64(st, 2);
    }
    sqlite3_reset(st);
    return row;
}

/* "kind:pubkey:d" of the asker's own. Anything else is ignored. */
static bool delete_address(struct relay_store *s, const char *a, const struct fields *f) {
    char *end;
    unsigned long kind = strtoul(a, &end, 10);
    uint8_t key[32];
    struct slot_row row;
    sqlite3_stmt *st;

    if (end == a || *end != ':' || kind > 65535 || strlen(end) < 66 || end[65] != ':' ||
        !hex_decode(view_of(end + 1, 64), key, 32) || memcmp(key, f->pubkey, 32) != 0)
        return true;
    st = use(s, ST_GONE_SLOT_ADD);
    bind_blob(st, 1, key);
    sqlite3_bind_int64(st, 2, (int64_t)kind);
    bind_text(st, 3, end + 66);
    sqlite3_bind_int64(st, 4, f->created_at);
    if (!done(st))
        return false;
    row = slot_find(s, key, (uint32_t)kind, end + 66);
    return !row.n || row.created_at > f->created_at || drop(s, row.n);
}

static bool delete_asked(struct relay_store *s, const struct fields *f) {
    uint8_t id[32];

    for (size_t i = 0; i < f->n_tags; i++) {
        const struct tag *t = &f->tags[i];

        if (t->n < 2)
            continue;
        if (!strcmp(t->v[0], "e") && hex_decode_str(t->v[1], id, 32) &&
            !delete_id(s, id, f->pubkey))
            return false;
        if (!strcmp(t->v[0], "a") && !delete_address(s, t->v[1], f))
            return false;
    }
    return true;
}

/* ---- storing ---- */

static const char *slot_of(const struct fields *f) {
    const char *d;

    switch (kind_class(f->kind)) {
    case KIND_REGULAR:
    case KIND_EPHEMERAL:
        return NULL;
    case KIND_REPLACEABLE:
        return "";
    case KIND_ADDRESSABLE:
        d = fields_get(f, "d", 1);
        return d ? d : "";
    }
    return NULL;
}

static bool names(const struct fields *f, const uint8_t key[32]) {
    char hex[65];

    hex_encode(view_of(key, 32), hex);
    for (size_t i = 0; i < f->n_tags; i++)
        if (f->tags[i].n > 1 && !strcmp(f->tags[i].v[0], "p") && !strcmp(f->tags[i].v[1], hex))
            return true;
    return false;
}

static bool deleted_before(struct relay_store *s, const struct fields *f, const char *slot) {
    sqlite3_stmt *st = use(s, ST_GONE);
    bool yes = false;

    bind_blob(st, 1, f->id);
    while (!yes && f->kind != 5 && sqlite3_step(st) == SQLITE_ROW) {
        const uint8_t *by = sqlite3_column_blob(st, 0);

        yes = memcmp(by, f->pubkey, 32) == 0 || (f->kind == KIND_WRAP && names(f, by));
    }
    sqlite3_reset(st);
    if (yes || !slot)
        return yes;
    st = use(s, ST_GONE_SLOT);
    bind_blob(st, 1, f->pubkey);
    sqlite3_bind_int64(st, 2, f->kind);
    bind_text(st, 3, slot);
    yes = sqlite3_step(st) == SQLITE_ROW && sqlite3_column_int64(st, 0) >= f->created_at;
    sqlite3_reset(st);
    return yes;
}

static bool known(struct relay_store *s, const uint8_t id[32]) {
    sqlite3_stmt *st = use(s, ST_BY_ID);
    bool yes;

    bind_blob(st, 1, id);
    yes = sqlite3_step(st) == SQLITE_ROW;
    sqlite3_reset(st);
    return yes;
}

static int64_t expiry(const struct fields *f) {
    const char *v = fields_get(f, "expiration", 1);

    return v ? strtoll(v, NULL, 10) : 0;
}

static bool insert(struct relay_store *s, const struct fields *f, const char *slot,
                   struct view json) {
    sqlite3_stmt *st = use(s, ST_INSERT);
    int64_t expires = expiry(f), n;

    bind_blob(st, 1, f->id);
    bind_blob(st, 2, f->pubkey);
    sqlite3_bind_int64(st, 3, f->kind);
    sqlite3_bind_int64(st, 4, f->created_at);
    if (expires > 0)
        sqlite3_bind_int64(st, 5, expires);
    else
        sqlite3_bind_null(st, 5);
    bind_text(st, 6, slot);
    sqlite3_bind_text(st, 7, (const char *)json.p, (int)json.n, SQLITE_STATIC);
    if (!done(st))
        return false;
    n = sqlite3_last_insert_rowid(s->db);
    for (size_t i = 0; i < f->n_tags; i++) {
        const struct tag *t = &f->tags[i];

        if (t->n < 2 || strlen(t->v[0]) != 1)
            continue; /* only single letters can be asked for */
        st = use(s, ST_TAG);
        sqlite3_bind_int64(st, 1, n);
        bind_text(st, 2, t->v[0]);
        bind_text(st, 3, t->v[1]);
        if (!done(st))
            return false;
    }
    return true;
}

static enum relay_put put(struct relay_store *s, const struct fields *f, struct view json) {
    const char *slot = slot_of(f);
    struct slot_row old = {0};

    if (known(s, f->id))
        return RELAY_PUT_DUPLICATE;
    if (deleted_before(s, f, slot))
        return RELAY_PUT_DELETED;
    if (slot)
        old = slot_find(s, f->pubkey, f->kind, slot);
    if (old.n && (old.created_at > f->created_at ||
                  (old.created_at == f->created_at && memcmp(old.id, f->id, 32) < 0)))
        return RELAY_PUT_OLDER; /* at the same second the lowest id stays (NIP-01) */
    if (old.n && !drop(s, old.n))
        return RELAY_PUT_FAILED;
    if (!insert(s, f, slot, json) || (f->kind == 5 && !delete_asked(s, f)))
        return RELAY_PUT_FAILED;
    return RELAY_PUT_NEW;
}

/* An event is stored whole or not at all, whatever else is in the batch. */
enum relay_put relay_store_put(struct relay_store *s, const struct event *ev, struct view json,
                               struct err *e) {
    enum relay_put r = RELAY_PUT_FAILED;

    if (begin(s) && done(use(s, ST_SAVE)))
        r = put(s, &ev->f, json);
    if (r != RELAY_PUT_FAILED) {
        (void)!done(use(s, ST_RELEASE));
        return r;
    }
    relay_store_err(s, e, "cannot store the event");
    if (s->open && done(use(s, ST_UNDO)))
        (void)!done(use(s, ST_RELEASE));
    return r;
}

void relay_store_purge(struct relay_store *s, int64_t now) {
    int64_t rows[1000];
    size_t n = 0;
    sqlite3_stmt *st = use(s, ST_EXPIRED);

    sqlite3_bind_int64(st, 1, now);
    while (n < COUNT(rows) && sqlite3_step(st) == SQLITE_ROW)
        rows[n++] = sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    for (size_t i = 0; i < n && begin(s); i++)
        if (!drop(s, rows[i]))
            return;
}

bool relay_store_json(struct relay_store *s, int64_t row, struct buf *out) {
    sqlite3_stmt *st = use(s, ST_JSON);
    bool yes;

    sqlite3_bind_int64(st, 1, row);
    yes = sqlite3_step(st) == SQLITE_ROW;
    if (yes)
        buf_add(out, sqlite3_column_text(st, 0), (size_t)sqlite3_column_bytes(st, 0));
    sqlite3_reset(st);
    return yes;
}
