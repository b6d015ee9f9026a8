/* json_parse: what it accepts, the writer writes, and json_parse accepts that again, as the same
 * value. */
#include "core/json.h"
#include "core/text.h"
#include "tests/fuzz/fuzz.h"

static void must_be_stable(const cJSON *v) {
    cleanup_buf struct buf once = {0}, twice = {0};
    struct jw w1 = jw_new(&once), w2 = jw_new(&twice);
    cJSON *again;

    jw_json(&w1, v);
    MUST(!once.full && utf8_valid(buf_view(&once)));
    again = json_parse(buf_view(&once), once.n, NULL);
    MUST(again);
    jw_json(&w2, again);
    MUST(view_eq(buf_view(&once), buf_view(&twice)));
    cJSON_Delete(again);
}

/* The canonical form is its own canonical form. */
static void must_be_canonical(const cJSON *v) {
    cleanup_buf struct buf once = {0}, twice = {0};
    cJSON *again;

    if (json_canonical(v, &once, NULL) < 0)
        return;
    again = json_parse(buf_view(&once), once.n, NULL);
    MUST(again && json_canonical(again, &twice, NULL) == 0);
    MUST(view_eq(buf_view(&once), buf_view(&twice)));
    cJSON_Delete(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct err e = {0};
    cJSON *v = json_parse(view_of(data, size), 65536, &e);

    if (!v) {
        MUST(e.code[0] && utf8_valid(view_str(e.text)));
        return 0;
    }
    must_be_stable(v);
    must_be_canonical(v);
    cJSON_Delete(v);
    return 0;
}
