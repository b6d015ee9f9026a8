#include "questions.h"

#include <stdlib.h>
#include <string.h>

#include "core/msg.h"
#include "core/text.h"

void questions_add(struct questions *q, struct view text) {
    q->v = mem_grow(q->v, (q->n + 1) * sizeof *q->v);
    q->v[q->n++] = mem_strn(text.p, text.n);
}

void questions_free(struct questions *q) {
    while (q->n) {
        char *text = q->v[--q->n];

        explicit_bzero(text, strlen(text));
        free(text);
    }
    free(q->v);
    *q = (struct questions){0};
}

static bool blank(struct view v) {
    for (size_t i = 0; i < v.n; i++)
        if (!strchr(" \t\r\n\v\f", v.p[i]))
            return false;
    return true;
}

/* Cuts the next line off, without its end. */
static struct view next_line(struct view *rest) {
    const uint8_t *end = memchr(rest->p, '\n', rest->n);
    size_t n = end ? (size_t)(end - rest->p) : rest->n;
    struct view line = view_of(rest->p, n);

    *rest = view_of(rest->p + n + (end != NULL), rest->n - n - (end != NULL));
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    return line;
}

static int take(struct questions *q, struct view text, size_t line, struct err *e) {
    if (blank(text))
        return 0;
    if (q->n == QUESTIONS_MAX)
        return err_set(e, "bad-questions", "more than %d questions", QUESTIONS_MAX);
    if (text.n > MSG_CONTENT_MAX)
        return err_set(e, "too-large", "the question that ends in line %zu has %zu bytes, over %zu",
                       line, text.n, MSG_CONTENT_MAX);
    questions_add(q, text);
    return 0;
}

static int take_all(struct view rest, struct questions *out, struct err *e) {
    cleanup_buf struct buf text = {0};
    int rc = 0;

    for (size_t line = 1; rest.n && !rc; line++) {
        struct view v = next_line(&rest);
        bool goes_on = v.n && v.p[v.n - 1] == '\\' && rest.n;

        buf_add(&text, v.p, v.n - goes_on);
        if (goes_on) {
            buf_str(&text, "\n");
            continue;
        }
        rc = take(out, buf_view(&text), line, e);
        buf_wipe(&text);
    }
    return rc;
}

int questions_parse(struct view text, struct questions *out, struct err *e) {
    *out = (struct questions){0};
    if (!utf8_valid(text) || memchr(text.p ? text.p : (const void *)"", 0, text.n))
        return err_set(e, "bad-questions", "the questions are not UTF-8 text");
    if (take_all(text, out, e)) {
        questions_free(out);
        return -1;
    }
    return out->n ? 0 : err_set(e, "bad-questions", "there is no question in it");
}
