#include "attest/snp_measure.c"
#include "attest/ovmf.c"
#include "attest/snp_explain.c"
#include "tests/unit/snp_files.h"

static void file_hash(const char *name, uint8_t out[static 32]) {
    cleanup_buf struct buf b = {0};
    char rel[128];

    snprintf(rel, sizeof rel, "snp/measure/%s", name);
    if (name && strcmp(name, "empty.bin") != 0)
        assert_true(vector_load(rel, &b));
    sha256(buf_view(&b), out);
}

/* One row: the launch digest, or -1 with the refusal. */
static int measure_case(const cJSON *c, uint8_t out[static 48], struct err *e) {
    cleanup_buf struct buf fw = {0};
    const char *kernel = case_str(c, "kernel"), *initrd = case_str(c, "initrd");
    struct ovmf o;
    struct launch l = {.ovmf = &o, .append = case_str(c, "append")};
    char rel[128];

    snprintf(rel, sizeof rel, "snp/measure/%s", case_str(c, "ovmf"));
    assert_true(vector_load(rel, &fw));
    if (ovmf_parse(buf_view(&fw), &o, e))
        return -1;
    assert_true(vcpu_type_signature(case_str(c, "vcpu_type"), &l.vcpu_signature));
    l.vcpus = (uint32_t)cJSON_GetObjectItem(c, "vcpus")->valueint;
    l.features = strtoull(case_str(c, "guest_features"), NULL, 16);
    if (kernel) {
        l.kernel_hashes = true;
        file_hash(kernel, l.kernel);
        if (initrd)
            file_hash(initrd, l.initrd);
        else
            sha256(view_of("", 0), l.initrd);
    }
    return launch_digest(&l, out, e);
}

static void check_file(const char *rel) {
    cJSON *all = vectors_load(rel);
    const cJSON *c;
    int n = 0;

    if (!all)
        skip();
    cJSON_ArrayForEach(c, cJSON_GetObjectItem(all, "cases")) {
        struct err e = {0};
        uint8_t want[48], got[48];
        int rc = measure_case(c, got, &e);

        n++;
        if (case_str(c, "error")) {
            assert_int_equal(rc, -1);
            assert_string_equal(e.code, "bad-launch");
            continue;
        }
        if (rc)
            fail_msg("%s row %d: %s", rel, n, e.text);
        row_hex(c, "launch_digest", want, 48);
        if (memcmp(want, got, 48) != 0)
            fail_msg("%s row %d (%s): digest differs", rel, n, case_str(c, "ovmf"));
    }
    print_message("# %s: %d rows as marked\n", rel, n);
    assert_true(n > 3);
    cJSON_Delete(all);
}

static void every_row_of_the_generated_vectors(void **state) {
    (void)state;
    check_file("snp/measure/cases.json");
}

static void every_row_of_the_upstream_vectors(void **state) {
    (void)state;
    check_file("snp/measure/upstream_expected.json");
}

/* A firmware of our own: one page, a GUID table, two sections. */
static void make_firmware(uint8_t page[static 4096]) {
    struct buf b = {0}, t = {0};
    const uint32_t sections[][3] = {{0x800000, 0x1000, 1}, {0x801000, 0x1000, 0x10}};

    buf_add(&b, "ASEV", 4);
    buf_u32le(&b, 16 + 24);
    buf_u32le(&b, 1);
    buf_u32le(&b, 2);
    for (size_t i = 0; i < 6; i++)
        buf_u32le(&b, sections[i / 3][i % 3]);
    buf_u32le(&t, 4096 - 256);
    buf_u8(&t, 22), buf_u8(&t, 0), buf_add(&t, guid_metadata, 16);
    buf_u32le(&t, 0x801c00), buf_u32le(&t, 0x400);
    buf_u8(&t, 26), buf_u8(&t, 0), buf_add(&t, guid_hashes, 16);
    buf_u32le(&t, 0x80b004);
    buf_u8(&t, 22), buf_u8(&t, 0), buf_add(&t, guid_reset, 16);
    buf_u8(&t, 88), buf_u8(&t, 0), buf_add(&t, guid_footer, 16);
    assert_int_equal(t.n, 88);
    memset(page, 0x90, 4096);
    memcpy(page + 256, b.p, b.n);
    memcpy(page + 4096 - 32 - t.n, t.p, t.n);
    buf_free(&b);
    buf_free(&t);
}

static void refuses_every_broken_table(void **state) {
    uint8_t good[4096], bad[4096];
    struct ovmf o;
    struct err e;
    const size_t table = 4096 - 32 - 88;
    const struct {
        size_t at;
        uint8_t value;
        const char *what;
    } rows[] = {
        {256, 'X', "version 1"},
        {264, 2, "version 1"},
        {268, 65, "sections"},
        {268, 0, "sections"},
        {260, 20, "sections in"},
        {272, 1, "bad size"},
        {276, 1, "bad size"},
        {277, 0, "bad size"},
        {280, 7, "unknown"},
        {292, 2, ""},
        {289, 0x20, "one page"},
        {table + 1, 0, "before its end"},
        {4096 - 32 - 1, 0, "GUID table"},
        {4096 - 32 - 18, 17, "GUID table says"},
        {4096 - 32 - 17, 0xff, "GUID table says"},
        {table + 4, 17, "entry says"},
        {table + 5, 1, "entry says"},
        {table + 6, 0, "no SEV metadata"},
        {table + 60, 0, "where other vCPUs"},
    };

    (void)state;
    make_firmware(good);
    assert_int_equal(ovmf_parse(view_of(good, 4096), &o, &e), 0);
    assert_int_equal(o.n_sections, 2);
    assert_int_equal(o.hashes_gpa, 0x801c00);
    assert_int_equal(o.ap_eip, 0x80b004);
    for (size_t i = 0; i < COUNT(rows); i++) {
        memcpy(bad, good, 4096);
        bad[rows[i].at] = rows[i].value;
        if (!*rows[i].what) {
            assert_int_equal(ovmf_parse(view_of(bad, 4096), &o, &e), 0);
            continue;
        }
        if (!ovmf_parse(view_of(bad, 4096), &o, &e))
            fail_msg("row %zu was accepted", i);
        if (!strstr(e.text, rows[i].what))
            fail_msg("row %zu: '%s' instead of '%s'", i, e.text, rows[i].what);
        assert_string_equal(e.code, "bad-firmware");
    }
    assert_int_equal(ovmf_parse(view_of(good, 4095), &o, &e), -1);
    assert_int_equal(ovmf_parse(view_of(good, 0), &o, &e), -1);
}

static struct launch sample(const struct ovmf *o) {
    struct launch l = {
        .ovmf = o, .kernel_hashes = true, .append = "quiet", .vcpus = 4, .features = 1};

    assert_true(vcpu_type_signature("EPYC-Genoa-v1", &l.vcpu_signature));
    return l;
}

/* One cause, or two at once, and the sentence for it. */
static void explains_the_known_variants(void **state) {
    static const struct {
        uint32_t vcpus; /* 0: as expected, and so on below */
        const char *type;
        uint64_t features;
        bool old_kernel, no_hashes;
        const char *why;
    } rows[] = {
        {.vcpus = 2, .why = "it would match with 2 vCPUs, not 4"},
        {.vcpus = 1, .why = "it would match with 1 vCPU, not 4"},
        {.vcpus = 128, .why = "it would match with 128 vCPUs, not 4"},
        {.type = "EPYC-Milan-v2",
         .why = "it would match with vCPU type EPYC-Milan, not EPYC-Genoa"},
        {.type = "EPYC-Turin", .why = "it would match with vCPU type EPYC-Turin, not EPYC-Genoa"},
        {.features = 0x21, .why = "it would match with sev_features 0x21, not 0x1"},
        {.features = 0x5, .why = "it would match with sev_features 0x5, not 0x1"},
        {.old_kernel = true, .why = "it would match with a host kernel before 6.10"},
        {.no_hashes = true,
         .why = "it would match with kernel, initrd and command line not measured "
                "(kernel-hashes=off)"},
        {.type = "EPYC-Milan",
         .features = 0x21,
         .why = "it would match with vCPU type EPYC-Milan, not EPYC-Genoa, with sev_features 0x21, "
                "not 0x1"},
        {.vcpus = 8,
         .old_kernel = true,
         .why = "it would match with 8 vCPUs, not 4, with a host kernel before 6.10"},
    };
    uint8_t fw[4096], got[48];
    struct ovmf o;
    struct err e;
    char why[300];
    struct launch want, is;

    (void)state;
    make_firmware(fw);
    assert_int_equal(ovmf_parse(view_of(fw, 4096), &o, &e), 0);
    want = sample(&o);
    for (size_t i = 0; i < COUNT(rows); i++) {
        is = sample(&o);
        is.vcpus = rows[i].vcpus ? rows[i].vcpus : is.vcpus;
        is.features = rows[i].features ? rows[i].features : is.features;
        is.old_kernel = rows[i].old_kernel;
        is.kernel_hashes = !rows[i].no_hashes;
        if (rows[i].type)
            assert_true(vcpu_type_signature(rows[i].type, &is.vcpu_signature));
        assert_int_equal(launch_digest(&is, got, &e), 0);
        assert_true(launch_explain(&want, got, why, sizeof why));
        assert_string_equal(why, rows[i].why);
    }
    want.old_kernel = true;
    is = sample(&o);
    assert_int_equal(launch_digest(&is, got, &e), 0);
    assert_true(launch_explain(&want, got, why, sizeof why));
    assert_string_equal(why, "it would match with a host kernel from 6.10");
    want = is = sample(&o);
    is.append = "quiet init=/bin/sh";
    assert_int_equal(launch_digest(&is, got, &e), 0);
    assert_false(launch_explain(&want, got, why, sizeof why));
}

static void every_input_changes_the_digest(void **state) {
    uint8_t fw[4096], base[48], got[48];
    struct ovmf o, p;
    struct err e;
    struct launch l;

    (void)state;
    make_firmware(fw);
    assert_int_equal(ovmf_parse(view_of(fw, 4096), &o, &e), 0);
    l = sample(&o);
    assert_int_equal(launch_digest(&l, base, &e), 0);
#define CHANGED(set)                                                                               \
    do {                                                                                           \
        p = o, l = sample(&p);                                                                     \
        set;                                                                                       \
        assert_int_equal(launch_digest(&l, got, &e), 0);                                           \
        assert_memory_not_equal(base, got, 48);                                                    \
    } while (0)
    CHANGED(l.kernel[31] = 1);
    CHANGED(l.initrd[0] = 1);
    CHANGED(l.append = "quiet ");
    CHANGED(l.append = NULL);
    CHANGED(l.vcpus = 3);
    CHANGED(l.vcpu_signature++);
    CHANGED(l.features = 3);
    CHANGED(l.old_kernel = true);
    CHANGED(p.ap_eip++);
    CHANGED(p.snp_digest[47] ^= 1);
    CHANGED(p.hashes_gpa += 16);
    CHANGED(p.section[0].type = 4; p.section[0].gpa = 0x900000);
#undef CHANGED
    l = sample(&o), l.vcpus = 0;
    assert_int_equal(launch_digest(&l, got, &e), -1);
    l.vcpus = VCPUS_MAX + 1;
    assert_int_equal(launch_digest(&l, got, &e), -1);
}

static void cpu_names(void **state) {
    uint32_t sig;

    (void)state;
    assert_true(vcpu_type_signature("EPYC-v4", &sig));
    assert_int_equal(sig, 0x00800f12);
    assert_true(vcpu_type_signature("EPYC-Turin-v10", &sig));
    assert_int_equal(sig, 0x00b00f00);
    assert_false(vcpu_type_signature("host", &sig));
    assert_false(vcpu_type_signature("EPYC-", &sig));
    assert_false(vcpu_type_signature("EPYC-v", &sig));
    assert_false(vcpu_type_signature("EPYC-v0", &sig));
    assert_false(vcpu_type_signature("EPYC-v123", &sig));
    assert_false(vcpu_type_signature("EPYC-Genoa2", &sig));
    assert_false(vcpu_type_signature("", &sig));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_the_generated_vectors),
        cmocka_unit_test(every_row_of_the_upstream_vectors),
        cmocka_unit_test(refuses_every_broken_table),
        cmocka_unit_test(explains_the_known_variants),
        cmocka_unit_test(every_input_changes_the_digest),
        cmocka_unit_test(cpu_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
