#include "load.h"

#include "disk.h"

#define STEP_BYTES ((size_t)8 << 20)

enum { WORK, MODEL, DISKS };

struct load {
    const struct cmdline *what;
    struct load_handler h;
    void *arg;
    struct secret *model_key; /* until the disk is open */
    struct loop_timer *timer;
    struct disk *disk[DISKS];
    int at; /* the disk in work */
};

static const struct volume *volume_of(const struct load *l) {
    if (l->at == WORK)
        return &l->what->work;
    return l->what->has_model ? &l->what->model : NULL;
}

static struct disk *open_disk(struct load *l, const struct volume *v, struct err *e) {
    static const char *const serials[DISKS] = {"work", "model"};
    struct disk *d = disk_open(serials[l->at], v, l->at == MODEL ? l->model_key : NULL, e);

    if (l->at == MODEL) {
        secret_free(l->model_key);
        l->model_key = NULL;
    }
    return d;
}

/* 1 = this disk is in memory and mounted, 0 = more to do, -1 = error */
static int step(struct load *l, const struct volume *v, struct err *e) {
    struct disk **d = &l->disk[l->at];
    int rc;

    if (!*d && !(*d = open_disk(l, v, e)))
        return -1;
    rc = disk_copy(*d, STEP_BYTES, e);
    return rc == 1 && disk_mount(*d, e) ? -1 : rc;
}

static void on_turn(void *arg) {
    struct load *l = arg;
    const struct volume *v = volume_of(l);
    struct err e;
    int rc = v ? step(l, v, &e) : 1;

    if (rc < 0) {
        l->h.failed(l->arg, &e);
        return;
    }
    l->at += rc;
    if (l->at == DISKS)
        l->h.loaded(l->arg);
    else
        loop_timer_set(l->timer, loop_now());
}

struct load *load_start(struct loop *loop, const struct cmdline *what, struct secret *model_key,
                        const struct load_handler *h, void *arg) {
    struct load *l = mem_new(sizeof *l);

    l->what = what;
    l->model_key = model_key;
    l->h = *h;
    l->arg = arg;
    l->timer = loop_timer_add(loop, loop_now(), on_turn, l);
    return l;
}

void load_free(struct load *l) {
    if (!l)
        return;
    loop_timer_del(l->timer);
    secret_free(l->model_key);
    for (int i = 0; i < DISKS; i++)
        disk_free(l->disk[i]);
    cleanup_free_fn(&l);
}

const char *load_work(const struct load *l) {
    return disk_dir(l->disk[WORK]);
}

const char *load_model(const struct load *l) {
    return l->disk[MODEL] ? disk_dir(l->disk[MODEL]) : NULL;
}
