/* What no file says of a host: KVM, the secure processor, QEMU, the guest image, limits. */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include "accel.h"
#include "core/dvm.h"
#include "core/enc.h"
#include "host.h"

#define KVM_MS 3000
#define GPU_MS 1000 /* for a GPU whose firmware is not up */
#define ANSWERS_MAX ((size_t)65536)

/* --- this machine --- */

static void ask_kvm(struct host *h) {
    h->kvm = kvm_try("/dev/kvm", KVM_MS);
    h->guests_kvm = device_for_guest("/dev/kvm", h->kvm_why);
}

static void ask_sev(struct host *h) {
    h->sev_answers = sev_status_read("/dev/sev", &h->sev, &h->sev_why) == 0;
    h->guests_sev = device_for_guest("/dev/sev", h->node_why);
}

static void ask_qemu(struct host *h) {
    struct accel a;
    unsigned major;

    h->qemu_answers = accel_find_qemu(&a, h->conf->qemu, &major, &h->qemu_why) == 0 &&
                      qemu_probe(a.qemu, &h->qemu, &h->qemu_why) == 0;
}

static void take_image(struct host *h, const struct image *m) {
    h->image.loads = true;
    h->image.hashes = m->ovmf.hashes_gpa;
    h->image.vcpu_type = release_has_vcpu_type(m->release, h->conf->vcpu_type);
    h->image.base = m->release->has_base;
    h->image.offers = m->n_offers;
}

static void ask_image(struct host *h) {
    struct image *m = h->image.loads ? NULL : image_load(h->conf->image, &h->image.why);

    if (m)
        take_image(h, m);
    image_free(m);
}

static void ask_gpus(struct host *h) {
    const struct gpu_places described = {h->sys, "/proc", h->root, h->root};

    for (size_t i = 0; i < h->n_gpus; i++) {
        struct host_gpu *g = &h->gpu[i];

        g->standing =
            gpu_life_standing(h->real ? &gpu_host : &described, g->gpu.bdf, g->standing_why);
        g->cc = g->standing == GPU_STANDS_LEASED ? GPU_CC_UNKNOWN
                                                 : gpu_cc_query(h->sys, &g->gpu, GPU_MS, g->cc_why);
    }
}

/* As fetch-collateral.sh leaves it (kds.h, gpu_cache.h). */
static void look_for_papers(struct host *h, const char *cache) {
    cleanup_free char *amd = mem_fmt("%s/collateral", cache);
    cleanup_free char *nvidia = mem_fmt("%s/collateral/gpu/rim", cache);
    cleanup_free char *ours = mem_fmt("%s-", product_name(host_product(h)));

    h->amd_papers = host_folder_has(amd, ours);
    h->nvidia_papers = host_folder_has(nvidia, "NV_");
}

static void ask_papers(struct host *h) {
    cleanup_free char *cache = conf_place(CONF_CACHE, NULL, NULL);

    if (cache)
        look_for_papers(h, cache);
}

/* Where it is, or will be made. */
static bool disk_of(const char *folder, struct statvfs *v) {
    cleanup_free char *at = mem_str(folder);
    char *end;

    while (statvfs(at, v) < 0) {
        end = strrchr(at, '/');
        if (errno != ENOENT || !end || end == at)
            return false;
        *end = 0;
    }
    return true;
}

static void ask_limits(struct host *h) {
    cleanup_free char *usual = h->conf->state ? NULL : conf_place(CONF_STATE, NULL, NULL);
    const char *state = h->conf->state ? h->conf->state : usual;
    struct timex t = {0};
    struct statvfs v;
    struct rlimit r;
    int kept = adjtimex(&t);

    if (geteuid() != 0 && getrlimit(RLIMIT_MEMLOCK, &r) == 0 && r.rlim_max != RLIM_INFINITY)
        h->memlock_mib = r.rlim_max >> 20; /* root raises it for each guest (snp_host.h) */
    if (state && disk_of(state, &v))
        h->disk_mib = (uint64_t)v.f_bavail * v.f_frsize >> 20;
    if (kept >= 0) /* a sandbox may forbid the question */
        h->clock = kept == TIME_ERROR ? CLOCK_LOOSE : CLOCK_KEPT;
}

void host_ask(struct host *h, const struct host_opts *o) {
    static const struct {
        const char *what;
        void (*ask)(struct host *);
    } asks[] = {{"KVM: a small guest, 3 s at most", ask_kvm},
                {"the secure processor", ask_sev},
                {"QEMU: what it can do, 10 s at most", ask_qemu},
                {"the guest image", ask_image},
                {"GPUs", ask_gpus},
                {"its own papers", ask_papers},
                {"limits", ask_limits},
                {"relays, 8 s at most", host_ask_relays}};

    if (o->image)
        take_image(h, o->image);
    if (!o->no_relays)
        host_name_relays(h);
    for (size_t i = 0; i < COUNT(asks); i++) {
        if (o->slow)
            o->slow(o->arg, asks[i].what);
        asks[i].ask(h);
    }
}

/* --- a folder's answers --- */

struct answers {
    char *kvm_why, *sev, *sev_why, *qemu, *qemu_why, *image_why;
    unsigned kvm, image, clock;
    uint64_t memlock, disk;
    bool memlock_none;
};
static const char *const kvm_words[] = {"runs", "absent", "fails", "hangs", NULL};
static const char *const image_words[] = {"absent", "no-hashes", "ok", NULL};
static const char *const clock_words[] = {"loose", "kept", "unknown", NULL};

#define AT(field) offsetof(struct answers, field)
static const struct conf_key answer_keys[] = {
    {"kvm", CONF_CHOICE, AT(kvm), 0, 0, kvm_words, "what became of a small guest"},
    {"kvm-why", CONF_STRING, AT(kvm_why), 0, 200, NULL, "why it did not run"},
    {"sev-status", CONF_STRING, AT(sev), 0, 64, NULL, "SNP_PLATFORM_STATUS, in hexadecimal"},
    {"sev-why", CONF_STRING, AT(sev_why), 0, 200, NULL, "why there is none"},
    {"qemu", CONF_STRING, AT(qemu), 0, 200, NULL,
     "its version, then what it has: snp hashes gpu-memory iommufd vfio sev"},
    {"qemu-why", CONF_STRING, AT(qemu_why), 0, 200, NULL,
     "why there is none, or why the host gives no confidential guest"},
    {"image", CONF_CHOICE, AT(image), 0, 0, image_words, "the guest image"},
    {"image-why", CONF_STRING, AT(image_why), 0, 200, NULL, "why there is none"},
    {"clock", CONF_CHOICE, AT(clock), 0, 0, clock_words, "by the kernel's word"},
    {"memlock-mib", CONF_NUMBER, AT(memlock), 0, 1u << 30, NULL, "memory that may be locked"},
    {"memlock-unlimited", CONF_BOOL, AT(memlock_none), 0, 0, NULL, "no such limit"},
    {"disk-mib", CONF_NUMBER, AT(disk), 0, 1u << 30, NULL, "free where state is kept"},
};

/* "10.1.2 snp hashes gpu-memory iommufd vfio sev" */
static void take_qemu(struct host *h, char *text) {
    struct qemu_able *q = &h->qemu;
    const struct {
        const char *word;
        bool *has;
    } words[] = {{"snp", &q->snp},
                 {"hashes", &q->kernel_hashes},
                 {"gpu-memory", &q->gpu_memory},
                 {"iommufd", &q->iommufd},
                 {"vfio", &q->vfio},
                 {"sev", &q->sev}};
    char *word = strsep(&text, " ");

    text_clip(q->version, sizeof q->version, word);
    while ((word = strsep(&text, " ")))
        for (size_t i = 0; i < COUNT(words); i++)
            *words[i].has = *words[i].has || !strcmp(word, words[i].word);
}

static const char *or_none(const char *s) {
    return s ? s : "not said";
}

static int take_sev(struct host *h, const struct answers *a, struct err *e) {
    uint8_t raw[SEV_STATUS_SIZE];

    if (!a->sev) {
        err_set(&h->sev_why, "no-sev", "%s", or_none(a->sev_why));
        return 0;
    }
    h->sev_answers = hex_decode_str(a->sev, raw, sizeof raw) &&
                     sev_status_parse(view_of(raw, sizeof raw), &h->sev);
    return h->sev_answers ? 0
                          : err_set(e, "bad-host", "sev-status in '%s/answers' is not %d bytes",
                                    h->root, SEV_STATUS_SIZE);
}

static int take_answers(struct host *h, const struct answers *a, struct err *e) {
    h->kvm.outcome = (enum kvm_outcome)a->kvm;
    text_clip(h->kvm.why, sizeof h->kvm.why, a->kvm ? or_none(a->kvm_why) : "");
    h->qemu_answers = a->qemu;
    if (a->qemu)
        take_qemu(h, a->qemu);
    else
        err_set(&h->qemu_why, "no-qemu", "%s", or_none(a->qemu_why));
    text_clip(h->qemu.why, sizeof h->qemu.why, a->qemu_why ? a->qemu_why : "");
    h->image = (struct host_image){.loads = a->image,
                                   .hashes = a->image == 2,
                                   .vcpu_type = true,
                                   .base = true,
                                   .offers = a->image ? 1 : 0};
    if (!a->image)
        err_set(&h->image.why, "bad-image", "%s", or_none(a->image_why));
    h->clock = (enum host_clock)a->clock;
    h->memlock_mib = a->memlock_none ? UINT64_MAX : a->memlock;
    h->disk_mib = a->disk;
    h->guests_kvm = h->guests_sev = true;
    ask_gpus(h);
    look_for_papers(h, h->root);
    return take_sev(h, a, e);
}

int host_answers(struct host *h, struct err *e) {
    cleanup_free char *path = mem_fmt("%s/answers", h->root);
    cleanup_buf struct buf text = {0};
    struct answers a = {.clock = CLOCK_UNKNOWN};
    int rc = file_read(path, ANSWERS_MAX, &text, e);

    host_name_relays(h);
    if (rc == 0)
        rc = conf_parse(buf_view(&text), path, answer_keys, COUNT(answer_keys), &a, e);
    if (rc == 0)
        rc = take_answers(h, &a, e);
    conf_free(answer_keys, COUNT(answer_keys), &a);
    return rc;
}
