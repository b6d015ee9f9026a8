#include "split.h"

#include <stdlib.h>
#include <string.h>
#include "core/text.h"

#define WORD_BYTES 48   /* longer runs (addresses, Chinese, base64) count as several words */
#define SENTENCE_MIN 20 /* words before a sentence's end may end a window */
#define PATH_DEPTH (DOCTEXT_LEVELS + 1)

/* --- words --- */

enum after { AFTER_WORD, AFTER_LINE, AFTER_SENTENCE, AFTER_PARAGRAPH };

struct word {
    size_t at, n;
    enum after after; /* what ends with it */
};

static bool is_space(uint8_t c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* ". " and "? " and the like, also within quotes and brackets; full-width ones of CJK. */
static bool ends_sentence(const uint8_t *p, size_t n) {
    while (n && strchr("\"')]*_", p[n - 1]))
        n--;
    if (n && strchr(".!?:;", p[n - 1]))
        return true;
    return n >= 3 && (!memcmp(p + n - 3, "\u3002", 3) || !memcmp(p + n - 3, "\uff01", 3) ||
                      !memcmp(p + n - 3, "\uff1f", 3));
}

static enum after after_word(struct view text, size_t end, const struct word *w) {
    size_t lines = 0;

    for (; end < text.n && is_space(text.p[end]); end++)
        lines += text.p[end] == '\n' || text.p[end] == '\f';
    if (lines > 1 || end == text.n)
        return AFTER_PARAGRAPH;
    if (ends_sentence(text.p + w->at, w->n))
        return AFTER_SENTENCE;
    return lines ? AFTER_LINE : AFTER_WORD;
}

/* The word at or after `at`; false at the end of the text. */
static bool next_word(struct view text, size_t at, struct word *w) {
    while (at < text.n && is_space(text.p[at]))
        at++;
    w->at = at;
    while (at < text.n && !is_space(text.p[at]) && at - w->at < WORD_BYTES)
        at++;
    while (at < text.n && (text.p[at] & 0xc0) == 0x80)
        at++; /* never inside a character */
    w->n = at - w->at;
    w->after = after_word(text, at, w);
    return w->n > 0;
}

/* --- windows --- */

struct cutter {
    const struct doctext *t;
    struct view text;
    struct split *out;
    size_t at, next_heading, heading; /* where we are; the next heading, the current one */
    size_t cap;
};

static size_t heading_start(const struct cutter *c) {
    return c->next_heading < c->t->n_headings ? c->t->heading[c->next_heading].at : SIZE_MAX;
}

static void pass_headings(struct cutter *c, size_t at) {
    while (heading_start(c) <= at)
        c->heading = c->next_heading++;
}

static void add_window(struct cutter *c, const struct split_window *w) {
    struct split *s = c->out;

    if (s->n_windows == c->cap) {
        c->cap = c->cap ? c->cap * 2 : 64;
        s->window = mem_grow(s->window, c->cap * sizeof *s->window);
    }
    s->window[s->n_windows++] = *w;
    s->words += w->words;
}

static bool fits(const struct cutter *c, const struct split_window *w, const struct word *next) {
    return w->words < SPLIT_WINDOW_WORDS && next->at + next->n - w->at <= SPLIT_WINDOW_BYTES &&
           next->at < heading_start(c);
}

/* The best place to stop among the words that fit: the end of a paragraph before that of a
 * sentence, before that of a line, before any word; of equals the last. */
static bool cut_window(struct cutter *c) {
    struct split_window w = {0}, best = {0};
    enum after best_after = AFTER_WORD;
    struct word word;
    size_t at = c->at;

    while (next_word(c->text, at, &word) && (!w.words || fits(c, &w, &word))) {
        if (!w.words) {
            pass_headings(c, word.at);
            w.at = word.at;
        }
        at = word.at + word.n;
        w.n = at - w.at;
        w.words++;
        if (word.after >= best_after || w.words <= SENTENCE_MIN) {
            best = w;
            best_after = w.words <= SENTENCE_MIN ? AFTER_WORD : word.after;
        }
    }
    if (!w.words)
        return false;
    if (!word.n || word.at >= heading_start(c)) /* the text or its section ends here */
        best = w;
    best.heading = c->heading;
    add_window(c, &best);
    c->at = best.at + best.n;
    return true;
}

/* --- passages --- */

static size_t windows_from(const struct split *s, size_t first) {
    size_t words = 0, n = 0;

    while (first + n < s->n_windows &&
           (!n || words + s->window[first + n].words / 2 < SPLIT_PASSAGE_WORDS))
        words += s->window[first + n++].words;
    return n;
}

/* Where the next passage starts so that it shares enough words with this one. */
static size_t next_first(const struct split *s, const struct split_passage *p) {
    size_t first = p->first + p->windows, words = 0;

    while (first > p->first + 1 && words < SPLIT_OVERLAP_WORDS)
        words += s->window[--first].words;
    return first;
}

static void make_passages(struct split *s) {
    struct split_passage p = {0};

    s->passage = mem_new((s->n_windows + 1) * sizeof *s->passage);
    while (p.first + p.windows < s->n_windows) {
        const struct split_window *last;

        p.first = s->n_passages ? next_first(s, &p) : 0;
        p.windows = windows_from(s, p.first);
        last = &s->window[p.first + p.windows - 1];
        p.at = s->window[p.first].at;
        p.n = last->at + last->n - p.at;
        s->passage[s->n_passages++] = p;
    }
}

void split_text(const struct doctext *t, struct split *out) {
    struct cutter c = {.t = t, .text = buf_view(&t->text), .out = out, .heading = SPLIT_NO_HEADING};

    *out = (struct split){0};
    while (cut_window(&c))
        ;
    make_passages(out);
}

void split_free(struct split *s) {
    free(s->window);
    free(s->passage);
    *s = (struct split){0};
}

/* --- headings --- */

/* The headings above and including this one, innermost first. */
static size_t chain(const struct doctext *t, size_t heading, struct view out[PATH_DEPTH]) {
    unsigned level = DOCTEXT_LEVELS + 1;
    size_t n = 0;

    for (size_t i = heading == SPLIT_NO_HEADING ? 0 : heading + 1; i-- > 0 && level > 1;)
        if (t->heading[i].level < level) {
            level = t->heading[i].level;
            out[n++] = view_of(t->text.p + t->heading[i].at, t->heading[i].n);
        }
    return n;
}

char *split_heading_path(const struct doctext *t, size_t heading, size_t max) {
    struct view above[PATH_DEPTH];
    cleanup_buf struct buf path = {0};
    size_t n = chain(t, heading, above);

    if (t->title.n && !(n && view_eq(above[n - 1], buf_view(&t->title))))
        above[n++] = buf_view(&t->title);
    while (n--) {
        buf_str(&path, path.n ? " > " : "");
        buf_add(&path, above[n].p, above[n].n);
    }
    return text_safe_new(buf_view(&path), TEXT_LINE, max);
}
