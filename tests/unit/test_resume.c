/* The files that a crash leaves: what opens them and what does not. */
#include "tui/resume.c"

#include "tests/unit/unit.h"

#define WORD "long enough"
#define NOW INT64_C(1800000000)
static const uint8_t JOB[32] = {0x7f, 0x21, 0xab};
static const char NAME[] = "7f21ab0000000000";

struct fixture {
    char dir[64];
    struct resume *r;
    struct resume_file *f;
    struct err e;
};

static int start(void **state) {
    static struct fixture f;

    f = (struct fixture){.dir = "/tmp/cdvm-resume.XXXXXX"};
    assert_non_null(mkdtemp(f.dir));
    f.r = resume_open(f.dir, &f.e);
    assert_non_null(f.r);
    assert_int_equal(resume_set(f.r, view_str(WORD), &f.e), 0);
    f.f = resume_file_new(f.r, JOB, &f.e);
    assert_non_null(f.f);
    assert_int_equal(resume_file_write(f.f, view_str("one"), NOW + 10, &f.e), 0);
    *state = &f;
    return 0;
}

static int stop(void **state) {
    struct fixture *f = *state;

    resume_file_free(f->f);
    resume_free(f->r);
    return remove_tree(f->dir);
}

static void unlock(struct fixture *f) {
    assert_int_equal(resume_unlock(f->r, view_str(WORD), &f->e), 0);
}

static void reads(struct fixture *f, const char *want) {
    cleanup_buf struct buf out = {0};

    if (resume_read(f->r, NAME, NOW, &out, &f->e))
        fail_msg("%s", f->e.text);
    assert_true(view_is(buf_view(&out), want));
}

static void refuses(struct fixture *f, int64_t now, const char *code) {
    cleanup_buf struct buf out = {0};

    assert_int_equal(resume_read(f->r, NAME, now, &out, &f->e), -1);
    assert_string_equal(f->e.code, code);
    assert_true(f->e.text[0]);
}

static void file(struct fixture *f, struct buf *out) {
    assert_int_equal(file_read(f->f->path, RESUME_FILE_MAX, out, &f->e), 0);
}

static void put(struct fixture *f, struct view bytes) {
    assert_int_equal(file_write(f->f->path, bytes, 0600, true, &f->e), 0);
}

static void records_come_back_in_order(void **state) {
    struct fixture *f = *state;
    struct stat st;

    refuses(f, NOW, "locked");
    unlock(f);
    reads(f, "one\n");
    assert_int_equal(resume_file_add(f->f, view_str("two"), &f->e), 0);
    assert_int_equal(resume_file_add(f->f, view_str("three"), &f->e), 0);
    reads(f, "one\ntwo\nthree\n");
    assert_int_equal(resume_file_write(f->f, view_str("new"), NOW + 10, &f->e), 0);
    assert_int_equal(resume_file_add(f->f, view_str("four"), &f->e), 0);
    reads(f, "new\nfour\n");
    assert_int_equal(stat(f->f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void nothing_of_it_is_readable(void **state) {
    struct fixture *f = *state;
    cleanup_buf struct buf bytes = {0};

    assert_int_equal(resume_file_write(f->f, view_str("a long line in the clear"), NOW, &f->e), 0);
    file(f, &bytes);
    assert_null(memmem(bytes.p, bytes.n, "in the clear", 12));
}

/* Cut anywhere: in the head or the snapshot a sentence, behind it the records that are whole. */
static void cut_files_say_so_or_lose_their_last_record(void **state) {
    struct fixture *f = *state;
    cleanup_buf struct buf bytes = {0};
    size_t snapshot;

    unlock(f);
    file(f, &bytes);
    snapshot = bytes.n;
    buf_reset(&bytes);
    assert_int_equal(resume_file_add(f->f, view_str("two"), &f->e), 0);
    file(f, &bytes);
    for (size_t n = 0; n < bytes.n; n++) {
        put(f, view_of(bytes.p, n));
        if (n < snapshot)
            refuses(f, NOW, "truncated");
        else
            reads(f, "one\n");
    }
}

static void every_altered_byte_is_seen(void **state) {
    struct fixture *f = *state;
    cleanup_buf struct buf bytes = {0}, out = {0};

    unlock(f);
    assert_int_equal(resume_file_add(f->f, view_str("two"), &f->e), 0);
    file(f, &bytes);
    for (size_t i = 0; i < bytes.n; i++) {
        bytes.p[i] ^= 1;
        put(f, buf_view(&bytes));
        buf_reset(&out);
        /* A length that reaches beyond the end is a record that was never written whole. */
        if (resume_read(f->r, NAME, NOW - 1, &out, &f->e) == 0)
            assert_true(view_is(buf_view(&out), "one\n"));
        bytes.p[i] ^= 1;
    }
}

static void records_do_not_move(void **state) {
    struct fixture *f = *state;
    cleanup_buf struct buf bytes = {0};
    size_t first, one = 4 + AEAD_NONCE + AEAD_TAG + 3;

    unlock(f);
    file(f, &bytes);
    first = bytes.n;
    buf_reset(&bytes);
    assert_int_equal(resume_file_add(f->f, view_str("abc"), &f->e), 0);
    assert_int_equal(resume_file_add(f->f, view_str("xyz"), &f->e), 0);
    file(f, &bytes);
    assert_int_equal(bytes.n, first + 2 * one);
    memmove(bytes.p + first, bytes.p + first + one, one); /* the second one twice */
    put(f, buf_view(&bytes));
    refuses(f, NOW, "altered");
}

static void each_reason_has_its_sentence(void **state) {
    struct fixture *f = *state;
    cleanup_buf struct buf bytes = {0};

    unlock(f);
    refuses(f, NOW + 11, "stale");
    file(f, &bytes);
    bytes.p[12] = '2';
    put(f, buf_view(&bytes));
    refuses(f, NOW, "unsupported");
    bytes.p[12] = '1';
    put(f, buf_view(&bytes));
    assert_int_equal(resume_unlock(f->r, view_str("another word"), &f->e), 0); /* is unlocked */
    resume_lock(f->r);
    assert_int_equal(resume_unlock(f->r, view_str("another word"), &f->e), -1);
    assert_string_equal(f->e.code, "wrong-passphrase");
    assert_int_equal(resume_set(f->r, view_str("another word"), &f->e), 0);
    assert_int_equal(resume_unlock(f->r, view_str("another word"), &f->e), 0);
    refuses(f, NOW, "wrong-key"); /* it was sealed under the one before */
    resume_file_remove(f->f);
    refuses(f, NOW, "no-job");
}

static void it_is_said_where_it_lies(void **state) {
    struct fixture *f = *state;
    cleanup_free char *path = resume_file_path(f->r, JOB);

    assert_non_null(path);
    assert_non_null(strstr(path, NAME));
    resume_file_remove(f->f);
    assert_null(resume_file_path(f->r, JOB));
}

static void those_in_use_and_those_too_old_are_not_offered(void **state) {
    struct fixture *f = *state;
    struct resume_left job[RESUME_JOBS];
    size_t stale;

    assert_int_equal(resume_scan(f->r, NOW, job, &stale), 0); /* we hold it ourselves */
    resume_file_free(f->f);
    f->f = NULL;
    assert_int_equal(resume_scan(f->r, NOW, job, &stale), 1);
    assert_int_equal(stale, 0);
    assert_string_equal(job[0].job, NAME);
    assert_int_equal(job[0].until, NOW + 10);
    assert_int_equal(resume_scan(f->r, NOW + 11, job, &stale), 0);
    assert_int_equal(stale, 1);
    assert_int_equal(resume_scan(f->r, NOW, job, &stale), 0); /* it is gone */
}

static void a_second_process_is_told_that_it_is_busy(void **state) {
    struct fixture *f = *state;

    assert_null(resume_file_new(f->r, JOB, &f->e));
    assert_string_equal(f->e.code, "busy");
}

#define WITH_FILE(t) cmocka_unit_test_setup_teardown(t, start, stop)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FILE(records_come_back_in_order),
        WITH_FILE(nothing_of_it_is_readable),
        WITH_FILE(cut_files_say_so_or_lose_their_last_record),
        WITH_FILE(every_altered_byte_is_seen),
        WITH_FILE(records_do_not_move),
        WITH_FILE(each_reason_has_its_sentence),
        WITH_FILE(it_is_said_where_it_lies),
        WITH_FILE(those_in_use_and_those_too_old_are_not_offered),
        WITH_FILE(a_second_process_is_told_that_it_is_busy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
