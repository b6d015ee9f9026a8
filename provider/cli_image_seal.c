/* cdvm image seal: a model for other people's machines, and its key for the owner alone. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli.h"
#include "core/dvm.h"
#include "core/enc.h"
#include "core/nip19.h"
#include "image.h"
#include "modelfile.h"

#define CARD_MAX ((size_t)1 << 20)

struct options {
    const char *dir, *model, *work, *broker, *key, *out;
    const char *max;
    uint8_t owner[32];
};

static void print_usage(FILE *to) {
    fputs(
        "usage: cdvm image seal DIR MODEL --workload NAME --broker NPUB --key FILE --out FOLDER\n\n"
        "Encrypts DIR/MODEL.vol under a key of its own. FOLDER gets what a provider needs: the\n"
        "encrypted MODEL.vol, MODEL.model, MODEL.sealed. FILE gets the key, for `cdvm broker`\n"
        "alone. Prints the row for the broker's list: it allows the release and the workload\n"
        "that stand in DIR, as their manifests say. Read what you allow.\n\n"
        "  --workload NAME  that may use the model: it must answer, and never export\n"
        "  --broker NPUB    key of your broker, as it prints it; npub or hex\n"
        "  --key FILE       where the key goes; must not exist\n"
        "  --out FOLDER     where the sealed model goes\n"
        "  --max N          keys that one machine may get (100)\n"
        "  -h, --help       this text\n",
        to);
}

static const struct option longs[] = {
    {"workload", required_argument, NULL, 'w'},
    {"broker", required_argument, NULL, 'b'},
    {"key", required_argument, NULL, 'k'},
    {"out", required_argument, NULL, 'o'},
    {"max", required_argument, NULL, 'm'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static bool take(struct options *o, int c) {
    const struct {
        int c;
        const char **to;
    } texts[] = {
        {'w', &o->work}, {'b', &o->broker}, {'k', &o->key}, {'o', &o->out}, {'m', &o->max}};

    for (size_t i = 0; i < COUNT(texts); i++)
        if (texts[i].c == c) {
            *texts[i].to = optarg;
            return true;
        }
    return false;
}

/* 0 go on, 1 help was asked for, -1 usage. */
static int read_options(int argc, char **argv, struct options *o) {
    uint64_t max;
    int c;

    *o = (struct options){.max = "100"};
    optind = 0;
    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        if (c == 'h')
            return 1;
        if (!take(o, c))
            return -1;
    }
    if (!decimal_parse(o->max, &max) || !max)
        return -1;
    if (argc - optind != 2 || !o->work || !o->broker || !o->key || !o->out)
        return -1;
    o->dir = argv[optind];
    o->model = argv[optind + 1];
    return 0;
}

static int complain(const struct err *e, int code) {
    fprintf(stderr, "cdvm image seal: %s\n", e->text);
    return code;
}

static void on_progress(void *arg, uint64_t done, uint64_t total) {
    int *told = arg, now = (int)(done * 100 / total);

    if (now == *told || !isatty(STDERR_FILENO))
        return;
    *told = now;
    fprintf(stderr, "\rsealing %3d %% of %llu MiB%s", now, (unsigned long long)(total >> 20),
            done == total ? "\n" : "");
}

static int copy_card(const struct options *o, struct err *e) {
    cleanup_free char *from = mem_fmt("%s/%s.model", o->dir, o->model);
    cleanup_free char *to = mem_fmt("%s/%s.model", o->out, o->model);
    cleanup_buf struct buf card = {0};

    if (file_read(from, CARD_MAX, &card, e))
        return -1;
    return file_write(to, buf_view(&card), 0644, true, e);
}

static int write_sealed(const struct options *o, const struct image_volume *v, struct err *e) {
    cleanup_free char *to = mem_fmt("%s/%s.sealed", o->out, o->model);
    cleanup_buf struct buf line = {0};

    sealed_text(&v->volume, o->owner, &line);
    return file_write(to, buf_view(&line), 0644, true, e);
}

static void print_row(const struct options *o, const struct image *m, const struct image_volume *w,
                      const struct image_volume *v) {
    char release[65], work[VOLUME_TEXT], model[VOLUME_TEXT];

    hex_encode(view_of(m->digest, 32), release);
    volume_text(&w->volume, work);
    volume_text(&v->volume, model);
    printf("# %s for %s on %s %s\n", v->name, w->name, m->release->name, m->release->version);
    printf("release=%s work=%s model=%s key=%s max=%s\n", release, work, model, o->key, o->max);
}

static int seal(const struct options *o, const struct image *m, struct err *e) {
    const struct image_volume *v = image_named(m, o->model), *w = image_named(m, o->work);
    cleanup_free char *to = mem_fmt("%s/%s.vol", o->out, o->model);
    struct secret *key;
    int told = -1, rc;

    if (!v || !v->is_model || v->sealed)
        return err_set(e, "usage", "'%s' has no model '%s' that is not sealed", o->dir, o->model);
    if (!w || w->is_model)
        return err_set(e, "usage", "'%s' has no workload '%s'", o->dir, o->work);
    if (mkdir(o->out, 0755) < 0 && errno != EEXIST)
        return err_sys(e, errno, "cannot make '%s'", o->out);
    key = modelkey_make(o->key, &v->volume, e);
    if (!key)
        return -1;
    rc = volume_seal(v->fd, to, key, on_progress, &told, e);
    secret_free(key);
    if (rc || copy_card(o, e) || write_sealed(o, v, e))
        return -1;
    print_row(o, m, w, v);
    return 0;
}

int cli_image_seal(int argc, char **argv) {
    struct options o;
    struct image *m;
    struct err e;
    int rc = read_options(argc, argv, &o);

    if (rc) {
        print_usage(rc == 1 ? stdout : stderr);
        return rc == 1 ? 0 : EX_USAGE;
    }
    if (pubkey_parse(o.broker, o.owner, &e))
        return complain(&e, EX_USAGE);
    m = image_load(o.dir, &e);
    rc = m ? seal(&o, m, &e) : -1;
    image_free(m);
    if (rc)
        return complain(&e, !strcmp(e.code, "usage") ? EX_USAGE : EX_DATAERR);
    return 0;
}
