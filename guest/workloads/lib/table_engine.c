#include "table_engine.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "columns.h"

char *table_list_name(const struct table_list *l, const char *file, struct err *e) {
    char *names[TABLES_MAX];

    if (l->n == TABLES_MAX) {
        err_set(e, "too-large", "more than %d tables", TABLES_MAX);
        return NULL;
    }
    for (size_t i = 0; i < l->n; i++)
        names[i] = l->table[i].name;
    return name_distinct(table_name(file), names, l->n);
}

void table_list_add(struct table_list *l, struct table_info *t) {
    l->table[l->n++] = *t;
    *t = (struct table_info){0};
}

void table_info_free(struct table_info *t) {
    for (size_t i = 0; i < t->n_columns; i++) {
        free(t->column[i].name);
        free(t->column[i].type);
    }
    free(t->column);
    free(t->name);
    *t = (struct table_info){0};
}

void table_list_free(struct table_list *l) {
    for (size_t i = 0; i < l->n; i++)
        table_info_free(&l->table[i]);
    l->n = 0;
}

static int64_t now_ms(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

const char *table_watch_ask(const struct table_watch *w) {
    if (w && w->deadline && now_ms() > w->deadline)
        return "timeout";
    return w && w->stop && w->stop(w->arg) ? "cancelled" : NULL;
}

int table_stopped(const char *code, struct err *e) {
    return err_set(e, code,
                   strcmp(code, "timeout") ? "stopped as asked" : "the time limit has passed");
}

char *sql_quoted(const char *name, char quote) {
    cleanup_buf struct buf b = {0};

    buf_u8(&b, (uint8_t)quote);
    for (; *name; name++) {
        if (*name == quote)
            buf_u8(&b, (uint8_t)quote);
        buf_u8(&b, (uint8_t)*name);
    }
    buf_u8(&b, (uint8_t)quote);
    return buf_take(&b);
}
