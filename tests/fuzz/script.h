/* Readable inputs for fuzzers of rumors and events: a script is steps between lines of "%%"; a step
 * is the kind on the first line, one tag a line with its values apart by tabs, an empty line, the
 * content. */
#ifndef CDVM_SCRIPT_H
#define CDVM_SCRIPT_H

#include "core/event.h"
#include "core/text.h"

#define SCRIPT_VALUES 8

static inline struct view script_cut(struct view *in, const char *at) {
    size_t n = strlen(at);
    const uint8_t *p = in->n ? memmem(in->p, in->n, at, n) : NULL;
    struct view head = *in;

    if (!p) {
        *in = (struct view){0};
        return head;
    }
    head.n = (size_t)(p - in->p);
    in->p = p + n;
    in->n -= head.n + n;
    return head;
}

static inline void script_tag(struct fields *f, struct view line) {
    char *v[SCRIPT_VALUES];
    size_t n = 0;

    while (n < SCRIPT_VALUES && (line.n || n == 0)) {
        struct view cell = script_cut(&line, "\t");

        v[n++] = mem_strn(cell.p, cell.n);
    }
    fields_tag(f, n, (const char *const *)v);
    while (n)
        free(v[--n]);
}

/* False when it is no text: the parsers before would have refused it. */
static inline bool script_step(struct view *in, struct fields *out) {
    struct view step = script_cut(in, "\n%%\n"), head = script_cut(&step, "\n\n"), kind;
    cleanup_free char *number = NULL;

    kind = script_cut(&head, "\n");
    if (!utf8_valid(head) || !utf8_valid(step) || (head.n && memchr(head.p, 0, head.n)) ||
        (step.n && memchr(step.p, 0, step.n)))
        return false;
    number = mem_strn(kind.p, kind.n);
    *out = fields_new((uint32_t)strtoul(number, NULL, 10) % 65536, 1700000000, step);
    while (head.n)
        script_tag(out, script_cut(&head, "\n"));
    return true;
}

static inline struct rumor *script_rumor(struct view *in, const uint8_t author[static 32]) {
    struct fields f;

    return script_step(in, &f) ? rumor_make(&f, author) : NULL;
}

#endif
