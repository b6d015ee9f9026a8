#include "core/name.c"

#include "core/enc.h"
#include "tests/unit/unit.h"

static void flags_of_names(void **st) {
    static const struct {
        const char *name;
        unsigned flags;
    } ROWS[] = {
        {"", 0},
        {"alpenrechen", 0},
        {"GPU-7 (Zürich)", 0},
        {"Москва 24", 0},
        {"東京 gpu", 0},
        {"東京カタカナ ひらがな gpu", 0},
        {"서울 hanja 漢字", 0},
        {"حوسبة سرية", 0},
        {"аlpenrechen", NAME_MIXED},   /* Cyrillic a */
        {"Москва GPU", NAME_MIXED},    /* two scripts, honest or not */
        {"ひらがな 서울", NAME_MIXED}, /* Japanese and Korean */
        {"αβγ абв", NAME_MIXED},       /* Greek and Cyrillic */
        {"сосо", NAME_DISGUISE},       /* all Cyrillic, reads coco */
        {"ΤΑΧ", NAME_DISGUISE},        /* all Greek, reads TAX */
        {"Рассвет", 0},                /* Cyrillic with letters that are no Latin ones */
        {"𝐚𝐥𝐩𝐞𝐧", NAME_DISGUISE},      /* mathematical letters */
        {"alpen\xef\xbf\xbdrechen", NAME_UNSEEN},
    };

    (void)st;
    for (size_t i = 0; i < COUNT(ROWS); i++)
        if (name_flags(view_str(ROWS[i].name)) != ROWS[i].flags)
            fail_msg("'%s' has the flags %u", ROWS[i].name, name_flags(view_str(ROWS[i].name)));
}

static bool alike(const char *a, const char *b) {
    char la[NAME_LOOK], lb[NAME_LOOK];

    name_look(view_str(a), la);
    name_look(view_str(b), lb);
    return !strcmp(la, lb);
}

static void names_that_look_alike(void **st) {
    static const struct {
        const char *a, *b;
        bool alike;
    } ROWS[] = {
        {"alpenrechen", "alpenrechen", true},
        {"alpenrechen", "Alpen-Rechen", true},
        {"alpenrechen", "AlPENRECHEN", true},
        {"alpenrechen", "аlpenrechen", true}, /* Cyrillic a */
        {"alpenrechen", "ａｌｐｅｎｒｅｃｈｅｎ", true},
        {"alpenrechen", "álpenrechen", true},
        {"alpenrechen", "𝓪𝓵𝓹𝓮𝓷𝓻𝓮𝓬𝓱𝓮𝓷", true},
        {"alpenrechen", "a l p e n r e c h e n", true},
        {"alpenrechen", "alpenrechner", false},
        {"coco", "сосо", true},
        {"modern", "rnodem", true},
        {"Illinois", "lllinois", true},
        {"node10", "nodelO", true},
        {"wave", "vvave", true},
        {"office", "oﬃce", true},
        {"МОСКВА", "москва", true},
        {"mockba", "москва", true},
        {"TAX", "ΤΑΧ", true},
        {"Ωmega", "ωmega", true},
        {"東京", "北京", false},
        {"gpu1", "gpu2", false},
    };

    (void)st;
    for (size_t i = 0; i < COUNT(ROWS); i++)
        if (alike(ROWS[i].a, ROWS[i].b) != ROWS[i].alike)
            fail_msg("'%s' and '%s' are %salike", ROWS[i].a, ROWS[i].b,
                     ROWS[i].alike ? "not " : "");
}

static void scripts_in_words(void **st) {
    static const struct {
        const char *name, *words;
    } ROWS[] = {{"plain", "Latin"},
                {"123 -", ""},
                {"аlpen", "Cyrillic and Latin"},
                {"aбγ", "Latin, Cyrillic and Greek"},
                {"aбγש서", "Latin, Cyrillic, Greek and others"}};
    char words[80];

    (void)st;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        name_scripts_words(view_str(ROWS[i].name), words, sizeof words);
        assert_string_equal(words, ROWS[i].words);
    }
}

/* Nothing written past the end, whatever comes; what was cut is cut at a whole character. */
static void is_bounded(void **st) {
    char look[NAME_LOOK], words[12];
    cleanup_buf struct buf many = {0};

    (void)st;
    for (int i = 0; i < 200; i++)
        buf_str(&many, "漢");
    name_look(buf_view(&many), look);
    assert_int_equal(strlen(look), 63);
    assert_true(utf8_valid(view_str(look)));
    name_scripts_words(view_str("aбγש서"), words, sizeof words);
    assert_string_equal(words, "Latin, Cyri");
    name_look(view_str("--- ..."), look);
    assert_string_equal(look, "");
}

/* The tables are sorted, and what something looks like looks like nothing else. */
static void tables_are_sound(void **st) {
    (void)st;
    for (size_t i = 1; i < COUNT(name_script_table); i++)
        assert_true(name_script_table[i - 1] >> 8 < name_script_table[i] >> 8);
    for (size_t i = 1; i < COUNT(name_looks); i++)
        assert_true((name_looks[i - 1] >> 43) + (name_looks[i - 1] >> 33 & 0x3ff) <=
                    name_looks[i] >> 43);
    for (uint32_t cp = 0x80; cp < 0x110000; cp++) {
        uint32_t once = look_of(cp);

        if (once < FAINT && once > 0x7f && look_of(once) != once)
            fail_msg("U+%04X looks like U+%04X, which looks like U+%04X", cp, once, look_of(once));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_of_names),   cmocka_unit_test(names_that_look_alike),
        cmocka_unit_test(scripts_in_words), cmocka_unit_test(is_bounded),
        cmocka_unit_test(tables_are_sound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
