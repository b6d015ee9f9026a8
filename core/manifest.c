#include "manifest.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "text.h"

void in_fail(struct manifest_in *in, const char *what) {
    if (!in->failed)
        err_set(in->e, "bad-manifest", "%s", what);
    in->failed = true;
}

static void in_missing(struct manifest_in *in, const char *key, const char *what) {
    if (!in->failed)
        err_set(in->e, "bad-manifest", "'%s' is not %s", key, what);
    in->failed = true;
}

cJSON *manifest_json_parse(struct view content, struct manifest_in *in) {
    cJSON *o = json_parse(content, MANIFEST_MAX, in->e);

    if (!o)
        in->failed = true;
    else if (!cJSON_IsObject(o))
        in_fail(in, "it is not an object");
    return o;
}

int manifest_same(struct view content, const struct buf *again, struct err *e) {
    if (view_eq(content, buf_view(again)))
        return 0;
    return err_set(
        e, "not-canonical",
        "its bytes are not the canonical form (RFC 8785) of the keys this program knows");
}

static const char *borrowed(struct manifest_in *in, const cJSON *o, const char *key) {
    const char *s =
        in->failed ? NULL : cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, key));

    if (s && text_ascii_printable(view_str(s)))
        return s;
    in_missing(in, key, "a string of printable ASCII");
    return "";
}

char *in_str(struct manifest_in *in, const cJSON *o, const char *key) {
    return mem_str(borrowed(in, o, key));
}

uint64_t in_u64(struct manifest_in *in, const cJSON *o, const char *key) {
    int64_t v = 0;

    if (!in->failed && json_int_of(cJSON_GetObjectItemCaseSensitive(o, key), &v) && v >= 0)
        return (uint64_t)v;
    in_missing(in, key, "a whole number from 0 to 2^53-1");
    return 0;
}

uint32_t in_u32(struct manifest_in *in, const cJSON *o, const char *key) {
    uint64_t v = in_u64(in, o, key);

    if (v <= UINT32_MAX)
        return (uint32_t)v;
    in_missing(in, key, "below 2^32");
    return 0;
}

void in_hex(struct manifest_in *in, const cJSON *o, const char *key, uint8_t *out, size_t n) {
    memset(out, 0, n);
    if (!in->failed && !json_hex(o, key, out, n, NULL))
        in_missing(in, key, n == 32 ? "64 lower-case hex digits" : "96 lower-case hex digits");
}

const cJSON *in_object(struct manifest_in *in, const cJSON *o, const char *key) {
    const cJSON *v = in->failed ? NULL : cJSON_GetObjectItemCaseSensitive(o, key);

    if (cJSON_IsObject(v))
        return v;
    in_missing(in, key, "an object");
    return NULL;
}

const cJSON *in_array(struct manifest_in *in, const cJSON *o, const char *key, size_t max) {
    const cJSON *v = in->failed ? NULL : cJSON_GetObjectItemCaseSensitive(o, key);

    if (cJSON_IsArray(v) && (size_t)cJSON_GetArraySize(v) <= max)
        return v;
    in_missing(in, key, "a list, or too long a one");
    return NULL;
}

char **in_strings(struct manifest_in *in, const cJSON *o, const char *key, size_t *n) {
    const cJSON *list = in_array(in, o, key, MANIFEST_LIST_MAX), *item;
    char **s = mem_new(MANIFEST_LIST_MAX * sizeof *s);

    *n = 0;
    cJSON_ArrayForEach(item, list) {
        const char *v = cJSON_GetStringValue(item);

        if (!v || !text_ascii_printable(view_str(v)))
            in_missing(in, key, "a list of printable ASCII strings");
        s[(*n)++] = mem_str(v ? v : "");
    }
    return s;
}

size_t in_word(struct manifest_in *in, const cJSON *o, const char *key, const char *const words[],
               size_t n) {
    const char *s = borrowed(in, o, key);

    for (size_t i = 0; i < n; i++)
        if (!strcmp(s, words[i]))
            return i;
    in_missing(in, key, "one of the words allowed there");
    return 0;
}

void in_volume(struct manifest_in *in, const cJSON *o, struct volume *v) {
    in_hex(in, o, "root", v->root, 32);
    v->blocks = in_u64(in, o, "blocks");
    if (!v->blocks || v->blocks > 999999999999)
        in_missing(in, "blocks", "from 1 to 999999999999");
}

void in_source(struct manifest_in *in, const cJSON *o, char **repo, char **commit,
               uint8_t lock[static 32]) {
    const cJSON *source = in_object(in, o, "source");

    *repo = in_str(in, source, "repo");
    *commit = in_str(in, source, "commit");
    in_hex(in, in_object(in, o, "lock"), "sha256", lock, 32);
}

void put_hash(struct jw *w, const char *key, const uint8_t sha256[static 32]) {
    jw_key(w, key);
    jw_obj(w);
    jw_khex(w, "sha256", view_of(sha256, 32));
    jw_end_obj(w);
}

void put_source(struct jw *w, const char *repo, const char *commit) {
    jw_key(w, "source");
    jw_obj(w);
    jw_kstr(w, "commit", commit);
    jw_kstr(w, "repo", repo);
    jw_end_obj(w);
}

void put_strings(struct jw *w, const char *key, char *const *s, size_t n) {
    jw_key(w, key);
    jw_arr(w);
    for (size_t i = 0; i < n; i++)
        jw_str(w, s[i]);
    jw_end_arr(w);
}

bool strings_sorted(char *const *s, size_t n) {
    for (size_t i = 1; i < n; i++)
        if (strcmp(s[i - 1], s[i]) >= 0)
            return false;
    return true;
}

void strings_free(char **s, size_t n) {
    for (size_t i = 0; s && i < n; i++)
        free(s[i]);
    free(s);
}

void manifest_digest(struct view content, uint8_t out[static 32]) {
    sha256(content, out);
}

/* Workload and model manifests. */

static void take_limits(struct manifest_in *in, const cJSON *job, struct manifest *m) {
    const cJSON *limits = in_object(in, job, "limits"), *item;

    m->limits = mem_new(MANIFEST_LIST_MAX * sizeof *m->limits);
    cJSON_ArrayForEach(item, limits) {
        if (m->n_limits == MANIFEST_LIST_MAX) {
            in_fail(in, "too many limits");
            return;
        }
        m->limits[m->n_limits].name = mem_str(item->string);
        m->limits[m->n_limits++].value = in_u64(in, limits, item->string);
    }
}

static void take_job(struct manifest_in *in, const cJSON *o, struct manifest *m) {
    const cJSON *job;

    if (m->is_model) {
        if (!cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(o, "job")))
            in_fail(in, "a model's job is null");
        return;
    }
    job = in_object(in, o, "job");
    m->argv = in_strings(in, job, "argv", &m->n_argv);
    m->env = in_strings(in, job, "env", &m->n_env);
    take_limits(in, job, m);
    m->mode = in_str(in, job, "mode");
    if (!m->n_argv)
        in_fail(in, "job.argv names no program");
}

static void take_manifest(struct manifest_in *in, const cJSON *o, struct manifest *m) {
    in_word(in, o, "type", (const char *const[]){m->is_model ? "model" : "workload"}, 1);
    m->name = in_str(in, o, "name");
    m->version = in_str(in, o, "version");
    m->seq = in_u64(in, o, "seq");
    in_volume(in, o, &m->volume);
    take_job(in, o, m);
    m->licence = in_str(in, o, "licence");
    in_source(in, o, &m->repo, &m->commit, m->lock_sha256);
}

static void put_job(struct jw *w, const struct manifest *m) {
    jw_key(w, "job");
    if (m->is_model) {
        jw_null(w);
        return;
    }
    jw_obj(w);
    put_strings(w, "argv", m->argv, m->n_argv);
    put_strings(w, "env", m->env, m->n_env);
    jw_key(w, "limits");
    jw_obj(w);
    for (size_t i = 0; i < m->n_limits; i++)
        jw_kint(w, m->limits[i].name, (int64_t)m->limits[i].value);
    jw_end_obj(w);
    jw_kstr(w, "mode", m->mode);
    jw_end_obj(w);
}

static bool limits_sorted(const struct manifest *m) {
    for (size_t i = 1; i < m->n_limits; i++)
        if (strcmp(m->limits[i - 1].name, m->limits[i].name) >= 0)
            return false;
    return true;
}

/* Keys in RFC 8785 order. */
int manifest_json(const struct manifest *m, struct buf *out, struct err *e) {
    struct jw w = jw_new(out);

    if (!strings_sorted(m->env, m->n_env) || !limits_sorted(m))
        return err_set(e, "not-canonical", "job.env or job.limits are unsorted or repeated");
    jw_obj(&w);
    jw_kint(&w, "blocks", (int64_t)m->volume.blocks);
    put_job(&w, m);
    jw_kstr(&w, "licence", m->licence);
    put_hash(&w, "lock", m->lock_sha256);
    jw_kstr(&w, "name", m->name);
    jw_khex(&w, "root", view_of(m->volume.root, 32));
    jw_kint(&w, "seq", (int64_t)m->seq);
    put_source(&w, m->repo, m->commit);
    jw_kstr(&w, "type", m->is_model ? "model" : "workload");
    jw_kstr(&w, "version", m->version);
    jw_end_obj(&w);
    return 0;
}

struct manifest *manifest_parse(struct view content, bool is_model, struct err *e) {
    struct manifest_in in = {.e = e};
    struct manifest *m = mem_new(sizeof *m);
    cleanup_buf struct buf again = {0};
    cJSON *o = manifest_json_parse(content, &in);

    m->is_model = is_model;
    if (!in.failed)
        take_manifest(&in, o, m);
    cJSON_Delete(o);
    if (in.failed || manifest_json(m, &again, e) || manifest_same(content, &again, e)) {
        manifest_free(m);
        err_wrap(e, "%s manifest", is_model ? "model" : "workload");
        return NULL;
    }
    return m;
}

void manifest_free(struct manifest *m) {
    if (!m)
        return;
    for (size_t i = 0; i < m->n_limits; i++)
        free(m->limits[i].name);
    free(m->limits);
    free(m->name);
    free(m->version);
    strings_free(m->argv, m->n_argv);
    strings_free(m->env, m->n_env);
    free(m->mode);
    free(m->licence);
    free(m->repo);
    free(m->commit);
    free(m);
}
