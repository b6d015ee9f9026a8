#include "contract.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define JOB_MAX ((size_t)16384)
#define WORDS_MAX 64
#define UID_MIN 1000
#define UID_MAX 60000
#define NAME_MAX_BYTES 64 /* as `ready` takes it */

struct limit {
    const char *key;
    size_t at;
    uint64_t min, max, usual;
};

#define LIMIT(name, lo, hi, usual)                                                                 \
    { #name, offsetof(struct contract_job, name), lo, hi, usual }

static const struct limit limits[] = {
    LIMIT(memory_mib, 16, 1 << 22, 512),
    LIMIT(in_mib, 1, 1 << 16, 256),
    LIMIT(out_mib, 1, 1 << 16, 64),
    LIMIT(tmp_mib, 1, 1 << 16, 16),
    LIMIT(processes, 1, 4096, 8),
    LIMIT(files, 8, 65536, 64),
    LIMIT(sockets, 0, 1, 0),
    LIMIT(system, 0, 1, 0),
};

static int bad(struct err *e, const char *what) {
    return err_set(e, "bad-workload", "the workload's job.json has no proper %s", what);
}

static uint64_t *slot(struct contract_job *j, const struct limit *l) {
    return (uint64_t *)(void *)((char *)j + l->at);
}

static int take_limit(struct contract_job *j, const cJSON *v, struct err *e) {
    int64_t n;

    for (size_t i = 0; i < COUNT(limits); i++) {
        const struct limit *l = &limits[i];

        if (strcmp(v->string, l->key))
            continue;
        if (!json_int_of(v, &n) || n < (int64_t)l->min || n > (int64_t)l->max)
            return bad(e, l->key);
        *slot(j, l) = (uint64_t)n;
        return 0;
    }
    return bad(e, "limits");
}

static int take_limits(struct contract_job *j, const cJSON *o, struct err *e) {
    const cJSON *v;

    for (size_t i = 0; i < COUNT(limits); i++)
        *slot(j, &limits[i]) = limits[i].usual;
    cJSON_ArrayForEach(v, o) if (take_limit(j, v, e)) return -1;
    return 0;
}

/* A list of strings as execve wants it; NULL when it is none. */
static char **words(const cJSON *list) {
    size_t n = cJSON_IsArray(list) ? (size_t)cJSON_GetArraySize(list) : WORDS_MAX + 1, i = 0;
    char **out;
    const cJSON *v;

    if (n > WORDS_MAX)
        return NULL;
    cJSON_ArrayForEach(v, list) if (!cJSON_IsString(v)) return NULL;
    out = mem_new((n + 1) * sizeof *out);
    cJSON_ArrayForEach(v, list) out[i++] = mem_str(v->valuestring);
    return out;
}

static bool keys_known(const cJSON *o) {
    static const char *const needed[] = {"argv", "env", "limits", "mode", "uid"};
    static const char *const optional[] = {"cwd", "name"};
    size_t n = 0, more = 0;

    for (size_t i = 0; i < COUNT(needed); i++)
        n += cJSON_GetObjectItemCaseSensitive(o, needed[i]) != NULL;
    for (size_t i = 0; i < COUNT(optional); i++)
        more += cJSON_GetObjectItemCaseSensitive(o, optional[i]) != NULL;
    return n == COUNT(needed) && (size_t)cJSON_GetArraySize(o) == n + more;
}

static int take_mode(struct contract_job *j, const char *mode) {
    static const char *const words[] = {
        [CONTRACT_MODE_CONTRACT] = "contract", [CONTRACT_MODE_PLAIN] = "plain"};

    for (size_t i = 0; mode && i < COUNT(words); i++)
        if (!strcmp(mode, words[i])) {
            j->mode = (enum contract_mode)i;
            return 0;
        }
    return -1;
}

/* A text that may be absent, then `usual`. */
static char *optional_text(const cJSON *o, const char *key, const char *usual) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

    if (!v)
        return mem_str(usual);
    return cJSON_IsString(v) && *v->valuestring ? mem_str(v->valuestring) : NULL;
}

static const char *last_part(const char *path) {
    return strrchr(path, '/') + 1;
}

static int take_words(struct contract_job *j, const cJSON *o, struct err *e) {
    j->argv = words(cJSON_GetObjectItemCaseSensitive(o, "argv"));
    j->env = words(cJSON_GetObjectItemCaseSensitive(o, "env"));
    if (!j->argv || !j->argv[0] || j->argv[0][0] != '/')
        return bad(e, "argv (an absolute path first)");
    if (!j->env)
        return bad(e, "env");
    j->cwd = optional_text(o, "cwd", "/");
    if (!j->cwd || j->cwd[0] != '/')
        return bad(e, "cwd (an absolute path)");
    j->name = optional_text(o, "name", last_part(j->argv[0]));
    if (!j->name || strlen(j->name) > NAME_MAX_BYTES)
        return bad(e, "name");
    return 0;
}

static int take(struct contract_job *j, const cJSON *o, struct err *e) {
    const char *mode = json_opt(o, "mode");
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, "limits");
    uint64_t uid;

    if (!keys_known(o))
        return bad(e, "set of fields (argv, env, limits, mode, uid)");
    if (take_words(j, o, e) < 0)
        return -1;
    if (take_mode(j, mode) < 0)
        return bad(e, "mode (contract or plain)");
    if (!json_u64(o, "uid", &uid, NULL) || uid < UID_MIN || uid > UID_MAX)
        return bad(e, "uid (1000 to 60000)");
    j->uid = (uint32_t)uid;
    return cJSON_IsObject(list) ? take_limits(j, list, e) : bad(e, "limits");
}

int contract_job_parse(struct view text, struct contract_job *out, struct err *e) {
    struct err why;
    cJSON *o = json_parse(text, JOB_MAX, &why);
    int rc;

    *out = (struct contract_job){0};
    if (!o)
        return err_set(e, "bad-workload", "the workload's job.json: %.400s", why.text);
    rc = take(out, o, e);
    cJSON_Delete(o);
    if (rc)
        contract_job_free(out);
    return rc;
}

static void words_free(char **list) {
    for (char **s = list; s && *s; s++)
        free(*s);
    free(list);
}

void contract_job_free(struct contract_job *j) {
    words_free(j->argv);
    words_free(j->env);
    free(j->cwd);
    free(j->name);
    *j = (struct contract_job){0};
}
