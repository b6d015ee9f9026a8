/* The memory file: what was understood is written to lines that mean the same. */
#include "attest/memory.h"
#include "tests/fuzz/fuzz.h"

static void write_all(const struct memory *m, struct buf *out) {
    struct memory copy = {0};

    for (size_t i = 0; i < m->n_seq; i++)
        MUST(memory_add_seq(&copy, m->seq[i].kind, m->seq[i].endorser, m->seq[i].d, m->seq[i].seq,
                            m->seq[i].gone, out));
    for (size_t i = 0; i < m->n_floors; i++)
        MUST(memory_add_floor(&copy, m->floor[i].endorser, &m->floor[i].floor, out));
    for (size_t i = 0; i < m->n_gpu_floors; i++)
        MUST(memory_add_gpu_floor(&copy, m->gpu_floor[i].endorser, &m->gpu_floor[i].floor, out));
    for (size_t i = 0; i < m->n_revoked; i++)
        MUST(memory_add_revoked(&copy, m->revoked[i].endorser, m->revoked[i].digest, out));
    for (size_t i = 0; i < m->n_seen; i++)
        MUST(memory_add_seen(&copy, m->seen[i].provider, m->seen[i].what,
                             view_of(m->seen[i].value, m->seen[i].n), m->seen[i].when, out));
    memory_free(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cleanup_buf struct buf text = {0};
    struct memory m, again;
    struct err e = {0};

    if (memory_parse(view_of(data, size), &m, &e)) {
        MUST(e.code[0] && !m.n_seq && !m.n_seen);
        return 0;
    }
    write_all(&m, &text);
    MUST(memory_parse(buf_view(&text), &again, NULL) == 0);
    MUST(again.n_seq == m.n_seq && again.n_floors == m.n_floors &&
         again.n_gpu_floors == m.n_gpu_floors && again.n_revoked == m.n_revoked &&
         again.n_seen == m.n_seen);
    memory_free(&again);
    memory_free(&m);
    return 0;
}
