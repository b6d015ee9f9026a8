#include "guest/contract.c"
#include "tests/unit/unit.h"

static int parse(const char *line, struct contract_msg *m, struct err *e) {
    return contract_parse(view_str(line), m, e);
}

static void every_message_of_the_contract_is_read(void **state) {
    static const struct {
        const char *line;
        enum contract_type type;
    } good[] = {
        {"{\"t\":\"ready\",\"name\":\"table\",\"caps\":[\"csv\"]}", CONTRACT_READY},
        {"{\"t\":\"progress\",\"id\":\"a\",\"done\":1,\"total\":2}", CONTRACT_PROGRESS},
        {"{\"t\":\"progress\",\"id\":\"a\",\"done\":1,\"total\":2,\"unit\":\"rows\",\"note\":"
         "\"n\"}",
         CONTRACT_PROGRESS},
        {"{\"t\":\"delta\",\"id\":\"a\",\"text\":\"x\"}", CONTRACT_DELTA},
        {"{\"t\":\"sources\",\"id\":\"a\",\"sources\":[{\"doc\":\"d\"}]}", CONTRACT_SOURCES},
        {"{\"t\":\"table\",\"id\":\"a\",\"columns\":[\"x\",\"y\"],\"rows\":[[\"1\",null]],"
         "\"total\":1}",
         CONTRACT_TABLE},
        {"{\"t\":\"file\",\"id\":\"a\",\"path\":\"/out/r\",\"name\":\"r\",\"mime\":\"text/csv\"}",
         CONTRACT_FILE},
        {"{\"t\":\"done\",\"id\":\"a\",\"usage\":{}}", CONTRACT_DONE},
        {"{\"t\":\"done\",\"id\":\"a\"}", CONTRACT_DONE},
        {"{\"t\":\"error\",\"code\":\"c\",\"message\":\"m\"}", CONTRACT_ERROR},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct contract_msg m;
        struct err e = {0};

        if (parse(good[i].line, &m, &e))
            fail_msg("%s: %s", good[i].line, e.text);
        assert_int_equal(m.type, good[i].type);
        contract_msg_free(&m);
    }
}

static void fields_come_out_as_they_went_in(void **state) {
    struct contract_msg m;

    (void)state;
    assert_int_equal(parse("{\"t\":\"progress\",\"id\":\"q1\",\"done\":3,\"total\":9,"
                           "\"unit\":\"rows\",\"note\":\"loading\"}",
                           &m, NULL),
                     0);
    assert_string_equal(m.id, "q1");
    assert_int_equal(m.done, 3);
    assert_int_equal(m.total, 9);
    assert_string_equal(m.unit, "rows");
    assert_string_equal(m.note, "loading");
    contract_msg_free(&m);
}

static void what_is_not_of_the_contract_is_refused(void **state) {
    static const char *const bad[] = {
        "",
        "[]",
        "1",
        "{}",
        "{\"t\":\"shell\",\"id\":\"a\"}",
        "{\"t\":\"delta\",\"text\":\"x\"}",                               /* no id */
        "{\"t\":\"delta\",\"id\":\"a\"}",                                 /* no text */
        "{\"t\":\"delta\",\"id\":\"a\",\"text\":\"x\",\"to\":\"relay\"}", /* a field too many */
        "{\"t\":\"delta\",\"id\":\"a\",\"id\":\"b\",\"text\":\"x\"}",     /* a key twice */
        "{\"t\":\"delta\",\"id\":1,\"text\":\"x\"}",
        "{\"t\":\"delta\",\"id\":\"a\",\"text\":\"\\u0000\"}",
        "{\"t\":\"delta\",\"id\":\"a\",\"text\":\"x\"} {}",
        "{\"t\":\"progress\",\"id\":\"a\",\"done\":-1,\"total\":2}",
        "{\"t\":\"progress\",\"id\":\"a\",\"done\":1.5,\"total\":2}",
        "{\"t\":\"table\",\"id\":\"a\",\"columns\":[\"x\"],\"rows\":[[\"1\",\"2\"]],\"total\":1}",
        "{\"t\":\"table\",\"id\":\"a\",\"columns\":[\"x\"],\"rows\":[[1]],\"total\":1}",
        "{\"t\":\"table\",\"id\":\"a\",\"columns\":[1],\"rows\":[],\"total\":1}",
        "{\"t\":\"table\",\"id\":\"a\",\"columns\":[\"x\"],\"rows\":[{}],\"total\":1}",
        "{\"t\":\"ready\",\"name\":\"x\",\"caps\":[1]}",
        "{\"t\":\"done\",\"id\":\"a\",\"usage\":[]}",
        "{\"t\":\"error\",\"code\":\"0123456789012345678901234567890123\",\"message\":\"m\"}",
        "\xff",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct contract_msg m;
        struct err e = {0};

        if (parse(bad[i], &m, &e) != -1)
            fail_msg("accepted: %s", bad[i]);
        assert_string_equal(e.code, "bad-workload");
        assert_true(e.text[0]);
        assert_null(m.o);
    }
}

static void too_many_rows_are_refused(void **state) {
    cleanup_buf struct buf b = {0};
    struct contract_msg m;

    (void)state;
    buf_str(&b,
            "{\"t\":\"table\",\"id\":\"a\",\"columns\":[\"x\"],\"total\":201,\"rows\":[[\"1\"]");
    for (int i = 0; i < CONTRACT_ROWS_MAX; i++)
        buf_str(&b, ",[\"1\"]");
    buf_str(&b, "]}");
    assert_int_equal(contract_parse(buf_view(&b), &m, NULL), -1);
}

static void lines_to_the_program_are_one_line_each(void **state) {
    static const struct contract_param params[] = {{"pace", "free"}};
    cleanup_buf struct buf b = {0};
    const uint8_t sha[32] = {0xab};

    (void)state;
    contract_start(&b, params, 1);
    contract_file(&b, "f", "a\nb.csv", "/in/0", sha);
    assert_true(contract_ask(&b, "q", view_str("line 1\nline 2 \"x\"")));
    contract_cancel(&b, "q");
    contract_end(&b);
    assert_string_equal((char *)b.p,
                        "{\"t\":\"start\",\"params\":{\"pace\":\"free\"}}\n"
                        "{\"t\":\"file\",\"id\":\"f\",\"name\":\"a\\nb.csv\",\"path\":\"/in/0\","
                        "\"sha256\":\"ab00000000000000000000000000000000000000000000000000000000000"
                        "000\"}\n"
                        "{\"t\":\"ask\",\"id\":\"q\",\"text\":\"line 1\\nline 2 \\\"x\\\"\"}\n"
                        "{\"t\":\"cancel\",\"id\":\"q\"}\n{\"t\":\"end\"}\n");
}

static void a_question_over_one_line_is_not_sent(void **state) {
    cleanup_buf struct buf b = {0};
    char *text = mem_new(CONTRACT_LINE_MAX + 1);

    (void)state;
    memset(text, 'x', CONTRACT_LINE_MAX);
    assert_false(contract_ask(&b, "q", view_of(text, CONTRACT_LINE_MAX)));
    assert_int_equal(b.n, 0);
    free(text);
}

/* --- job.json --- */

#define JOB(argv, env, limits, mode, uid)                                                          \
    "{\"argv\":" argv ",\"env\":" env ",\"limits\":" limits ",\"mode\":" mode ",\"uid\":" uid "}"

static void a_job_is_read(void **state) {
    struct contract_job j;
    struct err e = {0};

    (void)state;
    if (contract_job_parse(view_str(JOB("[\"/bin/table\",\"-x\"]", "[\"A=1\"]",
                                        "{\"memory_mib\":64}", "\"contract\"", "1000")),
                           &j, &e))
        fail_msg("%s", e.text);
    assert_string_equal(j.argv[1], "-x");
    assert_null(j.argv[2]);
    assert_string_equal(j.env[0], "A=1");
    assert_int_equal(j.memory_mib, 64);
    assert_int_equal(j.uid, 1000);
    assert_true(j.files > 0 && j.processes > 0);
    assert_true(!j.sockets && !j.system); /* closed unless asked for */
    contract_job_free(&j);
}

static void bad_jobs_are_refused(void **state) {
    static const char *const bad[] = {
        "{}",
        "[]",
        JOB("[]", "[]", "{}", "\"contract\"", "1000"),
        JOB("[\"table\"]", "[]", "{}", "\"contract\"", "1000"), /* not an absolute path */
        JOB("[1]", "[]", "{}", "\"contract\"", "1000"),
        JOB("[\"/t\"]", "{}", "{}", "\"contract\"", "1000"),
        JOB("[\"/t\"]", "[]", "[]", "\"contract\"", "1000"),
        JOB("[\"/t\"]", "[]", "{\"memory_mib\":0}", "\"contract\"", "1000"),
        JOB("[\"/t\"]", "[]", "{\"cpu\":1}", "\"contract\"", "1000"),
        JOB("[\"/t\"]", "[]", "{\"sockets\":2}", "\"contract\"", "1000"),
        JOB("[\"/t\"]", "[]", "{}", "\"shell\"", "1000"),
        JOB("[\"/t\"]", "[]", "{}", "\"contract\"", "0"), /* root */
        JOB("[\"/t\"]", "[]", "{}", "\"contract\"", "999"),
        JOB("[\"/t\"]", "[]", "{}", "\"contract\"", "4294967296"),
        JOB("[\"/t\"]", "[]", "{}", "\"contract\"", "1000,\"caps\":1"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct contract_job j;
        struct err e = {0};

        if (contract_job_parse(view_str(bad[i]), &j, &e) != -1)
            fail_msg("accepted: %s", bad[i]);
        assert_string_equal(e.code, "bad-workload");
        assert_null(j.argv);
    }
}

static void the_shipped_job_is_good(void **state) {
    cleanup_buf struct buf text = {0};
    struct contract_job j;
    struct err e = {0};

    (void)state;
    assert_int_equal(file_read("guest/workloads/table.json", 65536, &text, &e), 0);
    if (contract_job_parse(buf_view(&text), &j, &e))
        fail_msg("%s", e.text);
    assert_string_equal(j.argv[0], "/bin/table");
    contract_job_free(&j);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_of_the_contract_is_read),
        cmocka_unit_test(fields_come_out_as_they_went_in),
        cmocka_unit_test(what_is_not_of_the_contract_is_refused),
        cmocka_unit_test(too_many_rows_are_refused),
        cmocka_unit_test(lines_to_the_program_are_one_line_each),
        cmocka_unit_test(a_question_over_one_line_is_not_sent),
        cmocka_unit_test(a_job_is_read),
        cmocka_unit_test(bad_jobs_are_refused),
        cmocka_unit_test(the_shipped_job_is_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
