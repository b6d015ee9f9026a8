/* The inside of an exhibit, shared by exhibit*.c. */
#ifndef CDVM_EXHIBIT_PRIV_H
#define CDVM_EXHIBIT_PRIV_H

#include "core/dvm.h"
#include "core/hello.h"
#include "exhibit.h"

#define BINDING "what REPORT_DATA is made of"

struct item {
    struct exhibit_item shown;
    uint8_t *bytes;     /* owned; NULL when they lie in what the exhibit holds */
    char *name, *words; /* owned */
};

struct exhibit {
    struct item *item;
    size_t n;
    struct hello hello; /* its report and GPUs are what items point into */
};

/* Items move as more come: what these return is good until the next. Sections and bytes are
 * borrowed, names copied. */
struct item *exhibit_add(struct exhibit *x, const char *section, const char *name);
struct item *exhibit_copy(struct exhibit *x, const char *section, const char *name,
                          struct view bytes);
void exhibit_say(struct item *it, const char *words);
void exhibit_words(struct item *it, struct buf *words); /* takes them over */
void exhibit_cert(struct exhibit *x, const char *section, const char *name, struct view der);

/* exhibit_gpu.c */
void exhibit_gpus(struct exhibit *x);
/* Ng and E; E also to *digest, empty where there is no GPU. */
void exhibit_gpus_bound(struct exhibit *x, const struct job_request *q, const uint8_t guest[32],
                        struct buf *digest);
void exhibit_nvidia(struct exhibit *x, const struct collateral *c);

#endif
