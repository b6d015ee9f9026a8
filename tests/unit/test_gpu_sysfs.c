/* Hosts described as trees under tests/hosts, and the whole argument vector for each; a QEMU asked
 * what it can do. `UPDATE_HOSTS=1` writes the golden files anew. */
#include "provider/gpu_sysfs.c"
#include "provider/vm_argv.c"
#include "provider/vm_argv_snp.c"

#include "tests/unit/host.h"
#include "tests/unit/unit.h"

static struct vm_spec spec_of(const struct vm_snp *snp, const char *cpu) {
    return (struct vm_spec){.qemu = "/usr/bin/qemu-system-x86_64",
                            .accel = VM_KVM,
                            .cpu = cpu,
                            .vcpus = 4,
                            .memory_mib = 65536,
                            .append = "console=null cdvm.work=x",
                            .disk = {{"work", 9}, {"model", 10}},
                            .n_disks = 2,
                            .snp = snp};
}

/* What `cdvm provider --print-argv` has to print on that host: a line a word, or the refusal. */
static void describe(const char *sys, const char *bdf, const char *cpu, unsigned reduced,
                     struct buf *out) {
    struct gpu g;
    struct vm_snp snp = {.cbitpos = 51, .reduced_phys_bits = reduced, .policy = 0x30000};
    struct vm_spec s = spec_of(&snp, cpu);
    struct vm_argv a;
    struct err e;

    if (bdf) /* its driver comes with the release */
        s.disk[s.n_disks++] = (struct vm_disk){"base", 11};
    if (bdf && gpu_find(sys, bdf, &g, &e) == 0)
        snp.gpu = &g;
    if ((bdf && !snp.gpu) || vm_argv(&s, &a, &e) < 0) {
        buf_fmt(out, "%s: %s\n", e.code, e.text);
        return;
    }
    for (size_t i = 0; i < a.n; i++)
        buf_fmt(out, "%s\n", a.v[i]);
    vm_argv_free(&a);
}

static void must_be_golden(const char *name, struct view got) {
    cleanup_free char *path = mem_fmt("tests/hosts/%s.argv", name);
    cleanup_buf struct buf want = {0};
    struct err e;

    if (getenv("UPDATE_HOSTS"))
        assert_int_equal(file_write(path, got, 0644, true, &e), 0);
    assert_int_equal(file_read(path, 65536, &want, &e), 0);
    assert_string_equal((const char *)got.p, (const char *)want.p);
}

static void each_host_gives_its_golden_line(void **state) {
    static const struct {
        const char *host, *bdf, *cpu;
        unsigned reduced;
    } rows[] = {
        {"snp-no-gpu", NULL, "EPYC-Genoa", 6},
        {"one-h100", "0000:41:00.0", "EPYC-Genoa", 6},
        {"two-h100", "0000:61:00.0", "EPYC-Genoa", 6},
        {"h200", "0000:41:00.0", "EPYC-Turin", 6},
        {"shared-group", "0000:41:00.0", "EPYC-Genoa", 6},
        {"milan", "0000:41:00.0", "EPYC-Milan", 5},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *sys = host_make(rows[i].host);
        cleanup_buf struct buf got = {0};

        describe(sys, rows[i].bdf, rows[i].cpu, rows[i].reduced, &got);
        must_be_golden(rows[i].host, buf_view(&got));
        host_remove(sys);
    }
}

static void the_inventory_is_what_the_tree_says(void **state) {
    char *sys = host_make("two-h100");
    struct gpu g[GPUS_MAX];
    struct err e;
    size_t n;

    (void)state;
    assert_int_equal(gpu_list(sys, g, GPUS_MAX, &n, &e), 0);
    assert_int_equal(n, 2); /* the network card is none */
    assert_string_equal(g[0].bdf, "0000:41:00.0");
    assert_string_equal(g[1].bdf, "0000:61:00.0");
    assert_int_equal(g[0].device, 0x2331);
    assert_int_equal(g[0].group, 30);
    assert_string_equal(g[1].cdev, "vfio1");
    assert_string_equal(g[1].driver, "vfio-pci");
    assert_int_equal(g[0].bar[0].size, 16 << 20);
    assert_true(g[0].bar[2].size == (uint64_t)128 << 30);
    assert_true(gpu_window64(&g[0]) == ((uint64_t)128 << 30) + (48 << 20));
    assert_int_equal(gpu_window32(&g[0]), 0);
    assert_int_equal(gpu_aperture_mib(&g[0]), 524288);
    assert_int_equal(gpu_list(sys, g, 1, &n, &e), -1);
    assert_int_equal(gpu_find(sys, "0000:99:00.0", g, &e), -1);
    assert_string_equal(e.code, "no-gpu");
    assert_non_null(strstr(e.text, "0000:41:00.0, 0000:61:00.0"));
    assert_int_equal(gpu_list("/nonexistent", g, GPUS_MAX, &n, &e), 0);
    assert_int_equal(n, 0);
    host_remove(sys);
}

/* A virtual function that goes while the list is read, a group beyond all measure. */
static void what_others_are_is_no_matter(void **state) {
    char *sys = host_make("two-h100");
    struct gpu g, all[GPUS_MAX];
    struct err e;
    size_t n;

    (void)state;
    host_change(sys, "bus/pci/devices/0000:61:00.0/class = word");
    assert_int_equal(gpu_list(sys, all, GPUS_MAX, &n, &e), -1);
    if (gpu_find(sys, "0000:41:00.0", &g, &e) < 0)
        fail_msg("%s", e.text);
    assert_string_equal(g.bdf, "0000:41:00.0");
    assert_int_equal(gpu_find(sys, "0000:61:00.0", &g, &e), -1);
    assert_string_equal(e.code, "bad-sysfs");
    host_remove(sys);
}

/* One change in a good tree, and the words of the refusal. */
static void what_is_missing_is_named(void **state) {
    static const struct {
        const char *line, *code, *words;
    } rows[] = {
        {"bus/pci/devices/0000:41:00.0/driver -> ../../drivers/nvidia", "gpu-unfit",
         "held by nvidia"},
        {"bus/pci/devices/0000:41:00.0/driver -", "gpu-unfit", "held by no driver"},
        {"bus/pci/devices/0000:41:00.0/iommu_group -", "gpu-unfit", "behind no IOMMU"},
        {"bus/pci/devices/0000:41:00.0/vfio-dev/vfio0/dev -", "gpu-unfit", "no vfio-dev"},
        {"bus/pci/devices/0000:41:00.0/resource = 0x0 0x0 0x0", "bad-sysfs", "line 2 of"},
        {"bus/pci/devices/0000:41:00.0/resource = 0x2 0x1 0x0", "bad-sysfs", "line 1 of"},
        {"bus/pci/devices/0000:41:00.0/vendor = word", "bad-sysfs", "hexadecimal"},
        {"bus/pci/devices/0000:41:00.0/class = 0x1030200", "bad-sysfs", "hexadecimal"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *sys = host_make("one-h100");
        struct gpu g;
        struct err e = {0};

        host_change(sys, rows[i].line);
        assert_true(gpu_find(sys, "0000:41:00.0", &g, &e) < 0 || gpu_fit(&g, &e) < 0);
        assert_string_equal(e.code, rows[i].code);
        if (!strstr(e.text, rows[i].words))
            fail_msg("'%s' does not say '%s'", e.text, rows[i].words);
        host_remove(sys);
    }
}

static void addresses_have_one_form(void **state) {
    static const char *const bad[] = {"",
                                      "0000:41:00",
                                      "0000:41:00.8",
                                      "0000:41:00.0 ",
                                      "000:041:00.0",
                                      "0000:4G:00.0",
                                      "0000:4A:00.0",
                                      "0000:41:00.0,x=y",
                                      "../../../../etc"};

    (void)state;
    assert_true(bdf_ok("0000:41:00.0"));
    assert_true(bdf_ok("ffff:ff:1f.7"));
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(bdf_ok(bad[i]));
}

static void a_policy_with_debugging_is_refused(void **state) {
    struct vm_snp good = {.cbitpos = 51, .reduced_phys_bits = 1, .policy = 0x30000}, p;
    struct vm_spec s = spec_of(&p, "EPYC-Genoa");
    struct vm_argv a;
    struct err e;

    (void)state;
    p = good;
    assert_int_equal(vm_argv(&s, &a, &e), 0);
    for (size_t i = 0; i < a.n; i++) { /* what customers expect to be zero is not even named */
        assert_null(strstr(a.v[i], "host-data"));
        assert_null(strstr(a.v[i], "id-block"));
        assert_null(strstr(a.v[i], "id-auth"));
    }
    vm_argv_free(&a);
    p.policy = 0xb0000;
    assert_int_equal(vm_argv(&s, &a, &e), -1);
    p.policy = 0x10000;
    assert_int_equal(vm_argv(&s, &a, &e), -1);
    p = good;
    p.cbitpos = 0;
    assert_int_equal(vm_argv(&s, &a, &e), -1);
    p = good;
    s.accel = VM_TCG;
    assert_int_equal(vm_argv(&s, &a, &e), -1);
    assert_string_equal(e.code, "bad-vm");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_host_gives_its_golden_line),
        cmocka_unit_test(the_inventory_is_what_the_tree_says),
        cmocka_unit_test(what_others_are_is_no_matter),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(addresses_have_one_form),
        cmocka_unit_test(a_policy_with_debugging_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
