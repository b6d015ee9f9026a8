/* cdvm image seal: a model for other people's machines, and its key for the owner alone. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli_image.h"
#include "core/enc.h"
#include "modelfile.h"

#define CARD_MAX ((size_t)1 << 20)
#define MAX_USUAL 100

struct sealing {
    const char *dir, *name;
    const struct image_options *o;
    uint8_t owner[32];
};

static void on_progress(void *arg, uint64_t done, uint64_t total) {
    (void)arg;
    image_progress("sealing", done, total);
}

static int copy_card(const struct sealing *s, struct err *e) {
    cleanup_free char *from = mem_fmt("%s/%s.model", s->dir, s->name);
    cleanup_free char *to = mem_fmt("%s/%s.model", s->o->to, s->name);
    cleanup_buf struct buf card = {0};

    if (file_read(from, CARD_MAX, &card, e))
        return -1;
    return file_write(to, buf_view(&card), 0644, true, e);
}

static int write_sealed(const struct sealing *s, const struct image_volume *v, struct err *e) {
    cleanup_free char *to = mem_fmt("%s/%s.sealed", s->o->to, s->name);
    cleanup_buf struct buf line = {0};

    sealed_text(&v->volume, s->owner, &line);
    return file_write(to, buf_view(&line), 0644, true, e);
}

static void print_row(const struct sealing *s, const struct image *m, const struct image_volume *w,
                      const struct image_volume *v) {
    char release[65], work[VOLUME_TEXT], model[VOLUME_TEXT];

    hex_encode(view_of(m->digest, 32), release);
    volume_text(&w->volume, work);
    volume_text(&v->volume, model);
    printf("# %s for %s on %s %s\n", v->name, w->name, m->release->name, m->release->version);
    printf("release=%s work=%s model=%s key=%s max=%llu\n", release, work, model, s->o->key,
           (unsigned long long)(s->o->max ? s->o->max : MAX_USUAL));
}

static int write_all(const struct sealing *s, const struct image_volume *v, struct err *e) {
    cleanup_free char *to = mem_fmt("%s/%s.vol", s->o->to, s->name);
    struct secret *key;
    int rc;

    if (mkdir(s->o->to, 0755) < 0 && errno != EEXIST)
        return err_sys(e, errno, "cannot make '%s'", s->o->to);
    key = modelkey_make(s->o->key, &v->volume, e);
    if (!key)
        return -1;
    rc = volume_seal(v->fd, to, key, on_progress, NULL, e);
    secret_free(key);
    return rc || copy_card(s, e) || write_sealed(s, v, e) ? -1 : 0;
}

static int seal(const struct sealing *s, const struct image *m, struct err *e) {
    const struct image_volume *v = image_named(m, s->name), *w = image_named(m, s->o->workload);

    if (!v || !v->is_model || v->sealed)
        return err_set(e, "usage", "'%s' has no model '%s' that is not sealed", s->dir, s->name);
    if (!w || w->is_model)
        return err_set(e, "usage", "'%s' has no workload '%s'", s->dir, s->o->workload);
    if (write_all(s, v, e))
        return -1;
    print_row(s, m, w, v);
    return 0;
}

static int check(const struct image_options *o, struct err *e) {
    if (o->workload && o->broker && o->key && o->to)
        return 0;
    return err_set(e, "usage", "seal needs --workload, --broker, --key and --out");
}

static int run_seal(const struct image_call *c) {
    struct sealing s = {.dir = c->word[0], .name = c->word[1], .o = c->o};
    struct image *m = NULL;
    struct err e;
    int rc = -1;

    if (check(c->o, &e) == 0 && pubkey_parse(c->o->broker, s.owner, &e) == 0 &&
        (m = image_load(s.dir, &e)))
        rc = seal(&s, m, &e);
    image_free(m);
    return rc ? image_complain(&e) : 0;
}

static const struct conf_key seal_keys[] = {
    {"workload", CONF_STRING, OPTION_AT(workload), 0, 60, NULL,
     "in DIR, that may use the model: it must answer, and never export"},
    {"broker", CONF_STRING, OPTION_AT(broker), 0, 100, NULL,
     "npub of your broker, as `cdvm broker --print-key` says it"},
    {"key", CONF_STRING, OPTION_AT(key), 0, 0, NULL, "where the key goes; must not exist"},
    {"out", CONF_STRING, OPTION_AT(to), 0, 0, NULL, "folder for what a provider needs"},
    {"max", CONF_NUMBER, OPTION_AT(max), 1, 1000000000, NULL,
     "keys that one machine may get (100)"},
};

const struct image_command image_seal = {
    "seal",
    "DIR NAME",
    "encrypt the model DIR/NAME.vol so that only guests on its owner's list can open it, and\n"
    "print the row for that list, made of the release and the workload in DIR: read what you\n"
    "allow. The key is for `cdvm broker` alone, the folder for a provider",
    2,
    2,
    seal_keys,
    COUNT(seal_keys),
    run_seal};
