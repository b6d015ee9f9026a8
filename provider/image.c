#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attest/snp_measure.h"
#include "core/enc.h"
#include "core/hash.h"
#include "core/text.h"
#include "image.h"
#include "modelfile.h"
#include "veritytree.h"
#include "vm.h"

#define KERNEL_MAX ((size_t)64 << 20)
#define SMALL_MAX ((size_t)1 << 20)

static int read_piece(const char *dir, const char *name, size_t max, struct buf *out,
                      struct err *e) {
    cleanup_free char *path = mem_fmt("%s/%s", dir, name);

    out->max = max;
    return file_read(path, max, out, e);
}

/* The digest is taken from the sealed file itself: from what QEMU will read. */
static int hash_sealed(int fd, uint8_t sha[static 32], struct err *e) {
    struct stat st;
    void *p;

    if (fstat(fd, &st) < 0 || st.st_size <= 0)
        return err_set(e, "bad-image", "the file is empty");
    p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return err_sys(e, errno, "cannot map a memory file");
    sha256(view_of(p, (size_t)st.st_size), sha);
    munmap(p, (size_t)st.st_size);
    return 0;
}

static int seal_piece(const char *dir, const char *name, uint8_t sha[static 32], struct err *e) {
    cleanup_buf struct buf b = {0};
    int fd;

    if (read_piece(dir, name, KERNEL_MAX, &b, e) < 0)
        return -1;
    fd = vm_sealed_file(name, buf_view(&b), e);
    if (fd >= 0 && hash_sealed(fd, sha, e) < 0) {
        close(fd);
        return err_wrap(e, "%s", name);
    }
    return fd;
}

static int read_ovmf(struct image *m, const char *dir, struct err *e) {
    cleanup_buf struct buf b = {0};

    if (read_piece(dir, "ovmf.fd", KERNEL_MAX, &b, e) < 0 ||
        ovmf_parse(buf_view(&b), &m->ovmf, e) < 0)
        return -1;
    m->ovmf_fd = vm_sealed_file("ovmf.fd", buf_view(&b), e);
    return m->ovmf_fd < 0 ? -1 : 0;
}

/* One line; its newline is the file's, not the command line's. */
static int read_template(struct image *m, const char *dir, struct err *e) {
    cleanup_buf struct buf b = {0};

    if (read_piece(dir, "cmdline.template", CMDLINE_MAX + 1, &b, e) < 0)
        return -1;
    if (b.n && b.p[b.n - 1] == '\n')
        b.n--;
    m->cmdline = mem_strn(b.p, b.n);
    return cmdline_check(m->cmdline, e);
}

static int read_lock(struct image *m, const char *dir, struct err *e) {
    cleanup_buf struct buf b = {0};

    if (read_piece(dir, "packages.lock", SMALL_MAX, &b, e) < 0)
        return -1;
    sha256(buf_view(&b), m->lock_sha256);
    return 0;
}

/* The volume that the command line names, and no other, whatever the folder holds. */
static int open_base(struct image *m, const char *dir, struct err *e) {
    cleanup_free char *path = mem_fmt("%s/base.vol", dir);
    struct volume named;
    int has = cmdline_base(m->cmdline, &named, e);

    if (has <= 0)
        return has;
    m->base_fd = open(path, O_RDONLY | O_CLOEXEC);
    if (m->base_fd < 0)
        return err_sys(e, errno, "cannot open '%s', which the command line names", path);
    if (verity_root(m->base_fd, &m->base, e) < 0)
        return err_wrap(e, "base.vol");
    if (!volume_same(&m->base, &named))
        return err_set(e, "bad-image", "base.vol is not the volume that cmdline.template names");
    return 0;
}

/* --- volumes, in the order of their names --- */

static int by_name(const void *a, const void *b) {
    const struct image_volume *x = a, *y = b;

    return strcmp(x->name, y->name);
}

static bool stands_beside(const char *dir, const char *name, const char *ending) {
    cleanup_free char *path = mem_fmt("%s/%s.%s", dir, name, ending);

    return access(path, F_OK) == 0;
}

/* What is inside cannot be hashed here: the guest does that, with the key. Its size can be told. */
static int read_sealed(struct image_volume *v, const char *dir, struct err *e) {
    cleanup_free char *name = mem_fmt("%s.sealed", v->name);
    cleanup_buf struct buf text = {0};
    struct stat st;

    if (!v->is_model)
        return err_set(e, "bad-image", "%s stands beside a volume that is no model", name);
    if (read_piece(dir, name, SMALL_MAX, &text, e) < 0 ||
        sealed_parse(buf_view(&text), &v->volume, v->broker, e) < 0)
        return err_wrap(e, "%s", name);
    if (fstat(v->fd, &st) < 0 ||
        verity_data_blocks((uint64_t)st.st_size / 4096) != v->volume.blocks)
        return err_set(e, "bad-volume", "it has not the size of the volume that %s names", name);
    return 0;
}

static int open_volume(struct image *m, const char *dir, const char *file, struct err *e) {
    struct image_volume *v = &m->volume[m->n_volumes];
    cleanup_free char *path = mem_fmt("%s/%s", dir, file);
    int n = (int)(strlen(file) - strlen(".vol"));

    if (m->n_volumes == IMAGE_VOLUMES_MAX || n >= (int)sizeof v->name)
        return err_set(e, "bad-image", "'%s' has more volumes than %d, or a long name", dir,
                       IMAGE_VOLUMES_MAX);
    *v = (struct image_volume){.fd = open(path, O_RDONLY | O_CLOEXEC)};
    if (v->fd < 0)
        return err_sys(e, errno, "cannot open '%s'", path);
    m->n_volumes++;
    snprintf(v->name, sizeof v->name, "%.*s", n, file);
    v->is_model = stands_beside(dir, v->name, "model");
    if (v->is_model && stands_beside(dir, v->name, "json"))
        return err_set(e, "bad-image",
                       "'%s' has a %s.json and a %s.model: a volume is a workload or a model", dir,
                       v->name, v->name);
    v->sealed = stands_beside(dir, v->name, "sealed");
    if ((v->sealed ? read_sealed(v, dir, e) : verity_root(v->fd, &v->volume, e)) < 0)
        return err_wrap(e, "%s", file);
    return 0;
}

static bool is_volume(const char *file) {
    size_t n = strlen(file);

    return n > 4 && !strcmp(file + n - 4, ".vol") && file[0] != '.' && strcmp(file, "base.vol") &&
           text_ascii_printable(view_str(file));
}

int image_each(struct image *m, const char *dir, bool (*wanted)(const char *file),
               image_file_fn *take, struct err *e) {
    DIR *d = opendir(dir);
    struct dirent *f;
    int rc = 0;

    if (!d)
        return err_sys(e, errno, "cannot list '%s'", dir);
    while (rc == 0 && (f = readdir(d)))
        if (wanted(f->d_name))
            rc = take(m, dir, f->d_name, e);
    closedir(d);
    return rc;
}

static int open_volumes(struct image *m, const char *dir, struct err *e) {
    int rc = image_each(m, dir, is_volume, open_volume, e);

    qsort(m->volume, m->n_volumes, sizeof m->volume[0], by_name);
    return rc;
}

struct image *image_open(const char *dir, struct err *e) {
    struct image *m = mem_new(sizeof *m);

    m->kernel_fd = m->initrd_fd = m->ovmf_fd = m->base_fd = -1;
    if ((m->kernel_fd = seal_piece(dir, "kernel", m->kernel_sha256, e)) >= 0 &&
        (m->initrd_fd = seal_piece(dir, "initrd", m->initrd_sha256, e)) >= 0 &&
        read_ovmf(m, dir, e) == 0 && read_template(m, dir, e) == 0 && read_lock(m, dir, e) == 0 &&
        open_base(m, dir, e) == 0 && open_volumes(m, dir, e) == 0)
        return m;
    err_wrap(e, "guest image '%s' (`make image` builds one)", dir);
    image_free(m);
    return NULL;
}

/* --- manifests --- */

int image_read_manifests(struct image *m, const char *dir, struct err *e) {
    if (read_piece(dir, "release.manifest", MANIFEST_MAX, &m->content, e) < 0)
        return err_wrap(e, "run `cdvm image manifest %s`", dir);
    m->release = release_parse(buf_view(&m->content), e);
    if (!m->release)
        return -1;
    manifest_digest(buf_view(&m->content), m->digest);
    for (size_t i = 0; i < m->n_volumes; i++) {
        struct image_volume *v = &m->volume[i];
        cleanup_free char *name = mem_fmt("%s.manifest", v->name);

        if (read_piece(dir, name, MANIFEST_MAX, &v->content, e) < 0)
            return err_wrap(e, "run `cdvm image manifest %s`", dir);
        v->manifest = manifest_parse(buf_view(&v->content), v->is_model, e);
        if (!v->manifest)
            return err_wrap(e, "%s", name);
        manifest_digest(buf_view(&v->content), v->digest);
    }
    return 0;
}

static int differs(struct err *e, const char *piece) {
    return err_set(
        e, "bad-image",
        "%s is not the one that its manifest describes (`cdvm image manifest` describes it anew)",
        piece);
}

int image_check(const struct image *m, struct err *e) {
    const struct release *r = m->release;

    if (memcmp(r->kernel_sha256, m->kernel_sha256, 32))
        return differs(e, "kernel");
    if (memcmp(r->initrd_sha256, m->initrd_sha256, 32))
        return differs(e, "initrd");
    if (memcmp(r->ovmf.sha256, m->ovmf.sha256, 32))
        return differs(e, "ovmf.fd");
    if (memcmp(r->lock_sha256, m->lock_sha256, 32))
        return differs(e, "packages.lock");
    if (strcmp(r->cmdline, m->cmdline))
        return differs(e, "cmdline.template");
    for (size_t i = 0; i < m->n_volumes; i++)
        if (!volume_same(&m->volume[i].volume, &m->volume[i].manifest->volume))
            return differs(e, m->volume[i].name);
    return 0;
}

struct image *image_load(const char *dir, struct err *e) {
    struct image *m = image_open(dir, e);

    if (!m)
        return NULL;
    if (image_read_manifests(m, dir, e) == 0 && image_check(m, e) == 0 &&
        image_read_offers(m, dir, e) == 0)
        return m;
    err_wrap(e, "guest image '%s'", dir);
    image_free(m);
    return NULL;
}

void image_free(struct image *m) {
    if (!m)
        return;
    image_drop_offers(m);
    for (size_t i = 0; i < m->n_volumes; i++) {
        close(m->volume[i].fd);
        manifest_free(m->volume[i].manifest);
        buf_free(&m->volume[i].content);
    }
    if (m->kernel_fd >= 0)
        close(m->kernel_fd);
    if (m->initrd_fd >= 0)
        close(m->initrd_fd);
    if (m->ovmf_fd >= 0)
        close(m->ovmf_fd);
    if (m->base_fd >= 0)
        close(m->base_fd);
    release_free(m->release);
    buf_free(&m->content);
    free(m->cmdline);
    free(m);
}

size_t image_disks(const struct image *m, const struct image_offer *o,
                   struct vm_disk out[static VM_DISKS_MAX]) {
    size_t n = 0;

    out[n++] = (struct vm_disk){"work", o->work->fd};
    if (o->model)
        out[n++] = (struct vm_disk){"model", o->model->fd};
    if (m->base_fd >= 0)
        out[n++] = (struct vm_disk){"base", m->base_fd};
    return n;
}

const struct image_volume *image_find(const struct image *m, const char *root_blocks) {
    struct volume want;

    if (!volume_parse(root_blocks, &want))
        return NULL;
    for (size_t i = 0; i < m->n_volumes; i++)
        if (volume_same(&m->volume[i].volume, &want))
            return &m->volume[i];
    return NULL;
}

const struct image_volume *image_named(const struct image *m, const char *name) {
    for (size_t i = 0; i < m->n_volumes; i++)
        if (!strcmp(m->volume[i].name, name))
            return &m->volume[i];
    return NULL;
}

int image_launch_digest(const struct image *m, const char *append, uint32_t vcpus,
                        const char *vcpu_type, uint64_t features, uint8_t out[static 48],
                        struct err *e) {
    struct launch l = {.ovmf = &m->ovmf,
                       .kernel_hashes = true,
                       .append = append,
                       .vcpus = vcpus,
                       .features = features};

    if (!vcpu_type_signature(vcpu_type, &l.vcpu_signature))
        return err_set(e, "bad-launch", "'%s' is not a known vCPU type", vcpu_type);
    memcpy(l.kernel, m->kernel_sha256, 32);
    memcpy(l.initrd, m->initrd_sha256, 32);
    return launch_digest(&l, out, e);
}
