/* What a program tries that wants out of its sandbox: one function an attempt, 0 or -1 with errno.
 * For tests/e2e/probe.c. */
#ifndef CDVM_E2E_ATTEMPTS_H
#define CDVM_E2E_ATTEMPTS_H

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <net/if.h>
#include "core/bytes.h"

extern char **environ;

static long try_open(const char *path, int flags) {
    int fd = open(path, flags | O_CLOEXEC, 0600);

    if (fd >= 0)
        close(fd);
    return fd;
}

static long port(void) {
    return try_open("/dev/vport0p1", O_RDWR);
}
static long report_device(void) {
    return try_open("/dev/sev-guest", O_RDWR);
}
static long report_config(void) {
    return mkdir("/sys/kernel/config/tsm/report/x", 0700);
}
static long disk(void) {
    return try_open("/dev/vda", O_RDONLY);
}
static long mapper(void) {
    return try_open("/dev/mapper/control", O_RDWR);
}
static long kmsg(void) {
    return try_open("/dev/kmsg", O_RDWR);
}
static long agent_memory(void) {
    return try_open("/proc/1/mem", O_RDONLY);
}
static long proc(void) {
    return try_open("/proc/self/status", O_RDONLY);
}
static long sysfs(void) {
    return try_open("/sys/class/net", O_RDONLY);
}
static long initrd(void) {
    return try_open("/init", O_RDONLY);
}
static long volume_copy(void) {
    return try_open("/run/volume/work.copy/image", O_RDONLY);
}

static long mknod_port(void) {
    return mknod("/tmp/port", S_IFCHR | 0600, makedev(250, 1));
}
static long mknod_disk(void) {
    return mknod("/tmp/disk", S_IFBLK | 0600, makedev(253, 0));
}

static long write_root(void) {
    return try_open("/x", O_CREAT | O_WRONLY);
}
static long write_own(void) {
    return try_open("/bin/probe", O_WRONLY);
}
static long write_in(void) {
    return try_open("/in/x", O_CREAT | O_WRONLY);
}
static long read_model(void) {
    return try_open("/model/weights", O_RDONLY);
}

static long write_model(void) {
    return try_open("/model/x", O_CREAT | O_WRONLY);
}

static long write_out(void) {
    return try_open("/out/x", O_CREAT | O_WRONLY);
}
static long write_tmp(void) {
    return try_open("/tmp/x", O_CREAT | O_WRONLY);
}

/* A program of its own making must not run. */
static long exec_tmp(void) {
    static char *argv[] = {(char *)(uintptr_t) "/tmp/y", NULL};
    int fd = open("/tmp/y", O_CREAT | O_WRONLY, 0700);

    if (fd < 0 || write(fd, "#!/bin/probe\n", 13) != 13)
        return -1;
    close(fd);
    chmod("/tmp/y", 0700);
    return execve("/tmp/y", argv, environ);
}

static long inet(void) {
    return socket(AF_INET, SOCK_STREAM, 0);
}
static long inet6(void) {
    return socket(AF_INET6, SOCK_DGRAM, 0);
}
static long netlink(void) {
    return socket(AF_NETLINK, SOCK_RAW, 0);
}
static long vsock(void) {
    return socket(AF_VSOCK, SOCK_STREAM, 0);
}
static long packet(void) {
    return socket(AF_PACKET, SOCK_RAW, 0);
}

/* Through a socket that is allowed, all interfaces could be listed. */
static long interfaces(void) {
    struct ifconf c = {0};
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    return fd < 0 ? fd : ioctl(fd, SIOCGIFCONF, &c);
}

static long other_process(void) {
    return kill(2, 0);
}
static long all_processes(void) {
    return kill(-1, SIGKILL);
}
static long trace(void) {
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}
static long mounting(void) {
    return mount("tmpfs", "/tmp", "tmpfs", 0, "");
}
static long unmounting(void) {
    return umount2("/in", MNT_DETACH);
}
static long rooting(void) {
    return chroot("/tmp");
}
static long namespaces(void) {
    return unshare(CLONE_NEWUSER);
}
static long new_user(void) {
    return syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
}
static long becoming_root(void) {
    return setuid(0);
}
static long rebooting(void) {
    return reboot(RB_AUTOBOOT);
}
static long module(void) {
    return syscall(SYS_finit_module, 0, "", 0);
}
static long bpf(void) {
    return syscall(SYS_bpf, 0, NULL, 0);
}
static long keys(void) {
    return syscall(SYS_keyctl, 0, 0, 0, 0, 0);
}
static long ring(void) {
    return syscall(SYS_io_uring_setup, 1, NULL);
}
static long perf(void) {
    return syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0);
}
static long handle(void) {
    return syscall(SYS_open_by_handle_at, 0, NULL, 0);
}
static long peek(void) {
    return syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0);
}
static long fault_fd(void) {
    return syscall(SYS_userfaultfd, 0);
}
static long hostname(void) {
    return sethostname("x", 1);
}

static long raise_limit(void) {
    struct rlimit r = {RLIM_INFINITY, RLIM_INFINITY};

    return setrlimit(RLIMIT_NOFILE, &r);
}

/* --- the kernel's other doors --- */

static long attach(void) {
    return ptrace(PTRACE_ATTACH, 1, NULL, NULL);
}
static long add_key(void) {
    return syscall(SYS_add_key, "user", "x", "y", 1, -4);
}
static long set_ns(void) {
    return setns(0, 0);
}
static long pivot(void) {
    return syscall(SYS_pivot_root, "/tmp", "/tmp");
}
static long new_mount(void) {
    return syscall(SYS_fsopen, "tmpfs", 0);
}
static long mount_tree(void) {
    return syscall(SYS_open_tree, -1, "/", 1);
}
static long swap(void) {
    return syscall(SYS_swapon, "/tmp/x", 0);
}
static long io_ports(void) {
    return syscall(SYS_ioperm, 0x402, 1, 1);
}
static long kexec(void) {
    return syscall(SYS_kexec_load, 0, 0, NULL, 0);
}
static long poke(void) {
    return syscall(SYS_process_vm_writev, 1, NULL, 0, NULL, 0, 0);
}
static long borrow_fd(void) {
    return syscall(SYS_pidfd_getfd, 0, 0, 0);
}
static long kernel_log(void) {
    return syscall(SYS_syslog, 3, NULL, 0);
}
static long ldt(void) {
    return syscall(SYS_modify_ldt, 0, NULL, 0);
}
static long set_time(void) {
    return clock_settime(CLOCK_REALTIME, &(struct timespec){0});
}
static long other_filter(void) {
    return syscall(SYS_seccomp, 0, 0, NULL);
}
/* Characters as if typed by whoever holds the terminal. */
static long typing(void) {
    return ioctl(STDIN_FILENO, TIOCSTI, "x");
}

/* --- sockets among its own processes --- */

static long local(void) {
    return socket(AF_UNIX, SOCK_STREAM, 0);
}
static long pair(void) {
    int fd[2];

    return socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
}
static long bind_at(const char *path) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    long rc;

    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    rc = fd < 0 ? fd : bind(fd, (const struct sockaddr *)&a, sizeof a);
    if (fd >= 0)
        close(fd);
    return rc;
}
static long socket_tmp(void) {
    return bind_at("/tmp/socket");
}
static long socket_out(void) {
    return bind_at("/out/socket");
}

/* --- files that are more than they seem --- */

static long hard_link(void) {
    return link("/cdvm/job.json", "/out/hard");
}
static long hard_model(void) {
    return link("/model/weights", "/tmp/hard");
}
static long device_out(void) {
    return mknod("/out/device", S_IFCHR | 0600, makedev(1, 1));
}
static long sparse(void) {
    int fd = open("/out/sparse", O_CREAT | O_WRONLY, 0600);
    long rc = fd < 0 ? fd : ftruncate(fd, (off_t)1 << 40);

    close(fd);
    unlink("/out/sparse");
    return rc;
}

/* --- /proc and /dev, where the job file asks for them --- */

static long proc_other(void) {
    return try_open("/proc/2/status", O_RDONLY);
}
static long proc_memory(void) {
    return try_open("/proc/meminfo", O_RDONLY);
}
static long proc_cmdline(void) {
    return try_open("/proc/cmdline", O_RDONLY);
}
static long proc_switches(void) {
    return try_open("/proc/sys/kernel/hostname", O_RDWR);
}
static long proc_kernel(void) {
    return try_open("/proc/kcore", O_RDONLY);
}
static long dev_null(void) {
    return try_open("/dev/null", O_RDWR);
}
static long dev_random(void) {
    return try_open("/dev/urandom", O_RDONLY);
}
static long dev_memory(void) {
    return try_open("/dev/mem", O_RDONLY);
}
static long dev_new(void) {
    return try_open("/dev/x", O_CREAT | O_WRONLY);
}
static long dev_change(void) {
    return chmod("/dev/null", 0);
}

static const struct {
    const char *name;
    long (*attempt)(void);
} attempts[] = {
    {"port", port},
    {"report_device", report_device},
    {"report_config", report_config},
    {"disk", disk},
    {"mapper", mapper},
    {"kmsg", kmsg},
    {"agent_memory", agent_memory},
    {"proc", proc},
    {"sysfs", sysfs},
    {"initrd", initrd},
    {"volume_copy", volume_copy},
    {"mknod_port", mknod_port},
    {"mknod_disk", mknod_disk},
    {"write_root", write_root},
    {"write_own", write_own},
    {"write_in", write_in},
    {"read_model", read_model},
    {"write_model", write_model},
    {"write_out", write_out},
    {"write_tmp", write_tmp},
    {"exec_tmp", exec_tmp},
    {"inet", inet},
    {"inet6", inet6},
    {"netlink", netlink},
    {"vsock", vsock},
    {"packet", packet},
    {"interfaces", interfaces},
    {"other_process", other_process},
    {"all_processes", all_processes},
    {"trace", trace},
    {"mounting", mounting},
    {"unmounting", unmounting},
    {"rooting", rooting},
    {"namespaces", namespaces},
    {"new_user", new_user},
    {"becoming_root", becoming_root},
    {"rebooting", rebooting},
    {"module", module},
    {"bpf", bpf},
    {"keys", keys},
    {"ring", ring},
    {"perf", perf},
    {"handle", handle},
    {"peek", peek},
    {"fault_fd", fault_fd},
    {"hostname", hostname},
    {"raise_limit", raise_limit},
    {"attach", attach},
    {"add_key", add_key},
    {"set_ns", set_ns},
    {"pivot", pivot},
    {"new_mount", new_mount},
    {"mount_tree", mount_tree},
    {"swap", swap},
    {"io_ports", io_ports},
    {"kexec", kexec},
    {"poke", poke},
    {"borrow_fd", borrow_fd},
    {"kernel_log", kernel_log},
    {"ldt", ldt},
    {"set_time", set_time},
    {"other_filter", other_filter},
    {"typing", typing},
    {"local", local},
    {"pair", pair},
    {"socket_tmp", socket_tmp},
    {"socket_out", socket_out},
    {"hard_link", hard_link},
    {"hard_model", hard_model},
    {"device_out", device_out},
    {"sparse", sparse},
    {"proc_other", proc_other},
    {"proc_memory", proc_memory},
    {"proc_cmdline", proc_cmdline},
    {"proc_switches", proc_switches},
    {"proc_kernel", proc_kernel},
    {"dev_null", dev_null},
    {"dev_random", dev_random},
    {"dev_memory", dev_memory},
    {"dev_new", dev_new},
    {"dev_change", dev_change},
};

/* --- what it can find out --- */

/* How a child ends that makes one call of another kind than the filter knows. */
static void fate(void (*call)(void), struct buf *out) {
    pid_t pid = fork();
    int status = 0;

    if (!pid) {
        call();
        _exit(0);
    }
    waitpid(pid, &status, 0);
    buf_fmt(out, "%s", WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : "lives");
}

static void old_call(void) { /* getpid of the 32-bit kernel */
    long rc = 20;

    __asm__ volatile("int $0x80" : "+a"(rc) : : "memory");
}
static void x32_call(void) {
    syscall(0x40000000 + SYS_getpid);
}

static void int80(struct buf *out) {
    fate(old_call, out);
}
static void x32(struct buf *out) {
    fate(x32_call, out);
}

static void above(struct buf *out) {
    struct stat here, up;
    int fd = open("/", O_RDONLY | O_DIRECTORY);
    bool same = !fchdir(fd) && !chdir("../../..") && !stat(".", &up) && !stat("/", &here) &&
                up.st_ino == here.st_ino && up.st_dev == here.st_dev;

    close(fd);
    buf_fmt(out, "%s", same ? "itself" : "more");
}

static void group(struct buf *out) {
    cleanup_buf struct buf text = {0};

    if (file_read("/proc/self/cgroup", 4096, &text, NULL))
        buf_str(out, "unknown");
    else
        buf_add(out, text.p, strcspn((const char *)text.p, "\n"));
}

/* The fifth word of each line of mountinfo. */
static void mounts(struct buf *out) {
    cleanup_buf struct buf text = {0};
    char *line, *rest;

    if (file_read("/proc/self/mountinfo", 65536, &text, NULL)) {
        buf_str(out, "unknown");
        return;
    }
    rest = (char *)text.p;
    while ((line = strsep(&rest, "\n")) && *line) {
        for (int i = 0; i < 4; i++)
            strsep(&line, " ");
        buf_fmt(out, "%s%s", out->p[out->n - 1] == '=' ? "" : ":", strsep(&line, " "));
    }
}

static void cpus(struct buf *out) {
    cpu_set_t set;

    buf_fmt(out, "%d", sched_getaffinity(0, sizeof set, &set) ? 0 : CPU_COUNT(&set));
}

static const struct {
    const char *name;
    void (*tell)(struct buf *out);
} facts[] = {
    {"int80", int80}, {"x32", x32},       {"above", above},
    {"group", group}, {"mounts", mounts}, {"cpus", cpus},
};

#endif
