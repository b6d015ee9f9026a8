/* A cursor in n rows of which `height` are in sight: shared by lists, trees and pagers. Plain data.
 */
#ifndef CDVM_LIST_H
#define CDVM_LIST_H

#include <stddef.h>

struct list {
    size_t n;      /* rows */
    size_t cur;    /* under the cursor; 0 when empty */
    size_t top;    /* first in sight */
    size_t height; /* in sight; at least 1 */
};

enum list_move { LIST_UP, LIST_DOWN, LIST_PAGE_UP, LIST_PAGE_DOWN, LIST_TOP, LIST_BOTTOM };

void list_resize(struct list *l, size_t n,
                 size_t height); /* keeps the cursor in bounds and in sight */
void list_move(struct list *l, enum list_move m);
void list_to(struct list *l, size_t i);

#endif
