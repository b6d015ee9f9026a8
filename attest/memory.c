#include "memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/enc.h"

#define LINE_MAX_BYTES 512

static const char *const what_names[SEEN_KINDS] = {"chip", "release", "workload", "model"};

const char *memory_what_name(enum memory_what what) {
    return what_names[what];
}

void memory_free(struct memory *m) {
    free(m->seq);
    free(m->floor);
    free(m->gpu_floor);
    free(m->revoked);
    free(m->seen);
    *m = (struct memory){0};
}

/* --- asking --- */

static struct memory_seq *seq_row(const struct memory *m, uint32_t kind, const uint8_t *endorser,
                                  const char *d) {
    for (size_t i = 0; m && i < m->n_seq; i++)
        if (m->seq[i].kind == kind && !memcmp(m->seq[i].endorser, endorser, 32) &&
            !strcmp(m->seq[i].d, d))
            return &m->seq[i];
    return NULL;
}

uint64_t memory_seq(const struct memory *m, uint32_t kind, const uint8_t endorser[static 32],
                    const char *d) {
    const struct memory_seq *row = seq_row(m, kind, endorser, d);

    return row ? row->seq : 0;
}

bool memory_gone(const struct memory *m, uint32_t kind, const uint8_t endorser[static 32],
                 const char *d) {
    const struct memory_seq *row = seq_row(m, kind, endorser, d);

    return row && row->gone;
}

static bool seen_is(const struct memory_seen *s, const uint8_t *provider, enum memory_what what) {
    return s->what == what && !memcmp(s->provider, provider, 32);
}

const struct memory_seen *memory_first(const struct memory *m, const uint8_t provider[static 32],
                                       enum memory_what what) {
    for (size_t i = 0; m && i < m->n_seen; i++)
        if (seen_is(&m->seen[i], provider, what))
            return &m->seen[i];
    return NULL;
}

bool memory_has(const struct memory *m, const uint8_t provider[static 32], enum memory_what what,
                struct view value) {
    for (size_t i = 0; m && i < m->n_seen; i++)
        if (seen_is(&m->seen[i], provider, what) &&
            view_eq(view_of(m->seen[i].value, m->seen[i].n), value))
            return true;
    return false;
}

/* --- growing --- */

/* d ends a line of the file, so it may hold nothing that ends one. */
static bool d_fits(const char *d) {
    size_t n = strlen(d);

    for (size_t i = 0; i < n; i++)
        if (d[i] <= ' ' || d[i] > '~')
            return false;
    return n > 0 && n < MEMORY_D;
}

bool memory_add_seq(struct memory *m, uint32_t kind, const uint8_t endorser[static 32],
                    const char *d, uint64_t seq, bool gone, struct buf *line) {
    struct memory_seq *row = seq_row(m, kind, endorser, d);
    char hex[65];

    if (!d_fits(d) || (!row && m->n_seq == MEMORY_ROWS))
        return false;
    if (row && (row->seq > seq || (row->seq == seq && row->gone >= gone)))
        return true;
    if (!row) {
        m->seq = mem_grow(m->seq, (m->n_seq + 1) * sizeof *m->seq);
        row = &m->seq[m->n_seq++];
        *row = (struct memory_seq){.kind = kind};
        memcpy(row->endorser, endorser, 32);
        snprintf(row->d, sizeof row->d, "%s", d);
    }
    row->seq = seq;
    row->gone = gone;
    hex_encode(view_of(endorser, 32), hex);
    buf_fmt(line, "%s %" PRIu32 " %s %" PRIu64 " %s\n", gone ? "gone" : "seq", kind, hex, seq, d);
    return true;
}

static bool floor_same(const struct tcb_floor *a, const struct tcb_floor *b) {
    char text[2][FLOOR_TEXT];

    floor_text(a, text[0]);
    floor_text(b, text[1]);
    return !strcmp(text[0], text[1]);
}

bool memory_add_floor(struct memory *m, const uint8_t endorser[static 32],
                      const struct tcb_floor *f, struct buf *line) {
    char hex[65], text[FLOOR_TEXT];

    for (size_t i = 0; i < m->n_floors; i++)
        if (!memcmp(m->floor[i].endorser, endorser, 32) && floor_same(&m->floor[i].floor, f))
            return true;
    if (m->n_floors == MEMORY_ROWS)
        return false;
    m->floor = mem_grow(m->floor, (m->n_floors + 1) * sizeof *m->floor);
    memcpy(m->floor[m->n_floors].endorser, endorser, 32);
    m->floor[m->n_floors++].floor = *f;
    hex_encode(view_of(endorser, 32), hex);
    floor_text(f, text);
    buf_fmt(line, "floor %s %s\n", hex, text);
    return true;
}

bool memory_add_gpu_floor(struct memory *m, const uint8_t endorser[static 32],
                          const struct gpu_floor *f, struct buf *line) {
    char hex[65];

    for (size_t i = 0; i < m->n_gpu_floors; i++) {
        const struct memory_gpu_floor *row = &m->gpu_floor[i];

        if (!memcmp(row->endorser, endorser, 32) && row->floor.part == f->part &&
            !strcmp(row->floor.chip, f->chip) && !strcmp(row->floor.version, f->version))
            return true;
    }
    if (m->n_gpu_floors == MEMORY_ROWS)
        return false;
    m->gpu_floor = mem_grow(m->gpu_floor, (m->n_gpu_floors + 1) * sizeof *m->gpu_floor);
    memcpy(m->gpu_floor[m->n_gpu_floors].endorser, endorser, 32);
    m->gpu_floor[m->n_gpu_floors++].floor = *f;
    hex_encode(view_of(endorser, 32), hex);
    buf_fmt(line, "%s %s %s %s\n", f->part == GPU_VBIOS ? "vbios" : "driver", hex, f->chip,
            f->version);
    return true;
}

bool memory_add_revoked(struct memory *m, const uint8_t endorser[static 32],
                        const uint8_t digest[static 32], struct buf *line) {
    char hex[2][65];

    for (size_t i = 0; i < m->n_revoked; i++)
        if (!memcmp(m->revoked[i].endorser, endorser, 32) &&
            !memcmp(m->revoked[i].digest, digest, 32))
            return true;
    if (m->n_revoked == MEMORY_ROWS)
        return false;
    m->revoked = mem_grow(m->revoked, (m->n_revoked + 1) * sizeof *m->revoked);
    memcpy(m->revoked[m->n_revoked].endorser, endorser, 32);
    memcpy(m->revoked[m->n_revoked++].digest, digest, 32);
    hex_encode(view_of(endorser, 32), hex[0]);
    hex_encode(view_of(digest, 32), hex[1]);
    buf_fmt(line, "revoked %s %s\n", hex[0], hex[1]);
    return true;
}

bool memory_add_seen(struct memory *m, const uint8_t provider[static 32], enum memory_what what,
                     struct view value, int64_t now, struct buf *line) {
    char hex[65], text[2 * MEMORY_VALUE + 1];
    struct memory_seen *row;

    if (memory_has(m, provider, what, value))
        return true;
    if (!value.n || value.n > MEMORY_VALUE || m->n_seen == MEMORY_ROWS || now < 0)
        return false;
    m->seen = mem_grow(m->seen, (m->n_seen + 1) * sizeof *m->seen);
    row = &m->seen[m->n_seen++];
    *row = (struct memory_seen){.what = what, .n = value.n, .when = now};
    memcpy(row->provider, provider, 32);
    memcpy(row->value, value.p, value.n);
    hex_encode(view_of(provider, 32), hex);
    hex_encode(value, text);
    buf_fmt(line, "seen %s %s %s %" PRId64 "\n", hex, what_names[what], text, now);
    return true;
}

/* --- reading --- */

/* Cuts the next word off *line. */
static char *word(char **line) {
    char *w = strsep(line, " ");

    return w ? w : "";
}

static bool number(const char *s, uint64_t *out) {
    char *end;

    if (*s < '0' || *s > '9' || strlen(s) > 18)
        return false;
    *out = strtoull(s, &end, 10);
    return !*end;
}

static bool take_word(struct memory *m, char *rest, bool gone, struct buf *scratch) {
    uint64_t kind, seq;
    uint8_t key[32];

    return number(word(&rest), &kind) && kind <= 65535 && hex_decode_str(word(&rest), key, 32) &&
           number(word(&rest), &seq) && rest &&
           memory_add_seq(m, (uint32_t)kind, key, rest, seq, gone, scratch);
}

static bool take_seq(struct memory *m, char *rest, struct buf *scratch) {
    return take_word(m, rest, false, scratch);
}

static bool take_gone(struct memory *m, char *rest, struct buf *scratch) {
    return take_word(m, rest, true, scratch);
}

static bool take_floor_line(struct memory *m, char *rest, struct buf *scratch) {
    struct tcb_floor f;
    uint8_t key[32];

    return hex_decode_str(word(&rest), key, 32) && rest && !floor_parse(rest, &f, NULL) &&
           memory_add_floor(m, key, &f, scratch);
}

static bool take_gpu_floor(struct memory *m, char *rest, enum gpu_part part, struct buf *scratch) {
    struct gpu_floor f;
    uint8_t key[32];

    return hex_decode_str(word(&rest), key, 32) && rest && !gpu_floor_parse(rest, part, &f, NULL) &&
           memory_add_gpu_floor(m, key, &f, scratch);
}

static bool take_driver(struct memory *m, char *rest, struct buf *scratch) {
    return take_gpu_floor(m, rest, GPU_DRIVER, scratch);
}

static bool take_vbios(struct memory *m, char *rest, struct buf *scratch) {
    return take_gpu_floor(m, rest, GPU_VBIOS, scratch);
}

static bool take_revoked(struct memory *m, char *rest, struct buf *scratch) {
    uint8_t key[32], digest[32];

    return hex_decode_str(word(&rest), key, 32) && rest && hex_decode_str(rest, digest, 32) &&
           memory_add_revoked(m, key, digest, scratch);
}

static bool take_seen(struct memory *m, char *rest, struct buf *scratch) {
    uint8_t key[32], value[MEMORY_VALUE];
    const char *name, *hex;
    uint64_t when;

    if (!hex_decode_str(word(&rest), key, 32))
        return false;
    name = word(&rest);
    hex = word(&rest);
    if (strlen(hex) / 2 > sizeof value || !hex_decode_str(hex, value, strlen(hex) / 2) ||
        !number(word(&rest), &when) || rest)
        return false;
    for (size_t i = 0; i < SEEN_KINDS; i++)
        if (!strcmp(name, what_names[i]))
            return memory_add_seen(m, key, (enum memory_what)i, view_of(value, strlen(hex) / 2),
                                   (int64_t)when, scratch);
    return false;
}

static bool take_line(struct memory *m, char *line, struct buf *scratch) {
    static const struct {
        const char *name;
        bool (*take)(struct memory *m, char *rest, struct buf *scratch);
    } kinds[] = {{"seq", take_seq},       {"gone", take_gone},   {"floor", take_floor_line},
                 {"driver", take_driver}, {"vbios", take_vbios}, {"revoked", take_revoked},
                 {"seen", take_seen}};
    char *rest = line;
    const char *name = word(&rest);

    buf_reset(scratch);
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (!strcmp(name, kinds[i].name))
            return rest && kinds[i].take(m, rest, scratch);
    return false;
}

int memory_parse(struct view text, struct memory *out, struct err *e) {
    cleanup_buf struct buf scratch = {0};
    size_t lines = 0;

    *out = (struct memory){0};
    while (text.n) {
        const uint8_t *end = memchr(text.p, '\n', text.n);
        const size_t n = end ? (size_t)(end - text.p) : 0;
        char line[LINE_MAX_BYTES];

        if (!end) /* the power failed while it was written */
            return 0;
        lines++;
        snprintf(line, sizeof line, "%.*s", n < sizeof line ? (int)n : 0, (const char *)text.p);
        if (strlen(line) != n || !take_line(out, line, &scratch)) {
            memory_free(out);
            return err_set(e, "bad-memory", "line %zu of the memory is not understood", lines);
        }
        text = view_of(end + 1, text.n - n - 1);
    }
    return 0;
}
