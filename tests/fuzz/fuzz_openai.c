/* A chat request of another program: what is taken is one question of bounded UTF-8, with the
 * user's last message in it; what is refused names a field of ours, in a sentence. */
#include "core/msg.h"
#include "core/text.h"
#include "tests/fuzz/fuzz.h"
#include "tui/openai.h"

static void taken(const struct openai_request *r) {
    MUST(r->question.n && r->question.n <= MSG_CONTENT_MAX && !r->question.full);
    MUST(r->last.n && r->last.n <= r->question.n);
    MUST(utf8_valid(buf_view(&r->question)) && utf8_valid(buf_view(&r->last)));
    MUST(memmem(r->question.p, r->question.n, r->last.p, r->last.n));
    MUST(!memchr(r->question.p, 0, r->question.n));
    for (size_t i = 0; i < r->n_stops; i++)
        MUST(*r->stop[i] && strlen(r->stop[i]) <= OPENAI_STOP_LEN);
    /* names of our own alone: it becomes a header */
    for (size_t i = 0; i < r->ignored.n; i++)
        MUST(r->ignored.p[i] >= ' ' && r->ignored.p[i] < 0x7f);
}

/* Whatever a workload says of an error or an answer, JSON comes of it. */
static void written(struct view text) {
    const struct openai_model m = {"m", "o", 1};
    const struct openai_answer a = {.id = "chatcmpl-1", .model = &m, .guest = "00"};
    cleanup_buf struct buf safe = {0}, out = {0}, error = {0};
    cleanup_free char *line = text_safe_new(text, TEXT_LINE, 400);
    struct err e;
    cJSON *o;

    (void)text_safe(text, TEXT_PROSE, SIZE_MAX, &safe);
    openai_completion(&out, &a, buf_view(&safe), "stop");
    o = json_parse(buf_view(&out), out.n, NULL);
    MUST(o);
    cJSON_Delete(o);
    err_set(&e, "bad-request", "%s", line);
    openai_error(&error, 400, &e, NULL);
    o = json_parse(buf_view(&error), error.n, NULL);
    MUST(o);
    cJSON_Delete(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct openai_request r;
    const char *param;
    struct err e = {0};

    if (openai_request_parse(view_of(data, size), &r, &param, &e))
        MUST(e.code[0] && e.text[0] && utf8_valid(view_str(e.text)));
    else
        taken(&r);
    if (!*e.code)
        openai_request_free(&r);
    written(view_of(data, size));
    return 0;
}
