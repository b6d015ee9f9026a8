/* Which certificate a machine needs, by what its secure processor says of it. */
#include "provider/chip_key.c"
#include "tests/unit/unit.h"

static const struct host_cpu genoa = {true, 0x19, 0x11, "AMD EPYC 9354"};
static const struct host_cpu siena = {true, 0x19, 0xa0, "AMD EPYC 8324P"};
static const struct host_cpu turin = {true, 0x1a, 0x02, "AMD EPYC 9755"};
static const struct host_cpu rome = {true, 0x17, 0x31, "AMD EPYC 7742"};
static uint8_t id[CHIP_ID];

static int setup(void **state) {
    (void)state;
    for (size_t i = 0; i < CHIP_ID; i++)
        id[i] = (uint8_t)(0xa0 + i);
    return 0;
}

/* The levels reported count, not those that run. */
static void address_of_a_machine(void **state) {
    static const struct {
        const struct host_cpu *cpu;
        uint8_t tcb[8];
        const char *path;
    } rows[] = {
        {&genoa,
         {10, 0, 0, 0, 0, 0, 23, 84},
         "/vcek/v1/Genoa/a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
         "c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf"
         "?blSPL=10&teeSPL=0&snpSPL=23&ucodeSPL=84"},
        {&turin,
         {1, 2, 3, 4, 0, 0, 0, 77},
         "/vcek/v1/Turin/a0a1a2a3a4a5a6a7?fmcSPL=1&blSPL=2&teeSPL=3&snpSPL=4&ucodeSPL=77"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sev_status s = {.current_tcb = {9, 9, 9, 9, 9, 9, 9, 9}};
        cleanup_buf struct buf path = {0};
        struct kds_key k;
        struct err e;

        memcpy(s.reported_tcb, rows[i].tcb, 8);
        if (chip_key_of(rows[i].cpu, id, &s, &k, &e) < 0)
            fail_msg("%s", e.text);
        kds_path(&k, KDS_VCEK, &path);
        assert_string_equal((const char *)path.p, rows[i].path);
    }
}

static void siena_has_genoa_s_certificates(void **state) {
    const struct sev_status s = {0};
    struct kds_key k;

    (void)state;
    assert_int_equal(chip_key_of(&siena, id, &s, &k, NULL), 0);
    assert_int_equal(k.product, PRODUCT_GENOA);
}

static void machines_that_have_none(void **state) {
    const struct {
        const struct host_cpu *cpu;
        struct sev_status s;
        const char *words;
    } rows[] = {{&rome, {0}, "no certificates for this processor (AMD EPYC 7742)"},
                {&genoa, {.mask_chip_id = true}, "hide its chip id"},
                {&genoa, {.mask_chip_key = true}, "hide its chip key"},
                {&genoa, {.reported_tcb = {1, 1, 1, 1, 1, 1, 1, 1}}, "is not one of Genoa"}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct kds_key k;
        struct err e;

        assert_int_equal(chip_key_of(rows[i].cpu, id, &rows[i].s, &k, &e), -1);
        assert_string_equal(e.code, "no-vcek");
        assert_non_null(strstr(e.text, rows[i].words));
    }
}

static void a_machine_without_the_device(void **state) {
    struct kds_key k;
    struct err e;

    (void)state;
    assert_int_equal(chip_key_read("/dev/null", &genoa, &k, &e), -1);
    assert_string_equal(e.code, "no-sev");
    assert_non_null(strstr(e.text, "SEV_GET_ID2"));
    assert_int_equal(chip_key_read("/nowhere/sev", &genoa, &k, &e), -1);
    assert_string_equal(e.code, "no-sev");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(address_of_a_machine, setup),
        cmocka_unit_test_setup(siena_has_genoa_s_certificates, setup),
        cmocka_unit_test_setup(machines_that_have_none, setup),
        cmocka_unit_test_setup(a_machine_without_the_device, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
