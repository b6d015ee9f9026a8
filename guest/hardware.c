#include "hardware.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "core/text.h"

#define PCI_KINDS 4

struct pci_id {
    uint32_t vendor, device, class;
};

/* QEMU's q35 without its defaults (docs/specs/pci-ids; virtio 1.2, 4.1.2). Virtio functions show
 * the transitional or the modern device number, as the launcher chose. */
static const struct {
    struct pci_id id;
    unsigned kind, max; /* rows of one kind are counted together */
    const char *name;
} allowed[] = {
    {{0x8086, 0x29c0, 0x060000}, 0, 1, "host bridge"},
    {{0x8086, 0x2918, 0x060100}, 1, 1, "ISA bridge"},
    {{0x1af4, 0x1003, 0x078000}, 2, 1, "virtio-serial"},
    {{0x1af4, 0x1043, 0x078000}, 2, 1, "virtio-serial"},
    {{0x1af4, 0x1001, 0x010000}, 3, 2, "virtio-blk"},
    {{0x1af4, 0x1042, 0x010000}, 3, 2, "virtio-blk"},
};
#define KIND_CHANNEL 2

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

static bool same_id(const struct pci_id *a, const struct pci_id *b) {
    return a->vendor == b->vendor && a->device == b->device && a->class == b->class;
}

static int pci_row(const struct pci_id *id) {
    for (size_t i = 0; i < COUNT(allowed); i++)
        if (same_id(id, &allowed[i].id))
            return (int)i;
    return -1;
}

static int pci_check_one(const char *dir, unsigned count[static PCI_KINDS], struct err *e) {
    struct pci_id id;
    int row;

    if (!pci_read(dir, &id))
        return err_set(e, "bad-hardware", "cannot read the PCI identity in %s", dir);
    row = pci_row(&id);
    if (row < 0)
        return err_set(e, "bad-hardware", "PCI device %04x:%04x of class %06x is not on the list",
                       id.vendor, id.device, id.class);
    if (++count[allowed[row].kind] > allowed[row].max)
        return err_set(e, "bad-hardware", "more than %u %s devices", allowed[row].max,
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

int hardware_check(const char *sys, struct err *e) {
    cleanup_free char *net = mem_fmt("%s/class/net", sys);
    cleanup_free char *pci = mem_fmt("%s/bus/pci/devices", sys);
    unsigned count[PCI_KINDS] = {0};

    if (each_entry(net, on_interface, NULL, e) || each_entry(pci, on_pci, count, e))
        return -1;
    if (!count[KIND_CHANNEL])
        return err_set(e, "bad-hardware", "the channel's controller is missing");
    return 0;
}

bool hardware_snp(const char *sys) {
    cleanup_free char *path = mem_fmt("%s/devices/system/cpu/sev", sys);
    struct stat st;

    return !stat(path, &st);
}
