#include "verity.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <unistd.h>
#include "core/enc.h"

#define CONTROL "/dev/mapper/control"
#define SECTORS_PER_BLOCK 8
#define HASHES_PER_BLOCK 128 /* 4096 / 32 */
#define BLOCKS_MAX ((uint64_t)1 << 40)

static const uint8_t salt[32];

struct table {
    struct dm_ioctl h;
    struct dm_target_spec spec;
    char params[512];
};

uint64_t verity_total_blocks(uint64_t data) {
    uint64_t total = data, level = data;

    if (!data || data > BLOCKS_MAX)
        return UINT64_MAX;
    do {
        level = (level + HASHES_PER_BLOCK - 1) / HASHES_PER_BLOCK;
        total += level;
    } while (level > 1);
    return total;
}

static void head(struct dm_ioctl *h, size_t size, const char *name) {
    h->version[0] = DM_VERSION_MAJOR;
    h->data_size = (uint32_t)size;
    h->data_start = sizeof *h;
    snprintf(h->name, sizeof h->name, "%s", name);
}

static int control(unsigned long call, void *arg, const char *what, struct err *e) {
    cleanup_fd int fd = open(CONTROL, O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return err_sys(e, errno, "cannot open " CONTROL);
    if (ioctl(fd, call, arg))
        return err_sys(e, errno, "cannot %s the verity device", what);
    return 0;
}

static void fill_params(struct table *t, const char *path, const uint8_t root[static 32],
                        uint64_t blocks) {
    char root_hex[65], salt_hex[65];

    hex_encode(view_of(root, 32), root_hex);
    hex_encode(view_of(salt, 32), salt_hex);
    snprintf(t->params, sizeof t->params,
             "1 %s %s %u %u %llu %llu sha256 %s %s 1 panic_on_corruption", path, path,
             (unsigned)VERITY_BLOCK, (unsigned)VERITY_BLOCK, (unsigned long long)blocks,
             (unsigned long long)blocks, root_hex, salt_hex);
}

static int load_table(const char *name, const char *path, const uint8_t root[static 32],
                      uint64_t blocks, struct err *e) {
    struct table t = {0};

    head(&t.h, sizeof t, name);
    t.h.target_count = 1;
    t.h.flags = DM_READONLY_FLAG;
    t.spec.length = blocks * SECTORS_PER_BLOCK;
    snprintf(t.spec.target_type, sizeof t.spec.target_type, "verity");
    fill_params(&t, path, root, blocks);
    return control(DM_TABLE_LOAD, &t, "describe", e);
}

static int simple(const char *name, unsigned long call, const char *what, uint64_t *dev,
                  struct err *e) {
    struct dm_ioctl h = {0};

    head(&h, sizeof h, name);
    if (control(call, &h, what, e))
        return -1;
    if (dev)
        *dev = h.dev;
    return 0;
}

int verity_close(const char *name, struct err *e) {
    return simple(name, DM_DEV_REMOVE, "remove", NULL, e);
}

void verity_drop(const char *name) {
    (void)!verity_close(name, NULL);
}

int verity_open(const char *name, const char *path, const uint8_t root[static 32], uint64_t blocks,
                char node[static 32], struct err *e) {
    uint64_t dev;

    if (verity_total_blocks(blocks) == UINT64_MAX)
        return err_set(e, "bad-volume", "a volume of %llu blocks", (unsigned long long)blocks);
    if (simple(name, DM_DEV_CREATE, "create", NULL, e))
        return -1;
    if (load_table(name, path, root, blocks, e) || simple(name, DM_DEV_SUSPEND, "start", &dev, e)) {
        verity_drop(name);
        return -1;
    }
    snprintf(node, 32, "/dev/dm-%u", minor((dev_t)dev));
    return 0;
}
