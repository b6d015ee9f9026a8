/* The NVML child as it runs in a guest, on the library of fake_nvml.c: a folder says what that
 * does.
 */
#ifndef CDVM_UNIT_GPU_FAKE_H
#define CDVM_UNIT_GPU_FAKE_H

#include <ftw.h>
#include <limits.h>
#include <openssl/pem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/nvml.h"
#include "guest/nvml_child.h"
#include "tests/unit/gpu_made.h"

struct fake {
    char dir[64], library[PATH_MAX];
};

static inline char *fake_path(const struct fake *f, const char *name) {
    return mem_fmt("%s/%s", f->dir, name);
}

static inline void fake_write(const struct fake *f, const char *name, struct view data) {
    cleanup_free char *path = fake_path(f, name);

    assert_int_equal(file_write(path, data, 0644, true, NULL), 0);
}

/* "gpus 2\ndevtools 1\n" */
static inline void fake_settings(const struct fake *f, const char *lines) {
    fake_write(f, "settings", view_str(lines));
}

/* "nvmlInit_v2 9", or "" */
static inline void fake_fault(const struct fake *f, const char *line) {
    fake_write(f, "fault", view_str(line));
}

/* The library lies beside the test programs' folder. */
static inline void fake_open(struct fake *f) {
    char *end;

    snprintf(f->dir, sizeof f->dir, "/tmp/cdvm-nvml-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    assert_int_equal(chmod(f->dir, 0755), 0);
    assert_true(readlink("/proc/self/exe", f->library, sizeof f->library - 64) > 0);
    end = strstr(f->library, "/unit/test_");
    assert_non_null(end);
    strncpy(end, "/fake/" NVML_LIBRARY, 64);
    fake_settings(f, "");
    fake_fault(f, "");
}

static inline int fake_drop_one(const char *path, const struct stat *st, int type, struct FTW *w) {
    (void)st, (void)type, (void)w;
    return remove(path);
}

static inline void fake_close(const struct fake *f) {
    nftw(f->dir, fake_drop_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* GPU i of the library: as it was captured. */
static inline void fake_gpu(const struct fake *f, unsigned i, struct view report,
                            struct view chain) {
    cleanup_free char *r = mem_fmt("report%u", i), *c = mem_fmt("chain%u.pem", i);

    fake_write(f, r, report);
    fake_write(f, c, chain);
}

/* GPU i of the library: one made here, that signs. */
static inline void fake_made_gpu(const struct fake *f, unsigned i, const struct made_gpu *m) {
    cleanup_free char *name = mem_fmt("key%u.pem", i), *path = fake_path(f, name);
    FILE *key = fopen(path, "w");
    BIO *pem = BIO_new(BIO_s_mem());
    char *text;
    long n;

    assert_int_equal(PEM_write_PrivateKey(key, m->pki.key[0], NULL, NULL, 0, NULL, NULL), 1);
    fclose(key);
    for (int k = 0; k < GPU_CERTS; k++) {
        const uint8_t *p = m->pki.cert[k].p;
        X509 *x = d2i_X509(NULL, &p, (long)m->pki.cert[k].n);

        assert_int_equal(PEM_write_bio_X509(pem, x), 1);
        X509_free(x);
    }
    n = BIO_get_mem_data(pem, &text);
    fake_gpu(f, i, buf_view(&m->report), view_of(text, (size_t)n));
    BIO_free(pem);
}

/* The child, started; what it is called with stands in the folder's "calls". */
static inline struct nvml *fake_child(const struct fake *f) {
    int fds[2];
    pid_t pid;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        assert_int_equal(dup2(fds[1], 3), 3);
        closefrom(4); /* of all others' ends, as in its box */
        setenv("FAKE_NVML", f->dir, 1);
        nvml_child_run(3, f->library, f->dir); /* which holds no nodes */
    }
    close(fds[1]);
    return nvml_from_fd(fds[0], pid);
}

#endif
