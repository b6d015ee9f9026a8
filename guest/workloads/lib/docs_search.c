#include "docs_priv.h"

#include <stdlib.h>
#include <string.h>
#include "core/text.h"
#include "fuse.h"
#include "watch.h"

#define HITS_MAX 64
#define QUESTION_BYTES 480 /* that the model is given: it takes 512 tokens */

struct search {
    struct docs *d;
    struct query query;
    float *words;   /* per passage */
    float *meaning; /* per passage; NULL = no vectors */
    float *cosine;  /* per window */
};

static const struct doc *doc_of_passage(const struct docs *d, size_t passage) {
    size_t i = d->n - 1;

    while (d->doc[i].first_passage > passage)
        i--;
    return &d->doc[i];
}

/* A passage means what its best window means. */
static float best_window(const struct search *s, const struct doc *doc,
                         const struct split_passage *p) {
    size_t have = vectors_count(s->d->vectors);
    float best = -1;

    for (size_t i = p->first; i < p->first + p->windows; i++)
        if (doc->first_window + i < have && s->cosine[doc->first_window + i] > best)
            best = s->cosine[doc->first_window + i];
    return best;
}

static void score_passages(struct search *s) {
    const struct docs *d = s->d;

    s->meaning = mem_new((d->n_passages + 1) * sizeof *s->meaning);
    for (size_t i = 0; i < d->n; i++)
        for (size_t k = 0; k < d->doc[i].split.n_passages; k++)
            s->meaning[d->doc[i].first_passage + k] =
                best_window(s, &d->doc[i], &d->doc[i].split.passage[k]);
}

static struct view beginning(struct view v) {
    size_t n = v.n < QUESTION_BYTES ? v.n : QUESTION_BYTES;

    while (n < v.n && n && (v.p[n] & 0xc0) == 0x80)
        n--;
    return view_of(v.p, n);
}

/* Without a model, or before anything has a vector, there is nothing to do. */
static int compare(struct search *s, struct view question, struct err *e) {
    struct docs *d = s->d;
    struct view start = beginning(question);
    cleanup_free float *q = NULL;

    if (!d->has_model || !vectors_count(d->vectors))
        return 0;
    q = mem_new(d->model.dims * sizeof *q);
    if (d->model.embed(d->model.arg, &start, 1, q, e))
        return -1;
    s->cosine = mem_new(vectors_count(d->vectors) * sizeof *s->cosine);
    vectors_compare(d->vectors, q, s->cosine);
    score_passages(s);
    return 0;
}

static const struct split_window *window_to_show(const struct search *s, const struct doc *doc,
                                                 const struct split_passage *p) {
    size_t best = p->first, best_words = 0;
    float best_cosine = -1;

    for (size_t i = p->first; i < p->first + p->windows; i++) {
        const struct split_window *w = &doc->split.window[i];
        size_t words = query_count(&s->query, view_of(doc->text.text.p + w->at, w->n));
        float cosine = s->cosine && doc->first_window + i < vectors_count(s->d->vectors)
                           ? s->cosine[doc->first_window + i]
                           : 0;

        if (cosine > best_cosine || (cosine == best_cosine && words > best_words)) {
            best = i;
            best_words = words;
            best_cosine = cosine;
        }
    }
    return &doc->split.window[best];
}

static const char *lend(struct docs *d, char *s) {
    d->lent = mem_grow(d->lent, (d->n_lent + 1) * sizeof *d->lent);
    return d->lent[d->n_lent++] = s;
}

static void fill_hit(const struct search *s, const struct fuse_hit *f, struct docs_hit *hit) {
    struct docs *d = s->d;
    const struct doc *doc = doc_of_passage(d, f->passage);
    const struct split_passage *p = &doc->split.passage[f->passage - doc->first_passage];
    const struct split_window *shown = window_to_show(s, doc, p);
    int score = (int)(f->score * DOCS_SCORE_MAX);

    *hit = (struct docs_hit){
        .name = doc->name,
        .doc = (size_t)(doc - d->doc),
        .offset = p->at,
        .text = view_of(doc->text.text.p + p->at, p->n),
        .score = score < 1                ? 1
                 : score > DOCS_SCORE_MAX ? DOCS_SCORE_MAX
                                          : score,
        .by_words = f->by_words,
        .by_meaning = f->by_meaning,
    };
    hit->heading = lend(d, split_heading_path(&doc->text, shown->heading, DOCS_HEADING));
    hit->snippet = lend(
        d, text_safe_new(view_of(doc->text.text.p + shown->at, shown->n), TEXT_LINE, DOCS_SNIPPET));
}

static int run(struct search *s, struct view question, struct err *e, struct err *model) {
    struct docs *d = s->d;

    query_parse(question, &s->query);
    s->words = mem_new((d->n_passages + 1) * sizeof *s->words);
    if (index_search(d->index, &s->query, s->words, d->n_passages, e))
        return -1;
    *model = (struct err){0};
    (void)!compare(s, question, model); /* words alone will do */
    return 0;
}

int docs_search(struct docs *d, struct view question, struct docs_hit *hit, size_t max, size_t *n,
                const struct docs_watch *w, struct err *e) {
    struct search s = {.d = d};
    struct fuse_hit found[HITS_MAX];
    struct err model;
    int rc;

    *n = 0;
    docs_lend_nothing(d);
    question.n = question.n < DOCS_QUESTION_MAX ? question.n : DOCS_QUESTION_MAX;
    rc = run(&s, question, e, &model);
    if (!rc)
        rc = watch_look(w, e);
    if (!rc) {
        *n = fuse(s.words, s.meaning, d->n_passages, found, max < HITS_MAX ? max : HITS_MAX);
        for (size_t i = 0; i < *n; i++)
            fill_hit(&s, &found[i], &hit[i]);
        if (e)
            *e = model;
    }
    free(s.words);
    free(s.meaning);
    free(s.cosine);
    return rc;
}
