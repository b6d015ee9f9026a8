/* Random changes of a good bundle: none may pass. No byte is exempt. MUTATIONS=n runs more. */
#include "attest/checks.h"
#include "core/secret.h"
#include "tests/unit/unit.h"
#include "tests/unit/world.h"

enum { REPORT, VEK, ASK, ARK, CRL, RELEASE, WORKLOAD, GUEST, OBJECTS };
static const char *const names[OBJECTS] = {"report", "vek",     "ask",      "ark",
                                           "crl",    "release", "workload", "guest key"};

static struct view *object(struct world *w, int which, struct view *guest) {
    struct view *const all[OBJECTS] = {&w->ev.report, &w->c.vek,     &w->c.ask,      &w->c.ark,
                                       &w->c.crl[0],  &w->x.release, &w->x.workload, guest};

    return all[which];
}

/* xorshift64*: repeatable from the printed seed. */
static uint64_t state_of_random;
static uint64_t next_random(void) {
    state_of_random ^= state_of_random >> 12;
    state_of_random ^= state_of_random << 25;
    state_of_random ^= state_of_random >> 27;
    return state_of_random * 0x2545f4914f6cdd1d;
}

static void change(uint8_t *p, size_t n) {
    const unsigned count = next_random() % 3 ? 1 : 1 + (unsigned)(next_random() % 8);

    for (unsigned i = 0; i < count; i++)
        p[next_random() % n] ^= (uint8_t)(1 + next_random() % 255);
}

static void mutate_once(const struct world *good, unsigned *seen) {
    struct world w = *good;
    struct view guest = view_of(good->ev.guest, 32);
    const int which = (int)(next_random() % OBJECTS);
    struct view *v = object(&w, which, &guest);
    const uint8_t *before = v->p;
    uint8_t *copy = mem_new(v->n);
    struct verdict *verdict;

    memcpy(copy, v->p, v->n);
    do
        change(copy, v->n);
    while (!memcmp(copy, v->p, v->n));
    *v = view_of(copy, v->n);
    memcpy(w.ev.guest, guest.p, 32);
    verdict = world_verify(&w);
    if (verdict_state(verdict) == CHECK_PASS || verdict_allows(verdict)) {
        size_t at = 0;

        while (copy[at] == before[at])
            at++;
        fail_msg("a changed %s passes: byte %zu of %zu, %02x for %02x", names[which], at, v->n,
                 copy[at], before[at]);
    }
    seen[which]++;
    verdict_free(verdict);
    free(copy);
}

static void changed_bundles_never_pass(void **state) {
    const char *more = getenv("MUTATIONS");
    const long n = more ? strtol(more, NULL, 10) : 10000;
    unsigned seen[OBJECTS] = {0};
    struct world w;
    struct verdict *v;

    (void)state;
    world_init(&w);
    w.policy.override[CK_SNP_CRL] = REQ_REQUIRED + 1; /* so that the list counts too */
    v = world_verify(&w);
    assert_int_equal(verdict_state(v), CHECK_PASS);
    verdict_free(v);
    random_bytes(&state_of_random, sizeof state_of_random);
    print_message("# seed %016llx\n", (unsigned long long)state_of_random);
    for (long i = 0; i < n; i++)
        mutate_once(&w, seen);
    for (int i = 0; i < OBJECTS; i++)
        print_message("# %u changes of %s\n", seen[i], names[i]);
    world_free(&w);
}

/* A bit string that ends in a zero bit can say that the bit is unused: the same signature, other
 * bytes. Signatures are salted, so every second list ends in one. */
static void unused_bits_are_no_second_encoding(void **state) {
    struct world w;
    struct verdict *v;
    struct err e;

    (void)state;
    world_init(&w);
    w.policy.override[CK_SNP_CRL] = REQ_REQUIRED + 1;
    while (w.crl.p[w.crl.n - 1] & 1) {
        buf_reset(&w.crl);
        assert_int_equal(psp_sim_crl(w.psp, WORLD_NOW, &w.crl, &e), 0);
    }
    w.crl.p[w.crl.n - 512 - 1] = 1;
    w.c.crl[0] = buf_view(&w.crl);
    v = world_verify(&w);
    assert_int_not_equal(verdict_state(v), CHECK_PASS);
    verdict_free(v);
    world_free(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unused_bits_are_no_second_encoding),
        cmocka_unit_test(changed_bundles_never_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
