/* The vectors of windows, of length 1, and the nearest to a question's. */
#ifndef CDVM_WORKLOAD_VECTORS_H
#define CDVM_WORKLOAD_VECTORS_H

#include "core/bytes.h"

struct vectors;
struct vectors *vectors_new(size_t dims);
void vectors_free(struct vectors *v); /* wipes */
size_t vectors_count(const struct vectors *v);
/* Appends n rows, made of length 1. -1 ("bad-model") when one is not finite or all zero: none is
 * added. */
int vectors_add(struct vectors *v, const float *rows, size_t n, struct err *e) WARN_UNUSED;
/* The cosine of every row with q (any length above 0). out: vectors_count floats. */
void vectors_compare(const struct vectors *v, const float *q, float *out);

#endif
