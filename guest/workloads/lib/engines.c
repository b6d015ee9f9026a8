#include "engines.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cpu.h"

#define CONTEXT_USUAL 4096    /* tokens, where the model has as many and the card says nothing */
#define CONTEXT_EMULATED 1024 /* a slow processor has to touch the memory of every one */
#define CONTEXT_EMBED 512

struct engines {
    struct engines_spec spec;
    struct card card;
    char *llm_path, *embed_path; /* NULL: no such weights */
    struct llama *llm, *embed;
    struct docs_model model;
};

static char *weights(const char *folder, const char *name) {
    char *path = mem_fmt("%s/%s", folder, name);

    if (!access(path, R_OK))
        return path;
    free(path);
    return NULL;
}

struct engines *engines_new(const struct engines_spec *s) {
    struct engines *x = mem_new(sizeof *x);
    cleanup_free char *card = mem_fmt("%s/card.json", s->models);

    x->spec = *s;
    x->llm_path = weights(s->models, "llm.gguf");
    x->embed_path = weights(s->models, "embed.gguf");
    card_read(card, &x->card);
    return x;
}

void engines_free(struct engines *x) {
    if (!x)
        return;
    llama_free(x->llm);
    llama_free(x->embed);
    card_free(&x->card);
    free(x->llm_path);
    free(x->embed_path);
    cleanup_free_fn(&x);
}

static uint32_t context_of_llm(const struct engines *x) {
    uint32_t usual = x->spec.emulated ? CONTEXT_EMULATED : CONTEXT_USUAL;

    return x->card.context ? x->card.context : usual;
}

static struct llama *start(const struct engines *x, bool embedding, struct err *e) {
    return llama_start(
        &(struct llama_spec){.argv = x->spec.engine,
                             .model = embedding ? x->embed_path : x->llm_path,
                             .folder = x->spec.folder,
                             .name = embedding ? "embed" : "llm",
                             .embedding = embedding,
                             .emulated = x->spec.emulated,
                             .threads = cpu_count(),
                             .context = embedding ? CONTEXT_EMBED : context_of_llm(x)},
        e);
}

/* A model that ran, or NULL with its end told. */
static struct llama *settle(const struct engines *x, struct llama *l, struct err *e) {
    if (!l || !llama_wait(l, x->spec.watch, e))
        return l;
    llama_free(l);
    return NULL;
}

static int embed(void *arg, const struct view *texts, size_t n, float *out, struct err *e) {
    struct engines *x = arg;

    if (!x->embed || !llama_alive(x->embed)) {
        llama_free(x->embed);
        x->embed = settle(x, start(x, true, e), e);
    }
    if (!x->embed)
        return -1;
    if (llama_dims(x->embed) != x->model.dims)
        return err_set(e, "bad-engine", "the engine's vectors have another length than before");
    return llama_embed(x->embed, texts, n, out, x->spec.watch, e);
}

/* Both load at the same time. An embedder that does not start is done without. */
int engines_load(struct engines *x, struct err *e) {
    struct err llm_error = {0}, embed_error = {0};

    x->llm = x->llm_path ? start(x, false, &llm_error) : NULL;
    x->embed = x->embed_path ? start(x, true, &embed_error) : NULL;
    x->llm = settle(x, x->llm, &llm_error);
    x->embed = settle(x, x->embed, &embed_error);
    if (x->embed)
        x->model = (struct docs_model){embed, x, llama_dims(x->embed)};
    return x->llm || !x->llm_path ? 0
                                  : err_set(e, llm_error.code, "the model: %.400s", llm_error.text);
}

const struct card *engines_card(const struct engines *x) {
    return &x->card;
}

bool engines_has_llm(const struct engines *x) {
    return x->llm_path != NULL;
}

struct llama *engines_llm(struct engines *x, struct err *e) {
    if (x->llm && llama_alive(x->llm))
        return x->llm;
    llama_free(x->llm);
    x->llm = settle(x, start(x, false, e), e);
    return x->llm;
}

const struct docs_model *engines_embedder(const struct engines *x) {
    return x->model.embed ? &x->model : NULL;
}
