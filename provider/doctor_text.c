/* The doctor's lines as columns for a person and as JSON for programs. */
#include <string.h>

#include "core/json.h"
#include "core/text.h"
#include "doctor.h"

#define COLUMNS 80
#define AT_ID 13   /* state before it */
#define AT_TEXT 30 /* of a line that is ok */
#define AT_MORE 19 /* of found, why and mend below one that is not */

static const char *const titles[DOCTOR_LEVELS] = {
    [DOCTOR_CPU] = "REQUIRED FOR EVERY CONFIDENTIAL OFFER",
    [DOCTOR_GPU] = "REQUIRED FOR OFFERS WITH A GPU BESIDES",
    [DOCTOR_ADVICE] = "ADVICE"};
static const char *const level_names[DOCTOR_LEVELS] = {
    [DOCTOR_CPU] = "cpu", [DOCTOR_GPU] = "gpu", [DOCTOR_ADVICE] = "advice"};

/* --- columns --- */

static size_t word_end(const char *s) {
    return strcspn(s, " \n");
}

/* From the column that the line is at; what does not fit goes on at `indent`. Lines that begin with
 * a blank are commands, to be copied whole. */
static void put_wrapped(struct buf *out, size_t at, size_t indent, const char *s) {
    while (*s) {
        size_t n = *s == '\n' && s[1] == ' ' ? strcspn(s + 1, "\n") : word_end(s);
        bool command = *s == '\n' && s[1] == ' ';

        if (command || *s == '\n' || at + 1 + n > COLUMNS) {
            buf_fmt(out, "\n%*s", (int)indent, "");
            at = indent;
        }
        s += *s == '\n';
        n = command ? n : word_end(s);
        buf_fmt(out, "%s%.*s", at > indent && n ? " " : "", (int)n, s);
        at += n + (at > indent);
        s += n;
        s += *s == ' ';
    }
    buf_str(out, "\n");
}

static void put_part(struct buf *out, const char *label, const char *text) {
    buf_fmt(out, "%*s%-*s", AT_ID, "", AT_MORE - AT_ID, label);
    put_wrapped(out, AT_MORE, AT_MORE, text);
}

static const char *colour_of(const struct doctor_line *l) {
    if (l->state == DOCTOR_MISSING)
        return l->check->level == DOCTOR_ADVICE ? "33" : "31";
    return l->state == DOCTOR_OK ? "32" : "2";
}

static void put_state(struct buf *out, const struct doctor_line *l, bool colour) {
    const char *name = doctor_state_name(l->state);

    if (colour)
        buf_fmt(out, "\033[%sm%s\033[0m%*s", colour_of(l), name, AT_ID - (int)strlen(name), "");
    else
        buf_fmt(out, "%-*s", AT_ID, name);
}

static void put_line(struct buf *out, const struct doctor_line *l, bool colour) {
    cleanup_free char *found = text_safe_new(view_str(l->found), TEXT_LINE, sizeof l->found);
    cleanup_free char *subject = text_safe_new(view_str(l->subject), TEXT_LINE, 60);
    cleanup_free char *mend = doctor_mend(l);
    cleanup_free char *ok = mem_fmt("%s%s%s", subject, *subject ? ": " : "", found);
    cleanup_free char *lacks = mem_fmt("%s%s%s", l->check->wants, *subject ? ", " : "", subject);

    put_state(out, l, colour);
    buf_fmt(out, "%-*s", AT_TEXT - AT_ID, l->check->id);
    put_wrapped(out, AT_TEXT, AT_TEXT, l->state == DOCTOR_OK ? ok : lacks);
    if (l->state == DOCTOR_OK)
        return;
    put_part(out, "found", found);
    put_part(out, "why", l->check->why);
    put_part(out, "mend", mend);
}

/* Those that could not be asked yet, in one paragraph. */
static void put_waiting(struct buf *out, const struct doctor *d, enum doctor_level level) {
    cleanup_buf struct buf names = {0};
    size_t n = 0;

    for (size_t i = 0; i < d->n; i++)
        if (d->line[i].waits && d->line[i].check->level == level)
            buf_fmt(&names, "%s%s", n++ ? ", " : "", d->line[i].check->id);
    if (!n)
        return;
    buf_fmt(out, "%-*s", AT_ID, "not checked");
    buf_str(&names, " (wait for lines above)");
    put_wrapped(out, AT_ID, AT_ID, (const char *)names.p);
}

static void put_level(struct buf *out, const struct doctor *d, enum doctor_level level,
                      bool colour) {
    buf_fmt(out, "\n%s\n", titles[level]);
    for (size_t i = 0; i < d->n; i++)
        if (d->line[i].check->level == level && !d->line[i].waits)
            put_line(out, &d->line[i], colour);
    put_waiting(out, d, level);
}

/* --- the end --- */

static const char *first_missing(const struct doctor *d, enum doctor_level level) {
    for (size_t i = 0; i < d->n; i++)
        if (d->line[i].check->level == level && d->line[i].state == DOCTOR_MISSING)
            return d->line[i].check->id;
    return NULL;
}

static void put_verdict(struct buf *out, const struct doctor *d, enum doctor_level level) {
    size_t missing = doctor_count(d, level, DOCTOR_MISSING);
    size_t unknown = doctor_count(d, level, DOCTOR_UNKNOWN);
    enum doctor_state worst = doctor_worst(d, level);

    if (worst == DOCTOR_MISSING)
        buf_fmt(out, "no: %zu missing, %zu not checked; begin with %s\n", missing, unknown,
                first_missing(d, level));
    else if (worst == DOCTOR_UNKNOWN)
        buf_fmt(out, "not known: %zu required lines could not be checked\n", unknown);
    else if (level == DOCTOR_GPU && doctor_worst(d, DOCTOR_CPU) != DOCTOR_OK)
        buf_str(out, "nothing else is missing for them\n");
    else
        buf_str(out, missing + unknown ? "yes, but not with each of its GPUs\n" : "yes\n");
}

static void put_verdicts(struct buf *out, const struct doctor *d, const struct host *h) {
    buf_str(out, "\nConfidential offers: ");
    put_verdict(out, d, DOCTOR_CPU);
    buf_str(out, "With a GPU besides:  ");
    if (h->n_gpus || h->conf->gpu.n)
        put_verdict(out, d, DOCTOR_GPU);
    else
        buf_str(out, "no: there is none\n");
}

static void put_head(struct buf *out, const struct host *h) {
    cleanup_free char *brand = text_safe_new(view_str(h->cpu.brand), TEXT_LINE, 48);
    cleanup_free char *kernel = text_safe_new(view_str(h->kernel), TEXT_LINE, 40);
    cleanup_free char *all =
        mem_fmt("%s, Linux %s, %s%s", *brand ? brand : "unknown processor", *kernel ? kernel : "?",
                h->qemu_answers ? "QEMU " : "no QEMU", h->qemu.version);

    put_wrapped(out, 0, 0, all);
}

void doctor_text(const struct doctor *d, const struct host *h, bool colour, struct buf *out) {
    put_head(out, h);
    for (int level = 0; level < DOCTOR_LEVELS; level++)
        put_level(out, d, (enum doctor_level)level, colour);
    put_verdicts(out, d, h);
}

/* --- JSON --- */

static void json_safe(struct jw *w, const char *key, const char *s) {
    cleanup_free char *safe = text_safe_new(view_str(s), TEXT_LINE, 400);

    jw_kstr(w, key, safe);
}

static void json_line(struct jw *w, const struct doctor_line *l) {
    cleanup_free char *mend = doctor_mend(l);

    jw_obj(w);
    jw_kstr(w, "id", l->check->id);
    jw_kstr(w, "level", level_names[l->check->level]);
    if (l->subject[0])
        json_safe(w, "subject", l->subject);
    jw_kstr(w, "state", doctor_state_name(l->state));
    jw_kstr(w, "wants", l->check->wants);
    json_safe(w, "found", l->found);
    if (l->state != DOCTOR_OK) {
        jw_kstr(w, "why", l->check->why);
        jw_kstr(w, "mend", mend);
    }
    jw_end_obj(w);
}

static void json_host(struct jw *w, const struct host *h) {
    jw_key(w, "host");
    jw_obj(w);
    json_safe(w, "processor", h->cpu.brand);
    json_safe(w, "kernel", h->kernel);
    if (h->qemu_answers)
        json_safe(w, "qemu", h->qemu.version);
    jw_kint(w, "gpus", (int64_t)h->n_gpus);
    jw_end_obj(w);
}

void doctor_json(const struct doctor *d, const struct host *h, struct buf *out) {
    struct jw w = jw_new(out);

    jw_obj(&w);
    json_host(&w, h);
    jw_kstr(&w, "cpu", doctor_state_name(doctor_worst(d, DOCTOR_CPU)));
    jw_kstr(&w, "gpu", doctor_state_name(doctor_worst(d, DOCTOR_GPU)));
    jw_kint(&w, "exit", doctor_exit(d, h));
    jw_key(&w, "checks");
    jw_arr(&w);
    for (size_t i = 0; i < d->n; i++)
        json_line(&w, &d->line[i]);
    jw_end_arr(&w);
    jw_end_obj(&w);
    buf_str(out, "\n");
}
