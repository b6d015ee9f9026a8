#include "core/probe.c"
#include "tests/unit/unit.h"
#include "tests/unit/net.h"
#include "tests/unit/hostile.h"

struct told {
    bool done;
    unsigned calls;
    int64_t ms;
    char url[100], why[600];
};

static void on_told(void *arg, const char *url, int64_t ms, const struct err *why) {
    struct told *t = arg;

    t->done = true;
    t->calls++;
    t->ms = ms;
    snprintf(t->url, sizeof t->url, "%s", url);
    snprintf(t->why, sizeof t->why, "%s", why ? why->text : "");
}

static void a_relay_that_answers_tells_its_time(void **state) {
    struct told t = {0};
    struct net n;
    struct probes *p;
    struct err e;

    (void)state;
    net_up(&n, NULL);
    p = probes_new(n.ws, on_told, &t);
    assert_int_equal(probes_try(p, relayd_url(n.relay), &e), 0);
    assert_int_equal(probes_try(p, relayd_url(n.relay), &e), 0); /* the same one */
    assert_true(net_until(&n, &t.done, 5000));
    assert_in_range(t.ms, 0, 2000);
    assert_string_equal(t.why, "");
    assert_string_equal(t.url, relayd_url(n.relay));
    net_for(&n, 100);
    assert_int_equal(t.calls, 1);
    probes_free(p);
    net_down(&n);
}

static void one_that_is_not_there_says_why(void **state) {
    struct told t = {0};
    struct net n;
    struct probes *p;
    struct err e;

    (void)state;
    net_up(&n, NULL);
    p = probes_new(n.ws, on_told, &t);
    assert_int_equal(probes_try(p, "https://relay.example", &e), -1);
    assert_int_equal(probes_try(p, "ws://127.0.0.1:1", &e), 0);
    assert_true(net_until(&n, &t.done, 5000));
    assert_int_equal(t.ms, -1);
    assert_true(*t.why);
    net_for(&n, 1500); /* it does not try again by itself */
    assert_int_equal(t.calls, 1);
    probes_free(p);
    net_down(&n);
}

/* Freed while they wait, and no more at once than there is room for. */
static void many_and_then_none(void **state) {
    struct told t = {0};
    struct hostile h;
    struct net n;
    struct probes *p;
    unsigned told;
    struct err e;

    (void)state;
    net_up(&n, NULL);
    hostile_up(&h, n.loop);
    p = probes_new(n.ws, on_told, &t);
    for (int i = 0; i < PROBES_MAX; i++) {
        cleanup_free char *url = mem_fmt("%s/%d", h.url, i);

        assert_int_equal(probes_try(p, url, &e), 0);
    }
    assert_int_equal(probes_try(p, h.url, &e), -1);
    assert_string_equal(e.code, "busy");
    net_for(&n, 200);
    told = t.calls; /* the listener turns some away */
    assert_in_range(told, 0, PROBES_MAX - 1);
    probes_free(p);
    net_for(&n, 200);
    assert_int_equal(t.calls, told);
    hostile_down(&h);
    net_down(&n);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_relay_that_answers_tells_its_time),
        cmocka_unit_test(one_that_is_not_there_says_why),
        cmocka_unit_test(many_and_then_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
