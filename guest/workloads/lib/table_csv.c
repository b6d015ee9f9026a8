#include "table_csv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_parquet(const char *path) {
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    char magic[4];

    return fd >= 0 && read(fd, magic, sizeof magic) == sizeof magic &&
           !memcmp(magic, "PAR1", sizeof magic);
}

enum table_file table_kind(const char *file, const char *path) {
    static const char *const json[] = {".json", ".jsonl", ".ndjson"};
    const char *end = strrchr(file, '.');

    if (is_parquet(path))
        return TABLE_FILE_PARQUET;
    for (size_t i = 0; end && i < COUNT(json); i++)
        if (!strcasecmp(end, json[i]))
            return TABLE_FILE_JSON;
    return TABLE_FILE_CSV;
}

static int map_file(const char *path, struct view *v, struct err *e) {
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    void *p;

    if (fd < 0 || fstat(fd, &st))
        return err_sys(e, errno, "cannot open the file");
    if (!st.st_size)
        return err_set(e, "bad-csv", "the file is empty");
    p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return err_set(e, "too-large", "the file does not fit into the guest's memory");
    *v = view_of(p, (size_t)st.st_size);
    return 0;
}

static void read_header(struct table_info *t, const struct csv_row *row) {
    cleanup_free char **names = mem_new(row->n * sizeof *names);

    t->n_columns = row->n;
    t->column = mem_new(row->n * sizeof *t->column);
    for (size_t i = 0; i < row->n; i++)
        t->column[i].name = names[i] = column_name(&row->field[i], names, i);
}

static int look(const struct table_csv *c, uint64_t rows, const struct table_watch *w,
                struct err *e) {
    const char *stopped = table_watch_ask(w);

    if (stopped)
        return table_stopped(stopped, e);
    if (w && w->progress)
        w->progress(w->arg, csv_offset(c->csv), table_csv_total(c), rows);
    return 0;
}

static int survey(struct table_csv *c, struct table_info *t, const struct table_watch *w,
                  struct err *e) {
    struct csv_row row;
    int rc = csv_next(c->csv, &row, e);

    if (rc < 0)
        return -1;
    if (!rc)
        return err_set(e, "bad-csv", "the file has no header line");
    read_header(t, &row);
    c->scan = mem_new(row.n * sizeof *c->scan);
    while ((rc = csv_next(c->csv, &row, e)) == 1) {
        for (size_t i = 0; i < row.n; i++)
            column_scan_add(&c->scan[i], &row.field[i]);
        if (++c->rows % TABLE_CSV_ROWS == 0 && look(c, c->rows, w, e))
            return -1;
    }
    if (rc)
        return -1;
    t->rows = c->rows;
    csv_rewind(c->csv);
    return csv_next(c->csv, &row, e) == 1 ? 0 : -1;
}

int table_csv_open(struct table_csv *c, const char *path, struct table_info *t,
                   const struct table_watch *w, struct err *e) {
    *c = (struct table_csv){0};
    if (!map_file(path, &c->bytes, e) && (c->csv = csv_new(c->bytes, e)) && !survey(c, t, w, e))
        return 0;
    table_csv_close(c);
    return -1;
}

void table_csv_close(struct table_csv *c) {
    csv_free(c->csv);
    free(c->scan);
    if (c->bytes.n)
        munmap((void *)(uintptr_t)c->bytes.p, c->bytes.n);
    *c = (struct table_csv){0};
}

uint64_t table_csv_total(const struct table_csv *c) {
    return 2 * (uint64_t)c->bytes.n;
}
