#include "base.h"

#include <stdlib.h>

#include "disk.h"
#include "machine.h"
#include "modules.h"

struct base {
    struct disk *disk;
};

static int bring_up(struct base *b, const struct volume *what, struct err *e) {
    cleanup_free char *firmware = NULL, *modules = NULL;
    int rc;

    if (!(b->disk = disk_open("base", what, NULL, e)))
        return -1;
    while (!(rc = disk_copy(b->disk, SIZE_MAX / 2, e)))
        ;
    if (rc < 0 || disk_mount(b->disk, e))
        return -1;
    firmware = mem_fmt("%s/firmware", disk_dir(b->disk));
    modules = mem_fmt("%s/modules", disk_dir(b->disk));
    return machine_firmware(firmware, e) || modules_load(modules, e) ? -1 : 0;
}

struct base *base_open(const struct volume *what, struct err *e) {
    struct base *b = mem_new(sizeof *b);

    if (!bring_up(b, what, e))
        return b;
    base_free(b);
    return NULL;
}

const char *base_dir(const struct base *b) {
    return disk_dir(b->disk);
}

void base_free(struct base *b) {
    if (b)
        disk_free(b->disk);
    free(b);
}
