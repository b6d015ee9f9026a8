/* What an offer with a GPU requires besides: VFIO, QEMU, locked memory, and of each GPU its IOMMU
 * group, CC mode and standing. */
#include <string.h>

#include "doctor.h"

static size_t each_gpu(const struct host *h) {
    return h->n_gpus ? h->n_gpus : 1;
}

static const struct host_gpu *name_gpu(const struct host *h, size_t i, struct doctor_line *l) {
    const struct host_gpu *g = &h->gpu[i];

    memcpy(l->subject, g->gpu.bdf, BDF_TEXT);
    return g;
}

static void look_present(const struct host *h, size_t i, struct doctor_line *l) {
    const struct gpu *g = h->n_gpus ? &h->gpu[0].gpu : NULL;

    (void)i;
    if (h->gpu_why.code[0])
        doctor_say(l, DOCTOR_MISSING, "%.250s", h->gpu_why.text);
    else if (!g)
        doctor_say(l, DOCTOR_MISSING, "this machine has none (PCI class 0302)");
    else
        doctor_say(l, DOCTOR_OK, "%zu, the first is %s (10de:%04x)", h->n_gpus, g->bdf, g->device);
}

static void look_kernel(const struct host *h, size_t i, struct doctor_line *l) {
    (void)i;
    doctor_want(l, host_kernel_is(h, 6, 12), "Linux %s", h->kernel[0] ? h->kernel : "unknown");
}

static void look_config(const struct host *h, size_t i, struct doctor_line *l) {
    char device = host_config(h, "CONFIG_VFIO_DEVICE_CDEV"), fd = host_config(h, "CONFIG_IOMMUFD");

    (void)i;
    if (device == '?')
        doctor_say(l, DOCTOR_OK, "not shown by this system; gpu.bound tells");
    else
        doctor_want(l, device != 'n' && fd != 'n', "%s",
                    fd == 'n'       ? "CONFIG_IOMMUFD is not set"
                    : device == 'n' ? "CONFIG_VFIO_DEVICE_CDEV is not set"
                                    : "IOMMUFD, VFIO_DEVICE_CDEV");
}

static void look_modules(const struct host *h, size_t i, struct doctor_line *l) {
    bool vfio = host_has(h, "sys/bus/pci/drivers/vfio-pci"), fd = host_has(h, "dev/iommu");

    (void)i;
    doctor_want(l, vfio && fd, "%s%s%s", vfio ? "vfio-pci" : "vfio-pci is not loaded",
                vfio == fd ? " and " : ", ", fd ? "/dev/iommu" : "there is no /dev/iommu");
}

static void look_qemu(const struct host *h, size_t i, struct doctor_line *l) {
    const struct qemu_able *q = &h->qemu;

    (void)i;
    doctor_want(l, q->vfio && q->iommufd && q->gpu_memory, "QEMU %s %s", q->version,
                !q->vfio         ? "lacks the device vfio-pci"
                : !q->iommufd    ? "lacks the object iommufd"
                : !q->gpu_memory ? "lacks ram-block-attributes: a GPU and private memory refuse "
                                   "each other"
                                 : "has vfio-pci, iommufd and ram-block-attributes");
}

static void look_base(const struct host *h, size_t i, struct doctor_line *l) {
    (void)i;
    doctor_want(l, h->image.base, "the release %s a base volume", h->image.base ? "has" : "lacks");
}

/* All of a guest's memory is pinned for the GPU, and all guests are one user's. */
static void look_memlock(const struct host *h, size_t i, struct doctor_line *l) {
    uint64_t need = h->conf->memory * h->conf->slots;

    (void)i;
    if (h->memlock_mib == UINT64_MAX)
        doctor_say(l, DOCTOR_OK, "no limit");
    else
        doctor_want(l, h->memlock_mib > need, "%llu MiB, guests may need %llu",
                    (unsigned long long)h->memlock_mib, (unsigned long long)need);
}

static void look_group(const struct host *h, size_t i, struct doctor_line *l) {
    const struct gpu *g = &name_gpu(h, i, l)->gpu;
    const struct gpu_member *m = gpu_intruder(g, true);

    if (g->group < 0) {
        doctor_say(l, DOCTOR_MISSING, "it is behind no IOMMU");
        l->mend = "Mend iommu.on first";
    } else if (m)
        doctor_say(l, DOCTOR_MISSING, "group %d also has %s (class %06x, driver %s)", g->group,
                   m->bdf, m->class, m->driver[0] ? m->driver : "none");
    else
        doctor_say(l, DOCTOR_OK, "group %d is its own", g->group);
}

/* A job takes it from the driver that has it, and gives it back (gpu_life.h). */
static void look_bound(const struct host *h, size_t i, struct doctor_line *l) {
    const struct gpu *g = &name_gpu(h, i, l)->gpu;

    if (!strcmp(g->driver, "vfio-pci"))
        doctor_want(l, g->cdev[0], "vfio-pci%s%s", g->cdev[0] ? ", " : " without vfio-dev",
                    g->cdev);
    else if (g->driver[0])
        doctor_say(l, DOCTOR_OK, "%s has it; jobs take it from there", g->driver);
    else
        doctor_say(l, DOCTOR_OK, "no driver; jobs bind it");
}

static void look_cc(const struct host *h, size_t i, struct doctor_line *l) {
    const struct host_gpu *g = name_gpu(h, i, l);

    if (g->standing == GPU_STANDS_LEASED)
        doctor_say(l, DOCTOR_OK, "a guest has it, so it was on");
    else if (g->cc == GPU_CC_UNKNOWN)
        doctor_say(l, DOCTOR_UNKNOWN, "its CC mode is not known: %.200s", g->cc_why);
    else
        doctor_want(l, g->cc == GPU_CC_ON, "CC mode is %s", gpu_cc_name(g->cc));
}

static void look_free(const struct host *h, size_t i, struct doctor_line *l) {
    const struct host_gpu *g = name_gpu(h, i, l);

    doctor_want(l, g->standing != GPU_STANDS_QUARANTINED, "%s%s%.200s",
                gpu_standing_name(g->standing), g->standing_why[0] ? ": " : "", g->standing_why);
}

const struct doctor_check doctor_gpu[] = {
    {"gpu.present", DOCTOR_GPU, "an NVIDIA GPU", NULL, look_present, NULL,
     "Offers with a GPU need one that can be confidential: Hopper, Blackwell.",
     "See what the machine has: lspci -d 10de: -nn"},
    {"gpu.kernel", DOCTOR_GPU, "Linux 6.12 or newer", "gpu.present", look_kernel, NULL,
     "Devices beside SEV-SNP need its IOMMU and VFIO.",
     DOCTOR_PREPARE "  apt-get install -t bookworm-backports linux-image-amd64"},
    {"gpu.config", DOCTOR_GPU, "a kernel built with iommufd", "gpu.present", look_config, NULL,
     "Confidential guests take devices by iommufd, not by VFIO's old containers.",
     "Install your distribution's own kernel, or set the option and build anew"},
    {"gpu.modules", DOCTOR_GPU, "vfio-pci and iommufd", "gpu.present", look_modules, NULL,
     "They hand the GPU to a guest, and nothing else of the host.",
     DOCTOR_PREPARE "  modprobe -a vfio-pci iommufd\n"
                    "  printf '%s\\n' vfio-pci iommufd >/etc/modules-load.d/cdvm.conf"},
    {"gpu.qemu", DOCTOR_GPU, "QEMU 10.1 or newer with VFIO", "qemu.snp", look_qemu, NULL,
     "Before 10.1 VFIO and private memory cannot be used together.",
     DOCTOR_PREPARE "  apt-get install -t trixie-backports qemu-system-x86"},
    {"gpu.driver", DOCTOR_GPU, "an image with the GPU's driver", "gpu.present", look_base, NULL,
     "Guests load the driver from a volume that is part of the measured release.",
     "Make one, and build the image anew:\n"
     "  cdvm image base && make image"},
    {"gpu.memlock", DOCTOR_GPU, "no limit on locked memory", "gpu.present", look_memlock, NULL,
     "All of a guest's memory is pinned for the GPU's transfers.",
     DOCTOR_PREPARE "  echo \"$USER - memlock unlimited\" \\\n"
                    "    >/etc/security/limits.d/cdvm.conf\n"
                    "In a systemd unit: LimitMEMLOCK=infinity"},
    {"gpu.group", DOCTOR_GPU, "an IOMMU group of its own", "gpu.present", look_group, each_gpu,
     "What shares the group could read and write the guest's memory with the GPU.",
     "Bind what shares it as well, or move the GPU to another slot; and switch on ACS in the "
     "firmware setup (AMD CBS > NBIO Common Options: ACS Enable)"},
    {"gpu.bound", DOCTOR_GPU, "a way to vfio-pci", "gpu.present", look_bound, each_gpu,
     "A guest gets it through the character device of vfio-pci, /dev/vfio/devices.",
     "It needs a kernel with CONFIG_VFIO_DEVICE_CDEV; then bind it anew:\n"
     "  qemu-scripts/bind-gpu.sh BDF"},
    {"gpu.cc", DOCTOR_GPU, "CC mode on", "gpu.present", look_cc, each_gpu,
     "With CC off or DevTools the host can read the GPU's memory; customers refuse it.",
     "Set it once, with NVIDIA's gpu-admin-tools, before any guest:\n"
     "  nvidia_gpu_tools.py --devices BDF \\\n"
     "    --set-cc-mode=on --reset-after-cc-mode-switch"},
    {"gpu.free", DOCTOR_GPU, "not in quarantine", "gpu.present", look_free, each_gpu,
     "One that did not come back clean from a job serves nobody until a person has looked.",
     "See to the reason, then let it be reset and asked again:\n"
     "  cdvm provider --clear-gpu BDF"},
};
const size_t n_doctor_gpu = COUNT(doctor_gpu);
