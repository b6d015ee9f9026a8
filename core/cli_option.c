#include "core/cli_option.h"

#include <string.h>

static const char *const WHY[] = {"is not an option", "is the beginning of several options",
                                  "wants a value", "takes no value"};

/* getopt stops at a letter that it does not know, and counts the word as taken only when that was
 * its last. */
static const char *wrong_word(int argc, char **argv) {
    const char *next = optind < argc ? argv[optind] : "";

    return optopt && next[0] == '-' && next[1] == optopt ? next : argv[optind - 1];
}

/* getopt says '?' for three of them. */
static const char *why(const char *word, const struct option *longs) {
    size_t n = word[1] == '-' ? strcspn(word, "=") : 0, like = 0, exact = 0;

    for (const struct option *o = longs; n > 2 && o->name; o++) {
        like += !strncmp(o->name, word + 2, n - 2);
        exact += !strncmp(o->name, word + 2, n - 2) && strlen(o->name) == n - 2;
    }
    return WHY[like == 0 ? 0 : like > 1 && !exact ? 1 : 3];
}

int cli_option(int argc, char **argv, const char *letters, const struct option *longs, int *at,
               struct err *e) {
    const char *word;
    int c;

    opterr = 0;
    c = getopt_long(argc, argv, letters, longs, at);
    if (c != '?' && c != ':')
        return c;
    word = c == ':' ? argv[optind - 1] : wrong_word(argc, argv);
    err_set(e, "usage", "'%.80s' %s", word, c == ':' ? WHY[2] : why(word, longs));
    return '?';
}
