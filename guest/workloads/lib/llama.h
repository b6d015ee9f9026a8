/* llama.cpp's llama-server as a child on a UNIX socket: started, watched, asked, ended.
 *
 * Whoever made the model file made what the server says: every answer is checked, text is made
 * valid UTF-8, and an error of the engine's becomes one sentence. Codes: "engine-gone" (it ended or
 * does not listen; the sentence has its last words), "engine-error" (it refused, with its reason),
 * "too-long" (more tokens than the context), "bad-engine" (not the protocol), "cancelled". */
#ifndef CDVM_WORKLOAD_LLAMA_H
#define CDVM_WORKLOAD_LLAMA_H

#include "unixhttp.h"

struct llama_spec {
    const char *const *argv; /* how the program is called, NULL-terminated; borrowed, kept */
    const char *model;       /* GGUF file; borrowed, kept */
    const char *folder;      /* writable, for its socket and log; borrowed, kept */
    const char *name;        /* of socket and log */
    bool embedding;
    bool emulated;    /* small batches, so that progress can be told; no spinning threads */
    unsigned threads; /* at least 1 */
    uint32_t context; /* tokens, prompt and answer together; 0 = the model's own */
};
struct llama;
/* The process runs; it is not ready yet. NULL: "system". */
struct llama *llama_start(const struct llama_spec *s, struct err *e);
void llama_free(struct llama *l); /* kills it, removes its socket; NULL legal */
bool llama_alive(struct llama *l);
/* Until it has loaded the model, then asks for its facts. */
int llama_wait(struct llama *l, const struct unixhttp_watch *w, struct err *e) WARN_UNUSED;
uint32_t llama_context(const struct llama *l); /* tokens; after llama_wait */
bool llama_system(const struct llama *l);      /* the chat template knows the role `system` */

/* The tokens of a chat as the model will see it. messages: a JSON array of {role, content}. */
int llama_count(struct llama *l, struct view messages, const struct unixhttp_watch *w, uint32_t *n,
                struct err *e) WARN_UNUSED;

struct llama_ask {
    struct view messages; /* as above */
    uint32_t max_tokens;
    struct view sampling; /* more JSON members, each with a comma before it; may be empty */
};
enum llama_finish { LLAMA_STOP, LLAMA_LENGTH }; /* the model ended; max_tokens or context did */
struct llama_usage {
    enum llama_finish finish;
    uint32_t prompt, cached, tokens; /* of the prompt, of these kept from before, of the answer */
    uint64_t prompt_us, us;          /* llama-server's own clock */
};
struct llama_reading { /* of the prompt, in tokens; done counts the cached ones too */
    uint32_t done, total, cached;
};
struct llama_events { /* each may be NULL */
    void (*text)(void *arg, struct view utf8);
    void (*thought)(void *arg, uint32_t pieces); /* reasoning that is not part of the answer */
    void (*prompt)(void *arg, const struct llama_reading *r);
    void *arg;
};
int llama_chat(struct llama *l, const struct llama_ask *q, const struct llama_events *ev,
               const struct unixhttp_watch *w, struct llama_usage *u, struct err *e) WARN_UNUSED;

/* n rows of llama_dims floats, one per text. */
size_t llama_dims(const struct llama *l); /* after llama_wait of an embedding server */
int llama_embed(struct llama *l, const struct view *texts, size_t n, float *out,
                const struct unixhttp_watch *w, struct err *e) WARN_UNUSED;

#endif
