#include "provider.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chip_key.h"
#include "core/enc.h"
#include "core/log.h"
#include "core/secret.h"
#include "doctor.h"
#include "identity.h"
#include "provider_priv.h"
#include "rundir.h"

#define STOP_MS 60000 /* guests, their receipts and our last words */
#define WORDS_MS 3000 /* for the last words alone */
#define POLL_MS 100
#define GPU_LOOK_MS 2000

/* --- the list of jobs --- */

size_t provider_slots_used(const struct provider *p) {
    size_t n = 0;

    for (size_t i = 0; i < p->n_jobs; i++)
        n += job_step_holds_slot(job_at(p->jobs[i]));
    return n;
}

bool provider_is_snp(const struct provider *p) {
    return !strcmp(p->conf->backend, "snp");
}

static bool wants_gpu(const struct provider *p, bool all) {
    size_t n = 0;

    for (size_t i = 0; i < p->image->n_offers; i++)
        n += p->image->offer[i].gpus > 0;
    return all ? n == p->image->n_offers : n > 0;
}

size_t provider_slots_free(const struct provider *p) {
    size_t used = provider_slots_used(p);
    size_t slots = used < p->conf->slots ? (size_t)p->conf->slots - used : 0;
    size_t gpus = gpu_pool_count(p->gpus).free;

    return wants_gpu(p, true) && gpus < slots ? gpus : slots;
}

size_t provider_queued(const struct provider *p) {
    size_t n = 0;

    for (size_t i = 0; i < p->n_jobs; i++)
        n += job_at(p->jobs[i]) == STEP_QUEUED;
    return n;
}

void provider_add(struct provider *p, struct job *j) {
    p->jobs = mem_grow(p->jobs, (p->n_jobs + 1) * sizeof *p->jobs);
    p->jobs[p->n_jobs++] = j;
}

static void forget(struct provider *p, struct job *j) {
    for (size_t i = 0; i < p->n_jobs; i++)
        if (p->jobs[i] == j) {
            memmove(p->jobs + i, p->jobs + i + 1, (p->n_jobs - i - 1) * sizeof *p->jobs);
            p->n_jobs--;
            break;
        }
    job_free(j);
}

/* --- what jobs report --- */

static void on_stepped(void *arg, const struct job *j) {
    struct provider *p = arg;
    const struct job_request *q = job_asked(j);
    struct err e;

    console_job(p->out, q->id, job_step_name(job_at(j)), job_age_ms(j), job_code(j));
    if (ledger_step(p->ledger, q->id, job_step_name(job_at(j)), job_code(j),
                    job_step_over(job_at(j)), unix_now(), &e) < 0)
        console_error(p->out, "%s", e.text);
    storefront_changed(p);
    loop_timer_set(p->dispatch, loop_now());
}

static void on_booted(void *arg, const struct job *j, int64_t ms) {
    struct provider *p = arg;
    struct err e;

    (void)j;
    if (ledger_boot_add(p->ledger, ms, &e) < 0)
        console_error(p->out, "%s", e.text);
}

static int64_t measured_boot(void *arg) {
    struct provider *p = arg;

    return ledger_boot_median(p->ledger);
}

static void on_over(void *arg, struct job *j) {
    struct provider *p = arg;

    p->ran += job_ran(j);
    forget(p, j);
    loop_timer_set(p->dispatch, loop_now());
    if (p->conf->once && p->ran >= p->conf->once)
        provider_stop(p);
}

/* Free slots go to those who wait, first come first served; who needs no GPU passes those who wait
 * for one. A GPU that another provider lets go makes no event here, so it is looked for. */
static void on_dispatch(void *arg) {
    struct provider *p = arg;
    bool waits = false;

    for (size_t i = 0; i < p->n_jobs && provider_slots_used(p) < p->conf->slots; i++) {
        if (job_at(p->jobs[i]) != STEP_QUEUED)
            continue;
        if (job_has_room(p->jobs[i]))
            job_event(p->jobs[i], ON_SLOT);
        else
            waits = true;
    }
    if (waits)
        loop_timer_set(p->dispatch, loop_now() + GPU_LOOK_MS);
}

/* --- the pool --- */

static void on_event(void *arg, const char *sub, const struct event *ev, const char *url) {
    (void)sub;
    (void)url;
    intake_event(arg, ev);
}

static void on_ok(void *arg, const uint8_t id[32], bool ok, const char *url, const char *msg) {
    struct provider *p = arg;

    if (!ok)
        log_line(LOG_WARN, "provider", "%s refused an event: %s", url, msg);
    tell_confirmed(p->tell, id);
}

static void on_pool_state(void *arg) {
    struct provider *p = arg;

    console_say(p->out, "relays %zu/%zu up", pool_up(p->pool), pool_count(p->pool));
}

static void on_eose(void *arg, const char *sub) {
    (void)arg;
    (void)sub;
}

static int open_pool(struct provider *p, struct err *e) {
    static const struct pool_handler h = {
        .event = on_event, .ok = on_ok, .state = on_pool_state, .eose = on_eose};

    p->pool = pool_new(p->net, p->key, &h, p);
    p->tell = tell_new(p->pool, p->key);
    for (size_t i = 0; i < p->n_relays; i++)
        if (pool_add(p->pool, p->relays[i], e) < 0)
            return -1;
    return 0;
}

/* --- opening --- */

static char *state_dir(const struct provider_conf *c, struct err *e) {
    char *dir = c->state ? mem_str(c->state) : conf_path(CONF_STATE, "provider", e);

    if (!dir || mkdir(dir, 0700) == 0 || errno == EEXIST)
        return dir;
    err_sys(e, errno, "cannot make the folder '%s'", dir);
    free(dir);
    return NULL;
}

/* The lock's descriptor is close-on-exec, so it goes with this process and no guest keeps it. */
static int take_lock(struct provider *p, const char *dir, struct err *e) {
    cleanup_free char *path = mem_fmt("%s/lock", dir);

    p->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (p->lock_fd < 0)
        return err_sys(e, errno, "cannot open '%s'", path);
    if (flock(p->lock_fd, LOCK_EX | LOCK_NB) < 0)
        return err_set(e, "locked",
                       "another provider runs on '%s': stop it, or name another folder "
                       "with --state",
                       dir);
    return 0;
}

static void on_slow(void *arg, const char *step) {
    console_notice(arg, "%s", step);
}

/* The root's fingerprint in the format of the customer's sim-roots file, for `make demo` to copy.
 */
static int write_sim_root(const struct provider *p, const char *dir, struct err *e) {
    cleanup_free char *path = mem_fmt("%s/sim-root", dir);
    cleanup_buf struct buf line = {0};
    uint8_t print[32];
    char hex[65];

    psp_sim_fingerprint(p->psp, print);
    hex_encode(view_of(print, 32), hex);
    buf_fmt(&line, "%s\n", hex);
    return file_write(path, buf_view(&line), 0600, true, e);
}

static int open_state(struct provider *p, struct err *e) {
    cleanup_free char *dir = state_dir(p->conf, e);
    cleanup_free char *key = dir ? mem_fmt("%s/key", dir) : NULL;
    cleanup_free char *ledger = dir ? mem_fmt("%s/ledger.db", dir) : NULL;
    cleanup_free char *sim = dir ? mem_fmt("%s/sim", dir) : NULL;

    if (!dir || take_lock(p, dir, e) < 0 || !(p->key = identity_open(key, e)) ||
        !(p->ledger = ledger_open(ledger, e)))
        return -1;
    p->keys = wrap_keys_new(p->key);
    if (provider_is_snp(p))
        return 0;
    p->psp = psp_sim_open(sim, on_slow, p->out, e);
    return p->psp ? write_sim_root(p, dir, e) : -1;
}

/* With acpi=off the guest's kernel finds no second vCPU: nobody should pay for one. */
static int check_vcpus(const struct provider *p, struct err *e) {
    for (size_t i = 0; i < p->image->n_offers; i++) {
        const struct image_offer *o = &p->image->offer[i];
        uint32_t vcpus = o->vcpus ? o->vcpus : (uint32_t)p->conf->vcpus;

        if (vcpus > 1 && p->image->release->acpi == ACPI_OFF)
            return err_set(e, "bad-image",
                           "offer '%s' has %u vCPUs and this release has acpi=off, so that its "
                           "guests run on one (`ACPI=open make image` makes one for several)",
                           o->d, vcpus);
    }
    return 0;
}

/* --- what runs guests --- */

static int choose_accel(struct provider *p, struct err *e) {
    cleanup_free char *cache = conf_path(CONF_CACHE, "accel", e);
    cleanup_free char *dir = NULL;
    struct accel_probe probe = {
        .cache = cache, .qemu = p->conf->qemu, .slow = on_slow, .arg = p->out};
    static const uint8_t probe_id[32] = "accelerator probe";
    int rc;

    if (!cache || !(probe.rundir = dir = rundir_make(p->rundir, probe_id, e)))
        return -1;
    rc = accel_choose((enum accel_want)p->conf->accel, p->image, &probe, &p->accel, e);
    (void)rundir_remove(dir);
    return rc;
}

static void on_gpus(void *arg, const char *said) {
    struct provider *p = arg;

    if (said)
        console_error(p->out, "%s", said);
    storefront_changed(p);
    loop_timer_set(p->dispatch, loop_now());
}

static int open_gpus(struct provider *p, struct err *e) {
    const struct provider_conf *c = p->conf;

    if (wants_gpu(p, false) && !c->gpu.n)
        return err_set(e, "no-gpu",
                       "an offer of the image has a GPU and no GPU is named: --gpu 0000:41:00.0 "
                       "(`cdvm provider --list-gpus` shows those there are)");
    if (!c->gpu.n)
        return 0;
    p->gpus = gpu_pool_new(ws_loop(p->net), &gpu_host, (const char *const *)c->gpu.v, c->gpu.n,
                           on_gpus, p, e);
    return p->gpus ? 0 : -1;
}

static uint32_t largest_guest(const struct provider *p) {
    uint32_t most = (uint32_t)p->conf->memory;

    for (size_t i = 0; i < p->image->n_offers; i++)
        if (p->image->offer[i].memory_mib > most)
            most = p->image->offer[i].memory_mib;
    return most;
}

/* What this host cannot keep is not promised: no offer at all, or none with a GPU. */
static int check_host(struct provider *p, struct err *e) {
    bool gpu;

    if (doctor_gate(p->conf, p->image, p->out, &gpu, e) < 0)
        return -1;
    if (p->conf->gpu.n && !gpu)
        image_drop_gpu_offers(p->image);
    if (p->image->n_offers)
        return 0;
    return err_set(e, "unfit-host",
                   "every offer has a GPU, and this host cannot give a confidential guest one: "
                   "`cdvm doctor` says what to do");
}

static int open_snp(struct provider *p, struct err *e) {
    unsigned major;
    bool gpu;

    if (check_host(p, e) < 0)
        return -1;
    gpu = wants_gpu(p, false);
    if (snp_image_fits(p->image, p->conf->vcpu_type, gpu, e) < 0 ||
        accel_find_qemu(&p->accel, p->conf->qemu, &major, e) < 0 ||
        snp_host_open(&(struct snp_want){.qemu = p->accel.qemu,
                                         .vcpu_type = p->conf->vcpu_type,
                                         .proc = "/proc",
                                         .dev = "/dev",
                                         .memory_mib = largest_guest(p),
                                         .gpu = gpu},
                      &p->snp, e) < 0)
        return -1;
    p->accel.accel = VM_KVM;
    text_clip(p->accel.cpu, sizeof p->accel.cpu, p->conf->vcpu_type);
    snprintf(p->accel.version, sizeof p->accel.version, "%s", p->snp.able.version);
    snprintf(p->accel.why, sizeof p->accel.why, "guests are confidential: SEV-SNP on %s, QEMU %s",
             host_cpu_product(&p->snp.cpu), p->snp.able.version);
    return open_gpus(p, e);
}

static int open_sim(struct provider *p, struct err *e) {
    for (size_t i = 0; i < p->image->n_offers; i++)
        if (p->image->offer[i].gpus)
            return err_set(e, "bad-template",
                           "offer '%s' has a GPU, and backend 'sim' has none to give",
                           p->image->offer[i].d);
    return choose_accel(p, e);
}

static int open_image(struct provider *p, struct err *e) {
    if (!(p->image = image_load(p->conf->image, e)))
        return -1;
    if (!p->image->n_offers)
        return err_set(e, "bad-image", "guest image '%s' holds no workload", p->conf->image);
    if (check_vcpus(p, e) < 0)
        return -1;
    p->rundir = rundir_base(keypair_pub(p->key), e);
    if (!p->rundir)
        return -1;
    (void)rundir_sweep(p->rundir);
    return provider_is_snp(p) ? open_snp(p, e) : open_sim(p, e);
}

static int open_relayd(struct provider *p, struct err *e) {
    cleanup_free char *dir = state_dir(p->conf, e);
    cleanup_free char *path = dir ? mem_fmt("%s/relay", dir) : NULL;
    struct relayd_opts o = {.port = (uint16_t)p->conf->relay_port, .path = path};

    if (!path)
        return -1;
    p->relayd = relayd_new(p->net, &o, e);
    if (!p->relayd)
        return err_wrap(e, "the embedded relay");
    p->relays[p->n_relays++] = relayd_url(p->relayd);
    p->blossom[p->n_blossom++] = relayd_blob_url(p->relayd);
    return 0;
}

static int name_places(struct provider *p, struct err *e) {
    const struct provider_conf *c = p->conf;

    for (size_t i = 0; i < c->relay.n; i++)
        p->relays[p->n_relays++] = c->relay.v[i];
    for (size_t i = 0; i < c->blossom.n; i++)
        p->blossom[p->n_blossom++] = c->blossom.v[i];
    return c->run_relay ? open_relayd(p, e) : 0;
}

/* --- what AMD signs of this processor --- */

static void on_papers(void *arg, const char *said) {
    struct provider *p = arg;

    console_error(p->out, "AMD's certificates for this processor: %s", said);
}

/* Without them jobs go on: what the cache has is sent, and customers may ask for themselves. */
static void open_papers(struct provider *p, struct http *http) {
    struct err e;
    cleanup_free char *dir = conf_path(CONF_CACHE, "collateral", &e);
    struct kds_key key;

    if (dir && chip_key_read("/dev/sev", &p->snp.cpu, &key, &e) == 0)
        p->papers =
            papers_new(ws_loop(p->net), http, &key,
                       &(struct kds_opts){KDS_BASE, dir, KDS_SPACING_MS, false}, on_papers, p, &e);
    if (!p->papers)
        on_papers(p, e.text);
}

static void fill_env(struct provider *p, struct http *http) {
    p->env = (struct job_env){.net = p->net,
                              .http = http,
                              .tell = p->tell,
                              .image = p->image,
                              .accel = &p->accel,
                              .psp = p->psp,
                              .snp = provider_is_snp(p) ? &p->snp : NULL,
                              .gpus = p->gpus,
                              .papers = p->papers,
                              .rundir = p->rundir,
                              .blossom = p->blossom,
                              .n_blossom = p->n_blossom,
                              .allow_private = true, /* servers of our own configuration */
                              .vcpus = (uint32_t)p->conf->vcpus,
                              .memory_mib = (uint32_t)p->conf->memory,
                              .vcpu_type = p->conf->vcpu_type,
                              .features = 1,
                              .accept_ms = (int64_t)p->conf->accept * 1000,
                              .lease_ms = (int64_t)p->conf->lease * 60000,
                              .boot_ms = measured_boot,
                              .stepped = on_stepped,
                              .booted = on_booted,
                              .over = on_over,
                              .arg = p};
}

static void tell_leftover(void *arg, const struct ledger_job *j) {
    struct provider *p = arg;

    tell_error(p->tell, j->job, j->customer, "guest-died",
               "the provider stopped while the job ran; its guest is gone");
    console_job(p->out, j->job, "failed", 0, "guest-died: left over from an earlier run");
}

static int close_leftovers(struct provider *p, struct err *e) {
    if (ledger_prune(p->ledger, unix_now(), e) < 0)
        return -1;
    return ledger_close_leftovers(p->ledger, "guest-died", unix_now(), tell_leftover, p, e) < 0 ? -1
                                                                                                : 0;
}

static void say_gpu(void *arg, const char *line) {
    console_notice(arg, "GPU %s", line);
}

static void introduce(const struct provider *p) {
    const char *unlocked = secret_lock_warning();
    struct nip19 n = {.type = NIP19_NPUB};
    cleanup_buf struct buf npub = {0};
    char brief[20];

    npub_short(keypair_pub(p->key), brief);
    console_say(p->out, "provider %s  '%s'", brief, p->conf->name);
    memcpy(n.id, keypair_pub(p->key), 32);
    if (nip19_encode(&n, &npub, NULL) == 0)
        console_notice(p->out, "%s", (const char *)npub.p);
    console_say(p->out, "release %s %s", p->image->release->name, p->image->release->version);
    for (size_t i = 0; i < p->image->n_offers; i++)
        console_say(p->out, "offers %s", p->image->offer[i].d);
    for (size_t i = 0; i < p->n_relays; i++)
        console_say(p->out, "relay %s", p->relays[i]);
    console_notice(p->out, "%s", p->accel.why);
    gpu_pool_each(p->gpus, say_gpu, p->out);
    if (unlocked)
        console_notice(p->out, "%s", unlocked);
}

struct provider *provider_new(const struct provider_conf *c, struct ws_net *net, struct http *http,
                              struct console *out, struct err *e) {
    struct provider *p = mem_new(sizeof *p);
    struct loop *l = ws_loop(net);

    *p = (struct provider){.conf = c, .net = net, .out = out, .lock_fd = -1};
    p->dispatch = loop_timer_add(l, -1, on_dispatch, p);
    if (open_state(p, e) == 0 && open_image(p, e) == 0 && name_places(p, e) == 0 &&
        open_pool(p, e) == 0) {
        introduce(p);
        if (provider_is_snp(p))
            open_papers(p, http);
        fill_env(p, http);
        if (close_leftovers(p, e) == 0 && storefront_open(p, e) == 0 && intake_open(p, e) == 0)
            return p;
    }
    provider_free(p);
    return NULL;
}

/* --- stopping --- */

static void on_stop(void *arg) {
    struct provider *p = arg;

    if (p->n_jobs == 0 && p->stop_by > loop_now() + WORDS_MS)
        p->stop_by = loop_now() + WORDS_MS;
    if ((p->n_jobs == 0 && tell_waiting(p->tell) == 0) || loop_now() >= p->stop_by) {
        loop_quit(ws_loop(p->net));
        return;
    }
    loop_timer_set(p->stop, loop_now() + POLL_MS);
}

void provider_stop(struct provider *p) {
    if (p->stopping) {
        loop_quit(ws_loop(p->net));
        return;
    }
    p->stopping = true;
    p->stop_by = loop_now() + STOP_MS;
    loop_timer_set(p->heartbeat, -1);
    console_say(p->out, "stopping: %zu jobs to end", p->n_jobs);
    for (size_t i = 0; i < p->n_jobs; i++)
        if (!job_step_over(job_at(p->jobs[i])))
            job_event(p->jobs[i], ON_END);
    p->stop = loop_timer_add(ws_loop(p->net), loop_now(), on_stop, p);
}

void provider_free(struct provider *p) {
    if (!p)
        return;
    loop_timer_del(p->dispatch);
    loop_timer_del(p->heartbeat);
    loop_timer_del(p->offers);
    loop_timer_del(p->stop);
    while (p->n_jobs)
        forget(p, p->jobs[p->n_jobs - 1]);
    free(p->jobs);
    gpu_pool_free(p->gpus);
    papers_free(p->papers);
    tell_free(p->tell);
    pool_free(p->pool);
    relayd_free(p->relayd);
    ledger_free(p->ledger);
    psp_sim_free(p->psp);
    image_free(p->image);
    wrap_keys_free(p->keys);
    keypair_free(p->key);
    if (p->rundir)
        (void)rmdir(p->rundir);
    free(p->rundir);
    if (p->lock_fd >= 0)
        close(p->lock_fd);
    free(p);
}
