#include "tui/keys.c"

#include "tests/unit/unit.h"

static void no_key_twice_on_a_screen(void **state) {
    (void)state;
    for (unsigned s = 0; s < SCR_COUNT; s++)
        for (size_t i = 0; i < COUNT(TABLE); i++)
            for (size_t k = 0; k < 4 && TABLE[i].key[k]; k++) {
                char name[24];

                if (!keys_on(&TABLE[i], s))
                    continue;
                keys_name(TABLE[i].key[k], name);
                if (keys_find(s, TABLE[i].key[k]) != TABLE[i].action)
                    fail_msg("%s means two things on %s", name, keys_screen_name(s));
            }
}

static void every_row_is_whole(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(TABLE); i++) {
        assert_int_not_equal(TABLE[i].action, ACT_NONE);
        assert_int_not_equal(TABLE[i].on, 0);
        assert_int_not_equal(TABLE[i].key[0], 0);
        assert_true(TABLE[i].help && *TABLE[i].help);
    }
}

static void every_action_has_a_key(void **state) {
    (void)state;
    for (unsigned a = ACT_NONE + 1; a < ACT_COUNT; a++) {
        bool found = a == ACT_EDIT_CLEAR; /* from commands only */

        for (size_t i = 0; i < COUNT(TABLE); i++)
            found |= TABLE[i].action == a;
        if (!found)
            fail_msg("action %u has no key", a);
    }
}

/* Where letters are text no plain letter may be bound, and the way out works everywhere. */
static void letters_stay_text(void **state) {
    (void)state;
    for (unsigned s = 0; s < SCR_COUNT; s++) {
        assert_int_equal(keys_find(s, K_CTRL('Q')), ACT_PANIC);
        assert_int_equal(keys_find(s, K_CTRL('C')), ACT_INTERRUPT);
        for (uint32_t c = ' '; keys_types(s) && c < 0x7f; c++)
            assert_int_equal(keys_find(s, c), ACT_NONE);
    }
}

/* A pasted newline sends nothing and confirms nothing. */
static void pasted_enter_is_harmless(void **state) {
    (void)state;
    assert_int_equal(keys_find(SCR_CHAT, K_PASTED_ENTER), ACT_NEWLINE);
    assert_int_equal(keys_find(SCR_WORD, K_PASTED_ENTER), ACT_NONE);
    assert_int_equal(keys_find(SCR_YESNO, K_PASTED_ENTER), ACT_NONE);
    assert_int_equal(keys_find(SCR_OFFERS, K_PASTED_ENTER), ACT_OPEN);
}

static void bind(const char *line) {
    struct err e;

    if (keys_bind(line, &e) != 0)
        fail_msg("%s: %s", line, e.text);
}

static void keys_of_ones_own(void **state) {
    (void)state;
    bind("offers Z s");
    assert_int_equal(keys_find(SCR_OFFERS, 'Z'), ACT_SORT);
    assert_int_equal(keys_find(SCR_OFFERS, 's'), ACT_SORT);
    bind("offers s /"); /* what s did, Z still does */
    assert_int_equal(keys_find(SCR_OFFERS, 's'), ACT_FILTER);
    assert_int_equal(keys_find(SCR_OFFERS, 'Z'), ACT_SORT);
    bind("keys F6 Esc");
    assert_int_equal(keys_find(SCR_SETTINGS, K_F6), ACT_BACK);
    assert_int_equal(keys_find(SCR_OFFERS, K_F6), ACT_GO_SETTINGS); /* elsewhere as ever */
    bind("chat Alt-z Alt-Enter");
    assert_int_equal(keys_find(SCR_CHAT, K_ALT('z')), ACT_NEWLINE);
    bind("attestation z ?");
    bind("attestation ? n");
    bind("attestation F1 n");
    assert_int_equal(keys_find(SCR_ATTEST, 'z'), ACT_HELP);
    for (unsigned s = 0; s < SCR_COUNT; s++) /* still no key means two things */
        for (size_t i = 0; i < n_rows; i++)
            for (size_t k = 0; k < 4 && table[i].key[k]; k++)
                if (keys_on(&table[i], s))
                    assert_int_equal(keys_find(s, table[i].key[k]), table[i].action);
    keys_unbind();
    assert_int_equal(keys_find(SCR_OFFERS, 'Z'), ACT_NONE);
    assert_int_equal(keys_find(SCR_SETTINGS, K_F6), ACT_GO_SETTINGS);
}

/* No binding takes a question away, shuts the way out or makes letters anything but text. */
static void what_cannot_be_bound(void **state) {
    static const char *const LINES[] = {"",
                                        "offers",
                                        "offers S",
                                        "offers S s s",
                                        "nowhere S s",
                                        "offers Strg-X s",
                                        "offers S Alt-ü",
                                        "offers Ctrl-C s",
                                        "chat Ctrl-Q Enter",
                                        "chat x Enter",
                                        "question Enter y",
                                        "hidden a Enter",
                                        "first x Enter",
                                        "everything Enter Esc",
                                        "help x Esc",
                                        "filter x Enter",
                                        "offers  s",
                                        "offers \xff s"};

    (void)state;
    for (size_t i = 0; i < COUNT(LINES); i++) {
        struct err e;

        assert_int_equal(keys_bind(LINES[i], &e), -1);
        assert_string_equal(e.code, "bad-config");
        assert_int_equal(keys_bind_ok(LINES[i], &e), -1);
    }
    assert_int_equal(n_rows, COUNT(TABLE));
}

/* As many as there may be, each parting rows, and one more. */
static void many_bindings(void **state) {
    struct err e;
    int taken = 0;

    (void)state;
    for (uint32_t c = 0xa1; taken < BINDS_MAX; c++) {
        char key[5] = "", line[64];

        key[utf8_put(c, key)] = 0;
        snprintf(line, sizeof line, "%s %s 1", c % 2 ? "offers" : "jobs", key);
        bind(line);
        taken++;
    }
    assert_int_equal(keys_bind("files X a", &e), -1);
    assert_non_null(strstr(e.text, "more than 64 bindings"));
    keys_unbind();
}

/* Whatever has a name is found by it. */
static void names_go_round(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(TABLE); i++)
        for (size_t k = 0; k < 4 && TABLE[i].key[k]; k++) {
            char name[24];

            keys_name(TABLE[i].key[k], name);
            if (TABLE[i].key[k] != K_PASTED_ENTER)
                assert_int_equal(key_named(view_str(name)), TABLE[i].key[k]);
        }
}

static void names(void **state) {
    static const struct {
        uint32_t key;
        const char *name;
    } ROWS[] = {{K_CTRL('X'), "Ctrl-X"},
                {K_ALT(K_ENTER), "Alt-Enter"},
                {K_PAGE_UP, "PgUp"},
                {'q', "q"},
                {K_F1, "F1"},
                {K_ALT('<'), "Alt-<"},
                {' ', "Space"},
                {K_TAB, "Tab"},
                {0xe9, "\xc3\xa9"}};

    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        char got[24];

        keys_name(ROWS[i].key, got);
        assert_string_equal(got, ROWS[i].name);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_key_twice_on_a_screen),
        cmocka_unit_test(every_row_is_whole),
        cmocka_unit_test(every_action_has_a_key),
        cmocka_unit_test(letters_stay_text),
        cmocka_unit_test(pasted_enter_is_harmless),
        cmocka_unit_test(names),
        cmocka_unit_test(keys_of_ones_own),
        cmocka_unit_test(what_cannot_be_bound),
        cmocka_unit_test(many_bindings),
        cmocka_unit_test(names_go_round),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
