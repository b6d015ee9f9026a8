#include "jobfile.h"

#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/text.h"

#define UID_MIN 1000
#define UID_MAX 60000

uint32_t jobfile_uid(uint64_t wanted) {
    return wanted >= UID_MIN && wanted <= UID_MAX ? (uint32_t)wanted : UID_MIN;
}

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool same_variable(const char *a, const char *b) {
    size_t n = strcspn(a, "=");

    return n == strcspn(b, "=") && !memcmp(a, b, n);
}

static bool set_again(const struct jobfile *j, size_t i) {
    for (size_t k = i + 1; k < j->n_env; k++)
        if (same_variable(j->env[i], j->env[k]))
            return true;
    return false;
}

/* The ones that hold, sorted. */
static size_t choose_env(const struct jobfile *j, const char **out) {
    size_t n = 0;

    for (size_t i = 0; i < j->n_env; i++)
        if (!set_again(j, i))
            out[n++] = j->env[i];
    qsort(out, n, sizeof *out, by_bytes);
    return n;
}

static void put_words(struct jw *w, const char *key, const char *const *v, size_t n) {
    jw_key(w, key);
    jw_arr(w);
    for (size_t i = 0; i < n; i++)
        jw_str(w, v[i]);
    jw_end_arr(w);
}

static void put_limits(struct jw *w, const struct jobfile *j) {
    jw_key(w, "limits");
    jw_obj(w);
    for (size_t i = 0; i < j->n_limits; i++)
        if (j->limit[i].value)
            jw_kint(w, j->limit[i].name, (int64_t)j->limit[i].value);
    jw_end_obj(w);
}

static int check(const struct jobfile *j, struct err *e) {
    if (!j->n_argv || j->argv[0][0] != '/')
        return err_set(e, "bad-image", "no program is named: put its words behind `--`");
    if (j->n_argv > JOBFILE_WORDS_MAX || j->n_env > JOBFILE_WORDS_MAX)
        return err_set(e, "bad-image", "more than %d words or variables", JOBFILE_WORDS_MAX);
    for (size_t i = 0; i < j->n_argv; i++)
        if (!utf8_valid(view_str(j->argv[i])))
            return err_set(e, "bad-image", "word %zu of the program is not UTF-8", i);
    for (size_t i = 0; i < j->n_env; i++)
        if (!utf8_valid(view_str(j->env[i])) || !strchr(j->env[i], '=') || j->env[i][0] == '=')
            return err_set(e, "bad-image", "variable %zu is not NAME=value in UTF-8", i);
    return 0;
}

int jobfile_json(const struct jobfile *j, struct buf *out, struct err *e) {
    const char *env[JOBFILE_WORDS_MAX];
    struct jw w = jw_new(out);

    if (check(j, e) < 0)
        return -1;
    jw_obj(&w);
    put_words(&w, "argv", j->argv, j->n_argv);
    if (*j->cwd && strcmp(j->cwd, "/"))
        jw_kstr(&w, "cwd", j->cwd);
    put_words(&w, "env", env, choose_env(j, env));
    put_limits(&w, j);
    jw_kstr(&w, "mode", j->mode);
    if (*j->name)
        jw_kstr(&w, "name", j->name);
    jw_kint(&w, "uid", j->uid);
    jw_end_obj(&w);
    buf_str(out, "\n");
    return out->n <= JOBFILE_MAX
               ? 0
               : err_set(e, "bad-image", "job.json has more than %zu bytes", JOBFILE_MAX);
}
