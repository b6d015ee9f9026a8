#include "policy.h"

#include <stdio.h>
#include <string.h>

#include "checks.h"
#include "core/conf.h"
#include "core/enc.h"

_Static_assert(CK_COUNT <= POLICY_CHECKS_MAX, "a policy has room for every check");

static const char *const profile_names[POLICY_PROFILES + 1] = {"standard", "strict", "demo", NULL};

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

/* The file as text; floors and checks are words that conf.h does not know. */
struct policy_file {
    unsigned profile;
    bool allow_v2, allow_vlek, allow_milan, allow_masked_chip, allow_no_fwid;
    uint64_t vmpl, crl_max_age;
    char *mitigation_min, *id_key;
    struct conf_list floors, drivers, vbioses, checks;
};

#define AT(field) offsetof(struct policy_file, field)
static const struct conf_key keys[] = {
    {"profile", CONF_CHOICE, AT(profile), 0, 0, profile_names, "standard or strict"},
    {"allow-v2", CONF_BOOL, AT(allow_v2), 0, 0, NULL, "take reports of version 2"},
    {"allow-vlek", CONF_BOOL, AT(allow_vlek), 0, 0, NULL, "take a cloud's key for the chip's"},
    {"allow-milan", CONF_BOOL, AT(allow_milan), 0, 0, NULL, "take Milan processors, as WARN"},
    {"allow-masked-chip", CONF_BOOL, AT(allow_masked_chip), 0, 0, NULL, "take hidden chip ids"},
    {"allow-no-fwid", CONF_BOOL, AT(allow_no_fwid), 0, 0, NULL, "take GPU drivers before 550"},
    {"vmpl", CONF_NUMBER, AT(vmpl), 0, 3, NULL, "privilege level that must ask for the report"},
    {"crl-max-age", CONF_NUMBER, AT(crl_max_age), 0, 3650, NULL, "days; 0: until its next update"},
    {"mitigation-min", CONF_STRING, AT(mitigation_min), 0, 18, NULL, "bits, 16 hex digits"},
    {"id-key", CONF_STRING, AT(id_key), 0, 96, NULL, "SHA-384 of the key that signed the launch"},
    {"floor", CONF_LIST, AT(floors), 0, 100, NULL, "19:10-1f bl=10 tee=0 snp=27 ucode=84"},
    {"gpu-driver", CONF_LIST, AT(drivers), 0, 60, NULL, "GH100 550.54.15"},
    {"gpu-vbios", CONF_LIST, AT(vbioses), 0, 60, NULL, "GH100 96.00.9F"},
    {"check", CONF_LIST, AT(checks), 0, 100, NULL, "ID note|advise|optional|required|must"},
};

/* Cuts the next blank-separated word off *rest. */
static struct view word(struct view *rest) {
    size_t skip = 0, n = 0;
    struct view w;

    while (skip < rest->n && rest->p[skip] == ' ')
        skip++;
    while (skip + n < rest->n && rest->p[skip + n] != ' ')
        n++;
    w = view_of(rest->p + skip, n);
    *rest = view_of(w.p + n, rest->n - skip - n);
    return w;
}

static bool small_number(struct view v, uint8_t *out) {
    unsigned n = 0;

    if (!v.n || v.n > 3)
        return false;
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9')
            return false;
        n = n * 10 + (unsigned)(v.p[i] - '0');
    }
    *out = (uint8_t)n;
    return n <= 255;
}

/* "19:10-1f" or "19:10-1f/1-2": family, models and steppings in hexadecimal. */
static bool floor_range(struct view v, struct tcb_floor *f) {
    f->step_hi = 15;
    if (v.n != 8 && v.n != 12)
        return false;
    if (v.n == 12) {
        const uint8_t steps[4] = {'0', v.p[9], '0', v.p[11]};

        if (v.p[8] != '/' || v.p[10] != '-' || !hex_decode(view_of(steps, 2), &f->step_lo, 1) ||
            !hex_decode(view_of(steps + 2, 2), &f->step_hi, 1))
            return false;
    }
    return v.p[2] == ':' && v.p[5] == '-' && hex_decode(view_of(v.p, 2), &f->family, 1) &&
           hex_decode(view_of(v.p + 3, 2), &f->model_lo, 1) &&
           hex_decode(view_of(v.p + 6, 2), &f->model_hi, 1) && f->model_lo <= f->model_hi &&
           f->step_lo <= f->step_hi;
}

static bool floor_level(struct view v, struct tcb_floor *f) {
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

        if (v.n > n && !memcmp(v.p, parts[i].name, n))
            return small_number(view_of(v.p + n, v.n - n), parts[i].level);
    }
    return false;
}

int floor_parse(const char *text, struct tcb_floor *out, struct err *e) {
    struct view rest = view_str(text), w = word(&rest);
    bool ok;

    *out = (struct tcb_floor){.date = "", .source = ""};
    ok = floor_range(w, out);
    for (w = word(&rest); ok && w.n; w = word(&rest))
        ok = floor_level(w, out);
    if (!ok)
        return err_set(e, "bad-policy",
                       "floor '%s' is not FAMILY:MODEL-MODEL bl=N tee=N snp=N ucode=N", text);
    return 0;
}

void floor_text(const struct tcb_floor *f, char out[static FLOOR_TEXT]) {
    snprintf(out, FLOOR_TEXT, "%02x:%02x-%02x/%x-%x fmc=%u bl=%u tee=%u snp=%u ucode=%u", f->family,
             f->model_lo, f->model_hi, f->step_lo & 15u, f->step_hi & 15u, f->fmc, f->bl, f->tee,
             f->snp, f->ucode);
}

static int take_floor(struct policy *p, const char *text, struct err *e) {
    if (p->n_floors == POLICY_FLOORS_MAX)
        return err_set(e, "bad-policy", "more than %d floors", POLICY_FLOORS_MAX);
    if (floor_parse(text, &p->floor[p->n_floors], e))
        return -1;
    p->floor[p->n_floors++].source = "policy file";
    return 0;
}

static int take_gpu_floors(struct policy *p, const struct conf_list *l, enum gpu_part part,
                           struct err *e) {
    for (size_t i = 0; i < l->n; i++) {
        if (p->n_gpu_floors == GPU_FLOORS_MAX)
            return err_set(e, "bad-policy", "more than %d floors of GPUs", GPU_FLOORS_MAX);
        if (gpu_floor_parse(l->v[i], part, &p->gpu_floor[p->n_gpu_floors++], e))
            return -1;
    }
    return 0;
}

static int take_check(struct policy *p, const char *text, struct err *e) {
    struct view rest = view_str(text), name = word(&rest), need = word(&rest);
    cleanup_free char *id = mem_strn(name.p, name.n);
    enum check_id row;

    if (!check_named(id, &row))
        return err_set(e, "bad-policy", "check '%s': there is no such id", text);
    if (check_table[row].fixed)
        return err_set(e, "bad-policy", "check '%s': no policy changes this one", text);
    for (int r = REQ_NOTE; r <= REQ_MUST; r++)
        if (view_is(need, requirement_name((enum requirement)r))) {
            p->override[row] = (int8_t)(r + 1);
            return 0;
        }
    return err_set(e, "bad-policy", "check '%s': note, advise, optional, required or must", text);
}

static int take_mitigation(struct policy *p, const char *hex, struct err *e) {
    uint8_t b[8];

    if (!hex_decode_str(hex, b, sizeof b))
        return err_set(e, "bad-policy", "mitigation-min '%s' is not 16 hex digits", hex);
    for (size_t i = 0; i < sizeof b; i++)
        p->mitigation_min = p->mitigation_min << 8 | b[i];
    return 0;
}

static int take_id_key(struct policy *p, const char *hex, struct err *e) {
    p->has_id_key = hex_decode_str(hex, p->id_key, sizeof p->id_key);
    return p->has_id_key ? 0 : err_set(e, "bad-policy", "id-key '%s' is not 96 hex digits", hex);
}

static int policy_take(struct policy *p, const struct policy_file *f, struct err *e) {
    if (f->profile == POLICY_DEMO)
        return err_set(e, "demo-in-file",
                       "the profile demo accepts a simulator: it is taken from the "
                       "command line of one run only");
    policy_preset(p, (enum policy_profile)f->profile);
    snprintf(p->name, sizeof p->name, "%s, from a file", profile_names[p->profile]);
    p->allow_v2 = f->allow_v2;
    p->allow_vlek = f->allow_vlek;
    p->allow_milan = f->allow_milan;
    p->allow_masked_chip = f->allow_masked_chip;
    p->allow_no_fwid = f->allow_no_fwid;
    p->vmpl = (uint32_t)f->vmpl;
    p->crl_max_age = (uint32_t)f->crl_max_age;
    if ((f->mitigation_min && take_mitigation(p, f->mitigation_min, e)) ||
        (f->id_key && take_id_key(p, f->id_key, e)))
        return -1;
    for (size_t i = 0; i < f->floors.n; i++)
        if (take_floor(p, f->floors.v[i], e))
            return -1;
    if (take_gpu_floors(p, &f->drivers, GPU_DRIVER, e) ||
        take_gpu_floors(p, &f->vbioses, GPU_VBIOS, e))
        return -1;
    for (size_t i = 0; i < f->checks.n; i++)
        if (take_check(p, f->checks.v[i], e))
            return -1;
    return 0;
}

int policy_parse(struct policy *p, struct view text, struct err *e) {
    struct policy_file f = {.profile = POLICY_STANDARD};
    int rc = conf_parse(text, "policy", keys, COUNT(keys), &f, e);

    if (!rc)
        rc = policy_take(p, &f, e);
    conf_free(keys, COUNT(keys), &f);
    if (rc)
        policy_preset(p, POLICY_STRICT); /* never something laxer than what was asked for */
    return rc;
}
