/* The order of a GPU's life, its lease, its quarantine, on trees under tests/hosts. */
#include "provider/gpu_life.c"

#include "tests/unit/host.h"
#include "tests/unit/unit.h"

#define BDF "0000:41:00.0"
#define AT "bus/pci/devices/" BDF "/"

static char *sys, *dir;

/* BAR 0 as large as it has to be, with the CC register in it. */
static void set_register(uint32_t v) {
    cleanup_free char *path = mem_fmt("%s/" AT "resource0", sys);
    cleanup_fd int fd = open(path, O_RDWR | O_CREAT, 0600);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, 2 << 20), 0);
    assert_int_equal(pwrite(fd, &v, 4, 0x1182cc), 4);
}

static int start(void **state) {
    (void)state;
    sys = host_make("two-h100");
    dir = mem_str("/tmp/cdvm-test-life-XXXXXX");
    assert_non_null(mkdtemp(dir));
    host_change(sys, AT "reset_method = flr bus");
    host_change(sys, AT "reset = 0");
    host_change(sys, "bus/pci/drivers_probe = x");
    set_register(1);
    return 0;
}

static int stop(void **state) {
    (void)state;
    host_remove(sys);
    host_remove(dir);
    return 0;
}

static struct gpu_life *lease(void) {
    struct err e;
    struct gpu_life *l = gpu_life_new(sys, dir, BDF, &e);

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
    struct gpu_life *l = lease();

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
    struct gpu_life *l = lease();
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
    struct gpu_life *l = lease(), *other;
    struct err e;

    (void)state;
    assert_null(gpu_life_new(sys, dir, BDF, &e));
    assert_string_equal(e.code, "gpu-leased");
    other = gpu_life_new(sys, dir, "0000:61:00.0", &e); /* the second H100 is free */
    assert_non_null(other);
    gpu_life_free(other);
    gpu_life_free(l);
    gpu_life_free(lease());
}

static void one_left_in_the_middle_has_to_be_reset(void **state) {
    struct gpu_life *l = lease();
    struct err e;

    (void)state;
    must(l, GPU_ATTACH);
    must(l, GPU_ATTEST);
    gpu_life_free(l);
    l = lease();
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
        {NULL, 2, "not known"},
        {NULL, UINT32_MAX, "not known"},
        {AT "device = 0x2901", 1, "not known"},
        {AT "reset -", 1, "cannot write '1'"},
        {AT "vendor = 0xffff", 1, "is not an NVIDIA GPU"},
        {AT "driver -> ../../drivers/nvidia", 1, "held by nvidia"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct gpu_life *l = lease();
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

/* The tree's kernel rebinds nothing, so that it ends in quarantine; what was written counts. */
static void only_the_gpu_itself_is_taken_from_its_driver(void **state) {
    static const struct {
        const char *file, *want;
    } rows[] = {{AT "driver_override", "vfio-pci"},
                {"bus/pci/drivers/nvidia/unbind", BDF},
                {"bus/pci/drivers_probe", BDF}};
    struct gpu_life *l;
    struct err e;

    (void)state;
    host_change(sys, AT "driver_override = (null)");
    host_change(sys, AT "driver -> ../../drivers/nvidia");
    host_change(sys, "bus/pci/drivers/nvidia/unbind = x");
    l = lease();
    assert_int_equal(gpu_life_act(l, GPU_ATTACH, &e), -1);
    assert_non_null(strstr(e.text, "held by nvidia"));
    for (size_t i = 0; i < COUNT(rows); i++) {
        cleanup_free char *path = mem_fmt("%s/%s", sys, rows[i].file);
        cleanup_buf struct buf b = {0};

        assert_int_equal(file_read(path, 100, &b, &e), 0);
        assert_memory_equal(b.p, rows[i].want, strlen(rows[i].want));
    }
    gpu_life_free(l);
}

static void quarantine_outlives_its_holder(void **state) {
    cleanup_free char *file = mem_fmt("%s/" BDF ".quarantine", dir);
    struct gpu_life *l = lease();
    struct err e;

    (void)state;
    gpu_life_doubt(l, "the guest\033[2J counted two");
    gpu_life_free(l);
    assert_null(gpu_life_new(sys, dir, BDF, &e));
    assert_string_equal(e.code, "gpu-quarantined");
    assert_non_null(strstr(e.text, "counted two"));
    assert_null(strchr(e.text, 033));
    assert_int_equal(unlink(file), 0);
    l = lease();
    assert_int_equal(gpu_life_step(l), GPU_DETACHED); /* an operator's word does not reset it */
    gpu_life_free(l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_whole_life, start, stop),
        cmocka_unit_test_setup_teardown(other_orders_are_refused, start, stop),
        cmocka_unit_test_setup_teardown(one_holder_at_a_time, start, stop),
        cmocka_unit_test_setup_teardown(one_left_in_the_middle_has_to_be_reset, start, stop),
        cmocka_unit_test_setup_teardown(any_doubt_is_quarantine, start, stop),
        cmocka_unit_test_setup_teardown(only_the_gpu_itself_is_taken_from_its_driver, start, stop),
        cmocka_unit_test_setup_teardown(quarantine_outlives_its_holder, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
