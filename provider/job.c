#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "core/enc.h"
#include "core/log.h"
#include "core/text.h"
#include "gateway.h"
#include "gpu_cache.h"
#include "job.h"
#include "kds.h"
#include "rundir.h"
#include "vm.h"
#include "vm_fault.h"

#define ACCEPT_MARGIN_MS 60000 /* the guest itself leaves first */
#define SHUTDOWN_MS 30000      /* for the receipt */
#define WIPE_MS 30000
#define KEY_MS 90000 /* for the owner of a sealed model to answer the guest */
/* For the GPUs' firmware and keys, and their evidence (guest/gpus.h). */
#define GPU_MS(n) ((n) ? 80000 + 75000 * (int64_t)(n) : 0)
#define LADDER_MS 30000 /* the ladder ends in SIGKILL after 4 s; this only bounds surprise */

struct job {
    const struct job_env *env;
    struct rumor *request;
    struct job_request q;
    const struct image_offer *sold;
    enum job_step at;
    enum job_phase told;
    char code[32], why[256];
    char *rundir;
    struct vm *vm;
    struct gateway *gateway;
    struct loop_timer *deadline;
    struct loop_timer *ending; /* calls env->over from the loop */
    struct buf append;
    uint8_t launch_digest[48];
    struct gpu_use *gpu; /* NULL: none, or not any more */
    bool has_guest, had_vm, rundir_gone;
    bool exited;  /* QEMU is gone; its GPU may still be being reset */
    bool stopped; /* the kill ladder was started */
    bool gpu_reset;
    uint8_t guest[32];
    int64_t received, spawned; /* loop_now */
    int64_t started;           /* Unix seconds */
    int exit_status;
};

/* --- what the guest's error states mean to a customer --- */

static const struct {
    uint8_t state;
    const char *code, *why;
} guest_errors[] = {
    {CHAN_ERR_HARDWARE, "guest-hardware", "the guest found a device that should not be there"},
    {CHAN_ERR_ENTROPY, "guest-entropy", "the guest's CPU gave it no randomness to make a key from"},
    {CHAN_ERR_CMDLINE, "guest-cmdline", "the guest refused its command line"},
    {CHAN_ERR_FRAME, "bad-frame", "the guest found fault with what this host sent it"},
    {CHAN_ERR_JOB, "bad-request", "the guest found the request invalid"},
    {CHAN_ERR_REPORT, "no-report", "the guest could not get a report from its processor"},
    {CHAN_ERR_VOLUME, "guest-volume", "the guest could not open a volume by its root hash"},
    {CHAN_ERR_WORKLOAD, "guest-workload", "the workload did not start"},
    {CHAN_ERR_TIMEOUT, "guest-timeout", "the guest waited too long for the customer"},
    {CHAN_ERR_PROTOCOL, "seq-conflict", "the guest ended the job over a message it could not take"},
    {CHAN_ERR_KEY, "model-key", "the model's owner gave the guest no key that opens the model"},
    {CHAN_ERR_GPU, "guest-gpu", "the driver in the guest did not bring its GPU up, or lost it"},
    {CHAN_ERR_GPU_COUNT, "guest-gpu", "the driver in the guest knows another number of GPUs"},
    {CHAN_ERR_GPU_EVIDENCE, "guest-gpu", "the guest's GPU gave no evidence of itself"},
};

static void set_code(struct job *j, const char *code, const char *why) {
    if (j->code[0] || !code)
        return;
    snprintf(j->code, sizeof j->code, "%s", code);
    snprintf(j->why, sizeof j->why, "%s", why);
}

static void set_guest_error(struct job *j, uint8_t state) {
    for (size_t i = 0; i < COUNT(guest_errors); i++)
        if (guest_errors[i].state == state) {
            set_code(j, guest_errors[i].code, guest_errors[i].why);
            return;
        }
    set_code(j, "guest-died", "the guest ended with an error that this program does not know");
}

/* --- from the gateway --- */

static const struct {
    uint8_t state;
    enum job_event on;
} guest_states[] = {
    {CHAN_BOOTED, ON_BOOTED},     {CHAN_KEYED, ON_KEYED}, {CHAN_ATTESTED, ON_HELLO},
    {CHAN_ACCEPTED, ON_ACCEPTED}, {CHAN_READY, ON_READY}, {CHAN_WIPING, ON_WIPING},
};

static void on_state(void *arg, uint8_t state) {
    struct job *j = arg;

    for (size_t i = 0; i < COUNT(guest_states); i++)
        if (guest_states[i].state == state) {
            job_event(j, guest_states[i].on);
            return;
        }
    if (job_rule(j->at, ON_REFUSED) && job_rule(j->at, ON_REFUSED)->act == ACT_GUEST_ERROR)
        set_guest_error(j, state);
    job_event(j, ON_REFUSED);
}

static void tell_phase(struct job *j) {
    struct job_feedback f = {.status = JOB_PROCESSING, .phase = job_step_phase(j->at)};

    memcpy(f.job, j->q.id, 32);
    f.has_guest = j->has_guest && f.phase == PHASE_ATTESTING;
    memcpy(f.guest, j->guest, 32);
    j->told = f.phase;
    tell_feedback(j->env->tell, &f, j->q.customer);
}

static void on_guest(void *arg, const uint8_t key[static 32]) {
    struct job *j = arg;

    j->has_guest = true;
    memcpy(j->guest, key, 32);
    if (job_step_phase(j->at) == PHASE_ATTESTING)
        tell_phase(j);
}

static int on_report(void *arg, const uint8_t data[static 64], uint8_t out[static GATEWAY_REPORT]) {
    struct job *j = arg;
    struct err e;

    if (!j->env->psp)
        return -1;
    if (psp_sim_report(j->env->psp, data, j->launch_digest, j->env->image->release->policy, out,
                       &e) == 0)
        return 0;
    log_line(LOG_ERROR, "job", "the simulator made no report: %s", e.text);
    return -1;
}

static void on_broken(void *arg, const struct err *why) {
    struct job *j = arg;

    log_line(LOG_WARN, "job", "%s", why->text);
    job_event(j, ON_BROKEN);
}

static void on_finished(void *arg) {
    struct job *j = arg;

    j->env->over(j->env->arg, j);
}

static void on_ending(void *arg) {
    on_finished(arg);
}

/* --- from QEMU --- */

static void explain_exit(struct job *j) {
    const char *said = vm_complaint(j->vm);
    const struct vm_fault *f = vm_fault(said);

    if (said[0])
        log_line(LOG_WARN, "job", "QEMU: %s%s%s", said, f ? "; " : "", f ? f->means : "");
    if (f)
        set_code(j, f->code, f->means);
}

static void on_gpu_reset(void *arg, const struct err *e) {
    struct job *j = arg;

    j->gpu = NULL;
    j->gpu_reset = !e;
    job_event(j, ON_DIED);
}

/* The guest is not over before its GPU is: it may hold what the customer said. */
static void on_exit_of_vm(void *arg, int status) {
    struct job *j = arg;

    j->exit_status = status;
    j->exited = true;
    loop_timer_set(j->deadline, -1);
    if (status != 0)
        explain_exit(j);
    if (j->gateway)
        gateway_hear_out(j->gateway);
    if (j->gpu)
        gpu_use_end(j->gpu, on_gpu_reset, j);
    else
        job_event(j, ON_DIED);
}

static void on_deadline(void *arg) {
    job_event(arg, ON_TIMEOUT);
}

/* --- actions --- */

static void deadline(struct job *j, int64_t ms) {
    if (!j->exited) /* nothing is waited for but the GPU's reset, which ends by itself */
        loop_timer_set(j->deadline, loop_now() + ms);
}

static void act_none(struct job *j) {
    (void)j;
}

static void act_queue(struct job *j) {
    int64_t left = j->q.expires - unix_now();

    deadline(j, left > 0 ? left * 1000 : 0);
}

static uint32_t vcpus_of(const struct job *j) {
    return j->sold->vcpus ? j->sold->vcpus : j->env->vcpus;
}

static int prepare(struct job *j, struct err *e) {
    const struct job_env *env = j->env;
    char work[VOLUME_TEXT], model[VOLUME_TEXT] = "none";

    volume_text(&j->sold->work->volume, work);
    if (j->sold->model)
        volume_text(&j->sold->model->volume, model);
    j->append.max = CMDLINE_MAX;
    if (cmdline_render(env->image->cmdline, work, model, j->sold->broker, &j->append, e) < 0 ||
        image_launch_digest(env->image, (const char *)j->append.p, vcpus_of(j), env->vcpu_type,
                            env->features, j->launch_digest, e) < 0)
        return -1;
    j->rundir = rundir_make(env->rundir, j->q.id, e);
    return j->rundir ? 0 : -1;
}

/* Descriptors of the host's: QEMU has its own copies once it runs. */
static int launch_as(struct job *j, const struct vm_snp *snp, struct err *e) {
    const struct job_env *env = j->env;
    const struct image_offer *sold = j->sold;
    struct vm_spec s = {.qemu = env->accel->qemu,
                        .accel = env->accel->accel,
                        .cpu = env->accel->cpu,
                        .vcpus = vcpus_of(j),
                        .memory_mib = sold->memory_mib ? sold->memory_mib : env->memory_mib,
                        .kernel_fd = env->image->kernel_fd,
                        .initrd_fd = env->image->initrd_fd,
                        .append = (const char *)j->append.p,
                        .snp = snp};

    s.n_disks = image_disks(env->image, sold, s.disk);
    j->vm = vm_new(ws_loop(env->net), &s, j->rundir, on_exit_of_vm, j, e);
    j->had_vm = j->vm;
    j->spawned = loop_now();
    j->started = unix_now();
    return j->vm ? 0 : -1;
}

static int launch(struct job *j, struct err *e) {
    struct vm_snp snp;
    int rc;

    if (!j->env->snp)
        return launch_as(j, NULL, e);
    rc = snp_spec(j->env->snp, j->env->image, j->gpu ? gpu_use_gpu(j->gpu) : NULL, &snp, e);
    if (rc == 0)
        rc = launch_as(j, &snp, e);
    snp_spec_close(&snp);
    return rc;
}

static int connect_guest(struct job *j, struct err *e) {
    static const struct gateway_handler h = {.state = on_state,
                                             .guest = on_guest,
                                             .report = on_report,
                                             .broken = on_broken,
                                             .finished = on_finished};
    struct gateway_conf c = {.net = j->env->net,
                             .http = j->env->http,
                             .fd = vm_channel(j->vm),
                             .request = j->request,
                             .job = &j->q,
                             .blossom = j->env->blossom,
                             .n_blossom = j->env->n_blossom,
                             .allow_private = j->env->allow_private};

    j->gateway = gateway_new(&c, &h, j, e);
    return j->gateway ? 0 : -1;
}

/* What of a start that failed is the customer's to know; the rest is "vm-failed". */
static const struct {
    const char *code, *why;
} start_faults[] = {
    {"gpu-busy", "all GPUs of this provider are in use"},
    {"no-gpu", "no GPU of this provider is fit for a guest now"},
    {"gpu-in-use", "the provider's GPU is in use by its own host"},
    {"gpu-unfit", "the provider's GPU is not fit for a guest now"},
    {"gpu-bind", "the provider's GPU is not fit for a guest now"},
};

static void start_failed(struct job *j, const struct err *e) {
    log_line(LOG_ERROR, "job", "%s", e->text);
    for (size_t i = 0; i < COUNT(start_faults); i++)
        if (!strcmp(start_faults[i].code, e->code))
            set_code(j, start_faults[i].code, start_faults[i].why);
    set_code(j, "vm-failed", "the provider could not start a guest");
    job_event(j, ON_FAULT);
}

static void start_guest(struct job *j) {
    struct err e;

    if (prepare(j, &e) == 0 && launch(j, &e) == 0 && connect_guest(j, &e) == 0)
        job_event(j, ON_STARTED);
    else
        start_failed(j, &e);
}

/* One that its host uses, or that is not well, is no reason to refuse while another is free. */
static void on_gpu_attached(void *arg, const struct err *e) {
    struct job *j = arg;
    struct gpu_use *next;

    if (!e) {
        start_guest(j);
        return;
    }
    next = gpu_use_next(j->gpu, on_gpu_attached, j);
    if (!next) {
        start_failed(j, e);
        return;
    }
    log_line(LOG_WARN, "job", "%s; the job gets another", e->text);
    j->gpu = next;
}

static void act_start(struct job *j) {
    struct err e;

    if (!j->sold->gpus) {
        start_guest(j);
        return;
    }
    j->gpu = gpu_use_new(j->env->gpus, on_gpu_attached, j, &e);
    if (!j->gpu)
        start_failed(j, &e);
}

static bool is_sealed(const struct job *j) {
    return j->sold->model && j->sold->model->sealed;
}

static void act_boot(struct job *j) {
    deadline(j, job_boot_limit(j->env->boot_ms(j->env->arg)) + (is_sealed(j) ? KEY_MS : 0) +
                    GPU_MS(j->sold->gpus));
}

static void add_simulator(const struct psp_sim *p, struct collateral *c) {
    struct view vek = psp_sim_vek(p), ask = psp_sim_ask(p), ark = psp_sim_ark(p);
    struct err e;

    buf_add(&c->vek, vek.p, vek.n);
    buf_add(&c->ask, ask.p, ask.n);
    buf_add(&c->ark, ark.p, ark.n);
    if (psp_sim_crl(p, unix_now(), &c->crl, &e) < 0)
        log_line(LOG_WARN, "job", "no revocation list: %s", e.text);
}

/* A message with nothing in it is sent too: the customer need not wait for one. */
static void send_collateral(struct job *j) {
    struct collateral c = {0};

    if (j->env->psp)
        add_simulator(j->env->psp, &c);
    else if (!papers_add(j->env->papers, &c) && !kds_cached(NULL, &c))
        log_line(LOG_WARN, "job",
                 "no certificate of this machine's processor is in the cache: customers cannot "
                 "verify it (qemu-scripts/fetch-collateral.sh)");
    if (j->gpu && !gpu_cache_add(NULL, &c))
        log_line(LOG_WARN, "job",
                 "nothing of NVIDIA's about this machine's GPUs is in the cache: customers cannot "
                 "compare what they measure (qemu-scripts/fetch-collateral.sh)");
    tell_collateral(j->env->tell, &c, j->q.id, j->q.customer);
    if (is_sealed(j))
        tell_collateral(j->env->tell, &c, j->q.id, j->sold->model->broker);
    collateral_free(&c);
}

static void act_brief(struct job *j) {
    gateway_brief(j->gateway);
    send_collateral(j);
}

static void act_learn(struct job *j) {
    gateway_learn(j->gateway);
}

static void act_hello(struct job *j) {
    j->env->booted(j->env->arg, j, loop_now() - j->spawned);
    deadline(j, j->env->accept_ms + ACCEPT_MARGIN_MS);
}

static void act_lease(struct job *j) {
    deadline(j, j->env->lease_ms);
}

static void act_shutdown(struct job *j) {
    gateway_shutdown(j->gateway);
    deadline(j, SHUTDOWN_MS);
}

static void act_wipe(struct job *j) {
    deadline(j, WIPE_MS);
}

/* Called again when the ladder has come to its end and QEMU has not. */
static void act_stop(struct job *j) {
    static const char stuck[] = "QEMU does not end when killed: the kernel may be stuck in VFIO's "
                                "or guest memory's teardown; see dmesg, restart the host";

    if (j->stopped && vm_running(j->vm)) {
        log_line(LOG_ERROR, "job", "%s (pid %d)", stuck, vm_pid(j->vm));
        if (j->gpu)
            gpu_use_doubt(j->gpu, stuck);
    }
    j->stopped = true;
    vm_stop(j->vm);
    deadline(j, LADDER_MS);
}

/* Kills and reaps what is left, and removes the run directory. */
static void destroy(struct job *j) {
    vm_free(j->vm);
    j->vm = NULL;
    if (j->gpu)
        gpu_use_end(j->gpu, NULL, NULL);
    j->gpu = NULL;
    if (j->rundir)
        j->rundir_gone = rundir_remove(j->rundir);
    if (j->rundir && !j->rundir_gone)
        log_line(LOG_ERROR, "job", "the run directory '%s' could not be removed", j->rundir);
    free(j->rundir);
    j->rundir = NULL;
}

static void send_teardown(struct job *j) {
    struct teardown d = {.started = j->started,
                         .ended = unix_now(),
                         .exit_status = j->exit_status,
                         .rundir_removed = j->rundir_gone,
                         .gpus = j->sold->gpus,
                         .gpu_reset = j->gpu_reset,
                         .gpu_cc = j->gpu_reset}; /* a reset is none that does not ask again */

    memcpy(d.job, j->q.id, 32);
    tell_teardown(j->env->tell, &d, j->q.customer);
}

/* The gateway first takes what the guest left in its channel, so before vm_free closes it; and it
 * lives on until relays have the receipt. */
static void end(struct job *j) {
    loop_timer_set(j->deadline, -1);
    if (j->gateway)
        gateway_finish(j->gateway);
    else
        loop_timer_set(j->ending, loop_now());
    destroy(j);
    if (j->had_vm)
        send_teardown(j);
}

static void act_finish(struct job *j) {
    struct job_feedback f = {.status = JOB_SUCCESS, .phase = PHASE_DONE};

    end(j);
    memcpy(f.job, j->q.id, 32);
    tell_feedback(j->env->tell, &f, j->q.customer);
}

static void act_fail(struct job *j) {
    end(j);
    tell_error(j->env->tell, j->q.id, j->q.customer, j->code, j->why);
}

static void (*const actions[])(struct job *) = {
    [ACT_NONE] = act_none,   [ACT_QUEUE] = act_queue,   [ACT_START] = act_start,
    [ACT_BOOT] = act_boot,   [ACT_BRIEF] = act_brief,   [ACT_LEARN] = act_learn,
    [ACT_HELLO] = act_hello, [ACT_LEASE] = act_lease,   [ACT_SHUTDOWN] = act_shutdown,
    [ACT_WIPE] = act_wipe,   [ACT_LEAVE] = act_wipe,    [ACT_GUEST_ERROR] = act_wipe,
    [ACT_STOP] = act_stop,   [ACT_FINISH] = act_finish, [ACT_FAIL] = act_fail,
};

/* --- the GPU goes along --- */

static const struct {
    enum job_step at;
    enum gpu_step from;
    enum gpu_act act;
} gpu_steps[] = {
    {STEP_WAITING, GPU_ATTACHED, GPU_ATTEST},    {STEP_ACCEPTED, GPU_ATTESTED, GPU_GET_READY},
    {STEP_SERVING, GPU_ATTESTED, GPU_GET_READY}, /* loaded before it was accepted */
    {STEP_SERVING, GPU_READY, GPU_USE},          {STEP_ENDING, GPU_USED, GPU_UNUSE},
    {STEP_WIPING, GPU_USED, GPU_UNUSE},          {STEP_FAILING, GPU_USED, GPU_UNUSE},
};

static void move_gpu(struct job *j) {
    if (!j->gpu || j->exited || j->at < STEP_BOOTING)
        return;
    for (size_t i = 0; i < COUNT(gpu_steps); i++)
        if (gpu_steps[i].at == j->at && gpu_steps[i].from == gpu_use_step(j->gpu))
            gpu_use_act(j->gpu, gpu_steps[i].act);
}

/* The step is written down before it is acted on; a nested event (ON_STARTED within ACT_START)
 * comes after both. */
void job_event(struct job *j, enum job_event on) {
    const struct job_rule *r = job_rule(j->at, on);
    bool moved;

    if (!r) {
        log_line(LOG_WARN, "job", "'%s' is not allowed while a job is %s", job_event_name(on),
                 job_step_name(j->at));
        return;
    }
    moved = r->next != j->at;
    set_code(j, r->code, r->why);
    j->at = r->next;
    if (moved)
        j->env->stepped(j->env->arg, j);
    move_gpu(j);
    if (!job_step_over(j->at) && job_step_phase(j->at) != j->told)
        tell_phase(j);
    actions[r->act](j);
}

/* --- making and unmaking --- */

struct job *job_new(const struct job_env *env, const struct rumor *request,
                    const struct job_request *q, const struct image_offer *sold) {
    struct job *j = mem_new(sizeof *j);
    struct loop *l = ws_loop(env->net);

    *j = (struct job){.env = env, .q = *q, .sold = sold, .received = loop_now()};
    j->request = rumor_copy(request);
    j->deadline = loop_timer_add(l, -1, on_deadline, j);
    j->ending = loop_timer_add(l, -1, on_ending, j);
    return j;
}

void job_free(struct job *j) {
    if (!j)
        return;
    gateway_free(j->gateway);
    destroy(j);
    loop_timer_del(j->deadline);
    loop_timer_del(j->ending);
    rumor_free(j->request);
    buf_free(&j->append);
    free(j);
}

bool job_has_room(const struct job *j) {
    return !j->sold->gpus || gpu_pool_count(j->env->gpus).free > 0;
}

void job_refuse(struct job *j, const char *code, const char *why) {
    set_code(j, code, why);
    job_event(j, ON_FAULT);
}

enum job_step job_at(const struct job *j) {
    return j->at;
}

const struct job_request *job_asked(const struct job *j) {
    return &j->q;
}

const char *job_code(const struct job *j) {
    return j->code;
}

int64_t job_age_ms(const struct job *j) {
    return loop_now() - j->received;
}

bool job_ran(const struct job *j) {
    return j->had_vm;
}

int job_pid(const struct job *j) {
    return j->vm ? vm_pid(j->vm) : 0;
}
