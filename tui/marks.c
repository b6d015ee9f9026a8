#include "tui/marks.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/dvm.h"
#include "core/enc.h"
#include "tui/statefile.h"

#define MARKS_MAX 4096

struct marks {
    struct statefile file;
    struct mark_row *row; /* by key */
    size_t n;
    uint64_t version;
};

static const char *const WORD[] = {
    [MARK_NONE] = "", [MARK_FAVOURITE] = "favourite", [MARK_MUTED] = "muted"};

/* Where the key is, or belongs. */
static size_t place(const struct marks *m, const uint8_t key[static 32]) {
    size_t lo = 0, hi = m->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (memcmp(m->row[mid].key, key, 32) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static bool is_at(const struct marks *m, size_t i, const uint8_t key[static 32]) {
    return i < m->n && !memcmp(m->row[i].key, key, 32);
}

static void drop(struct marks *m, size_t i) {
    memmove(m->row + i, m->row + i + 1, (m->n - i - 1) * sizeof *m->row);
    m->n--;
}

static bool put(struct marks *m, const struct mark_row *r) {
    size_t i = place(m, r->key);

    if (!is_at(m, i, r->key)) {
        if (m->n == MARKS_MAX)
            return false;
        m->row = mem_grow(m->row, (m->n + 1) * sizeof *m->row);
        memmove(m->row + i + 1, m->row + i, (m->n - i) * sizeof *m->row);
        m->n++;
    }
    m->row[i] = *r;
    return true;
}

static bool take(void *arg, struct view line) {
    struct mark_row r = {.mark = MARK_NONE};
    struct view hex = statefile_word(&line), word = statefile_word(&line);
    cleanup_free char *name = NULL;

    for (unsigned i = MARK_FAVOURITE; i < COUNT(WORD); i++)
        if (view_is(word, WORD[i]))
            r.mark = (enum mark)i;
    if (!hex_decode(hex, r.key, 32) || r.mark == MARK_NONE ||
        !statefile_number(statefile_word(&line), &r.when))
        return false;
    name = mem_strn(line.p, line.n);
    text_clip(r.name, sizeof r.name, name);
    return put(arg, &r);
}

struct marks *marks_new(const char *path, struct err *note) {
    struct marks *m = mem_new(sizeof *m);

    statefile_init(&m->file, path);
    m->version = 1;
    if (statefile_read(&m->file, take, m, note) != 0)
        err_wrap(note, "favourites");
    return m;
}

void marks_free(struct marks *m) {
    if (!m)
        return;
    statefile_free(&m->file);
    free(m->row);
    free(m);
}

enum mark marks_get(const struct marks *m, const uint8_t key[static 32]) {
    size_t i = place(m, key);

    return is_at(m, i, key) ? m->row[i].mark : MARK_NONE;
}

static void lines(const struct marks *m, struct buf *out) {
    char hex[65];

    buf_add(out, "", 0);
    for (size_t i = 0; i < m->n; i++) {
        hex_encode(view_of(m->row[i].key, 32), hex);
        buf_fmt(out, "%s %s %" PRId64 " %s\n", hex, WORD[m->row[i].mark], m->row[i].when,
                m->row[i].name);
    }
}

/* Under the lock: what the file holds now, with this one change. */
static int change(struct marks *m, const struct mark_row *r, struct err *e) {
    cleanup_buf struct buf b = {0};
    size_t i = place(m, r->key);

    if (r->mark == MARK_NONE && is_at(m, i, r->key))
        drop(m, i);
    else if (r->mark != MARK_NONE && !put(m, r)) {
        (void)!statefile_end(&m->file, (struct view){0}, NULL);
        return err_set(e, "too-many", "%d sellers are marked already: unmark some", MARKS_MAX);
    }
    lines(m, &b);
    return statefile_end(&m->file, buf_view(&b), e);
}

int marks_set(struct marks *m, const uint8_t key[static 32], enum mark mark, const char *name,
              int64_t now, struct err *e) {
    struct marks was = *m;
    struct mark_row r = {.mark = mark, .when = now};

    memcpy(r.key, key, 32);
    if (!*name && is_at(m, place(m, key), key))
        name = m->row[place(m, key)].name;
    text_clip(r.name, sizeof r.name, name);
    m->row = mem_new((was.n + 1) * sizeof *m->row);
    memcpy(m->row, was.row ? was.row : m->row, was.n * sizeof *m->row);
    if (m->file.path)
        m->n = 0;
    if (statefile_begin(&m->file, take, m, e) == 0 && change(m, &r, e) == 0) {
        free(was.row);
        m->version++;
        return 0;
    }
    free(m->row);
    m->row = was.row;
    m->n = was.n;
    return err_wrap(e, "not remembered");
}

size_t marks_count(const struct marks *m) {
    return m->n;
}

const struct mark_row *marks_at(const struct marks *m, size_t i) {
    return i < m->n ? &m->row[i] : NULL;
}

uint64_t marks_version(const struct marks *m) {
    return m->version;
}
