#include "gpu_cc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "core/loop.h"

#define PAGE 4096u
#define POLL_MS 50
#define NO_ANSWER UINT32_MAX
#define BAD_READ 0xbadfu /* the upper half of what a GPU gives for a register that it hides */
#define BOOTED 0xffu

/* A CC register's bits 1:0 are 0 off, 1 on, 3 devtools. boot: NV_THERM_I2CS_SCRATCH, which is
 * BOOTED when the GPU's own firmware is up; before that nothing else can be believed. */
static const struct chip {
    uint16_t first, last; /* PCI device ids */
    const char *arch;
    uint32_t cc, boot; /* in BAR 0; 0: not known */
} chips[] = {
    {0x2300, 0x23ff, "HOPPER", 0x1182cc, 0x200bc}, /* GH100 */
    {0x2900, 0x29ff, "BLACKWELL", 0x590, 0x200bc}, /* GB100, GB102 */
    {0x3180, 0x327f, "BLACKWELL", 0x590, 0x200bc}, /* GB110, GB112 */
    {0x2b80, 0x2bff, "BLACKWELL", 0, 0},           /* GB202 */
};

static const struct chip *chip_of(const struct gpu *g) {
    for (size_t i = 0; i < COUNT(chips); i++)
        if (g->device >= chips[i].first && g->device <= chips[i].last)
            return &chips[i];
    return NULL;
}

const char *gpu_arch(const struct gpu *g) {
    const struct chip *c = chip_of(g);

    return c ? c->arch : "";
}

const char *gpu_cc_name(enum gpu_cc mode) {
    static const char *const names[] = {[GPU_CC_OFF] = "off",
                                        [GPU_CC_ON] = "on",
                                        [GPU_CC_DEVTOOLS] = "devtools",
                                        [GPU_CC_UNKNOWN] = "not known"};

    return names[mode];
}

/* --- the device's files --- */

static int open_file(const char *sys, const struct gpu *g, const char *name, int flags) {
    cleanup_free char *path = mem_fmt("%s/bus/pci/devices/%s/%s", sys, g->bdf, name);

    return open(path, flags | O_CLOEXEC);
}

/* Linux remembers the ids; a dead device's own configuration space is all ones. */
bool gpu_answers(const char *sys, const struct gpu *g) {
    cleanup_fd int fd = open_file(sys, g, "config", O_RDONLY);
    uint8_t id[4];

    return fd >= 0 && pread(fd, id, sizeof id, 0) == (ssize_t)sizeof id &&
           (id[0] | id[1] << 8) == g->vendor && (id[2] | id[3] << 8) == g->device;
}

/* Idle functions of vfio-pci sleep and answer no memory access. `was` gets what puts it back. */
static void wake(const char *sys, const struct gpu *g, char was[static 8]) {
    cleanup_fd int p = open_file(sys, g, "power/control", O_RDWR);
    cleanup_fd int c = open_file(sys, g, "config", O_RDWR);
    uint8_t command;
    ssize_t n = p >= 0 ? pread(p, was, 7, 0) : 0;

    was[n > 0 ? n : 0] = 0;
    if (p >= 0)
        (void)!pwrite(p, "on", 2, 0);
    if (c >= 0 && pread(c, &command, 1, 4) == 1 && !(command & 2)) {
        command |= 2; /* memory space */
        (void)!pwrite(c, &command, 1, 4);
    }
}

static void let_sleep(const char *sys, const struct gpu *g, const char *was) {
    cleanup_fd int p = open_file(sys, g, "power/control", O_WRONLY);

    if (p >= 0 && was[0])
        (void)!pwrite(p, was, strlen(was), 0);
}

static uint32_t read_register(int fd, uint32_t at) {
    const volatile uint8_t *page;
    uint32_t v;

    if (lseek(fd, 0, SEEK_END) < (off_t)(at + 4)) {
        errno = EFBIG;
        return NO_ANSWER;
    }
    page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, at / PAGE * PAGE);
    if (page == MAP_FAILED)
        return NO_ANSWER;
    v = *(const volatile uint32_t *)(const volatile void *)(page + at % PAGE);
    munmap((void *)(uintptr_t)page, PAGE);
    errno = 0;
    return v >> 16 == BAD_READ ? NO_ANSWER : v;
}

/* --- the mode --- */

static enum gpu_cc mode_of(uint32_t v) {
    static const enum gpu_cc modes[4] = {GPU_CC_OFF, GPU_CC_ON, GPU_CC_UNKNOWN, GPU_CC_DEVTOOLS};

    return v == NO_ANSWER ? GPU_CC_UNKNOWN : modes[v & 3];
}

/* errno is 0 where it just has not. */
static bool has_booted(int fd, const struct chip *c, int wait_ms) {
    int64_t until = loop_now() + wait_ms;
    const struct timespec nap = {.tv_nsec = POLL_MS * 1000000L};

    while (read_register(fd, c->boot) != BOOTED) {
        if (errno || loop_now() >= until)
            return false;
        nanosleep(&nap, NULL);
    }
    return true;
}

static enum gpu_cc ask(int fd, const struct chip *c, int wait_ms, char why[static GPU_CC_WHY]) {
    enum gpu_cc mode = GPU_CC_UNKNOWN;

    if (has_booted(fd, c, wait_ms)) {
        if ((mode = mode_of(read_register(fd, c->cc))) == GPU_CC_UNKNOWN)
            snprintf(why, GPU_CC_WHY, "its CC register makes no sense");
    } else if (errno == EPERM || errno == EACCES)
        snprintf(why, GPU_CC_WHY,
                 "the kernel hides its registers (lockdown, which comes with Secure Boot)");
    else if (errno == EINVAL)
        snprintf(why, GPU_CC_WHY, "the kernel leaves its registers to the driver that holds it");
    else if (errno)
        snprintf(why, GPU_CC_WHY, "its registers cannot be read: %s", strerror(errno));
    else
        snprintf(why, GPU_CC_WHY, "its firmware is not up after %d ms", wait_ms);
    return mode;
}

enum gpu_cc gpu_cc_query(const char *sys, const struct gpu *g, int wait_ms,
                         char why[static GPU_CC_WHY]) {
    const struct chip *c = chip_of(g);
    cleanup_fd int fd = open_file(sys, g, "resource0", O_RDONLY | O_SYNC);
    char was[8];
    enum gpu_cc mode;

    why[0] = 0;
    if (!c || !c->cc) {
        snprintf(why, GPU_CC_WHY, "where chip %04x keeps it is not known here", g->device);
        return GPU_CC_UNKNOWN;
    }
    if (fd < 0) {
        snprintf(why, GPU_CC_WHY, "its registers cannot be opened: %s", strerror(errno));
        return GPU_CC_UNKNOWN;
    }
    wake(sys, g, was);
    mode = ask(fd, c, wait_ms, why);
    let_sleep(sys, g, was);
    return mode;
}
