/* Messages of kind 25930, and what is read from them. */
#include "core/hello.h"
#include "core/collateral.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/script.h"

static void try_inside(struct rumor *r, const struct msg *m) {
    struct collateral c;
    struct hello h;
    struct accept a;

    if (collateral_read(&r, 1, &c, NULL) == 0)
        collateral_free(&c);
    (void)!hello_parse(m->o, &h, NULL);
    hello_free(&h);
    if (accept_parse(m->o, &a, NULL) == 0)
        MUST(a.max_minutes >= 1 && a.max_minutes <= ACCEPT_MINUTES_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint8_t author[32] = {1};
    struct view in = view_of(data, size);
    struct rumor *r = script_rumor(&in, author);
    struct err e = {0};
    struct msg m;

    if (!r)
        return 0;
    if (msg_parse(r, &m, &e) == 0) {
        MUST(m.type[0] && strlen(m.type) <= MSG_TYPE_MAX && m.seq >= -1 && m.ack >= -1);
        try_inside(r, &m);
    } else {
        MUST(e.code[0] && !m.o);
    }
    msg_free(&m);
    rumor_free(r);
    return 0;
}
