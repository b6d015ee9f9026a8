#include "core/channel.c"
#include "tests/unit/unit.h"

static struct chan_in feed(const void *p, size_t n) {
    struct chan_in in;

    chan_in_init(&in);
    chan_feed(&in, view_of(p, n));
    return in;
}

static void frames_come_out_as_they_went_in(void **state) {
    struct buf out = {0};
    struct chan_in in;
    struct chan_frame f;

    (void)state;
    assert_int_equal(chan_put(&out, CHAN_EVENT, view_str("{}"), NULL), 0);
    assert_int_equal(chan_put(&out, CHAN_SHUTDOWN, (struct view){0}, NULL), 0);
    in = feed(out.p, out.n);
    assert_int_equal(chan_next(&in, &f, NULL), 1);
    assert_int_equal(f.type, CHAN_EVENT);
    assert_true(view_is(f.payload, "{}"));
    assert_int_equal(chan_next(&in, &f, NULL), 1);
    assert_int_equal(f.type, CHAN_SHUTDOWN);
    assert_int_equal(f.payload.n, 0);
    assert_int_equal(chan_next(&in, &f, NULL), 0);
    chan_in_free(&in);
    buf_free(&out);
}

static void bytes_may_come_one_by_one(void **state) {
    struct buf out = {0};
    struct chan_in in;
    struct chan_frame f;

    (void)state;
    assert_int_equal(chan_put(&out, CHAN_EVENT, view_str("hello"), NULL), 0);
    chan_in_init(&in);
    for (size_t i = 0; i < out.n; i++) {
        assert_int_equal(chan_next(&in, &f, NULL), 0);
        chan_feed(&in, view_of(out.p + i, 1));
    }
    assert_int_equal(chan_next(&in, &f, NULL), 1);
    assert_true(view_is(f.payload, "hello"));
    chan_in_free(&in);
    buf_free(&out);
}

static void the_largest_frame_passes(void **state) {
    uint8_t *big = mem_new(CHAN_MAX);
    struct buf out = {0};
    struct chan_in in;
    struct chan_frame f;
    size_t done = 0;
    int got = 0;

    (void)state;
    assert_int_equal(chan_put(&out, CHAN_EVENT, view_of(big, CHAN_MAX - 1), NULL), 0);
    chan_in_init(&in);
    while (done < out.n) {
        size_t n = out.n - done < CHAN_FEED ? out.n - done : CHAN_FEED;

        chan_feed(&in, view_of(out.p + done, n));
        done += n;
        got += chan_next(&in, &f, NULL);
    }
    assert_int_equal(got, 1);
    assert_int_equal(f.payload.n, CHAN_MAX - 1);
    chan_in_free(&in);
    buf_free(&out);
    assert_int_equal(chan_put(&out, CHAN_EVENT, view_of(big, CHAN_MAX), NULL), -1);
    assert_int_equal(out.n, 0);
    buf_free(&out);
    free(big);
}

static void refuse_bytes(const void *p, size_t n) {
    struct chan_in in = feed(p, n);
    struct chan_frame f;
    struct err e;

    assert_int_equal(chan_next(&in, &f, &e), -1);
    assert_string_equal(e.code, "bad-frame");
    assert_int_equal(chan_next(&in, &f, &e), -1); /* and stays broken */
    chan_in_free(&in);
}

static void bad_lengths_and_types_are_refused(void **state) {
    (void)state;
    refuse_bytes("\0\0\0\0\2", 5);   /* no room for a type */
    refuse_bytes("\1\0\x10\0\2", 5); /* one over the limit, before it is read */
    refuse_bytes("\xff\xff\xff\xff\2", 5);
    refuse_bytes("\1\0\0\0\0", 5);   /* type 0 */
    refuse_bytes("\1\0\0\0\x0c", 5); /* type 12 */
}

static void unread_frames_do_not_grow_without_end(void **state) {
    struct chan_in in;
    struct chan_frame f;
    uint8_t *junk = mem_new(CHAN_FEED);
    struct err e;

    (void)state;
    chan_in_init(&in);
    for (int i = 0; i < 100; i++)
        chan_feed(&in, view_of(junk, CHAN_FEED));
    assert_int_equal(chan_next(&in, &f, &e), -1);
    chan_in_free(&in);
    free(junk);
}

static struct view payload(const struct buf *b) {
    return view_of(b->p + 5, b->n - 5);
}

static void auth_round_trip(void **state) {
    struct buf out = {0};
    struct chan_auth a;

    (void)state;
    assert_int_equal(chan_put_auth(&out, 3, view_str("challenge"), NULL), 0);
    assert_int_equal(chan_auth_parse(payload(&out), &a, NULL), 0);
    assert_int_equal(a.relay, 3);
    assert_true(view_is(a.body, "challenge"));
    assert_int_equal(chan_auth_parse(view_str("x"), &a, NULL), -1);
    assert_int_equal(chan_auth_parse((struct view){0}, &a, NULL), -1);
    buf_free(&out);
}

static void challenges_are_printable_and_short(void **state) {
    char long_one[CHAN_CHALLENGE_MAX + 2];

    (void)state;
    memset(long_one, 'a', sizeof long_one);
    assert_true(chan_challenge_ok(view_str("abc")));
    assert_true(chan_challenge_ok(view_of(long_one, CHAN_CHALLENGE_MAX)));
    assert_false(chan_challenge_ok(view_of(long_one, CHAN_CHALLENGE_MAX + 1)));
    assert_false(chan_challenge_ok((struct view){0}));
    assert_false(chan_challenge_ok(view_str("a\n")));
    assert_false(chan_challenge_ok(view_str("\xc3\xa9")));
}

static void blob_round_trip_and_bounds(void **state) {
    struct chan_blob b = {.total = 10, .offset = 7, .data = view_str("abc")}, got;
    struct buf out = {0};

    (void)state;
    memset(b.sha256, 9, 32);
    assert_int_equal(chan_put_blob(&out, CHAN_BLOB_PUT, &b, NULL), 0);
    assert_int_equal(chan_blob_parse(payload(&out), &got, NULL), 0);
    assert_memory_equal(got.sha256, b.sha256, 32);
    assert_true(got.total == 10 && got.offset == 7 && view_is(got.data, "abc"));
    out.p[5 + 32] = 9; /* total 9: the last byte does not fit */
    assert_int_equal(chan_blob_parse(payload(&out), &got, NULL), -1);
    out.p[5 + 32] = 10;
    memset(out.p + 5 + 40, 0xff, 8); /* an offset that would wrap */
    assert_int_equal(chan_blob_parse(payload(&out), &got, NULL), -1);
    assert_int_equal(chan_blob_parse(view_of(out.p + 5, 48), &got, NULL), -1); /* no byte */
    b.offset = 8;
    assert_int_equal(chan_put_blob(&out, CHAN_BLOB_PUT, &b, NULL), -1);
    buf_free(&out);
}

static void get_and_status_are_exact(void **state) {
    struct chan_blob_get g = {.max = 77}, got;
    struct buf out = {0};
    uint8_t sha[32];
    enum chan_blob_status s;

    (void)state;
    assert_int_equal(chan_put_blob_get(&out, &g, NULL), 0);
    assert_int_equal(chan_blob_get_parse(payload(&out), &got, NULL), 0);
    assert_true(got.max == 77);
    assert_int_equal(chan_blob_get_parse(view_of(out.p + 5, 39), &got, NULL), -1);
    buf_reset(&out);
    assert_int_equal(chan_put_blob_status(&out, g.sha256, CHAN_BLOB_FAILED, NULL), 0);
    assert_int_equal(chan_blob_status_parse(payload(&out), sha, &s, NULL), 0);
    assert_int_equal(s, CHAN_BLOB_FAILED);
    out.p[out.n - 1] = CHAN_BLOB_FAILED + 1;
    assert_int_equal(chan_blob_status_parse(payload(&out), sha, &s, NULL), -1);
    buf_free(&out);
}

static void every_state_has_a_name(void **state) {
    (void)state;
    assert_string_equal(chan_state_name(CHAN_BOOTED), "booted");
    assert_string_equal(chan_state_name(CHAN_ERR_PROTOCOL), "error: protocol");
    assert_string_equal(chan_state_name(200), "unknown state");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_come_out_as_they_went_in),
        cmocka_unit_test(bytes_may_come_one_by_one),
        cmocka_unit_test(the_largest_frame_passes),
        cmocka_unit_test(bad_lengths_and_types_are_refused),
        cmocka_unit_test(unread_frames_do_not_grow_without_end),
        cmocka_unit_test(auth_round_trip),
        cmocka_unit_test(challenges_are_printable_and_short),
        cmocka_unit_test(blob_round_trip_and_bounds),
        cmocka_unit_test(get_and_status_are_exact),
        cmocka_unit_test(every_state_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
