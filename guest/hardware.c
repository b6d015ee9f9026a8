#include "hardware.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "core/binding.h"
#include "core/text.h"

#define PCI_KINDS 6
#define ANY 0x10000u /* no device number */

struct pci_id {
    uint32_t vendor, device, class;
};

/* QEMU's q35 without its defaults (docs/specs/pci-ids; virtio 1.2, 4.1.2). Virtio functions show
 * the transitional or the modern device number, as the launcher chose. Of a GPU every display
 * function counts, 3D controller or VGA. */
static const struct {
    struct pci_id id;
    unsigned kind;          /* rows of one kind are counted together */
    unsigned max, max_base; /* without a base volume, and with */
    const char *name;
} allowed[] = {
    {{0x8086, 0x29c0, 0x060000}, 0, 1, 1, "host bridge"},
    {{0x8086, 0x2918, 0x060100}, 1, 1, 1, "ISA bridge"},
    {{0x1af4, 0x1003, 0x078000}, 2, 1, 1, "virtio-serial"},
    {{0x1af4, 0x1043, 0x078000}, 2, 1, 1, "virtio-serial"},
    {{0x1af4, 0x1001, 0x010000}, 3, 2, 3, "virtio-blk"},
    {{0x1af4, 0x1042, 0x010000}, 3, 2, 3, "virtio-blk"},
    {{0x1b36, 0x000c, 0x060400}, 4, 0, GPUS_MAX, "PCIe root port"},
    {{0x10de, ANY, 0x030000}, 5, 0, GPUS_MAX, "GPU"},
    {{0x10de, ANY, 0x030200}, 5, 0, GPUS_MAX, "GPU"},
};
#define KIND_CHANNEL 2
#define KIND_GPU 5

struct census {
    bool base;
    unsigned count[PCI_KINDS];
};

static bool pci_attr(const char *dir, const char *name, uint32_t *out) {
    cleanup_buf struct buf text = {0};
    cleanup_free char *path = mem_fmt("%s/%s", dir, name);
    char *end;
    unsigned long v;

    if (file_read(path, 64, &text, NULL) || text.n < 4)
        return false;
    errno = 0;
    v = strtoul((const char *)text.p, &end, 16);
    *out = (uint32_t)v;
    return !errno && v <= UINT32_MAX && (*end == '\n' || !*end);
}

static bool pci_read(const char *dir, struct pci_id *id) {
    return pci_attr(dir, "vendor", &id->vendor) && pci_attr(dir, "device", &id->device) &&
           pci_attr(dir, "class", &id->class);
}

static bool same_id(const struct pci_id *a, const struct pci_id *row) {
    return a->vendor == row->vendor && (row->device == ANY || a->device == row->device) &&
           a->class == row->class;
}

static unsigned most(const struct census *c, int row) {
    return c->base ? allowed[row].max_base : allowed[row].max;
}

static int pci_row(const struct census *c, const struct pci_id *id) {
    for (size_t i = 0; i < COUNT(allowed); i++)
        if (same_id(id, &allowed[i].id) && most(c, (int)i))
            return (int)i;
    return -1;
}

static int pci_check_one(const char *dir, struct census *c, struct err *e) {
    struct pci_id id;
    int row;

    if (!pci_read(dir, &id))
        return err_set(e, "bad-hardware", "cannot read the PCI identity in %s", dir);
    row = pci_row(c, &id);
    if (row < 0)
        return err_set(e, "bad-hardware", "PCI device %04x:%04x of class %06x is not on the list",
                       id.vendor, id.device, id.class);
    if (++c->count[allowed[row].kind] > most(c, row))
        return err_set(e, "bad-hardware", "more than %u %s devices", most(c, row),
                       allowed[row].name);
    return 0;
}

typedef int each_fn(const char *path, const char *name, void *arg, struct err *e);

static int each_entry(const char *dir, each_fn *fn, void *arg, struct err *e) {
    DIR *d = opendir(dir);
    struct dirent *entry;
    int rc = 0;

    if (!d)
        return err_sys(e, errno, "cannot list %s", dir);
    while (!rc && (entry = readdir(d))) {
        cleanup_free char *path = mem_fmt("%s/%s", dir, entry->d_name);

        if (entry->d_name[0] != '.')
            rc = fn(path, entry->d_name, arg, e);
    }
    closedir(d);
    return rc;
}

static int on_pci(const char *path, const char *name, void *arg, struct err *e) {
    (void)name;
    return pci_check_one(path, arg, e);
}

static int on_interface(const char *path, const char *name, void *arg, struct err *e) {
    cleanup_free char *shown = text_safe_new(view_str(name), TEXT_LINE, 32);

    (void)path, (void)arg;
    if (strcmp(name, "lo"))
        return err_set(e, "bad-hardware", "network interface '%s' is present", shown);
    return 0;
}

int hardware_check(const char *sys, bool base, unsigned *gpus, struct err *e) {
    cleanup_free char *net = mem_fmt("%s/class/net", sys);
    cleanup_free char *pci = mem_fmt("%s/bus/pci/devices", sys);
    struct census c = {.base = base};

    if (each_entry(net, on_interface, NULL, e) || each_entry(pci, on_pci, &c, e))
        return -1;
    if (!c.count[KIND_CHANNEL])
        return err_set(e, "bad-hardware", "the channel's controller is missing");
    *gpus = c.count[KIND_GPU];
    return 0;
}

bool hardware_snp(const char *sys) {
    cleanup_free char *path = mem_fmt("%s/devices/system/cpu/sev", sys);
    struct stat st;

    return !stat(path, &st);
}
