/* The shapes of OpenAI's chat API, as far as a sealed guest can serve it: a request's JSON becomes
 * one question, answers become its JSON. Pure: bytes in, bytes out.
 *
 * A field of the request that would change what comes back in a way the guest cannot follow (tools,
 * n over 1, images, log probabilities, another format) is refused by name; one that only tunes is
 * counted as ignored and named in the answer's header cdvm-ignored. */
#ifndef CDVM_OPENAI_H
#define CDVM_OPENAI_H

#include "core/json.h"
#include "core/talk.h"
#include "sources.h"

#define OPENAI_BODY_MAX ((size_t)256 << 10)
#define OPENAI_STOPS_MAX 4
#define OPENAI_STOP_LEN 64 /* bytes of a stop sequence */

struct openai_request {
    char *model;         /* owned; NULL when none was named */
    struct buf question; /* the conversation as one text */
    struct buf last;     /* the last message of the user alone, for tools that know no turns */
    char *stop[OPENAI_STOPS_MAX]; /* owned: the answer ends before the first of them */
    size_t n_stops;
    bool stream, usage; /* with a last chunk that has the usage */
    struct buf ignored; /* names of fields, ", " between them */
};
/* Errors "bad-json", "bad-request", "unsupported", "too-large"; *param (may be NULL) is the name of
 * the field or NULL, static. */
int openai_request_parse(struct view body, struct openai_request *out, const char **param,
                         struct err *e) WARN_UNUSED;
void openai_request_free(struct openai_request *r); /* wipes; legal on {0} */

/* {"error":{message, type, param, code}}; type and HTTP status go together. param may be NULL. */
void openai_error(struct buf *out, unsigned status, const struct err *e, const char *param);
void openai_error_members(struct jw *w, unsigned status, const struct err *e, const char *param);

/* Who answers. Strings of any origin. */
struct openai_model {
    const char *id, *owner;
    int64_t created;
};
void openai_models(struct buf *out, const struct openai_model *m);

/* One answer, or one chunk of a streamed one. */
struct openai_answer {
    char id[40]; /* "chatcmpl-..." */
    int64_t created;
    const struct openai_model *model;
    const struct talk_usage *usage; /* NULL unknown */
    const struct sources *sources;  /* NULL or empty: none */
    const char *guest;              /* hex of its key */
    bool simulated;
};
void openai_completion(struct buf *out, const struct openai_answer *a, struct view text,
                       const char *finish);
/* As server-sent events ("data: ...\n\n"). first: with the role; finish not NULL: the last with
 * choices, then openai_stream_end. */
void openai_chunk(struct buf *out, const struct openai_answer *a, struct view text, bool first,
                  const char *finish);
void openai_stream_usage(struct buf *out, const struct openai_answer *a);
void openai_stream_error(struct buf *out, unsigned status, const struct err *e);
void openai_stream_end(struct buf *out);

/* finish of the workload as OpenAI's word: "length" or "stop". */
const char *openai_finish(const struct talk_usage *u);

#endif
