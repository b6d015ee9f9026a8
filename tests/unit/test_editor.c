#include "tui/editor.c"

#include "tests/unit/unit.h"

static char memory[64], script[96];
static struct {
    struct loop *loop;
    char *text, code[32];
    bool called;
} world;

static void on_done(void *arg, struct view text, const struct err *e) {
    (void)arg;
    world.called = true;
    free(world.text);
    world.text = mem_strn(text.p, text.n);
    snprintf(world.code, sizeof world.code, "%s", e ? e->code : "");
}

static size_t entries(const char *path) {
    DIR *d = opendir(path);
    struct dirent *ent;
    size_t n = 0;

    while (d && (ent = readdir(d)))
        n += ent->d_name[0] != '.';
    if (d)
        closedir(d);
    return n;
}

/* An editor of these lines of shell; $1 is the draft. */
static void editor_is(const char *lines) {
    cleanup_free char *all = mem_fmt("#!/bin/sh\n%s\n", lines);
    struct err e;

    assert_int_equal(file_write(script, view_str(all), 0700, true, &e), 0);
    setenv("VISUAL", script, 1);
}

/* Runs it on a draft and waits for the end. */
static void edit_with(const char *lines, const char *draft) {
    struct editor *ed;
    struct err e;

    editor_is(lines);
    world.called = false;
    ed = editor_start(world.loop, NULL, view_str(draft), on_done, NULL, &e);
    if (!ed)
        fail_msg("%s", e.text);
    for (int i = 0; i < 200 && !world.called; i++)
        loop_turn(world.loop, 50);
    assert_true(world.called);
    editor_free(ed);
}

static void brings_the_text_back(void **state) {
    (void)state;
    edit_with("printf ', and more' >>\"$1\"", "a draft");
    assert_string_equal(world.code, "");
    assert_string_equal(world.text, "a draft, and more");
    edit_with("cat \"$1\" >\"$1.new\"; echo end >>\"$1.new\"; mv \"$1.new\" \"$1\"", "kept ");
    assert_string_equal(world.text, "kept end\n");
    assert_int_equal(entries(memory), 0);
}

static void the_file_is_private_and_goes(void **state) {
    (void)state;
    edit_with(
        "stat -c '%a' \"$1\" >/dev/null && m=$(stat -c '%a' \"$1\" \"${1%/*}\" | tr '\\n' ' ')\n"
        "cp \"$1\" \"$1~\"; cp \"$1\" \"${1%/*}/.draft.swp\"; printf '%s' \"$m\" >\"$1\"",
        "secret");
    assert_string_equal(world.text, "600 700 ");
    assert_int_equal(entries(memory), 0);
}

/* What was in the file is overwritten: whoever kept it open reads zeros. */
static void overwritten_before_it_goes(void **state) {
    cleanup_buf struct buf got = {0};
    cleanup_free char *kept = mem_fmt("%s.kept", script);
    struct err e;

    (void)state;
    edit_with("ln \"$1\" \"${0}.kept\"", "a secret of some length");
    assert_int_equal(file_read(kept, 10000, &got, &e), 0);
    unlink(kept);
    assert_true(got.n >= 23);
    for (size_t i = 0; i < got.n; i++)
        assert_int_equal(got.p[i], 0);
}

static void failures_keep_the_draft(void **state) {
    (void)state;
    edit_with("echo x >\"$1\"; exit 3", "draft");
    assert_string_equal(world.code, "no-editor");
    assert_string_equal(world.text, "");
    edit_with("rm \"$1\"", "draft");
    assert_string_not_equal(world.code, "");
    edit_with("kill -KILL $$", "draft");
    assert_string_equal(world.code, "no-editor");
    assert_int_equal(entries(memory), 0);
}

static void options_but_no_shell(void **state) {
    cleanup_free char *line = NULL;

    (void)state;
    editor_is("printf '%s|' \"$@\" >\"$2\"");
    line = mem_fmt("%s  $(touch%s.bad)", script, script);
    setenv("VISUAL", line, 1);
    world.called = false;
    struct err e;
    struct editor *ed = editor_start(world.loop, NULL, view_str("x"), on_done, NULL, &e);

    assert_non_null(ed);
    for (int i = 0; i < 200 && !world.called; i++)
        loop_turn(world.loop, 50);
    assert_non_null(strstr(world.text, "$(touch"));
    editor_free(ed);
}

static void one_that_stops_is_woken(void **state) {
    (void)state;
    edit_with("kill -STOP $$; printf woken >\"$1\"", "draft");
    assert_string_equal(world.text, "woken");
}

static void leaving_while_it_runs(void **state) {
    struct editor *ed;
    struct err e;

    (void)state;
    editor_is("exec sleep 100");
    ed = editor_start(world.loop, NULL, view_str("x"), on_done, NULL, &e);
    assert_non_null(ed);
    editor_free(ed);
    assert_int_equal(entries(memory), 0);
}

static void expect_refusal(const char *folder, const char *code) {
    struct err e = {0};

    assert_null(editor_start(world.loop, folder, view_str("x"), on_done, NULL, &e));
    assert_string_equal(e.code, code);
}

static void refuses_what_is_not_private(void **state) {
    (void)state;
    editor_is("true");
    chmod(memory, 0755);
    expect_refusal(NULL, "unsafe-folder");
    chmod(memory, 0700);
    setenv("XDG_RUNTIME_DIR", "/proc", 1);
    expect_refusal(NULL, "unsafe-folder");
    unsetenv("XDG_RUNTIME_DIR");
    expect_refusal(NULL, "unsafe-folder");
    expect_refusal("/nonexistent", "unsafe-folder");
    setenv("XDG_RUNTIME_DIR", memory, 1);
    setenv("VISUAL", "  ", 1);
    unsetenv("EDITOR");
    expect_refusal(NULL, "no-editor");
    setenv("VISUAL", "/nonexistent/editor", 1);
    world.called = false;
    struct err e;
    struct editor *ed = editor_start(world.loop, memory, view_str("x"), on_done, NULL, &e);

    for (int i = 0; i < 200 && !world.called; i++)
        loop_turn(world.loop, 50);
    assert_string_equal(world.code, "no-editor");
    editor_free(ed);
}

static int setup(void **state) {
    struct err e;

    (void)state;
    snprintf(memory, sizeof memory, "/dev/shm/cdvm-editor-XXXXXX");
    if (!mkdtemp(memory) || !in_memory(memory))
        return -1;
    setenv("XDG_RUNTIME_DIR", memory, 1);
    snprintf(script, sizeof script, "%s.sh", memory);
    world.loop = loop_new(&e);
    return world.loop ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    loop_free(world.loop);
    free(world.text);
    unlink(script);
    return rmdir(memory);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(brings_the_text_back),
        cmocka_unit_test(the_file_is_private_and_goes),
        cmocka_unit_test(overwritten_before_it_goes),
        cmocka_unit_test(failures_keep_the_draft),
        cmocka_unit_test(options_but_no_shell),
        cmocka_unit_test(one_that_stops_is_woken),
        cmocka_unit_test(leaving_while_it_runs),
        cmocka_unit_test(refuses_what_is_not_private),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
