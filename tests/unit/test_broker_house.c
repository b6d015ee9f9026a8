#include "provider/broker_house.c"

#include <stdio.h>

#include "provider/modelfile.h"
#include "tests/unit/unit.h"
#include "tests/unit/world.h"

struct fixture {
    char dir[64];
    char *list, *memory, *words;
    char endorser_hex[65];
    const char *endorser, *manifest, *word;
    struct keypair *key;
    struct broker_files files;
    struct err e;
};

static char *path_of(const struct fixture *f, const char *name) {
    return mem_fmt("%s/%s", f->dir, name);
}

static void put(const struct fixture *f, const char *name, struct view text) {
    cleanup_free char *path = path_of(f, name);

    assert_int_equal(file_write(path, text, 0644, true, NULL), 0);
}

/* An advisory, the seq-th, that revokes what is named. */
static struct event *advisory(const struct fixture *f, const char *seq, const char *revoked) {
    cleanup_free char *text = mem_fmt("{\"revoked\":[%s]}", revoked);
    struct fields fs = fields_new(KIND_ADVISORY, 1000, view_str(text));

    fields_add(&fs, "d", "floors");
    fields_add(&fs, "seq", seq);
    return event_sign(&fs, f->key);
}

static int start(void **state) {
    struct fixture *f = mem_new(sizeof *f);
    struct release r = world_release();
    cleanup_buf struct buf content = {0}, line = {0};
    struct volume work = {.root = {1}, .blocks = 2}, model = {.root = {3}, .blocks = 4};
    char release[65], w[VOLUME_TEXT], m[VOLUME_TEXT];
    cleanup_free char *key = NULL;
    uint8_t digest[32];

    snprintf(f->dir, sizeof f->dir, "/tmp/cdvm-test-house-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->key = keypair_new();
    f->list = path_of(f, "list");
    f->memory = path_of(f, "memory");
    f->words = path_of(f, "words");
    hex_encode(view_of(keypair_pub(f->key), 32), f->endorser_hex);
    assert_int_equal(release_json(&r, &content, &f->e), 0);
    put(f, "r.manifest", buf_view(&content));
    put(f, "words", view_str(""));
    manifest_digest(buf_view(&content), digest);
    hex_encode(view_of(digest, 32), release);
    volume_text(&work, w);
    volume_text(&model, m);
    buf_fmt(&line, "release=%s work=%s model=%s key=k max=1\n", release, w, m);
    put(f, "list", buf_view(&line));
    key = path_of(f, "k");
    secret_free(modelkey_make(key, &model, &f->e));
    f->endorser = f->endorser_hex;
    f->manifest = f->dir;
    f->word = f->words;
    f->files = (struct broker_files){.list = f->list,
                                     .manifests = &f->manifest,
                                     .n_manifests = 1,
                                     .endorsers = &f->endorser,
                                     .n_endorsers = 1,
                                     .endorsements = &f->word,
                                     .n_endorsements = 1,
                                     .memory = f->memory};
    *state = f;
    return 0;
}

static int stop(void **state) {
    static const char *const names[] = {"list", "memory", "words", "r.manifest", "k"};
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(names); i++) {
        cleanup_free char *path = path_of(f, names[i]);

        unlink(path);
    }
    rmdir(f->dir);
    keypair_free(f->key);
    free(f->list);
    free(f->memory);
    free(f->words);
    free(f);
    return 0;
}

static void a_house_has_what_its_rows_name(void **state) {
    struct fixture *f = *state;
    struct broker_house *h = broker_house_open(&f->files, &f->e);
    const uint8_t known[32] = {3}, unknown[32] = {4};

    assert_non_null(h);
    assert_int_equal(broker_house_rows(h), 1);
    assert_true(broker_house_has_model(h, known));
    assert_false(broker_house_has_model(h, unknown));
    assert_int_equal(secret_len(broker_house_key(h, &h->list.row[0])), MODELKEY_LEN);
    assert_int_equal(h->policy.profile, POLICY_STRICT);
    broker_house_free(h);
}

static void refused(struct fixture *f, const char *code, const char *words) {
    assert_null(broker_house_open(&f->files, &f->e));
    assert_string_equal(f->e.code, code);
    if (!strstr(f->e.text, words))
        fail_msg("'%s' lacks '%s'", f->e.text, words);
}

static void what_is_missing_is_said(void **state) {
    struct fixture *f = *state;
    cleanup_free char *key = path_of(f, "k");

    f->files.n_manifests = 0;
    refused(f, "bad-list", "--manifests");
    f->files.n_manifests = 1;
    assert_int_equal(chmod(key, 0644), 0);
    refused(f, "unsafe-key", "list:1: model key");
    assert_int_equal(chmod(key, 0600), 0);
    f->endorser = "somebody";
    refused(f, "bad-key", "endorser");
    f->endorser = f->endorser_hex;
    put(f, "words", view_str("\n{}\n"));
    assert_null(broker_house_open(&f->files, &f->e));
    assert_non_null(strstr(f->e.text, "words:2"));
    put(f, "words", view_str(""));
    put(f, "memory", view_str("nonsense\n"));
    refused(f, "bad-memory", "memory");
}

static void only_endorsers_are_heard_and_once(void **state) {
    struct fixture *f = *state;
    struct broker_house *h = broker_house_open(&f->files, &f->e);
    struct event *ev = advisory(f, "1", "");
    struct keypair *mine = f->key;

    broker_house_hear(h, ev);
    broker_house_hear(h, ev);
    assert_int_equal(h->pins.n_endorsements, 1);
    event_free(ev);
    f->key = keypair_new();
    ev = advisory(f, "1", "");
    broker_house_hear(h, ev);
    assert_int_equal(h->pins.n_endorsements, 1);
    event_free(ev);
    keypair_free(f->key);
    f->key = mine;
    broker_house_free(h);
}

/* A revocation heard once holds in the next run, where a relay shows only the word before it. */
static void what_was_heard_is_remembered(void **state) {
    struct fixture *f = *state;
    struct broker_house *h = broker_house_open(&f->files, &f->e);
    struct event *old = advisory(f, "1", ""),
                 *new =
                     advisory(f, "2",
                              "\"0000000000000000000000000000000000000000000000000000000000000001"
                              "\"");
    uint8_t revoked[32] = {0};
    struct advice a;

    revoked[31] = 1;
    broker_house_hear(h, new);
    broker_house_free(h);
    h = broker_house_open(&f->files, &f->e);
    assert_non_null(h);
    broker_house_hear(h, old);
    advice_gather(&a, &h->pins, 1000);
    assert_true(advice_revokes(&a, revoked));
    assert_int_equal(a.fresh.outcome, OUT_ABSENT);
    event_free(old);
    event_free(new);
    broker_house_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_house_has_what_its_rows_name, start, stop),
        cmocka_unit_test_setup_teardown(what_is_missing_is_said, start, stop),
        cmocka_unit_test_setup_teardown(only_endorsers_are_heard_and_once, start, stop),
        cmocka_unit_test_setup_teardown(what_was_heard_is_remembered, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
