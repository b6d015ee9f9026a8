/* What a confidential guest has more than a plain one. HOST_DATA, ID block, family and image id are
 * never set: customers expect zeroes there (cdvm-protocol(7), "Verdict"). */
#include <inttypes.h>
#include <string.h>

#include "gpu_sysfs.h"
#include "vm_argv_priv.h"

#define POLICY_ONE 17 /* must be set */
#define POLICY_DEBUG 19
#define WINDOW_LEAST ((uint64_t)1 << 20) /* of a bridge, below 4 GiB */

int vm_argv_snp_check(const struct vm_spec *s, struct err *e) {
    const struct vm_snp *p = s->snp;

    if (s->accel != VM_KVM)
        return err_set(e, "bad-vm", "a confidential guest needs KVM");
    if (p->cbitpos < 32 || p->cbitpos > 63 || p->reduced_phys_bits < 1 || p->reduced_phys_bits > 63)
        return err_set(e, "bad-vm", "C-bit %u with %u address bits less is not a processor's",
                       p->cbitpos, p->reduced_phys_bits);
    if (!(p->policy >> POLICY_ONE & 1) || p->policy >> POLICY_DEBUG & 1)
        return err_set(e, "bad-vm",
                       "guest policy 0x%" PRIx64 " has bit 17 unset, or allows debugging",
                       p->policy);
    if (p->gpu && gpu_fit(p->gpu, e) < 0)
        return -1;
    if (p->gpu && !gpu_window64(p->gpu))
        return err_set(e, "gpu-unfit",
                       "%s shows no memory window above 4 GiB: is above-4G "
                       "decoding on in the firmware's setup?",
                       p->gpu->bdf);
    return 0;
}

int vm_fd_firmware(const struct vm_spec *s) {
    return VM_FD_DISK + (int)s->n_disks;
}

void vm_argv_snp_machine(struct vm_argv *a, const struct vm_spec *s) {
    const struct vm_snp *p = s->snp;

    vm_argv_add(a, "-object");
    vm_argv_addf(a, "memory-backend-memfd,id=ram1,size=%uM,share=on,prealloc=off", s->memory_mib);
    vm_argv_add(a, "-object");
    vm_argv_addf(a,
                 "sev-snp-guest,id=sev0,cbitpos=%u,reduced-phys-bits=%u,policy=0x%" PRIx64
                 ",kernel-hashes=on",
                 p->cbitpos, p->reduced_phys_bits, p->policy);
    vm_argv_add(a, "-machine");
    vm_argv_addf(a,
                 "%s,confidential-guest-support=sev0,memory-backend=ram1,kernel-irqchip=split,"
                 "smm=off",
                 vm_machine);
    vm_argv_add(a, "-bios");
    vm_argv_addf(a, "/proc/self/fd/%d", vm_fd_firmware(s));
}

void vm_argv_snp_gpu(struct vm_argv *a, const struct vm_spec *s) {
    const struct gpu *g = s->snp->gpu;

    if (!g)
        return;
    vm_argv_add(a, "-object");
    vm_argv_addf(a, "iommufd,id=iommufd0,fd=%d", vm_fd_firmware(s) + 1);
    vm_argv_add(a, "-device");
    vm_argv_addf(a,
                 "pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1,pref64-reserve=%" PRIu64
                 ",mem-reserve=%" PRIu64,
                 gpu_window64(g), gpu_window32(g) ? gpu_window32(g) : WINDOW_LEAST);
    vm_argv_add(a, "-device");
    vm_argv_addf(a, "vfio-pci,fd=%d,bus=rp1,iommufd=iommufd0,rombar=0", vm_fd_firmware(s) + 2);
    vm_argv_add(a, "-fw_cfg");
    vm_argv_addf(a, "name=opt/ovmf/X-PciMmio64Mb,string=%" PRIu64, gpu_aperture_mib(g));
}
