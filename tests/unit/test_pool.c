#include "core/pool.c"
#include "tests/unit/unit.h"
#include "tests/unit/net.h"
#include "tests/unit/hostile.h"

/* A second relay in the same process, with a folder of its own. */
static struct relayd *second(struct net *n) {
    char dir[80];
    struct err e;
    struct relayd *r;

    snprintf(dir, sizeof dir, "%s/second", n->dir);
    r = relayd_new(n->ws, &(struct relayd_opts){.path = dir}, &e);
    if (!r)
        fail_msg("%s", e.text);
    return r;
}

static bool all_up(struct client *c) {
    int64_t end = loop_now() + 8000;

    while (pool_up(c->pool) < pool_count(c->pool) && loop_now() < end)
        loop_turn(c->net->loop, 20);
    return pool_up(c->pool) == pool_count(c->pool);
}

static void an_event_from_two_relays_comes_once(void **state) {
    struct net n;
    struct client a, b;
    struct relayd *two;

    (void)state;
    net_up(&n, NULL);
    two = second(&n);
    client_up(&a, &n, false);
    client_up(&b, &n, false);
    assert_int_equal(pool_add(a.pool, relayd_url(two), NULL), 0);
    assert_int_equal(pool_add(b.pool, relayd_url(two), NULL), 0);
    assert_int_equal(pool_add(b.pool, relayd_url(two), NULL), 0); /* again: the same */
    assert_int_equal(pool_count(b.pool), 2);
    assert_true(all_up(&a) && all_up(&b));
    assert_true(client_put(&a, note_by(a.key, 1, unix_now(), "to both", NULL, NULL)));
    net_for(&n, 100);
    assert_int_equal(client_ask(&b, "{\"kinds\":[1]}"), 1);
    assert_int_equal(client_ask(&b, "{\"kinds\":[1]}"), 1); /* asking anew shows it anew */
    client_down(&a);
    client_down(&b);
    relayd_free(two);
    net_down(&n);
}

static void live_events_from_two_relays_come_once(void **state) {
    struct net n;
    struct client a, b;
    struct relayd *two;

    (void)state;
    net_up(&n, NULL);
    two = second(&n);
    client_up(&a, &n, false);
    client_up(&b, &n, false);
    assert_int_equal(pool_add(a.pool, relayd_url(two), NULL), 0);
    assert_int_equal(pool_add(b.pool, relayd_url(two), NULL), 0);
    assert_int_equal(pool_subscribe(b.pool, "live", "{\"kinds\":[1]}", NULL), 0);
    assert_true(all_up(&a) && all_up(&b) && net_until(&n, &b.eose, 6000));
    for (int i = 0; i < 5; i++)
        assert_true(client_put(&a, note_by(a.key, 1, 1700000000 + i, "x", NULL, NULL)));
    net_for(&n, 200);
    assert_int_equal(b.n_events, 5);
    client_down(&a);
    client_down(&b);
    relayd_free(two);
    net_down(&n);
}

static void a_dead_relay_does_not_hold_up_the_others(void **state) {
    struct net n;
    struct client a;
    int64_t start;

    (void)state;
    net_up(&n, NULL);
    client_up(&a, &n, false);
    assert_int_equal(pool_add(a.pool, "ws://127.0.0.1:1", NULL), 0);
    start = loop_now();
    client_ask(&a, "{\"kinds\":[1]}");
    assert_true(loop_now() - start < 2000);
    client_down(&a);
    net_down(&n);
}

/* One that goes is not waited for, and the answers of the others stay theirs. */
static void a_relay_can_be_taken_out(void **state) {
    struct net n;
    struct client a;

    (void)state;
    net_up(&n, NULL);
    client_up(&a, &n, false);
    assert_true(client_put(&a, note_by(a.key, 1, unix_now(), "x", NULL, NULL)));
    assert_int_equal(pool_add(a.pool, "ws://127.0.0.1:1", NULL), 0);
    assert_int_equal(pool_add(a.pool, "ws://127.0.0.1:2", NULL), 0);
    pool_remove(a.pool, "ws://127.0.0.1:1");
    pool_remove(a.pool, "ws://127.0.0.1:1");
    assert_int_equal(pool_count(a.pool), 2);
    assert_string_equal(relay_url(pool_at(a.pool, 1)), "ws://127.0.0.1:2");
    assert_int_equal(client_ask(&a, "{\"kinds\":[1]}"), 1);
    assert_int_equal(relay_events(pool_at(a.pool, 0)), 1);
    net_for(&n, 100);
    assert_true(relay_retry_at(pool_at(a.pool, 1)) > loop_now());
    pool_remove(a.pool, relayd_url(n.relay));
    pool_remove(a.pool, "ws://127.0.0.1:2");
    assert_int_equal(pool_count(a.pool), 0);
    assert_int_equal(without_bit(0x80000005, 1), 0x40000003);
    assert_int_equal(without_bit(0x80000005, 31), 5);
    client_down(&a);
    net_down(&n);
}

static void a_relay_that_never_says_eose_is_waited_for_five_seconds(void **state) {
    struct net n;
    struct hostile h;
    struct client a;
    int64_t start;

    (void)state;
    net_up(&n, NULL);
    hostile_up(&h, n.loop); /* accepts, subscribes, says nothing */
    client_up(&a, &n, false);
    assert_true(client_put(&a, note_by(a.key, 1, unix_now(), "x", NULL, NULL)));
    assert_int_equal(pool_add(a.pool, h.url, NULL), 0);
    assert_true(all_up(&a));
    start = loop_now();
    assert_int_equal(client_ask(&a, "{\"kinds\":[1]}"), 1);
    assert_in_range(loop_now() - start, 4500, 6500);
    client_down(&a);
    hostile_down(&h);
    net_down(&n);
}

static void comes_back_after_a_restart_of_the_relay(void **state) {
    struct net n;
    struct client a, b;

    (void)state;
    net_up(&n, NULL);
    client_up(&a, &n, false);
    client_up(&b, &n, true);
    assert_int_equal(pool_subscribe(b.pool, "live", "{\"kinds\":[1,4]}", NULL), 0);
    assert_true(net_until(&n, &b.eose, 5000));
    assert_true(client_put(&a, note_by(a.key, 1, unix_now(), "before", NULL, NULL)));
    assert_true(net_until(&n, &b.got, 5000));
    relayd_free(n.relay);
    net_for(&n, 200);
    assert_int_equal(pool_up(b.pool), 0);
    a.answered = false; /* published while nobody is there: sent when the relay is back */
    {
        struct event *ev = note_by(a.key, 1, unix_now(), "meanwhile", NULL, NULL);

        assert_int_equal(pool_publish(a.pool, ev, NULL), 0);
        event_free(ev);
    }
    net_relay(&n, NULL);
    b.got = false;
    assert_true(net_until(&n, &a.answered, 8000) && a.ok);
    assert_true(net_until(&n, &b.got, 8000));
    assert_string_equal(b.last->f.content, "meanwhile");
    assert_int_equal(b.n_events, 2); /* "before" came again and was known */
    client_down(&a);
    client_down(&b);
    net_down(&n);
}

static void the_restarted_relay_gets_a_new_auth(void **state) {
    struct net n;
    struct client owner, sender;
    cleanup_free char *hex = NULL, *mine = NULL;

    (void)state;
    net_up(&n, NULL);
    client_up(&owner, &n, true);
    client_up(&sender, &n, false);
    hex = hex_new(view_of(keypair_pub(owner.key), 32));
    mine = mem_fmt("{\"kinds\":[1059],\"#p\":[\"%s\"]}", hex);
    assert_int_equal(pool_subscribe(owner.pool, "in", mine, NULL), 0);
    assert_true(net_until(&n, &owner.eose, 5000));
    relayd_free(n.relay);
    net_for(&n, 100);
    net_relay(&n, NULL);
    assert_true(all_up(&owner) && all_up(&sender));
    assert_true(client_put(&sender, note_by(sender.key, 1059, unix_now(), "x", "p", hex)));
    assert_true(net_until(&n, &owner.got, 5000));
    assert_false(owner.closed);
    client_down(&owner);
    client_down(&sender);
    net_down(&n);
}

static void publishing_needs_a_relay(void **state) {
    struct net n;
    struct err e;
    struct event *ev;
    struct keypair *k = keypair_new();
    struct pool *p;

    (void)state;
    net_up(&n, NULL);
    p = pool_new(n.ws, NULL, &(struct pool_handler){0}, NULL);
    ev = note_by(k, 1, unix_now(), "x", NULL, NULL);
    assert_int_equal(pool_publish(p, ev, &e), -1);
    assert_string_equal(e.code, "no-relay");
    assert_int_equal(pool_add(p, "nonsense", &e), -1);
    event_free(ev);
    pool_free(p);
    keypair_free(k);
    net_down(&n);
}

static void a_relay_named_by_others_must_be_public(void **state) {
    struct net n;
    struct client a;

    (void)state;
    net_up(&n, NULL);
    client_up(&a, &n, false);
    pool_free(a.pool);
    a.pool = pool_new(n.ws, NULL, &(struct pool_handler){0}, NULL);
    assert_int_equal(pool_add_public(a.pool, relayd_url(n.relay), NULL), 0);
    net_for(&n, 300);
    assert_int_equal(pool_up(a.pool), 0);
    client_down(&a);
    net_down(&n);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_from_two_relays_comes_once),
        cmocka_unit_test(live_events_from_two_relays_come_once),
        cmocka_unit_test(a_dead_relay_does_not_hold_up_the_others),
        cmocka_unit_test(a_relay_can_be_taken_out),
        cmocka_unit_test(a_relay_that_never_says_eose_is_waited_for_five_seconds),
        cmocka_unit_test(comes_back_after_a_restart_of_the_relay),
        cmocka_unit_test(the_restarted_relay_gets_a_new_auth),
        cmocka_unit_test(publishing_needs_a_relay),
        cmocka_unit_test(a_relay_named_by_others_must_be_public),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
