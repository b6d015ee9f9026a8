#include "policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checks.h"
#include "core/enc.h"
#include "core/text.h"

_Static_assert(CK_COUNT <= POLICY_CHECKS_MAX, "a policy has room for every check");

static const char *const profile_names[POLICY_PROFILES] = {"standard", "strict", "demo"};

const char *policy_profile_name(enum policy_profile p) {
    return profile_names[p];
}

bool policy_profile_named(const char *s, enum policy_profile *out) {
    for (size_t i = 0; i < POLICY_PROFILES; i++)
        if (!strcmp(s, profile_names[i])) {
            *out = (enum policy_profile)i;
            return true;
        }
    return false;
}

void policy_preset(struct policy *p, enum policy_profile profile) {
    *p = (struct policy){.profile = profile};
    snprintf(p->name, sizeof p->name, "%s", profile_names[profile]);
}

/* One "key = value": both trimmed, NUL-terminated. */
struct line {
    char key[64], value[200];
};

static bool take_bool(const char *s, bool *out) {
    *out = !strcmp(s, "yes");
    return *out || !strcmp(s, "no");
}

static bool take_number(const char *s, uint64_t max, uint64_t *out) {
    char *end;

    if (*s < '0' || *s > '9')
        return false;
    errno = 0;
    *out = strtoull(s, &end, 0);
    return !*end && !errno && *out <= max;
}

static bool set_profile(struct policy *p, const char *v) {
    enum policy_profile profile;

    if (!policy_profile_named(v, &profile))
        return false;
    p->profile = profile;
    return true;
}

static bool set_v2(struct policy *p, const char *v) {
    return take_bool(v, &p->allow_v2);
}

static bool set_vlek(struct policy *p, const char *v) {
    return take_bool(v, &p->allow_vlek);
}

static bool set_milan(struct policy *p, const char *v) {
    return take_bool(v, &p->allow_milan);
}

static bool set_masked(struct policy *p, const char *v) {
    return take_bool(v, &p->allow_masked_chip);
}

static bool set_vmpl(struct policy *p, const char *v) {
    uint64_t n;

    if (!take_number(v, 3, &n))
        return false;
    p->vmpl = (uint32_t)n;
    return true;
}

static bool set_mitigation(struct policy *p, const char *v) {
    return take_number(v, UINT64_MAX, &p->mitigation_min);
}

static bool set_crl_age(struct policy *p, const char *v) {
    uint64_t n;

    if (!take_number(v, 3650, &n))
        return false;
    p->crl_max_age = (uint32_t)n;
    return true;
}

static bool set_id_key(struct policy *p, const char *v) {
    p->has_id_key = hex_decode_str(v, p->id_key, sizeof p->id_key);
    return p->has_id_key;
}

/* "19:10-1f bl=10 snp=27 ucode=0x54", in any order after the range; a stepping range may follow it
 * as "19:10-1f/1-2". */
static bool floor_range(const char *s, struct tcb_floor *f) {
    unsigned v[5] = {0, 0, 0, 0, 15};
    int n = 0, m = 0;

    if (sscanf(s, "%2x:%2x-%2x%n", &v[0], &v[1], &v[2], &n) != 3)
        return false;
    if (s[n] == '/' && sscanf(s + n, "/%2u-%2u%n", &v[3], &v[4], &m) != 2)
        return false;
    if (s[n + m] || v[1] > v[2] || v[3] > v[4] || v[4] > 15)
        return false;
    f->family = (uint8_t)v[0];
    f->model_lo = (uint8_t)v[1];
    f->model_hi = (uint8_t)v[2];
    f->step_lo = (uint8_t)v[3];
    f->step_hi = (uint8_t)v[4];
    return true;
}

static bool floor_level(const char *word, struct tcb_floor *f) {
    const struct {
        const char *name;
        uint8_t *level;
    } parts[] = {{"fmc=", &f->fmc},
                 {"bl=", &f->bl},
                 {"tee=", &f->tee},
                 {"snp=", &f->snp},
                 {"ucode=", &f->ucode}};

    for (size_t i = 0; i < COUNT(parts); i++) {
        size_t n = strlen(parts[i].name);
        uint64_t v;

        if (strncmp(word, parts[i].name, n) != 0)
            continue;
        if (!take_number(word + n, 255, &v))
            return false;
        *parts[i].level = (uint8_t)v;
        return true;
    }
    return false;
}

static bool set_floor(struct policy *p, const char *v) {
    struct tcb_floor f = {.date = "", .source = "policy file"};
    char copy[200], *save = NULL, *word;

    snprintf(copy, sizeof copy, "%s", v);
    word = strtok_r(copy, " \t", &save);
    if (!word || p->n_floors == POLICY_FLOORS_MAX || !floor_range(word, &f))
        return false;
    while ((word = strtok_r(NULL, " \t", &save)))
        if (!floor_level(word, &f))
            return false;
    p->floor[p->n_floors++] = f;
    return true;
}

static const struct key {
    const char *name;
    bool (*set)(struct policy *p, const char *value);
    const char *form;
} keys[] = {
    {"profile", set_profile, "standard or strict"},
    {"allow_v2", set_v2, "yes or no"},
    {"allow_vlek", set_vlek, "yes or no"},
    {"allow_milan", set_milan, "yes or no"},
    {"allow_masked_chip", set_masked, "yes or no"},
    {"vmpl", set_vmpl, "0 to 3"},
    {"mitigation_min", set_mitigation, "a number, 0x for hexadecimal"},
    {"crl_max_age_days", set_crl_age, "0 to 3650"},
    {"id_key", set_id_key, "96 hex digits"},
    {"floor", set_floor, "FAMILY:MODEL-MODEL[/STEP-STEP] bl=N tee=N snp=N ucode=N fmc=N"},
};

static bool set_check(struct policy *p, const char *id, const char *value, const char **form) {
    enum check_id row;

    *form = "note, advise, optional, required or must";
    if (!check_named(id, &row) || check_table[row].fixed) {
        *form = "for a check that a policy may change: see cdvm verify --list-checks";
        return false;
    }
    for (int r = REQ_NOTE; r <= REQ_MUST; r++)
        if (!strcmp(value, requirement_name((enum requirement)r))) {
            p->override[row] = (int8_t)(r + 1);
            return true;
        }
    return false;
}

static bool set_key(struct policy *p, const struct line *l, const char **form) {
    if (!strncmp(l->key, "check.", 6))
        return set_check(p, l->key + 6, l->value, form);
    for (size_t i = 0; i < COUNT(keys); i++)
        if (!strcmp(keys[i].name, l->key)) {
            *form = keys[i].form;
            return keys[i].set(p, l->value);
        }
    *form = "no such key";
    return false;
}

static struct view trim(struct view v) {
    while (v.n && (v.p[0] == ' ' || v.p[0] == '\t'))
        v = view_of(v.p + 1, v.n - 1);
    while (v.n && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\t' || v.p[v.n - 1] == '\r'))
        v.n--;
    return v;
}

static bool copy_word(struct view v, char *out, size_t n) {
    if (!v.n || v.n >= n || !text_ascii_printable(v))
        return false;
    memcpy(out, v.p, v.n);
    out[v.n] = 0;
    return true;
}

/* False for a line that is neither empty nor key = value. */
static bool split(struct view v, struct line *out, bool *empty) {
    const uint8_t *hash = v.n ? memchr(v.p, '#', v.n) : NULL, *eq;

    if (hash)
        v.n = (size_t)(hash - v.p);
    v = trim(v);
    *empty = !v.n;
    eq = v.n ? memchr(v.p, '=', v.n) : NULL;
    if (!eq)
        return false;
    return copy_word(trim(view_of(v.p, (size_t)(eq - v.p))), out->key, sizeof out->key) &&
           copy_word(trim(view_of(eq + 1, v.n - (size_t)(eq - v.p) - 1)), out->value,
                     sizeof out->value);
}

static int parse_line(struct policy *p, struct view v, size_t number, struct err *e) {
    const char *form = "key = value";
    struct line l;
    bool empty;

    if (!split(v, &l, &empty))
        return empty ? 0 : err_set(e, "bad-policy", "line %zu is not 'key = value'", number);
    if (!set_key(p, &l, &form))
        return err_set(e, "bad-policy", "line %zu: '%s = %s' is not understood (%s)", number, l.key,
                       l.value, form);
    if (p->profile == POLICY_DEMO)
        return err_set(
            e, "demo-in-file",
            "line %zu: the profile demo accepts a simulator and is taken from the command "
            "line of one run only",
            number);
    return 0;
}

int policy_parse(struct policy *p, struct view text, struct err *e) {
    policy_preset(p, POLICY_STANDARD);
    for (size_t number = 1; text.n; number++) {
        const uint8_t *end = memchr(text.p, '\n', text.n);
        size_t n = end ? (size_t)(end - text.p) : text.n;

        if (parse_line(p, view_of(text.p, n), number, e))
            return -1;
        n += end != NULL;
        text = view_of(text.p + n, text.n - n);
    }
    snprintf(p->name, sizeof p->name, "%s, from a file", profile_names[p->profile]);
    return 0;
}
