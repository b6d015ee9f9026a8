/* A provider that lies, for tests: the shipped parts, with a few of their functions replaced at
 * link time
 * (-Wl,--wrap=..., see the Makefile). The shipped program has none of these knobs.
 *
 * usage: hostile_provider KNOB [provider options]
 *   honest      changes nothing
 *   initrd      one byte of the initrd is another than the release's
 *   append      the kernel's command line has a word more than the release's
 *   inputs      QEMU hands fw_cfg items, SMBIOS strings and another time of day to the guest
 *   net, pci    QEMU gets a virtio-net, or a balloon, besides
 *   flip        the first, a middle and the last data block of the volume are bad, job by job
 *   fliptree    a block of the volume's hash tree is bad
 *   short-boot  the boot deadline is 4 s
 *   twins       two guests are booted from one request
 *   space-root, word-root   the offer's workload has a space, or a second word, in it
 * Every knob prints what QEMU's PCI buses hold, and how many events each guest was given. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/json.h"
#include "core/offer.h"
#include "provider/cli.h"
#include "provider/gateway.h"
#include "provider/job.h"
#include "provider/qmp.h"
#include "provider/vm.h"

static const char *knob = "honest";

static bool is(const char *name) {
    return !strcmp(knob, name);
}

/* --- the image --- */

int __real_vm_sealed_file(const char *name, struct view data, struct err *e);
int __wrap_vm_sealed_file(const char *name, struct view data, struct err *e);
int __wrap_vm_sealed_file(const char *name, struct view data, struct err *e) {
    cleanup_free char *copy = mem_strn(data.p, data.n);

    if (is("initrd") && !strcmp(name, "initrd"))
        copy[data.n - 1] ^= 1; /* in the padding behind the archive: the guest still boots */
    return __real_vm_sealed_file(name, view_of(copy, data.n), e);
}

/* Without the check that the bytes are the manifest's: a liar does not check himself. */
struct image *__wrap_image_load(const char *dir, struct err *e);
struct image *__wrap_image_load(const char *dir, struct err *e) {
    struct image *m = image_open(dir, e);

    if (m && image_read_manifests(m, dir, e) == 0 && image_read_offers(m, dir, e) == 0)
        return m;
    image_free(m);
    return NULL;
}

int __real_cmdline_render(const char *templ, const char *work, const char *model,
                          const char *broker, struct buf *out, struct err *e);
int __wrap_cmdline_render(const char *templ, const char *work, const char *model,
                          const char *broker, struct buf *out, struct err *e);
int __wrap_cmdline_render(const char *templ, const char *work, const char *model,
                          const char *broker, struct buf *out, struct err *e) {
    if (__real_cmdline_render(templ, work, model, broker, out, e) < 0)
        return -1;
    if (is("append"))
        buf_str(out, " quiet");
    return 0;
}

/* --- QEMU --- */

static const char *const inputs[] = {
    "-fw_cfg", "name=opt/org.cdvm/debug,string=1",
    "-smbios", "type=11,value=io.systemd.credential:cdvm.debug=1",
    "-smbios", "type=1,manufacturer=cdvm.debug=1",
    "-rtc",    "base=2001-09-09T01:46:40",
};

static void add_argument(struct vm_argv *a, const char *s) {
    if (a->n == VM_ARGV_MAX)
        abort();
    a->v[a->n++] = mem_str(s);
}

int __real_vm_argv(const struct vm_spec *s, struct vm_argv *out, struct err *e);
int __wrap_vm_argv(const struct vm_spec *s, struct vm_argv *out, struct err *e);
int __wrap_vm_argv(const struct vm_spec *s, struct vm_argv *out, struct err *e) {
    const char *device = is("net") ? "virtio-net-pci" : is("pci") ? "virtio-balloon-pci" : NULL;

    if (__real_vm_argv(s, out, e) < 0)
        return -1;
    if (device) {
        add_argument(out, "-device");
        add_argument(out, device);
    }
    for (size_t i = 0; i < COUNT(inputs) && is("inputs"); i++)
        add_argument(out, inputs[i]);
    return 0;
}

static void print_bus(const cJSON *bus) {
    const cJSON *d, *devices = cJSON_GetObjectItemCaseSensitive(bus, "devices");

    cJSON_ArrayForEach(d, devices) {
        const cJSON *id = cJSON_GetObjectItemCaseSensitive(d, "id");

        fprintf(stderr, "pci %04x:%04x\n",
                (unsigned)cJSON_GetNumberValue(cJSON_GetObjectItem(id, "vendor")),
                (unsigned)cJSON_GetNumberValue(cJSON_GetObjectItem(id, "device")));
    }
}

static void on_pci(void *arg, const cJSON *ret, const struct err *e) {
    const cJSON *bus;

    (void)arg;
    (void)e;
    cJSON_ArrayForEach(bus, ret) print_bus(bus);
}

/* A copy of the volume with one bad byte; the descriptor is for reading only, as vm_new demands. */
static int bad_volume(int fd) {
    static unsigned job;
    struct stat st;
    int copy = memfd_create("bad volume", MFD_CLOEXEC), again;
    char path[64];
    off_t blocks, block;
    uint8_t *p;

    if (fstat(fd, &st) < 0 || ftruncate(copy, st.st_size) < 0)
        abort();
    p = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, copy, 0);
    if (p == MAP_FAILED || pread(fd, p, (size_t)st.st_size, 0) != st.st_size)
        abort();
    blocks = (off_t)(st.st_size / 4096 * 127 / 128); /* the last data block, near enough */
    block =
        is("fliptree") ? st.st_size / 4096 - 1 : (off_t[]){0, blocks / 2, blocks - 2}[job++ % 3];
    p[block * 4096 + 2048] ^= 0x10;
    fprintf(stderr, "flipped a byte in block %lld of %lld\n", (long long)block,
            (long long)st.st_size / 4096);
    munmap(p, (size_t)st.st_size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", copy);
    again = open(path, O_RDONLY | O_CLOEXEC);
    close(copy);
    return again;
}

struct vm *__real_vm_new(struct loop *l, const struct vm_spec *s, const char *rundir,
                         vm_exit_fn *fn, void *arg, struct err *e);
struct vm *__wrap_vm_new(struct loop *l, const struct vm_spec *s, const char *rundir,
                         vm_exit_fn *fn, void *arg, struct err *e);
struct vm *__wrap_vm_new(struct loop *l, const struct vm_spec *s, const char *rundir,
                         vm_exit_fn *fn, void *arg, struct err *e) {
    struct vm_spec spec = *s;
    bool bad = spec.n_disks && (is("flip") || is("fliptree"));
    struct vm *vm;

    if (bad)
        spec.disk[0].fd = bad_volume(s->disk[0].fd);
    vm = __real_vm_new(l, &spec, rundir, fn, arg, e);
    if (bad)
        close(spec.disk[0].fd);
    if (vm && spec.n_disks && qmp_ask(vm_qmp(vm), "query-pci", on_pci, NULL, e) < 0)
        fprintf(stderr, "query-pci: %s\n", e->text);
    return vm;
}

/* --- the job --- */

int64_t __real_job_boot_limit(int64_t measured_ms);
int64_t __wrap_job_boot_limit(int64_t measured_ms);
int64_t __wrap_job_boot_limit(int64_t measured_ms) {
    return is("short-boot") ? 4000 : __real_job_boot_limit(measured_ms);
}

static void on_twin(void *arg) {
    job_event(arg, ON_SLOT);
}

struct job *__real_job_new(const struct job_env *env, const struct rumor *request,
                           const struct job_request *q, const struct image_offer *sold);
struct job *__wrap_job_new(const struct job_env *env, const struct rumor *request,
                           const struct job_request *q, const struct image_offer *sold);
struct job *__wrap_job_new(const struct job_env *env, const struct rumor *request,
                           const struct job_request *q, const struct image_offer *sold) {
    if (is("twins") && sold)
        (void)loop_timer_add(ws_loop(env->net), loop_now() + 1, on_twin,
                             __real_job_new(env, request, q, sold));
    return __real_job_new(env, request, q, sold);
}

/* Twins have one job id, but cannot have one folder. */
char *__real_rundir_make(const char *base, const uint8_t job[static 32], struct err *e);
char *__wrap_rundir_make(const char *base, const uint8_t job[static 32], struct err *e);
char *__wrap_rundir_make(const char *base, const uint8_t job[static 32], struct err *e) {
    static uint8_t n;
    uint8_t other[32];

    memcpy(other, job, sizeof other);
    other[0] = (uint8_t)(other[0] + n++);
    return __real_rundir_make(base, other, e);
}

static struct gateway
    *open_gateways[16]; /* a twin's is never finished: the provider knows one job */

static void print_given(const struct gateway *g) {
    fprintf(stderr, "guest was given %llu events\n",
            (unsigned long long)gateway_stats(g).events_in);
}

struct gateway *__real_gateway_new(const struct gateway_conf *c, const struct gateway_handler *h,
                                   void *arg, struct err *e);
struct gateway *__wrap_gateway_new(const struct gateway_conf *c, const struct gateway_handler *h,
                                   void *arg, struct err *e);
struct gateway *__wrap_gateway_new(const struct gateway_conf *c, const struct gateway_handler *h,
                                   void *arg, struct err *e) {
    struct gateway *g = __real_gateway_new(c, h, arg, e);

    for (size_t i = 0; i < COUNT(open_gateways) && g; i++)
        if (!open_gateways[i]) {
            open_gateways[i] = g;
            break;
        }
    return g;
}

void __real_gateway_finish(struct gateway *g);
void __wrap_gateway_finish(struct gateway *g);
void __wrap_gateway_finish(struct gateway *g) {
    for (size_t i = 0; i < COUNT(open_gateways); i++)
        if (open_gateways[i] == g) {
            open_gateways[i] = NULL;
            print_given(g);
        }
    __real_gateway_finish(g);
}

/* --- the offer --- */

struct event *__real_offer_make(const struct offer *o, const struct keypair *p, int64_t now);
struct event *__wrap_offer_make(const struct offer *o, const struct keypair *p, int64_t now);
struct event *__wrap_offer_make(const struct offer *o, const struct keypair *p, int64_t now) {
    struct offer lie = *o;
    const char *tail = is("space-root") ? " " : is("word-root") ? " init=/" : "";
    size_t n = strlen(lie.workload);

    for (size_t i = 0; tail[i] && n + i + 1 < sizeof lie.workload; i++)
        lie.workload[n + i] = tail[i];
    return __real_offer_make(&lie, p, now);
}

int main(int argc, char **argv) {
    int rc;

    if (argc < 2)
        return 64;
    knob = argv[1];
    argv[1] = argv[0];
    process_harden();
    rc = cli_provider(argc - 1, argv + 1);
    for (size_t i = 0; i < COUNT(open_gateways); i++)
        if (open_gateways[i])
            print_given(open_gateways[i]);
    return rc;
}
