#include "core/conf_edit.c"
#include "tests/unit/unit.h"

struct things {
    char *name, *unset;
    struct conf_list relay;
    uint64_t slots;
    bool loud;
    unsigned policy;
};
static const char *const policies[] = {"standard", "strict", NULL};
static const struct conf_key keys[] = {
    {"name", CONF_STRING, offsetof(struct things, name), 0, 0, NULL, ""},
    {"unset", CONF_STRING, offsetof(struct things, unset), 0, 0, NULL, ""},
    {"relay", CONF_LIST, offsetof(struct things, relay), 0, 0, NULL, ""},
    {"slots", CONF_NUMBER, offsetof(struct things, slots), 0, UINT64_MAX, NULL, ""},
    {"loud", CONF_BOOL, offsetof(struct things, loud), 0, 0, NULL, ""},
    {"policy", CONF_CHOICE, offsetof(struct things, policy), 0, 0, policies, ""},
};

static void list_drop(struct conf_list *l) {
    for (size_t i = 0; i < l->n; i++)
        free(l->v[i]);
    free(l->v);
}

static void only_its_lines_change(void **state) {
    static const struct {
        const char *text, *key;
        const char *values[4];
        const char *want;
    } ROWS[] = {
        {"", "relay", {"a"}, "relay = a\n"},
        {"", "relay", {NULL}, ""},
        {"# mine\npolicy=standard # no comment here\n",
         "out",
         {"x"},
         "# mine\npolicy=standard # no comment here\nout = x\n"},
        {"policy = standard", "out", {"x"}, "policy = standard\nout = x\n"},
        {"  policy =  strict \n# policy = standard\n",
         "policy",
         {"strict"},
         "  policy =  strict \n# policy = standard\n"},
        {"# one\npolicy = strict\n# two\n",
         "policy",
         {"standard"},
         "# one\npolicy = standard\n# two\n"},
        {"policy = strict\nout = x\n", "policy", {NULL}, "out = x\n"},
        {"relay=a\n# the second\nrelay = b\n\nout = x\n",
         "relay",
         {"a", "b", "c"},
         "relay=a\n# the second\nrelay = b\nrelay = c\n\nout = x\n"},
        {"relay=a\n# the second\nrelay = b\n\nout = x\n",
         "relay",
         {"b"},
         "# the second\nrelay = b\n\nout = x\n"},
        {"relay=a\nrelay=b\nout = x\n", "relay", {"c"}, "relay = c\nout = x\n"},
        {"relay = a\nrelay = a\n", "relay", {"a"}, "relay = a\n"},
        {"relays = a\n", "relay", {"a"}, "relays = a\nrelay = a\n"},
        {"#relay = a", "relay", {"a"}, "#relay = a\nrelay = a\n"},
        {"relay = a", "relay", {"b", "a"}, "relay = a\nrelay = b\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        cleanup_buf struct buf out = {0};
        char *v[4];
        struct conf_list values = {v, 0};

        while (values.n < 4 && ROWS[i].values[values.n]) {
            v[values.n] = mem_str(ROWS[i].values[values.n]);
            values.n++;
        }
        conf_edit(view_str(ROWS[i].text), ROWS[i].key, &values, &out);
        buf_str(&out, "");
        assert_string_equal((char *)out.p, ROWS[i].want);
        while (values.n)
            free(v[--values.n]);
    }
}

/* Whatever a struct holds is read back from what was written of it. */
static void values_come_back(void **state) {
    struct things s = {.slots = UINT64_MAX, .loud = true, .policy = 1}, back = {0};
    cleanup_buf struct buf text = {0};
    struct err e;

    (void)state;
    s.name = mem_str("a name = with # signs");
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(conf_set(keys, COUNT(keys), "relay", view_str("wss://r"), &s, &e), 0);
    for (size_t i = 0; i < COUNT(keys); i++) {
        cleanup_buf struct buf next = {0};
        struct conf_list v;

        conf_values(&keys[i], &s, &v);
        conf_edit(buf_view(&text), keys[i].name, &v, &next);
        buf_reset(&text);
        buf_add(&text, next.p, next.n);
        list_drop(&v);
    }
    if (conf_parse(buf_view(&text), "x", keys, COUNT(keys), &back, &e) != 0)
        fail_msg("%s", e.text);
    assert_string_equal(back.name, s.name);
    assert_null(back.unset);
    assert_int_equal(back.relay.n, 3);
    assert_true(back.slots == UINT64_MAX && back.loud && back.policy == 1);
    conf_free(keys, COUNT(keys), &s);
    conf_free(keys, COUNT(keys), &back);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_its_lines_change),
        cmocka_unit_test(values_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
