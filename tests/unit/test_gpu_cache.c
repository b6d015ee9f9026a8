/* The folder that fetch-collateral fills, as a provider reads it. */
#include "provider/gpu_cache.c"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <unistd.h>

static const char *const DIR_ = "build/test-gpu-cache";

static void put(const char *name, size_t n, time_t when) {
    cleanup_free char *path = mem_fmt("%s/%s", DIR_, name);
    const struct timespec at[2] = {{.tv_sec = when}, {.tv_sec = when}};
    cleanup_buf struct buf b = {0};

    for (size_t i = 0; i < n; i++)
        buf_u8(&b, (uint8_t)when);
    assert_int_equal(file_write(path, buf_view(&b), 0600, true, NULL), 0);
    assert_int_equal(utimensat(AT_FDCWD, path, at, 0), 0);
}

static int setup(void **state) {
    static const char *const folders[] = {"", "/gpu", "/gpu/rim", "/gpu/ocsp", "/gpu/crl"};

    (void)state;
    mkdir("build", 0755);
    for (size_t i = 0; i < COUNT(folders); i++) {
        cleanup_free char *path = mem_fmt("%s%s", DIR_, folders[i]);

        mkdir(path, 0700);
    }
    for (size_t i = 0; i < COUNT(kinds); i++) {
        cleanup_free char *folder = mem_fmt("%s/%s", DIR_, kinds[i].folder);
        struct found *f;
        size_t n = list_folder(folder, "", &f);

        while (n) {
            unlink(f[--n].path);
            free(f[n].path);
        }
        free(f);
    }
    return 0;
}

static void each_kind_from_its_folder(void **state) {
    struct collateral c = {0};

    (void)state;
    assert_int_equal(gpu_cache_add("build/nothing-here", &c), 0);
    put("gpu/rim/NV_GPU_DRIVER_GH100_550.90.07.xml", 21053, 1000);
    put("gpu/rim/NV_GPU_VBIOS_1010.xml.tmp", 10, 1000);
    put("gpu/rim/.hidden.xml", 10, 1000);
    put("gpu/ocsp/ab12.der", 1010, 2000);
    put("gpu/ocsp/empty.der", 0, 2000);
    put("gpu/ocsp/large.der", COLLATERAL_FILE_MAX + 1, 2000);
    put("gpu/crl/l1-root.crl", 700, 3000);
    assert_int_equal(gpu_cache_add(DIR_, &c), 3);
    assert_int_equal(c.n_files, 3);
    assert_int_equal(c.file[0].kind, COLL_RIM);
    assert_int_equal(c.file[0].bytes.n, 21053);
    assert_int_equal(c.file[1].kind, COLL_OCSP);
    assert_int_equal(c.file[2].kind, COLL_GPU_CRL);
    collateral_free(&c);
}

static void the_newest_of_too_many(void **state) {
    struct collateral c = {0};

    (void)state;
    for (int i = 0; i < 12; i++) {
        cleanup_free char *name = mem_fmt("gpu/rim/NV_%d.xml", i);

        put(name, 100, 1000 + (i * 5) % 12);
    }
    assert_int_equal(gpu_cache_add(DIR_, &c), GPU_RIMS);
    for (size_t i = 0; i < GPU_RIMS; i++)
        assert_int_equal(c.file[i].bytes.p[0], (uint8_t)(1011 - i));
    collateral_free(&c);
}

static void no_more_than_fits(void **state) {
    struct collateral c = {0};
    struct rumor *part[COLLATERAL_PARTS];
    struct keypair *k = keypair_new();
    size_t n;

    (void)state;
    for (int i = 0; i < 5; i++) {
        cleanup_free char *name = mem_fmt("gpu/rim/NV_%d.xml", i);

        put(name, 60000, 1000 + i);
    }
    put("gpu/ocsp/a.der", 16000, 1);
    assert_int_equal(gpu_cache_add(DIR_, &c), 5); /* 4 documents, and the answer that still fits */
    assert_int_equal(collateral_make(&c, (uint8_t[32]){1}, k, keypair_pub(k), 1, part, &n, NULL),
                     0);
    while (n)
        rumor_free(part[--n]);
    collateral_free(&c);
    keypair_free(k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_kind_from_its_folder, setup),
        cmocka_unit_test_setup(the_newest_of_too_many, setup),
        cmocka_unit_test_setup(no_more_than_fits, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
