/* A broker's list, and the line beside a sealed volume. */
#include "provider/broker_list.h"
#include "provider/modelfile.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct broker_list l;
    struct volume v;
    uint8_t owner[32];
    struct err e = {0};

    if (broker_list_parse(view_of(data, size), "list", &l, &e))
        MUST(!strcmp(e.code, "bad-list"));
    for (size_t i = 0; i < l.n; i++)
        MUST(l.row[i].max && l.row[i].vcpus && l.row[i].key[0] && l.row[i].model.blocks);
    broker_list_free(&l);
    if (sealed_parse(view_of(data, size), &v, owner, &e))
        MUST(!strcmp(e.code, "bad-image"));
    return 0;
}
