#include "doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"

static const char *const state_names[DOCTOR_STATES] = {
    [DOCTOR_OK] = "ok", [DOCTOR_UNKNOWN] = "not checked", [DOCTOR_MISSING] = "missing"};

const char *doctor_state_name(enum doctor_state s) {
    return state_names[s];
}

/* --- lines --- */

static void PRINTF_LIKE(2, 0) put(struct doctor_line *l, const char *fmt, va_list ap) {
    vsnprintf(l->found, sizeof l->found, fmt, ap);
}

void doctor_say(struct doctor_line *l, enum doctor_state s, const char *fmt, ...) {
    va_list ap;

    l->state = s;
    va_start(ap, fmt);
    put(l, fmt, ap);
    va_end(ap);
}

void doctor_want(struct doctor_line *l, bool ok, const char *fmt, ...) {
    va_list ap;

    l->state = ok ? DOCTOR_OK : DOCTOR_MISSING;
    va_start(ap, fmt);
    put(l, fmt, ap);
    va_end(ap);
}

char *doctor_mend(const struct doctor_line *l) {
    const char *mend = l->mend ? l->mend : l->check->mend, *at = strstr(mend, "BDF");

    if (!at || !l->subject[0])
        return mem_str(mend);
    return mem_fmt("%.*s%s%s", (int)(at - mend), mend, l->subject, at + 3);
}

/* --- the table --- */

static bool is_ok(const struct doctor *d, const char *id) {
    for (size_t i = 0; i < d->n; i++)
        if (!strcmp(d->line[i].check->id, id) && d->line[i].state != DOCTOR_OK)
            return false;
    return true;
}

static void examine(struct doctor *d, const struct host *h, const struct doctor_check *c,
                    size_t i) {
    struct doctor_line *l = &d->line[d->n];

    *l = (struct doctor_line){.check = c};
    if (c->after && !is_ok(d, c->after)) {
        l->state = DOCTOR_UNKNOWN;
        l->waits = true;
        snprintf(l->found, sizeof l->found, "waits for %s", c->after);
    } else
        c->look(h, i, l);
    d->n++;
}

static void examine_part(struct doctor *d, const struct host *h, const struct doctor_check *c,
                         size_t n) {
    for (; n; n--, c++) {
        size_t lines = c->each ? c->each(h) : 1;

        for (size_t i = 0; i < lines && d->n < DOCTOR_LINES_MAX; i++)
            examine(d, h, c, i);
    }
}

struct doctor doctor_examine(const struct host *h) {
    struct doctor d = {.line = mem_new(DOCTOR_LINES_MAX * sizeof *d.line)};

    examine_part(&d, h, doctor_cpu, n_doctor_cpu);
    examine_part(&d, h, doctor_sev, n_doctor_sev);
    examine_part(&d, h, doctor_gpu, n_doctor_gpu);
    examine_part(&d, h, doctor_rest, n_doctor_rest);
    return d;
}

void doctor_free(struct doctor *d) {
    free(d->line);
    *d = (struct doctor){0};
}

/* --- verdicts --- */

size_t doctor_count(const struct doctor *d, enum doctor_level level, enum doctor_state s) {
    size_t n = 0;

    for (size_t i = 0; i < d->n; i++)
        n += d->line[i].check->level == level && d->line[i].state == s;
    return n;
}

static enum doctor_state worst_of(const struct doctor *d, enum doctor_level level,
                                  const char *subject) {
    enum doctor_state worst = DOCTOR_OK;

    for (size_t i = 0; i < d->n; i++)
        if (d->line[i].check->level == level && !strcmp(d->line[i].subject, subject) &&
            d->line[i].state > worst)
            worst = d->line[i].state;
    return worst;
}

enum doctor_state doctor_worst(const struct doctor *d, enum doctor_level level) {
    enum doctor_state common = worst_of(d, level, ""), best = DOCTOR_STATES;

    for (size_t i = 0; i < d->n; i++) {
        const struct doctor_line *l = &d->line[i];
        enum doctor_state s =
            l->check->level == level && l->subject[0] ? worst_of(d, level, l->subject) : best;

        best = s < best ? s : best;
    }
    return best < DOCTOR_STATES && best > common ? best : common;
}

int doctor_exit(const struct doctor *d, const struct host *h) {
    enum doctor_state cpu = doctor_worst(d, DOCTOR_CPU), gpu = doctor_worst(d, DOCTOR_GPU);

    if (!h->n_gpus && !h->conf->gpu.n)
        gpu = DOCTOR_OK;
    if (cpu == DOCTOR_MISSING)
        return 1;
    if (gpu == DOCTOR_MISSING)
        return 2;
    return cpu == DOCTOR_UNKNOWN || gpu == DOCTOR_UNKNOWN ? 3 : 0;
}

/* --- the provider's gate --- */

/* Commands stand in lines of their own; here they follow the sentence, as LINE folds them. */
static void tell_line(struct console *out, const struct doctor_line *l) {
    cleanup_free char *mend = doctor_mend(l);
    cleanup_free char *one_line = text_safe_new(view_str(mend), TEXT_LINE, 500);

    console_error(out, "%s: %s%s%s: %s", doctor_state_name(l->state), l->check->id,
                  l->subject[0] ? " " : "", l->subject, l->found);
    console_error(out, "  to mend it: %s", one_line);
}

static void tell_level(struct console *out, const struct doctor *d, enum doctor_level level) {
    for (size_t i = 0; i < d->n; i++)
        if (d->line[i].check->level == level && d->line[i].state != DOCTOR_OK && !d->line[i].waits)
            tell_line(out, &d->line[i]);
}

static int judge(const struct doctor *d, const struct provider_conf *c, struct console *out,
                 bool *gpu, struct err *e) {
    size_t missing = doctor_count(d, DOCTOR_CPU, DOCTOR_MISSING);

    *gpu = false;
    if (doctor_worst(d, DOCTOR_CPU) != DOCTOR_OK) {
        tell_level(out, d, DOCTOR_CPU);
        return err_set(e, "unfit-host",
                       "this host cannot run confidential guests (%zu required lines are missing, "
                       "%zu not checked): `cdvm doctor` says what to do",
                       missing, doctor_count(d, DOCTOR_CPU, DOCTOR_UNKNOWN));
    }
    *gpu = c->gpu.n && doctor_worst(d, DOCTOR_GPU) == DOCTOR_OK;
    if (c->gpu.n)
        tell_level(out, d, DOCTOR_GPU);
    if (c->gpu.n && !*gpu)
        console_error(out, "offers with a GPU are not published: `cdvm doctor` says what to do");
    return 0;
}

int doctor_gate(const struct provider_conf *c, const struct image *image, struct console *out,
                bool *gpu, struct err *e) {
    const struct host_opts o = {.conf = c, .image = image, .no_relays = true};
    struct host *h;
    struct doctor d;
    int rc;

    *gpu = false;
    console_notice(out, "looking at what this host can keep, up to 15 s");
    h = host_new(&o, e);
    if (!h)
        return -1;
    d = doctor_examine(h);
    rc = judge(&d, c, out, gpu, e);
    doctor_free(&d);
    host_free(h);
    return rc;
}
