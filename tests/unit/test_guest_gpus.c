/* GPUs in the guest, over a libnvidia-ml of our own: what each call's failure looks like, what is
 * believed and what is bound. */
#define NVML_SECOND_MS 20
#include "guest/nvml_child.c"
#include "guest/nvml.c"
#include "guest/gpus.c"
#include "core/json.h"
#include "tests/unit/gpu_fake.h"
#include "tests/unit/gpu_vectors.h"

static struct fake fake;

static int open_fake(void **state) {
    (void)state;
    fake_open(&fake);
    return 0;
}

static int close_fake(void **state) {
    (void)state;
    fake_close(&fake);
    return 0;
}

/* --- bringing them up --- */

static void must_not_start(unsigned pci, const char *code, const char *about) {
    struct err e = {0};
    struct gpus *g = gpus_with(fake_child(&fake), pci, &e);

    if (g)
        fail_msg("it starts in spite of %s", about);
    if (!strstr(e.text, about))
        fail_msg("'%s' does not name %s", e.text, about);
    assert_string_equal(e.code, code);
}

static void persistence_comes_before_everything_else(void **state) {
    cleanup_free char *path = fake_path(&fake, "calls");
    cleanup_buf struct buf calls = {0};
    struct err e = {0};
    struct gpus *g;

    (void)state;
    fake_settings(&fake, "gpus 2\n");
    g = gpus_with(fake_child(&fake), 2, &e);
    assert_non_null(g);
    assert_int_equal(gpus_count(g), 2);
    gpus_free(g);
    assert_int_equal(file_read(path, 4096, &calls, NULL), 0);
    assert_string_equal((char *)calls.p,
                        "nvmlInit_v2\nnvmlSystemGetDriverVersion\nnvmlDeviceGetCount_v2\n"
                        "nvmlDeviceGetHandleByIndex_v2\nnvmlDeviceSetPersistenceMode\n"
                        "nvmlDeviceGetHandleByIndex_v2\nnvmlDeviceSetPersistenceMode\n"
                        "nvmlDeviceGetArchitecture\nnvmlDeviceGetArchitecture\n"
                        "nvmlSystemGetConfComputeSettings\nnvmlDeviceGetCount_v2\n"
                        "nvmlSystemGetConfComputeGpusReadyState\n");
}

static void the_number_of_gpus_is_one_number(void **state) {
    (void)state;
    must_not_start(2, "gpu-count", "2 GPUs are on the PCI bus and NVML knows 1");
    fake_settings(&fake, "gpus 2\n");
    must_not_start(1, "gpu-count", "NVML knows 2");
    fake_settings(&fake, "gpus 0\n");
    must_not_start(1, "gpu-count", "NVML knows 0");
    fake_settings(&fake, "gpus 17\n");
    must_not_start(1, "bad-nvml", "no facts that can be");
}

static const char *const first[] = {
    "nvmlInit_v2",
    "nvmlSystemGetDriverVersion",
    "nvmlDeviceGetCount_v2",
    "nvmlDeviceGetHandleByIndex_v2",
    "nvmlDeviceSetPersistenceMode",
    "nvmlDeviceGetArchitecture",
    "nvmlSystemGetConfComputeSettings",
    "nvmlSystemGetConfComputeGpusReadyState",
};

/* fault: what becomes of each call; told: what is said of it. */
static void each_call(const char *fault, const char *told) {
    for (size_t i = 0; i < COUNT(first); i++) {
        cleanup_free char *line = mem_fmt("%s %s\n", first[i], fault),
                          *about = mem_fmt("%s %s", first[i], told);

        fake_fault(&fake, line);
        must_not_start(1, "gpu-driver", about);
    }
}

static void a_call_that_fails_is_named(void **state) {
    (void)state;
    each_call("999", "failed with 999");
}

static void a_call_that_hangs_is_ended(void **state) {
    (void)state;
    each_call("hang", "did not return in time");
}

static void a_library_that_crashes_takes_only_the_child_along(void **state) {
    (void)state;
    fake_fault(&fake, "nvmlDeviceGetCount_v2 crash\n");
    must_not_start(1, "bad-nvml", "the NVML child has ended");
}

static void a_library_that_is_not_there(void **state) {
    (void)state;
    snprintf(fake.library, sizeof fake.library, "%s/none.so", fake.dir);
    must_not_start(1, "gpu-driver", "loading libnvidia-ml.so.1 failed");
    snprintf(fake.library, sizeof fake.library, "libc.so.6"); /* one without the calls */
    must_not_start(1, "gpu-driver", "loading libnvidia-ml.so.1 failed");
}

/* What tests/e2e/nvml.sh finds refused in the box is not refused by the test itself. */
static void outside_of_its_box_a_child_could_do_more(void **state) {
    (void)state;
    fake_settings(&fake, "probe 1\n");
    must_not_start(1, "gpu-driver", "nvmlInit_v2 failed with 100");
}

/* Another user may not set it; the child holds the GPUs open itself. */
static void persistence_may_be_refused(void **state) {
    static const char *const codes[] = {"3", "4"};
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(codes); i++) {
        cleanup_free char *fault = mem_fmt("nvmlDeviceSetPersistenceMode %s\n", codes[i]);
        struct gpus *g;

        fake_fault(&fake, fault);
        g = gpus_with(fake_child(&fake), 1, &e);
        if (!g)
            fail_msg("%s", e.text);
        gpus_free(g);
    }
}

/* --- in a session --- */

struct seen {
    struct loop *loop;
    bool proved, opened;
    struct err failed;
};

static void on_seen_proved(void *arg) {
    struct seen *s = arg;

    s->proved = true;
    loop_quit(s->loop);
}

static void on_seen_opened(void *arg) {
    struct seen *s = arg;

    s->opened = true;
    loop_quit(s->loop);
}

static void on_seen_failed(void *arg, const struct err *e) {
    struct seen *s = arg;

    assert_string_equal(s->failed.code, "");
    s->failed = *e;
    loop_quit(s->loop);
}

static const struct gpus_handler seeing = {on_seen_proved, on_seen_opened, on_seen_failed};
static const uint8_t nonce[32] = {0x4e, 1, 2, 3};

struct run {
    struct gpus *g;
    struct seen seen;
};

static void begin_run(struct run *r, unsigned pci) {
    struct err e = {0};

    *r = (struct run){.g = gpus_with(fake_child(&fake), pci, &e)};
    if (!r->g)
        fail_msg("%s", e.text);
    r->seen.loop = loop_new(NULL);
    gpus_watch(r->g, r->seen.loop, &seeing, &r->seen);
}

static void end_run(struct run *r) {
    gpus_free(r->g);
    loop_free(r->seen.loop);
}

static void prove(struct run *r, unsigned pci) {
    begin_run(r, pci);
    gpus_prove(r->g, nonce);
    loop_run(r->seen.loop);
}

static void must_not_prove(unsigned pci, const char *code, const char *about) {
    struct run r;

    prove(&r, pci);
    if (r.seen.proved)
        fail_msg("it has evidence in spite of %s", about);
    if (!strstr(r.seen.failed.text, about))
        fail_msg("'%s' does not name %s", r.seen.failed.text, about);
    assert_string_equal(r.seen.failed.code, code);
    assert_int_equal(gpus_json(r.g).n + gpus_digest(r.g).n, 0);
    end_run(&r);
}

static void made_gpus(struct made_gpu *m, unsigned n) {
    uint8_t zero[32] = {0};

    for (unsigned i = 0; i < n; i++) {
        made_init(&m[i], (uint8_t)(9 - i)); /* the library's order is not the protocol's */
        if (i)
            pki_join(&m[i].pki, &m[0].pki);
        pki_make(&m[i].pki);
        made_report(&m[i], zero);
        fake_made_gpu(&fake, i, &m[i]);
    }
}

static void free_gpus(struct made_gpu *m, unsigned n) {
    for (unsigned i = 0; i < n; i++)
        made_free(&m[i]);
}

/* What hello carries, read as its receiver reads it, binds to the same 32 bytes. */
static void evidence_is_in_the_protocols_order(void **state) {
    struct made_gpu m[3];
    struct gpu_evidence ev[GPUS_MAX];
    cleanup_buf struct buf digest = {0};
    struct gpu_list l;
    struct err e = {0};
    struct run r;

    (void)state;
    made_gpus(m, 3);
    fake_settings(&fake, "gpus 3\nmulti 1\ndevtools 1\n");
    prove(&r, 3);
    if (!r.seen.proved)
        fail_msg("%s", r.seen.failed.text);
    assert_int_equal(gpu_list_parse(gpus_json(r.g), &l, &e), 0);
    assert_int_equal(l.n, 3);
    assert_int_equal(gpu_list_bound(&l, ev, &e), 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_string_equal(l.item[i].arch, "HOPPER");
        assert_memory_equal(l.item[i].nonce, nonce, 32);
        assert_memory_equal(l.item[i].ev.state, "\1\1\2\1", 4);
        assert_memory_equal(l.item[i].report.p + 4, nonce, 32);
        assert_int_equal(l.item[i].report.n, m[2 - i].report.n);
        assert_true(view_eq(l.item[i].ev.cert[1], m[2 - i].pki.cert[1]));
    }
    assert_int_equal(binding_gpu_digest(ev, 3, &digest, &e), 0);
    assert_int_equal(digest.n, 32);
    assert_true(view_eq(gpus_digest(r.g), buf_view(&digest)));
    gpu_list_free(&l);
    end_run(&r);
    free_gpus(m, 3);
}

static void evidence_of_a_real_capture(void **state) {
    static const struct {
        const char *folder, *arch, *word;
    } rows[] = {{"h100-550.90.07", "arch 9\n", "HOPPER"},
                {"gb202-595.58.03", "arch 10\n", "BLACKWELL"}};

    (void)state;
    if (!gpu_vectors())
        skip();
    for (size_t i = 0; i < COUNT(rows); i++) {
        cleanup_free char *rp = mem_fmt("%s/report.bin", rows[i].folder),
                          *cp = mem_fmt("%s/chain.pem", rows[i].folder);
        cleanup_buf struct buf report = {0}, chain = {0};
        struct gpu_list l;
        struct run r;

        assert_true(gpu_load(rp, &report) && gpu_load(cp, &chain));
        buf_add(&chain, "\0\0", 2); /* as a library that counts the text's end */
        fake_gpu(&fake, 0, buf_view(&report), buf_view(&chain));
        fake_settings(&fake, rows[i].arch);
        prove(&r, 1);
        if (!r.seen.proved)
            fail_msg("%s", r.seen.failed.text);
        assert_int_equal(gpu_list_parse(gpus_json(r.g), &l, NULL), 0);
        assert_string_equal(l.item[0].arch, rows[i].word);
        assert_true(view_eq(buf_view(&l.item[0].report), buf_view(&report)));
        assert_int_equal(l.item[0].n_certs, GPU_CERTS);
        gpu_list_free(&l);
        end_run(&r);
    }
}

static void evidence_that_is_none(void **state) {
    struct made_gpu m[2];

    (void)state;
    made_gpus(m, 2);
    fake_settings(&fake, "report_size 0\n");
    must_not_prove(1, "gpu-driver", "nvmlDeviceGetConfComputeGpuAttestationReport failed with 7");
    fake_settings(&fake, "report_size 0xffffffff\n");
    must_not_prove(1, "gpu-driver", "nvmlDeviceGetConfComputeGpuAttestationReport failed with 7");
    fake_settings(&fake, "chain_size 0x1401\n");
    must_not_prove(1, "gpu-driver", "nvmlDeviceGetConfComputeGpuCertificate failed with 7");
    fake_settings(&fake, "chain_size 900\n");
    must_not_prove(1, "bad-gpu-list", "of the chain is not PEM");
    fake_settings(&fake, "arch 8\n");
    must_not_prove(1, "gpu-evidence", "architecture 8 has no confidential mode");
    fake_gpu(&fake, 1, buf_view(&m[0].report), view_str("-----BEGIN CERTIFICATE-----\n"));
    fake_settings(&fake, "gpus 2\n");
    must_not_prove(2, "bad-gpu-list", "GPU 2");
    fake_made_gpu(&fake, 1, &m[0]);
    must_not_prove(2, "same-gpu", "shown twice");
    fake_fault(&fake, "nvmlDeviceGetConfComputeGpuCertificate 3\n");
    must_not_prove(2, "gpu-driver", "nvmlDeviceGetConfComputeGpuCertificate failed with 3");
    fake_fault(&fake, "nvmlDeviceGetConfComputeGpuAttestationReport hang\n");
    must_not_prove(2, "gpu-driver", "did not return in time");
    fake_fault(&fake, "nvmlDeviceGetConfComputeGpuAttestationReport crash\n");
    must_not_prove(2, "bad-nvml", "ended");
    free_gpus(m, 2);
}

static void a_state_that_is_no_byte_is_refused(void **state) {
    (void)state;
    fake_settings(&fake, "cc 256\n");
    must_not_start(1, "bad-nvml", "no facts that can be");
}

/* --- ready --- */

static void must_not_open(const char *settings, const char *fault, const char *code,
                          const char *about) {
    struct made_gpu m[1];
    struct run r;

    made_gpus(m, 1);
    fake_settings(&fake, "");
    fake_fault(&fake, "");
    prove(&r, 1);
    assert_true(r.seen.proved);
    fake_settings(&fake, settings);
    fake_fault(&fake, fault);
    gpus_open(r.g);
    loop_run(r.seen.loop);
    assert_false(r.seen.opened);
    if (!strstr(r.seen.failed.text, about))
        fail_msg("'%s' does not name %s", r.seen.failed.text, about);
    assert_string_equal(r.seen.failed.code, code);
    end_run(&r);
    free_gpus(m, 1);
}

static void ready_only_while_they_are_what_was_shown(void **state) {
    (void)state;
    must_not_open("stays 0\n", "", "gpu-driver", "do not become ready");
    must_not_open("gpus 2\n", "", "gpu-count", "NVML knows 2");
    must_not_open("devtools 1\n", "", "gpu-evidence", "another than was shown");
    must_not_open("", "nvmlSystemSetConfComputeGpusReadyState 4\n", "gpu-driver",
                  "nvmlSystemSetConfComputeGpusReadyState failed with 4");
    must_not_open("", "nvmlSystemSetConfComputeGpusReadyState hang\n", "gpu-driver",
                  "nvmlSystemSetConfComputeGpusReadyState did not return in time");
}

static unsigned times_called(const char *name) {
    cleanup_free char *path = fake_path(&fake, "calls");
    cleanup_buf struct buf calls = {0};
    unsigned n = 0;

    assert_int_equal(file_read(path, 65536, &calls, NULL), 0);
    for (const char *p = (char *)calls.p; (p = strstr(p, name)); p++)
        n++;
    return n;
}

static void ready_is_taken_back_once_it_was_given(void **state) {
    static const char call[] = "nvmlSystemSetConfComputeGpusReadyState";
    struct made_gpu m[1];
    struct run r;

    (void)state;
    made_gpus(m, 1);
    prove(&r, 1);
    gpus_close(r.g); /* never opened */
    assert_int_equal(times_called(call), 0);
    end_run(&r);
    prove(&r, 1);
    gpus_open(r.g);
    loop_run(r.seen.loop);
    assert_true(r.seen.opened);
    gpus_close(r.g);
    assert_int_equal(times_called(call), 2);
    gpus_close(r.g);
    assert_int_equal(times_called(call), 2);
    end_run(&r);
    free_gpus(m, 1);
}

/* A driver that dies under a running job is no idle child. */
static void a_child_that_just_ends_is_told(void **state) {
    struct run r;

    (void)state;
    begin_run(&r, 1);
    kill(r.g->child->pid, SIGKILL);
    loop_run(r.seen.loop);
    assert_string_equal(r.seen.failed.code, "bad-nvml");
    end_run(&r);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, open_fake, close_fake)
    const struct CMUnitTest tests[] = {
        T(persistence_comes_before_everything_else),
        T(the_number_of_gpus_is_one_number),
        T(a_call_that_fails_is_named),
        T(a_call_that_hangs_is_ended),
        T(a_library_that_crashes_takes_only_the_child_along),
        T(a_library_that_is_not_there),
        T(outside_of_its_box_a_child_could_do_more),
        T(persistence_may_be_refused),
        T(evidence_is_in_the_protocols_order),
        T(evidence_of_a_real_capture),
        T(evidence_that_is_none),
        T(a_state_that_is_no_byte_is_refused),
        T(ready_only_while_they_are_what_was_shown),
        T(ready_is_taken_back_once_it_was_given),
        T(a_child_that_just_ends_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
