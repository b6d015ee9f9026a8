/* A workload that misbehaves, for tests/e2e/guest.sh. The question "escape" makes it try to get out
 * of its sandbox and say for each attempt how it ended ("name=ENOENT", "name=ok"); other questions
 * make it break the contract in one way each. */
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
#include <sys/utsname.h>
#include <unistd.h>
#include <net/if.h>
#include "guest/workloads/lib/lines.h"

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
};

static int open_descriptors(void) {
    int n = 0;

    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void describe(struct buf *out) {
    int n_env = 0, n_open = open_descriptors();
    struct utsname u;

    while (environ[n_env])
        n_env++;
    uname(&u);
    for (size_t i = 0; i < COUNT(attempts); i++) {
        long rc;

        errno = 0;
        rc = attempts[i].attempt();
        buf_fmt(out, "%s=%s ", attempts[i].name, rc < 0 ? strerrorname_np(errno) : "ok");
    }
    buf_fmt(out, "pid=%d ppid=%d uid=%d gid=%d descriptors=%d environment=%d node=%s", getpid(),
            getppid(), getuid(), getgid(), n_open, n_env, u.nodename);
}

/* --- what it says --- */

static void say(struct lines *l, const char *type, const char *id, const char *key,
                const char *value) {
    cleanup_buf struct buf body = {0};
    struct jw w = jw_new(&body);

    jw_kstr(&w, "id", id);
    if (key)
        jw_kstr(&w, key, value);
    lines_say(l, type, buf_view(&body));
}

static void say_file(struct lines *l, const char *id, const char *path) {
    cleanup_buf struct buf body = {0};
    struct jw w = jw_new(&body);

    jw_kstr(&w, "id", id);
    jw_kstr(&w, "path", path);
    jw_kstr(&w, "name", "../../../etc/result\x1b[31m.csv");
    jw_kstr(&w, "mime", "text/csv");
    lines_say(l, "file", buf_view(&body));
}

static void escape(struct lines *l, const char *id) {
    cleanup_buf struct buf list = {0};

    describe(&list);
    say(l, "delta", id, "text", (const char *)list.p);
}

static void link_out(struct lines *l, const char *id) {
    (void)!symlink("/cdvm/job.json", "/out/link");
    say_file(l, id, "/out/link");
}

static void pipe_out(struct lines *l, const char *id) {
    (void)!mkfifo("/out/pipe", 0600);
    say_file(l, id, "/out/pipe");
}

static void folder_out(struct lines *l, const char *id) {
    (void)!mkdir("/out/folder", 0700);
    say_file(l, id, "/out/folder");
}

static void outside(struct lines *l, const char *id) {
    say_file(l, id, "/out/../in/0");
}

static void named(struct lines *l, const char *id) {
    (void)!write_out();
    say_file(l, id, "/out/x");
}

static void fill(struct lines *l, const char *id) {
    static char block[1 << 20];
    int fd = open("/out/full", O_CREAT | O_WRONLY, 0600);
    ssize_t n;

    while ((n = write(fd, block, sizeof block)) > 0)
        ;
    say(l, "delta", id, "text", n < 0 ? strerrorname_np(errno) : "full");
    close(fd);
    unlink("/out/full");
}

/* Until it is told to stop: the agent has to. */
static void flood(struct lines *l, const char *id) {
    char text[30001];
    cJSON *o = NULL;

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    while (!lines_next(l, 0, &o))
        say(l, "delta", id, "text", text);
    cJSON_Delete(o);
}

static void long_line(struct lines *l, const char *id) {
    static char text[LINE_MAX_BYTES];

    memset(text, 'x', sizeof text - 1);
    say(l, "delta", id, "text", text);
}

static void garbage(struct lines *l, const char *id) {
    (void)l, (void)id;
    (void)!write(STDOUT_FILENO, "\xff\xfe{\n", 4);
}

static void leave(struct lines *l, const char *id) {
    (void)l, (void)id;
    _exit(3);
}

static const struct {
    const char *question;
    void (*act)(struct lines *l, const char *id);
} acts[] = {
    {"escape", escape},   {"link", link_out},   {"pipe", pipe_out}, {"folder", folder_out},
    {"outside", outside}, {"named", named},     {"fill", fill},     {"flood", flood},
    {"long", long_line},  {"garbage", garbage}, {"leave", leave},
};

static void answer(struct lines *l, const char *id, const char *question) {
    for (size_t i = 0; i < COUNT(acts); i++)
        if (!strcmp(question, acts[i].question))
            acts[i].act(l, id);
    say(l, "done", id, NULL, NULL);
}

int main(void) {
    struct lines *l = lines_new(STDIN_FILENO, STDOUT_FILENO);
    cJSON *o;

    while (lines_next(l, -1, &o) == 1) {
        const char *type = json_opt(o, "t"), *id = json_opt(o, "id"), *text = json_opt(o, "text");

        if (type && !strcmp(type, "start"))
            lines_say(l, "ready", view_str("\"name\":\"probe\",\"caps\":[]"));
        if (type && id && text && !strcmp(type, "ask"))
            answer(l, id, text);
        cJSON_Delete(o);
    }
    lines_free(l);
    return 0;
}
