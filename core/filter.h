/* NIP-01 filters. Lists OR inside, fields AND, filters OR. ids/authors/#e/#p are full 64 hex. */
#ifndef CDVM_FILTER_H
#define CDVM_FILTER_H

#include "event.h"

struct filter_tag {
    char name; /* a-zA-Z */
    char **v;
    size_t n;
};
struct filter {
    uint8_t (*ids)[32];
    size_t n_ids;
    uint8_t (*authors)[32];
    size_t n_authors;
    uint32_t *kinds;
    size_t n_kinds;
    struct filter_tag *tags;
    size_t n_tags;
    int64_t since, until;                 /* -1 = absent */
    int64_t limit;                        /* -1 = absent */
    bool has_ids, has_authors, has_kinds; /* present even if the list is empty (matches nothing) */
};

/* NULL on error: unknown key, too many elements (over 500), bad hex: code "invalid". */
struct filter *filter_parse(const cJSON *o, struct err *e);
bool filter_match(const struct filter *f, const struct fields *ev);
void filter_free(struct filter *f);

#endif
