/* "cdvm-workload/1": the JSON lines between the agent and the sandboxed program, and the job.json
 * that says how to start it (cdvm-protocol(7), "Workload contract"). Pure: bytes in, structures
 * out.
 *
 * The program is not trusted. A line is refused ("bad-workload") when it is over 64 KiB, not strict
 * JSON, of an unknown type, lacks a field, or has one that is not of this list. */
#ifndef CDVM_CONTRACT_H
#define CDVM_CONTRACT_H

#include "core/json.h"

#define CONTRACT_LINE_MAX ((size_t)65536) /* without the line end */
#define CONTRACT_COLUMNS_MAX 2000
#define CONTRACT_ROWS_MAX 200

enum contract_type {
    CONTRACT_READY,    /* name, caps */
    CONTRACT_PROGRESS, /* id, done, total, unit, note */
    CONTRACT_DELTA,    /* id, text */
    CONTRACT_SOURCES,  /* id, list */
    CONTRACT_TABLE,    /* id, columns (strings), rows (arrays of strings or null, as long), total */
    CONTRACT_FILE,     /* id, path, name, mime */
    CONTRACT_DONE,     /* id */
    CONTRACT_ERROR,    /* code, message; id unless the program as a whole has failed */
};
struct contract_msg {
    enum contract_type type;
    cJSON *o;       /* owned; everything below is borrowed from it */
    const char *id; /* NULL when absent */
    const char *text, *name, *path, *mime, *unit, *note, *code, *message;
    uint64_t done, total;
    const cJSON *caps, *columns, *rows, *list, *usage;
};
/* `line` is without its line end. */
int contract_parse(struct view line, struct contract_msg *out, struct err *e) WARN_UNUSED;
void contract_msg_free(struct contract_msg *m); /* legal on {0} */

/* An object with "t" and, unless NULL, "id": the caller adds its members and ends it. */
struct jw contract_begin(struct buf *out, const char *type, const char *id);

/* Lines to the program, each appended with its line end. */
struct contract_param {
    const char *key, *value;
};
void contract_start(struct buf *out, const struct contract_param *params, size_t n);
void contract_file(struct buf *out, const char *id, const char *name, const char *path,
                   const uint8_t sha256[static 32]);
/* False when the text makes the line too long: nothing is appended then. */
bool contract_ask(struct buf *out, const char *id, struct view text);
void contract_cancel(struct buf *out, const char *id);
void contract_end(struct buf *out);

/* /cdvm/job.json of the workload volume: {argv, env, limits, mode, uid} and, where wanted, cwd and
 * name. */
enum contract_mode {
    CONTRACT_MODE_CONTRACT, /* started once, speaks the lines above */
    CONTRACT_MODE_PLAIN,    /* started for each question, knows nothing of them (plain.h) */
};
struct contract_job {
    char **argv, **env; /* NULL-terminated; owned */
    char *cwd, *name;   /* owned; "/" and the last part of argv[0] where job.json is silent */
    enum contract_mode mode;
    uint32_t uid;
    uint64_t memory_mib, in_mib, out_mib, tmp_mib, processes, files;
    uint64_t sockets, system; /* 0 or 1: UNIX sockets; /proc and /dev (sandbox.h) */
};
/* Code "bad-workload". */
int contract_job_parse(struct view text, struct contract_job *out, struct err *e) WARN_UNUSED;
void contract_job_free(struct contract_job *j); /* legal on {0} */

#endif
