/* Lines of a hostile workload, and job.json: what is accepted obeys the contract's limits. */
#include "guest/contract.h"
#include "core/text.h"
#include "tests/fuzz/fuzz.h"

static void check_table(const struct contract_msg *m) {
    const cJSON *row;

    cJSON_ArrayForEach(row, m->rows) {
        MUST(cJSON_GetArraySize(row) == cJSON_GetArraySize(m->columns));
    }
    MUST(cJSON_GetArraySize(m->rows) <= CONTRACT_ROWS_MAX);
}

static void try_line(struct view line) {
    struct contract_msg m;
    struct err e = {0};

    if (contract_parse(line, &m, &e)) {
        MUST(e.code[0] && utf8_valid(view_str(e.text)) && !m.o);
        return;
    }
    MUST(m.o && line.n <= CONTRACT_LINE_MAX);
    MUST(m.id || m.type == CONTRACT_READY || m.type == CONTRACT_ERROR);
    if (m.type == CONTRACT_TABLE)
        check_table(&m);
    contract_msg_free(&m);
}

static void try_job(struct view text) {
    struct contract_job j;
    struct err e = {0};

    if (contract_job_parse(text, &j, &e)) {
        MUST(e.code[0] && !j.argv && !j.env);
        return;
    }
    MUST(j.argv[0][0] == '/' && j.uid >= 1000 && j.memory_mib && j.files && j.processes);
    contract_job_free(&j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    try_line(view_of(data, size));
    try_job(view_of(data, size));
    return 0;
}
