#include "vectors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct vectors {
    size_t dims, n, cap;
    float *row; /* n x dims */
};

struct vectors *vectors_new(size_t dims) {
    struct vectors *v = mem_new(sizeof *v);

    v->dims = dims;
    return v;
}

void vectors_free(struct vectors *v) {
    if (!v)
        return;
    if (v->row)
        explicit_bzero(v->row, v->cap * v->dims * sizeof *v->row);
    free(v->row);
    free(v);
}

size_t vectors_count(const struct vectors *v) {
    return v->n;
}

static float dot(const float *a, const float *b, size_t n) {
    float s = 0;

    for (size_t i = 0; i < n; i++)
        s += a[i] * b[i];
    return s;
}

static float inverse_length(const float *a, size_t n) {
    float square = dot(a, a, n);

    return isfinite(square) && square > 0 ? 1 / sqrtf(square) : 0;
}

/* The old rows hold the customer's meaning: they are not left in freed memory. */
static void reserve(struct vectors *v, size_t n) {
    size_t cap = v->cap ? v->cap : 256;
    float *row;

    while (cap < n)
        cap *= 2;
    if (cap == v->cap)
        return;
    row = mem_new(cap * v->dims * sizeof *row);
    if (v->row) {
        memcpy(row, v->row, v->n * v->dims * sizeof *row);
        explicit_bzero(v->row, v->n * v->dims * sizeof *row);
    }
    free(v->row);
    v->row = row;
    v->cap = cap;
}

int vectors_add(struct vectors *v, const float *rows, size_t n, struct err *e) {
    reserve(v, v->n + n);
    for (size_t i = 0; i < n; i++) {
        const float *from = rows + i * v->dims;
        float *to = v->row + (v->n + i) * v->dims, scale = inverse_length(from, v->dims);

        if (scale == 0)
            return err_set(e, "bad-model", "the embedding model gave a vector without a direction");
        for (size_t k = 0; k < v->dims; k++)
            to[k] = from[k] * scale;
    }
    v->n += n;
    return 0;
}

void vectors_compare(const struct vectors *v, const float *q, float *out) {
    float scale = inverse_length(q, v->dims);

    for (size_t i = 0; i < v->n; i++)
        out[i] = dot(v->row + i * v->dims, q, v->dims) * scale;
}
