#include "contract.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum field_kind { FIELD_TEXT, FIELD_COUNT, FIELD_LIST, FIELD_STRINGS, FIELD_OBJECT };

struct field {
    const char *key;
    enum field_kind kind;
    bool optional;
    size_t max; /* bytes of a text, elements of a list */
    size_t at;  /* offset in struct contract_msg */
};

#define AT(member) offsetof(struct contract_msg, member)
#define ID                                                                                         \
    { "id", FIELD_TEXT, false, 64, AT(id) }
#define FIELDS_MAX 6

static const struct {
    const char *name;
    struct field field[FIELDS_MAX];
} shapes[] = {
    [CONTRACT_READY] = {"ready",
                        {{"name", FIELD_TEXT, false, 64, AT(name)},
                         {"caps", FIELD_STRINGS, false, 32, AT(caps)}}},
    [CONTRACT_PROGRESS] = {"progress",
                           {ID,
                            {"done", FIELD_COUNT, false, 0, AT(done)},
                            {"total", FIELD_COUNT, false, 0, AT(total)},
                            {"unit", FIELD_TEXT, true, 32, AT(unit)},
                            {"note", FIELD_TEXT, true, 400, AT(note)}}},
    [CONTRACT_DELTA] = {"delta", {ID, {"text", FIELD_TEXT, false, CONTRACT_LINE_MAX, AT(text)}}},
    [CONTRACT_SOURCES] = {"sources", {ID, {"sources", FIELD_LIST, false, 64, AT(list)}}},
    [CONTRACT_TABLE] = {"table",
                        {ID,
                         {"columns", FIELD_STRINGS, false, CONTRACT_COLUMNS_MAX, AT(columns)},
                         {"rows", FIELD_LIST, false, CONTRACT_ROWS_MAX, AT(rows)},
                         {"total", FIELD_COUNT, false, 0, AT(total)}}},
    [CONTRACT_FILE] = {"file",
                       {ID,
                        {"path", FIELD_TEXT, false, 512, AT(path)},
                        {"name", FIELD_TEXT, false, 255, AT(name)},
                        {"mime", FIELD_TEXT, false, 127, AT(mime)}}},
    [CONTRACT_DONE] = {"done", {ID, {"usage", FIELD_OBJECT, true, 0, AT(usage)}}},
    [CONTRACT_ERROR] = {"error",
                        {{"id", FIELD_TEXT, true, 64, AT(id)},
                         {"code", FIELD_TEXT, false, 31, AT(code)},
                         {"message", FIELD_TEXT, false, 1000, AT(message)}}},
};

static bool all_strings(const cJSON *list) {
    const cJSON *v;

    cJSON_ArrayForEach(v, list) if (!cJSON_IsString(v)) return false;
    return true;
}

static bool value_ok(const struct field *f, const cJSON *v) {
    int64_t n;

    switch (f->kind) {
    case FIELD_TEXT:
        return cJSON_IsString(v) && strlen(v->valuestring) <= f->max;
    case FIELD_COUNT:
        return json_int_of(v, &n) && n >= 0;
    case FIELD_LIST:
        return cJSON_IsArray(v) && (size_t)cJSON_GetArraySize(v) <= f->max;
    case FIELD_STRINGS:
        return cJSON_IsArray(v) && (size_t)cJSON_GetArraySize(v) <= f->max && all_strings(v);
    case FIELD_OBJECT:
        return cJSON_IsObject(v);
    }
    return false;
}

static void store(const struct field *f, const cJSON *v, struct contract_msg *out) {
    void *slot = (char *)out + f->at;
    int64_t n = 0;

    switch (f->kind) {
    case FIELD_TEXT:
        *(const char **)slot = v->valuestring;
        return;
    case FIELD_COUNT:
        *(uint64_t *)slot = json_int_of(v, &n) ? (uint64_t)n : 0;
        return;
    case FIELD_LIST:
    case FIELD_STRINGS:
    case FIELD_OBJECT:
        *(const cJSON **)slot = v;
    }
}

static int take_fields(struct contract_msg *m, struct err *e) {
    const struct field *f = shapes[m->type].field;
    int known = 1; /* "t" */

    for (size_t i = 0; i < FIELDS_MAX && f[i].key; i++) {
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(m->o, f[i].key);

        if (!v && f[i].optional)
            continue;
        if (!v || !value_ok(&f[i], v))
            return err_set(e, "bad-workload", "the workload's '%s' has no proper '%s'",
                           shapes[m->type].name, f[i].key);
        store(&f[i], v, m);
        known++;
    }
    if (cJSON_GetArraySize(m->o) != known)
        return err_set(e, "bad-workload",
                       "the workload's '%s' has fields that are not of the contract",
                       shapes[m->type].name);
    return 0;
}

static bool row_ok(const cJSON *row, int n) {
    const cJSON *cell;

    if (!cJSON_IsArray(row) || cJSON_GetArraySize(row) != n)
        return false;
    cJSON_ArrayForEach(cell, row) if (!cJSON_IsString(cell) && !cJSON_IsNull(cell)) return false;
    return true;
}

static int check_rows(const struct contract_msg *m, struct err *e) {
    int n = cJSON_GetArraySize(m->columns);
    const cJSON *row;

    cJSON_ArrayForEach(row, m->rows) if (!row_ok(row, n)) return err_set(
        e, "bad-workload", "a row of the workload's table is not %d strings", n);
    return 0;
}

static int find_shape(const char *name) {
    for (size_t i = 0; name && i < COUNT(shapes); i++)
        if (!strcmp(name, shapes[i].name))
            return (int)i;
    return -1;
}

static int parse_object(struct contract_msg *m, struct err *e) {
    int shape = find_shape(json_opt(m->o, "t"));

    if (shape < 0)
        return err_set(e, "bad-workload",
                       "the workload said something that is not of the contract");
    m->type = (enum contract_type)shape;
    if (take_fields(m, e))
        return -1;
    return m->type == CONTRACT_TABLE ? check_rows(m, e) : 0;
}

int contract_parse(struct view line, struct contract_msg *out, struct err *e) {
    struct err why;

    *out = (struct contract_msg){0};
    out->o = json_parse(line, CONTRACT_LINE_MAX, &why);
    if (!out->o)
        return err_set(e, "bad-workload", "the workload's line: %.400s", why.text);
    if (cJSON_IsObject(out->o) && !parse_object(out, e))
        return 0;
    if (!cJSON_IsObject(out->o))
        err_set(e, "bad-workload", "the workload's line is not an object");
    contract_msg_free(out);
    return -1;
}

void contract_msg_free(struct contract_msg *m) {
    json_wipe(m->o);
    *m = (struct contract_msg){0};
}

/* --- lines to the program --- */

struct jw contract_begin(struct buf *out, const char *type, const char *id) {
    struct jw w = jw_new(out);

    jw_obj(&w);
    jw_kstr(&w, "t", type);
    if (id)
        jw_kstr(&w, "id", id);
    return w;
}

static void finish(struct jw *w) {
    jw_end_obj(w);
    buf_u8(w->out, '\n');
}

void contract_start(struct buf *out, const struct contract_param *params, size_t n) {
    struct jw w = contract_begin(out, "start", NULL);

    jw_key(&w, "params");
    jw_obj(&w);
    for (size_t i = 0; i < n; i++)
        jw_kstr(&w, params[i].key, params[i].value);
    jw_end_obj(&w);
    finish(&w);
}

void contract_file(struct buf *out, const char *id, const char *name, const char *path,
                   const uint8_t sha256[static 32]) {
    struct jw w = contract_begin(out, "file", id);

    jw_kstr(&w, "name", name);
    jw_kstr(&w, "path", path);
    jw_khex(&w, "sha256", view_of(sha256, 32));
    finish(&w);
}

bool contract_ask(struct buf *out, const char *id, struct view text) {
    cleanup_buf struct buf line = {0};
    struct jw w = contract_begin(&line, "ask", id);

    jw_key(&w, "text");
    jw_view(&w, text);
    finish(&w);
    if (line.n > CONTRACT_LINE_MAX)
        return false;
    buf_add(out, line.p, line.n);
    return true;
}

void contract_cancel(struct buf *out, const char *id) {
    struct jw w = contract_begin(out, "cancel", id);

    finish(&w);
}

void contract_end(struct buf *out) {
    struct jw w = contract_begin(out, "end", NULL);

    finish(&w);
}
