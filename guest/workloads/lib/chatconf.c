#include "chatconf.h"

#include <stdlib.h>
#include <string.h>
#include "core/text.h"

#define SYSTEM_MAX ((size_t)4096)

static int bad_value(struct err *e, const char *key, const char *value, const char *want) {
    cleanup_free char *shown = text_safe_new(view_str(value), TEXT_LINE, 40);

    return err_set(e, "bad-request", "parameter %s is '%s': it must be %s", key, shown, want);
}

/* Digits only; false also when out of range. */
static bool whole(const char *s, uint64_t max, uint64_t *out) {
    uint64_t v = 0;

    if (!*s || strlen(s) > 10)
        return false;
    for (; *s; s++) {
        if (*s < '0' || *s > '9')
            return false;
        v = v * 10 + (uint64_t)(*s - '0');
    }
    *out = v;
    return v <= max;
}

/* "0.7", "1": thousandths. */
static bool thousandths(const char *s, uint64_t max, uint64_t *out) {
    size_t n = strcspn(s, "."), rest = strlen(s + n);
    cleanup_free char *head = mem_strn(s, n);
    char tail[] = "000";
    uint64_t high, low;

    if (rest == 1 || rest > 4 || !whole(head, max / 1000, &high))
        return false;
    if (rest)
        memcpy(tail, s + n + 1, rest - 1);
    if (!whole(tail, 999, &low))
        return false;
    *out = high * 1000 + low;
    return *out <= max;
}

static int take_system(struct chatconf *c, const char *value, struct err *e) {
    if (strlen(value) > SYSTEM_MAX || !utf8_valid(view_str(value)))
        return err_set(e, "bad-request", "parameter system has more than %zu bytes", SYSTEM_MAX);
    free(c->system);
    c->system = mem_str(value);
    return 0;
}

static int take_max_tokens(struct chatconf *c, const char *value, struct err *e) {
    uint64_t v;

    if (!whole(value, 1U << 20, &v) || !v)
        return bad_value(e, "max_tokens", value, "a whole number from 1");
    c->max_tokens = (uint32_t)v;
    return 0;
}

static int take_passages(struct chatconf *c, const char *value, struct err *e) {
    uint64_t v;

    if (!whole(value, 16, &v) || !v)
        return bad_value(e, "passages", value, "a whole number from 1 to 16");
    c->passages = (uint32_t)v;
    return 0;
}

static int take_turns(struct chatconf *c, const char *value, struct err *e) {
    uint64_t v;

    if (!whole(value, PROMPT_TURNS_MAX, &v))
        return bad_value(e, "turns", value, "a whole number from 0 to 64");
    c->turns = (uint32_t)v;
    return 0;
}

static int take_profile(struct chatconf *c, const char *value, struct err *e) {
    static const char *const names[] = {
        [CHAT_AUTO] = "auto", [CHAT_FULL] = "full", [CHAT_LEAN] = "lean"};

    for (size_t i = 0; i < COUNT(names); i++)
        if (!strcmp(value, names[i])) {
            c->profile = (enum chat_profile)i;
            return 0;
        }
    return bad_value(e, "profile", value, "auto, lean or full");
}

static int take_temperature(struct chatconf *c, const char *value, struct err *e) {
    uint64_t v;

    if (!thousandths(value, 2000, &v))
        return bad_value(e, "temperature", value, "a number from 0 to 2");
    buf_fmt(&c->sampling, ",\"temperature\":%u.%03u", (unsigned)(v / 1000), (unsigned)(v % 1000));
    return 0;
}

static int take_top_p(struct chatconf *c, const char *value, struct err *e) {
    uint64_t v;

    if (!thousandths(value, 1000, &v))
        return bad_value(e, "top_p", value, "a number from 0 to 1");
    buf_fmt(&c->sampling, ",\"top_p\":%u.%03u", (unsigned)(v / 1000), (unsigned)(v % 1000));
    return 0;
}

static int take_top_k(struct chatconf *c, const char *value, struct err *e) {
    uint64_t v;

    if (!whole(value, 1000, &v) || !v)
        return bad_value(e, "top_k", value, "a whole number from 1 to 1000");
    buf_fmt(&c->sampling, ",\"top_k\":%u", (unsigned)v);
    return 0;
}

static int take_seed(struct chatconf *c, const char *value, struct err *e) {
    uint64_t v;

    if (!whole(value, UINT32_MAX, &v))
        return bad_value(e, "seed", value, "a whole number below 2^32");
    buf_fmt(&c->sampling, ",\"seed\":%u", (unsigned)v);
    return 0;
}

static const struct {
    const char *key;
    int (*take)(struct chatconf *c, const char *value, struct err *e);
} known[] = {
    {"max_tokens", take_max_tokens}, {"passages", take_passages},
    {"profile", take_profile},       {"seed", take_seed},
    {"system", take_system},         {"temperature", take_temperature},
    {"top_k", take_top_k},           {"top_p", take_top_p},
    {"turns", take_turns},
};

static int take(struct chatconf *c, const cJSON *v, struct err *e) {
    for (size_t i = 0; i < COUNT(known); i++)
        if (!strcmp(v->string, known[i].key))
            return cJSON_IsString(v) ? known[i].take(c, v->valuestring, e)
                                     : bad_value(e, v->string, "?", "a string");
    return 0;
}

int chatconf_parse(const cJSON *params, struct chatconf *out, struct err *e) {
    const cJSON *v;

    *out = (struct chatconf){.turns = PROMPT_TURNS_MAX};
    cJSON_ArrayForEach(v, params) if (take(out, v, e)) {
        chatconf_free(out);
        return -1;
    }
    if (!cJSON_GetObjectItemCaseSensitive(params, "temperature"))
        buf_str(&out->sampling, ",\"temperature\":0");
    return 0;
}

void chatconf_free(struct chatconf *c) {
    cleanup_free_fn(&c->system);
    buf_free(&c->sampling);
    *c = (struct chatconf){0};
}
