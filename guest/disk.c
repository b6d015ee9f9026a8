#include "disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>
#include "crypt.h"
#include "dm.h"
#include "verity.h"

#define BASE "/run/volume"
#define COPY_STEP ((size_t)1 << 20)
#define MEMORY_LEFT ((uint64_t)64 << 20) /* for everything else, after the copy */

struct disk {
    char name[16], crypt[24];
    char *node;          /* /dev/vda */
    char *store, *image; /* ramfs with the copy */
    char *dir;           /* where it is mounted */
    uint64_t bytes, copied;
    int from, to;   /* verity device, copy; -1 when closed */
    uint8_t *block; /* COPY_STEP bytes, aligned for direct reads */
    bool crypted, verity, stored, mounted;
};

static bool serial_is(const char *disk, const char *serial) {
    cleanup_free char *path = mem_fmt("/sys/block/%s/serial", disk);
    cleanup_buf struct buf text = {0};

    if (file_read(path, 64, &text, NULL))
        return false;
    while (text.n && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == ' '))
        text.n--;
    return view_is(buf_view(&text), serial);
}

/* The one disk with that serial; two of them is as bad as none. All are there: the driver finds its
 * disks while it is loaded. */
static char *find_disk(const char *serial) {
    DIR *d = opendir("/sys/block");
    struct dirent *entry;
    char *found = NULL;
    unsigned n = 0;

    while (d && (entry = readdir(d))) {
        if (strncmp(entry->d_name, "vd", 2) || !serial_is(entry->d_name, serial))
            continue;
        if (!n++)
            found = mem_fmt("/dev/%s", entry->d_name);
    }
    if (d)
        closedir(d);
    if (n == 1)
        return found;
    cleanup_free_fn(&found);
    return NULL;
}

static int check_size(const struct disk *d, const struct volume *what, struct err *e) {
    uint64_t need = verity_total_blocks(what->blocks), have = 0;
    cleanup_fd int fd = open(d->node, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || ioctl(fd, BLKGETSIZE64, &have))
        return err_sys(e, errno, "cannot open %s", d->node);
    if (need == UINT64_MAX || have / VERITY_BLOCK < need)
        return err_set(e, "bad-volume",
                       "disk '%s' has %llu bytes and its root hash names %llu blocks", d->name,
                       (unsigned long long)have, (unsigned long long)what->blocks);
    return 0;
}

static int check_memory(const struct disk *d, struct err *e) {
    struct sysinfo si;
    uint64_t available;

    if (sysinfo(&si))
        return err_sys(e, errno, "cannot tell the free memory");
    available = (uint64_t)si.freeram * si.mem_unit;
    if (available < d->bytes + MEMORY_LEFT)
        return err_set(e, "too-large", "volume '%s' needs %llu MiB of memory and %llu are free",
                       d->name, (unsigned long long)(d->bytes >> 20),
                       (unsigned long long)(available >> 20));
    return 0;
}

/* ramfs, since erofs reads its backing file by read_folio, which tmpfs has not. It has no size
 * limit of its own: the size is known. */
static int make_store(struct disk *d, struct err *e) {
    if ((mkdir(BASE, 0755) && errno != EEXIST) || mkdir(d->store, 0700) || mkdir(d->dir, 0755))
        return err_sys(e, errno, "cannot make %s", d->store);
    if (mount("ramfs", d->store, "ramfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700"))
        return err_sys(e, errno, "cannot mount %s", d->store);
    d->stored = true;
    d->to = open(d->image, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (d->to < 0)
        return err_sys(e, errno, "cannot make %s", d->image);
    return 0;
}

static int open_verity(struct disk *d, const struct volume *what, const struct secret *key,
                       struct err *e) {
    char node[32], inner[32];

    snprintf(inner, sizeof inner, "%.31s", d->node);
    if (key && crypt_open(d->crypt, d->node, what, key, inner, e))
        return -1;
    d->crypted = key;
    if (verity_open(d->name, inner, what->root, what->blocks, node, e))
        return -1;
    d->verity = true;
    d->from = open(node, O_RDONLY | O_DIRECT | O_CLOEXEC);
    if (d->from < 0)
        return err_sys(e, errno, "cannot open %s", node);
    return 0;
}

static int open_all(struct disk *d, const struct volume *what, const struct secret *key,
                    struct err *e) {
    if (!(d->node = find_disk(d->name)))
        return err_set(e, "bad-volume", "no single disk has the serial '%s'", d->name);
    if (check_size(d, what, e) || check_memory(d, e) || make_store(d, e))
        return -1;
    return open_verity(d, what, key, e);
}

struct disk *disk_open(const char *name, const struct volume *what, const struct secret *key,
                       struct err *e) {
    struct disk *d = mem_new(sizeof *d);

    snprintf(d->name, sizeof d->name, "%s", name);
    snprintf(d->crypt, sizeof d->crypt, "%s.crypt", d->name);
    d->store = mem_fmt(BASE "/%s.copy", name);
    d->image = mem_fmt(BASE "/%s.copy/image", name);
    d->dir = mem_fmt(BASE "/%s", name);
    d->bytes = what->blocks * VERITY_BLOCK;
    d->from = d->to = -1;
    if (posix_memalign((void **)&d->block, VERITY_BLOCK, COPY_STEP))
        abort();
    if (!open_all(d, what, key, e))
        return d;
    disk_free(d);
    return NULL;
}

static int copy_step(struct disk *d, struct err *e) {
    uint64_t left = d->bytes - d->copied;
    size_t want = left < COPY_STEP ? (size_t)left : COPY_STEP;
    ssize_t n = pread(d->from, d->block, want, (off_t)d->copied);

    if (n <= 0 || n % (ssize_t)VERITY_BLOCK)
        return err_sys(e, n < 0 ? errno : EIO, "cannot read volume '%s' at %llu", d->name,
                       (unsigned long long)d->copied);
    d->copied += (uint64_t)n;
    return fd_write_all(d->to, view_of(d->block, (size_t)n), e);
}

int disk_copy(struct disk *d, size_t budget, struct err *e) {
    uint64_t end = d->copied + budget;

    while (d->copied < d->bytes) {
        if (d->copied >= end)
            return 0;
        if (copy_step(d, e))
            return -1;
    }
    return 1;
}

uint64_t disk_bytes(const struct disk *d) {
    return d->bytes;
}

static void close_fd(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int close_disk(struct disk *d, struct err *e) {
    close_fd(&d->from);
    close_fd(&d->to);
    d->verity = false;
    if (dm_close(d->name, e))
        return -1;
    if (!d->crypted)
        return 0;
    d->crypted = false;
    return dm_close(d->crypt, e);
}

/* A mount alone proves little: a file of the volume must read back. */
static int read_sentinel(const struct disk *d, struct err *e) {
    cleanup_free char *path = mem_fmt("%s/%s", d->dir, DISK_SENTINEL);
    cleanup_buf struct buf text = {0};

    if (file_read(path, 256, &text, e))
        return err_wrap(e, "volume '%s'", d->name);
    if (!view_is(buf_view(&text), "cdvm-volume/1\n"))
        return err_set(e, "bad-volume", "volume '%s' is not one of ours: see %s", d->name, path);
    return 0;
}

int disk_mount(struct disk *d, struct err *e) {
    if (close_disk(d, e))
        return -1;
    if (mount(d->image, d->dir, "erofs", MS_RDONLY | MS_NOSUID | MS_NODEV, ""))
        return err_sys(e, errno, "cannot mount volume '%s'", d->name);
    d->mounted = true;
    return read_sentinel(d, e);
}

const char *disk_dir(const struct disk *d) {
    return d->dir;
}

void disk_free(struct disk *d) {
    if (!d)
        return;
    close_fd(&d->from);
    close_fd(&d->to);
    if (d->verity)
        dm_drop(d->name);
    if (d->crypted)
        dm_drop(d->crypt);
    if (d->mounted)
        umount2(d->dir, MNT_DETACH);
    if (d->stored)
        umount2(d->store, MNT_DETACH);
    free(d->block);
    free(d->node);
    free(d->store);
    free(d->image);
    free(d->dir);
    free(d);
}
