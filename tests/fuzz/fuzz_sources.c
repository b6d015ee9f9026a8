/* Passages as a guest sends them: the list is read, shown in a line, and looked for in a document.
 * Whatever comes: lines are clean, and what is found lies inside the document and reads like the
 * passage. Input: the document, a NUL, the JSON. */
#include "core/text.h"
#include "tests/fuzz/fuzz.h"
#include "tui/model.h"
#include "tui/sources.h"

static void check(const struct source *s, size_t i, struct view doc) {
    cleanup_buf struct buf line = {0};
    size_t from = 0, to = 0;

    source_words(s, i + 1, 80, &line);
    MUST(utf8_valid(buf_view(&line)));
    MUST(!memchr(line.p, '\n', line.n) && !memchr(line.p, 0x1b, line.n));
    if (source_find(s, doc, &from, &to)) {
        MUST(from < to && to <= doc.n);
        MUST(memchr(s->snippet, doc.p[to - 1], strlen(s->snippet)) || doc.p[to - 1] <= ' ');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *nul = size ? memchr(data, 0, size) : NULL;
    struct view doc = view_of(data, nul ? (size_t)(nul - data) : 0);
    struct view json = nul ? view_of(nul + 1, size - doc.n - 1) : view_of(data, size);
    cJSON *list = json_parse(json, size, NULL);
    struct model m = {0};
    struct sources s;
    char words[160];

    if (!list)
        return 0;
    sources_read(list, &s);
    MUST(s.n <= SOURCES_MAX);
    for (size_t i = 0; i < s.n; i++)
        check(&s.v[i], i, doc);
    sources_free(&s);
    model_learn(&m, list);
    model_words(&m, words, sizeof words);
    MUST(utf8_valid(view_str(words)) && !strchr(words, 0x1b));
    cJSON_Delete(list);
    return 0;
}
