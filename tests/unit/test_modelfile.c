#include "provider/modelfile.c"

#include <stdlib.h>

#include "tests/unit/unit.h"

struct fixture {
    char dir[64];
    struct volume model;
    struct err e;
};

static int start(void **state) {
    struct fixture *f = mem_new(sizeof *f);

    snprintf(f->dir, sizeof f->dir, "/tmp/cdvm-test-seal-XXXXXX");
    f->model = (struct volume){.root = {0xaa}, .blocks = 7};
    *state = f;
    return mkdtemp(f->dir) ? 0 : -1;
}

static int stop(void **state) {
    static const char *const names[] = {"key", "plain", "sealed"};
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(names); i++) {
        cleanup_free char *path = mem_fmt("%s/%s", f->dir, names[i]);

        unlink(path);
    }
    rmdir(f->dir);
    free(f);
    return 0;
}

static void a_key_is_its_owners_and_its_models(void **state) {
    struct fixture *f = *state;
    cleanup_free char *path = mem_fmt("%s/key", f->dir);
    struct secret *made = modelkey_make(path, &f->model, &f->e), *read;
    struct volume other = f->model;

    assert_non_null(made);
    read = modelkey_read(path, &f->model, &f->e);
    assert_non_null(read);
    assert_true(secret_eq(secret_get(made), secret_get(read), MODELKEY_LEN));
    secret_free(read);
    assert_null(modelkey_make(path, &f->model, &f->e));
    other.blocks = 8;
    assert_null(modelkey_read(path, &other, &f->e));
    assert_string_equal(f->e.code, "bad-key");
    assert_int_equal(chmod(path, 0640), 0);
    assert_null(modelkey_read(path, &f->model, &f->e));
    assert_string_equal(f->e.code, "unsafe-key");
    secret_free(made);
}

static void on_progress(void *arg, uint64_t done, uint64_t total) {
    *(uint64_t *)arg = done;
    assert_true(done <= total);
}

/* Sector by sector, as dm-crypt reads it: plain64 counts sectors of 512 bytes from 0. */
static void opens(const struct secret *key, struct view sealed, struct view plain) {
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t iv[16] = {0}, out[512];
    int n;

    for (size_t at = 0; at < plain.n; at += 512) {
        uint32_t sector = (uint32_t)(at / 512);

        memcpy(iv, &sector, sizeof sector); /* little-endian, as this machine is */
        assert_int_equal(EVP_DecryptInit_ex(ctx, EVP_aes_256_xts(), NULL, secret_get(key), iv), 1);
        assert_int_equal(EVP_DecryptUpdate(ctx, out, &n, sealed.p + at, 512), 1);
        assert_memory_equal(out, plain.p + at, 512);
    }
    EVP_CIPHER_CTX_free(ctx);
}

static void what_is_sealed_opens_with_the_key(void **state) {
    const size_t size = STEP + 3 * 4096; /* more than one step */
    struct fixture *f = *state;
    cleanup_free char *from = mem_fmt("%s/plain", f->dir), *to = mem_fmt("%s/sealed", f->dir);
    cleanup_buf struct buf plain = {0}, sealed = {0};
    struct secret *key = secret_random(MODELKEY_LEN);
    cleanup_fd int fd = -1;
    uint64_t done = 0;

    for (size_t i = 0; i < size; i++)
        buf_u8(&plain, (uint8_t)(i / 512));
    assert_int_equal(file_write(from, buf_view(&plain), 0600, true, &f->e), 0);
    fd = open(from, O_RDONLY);
    assert_int_equal(volume_seal(fd, to, key, on_progress, &done, &f->e), 0);
    assert_int_equal(done, size);
    assert_int_equal(file_read(to, BUF_MAX, &sealed, &f->e), 0);
    assert_int_equal(sealed.n, size);
    assert_memory_not_equal(sealed.p, plain.p, 512);
    assert_memory_not_equal(sealed.p, sealed.p + 131072, 512); /* the same plaintext */
    opens(key, buf_view(&sealed), buf_view(&plain));
    assert_int_equal(volume_seal(fd, to, key, on_progress, &done, &f->e), -1);
    secret_free(key);
}

static void only_whole_blocks_are_sealed(void **state) {
    struct fixture *f = *state;
    cleanup_free char *from = mem_fmt("%s/plain", f->dir), *to = mem_fmt("%s/sealed", f->dir);
    struct secret *key = secret_random(MODELKEY_LEN);
    cleanup_fd int fd = -1;
    uint64_t done;

    assert_int_equal(file_write(from, view_str("not a block"), 0600, true, &f->e), 0);
    fd = open(from, O_RDONLY);
    assert_int_equal(volume_seal(fd, to, key, on_progress, &done, &f->e), -1);
    assert_string_equal(f->e.code, "bad-volume");
    assert_int_equal(access(to, F_OK), -1);
    secret_free(key);
}

static void the_line_beside_a_sealed_volume(void **state) {
    static const char *const bad[] = {"", "\n", "x y", "none 00", " ", ":1 00"};
    struct fixture *f = *state;
    cleanup_buf struct buf line = {0};
    uint8_t owner[32] = {9}, got[32];
    struct volume v;

    sealed_text(&f->model, owner, &line);
    assert_int_equal(sealed_parse(buf_view(&line), &v, got, &f->e), 0);
    assert_memory_equal(owner, got, 32);
    assert_int_equal(v.blocks, 7);
    assert_int_equal(v.root[0], 0xaa);
    line.n -= 2;
    assert_int_equal(sealed_parse(buf_view(&line), &v, got, &f->e), -1);
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(sealed_parse(view_str(bad[i]), &v, got, &f->e), -1);
        assert_string_equal(f->e.code, "bad-image");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_key_is_its_owners_and_its_models, start, stop),
        cmocka_unit_test_setup_teardown(what_is_sealed_opens_with_the_key, start, stop),
        cmocka_unit_test_setup_teardown(only_whole_blocks_are_sealed, start, stop),
        cmocka_unit_test_setup_teardown(the_line_beside_a_sealed_volume, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
