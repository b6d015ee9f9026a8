#include "tui/proven.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/dvm.h"
#include "core/enc.h"
#include "tui/statefile.h"

#define PROVEN_MAX 4096
#define DAY 86400

struct proven {
    struct statefile file;
    unsigned days;          /* 0: for ever, of this run */
    struct proven_job *row; /* by provider, then the newest first */
    size_t n;
    uint64_t version;
};

static const char *const STATE[] = {
    [PROOF_NEVER] = "never",
    [PROOF_PASS] = "pass",
    [PROOF_WARN] = "warn",
    [PROOF_FAIL] = "fail",
    [PROOF_NOT_CHECKED] = "not-checked",
    [PROOF_SIMULATED] = "simulated",
};

const char *proof_word(enum proof_state s) {
    return STATE[s];
}

/* --- the list --- */

static int order(const struct proven_job *a, const uint8_t key[static 32], int64_t when) {
    int c = memcmp(a->provider, key, 32);

    return c ? c : (a->proof.when < when) - (a->proof.when > when);
}

/* Where a job of this provider and time is, or belongs. */
static size_t place(const struct proven *p, const uint8_t key[static 32], int64_t when) {
    size_t lo = 0, hi = p->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (order(&p->row[mid], key, when) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static void drop(struct proven *p, size_t i) {
    p->version++;
    memmove(p->row + i, p->row + i + 1, (p->n - i - 1) * sizeof *p->row);
    p->n--;
}

static void drop_oldest(struct proven *p) {
    size_t old = 0;

    for (size_t i = 1; i < p->n; i++)
        if (p->row[i].proof.when < p->row[old].proof.when)
            old = i;
    drop(p, old);
}

static void put(struct proven *p, const struct proven_job *j) {
    size_t i = place(p, j->provider, j->proof.when);

    p->version++;
    if (i < p->n && order(&p->row[i], j->provider, j->proof.when) == 0) {
        p->row[i] = *j;
        return;
    }
    if (p->n == PROVEN_MAX) {
        drop_oldest(p);
        i = place(p, j->provider, j->proof.when);
    }
    p->row = mem_grow(p->row, (p->n + 1) * sizeof *p->row);
    memmove(p->row + i + 1, p->row + i, (p->n - i) * sizeof *p->row);
    p->row[i] = *j;
    p->n++;
}

/* --- the file --- */

static bool digest_take(struct view word, char out[static 97]) {
    uint8_t bytes[48];

    if (view_is(word, "-"))
        return true;
    if (!hex_decode(word, bytes, sizeof bytes))
        return false;
    hex_encode(view_of(bytes, sizeof bytes), out);
    return true;
}

static bool take(void *arg, struct view line) {
    struct proven_job j = {.proof.state = PROOF_NEVER};
    cleanup_free char *name = NULL;
    struct view hex = statefile_word(&line), when = statefile_word(&line),
                state = statefile_word(&line);

    for (unsigned s = PROOF_PASS; s < COUNT(STATE); s++)
        if (view_is(state, STATE[s]))
            j.proof.state = (enum proof_state)s;
    if (!hex_decode(hex, j.provider, 32) || !statefile_number(when, &j.proof.when) ||
        j.proof.when < 0 || j.proof.state == PROOF_NEVER ||
        !statefile_number(statefile_word(&line), &j.seconds) ||
        !statefile_number(statefile_word(&line), &j.boot_ms) ||
        !statefile_number(statefile_word(&line), &j.msat) ||
        !digest_take(statefile_word(&line), j.digest))
        return false;
    name = mem_strn(line.p, line.n);
    text_clip(j.name, sizeof j.name, name);
    put(arg, &j);
    return true;
}

static void lines(const struct proven *p, struct buf *out) {
    char hex[65];

    buf_add(out, "", 0);
    for (size_t i = 0; i < p->n; i++) {
        const struct proven_job *j = &p->row[i];

        hex_encode(view_of(j->provider, 32), hex);
        buf_fmt(out, "%s %" PRId64 " %s", hex, j->proof.when, STATE[j->proof.state]);
        statefile_put_number(out, j->seconds);
        statefile_put_number(out, j->boot_ms);
        statefile_put_number(out, j->msat);
        buf_fmt(out, " %s %s\n", *j->digest ? j->digest : "-", j->name);
    }
}

struct proven *proven_new(const char *path, unsigned days, struct err *note) {
    struct proven *p = mem_new(sizeof *p);

    p->days = days;
    p->version = 1;
    statefile_init(&p->file, days ? path : NULL);
    if (statefile_read(&p->file, take, p, note) != 0)
        err_wrap(note, "history");
    return p;
}

void proven_free(struct proven *p) {
    if (!p)
        return;
    statefile_free(&p->file);
    free(p->row);
    free(p);
}

static void tidy(struct proven *p, int64_t now) {
    size_t n = 0;

    for (size_t i = 0; i < p->n; i++)
        if (p->row[i].proof.when > now - (int64_t)p->days * DAY)
            p->row[n++] = p->row[i];
    p->version += n != p->n;
    p->n = n;
}

void proven_tidy(struct proven *p, int64_t now) {
    if (p->days)
        tidy(p, now);
}

/* The list becomes what the file holds: another cdvm may have added and forgotten. */
static int begin(struct proven *p, struct err *e) {
    struct proven_job *row = p->row;
    size_t n = p->n;

    if (!p->file.path)
        return 0;
    p->row = NULL;
    p->n = 0;
    if (statefile_begin(&p->file, take, p, e) == 0) {
        free(row);
        return 0;
    }
    free(p->row);
    p->row = row;
    p->n = n;
    return -1;
}

/* With `j`, or without what is of `gone`. */
static int write_anew(struct proven *p, const struct proven_job *j, const uint8_t *gone,
                      struct err *e) {
    cleanup_buf struct buf b = {0};

    if (begin(p, e) != 0)
        return -1;
    if (j)
        put(p, j);
    for (size_t i = p->n; gone && i-- > 0;)
        if (!memcmp(p->row[i].provider, gone, 32))
            drop(p, i);
    if (j)
        proven_tidy(p, j->proof.when);
    lines(p, &b);
    return statefile_end(&p->file, buf_view(&b), e);
}

int proven_put(struct proven *p, const struct proven_job *j, struct err *e) {
    put(p, j);
    if (write_anew(p, j, NULL, e) != 0)
        return err_wrap(e, "cannot remember what was verified");
    return 0;
}

int proven_forget(struct proven *p, const uint8_t key[static 32], struct err *e) {
    if (write_anew(p, NULL, key, e) != 0)
        return err_wrap(e, "cannot forget");
    return 0;
}

/* --- questions --- */

static bool is_of(const struct proven *p, size_t i, const uint8_t key[static 32]) {
    return i < p->n && !memcmp(p->row[i].provider, key, 32);
}

struct proof proven_get(const struct proven *p, const uint8_t key[static 32]) {
    size_t i = place(p, key, INT64_MAX);

    return is_of(p, i, key) ? p->row[i].proof : (struct proof){PROOF_NEVER, 0};
}

size_t proven_jobs(const struct proven *p, const uint8_t key[static 32]) {
    size_t from = place(p, key, INT64_MAX), i = from;

    while (is_of(p, i, key))
        i++;
    return i - from;
}

const struct proven_job *proven_job(const struct proven *p, const uint8_t key[static 32],
                                    size_t i) {
    i += place(p, key, INT64_MAX);
    return is_of(p, i, key) ? &p->row[i] : NULL;
}

static int by_number(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

int64_t proven_boot_ms(const struct proven *p, const uint8_t key[static 32]) {
    int64_t ms[64];
    size_t n = 0;
    const struct proven_job *j;

    for (size_t i = 0; n < COUNT(ms) && (j = proven_job(p, key, i)); i++)
        if (j->boot_ms >= 0)
            ms[n++] = j->boot_ms;
    qsort(ms, n, sizeof *ms, by_number);
    return n == 0 ? -1 : n % 2 ? ms[n / 2] : ms[n / 2 - 1] + (ms[n / 2] - ms[n / 2 - 1]) / 2;
}

const struct proven_job *proven_at(const struct proven *p, size_t i) {
    return i < p->n ? &p->row[i] : NULL;
}

uint64_t proven_version(const struct proven *p) {
    return p->version;
}
