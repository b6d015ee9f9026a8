/* The person's long-term identities: files, locks, and who is chosen. */
#include "tui/identity.c"

#include "tests/unit/unit.h"

#define WORD "correct horse"
static const char NCRYPTSEC[] =
    "ncryptsec1qgg9947rlpvqu76pj5ecreduf9jxhselq2nae2kghhvd5g7dgjtcxfqtd67p9m0w57lspw8gsq6yphnm"
    "8623nsl8xn9j4jdzz84zm3frztj3z7s35vpzmqf6ksu8r89qk5z2zxfmu5gv8th8wclt0h4p";
static const char HEX[] = "3501454135014541350145413501453fefb02227e449e57cf4d3a3ce05378683";

#define SIGNER                                                                                     \
    "bunker://79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"                    \
    "?relay=wss%3A%2F%2Frelay.example"

struct fixture {
    char dir[64], folder[96];
    struct identities *l;
    struct err e;
};

static int start(void **state) {
    static struct fixture f;

    f = (struct fixture){.dir = "/tmp/cdvm-identity.XXXXXX"};
    assert_non_null(mkdtemp(f.dir));
    snprintf(f.folder, sizeof f.folder, "%s/identities", f.dir);
    f.l = identities_open(f.folder, &f.e);
    assert_non_null(f.l);
    *state = &f;
    return 0;
}

static int stop(void **state) {
    struct fixture *f = *state;

    identities_free(f->l);
    return remove_tree(f->dir);
}

static void again(struct fixture *f) {
    identities_free(f->l);
    f->l = identities_open(f->folder, &f->e);
    assert_non_null(f->l);
}

static void refused(struct fixture *f, int rc, const char *code) {
    assert_int_equal(rc, -1);
    assert_string_equal(f->e.code, code);
    assert_true(f->e.text[0]);
}

static void one_is_made_locked_and_unlocked(void **state) {
    struct fixture *f = *state;
    uint8_t pub[32];

    assert_int_equal(identities_make(f->l, "work", view_str(WORD), &f->e), 0);
    assert_true(identities_find(f->l, "work")->unlocked);
    memcpy(pub, identities_find(f->l, "work")->pub, 32);
    again(f);
    assert_int_equal(identities_count(f->l), 1);
    assert_null(identities_trouble(f->l));
    assert_memory_equal(identities_at(f->l, 0)->pub, pub, 32);
    assert_false(identities_at(f->l, 0)->unlocked);
    refused(f, identities_choose(f->l, "work", &f->e), "locked");
    refused(f, identities_unlock(f->l, "work", view_str("correct mouse"), &f->e),
            "wrong-passphrase");
    assert_int_equal(identities_unlock(f->l, "work", view_str(WORD), &f->e), 0);
    assert_null(identities_chosen(f->l)); /* one-time keys until somebody says otherwise */
    assert_null(identities_key(f->l));
    assert_int_equal(identities_choose(f->l, "work", &f->e), 0);
    assert_memory_equal(keypair_pub(identities_key(f->l)), pub, 32);
    assert_int_equal(identities_choose(f->l, NULL, &f->e), 0);
    assert_null(identities_key(f->l));
    assert_int_equal(identities_choose(f->l, "work", &f->e), 0);
    identities_lock(f->l, NULL);
    assert_null(identities_chosen(f->l));
    assert_null(identities_key(f->l));
}

static void no_secret_is_in_the_file(void **state) {
    struct fixture *f = *state;
    cleanup_free char *path = mem_fmt("%s/me", f->folder);
    cleanup_buf struct buf text = {0}, nsec = {0};
    struct nip19 id = {.type = NIP19_NSEC};
    struct stat st;

    assert_int_equal(identities_import(f->l, "me", view_str(HEX), view_str(WORD), &f->e), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(file_read(path, 8192, &text, &f->e), 0);
    assert_true(hex_decode_str(HEX, id.id, 32));
    assert_int_equal(nip19_encode(&id, &nsec, &f->e), 0);
    assert_null(strstr((char *)text.p, HEX));
    assert_null(strstr((char *)text.p, (char *)nsec.p));
    assert_null(strstr((char *)text.p, WORD));
    assert_non_null(strstr((char *)text.p, "ncryptsec1"));
}

static void an_ncryptsec_is_taken_with_its_own_passphrase(void **state) {
    struct fixture *f = *state;
    cleanup_free char *path = mem_fmt("%s/old", f->folder), *spaced = mem_fmt(" \n%s\n", NCRYPTSEC);
    cleanup_buf struct buf text = {0};

    refused(f, identities_import(f->l, "old", view_str(spaced), view_str("nope"), &f->e),
            "wrong-passphrase");
    assert_int_equal(identities_count(f->l), 0);
    assert_int_equal(identities_import(f->l, "old", view_str(spaced), view_str("nostr"), &f->e), 0);
    assert_int_equal(file_read(path, 8192, &text, &f->e), 0);
    assert_non_null(strstr((char *)text.p, NCRYPTSEC)); /* strong enough to stay as it is */
    assert_int_equal(identities_choose(f->l, "old", &f->e), 0);
    assert_memory_equal(keypair_pub(identities_key(f->l)), identities_find(f->l, "old")->pub, 32);
}

static void what_cannot_be_added_says_why(void **state) {
    static const char *const bad[] = {
        "", "a b", "../x", "-x", ".x", "x/y", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(bad); i++)
        refused(f, identities_make(f->l, bad[i], view_str(WORD), &f->e), "bad-name");
    refused(f, identities_make(f->l, "a", view_str("short"), &f->e), "weak-passphrase");
    refused(f, identities_import(f->l, "a", view_str("nsec1x"), view_str(WORD), &f->e),
            "bad-identifier");
    refused(f,
            identities_import(f->l, "a",
                              view_str("npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8"
                                       "qzvjptg"),
                              view_str(WORD), &f->e),
            "bad-key");
    assert_int_equal(identities_make(f->l, "a", view_str(WORD), &f->e), 0);
    refused(f, identities_make(f->l, "a", view_str(WORD), &f->e), "exists");
    assert_int_equal(identities_count(f->l), 1);
}

static void removing_keeps_the_order_and_the_choice(void **state) {
    struct fixture *f = *state;

    assert_int_equal(identities_make(f->l, "c", view_str(WORD), &f->e), 0);
    assert_int_equal(identities_make(f->l, "a", view_str(WORD), &f->e), 0);
    assert_int_equal(identities_choose(f->l, "c", &f->e), 0);
    assert_int_equal(identities_make(f->l, "b", view_str(WORD), &f->e), 0);
    assert_string_equal(identities_at(f->l, 0)->name, "a");
    assert_string_equal(identities_chosen(f->l)->name, "c");
    assert_int_equal(identities_remove(f->l, "a", &f->e), 0);
    assert_string_equal(identities_chosen(f->l)->name, "c");
    assert_string_equal(identities_at(f->l, 0)->name, "b");
    assert_int_equal(identities_remove(f->l, "c", &f->e), 0);
    assert_null(identities_chosen(f->l));
    refused(f, identities_remove(f->l, "c", &f->e), "unknown-identity");
    again(f);
    assert_int_equal(identities_count(f->l), 1);
}

static void write_file(struct fixture *f, const char *name, const char *text, unsigned mode) {
    cleanup_free char *path = mem_fmt("%s/%s", f->folder, name);

    mkdir(f->folder, 0700);
    assert_int_equal(file_write(path, view_str(text), mode, true, &f->e), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void damaged_files_are_left_out_and_told(void **state) {
    static const char *const bad[] = {"", "npub = x\n", "other = 1\n", "npub1\n",
                                      "ncryptsec = ncryptsec1qqqq\n"};
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(bad); i++) {
        write_file(f, "bad", bad[i], 0600);
        again(f);
        assert_int_equal(identities_count(f->l), 0);
        assert_non_null(strstr(identities_trouble(f->l), "'bad'"));
    }
    write_file(f, "bad", "", 0644);
    again(f);
    assert_non_null(strstr(identities_trouble(f->l), "chmod 600"));
}

/* Somebody who can write the folder cannot put his npub over this person's key. */
static void a_file_with_another_npub_does_not_unlock(void **state) {
    struct fixture *f = *state;
    cleanup_free char *text =
        mem_fmt("npub = npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg\n"
                "ncryptsec = %s\n",
                NCRYPTSEC);

    write_file(f, "me", text, 0600);
    again(f);
    assert_int_equal(identities_count(f->l), 1);
    refused(f, identities_unlock(f->l, "me", view_str("nostr"), &f->e), "bad-key");
}

/* --- a remote signer --- */

static struct signer_url signer_at(void) {
    struct signer_url at;

    assert_int_equal(signer_url_parse(view_str(SIGNER "&secret=s3cretword"), &at, NULL), 0);
    return at;
}

static void a_signer_has_its_secret_nowhere(void **state) {
    struct fixture *f = *state;
    cleanup_free char *path = mem_fmt("%s/away", f->folder);
    cleanup_buf struct buf text = {0};
    struct signer_url at = signer_at();
    struct newcomer *n = identities_prepare(f->l, "away", view_str(WORD), &f->e);
    uint8_t client[32], user[32];
    struct stat st;

    assert_non_null(n);
    assert_int_not_equal(stat(path, &st), 0); /* not before it was met */
    memcpy(client, keypair_pub(newcomer_key(n)), 32);
    memcpy(user, at.signer, 32);
    assert_int_equal(identities_admit(f->l, n, &at, user, &f->e), 0);
    assert_true(identities_find(f->l, "away")->unlocked);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(file_read(path, 8192, &text, &f->e), 0);
    assert_non_null(strstr((char *)text.p, "ncryptsec1"));
    assert_non_null(strstr((char *)text.p, "signer = " SIGNER "\n"));
    assert_null(strstr((char *)text.p, "s3cret"));
    again(f);
    assert_string_equal(identities_at(f->l, 0)->signer, SIGNER);
    assert_memory_equal(identities_at(f->l, 0)->pub, user, 32);
    assert_int_equal(identities_unlock(f->l, "away", view_str(WORD), &f->e), 0);
    assert_int_equal(identities_choose(f->l, "away", &f->e), 0);
    assert_memory_equal(keypair_pub(identities_key(f->l)), client, 32);
}

static void a_signer_that_cannot_be_added_says_why(void **state) {
    struct fixture *f = *state;
    struct signer_url at = signer_at();
    struct newcomer *n;

    assert_null(identities_prepare(f->l, "away", view_str("short"), &f->e));
    assert_string_equal(f->e.code, "weak-passphrase");
    assert_null(identities_prepare(f->l, "a b", view_str(WORD), &f->e));
    assert_string_equal(f->e.code, "bad-name");
    n = identities_prepare(f->l, "away", view_str(WORD), &f->e);
    assert_non_null(n);
    newcomer_free(n); /* it was never met: nothing stays */
    assert_int_equal(identities_count(f->l), 0);
    n = identities_prepare(f->l, "away", view_str(WORD), &f->e);
    assert_int_equal(identities_make(f->l, "away", view_str(WORD), &f->e), 0);
    refused(f, identities_admit(f->l, n, &at, at.signer, &f->e), "exists");
    assert_null(identities_find(f->l, "away")->signer);
}

static void a_file_with_a_bad_signer_is_left_out(void **state) {
    static const char *const bad[] = {"bunker://xyz", "https://signer.example",
                                      SIGNER "&secret=s3cretword"};
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(bad); i++) {
        cleanup_free char *text =
            mem_fmt("npub = npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg\n"
                    "ncryptsec = %s\nsigner = %s\n",
                    NCRYPTSEC, bad[i]);

        write_file(f, "away", text, 0600);
        again(f);
        assert_int_equal(identities_count(f->l), 0);
        assert_non_null(strstr(identities_trouble(f->l), "'away'"));
    }
}

#define WITH_FOLDER(t) cmocka_unit_test_setup_teardown(t, start, stop)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(one_is_made_locked_and_unlocked),
        WITH_FOLDER(no_secret_is_in_the_file),
        WITH_FOLDER(an_ncryptsec_is_taken_with_its_own_passphrase),
        WITH_FOLDER(what_cannot_be_added_says_why),
        WITH_FOLDER(removing_keeps_the_order_and_the_choice),
        WITH_FOLDER(damaged_files_are_left_out_and_told),
        WITH_FOLDER(a_file_with_another_npub_does_not_unlock),
        WITH_FOLDER(a_signer_has_its_secret_nowhere),
        WITH_FOLDER(a_signer_that_cannot_be_added_says_why),
        WITH_FOLDER(a_file_with_a_bad_signer_is_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
