/* From NIP-01 filters to SQL. Everything that came from outside is bound, never pasted. */
#include "relay_store_priv.h"

#include <stdlib.h>
#include <string.h>

#include "core/enc.h"
#include "core/loop.h"

#define SEARCH_MS 500 /* a search that takes longer is "too-broad" */

struct param {
    enum { P_INT, P_KEY, P_TEXT, P_HEX } type;
    int64_t i;
    const void *p; /* borrowed: 32 bytes for keys (P_HEX: bound as their hex), text for P_TEXT */
};

struct query {
    struct buf sql;
    struct param *v;
    size_t n, cap;
};

static void query_free(struct query *q) {
    buf_free(&q->sql);
    free(q->v);
}

static void bind(struct query *q, struct param p) {
    if (q->n == q->cap) {
        q->cap = q->cap ? q->cap * 2 : 32;
        q->v = mem_grow(q->v, q->cap * sizeof *q->v);
    }
    q->v[q->n++] = p;
}

static void bind_int(struct query *q, int64_t i) {
    bind(q, (struct param){.type = P_INT, .i = i});
}

/* "(?,?,?)"; an empty list is legal SQL in SQLite and matches nothing. */
static void marks(struct query *q, size_t n) {
    buf_str(&q->sql, "(");
    for (size_t i = 0; i < n; i++)
        buf_str(&q->sql, i ? ",?" : "?");
    buf_str(&q->sql, ")");
}

static void where_keys(struct query *q, const char *column, uint8_t (*keys)[32], size_t n) {
    buf_fmt(&q->sql, " AND %s IN ", column);
    marks(q, n);
    for (size_t i = 0; i < n; i++)
        bind(q, (struct param){.type = P_KEY, .p = keys[i]});
}

static void where_kinds(struct query *q, const struct filter *f) {
    buf_str(&q->sql, " AND e.kind IN ");
    marks(q, f->n_kinds);
    for (size_t i = 0; i < f->n_kinds; i++)
        bind_int(q, f->kinds[i]);
}

static void where_tag(struct query *q, const struct filter_tag *t) {
    buf_fmt(&q->sql, " AND e.n IN (SELECT n FROM tag WHERE name='%c' AND value IN ", t->name);
    marks(q, t->n);
    buf_str(&q->sql, ")");
    for (size_t i = 0; i < t->n; i++)
        bind(q, (struct param){.type = P_TEXT, .p = t->v[i]});
}

/* Gift wraps are for their recipient's eyes only. */
static void where_reader(struct query *q, struct relay_reader who) {
    buf_str(&q->sql, " AND (e.kind<>1059 OR EXISTS(SELECT 1 FROM tag WHERE tag.n=e.n"
                     " AND name='p' AND value IN ");
    marks(q, who.n);
    buf_str(&q->sql, "))");
    for (size_t i = 0; i < who.n; i++)
        bind(q, (struct param){.type = P_HEX, .p = who.keys[i]});
}

static void where_time(struct query *q, const char *cmp, int64_t t) {
    if (t < 0)
        return;
    buf_fmt(&q->sql, " AND e.created_at%s?", cmp);
    bind_int(q, t);
}

static void build(struct query *q, const struct filter *f, struct relay_reader who, int64_t now,
                  int64_t max) {
    buf_str(&q->sql,
            "SELECT e.n,e.created_at FROM event e WHERE (e.expires IS NULL OR e.expires>?)");
    bind_int(q, now);
    if (f->has_ids)
        where_keys(q, "e.id", f->ids, f->n_ids);
    if (f->has_authors)
        where_keys(q, "e.pubkey", f->authors, f->n_authors);
    if (f->has_kinds)
        where_kinds(q, f);
    for (size_t i = 0; i < f->n_tags; i++)
        where_tag(q, &f->tags[i]);
    where_time(q, ">=", f->since);
    where_time(q, "<=", f->until);
    where_reader(q, who);
    buf_str(&q->sql, " ORDER BY e.created_at DESC, e.id LIMIT ?");
    bind_int(q, f->limit >= 0 && f->limit < max ? f->limit : max);
}

static void bind_all(sqlite3_stmt *st, const struct query *q) {
    char hex[65];

    for (size_t i = 0; i < q->n; i++) {
        const struct param *p = &q->v[i];
        int at = (int)i + 1;

        switch (p->type) {
        case P_INT:
            sqlite3_bind_int64(st, at, p->i);
            break;
        case P_KEY:
            sqlite3_bind_blob(st, at, p->p, 32, SQLITE_STATIC);
            break;
        case P_TEXT:
            sqlite3_bind_text(st, at, p->p, -1, SQLITE_STATIC);
            break;
        case P_HEX:
            hex_encode(view_of(p->p, 32), hex);
            sqlite3_bind_text(st, at, hex, 64, SQLITE_TRANSIENT);
            break;
        }
    }
}

struct hit {
    int64_t n, created_at;
};
struct hits {
    struct hit *v;
    size_t n, cap;
};

static void hit_add(struct hits *h, int64_t n, int64_t created_at) {
    if (h->n == h->cap) {
        h->cap = h->cap ? h->cap * 2 : 64;
        h->v = mem_grow(h->v, h->cap * sizeof *h->v);
    }
    h->v[h->n++] = (struct hit){n, created_at};
}

static int search(struct relay_store *s, const struct query *q, struct hits *h, struct err *e) {
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(s->db, (const char *)q->sql.p, (int)q->sql.n, &st, NULL);

    if (rc != SQLITE_OK)
        return relay_store_err(s, e, "cannot search");
    bind_all(st, q);
    while ((rc = sqlite3_step(st)) == SQLITE_ROW)
        hit_add(h, sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1));
    if (rc == SQLITE_INTERRUPT)
        err_set(e, "too-broad", "the search took over %d ms: ask for less", SEARCH_MS);
    else if (rc != SQLITE_DONE)
        relay_store_err(s, e, "cannot search");
    sqlite3_finalize(st);
    return rc == SQLITE_DONE ? 0 : -1;
}

static int newest_first(const void *a, const void *b) {
    const struct hit *x = a, *y = b;

    if (x->created_at != y->created_at)
        return x->created_at < y->created_at ? 1 : -1;
    return (x->n > y->n) - (x->n < y->n);
}

static void merge(struct hits *h) {
    size_t kept = 0;

    if (h->n)
        qsort(h->v, h->n, sizeof *h->v, newest_first);
    for (size_t i = 0; i < h->n; i++)
        if (!kept || h->v[kept - 1].n != h->v[i].n)
            h->v[kept++] = h->v[i];
    h->n = kept;
}

static int search_all(struct relay_store *s, struct filter *const f[], size_t n_f,
                      struct relay_reader who, int64_t now, int64_t max, struct hits *h,
                      struct err *e) {
    int rc = 0;

    s->search_until = loop_now() + SEARCH_MS;
    for (size_t i = 0; i < n_f && rc == 0; i++) {
        struct query q = {0};

        build(&q, f[i], who, now, max);
        rc = search(s, &q, h, e);
        query_free(&q);
    }
    s->search_until = 0;
    if (n_f > 1)
        merge(h);
    return rc;
}

int relay_store_find(struct relay_store *s, struct filter *const f[], size_t n_f,
                     struct relay_reader who, int64_t now, int64_t max, int64_t **rows, size_t *n,
                     struct err *e) {
    struct hits h = {0};
    int rc = search_all(s, f, n_f, who, now, max, &h, e);

    *rows = NULL;
    *n = 0;
    if (rc == 0 && h.n) {
        *rows = mem_new(h.n * sizeof **rows);
        for (size_t i = 0; i < h.n; i++)
            (*rows)[i] = h.v[i].n;
        *n = h.n;
    }
    free(h.v);
    return rc;
}

int relay_store_count(struct relay_store *s, struct filter *const f[], size_t n_f,
                      struct relay_reader who, int64_t now, int64_t max, uint64_t *count,
                      struct err *e) {
    struct hits h = {0};
    int rc = search_all(s, f, n_f, who, now, max, &h, e);

    *count = h.n;
    free(h.v);
    return rc;
}
