/* One job from start to end with this test program in QEMU's place: how the fake guest behaves
 * stands on its command line (-append), and the customer listens on a real relay. */
#include "provider/job.c"

#include <fcntl.h>

#include "core/receipt.h"
#include "core/wrap.h"
#include "provider/rundir.h"
#include "tests/unit/fake_kernel.h"
#include "tests/unit/unit.h"
#include "tests/unit/net.h"

#include <sys/resource.h>

#define GPU "0000:41:00.0"
#define GPU2 "0000:61:00.0"
#define MEMLOCK ((uint64_t)3 << 20)

/* --- the fake guest: runs as a child with the channel on descriptor 3 --- */

static void guest_state(uint8_t code) {
    uint8_t frame[] = {2, 0, 0, 0, CHAN_STATE, code};

    (void)!write(VM_FD_CHANNEL, frame, sizeof frame);
}

/* Reads frames until one of that type. */
static void guest_await(enum chan_type type) {
    struct chan_in in;
    struct chan_frame f;
    uint8_t b[4096];
    ssize_t n;

    chan_in_init(&in);
    while ((n = read(VM_FD_CHANNEL, b, sizeof b)) > 0) {
        chan_feed(&in, view_of(b, (size_t)n));
        while (chan_next(&in, &f, NULL) == 1)
            if (f.type == type)
                return;
    }
    _exit(9);
}

static void guest_until(uint8_t last) {
    guest_state(CHAN_BOOTED);
    guest_await(CHAN_JOB);
    for (uint8_t s = CHAN_KEYED; s <= last; s++)
        guest_state(s);
}

/* What QEMU is handed for a GPU: open, in the places that its line names, and nothing else. */
static const char *guest_bios;
static bool guest_has_gpu(void) {
    const int fd = (int)strtol(guest_bios + strlen("/proc/self/fd/"), NULL, 10);
    char what[3][16] = {"", "", ""};
    struct rlimit size, lock;

    for (int i = 0; i < 3; i++)
        if (pread(fd + i, what[i], sizeof what[i] - 1, 0) < 0)
            return false;
    return !strcmp(what[0], "firmware") && !strcmp(what[1], "iommu\n") &&
           !strcmp(what[2], "vfio0\n") && fcntl(fd + 3, F_GETFD) < 0 &&
           getrlimit(RLIMIT_FSIZE, &size) == 0 && size.rlim_max == (rlim_t)128 << 20 &&
           getrlimit(RLIMIT_MEMLOCK, &lock) == 0 && lock.rlim_cur >= MEMLOCK;
}

static int guest_main(const char *how) {
    long code = !strncmp(how, "error-", 6) ? strtol(how + 6, NULL, 10) : 0;

    alarm(20);
    if (!strcmp(how, "happy")) {
        guest_until(CHAN_WIPING);
    } else if (!strcmp(how, "gpu")) {
        if (!guest_has_gpu())
            return 7;
        guest_until(CHAN_WIPING);
    } else if (!strcmp(how, "no-snp")) {
        dprintf(2, "qemu: warning: something\nqemu: -accel kvm: vm-type SEV-SNP not supported by "
                   "KVM\nqemu: failed\n");
        return 1;
    } else if (!strcmp(how, "lease")) {
        guest_until(CHAN_READY);
        guest_await(CHAN_SHUTDOWN);
        guest_state(CHAN_WIPING);
    } else if (!strcmp(how, "loaded-first")) {
        guest_until(CHAN_ATTESTED);
        guest_state(CHAN_READY);
        guest_state(CHAN_ACCEPTED);
        guest_state(CHAN_WIPING);
    } else if (!strcmp(how, "leave")) {
        guest_until(CHAN_ATTESTED);
        guest_state(CHAN_WIPING);
    } else if (!strcmp(how, "rubbish")) {
        guest_until(CHAN_ATTESTED);
        (void)!write(VM_FD_CHANNEL, "\1\0\0\0\377", 5);
        pause();
    } else if (!strcmp(how, "die")) {
        guest_until(CHAN_READY);
        return 3;
    } else if (!strcmp(how, "out-of-turn")) {
        guest_state(CHAN_READY);
        guest_state(CHAN_ACCEPTED);
        guest_until(CHAN_WIPING);
    } else if (code) {
        guest_until(CHAN_ATTESTED);
        guest_state((uint8_t)code);
    } else {
        pause();
    }
    return 0;
}

/* --- the provider's side --- */

struct fixture {
    struct net net;
    struct http *http;
    struct keypair *u, *p;
    struct pool *mine, *customer;
    struct tell *tell;
    struct image image;
    struct release release;
    struct accel accel;
    struct image_volume *work;
    struct image_offer sold;
    struct job_env env;
    struct job_request q;
    struct rumor *request;
    struct job *job;
    bool over;
    int64_t booted;
    char steps[256]; /* names of the steps, in order */
    /* what the customer was told */
    char phases[256];
    struct job_feedback last;
    struct teardown teardown;
    bool torn;
    /* with a GPU */
    char *sys, *dir, *run, *lib, *dev;
    struct gpu_places at;
    struct fake_kernel kernel;
    struct snp_host snp;
};

static void on_step(void *arg, const struct job *j) {
    struct fixture *f = arg;
    size_t n = strlen(f->steps);

    snprintf(f->steps + n, sizeof f->steps - n, "%s ", job_step_name(job_at(j)));
}

static void on_boot(void *arg, const struct job *j, int64_t ms) {
    struct fixture *f = arg;

    (void)j;
    f->booted = ms;
}

static void on_over(void *arg, struct job *j) {
    struct fixture *f = arg;

    assert_ptr_equal(j, f->job);
    f->over = true;
}

static int64_t no_boot(void *arg) {
    (void)arg;
    return -1;
}

static void take_teardown(struct fixture *f, const struct rumor *r) {
    struct msg m;
    struct event *ev;

    if (msg_parse(r, &m, NULL) < 0)
        return;
    ev = !strcmp(m.type, "teardown") ? receipt_event(m.o, NULL) : NULL;
    f->torn = f->torn || (ev && teardown_parse(ev, &f->teardown, NULL) == 0);
    event_free(ev);
    msg_free(&m);
}

static void on_answer(void *arg, const char *sub, const struct event *ev, const char *url) {
    struct fixture *f = arg;
    struct rumor *r = wrap_open(ev, f->u, NULL, NULL);
    struct job_feedback fb;
    size_t n = strlen(f->phases);

    (void)sub;
    (void)url;
    if (r && r->f.kind == KIND_FEEDBACK && job_feedback_parse(r, &fb, NULL) == 0) {
        f->last = fb;
        if (fb.status == JOB_PROCESSING)
            snprintf(f->phases + n, sizeof f->phases - n, "%s ", job_phase_name(fb.phase));
    } else if (r) {
        take_teardown(f, r);
    }
    rumor_free(r);
}

static void confirm(void *arg, const uint8_t id[32], bool ok, const char *url, const char *msg) {
    struct fixture *f = arg;

    (void)ok;
    (void)url;
    (void)msg;
    tell_confirmed(f->tell, id);
}

static void nothing(void *arg) {
    (void)arg;
}

static void nothing_eose(void *arg, const char *sub) {
    (void)arg;
    (void)sub;
}

static void make_image(struct fixture *f) {
    static struct image_volume work;
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    work = (struct image_volume){.fd = fd};
    work.volume.blocks = 1;
    f->work = &work;
    f->sold = (struct image_offer){.work = &work, .broker = "none"};
    f->release.policy = 0x30000;
    f->image = (struct image){.release = &f->release,
                              .ovmf_fd = vm_sealed_file("ovmf", view_str("firmware"), NULL),
                              .kernel_fd = vm_sealed_file("kernel", view_str("k"), NULL),
                              .initrd_fd = vm_sealed_file("initrd", view_str("i"), NULL)};
    f->image.ovmf = (struct ovmf){.hashes_gpa = 0x810c00, .n_sections = 1};
    f->image.ovmf.section[0] = (struct ovmf_section){0x810000, 0x1000, 0x10};
    assert_true(f->image.kernel_fd >= 0 && f->image.initrd_fd >= 0 && fd >= 0);
}

/* Started as root a guest runs as nobody, who may not reach the folder this program was built in.
 */
static void copy_self(struct fixture *f) {
    cleanup_buf struct buf self = {0};
    struct err e;

    snprintf(f->accel.qemu, sizeof f->accel.qemu, "%s/guest", f->net.dir);
    assert_int_equal(file_read("/proc/self/exe", BUF_MAX, &self, &e), 0);
    assert_int_equal(file_write(f->accel.qemu, buf_view(&self), 0755, true, &e), 0);
    assert_int_equal(chmod(f->accel.qemu, 0755), 0);
}

static void open_pools(struct fixture *f) {
    struct pool_handler mine = {
        .event = on_answer, .eose = nothing_eose, .ok = confirm, .state = nothing};
    char hex[65];
    cleanup_free char *filter = NULL;

    hex_encode(view_of(keypair_pub(f->u), 32), hex);
    filter = mem_fmt("{\"kinds\":[1059],\"#p\":[\"%s\"]}", hex);
    f->mine = pool_new(f->net.ws, f->p, &mine, f);
    f->customer = pool_new(f->net.ws, f->u, &mine, f);
    assert_int_equal(pool_add(f->mine, relayd_url(f->net.relay), NULL), 0);
    assert_int_equal(pool_add(f->customer, relayd_url(f->net.relay), NULL), 0);
    assert_int_equal(pool_subscribe(f->customer, "me", filter, NULL), 0);
    f->tell = tell_new(f->mine, f->p);
    net_for(&f->net, 100);
}

static int start(void **state) {
    static struct fixture f;
    struct err e;

    f = (struct fixture){.u = keypair_new(), .p = keypair_new()};
    net_up(&f.net, NULL);
    f.http = http_new(f.net.loop, &e);
    assert_int_equal(chmod(f.net.dir, 0755), 0);
    make_image(&f);
    open_pools(&f);
    snprintf(f.accel.cpu, sizeof f.accel.cpu, "any");
    copy_self(&f);
    f.env = (struct job_env){.net = f.net.ws,
                             .http = f.http,
                             .tell = f.tell,
                             .image = &f.image,
                             .accel = &f.accel,
                             .rundir = f.net.dir,
                             .vcpus = 1,
                             .memory_mib = 128,
                             .vcpu_type = "EPYC",
                             .features = 1,
                             .accept_ms = 60000,
                             .lease_ms = 60000,
                             .boot_ms = no_boot,
                             .stepped = on_step,
                             .booted = on_boot,
                             .over = on_over,
                             .arg = &f};
    f.q = (struct job_request){.kind = KIND_JOB_TOOL, .expires = unix_now() + 600, .n_relays = 1};
    snprintf(f.q.relays[0], sizeof f.q.relays[0], "%s", relayd_url(f.net.relay));
    memcpy(f.q.provider, keypair_pub(f.p), 32);
    f.request = job_request_make(&f.q, f.u, unix_now(), &e);
    assert_non_null(f.request);
    *state = &f;
    return 0;
}

static void no_news(void *arg, const char *said) {
    (void)arg;
    (void)said;
}

/* The offer has a GPU, the host has n, and their nodes are files with their names in them. */
static void gpus_up(struct fixture *f, size_t n) {
    static const char *const bdf[] = {GPU, GPU2};
    struct err e;

    f->sys = host_make(n == 1 ? "one-h100" : "two-h100");
    f->dir = mem_str("/tmp/cdvm-test-job-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->run = mem_fmt("%s/run/gpu", f->dir);
    f->lib = mem_fmt("%s/lib/gpu", f->dir);
    f->dev = mem_fmt("%s/dev", f->dir);
    host_change(f->dir, "dev/iommu = iommu");
    host_change(f->dir, "dev/vfio/devices/vfio0 = vfio0");
    host_change(f->dir, "dev/vfio/devices/vfio1 = vfio1");
    f->at = (struct gpu_places){f->sys, f->dir, f->run, f->lib};
    for (size_t i = 0; i < n; i++)
        fake_gpu(f->sys, bdf[i]);
    fake_kernel_up(&f->kernel, f->sys, NULL);
    f->env.gpus = gpu_pool_new(f->net.loop, &f->at, bdf, n, no_news, NULL, &e);
    if (!f->env.gpus)
        fail_msg("%s", e.text);
    f->snp = (struct snp_host){
        .able = {.cbitpos = 51, .reduced_phys_bits = 6}, .memlock = MEMLOCK, .dev = f->dev};
    f->env.snp = &f->snp;
    f->accel.accel = VM_KVM;
    f->sold.gpus = 1;
}

static void gpu_up(struct fixture *f) {
    gpus_up(f, 1);
}

static void gpu_down(struct fixture *f) {
    if (!f->sys)
        return;
    gpu_pool_free(f->env.gpus);
    fake_kernel_down(&f->kernel);
    host_remove(f->sys);
    host_remove(f->dir);
    free(f->run);
    free(f->lib);
    free(f->dev);
}

static int stop(void **state) {
    struct fixture *f = *state;

    job_free(f->job);
    gpu_down(f);
    close(f->image.ovmf_fd);
    tell_free(f->tell);
    pool_free(f->mine);
    pool_free(f->customer);
    http_free(f->http);
    rumor_free(f->request);
    keypair_free(f->u);
    keypair_free(f->p);
    close(f->image.kernel_fd);
    close(f->image.initrd_fd);
    close(f->work->fd);
    free(f->image.cmdline);
    net_down(&f->net);
    return 0;
}

static void begin(struct fixture *f, const char *how) {
    f->image.cmdline = mem_fmt("guest=%s ${work} ${model} ${broker}", how);
    f->job = job_new(&f->env, f->request, &f->q, &f->sold);
    job_event(f->job, ON_SLOT);
}

static void wait_over(struct fixture *f) {
    assert_true(net_until(&f->net, &f->over, 15000));
    assert_true(net_until(&f->net, &f->torn, 5000));
    net_for(&f->net, 100);
}

static bool at_step(const struct fixture *f, enum job_step s) {
    return job_at(f->job) == s;
}

static void wait_step(struct fixture *f, enum job_step s) {
    for (int i = 0; i < 500 && !at_step(f, s); i++)
        (void)loop_turn(f->net.loop, 20);
    assert_true(at_step(f, s));
}

/* The job failed with that code, the customer knows, and nothing of the guest is left. */
static void failed_with(struct fixture *f, const char *code) {
    wait_over(f);
    assert_true(at_step(f, STEP_FAILED));
    assert_string_equal(job_code(f->job), code);
    assert_int_equal(f->last.status, JOB_ERROR);
    assert_string_equal(f->last.code, code);
    assert_true(f->last.text[0]);
    assert_int_equal(job_pid(f->job), 0);
    assert_true(f->teardown.rundir_removed);
}

/* --- tests --- */

static void a_job_from_start_to_end(void **state) {
    struct fixture *f = *state;

    begin(f, "happy");
    assert_true(job_pid(f->job) > 0);
    wait_over(f);
    assert_string_equal(f->steps,
                        "creating booting attesting waiting accepted serving wiping done ");
    assert_string_equal(f->phases, "creating booting attesting serving wiping ");
    assert_int_equal(f->last.status, JOB_SUCCESS);
    assert_string_equal(job_code(f->job), "");
    assert_true(f->booted >= 0);
    assert_true(job_ran(f->job));
    assert_memory_equal(f->teardown.job, f->q.id, 32);
    assert_int_equal(f->teardown.exit_status, 0);
    assert_true(f->teardown.rundir_removed);
    assert_true(f->teardown.started <= f->teardown.ended);
}

static void the_workload_may_be_loaded_before_the_verdict(void **state) {
    struct fixture *f = *state;

    begin(f, "loaded-first");
    wait_over(f);
    assert_string_equal(f->steps, "creating booting attesting waiting loaded serving wiping done ");
    assert_int_equal(f->last.status, JOB_SUCCESS);
}

static void states_out_of_turn_change_nothing(void **state) {
    struct fixture *f = *state;

    begin(f, "out-of-turn");
    wait_over(f);
    assert_string_equal(f->steps,
                        "creating booting attesting waiting accepted serving wiping done ");
}

static void the_end_of_the_lease_lets_the_guest_wipe(void **state) {
    struct fixture *f = *state;

    f->env.lease_ms = 300;
    begin(f, "lease");
    wait_over(f);
    assert_non_null(strstr(f->steps, "serving ending wiping done "));
    assert_int_equal(f->last.status, JOB_SUCCESS);
}

static void a_stopping_provider_lets_the_guest_wipe(void **state) {
    struct fixture *f = *state;

    begin(f, "lease");
    wait_step(f, STEP_SERVING);
    job_event(f->job, ON_END);
    wait_over(f);
    assert_true(at_step(f, STEP_DONE));
}

static void a_guest_that_nobody_accepts_leaves(void **state) {
    struct fixture *f = *state;

    begin(f, "leave");
    failed_with(f, "not-accepted");
}

static void a_guest_that_dies_is_missed(void **state) {
    struct fixture *f = *state;

    begin(f, "die");
    failed_with(f, "guest-died");
    assert_true(WIFEXITED(f->teardown.exit_status) && WEXITSTATUS(f->teardown.exit_status) == 3);
}

static void a_guest_that_breaks_the_rules_is_stopped(void **state) {
    struct fixture *f = *state;

    begin(f, "rubbish");
    failed_with(f, "guest-died");
    assert_non_null(strstr(f->steps, "waiting failing failed "));
    assert_true(WIFSIGNALED(f->teardown.exit_status));
}

static void a_silent_guest_can_be_given_up(void **state) {
    struct fixture *f = *state;

    begin(f, "silent");
    wait_step(f, STEP_BOOTING);
    job_event(f->job, ON_TIMEOUT);
    failed_with(f, "boot-timeout");
}

static void a_customer_can_leave_while_it_boots(void **state) {
    struct fixture *f = *state;

    begin(f, "silent");
    job_event(f->job, ON_CANCEL);
    failed_with(f, "cancelled");
}

static void every_error_of_the_guest_has_its_code(void **state) {
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(guest_errors); i += 3) { /* some of the table, one guest each */
        cleanup_free char *how = mem_fmt("error-%u", guest_errors[i].state);

        if (f->job) {
            stop(state);
            start(state);
        }
        begin(f, how);
        failed_with(f, guest_errors[i].code);
    }
}

static void an_error_nobody_knows_has_a_code_too(void **state) {
    struct fixture *f = *state;

    begin(f, "error-200");
    failed_with(f, "guest-died");
}

static void a_guest_that_cannot_start_is_a_failure(void **state) {
    struct fixture *f = *state;

    snprintf(f->accel.qemu, sizeof f->accel.qemu, "/nonexistent/qemu");
    begin(f, "happy");
    assert_true(net_until(&f->net, &f->over, 5000));
    net_for(&f->net, 300);
    assert_true(at_step(f, STEP_FAILED));
    assert_string_equal(f->last.code, "vm-failed");
    assert_false(job_ran(f->job));
    assert_false(f->torn); /* there was no machine to tear down */
}

/* --- with a GPU --- */

static void gpu_stands(struct fixture *f, enum gpu_standing want) {
    char why[GPU_CC_WHY];

    assert_int_equal(gpu_life_standing(&f->at, GPU, why), want);
}

static void a_job_with_a_gpu(void **state) {
    struct fixture *f = *state;

    gpu_up(f);
    begin(f, "gpu");
    assert_int_equal(job_pid(f->job), 0); /* first the GPU */
    gpu_stands(f, GPU_STANDS_LEASED);
    wait_over(f);
    assert_string_equal(f->steps,
                        "creating booting attesting waiting accepted serving wiping done ");
    assert_int_equal(f->teardown.exit_status, 0);
    assert_int_equal(f->teardown.gpus, 1);
    assert_true(f->teardown.gpu_reset && f->teardown.gpu_cc);
    gpu_stands(f, GPU_STANDS_FREE);
}

/* It goes through its own steps with the job's: seen where the job stands still. */
static void the_gpu_goes_along(void **state) {
    struct fixture *f = *state;

    gpu_up(f);
    begin(f, "lease");
    wait_step(f, STEP_SERVING);
    assert_int_equal(gpu_use_step(f->job->gpu), GPU_USED);
    job_event(f->job, ON_END);
    assert_int_equal(gpu_use_step(f->job->gpu), GPU_UNREADY);
    wait_over(f);
    gpu_stands(f, GPU_STANDS_FREE);
}

static void what_qemu_says_is_told_with_its_cure(void **state) {
    struct fixture *f = *state;

    gpu_up(f);
    begin(f, "no-snp");
    failed_with(f, "no-snp");
    assert_non_null(strstr(f->last.text, "sev_snp=1"));
    assert_true(f->teardown.gpu_reset);
    gpu_stands(f, GPU_STANDS_FREE);
}

static void a_gpu_that_is_not_well_after_it_is_said(void **state) {
    struct fixture *f = *state;

    gpu_up(f);
    begin(f, "lease");
    wait_step(f, STEP_SERVING);
    fake_register(f->sys, GPU, FAKE_CC_GH100, 3);
    job_event(f->job, ON_END);
    wait_over(f);
    assert_true(at_step(f, STEP_DONE)); /* the customer has had what was asked for */
    assert_false(f->teardown.gpu_reset || f->teardown.gpu_cc);
    gpu_stands(f, GPU_STANDS_QUARANTINED);
}

static void refused_with(struct fixture *f, const char *code, const char *words) {
    assert_true(net_until(&f->net, &f->over, 15000));
    net_for(&f->net, 300);
    assert_true(at_step(f, STEP_FAILED));
    assert_string_equal(f->last.code, code);
    assert_non_null(strstr(f->last.text, words));
    assert_false(job_ran(f->job));
}

static void a_gpu_that_somebody_has_is_a_clear_refusal(void **state) {
    struct fixture *f = *state;
    struct gpu_life *somebody;

    gpu_up(f);
    somebody = gpu_life_new(&f->at, GPU, NULL);
    begin(f, "gpu");
    refused_with(f, "gpu-busy", "in use");
    assert_false(job_has_room(f->job));
    gpu_life_free(somebody);
    assert_true(job_has_room(f->job));
}

static void a_gpu_without_cc_is_a_clear_refusal(void **state) {
    struct fixture *f = *state;

    gpu_up(f);
    fake_register(f->sys, GPU, FAKE_CC_GH100, 0);
    begin(f, "gpu");
    refused_with(f, "gpu-unfit", "not fit");
    gpu_stands(f, GPU_STANDS_QUARANTINED);
}

static void a_job_gets_the_gpu_that_can_be_had(void **state) {
    struct fixture *f = *state;

    gpus_up(f, 2);
    fake_register(f->sys, GPU, FAKE_CC_GH100, 0);
    begin(f, "happy");
    wait_over(f);
    assert_true(at_step(f, STEP_DONE) && f->teardown.gpu_reset);
    gpu_stands(f, GPU_STANDS_QUARANTINED);
    assert_int_equal(gpu_pool_count(f->env.gpus).free, 1);
}

/* iommufd or VFIO's node is missing: nothing ran, and the GPU is as it was. */
static void a_host_without_its_nodes_is_a_failure(void **state) {
    struct fixture *f = *state;

    gpu_up(f);
    host_change(f->dir, "dev/iommu -");
    begin(f, "gpu");
    refused_with(f, "gpu-unfit", "not fit");
    for (int i = 0; i < 300 && gpu_pool_count(f->env.gpus).free == 0; i++)
        (void)loop_turn(f->net.loop, 20);
    gpu_stands(f, GPU_STANDS_FREE);
}

static void a_customer_can_leave_while_the_gpu_is_attached(void **state) {
    struct fixture *f = *state;

    gpu_up(f);
    begin(f, "gpu");
    job_event(f->job, ON_CANCEL);
    refused_with(f, "cancelled", "gave up");
    for (int i = 0; i < 300 && gpu_pool_count(f->env.gpus).free == 0; i++)
        (void)loop_turn(f->net.loop, 20);
    gpu_stands(f, GPU_STANDS_FREE);
}

static void a_provider_that_ends_at_once_resets_the_gpu(void **state) {
    struct fixture *f = *state;

    gpu_up(f);
    begin(f, "lease");
    wait_step(f, STEP_SERVING);
    job_free(f->job);
    f->job = NULL;
    gpu_pool_free(f->env.gpus);
    f->env.gpus = NULL;
    gpu_stands(f, GPU_STANDS_FREE);
}

static void freeing_a_job_destroys_its_guest(void **state) {
    struct fixture *f = *state;
    cleanup_free char *rundir = NULL;
    int pid;

    begin(f, "silent");
    pid = job_pid(f->job);
    rundir = mem_str(f->job->rundir);
    assert_int_equal(access(rundir, F_OK), 0);
    job_free(f->job);
    f->job = NULL;
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(access(rundir, F_OK), -1);
}

#define JOB_TEST(t) cmocka_unit_test_setup_teardown(t, start, stop)
int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        JOB_TEST(a_job_from_start_to_end),
        JOB_TEST(the_workload_may_be_loaded_before_the_verdict),
        JOB_TEST(states_out_of_turn_change_nothing),
        JOB_TEST(the_end_of_the_lease_lets_the_guest_wipe),
        JOB_TEST(a_stopping_provider_lets_the_guest_wipe),
        JOB_TEST(a_guest_that_nobody_accepts_leaves),
        JOB_TEST(a_guest_that_dies_is_missed),
        JOB_TEST(a_guest_that_breaks_the_rules_is_stopped),
        JOB_TEST(a_silent_guest_can_be_given_up),
        JOB_TEST(a_customer_can_leave_while_it_boots),
        JOB_TEST(every_error_of_the_guest_has_its_code),
        JOB_TEST(an_error_nobody_knows_has_a_code_too),
        JOB_TEST(a_guest_that_cannot_start_is_a_failure),
        JOB_TEST(freeing_a_job_destroys_its_guest),
        JOB_TEST(a_job_with_a_gpu),
        JOB_TEST(the_gpu_goes_along),
        JOB_TEST(what_qemu_says_is_told_with_its_cure),
        JOB_TEST(a_gpu_that_is_not_well_after_it_is_said),
        JOB_TEST(a_gpu_that_somebody_has_is_a_clear_refusal),
        JOB_TEST(a_gpu_without_cc_is_a_clear_refusal),
        JOB_TEST(a_job_gets_the_gpu_that_can_be_had),
        JOB_TEST(a_host_without_its_nodes_is_a_failure),
        JOB_TEST(a_customer_can_leave_while_the_gpu_is_attached),
        JOB_TEST(a_provider_that_ends_at_once_resets_the_gpu),
    };
    static char how[64];

    for (int i = 1; i + 1 < argc; i++)
        if (!strcmp(argv[i], "-bios"))
            guest_bios = argv[i + 1];
    for (int i = 1; i + 1 < argc; i++)
        if (!strcmp(argv[i], "-append")) {
            snprintf(how, sizeof how, "%.*s", (int)strcspn(argv[i + 1] + 6, " "), argv[i + 1] + 6);
            _exit(guest_main(how));
        }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
