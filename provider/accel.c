#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "accel.h"
#include "core/channel.h"
#include "core/enc.h"
#include "device_node.h"
#include "spawn.h"

#define PROBE_MS 15000
#define PROBE_MIB 512

static const char *const qemu_paths[] = {"/usr/bin/qemu-system-x86_64",
                                         "/usr/local/bin/qemu-system-x86_64"};

/* "7.2.22 (Debian..." -> three numbers below 1000. */
static bool take_number(const char **s, unsigned *out) {
    size_t digits = strspn(*s, "0123456789");

    *out = 0;
    if (digits < 1 || digits > 3)
        return false;
    for (; digits; digits--)
        *out = *out * 10 + (unsigned)(*(*s)++ - '0');
    return true;
}

bool accel_version(const char *text, char version[static 32], unsigned *major) {
    static const char before[] = "QEMU emulator version ";
    const char *s = text + strlen(before);
    unsigned minor, micro;

    if (strncmp(text, before, strlen(before)) || !take_number(&s, major) || *s++ != '.' ||
        !take_number(&s, &minor) || *s++ != '.' || !take_number(&s, &micro))
        return false;
    snprintf(version, 32, "%u.%u.%u", *major, minor, micro);
    return true;
}

/* Without cx16: QEMU 7.2 leaves wrong flags behind an emulated cmpxchg16b when an interrupt
 * follows, and one guest kernel in some thirty dies of it while booting. */
void accel_tcg_cpu(unsigned qemu_major, char out[static 64]) {
    snprintf(out, 64, "Nehalem,-cx16,+rdrand,+aes,+pclmulqdq%s",
             qemu_major >= 10 ? ",+rdseed" : "");
}

int accel_find_qemu(struct accel *a, const char *named, unsigned *major, struct err *e) {
    cleanup_buf struct buf text = {0};

    a->qemu[0] = 0;
    if (named && access(named, X_OK) < 0)
        return err_set(e, "no-qemu", "qemu '%s' is not a program that can be run", named);
    if (named)
        snprintf(a->qemu, sizeof a->qemu, "%s", named);
    for (size_t i = 0; i < COUNT(qemu_paths) && !a->qemu[0]; i++)
        if (access(qemu_paths[i], X_OK) == 0)
            snprintf(a->qemu, sizeof a->qemu, "%s", qemu_paths[i]);
    if (!a->qemu[0])
        return err_set(e, "no-qemu",
                       "there is no qemu-system-x86_64: install it with "
                       "`apt-get install --no-install-recommends qemu-system-x86`");
    if (spawn_output((char *[]){a->qemu, "--version", NULL}, 4096, 5000, &text, e) < 0)
        return -1;
    if (!text.n || !accel_version((const char *)text.p, a->version, major))
        return err_set(e, "no-qemu", "'%s' does not say which version it is", a->qemu);
    return 0;
}

/* --- the probe: a guest that says STATE booted within the deadline --- */

struct probe {
    struct loop *loop;
    struct vm *vm;
    struct chan_in in;
    bool booted, over;
};

static void on_exit_of_probe(void *arg, int status) {
    struct probe *p = arg;

    (void)status;
    p->over = true;
}

static void on_probe_bytes(void *arg, unsigned ready) {
    struct probe *p = arg;
    uint8_t b[256];
    ssize_t n = recv(vm_channel(p->vm), b, sizeof b, MSG_DONTWAIT);
    struct chan_frame f;

    (void)ready;
    if (n <= 0) {
        p->over = p->over || n == 0;
        return;
    }
    chan_feed(&p->in, view_of(b, (size_t)n));
    if (chan_next(&p->in, &f, NULL) == 1) {
        p->booted = f.type == CHAN_STATE && f.payload.n == 1 && f.payload.p[0] == CHAN_BOOTED;
        p->over = true;
    }
}

static void run_probe(struct probe *p) {
    int64_t until = loop_now() + PROBE_MS;
    struct loop_fd *watch = loop_fd_add(p->loop, vm_channel(p->vm), LOOP_IN, on_probe_bytes, p);

    while (watch && !p->over && loop_now() < until)
        (void)loop_turn(p->loop, 200);
    loop_fd_del(watch);
}

static bool boots(const struct accel *a, const struct image *m, const char *rundir,
                  const char *append) {
    struct vm_spec s = {.qemu = a->qemu,
                        .accel = a->accel,
                        .cpu = a->cpu,
                        .vcpus = 1,
                        .memory_mib = PROBE_MIB,
                        .kernel_fd = m->kernel_fd,
                        .initrd_fd = m->initrd_fd,
                        .append = append};
    struct probe p = {.loop = loop_new(NULL)};

    if (!p.loop)
        return false;
    chan_in_init(&p.in);
    p.vm = vm_new(p.loop, &s, rundir, on_exit_of_probe, &p, NULL);
    if (p.vm)
        run_probe(&p);
    vm_free(p.vm);
    chan_in_free(&p.in);
    loop_free(p.loop);
    return p.booted;
}

/* Named models hang on some nested hosts where `host` aborts at once, so both are tried. */
static bool kvm_boots(struct accel *a, const struct image *m, const char *rundir) {
    static const char *const cpus[] = {"host", "Nehalem,+rdrand,+rdseed,+aes,+pclmulqdq"};
    cleanup_buf struct buf append = {0};
    char work[VOLUME_TEXT];

    if (!m->n_volumes)
        return false;
    volume_text(&m->volume[0].volume, work);
    if (cmdline_render(m->cmdline, work, "none", "none", &append, NULL) < 0)
        return false;
    a->accel = VM_KVM;
    for (size_t i = 0; i < COUNT(cpus); i++) {
        snprintf(a->cpu, sizeof a->cpu, "%s", cpus[i]);
        if (boots(a, m, rundir, (const char *)append.p))
            return true;
    }
    return false;
}

/* --- remembering --- */

/* What the answer depends on: the running kernel, QEMU, the guest's kernel. */
static char *cache_key(const struct accel *a, const struct image *m) {
    struct utsname u;
    char kernel[17];

    hex_encode(view_of(m->kernel_sha256, 8), kernel);
    if (uname(&u) < 0)
        u.release[0] = 0;
    return mem_fmt("%s %s %s", u.release, a->version, kernel);
}

/* "<key>\nkvm <cpu>\n" or "<key>\ntcg\n" */
static bool recall(const char *cache, const char *key, struct accel *a, bool *kvm) {
    cleanup_buf struct buf b = {0};
    size_t n = strlen(key);
    const char *answer;

    if (!cache || file_read(cache, 4096, &b, NULL) < 0 || b.n < n + 2 || memcmp(b.p, key, n) ||
        b.p[n] != '\n')
        return false;
    answer = (const char *)b.p + n + 1;
    *kvm = !strncmp(answer, "kvm ", 4);
    if (*kvm)
        snprintf(a->cpu, sizeof a->cpu, "%.*s", (int)strcspn(answer + 4, "\n"), answer + 4);
    return *kvm || !strcmp(answer, "tcg\n");
}

static void remember(const char *cache, const char *key, const struct accel *a, bool kvm) {
    cleanup_free char *text = mem_fmt("%s\n%s%s\n", key, kvm ? "kvm " : "tcg", kvm ? a->cpu : "");

    if (cache)
        (void)!file_write(cache, view_str(text), 0600, true, NULL);
}

static bool kvm_works(struct accel *a, const struct image *m, const struct accel_probe *probe) {
    cleanup_free char *key = cache_key(a, m);
    bool kvm;

    if (recall(probe->cache, key, a, &kvm)) {
        a->accel = VM_KVM;
        return kvm;
    }
    if (probe->slow)
        probe->slow(probe->arg, "trying whether KVM runs guests here: up to 30 s, once");
    kvm = kvm_boots(a, m, probe->rundir);
    remember(probe->cache, key, a, kvm);
    return kvm;
}

int accel_choose(enum accel_want want, const struct image *m, const struct accel_probe *probe,
                 struct accel *out, struct err *e) {
    char why[DEVICE_WHY] = "a guest did not boot under KVM within 15 s";
    unsigned major;

    *out = (struct accel){0};
    if (accel_find_qemu(out, probe->qemu, &major, e) < 0)
        return -1;
    if (want != ACCEL_TCG && device_opens("/dev/kvm", why) && kvm_works(out, m, probe)) {
        snprintf(out->why, sizeof out->why, "guests run under KVM (-cpu %s)", out->cpu);
        return 0;
    }
    if (want == ACCEL_KVM)
        return err_set(e, "no-kvm", "KVM was asked for: %s", why);
    out->accel = VM_TCG;
    accel_tcg_cpu(major, out->cpu);
    if (want == ACCEL_TCG)
        snprintf(out->why, sizeof out->why, "guests run on an emulated CPU (TCG), as asked for");
    else
        snprintf(out->why, sizeof out->why, "guests run on an emulated CPU (TCG), slower: %s", why);
    return 0;
}
