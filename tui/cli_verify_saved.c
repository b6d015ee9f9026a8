/* `cdvm verify` over saved bundles: as of now and as of then, beside another, one message of it. */
#include "cli_verify.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli_tree.h"
#include "core/disclosure.h"
#include "core/text.h"
#include "exhibit.h"
#include "facts.h"
#include "verify_bundle.h"

#define CHANGES_MAX 64
#define TEXT_SHOWN 2000 /* columns of a disclosed message */

/* A bundle and its verdicts. */
struct saved {
    struct bundle bundle;
    struct verdict *now, *then; /* then: NULL where there is no acceptance */
};

static void saved_free(struct saved *s) {
    verdict_free(s->now);
    verdict_free(s->then);
    bundle_free(&s->bundle);
}

static int saved_read(struct saved *s, const struct verify_args *a, const char *path,
                      const struct policy *p, const struct trust *t, int64_t now) {
    cleanup_buf struct buf text = {0}, report = {0};
    struct collateral more = {0};
    int64_t then;
    struct err e;

    if (file_read(path, BUNDLE_MAX, &text, &e))
        return verify_failed(&e, EX_NOINPUT);
    if (bundle_parse(buf_view(&text), &s->bundle, &e) || bundle_report(&s->bundle, &report, &e)) {
        err_wrap(&e, "'%s' is no saved bundle", path);
        return verify_failed(&e, EX_DATAERR);
    }
    verify_fetch(a, buf_view(&report), &more);
    s->now = bundle_verify(&s->bundle, t, p, now, &more, &e);
    if (s->now && bundle_then(&s->bundle, &then))
        s->then = bundle_verify(&s->bundle, t, p, then, NULL, &e);
    collateral_free(&more);
    return s->now ? 0 : verify_failed(&e, EX_DATAERR);
}

/* --- text --- */

static const char *mark(const struct verdict *v) {
    return verdict_simulated(v) ? "SIMULATED " : "";
}

static void put_change(const struct change *c, const char *m, struct buf *out) {
    buf_fmt(out, "%s  %s  (%s)\n", m, c->title, c->id);
    buf_fmt(out, "%s    before  [%s] %s\n", m, check_state_name(c->was), c->before);
    buf_fmt(out, "%s    after   [%s] %s\n", m, check_state_name(c->is), c->after);
}

static void put_changes(const struct verdict *before, const struct verdict *after,
                        struct buf *out) {
    struct change c[CHANGES_MAX];
    size_t n = verdict_changes(before, after, c, CHANGES_MAX);

    if (n == 0)
        buf_fmt(out, "%s  nothing\n", mark(after));
    for (size_t i = 0; i < n && i < CHANGES_MAX; i++)
        put_change(&c[i], mark(after), out);
}

static void put_then(const struct saved *s, struct buf *out) {
    char when[32];

    time_rfc3339(verdict_as_of(s->then), when);
    buf_fmt(out,
            "%sAS OF THEN, %s (the clock of the customer, who accepted it; not before the newest "
            "revocation list): %s\n",
            mark(s->then), when, check_state_name(verdict_state(s->then)));
    buf_fmt(out, "%sWhat differs since:\n", mark(s->then));
    put_changes(s->then, s->now, out);
    buf_fmt(out, "%sAS OF NOW:\n", mark(s->now));
}

/* --- json --- */

static void json_changes(const struct verdict *before, const struct verdict *after, struct jw *w) {
    struct change c[CHANGES_MAX];
    size_t n = verdict_changes(before, after, c, CHANGES_MAX);

    jw_key(w, "changes");
    jw_arr(w);
    for (size_t i = 0; i < n && i < CHANGES_MAX; i++) {
        jw_obj(w);
        jw_kstr(w, "id", c[i].id);
        jw_kstr(w, "was", check_state_name(c[i].was));
        jw_kstr(w, "is", check_state_name(c[i].is));
        jw_kstr(w, "before", c[i].before);
        jw_kstr(w, "after", c[i].after);
        jw_end_obj(w);
    }
    jw_end_arr(w);
}

static void json_then(const struct saved *s, struct jw *w) {
    jw_key(w, "then");
    jw_obj(w);
    verdict_members(s->then, w);
    json_changes(s->then, s->now, w);
    jw_end_obj(w);
}

/* --- two bundles, field by field --- */

static void put_facts(const struct facts *before, const struct facts *after, const char *m,
                      struct buf *out) {
    for (enum fact f = 0; f < FACT_COUNT; f++) {
        if (fact_same(before, after, f)) {
            buf_fmt(out, "%s  %-15s same: %s\n", m, fact_name(f), after->text[f]);
            continue;
        }
        buf_fmt(out, "%s  %-15s changed\n%s    before  %s\n", m, fact_name(f), m, before->text[f]);
        buf_fmt(out, "%s    after   %s\n", m, after->text[f]);
    }
}

static void json_facts(const struct facts *before, const struct facts *after, struct jw *w) {
    jw_key(w, "fields");
    jw_arr(w);
    for (enum fact f = 0; f < FACT_COUNT; f++) {
        jw_obj(w);
        jw_kstr(w, "field", fact_key(f));
        jw_kbool(w, "same", fact_same(before, after, f));
        jw_kstr(w, "before", before->text[f]);
        jw_kstr(w, "after", after->text[f]);
        jw_end_obj(w);
    }
    jw_end_arr(w);
}

/* --- the bytes behind it --- */

struct evidence_out {
    struct buf *out;
    const char *mark;
};

/* Words come from manifests and certificates of others. */
static void put_line(void *arg, enum exhibit_line kind, const struct exhibit_item *it,
                     const char *text) {
    static const char *const INDENT[] = {"", "  ", "    ", "    "};
    const struct evidence_out *o = arg;
    cleanup_free char *safe = text_safe_new(view_str(text), TEXT_LINE, TEXT_SHOWN);

    (void)it;
    buf_fmt(o->out, "%s%s%s\n", o->mark, INDENT[kind], safe);
}

static void put_evidence(const struct saved *s, struct buf *out) {
    struct exhibit *x = exhibit_new(&s->bundle);
    struct evidence_out o = {out, mark(s->now)};

    exhibit_lines(x, 16, put_line, &o);
    exhibit_free(x);
}

static void json_evidence(const struct saved *s, struct jw *w) {
    struct exhibit *x = exhibit_new(&s->bundle);

    jw_key(w, "evidence");
    jw_arr(w);
    for (size_t i = 0; i < exhibit_count(x); i++) {
        const struct exhibit_item *it = exhibit_at(x, i);
        cleanup_free char *safe = text_safe_new(view_str(it->words), TEXT_LINE, TEXT_SHOWN);

        jw_obj(w);
        jw_kstr(w, "section", it->section);
        jw_kstr(w, "name", it->name);
        if (it->offset != EXHIBIT_NOWHERE)
            jw_kint(w, "offset", (int64_t)it->offset);
        jw_khex(w, "bytes", it->bytes);
        jw_kstr(w, "words", safe);
        jw_end_obj(w);
    }
    jw_end_arr(w);
    exhibit_free(x);
}

/* --- one message --- */

struct shown {
    bool asked, proven;
    struct disclosure d;
    struct err e;
};

static int shown_read(struct shown *m, const struct verify_args *a, const struct bundle *b) {
    cleanup_buf struct buf text = {0};
    struct receipt r;

    m->asked = a->message != NULL;
    if (!m->asked)
        return 0;
    if (file_read(a->message, BUNDLE_MAX, &text, &m->e))
        return verify_failed(&m->e, EX_NOINPUT);
    if (disclosure_parse(buf_view(&text), &m->d, &m->e))
        return verify_failed(&m->e, EX_DATAERR);
    if (!b->receipt)
        err_set(&m->e, "no-receipt", "the bundle has no receipt");
    else
        m->proven = !receipt_parse(b->receipt, &r, &m->e) &&
                    !disclosure_check(&m->d, &r, b->request->f.pubkey, b->hello->f.pubkey, &m->e);
    return 0;
}

static void put_shown(const struct shown *m, const char *marked, struct buf *out) {
    cleanup_free char *text = text_safe_new(
        view_of(m->d.rumor->f.content, m->d.rumor->f.content_len), TEXT_LINE, TEXT_SHOWN);

    if (!m->proven) {
        buf_fmt(out, "%sMESSAGE NOT PROVEN: %s\n", marked, m->e.text);
        return;
    }
    buf_fmt(out, "%sMESSAGE PROVEN: number %llu of %llu from the %s, kind %u, under the receipt\n",
            marked, (unsigned long long)m->d.index + 1, (unsigned long long)m->d.size,
            m->d.out ? "guest" : "customer", m->d.rumor->f.kind);
    buf_fmt(out, "%s  %s\n", marked, text);
}

static void json_shown(const struct shown *m, struct jw *w) {
    jw_key(w, "message");
    jw_obj(w);
    jw_kbool(w, "proven", m->proven);
    jw_kstr(w, "why", m->proven ? "" : m->e.text);
    jw_kstr(w, "direction", m->d.out ? "out" : "in");
    jw_kint(w, "index", (int64_t)m->d.index);
    jw_kint(w, "size", (int64_t)m->d.size);
    jw_end_obj(w);
}

static int disclose(const struct verify_args *a, const struct bundle *b) {
    cleanup_buf struct buf text = {0}, out = {0};
    struct rumor *r;
    struct err e;
    int rc;

    if (file_read(a->disclose, BUNDLE_MAX, &text, &e))
        return verify_failed(&e, EX_NOINPUT);
    r = rumor_parse(buf_view(&text), &e);
    rc = r ? disclosure_make(b, r, &out, &e) : -1;
    rumor_free(r);
    if (rc)
        return verify_failed(&e, EX_DATAERR);
    puts((const char *)out.p);
    return 0;
}

/* --- all of it --- */

static int worse(int code, const struct saved *s) {
    return s->then && verdict_state(s->then) > verdict_state(s->now) ? verdict_exit_code(s->then)
                                                                     : code;
}

static int print_saved(const struct saved *s, const struct shown *m, const struct verify_args *a) {
    cleanup_buf struct buf out = {0};
    struct jw w = jw_new(&out);

    if (a->json) {
        jw_obj(&w);
        verdict_members(s->now, &w);
        if (s->then)
            json_then(s, &w);
        if (m->asked)
            json_shown(m, &w);
        if (a->evidence)
            json_evidence(s, &w);
        jw_end_obj(&w);
        buf_str(&out, "\n");
    } else {
        if (s->then)
            put_then(s, &out);
        verdict_text(s->now, &out);
        if (m->asked)
            put_shown(m, mark(s->now), &out);
        if (a->evidence)
            put_evidence(s, &out);
    }
    fwrite(out.p, 1, out.n, stdout);
    return m->asked && !m->proven ? 1 : worse(verdict_exit_code(s->now), s);
}

static int print_diff(const struct saved *a, const struct saved *b, bool json) {
    cleanup_buf struct buf out = {0};
    struct jw w = jw_new(&out);
    struct facts before, after;

    facts_of(&a->bundle, a->now, &before);
    facts_of(&b->bundle, b->now, &after);
    if (json) {
        jw_obj(&w);
        verdict_members(b->now, &w);
        json_facts(&before, &after, &w);
        json_changes(a->now, b->now, &w);
        jw_end_obj(&w);
        buf_str(&out, "\n");
    } else {
        buf_fmt(&out, "%sField by field:\n", mark(b->now));
        put_facts(&before, &after, mark(b->now), &out);
        buf_fmt(&out, "%sWhat changed from the first to the second, line by line:\n", mark(b->now));
        put_changes(a->now, b->now, &out);
        buf_fmt(&out, "%sVERDICT %s for the second\n", mark(b->now),
                check_state_name(verdict_state(b->now)));
    }
    fwrite(out.p, 1, out.n, stdout);
    return verdict_exit_code(b->now);
}

int verify_saved(const struct verify_args *a, const struct policy *p, const struct trust *t,
                 int64_t now) {
    struct saved first = {0}, second = {0};
    struct shown m = {0};
    int rc = saved_read(&first, a, a->bundle, p, t, now);

    if (!rc && a->diff)
        rc = saved_read(&second, a, a->diff, p, t, now);
    if (!rc)
        rc = shown_read(&m, a, &first.bundle);
    if (!rc && a->disclose)
        rc = disclose(a, &first.bundle);
    else if (!rc)
        rc = a->diff ? print_diff(&first, &second, a->json) : print_saved(&first, &m, a);
    disclosure_free(&m.d);
    saved_free(&second);
    saved_free(&first);
    return rc;
}
