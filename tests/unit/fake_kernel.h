/* What Linux does behind the files of a tree of host.h: drivers let go of a function and take one,
 * and a reset leaves the register as a test says. A thread that looks every millisecond; a write is
 * answered once, and in the order unbind, probe. */
#ifndef CDVM_TEST_FAKE_KERNEL_H
#define CDVM_TEST_FAKE_KERNEL_H

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>

#include "tests/unit/host.h"

#define FAKE_CC_GH100 0x1182cc
#define FAKE_BOOT 0x200bc

struct fake_kernel {
    char *sys;
    const char *native; /* the driver that takes a function without an override; NULL: none */
    pthread_t thread;
    atomic_bool stop;
};

static inline void fake_register(const char *sys, const char *bdf, uint32_t at, uint32_t v) {
    cleanup_free char *path = mem_fmt("%s/bus/pci/devices/%s/resource0", sys, bdf);
    cleanup_fd int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, 2 << 20), 0);
    assert_int_equal(pwrite(fd, &v, 4, at), 4);
}

/* Its own configuration space, which Linux's vendor and device files are not. */
static inline void fake_config(const char *sys, const char *bdf, uint32_t id) {
    cleanup_free char *path = mem_fmt("%s/bus/pci/devices/%s/config", sys, bdf);
    cleanup_fd int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    uint8_t space[64] = {(uint8_t)id, (uint8_t)(id >> 8), (uint8_t)(id >> 16), (uint8_t)(id >> 24)};

    assert_int_equal(write(fd, space, sizeof space), (ssize_t)sizeof space);
}

/* A GH100 that is well: booted, CC on, with the files that a reset needs. */
static inline void fake_gpu(const char *sys, const char *bdf) {
    static const char *const files[] = {"reset_method = flr bus", "reset = 0",
                                        "driver_override = (null)", "power/control = auto"};

    for (size_t i = 0; i < COUNT(files); i++) {
        cleanup_free char *line = mem_fmt("bus/pci/devices/%s/%s", bdf, files[i]);

        host_change(sys, line);
    }
    fake_config(sys, bdf, 0x233110de);
    fake_register(sys, bdf, FAKE_CC_GH100, 1);
    fake_register(sys, bdf, FAKE_BOOT, 0xff);
}

/* What was written there since it was last taken; "" nothing. */
static inline bool fake_take(const char *path, char out[static 32]) {
    int fd = open(path, O_RDWR | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, out, 31);

    out[n > 0 ? n : 0] = 0;
    out[strcspn(out, "\n")] = 0;
    if (n > 0)
        (void)!ftruncate(fd, 0);
    if (fd >= 0)
        close(fd);
    return n > 0 && out[0];
}

static inline void fake_unbinds(const struct fake_kernel *k) {
    static const char *const drivers[] = {"nvidia", "vfio-pci", "snd_hda_intel"};
    char bdf[32];

    for (size_t i = 0; i < COUNT(drivers); i++) {
        cleanup_free char *file = mem_fmt("%s/bus/pci/drivers/%s/unbind", k->sys, drivers[i]);

        if (fake_take(file, bdf)) {
            cleanup_free char *link = mem_fmt("%s/bus/pci/devices/%s/driver", k->sys, bdf);

            (void)unlink(link);
        }
    }
}

static inline void fake_bind(const struct fake_kernel *k, const char *bdf) {
    cleanup_free char *file = mem_fmt("%s/bus/pci/devices/%s/driver_override", k->sys, bdf);
    cleanup_free char *link = mem_fmt("%s/bus/pci/devices/%s/driver", k->sys, bdf);
    cleanup_buf struct buf b = {0};
    bool vfio = file_read(file, 100, &b, NULL) == 0 && b.n >= 8 && !memcmp(b.p, "vfio-pci", 8);
    const char *driver = vfio ? "vfio-pci" : k->native;
    cleanup_free char *target = mem_fmt("../../drivers/%s", driver ? driver : "");

    if (driver)
        (void)!symlink(target, link);
}

static inline void *fake_kernel_main(void *arg) {
    const struct fake_kernel *k = arg;
    cleanup_free char *probe = mem_fmt("%s/bus/pci/drivers_probe", k->sys);

    while (!k->stop) {
        char bdf[32];
        bool asked = fake_take(probe, bdf);

        fake_unbinds(k);
        if (asked)
            fake_bind(k, bdf);
        usleep(1000);
    }
    return NULL;
}

static inline void fake_kernel_up(struct fake_kernel *k, char *sys, const char *native) {
    static const char *const files[] = {"drivers_probe", "drivers/nvidia/unbind",
                                        "drivers/vfio-pci/unbind", "drivers/snd_hda_intel/unbind"};

    *k = (struct fake_kernel){.sys = sys, .native = native};
    for (size_t i = 0; i < COUNT(files); i++) {
        cleanup_free char *path = mem_fmt("%s/bus/pci/%s", sys, files[i]);
        int fd;

        host_folders(path);
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        close(fd);
    }
    assert_int_equal(pthread_create(&k->thread, NULL, fake_kernel_main, k), 0);
}

static inline void fake_kernel_down(struct fake_kernel *k) {
    k->stop = true;
    pthread_join(k->thread, NULL);
}

/* For the GPU's functions to belong to the host again, as after a start of the machine. */
static inline void fake_driver(const char *sys, const char *bdf, const char *driver) {
    cleanup_free char *line = mem_fmt("bus/pci/devices/%s/driver -> ../../drivers/%s", bdf, driver);

    host_change(sys, line);
}

/* "" without one. */
static inline void fake_driver_of(const char *sys, const char *bdf, char out[static 32]) {
    cleanup_free char *path = mem_fmt("%s/bus/pci/devices/%s/driver", sys, bdf);
    char target[128];
    ssize_t n = readlink(path, target, sizeof target - 1);

    target[n > 0 ? n : 0] = 0;
    snprintf(out, 32, "%s", n > 0 ? strrchr(target, '/') + 1 : "");
}

#endif
