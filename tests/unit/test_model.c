#include "tui/model.c"
#include "tests/unit/unit.h"

static struct model of_offer(uint32_t kind, const char *name, uint64_t bytes) {
    struct offer o = {.job_kind = kind, .model_bytes = bytes};
    struct model m;

    snprintf(o.model_name, sizeof o.model_name, "%s", name);
    snprintf(o.model, sizeof o.model, "%s", *name ? "aa:1" : "none");
    model_of_offer(&o, &m);
    return m;
}

static void learn(struct model *m, const char *caps) {
    cJSON *v = json_parse(view_str(caps), 4096, NULL);

    model_learn(m, v);
    cJSON_Delete(v);
}

static void expect_words(const struct model *m, const char *want) {
    char words[160];

    model_words(m, words, sizeof words);
    assert_string_equal(words, want);
}

static void the_offer_claims_and_the_guest_says(void **state) {
    struct model m = of_offer(KIND_JOB_CHAT, "SmolLM2-135M", 91700000);

    (void)state;
    expect_words(&m, "SmolLM2-135M, 92 MB");
    assert_false(m.by_guest);
    assert_null(model_caution(&m)); /* nothing is known of its size yet */
    learn(&m, "[\"stream\",\"model:SmolLM2-135M-Instruct\",\"parameters:134515008\","
              "\"quantization:Q4_1\",\"emulated\"]");
    expect_words(&m, "SmolLM2-135M-Instruct, 135 M parameters, Q4_1");
    assert_true(m.by_guest && m.emulated);
    assert_non_null(strstr(model_caution(&m), "very small"));
}

static void sizes_are_said_in_words(void **state) {
    static const struct {
        const char *caps, *words;
        bool caution;
    } ROWS[] = {
        {"[\"parameters:260000\"]", "m, 260 K parameters", true},
        {"[\"parameters:1500000\"]", "m, 1.5 M parameters", true},
        {"[\"parameters:999400000\"]", "m, 999 M parameters", true},
        {"[\"parameters:3000000000\"]", "m, 3.0 B parameters", true},
        {"[\"parameters:70600000000\",\"quantization:Q8_0\"]", "m, 70.6 B parameters, Q8_0", false},
        {"[\"parameters:many\"]", "m", false},
        {"[7,null,\"parameters:-1\"]", "m", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct model m = of_offer(KIND_JOB_CHAT, "m", 0);

        learn(&m, ROWS[i].caps);
        expect_words(&m, ROWS[i].words);
        assert_int_equal(model_caution(&m) != NULL, ROWS[i].caution);
    }
}

static void no_model_is_said(void **state) {
    struct model m = of_offer(KIND_JOB_CHAT, "", 0);

    (void)state;
    expect_words(&m, "none");
    assert_non_null(strstr(model_caution(&m), "no language model"));
    m = of_offer(KIND_JOB_CHAT, "promised", 1);
    learn(&m, "[\"no-model\"]");
    assert_non_null(strstr(model_caution(&m), "no language model"));
    m = of_offer(KIND_JOB_TOOL, "", 0); /* a table tool needs none */
    assert_null(model_caution(&m));
}

static void hostile_names_are_disarmed(void **state) {
    struct model m = of_offer(KIND_JOB_CHAT, "m", 0);
    char words[160];

    (void)state;
    learn(&m, "[\"model:a\\u001b[2Jb\\u202ec\",\"quantization:\\u0007\\n\"]");
    model_words(&m, words, sizeof words);
    assert_null(strchr(words, 0x1b));
    assert_null(strchr(words, '\n'));
    assert_null(strstr(words, "\xe2\x80\xae"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_offer_claims_and_the_guest_says),
        cmocka_unit_test(sizes_are_said_in_words),
        cmocka_unit_test(no_model_is_said),
        cmocka_unit_test(hostile_names_are_disarmed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
