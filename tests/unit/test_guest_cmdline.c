#include "guest/cmdline.c"
#include "tests/unit/unit.h"

#define ROOT "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define KERNEL "console=null loglevel=0 oops=panic panic=-1 random.trust_cpu=1 acpi=off "
#define WORK "cdvm.work=" ROOT ":527"

static int parse(const char *line, struct cmdline *out, struct err *e) {
    return cmdline_parse(view_str(line), out, e);
}

static void all_three_words_are_taken(void **state) {
    struct cmdline c;

    (void)state;
    assert_int_equal(parse(KERNEL WORK " cdvm.model=" ROOT ":99 cdvm.broker=" ROOT "\n", &c, NULL),
                     0);
    assert_int_equal(c.work.blocks, 527);
    assert_int_equal(c.work.root[1], 0x23);
    assert_true(c.has_model && c.has_broker);
    assert_int_equal(c.model.blocks, 99);
    assert_int_equal(c.broker[31], 0xef);
}

static void none_is_no_model_and_no_broker(void **state) {
    struct cmdline c;

    (void)state;
    assert_int_equal(parse(WORK " cdvm.model=none cdvm.broker=none", &c, NULL), 0);
    assert_false(c.has_model || c.has_broker);
}

static void a_base_may_be_named(void **state) {
    struct cmdline c;

    (void)state;
    assert_int_equal(parse(WORK " cdvm.model=none cdvm.broker=none", &c, NULL), 0);
    assert_false(c.has_base);
    assert_int_equal(
        parse("cdvm.base=" ROOT ":7 " WORK " cdvm.model=none cdvm.broker=none", &c, NULL), 0);
    assert_true(c.has_base);
    assert_int_equal(c.base.blocks, 7);
    assert_int_equal(c.base.root[1], 0x23);
}

static void bad_lines_are_refused(void **state) {
    static const char *const bad[] = {
        "",
        KERNEL,
        WORK " cdvm.model=none",                                  /* no broker */
        WORK " cdvm.model=none cdvm.broker=" ROOT,                /* an owner of nothing */
        "cdvm.work=none cdvm.model=none cdvm.broker=none",        /* a job needs a workload */
        WORK " " WORK " cdvm.model=none cdvm.broker=none",        /* twice */
        WORK " cdvm.model=none cdvm.model=none cdvm.broker=none", /* twice the same */
        WORK " cdvm.model=none cdvm.broker=none cdvm.debug=1",    /* unknown */
        WORK " cdvm.model=none cdvm.broker=none cdvm.",           /* unknown, empty */
        WORK " cdvm.model=none cdvm.broker=none cdvm.base=none",  /* a release has one or not */
        WORK " cdvm.model=none cdvm.broker=none cdvm.base=" ROOT ":7 cdvm.base=" ROOT ":7",
        WORK "x cdvm.model=none cdvm.broker=none",                /* behind the blocks */
        "cdvm.work=" ROOT ":0 cdvm.model=none cdvm.broker=none",  /* no blocks */
        "cdvm.work=" ROOT ":01 cdvm.model=none cdvm.broker=none", /* leading zero */
        "cdvm.work=" ROOT " cdvm.model=none cdvm.broker=none",    /* no blocks at all */
        "cdvm.work=0" ROOT ":5 cdvm.model=none cdvm.broker=none", /* 65 digits */
        "cdvm.work=" ROOT ":1234567890123 cdvm.model=none cdvm.broker=none",
        WORK " cdvm.model=None cdvm.broker=none",
        WORK " cdvm.model=none cdvm.broker=0" ROOT,
        WORK " cdvm.model=none cdvm.broker=none\t",
        WORK " cdvm.model=none cdvm.broker=none\n\n",
        WORK " cdvm.model=none cdvm.broker=none \xc3\xa9",
    };
    struct cmdline c;
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        memset(&e, 0, sizeof e);
        if (parse(bad[i], &c, &e) != -1)
            fail_msg("accepted: %s", bad[i]);
        assert_string_equal(e.code, "bad-cmdline");
        assert_true(e.text[0]);
    }
}

static void upper_case_hex_is_refused(void **state) {
    char line[256] = WORK " cdvm.model=none cdvm.broker=none";
    struct cmdline c;

    (void)state;
    strchr(line, 'a')[0] = 'A';
    assert_int_equal(parse(line, &c, NULL), -1);
}

static void other_words_are_the_kernels(void **state) {
    struct cmdline c;

    (void)state;
    assert_int_equal(
        parse("xcdvm.work=1 initrd=initrd  " WORK " cdvm.model=none cdvm.broker=none", &c, NULL),
        0);
}

static void an_overlong_line_is_refused(void **state) {
    char *line = mem_new(CMDLINE_MAX + 2);
    struct cmdline c;

    (void)state;
    memset(line, 'a', CMDLINE_MAX + 1);
    assert_int_equal(cmdline_parse(view_of(line, CMDLINE_MAX + 1), &c, NULL), -1);
    free(line);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_three_words_are_taken),
        cmocka_unit_test(none_is_no_model_and_no_broker),
        cmocka_unit_test(a_base_may_be_named),
        cmocka_unit_test(bad_lines_are_refused),
        cmocka_unit_test(upper_case_hex_is_refused),
        cmocka_unit_test(other_words_are_the_kernels),
        cmocka_unit_test(an_overlong_line_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
