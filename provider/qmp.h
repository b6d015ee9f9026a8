/* QMP client on a connected socket: greeting, capabilities, numbered commands, events.
 *
 * QEMU is not trusted to be kind here: a guest that took QEMU over speaks through this socket.
 * Lines are bounded (QMP_LINE_MAX), JSON is strict, at most QMP_ASKED commands wait for their
 * answers. */
#ifndef CDVM_QMP_H
#define CDVM_QMP_H

#include <cjson/cJSON.h>
#include "core/bytes.h"
#include "core/loop.h"

#define QMP_LINE_MAX ((size_t)1 << 20)
#define QMP_ASKED 8

struct qmp;
struct qmp_handler { /* all optional */
    void (*event)(void *arg, const char *name, const cJSON *data);
    void (*closed)(void *arg, const struct err *why); /* the last call */
};
/* fd is borrowed, non-blocking. */
struct qmp *qmp_new(struct loop *l, int fd, const struct qmp_handler *h, void *arg);
void qmp_free(struct qmp *q); /* waiting callbacks are not called; NULL legal */

/* ret is borrowed; NULL with e set when QEMU refused the command or the socket closed. */
typedef void qmp_fn(void *arg, const cJSON *ret, const struct err *e);
/* A command without arguments ("quit", "query-blockstats", "query-pci"); a literal of ours. fn may
 * be NULL. Before the greeting it waits. -1: closed, or too many are waiting ("busy"). */
int qmp_ask(struct qmp *q, const char *command, qmp_fn *fn, void *arg, struct err *e) WARN_UNUSED;
/* The properties of a type, a literal of ours, or an error where QEMU has no such type. Unlike
 * qom-list-types it loads no module that has nothing to do with the question. */
int qmp_ask_type(struct qmp *q, const char *type, qmp_fn *fn, void *arg, struct err *e) WARN_UNUSED;

/* One line of QMP, taken apart: the parser alone, for tests and the fuzzer. */
enum qmp_kind { QMP_GREETING, QMP_RETURN, QMP_ERROR, QMP_EVENT };
struct qmp_line {
    enum qmp_kind kind;
    uint64_t id;        /* of a RETURN or ERROR; 0 when it had none */
    const char *name;   /* event name, or the error's description */
    const cJSON *value; /* return value or event data; may be NULL */
    cJSON *tree;        /* owned */
};
int qmp_parse(struct view line, struct qmp_line *out, struct err *e) WARN_UNUSED;
void qmp_line_free(struct qmp_line *l);

#endif
