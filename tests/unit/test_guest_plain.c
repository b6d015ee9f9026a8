/* Programs that know nothing of the contract: real ones, in a box that is none. */
#include "guest/plain.c"

#include "tests/unit/unit.h"

#include "guest/contract.h"

struct fixture {
    char dir[64];
    struct loop *loop;
    struct sandbox box;
    struct sandbox_spec spec;
    struct plain *p;
    struct buf text;  /* of all deltas */
    char said[4096];  /* types and codes in order */
    char files[1024]; /* "name=content " of each */
    unsigned n_deltas;
    bool over;
};

/* --- a box without walls --- */

int sandbox_start(const struct sandbox_spec *spec, struct sandbox *box, struct err *e) {
    int in[2], out[2];

    if (!spec->argv[0])
        return err_set(e, "system", "no program");
    assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC), 0);
    box->pid = fork();
    if (box->pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        if (chdir(spec->root) == 0)
            execve(spec->argv[0], spec->argv, spec->env);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    box->to = in[1];
    box->from = out[0];
    return 0;
}

void sandbox_stop(struct sandbox *box) {
    assert_int_equal(box->pid, -1); /* plain has waited for it */
    if (box->to >= 0)
        close(box->to);
    if (box->from >= 0)
        close(box->from);
    box->to = box->from = -1;
}

int sandbox_events(const struct sandbox *box) {
    (void)box;
    return -1;
}

int sandbox_breach(const struct sandbox *box, struct err *e) {
    (void)box;
    (void)e;
    return 0;
}

int sandbox_cause(const struct sandbox *box, struct err *e) {
    (void)box;
    (void)e;
    return 0;
}

/* --- the agent's side --- */

static void note(struct fixture *f, const char *word) {
    size_t n = strlen(f->said);

    snprintf(f->said + n, sizeof f->said - n, "%s ", word);
}

static void take_result(struct fixture *f, const struct contract_msg *m) {
    cleanup_free char *path = mem_fmt("%s/out/%s", f->dir, m->path + strlen("/out/"));
    cleanup_buf struct buf b = {0};
    size_t n = strlen(f->files);

    assert_int_equal(file_read(path, 1000, &b, NULL), 0);
    snprintf(f->files + n, sizeof f->files - n, "%s:%s=%s ", m->name, m->mime,
             b.n ? (char *)b.p : "");
    note(f, "file");
}

static void on_said(void *arg, struct view line) {
    struct fixture *f = arg;
    struct contract_msg m;
    struct err e;

    if (contract_parse(line, &m, &e))
        fail_msg("not of the contract: %s", e.text);
    if (m.type == CONTRACT_DELTA) {
        buf_str(&f->text, m.text);
        f->n_deltas++;
    } else if (m.type == CONTRACT_FILE)
        take_result(f, &m);
    else if (m.type == CONTRACT_READY)
        note(f, m.name);
    else if (m.type == CONTRACT_ERROR)
        note(f, m.code);
    else
        note(f, "done");
    f->over = m.type == CONTRACT_ERROR || m.type == CONTRACT_DONE;
    contract_msg_free(&m);
}

static int start(void **state) {
    static struct fixture f;
    static char *env[] = {NULL};
    struct err e;

    f = (struct fixture){.dir = "/tmp/cdvm-test-plain-XXXXXX", .loop = loop_new(&e)};
    assert_non_null(mkdtemp(f.dir));
    f.box = (struct sandbox){.pid = -1, .to = -1, .from = -1};
    f.box.in = mem_fmt("%s/in", f.dir);
    f.box.out = mem_fmt("%s/out", f.dir);
    assert_int_equal(mkdir(f.box.in, 0700) | mkdir(f.box.out, 0700), 0);
    f.spec = (struct sandbox_spec){.root = f.dir, .env = env};
    f.p = plain_new(f.loop, &f.spec, &f.box, "prog", on_said, &f);
    *state = &f;
    return 0;
}

static int stop(void **state) {
    struct fixture *f = *state;

    plain_free(f->p);
    free(f->box.in);
    free(f->box.out);
    buf_free(&f->text);
    loop_free(f->loop);
    remove_tree(f->dir);
    return 0;
}

static void wait_over(struct fixture *f) {
    for (int i = 0; i < 500 && !f->over; i++)
        (void)loop_turn(f->loop, 20);
    assert_true(f->over);
}

static void ask(struct fixture *f, const char *script, const char *question) {
    static char *argv[4] = {"/bin/sh", "-c", NULL, NULL};
    cleanup_buf struct buf line = {0};

    argv[2] = (char *)(uintptr_t)script;
    f->spec.argv = argv;
    f->over = false;
    f->said[0] = f->files[0] = 0;
    f->n_deltas = 0;
    buf_reset(&f->text);
    assert_true(contract_ask(&line, "q1", view_str(question)));
    plain_take(f->p, buf_view(&line));
}

static void expect(struct fixture *f, const char *text, const char *said) {
    wait_over(f);
    assert_string_equal(f->text.n ? (char *)f->text.p : "", text);
    assert_string_equal(f->said, said);
}

static void it_is_ready_at_once(void **state) {
    struct fixture *f = *state;
    cleanup_buf struct buf line = {0};

    contract_start(&line, NULL, 0);
    plain_take(f->p, buf_view(&line));
    assert_string_equal(f->said, "prog ");
}

static void the_question_goes_in_and_the_output_comes_out(void **state) {
    struct fixture *f = *state;

    ask(f, "/bin/cat; echo end; echo secret >&2", "grüße\nzwei");
    expect(f, "grüße\nzwei\nend\n", "done ");
    ask(f, "/usr/bin/wc -c", ""); /* a line end, always */
    expect(f, "1\n", "done ");
}

static void output_is_streamed(void **state) {
    struct fixture *f = *state;

    ask(f, "echo one; /bin/sleep 0.3; echo two", "");
    for (int i = 0; i < 100 && !f->n_deltas; i++)
        (void)loop_turn(f->loop, 20);
    assert_string_equal((char *)f->text.p, "one\n");
    assert_false(f->over);
    expect(f, "one\ntwo\n", "done ");
}

static void a_bad_end_is_an_error(void **state) {
    struct fixture *f = *state;

    ask(f, "echo half; echo x >out/left; exit 3", "");
    expect(f, "half\n", "exit-status ");
    assert_int_equal(access(f->box.out, F_OK), 0);
    ask(f, "kill -9 $$", "");
    expect(f, "", "exit-status ");
    ask(f, "echo out/*", ""); /* nothing of an earlier run is left */
    expect(f, "out/*\n", "done ");
}

static void files_are_collected_in_order(void **state) {
    struct fixture *f = *state;

    ask(f, "echo 2 >out/b.csv; printf 1 >out/a.bin; echo .", "");
    expect(f, ".\n", "file file done ");
    assert_string_equal(f->files, "a.bin:application/octet-stream=1 b.csv:text/csv=2\n ");
}

static void what_is_no_file_is_an_error(void **state) {
    static const char *const scripts[] = {"/bin/mkdir out/d; echo x >out/d/x",
                                          "/bin/ln -s /etc/passwd out/p", "/usr/bin/mkfifo out/f",
                                          "for i in 1 2 3 4 5 6 7 8 9; do echo >out/$i; done",
                                          "echo >\"out/$(printf '\\377')\""};
    static const char *const codes[] = {"bad-workload ", "bad-workload ", "bad-workload ",
                                        "too-large ", "bad-workload "};
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(scripts); i++) {
        ask(f, scripts[i], "");
        expect(f, "", codes[i]);
    }
    ask(f, "echo out/*", "");
    expect(f, "out/*\n", "done ");
}

static void files_have_their_own_names(void **state) {
    static const uint8_t sha[32];
    struct fixture *f = *state;
    cleanup_free char *zero = mem_fmt("%s/0", f->box.in), *one = mem_fmt("%s/1", f->box.in);
    cleanup_buf struct buf text = {0};

    assert_int_equal(file_write(zero, view_str("old"), 0444, false, NULL), 0);
    assert_int_equal(file_write(one, view_str("new"), 0444, false, NULL), 0);
    contract_file(&text, "x0", "../../a b.json", "/in/0", sha);
    contract_file(&text, "x1", "a b.json", "/in/1", sha);
    plain_take(f->p, buf_view(&text));
    assert_string_equal(f->said, "done done ");
    ask(f, "for i in in/*; do echo \"$i\"; /bin/cat \"$i\"; done", "");
    expect(f, "in/a b.json\nnew", "done ");
}

static void a_cancelled_program_is_ended(void **state) {
    struct fixture *f = *state;
    cleanup_buf struct buf line = {0};
    int64_t began = loop_now();

    ask(f, "echo begun; exec /bin/sleep 60", "");
    for (int i = 0; i < 100 && !f->n_deltas; i++)
        (void)loop_turn(f->loop, 20);
    contract_cancel(&line, "other");
    plain_take(f->p, buf_view(&line));
    (void)loop_turn(f->loop, 20);
    assert_false(f->over);
    buf_reset(&line);
    contract_cancel(&line, "q1");
    plain_take(f->p, buf_view(&line));
    expect(f, "begun\n", "cancelled ");
    assert_true(loop_now() - began < 20000);
}

/* As when an answer was cut off for its length, and the next question is there already. */
static void the_next_question_waits_for_its_end(void **state) {
    struct fixture *f = *state;
    cleanup_buf struct buf line = {0};

    ask(f, "read word; if [ \"$word\" = again ]; then echo second; else exec /bin/sleep 60; fi",
        "");
    contract_cancel(&line, "q1");
    assert_true(contract_ask(&line, "q2", view_str("again")));
    plain_take(f->p, buf_view(&line));
    for (int i = 0; i < 500 && !strstr(f->said, "done"); i++)
        (void)loop_turn(f->loop, 20);
    assert_string_equal(f->said, "cancelled done ");
    assert_string_equal((char *)f->text.p, "second\n");
}

static void a_question_too_many_is_refused(void **state) {
    struct fixture *f = *state;
    cleanup_buf struct buf line = {0};

    ask(f, "echo one", "");
    assert_true(contract_ask(&line, "q2", view_str("x")));
    plain_take(f->p, buf_view(&line));
    assert_string_equal(f->said, "busy ");
    f->over = false;
    expect(f, "one\n", "busy done ");
}

static void a_paused_one_waits(void **state) {
    struct fixture *f = *state;

    plain_pause(f->p, true);
    ask(f, "echo hello", "");
    for (int i = 0; i < 10; i++)
        (void)loop_turn(f->loop, 20);
    assert_false(f->over);
    assert_int_equal(f->n_deltas, 0);
    plain_pause(f->p, false);
    expect(f, "hello\n", "done ");
}

static void one_that_does_not_read_ends_well(void **state) {
    struct fixture *f = *state;
    cleanup_free char *long_one = mem_new(60001);

    memset(long_one, 'x', 60000);
    ask(f, "exec 0<&-; echo ok", long_one);
    expect(f, "ok\n", "done ");
}

static void one_that_does_not_start_is_an_error(void **state) {
    struct fixture *f = *state;
    static char *none[] = {NULL};
    cleanup_buf struct buf line = {0};

    ask(f, "echo first", "");
    expect(f, "first\n", "done ");
    f->spec.argv = none;
    f->said[0] = 0;
    assert_true(contract_ask(&line, "q2", view_str("x")));
    plain_take(f->p, buf_view(&line));
    assert_string_equal(f->said, "system ");
}

static void text_is_made_utf8(void **state) {
    static const struct {
        const char *raw, *now, *end;
        size_t n;
    } rows[] = {
        {"abc", "abc", "abc", 3},
        {"a\xc3", "a", "a\xef\xbf\xbd", 2},
        {"\xc3\xa9", "\xc3\xa9", "\xc3\xa9", 2},
        {"\xf0\x9f\x98", "", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 3},
        {"\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd", "\xef\xbf\xbd\xef\xbf\xbd", 2},
        {"\xe2x", "\xef\xbf\xbdx", "\xef\xbf\xbdx", 2},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
         "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 3},
        {"a\0b",
         "a\xef\xbf\xbd"
         "b",
         "a\xef\xbf\xbd"
         "b",
         3},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        cleanup_buf struct buf raw = {0}, text = {0};

        buf_add(&raw, rows[i].raw, rows[i].n);
        buf_str(&text, "");
        plain_text(&raw, false, &text);
        assert_string_equal((char *)text.p, rows[i].now);
        plain_text(&raw, true, &text);
        assert_string_equal((char *)text.p, rows[i].end);
        assert_int_equal(raw.n, 0);
    }
}

/* However it is cut, the text is the same. */
static void cuts_do_not_show(void **state) {
    static const char whole[] = "\xf0\x9f\x98\x80 \xc3\xa9\xff \xe2\x82\xac\xc3";
    cleanup_buf struct buf all = {0}, want = {0};

    (void)state;
    buf_str(&all, whole);
    plain_text(&all, true, &want);
    for (size_t cut = 0; cut < sizeof whole; cut++) {
        cleanup_buf struct buf raw = {0}, text = {0};

        buf_add(&raw, whole, cut);
        plain_text(&raw, false, &text);
        buf_add(&raw, whole + cut, sizeof whole - 1 - cut);
        plain_text(&raw, true, &text);
        assert_string_equal((char *)text.p, (char *)want.p);
    }
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(it_is_ready_at_once),
        CASE(the_question_goes_in_and_the_output_comes_out),
        CASE(output_is_streamed),
        CASE(a_bad_end_is_an_error),
        CASE(files_are_collected_in_order),
        CASE(what_is_no_file_is_an_error),
        CASE(files_have_their_own_names),
        CASE(a_cancelled_program_is_ended),
        CASE(the_next_question_waits_for_its_end),
        CASE(a_question_too_many_is_refused),
        CASE(a_paused_one_waits),
        CASE(one_that_does_not_read_ends_well),
        CASE(one_that_does_not_start_is_an_error),
        cmocka_unit_test(text_is_made_utf8),
        cmocka_unit_test(cuts_do_not_show),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
