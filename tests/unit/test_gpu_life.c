/* The order of a GPU's life, its lease, its drivers, its quarantine, on trees under tests/hosts. */
#include "provider/gpu_bind.c"
#include "provider/gpu_life.c"

#include <sys/wait.h>

#include "tests/unit/fake_kernel.h"
#include "tests/unit/unit.h"

#define BDF "0000:41:00.0"
#define SOUND "0000:41:00.1"
#define AT "bus/pci/devices/" BDF "/"

static char *sys, *dir, *run, *lib;
static struct gpu_places at;
static struct fake_kernel kernel;

static void set_register(uint32_t v) {
    fake_register(sys, BDF, FAKE_CC_GH100, v);
}

static int start_with(const char *host, const char *native) {
    sys = host_make(host);
    dir = mem_str("/tmp/cdvm-test-life-XXXXXX");
    assert_non_null(mkdtemp(dir));
    run = mem_fmt("%s/run/gpu", dir);
    lib = mem_fmt("%s/lib/gpu", dir);
    at = (struct gpu_places){sys, dir, run, lib};
    assert_int_equal(gpu_places_make(&at, NULL), 0);
    fake_gpu(sys, BDF);
    fake_kernel_up(&kernel, sys, native);
    settle_ms = 300;
    return 0;
}

static int start(void **state) {
    (void)state;
    return start_with("two-h100", NULL);
}

static int stop(void **state) {
    (void)state;
    fake_kernel_down(&kernel);
    host_remove(sys);
    host_remove(dir);
    free(run);
    free(lib);
    return 0;
}

static struct gpu_life *lease_it(void) {
    struct err e;
    struct gpu_life *l = gpu_life_new(&at, BDF, &e);

    if (!l)
        fail_msg("%s", e.text);
    return l;
}

static void must(struct gpu_life *l, enum gpu_act act) {
    struct err e;

    if (gpu_life_act(l, act, &e) < 0)
        fail_msg("%s", e.text);
}

static void a_whole_life(void **state) {
    struct gpu_life *l = lease_it();

    (void)state;
    for (int act = GPU_ATTACH; act <= GPU_RESET; act++)
        must(l, (enum gpu_act)act);
    assert_int_equal(gpu_life_step(l), GPU_FREE);
    must(l, GPU_ATTACH);
    assert_string_equal(gpu_life_gpu(l)->cdev, "vfio0");
    gpu_life_free(l);
}

/* Every pair of step and act that is not in the order changes nothing. */
static void other_orders_are_refused(void **state) {
    struct gpu_life *l = lease_it();
    size_t refused = 0;
    struct err e;

    (void)state;
    for (int step = 0; step < GPU_STEPS; step++)
        for (int act = 0; act < GPU_ACTS; act++) {
            if (next_step((enum gpu_step)step, (enum gpu_act)act) != GPU_STEPS)
                continue;
            l->step = (enum gpu_step)step;
            assert_int_equal(gpu_life_act(l, (enum gpu_act)act, &e), -1);
            assert_string_equal(e.code, "bad-order");
            assert_int_equal(l->step, step);
            refused++;
        }
    assert_int_equal(refused, GPU_STEPS * GPU_ACTS - COUNT(order));
    for (int act = 0; act < GPU_ACTS; act++) /* no way out of quarantine */
        assert_int_equal(next_step(GPU_QUARANTINED, (enum gpu_act)act), GPU_STEPS);
    gpu_life_free(l);
}

static void one_holder_at_a_time(void **state) {
    struct gpu_life *l = lease_it(), *other;
    struct err e;

    (void)state;
    assert_null(gpu_life_new(&at, BDF, &e));
    assert_string_equal(e.code, "gpu-leased");
    other = gpu_life_new(&at, "0000:61:00.0", &e); /* the second H100 is free */
    assert_non_null(other);
    gpu_life_free(other);
    gpu_life_free(l);
    gpu_life_free(lease_it());
}

static void one_left_in_the_middle_has_to_be_reset(void **state) {
    struct gpu_life *l = lease_it();
    struct err e;

    (void)state;
    must(l, GPU_ATTACH);
    must(l, GPU_ATTEST);
    gpu_life_free(l);
    l = lease_it();
    assert_int_equal(gpu_life_step(l), GPU_DETACHED);
    assert_int_equal(gpu_life_act(l, GPU_ATTACH, &e), -1);
    must(l, GPU_RESET);
    must(l, GPU_ATTACH);
    gpu_life_free(l);
}

/* What is written there, or the link that is changed, before the reset; the words of the reason. */
static void any_doubt_is_quarantine(void **state) {
    static const struct {
        const char *change;
        uint32_t reg;
        const char *words;
    } rows[] = {
        {NULL, 0, "is off"},
        {NULL, 3, "is devtools"},
        {NULL, 2, "makes no sense"},
        {NULL, UINT32_MAX, "makes no sense"},
        {NULL, 0xbadf5040, "makes no sense"},
        {AT "reset -", 1, "cannot write '1'"},
        {AT "vendor = 0xffff", 1, "is not an NVIDIA GPU"},
        {AT "config = dead", 1, "does not answer"},
        {AT "device = 0x2bb1", 1, "does not answer"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct gpu_life *l = lease_it();
        struct err e;

        must(l, GPU_ATTACH);
        must(l, GPU_DETACH);
        if (rows[i].change)
            host_change(sys, rows[i].change);
        set_register(rows[i].reg);
        assert_int_equal(gpu_life_act(l, GPU_RESET, &e), -1);
        if (!strstr(e.text, rows[i].words))
            fail_msg("'%s' does not say '%s'", e.text, rows[i].words);
        assert_int_equal(gpu_life_step(l), GPU_QUARANTINED);
        gpu_life_free(l);
        stop(state);
        start(state);
    }
}

/* --- the confidential mode of chips --- */

static void each_chip_has_its_register(void **state) {
    static const struct {
        uint16_t device;
        uint32_t at, value;
        enum gpu_cc want;
        const char *arch;
    } rows[] = {
        {0x2331, 0x1182cc, 1, GPU_CC_ON, "HOPPER"},
        {0x2335, 0x1182cc, 3, GPU_CC_DEVTOOLS, "HOPPER"},
        {0x2901, 0x590, 1, GPU_CC_ON, "BLACKWELL"},
        {0x2901, 0x590, 0, GPU_CC_OFF, "BLACKWELL"},
        {0x3182, 0x590, 3, GPU_CC_DEVTOOLS, "BLACKWELL"},
        {0x2bb1, 0x590, 1, GPU_CC_UNKNOWN, "BLACKWELL"}, /* GB202: nobody says where */
        {0x20b0, 0x1182cc, 1, GPU_CC_UNKNOWN, ""},       /* GA100 has none */
    };
    struct gpu g = {.bdf = BDF};
    char why[GPU_CC_WHY];

    (void)state;
    set_register(0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        g.device = rows[i].device;
        fake_register(sys, BDF, rows[i].at, rows[i].value);
        assert_int_equal(gpu_cc_query(sys, &g, 0, why), rows[i].want);
        assert_int_equal(why[0] != 0, rows[i].want == GPU_CC_UNKNOWN);
        assert_string_equal(gpu_arch(&g), rows[i].arch);
    }
}

/* Before its own firmware is up a GPU's registers say nothing. */
static void a_gpu_that_has_not_started_is_waited_for(void **state) {
    struct gpu g = {.bdf = BDF, .device = 0x2331};
    cleanup_free char *control = mem_fmt("%s/" AT "power/control", sys);
    cleanup_buf struct buf b = {0};
    char why[GPU_CC_WHY];

    (void)state;
    fake_register(sys, BDF, FAKE_BOOT, 0x3f);
    assert_int_equal(gpu_cc_query(sys, &g, 120, why), GPU_CC_UNKNOWN);
    assert_non_null(strstr(why, "not up after 120 ms"));
    assert_int_equal(file_read(control, 100, &b, NULL), 0);
    assert_memory_equal(b.p, "auto", 4); /* it may sleep again */
}

/* A driver that holds the GPU has its registers for itself; a window may be too short. */
static void registers_that_cannot_be_read_are_told_so(void **state) {
    struct gpu g = {.bdf = BDF, .device = 0x2331};
    char why[GPU_CC_WHY];

    (void)state;
    host_change(sys, AT "resource0 = short");
    assert_int_equal(gpu_cc_query(sys, &g, 120, why), GPU_CC_UNKNOWN);
    assert_non_null(strstr(why, "cannot be read: File too large"));
}

/* --- drivers --- */

static void held_by(const char *bdf, const char *want) {
    char driver[32];

    fake_driver_of(sys, bdf, driver);
    assert_string_equal(driver, want);
}

static void add_sound(void) {
    static const char *const lines[] = {
        "bus/pci/devices/" SOUND "/vendor = 0x10de", "bus/pci/devices/" SOUND "/class = 0x040300",
        "bus/pci/devices/" SOUND "/device = 0x22a3",
        "bus/pci/devices/" SOUND "/driver_override = (null)",
        "kernel/iommu_groups/30/devices/" SOUND " -> ../../../../bus/pci/devices/" SOUND};

    for (size_t i = 0; i < COUNT(lines); i++)
        host_change(sys, lines[i]);
    fake_driver(sys, SOUND, "snd_hda_intel");
}

static void the_card_goes_and_comes_back_whole(void **state) {
    struct gpu_life *l;
    struct err e;

    stop(state);
    start_with("two-h100", "nvidia");
    fake_driver(sys, BDF, "nvidia");
    add_sound();
    kernel.native = "nvidia";
    l = lease_it();
    must(l, GPU_ATTACH);
    held_by(BDF, "vfio-pci");
    held_by(SOUND, "vfio-pci");
    must(l, GPU_DETACH);
    must(l, GPU_RESET);
    gpu_life_free(l);
    l = lease_it(); /* the record outlives the lease, and a second attach */
    must(l, GPU_ATTACH);
    assert_int_equal(gpu_life_give_back(l, &e), 0); /* not while a guest may have it */
    held_by(BDF, "vfio-pci");
    must(l, GPU_DETACH);
    must(l, GPU_RESET);
    (void)!gpu_life_give_back(l, &e); /* the sound's own driver is not there */
    held_by(BDF, "nvidia");
    gpu_life_free(l);
}

static void what_the_operator_bound_stays(void **state) {
    struct gpu_life *l = lease_it();
    struct err e;

    (void)state;
    must(l, GPU_ATTACH);
    must(l, GPU_DETACH);
    must(l, GPU_RESET);
    assert_int_equal(gpu_life_give_back(l, &e), 0);
    held_by(BDF, "vfio-pci");
    gpu_life_free(l);
}

static void a_disk_in_its_group_is_never_taken(void **state) {
    struct gpu_life *l;
    struct err e;

    stop(state);
    start_with("shared-group", NULL);
    l = lease_it();
    assert_int_equal(gpu_life_act(l, GPU_ATTACH, &e), -1);
    assert_non_null(strstr(e.text, "shares IOMMU group"));
    held_by("0000:42:00.0", "nvme");
    gpu_life_free(l);
}

static void a_driver_that_takes_nothing_is_named(void **state) {
    struct gpu_life *l;
    struct err e;

    (void)state;
    fake_kernel_down(&kernel);
    fake_driver(sys, BDF, "nvidia");
    l = lease_it();
    assert_int_equal(gpu_life_act(l, GPU_ATTACH, &e), -1);
    assert_non_null(strstr(e.text, "held by nvidia"));
    gpu_life_free(l);
    fake_kernel_up(&kernel, sys, NULL);
}

/* NVIDIA's driver would wait for its user for ever. */
static void a_gpu_that_the_host_uses_is_left_alone(void **state) {
    struct gpu_life *l;
    struct err e;
    char why[GPU_CC_WHY];

    (void)state;
    fake_driver(sys, BDF, "nvidia");
    host_change(dir, "driver/nvidia/gpus/" BDF "/information = Device Minor: \t 3");
    host_change(dir, "417/fd/9 -> /dev/nvidia3");
    l = lease_it();
    assert_int_equal(gpu_life_act(l, GPU_ATTACH, &e), -1);
    assert_string_equal(e.code, "gpu-in-use");
    assert_non_null(strstr(e.text, "process 417"));
    held_by(BDF, "nvidia");
    gpu_life_free(l);
    assert_int_equal(gpu_life_standing(&at, BDF, why), GPU_STANDS_FREE);
}

/* --- leases --- */

/* Two providers, as processes: the lease of one that is killed ends with it. */
static void a_killed_holder_leaves_it_to_be_reset(void **state) {
    int ready[2];
    char why[GPU_CC_WHY], b;
    struct err e;
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        struct gpu_life *l = gpu_life_new(&at, BDF, NULL);

        (void)!write(ready[1], l && gpu_life_act(l, GPU_ATTACH, NULL) == 0 ? "y" : "n", 1);
        pause();
    }
    assert_int_equal(read(ready[0], &b, 1), 1);
    assert_int_equal(b, 'y');
    assert_int_equal(gpu_life_standing(&at, BDF, why), GPU_STANDS_LEASED);
    assert_null(gpu_life_new(&at, BDF, &e));
    assert_string_equal(e.code, "gpu-leased");
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(gpu_life_standing(&at, BDF, why), GPU_STANDS_LEFT);
    close(ready[0]);
    close(ready[1]);
}

/* QEMU that does not end when killed still has the node open. */
static void a_guest_that_holds_on_is_doubt(void **state) {
    struct gpu_life *l = lease_it();
    cleanup_free char *node = mem_fmt("/dev/vfio/devices/%s", l->gpu.cdev);
    cleanup_free char *line = mem_fmt("99/fd/11 -> %s", node);
    struct err e;

    (void)state;
    must(l, GPU_ATTACH);
    must(l, GPU_DETACH);
    host_change(dir, line);
    let_go_ms = 100;
    assert_int_equal(gpu_life_act(l, GPU_RESET, &e), -1);
    assert_non_null(strstr(e.text, "process 99 still has"));
    assert_int_equal(gpu_life_step(l), GPU_QUARANTINED);
    gpu_life_free(l);
}

static void quarantine_outlives_its_holder(void **state) {
    struct gpu_life *l = lease_it();
    char why[GPU_CC_WHY];
    struct err e;

    (void)state;
    gpu_life_doubt(l, "the guest\033[2J counted two");
    gpu_life_free(l);
    assert_null(gpu_life_new(&at, BDF, &e));
    assert_string_equal(e.code, "gpu-quarantined");
    assert_non_null(strstr(e.text, "counted two"));
    assert_non_null(strstr(e.text, "--clear-gpu " BDF));
    assert_null(strchr(e.text, 033));
    assert_int_equal(gpu_life_standing(&at, BDF, why), GPU_STANDS_QUARANTINED);
    assert_non_null(strstr(why, "counted two"));
}

/* The folder is a group's, and its files are anybody's of that group. */
static void a_reason_written_by_others_is_made_safe(void **state) {
    char why[GPU_CC_WHY];

    (void)state;
    host_change(dir, "lib/gpu/" BDF ".quarantine = fan\033[2J broken");
    assert_int_equal(gpu_life_standing(&at, BDF, why), GPU_STANDS_QUARANTINED);
    assert_null(strchr(why, 033));
    assert_non_null(strstr(why, "broken"));
}

static void an_operators_word_is_not_enough(void **state) {
    struct gpu_life *l = lease_it();
    char why[GPU_CC_WHY];
    struct err e;

    (void)state;
    gpu_life_doubt(l, "a test");
    assert_int_equal(gpu_life_clear(&at, BDF, &e), -1); /* leased */
    assert_string_equal(e.code, "gpu-leased");
    gpu_life_free(l);
    set_register(0);
    assert_int_equal(gpu_life_clear(&at, BDF, &e), -1);
    assert_int_equal(gpu_life_standing(&at, BDF, why), GPU_STANDS_QUARANTINED);
    assert_non_null(strstr(why, "is off"));
    set_register(1);
    assert_int_equal(gpu_life_clear(&at, BDF, &e), 0);
    assert_int_equal(gpu_life_standing(&at, BDF, why), GPU_STANDS_FREE);
    l = lease_it();
    must(l, GPU_ATTACH);
    gpu_life_free(l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_whole_life, start, stop),
        cmocka_unit_test_setup_teardown(other_orders_are_refused, start, stop),
        cmocka_unit_test_setup_teardown(one_holder_at_a_time, start, stop),
        cmocka_unit_test_setup_teardown(one_left_in_the_middle_has_to_be_reset, start, stop),
        cmocka_unit_test_setup_teardown(any_doubt_is_quarantine, start, stop),
        cmocka_unit_test_setup_teardown(quarantine_outlives_its_holder, start, stop),
        cmocka_unit_test_setup_teardown(each_chip_has_its_register, start, stop),
        cmocka_unit_test_setup_teardown(a_gpu_that_has_not_started_is_waited_for, start, stop),
        cmocka_unit_test_setup_teardown(registers_that_cannot_be_read_are_told_so, start, stop),
        cmocka_unit_test_setup_teardown(the_card_goes_and_comes_back_whole, start, stop),
        cmocka_unit_test_setup_teardown(what_the_operator_bound_stays, start, stop),
        cmocka_unit_test_setup_teardown(a_disk_in_its_group_is_never_taken, start, stop),
        cmocka_unit_test_setup_teardown(a_driver_that_takes_nothing_is_named, start, stop),
        cmocka_unit_test_setup_teardown(a_gpu_that_the_host_uses_is_left_alone, start, stop),
        cmocka_unit_test_setup_teardown(a_killed_holder_leaves_it_to_be_reset, start, stop),
        cmocka_unit_test_setup_teardown(a_guest_that_holds_on_is_doubt, start, stop),
        cmocka_unit_test_setup_teardown(a_reason_written_by_others_is_made_safe, start, stop),
        cmocka_unit_test_setup_teardown(an_operators_word_is_not_enough, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
