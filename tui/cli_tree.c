#include "cli_tree.h"

#include <string.h>
#include <time.h>

#include "core/json.h"
#include "remedy.h"

#define GOT_SHOWN 72 /* characters of a PASS line's value */

void time_rfc3339(int64_t t, char out[static 32]) {
    time_t when = (time_t)t;
    struct tm tm;

    if (!gmtime_r(&when, &tm) || !strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm))
        out[0] = 0;
}

struct printer {
    struct buf *out;
    const char *mark; /* "SIMULATED " or "" */
};

static void line_start(const struct printer *p, unsigned depth) {
    buf_fmt(p->out, "%*s", (int)(2 * depth), "");
}

static void detail(const struct printer *p, unsigned depth, const char *name, const char *value) {
    if (!*value)
        return;
    line_start(p, depth + 2);
    buf_fmt(p->out, "%s%-9s %s\n", p->mark, name, value);
}

static void shown_value(const struct printer *p, const char *got) {
    if (!*got)
        return;
    if (strlen(got) <= GOT_SHOWN)
        buf_fmt(p->out, ": %s", got);
    else
        buf_fmt(p->out, ": %.*s...", GOT_SHOWN - 3, got);
}

static const char *confirmation(const struct check *c) {
    if (!c->confirmed)
        return "";
    return c->remembered ? " (accepted earlier)" : " (accepted)";
}

static void print_check(const struct printer *p, const struct check *c, unsigned depth) {
    const bool plain = c->state == CHECK_PASS;

    line_start(p, depth);
    buf_fmt(p->out, "%s[%s] %s", p->mark, check_state_name(c->state), c->title);
    if (plain && !c->n_children)
        shown_value(p, c->got);
    buf_fmt(p->out, "%s  (%s%s)\n", confirmation(c), c->id,
            c->source == SOURCE_GUEST ? ", the guest's word" : "");
    for (size_t i = 0; i < c->n_children; i++)
        print_check(p, c->child[i], depth + 1);
    if (c->n_children || plain)
        return;
    detail(p, depth, "why", c->why);
    if (c->state == CHECK_NOT_CHECKED) {
        detail(p, depth, "got", c->got);
        detail(p, depth, "do", remedy_of(c));
        return;
    }
    detail(p, depth, "expected", c->expected);
    detail(p, depth, "got", c->got);
    detail(p, depth, "do", remedy_of(c));
}

static const char *mark(bool simulated) {
    return simulated ? "SIMULATED " : "";
}

void checks_text(const struct check *top, bool simulated, struct buf *out) {
    const struct printer p = {out, mark(simulated)};

    print_check(&p, top, 0);
}

void verdict_text(const struct verdict *v, struct buf *out) {
    bool simulated = verdict_simulated(v);
    char when[32];

    time_rfc3339(verdict_as_of(v), when);
    buf_fmt(out, "%sVERDICT %s  policy %s, processor %s, as of %s\n", mark(simulated),
            check_state_name(verdict_state(v)), verdict_policy(v), verdict_product(v), when);
    checks_text(verdict_tree(v), simulated, out);
}

static void json_checks(struct jw *w, const struct check *c) {
    jw_key(w, "checks");
    jw_arr(w);
    for (size_t i = 0; i < c->n_children; i++) {
        const struct check *k = c->child[i];

        jw_obj(w);
        jw_kstr(w, "id", k->id);
        jw_kstr(w, "title", k->title);
        jw_kstr(w, "state", check_state_name(k->state));
        jw_kbool(w, "required", k->required);
        jw_kstr(w, "source", check_source_name(k->source));
        jw_kstr(w, "expected", k->expected);
        jw_kstr(w, "got", k->got);
        jw_kstr(w, "why", k->why);
        jw_kstr(w, "do", remedy_of(k));
        jw_kbool(w, "accepted", k->confirmed);
        jw_kbool(w, "remembered", k->remembered);
        json_checks(w, k);
        jw_end_obj(w);
    }
    jw_end_arr(w);
}

void verdict_members(const struct verdict *v, struct jw *w) {
    char when[32];

    time_rfc3339(verdict_as_of(v), when);
    jw_kstr(w, "verdict", check_state_name(verdict_state(v)));
    jw_kbool(w, "simulated", verdict_simulated(v));
    jw_kstr(w, "product", verdict_product(v));
    jw_kstr(w, "as_of", when);
    json_checks(w, verdict_tree(v));
}

void verdict_json(const struct verdict *v, struct buf *out) {
    struct jw w = jw_new(out);

    jw_obj(&w);
    verdict_members(v, &w);
    jw_end_obj(&w);
}
