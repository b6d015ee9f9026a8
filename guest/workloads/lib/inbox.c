#include "inbox.h"

#include <string.h>

#define WAITING_MAX 64

struct inbox {
    struct lines *lines;
    const char *id;
    bool cancelled, gone;
    cJSON *waiting[WAITING_MAX];
    size_t n;
};

struct inbox *inbox_new(struct lines *l) {
    struct inbox *b = mem_new(sizeof *b);

    b->lines = l;
    return b;
}

void inbox_free(struct inbox *b) {
    if (!b)
        return;
    while (b->n)
        json_wipe(b->waiting[--b->n]);
    cleanup_free_fn(&b);
}

void inbox_work(struct inbox *b, const char *id) {
    b->id = id;
    b->cancelled = false;
}

static bool is_cancel(const struct inbox *b, const cJSON *o) {
    const char *type = json_opt(o, "t"), *id = json_opt(o, "id");

    return b->id && type && id && !strcmp(type, "cancel") && !strcmp(id, b->id);
}

bool inbox_stop(void *arg) {
    struct inbox *b = arg;
    cJSON *o;
    int rc;

    /* More than a few lines never wait, since the agent waits for answers; if they do, in the pipe.
     */
    while (!b->gone && b->n < WAITING_MAX && (rc = lines_next(b->lines, 0, &o))) {
        b->gone = rc < 0;
        if (rc < 0)
            break;
        if (is_cancel(b, o)) {
            b->cancelled = true;
            json_wipe(o);
        } else
            b->waiting[b->n++] = o;
    }
    return b->cancelled || b->gone;
}

cJSON *inbox_next(struct inbox *b) {
    cJSON *o;

    if (b->n) {
        o = b->waiting[0];
        memmove(b->waiting, b->waiting + 1, --b->n * sizeof b->waiting[0]);
        return o;
    }
    if (b->gone || lines_next(b->lines, -1, &o) == 1)
        return b->gone ? NULL : o;
    b->gone = true;
    return NULL;
}
