#include "gpu_pool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"

#define LEASE_ENDING ".lease"

/* What a GPU is busy with in its thread. */
enum work { WORK_NONE, WORK_ATTACH, WORK_RESET };

struct gpu_use {
    struct gpu_pool *pool;
    char bdf[BDF_TEXT];
    char arch[16];
    bool rented;           /* named by the configuration; else left by a provider that is gone */
    int owners;            /* shared lock: this provider may use it; -1 */
    struct gpu_life *life; /* NULL: not leased by us */
    bool held;             /* by a job */
    enum work work;
    pthread_t thread;
    int wake; /* eventfd: the thread has ended */
    struct loop_fd *watch;
    struct err why; /* of the thread's failure */
    bool failed;
    gpu_use_fn *fn;
    void *arg;
};

struct gpu_pool {
    struct loop *loop;
    const struct gpu_places *at;
    gpu_pool_fn *changed;
    void *arg;
    struct gpu_use use[GPU_POOL_MAX];
    size_t n;
};

static void tell(struct gpu_pool *p, const char *said) {
    p->changed(p->arg, said);
}

/* --- the thread: one attach or one reset --- */

/* A GPU that was left in the middle is reset before it is attached. */
static int work(struct gpu_use *u) {
    if (gpu_life_step(u->life) == GPU_DETACHED && gpu_life_act(u->life, GPU_RESET, &u->why) < 0)
        return -1;
    return u->work == WORK_ATTACH ? gpu_life_act(u->life, GPU_ATTACH, &u->why) : 0;
}

static void *thread_main(void *arg) {
    struct gpu_use *u = arg;
    const uint64_t one = 1;

    u->failed = work(u) < 0;
    (void)!write(u->wake, &one, sizeof one);
    return NULL;
}

/* All signals are the main thread's. */
static int start_thread(struct gpu_use *u) {
    sigset_t all, was;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &was);
    rc = pthread_create(&u->thread, NULL, thread_main, u);
    pthread_sigmask(SIG_SETMASK, &was, NULL);
    return rc;
}

static void begin(struct gpu_use *u, enum work w) {
    u->work = w;
    if (start_thread(u) == 0)
        return;
    gpu_life_doubt(u->life, "no thread could be started to reset it");
    err_set(&u->why, "gpu-unfit", "no thread could be started for GPU %s", u->bdf);
    u->failed = true;
    u->work = WORK_NONE;
}

/* --- the end of a use --- */

static bool sole_owner(const struct gpu_use *u) {
    return u->owners >= 0 && flock(u->owners, LOCK_EX | LOCK_NB) == 0;
}

static void give_back(struct gpu_use *u) {
    struct err e;

    if (u->life && sole_owner(u) && gpu_life_give_back(u->life, &e) < 0)
        log_line(LOG_WARN, "gpu", "%s", e.text);
}

static void release(struct gpu_use *u) {
    if (!u->rented) {
        give_back(u);
        (void)flock(u->owners, LOCK_UN);
    }
    gpu_life_free(u->life);
    u->life = NULL;
    u->held = false;
}

/* The lease ends before the last word: who hears it may take the next at once. */
static void over(struct gpu_use *u) {
    gpu_use_fn *fn = u->fn;
    const struct err why = u->why;
    bool failed = u->failed;

    release(u);
    u->fn = NULL;
    if (failed)
        log_line(LOG_ERROR, "gpu", "%s", why.text);
    if (fn)
        fn(u->arg, failed ? &why : NULL);
    tell(u->pool, failed ? why.text : NULL);
}

/* From each of a guest's steps; one that is in quarantine stays as it is. */
static void end_guest(struct gpu_use *u) {
    u->failed = gpu_life_step(u->life) == GPU_QUARANTINED;
    if (u->failed && !u->why.code[0])
        err_set(&u->why, "gpu-quarantined", "GPU %s is in quarantine", u->bdf);
    if (!u->failed && gpu_life_step(u->life) != GPU_FREE && gpu_life_step(u->life) != GPU_DETACHED)
        u->failed = gpu_life_act(u->life, GPU_DETACH, &u->why) < 0;
}

static void reset(struct gpu_use *u) {
    end_guest(u);
    if (!u->failed && gpu_life_step(u->life) == GPU_DETACHED)
        begin(u, WORK_RESET);
    if (u->work == WORK_NONE)
        over(u);
}

static void attached(struct gpu_use *u) {
    gpu_use_fn *fn = u->fn;

    if (!u->held) { /* the job ended meanwhile */
        reset(u);
        return;
    }
    u->fn = NULL;
    fn(u->arg, u->failed ? &u->why : NULL);
}

static void on_wake(void *arg, unsigned ready) {
    struct gpu_use *u = arg;
    enum work was = u->work;
    uint64_t count;

    (void)ready;
    if (read(u->wake, &count, sizeof count) != (ssize_t)sizeof count || was == WORK_NONE)
        return;
    pthread_join(u->thread, NULL);
    u->work = WORK_NONE;
    if (was == WORK_ATTACH)
        attached(u);
    else
        over(u);
}

/* --- a use --- */

static bool is_free(const struct gpu_use *u) {
    char why[GPU_CC_WHY];
    enum gpu_standing s = gpu_life_standing(u->pool->at, u->bdf, why);

    return u->rented && !u->life && u->work == WORK_NONE &&
           (s == GPU_STANDS_FREE || s == GPU_STANDS_LEFT);
}

static bool lease(struct gpu_use *u, gpu_use_fn *fn, void *arg) {
    if (!is_free(u) || !(u->life = gpu_life_new(u->pool->at, u->bdf, NULL)))
        return false; /* another provider may have been quicker */
    u->fn = fn;
    u->arg = arg;
    u->held = true;
    u->failed = false;
    u->why = (struct err){0};
    begin(u, WORK_ATTACH);
    if (u->work == WORK_ATTACH)
        return true;
    log_line(LOG_ERROR, "gpu", "%s", u->why.text);
    release(u);
    return false;
}

static struct gpu_use *lease_from(struct gpu_pool *p, size_t i, gpu_use_fn *fn, void *arg) {
    for (; i < p->n; i++)
        if (lease(&p->use[i], fn, arg))
            return &p->use[i];
    return NULL;
}

struct gpu_use *gpu_use_new(struct gpu_pool *p, gpu_use_fn *fn, void *arg, struct err *e) {
    struct gpu_use *u = p ? lease_from(p, 0, fn, arg) : NULL;

    if (u)
        return u;
    if (gpu_pool_count(p).good)
        err_set(e, "gpu-busy", "all GPUs that this provider has are in use");
    else
        err_set(e, "no-gpu", "no GPU of this provider is fit for a guest now");
    return NULL;
}

/* Those before it were tried, or had by others. */
struct gpu_use *gpu_use_next(struct gpu_use *u, gpu_use_fn *fn, void *arg) {
    struct gpu_pool *p = u->pool;
    struct gpu_use *next = lease_from(p, (size_t)(u - p->use) + 1, fn, arg);

    if (next)
        gpu_use_end(u, NULL, NULL);
    return next;
}

const struct gpu *gpu_use_gpu(const struct gpu_use *u) {
    return gpu_life_gpu(u->life);
}

enum gpu_step gpu_use_step(const struct gpu_use *u) {
    return gpu_life_step(u->life);
}

void gpu_use_act(struct gpu_use *u, enum gpu_act act) {
    struct err e;

    if (gpu_life_step(u->life) == GPU_QUARANTINED || gpu_life_act(u->life, act, &e) == 0)
        return;
    log_line(LOG_ERROR, "gpu", "%s", e.text);
    gpu_life_doubt(u->life, e.text);
}

void gpu_use_doubt(struct gpu_use *u, const char *why) {
    gpu_life_doubt(u->life, why);
}

void gpu_use_end(struct gpu_use *u, gpu_use_fn *done, void *arg) {
    u->held = false;
    u->fn = done;
    u->arg = arg;
    if (u->work == WORK_NONE)
        reset(u);
}

/* --- the pool --- */

static int open_owners(struct gpu_use *u, struct err *e) {
    cleanup_free char *path = mem_fmt("%s/%s.owners", u->pool->at->run, u->bdf);

    u->owners = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
    if (u->owners >= 0)
        (void)fchmod(u->owners, 0660);
    u->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    u->watch = u->wake < 0 ? NULL : loop_fd_add(u->pool->loop, u->wake, LOOP_IN, on_wake, u);
    if (u->owners < 0 || !u->watch)
        return err_sys(e, errno, "cannot open '%s'", path);
    return 0;
}

static struct gpu_use *add(struct gpu_pool *p, const char *bdf, bool rented, struct err *e) {
    struct gpu_use *u = &p->use[p->n];
    struct gpu g;

    if (p->n == GPU_POOL_MAX || gpu_find(p->at->sys, bdf, &g, e) < 0)
        return NULL;
    *u = (struct gpu_use){.pool = p, .rented = rented, .owners = -1, .wake = -1};
    memcpy(u->bdf, g.bdf, BDF_TEXT);
    snprintf(u->arch, sizeof u->arch, "%s", gpu_arch(&g));
    p->n++;
    return open_owners(u, e) < 0 ? NULL : u;
}

/* Left in the middle by a holder that died: reset before anybody asks for it. */
static void mend(struct gpu_use *u) {
    char why[GPU_CC_WHY];
    struct err e;

    if (gpu_life_standing(u->pool->at, u->bdf, why) != GPU_STANDS_LEFT)
        return;
    u->life = gpu_life_new(u->pool->at, u->bdf, &e);
    if (u->life)
        begin(u, WORK_RESET);
}

static bool known(const struct gpu_pool *p, const char *bdf) {
    for (size_t i = 0; i < p->n; i++)
        if (!strcmp(p->use[i].bdf, bdf))
            return true;
    return false;
}

/* Of a provider that ended without a word and is not coming back with these GPUs: whose lease has a
 * record, and which nobody owns. */
static void adopt(struct gpu_pool *p, const char *bdf) {
    struct gpu_use *u = known(p, bdf) ? NULL : add(p, bdf, false, NULL);

    if (!u || !sole_owner(u))
        return;
    mend(u);
    if (u->work == WORK_NONE && !u->life)
        u->life = gpu_life_new(p->at, bdf, NULL);
    if (u->work == WORK_NONE)
        release(u);
}

static void adopt_all(struct gpu_pool *p) {
    DIR *d = opendir(p->at->run);
    struct dirent *ent;
    char bdf[BDF_TEXT];

    while (d && (ent = readdir(d))) {
        snprintf(bdf, sizeof bdf, "%.*s", (int)sizeof bdf - 1, ent->d_name);
        if (bdf_ok(bdf) && !strcmp(ent->d_name + strlen(bdf), LEASE_ENDING))
            adopt(p, bdf);
    }
    if (d)
        closedir(d);
}

static int open_all(struct gpu_pool *p, const char *const *bdf, size_t n, struct err *e) {
    if (gpu_places_make(p->at, e) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        struct gpu_use *u = add(p, bdf[i], true, e);

        if (!u)
            return -1;
        if (flock(u->owners, LOCK_SH | LOCK_NB) < 0)
            return err_set(e, "gpu-leased", "GPU %s is being given back by another provider",
                           bdf[i]);
        mend(u);
    }
    return 0;
}

struct gpu_pool *gpu_pool_new(struct loop *l, const struct gpu_places *at, const char *const *bdf,
                              size_t n, gpu_pool_fn *changed, void *arg, struct err *e) {
    struct gpu_pool *p = mem_new(sizeof *p);

    *p = (struct gpu_pool){.loop = l, .at = at, .changed = changed, .arg = arg};
    if (open_all(p, bdf, n, e) == 0) {
        adopt_all(p);
        return p;
    }
    gpu_pool_free(p);
    return NULL;
}

/* Synchronously, what the loop would have done. */
static void finish(struct gpu_use *u) {
    struct err e;

    if (u->work != WORK_NONE) {
        pthread_join(u->thread, NULL);
        u->work = WORK_NONE;
    }
    if (u->life) {
        end_guest(u);
        if (gpu_life_step(u->life) == GPU_DETACHED && gpu_life_act(u->life, GPU_RESET, &e) < 0)
            log_line(LOG_ERROR, "gpu", "%s", e.text);
    } else {
        u->life = gpu_life_new(u->pool->at, u->bdf, NULL);
    }
    give_back(u);
    gpu_life_free(u->life);
}

void gpu_pool_free(struct gpu_pool *p) {
    if (!p)
        return;
    for (size_t i = 0; i < p->n; i++) {
        struct gpu_use *u = &p->use[i];

        finish(u);
        loop_fd_del(u->watch);
        if (u->wake >= 0)
            close(u->wake);
        if (u->owners >= 0)
            close(u->owners);
    }
    free(p);
}

struct gpu_count gpu_pool_count(const struct gpu_pool *p) {
    struct gpu_count c = {0, 0};
    char why[GPU_CC_WHY];

    for (size_t i = 0; p && i < p->n; i++) {
        const struct gpu_use *u = &p->use[i];

        c.good += u->rented && gpu_life_standing(p->at, u->bdf, why) != GPU_STANDS_QUARANTINED;
        c.free += is_free(u);
    }
    return c;
}

const char *gpu_pool_arch(const struct gpu_pool *p) {
    return p && p->n ? p->use[0].arch : "";
}

void gpu_pool_each(const struct gpu_pool *p, void (*fn)(void *arg, const char *line), void *arg) {
    char why[GPU_CC_WHY];

    for (size_t i = 0; p && i < p->n; i++) {
        enum gpu_standing s = gpu_life_standing(p->at, p->use[i].bdf, why);
        cleanup_free char *line =
            mem_fmt("%s %s%s%s", p->use[i].bdf, gpu_standing_name(s), why[0] ? ": " : "", why);

        if (p->use[i].rented)
            fn(arg, line);
    }
}
