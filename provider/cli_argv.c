#include "cli_argv.h"

#include <stdio.h>
#include <string.h>

#include "accel.h"
#include "gpu_life.h"
#include "snp_host.h"

/* One line's parts, while they live. */
struct line {
    const struct provider_conf *conf;
    struct image *image;
    const struct image_offer *sold;
    struct accel accel;
    struct buf append;
    struct gpu gpu;
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

/* One that another job has, or that is in quarantine, gets no line. */
static int find_gpu(struct line *l, struct err *e) {
    char why[GPU_CC_WHY];
    enum gpu_standing s;

    if (!l->conf->gpu.n)
        return 0;
    if (gpu_find("/sys", l->conf->gpu.v[0], &l->gpu, e) < 0)
        return -1;
    s = gpu_life_standing(&gpu_host, l->gpu.bdf, why);
    if (s == GPU_STANDS_LEASED || s == GPU_STANDS_QUARANTINED)
        return err_set(e, s == GPU_STANDS_LEASED ? "gpu-leased" : "gpu-quarantined",
                       "GPU %s is %s%s%s", l->gpu.bdf, gpu_standing_name(s), why[0] ? ": " : "",
                       why);
    return 0;
}

static int use_snp(struct line *l, struct err *e) {
    const struct image *m = l->image;
    struct qemu_able q;
    unsigned major;

    if (snp_image_fits(m, l->conf->vcpu_type, l->conf->gpu.n && l->sold->gpus, e) < 0 ||
        accel_find_qemu(&l->accel, l->conf->qemu, &major, e) < 0 ||
        qemu_probe(l->accel.qemu, &q, e) < 0 || qemu_can(&q, l->conf->gpu.n, e) < 0 ||
        find_gpu(l, e) < 0)
        return -1;
    l->accel.accel = VM_KVM;
    snprintf(l->accel.cpu, sizeof l->accel.cpu, "%s", l->conf->vcpu_type);
    l->snp = (struct vm_snp){.cbitpos = q.cbitpos,
                             .reduced_phys_bits = q.reduced_phys_bits,
                             .policy = m->release->policy,
                             .gpu = l->conf->gpu.n ? &l->gpu : NULL};
    return 0;
}

/* KVM's CPU is known only after a guest was tried, which would be running something. */
static int use_sim(struct line *l, struct err *e) {
    if (accel_choose(ACCEL_TCG, l->image, &(struct accel_probe){.qemu = l->conf->qemu}, &l->accel,
                     e) < 0)
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
                        .snp = snp ? &l->snp : NULL};
    struct vm_argv a;

    s.n_disks = image_disks(l->image, o, s.disk);
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
    buf_free(&l.append);
    image_free(l.image);
    return rc;
}
