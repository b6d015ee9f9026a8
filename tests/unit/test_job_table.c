/* Every step x event, allowed or refused: the picture below is the specification, the table in
 * job_table.c must be it. Rows are steps, columns events, in the order of their enums; a letter is
 * the next step, '.' is refused. */
#include "provider/job_table.c"
#include "tests/unit/unit.h"

/* r received  q queued  c creating  b booting  a attesting  h waiting (hello is sent)  A accepted
 * l loaded  s serving  e ending  w wiping  f failing  d done  x failed */
static const char letters[JOB_STEPS + 1] = "rqcbahAlsewfdx";

/* clang-format off */
static const struct {
    enum job_step at;
    const char *next;
} picture[JOB_STEPS] = {
    /* slot wait started fault booted keyed hello accepted ready wiping refused broken died timeout
     * end cancel */
    {STEP_RECEIVED,  "cq.x..........x."},
    {STEP_QUEUED,    "c..x.........xxx"},
    {STEP_CREATING,  "..bx..........xx"},
    {STEP_BOOTING,   "....a.....ffxfff"},
    {STEP_ATTESTING, ".....ah..fffxfff"},
    {STEP_WAITING,   ".......Alfffxfff"},
    {STEP_ACCEPTED,  "........swffxee."},
    {STEP_LOADED,    ".......s.fffxfff"},
    {STEP_SERVING,   ".........wffxee."},
    {STEP_ENDING,    ".........wffdfe."},
    {STEP_WIPING,    "..........wfdfw."},
    {STEP_FAILING,   "....ffffffffxff."},
    {STEP_DONE,      "................"},
    {STEP_FAILED,    "................"},
};
/* clang-format on */

static void the_table_is_the_picture(void **state) {
    (void)state;
    for (int s = 0; s < JOB_STEPS; s++) {
        assert_int_equal(picture[s].at, s);
        assert_int_equal(strlen(picture[s].next), JOB_EVENTS);
        for (int ev = 0; ev < JOB_EVENTS; ev++) {
            const struct job_rule *r = job_rule((enum job_step)s, (enum job_event)ev);
            char want = picture[s].next[ev], got = r ? letters[r->next] : '.';

            if (want != got)
                fail_msg("%s + %s: '%c', not '%c'", job_step_name((enum job_step)s),
                         job_event_name((enum job_event)ev), got, want);
        }
    }
}

static void no_pair_stands_twice(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(rules); i++)
        assert_ptr_equal(job_rule(rules[i].at, rules[i].on), &rules[i]);
}

/* A failure always has a code by the time it is told: set on the way, or by the action. */
static void every_way_to_failure_has_a_code(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(rules); i++) {
        const struct job_rule *r = &rules[i];
        bool fails = r->next == STEP_FAILED || (r->next == STEP_FAILING && r->at != STEP_FAILING);

        assert_true(!r->code == !r->why);
        if (fails && r->at != STEP_FAILING && r->on != ON_FAULT && r->on != ON_REFUSED)
            assert_non_null(r->code);
    }
}

/* A guest may exist in every step that holds a slot: from each of them its death must lead out, and
 * so must the provider's own end or a deadline. */
static void no_step_with_a_guest_is_a_trap(void **state) {
    (void)state;
    for (int s = STEP_BOOTING; s <= STEP_FAILING; s++) {
        const struct job_rule *died = job_rule((enum job_step)s, ON_DIED);

        assert_true(job_step_holds_slot((enum job_step)s));
        assert_non_null(died);
        assert_true(job_step_over(died->next));
        assert_non_null(job_rule((enum job_step)s, ON_TIMEOUT));
        assert_non_null(job_rule((enum job_step)s, ON_BROKEN));
        assert_non_null(job_rule((enum job_step)s, ON_END));
    }
}

static void the_boot_limit_follows_the_machine(void **state) {
    (void)state;
    assert_int_equal(job_boot_limit(-1), 120000);
    assert_int_equal(job_boot_limit(3000), 120000);
    assert_int_equal(job_boot_limit(60000), 600000);
}

static void names_are_complete(void **state) {
    (void)state;
    for (int s = 0; s < JOB_STEPS; s++)
        assert_non_null(job_step_name((enum job_step)s));
    for (int ev = 0; ev < JOB_EVENTS; ev++)
        assert_non_null(job_event_name((enum job_event)ev));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_the_picture),
        cmocka_unit_test(no_pair_stands_twice),
        cmocka_unit_test(every_way_to_failure_has_a_code),
        cmocka_unit_test(no_step_with_a_guest_is_a_trap),
        cmocka_unit_test(the_boot_limit_follows_the_machine),
        cmocka_unit_test(names_are_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
