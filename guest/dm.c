#include "dm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <unistd.h>

#define CONTROL "/dev/mapper/control"

struct table {
    struct dm_ioctl h;
    struct dm_target_spec spec;
    char params[DM_PARAMS];
};

static void head(struct dm_ioctl *h, size_t size, const char *name) {
    h->version[0] = DM_VERSION_MAJOR;
    h->data_size = (uint32_t)size;
    h->data_start = sizeof *h;
    snprintf(h->name, sizeof h->name, "%s", name);
}

static int control(unsigned long call, struct dm_ioctl *h, const char *what, struct err *e) {
    cleanup_fd int fd = open(CONTROL, O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return err_sys(e, errno, "cannot open " CONTROL);
    if (ioctl(fd, call, h))
        return err_sys(e, errno, "cannot %s device '%.32s'", what, h->name);
    return 0;
}

static int load_table(const char *name, const struct dm_target *target, struct err *e) {
    struct table t = {0};
    int rc;

    head(&t.h, sizeof t, name);
    t.h.target_count = 1;
    t.h.flags = DM_READONLY_FLAG | (target->secret ? DM_SECURE_DATA_FLAG : 0);
    t.spec.length = target->sectors;
    snprintf(t.spec.target_type, sizeof t.spec.target_type, "%s", target->type);
    snprintf(t.params, sizeof t.params, "%s", target->params);
    rc = control(DM_TABLE_LOAD, &t.h, "describe", e);
    explicit_bzero(&t, sizeof t);
    return rc;
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

int dm_close(const char *name, struct err *e) {
    return simple(name, DM_DEV_REMOVE, "remove", NULL, e);
}

void dm_drop(const char *name) {
    (void)!dm_close(name, NULL);
}

int dm_open(const char *name, const struct dm_target *t, char node[static 32], struct err *e) {
    uint64_t dev;

    if (simple(name, DM_DEV_CREATE, "create", NULL, e))
        return -1;
    if (load_table(name, t, e) || simple(name, DM_DEV_SUSPEND, "start", &dev, e)) {
        dm_drop(name);
        return -1;
    }
    snprintf(node, 32, "/dev/dm-%u", minor((dev_t)dev));
    return 0;
}
