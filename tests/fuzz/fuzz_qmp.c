/* QMP lines from a QEMU that a guest took over: the parser and the client that reads them. */
#include <sys/socket.h>
#include <unistd.h>

#include "provider/qmp.h"
#include "tests/fuzz/fuzz.h"

static void one_line(struct view line) {
    struct qmp_line l;
    struct err e = {0};

    if (qmp_parse(line, &l, &e) < 0) {
        MUST(e.code[0] && e.text[0] && !l.tree);
        return;
    }
    MUST(l.tree);
    MUST((l.kind != QMP_EVENT && l.kind != QMP_ERROR) || l.name);
    qmp_line_free(&l);
}

static void on_answer(void *arg, const cJSON *ret, const struct err *e) {
    MUST(!ret != !e);
    ++*(int *)arg;
}

static void whole_stream(struct view bytes) {
    static const struct qmp_handler quiet = {0};
    struct loop *l = loop_new(NULL);
    struct err e;
    struct qmp *q;
    int p[2], answers = 0;

    MUST(l && socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p) == 0);
    q = qmp_new(l, p[0], &quiet, NULL);
    MUST(qmp_ask(q, "query-pci", on_answer, &answers, &e) == 0);
    MUST(write(p[1], bytes.p, bytes.n) == (ssize_t)bytes.n);
    close(p[1]);
    for (int i = 0; i < 8; i++)
        (void)loop_turn(l, 0);
    MUST(answers == 1); /* whatever came: answered or failed, once */
    qmp_free(q);
    close(p[0]);
    loop_free(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    one_line(view_of(data, size));
    if (size)
        whole_stream(view_of(data, size));
    return 0;
}
