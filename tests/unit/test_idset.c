#include "core/idset.c"
#include "tests/unit/unit.h"

static void id_of(uint32_t i, uint8_t id[32]) {
    memset(id, 0, 32);
    memcpy(id, &i, sizeof i);
}

static void remembers_the_newest_and_stays_bounded(void **state) {
    struct idset *s = idset_new();
    uint8_t id[32];

    (void)state;
    for (uint32_t i = 0; i < 5 * IDSET_KEEP; i++) {
        id_of(i, id);
        assert_true(idset_add(s, id, 1));
        assert_false(idset_add(s, id, 1));
    }
    for (uint32_t i = 4 * IDSET_KEEP; i < 5 * IDSET_KEEP; i++) {
        id_of(i, id);
        assert_true(idset_has(s, id, 1));
    }
    id_of(7, id);
    assert_false(idset_has(s, id, 1)); /* long forgotten */
    idset_free(s);
}

static void salts_keep_sets_apart(void **state) {
    struct idset *s = idset_new();
    uint8_t id[32] = {0};

    (void)state;
    assert_true(idset_add(s, id, 0)); /* the all-zero key is a key like others */
    assert_false(idset_add(s, id, 0));
    assert_true(idset_add(s, id, 1));
    assert_false(idset_has(s, id, 2));
    idset_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(remembers_the_newest_and_stays_bounded),
        cmocka_unit_test(salts_keep_sets_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
