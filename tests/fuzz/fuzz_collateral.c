/* Messages with what vendors sign, one to a line, from anybody: what is read of them is whole, is
 * what its hash says, and survives being sent again. */
#include <string.h>

#include "core/collateral.h"
#include "tests/fuzz/fuzz.h"

static struct rumor *line_rumor(struct view *in) {
    static const uint8_t author[32] = {1};
    const uint8_t *nl = memchr(in->p, '\n', in->n);
    const struct view line = view_of(in->p, nl ? (size_t)(nl - in->p) : in->n);
    struct fields f = fields_new(KIND_MESSAGE, 1, line);

    *in = nl ? view_of(nl + 1, in->n - line.n - 1) : (struct view){0};
    return rumor_make(&f, author);
}

static void take(struct collateral_set *s, struct rumor *r) {
    struct msg m;

    if (msg_parse(r, &m, NULL))
        return;
    (void)collateral_set_add(s, r, &m);
    MUST(!collateral_set_add(s, r, &m));
    MUST(s->n <= COLLATERAL_PARTS && s->n <= s->of + !s->n);
    msg_free(&m);
}

static void sent_again(const struct collateral *c) {
    struct keypair *k = keypair_from((const uint8_t[32]){[31] = 1}, NULL);
    struct rumor *part[COLLATERAL_PARTS];
    struct collateral again;
    size_t n;

    if (!collateral_make(c, (const uint8_t[32]){2}, k, keypair_pub(k), 1, part, &n, NULL)) {
        MUST(collateral_read(part, n, &again, NULL) == 0);
        MUST(view_eq(buf_view(&again.vek), buf_view(&c->vek)));
        MUST(again.n_files == c->n_files);
        for (size_t i = 0; i < c->n_files; i++)
            MUST(again.file[i].kind == c->file[i].kind &&
                 view_eq(buf_view(&again.file[i].bytes), buf_view(&c->file[i].bytes)));
        collateral_free(&again);
        while (n)
            rumor_free(part[--n]);
    }
    keypair_free(k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct view in = view_of(data, size);
    struct collateral_set set = {0};
    struct collateral c;
    struct err e = {0};

    for (int i = 0; i < 8 && in.n; i++) {
        struct rumor *r = line_rumor(&in);

        take(&set, r);
        rumor_free(r);
    }
    if (collateral_set_read(&set, &c, &e) == 0) {
        MUST(c.n_files <= COLLATERAL_FILES);
        for (size_t i = 0; i < c.n_files; i++)
            MUST(c.file[i].bytes.n && c.file[i].bytes.n <= COLLATERAL_FILE_MAX);
        sent_again(&c);
    } else
        MUST(!strcmp(e.code, "bad-message"));
    collateral_free(&c);
    collateral_set_free(&set);
    return 0;
}
