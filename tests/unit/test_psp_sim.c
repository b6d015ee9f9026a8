#include "provider/psp_sim.c"
#include "attest/snp_report.h"
#include "attest/snp_cert.h"
#include "tests/unit/unit.h"

#include <unistd.h>

static int steps;

static void count_steps(void *arg, const char *step) {
    assert_ptr_equal(arg, &steps);
    assert_true(*step != 0);
    steps++;
}

static void remove_dir(const char *dir) {
    char path[300];

    snprintf(path, sizeof path, "%s/psp-sim.pem", dir);
    unlink(path);
    rmdir(dir);
}

static void keys_are_made_once_and_kept_closed(void **state) {
    char dir[] = "/tmp/cdvm-psp-XXXXXX", path[300];
    struct psp_sim *a, *b;
    struct err e = {0};
    struct stat st;
    uint8_t fa[32], fb[32];

    (void)state;
    assert_non_null(mkdtemp(dir));
    rmdir(dir);
    a = psp_sim_open(dir, count_steps, &steps, &e);
    if (!a)
        fail_msg("%s", e.text);
    assert_true(steps >= 2);
    steps = 0;
    b = psp_sim_open(dir, count_steps, &steps, &e);
    assert_non_null(b);
    assert_int_equal(steps, 0);
    psp_sim_fingerprint(a, fa);
    psp_sim_fingerprint(b, fb);
    assert_memory_equal(fa, fb, 32);
    assert_memory_equal(a->chip_id, b->chip_id, 64);
    snprintf(path, sizeof path, "%s/psp-sim.pem", dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    psp_sim_free(a);
    psp_sim_free(b);
    remove_dir(dir);
}

static struct psp_sim *shared_keys(void) {
    struct err e = {0};
    struct psp_sim *p;

    mkdir("build", 0755);
    p = psp_sim_open("build/test-psp", NULL, NULL, &e);
    if (!p)
        fail_msg("%s", e.text);
    return p;
}

static void names_say_sim_and_nobody_else(void **state) {
    struct psp_sim *p = shared_keys();
    X509 *const certs[] = {p->ark, p->ask, p->vcek};

    (void)state;
    for (size_t i = 0; i < COUNT(certs); i++) {
        char name[512];

        X509_NAME_oneline(X509_get_subject_name(certs[i]), name, sizeof name);
        assert_non_null(strstr(name, "CN=SIM-"));
        assert_null(strstr(name, "AMD"));
        assert_null(strstr(name, "Advanced Micro"));
        assert_null(strstr(name, "ARK-Genoa"));
    }
    psp_sim_free(p);
}

static void a_report_says_what_it_was_given(void **state) {
    struct psp_sim *p = shared_keys();
    uint8_t data[64], digest[48], out[SIM_REPORT_SIZE];
    struct snp_report r;
    struct err e;

    (void)state;
    memset(data, 0xd1, 64);
    memset(digest, 0xd2, 48);
    assert_int_equal(psp_sim_report(p, data, digest, 0x30000, out, &e), 0);
    assert_true(snp_report_parse(view_of(out, sizeof out), &r));
    assert_int_equal(r.version, 3);
    assert_int_equal(r.stray, 0);
    assert_int_equal(snp_product_of(r.cpu_family, r.cpu_model), PRODUCT_GENOA);
    assert_memory_equal(r.report_data, data, 64);
    assert_memory_equal(r.measurement, digest, 48);
    assert_true(r.policy == 0x30000);
    assert_int_equal(vek_verify_report(p->vcek, view_of(out, sizeof out), &r, &e), 0);
    psp_sim_free(p);
}

static void policies_that_firmware_refuses(void **state) {
    struct psp_sim *p = shared_keys();
    uint8_t zero[64] = {0}, out[SIM_REPORT_SIZE];
    struct err e;

    (void)state;
    assert_int_equal(psp_sim_report(p, zero, zero, 0x10000, out, &e), -1);
    assert_string_equal(e.code, "bad-policy");
    assert_int_equal(psp_sim_report(p, zero, zero, 0x4030000, out, &e), -1);
    psp_sim_free(p);
}

static void damaged_keys_are_refused(void **state) {
    char dir[] = "/tmp/cdvm-psp-XXXXXX", path[300];
    struct err e;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/psp-sim.pem", dir);
    assert_int_equal(file_write(path, view_str("not keys\n"), 0600, false, &e), 0);
    assert_null(psp_sim_open(dir, NULL, NULL, &e));
    assert_string_equal(e.code, "sim-keys");
    remove_dir(dir);
    assert_null(psp_sim_open("/nonexistent/there/below", NULL, NULL, &e));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_made_once_and_kept_closed),
        cmocka_unit_test(names_say_sim_and_nobody_else),
        cmocka_unit_test(a_report_says_what_it_was_given),
        cmocka_unit_test(policies_that_firmware_refuses),
        cmocka_unit_test(damaged_keys_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
