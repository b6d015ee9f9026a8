/* What the doctor says of nine hosts described under tests/hosts/doctor, as text and as JSON; its
 * rules; the provider's gate. `UPDATE_HOSTS=1` writes the golden files anew. */
#include "provider/doctor.c"

#include "core/json.h"
#include "core/text.h"
#include "tests/unit/host.h"
#include "tests/unit/unit.h"

static struct provider_conf conf;

static int start(void **state) {
    (void)state;
    provider_conf_defaults(&conf);
    return 0;
}

static int stop(void **state) {
    (void)state;
    provider_conf_free(&conf);
    return 0;
}

static struct host *host_of(const char *root) {
    const struct host_opts o = {.conf = &conf, .root = root};
    struct err e;
    struct host *h = host_new(&o, &e);

    if (!h)
        fail_msg("%s", e.text);
    return h;
}

static void must_be_golden(const char *name, const char *ending, struct view got) {
    cleanup_free char *path = mem_fmt("tests/hosts/doctor/%s.%s", name, ending);
    cleanup_buf struct buf want = {0};
    struct err e;

    if (getenv("UPDATE_HOSTS"))
        assert_int_equal(file_write(path, got, 0644, true, &e), 0);
    assert_int_equal(file_read(path, 65536, &want, &e), 0);
    assert_string_equal((const char *)got.p, (const char *)want.p);
}

static void must_fit(const char *text) {
    for (const char *s = text; *s; s += strcspn(s, "\n") + 1)
        if (text_width(view_of(s, strcspn(s, "\n"))) > 80)
            fail_msg("over 80 columns: %.*s", (int)strcspn(s, "\n"), s);
}

static void each_host_is_described(void **state) {
    static const struct {
        const char *host;
        int exit;
        const char *missing; /* the first one of what is missing */
    } rows[] = {
        {"genoa-h100", 0, NULL},     {"milan", 1, "cpu.product"},   {"sev-es", 1, "cpu.product"},
        {"no-iommu", 1, "iommu.on"}, {"gpu-no-cc", 2, "gpu.cc"},    {"devtools", 2, "gpu.cc"},
        {"old-qemu", 1, "qemu.snp"}, {"nothing", 1, "cpu.product"}, {"one-of-two", 0, "gpu.free"}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        cleanup_free char *name = mem_fmt("doctor/%s", rows[i].host);
        char *root = host_make(name);
        struct host *h = host_of(root);
        struct doctor d = doctor_examine(h);
        cleanup_buf struct buf text = {0}, json = {0};
        cJSON *parsed;
        const char *first = NULL;

        doctor_text(&d, h, false, &text);
        doctor_json(&d, h, &json);
        must_be_golden(rows[i].host, "txt", buf_view(&text));
        must_be_golden(rows[i].host, "json", buf_view(&json));
        must_fit((const char *)text.p);
        parsed = json_parse(view_of(json.p, json.n - 1), 65536, NULL);
        assert_non_null(parsed);
        cJSON_Delete(parsed);
        assert_int_equal(doctor_exit(&d, h), rows[i].exit);
        for (size_t n = d.n; n--;)
            if (d.line[n].check->level != DOCTOR_ADVICE && d.line[n].state == DOCTOR_MISSING)
                first = d.line[n].check->id;
        if (rows[i].missing)
            assert_string_equal(first, rows[i].missing);
        else
            assert_null(first);
        doctor_free(&d);
        host_free(h);
        host_remove(root);
    }
}

/* --- one change in the good host, and the lines that tell of it --- */

static const struct doctor_line *line_of(const struct doctor *d, const char *id) {
    for (size_t i = 0; i < d->n; i++)
        if (!strcmp(d->line[i].check->id, id))
            return &d->line[i];
    fail_msg("no line %s", id);
    return NULL;
}

#define STATUS(head, build, masks, tcbs) "answers ~ sev-status = " head build masks "00000000" tcbs
#define GOOD_TCB "0a00000000001b54"

static void each_requirement_fails_alone(void **state) {
    static const struct {
        const char *change, *id, *words;
    } rows[] = {
        {"proc/sys/kernel/osrelease = 6.10.2", "kernel.version", "6.10.2"},
        {"proc/sys/kernel/osrelease = 5.19.0", "kernel.version", "5.19.0"},
        {"proc/sys/kernel/osrelease = 6.11.4", "gpu.kernel", "6.11.4"},
        {"boot/config-6.12.48+deb13-amd64 = CONFIG_KVM=m", "kernel.config", "KVM_AMD_SEV"},
        {"boot/config-6.12.48+deb13-amd64 = CONFIG_IOMMUFD=m", "gpu.config", "VFIO_DEVICE_CDEV"},
        {"proc/cmdline = quiet iommu=pt", "iommu.mode", "iommu=pt"},
        {"boot/config-6.12.48+deb13-amd64 + CONFIG_IOMMU_DEFAULT_PASSTHROUGH=y", "iommu.mode",
         "by default"},
        {"sys/class/iommu/ivhd0 -", "iommu.on", "no AMD IOMMU"},
        {"sys/module/kvm_amd/parameters/sev = N", "kvm.sev", "sev is N"},
        {"sys/module/kvm_amd/parameters/sev_es = 0", "kvm.es", "sev_es is 0"},
        {"sys/module/kvm_amd/parameters/sev_snp -", "kvm.snp", "does not know"},
        {"dev/sev -", "sev.device", "no /dev/sev"},
        {"dev/iommu -", "gpu.modules", "no /dev/iommu"},
        {"sys/bus/pci/drivers/vfio-pci/new_id -", "gpu.modules", "vfio-pci is not loaded"},
        {"sys/bus/pci/devices/0000:41:00.0/vfio-dev/vfio0/dev -", "gpu.bound", "without vfio-dev"},
        {"sys/devices/system/cpu/smt/active = 1", "cpu.smt", "on"},
        {"proc/meminfo ~ MemTotal: 524288 kB", "host.memory", "512 MiB"},
        {"proc/meminfo ~ Hugetlb: 4194304 kB", "host.hugepages", "4096 MiB"},
        {"sys/kernel/mm/transparent_hugepage/shmem_enabled = always [never]", "host.hugepages",
         "[never]"},
        {"collateral/Genoa-0123-000a001b54.vcek -", "collateral.amd", "not in the cache"},
        {"collateral/gpu/rim/NV_GPU_DRIVER_GH100_550.90.07.xml -", "collateral.nvidia",
         "not in the cache"},
        {"answers ~ image = absent", "image.built", "not said"},
        {"sys/bus/pci/devices/0000:41:00.0/iommu_group -", "gpu.group", "no IOMMU"},
        {"0000:41:00.0.quarantine = it did not come back", "gpu.free", "it did not come back"},
        {"cpuid + 8000001f 0101fd3f 000041b3 000003ee 00000001", "cpu.asids", "0 guests"},
        {"cpuid + 8000001f 0101fd2f 000041b3 000003ee 00000064", "cpu.snp", "bit 4"},
        {STATUS("01370001", "31000000", "68000000", GOOD_TCB GOOD_TCB), "sev.ready",
         "not initialised"},
        {STATUS("01370102", "31000000", "68000000", GOOD_TCB GOOD_TCB), "sev.rmp", "RMP"},
        {STATUS("01370101", "25000000", "68000000", GOOD_TCB GOOD_TCB), "sev.alias",
         "1.55.38 is the first"},
        {STATUS("01370101", "31000000", "68000000", GOOD_TCB GOOD_TCB), "sev.alias",
         "free of aliases"},
        {STATUS("01370103", "31000000", "69000000", GOOD_TCB GOOD_TCB), "sev.chip-id", "hidden"},
        {STATUS("01370103", "31000000", "6a000000", GOOD_TCB GOOD_TCB), "sev.chip-id", "unsigned"},
        {STATUS("01370103", "31000000", "68000000", "0a00000000001653" GOOD_TCB), "sev.tcb",
         "at least"},
        {STATUS("01370103", "31000000", "68000000", GOOD_TCB "0a00000000001653"), "sev.tcb",
         "told to report"},
        {STATUS("01370103", "31000000", "28000000", GOOD_TCB GOOD_TCB), "sev.hiding", "off"},
        {"answers ~ qemu = 10.0.2 snp hashes iommufd vfio sev", "gpu.qemu", "ram-block"},
        {"answers ~ qemu = 9.0.0 snp sev", "qemu.snp", "kernel-hashes"},
        {"answers ~ kvm = hangs", "kvm.runs", "opens, but"},
        {"answers ~ image = no-hashes", "image.firmware", "lacks"},
        {"answers ~ clock = loose", "host.clock", "unsynchronised"},
        {"answers ~ disk-mib = 3", "host.disk", "3 MiB"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *root = host_make("doctor/genoa-h100");
        struct host *h;
        struct doctor d;
        const struct doctor_line *l;

        host_change(root, rows[i].change);
        h = host_of(root);
        d = doctor_examine(h);
        l = line_of(&d, rows[i].id);
        if (l->state != DOCTOR_MISSING || !strstr(l->found, rows[i].words))
            fail_msg("%s: %s is %s: %s", rows[i].change, rows[i].id, doctor_state_name(l->state),
                     l->found);
        if (l->check->level == DOCTOR_CPU)
            assert_int_equal(doctor_exit(&d, h), 1);
        else if (l->check->level == DOCTOR_GPU)
            assert_true(doctor_exit(&d, h) > 0);
        else
            assert_int_equal(doctor_exit(&d, h), 0);
        doctor_free(&d);
        host_free(h);
        host_remove(root);
    }
}

/* In the GPU's IOMMU group: what is of its own card goes along with it. */
static void only_another_card_is_in_the_way(void **state) {
    static const struct {
        const char *bdf;
        enum doctor_state want;
    } rows[] = {{"0000:41:00.1", DOCTOR_OK}, {"0000:42:00.1", DOCTOR_MISSING}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        cleanup_free char *at = mem_fmt("sys/kernel/iommu_groups/30/devices/%s", rows[i].bdf);
        cleanup_free char *class = mem_fmt("%s/class = 0x040300", at);
        cleanup_free char *driver = mem_fmt("%s/driver -> ../../drivers/snd_hda_intel", at);
        char *root = host_make("doctor/genoa-h100");
        struct host *h;
        struct doctor d;

        host_change(root, class);
        host_change(root, driver);
        h = host_of(root);
        d = doctor_examine(h);
        assert_int_equal(h->gpu[0].gpu.n_members, 2);
        assert_int_equal(line_of(&d, "gpu.group")->state, rows[i].want);
        doctor_free(&d);
        host_free(h);
        host_remove(root);
    }
}

/* --- what a provider may publish --- */

static void the_gate_lets_through_what_is_able(void **state) {
    static const struct {
        const char *host;
        size_t gpus; /* that the settings name */
        bool cpu, gpu;
        const char *said; /* in what the console tells; NULL: nothing */
    } rows[] = {
        {"genoa-h100", 1, true, true, NULL},
        {"gpu-no-cc", 1, true, false, "missing: gpu.cc 0000:41:00.0: CC mode is off"},
        {"devtools", 1, true, false, "--devices 0000:41:00.0"},
        {"sev-es", 1, false, false, "missing: cpu.snp: "},
        {"milan", 1, false, false, "to mend it: Use a machine with EPYC 9004"},
        {"one-of-two", 1, true, false, "offers with a GPU are not published"},
        {"one-of-two", 2, true, true, "missing: gpu.free 0000:41:00.0: in quarantine"},
        {"gpu-no-cc", 2, true, false, "missing: gpu.present: "}, /* the second is not there */
    };

    (void)state;
    conf.gpu.v = mem_new(2 * sizeof *conf.gpu.v);
    conf.gpu.v[0] = mem_str("0000:41:00.0");
    conf.gpu.v[1] = mem_str("0000:61:00.0");
    for (size_t i = 0; i < COUNT(rows); i++) {
        cleanup_free char *name = mem_fmt("doctor/%s", rows[i].host);
        char *root = host_make(name), said[16384] = "";
        struct host *h;
        struct doctor d;
        struct console *out;
        struct err e;
        bool gpu;
        int p[2];

        conf.gpu.n = rows[i].gpus;
        h = host_of(root);
        d = doctor_examine(h);
        assert_int_equal(pipe(p), 0);
        out = console_new(p[1], false, true); /* quiet: it is told all the same */
        assert_int_equal(judge(&d, &conf, out, &gpu, &e), rows[i].cpu ? 0 : -1);
        assert_int_equal(gpu, rows[i].gpu);
        if (!rows[i].cpu)
            assert_string_equal(e.code, "unfit-host");
        console_free(out);
        close(p[1]);
        assert_true(read(p[0], said, sizeof said - 1) >= 0);
        close(p[0]);
        if (rows[i].said ? !strstr(said, rows[i].said) : said[0])
            fail_msg("%s: it said: %s", rows[i].host, said);
        doctor_free(&d);
        host_free(h);
        host_remove(root);
    }
    conf.gpu.n = 2;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_host_is_described, start, stop),
        cmocka_unit_test_setup_teardown(each_requirement_fails_alone, start, stop),
        cmocka_unit_test_setup_teardown(only_another_card_is_in_the_way, start, stop),
        cmocka_unit_test_setup_teardown(the_gate_lets_through_what_is_able, start, stop),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
