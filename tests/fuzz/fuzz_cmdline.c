/* The kernel command line: what is accepted names each of our words once, and the values read back.
 */
#include <stdio.h>
#include "guest/cmdline.h"
#include "tests/fuzz/fuzz.h"

static unsigned count(struct view v, const char *word) {
    size_t n = strlen(word);
    unsigned found = 0;

    for (size_t i = 0; i + n <= v.n; i++)
        found += !memcmp(v.p + i, word, n) && (i == 0 || v.p[i - 1] == ' ');
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct view v = view_of(data, size);
    struct cmdline c;
    struct err e = {0};
    char text[VOLUME_TEXT], word[VOLUME_TEXT + 16];

    if (cmdline_parse(v, &c, &e)) {
        MUST(e.code[0] && e.text[0]);
        return 0;
    }
    volume_text(&c.work, text);
    snprintf(word, sizeof word, "cdvm.work=%s", text);
    MUST(count(v, word) == 1 && count(v, "cdvm.") == 3u + c.has_base);
    return 0;
}
