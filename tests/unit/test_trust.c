#include "tui/trust.c"
#include "tests/unit/unit.h"
#include "tests/unit/world.h"

static char dir[64];
static struct trust t;

static int set_up(void **state) {
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/cdvm-trust-XXXXXX");
    assert_non_null(mkdtemp(dir));
    setenv("XDG_CONFIG_HOME", dir, 1);
    setenv("XDG_DATA_HOME", dir, 1);
    t = (struct trust){0};
    return 0;
}
static int tear_down(void **state) {
    (void)state;
    trust_free(&t);
    remove_tree(dir);
    return 0;
}

static void put(const char *name, const char *text) {
    cleanup_free char *path = conf_path(CONF_CONFIG, name, NULL);
    struct err e;

    assert_non_null(path);
    if (file_write(path, view_str(text), 0600, true, &e))
        fail_msg("%s", e.text);
}

#define SHA "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void no_files_is_no_trust(void **state) {
    (void)state;
    assert_int_equal(trust_load(&t, true, NULL), 0);
    assert_int_equal(t.pins.n_digests, 0);
    assert_int_equal(t.pins.n_endorsers, 0);
    assert_int_equal(t.n_sim_roots, 0);
}

static void pins_are_read(void **state) {
    (void)state;
    put("pins", "# mine\n\nrelease " SHA " the demo's\n  workload\t" SHA "\nmodel " SHA "\r\n"
                "endorser " SHA " somebody # I met\n");
    put("sim-roots", SHA "\n");
    assert_int_equal(trust_load(&t, true, NULL), 0);
    assert_int_equal(t.pins.n_digests, 3);
    assert_int_equal(t.pins.n_endorsers, 1);
    assert_int_equal(t.pins.digest[2][1], 0x11);
    assert_int_equal(t.pins.endorser[0][15], 0xff);
    assert_int_equal(t.n_sim_roots, 1);
}

/* Two of one key are one: else "agree 2" would be had from a single endorser. */
static void endorsers_are_counted_once(void **state) {
    struct nip19 key = {.type = NIP19_NPUB};
    cleanup_buf struct buf npub = {0};
    cleanup_free char *text = NULL;

    (void)state;
    assert_true(hex_decode_str(SHA, key.id, 32));
    assert_int_equal(nip19_encode(&key, &npub, NULL), 0);
    text = mem_fmt("endorser " SHA "\nendorser %s\nendorser " SHA " again\nagree 2\n",
                   (const char *)npub.p);
    put("pins", text);
    assert_int_equal(trust_load(&t, false, NULL), 0);
    assert_int_equal(t.pins.n_endorsers, 1);
    assert_int_equal(t.pins.k, 2);
}

/* Only --policy demo of this run may look at simulators' roots. */
static void sim_roots_need_the_word(void **state) {
    (void)state;
    put("sim-roots", SHA "\n");
    assert_int_equal(trust_load(&t, false, NULL), 0);
    assert_int_equal(t.n_sim_roots, 0);
}

static void bad_lines_name_their_place(void **state) {
    static const char *const bad[] = {
        "release\n",
        "release 00\n",
        "release " SHA "00\n",
        "kernel " SHA "\n",
        "endorser me\n",
        "agree 0\n",
        "agree two\n",
        "release\tAABBCCDDEEFF00112233445566778899AABBCCDDEEFF00112233445566778899\n",
    };
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        cleanup_free char *text = mem_fmt("# first\n%s", bad[i]);

        put("pins", text);
        assert_int_equal(trust_load(&t, false, &e), -1);
        assert_string_equal(e.code, "bad-config");
        assert_non_null(strstr(e.text, "pins:2"));
    }
    put("pins", "");
    put("sim-roots", "notahash\n");
    assert_int_equal(trust_load(&t, true, &e), -1);
    assert_non_null(strstr(e.text, "sim-roots:1"));
}

static struct buf manifest_bytes(bool model) {
    struct manifest m = world_manifest(model);
    struct buf out = {0};

    assert_int_equal(manifest_json(&m, &out, NULL), 0);
    return out;
}

static void manifests_are_kept_by_their_hash(void **state) {
    struct buf m = manifest_bytes(false), got = {0};
    uint8_t digest[32];
    struct err e;

    (void)state;
    manifest_digest(buf_view(&m), digest);
    assert_int_equal(manifest_load(digest, &got, &e), -1);
    assert_string_equal(e.code, "absent");
    assert_int_equal(manifest_save(buf_view(&m), &e), 0);
    assert_int_equal(manifest_save(buf_view(&m), &e), 0); /* again is nothing */
    assert_int_equal(manifest_load(digest, &got, &e), 0);
    assert_true(view_eq(buf_view(&got), buf_view(&m)));
    buf_free(&m);
    buf_free(&got);
}

static void a_changed_file_is_not_taken(void **state) {
    struct buf m = manifest_bytes(false), got = {0};
    cleanup_free char *path = NULL;
    uint8_t digest[32];
    struct err e;

    (void)state;
    manifest_digest(buf_view(&m), digest);
    assert_int_equal(manifest_save(buf_view(&m), &e), 0);
    path = manifest_path(digest, &e);
    m.p[5] ^= 1;
    assert_int_equal(file_write(path, buf_view(&m), 0600, true, &e), 0);
    assert_int_equal(manifest_load(digest, &got, &e), -1);
    assert_string_equal(e.code, "bad-hash");
    assert_int_equal(got.n, 0);
    buf_free(&m);
    buf_free(&got);
}

static int find(bool model, const char *volume, struct buf *out, struct err *e) {
    struct manifest m = world_manifest(model);
    struct wanted_volume want = {model, m.name, volume};

    return manifest_load_volume(&t.pins, &want, out, e);
}

/* Anybody may publish a manifest over a root hash that is not theirs: it must not stand in the way
 * of the one that the offer means, whichever comes first in the folder. */
static void the_manifest_meant_is_found_among_others(void **state) {
    struct buf good = manifest_bytes(false), other = {0}, got = {0};
    struct manifest m = world_manifest(false);
    char volume[80];
    uint8_t digest[1][32];

    (void)state;
    snprintf(volume, sizeof volume, "%s:12", ROOT_A);
    assert_int_equal(manifest_save(buf_view(&good), NULL), 0);
    manifest_digest(buf_view(&good), digest[0]);
    for (int i = 0; i < 16; i++) { /* half of them with the right name */
        cleanup_free char *version = mem_fmt("6.6.%d", i);

        m.name = i % 2 ? "table" : "elsewhere";
        m.version = version;
        buf_reset(&other);
        assert_int_equal(manifest_json(&m, &other, NULL), 0);
        assert_int_equal(manifest_save(buf_view(&other), NULL), 0);
    }
    t.pins.digest = (const uint8_t(*)[32])digest;
    t.pins.n_digests = 1;
    assert_int_equal(find(false, volume, &got, NULL), 0);
    assert_true(view_eq(buf_view(&got), buf_view(&good)));
    t.pins = (struct pins){0};
    buf_free(&good);
    buf_free(&other);
    buf_free(&got);
}

static void a_volume_finds_its_manifest(void **state) {
    struct buf work = manifest_bytes(false), model = manifest_bytes(true), got = {0};
    char volume[80];
    struct err e;

    (void)state;
    snprintf(volume, sizeof volume, "%s:12", ROOT_A);
    assert_int_equal(manifest_save(buf_view(&model), &e), 0);
    assert_int_equal(find(false, volume, &got, &e), -1); /* a model is no workload */
    assert_string_equal(e.code, "absent");
    assert_int_equal(manifest_save(buf_view(&work), &e), 0);
    assert_int_equal(find(false, volume, &got, &e), 0);
    assert_true(view_eq(buf_view(&got), buf_view(&work)));
    assert_int_equal(find(true, volume, &got, &e), 0);
    assert_true(view_eq(buf_view(&got), buf_view(&model)));
    volume[strlen(volume) - 1] = '3';
    assert_int_equal(find(false, volume, &got, &e), -1);
    buf_free(&work);
    buf_free(&model);
    buf_free(&got);
}

static void endorsements_are_kept_once(void **state) {
    struct keypair *k = keypair_new();
    struct fields f = fields_new(KIND_ENDORSEMENT, 1, view_str("{}"));
    struct event *ev = event_sign(&f, k);

    (void)state;
    trust_add(&t, ev);
    trust_add(&t, ev);
    assert_int_equal(t.pins.n_endorsements, 1);
    assert_memory_equal(t.pins.endorsement[0]->f.id, ev->f.id, 32);
    event_free(ev);
    keypair_free(k);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(no_files_is_no_trust),        T(pins_are_read),
        T(endorsers_are_counted_once),  T(sim_roots_need_the_word),
        T(bad_lines_name_their_place),  T(manifests_are_kept_by_their_hash),
        T(a_changed_file_is_not_taken), T(the_manifest_meant_is_found_among_others),
        T(a_volume_finds_its_manifest), T(endorsements_are_kept_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
