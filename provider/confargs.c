#include "confargs.h"

#include <stdlib.h>

#include "core/cli_option.h"

/* getopt's table from ours: booleans take no argument. */
static struct option *long_options(const struct confargs *a) {
    struct option *o = mem_new((a->n + 3) * sizeof *o);

    for (size_t i = 0; i < a->n; i++)
        o[i] = (struct option){a->keys[i].name,
                               a->keys[i].type == CONF_BOOL ? no_argument : required_argument, NULL,
                               (int)i + 256};
    o[a->n] = (struct option){"config", required_argument, NULL, 'c'};
    o[a->n + 1] = (struct option){"help", no_argument, NULL, 'h'};
    return o;
}

/* A list given on the command line replaces that of the file. */
static void forget_list(void *out, const struct conf_key *k, bool *seen) {
    struct conf_list *l = (struct conf_list *)(void *)((char *)out + k->offset);

    if (*seen || k->type != CONF_LIST)
        return;
    *seen = true;
    for (size_t i = 0; i < l->n; i++)
        free(l->v[i]);
    free(l->v);
    *l = (struct conf_list){0};
}

/* One pass (out NULL) finds --config and --help, the other sets values: the file stands between
 * them. */
static int read_options(const struct confargs *a, int argc, char **argv, void *out,
                        const char **file, struct err *e) {
    cleanup_free struct option *longs = long_options(a);
    bool seen[CONFARGS_MAX] = {0};
    int o, rc = 0;

    optind = 0;
    while (rc == 0 &&
           (o = cli_option(argc, argv, CLI_WORDS_ANYWHERE "c:h", longs, NULL, e)) != -1) {
        if (o == 'c')
            *file = optarg;
        else if (o == 'h')
            rc = 1;
        else if (o == '?')
            rc = -1;
        else if (out) {
            const struct conf_key *k = &a->keys[o - 256];

            forget_list(out, k, &seen[o - 256]);
            rc = conf_set(a->keys, a->n, k->name, view_str(optarg ? optarg : "yes"), out, e);
        }
    }
    if (rc == 0 && optind < argc)
        rc = err_set(e, "usage", "'%s' is one word too many", argv[optind]);
    return rc;
}

int confargs_read(const struct confargs *a, int argc, char **argv, void *out, struct err *e) {
    const char *file = NULL;
    cleanup_free char *usual = NULL;
    int rc = read_options(a, argc, argv, NULL, &file, e);

    if (rc != 0)
        return rc;
    if (!file)
        file = usual = conf_place(CONF_CONFIG, a->file, e);
    if (!file || conf_load(file, a->keys, a->n, out, e) < 0)
        return -1;
    return read_options(a, argc, argv, out, &file, e);
}
