#include "tui/proven.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/enc.h"

#define PROVEN_MAX 4096
#define FILE_MAX ((size_t)1 << 20)

struct row {
    uint8_t key[32];
    struct proof proof;
};

struct proven {
    char *path;
    struct row *row; /* oldest first */
    size_t n;
};

static const char *const STATE[] = {
    [PROOF_NEVER] = "never",
    [PROOF_PASS] = "pass",
    [PROOF_WARN] = "warn",
    [PROOF_FAIL] = "fail",
    [PROOF_NOT_CHECKED] = "not-checked",
    [PROOF_SIMULATED] = "simulated",
};

static void row_drop(struct proven *p, size_t i) {
    memmove(p->row + i, p->row + i + 1, (p->n - i - 1) * sizeof *p->row);
    p->n--;
}

static void row_put(struct proven *p, const uint8_t key[static 32], struct proof proof) {
    for (size_t i = 0; i < p->n; i++)
        if (!memcmp(p->row[i].key, key, 32)) {
            row_drop(p, i);
            break;
        }
    if (p->n == PROVEN_MAX)
        row_drop(p, 0);
    p->row = mem_grow(p->row, (p->n + 1) * sizeof *p->row);
    memcpy(p->row[p->n].key, key, 32);
    p->row[p->n++].proof = proof;
}

static void line_read(struct proven *p, const char *line) {
    uint8_t key[32];
    char *end;
    int64_t when;

    if (strlen(line) < 67 || !hex_decode(view_of(line, 64), key, 32) || line[64] != ' ')
        return;
    when = strtoll(line + 65, &end, 10);
    for (unsigned s = PROOF_PASS; s < COUNT(STATE); s++)
        if (*end == ' ' && !strcmp(end + 1, STATE[s]))
            row_put(p, key, (struct proof){s, when});
}

static void file_lines(struct proven *p) {
    cleanup_buf struct buf b = {0};
    struct err e;
    char *save = NULL;

    if (file_read(p->path, FILE_MAX, &b, &e) != 0 || b.n == 0)
        return;
    for (char *l = strtok_r((char *)b.p, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
        line_read(p, l);
}

struct proven *proven_new(const char *path) {
    struct proven *p = mem_new(sizeof *p);

    p->path = mem_str(path);
    if (path)
        file_lines(p);
    return p;
}

void proven_free(struct proven *p) {
    if (!p)
        return;
    free(p->path);
    free(p->row);
    free(p);
}

struct proof proven_get(const struct proven *p, const uint8_t key[static 32]) {
    for (size_t i = 0; i < p->n; i++)
        if (!memcmp(p->row[i].key, key, 32))
            return p->row[i].proof;
    return (struct proof){PROOF_NEVER, 0};
}

int proven_put(struct proven *p, const uint8_t key[static 32], struct proof proof, struct err *e) {
    cleanup_buf struct buf b = {0};
    char hex[65];

    row_put(p, key, proof);
    if (!p->path)
        return 0;
    for (size_t i = 0; i < p->n; i++) {
        hex_encode(view_of(p->row[i].key, 32), hex);
        buf_fmt(&b, "%s %" PRId64 " %s\n", hex, p->row[i].proof.when, STATE[p->row[i].proof.state]);
    }
    if (file_write(p->path, buf_view(&b), 0600, true, e) != 0)
        return err_wrap(e, "cannot remember what was verified");
    return 0;
}
