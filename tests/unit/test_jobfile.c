/* job.json as it is written here is one that the agent takes. */
#include "provider/jobfile.c"

#include "guest/contract.h"
#include "tests/unit/unit.h"

#define WORDS(...)                                                                                 \
    (const char *const[]) {                                                                        \
        __VA_ARGS__                                                                                \
    }

static void it_is_canonical(void **state) {
    struct jobfile j = {.argv = WORDS("/bin/sh", "-c", "x"),
                        .n_argv = 3,
                        .env = WORDS("B=1", "PATH=/bin", "A=2", "B=3", "BB=4"),
                        .n_env = 5,
                        .mode = "plain",
                        .name = "tool",
                        .cwd = "/w",
                        .uid = 1234,
                        .limit = {{"files", 256}, {"in_mib", 0}, {"system", 1}},
                        .n_limits = 3};
    cleanup_buf struct buf out = {0};
    struct err e;

    (void)state;
    assert_int_equal(jobfile_json(&j, &out, &e), 0);
    assert_string_equal((char *)out.p,
                        "{\"argv\":[\"/bin/sh\",\"-c\",\"x\"],\"cwd\":\"/w\",\"env\":[\"A=2\","
                        "\"B=3\",\"BB=4\",\"PATH=/bin\"],\"limits\":{\"files\":256,\"system\":1},"
                        "\"mode\":\"plain\",\"name\":\"tool\",\"uid\":1234}\n");
}

static void the_agent_takes_it(void **state) {
    struct jobfile j = {.argv = WORDS("/x"),
                        .n_argv = 1,
                        .env = WORDS("A=\"quoted\" \n\\"),
                        .n_env = 1,
                        .mode = "plain",
                        .name = "",
                        .cwd = "/",
                        .uid = 1000,
                        .limit = {{"memory_mib", 64}, {"sockets", 1}},
                        .n_limits = 2};
    cleanup_buf struct buf out = {0};
    struct contract_job got;
    struct err e;

    (void)state;
    assert_int_equal(jobfile_json(&j, &out, &e), 0);
    if (contract_job_parse(buf_view(&out), &got, &e))
        fail_msg("%s", e.text);
    assert_int_equal(got.mode, CONTRACT_MODE_PLAIN);
    assert_string_equal(got.env[0], j.env[0]);
    assert_string_equal(got.cwd, "/");
    assert_string_equal(got.name, "x");
    assert_int_equal(got.memory_mib, 64);
    assert_int_equal(got.sockets, 1);
    contract_job_free(&got);
}

static void what_the_agent_would_refuse_is_refused(void **state) {
    const char *many[JOBFILE_WORDS_MAX + 1];
    const struct jobfile usual = {.mode = "plain", .name = "", .cwd = "", .uid = 1000};
    struct jobfile rows[6];
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(many); i++)
        many[i] = "/x";
    for (size_t i = 0; i < COUNT(rows); i++)
        rows[i] = usual;
    rows[1].argv = WORDS("relative"), rows[1].n_argv = 1;
    rows[2].argv = many, rows[2].n_argv = COUNT(many);
    rows[3].argv = WORDS("/x", "\xff"), rows[3].n_argv = 2;
    rows[4].argv = many, rows[4].n_argv = 1, rows[4].env = WORDS("no equals sign"),
    rows[4].n_env = 1;
    rows[5].argv = many, rows[5].n_argv = 1, rows[5].env = WORDS("=x"), rows[5].n_env = 1;
    for (size_t i = 0; i < COUNT(rows); i++) {
        cleanup_buf struct buf out = {0};

        if (jobfile_json(&rows[i], &out, &e) != -1)
            fail_msg("row %zu was taken", i);
    }
}

static void nobody_is_root(void **state) {
    (void)state;
    assert_int_equal(jobfile_uid(0), 1000);
    assert_int_equal(jobfile_uid(999), 1000);
    assert_int_equal(jobfile_uid(1234), 1234);
    assert_int_equal(jobfile_uid(65534), 1000);
    assert_int_equal(jobfile_uid((uint64_t)1 << 32), 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_canonical),
        cmocka_unit_test(the_agent_takes_it),
        cmocka_unit_test(what_the_agent_would_refuse_is_refused),
        cmocka_unit_test(nobody_is_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
