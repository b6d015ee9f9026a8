#include "cli_options.h"

#include <stdlib.h>
#include <string.h>

#include "core/cli_option.h"

#define FIRST 256 /* value of the first option: above every character */

static struct option *long_options(const struct conf_key *keys, size_t n) {
    struct option *o = mem_new((n + 2) * sizeof *o);

    for (size_t i = 0; i < n; i++)
        o[i] = (struct option){keys[i].name,
                               keys[i].type == CONF_BOOL ? no_argument : required_argument, NULL,
                               FIRST + (int)i};
    o[n] = (struct option){"help", no_argument, NULL, 'h'};
    return o;
}

char **options_rest(int argc, char **argv) {
    for (int i = 0; i < argc; i++)
        if (!strcmp(argv[i], "--"))
            return argv + i + 1;
    return NULL;
}

int options_read(const struct conf_key *keys, size_t n, int argc, char **argv, void *out,
                 size_t *n_words, struct err *e) {
    cleanup_free struct option *longs = long_options(keys, n);
    char **rest = options_rest(argc, argv);
    int mine = rest ? (int)(rest - argv) - 1 : argc, o, rc = 0;

    optind = 0;
    while (rc == 0 && (o = cli_option(mine, argv, CLI_WORDS_ANYWHERE "h", longs, NULL, e)) != -1) {
        if (o == 'h')
            return 1;
        rc = o == '?' ? -1
                      : conf_set(keys, n, keys[o - FIRST].name, view_str(optarg ? optarg : "yes"),
                                 out, e);
    }
    *n_words = 0;
    for (int i = optind; rc == 0 && i < mine; i++)
        argv[(*n_words)++] = argv[i];
    return rc;
}

void options_help(FILE *to, const struct conf_key *keys, size_t n) {
    for (size_t i = 0; i < n; i++)
        fprintf(to, "  --%-14s %s\n", keys[i].name, keys[i].help);
}
