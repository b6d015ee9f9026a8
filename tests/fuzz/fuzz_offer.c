/* Offers and heartbeats, as if signed. What an offer names as a volume is one word of hex and
 * digits. */
#include "core/offer.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/script.h"

static bool one_word(const char *s) {
    return s[strspn(s, "0123456789abcdef:none")] == '\0';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct view in = view_of(data, size);
    struct event ev = {0};
    struct heartbeat h;
    struct err e = {0};
    struct offer *o;

    if (!script_step(&in, &ev.f))
        return 0;
    o = offer_parse(&ev, &e);
    MUST(o || (e.code[0] && utf8_valid(view_str(e.text))));
    if (o) {
        MUST(one_word(o->workload) && one_word(o->model) && o->vcpus && o->n_relays);
        MUST(utf8_valid(view_str(o->name)) && utf8_valid(view_str(o->about)));
        MUST(!strpbrk(o->vcpu_type, " \t\n;|&$`'\"\\"));
    }
    offer_free(o);
    (void)!heartbeat_parse(&ev, &h, NULL);
    fields_free(&ev.f);
    return 0;
}
