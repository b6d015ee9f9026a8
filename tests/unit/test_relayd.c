#include "provider/relayd.c"
#include "tests/unit/unit.h"
#include "tests/unit/net.h"

static void stores_and_serves(void **state) {
    struct net n;
    struct client a, b;

    (void)state;
    net_up(&n, NULL);
    client_up(&a, &n, false);
    client_up(&b, &n, false);
    assert_true(client_put(&a, note_by(a.key, 1, unix_now(), "hello", "t", "x")));
    assert_int_equal(client_ask(&b, "{\"kinds\":[1]}"), 1);
    assert_string_equal(b.last->f.content, "hello");
    assert_int_equal(client_ask(&b, "{\"#t\":[\"x\"]}"), 1);
    assert_int_equal(client_ask(&b, "{\"#t\":[\"y\"]}"), 0);
    client_down(&a);
    client_down(&b);
    net_down(&n);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stores_and_serves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
