#include "guest/modelkey.c"
#include "tests/unit/guest_job.h"
#include "tests/unit/unit.h"

/* The guest with its handlers, and K at the other end. */
struct fixture {
    struct made_job job;
    struct cmdline c;
    struct keypair *g, *k;
    struct modelkey *m;
    struct event *sent[4];
    size_t n_sent;
    uint8_t data[64];
    unsigned reports;
    struct secret *key;
};

static void on_send(void *arg, const struct event *wrap) {
    struct fixture *f = arg;

    assert_true(f->n_sent < COUNT(f->sent));
    f->sent[f->n_sent++] = event_copy(wrap);
}

static void on_report(void *arg, const uint8_t data[64]) {
    struct fixture *f = arg;

    memcpy(f->data, data, 64);
    f->reports++;
}

static void on_key(void *arg, struct secret *key) {
    struct fixture *f = arg;

    assert_null(f->key);
    f->key = key;
}

static int start(void **state) {
    static const struct modelkey_handler h = {on_send, on_report, on_key};
    struct fixture *f = mem_new(sizeof *f);

    job_make(&f->job);
    f->g = keypair_new();
    f->k = keypair_new();
    f->c = (struct cmdline){.has_model = true, .has_broker = true, .model = {.blocks = 3}};
    f->c.work.blocks = 5;
    memset(f->c.model.root, 0x33, 32);
    memcpy(f->c.broker, keypair_pub(f->k), 32);
    f->m = modelkey_new(
        &(struct modelkey_subject){.cmdline = &f->c, .request = &f->job.q, .guest = f->g}, &h, f);
    *state = f;
    return 0;
}

static int stop(void **state) {
    struct fixture *f = *state;

    modelkey_free(f->m);
    for (size_t i = 0; i < f->n_sent; i++)
        event_free(f->sent[i]);
    secret_free(f->key);
    keypair_free(f->g);
    keypair_free(f->k);
    job_drop(&f->job);
    free(f);
    return 0;
}

/* What K finds in the i-th wrap. */
static void sent_is(struct fixture *f, size_t i, const char *type, struct msg *m) {
    struct rumor *r = wrap_open(f->sent[i], f->k, NULL, NULL);

    assert_non_null(r);
    assert_memory_equal(r->f.pubkey, keypair_pub(f->g), 32);
    assert_int_equal(msg_parse(r, m, NULL), 0);
    assert_string_equal(m->type, type);
    assert_memory_equal(m->job, f->job.q.id, 32);
    rumor_free(r);
}

static void say_to(struct fixture *f, const struct keypair *from, const char *type,
                   const uint8_t job[static 32], struct view body) {
    int64_t now = unix_now();
    struct rumor *r = msg_make(type, job, body, from, keypair_pub(f->g), now);
    struct event *ev = wrap_make(r, from, NULL, keypair_pub(f->g), KIND_WRAP, now, 0, NULL);

    modelkey_event(f->m, ev);
    event_free(ev);
    rumor_free(r);
}

static void say_nonce(struct fixture *f, const struct keypair *from, uint8_t first) {
    cleanup_buf struct buf body = {0};
    uint8_t nonce[32] = {first};

    key_nonce_body(nonce, &body);
    say_to(f, from, "key_nonce", f->job.q.id, buf_view(&body));
}

static void say_key(struct fixture *f, const struct keypair *from) {
    struct secret *key = secret_new(MODELKEY_LEN);
    cleanup_buf struct buf body = {0};

    memset(secret_edit(key), 0x5a, MODELKEY_LEN);
    key_body(key, &body);
    say_to(f, from, "key", f->job.q.id, buf_view(&body));
    secret_free(key);
}

static void from_question_to_key(void **state) {
    struct fixture *f = *state;
    struct key_evidence ev;
    uint8_t model[32], want[64], nonce[32] = {8};
    struct msg m;

    sent_is(f, 0, "key_ask", &m);
    assert_int_equal(key_ask_parse(m.o, model, NULL), 0);
    assert_memory_equal(model, f->c.model.root, 32);
    msg_free(&m);
    say_nonce(f, f->k, 8);
    assert_int_equal(f->reports, 1);
    binding_model_data(keypair_pub(f->g), keypair_pub(f->k), nonce, f->c.model.root,
                       view_of(NULL, 0), want);
    assert_memory_equal(f->data, want, 64);
    assert_true(modelkey_wants_report(f->m));
    modelkey_report(f->m, view_str("signed"));
    sent_is(f, 1, "key_evidence", &m);
    assert_int_equal(key_evidence_parse(m.o, &ev, NULL), 0);
    assert_true(view_is(buf_view(&ev.report), "signed"));
    assert_memory_equal(ev.nonce, f->job.q.nonce, 32);
    assert_int_equal(ev.work.blocks, 5);
    key_evidence_free(&ev);
    msg_free(&m);
    say_key(f, f->k);
    assert_non_null(f->key);
    assert_int_equal(secret_get(f->key)[63], 0x5a);
    assert_int_equal(f->n_sent, 2);
}

static void only_the_owner_is_heard(void **state) {
    struct fixture *f = *state;
    struct keypair *other = keypair_new();

    say_nonce(f, other, 1);
    say_nonce(f, f->job.u, 1);
    assert_int_equal(f->reports, 0);
    say_nonce(f, f->k, 2);
    modelkey_report(f->m, view_str("signed"));
    say_key(f, other);
    say_key(f, f->job.u);
    assert_null(f->key);
    keypair_free(other);
}

static void only_what_is_due_is_heard(void **state) {
    struct fixture *f = *state;
    uint8_t other_job[32] = {1};
    cleanup_buf struct buf body = {0};

    say_key(f, f->k); /* before evidence was shown */
    assert_null(f->key);
    key_nonce_body(other_job, &body);
    say_to(f, f->k, "key_nonce", other_job, buf_view(&body));
    say_to(f, f->k, "accept", f->job.q.id, view_str("\"hello\":1"));
    say_to(f, f->k, "key_nonce", f->job.q.id, view_str("\"nonce\":\"short\""));
    assert_int_equal(f->reports, 0);
    say_nonce(f, f->k, 1);
    say_nonce(f, f->k, 2); /* one nonce only */
    assert_int_equal(f->reports, 1);
    modelkey_report(f->m, view_str("signed"));
    say_nonce(f, f->k, 3);
    assert_int_equal(f->reports, 1);
    say_to(f, f->k, "key", f->job.q.id, view_str("\"key\":\"AAAA\""));
    assert_null(f->key);
    say_key(f, f->k);
    assert_non_null(f->key);
    say_key(f, f->k); /* no second one */
}

static void what_is_not_answered_is_sent_again(void **state) {
    struct fixture *f = *state;
    struct msg m;

    modelkey_tick(f->m, loop_now());
    assert_int_equal(f->n_sent, 1);
    modelkey_tick(f->m, loop_now() + MODELKEY_AGAIN_MS + 1);
    assert_int_equal(f->n_sent, 2);
    sent_is(f, 1, "key_ask", &m);
    msg_free(&m);
    say_nonce(f, f->k, 1);
    modelkey_tick(f->m, loop_now() + 3 * MODELKEY_AGAIN_MS); /* the report is due, not K */
    assert_int_equal(f->n_sent, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(from_question_to_key, start, stop),
        cmocka_unit_test_setup_teardown(only_the_owner_is_heard, start, stop),
        cmocka_unit_test_setup_teardown(only_what_is_due_is_heard, start, stop),
        cmocka_unit_test_setup_teardown(what_is_not_answered_is_sent_again, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
