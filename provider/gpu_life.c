#include "gpu_life.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/dvm.h"
#include "core/loop.h"
#include "core/text.h"
#include "gpu_bind.h"

#define SMALL_MAX ((size_t)4096)
#define LEASE_TRIES 4 /* somebody else's look takes a shared lock for an instant */
#define LEASE_NAP_NS 5000000L

static int let_go_ms = 5000; /* for a killed QEMU to be gone */
static int boot_ms =
    10000; /* for the GPU's own firmware after a reset; NVIDIA's tool gives it 5 s */

const struct gpu_places gpu_host = {"/sys", "/proc", "/run/cdvm/gpu", "/var/lib/cdvm/gpu"};

struct gpu_life {
    struct gpu_places at; /* strings owned */
    struct gpu gpu;
    enum gpu_step step;
    int lease;
};

/* --- the order --- */

static const char *const step_names[GPU_STEPS] = {
    [GPU_FREE] = "free",         [GPU_ATTACHED] = "attached",
    [GPU_ATTESTED] = "attested", [GPU_READY] = "ready",
    [GPU_USED] = "in use",       [GPU_UNREADY] = "unready",
    [GPU_DETACHED] = "detached", [GPU_QUARANTINED] = "in quarantine"};
static const char *const act_names[GPU_ACTS] = {
    [GPU_ATTACH] = "attach", [GPU_ATTEST] = "attest", [GPU_GET_READY] = "ready", [GPU_USE] = "use",
    [GPU_UNUSE] = "unready", [GPU_DETACH] = "detach", [GPU_RESET] = "reset"};

/* QEMU may die at any step, so that detach is possible from each of a guest's. */
static const struct {
    enum gpu_step from;
    enum gpu_act act;
    enum gpu_step to;
} order[] = {
    {GPU_FREE, GPU_ATTACH, GPU_ATTACHED},     {GPU_ATTACHED, GPU_ATTEST, GPU_ATTESTED},
    {GPU_ATTESTED, GPU_GET_READY, GPU_READY}, {GPU_READY, GPU_USE, GPU_USED},
    {GPU_USED, GPU_UNUSE, GPU_UNREADY},       {GPU_ATTACHED, GPU_DETACH, GPU_DETACHED},
    {GPU_ATTESTED, GPU_DETACH, GPU_DETACHED}, {GPU_READY, GPU_DETACH, GPU_DETACHED},
    {GPU_USED, GPU_DETACH, GPU_DETACHED},     {GPU_UNREADY, GPU_DETACH, GPU_DETACHED},
    {GPU_DETACHED, GPU_RESET, GPU_FREE},
};

static enum gpu_step next_step(enum gpu_step from, enum gpu_act act) {
    for (size_t i = 0; i < COUNT(order); i++)
        if (order[i].from == from && order[i].act == act)
            return order[i].to;
    return GPU_STEPS;
}

/* --- acts --- */

static int look(struct gpu_life *l, struct err *e) {
    return gpu_find(l->at.sys, l->gpu.bdf, &l->gpu, e);
}

static int must_be_confidential(const struct gpu_life *l, struct err *e) {
    char why[GPU_CC_WHY];
    enum gpu_cc mode;

    if (!gpu_answers(l->at.sys, &l->gpu))
        return err_set(e, "gpu-unfit",
                       "%s does not answer (its configuration space is not its own): restart the "
                       "host if a reset does not help",
                       l->gpu.bdf);
    mode = gpu_cc_query(l->at.sys, &l->gpu, boot_ms, why);
    if (mode == GPU_CC_ON)
        return 0;
    if (mode == GPU_CC_UNKNOWN)
        return err_set(e, "gpu-unfit", "the CC mode of %s is not known: %s", l->gpu.bdf, why);
    return err_set(e, "gpu-unfit",
                   "the CC mode of %s is %s: set it once with `nvidia_gpu_tools.py "
                   "--set-cc-mode=on --reset-after-cc-mode-switch`",
                   l->gpu.bdf, gpu_cc_name(mode));
}

/* The lease's content is who held its functions before the first attach: kept over jobs, and
 * written before anything is taken. */
static int keep_record(const struct gpu_life *l, struct err *e) {
    cleanup_buf struct buf record = {0};

    if (lseek(l->lease, 0, SEEK_END) > 0)
        return 0;
    gpu_bind_record(&l->gpu, &record);
    if (record.n && (fd_write_all(l->lease, buf_view(&record), e) < 0 || fsync(l->lease) < 0))
        return err_set(e, "gpu-lease", "cannot write the lease of %s", l->gpu.bdf);
    return 0;
}

static int hold(struct gpu_life *l, struct err *e) {
    if (look(l, e) < 0 || keep_record(l, e) < 0 ||
        gpu_bind_take(l->at.sys, l->at.proc, &l->gpu, e) < 0 || look(l, e) < 0)
        return -1;
    return gpu_fit(&l->gpu, e);
}

static int act_attach(struct gpu_life *l, struct err *e) {
    return hold(l, e) < 0 ? -1 : must_be_confidential(l, e);
}

/* A killed QEMU lets go of the GPU when the kernel is done with it, and that may be never. */
static int must_be_let_go(const struct gpu_life *l, struct err *e) {
    const struct timespec nap = {.tv_nsec = 50000000L};
    int64_t until = loop_now() + let_go_ms;
    long pid;

    while ((pid = gpu_bind_guest(l->at.proc, &l->gpu)) && loop_now() < until)
        nanosleep(&nap, NULL);
    if (!pid)
        return 0;
    return err_set(e, "gpu-unfit",
                   "process %ld still has %s: a guest that does not end when killed", pid,
                   l->gpu.bdf);
}

static int act_reset(struct gpu_life *l, struct err *e) {
    if (hold(l, e) < 0 || must_be_let_go(l, e) < 0)
        return -1;
    if (gpu_bind_reset(l->at.sys, l->gpu.bdf, "flr", e) < 0 &&
        gpu_bind_reset(l->at.sys, l->gpu.bdf, "bus", e) < 0)
        return -1;
    return look(l, e) < 0 || gpu_fit(&l->gpu, e) < 0 ? -1 : must_be_confidential(l, e);
}

static int (*const acts[GPU_ACTS])(struct gpu_life *, struct err *) = {
    [GPU_ATTACH] = act_attach, [GPU_RESET] = act_reset};

/* --- what is remembered --- */

static char *lib_path(const struct gpu_places *at, const char *bdf, const char *ending) {
    return mem_fmt("%s/%s.%s", at->lib, bdf, ending);
}

/* So that whoever comes next knows in which step it was left. */
static int remember(const struct gpu_life *l, struct err *e) {
    cleanup_free char *path = lib_path(&l->at, l->gpu.bdf, "step");
    cleanup_free char *line = mem_fmt("%s\n", step_names[l->step]);

    return file_write(path, view_str(line), 0600, true, e);
}

static bool was_left_free(const struct gpu_places *at, const char *bdf) {
    cleanup_free char *path = lib_path(at, bdf, "step");
    cleanup_buf struct buf b = {0};

    if (access(path, F_OK) < 0)
        return errno == ENOENT;
    return file_read(path, SMALL_MAX, &b, NULL) == 0 && b.n &&
           strcspn((const char *)b.p, "\n") == strlen(step_names[GPU_FREE]) &&
           !strncmp((const char *)b.p, step_names[GPU_FREE], strlen(step_names[GPU_FREE]));
}

void gpu_life_doubt(struct gpu_life *l, const char *why) {
    cleanup_free char *path = lib_path(&l->at, l->gpu.bdf, "quarantine");
    cleanup_free char *safe = text_safe_new(view_str(why), TEXT_LINE, 400);
    cleanup_free char *line = mem_fmt("%s\n", safe);

    l->step = GPU_QUARANTINED;
    (void)!file_write(path, view_str(line), 0600, true, NULL);
    (void)!remember(l, NULL);
}

int gpu_life_act(struct gpu_life *l, enum gpu_act act, struct err *e) {
    enum gpu_step to = next_step(l->step, act);
    struct err why = {0};

    if (to == GPU_STEPS)
        return err_set(e, "bad-order", "GPU %s is %s: '%s' does not follow", l->gpu.bdf,
                       step_names[l->step], act_names[act]);
    if (!acts[act] || acts[act](l, &why) == 0) {
        l->step = to;
        if (remember(l, &why) == 0)
            return 0;
    }
    if (!strcmp(why.code, "gpu-in-use")) { /* by the host, before anything was done with it */
        *e = why;
        return -1;
    }
    gpu_life_doubt(l, why.text);
    return err_set(e, why.code, "GPU %s is in quarantine: %.400s", l->gpu.bdf, why.text);
}

int gpu_life_give_back(struct gpu_life *l, struct err *e) {
    cleanup_free char *path = mem_fmt("%s/%s.lease", l->at.run, l->gpu.bdf);
    cleanup_buf struct buf record = {0};

    if (l->step != GPU_FREE)
        return 0;
    if (file_read(path, SMALL_MAX, &record, e) < 0 ||
        gpu_bind_back(l->at.sys, buf_view(&record), e) < 0)
        return -1;
    return ftruncate(l->lease, 0) < 0 ? err_sys(e, errno, "cannot empty '%s'", path) : 0;
}

/* --- lease and quarantine --- */

static bool quarantine_reason(const struct gpu_places *at, const char *bdf,
                              char why[static GPU_CC_WHY]) {
    cleanup_free char *path = lib_path(at, bdf, "quarantine");
    cleanup_buf struct buf b = {0};

    why[0] = 0;
    if (access(path, F_OK) < 0 && errno == ENOENT)
        return false;
    if (file_read(path, SMALL_MAX, &b, NULL) == 0 && b.n) {
        b.p[strcspn((const char *)b.p, "\n")] = 0;
        text_clip(why, GPU_CC_WHY, (const char *)b.p);
    }
    return true;
}

static int check_quarantine(const struct gpu_life *l, struct err *e) {
    char why[GPU_CC_WHY];

    if (!quarantine_reason(&l->at, l->gpu.bdf, why))
        return 0;
    return err_set(e, "gpu-quarantined",
                   "GPU %s is in quarantine (%s): see to it, then `cdvm provider --clear-gpu %s`",
                   l->gpu.bdf, why, l->gpu.bdf);
}

static bool lock_lease(int fd, int how) {
    const struct timespec nap = {.tv_nsec = LEASE_NAP_NS};

    for (int i = 0; i < LEASE_TRIES; i++) {
        if (flock(fd, how | LOCK_NB) == 0)
            return true;
        nanosleep(&nap, NULL);
    }
    return false;
}

static int take_lease(struct gpu_life *l, struct err *e) {
    cleanup_free char *path = mem_fmt("%s/%s.lease", l->at.run, l->gpu.bdf);

    l->lease = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
    if (l->lease < 0)
        return err_sys(e, errno, "cannot open '%s'", path);
    (void)fchmod(l->lease, 0660); /* for other providers of the folder's group */
    if (!lock_lease(l->lease, LOCK_EX))
        return err_set(e, "gpu-leased", "GPU %s is leased to another job", l->gpu.bdf);
    l->step = was_left_free(&l->at, l->gpu.bdf) ? GPU_FREE : GPU_DETACHED;
    return 0;
}

static struct gpu_life *lease(const struct gpu_places *at, const char *bdf, struct err *e) {
    struct gpu_life *l = mem_new(sizeof *l);

    l->at = (struct gpu_places){mem_str(at->sys), mem_str(at->proc), mem_str(at->run),
                                mem_str(at->lib)};
    l->lease = -1;
    if (gpu_find(at->sys, bdf, &l->gpu, e) == 0 && take_lease(l, e) == 0)
        return l;
    gpu_life_free(l);
    return NULL;
}

struct gpu_life *gpu_life_new(const struct gpu_places *at, const char *bdf, struct err *e) {
    struct gpu_life *l = lease(at, bdf, e);

    if (!l || check_quarantine(l, e) == 0)
        return l;
    gpu_life_free(l);
    return NULL;
}

void gpu_life_free(struct gpu_life *l) {
    if (!l)
        return;
    if (l->lease >= 0)
        close(l->lease);
    free((char *)(uintptr_t)l->at.sys);
    free((char *)(uintptr_t)l->at.proc);
    free((char *)(uintptr_t)l->at.run);
    free((char *)(uintptr_t)l->at.lib);
    free(l);
}

int gpu_life_clear(const struct gpu_places *at, const char *bdf, struct err *e) {
    struct gpu_life *l = lease(at, bdf, e);
    cleanup_free char *path = lib_path(at, bdf, "quarantine");
    int rc;

    if (!l)
        return -1;
    l->step = GPU_DETACHED;
    rc = gpu_life_act(l, GPU_RESET, e);
    if (rc == 0 && unlink(path) < 0 && errno != ENOENT)
        rc = err_sys(e, errno, "cannot remove '%s'", path);
    if (rc == 0)
        rc = gpu_life_give_back(l, e);
    gpu_life_free(l);
    return rc;
}

/* --- looking --- */

static bool is_leased(const struct gpu_places *at, const char *bdf) {
    cleanup_free char *path = mem_fmt("%s/%s.lease", at->run, bdf);
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0;
}

enum gpu_standing gpu_life_standing(const struct gpu_places *at, const char *bdf,
                                    char why[static GPU_CC_WHY]) {
    if (quarantine_reason(at, bdf, why))
        return GPU_STANDS_QUARANTINED;
    if (is_leased(at, bdf))
        return GPU_STANDS_LEASED;
    return was_left_free(at, bdf) ? GPU_STANDS_FREE : GPU_STANDS_LEFT;
}

const char *gpu_standing_name(enum gpu_standing s) {
    static const char *const names[] = {[GPU_STANDS_FREE] = "free",
                                        [GPU_STANDS_LEASED] = "leased",
                                        [GPU_STANDS_LEFT] = "to be reset",
                                        [GPU_STANDS_QUARANTINED] = "in quarantine"};

    return names[s];
}

static int make_folder(const char *path, struct err *e) {
    cleanup_free char *copy = mem_str(path);
    char *last = strrchr(copy, '/');

    *last = 0;
    if ((mkdir(copy, 0755) < 0 && errno != EEXIST) || (mkdir(path, 0700) < 0 && errno != EEXIST))
        return err_sys(e, errno,
                       "cannot make '%s' (a provider with GPUs runs as root, or as the user that "
                       "qemu-scripts/prepare-host.sh was told)",
                       path);
    return 0;
}

int gpu_places_make(const struct gpu_places *at, struct err *e) {
    return make_folder(at->run, e) < 0 || make_folder(at->lib, e) < 0 ? -1 : 0;
}

enum gpu_step gpu_life_step(const struct gpu_life *l) {
    return l->step;
}
const struct gpu *gpu_life_gpu(const struct gpu_life *l) {
    return &l->gpu;
}
