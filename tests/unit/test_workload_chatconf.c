#include <unistd.h>
#include "guest/workloads/lib/card.h"
#include "guest/workloads/lib/chatconf.c"
#include "tests/unit/unit.h"

/* The sampling members, or "!sentence". */
static char *parse(const char *params, struct chatconf *c) {
    cJSON *o = json_parse(view_str(params), 65536, NULL);
    struct err e = {0};
    int rc = chatconf_parse(o, c, &e);

    cJSON_Delete(o);
    if (rc)
        assert_string_equal(e.code, "bad-request");
    return rc ? mem_fmt("!%s", e.text) : mem_str((const char *)c->sampling.p);
}

static void check(const char *params, const char *want) {
    struct chatconf c;
    cleanup_free char *got = parse(params, &c);

    assert_string_equal(got, want);
    chatconf_free(&c);
}

static void sampling(void **state) {
    (void)state;
    check("{}", ",\"temperature\":0");
    check("{\"pace\":\"free\",\"other\":\"x\"}", ",\"temperature\":0");
    check("{\"temperature\":\"0.7\"}", ",\"temperature\":0.700");
    check("{\"temperature\":\"2\",\"top_p\":\"0.95\",\"top_k\":\"40\",\"seed\":\"4294967295\"}",
          ",\"temperature\":2.000,\"top_p\":0.950,\"top_k\":40,\"seed\":4294967295");
}

static void the_rest(void **state) {
    struct chatconf c;
    cleanup_free char *got = parse("{\"system\":\"a\",\"max_tokens\":\"48\",\"passages\":\"3\","
                                   "\"profile\":\"lean\",\"turns\":\"0\"}",
                                   &c);

    (void)state;
    assert_string_equal(got, ",\"temperature\":0");
    assert_string_equal(c.system, "a");
    assert_int_equal(c.max_tokens, 48);
    assert_int_equal(c.passages, 3);
    assert_int_equal(c.turns, 0);
    assert_int_equal(c.profile, CHAT_LEAN);
    chatconf_free(&c);
}

static void bad_values_are_named(void **state) {
    (void)state;
    check("{\"temperature\":\"-1\"}",
          "!parameter temperature is '-1': it must be a number from 0 to 2");
    check("{\"temperature\":\"2.001\"}",
          "!parameter temperature is '2.001': it must be a number from 0 to 2");
    check("{\"temperature\":\"0.\"}",
          "!parameter temperature is '0.': it must be a number from 0 to 2");
    check("{\"temperature\":\"0,\\\"x\\\":1\"}",
          "!parameter temperature is '0,\"x\":1': it must be a number from 0 to 2");
    check("{\"top_p\":\"1.1\"}", "!parameter top_p is '1.1': it must be a number from 0 to 1");
    check("{\"top_k\":\"0\"}", "!parameter top_k is '0': it must be a whole number from 1 to 1000");
    check("{\"max_tokens\":\"99999999999\"}",
          "!parameter max_tokens is '99999999999': it must be a whole number from 1");
    check("{\"max_tokens\":\"\"}", "!parameter max_tokens is '': it must be a whole number from 1");
    check("{\"passages\":\"17\"}",
          "!parameter passages is '17': it must be a whole number from 1 to 16");
    check("{\"turns\":\"65\"}", "!parameter turns is '65': it must be a whole number from 0 to 64");
    check("{\"seed\":\"4294967296\"}",
          "!parameter seed is '4294967296': it must be a whole number below 2^32");
    check("{\"profile\":\"fat\"}", "!parameter profile is 'fat': it must be auto, lean or full");
}

/* --- cards --- */

static char *words(const char *card, size_t max) {
    cleanup_free char *path = mem_fmt("/tmp/cdvm-card-%d.json", getpid());
    struct card c;
    char *got;

    assert_int_equal(file_write(path, view_str(card), 0600, true, NULL), 0);
    card_read(path, &c);
    got = card_words(&c, max);
    card_free(&c);
    unlink(path);
    return got;
}

static void check_card(const char *card, size_t max, const char *want) {
    cleanup_free char *got = words(card, max);

    assert_string_equal(got, want);
}

static void cards_in_words(void **state) {
    (void)state;
    check_card(
        "{\"name\":\"SmolLM2-135M-Instruct\",\"parameters\":134515008,\"quantization\":\"Q4_1\"}",
        64, "SmolLM2-135M-Instruct, 135 M parameters, Q4_1");
    check_card("{\"name\":\"a\",\"parameters\":1234567890}", 64, "a, 1.2 B parameters");
    check_card("{\"name\":\"a\",\"parameters\":260032}", 64, "a, 260 K parameters");
    check_card("{\"name\":\"a\",\"parameters\":12}", 64, "a, 12 parameters");
    check_card("{\"name\":\"a\",\"parameters\":-1,\"quantization\":7}", 64, "a");
    check_card("{\"name\":\"a\\u001b[2J\\u202eb\"}", 64,
               "a\xef\xbf\xbd[2J\xef\xbf\xbd"
               "b");
    check_card("not json", 64, "unnamed model");
    check_card("{\"name\":\"\xc3\xa9\xc3\xa9\xc3\xa9\"}", 5, "\xc3\xa9\xc3\xa9");
}

static void stops_of_a_card(void **state) {
    cleanup_free char *path = mem_fmt("/tmp/cdvm-card-%d.json", getpid());
    struct card c;

    (void)state;
    assert_int_equal(file_write(path,
                                view_str("{\"stop\":[\"<|end|>\",7,\"\",\"b\"],\"context\":512}"),
                                0600, true, NULL),
                     0);
    card_read(path, &c);
    assert_int_equal(c.n_stops, 2);
    assert_string_equal(c.stop[0], "<|end|>");
    assert_int_equal(c.context, 512);
    card_free(&c);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sampling),
        cmocka_unit_test(the_rest),
        cmocka_unit_test(bad_values_are_named),
        cmocka_unit_test(cards_in_words),
        cmocka_unit_test(stops_of_a_card),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
