#include "tui/stow.c"

#include "core/offer.h"
#include "tests/unit/unit.h"

/* Out as it went in, to the byte of its JSON. Returns the bytes it took. */
static size_t same(struct event *ev) {
    cleanup_buf struct buf packed = {0}, before = {0}, after = {0};
    struct event *out;

    stow_event(ev, &packed);
    out = stow_open(buf_view(&packed));
    event_json(ev, &before);
    event_json(out, &after);
    assert_true(view_eq(buf_view(&before), buf_view(&after)));
    assert_memory_equal(out->f.id, ev->f.id, 32);
    event_free(out);
    event_free(ev);
    return packed.n;
}

static struct event *event_of(const struct keypair *k, const char *content, size_t long_value) {
    struct fields f = fields_new(31990, 1764000000, view_str(content));
    cleanup_free char *value = mem_new(long_value + 1);

    memset(value, 'x', long_value);
    fields_add(&f, "d", "");
    fields_add(&f, "hex", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    fields_add(&f, "upper", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    fields_add(&f, "ref", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:12345");
    fields_add(&f, "alone");
    fields_add(&f, "long", value, "after");
    return event_sign(&f, k);
}

static void comes_out_as_it_went_in(void **st) {
    static const size_t LONG[] = {0, 63, 64, 65, 127, 128, 8191, 8192, 60000};
    struct keypair *k = keypair_new();

    (void)st;
    for (size_t i = 0; i < COUNT(LONG); i++)
        (void)same(event_of(k, "{\"name\":\"\\u00fcber \xe6\xbc\xa2\"}", LONG[i]));
    (void)same(event_of(k, "", 0));
    keypair_free(k);
}

/* What it is for: an offer in less than two thirds of its JSON. */
static void an_offer_is_small(void **st) {
    struct keypair *k = keypair_new();
    struct offer o = {.d = "chat",
                      .job_kind = 5050,
                      .name = "a model",
                      .about = "Private inference in a sealed guest.",
                      .provider_name = "somebody",
                      .privacy = "sev-snp",
                      .workload_name = "chat",
                      .model_name = "model",
                      .vcpus = 8,
                      .memory_mib = 65536,
                      .vcpu_type = "EPYC-v4",
                      .relays = {"wss://relay.example", "wss://other.example"},
                      .n_relays = 2};
    struct event *ev;
    cleanup_buf struct buf json = {0};

    (void)st;
    memset(o.workload, 'a', 64);
    memcpy(o.workload + 64, ":2048", 6);
    memcpy(o.model, o.workload, 70);
    ev = offer_make(&o, k, 1764000000);
    event_json(ev, &json);
    assert_true(3 * same(ev) < 2 * json.n);
    keypair_free(k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_out_as_it_went_in),
        cmocka_unit_test(an_offer_is_small),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
