/* Filters from relays' clients, matched against one event. */
#include "core/filter.h"
#include "core/json.h"
#include "tests/fuzz/fuzz.h"

static const struct fields *sample(void) {
    static struct fields f;

    if (!f.content) {
        f = fields_new(1059, 1763800000, view_str("x"));
        fields_add(&f, "p", "00000000000000000000000000000000000000000000000000000000000000ff");
        fields_add(&f, "t", "a", "b");
        fields_add(&f, "e");
    }
    return &f;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cJSON *o = json_parse(view_of(data, size), 65536, NULL);
    struct err e = {0};
    struct filter *f;

    if (!o)
        return 0;
    f = filter_parse(o, &e);
    if (f) {
        MUST(f->n_ids + f->n_authors + f->n_kinds <= 500);
        (void)filter_match(f, sample());
    } else
        MUST(strcmp(e.code, "invalid") == 0);
    filter_free(f);
    cJSON_Delete(o);
    return 0;
}
