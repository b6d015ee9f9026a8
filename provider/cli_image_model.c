/* cdvm image model: weights as a volume of their own. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli_image.h"
#include "core/json.h"
#include "packing.h"
#include "treecopy.h"

#define USUAL_IMAGE "build/image"
#define CARD_MAX ((size_t)65536)
#define MODEL_MAX_MIB ((uint64_t)1 << 24)

struct making {
    const struct image_options *o;
    const char *name, *from, *image;
    uint64_t all; /* bytes to copy, 0: not known */
    struct stage *s;
    struct buf card;
};

static void told(void *arg, uint64_t done) {
    const struct making *m = arg;

    image_progress("copying", done, m->all);
}

static bool is_gguf(const char *path) {
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    char magic[4];

    return fd >= 0 && read(fd, magic, 4) == 4 && !memcmp(magic, "GGUF", 4);
}

static int add_weights(const struct making *m, const char *name, const char *path, struct err *e) {
    if (!is_gguf(path))
        return err_set(e, "bad-image",
                       "'%s' is not a GGUF file: give a folder for weights of another kind", path);
    return treecopy_file(m->s, name, path, told, (void *)(uintptr_t)m, e);
}

static int fill(const struct making *m, struct err *e) {
    struct stat st;

    if (stat(m->from, &st) < 0)
        return err_set(e, "bad-image", "there is no '%s'", m->from);
    if (S_ISDIR(st.st_mode) ? treecopy(m->s, m->from, told, (void *)(uintptr_t)m, e)
                            : add_weights(m, "llm.gguf", m->from, e))
        return -1;
    return m->o->embed ? add_weights(m, "embed.gguf", m->o->embed, e) : 0;
}

static uint64_t size_of(const char *path) {
    struct stat st;

    return path && stat(path, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
}

/* --- the card --- */

static cJSON *own_card(const struct making *m, struct err *e) {
    cleanup_fd int fd = stage_open(m->s, "card.json");
    cleanup_buf struct buf text = {0};
    uint8_t block[4096];
    ssize_t n;

    if (m->o->card) {
        if (file_read(m->o->card, CARD_MAX, &text, e) < 0)
            return NULL;
    } else {
        while (fd >= 0 && (n = read(fd, block, sizeof block)) > 0 && text.n < CARD_MAX)
            buf_add(&text, block, (size_t)n);
        if (!text.n)
            return cJSON_CreateObject();
    }
    return json_parse(buf_view(&text), CARD_MAX, e);
}

static void set_word(cJSON *o, const char *key, const char *value) {
    if (!value)
        return;
    cJSON_DeleteItemFromObjectCaseSensitive(o, key);
    cJSON_AddStringToObject(o, key, value);
}

/* Options stand above what the card says; its name is the volume's where nobody gives one. */
static int complete_card(const struct making *m, cJSON *o, struct err *e) {
    const struct image_options *opt = m->o;

    if (!cJSON_IsObject(o))
        return err_set(e, "bad-image", "card.json is not an object");
    set_word(o, "name", opt->name ? opt->name : json_opt(o, "name") ? NULL : m->name);
    set_word(o, "quantization", opt->quantization);
    set_word(o, "licence", opt->licence);
    set_word(o, "source", opt->source);
    if (opt->parameters) {
        cJSON_DeleteItemFromObjectCaseSensitive(o, "parameters");
        cJSON_AddNumberToObject(o, "parameters", (double)opt->parameters);
    }
    return 0;
}

static int make_card(struct making *m, struct err *e) {
    cJSON *o = own_card(m, e);
    struct jw w = jw_new(&m->card);
    int rc = o ? complete_card(m, o, e) : -1;

    if (rc == 0) {
        jw_json(&w, o);
        buf_str(&m->card, "\n");
        rc = stage_put(m->s, "card.json", buf_view(&m->card), e);
    }
    cJSON_Delete(o);
    return rc < 0 ? err_wrap(e, "card.json") : 0;
}

/* --- the volume --- */

static int finish(struct making *m, struct err *e) {
    cleanup_free char *card = mem_fmt("%s/%s.model", m->image, m->name);
    struct volume v;
    char text[VOLUME_TEXT];

    image_say("packing %llu MiB", (unsigned long long)(stage_bytes(m->s) >> 20));
    if (packing_furnish(m->s, NULL, e) < 0 ||
        packing_volume(m->s, m->image, m->name, false, &v, e) < 0 ||
        file_write(card, buf_view(&m->card), 0644, true, e) < 0)
        return -1;
    volume_text(&v, text);
    printf("%s  %s/%s.vol\n", text, m->image, m->name);
    return image_describe_one(m->o, m->image, m->name, e);
}

static int make(struct making *m, struct err *e) {
    if (image_check_name(m->name, e) < 0)
        return -1;
    m->s = packing_stage(m->image, m->name, MODEL_MAX_MIB << 20, e);
    return !m->s || fill(m, e) < 0 || make_card(m, e) < 0 ? -1 : finish(m, e);
}

static int run_model(const struct image_call *c) {
    const struct image_options *o = c->o;
    struct making m = {
        .o = o, .name = c->word[0], .from = c->word[1], .image = o->image ? o->image : USUAL_IMAGE};
    struct err e;
    int rc;

    m.all = size_of(m.from) ? size_of(m.from) + size_of(o->embed) : 0;
    rc = make(&m, &e);
    stage_free(m.s);
    buf_free(&m.card);
    return rc < 0 ? image_complain(&e) : 0;
}

static const struct conf_key model_keys[] = {
    {"image", CONF_STRING, OPTION_AT(image), 0, 0, NULL, "guest image folder (build/image)"},
    {"embed", CONF_STRING, OPTION_AT(embed), 0, 0, NULL, "GGUF of the model that finds passages"},
    {"card", CONF_STRING, OPTION_AT(card), 0, 0, NULL, "card.json: what the weights are"},
    {"name", CONF_STRING, OPTION_AT(name), 0, 60, NULL, "in the card: what customers see"},
    {"parameters", CONF_NUMBER, OPTION_AT(parameters), 1, (uint64_t)1 << 50, NULL,
     "in the card: how many"},
    {"quantization", CONF_STRING, OPTION_AT(quantization), 0, 30, NULL,
     "in the card: such as Q4_1"},
    {"source", CONF_STRING, OPTION_AT(source), 0, 250, NULL, "in the card: where they are from"},
    {"licence", CONF_STRING, OPTION_AT(licence), 0, 120, NULL, "in card and manifest"},
    {"version", CONF_STRING, OPTION_AT(version), 0, 60, NULL, "of the manifest (0)"},
    {"seq", CONF_NUMBER, OPTION_AT(seq), 1, 1u << 31, NULL,
     "number that rises with each version (1)"},
    {"repo", CONF_STRING, OPTION_AT(repo), 0, 250, NULL, "in the manifest"},
    {"commit", CONF_STRING, OPTION_AT(commit), 0, 80, NULL, "in the manifest"},
};

const struct image_command image_model = {
    "model",
    "NAME FILE.gguf|FOLDER",
    "make NAME.vol of a model's weights: /model/llm.gguf, or the folder's files, and card.json",
    2,
    2,
    model_keys,
    COUNT(model_keys),
    run_model};
