/* The customer's documents as passages that a question finds.
 *
 * A document becomes UTF-8 text (docs_add), the text passages of about 200 words, and the passages
 * an SQLite FTS5 index in memory (BM25). Where the workload has an embedding model each passage
 * also gets vectors (docs_embed), and a question's two rankings are fused; without one BM25 stands
 * alone.
 *
 * A document that cannot be read is refused by itself: what was loaded before stays usable. Nothing
 * of a document is written anywhere; pdf and docx are opened by a child process with limits. */
#ifndef CDVM_WORKLOAD_DOCS_H
#define CDVM_WORKLOAD_DOCS_H

#include "core/bytes.h"

#define DOCS_MAX 1000                       /* documents */
#define DOCS_TEXT_MAX ((size_t)32 << 20)    /* bytes of text of all documents */
#define DOCS_QUESTION_MAX ((size_t)8 << 10) /* bytes of a question that are looked at */
#define DOCS_SNIPPET 240                    /* characters of a snippet */
#define DOCS_SCORE_MAX 1000

/* The embedding model. embed writes n rows of `dims` floats; rows need not have length 1. -1 with
 * err on failure. Texts are UTF-8 of at most a few hundred bytes each; n is at most DOCS_BATCH. */
#define DOCS_BATCH 32
struct docs_model {
    int (*embed)(void *arg, const struct view *texts, size_t n, float *out, struct err *e);
    void *arg;
    size_t dims;
};

/* Long work can be watched: `stop` is asked every few milliseconds of work (true gives up with code
 * "cancelled"), `progress` told between steps; both may be NULL, and so may the whole watch. */
struct docs_watch {
    bool (*stop)(void *arg);
    void (*progress)(void *arg, uint64_t done, uint64_t total);
    void *arg;
    int64_t deadline; /* CLOCK_MONOTONIC milliseconds, then code "timeout"; 0 = none */
};

struct docs;
/* model: copied; NULL = BM25 alone. NULL on error ("system"). */
struct docs *docs_new(const struct docs_model *model, struct err *e);
void docs_free(struct docs *d); /* wipes the text; NULL legal */

struct docs_info {
    const char *name;   /* as given, sanitised; borrowed */
    const char *format; /* "text", "markdown", "html", "csv", "pdf", "docx" */
    uint64_t bytes, words, passages;
    bool latin1; /* was not UTF-8 and was read as Latin-1 */
    bool cut;    /* was longer than the limits: only its beginning is in */
};
/* Reads the file, recognises it by its name and first bytes, and indexes it for BM25. Codes:
 * "unsupported" (a format not listed; binary), "bad-document" (broken, empty, encrypted),
 * "too-large", "cancelled", "timeout", "system"; the sentence does not repeat the name. *info may
 * be NULL. */
int docs_add(struct docs *d, const char *name, const char *path, const struct docs_watch *w,
             struct docs_info *info, struct err *e) WARN_UNUSED;
size_t docs_count(const struct docs *d);
void docs_info(const struct docs *d, size_t i, struct docs_info *info);

/* Vectors of the passages that have none yet: the slow part, so it is a step of its own. Counts in
 * windows of text. Stopped half-way it keeps what it has; the next call goes on from there, and
 * docs_search uses the vectors there are. 0 at once without a model. */
int docs_embed(struct docs *d, const struct docs_watch *w, struct err *e) WARN_UNUSED;
/* Windows given to the model at a time, DOCS_BATCH until told: 1 where the processor is so slow
 * that progress and stopping matter more. */
void docs_batch(struct docs *d, size_t n);
bool docs_embedded(const struct docs *d); /* every passage has its vectors */

/* One passage that was found, best first. Everything borrowed from d until the next docs_search,
 * docs_add or docs_free. */
struct docs_hit {
    const char *name;          /* document */
    size_t doc;                /* its number, 0 .. docs_count - 1 */
    uint64_t offset;           /* bytes from the start of the document's text */
    struct view text;          /* the passage; the document's own text, line ends kept */
    const char *heading;       /* the headings it stands under, "Chapter > Section", or "" */
    const char *snippet;       /* one sanitised line around the best match, at most DOCS_SNIPPET */
    int score;                 /* 1 .. DOCS_SCORE_MAX */
    bool by_words, by_meaning; /* which of the two rankings had it */
};
/* At most `max` hits (max <= 64); *n may be 0. When the model fails, BM25 answers alone and *e
 * tells why with the return still 0 (e->code empty otherwise). -1: "cancelled", "timeout",
 * "system". */
int docs_search(struct docs *d, struct view question, struct docs_hit *hit, size_t max, size_t *n,
                const struct docs_watch *w, struct err *e) WARN_UNUSED;

#endif
