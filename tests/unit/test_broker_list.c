#include "provider/broker_list.c"
#include "tests/unit/unit.h"

#define H "1111111111111111111111111111111111111111111111111111111111111111"
#define W "2222222222222222222222222222222222222222222222222222222222222222:5"
#define M "3333333333333333333333333333333333333333333333333333333333333333:9"
#define ROW "release=" H " work=" W " model=" M " key=k max=3"

static void rows_and_comments(void **state) {
    struct broker_list l;
    struct err e;

    (void)state;
    assert_int_equal(broker_list_parse(view_str("# mine\n\n" ROW " total=7 gpus=1 vcpus=2 # c\r\n"
                                                "max=1\tkey=x model=" W " work=" W " release=" H),
                                       "list", &l, &e),
                     0);
    assert_int_equal(l.n, 2);
    assert_int_equal(l.row[0].line, 3);
    assert_int_equal(l.row[0].max, 3);
    assert_int_equal(l.row[0].total, 7);
    assert_int_equal(l.row[0].gpus, 1);
    assert_int_equal(l.row[0].vcpus, 2);
    assert_int_equal(l.row[0].model.blocks, 9);
    assert_int_equal(l.row[0].release[31], 0x11);
    assert_string_equal(l.row[0].key, "k");
    assert_int_equal(l.row[1].total, 0);
    assert_int_equal(l.row[1].vcpus, 64);
    broker_list_free(&l);
}

static void what_is_wrong_is_named_with_its_line(void **state) {
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"release=" H "\n", "list:1: the row has no 'work='"},
        {"\nrelease=xy\n", "list:2: release: 'xy' is not"},
        {ROW " max=2", "'max' stands twice"},
        {ROW " what=2", "'what' is not a word"},
        {ROW " word", "'word' is not a word"},
        {"release=" H " work=" W " model=" M " key= max=3", "key: '' is not"},
        {"release=" H " work=" W " model=" M " key=k max=0", "max: '0' is not"},
        {"release=" H " work=" W " model=" M " key=k max=-1", "max: '-1' is not"},
        {ROW " vcpus=513", "vcpus: '513' is not"},
        {ROW " gpus=17", "gpus: '17' is not"},
        {ROW "\n# x\n" ROW, "list:3: the same guest and model as line 1"},
        {ROW "\n\x01", "list:2: not printable ASCII"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct broker_list l;
        struct err e = {0};

        assert_int_equal(broker_list_parse(view_str(rows[i].text), "list", &l, &e), -1);
        assert_string_equal(e.code, "bad-list");
        if (!strstr(e.text, rows[i].why))
            fail_msg("row %zu: '%s'", i, e.text);
        broker_list_free(&l);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_comments),
        cmocka_unit_test(what_is_wrong_is_named_with_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
