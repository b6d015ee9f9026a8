/* What evidence calls for, and that nothing but the very thing gets into the cache: real captures,
 * each byte of what is served changed. */
#include "provider/needs.c"
#include "tests/unit/unit.h"

#define H100 "gpu/h100-550.90.07/"
#define AUGUST ((int64_t)1755777600)  /* 2025-08-21 12:00 UTC: words on the device are fresh */
#define OCTOBER ((int64_t)1761307200) /* 2025-10-24 12:00 UTC: those on the signers */
#define DRIVER "gpu/rim/NV_GPU_DRIVER_GH100_550.90.07.xml"
#define VBIOS "gpu/rim/NV_GPU_VBIOS_1010_0200_882_96009F0001.xml"

static char dir[64];
static struct gpu_item gpu;

static void vector(const char *name, struct buf *out) {
    const char *path = vector_path(name);
    struct err e;

    if (!path)
        skip();
    if (file_read(path, NEED_ANSWER_MAX, out, &e))
        fail_msg("%s", e.text);
}

static int setup(void **state) {
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/cdvm-needs-XXXXXX");
    return !mkdtemp(dir);
}

static int teardown(void **state) {
    (void)state;
    gpu_item_free(&gpu);
    gpu = (struct gpu_item){0};
    return remove_tree(dir);
}

static struct needs *of_gpu(int64_t now) {
    cleanup_buf struct buf report = {0}, chain = {0};
    struct needs *n = needs_new(dir, now);
    struct err e;

    if (!gpu.report.n) {
        vector(H100 "report.bin", &report);
        vector(H100 "chain.pem", &chain);
        assert_int_equal(gpu_item_read(&gpu, NULL, buf_view(&report), buf_view(&chain), NULL), 0);
    }
    if (needs_add_gpus(n, &gpu.ev, 1, &e))
        fail_msg("%s", e.text);
    return n;
}

static struct needs *of_chip(void) {
    cleanup_buf struct buf report = {0};
    struct needs *n = needs_new(dir, AUGUST);
    struct err e;

    vector("snp/real/genoa_v5_gcp.report.bin", &report);
    if (needs_add_report(n, buf_view(&report), &e))
        fail_msg("%s", e.text);
    return n;
}

static const struct need *need_of(const struct needs *n, const char *file) {
    for (size_t i = 0; i < needs_count(n); i++)
        if (!strcmp(needs_at(n, i)->file, file))
            return needs_at(n, i);
    fail_msg("nothing calls for %s", file);
    return NULL;
}

/* As NVIDIA's service wraps a document. */
static void wrap(const char *id, struct view xml, struct buf *out) {
    struct jw w = jw_new(out);

    buf_reset(out);
    jw_obj(&w);
    jw_kstr(&w, "id", id);
    jw_key(&w, "rim");
    jw_b64(&w, xml);
    jw_end_obj(&w);
}

static void keep(struct needs *n, const char *file, struct view answer) {
    struct err e;

    if (needs_keep(n, file, answer, &e))
        fail_msg("%s: %s", file, e.text);
}

static bool is_kept(const char *file) {
    cleanup_free char *path = mem_fmt("%s/%s", dir, file);

    return access(path, F_OK) == 0;
}

static void keep_rim(struct needs *n, const char *file, const char *vector_name) {
    cleanup_buf struct buf xml = {0}, json = {0};

    vector(vector_name, &xml);
    wrap(strrchr(need_of(n, file)->url, '/') + 1, buf_view(&xml), &json);
    keep(n, file, buf_view(&json));
}

/* The name of the certificate, from its hash (SHA-384) on, ends the question and stands in the
 * answer. */
static bool answers(const struct need *d, struct view der) {
    static const uint8_t sha384[] = {0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                     0x65, 0x03, 0x04, 0x02, 0x02};
    const uint8_t *name = d->post.n ? memmem(d->post.p, d->post.n, sha384, sizeof sha384) : NULL;

    return name && memmem(der.p, der.n, name, (size_t)(d->post.p + d->post.n - name));
}

/* --- tests --- */

static void a_gpu_calls_for_documents_then_for_their_signers(void **state) {
    struct needs *n = of_gpu(OCTOBER);
    const size_t first = needs_count(n);
    size_t missing = 0;

    (void)state;
    assert_int_equal(first, 7); /* two documents, three answers, two lists */
    assert_string_equal(need_of(n, DRIVER)->url, NVIDIA_RIM "NV_GPU_DRIVER_GH100_550.90.07");
    assert_true(need_of(n, "gpu/crl/l2-gh100.crl")->optional);
    keep_rim(n, DRIVER, H100 "NV_GPU_DRIVER_GH100_550.90.07.xml");
    keep_rim(n, VBIOS, H100 "NV_GPU_VBIOS_1010_0200_882_96009F0001.xml");
    needs_free(n);
    n = of_gpu(OCTOBER);
    assert_true(need_of(n, DRIVER)->have && need_of(n, VBIOS)->have);
    for (size_t i = 0; i < needs_count(n); i++)
        missing += !needs_at(n, i)->have;
    assert_int_equal(needs_count(n), first + 5); /* four signers, and one list that names one */
    assert_int_equal(missing, needs_count(n) - 2);
    needs_free(n);
}

static void what_was_asked_is_what_nvidia_answered(void **state) {
    static const char *const file[] = {"gpu-chain-1-brom", "gpu-chain-2-provisioner-ica",
                                       "gpu-chain-3-identity"};
    struct needs *n = of_gpu(AUGUST);

    (void)state;
    for (size_t i = 0; i < COUNT(file); i++) {
        cleanup_free char *name = mem_fmt(H100 "ocsp/%s.der", file[i]);
        cleanup_buf struct buf der = {0};
        size_t kept = 0;

        vector(name, &der);
        for (size_t k = 0; k < needs_count(n); k++) {
            const struct need *d = needs_at(n, k);

            if (answers(d, buf_view(&der))) {
                keep(n, d->file, buf_view(&der));
                kept++;
            }
        }
        assert_int_equal(kept, 1);
    }
    needs_free(n);
}

static void stale_words_are_called_for_again(void **state) {
    struct needs *n = of_gpu(AUGUST);
    cleanup_buf struct buf der = {0};
    char file[NEED_FILE] = "";

    (void)state;
    vector(H100 "ocsp/gpu-chain-1-brom.der", &der);
    for (size_t k = 0; k < needs_count(n) && !*file; k++)
        if (needs_at(n, k)->post.n &&
            needs_keep(n, needs_at(n, k)->file, buf_view(&der), NULL) == 0)
            snprintf(file, sizeof file, "%s", needs_at(n, k)->file);
    assert_true(*file);
    needs_free(n);
    n = of_gpu(AUGUST);
    assert_true(need_of(n, file)->have);
    needs_free(n);
    n = of_gpu(OCTOBER);
    assert_false(need_of(n, file)->have);
    assert_string_equal(need_of(n, file)->why.code, "bad-answer");
    needs_free(n);
}

/* Every so many bytes one bit of it, under the right name: never kept. */
static void refuse_changed(struct needs *n, const char *file, const char *id, struct view good,
                           size_t step) {
    cleanup_buf struct buf bad = {0}, json = {0};

    for (size_t i = 0; i < good.n; i += step) {
        struct err e;

        buf_reset(&bad);
        buf_add(&bad, good.p, good.n);
        bad.p[i] ^= (uint8_t)(1u << (i / step % 8));
        if (id)
            wrap(id, buf_view(&bad), &json);
        if (needs_keep(n, file, buf_view(id ? &json : &bad), &e) == 0)
            fail_msg("%s is kept with byte %zu changed", file, i);
        assert_string_equal(e.code, "bad-answer");
    }
    assert_false(is_kept(file));
}

static void no_changed_byte_of_an_answer_is_kept(void **state) {
    struct needs *n = of_gpu(AUGUST);
    cleanup_buf struct buf der = {0};
    size_t tried = 0;

    (void)state;
    vector(H100 "ocsp/gpu-chain-1-brom.der", &der);
    for (size_t k = 0; k < needs_count(n); k++) {
        const struct need *d = needs_at(n, k);

        if (!answers(d, buf_view(&der)))
            continue;
        refuse_changed(n, d->file, NULL, buf_view(&der), 7);
        tried++;
    }
    assert_int_equal(tried, 1);
    needs_free(n);
}

/* A blank between elements is no part of what is signed, so that single bytes of those may differ:
 * they are left out here by taking only what is inside of a value. */
static void no_changed_hash_of_a_document_is_kept(void **state) {
    struct needs *n = of_gpu(AUGUST);
    cleanup_buf struct buf xml = {0}, json = {0};
    const char *at;
    size_t tried = 0;

    (void)state;
    vector(H100 "NV_GPU_DRIVER_GH100_550.90.07.xml", &xml);
    at = (const char *)xml.p;
    while ((at = strstr(at + 1, "Hash0=\""))) {
        char *digit = (char *)(uintptr_t)at + 7 + tried % 96, was = *digit;

        *digit = was == '0' ? '1' : '0';
        wrap("NV_GPU_DRIVER_GH100_550.90.07", buf_view(&xml), &json);
        assert_int_equal(needs_keep(n, DRIVER, buf_view(&json), NULL), -1);
        *digit = was;
        tried++;
    }
    assert_int_equal(tried, 64);
    assert_false(is_kept(DRIVER));
    keep_rim(n, DRIVER, H100 "NV_GPU_DRIVER_GH100_550.90.07.xml");
    needs_free(n);
}

static void pem_add(struct buf *out, const char *name) {
    cleanup_buf struct buf der = {0};

    vector(name, &der);
    buf_str(out, "-----BEGIN CERTIFICATE-----\n");
    base64_encode(buf_view(&der), out);
    buf_str(out, "\n-----END CERTIFICATE-----\n");
}

static void a_chip_calls_for_its_chain_first(void **state) {
    cleanup_buf struct buf vcek = {0}, chain = {0}, other = {0};
    struct needs *n = of_chip();
    char file[NEED_FILE];
    struct err e;

    (void)state;
    vector("snp/real/genoa_v5_gcp.vek.der", &vcek);
    pem_add(&chain, "snp/roots/ask_genoa.der");
    pem_add(&chain, "snp/roots/ark_genoa.der");
    pem_add(&other, "snp/roots/ask_milan.der");
    pem_add(&other, "snp/roots/ark_milan.der");
    assert_int_equal(needs_count(n), 3);
    snprintf(file, sizeof file, "%s", needs_at(n, 1)->file);
    assert_int_equal(needs_keep(n, file, buf_view(&vcek), &e), -1);
    assert_non_null(strstr(e.text, "first"));
    assert_int_equal(needs_keep(n, "Genoa.chain.pem", buf_view(&other), &e), -1);
    keep(n, "Genoa.chain.pem", buf_view(&chain));
    refuse_changed(n, file, NULL, buf_view(&vcek), 5);
    keep(n, file, buf_view(&vcek));
    assert_int_equal(needs_keep(n, "Genoa.crl", buf_view(&vcek), &e), -1);
    assert_int_equal(needs_keep(n, "../Genoa.crl", buf_view(&vcek), &e), -1);
    assert_string_equal(e.code, "no-need");
    needs_free(n);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_gpu_calls_for_documents_then_for_their_signers),
        T(what_was_asked_is_what_nvidia_answered),
        T(stale_words_are_called_for_again),
        T(no_changed_byte_of_an_answer_is_kept),
        T(no_changed_hash_of_a_document_is_kept),
        T(a_chip_calls_for_its_chain_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
