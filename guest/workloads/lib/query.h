/* The words of a question that are worth looking for. */
#ifndef CDVM_WORKLOAD_QUERY_H
#define CDVM_WORKLOAD_QUERY_H

#include "core/bytes.h"

#define QUERY_WORDS 64
#define QUERY_WORD_BYTES 64

/* Letters and digits of any script, each word once; English function words (which, how, do, ...)
 * only when there is nothing else. Words are NUL-terminated UTF-8. */
struct query {
    char word[QUERY_WORDS][QUERY_WORD_BYTES];
    size_t n;
};
void query_parse(struct view question, struct query *q);

/* How many different words of the question stand in the text (no stemming, case of ASCII ignored).
 */
size_t query_count(const struct query *q, struct view text);

#endif
