/* GPUs of a provider: who gets which, what two providers do to each other, what a dead one leaves.
 */
#include "provider/gpu_pool.c"

#include <sys/prctl.h>
#include <sys/wait.h>

#include "tests/unit/fake_kernel.h"
#include "tests/unit/unit.h"

#define ONE "0000:41:00.0"
#define TWO "0000:61:00.0"

static const char *const both[] = {ONE, TWO};

struct fixture {
    char *sys, *dir, *run, *lib;
    struct gpu_places at;
    struct fake_kernel kernel;
    struct loop *loop;
    struct gpu_pool *pool;
    bool attached, over;
    struct err why;
    size_t changes;
    char said[600];
};

static int start(void **state) {
    static struct fixture f;

    f = (struct fixture){.sys = host_make("two-h100"),
                         .dir = mem_str("/tmp/cdvm-test-pool-XXXXXX")};
    assert_non_null(mkdtemp(f.dir));
    f.run = mem_fmt("%s/run/gpu", f.dir);
    f.lib = mem_fmt("%s/lib/gpu", f.dir);
    f.at = (struct gpu_places){f.sys, f.dir, f.run, f.lib};
    for (size_t i = 0; i < COUNT(both); i++) {
        fake_gpu(f.sys, both[i]);
        fake_driver(f.sys, both[i], "nvidia");
    }
    fake_kernel_up(&f.kernel, f.sys, "nvidia");
    f.loop = loop_new(NULL);
    *state = &f;
    return 0;
}

static int stop(void **state) {
    struct fixture *f = *state;

    gpu_pool_free(f->pool);
    fake_kernel_down(&f->kernel);
    loop_free(f->loop);
    host_remove(f->sys);
    host_remove(f->dir);
    free(f->run);
    free(f->lib);
    return 0;
}

static void on_changed(void *arg, const char *said) {
    struct fixture *f = arg;

    f->changes++;
    if (said)
        snprintf(f->said, sizeof f->said, "%s", said);
}

static void note(struct fixture *f, const struct err *e) {
    f->why = e ? *e : (struct err){0};
}
static void on_attached(void *arg, const struct err *e) {
    struct fixture *f = arg;

    f->attached = true;
    note(f, e);
}
static void on_over(void *arg, const struct err *e) {
    struct fixture *f = arg;

    f->over = true;
    note(f, e);
}

static void until(struct fixture *f, const bool *flag) {
    for (int i = 0; i < 500 && !*flag; i++)
        (void)loop_turn(f->loop, 20);
    assert_true(*flag);
}

static void open_pool(struct fixture *f, size_t n) {
    struct err e;

    f->pool = gpu_pool_new(f->loop, &f->at, both, n, on_changed, f, &e);
    if (!f->pool)
        fail_msg("%s", e.text);
}

static struct gpu_use *rent(struct fixture *f) {
    struct err e;
    struct gpu_use *u = gpu_use_new(f->pool, on_attached, f, &e);

    if (!u)
        fail_msg("%s", e.text);
    f->attached = false;
    until(f, &f->attached);
    return u;
}

static void end(struct fixture *f, struct gpu_use *u) {
    f->over = false;
    gpu_use_end(u, on_over, f);
    until(f, &f->over);
}

static void counted(const struct fixture *f, size_t good, size_t free_ones) {
    struct gpu_count c = gpu_pool_count(f->pool);

    assert_int_equal(c.good, good);
    assert_int_equal(c.free, free_ones);
}

static void held_by(const struct fixture *f, const char *bdf, const char *want) {
    char driver[32];

    fake_driver_of(f->sys, bdf, driver);
    assert_string_equal(driver, want);
}

static void a_job_has_one_and_gives_it_back(void **state) {
    struct fixture *f = *state;
    struct gpu_use *u;

    open_pool(f, 2);
    assert_string_equal(gpu_pool_arch(f->pool), "HOPPER");
    counted(f, 2, 2);
    u = rent(f);
    assert_string_equal(f->why.code, "");
    assert_string_equal(gpu_use_gpu(u)->bdf, ONE);
    assert_int_equal(gpu_use_step(u), GPU_ATTACHED);
    counted(f, 2, 1);
    for (int act = GPU_ATTEST; act <= GPU_UNUSE; act++)
        gpu_use_act(u, (enum gpu_act)act);
    assert_int_equal(gpu_use_step(u), GPU_UNREADY);
    end(f, u);
    assert_string_equal(f->why.code, "");
    counted(f, 2, 2);
    held_by(f, ONE, "vfio-pci"); /* until the provider ends */
    gpu_pool_free(f->pool);
    f->pool = NULL;
    held_by(f, ONE, "nvidia");
    held_by(f, TWO, "nvidia");
}

static void who_comes_too_late_is_told(void **state) {
    struct fixture *f = *state;
    struct gpu_use *a, *b;
    struct err e;

    open_pool(f, 2);
    a = rent(f);
    b = rent(f);
    assert_string_equal(gpu_use_gpu(b)->bdf, TWO);
    assert_null(gpu_use_new(f->pool, on_attached, f, &e));
    assert_string_equal(e.code, "gpu-busy");
    end(f, a);
    a = rent(f);
    end(f, a);
    end(f, b);
    assert_null(gpu_use_new(NULL, on_attached, f, &e));
    assert_string_equal(e.code, "no-gpu");
}

static void a_job_that_ends_while_it_attaches_leaves_it_clean(void **state) {
    struct fixture *f = *state;
    struct err e;
    struct gpu_use *u;

    open_pool(f, 1);
    u = gpu_use_new(f->pool, on_attached, f, &e);
    assert_non_null(u);
    gpu_use_end(u, on_over, f);
    until(f, &f->over);
    assert_false(f->attached);
    counted(f, 1, 1);
}

static void doubt_takes_it_out_of_the_count(void **state) {
    struct fixture *f = *state;
    struct gpu_use *u;
    struct err e;

    open_pool(f, 1);
    u = rent(f);
    fake_register(f->sys, ONE, FAKE_CC_GH100, 0);
    end(f, u);
    assert_non_null(strstr(f->why.text, "is off"));
    assert_non_null(strstr(f->said, "in quarantine"));
    counted(f, 0, 0);
    assert_null(gpu_use_new(f->pool, on_attached, f, &e));
    assert_string_equal(e.code, "no-gpu");
    gpu_pool_free(f->pool); /* and outlives the provider */
    open_pool(f, 1);
    counted(f, 0, 0);
    held_by(f, ONE, "vfio-pci"); /* it is not the host's either */
}

static void an_act_out_of_order_is_doubt(void **state) {
    struct fixture *f = *state;
    struct gpu_use *u;

    open_pool(f, 1);
    u = rent(f);
    gpu_use_act(u, GPU_USE);
    assert_int_equal(gpu_use_step(u), GPU_QUARANTINED);
    gpu_use_act(u, GPU_ATTEST); /* changes nothing any more */
    end(f, u);
    assert_string_equal(f->why.code, "gpu-quarantined");
}

static void one_that_cannot_be_attached_is_told_so(void **state) {
    struct fixture *f = *state;
    struct gpu_use *u;

    open_pool(f, 1);
    host_change(f->dir, "driver/nvidia/gpus/" ONE "/information = Device Minor: 0");
    host_change(f->dir, "55/fd/3 -> /dev/nvidia0");
    u = rent(f);
    assert_string_equal(f->why.code, "gpu-in-use");
    end(f, u);
    counted(f, 1, 1);
}

/* In line before a free one, for this job and for those after it. */
static void the_next_one_is_tried(void **state) {
    struct fixture *f = *state;
    struct gpu_use *u, *next;

    open_pool(f, 2);
    host_change(f->dir, "driver/nvidia/gpus/" ONE "/information = Device Minor: 0");
    host_change(f->dir, "55/fd/3 -> /dev/nvidia0");
    fake_register(f->sys, TWO, FAKE_CC_GH100, 0);
    u = rent(f);
    assert_string_equal(f->why.code, "gpu-in-use");
    f->attached = false;
    next = gpu_use_next(u, on_attached, f);
    assert_non_null(next);
    assert_string_equal(gpu_use_gpu(next)->bdf, TWO);
    until(f, &f->attached);
    assert_string_equal(f->why.code, "gpu-unfit"); /* this one is in quarantine from now on */
    assert_null(gpu_use_next(next, on_attached, f));
    end(f, next);
    counted(f, 1, 1);
}

/* --- several providers --- */

/* Another provider, as a process; it says what became of its wish and waits to be killed. */
static pid_t other(struct fixture *f, const char *bdf, bool uses, char *got) {
    int out[2];
    pid_t pid;

    assert_int_equal(pipe(out), 0);
    pid = fork();
    if (pid == 0) {
        struct fixture g = *f;
        struct err e;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(20);
        g.attached = false;
        g.loop = loop_new(NULL);
        g.pool = gpu_pool_new(g.loop, &f->at, &bdf, 1, on_changed, &g, &e);
        if (uses && g.pool && gpu_use_new(g.pool, on_attached, &g, &e))
            while (!g.attached)
                (void)loop_turn(g.loop, 20);
        (void)!write(out[1], !g.pool ? "p" : g.attached && !g.why.code[0] ? "y" : "n", 1);
        pause();
    }
    assert_int_equal(read(out[0], got, 1), 1);
    close(out[0]);
    close(out[1]);
    return pid;
}

static void killed(pid_t pid) {
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void two_providers_never_have_the_same(void **state) {
    struct fixture *f = *state;
    struct gpu_use *u;
    char got;
    pid_t pid;

    pid = other(f, ONE, true, &got);
    assert_int_equal(got, 'y');
    open_pool(f, 1);
    counted(f, 1, 0); /* good, and somebody else's */
    {
        struct err e;

        assert_null(gpu_use_new(f->pool, on_attached, f, &e));
        assert_string_equal(e.code, "gpu-busy");
    }
    killed(pid);
    counted(f, 1, 1);
    u = rent(f); /* reset first, since the other one died with it */
    assert_string_equal(f->why.code, "");
    pid = other(f, ONE, true, &got);
    assert_int_equal(got, 'n');
    end(f, u);
    killed(pid);
}

static void the_last_one_gives_it_to_the_host(void **state) {
    struct fixture *f = *state;
    struct gpu_use *u;
    char got;
    pid_t pid = other(f, ONE, false, &got);

    assert_int_equal(got, 'n');
    open_pool(f, 1);
    u = rent(f);
    end(f, u);
    gpu_pool_free(f->pool);
    held_by(f, ONE, "vfio-pci"); /* the other one still offers it */
    killed(pid);
    open_pool(f, 1);
    gpu_pool_free(f->pool);
    f->pool = NULL;
    held_by(f, ONE, "nvidia");
}

/* Killed in the middle of a job. */
static void what_a_dead_provider_left_is_mended(void **state) {
    struct fixture *f = *state;
    char why[GPU_CC_WHY], got;
    pid_t pid = other(f, TWO, true, &got);

    assert_int_equal(got, 'y');
    killed(pid);
    assert_int_equal(gpu_life_standing(&f->at, TWO, why), GPU_STANDS_LEFT);
    open_pool(f, 1); /* of another GPU: the dead one does not come back with it */
    for (int i = 0; i < 300 && gpu_life_standing(&f->at, TWO, why) != GPU_STANDS_FREE; i++)
        (void)loop_turn(f->loop, 20);
    assert_int_equal(gpu_life_standing(&f->at, TWO, why), GPU_STANDS_FREE);
    held_by(f, TWO, "nvidia");
    counted(f, 1, 1);
}

static void a_living_providers_gpus_are_left_alone(void **state) {
    struct fixture *f = *state;
    char got;
    pid_t pid = other(f, TWO, true, &got);

    assert_int_equal(got, 'y');
    open_pool(f, 1);
    for (int i = 0; i < 10; i++)
        (void)loop_turn(f->loop, 20);
    held_by(f, TWO, "vfio-pci");
    killed(pid);
}

/* The provider is told to end twice, and does not wait for its jobs. */
static void a_pool_that_closes_resets_what_a_guest_had(void **state) {
    struct fixture *f = *state;
    char why[GPU_CC_WHY];

    open_pool(f, 1);
    gpu_use_end(rent(f), NULL, NULL);
    gpu_pool_free(f->pool);
    f->pool = NULL;
    assert_int_equal(gpu_life_standing(&f->at, ONE, why), GPU_STANDS_FREE);
    held_by(f, ONE, "nvidia");
}

#define POOL_TEST(t) cmocka_unit_test_setup_teardown(t, start, stop)
int main(void) {
    const struct CMUnitTest tests[] = {
        POOL_TEST(a_job_has_one_and_gives_it_back),
        POOL_TEST(who_comes_too_late_is_told),
        POOL_TEST(a_job_that_ends_while_it_attaches_leaves_it_clean),
        POOL_TEST(doubt_takes_it_out_of_the_count),
        POOL_TEST(an_act_out_of_order_is_doubt),
        POOL_TEST(one_that_cannot_be_attached_is_told_so),
        POOL_TEST(the_next_one_is_tried),
        POOL_TEST(two_providers_never_have_the_same),
        POOL_TEST(the_last_one_gives_it_to_the_host),
        POOL_TEST(what_a_dead_provider_left_is_mended),
        POOL_TEST(a_living_providers_gpus_are_left_alone),
        POOL_TEST(a_pool_that_closes_resets_what_a_guest_had),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
