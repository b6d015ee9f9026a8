/* A list of GPU evidence: what is read is within bounds and can be written and read again. */
#include "core/gpu_list.h"
#include "tests/fuzz/fuzz.h"

static void again(const struct gpu_list *l) {
    cleanup_buf struct buf json = {0};
    struct jw w = jw_new(&json);
    struct gpu_evidence ev[GPUS_MAX];
    const uint8_t nonce[32] = {0};
    struct gpu_list back;

    for (size_t i = 0; i < l->n; i++)
        ev[i] = l->item[i].ev;
    gpu_list_write(ev, l->n, nonce, &w);
    MUST(!gpu_list_parse(buf_view(&json), &back, NULL));
    MUST(back.n == l->n);
    for (size_t i = 0; i < l->n; i++) {
        MUST(view_eq(back.item[i].ev.report, ev[i].report));
        for (size_t k = 0; k < GPU_CERTS; k++)
            MUST(view_eq(back.item[i].ev.cert[k], ev[i].cert[k]));
    }
    gpu_list_free(&back);
    (void)!gpu_order(ev, l->n, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct gpu_list l;
    struct gpu_item one;
    struct err e = {0};

    if (!gpu_list_parse(view_of(data, size), &l, &e)) {
        MUST(l.n <= GPUS_MAX);
        again(&l);
    } else
        MUST(e.code[0]);
    gpu_list_free(&l);
    (void)!gpu_item_read(&one, "HOPPER", (struct view){0}, view_of(data, size), &e);
    gpu_item_free(&one);
    return 0;
}
