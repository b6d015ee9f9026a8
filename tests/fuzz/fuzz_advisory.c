/* Endorsers' words as if signed by a pinned key: whatever they say, floors only rise, and what is
 * learned from them is understood again. */
#include "attest/advice.h"
#include "attest/advisory.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/script.h"

#define EVENTS 4

static void check_learned(const struct pins *p) {
    cleanup_buf struct buf lines = {0};
    struct memory m = {0}, again;
    struct advice with;
    struct pins remembering = *p;

    advice_learn(p, &m, &lines);
    MUST(memory_parse(buf_view(&lines), &again, NULL) == 0);
    MUST(again.n_seq == m.n_seq && again.n_floors == m.n_floors);
    remembering.memory = &again;
    remembering.n_endorsements = 0;
    advice_gather(&with, &remembering, 1000);
    MUST(with.n_floors == again.n_floors || with.overfull);
    memory_free(&m);
    memory_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint8_t key[1][32];
    static struct advice a;
    struct view in = view_of(data, size);
    struct event ev[EVENTS] = {0};
    const struct event *list[EVENTS];
    struct pins p = {.endorser = key, .n_endorsers = 1, .endorsement = list};
    size_t n = 0;

    while (n < EVENTS && script_step(&in, &ev[n].f)) {
        list[n] = &ev[n];
        n++;
    }
    p.n_endorsements = n;
    advice_gather(&a, &p, 1000);
    for (size_t i = 0; i < a.n_floors; i++) {
        struct snp_tcb before = {1, 2, 3, 4, 5}, after = before;

        floor_raise(&after, &a.floor[i], a.floor[i].family, a.floor[i].model_lo,
                    a.floor[i].step_lo);
        MUST(snp_tcb_le(&before, &after));
    }
    check_learned(&p);
    for (size_t i = 0; i < n; i++)
        fields_free(&ev[i].f);
    return 0;
}
