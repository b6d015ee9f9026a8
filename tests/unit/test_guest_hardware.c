#include "guest/hardware.c"
#include "tests/unit/unit.h"

#include <unistd.h>

/* A made-up sysfs in a folder of its own. */
struct machine {
    char dir[64];
};

static void write_text(const char *path, const char *text) {
    assert_int_equal(file_write(path, view_str(text), 0600, true, NULL), 0);
}

static void add_folder(const struct machine *m, const char *rel) {
    cleanup_free char *cmd = mem_fmt("%s/%s", m->dir, rel);

    for (char *s = cmd + strlen(m->dir) + 1; (s = strchr(s, '/')); *s++ = '/') {
        *s = '\0';
        mkdir(cmd, 0700);
    }
    mkdir(cmd, 0700);
}

static void add_pci(const struct machine *m, const char *slot, const char *vendor,
                    const char *device, const char *class) {
    const char *const names[] = {"vendor", "device", "class"};
    const char *const values[] = {vendor, device, class};
    cleanup_free char *rel = mem_fmt("bus/pci/devices/%s", slot);

    add_folder(m, rel);
    for (size_t i = 0; i < COUNT(names); i++) {
        cleanup_free char *path = mem_fmt("%s/%s/%s", m->dir, rel, names[i]);

        write_text(path, values[i]);
    }
}

/* What QEMU's q35 shows the guest with the product's own arguments. */
static void usual(struct machine *m) {
    snprintf(m->dir, sizeof m->dir, "/tmp/cdvm-hw-XXXXXX");
    assert_non_null(mkdtemp(m->dir));
    add_folder(m, "class/net/lo");
    add_pci(m, "0000:00:00.0", "0x8086\n", "0x29c0\n", "0x060000\n");
    add_pci(m, "0000:00:1f.0", "0x8086\n", "0x2918\n", "0x060100\n");
    add_pci(m, "0000:00:01.0", "0x1af4\n", "0x1043\n", "0x078000\n");
    add_pci(m, "0000:00:02.0", "0x1af4\n", "0x1042\n", "0x010000\n");
}

static void gone(const struct machine *m) {
    cleanup_free char *cmd = mem_fmt("%s", m->dir);

    if (fork() == 0) {
        execlp("rm", "rm", "-rf", "--", cmd, (char *)NULL);
        _exit(127);
    }
}

static bool base; /* the command line names one */

static void must_refuse(const struct machine *m, const char *about) {
    struct err e = {0};
    unsigned gpus;

    assert_int_equal(hardware_check(m->dir, base, &gpus, &e), -1);
    assert_string_equal(e.code, "bad-hardware");
    if (!strstr(e.text, about))
        fail_msg("'%s' does not name %s", e.text, about);
    gone(m);
}

static void the_usual_machine_passes(void **state) {
    struct machine m;
    struct err e = {0};
    unsigned gpus = 9;

    (void)state;
    usual(&m);
    if (hardware_check(m.dir, false, &gpus, &e))
        fail_msg("%s", e.text);
    assert_int_equal(gpus, 0);
    add_pci(&m, "0000:00:03.0", "0x1af4\n", "0x1001\n", "0x010000\n"); /* the model's disk */
    assert_int_equal(hardware_check(m.dir, false, &gpus, &e), 0);
    assert_int_equal(hardware_check(m.dir, true, &gpus, &e), 0);
    gone(&m);
}

/* As the product's own line shows them: each behind a root port, with the base volume's disk. */
static void add_gpu_machine(struct machine *m) {
    usual(m);
    add_pci(m, "0000:00:03.0", "0x1af4\n", "0x1042\n", "0x010000\n");
    add_pci(m, "0000:00:04.0", "0x1af4\n", "0x1042\n", "0x010000\n");
    add_pci(m, "0000:00:05.0", "0x1b36\n", "0x000c\n", "0x060400\n");
    add_pci(m, "0000:01:00.0", "0x10de\n", "0x2331\n", "0x030200\n");
}

static void gpus_are_counted_where_there_is_a_base(void **state) {
    struct machine m;
    struct err e = {0};
    unsigned gpus;

    (void)state;
    add_gpu_machine(&m);
    assert_int_equal(hardware_check(m.dir, false, &gpus, &e), -1);
    if (hardware_check(m.dir, true, &gpus, &e))
        fail_msg("%s", e.text);
    assert_int_equal(gpus, 1);
    add_pci(&m, "0000:02:00.0", "0x10de\n", "0x2bb1\n", "0x030000\n"); /* one that shows VGA */
    assert_int_equal(hardware_check(m.dir, true, &gpus, &e), 0);
    assert_int_equal(gpus, 2);
    gone(&m);
}

static void beside_gpus_the_list_stays_closed(void **state) {
    static const char *const bad[][4] = {
        {"0x10de\n", "0x22a3\n", "0x068000\n", "10de:22a3"}, /* an NVSwitch */
        {"0x10de\n", "0x22e8\n", "0x040300\n", "10de:22e8"}, /* a GPU's sound function */
        {"0x1002\n", "0x74a1\n", "0x030200\n", "1002:74a1"}, /* a GPU of somebody else's */
        {"0x1234\n", "0x1111\n", "0x030000\n", "1234:1111"},
        {"0x1af4\n", "0x1041\n", "0x020000\n", "1af4:1041"},
        {"0x1af4\n", "0x1042\n", "0x010000\n", "virtio-blk"}, /* a fourth disk */
    };

    (void)state;
    base = true;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct machine m;

        add_gpu_machine(&m);
        add_pci(&m, "0000:00:07.0", bad[i][0], bad[i][1], bad[i][2]);
        must_refuse(&m, bad[i][3]);
    }
    base = false;
}

static void a_network_interface_is_refused(void **state) {
    struct machine m;

    (void)state;
    usual(&m);
    add_folder(&m, "class/net/eth0");
    must_refuse(&m, "eth0");
}

static void devices_outside_the_list_are_refused(void **state) {
    static const char *const bad[][4] = {
        {"0x1af4\n", "0x1000\n", "0x020000\n", "1af4:1000"}, /* virtio-net */
        {"0x1af4\n", "0x1041\n", "0x020000\n", "1af4:1041"}, /* the same, modern */
        {"0x10de\n", "0x2331\n", "0x030200\n", "10de:2331"}, /* a GPU that nobody accounts for */
        {"0x1234\n", "0x1111\n", "0x030000\n", "1234:1111"}, /* stdvga */
        {"0x8086\n", "0x2922\n", "0x010601\n", "8086:2922"}, /* AHCI */
        {"0x1af4\n", "0x1042\n", "0x020000\n", "1af4:1042"}, /* a disk's number, a NIC's class */
        {"0x1af4\n", "0x1044\n", "0x00ff00\n", "1af4:1044"}, /* virtio-rng */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct machine m;

        usual(&m);
        add_pci(&m, "0000:00:05.0", bad[i][0], bad[i][1], bad[i][2]);
        must_refuse(&m, bad[i][3]);
    }
}

static void more_of_a_kind_than_allowed_is_refused(void **state) {
    struct machine m;

    (void)state;
    usual(&m);
    add_pci(&m, "0000:00:06.0", "0x1af4\n", "0x1003\n", "0x078000\n");
    must_refuse(&m, "virtio-serial");
    usual(&m);
    add_pci(&m, "0000:00:06.0", "0x1af4\n", "0x1042\n", "0x010000\n");
    add_pci(&m, "0000:00:07.0", "0x1af4\n", "0x1001\n", "0x010000\n");
    must_refuse(&m, "virtio-blk");
}

static void unreadable_identity_is_refused(void **state) {
    struct machine m;

    (void)state;
    usual(&m);
    add_pci(&m, "0000:00:08.0", "0x1af4\n", "virtio\n", "0x078000\n");
    must_refuse(&m, "0000:00:08.0");
}

static void without_the_channel_nothing_works(void **state) {
    struct machine m;

    (void)state;
    snprintf(m.dir, sizeof m.dir, "/tmp/cdvm-hw-XXXXXX");
    assert_non_null(mkdtemp(m.dir));
    add_folder(&m, "class/net/lo");
    add_folder(&m, "bus/pci/devices");
    must_refuse(&m, "channel");
}

static void a_missing_sysfs_is_no_pass(void **state) {
    struct err e;
    unsigned gpus;

    (void)state;
    assert_int_equal(hardware_check("/nonexistent", false, &gpus, &e), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_usual_machine_passes),
        cmocka_unit_test(gpus_are_counted_where_there_is_a_base),
        cmocka_unit_test(beside_gpus_the_list_stays_closed),
        cmocka_unit_test(a_network_interface_is_refused),
        cmocka_unit_test(devices_outside_the_list_are_refused),
        cmocka_unit_test(more_of_a_kind_than_allowed_is_refused),
        cmocka_unit_test(unreadable_identity_is_refused),
        cmocka_unit_test(without_the_channel_nothing_works),
        cmocka_unit_test(a_missing_sysfs_is_no_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
