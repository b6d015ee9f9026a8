/* What a QEMU can do: its answers read, the sentences for what it cannot, and the QEMU of this
 * machine really asked. */
#include "provider/qemu_able.c"
#include "tests/unit/unit.h"

static struct qemu_able able(void) {
    return (struct qemu_able){.version = "10.1.0",
                              .snp = true,
                              .kernel_hashes = true,
                              .gpu_memory = true,
                              .iommufd = true,
                              .vfio = true,
                              .sev = true};
}

static void a_type_is_there_with_its_properties(void **state) {
    cJSON *with =
        json_parse(view_str("[{\"name\":\"policy\"},{\"name\":\"kernel-hashes\"}]"), 100, NULL);
    cJSON *without = json_parse(view_str("[{\"name\":\"policy\"},{\"name\":7},3]"), 100, NULL);
    struct qemu_able q = {0};

    (void)state;
    assert_string_equal(types[0].type, "sev-snp-guest");
    qemu_take_type(&q, 0, without);
    assert_true(q.snp && !q.kernel_hashes);
    qemu_take_type(&q, 0, with);
    assert_true(q.snp && q.kernel_hashes);
    qemu_take_type(&q, 0, NULL);
    assert_false(q.snp || q.kernel_hashes);
    qemu_take_type(&q, 1, with);
    assert_true(q.gpu_memory);
    assert_false(q.kernel_hashes || q.iommufd || q.vfio);
    cJSON_Delete(with);
    cJSON_Delete(without);
}

static void the_host_gives_its_numbers(void **state) {
    static const struct {
        const char *answer;
        bool sev;
        unsigned cbitpos, reduced;
    } rows[] = {
        {"{\"cbitpos\":51,\"reduced-phys-bits\":6,\"pdh\":\"AA==\"}", true, 51, 6},
        {"{\"cbitpos\":51}", false, 0, 0},
        {"{\"cbitpos\":200,\"reduced-phys-bits\":6}", false, 0, 0},
        {"{\"cbitpos\":\"51\",\"reduced-phys-bits\":6}", false, 0, 0},
        {"[]", false, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        cJSON *j = json_parse(view_str(rows[i].answer), 200, NULL);
        struct qemu_able q = {0};

        qemu_take_sev(&q, j);
        assert_int_equal(q.sev, rows[i].sev);
        assert_int_equal(q.cbitpos, rows[i].cbitpos);
        assert_int_equal(q.reduced_phys_bits, rows[i].reduced);
        cJSON_Delete(j);
    }
}

static void refused(struct qemu_able q, bool gpu, const char *code, const char *words) {
    struct err e = {0};

    assert_int_equal(qemu_can(&q, gpu, &e), -1);
    assert_string_equal(e.code, code);
    if (!strstr(e.text, words))
        fail_msg("'%s' does not say '%s'", e.text, words);
}

static void what_is_lacking_names_the_version(void **state) {
    struct qemu_able q = able();
    struct err e;

    (void)state;
    assert_int_equal(qemu_can(&q, true, &e), 0);
    q.gpu_memory = false; /* as Debian's 10.0 */
    assert_int_equal(qemu_can(&q, false, &e), 0);
    refused(q, true, "old-qemu", "lacks ram-block-attributes");
    refused(q, true, "old-qemu", "needs QEMU 10.1 or newer");
    q.snp = false;
    refused(q, false, "old-qemu", "needs QEMU 9.1 or newer");
    refused(q, true, "old-qemu", "needs QEMU 10.1 or newer");
    q = able();
    q.kernel_hashes = false;
    refused(q, false, "old-qemu", "kernel-hashes");
    q = able();
    q.sev = false;
    snprintf(q.why, sizeof q.why, "SEV is not available");
    refused(q, false, "no-snp", "SEV is not available");
}

/* Of a QEMU here everything must be told, and what the host lacks in QEMU's own words. */
static void this_qemu_answers(void **state) {
    const char *qemu =
        getenv("CDVM_TEST_QEMU") ? getenv("CDVM_TEST_QEMU") : "/usr/bin/qemu-system-x86_64";
    struct qemu_able q;
    struct err e = {0};

    (void)state;
    if (access(qemu, X_OK) < 0)
        skip();
    if (qemu_probe(qemu, &q, &e) < 0)
        fail_msg("%s", e.text);
    assert_true(q.vfio);
    assert_true(strspn(q.version, "0123456789.") == strlen(q.version));
    if (q.version[0] == '7') {
        assert_false(q.snp || q.gpu_memory || q.iommufd);
        refused(q, false, "old-qemu", "needs QEMU 9.1 or newer");
        refused(q, true, "old-qemu", "needs QEMU 10.1 or newer");
    }
    if (!strncmp(q.version, "10.0.", 5)) { /* private memory without devices in it */
        assert_true(q.snp && q.kernel_hashes && q.iommufd && !q.gpu_memory);
        refused(q, true, "old-qemu", "ram-block-attributes");
    }
    assert_true(q.sev || q.why[0]);
}

static void what_is_no_qemu_is_refused(void **state) {
    struct qemu_able q;
    struct err e = {0};

    (void)state;
    assert_int_equal(qemu_probe("/bin/true", &q, &e), -1);
    assert_string_equal(e.code, "no-qemu");
    assert_int_equal(qemu_probe("/nonexistent", &q, &e), -1);
}

/* One that names its version and dies of its arguments lacks nothing that is known. */
static void a_qemu_that_dies_is_not_an_old_one(void **state) {
    static const char script[] =
        "#!/bin/sh\n[ \"$1\" != --version ] || echo 'QEMU emulator version 10.1.0'\n";
    char dir[] = "/tmp/cdvm-test-qemu-XXXXXX";
    cleanup_free char *qemu = NULL;
    struct qemu_able q;
    struct err e = {0};

    (void)state;
    assert_non_null(mkdtemp(dir));
    qemu = mem_fmt("%s/qemu", dir);
    assert_int_equal(file_write(qemu, view_str(script), 0700, false, &e), 0);
    assert_int_equal(qemu_probe(qemu, &q, &e), -1);
    assert_string_equal(e.code, "no-qemu");
    assert_non_null(strstr(e.text, "does not answer over QMP"));
    assert_int_equal(unlink(qemu), 0);
    assert_int_equal(rmdir(dir), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_type_is_there_with_its_properties),
        cmocka_unit_test(the_host_gives_its_numbers),
        cmocka_unit_test(what_is_lacking_names_the_version),
        cmocka_unit_test(this_qemu_answers),
        cmocka_unit_test(what_is_no_qemu_is_refused),
        cmocka_unit_test(a_qemu_that_dies_is_not_an_old_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
