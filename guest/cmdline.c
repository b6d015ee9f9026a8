#include "cmdline.h"

#include <string.h>
#include "core/enc.h"
#include "core/text.h"

static bool parse_work(const char *s, struct cmdline *out) {
    return volume_parse(s, &out->work);
}

static bool parse_model(const char *s, struct cmdline *out) {
    out->has_model = strcmp(s, "none") != 0;
    return !out->has_model || volume_parse(s, &out->model);
}

static bool parse_broker(const char *s, struct cmdline *out) {
    out->has_broker = strcmp(s, "none") != 0;
    return !out->has_broker || hex_decode_str(s, out->broker, sizeof out->broker);
}

static bool parse_base(const char *s, struct cmdline *out) {
    out->has_base = volume_parse(s, &out->base);
    return out->has_base;
}

static const struct {
    const char *name;
    bool (*parse)(const char *s, struct cmdline *out);
    bool may_lack;
} words[] = {
    {"cdvm.work=", parse_work, false},
    {"cdvm.model=", parse_model, false},
    {"cdvm.broker=", parse_broker, false},
    {"cdvm.base=", parse_base, true},
};

static int find_word(const char *word) {
    for (size_t i = 0; i < COUNT(words); i++)
        if (!strncmp(word, words[i].name, strlen(words[i].name)))
            return (int)i;
    return -1;
}

static int take_word(const char *word, unsigned *seen, struct cmdline *out, struct err *e) {
    int i;

    if (strncmp(word, "cdvm.", 5))
        return 0;
    i = find_word(word);
    if (i < 0)
        return err_set(e, "bad-cmdline", "unknown word '%.80s' on the kernel command line", word);
    if (*seen & 1u << i)
        return err_set(e, "bad-cmdline", "'%s' stands twice on the kernel command line",
                       words[i].name);
    *seen |= 1u << i;
    if (!words[i].parse(word + strlen(words[i].name), out))
        return err_set(e, "bad-cmdline", "'%.100s' is not a value of its kind", word);
    return 0;
}

static int all_seen(unsigned seen, struct err *e) {
    for (size_t i = 0; i < COUNT(words); i++)
        if (!(seen & 1u << i) && !words[i].may_lack)
            return err_set(e, "bad-cmdline", "no '%s' on the kernel command line", words[i].name);
    return 0;
}

int cmdline_parse(struct view text, struct cmdline *out, struct err *e) {
    char line[CMDLINE_MAX + 1];
    char *word, *rest = line;
    unsigned seen = 0;

    memset(out, 0, sizeof *out);
    if (text.n && text.p[text.n - 1] == '\n')
        text.n--;
    if (text.n > CMDLINE_MAX || !text_ascii_printable(text))
        return err_set(e, "bad-cmdline", "the kernel command line is not printable ASCII");
    memcpy(line, text.p, text.n);
    line[text.n] = '\0';
    while ((word = strsep(&rest, " ")))
        if (take_word(word, &seen, out, e))
            return -1;
    if (all_seen(seen, e))
        return -1;
    if (out->has_broker && !out->has_model)
        return err_set(e, "bad-cmdline", "a key owner is named, but no model");
    return 0;
}
