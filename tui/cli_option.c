#include "tui/cli_option.h"

#include <string.h>

static const char *const WHY[] = {"is not an option", "is the beginning of several options",
                                  "wants a value", "takes no value"};

/* getopt says '?' for three of them. */
static const char *why(const char *word, const struct option *longs) {
    size_t n = strcspn(word, "="), like = 0, exact = 0;

    for (const struct option *o = longs; n > 2 && o->name; o++) {
        like += !strncmp(o->name, word + 2, n - 2);
        exact += !strncmp(o->name, word + 2, n - 2) && strlen(o->name) == n - 2;
    }
    return WHY[like == 0 ? 0 : like > 1 && !exact ? 1 : 3];
}

int cli_option(int argc, char **argv, const struct option *longs, enum cli_words words, int *at,
               struct err *e) {
    int c;

    opterr = 0;
    c = getopt_long(argc, argv, words == CLI_WORDS_LAST ? "+:" : ":", longs, at);
    if (c != '?' && c != ':')
        return c;
    err_set(e, "usage", "'%.80s' %s", argv[optind - 1],
            c == ':' ? WHY[2] : why(argv[optind - 1], longs));
    return '?';
}
