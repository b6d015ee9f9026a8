#include "tui/list.h"

static void list_show(struct list *l) {
    size_t most = l->n > l->height ? l->n - l->height : 0;

    if (l->cur < l->top)
        l->top = l->cur;
    if (l->cur >= l->top + l->height)
        l->top = l->cur - l->height + 1;
    if (l->top > most)
        l->top = most;
}

void list_to(struct list *l, size_t i) {
    l->cur = l->n == 0 ? 0 : i < l->n ? i : l->n - 1;
    list_show(l);
}

void list_resize(struct list *l, size_t n, size_t height) {
    l->n = n;
    l->height = height > 0 ? height : 1;
    list_to(l, l->cur);
}

void list_move(struct list *l, enum list_move m) {
    size_t page = l->height > 1 ? l->height - 1 : 1;

    switch (m) {
    case LIST_UP:
        list_to(l, l->cur > 0 ? l->cur - 1 : 0);
        return;
    case LIST_DOWN:
        list_to(l, l->cur + 1);
        return;
    case LIST_PAGE_UP:
        list_to(l, l->cur > page ? l->cur - page : 0);
        return;
    case LIST_PAGE_DOWN:
        list_to(l, l->cur + page);
        return;
    case LIST_TOP:
        list_to(l, 0);
        return;
    case LIST_BOTTOM:
        list_to(l, l->n);
        return;
    }
}
