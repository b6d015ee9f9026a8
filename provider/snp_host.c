#include "snp_host.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "device_node.h"
#include "gpu_sysfs.h"

#define GIB ((uint64_t)1 << 30)
#define LOCK_SLACK GIB /* firmware, the windows' tables, what QEMU itself shares with a device */

/* --- device nodes --- */

static int need_node(const struct snp_want *w, const char *name, const char *code, struct err *e) {
    cleanup_free char *path = mem_fmt("%s/%s", w->dev, name);
    char why[DEVICE_WHY];

    return device_for_guest(path, why) ? 0 : err_set(e, code, "%s", why);
}

/* The provider opens it, and QEMU gets the descriptor. */
static int need_iommufd(const struct snp_want *w, struct err *e) {
    cleanup_free char *path = mem_fmt("%s/iommu", w->dev);
    char why[DEVICE_WHY];

    if (device_opens(path, why))
        return 0;
    return err_set(
        e, "no-iommufd",
        "%s: a GPU is handed over by iommufd (Linux 6.6 or newer, `modprobe iommufd`, and "
        "the rights that qemu-scripts/prepare-host.sh gives)",
        why);
}

/* --- locked memory --- */

/* The kernel counts what devices reach by the user, not by the process, and all guests of a host
 * are one user: so the limit is what the host has, where we may raise it. */
static uint64_t memlock_of(uint64_t need) {
    uint64_t all = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);

    return all > need ? all : need;
}

/* Our own hard limit, which guests inherit: only who has CAP_SYS_RESOURCE may raise it. */
static int need_memlock(const struct snp_want *w, struct snp_host *out, struct err *e) {
    uint64_t need = ((uint64_t)w->memory_mib << 20) + LOCK_SLACK;
    struct rlimit l;

    out->memlock = memlock_of(need);
    if (getrlimit(RLIMIT_MEMLOCK, &l) < 0)
        return err_sys(e, errno, "cannot read the memlock limit");
    if (l.rlim_max < out->memlock)
        (void)setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){l.rlim_cur, out->memlock});
    if (getrlimit(RLIMIT_MEMLOCK, &l) == 0 && l.rlim_max >= need)
        return 0;
    return err_set(
        e, "memlock",
        "a guest with a GPU locks all its memory, %llu MiB, and this user may lock %llu: "
        "set LimitMEMLOCK=infinity in the service, or memlock in /etc/security/limits.d",
        (unsigned long long)(need >> 20), (unsigned long long)(l.rlim_max >> 20));
}

/* --- all of it --- */

int snp_host_open(const struct snp_want *w, struct snp_host *out, struct err *e) {
    *out = (struct snp_host){.dev = w->dev};
    if (host_cpu_read(w->proc, &out->cpu, e) < 0 || host_cpu_runs(&out->cpu, w->vcpu_type, e) < 0 ||
        qemu_probe(w->qemu, &out->able, e) < 0 || qemu_knows(&out->able, w->gpu, e) < 0 ||
        need_node(w, "kvm", "no-kvm", e) < 0 || need_node(w, "sev", "no-snp", e) < 0)
        return -1;
    if (w->gpu && (need_iommufd(w, e) < 0 || need_memlock(w, out, e) < 0))
        return -1;
    return qemu_host_can(&out->able, e);
}

int snp_image_fits(const struct image *m, const char *vcpu_type, bool gpu, struct err *e) {
    if (!m->ovmf.hashes_gpa)
        return err_set(e, "bad-image",
                       "the firmware has no place for the kernel's hashes: it has to be the AmdSev "
                       "build of OVMF");
    if (!release_has_vcpu_type(m->release, vcpu_type))
        return err_set(e, "bad-image", "vcpu-type '%s' is not in the release", vcpu_type);
    if (gpu && !m->release->has_base)
        return err_set(e, "bad-image",
                       "this release has no volume with the GPU's driver: guests could not use one "
                       "(`cdvm image base`)");
    return 0;
}

/* --- one guest --- */

static int open_gpu(const struct snp_host *h, const struct gpu *g, struct vm_snp *out,
                    struct err *e) {
    cleanup_free char *iommu = mem_fmt("%s/iommu", h->dev);
    cleanup_free char *cdev = mem_fmt("%s/vfio/devices/%s", h->dev, g->cdev);
    char why[DEVICE_WHY];

    out->gpu = g;
    out->memlock = h->memlock;
    out->iommufd_fd = device_open(iommu, why);
    if (out->iommufd_fd >= 0)
        out->cdev_fd = device_open(cdev, why);
    return out->cdev_fd < 0 ? err_set(e, "gpu-unfit", "GPU %s: %s", g->bdf, why) : 0;
}

int snp_spec(const struct snp_host *h, const struct image *m, const struct gpu *g,
             struct vm_snp *out, struct err *e) {
    *out = (struct vm_snp){.firmware_fd = m->ovmf_fd,
                           .cbitpos = h->able.cbitpos,
                           .reduced_phys_bits = h->able.reduced_phys_bits,
                           .policy = m->release->policy,
                           .iommufd_fd = -1,
                           .cdev_fd = -1};
    return g ? open_gpu(h, g, out, e) : 0;
}

void snp_spec_close(struct vm_snp *s) {
    if (s->iommufd_fd >= 0)
        close(s->iommufd_fd);
    if (s->cdev_fd >= 0)
        close(s->cdev_fd);
    s->iommufd_fd = s->cdev_fd = -1;
}
