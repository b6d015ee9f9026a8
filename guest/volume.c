#include "volume.h"

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
#include "verity.h"

#define BASE "/run/volume"
#define COPY_STEP ((size_t)1 << 20)
#define MEMORY_LEFT ((uint64_t)64 << 20) /* for everything else, after the copy */
#define DISK_WAIT_MS 3000
#define DISK_STEP_MS 10

struct volume {
    char name[16];
    char *disk;              /* /dev/vda */
    char *store, *image;     /* tmpfs with the copy */
    char *dir;               /* where it is mounted */
    uint64_t bytes, copied;
    int from, to;            /* verity device, copy; -1 when closed */
    uint8_t *block;          /* COPY_STEP bytes, aligned for direct reads */
    bool verity, stored, mounted;
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

/* The one disk with that serial; two of them is as bad as none. */
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

static char *wait_for_disk(const char *serial) {
    char *disk = find_disk(serial);

    for (int ms = 0; !disk && ms < DISK_WAIT_MS; ms += DISK_STEP_MS) {
        usleep(DISK_STEP_MS * 1000);
        disk = find_disk(serial);
    }
    return disk;
}

static int check_size(const struct volume *v, const struct cmdline_volume *what, struct err *e) {
    uint64_t need = verity_total_blocks(what->blocks), have = 0;
    cleanup_fd int fd = open(v->disk, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || ioctl(fd, BLKGETSIZE64, &have))
        return err_sys(e, errno, "cannot open %s", v->disk);
    if (need == UINT64_MAX || have / VERITY_BLOCK < need)
        return err_set(e, "bad-volume", "disk '%s' has %llu bytes and its root hash names %llu blocks",
                       v->name, (unsigned long long)have, (unsigned long long)what->blocks);
    return 0;
}

static int check_memory(const struct volume *v, struct err *e) {
    struct sysinfo si;
    uint64_t available;

    if (sysinfo(&si))
        return err_sys(e, errno, "cannot tell the free memory");
    available = (uint64_t)si.freeram * si.mem_unit;
    if (available < v->bytes + MEMORY_LEFT)
        return err_set(e, "too-large", "volume '%s' needs %llu MiB of memory and %llu are free",
                       v->name, (unsigned long long)(v->bytes >> 20),
                       (unsigned long long)(available >> 20));
    return 0;
}

static int make_store(struct volume *v, struct err *e) {
    cleanup_free char *options =
        mem_fmt("mode=0700,size=%llu", (unsigned long long)(v->bytes + COPY_STEP));

    if ((mkdir(BASE, 0755) && errno != EEXIST) || mkdir(v->store, 0700) || mkdir(v->dir, 0755))
        return err_sys(e, errno, "cannot make %s", v->store);
    if (mount("tmpfs", v->store, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options))
        return err_sys(e, errno, "cannot mount %s", v->store);
    v->stored = true;
    v->to = open(v->image, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (v->to < 0)
        return err_sys(e, errno, "cannot make %s", v->image);
    return 0;
}

static int open_verity(struct volume *v, const struct cmdline_volume *what, struct err *e) {
    char node[32];

    if (verity_open(v->name, v->disk, what->root, what->blocks, node, e))
        return -1;
    v->verity = true;
    v->from = open(node, O_RDONLY | O_DIRECT | O_CLOEXEC);
    if (v->from < 0)
        return err_sys(e, errno, "cannot open %s", node);
    return 0;
}

static int open_all(struct volume *v, const struct cmdline_volume *what, struct err *e) {
    if (!(v->disk = wait_for_disk(v->name)))
        return err_set(e, "bad-volume", "no single disk has the serial '%s'", v->name);
    if (check_size(v, what, e) || check_memory(v, e) || make_store(v, e))
        return -1;
    return open_verity(v, what, e);
}

struct volume *volume_open(const char *name, const struct cmdline_volume *what, struct err *e) {
    struct volume *v = mem_new(sizeof *v);

    snprintf(v->name, sizeof v->name, "%s", name);
    v->store = mem_fmt(BASE "/%s.copy", name);
    v->image = mem_fmt(BASE "/%s.copy/image", name);
    v->dir = mem_fmt(BASE "/%s", name);
    v->bytes = what->blocks * VERITY_BLOCK;
    v->from = v->to = -1;
    if (posix_memalign((void **)&v->block, VERITY_BLOCK, COPY_STEP))
        abort();
    if (!open_all(v, what, e))
        return v;
    volume_free(v);
    return NULL;
}

static int copy_step(struct volume *v, struct err *e) {
    uint64_t left = v->bytes - v->copied;
    size_t want = left < COPY_STEP ? (size_t)left : COPY_STEP;
    ssize_t n = pread(v->from, v->block, want, (off_t)v->copied);

    if (n <= 0 || n % (ssize_t)VERITY_BLOCK)
        return err_sys(e, n < 0 ? errno : EIO, "cannot read volume '%s' at %llu", v->name,
                       (unsigned long long)v->copied);
    v->copied += (uint64_t)n;
    return fd_write_all(v->to, view_of(v->block, (size_t)n), e);
}

int volume_copy(struct volume *v, size_t budget, struct err *e) {
    uint64_t end = v->copied + budget;

    while (v->copied < v->bytes) {
        if (v->copied >= end)
            return 0;
        if (copy_step(v, e))
            return -1;
    }
    return 1;
}

uint64_t volume_bytes(const struct volume *v) {
    return v->bytes;
}

uint64_t volume_copied(const struct volume *v) {
    return v->copied;
}

static void close_fd(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int close_disk(struct volume *v, struct err *e) {
    close_fd(&v->from);
    close_fd(&v->to);
    v->verity = false;
    return verity_close(v->name, e);
}

/* A mount alone proves little: a file of the volume must read back. */
static int read_sentinel(const struct volume *v, struct err *e) {
    cleanup_free char *path = mem_fmt("%s/%s", v->dir, VOLUME_SENTINEL);
    cleanup_buf struct buf text = {0};

    if (file_read(path, 256, &text, e))
        return err_wrap(e, "volume '%s'", v->name);
    if (!view_is(buf_view(&text), "cdvm-volume/1\n"))
        return err_set(e, "bad-volume", "volume '%s' is not one of ours: see %s", v->name, path);
    return 0;
}

int volume_mount(struct volume *v, struct err *e) {
    if (close_disk(v, e))
        return -1;
    if (mount(v->image, v->dir, "erofs", MS_RDONLY | MS_NOSUID | MS_NODEV, ""))
        return err_sys(e, errno, "cannot mount volume '%s'", v->name);
    v->mounted = true;
    return read_sentinel(v, e);
}

const char *volume_dir(const struct volume *v) {
    return v->dir;
}

void volume_free(struct volume *v) {
    if (!v)
        return;
    close_fd(&v->from);
    close_fd(&v->to);
    if (v->verity)
        verity_drop(v->name);
    if (v->mounted)
        umount2(v->dir, MNT_DETACH);
    if (v->stored)
        umount2(v->store, MNT_DETACH);
    free(v->block);
    free(v->disk);
    free(v->store);
    free(v->image);
    free(v->dir);
    free(v);
}
