/* The models of a chat: which weights there are, an engine for each, started again when it dies. */
#ifndef CDVM_WORKLOAD_ENGINES_H
#define CDVM_WORKLOAD_ENGINES_H

#include "card.h"
#include "docs.h"
#include "llama.h"

struct engines_spec {          /* everything borrowed and kept */
    const char *models;        /* folder with llm.gguf, embed.gguf, card.json, each optional */
    const char *folder;        /* writable */
    const char *const *engine; /* llama-server and what comes before its arguments */
    const struct unixhttp_watch *watch;
    bool emulated;
};
struct engines;
struct engines *engines_new(const struct engines_spec *s);
void engines_free(struct engines *x); /* ends them; NULL legal */
/* Starts what there are weights for, and waits. -1: the language model does not run. An embedding
 * model that does not run is told by engines_embedder. */
int engines_load(struct engines *x, struct err *e) WARN_UNUSED;

const struct card *engines_card(const struct engines *x);
bool engines_has_llm(const struct engines *x); /* there are weights for it */
/* The language model, started again if it had ended; NULL on error. Borrowed. */
struct llama *engines_llm(struct engines *x, struct err *e);
/* For the documents; NULL when there is no embedding model. Borrowed. */
const struct docs_model *engines_embedder(const struct engines *x);

#endif
