#include "advice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "advisory.h"
#include "core/enc.h"
#include "core/json.h"

#define DAY ((int64_t)86400)

uint64_t event_seq(const struct event *ev) {
    const char *s = fields_get(&ev->f, "seq", 1);
    uint64_t n;

    return s && decimal_parse(s, &n) ? n : 0;
}

static const char *event_d(const struct event *ev) {
    const char *d = fields_get(&ev->f, "d", 1);

    return d ? d : "";
}

static bool is_endorser(const struct pins *p, const uint8_t key[static 32]) {
    for (size_t i = 0; i < p->n_endorsers; i++)
        if (!memcmp(p->endorser[i], key, 32))
            return true;
    return false;
}

static bool rolled_back(const struct pins *p, const struct event *ev) {
    return event_seq(ev) < memory_seq(p->memory, ev->f.kind, ev->f.pubkey, event_d(ev));
}

bool event_counts(const struct pins *p, const struct event *ev) {
    return is_endorser(p, ev->f.pubkey) && !rolled_back(p, ev);
}

/* --- content --- */

static int take_floors(const cJSON *list, struct advisory *out, struct err *e) {
    const cJSON *v;

    cJSON_ArrayForEach(v, list) {
        if (!cJSON_IsString(v) || out->n_floors == COUNT(out->floor))
            return err_set(e, "bad-advisory", "floors are at most %zu strings", COUNT(out->floor));
        if (floor_parse(v->valuestring, &out->floor[out->n_floors++], e))
            return -1;
    }
    return 0;
}

static int take_revoked(const cJSON *list, struct advisory *out, struct err *e) {
    const cJSON *v;

    cJSON_ArrayForEach(v, list) {
        if (out->n_revoked == COUNT(out->revoked) ||
            !hex_decode_str(cJSON_GetStringValue(v), out->revoked[out->n_revoked++], 32))
            return err_set(e, "bad-advisory", "revoked are at most %zu digests of 64 hex digits",
                           COUNT(out->revoked));
    }
    return 0;
}

static int take_gpu(const cJSON *list, enum gpu_part part, struct advisory *out, struct err *e) {
    const cJSON *v;

    cJSON_ArrayForEach(v, list) {
        const char *text = cJSON_GetStringValue(v);

        if (!text || out->n_gpu_floors == COUNT(out->gpu_floor) ||
            gpu_floor_parse(text, part, &out->gpu_floor[out->n_gpu_floors++], NULL))
            return err_set(e, "bad-advisory",
                           "driver and vbios are at most %zu floors like 'GH100 550.54.15'",
                           COUNT(out->gpu_floor));
    }
    return 0;
}

static int take_driver(const cJSON *list, struct advisory *out, struct err *e) {
    return take_gpu(list, GPU_DRIVER, out, e);
}

static int take_vbios(const cJSON *list, struct advisory *out, struct err *e) {
    return take_gpu(list, GPU_VBIOS, out, e);
}

static int take_key(const cJSON *v, struct advisory *out, struct err *e) {
    static const struct {
        const char *key;
        int (*take)(const cJSON *list, struct advisory *out, struct err *e);
    } keys[] = {{"floors", take_floors},
                {"revoked", take_revoked},
                {"driver", take_driver},
                {"vbios", take_vbios}};

    for (size_t i = 0; i < COUNT(keys); i++)
        if (!strcmp(v->string, keys[i].key))
            return cJSON_IsArray(v) ? keys[i].take(v, out, e)
                                    : err_set(e, "bad-advisory", "%s is not a list", keys[i].key);
    return err_set(e, "bad-advisory", "it has a key that this program does not know");
}

int advisory_parse(const struct event *ev, struct advisory *out, struct err *e) {
    cJSON *o = json_parse(view_of(ev->f.content, ev->f.content_len), EVENT_MAX, e);
    const cJSON *v;
    int rc = 0;

    *out = (struct advisory){0};
    if (!o)
        return -1;
    if (ev->f.kind != KIND_ADVISORY || !cJSON_IsObject(o))
        rc = err_set(e, "bad-advisory", "it is not an advisory");
    cJSON_ArrayForEach(v, o) if (!rc) rc = take_key(v, out, e);
    cJSON_Delete(o);
    return rc;
}

/* --- gathering --- */

/* Of one key under one name, the highest number; where that is equal, the latest. */
static bool superseded(const struct pins *p, const struct event *ev) {
    for (size_t i = 0; i < p->n_endorsements; i++) {
        const struct event *o = p->endorsement[i];

        if (o == ev || o->f.kind != ev->f.kind || memcmp(o->f.pubkey, ev->f.pubkey, 32) != 0 ||
            strcmp(event_d(o), event_d(ev)) != 0)
            continue;
        if (event_seq(o) > event_seq(ev) ||
            (event_seq(o) == event_seq(ev) && o->f.created_at > ev->f.created_at))
            return true;
    }
    return false;
}

/* More than there is room for: the verdict must not look as if it knew all. */
static void add_floor(struct advice *a, const struct tcb_floor *f) {
    if (a->n_floors < COUNT(a->floor))
        a->floor[a->n_floors++] = *f;
    else
        a->overfull = true;
}

static void add_gpu_floor(struct advice *a, const struct gpu_floor *f) {
    if (a->n_gpu_floors < COUNT(a->gpu_floor))
        a->gpu_floor[a->n_gpu_floors++] = *f;
    else
        a->overfull = true;
}

static void add_revoked(struct advice *a, const uint8_t digest[static 32]) {
    if (a->n_revoked < COUNT(a->revoked))
        memcpy(a->revoked[a->n_revoked++], digest, 32);
    else
        a->overfull = true;
}

/* What this key's own rows give for the part that `of` begins at. */
static struct snp_tcb level_of(const struct tcb_floor *rows, size_t n, const struct tcb_floor *of) {
    struct snp_tcb t = {0};

    for (size_t i = 0; i < n; i++)
        floor_raise(&t, &rows[i], of->family, of->model_lo, of->step_lo);
    return t;
}

/* A remembered floor of this key that its new word no longer gives. */
static bool lowers(const struct advisory *one, const struct tcb_floor *before) {
    const struct snp_tcb was = {before->fmc, before->bl, before->tee, before->snp, before->ucode};
    const struct snp_tcb is = level_of(one->floor, one->n_floors, before);

    return !snp_tcb_le(&was, &is);
}

/* The same of a GPU's driver or VBIOS. */
static bool lowers_gpu(const struct advisory *one, const struct gpu_floor *before) {
    for (size_t i = 0; i < one->n_gpu_floors; i++) {
        const struct gpu_floor *is = &one->gpu_floor[i];
        bool below;

        if (is->part == before->part && !strcmp(is->chip, before->chip) &&
            gpu_floor_compare(before, is->version, &below) && !below)
            return false;
    }
    return true;
}

static void say_lowered(struct advice *a, const struct event *ev, const char *floor) {
    a->fresh.outcome = OUT_AMBER;
    finding_why(&a->fresh,
                "Advisory %llu takes back the floor %s that the same key gave before: the "
                "higher one stays in force until you remove it from the memory file.",
                (unsigned long long)event_seq(ev), floor);
}

static void find_lowered(struct advice *a, const struct pins *p, const struct event *ev,
                         const struct advisory *one) {
    const struct memory *m = p->memory;
    char text[FLOOR_TEXT];

    for (size_t i = 0; m && i < m->n_floors; i++)
        if (!memcmp(m->floor[i].endorser, ev->f.pubkey, 32) && lowers(one, &m->floor[i].floor)) {
            floor_text(&m->floor[i].floor, text);
            say_lowered(a, ev, text);
        }
    for (size_t i = 0; m && i < m->n_gpu_floors; i++) {
        const struct gpu_floor *f = &m->gpu_floor[i].floor;

        if (memcmp(m->gpu_floor[i].endorser, ev->f.pubkey, 32) != 0 || !lowers_gpu(one, f))
            continue;
        snprintf(text, sizeof text, "%s %s of the %s", f->chip, f->version,
                 f->part == GPU_VBIOS ? "VBIOS" : "driver");
        say_lowered(a, ev, text);
    }
}

/* A key may write under several names, so what it gave before is looked for in all it says now. */
static void add_all_by(const struct pins *p, const uint8_t *key, struct advisory *sum) {
    struct advisory one;

    for (size_t i = 0; i < p->n_endorsements; i++) {
        const struct event *ev = p->endorsement[i];

        if (ev->f.kind != KIND_ADVISORY || memcmp(ev->f.pubkey, key, 32) != 0 ||
            !event_counts(p, ev) || superseded(p, ev) || advisory_parse(ev, &one, NULL))
            continue;
        for (size_t k = 0; k < one.n_floors && sum->n_floors < COUNT(sum->floor); k++)
            sum->floor[sum->n_floors++] = one.floor[k];
        for (size_t k = 0; k < one.n_gpu_floors && sum->n_gpu_floors < COUNT(sum->gpu_floor); k++)
            sum->gpu_floor[sum->n_gpu_floors++] = one.gpu_floor[k];
    }
}

struct gathering {
    struct advice *a;
    const struct pins *p;
    const struct event *newest;
    size_t n_taken, n_old, n_bad;
};

static void take_event(struct gathering *g, const struct event *ev) {
    struct advisory one, all = {0};

    if (ev->f.kind != KIND_ADVISORY || !is_endorser(g->p, ev->f.pubkey) || superseded(g->p, ev))
        return;
    if (rolled_back(g->p, ev)) {
        g->n_old++;
        return;
    }
    if (advisory_parse(ev, &one, NULL)) {
        g->n_bad++;
        return;
    }
    g->n_taken++;
    if (!g->newest || ev->f.created_at > g->newest->f.created_at)
        g->newest = ev;
    for (size_t i = 0; i < one.n_floors; i++)
        add_floor(g->a, &one.floor[i]);
    for (size_t i = 0; i < one.n_gpu_floors; i++)
        add_gpu_floor(g->a, &one.gpu_floor[i]);
    for (size_t i = 0; i < one.n_revoked; i++)
        add_revoked(g->a, one.revoked[i]);
    add_all_by(g->p, ev->f.pubkey, &all);
    find_lowered(g->a, g->p, ev, &all);
}

/* What keys said that are no longer pinned does not count. */
static void take_memory(struct advice *a, const struct pins *p) {
    const struct memory *m = p->memory;

    for (size_t i = 0; m && i < m->n_floors; i++)
        if (is_endorser(p, m->floor[i].endorser))
            add_floor(a, &m->floor[i].floor);
    for (size_t i = 0; m && i < m->n_gpu_floors; i++)
        if (is_endorser(p, m->gpu_floor[i].endorser))
            add_gpu_floor(a, &m->gpu_floor[i].floor);
    for (size_t i = 0; m && i < m->n_revoked; i++)
        if (is_endorser(p, m->revoked[i].endorser))
            add_revoked(a, m->revoked[i].digest);
}

static void date_text(int64_t t, char out[static 16]) {
    const time_t when = (time_t)t;
    struct tm tm;

    if (!gmtime_r(&when, &tm) || !strftime(out, 16, "%Y-%m-%d", &tm))
        snprintf(out, 16, "?");
}

static const char *not_fresh(const struct gathering *g, int64_t now) {
    if (!g->p->n_endorsers)
        return "You pinned no key that could warn you about new holes.";
    if (g->a->overfull)
        return "There are more floors or revoked digests than this program holds.";
    if (g->n_old)
        return "An advisory came that is older than one you have seen: somebody holds newer ones "
               "back. It is not taken; what you knew stays in force.";
    if (g->n_bad)
        return "An advisory came that this program does not understand: it may be newer.";
    if (g->p->asked && g->p->n_answers < 2)
        return "Fewer than two relays answered: they may be holding advisories back.";
    if (!g->newest)
        return "No advisory by a key that you pinned is at hand.";
    if (g->newest->f.created_at > now + DAY)
        return "The newest advisory is dated in the future.";
    if (g->newest->f.created_at < now - ADVICE_DAYS * DAY)
        return "The newest advisory is older than 30 days: it says nothing about today.";
    return NULL;
}

void advice_gather(struct advice *a, const struct pins *p, int64_t now) {
    struct gathering g = {.a = a, .p = p};
    const char *why;
    char date[16];

    *a = (struct advice){.fresh = {.outcome = OUT_GOOD}};
    take_memory(a, p);
    for (size_t i = 0; i < p->n_endorsements; i++)
        take_event(&g, p->endorsement[i]);
    finding_expected(&a->fresh, "at most %d days old", ADVICE_DAYS);
    if (g.newest) {
        date_text(g.newest->f.created_at, date);
        finding_got(&a->fresh, "%zu in force, newest of %s", g.n_taken, date);
    }
    why = not_fresh(&g, now);
    if (why && a->fresh.outcome == OUT_GOOD)
        finding_absent(&a->fresh, why);
}

bool advice_revokes(const struct advice *a, const uint8_t digest[static 32]) {
    for (size_t i = 0; i < a->n_revoked; i++)
        if (!memcmp(a->revoked[i], digest, 32))
            return true;
    return false;
}

/* --- learning --- */

void advice_learn(const struct pins *p, struct memory *m, struct buf *lines) {
    struct advisory one;

    for (size_t i = 0; i < p->n_endorsements; i++) {
        const struct event *ev = p->endorsement[i];

        if (!is_endorser(p, ev->f.pubkey) ||
            event_seq(ev) < memory_seq(m, ev->f.kind, ev->f.pubkey, event_d(ev)))
            continue;
        if (!memory_add_seq(m, ev->f.kind, ev->f.pubkey, event_d(ev), event_seq(ev),
                            !ev->f.content_len, lines) ||
            ev->f.kind != KIND_ADVISORY || advisory_parse(ev, &one, NULL))
            continue;
        for (size_t k = 0; k < one.n_floors; k++)
            (void)memory_add_floor(m, ev->f.pubkey, &one.floor[k], lines);
        for (size_t k = 0; k < one.n_gpu_floors; k++)
            (void)memory_add_gpu_floor(m, ev->f.pubkey, &one.gpu_floor[k], lines);
        for (size_t k = 0; k < one.n_revoked; k++)
            (void)memory_add_revoked(m, ev->f.pubkey, one.revoked[k], lines);
    }
}
