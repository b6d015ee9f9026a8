/* NAME.offer: key = value, as in core/conf.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/conf.h"
#include "core/dvm.h"
#include "core/enc.h"
#include "core/text.h"
#include "image.h"

#define ENDING ".offer"
#define TEMPLATE_MAX ((size_t)65536)
#define GUEST_OWN_MIB 128 /* kernel, agent and what a program needs at least */

/* "usual": a chat where there is a model, a tool where there is none. */
enum kind_word { KIND_USUAL, KIND_CHAT, KIND_TOOL };
static const char *const kind_words[] = {"usual", "chat", "tool", NULL};

struct template {
    char *workload, *model, *name, *about, *broker;
    unsigned kind; /* enum kind_word */
    uint64_t memory, vcpus, gpus;
};

#define AT(field) offsetof(struct template, field)
static const struct conf_key keys[] = {
    {"workload", CONF_STRING, AT(workload), 0, 60, NULL, "volume that is run"},
    {"model", CONF_STRING, AT(model), 0, 60, NULL, "volume that it finds as /model; none"},
    {"kind", CONF_CHOICE, AT(kind), 0, 0, kind_words, "chat or tool"},
    {"name", CONF_STRING, AT(name), 0, 120, NULL, "of the offer"},
    {"about", CONF_STRING, AT(about), 0, 400, NULL, "one sentence about it"},
    {"memory", CONF_NUMBER, AT(memory), 256, 1048576, NULL, "MiB of memory of the guest"},
    {"vcpus", CONF_NUMBER, AT(vcpus), 1, 512, NULL, "vCPUs of the guest"},
    {"gpu", CONF_NUMBER, AT(gpus), 0, 1, NULL, "GPUs of the guest: 0 or 1"},
    {"broker", CONF_STRING, AT(broker), 0, 64, NULL,
     "key of a sealed model's owner, as in NAME.sealed"},
};

/* What is being read: for sentences that name the file and the line of a key. */
struct source {
    const char *path;
    struct view text;
};

static bool line_has_key(const char *line, const char *key) {
    size_t n = strlen(key);

    line += strspn(line, " \t");
    return !strncmp(line, key, n) && line[n + strspn(line + n, " \t")] == '=';
}

/* Of the last line that sets it, as the last one holds; 0 when none does. */
static unsigned line_of(const struct source *s, const char *key) {
    cleanup_free char *copy = mem_strn(s->text.p, s->text.n);
    char *line, *rest = copy;
    unsigned found = 0;

    for (unsigned n = 1; (line = strsep(&rest, "\n")); n++)
        if (line_has_key(line, key))
            found = n;
    return found;
}

static int PRINTF_LIKE(4, 5)
    bad(const struct source *s, const char *key, struct err *e, const char *fmt, ...) {
    unsigned line = line_of(s, key);
    char why[300];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    if (!line)
        return err_set(e, "bad-template", "%s: %s", s->path, why);
    return err_set(e, "bad-template", "%s:%u: %s", s->path, line, why);
}

static const struct image_volume *named(const struct image *m, const struct source *s,
                                        const char *key, const char *name, bool is_model,
                                        struct err *e) {
    const struct image_volume *v = image_named(m, name);

    if (v && v->is_model == is_model)
        return v;
    if (v)
        bad(s, key, e, "%s: volume '%s' is a %s", key, name, is_model ? "workload" : "model");
    else
        bad(s, key, e, "%s: the folder has no %s.vol (`cdvm image %s` makes one)", key, name,
            is_model ? "model" : "pack");
    return NULL;
}

static bool is_none(const char *s) {
    return !s || !*s || !strcmp(s, "none");
}

static int take_volumes(const struct image *m, const struct source *s, const struct template *t,
                        struct image_offer *o, struct err *e) {
    if (is_none(t->workload))
        return bad(s, "workload", e, "workload: the offer names no volume to run");
    o->work = named(m, s, "workload", t->workload, false, e);
    if (!o->work)
        return -1;
    if (!is_none(t->model) && !(o->model = named(m, s, "model", t->model, true, e)))
        return -1;
    return 0;
}

/* All volumes are copied into memory before anything runs. */
static int take_size(const struct image *m, const struct source *s, const struct template *t,
                     struct image_offer *o, struct err *e) {
    uint64_t blocks =
        o->work->volume.blocks + (o->model ? o->model->volume.blocks : 0) + m->base.blocks;
    uint64_t least = (blocks >> 8) + GUEST_OWN_MIB;

    o->memory_mib = (uint32_t)t->memory;
    o->vcpus = (uint32_t)t->vcpus;
    o->gpus = (uint32_t)t->gpus;
    if (t->memory && t->memory < least)
        return bad(s, "memory", e,
                   "memory: %llu MiB is too little, the volumes alone need %llu MiB",
                   (unsigned long long)t->memory, (unsigned long long)least);
    return 0;
}

static int take_broker(const struct source *s, const struct template *t, struct image_offer *o,
                       struct err *e) {
    uint8_t key[32];

    const bool sealed = o->model && o->model->sealed;

    snprintf(o->broker, sizeof o->broker, "none");
    if (sealed)
        hex_encode(view_of(o->model->broker, 32), o->broker);
    if (is_none(t->broker))
        return 0;
    if (!hex_decode_str(t->broker, key, sizeof key))
        return bad(s, "broker", e, "broker: not 64 hex digits or none");
    if (!sealed)
        return bad(s, "broker", e,
                   "broker: there is no sealed model that it could hold the key of");
    if (memcmp(key, o->model->broker, sizeof key))
        return bad(s, "broker", e, "broker: %s.sealed names another owner of the key",
                   o->model->name);
    return 0;
}

static uint32_t job_kind(enum kind_word word, bool has_model) {
    if (word == KIND_USUAL)
        word = has_model ? KIND_CHAT : KIND_TOOL;
    return word == KIND_CHAT ? KIND_JOB_CHAT : KIND_JOB_TOOL;
}

static char *taken(char **s) {
    char *given = *s && **s ? *s : NULL;

    if (given)
        *s = NULL;
    return given;
}

static int take_template(const struct image *m, const struct source *s, struct template *t,
                         struct image_offer *o, struct err *e) {
    if (take_volumes(m, s, t, o, e) < 0 || take_size(m, s, t, o, e) < 0 ||
        take_broker(s, t, o, e) < 0)
        return -1;
    o->job_kind = job_kind((enum kind_word)t->kind, o->model);
    o->name = taken(&t->name);
    o->about = taken(&t->about);
    return 0;
}

static int read_offer(struct image *m, const char *dir, const char *file, struct err *e) {
    struct image_offer *o = &m->offer[m->n_offers];
    cleanup_free char *path = mem_fmt("%s/%s", dir, file);
    cleanup_buf struct buf text = {0};
    struct template t = {0};
    size_t n = strlen(file) - strlen(ENDING);
    int rc = -1;

    if (m->n_offers == IMAGE_OFFERS_MAX || n >= sizeof o->d)
        return err_set(e, "bad-template", "'%s' has more offers than %d, or a long name", dir,
                       IMAGE_OFFERS_MAX);
    *o = (struct image_offer){0};
    memcpy(o->d, file, n);
    if (file_read(path, TEMPLATE_MAX, &text, e) == 0 &&
        conf_parse(buf_view(&text), path, keys, COUNT(keys), &t, e) == 0)
        rc = take_template(m, &(struct source){path, buf_view(&text)}, &t, o, e);
    conf_free(keys, COUNT(keys), &t);
    if (rc == 0)
        m->n_offers++;
    return rc;
}

static bool is_offer(const char *file) {
    size_t n = strlen(file), stem = strspn(file, "abcdefghijklmnopqrstuvwxyz"
                                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

    return n > strlen(ENDING) && stem == n && file[0] != '.' &&
           !strcmp(file + n - strlen(ENDING), ENDING);
}

static int by_d(const void *a, const void *b) {
    const struct image_offer *x = a, *y = b;

    return strcmp(x->d, y->d);
}

static int read_offers(struct image *m, const char *dir, struct err *e) {
    int rc = image_each(m, dir, is_offer, read_offer, e);

    qsort(m->offer, m->n_offers, sizeof m->offer[0], by_d);
    return rc;
}

static void offer_each_workload(struct image *m) {
    for (size_t i = 0; i < m->n_volumes; i++) {
        const struct image_volume *v = &m->volume[i];
        struct image_offer *o = &m->offer[m->n_offers];

        if (v->is_model)
            continue;
        *o = (struct image_offer){.work = v, .job_kind = KIND_JOB_TOOL, .broker = "none"};
        memcpy(o->d, v->name, sizeof o->d);
        m->n_offers++;
    }
}

int image_read_offers(struct image *m, const char *dir, struct err *e) {
    if (read_offers(m, dir, e) < 0)
        return -1;
    if (!m->n_offers)
        offer_each_workload(m);
    return 0;
}

void image_drop_gpu_offers(struct image *m) {
    size_t kept = 0;

    for (size_t i = 0; i < m->n_offers; i++) {
        struct image_offer *o = &m->offer[i];

        if (!o->gpus) {
            m->offer[kept++] = *o;
            continue;
        }
        free(o->name);
        free(o->about);
    }
    m->n_offers = kept;
}

void image_drop_offers(struct image *m) {
    for (size_t i = 0; i < m->n_offers; i++) {
        free(m->offer[i].name);
        free(m->offer[i].about);
    }
    m->n_offers = 0;
}
