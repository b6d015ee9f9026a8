#include "core/release.c"
#include "core/manifest.c"
#include "core/cmdline.c"
#include "tests/unit/unit.h"

#define R64 "00000000000000000000000000000000000000000000000000000000000000aa"
#define WORK R64 ":12"
#define BASE "0000000000000000000000000000000000000000000000000000000000000000:5"
#define WORDS "cdvm.work=${work} cdvm.model=${model} cdvm.broker=${broker}"

static const char templ[] = "console=null cdvm.work=${work} cdvm.model=${model} "
                            "cdvm.broker=${broker} panic=-1 cdvm.base=" BASE;

static struct release sample(void) {
    static char *types[] = {"EPYC-Genoa-v1", "EPYC-v4"};
    static uint64_t features[] = {1, 33};
    static struct release_tcb tcb[] = {{0x19, 0x10, 0x1f, {10, 0, 0, 0, 0, 0, 0x17, 0x54}}};

    return (struct release){.name = "cdvm-guest",
                            .version = "0.1.0",
                            .seq = 7,
                            .kernel_package = "linux 6.12",
                            .ovmf = {.ap_eip = 0x80b004,
                                     .hashes_gpa = 0x810c00,
                                     .n_sections = 2,
                                     .section = {{0x810000, 4096, 16}, {0x80d000, 4096, 2}}},
                            .cmdline = (char *)templ,
                            .vcpu_types = types,
                            .n_vcpu_types = 2,
                            .guest_features = features,
                            .n_guest_features = 2,
                            .policy = 0x30000,
                            .min_tcb = tcb,
                            .n_min_tcb = 1,
                            .has_base = true,
                            .base = {.blocks = 5},
                            .acpi = ACPI_SANDBOXED,
                            .repo = "https://example.org/cdvm",
                            .commit = "abc"};
}

static char *sample_text(void) {
    struct release r = sample();
    struct buf b = {0};
    struct err e;

    assert_int_equal(release_json(&r, &b, &e), 0);
    return (char *)buf_take(&b);
}

static void round_trip(void **state) {
    cleanup_free char *text = sample_text();
    struct err e = {0};
    struct release *r = release_parse(view_str(text), &e);

    (void)state;
    if (!r)
        fail_msg("%s", e.text);
    assert_string_equal(r->name, "cdvm-guest");
    assert_int_equal(r->ovmf.section[1].type, 2);
    assert_int_equal(r->acpi, ACPI_SANDBOXED);
    assert_int_equal(r->min_tcb[0].tcb[7], 0x54);
    assert_true(release_has_vcpu_type(r, "EPYC-v4"));
    assert_false(release_has_vcpu_type(r, "EPYC"));
    assert_true(release_has_features(r, 33));
    assert_false(release_has_features(r, 3));
    assert_true(
        !strncmp(text, "{\"acpi\":\"sandboxed\",\"base\":{\"blocks\":5,\"root\":\"0000", 50));
    release_free(r);
}

static void acpi_is_what_the_command_line_says(void **state) {
    static const struct {
        const char *templ;
        enum guest_acpi acpi;
    } rows[] = {
        {"acpi=off", ACPI_OFF},
        {"a acpi=off b", ACPI_OFF},
        {"a  acpi=off  b -- c", ACPI_OFF},
        {"", ACPI_OPEN},
        {"a b", ACPI_OPEN},
        {"acpi=offx", ACPI_OPEN},
        {"xacpi=off", ACPI_OPEN},
        {"acpi=OFF", ACPI_OPEN},
        {"acpi=off,x", ACPI_OPEN},
        {"acpi=off acpi=force", ACPI_OPEN},
        {"acpi=on acpi=off", ACPI_OPEN},
        {"a -- acpi=off", ACPI_OPEN},
        {"a=\" acpi=off \"", ACPI_OPEN},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (cmdline_acpi(rows[i].templ) != rows[i].acpi)
            fail_msg("'%s'", rows[i].templ);
}

static void a_release_cannot_say_otherwise(void **state) {
    static const char off[] = "acpi=off " WORDS " cdvm.base=" BASE;
    static const struct {
        const char *cmdline;
        enum guest_acpi acpi;
        int rc;
    } rows[] = {
        {templ, ACPI_OFF, -1}, {templ, ACPI_OPEN, 0},     {templ, ACPI_SANDBOXED, 0},
        {off, ACPI_OPEN, -1},  {off, ACPI_SANDBOXED, -1}, {off, ACPI_OFF, 0},
    };
    struct release r = sample();
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        cleanup_buf struct buf b = {0};

        r.cmdline = (char *)(uintptr_t)rows[i].cmdline;
        r.acpi = rows[i].acpi;
        assert_int_equal(release_json(&r, &b, &e), rows[i].rc);
        if (rows[i].rc)
            assert_string_equal(e.code, "bad-manifest");
    }
}

/* The base is what the guest will open: said twice, by the manifest and by the command line, and
 * both times the same. */
static void the_base_is_the_command_lines(void **state) {
    static const struct {
        const char *cmdline;
        uint64_t blocks; /* in the manifest; 0 = null */
        const char *code;
    } rows[] = {
        {WORDS " cdvm.base=" BASE, 5, NULL},
        {"cdvm.base=" BASE " " WORDS, 5, NULL},
        {WORDS, 0, NULL},
        {WORDS " xcdvm.base=" BASE, 0, NULL},
        {WORDS, 5, "bad-manifest"},
        {WORDS " cdvm.base=" BASE, 0, "bad-manifest"},
        {WORDS " cdvm.base=" BASE, 6, "bad-manifest"},
        {WORDS " cdvm.base=" WORK, 12, "bad-manifest"}, /* another root */
        {WORDS " cdvm.base=" BASE " cdvm.base=" BASE, 5, "bad-template"},
        {WORDS " cdvm.base=" BASE "x", 5, "bad-template"},
        {WORDS " cdvm.base=none", 0, "bad-template"},
        {WORDS " cdvm.base=", 0, "bad-template"},
        {WORDS " cdvm.base=${work}", 5, "bad-template"}, /* never the seller's */
    };
    struct release r = sample();

    (void)state;
    r.acpi = ACPI_OPEN;
    for (size_t i = 0; i < COUNT(rows); i++) {
        cleanup_buf struct buf b = {0};
        struct err e = {0};
        int rc;

        r.cmdline = (char *)(uintptr_t)rows[i].cmdline;
        r.has_base = rows[i].blocks;
        r.base.blocks = rows[i].blocks;
        rc = release_json(&r, &b, &e);
        if (rc != (rows[i].code ? -1 : 0) || (rc && strcmp(e.code, rows[i].code) != 0))
            fail_msg("row %zu: %d %s: %s", i, rc, e.code, e.text);
    }
}

/* Replaces the first `from` in the sample; the result must be refused with this code. */
static void refused(const char *from, const char *to, const char *code) {
    cleanup_free char *text = sample_text(), *bad = NULL;
    const char *at = strstr(text, from);
    struct err e = {0};
    struct release *r;

    assert_non_null(at);
    bad = mem_fmt("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    r = release_parse(view_str(bad), &e);
    if (r)
        fail_msg("'%s' for '%s' was accepted", to, from);
    if (strcmp(e.code, code) != 0)
        fail_msg("'%s' for '%s': %s: %s", to, from, e.code, e.text);
}

static void refuses_what_is_not_canonical(void **state) {
    (void)state;
    refused("{\"acpi\"", "{ \"acpi\"", "not-canonical");
    refused("\"name\":\"cdvm-guest\"", "\"name\":\"cdvm-guest\",\"extra\":1", "not-canonical");
    refused("\"cdvm-guest\"", "\"cdvm\\u002dguest\"", "not-canonical");
    refused("[\"EPYC-Genoa-v1\",\"EPYC-v4\"]", "[\"EPYC-v4\",\"EPYC-Genoa-v1\"]", "not-canonical");
    refused("[\"EPYC-Genoa-v1\",\"EPYC-v4\"]", "[\"EPYC-v4\",\"EPYC-v4\"]", "not-canonical");
    refused("[1,33]", "[33,1]", "not-canonical");
    refused("\"seq\":7", "\"seq\":7.0", "bad-json");
    refused("\"seq\":7", "\"seq\":7,\"seq\":7", "bad-json");
}

static void refuses_what_is_wrong(void **state) {
    (void)state;
    refused("\"seq\":7", "\"seq\":-7", "bad-manifest");
    refused("\"seq\":7", "\"seq\":\"7\"", "bad-manifest");
    refused("\"sandboxed\"", "\"none\"", "bad-manifest");
    refused("\"guest\"", "\"workload\"", "bad-manifest");
    refused("[1,33]", "[]", "bad-manifest");
    refused("[\"EPYC-Genoa-v1\",\"EPYC-v4\"]", "\"EPYC-v4\"", "bad-manifest");
    refused("\"blocks\":5", "\"blocks\":0", "bad-manifest");
    refused("\"gpa\":8454144", "\"gpa\":4294967296", "bad-manifest");
    refused("19:10-1f", "19:1f-10", "bad-manifest");
    refused("cdvm-guest", "cdvm\\nguest", "bad-manifest");
    refused("${work}", "${work}${work}", "bad-template");
    refused("}", "", "bad-json");
}

static void workload_and_model(void **state) {
    char *argv[] = {"/bin/table", "--once"}, *env[] = {"LANG=C"};
    struct manifest_limit limits[] = {{"memory", 512}};
    struct manifest m = {.name = "table",
                         .version = "1",
                         .seq = 1,
                         .volume = {.blocks = 9},
                         .argv = argv,
                         .n_argv = 2,
                         .env = env,
                         .n_env = 1,
                         .limits = limits,
                         .n_limits = 1,
                         .mode = "stream",
                         .repo = "r",
                         .commit = "c",
                         .licence = "MIT"};
    cleanup_buf struct buf b = {0};
    struct manifest *p;
    struct err e = {0};

    (void)state;
    assert_int_equal(manifest_json(&m, &b, &e), 0);
    p = manifest_parse(buf_view(&b), false, &e);
    if (!p)
        fail_msg("%s", e.text);
    assert_string_equal(p->argv[1], "--once");
    assert_int_equal(p->limits[0].value, 512);
    manifest_free(p);
    assert_null(manifest_parse(buf_view(&b), true, &e));
    buf_reset(&b);
    m.is_model = true;
    assert_int_equal(manifest_json(&m, &b, &e), 0);
    p = manifest_parse(buf_view(&b), true, &e);
    assert_non_null(p);
    assert_int_equal(p->n_argv, 0);
    manifest_free(p);
}

static void template_grammar(void **state) {
    static const struct {
        const char *templ, *work, *model, *broker, *code;
    } rows[] = {
        {templ, WORK, "none", "none", NULL},
        {templ, WORK, WORK, R64, NULL},
        {"${model}${work}${broker}", WORK, WORK, R64, NULL},
        {"a ${work} ${model}", WORK, "none", "none", "bad-template"},
        {"${work} ${work} ${model} ${broker}", WORK, "none", "none", "bad-template"},
        {"${work} ${model} ${broker} ${x}", WORK, "none", "none", "bad-template"},
        {"${work} ${model} ${broker} $", WORK, "none", "none", "bad-template"},
        {"${work} ${model} ${broker}\n", WORK, "none", "none", "bad-template"},
        {"${work} ${model} ${broker} \xc3\xa9", WORK, "none", "none", "bad-template"},
        {templ, "none", "none", "none", "bad-root"},
        {templ, WORK " init=/bin/sh", "none", "none", "bad-root"},
        {templ, R64, "none", "none", "bad-root"},
        {templ, R64 ":", "none", "none", "bad-root"},
        {templ, R64 ":012", "none", "none", "bad-root"},
        {templ, R64 ":1234567890123", "none", "none", "bad-root"},
        {templ, "A" WORK, "none", "none", "bad-root"},
        {templ, "${model}", "none", "none", "bad-root"},
        {templ, WORK, "", "none", "bad-root"},
        {templ, WORK, "None", "none", "bad-root"},
        {templ, WORK, "none", R64 "0", "bad-root"},
        {templ, WORK, "none", "", "bad-root"},
        {templ, WORK, "none", WORK, "bad-root"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        cleanup_buf struct buf out = {0};
        struct err e = {0};
        int rc =
            cmdline_render(rows[i].templ, rows[i].work, rows[i].model, rows[i].broker, &out, &e);

        if (rc != (rows[i].code ? -1 : 0) || (rc && strcmp(e.code, rows[i].code) != 0))
            fail_msg("row %zu: %d %s", i, rc, e.text);
        if (rc)
            assert_int_equal(out.n, 0);
    }
}

static void template_text(void **state) {
    cleanup_buf struct buf out = {0};
    struct err e;

    (void)state;
    assert_int_equal(cmdline_render(templ, WORK, "none", R64, &out, &e), 0);
    assert_string_equal((char *)out.p, "console=null cdvm.work=" WORK " cdvm.model=none "
                                       "cdvm.broker=" R64 " panic=-1 cdvm.base=" BASE);
}

static void template_length(void **state) {
    cleanup_free char *pad = mem_new(2100), *t = NULL;
    cleanup_buf struct buf out = {0};
    struct err e;

    (void)state;
    memset(pad, 'x', 1950);
    t = mem_fmt("${work} ${model} ${broker} %s", pad);
    assert_int_equal(cmdline_render(t, WORK, "none", R64, &out, &e), -1);
    assert_string_equal(e.code, "too-large");
}

static void volumes_as_text(void **state) {
    struct volume v;
    char text[VOLUME_TEXT];

    (void)state;
    assert_true(volume_parse(R64 ":999999999999", &v));
    volume_text(&v, text);
    assert_string_equal(text, R64 ":999999999999");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(acpi_is_what_the_command_line_says),
        cmocka_unit_test(a_release_cannot_say_otherwise),
        cmocka_unit_test(the_base_is_the_command_lines),
        cmocka_unit_test(refuses_what_is_not_canonical),
        cmocka_unit_test(refuses_what_is_wrong),
        cmocka_unit_test(workload_and_model),
        cmocka_unit_test(template_grammar),
        cmocka_unit_test(template_text),
        cmocka_unit_test(template_length),
        cmocka_unit_test(volumes_as_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
