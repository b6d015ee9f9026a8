#include "gpu_life.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/text.h"

#define PAGE 4096u

struct gpu_life {
    char *sys, *dir;
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

/* --- files of the device --- */

static int put(const struct gpu_life *l, const char *bdf, const char *file, const char *value,
               struct err *e) {
    cleanup_free char *path = mem_fmt("%s/bus/pci/devices/%s/%s", l->sys, bdf, file);
    cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, value, strlen(value)) != (ssize_t)strlen(value))
        return err_sys(e, errno, "cannot write '%s' to '%s'", value, path);
    return 0;
}

static int probe(const struct gpu_life *l, const char *bdf, struct err *e) {
    cleanup_free char *path = mem_fmt("%s/bus/pci/drivers_probe", l->sys);
    cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, bdf, strlen(bdf)) != (ssize_t)strlen(bdf))
        return err_sys(e, errno, "cannot write '%s' to '%s'", bdf, path);
    return 0;
}

/* driver_override binds this one function, where new_id would take every card of its kind. */
static int bind_vfio(const struct gpu_life *l, const char *bdf, const char *driver, struct err *e) {
    if (!strcmp(driver, "vfio-pci"))
        return 0;
    if (put(l, bdf, "driver_override", "vfio-pci", e) < 0 ||
        (driver[0] && put(l, bdf, "driver/unbind", bdf, e) < 0))
        return -1;
    return probe(l, bdf, e);
}

/* Only the GPU itself is taken from its driver: a disk that shares its group may be in use, and
 * gpu_fit names it. */
static int look(struct gpu_life *l, struct err *e) {
    return gpu_find(l->sys, l->gpu.bdf, &l->gpu, e) < 0 ? -1 : gpu_fit(&l->gpu, e);
}

static int must_be_confidential(const struct gpu_life *l, struct err *e) {
    static const char *const words[] = {[GPU_CC_OFF] = "off",
                                        [GPU_CC_ON] = "on",
                                        [GPU_CC_DEVTOOLS] = "devtools",
                                        [GPU_CC_UNKNOWN] = "not known"};
    enum gpu_cc mode = gpu_cc_query(l->sys, &l->gpu);

    if (mode == GPU_CC_ON)
        return 0;
    return err_set(e, "gpu-unfit",
                   "the CC mode of %s is %s: set it once with `nvidia_gpu_tools.py "
                   "--set-cc-mode=on --reset-after-cc-mode-switch`",
                   l->gpu.bdf, words[mode]);
}

/* --- CC mode --- */

/* Where a chip keeps it: bits 1:0 are 1 on, 3 devtools (GH100, as NVIDIA's gpu-admin-tools read
 * it).
 */
static const struct {
    uint16_t first, last; /* PCI device ids */
    uint32_t at;          /* in BAR 0 */
} cc_registers[] = {{0x2300, 0x23ff, 0x1182cc}};

/* Idle functions of vfio-pci sleep and answer no memory access. */
static void wake(const char *dir) {
    cleanup_free char *power = mem_fmt("%s/power/control", dir);
    cleanup_free char *config = mem_fmt("%s/config", dir);
    cleanup_fd int p = open(power, O_WRONLY | O_CLOEXEC);
    cleanup_fd int c = open(config, O_RDWR | O_CLOEXEC);
    uint8_t command;

    if (p >= 0)
        (void)!write(p, "on", 2);
    if (c >= 0 && pread(c, &command, 1, 4) == 1 && !(command & 2)) {
        command |= 2; /* memory space */
        (void)!pwrite(c, &command, 1, 4);
    }
}

static uint32_t read_register(const char *dir, uint32_t at) {
    cleanup_free char *path = mem_fmt("%s/resource0", dir);
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_SYNC);
    const volatile uint8_t *page;
    uint32_t v;

    if (fd < 0 || lseek(fd, 0, SEEK_END) < (off_t)(at + 4))
        return UINT32_MAX;
    page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, at / PAGE * PAGE);
    if (page == MAP_FAILED)
        return UINT32_MAX;
    v = *(const volatile uint32_t *)(const volatile void *)(page + at % PAGE);
    munmap((void *)(uintptr_t)page, PAGE);
    return v;
}

static enum gpu_cc cc_of(uint32_t v) {
    static const enum gpu_cc modes[4] = {GPU_CC_OFF, GPU_CC_ON, GPU_CC_UNKNOWN, GPU_CC_DEVTOOLS};

    return v == UINT32_MAX ? GPU_CC_UNKNOWN : modes[v & 3];
}

enum gpu_cc gpu_cc_query(const char *sys, const struct gpu *g) {
    cleanup_free char *dir = mem_fmt("%s/bus/pci/devices/%s", sys, g->bdf);

    for (size_t i = 0; i < COUNT(cc_registers); i++)
        if (g->device >= cc_registers[i].first && g->device <= cc_registers[i].last) {
            wake(dir);
            return cc_of(read_register(dir, cc_registers[i].at));
        }
    return GPU_CC_UNKNOWN;
}

/* --- acts --- */

static int act_attach(struct gpu_life *l, struct err *e) {
    return gpu_find(l->sys, l->gpu.bdf, &l->gpu, e) < 0 ||
                   bind_vfio(l, l->gpu.bdf, l->gpu.driver, e) < 0 || look(l, e) < 0
               ? -1
               : must_be_confidential(l, e);
}

static int reset_by(const struct gpu_life *l, const char *method, struct err *e) {
    if (put(l, l->gpu.bdf, "reset_method", method, e) < 0)
        return -1;
    return put(l, l->gpu.bdf, "reset", "1", e);
}

static int act_reset(struct gpu_life *l, struct err *e) {
    if (reset_by(l, "flr", e) < 0 && reset_by(l, "bus", e) < 0)
        return -1;
    return look(l, e) < 0 ? -1 : must_be_confidential(l, e);
}

static int (*const acts[GPU_ACTS])(struct gpu_life *, struct err *) = {
    [GPU_ATTACH] = act_attach, [GPU_RESET] = act_reset};

/* --- lease and quarantine --- */

/* The lease's content is the step, so that whoever comes next knows in which it was left. */
static int remember(const struct gpu_life *l, struct err *e) {
    const char *name = step_names[l->step];

    if (ftruncate(l->lease, 0) < 0 || lseek(l->lease, 0, SEEK_SET) < 0 ||
        fd_write_all(l->lease, view_str(name), e) < 0 || fsync(l->lease) < 0)
        return err_set(e, "gpu-lease", "cannot write the lease of %s", l->gpu.bdf);
    return 0;
}

void gpu_life_doubt(struct gpu_life *l, const char *why) {
    cleanup_free char *path = mem_fmt("%s/%s.quarantine", l->dir, l->gpu.bdf);
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
    gpu_life_doubt(l, why.text);
    return err_set(e, why.code, "GPU %s is in quarantine: %.400s", l->gpu.bdf, why.text);
}

static int check_quarantine(const struct gpu_life *l, struct err *e) {
    cleanup_free char *path = mem_fmt("%s/%s.quarantine", l->dir, l->gpu.bdf);
    cleanup_buf struct buf why = {0};

    if (access(path, F_OK) < 0 && errno == ENOENT)
        return 0;
    (void)!file_read(path, 1024, &why, NULL);
    return err_set(e, "gpu-quarantined",
                   "GPU %s is in quarantine (%.*s): see to it, then remove '%s'", l->gpu.bdf,
                   why.n ? (int)strcspn((const char *)why.p, "\n") : 0,
                   why.n ? (const char *)why.p : "", path);
}

static int take_lease(struct gpu_life *l, struct err *e) {
    cleanup_free char *path = mem_fmt("%s/%s.lease", l->dir, l->gpu.bdf);
    char was[32] = "";
    ssize_t n;

    l->lease = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (l->lease < 0)
        return err_sys(e, errno, "cannot open '%s'", path);
    if (flock(l->lease, LOCK_EX | LOCK_NB) < 0)
        return err_set(e, "gpu-leased", "GPU %s is leased to another job", l->gpu.bdf);
    n = read(l->lease, was, sizeof was - 1);
    l->step = n == 0 || !strcmp(was, step_names[GPU_FREE]) ? GPU_FREE : GPU_DETACHED;
    return 0;
}

struct gpu_life *gpu_life_new(const char *sys, const char *dir, const char *bdf, struct err *e) {
    struct gpu_life *l = mem_new(sizeof *l);

    l->sys = mem_str(sys);
    l->dir = mem_str(dir);
    l->lease = -1;
    if (gpu_find(sys, bdf, &l->gpu, e) == 0 && take_lease(l, e) == 0 && check_quarantine(l, e) == 0)
        return l;
    gpu_life_free(l);
    return NULL;
}

void gpu_life_free(struct gpu_life *l) {
    if (!l)
        return;
    if (l->lease >= 0)
        close(l->lease);
    free(l->sys);
    free(l->dir);
    free(l);
}

enum gpu_step gpu_life_step(const struct gpu_life *l) {
    return l->step;
}
const struct gpu *gpu_life_gpu(const struct gpu_life *l) {
    return &l->gpu;
}
