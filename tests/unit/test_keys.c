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
        cmocka_unit_test(no_key_twice_on_a_screen), cmocka_unit_test(every_row_is_whole),
        cmocka_unit_test(every_action_has_a_key),   cmocka_unit_test(letters_stay_text),
        cmocka_unit_test(pasted_enter_is_harmless), cmocka_unit_test(names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
