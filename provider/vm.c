#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/dvm.h"
#include "qmp.h"
#include "spawn.h"
#include "vm.h"
#include "vm_fault.h"

#define VM_SNP_FDS 3 /* firmware, iommufd, GPU */
#define RUNG_MS 2000 /* patience on each rung of the kill ladder */
#define COMPLAINT_MAX 400

struct vm {
    struct loop *loop;
    int pid;
    int channel, qmp_fd, err_fd; /* our ends */
    struct qmp *qmp;
    struct loop_child *child;
    struct loop_fd *err_watch;
    struct loop_timer *ladder;
    int rung; /* next rung; 0: nobody asked it to stop */
    bool running;
    char line[COMPLAINT_MAX]; /* of stderr, until it ends: QEMU writes one in several pieces */
    size_t line_n;
    char complaint[COMPLAINT_MAX];
    vm_exit_fn *fn;
    void *arg;
};

/* The writable descriptor is given up for one that is for reading: sealed is enough, but what QEMU
 * holds shall not even look writable. */
static int reopen_read_only(int fd, const char *name, struct err *e) {
    cleanup_free char *path = mem_fmt("/proc/self/fd/%d", fd);
    int again = open(path, O_RDONLY | O_CLOEXEC);

    if (again < 0)
        err_sys(e, errno, "cannot reopen the memory file for '%s'", name);
    close(fd);
    return again;
}

int vm_sealed_file(const char *name, struct view data, struct err *e) {
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return err_sys(e, errno, "cannot make a memory file for '%s'", name);
    if (fd_write_all(fd, data, e) < 0) {
        close(fd);
        return err_wrap(e, "memory file for '%s'", name);
    }
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0) {
        close(fd);
        return err_sys(e, errno, "cannot seal the memory file for '%s'", name);
    }
    return reopen_read_only(fd, name, e);
}

/* --- what QEMU says on stderr: the last line is kept for the error sentence --- */

/* A line that is known is kept: what follows it is mostly "failed". */
static void end_line(struct vm *vm) {
    cleanup_free char *line = mem_strn(vm->line, vm->line_n);

    if (vm->line_n && !vm_fault(vm->complaint))
        text_clip(vm->complaint, sizeof vm->complaint, line);
    vm->line_n = 0;
}

/* False when there is no more to read. */
static bool read_complaints(struct vm *vm) {
    char b[1024];
    ssize_t n = read(vm->err_fd, b, sizeof b);

    for (ssize_t i = 0; i < n; i++)
        if (b[i] == '\n')
            end_line(vm);
        else if (vm->line_n < sizeof vm->line)
            vm->line[vm->line_n++] = b[i];
    if (n == 0)
        errno = 0;
    return n > 0;
}

static void on_complaint(void *arg, unsigned ready) {
    struct vm *vm = arg;

    (void)ready;
    if (read_complaints(vm) || errno == EAGAIN || errno == EINTR)
        return;
    loop_fd_del(vm->err_watch);
    vm->err_watch = NULL;
}

/* --- the kill ladder --- */

static void climb(void *arg);

static void rung_quit(struct vm *vm) {
    struct err e;

    if (qmp_ask(vm->qmp, "quit", NULL, NULL, &e) < 0)
        (void)loop_child_kill(vm->child, SIGTERM); /* QMP is closed: the next rung at once */
}
static void rung_term(struct vm *vm) {
    (void)loop_child_kill(vm->child, SIGTERM);
}
static void rung_kill(struct vm *vm) {
    (void)loop_child_kill(vm->child, SIGKILL);
}
static void (*const rungs[])(struct vm *) = {rung_quit, rung_term, rung_kill};

static void climb(void *arg) {
    struct vm *vm = arg;

    if (!vm->running || vm->rung >= (int)COUNT(rungs))
        return;
    rungs[vm->rung++](vm);
    loop_timer_set(vm->ladder, loop_now() + RUNG_MS);
}

void vm_stop(struct vm *vm) {
    if (vm->rung == 0)
        climb(vm);
}

static void on_exit_of_child(void *arg, int status) {
    struct vm *vm = arg;

    vm->running = false;
    loop_timer_set(vm->ladder, -1);
    while (read_complaints(vm))
        ;
    end_line(vm);
    vm->fn(vm->arg, status);
}

/* --- launch --- */

static int check_disk(const struct vm_disk *d, struct err *e) {
    int flags = fcntl(d->fd, F_GETFL);

    if (flags < 0 || (flags & O_ACCMODE) != O_RDONLY)
        return err_set(e, "bad-vm", "disk '%s' is not open for reading only", d->serial);
    return 0;
}

/* What QEMU opens by name. */
static const char *const kvm_nodes[] = {"/dev/kvm", NULL};
static const char *const snp_nodes[] = {"/dev/kvm", "/dev/sev", NULL};

/* In the order of vm_argv_snp.c. */
static void add_snp_fds(const struct vm_snp *p, int *fds, size_t *n) {
    fds[(*n)++] = p->firmware_fd;
    if (!p->gpu)
        return;
    fds[(*n)++] = p->iommufd_fd;
    fds[(*n)++] = p->cdev_fd;
}

static int launch(struct vm *vm, const struct vm_spec *s, const char *rundir, const int theirs[3],
                  struct err *e) {
    struct vm_argv a;
    int fds[VM_FD_DISK - VM_FD_CHANNEL + VM_DISKS_MAX + VM_SNP_FDS] = {theirs[0], theirs[1],
                                                                       s->kernel_fd, s->initrd_fd};
    struct spawn sp = {.dir = rundir, .fds = fds, .n_fds = 4, .out = -1, .err = theirs[2]};

    for (size_t i = 0; i < s->n_disks; i++) {
        if (check_disk(&s->disk[i], e) < 0)
            return -1;
        fds[sp.n_fds++] = s->disk[i].fd;
    }
    if (s->snp)
        add_snp_fds(s->snp, fds, &sp.n_fds);
    if (vm_argv(s, &a, e) < 0)
        return -1;
    sp.argv = a.v;
    sp.drop_root = true;
    sp.devices = s->accel == VM_KVM ? (s->snp ? snp_nodes : kvm_nodes) : NULL;
    sp.file_max =
        s->snp ? (uint64_t)s->memory_mib << 20 : 0; /* its memory is a file to the kernel */
    sp.memlock = s->snp && s->snp->gpu ? s->snp->memlock : 0;
    vm->pid = spawn_child(&sp, e);
    vm_argv_free(&a);
    return vm->pid > 0 ? 0 : -1;
}

/* Only our ends are non-blocking: the others are QEMU's to set. */
static int open_pair(int *ours, int *theirs, const char *what, struct err *e) {
    int p[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p) < 0 ||
        fcntl(p[0], F_SETFL, O_NONBLOCK) < 0)
        return err_sys(e, errno, "cannot make a socket for %s", what);
    *ours = p[0];
    *theirs = p[1];
    return 0;
}

static int open_pairs(struct vm *vm, int theirs[3], struct err *e) {
    return open_pair(&vm->channel, &theirs[0], "the guest's port", e) < 0 ||
                   open_pair(&vm->qmp_fd, &theirs[1], "QMP", e) < 0 ||
                   open_pair(&vm->err_fd, &theirs[2], "QEMU's errors", e) < 0
               ? -1
               : 0;
}

static int watch(struct vm *vm, struct err *e) {
    static const struct qmp_handler quiet = {0};

    vm->child = loop_child_add(vm->loop, vm->pid, on_exit_of_child, vm);
    vm->err_watch = loop_fd_add(vm->loop, vm->err_fd, LOOP_IN, on_complaint, vm);
    vm->ladder = loop_timer_add(vm->loop, -1, climb, vm);
    if (!vm->child || !vm->err_watch)
        return err_sys(e, errno, "cannot watch QEMU");
    vm->qmp = qmp_new(vm->loop, vm->qmp_fd, &quiet, NULL);
    return 0;
}

struct vm *vm_new(struct loop *l, const struct vm_spec *s, const char *rundir, vm_exit_fn *fn,
                  void *arg, struct err *e) {
    struct vm *vm = mem_new(sizeof *vm);
    int theirs[3] = {-1, -1, -1};
    bool ok;

    *vm = (struct vm){.loop = l, .channel = -1, .qmp_fd = -1, .err_fd = -1, .fn = fn, .arg = arg};
    ok = open_pairs(vm, theirs, e) == 0 && launch(vm, s, rundir, theirs, e) == 0;
    for (size_t i = 0; i < COUNT(theirs); i++)
        if (theirs[i] >= 0)
            close(theirs[i]);
    vm->running = ok;
    if (!ok || watch(vm, e) < 0) {
        err_wrap(e, "cannot start the guest");
        vm_free(vm);
        return NULL;
    }
    return vm;
}

int vm_channel(const struct vm *vm) {
    return vm->channel;
}

struct qmp *vm_qmp(const struct vm *vm) {
    return vm->qmp;
}

int vm_pid(const struct vm *vm) {
    return vm->pid;
}

bool vm_running(const struct vm *vm) {
    return vm->running;
}

const char *vm_complaint(const struct vm *vm) {
    return vm->complaint;
}

/* The child is ours and unreaped while `running`, so its pid cannot be somebody else's. */
static void kill_and_reap(struct vm *vm) {
    kill(vm->pid, SIGKILL);
    while (waitpid(vm->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    vm->running = false;
}

void vm_free(struct vm *vm) {
    if (!vm)
        return;
    loop_timer_del(vm->ladder);
    loop_child_del(vm->child);
    loop_fd_del(vm->err_watch);
    qmp_free(vm->qmp);
    if (vm->running)
        kill_and_reap(vm);
    if (vm->channel >= 0)
        close(vm->channel);
    if (vm->qmp_fd >= 0)
        close(vm->qmp_fd);
    if (vm->err_fd >= 0)
        close(vm->err_fd);
    free(vm);
}
