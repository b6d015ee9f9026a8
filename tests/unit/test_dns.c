#include "core/dns.c"
#include "tests/unit/unit.h"

static void knows_private_addresses(void **state) {
    static const char *const private[] = {
        "127.0.0.1",
        "127.255.0.9",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "198.18.0.1",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fdab::9",
        "fec0::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:db8::1",
        "",
        "localhost",
        "not an address",
        "1.2.3",
        "0x7f.1",
    };
    static const char *const public[] = {
        "1.1.1.1",     "9.255.255.255",   "172.15.0.1",     "172.32.0.1",       "192.167.0.1",
        "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(private); i++)
        if (!addr_is_private(private[i]))
            fail_msg("'%s' passed for public", private[i]);
    for (size_t i = 0; i < COUNT(public); i++)
        if (addr_is_private(public[i]))
            fail_msg("'%s' passed for private", public[i]);
}

struct answer {
    char addr[64];
    struct err e;
    int calls;
};

static void on_answer(void *arg, const char *addr, const struct err *e) {
    struct answer *a = arg;

    a->calls++;
    if (addr)
        snprintf(a->addr, sizeof a->addr, "%s", addr);
    else
        a->e = *e;
}

static void answers_come_on_the_loop(void **state) {
    struct loop *l = loop_new(NULL);
    struct dns *d = dns_new(l, NULL);
    struct answer num = {0}, local = {0}, none = {0}, dropped = {0};

    (void)state;
    dns_resolve(d, "203.0.113.7", on_answer, &num);
    dns_resolve(d, "localhost", on_answer, &local);
    dns_resolve(d, "no-such-host.invalid", on_answer, &none);
    dns_cancel(dns_resolve(d, "127.0.0.9", on_answer, &dropped));
    assert_int_equal(num.calls + local.calls, 0); /* never at once */
    for (int i = 0; i < 200 && !none.calls; i++)
        loop_turn(l, 100);
    assert_string_equal(num.addr, "203.0.113.7");
    assert_string_equal(local.addr, "127.0.0.1");
    assert_string_equal(none.e.code, "dns");
    assert_int_equal(dropped.calls, 0);
    dns_free(d);
    loop_free(l);
}

static void freeing_does_not_wait_for_a_slow_name(void **state) {
    struct loop *l = loop_new(NULL);
    struct dns *d = dns_new(l, NULL);
    struct answer a = {0};
    int64_t start;

    (void)state;
    dns_resolve(d, "slow.invalid", on_answer, &a);
    dns_resolve(d, "slower.invalid", on_answer, &a);
    start = loop_now();
    dns_free(d);
    assert_true(loop_now() - start < 1000);
    assert_int_equal(a.calls, 0);
    loop_free(l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_private_addresses),
        cmocka_unit_test(answers_come_on_the_loop),
        cmocka_unit_test(freeing_does_not_wait_for_a_slow_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
