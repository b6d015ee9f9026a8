/* One guest: QEMU as a child process with a device list that is an allow-list.
 *
 * Everything QEMU opens is handed over as a descriptor: kernel and initrd as sealed memory files,
 * so that the bytes that were hashed are the bytes that boot; volumes as read-only descriptors; the
 * guest's port and QMP as socket pairs. No path, no network card, no console, no log. */
#ifndef CDVM_VM_H
#define CDVM_VM_H

#include "core/bytes.h"
#include "core/loop.h"

#define VM_DISKS_MAX 3
#define VM_ARGV_MAX 80

/* Descriptors as QEMU sees them; spawn places them there. */
enum vm_fd { VM_FD_CHANNEL = 3, VM_FD_QMP = 4, VM_FD_KERNEL = 5, VM_FD_INITRD = 6, VM_FD_DISK = 7 };

enum vm_accel { VM_TCG, VM_KVM };

struct vm_disk {
    const char *serial; /* "work", "model" or "base": how the agent finds it */
    int fd;             /* opened read-only */
};
struct gpu;
/* What makes a guest confidential (SEV-SNP). Numbers as the QEMU that runs it gives them. */
struct vm_snp {
    int firmware_fd; /* the measured AmdSev OVMF, sealed */
    unsigned cbitpos, reduced_phys_bits;
    uint64_t policy;         /* as the release manifest has it */
    const struct gpu *gpu;   /* borrowed; NULL: none */
    int iommufd_fd, cdev_fd; /* with a GPU: /dev/iommu and /dev/vfio/devices/vfioN */
    uint64_t memlock;        /* with a GPU: bytes that QEMU may lock, for the device reaches them */
};
/* What to launch. Strings and descriptors are borrowed for the call that takes the spec. */
struct vm_spec {
    const char *qemu; /* program, absolute path */
    enum vm_accel accel;
    const char *cpu; /* value of -cpu */
    uint32_t vcpus, memory_mib;
    int kernel_fd, initrd_fd;
    const char *append; /* rendered command line */
    struct vm_disk disk[VM_DISKS_MAX];
    size_t n_disks;
    const struct vm_snp *snp; /* NULL: a plain guest */
};

/* The argument vector of a spec; pure. Owned strings, NULL-terminated. -1 "bad-vm" when the spec
 * has a value that could be read as more than itself (a comma in a CPU name, 0 vCPUs),
 * "gpu-unfit" as gpu_fit has it. */
struct vm_argv {
    char *v[VM_ARGV_MAX + 1];
    size_t n;
};
int vm_argv(const struct vm_spec *s, struct vm_argv *out, struct err *e) WARN_UNUSED;
void vm_argv_free(struct vm_argv *a);

/* A sealed in-memory copy of a file or of bytes: nobody can change it any more, we included.
 * -1 on error, else a descriptor that the caller closes. */
int vm_sealed_file(const char *name, struct view data, struct err *e) WARN_UNUSED;

struct vm;
struct qmp;
/* Called once, from the loop: QEMU is gone and reaped. status as from waitpid. */
typedef void vm_exit_fn(void *arg, int status);

/* rundir: a private folder for this guest alone, made by the caller (rundir.h); it becomes QEMU's
 * working directory. NULL on error ("vm-failed"). */
struct vm *vm_new(struct loop *l, const struct vm_spec *s, const char *rundir, vm_exit_fn *fn,
                  void *arg, struct err *e);
int vm_channel(const struct vm *vm); /* our end of the guest's port: non-blocking, owned by vm */
struct qmp *vm_qmp(const struct vm *vm);
int vm_pid(const struct vm *vm);
bool vm_running(const struct vm *vm);
/* The line that QEMU wrote to stderr and that vm_fault knows, else the last one; sanitised; "" when
 * silent. */
const char *vm_complaint(const struct vm *vm);
/* The kill ladder: QMP quit, after 2 s SIGTERM, after 2 s more SIGKILL. Idempotent. */
void vm_stop(struct vm *vm);
/* Kills and reaps what still runs before it returns: afterwards there is no QEMU. NULL legal. */
void vm_free(struct vm *vm);

#endif
