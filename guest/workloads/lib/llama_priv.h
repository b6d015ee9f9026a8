/* What the files of llama share. */
#ifndef CDVM_WORKLOAD_LLAMA_PRIV_H
#define CDVM_WORKLOAD_LLAMA_PRIV_H

#include <sys/types.h>
#include "core/json.h"
#include "llama.h"

struct llama {
    struct llama_spec spec;
    char *socket, *log;
    pid_t pid; /* -1 once it is gone */
    int status;
    uint32_t context;
    bool system;
    size_t dims;
};

/* The engine's JSON has fractions, which json_parse refuses; so cJSON itself, on bounded text. NULL
 * unless it is an object. */
cJSON *llama_json(struct view text);
uint64_t llama_uint(const cJSON *o, const char *key);   /* 0 when absent or out of range */
uint64_t llama_micros(const cJSON *o, const char *key); /* milliseconds with fractions */

/* One request for one JSON object; anything but 200 is an error. NULL on error. */
cJSON *llama_fetch(struct llama *l, const char *path, struct view body,
                   const struct unixhttp_watch *w, struct err *e);
/* What an error body says. */
int llama_refused(int status, const cJSON *o, struct err *e);
/* After "engine-gone": what has become of it. */
int llama_explain(struct llama *l, struct err *e);
/* Embeds a word, to learn how long its vectors are. */
int llama_learn_dims(struct llama *l, const struct unixhttp_watch *w, struct err *e);

#endif
