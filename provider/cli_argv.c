#include "cli_argv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "accel.h"
#include "gpu_life.h"
#include "qemu_able.h"

/* One line's parts, while they live. */
struct line {
    const struct provider_conf *conf;
    struct image *image;
    const struct image_offer *sold;
    struct accel accel;
    struct buf append;
    struct gpu_life *gpu; /* NULL: none */
    struct vm_snp snp;
};

static int render(struct line *l, struct err *e) {
    char work[VOLUME_TEXT], model[VOLUME_TEXT] = "none";

    volume_text(&l->sold->work->volume, work);
    if (l->sold->model)
        volume_text(&l->sold->model->volume, model);
    l->append.max = CMDLINE_MAX;
    return cmdline_render(l->image->cmdline, work, model, l->sold->broker, &l->append, e);
}

static int open_image(struct line *l, struct err *e) {
    if (!(l->image = image_load(l->conf->image, e)))
        return -1;
    if (!l->image->n_offers)
        return err_set(e, "bad-image", "guest image '%s' holds no workload", l->conf->image);
    l->sold = &l->image->offer[0];
    return render(l, e);
}

/* --- backends --- */

/* Leased while its line is printed: one that another job has gets no second line. */
static int lease_gpu(struct line *l, struct err *e) {
    cleanup_free char *dir = conf_path(CONF_STATE, "gpu", e);

    if (!l->conf->gpu)
        return 0;
    if (!dir)
        return -1;
    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return err_sys(e, errno, "cannot make '%s'", dir);
    l->gpu = gpu_life_new("/sys", dir, l->conf->gpu, e);
    return l->gpu ? 0 : -1;
}

static int use_snp(struct line *l, struct err *e) {
    const struct image *m = l->image;
    struct qemu_able q;

    if (!m->ovmf.hashes_gpa)
        return err_set(e, "bad-image",
                       "the firmware has no place for the kernel's hashes: it has to be the AmdSev "
                       "build of OVMF");
    if (!release_has_vcpu_type(m->release, l->conf->vcpu_type))
        return err_set(e, "bad-image", "vcpu-type '%s' is not in the release", l->conf->vcpu_type);
    if (accel_choose(ACCEL_TCG, m, &(struct accel_probe){0}, &l->accel, e) < 0 ||
        qemu_probe(l->accel.qemu, &q, e) < 0 || qemu_can(&q, l->conf->gpu, e) < 0 ||
        lease_gpu(l, e) < 0)
        return -1;
    l->accel.accel = VM_KVM;
    snprintf(l->accel.cpu, sizeof l->accel.cpu, "%s", l->conf->vcpu_type);
    l->snp = (struct vm_snp){.cbitpos = q.cbitpos,
                             .reduced_phys_bits = q.reduced_phys_bits,
                             .policy = m->release->policy,
                             .gpu = l->gpu ? gpu_life_gpu(l->gpu) : NULL};
    return 0;
}

/* KVM's CPU is known only after a guest was tried, which would be running something. */
static int use_sim(struct line *l, struct err *e) {
    if (accel_choose(ACCEL_TCG, l->image, &(struct accel_probe){0}, &l->accel, e) < 0)
        return -1;
    if (l->conf->accel == ACCEL_KVM) {
        l->accel.accel = VM_KVM;
        snprintf(l->accel.cpu, sizeof l->accel.cpu, "host");
    }
    return 0;
}

/* --- the line --- */

static int print(const struct line *l, bool snp, struct err *e) {
    const struct image_offer *o = l->sold;
    struct vm_spec s = {.qemu = l->accel.qemu,
                        .accel = l->accel.accel,
                        .cpu = l->accel.cpu,
                        .vcpus = o->vcpus ? o->vcpus : (uint32_t)l->conf->vcpus,
                        .memory_mib = o->memory_mib ? o->memory_mib : (uint32_t)l->conf->memory,
                        .append = (const char *)l->append.p,
                        .disk = {{"work", -1}, {"model", -1}},
                        .n_disks = o->model ? 2 : 1,
                        .snp = snp ? &l->snp : NULL};
    struct vm_argv a;

    if (vm_argv(&s, &a, e) < 0)
        return -1;
    for (size_t i = 0; i < a.n; i++)
        puts(a.v[i]);
    vm_argv_free(&a);
    return 0;
}

int argv_print(const struct provider_conf *c, struct err *e) {
    bool snp = !strcmp(c->backend, "snp");
    struct line l = {.conf = c};
    int rc = open_image(&l, e);

    if (rc == 0)
        rc = snp ? use_snp(&l, e) : use_sim(&l, e);
    if (rc == 0)
        rc = print(&l, snp, e);
    gpu_life_free(l.gpu);
    buf_free(&l.append);
    image_free(l.image);
    return rc;
}
