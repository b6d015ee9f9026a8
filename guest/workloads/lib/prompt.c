#include "prompt.h"

#include <stdlib.h>
#include <string.h>
#include "core/json.h"
#include "core/text.h"

#define PASSAGE_MIN ((size_t)120) /* bytes: below it a passage says nothing */
/* A token is seldom over 16 bytes of text, so more turns than this cannot fit: they are not even
 * counted. */
#define BYTES_PER_TOKEN 16

/* --- history --- */

static void forget_turn(struct prompt_turn *t) {
    explicit_bzero(t->question, strlen(t->question));
    explicit_bzero(t->answer, strlen(t->answer));
    free(t->question);
    free(t->answer);
}

void prompt_remember(struct prompt_history *h, size_t most, const char *question,
                     struct view answer) {
    if (!most)
        return;
    while (h->n >= (most < PROMPT_TURNS_MAX ? most : PROMPT_TURNS_MAX)) {
        forget_turn(&h->turn[0]);
        memmove(&h->turn[0], &h->turn[1], --h->n * sizeof h->turn[0]);
    }
    h->turn[h->n++] = (struct prompt_turn){mem_str(question), mem_strn(answer.p, answer.n)};
}

void prompt_forget(struct prompt_history *h) {
    while (h->n)
        forget_turn(&h->turn[--h->n]);
}

/* --- one try --- */

static void write_message(struct jw *w, const char *role, struct view content) {
    jw_obj(w);
    jw_kstr(w, "role", role);
    jw_key(w, "content");
    jw_view(w, content);
    jw_end_obj(w);
}

static size_t whole_chars(struct view v, size_t max) {
    size_t n = v.n < max ? v.n : max;

    while (n && n < v.n && (v.p[n] & 0xc0) == 0x80)
        n--;
    return n;
}

/* "[1] lease.txt: text": white space folded, so that a passage is one line and cannot pass for the
 * next one's number or for the question. */
static void write_passage(const struct prompt_passage *p, size_t number, size_t max,
                          struct buf *out) {
    struct view cut = view_of(p->text.p, whole_chars(p->text, max));
    cleanup_buf struct buf text = {0};
    cleanup_free char *name = text_safe_new(view_str(p->name), TEXT_LINE, 80);

    (void)text_safe(cut, TEXT_LINE, cut.n + 1, &text);
    buf_fmt(out, "[%zu] %s: ", number, name);
    buf_add(out, text.p, text.n);
    buf_str(out, "\n");
}

static void write_question(const struct prompt *p, const struct prompt_fit *fit, struct buf *out) {
    for (size_t i = 0; i < fit->passages; i++)
        write_passage(&p->passage[i], i + 1, fit->passage_bytes, out);
    if (fit->passages)
        buf_str(out, "\nQuestion: ");
    buf_str(out, p->question);
}

static void write_messages(const struct prompt *p, const struct prompt_fit *fit, struct buf *out) {
    cleanup_buf struct buf last = {0};
    struct jw w = jw_new(out);

    jw_arr(&w);
    if (p->system)
        write_message(&w, "system", view_str(p->system));
    for (size_t i = p->history->n - fit->turns; i < p->history->n; i++) {
        write_message(&w, "user", view_str(p->history->turn[i].question));
        write_message(&w, "assistant", view_str(p->history->turn[i].answer));
    }
    write_question(p, fit, &last);
    write_message(&w, "user", buf_view(&last));
    jw_end_arr(&w);
}

/* --- until it fits --- */

static bool give_up_some(struct prompt_fit *fit) {
    if (fit->turns)
        fit->turns--;
    else if (fit->passages && fit->passage_bytes / 2 >= PASSAGE_MIN)
        fit->passage_bytes /= 2;
    else if (fit->passages)
        fit->passages--;
    else
        return false;
    return true;
}

static size_t turns_worth_a_try(const struct prompt_history *h, uint32_t budget) {
    size_t bytes = 0, n = 0;

    while (n < h->n) {
        const struct prompt_turn *t = &h->turn[h->n - 1 - n];

        bytes += strlen(t->question) + strlen(t->answer);
        if (bytes > (size_t)budget * BYTES_PER_TOKEN)
            break;
        n++;
    }
    return n;
}

int prompt_make(const struct prompt *p, uint32_t budget, prompt_count count, void *arg,
                struct buf *out, struct prompt_fit *fit, struct err *e) {
    *fit = (struct prompt_fit){
        .turns = turns_worth_a_try(p->history, budget),
        .passages = p->n_passages < PROMPT_PASSAGES_MAX ? p->n_passages : PROMPT_PASSAGES_MAX,
        .passage_bytes = p->passage_bytes};
    do {
        cleanup_buf struct buf messages = {0};

        write_messages(p, fit, &messages);
        if (count(arg, buf_view(&messages), &fit->tokens, e))
            return -1;
        if (fit->tokens <= budget) {
            buf_add(out, messages.p, messages.n);
            return 0;
        }
    } while (give_up_some(fit));
    return err_set(e, "too-long",
                   "the question has %u tokens and there is room for %u: ask a shorter one",
                   fit->tokens, budget);
}
