#include "tui/notify.c"

#include "tests/unit/unit.h"

static void expect(enum notify how, bool bell, const char *words, const char *bytes) {
    cleanup_buf struct buf out = {0};

    notify_bytes(how, bell, (struct safe_text){(char *)(uintptr_t)words, strlen(words)}, &out);
    buf_add(&out, "", 1);
    assert_string_equal((char *)out.p, bytes);
}

static void bytes_of_each_kind(void **st) {
    (void)st;
    expect(NOTIFY_OFF, false, "job 7f21 is ready", "");
    expect(NOTIFY_OFF, true, "job 7f21 is ready", "\007");
    expect(NOTIFY_OSC9, true, "job 7f21 is ready", "\007\033]9;cdvm: job 7f21 is ready\033\\");
    expect(NOTIFY_OSC777, false, "job 7f21 is ready",
           "\033]777;notify;cdvm;job 7f21 is ready\033\\");
}

/* Even words that did not come from the sanitiser end no sequence and begin none. */
static void nothing_but_plain_words(void **st) {
    cleanup_buf struct buf out = {0};
    char all[256];

    (void)st;
    expect(NOTIFY_OSC777, false, "a;b\033\\\007$<5>\xc2\x9d",
           "\033]777;notify;cdvm;a?b????"
           "?5???"
           "\033\\");
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    for (int at = 0; at < 256; at += 64) {
        buf_reset(&out);
        notify_bytes(NOTIFY_OSC9, false, (struct safe_text){all + at, 64}, &out);
        assert_int_equal(out.n, 10 + 64 + 2);
        for (size_t i = 10; i < 10 + 64; i++)
            assert_true(out.p[i] >= 0x20 && out.p[i] < 0x7f && out.p[i] != ';' && out.p[i] != '$');
    }
    buf_reset(&out);
    notify_bytes(NOTIFY_OSC9, false, (struct safe_text){all, 256}, &out);
    assert_int_equal(out.n, 10 + NOTIFY_WORDS_MAX + 2);
}

static void only_terminals_that_are_known(void **st) {
    static const struct {
        const char *term, *program, *tmux;
        enum notify want;
    } ROWS[] = {
        {"xterm-256color", NULL, NULL, NOTIFY_OFF},
        {"linux", NULL, NULL, NOTIFY_OFF},
        {"foot", NULL, NULL, NOTIFY_OSC777},
        {"foot", NULL, "/tmp/tmux-0/default,1,0", NOTIFY_OFF},
        {"xterm-kitty", NULL, NULL, NOTIFY_OSC9},
        {"xterm-256color", "WezTerm", NULL, NOTIFY_OSC9},
    };

    (void)st;
    unsetenv("STY");
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        setenv("TERM", ROWS[i].term, 1);
        unsetenv("TERM_PROGRAM");
        unsetenv("TMUX");
        if (ROWS[i].program)
            setenv("TERM_PROGRAM", ROWS[i].program, 1);
        if (ROWS[i].tmux)
            setenv("TMUX", ROWS[i].tmux, 1);
        assert_int_equal(notify_here(NOTIFY_AUTO), ROWS[i].want);
        assert_int_equal(notify_here(NOTIFY_OSC777), NOTIFY_OSC777);
        assert_int_equal(notify_here(NOTIFY_OFF), NOTIFY_OFF);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_of_each_kind),
        cmocka_unit_test(nothing_but_plain_words),
        cmocka_unit_test(only_terminals_that_are_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
