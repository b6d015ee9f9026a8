/* A document's text cut into windows, and windows into passages.
 *
 * A window is one to a few sentences under one heading: what a vector stands for. A passage is a
 * run of windows of about 200 words: what is shown and given to the model. Neighbouring passages
 * share windows of 20 words or more, so what is said within 20 words lies whole in one of them. */
#ifndef CDVM_WORKLOAD_SPLIT_H
#define CDVM_WORKLOAD_SPLIT_H

#include "doctext.h"

#define SPLIT_WINDOW_WORDS 60  /* at most */
#define SPLIT_WINDOW_BYTES 420 /* at most: a model takes few tokens, and a byte can be one */
#define SPLIT_PASSAGE_WORDS 200
#define SPLIT_OVERLAP_WORDS 20
#define SPLIT_NO_HEADING SIZE_MAX

struct split_window {
    size_t at, n;   /* within the text, white space at the ends left out; n > 0 */
    size_t words;   /* 1 .. SPLIT_WINDOW_WORDS; a run of WORD_BYTES without a space counts as one */
    size_t heading; /* the heading it stands under (its number), or SPLIT_NO_HEADING */
};
struct split_passage {
    size_t at, n;
    size_t first, windows; /* its windows: first .. first + windows - 1 */
};
struct split {
    struct split_window *window;
    struct split_passage *passage;
    size_t n_windows, n_passages, words;
};

/* A function of the text alone. */
void split_text(const struct doctext *t, struct split *out);
void split_free(struct split *s);

/* "Title > Section > Part": the headings above `heading`, outermost first, sanitised to one line of
 * at most `max` characters; "" when there are none. Owned. */
char *split_heading_path(const struct doctext *t, size_t heading, size_t max);

#endif
