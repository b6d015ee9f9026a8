/* A verdict's tree as rows that fold, with a cursor. Reads `struct check`, owns none of it. */
#ifndef CDVM_TREE_H
#define CDVM_TREE_H

#include "attest/verdict.h"
#include "tui/list.h"

struct tree;
/* top and everything under it must outlive the tree. NULL gives a tree without rows. Folds
 * branches that are PASS all the way down until `height` rows hold the rest. */
struct tree *tree_new(const struct check *top, size_t height);
void tree_free(struct tree *t); /* NULL legal */

struct tree_row {
    const struct check *check;
    unsigned depth;
    bool branch, folded;
};
const struct list *tree_list(const struct tree *t); /* cursor over the rows in sight */
bool tree_row(const struct tree *t, size_t i, struct tree_row *out);
const struct check *tree_current(const struct tree *t); /* NULL when empty */

void tree_resize(struct tree *t, size_t height);
void tree_move(struct tree *t, enum list_move m);
void tree_fold(struct tree *t);  /* folds or unfolds the branch under the cursor */
void tree_left(struct tree *t);  /* folds it, or goes to the parent */
void tree_right(struct tree *t); /* unfolds it, or goes to the first child */
void tree_next_open(
    struct tree *t); /* the next line that is not PASS and counts, unfolding its way */
void tree_prev_open(struct tree *t); /* the one before */
/* The same cursor and folds on another verdict of the same job: lines are matched by id. */
void tree_adopt(struct tree *t, const struct tree *old);

#endif
