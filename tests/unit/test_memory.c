/* The lines of the memory file. */
#include "attest/memory.c"
#include "tests/unit/unit.h"

#define KEY "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a"

static void read_ok(const char *text, struct memory *m) {
    struct err e = {0};

    if (memory_parse(view_str(text), m, &e))
        fail_msg("%s", e.text);
}

static void what_is_written_is_read(void **state) {
    const struct tcb_floor f = {0x19, 0x10, 0x1f, 1, 2, 0, 10, 0, 27, 84, "", ""};
    const struct gpu_floor driver = {GPU_DRIVER, "GH100", "550.54.15"},
                           vbios = {GPU_VBIOS, "GH100", "96.00.5E"};
    const uint8_t chip[8] = {1, 2, 3};
    struct memory m = {0}, again;
    cleanup_buf struct buf text = {0};
    uint8_t key[32], other[32] = {7};

    (void)state;
    memset(key, 0x0a, 32);
    assert_true(memory_add_seq(&m, 31880, key, "cdvm-guest/0.1.0", 4, false, &text));
    assert_true(memory_add_seq(&m, 31880, key, "cdvm-guest/0.1.0", 9, false, &text));
    assert_true(memory_add_seq(&m, 31880, key, "cdvm-guest/0.1.0", 8, false, &text)); /* no line */
    assert_true(memory_add_floor(&m, key, &f, &text));
    assert_true(memory_add_floor(&m, key, &f, &text)); /* no line */
    assert_true(memory_add_gpu_floor(&m, key, &driver, &text));
    assert_true(memory_add_gpu_floor(&m, key, &driver, &text)); /* no line */
    assert_true(memory_add_gpu_floor(&m, key, &vbios, &text));
    assert_true(memory_add_revoked(&m, key, other, &text));
    assert_true(memory_add_seen(&m, key, SEEN_CHIP, view_of(chip, 8), 1795305600, &text));
    assert_true(memory_add_seen(&m, key, SEEN_CHIP, view_of(chip, 8), 1895305600, &text));
    assert_string_equal((char *)text.p,
                        "seq 31880 " KEY " 4 cdvm-guest/0.1.0\n"
                        "seq 31880 " KEY " 9 cdvm-guest/0.1.0\n"
                        "floor " KEY " 19:10-1f/1-2 fmc=0 bl=10 tee=0 snp=27 ucode=84\n"
                        "driver " KEY " GH100 550.54.15\n"
                        "vbios " KEY " GH100 96.00.5E\n"
                        "revoked " KEY " "
                        "0700000000000000000000000000000000000000000000000000000000000000\n"
                        "seen " KEY " chip 0102030000000000 1795305600\n");
    read_ok((char *)text.p, &again);
    assert_int_equal(again.n_seq, 1);
    assert_int_equal(memory_seq(&again, 31880, key, "cdvm-guest/0.1.0"), 9);
    assert_int_equal(memory_seq(&again, 31881, key, "cdvm-guest/0.1.0"), 0);
    assert_int_equal(memory_seq(&again, 31880, other, "cdvm-guest/0.1.0"), 0);
    assert_false(memory_gone(&again, 31880, key, "cdvm-guest/0.1.0"));
    assert_int_equal(memory_seq(NULL, 31880, key, "x"), 0);
    assert_int_equal(again.floor[0].floor.step_hi, 2);
    assert_int_equal(again.n_gpu_floors, 2);
    assert_int_equal(again.gpu_floor[1].floor.part, GPU_VBIOS);
    assert_string_equal(again.gpu_floor[1].floor.version, "96.00.5E");
    assert_int_equal(again.n_revoked, 1);
    assert_int_equal(memory_first(&again, key, SEEN_CHIP)->when, 1795305600);
    assert_null(memory_first(&again, key, SEEN_RELEASE));
    assert_true(memory_has(&again, key, SEEN_CHIP, view_of(chip, 8)));
    assert_false(memory_has(&again, key, SEEN_CHIP, view_of(chip, 7)));
    memory_free(&again);
    memory_free(&m);
}

/* Taken back stays so until a newer word. */
static void words_taken_back(void **state) {
    struct memory m;
    uint8_t key[32];

    (void)state;
    memset(key, 0x0a, 32);
    read_ok("seq 31880 " KEY " 4 a\ngone 31880 " KEY " 5 a\nseq 31880 " KEY " 5 a\n", &m);
    assert_true(memory_gone(&m, 31880, key, "a"));
    assert_int_equal(memory_seq(&m, 31880, key, "a"), 5);
    memory_free(&m);
    read_ok("gone 31880 " KEY " 5 a\nseq 31880 " KEY " 6 a\n", &m);
    assert_false(memory_gone(&m, 31880, key, "a"));
    memory_free(&m);
    assert_false(memory_gone(NULL, 31880, key, "a"));
}

static void a_cut_off_line_is_passed_over(void **state) {
    struct memory m;

    (void)state;
    read_ok("seq 31880 " KEY " 4 a\nseq 31880 " KEY " 5", &m);
    assert_int_equal(m.n_seq, 1);
    memory_free(&m);
    read_ok("", &m);
    assert_int_equal(m.n_seq, 0);
}

static void lines_that_are_none(void **state) {
    static const char *const rows[] = {
        "seq 31880 " KEY " 4\n",
        "seq 31880 " KEY " 4 \n",
        "seq 31880 " KEY " 4 a b\n",
        "seq 31880 " KEY " x a\n",
        "seq 65536 " KEY " 4 a\n",
        "seq 31880 0a 4 a\n",
        "floor " KEY " 19\n",
        "floor " KEY "\n",
        "driver " KEY "\n",
        "driver " KEY " GH100\n",
        "driver " KEY " GH100 96.00.5E\n",
        "revoked " KEY "\n",
        "revoked " KEY " 00\n",
        "seen " KEY " chip 00 1 2\n",
        "seen " KEY " chip  1\n",
        "seen " KEY " face 00 1\n",
        "seen " KEY " chip 0 1\n",
        "seen " KEY " chip 00 x\n",
        "something\n",
        "\n",
    };
    struct memory m;
    struct err e;
    char with_nul[] = "seq 31880 " KEY " 4 a\0b\n";

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (!memory_parse(view_str(rows[i]), &m, &e))
            fail_msg("accepted: %s", rows[i]);
        assert_string_equal(e.code, "bad-memory");
        assert_int_equal(m.n_seq + m.n_floors + m.n_gpu_floors + m.n_revoked + m.n_seen, 0);
    }
    assert_int_equal(memory_parse(view_of(with_nul, sizeof with_nul - 1), &m, &e), -1);
}

/* A name with a line end in it could forge the next line. */
static void names_that_are_no_line(void **state) {
    struct memory m = {0};
    cleanup_buf struct buf line = {0};
    char longest[MEMORY_D + 1];
    uint8_t key[32] = {0};

    (void)state;
    memset(longest, 'a', sizeof longest);
    longest[MEMORY_D] = '\0';
    assert_false(memory_add_seq(&m, 31880, key, "a\nseen", 1, false, &line));
    assert_false(memory_add_seq(&m, 31880, key, "", 1, false, &line));
    assert_false(memory_add_seq(&m, 31880, key, longest, 1, false, &line));
    assert_int_equal(line.n, 0);
    memory_free(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),       cmocka_unit_test(words_taken_back),
        cmocka_unit_test(a_cut_off_line_is_passed_over), cmocka_unit_test(lines_that_are_none),
        cmocka_unit_test(names_that_are_no_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
