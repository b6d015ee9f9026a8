/* OCI layouts: which image is taken, what is read of it, what is refused. */
#include "provider/oci.c"

#include "tests/unit/unit.h"

#define MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define INDEX "application/vnd.oci.image.index.v1+json"
#define LAYER "application/vnd.oci.image.layer.v1.tar"
#define HEX_A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define BLOB(type, hex, more)                                                                      \
    "{\"mediaType\":\"" type "\",\"digest\":\"" hex "\",\"size\":7" more "}"
#define FOR(arch, os) ",\"platform\":{\"architecture\":\"" arch "\",\"os\":\"" os "\"}"
#define NAMED(ref) ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"" ref "\"}"
#define LIST(list) "{\"schemaVersion\":2,\"manifests\":[" list "]}"

static void the_right_image_is_picked(void **state) {
    static const struct {
        const char *text, *ref;
        uint8_t first; /* byte of the digest; 0: refused */
        bool nested;
    } rows[] = {
        {LIST(BLOB(MANIFEST, HEX_A, "")), NULL, 0xaa, false},
        {LIST(BLOB(INDEX, HEX_A, "")), NULL, 0xaa, true},
        {LIST(BLOB(MANIFEST, HEX_A, FOR("arm64", "linux")) "," BLOB(MANIFEST, HEX_B,
                                                                    FOR("amd64", "linux"))),
         NULL, 0xbb, false},
        {LIST(BLOB(MANIFEST, HEX_A, FOR("unknown", "unknown")) "," BLOB(MANIFEST, HEX_B,
                                                                        FOR("amd64", "linux"))),
         NULL, 0xbb, false},
        {LIST(BLOB(MANIFEST, HEX_A, NAMED("one")) "," BLOB(MANIFEST, HEX_B, NAMED("two"))), "two",
         0xbb, false},
        {LIST(BLOB(MANIFEST, HEX_A, NAMED("one")) "," BLOB(MANIFEST, HEX_B, NAMED("two"))), NULL, 0,
         false},
        {LIST(BLOB(MANIFEST, HEX_A, NAMED("one"))), "two", 0, false},
        {LIST(BLOB(MANIFEST, HEX_A, FOR("amd64", "windows"))), NULL, 0, false},
        {LIST(BLOB("text/plain", HEX_A, "")), NULL, 0, false},
        {LIST(""), NULL, 0, false},
        {"{\"manifests\":{}}", NULL, 0, false},
        {"[]", NULL, 0, false},
        {"", NULL, 0, false},
        {LIST(BLOB(MANIFEST, "sha512:aa", "")), NULL, 0, false},
        {LIST(BLOB(MANIFEST, "sha256:aa", "")), NULL, 0, false},
        {LIST("{\"mediaType\":\"" MANIFEST "\",\"digest\":\"" HEX_A "\",\"size\":-1}"), NULL, 0,
         false},
        {LIST("{\"mediaType\":\"" MANIFEST "\",\"digest\":\"" HEX_A "\"}"), NULL, 0, false},
        {LIST("7,null,[]"), NULL, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct oci_blob b = {0};
        struct err e = {0};
        bool nested = false;
        int rc = oci_pick(view_str(rows[i].text), rows[i].ref, &b, &nested, &e);

        if ((rc == 0) != (rows[i].first != 0) ||
            b.sha256[31] != (rc ? b.sha256[31] : rows[i].first))
            fail_msg("row %zu: %d, %s", i, rc, e.text);
        if (rc == 0)
            assert_int_equal(nested, rows[i].nested);
        else
            assert_true(e.code[0] && e.text[0]);
    }
}

static int manifest(const char *layers, struct oci_image *m, struct err *e) {
    cleanup_free char *text = mem_fmt(
        "{\"schemaVersion\":2,\"config\":" BLOB("x", HEX_A, "") ",\"layers\":[%s]}", layers);

    *m = (struct oci_image){0};
    return oci_take_manifest(view_str(text), m, e);
}

static void layers_are_tar_of_a_known_kind(void **state) {
    static const char *const good[] = {
        BLOB(LAYER, HEX_B, ""), BLOB(LAYER "+gzip", HEX_B, ""), BLOB(LAYER "+zstd", HEX_B, ""),
        BLOB("application/vnd.docker.image.rootfs.diff.tar.gzip", HEX_B, ""), ""};
    static const char *const bad[] = {BLOB(LAYER "+xz", HEX_B, ""),
                                      BLOB(LAYER "+gzip+encrypted", HEX_B, ""),
                                      BLOB("application/octet-stream", HEX_B, ""),
                                      "{\"digest\":\"" HEX_B "\",\"size\":1}", "null"};
    struct oci_image m;
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_int_equal(manifest(good[i], &m, &e), 0);
        assert_int_equal(m.n_layers, good[i][0] != 0);
        oci_free(&m);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(manifest(bad[i], &m, &e), -1);
        oci_free(&m);
    }
}

static void too_many_layers_are_refused(void **state) {
    cleanup_buf struct buf list = {0};
    struct oci_image m;
    struct err e;

    (void)state;
    for (int i = 0; i <= OCI_LAYERS_MAX; i++)
        buf_fmt(&list, "%s" BLOB(LAYER, HEX_B, ""), i ? "," : "");
    assert_int_equal(manifest((char *)list.p, &m, &e), -1);
    assert_non_null(strstr(e.text, "more than"));
    oci_free(&m);
}

#define CONFIG(inner, ids)                                                                         \
    "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":" inner                               \
    ",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[" ids "]}}"

static void a_configuration_is_read(void **state) {
    struct oci_image m = {.n_layers = 1};
    struct err e;

    (void)state;
    assert_int_equal(
        oci_take_config(view_str(CONFIG("{\"Entrypoint\":[\"/e\",\"1\"],\"Cmd\":[\"2\"],\"Env\":"
                                        "[\"A=1\"],\"WorkingDir\":\"/w\",\"User\":\"u:g\"}",
                                        "\"x\"")),
                        &m, &e),
        0);
    assert_int_equal(m.argv.n, 3);
    assert_string_equal(m.argv.v[0], "/e");
    assert_string_equal(m.argv.v[2], "2");
    assert_string_equal(m.env.v[0], "A=1");
    assert_string_equal(m.cwd, "/w");
    assert_string_equal(m.user, "u:g");
    oci_free(&m);
    m = (struct oci_image){0};
    assert_int_equal(oci_take_config(view_str(CONFIG("{\"Cmd\":null}", "")), &m, &e), 0);
    assert_int_equal(m.argv.n + m.env.n, 0);
    assert_string_equal(m.cwd, "");
    oci_free(&m);
}

static void bad_configurations_are_refused(void **state) {
    static const char *const bad[] = {
        CONFIG("{}", "\"one\",\"two\""), /* another number of layers */
        CONFIG("{\"Cmd\":\"sh\"}", "\"x\""),
        CONFIG("{\"Cmd\":[1]}", "\"x\""),
        CONFIG("{\"Env\":{\"A\":\"1\"}}", "\"x\""),
        "{\"architecture\":\"arm64\",\"os\":\"linux\",\"rootfs\":{\"diff_ids\":[\"x\"]}}",
        "{\"os\":\"linux\",\"rootfs\":{\"diff_ids\":[\"x\"]}}",
        "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{}}",
        "{\"architecture\":\"amd64\",\"os\":\"linux\"}",
        "null",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct oci_image m = {.n_layers = 1};
        struct err e = {0};

        if (oci_take_config(view_str(bad[i]), &m, &e) != -1 || !e.text[0])
            fail_msg("row %zu was taken", i);
        oci_free(&m);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_image_is_picked),
        cmocka_unit_test(layers_are_tar_of_a_known_kind),
        cmocka_unit_test(too_many_layers_are_refused),
        cmocka_unit_test(a_configuration_is_read),
        cmocka_unit_test(bad_configurations_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
