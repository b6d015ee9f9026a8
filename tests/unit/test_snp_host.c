/* What a host has to have for confidential guests: its processor against the vCPU type, rights on
 * device nodes, an image that fits. */
#include "provider/host_cpu.c"
#include "provider/snp_host.c"

#include "tests/unit/host.h"
#include "tests/unit/unit.h"

static void each_processor_runs_its_own_and_older(void **state) {
    static const struct {
        uint32_t family, model;
        const char *type, *words; /* NULL: it runs */
    } rows[] = {
        {25, 1, "EPYC-Milan", NULL},
        {25, 1, "EPYC", NULL},
        {25, 1, "EPYC-Genoa", "Milan generation"},
        {25, 17, "EPYC-Milan", NULL},
        {25, 17, "EPYC-Genoa", NULL},
        {25, 17, "EPYC-Turin", "set vcpu-type = EPYC-Genoa"},
        {25, 160, "EPYC-Genoa", NULL}, /* Bergamo, Siena */
        {26, 2, "EPYC-Turin", NULL},
        {26, 2, "EPYC-v4", NULL},
        {23, 49, "EPYC-Rome", "no SEV-SNP"},
        {25, 33, "EPYC-Milan", "no SEV-SNP"}, /* a desktop's */
        {25, 17, "Pentium", "not known"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct host_cpu c = {.amd = true, .family = rows[i].family, .model = rows[i].model};
        struct err e;
        int rc = host_cpu_runs(&c, rows[i].type, &e);

        if (!rows[i].words && rc < 0)
            fail_msg("%s", e.text);
        if (rows[i].words && (rc == 0 || !strstr(e.text, rows[i].words)))
            fail_msg("%u/%u %s: '%s'", rows[i].family, rows[i].model, rows[i].type,
                     rc ? e.text : "runs");
    }
}

static void a_processor_is_read_from_its_file(void **state) {
    char *dir = mem_str("/tmp/cdvm-test-cpu-XXXXXX");
    struct host_cpu c;
    struct err e;

    (void)state;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(host_cpu_read(dir, &c, &e), -1);
    assert_string_equal(e.code, "no-cpuinfo");
    host_change(dir, "cpuinfo = vendor_id\t: AuthenticAMD");
    host_change(dir, "cpuinfo + cpu family\t: 25");
    host_change(dir, "cpuinfo + model\t\t: 17");
    host_change(dir, "cpuinfo + model name\t: AMD EPYC 9354 32-Core Processor");
    host_change(dir, "cpuinfo + model\t\t: 99");
    assert_int_equal(host_cpu_read(dir, &c, &e), 0);
    assert_true(c.amd);
    assert_int_equal(c.family, 25);
    assert_int_equal(c.model, 17);
    assert_string_equal(c.name, "AMD EPYC 9354 32-Core Processor");
    assert_string_equal(host_cpu_product(&c), "Genoa");
    host_change(dir, "cpuinfo = vendor_id\t: GenuineIntel");
    host_change(dir, "cpuinfo + cpu family\t: 25");
    host_change(dir, "cpuinfo + model\t\t: 17");
    assert_int_equal(host_cpu_read(dir, &c, &e), 0);
    assert_null(host_cpu_product(&c));
    assert_int_equal(host_cpu_runs(&c, "EPYC-Genoa", &e), -1);
    host_change(dir, "cpuinfo = model\t\t: many");
    assert_int_equal(host_cpu_read(dir, &c, &e), -1);
    host_remove(dir);
}

static void rights_are_the_nodes_own(void **state) {
    static const struct {
        mode_t mode;
        enum device_right right;
    } rows[] = {
        {0600, DEVICE_OWNER}, {0640, DEVICE_OWNER}, {0660, DEVICE_GROUP}, {0666, DEVICE_ALL}};
    char path[] = "/tmp/cdvm-test-node-XXXXXX", why[DEVICE_WHY];
    int fd = mkstemp(path);
    gid_t group;

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    if (geteuid() == 0)
        assert_int_equal(chown(path, 0, 65534), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(chmod(path, rows[i].mode), 0);
        assert_int_equal(device_right(path, &group), rows[i].right);
        assert_int_equal(group != 0, rows[i].right == DEVICE_GROUP);
        if (geteuid() == 0)
            assert_int_equal(device_for_guest(path, why), rows[i].right != DEVICE_OWNER);
    }
    if (geteuid() == 0) { /* root's own group is no group for a guest */
        assert_int_equal(chown(path, 0, 0), 0);
        assert_int_equal(chmod(path, 0660), 0);
        assert_int_equal(device_right(path, &group), DEVICE_OWNER);
        assert_false(device_for_guest(path, why));
        assert_non_null(strstr(why, "for root alone"));
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(device_right(path, &group), DEVICE_ABSENT);
    assert_false(device_opens(path, why));
    assert_non_null(strstr(why, "this machine has no"));
}

static void an_image_that_does_not_fit_is_named(void **state) {
    static char genoa[] = "EPYC-Genoa", *types[] = {genoa};
    struct release r = {.vcpu_types = types, .n_vcpu_types = 1};
    struct image m = {.release = &r};
    struct err e;

    (void)state;
    assert_int_equal(snp_image_fits(&m, "EPYC-Genoa", false, &e), -1);
    assert_non_null(strstr(e.text, "AmdSev"));
    m.ovmf.hashes_gpa = 0x810c00;
    assert_int_equal(snp_image_fits(&m, "EPYC-Genoa", false, &e), 0);
    assert_int_equal(snp_image_fits(&m, "EPYC-Milan", false, &e), -1);
    assert_non_null(strstr(e.text, "EPYC-Milan"));
    assert_int_equal(snp_image_fits(&m, "EPYC-Genoa", true, &e), -1);
    assert_non_null(strstr(e.text, "GPU's driver"));
    r.has_base = true;
    assert_int_equal(snp_image_fits(&m, "EPYC-Genoa", true, &e), 0);
}

/* Either the limit can be had, or the sentence says what to set. */
static void locked_memory_is_had_or_told(void **state) {
    const struct snp_want small = {.memory_mib = 0}, vast = {.memory_mib = UINT32_MAX};
    struct snp_host h;
    struct rlimit l;
    struct err e;

    (void)state;
    assert_true(memlock_of(1) >= (uint64_t)sysconf(_SC_PHYS_PAGES));
    assert_true(memlock_of(UINT64_MAX) == UINT64_MAX);
    if (need_memlock(&small, &h, &e) == 0) {
        assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &l), 0);
        assert_true(l.rlim_max >= LOCK_SLACK);
        assert_true(h.memlock >= LOCK_SLACK);
    } else {
        assert_string_equal(e.code, "memlock");
        assert_non_null(strstr(e.text, "LimitMEMLOCK"));
    }
    if (need_memlock(&vast, &h, &e) < 0)
        assert_string_equal(e.code, "memlock");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_processor_runs_its_own_and_older),
        cmocka_unit_test(a_processor_is_read_from_its_file),
        cmocka_unit_test(rights_are_the_nodes_own),
        cmocka_unit_test(an_image_that_does_not_fit_is_named),
        cmocka_unit_test(locked_memory_is_had_or_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
