#include "qemu_able.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "accel.h"
#include "core/json.h"
#include "core/dvm.h"
#include "qmp.h"
#include "spawn.h"

#define PROBE_MS 5000

/* --- answers --- */

/* A type that must be there; a property of it that must be. */
static const struct {
    const char *type;
    size_t at;
    const char *property;
    size_t property_at;
} types[] = {
    {"sev-snp-guest", offsetof(struct qemu_able, snp), "kernel-hashes",
     offsetof(struct qemu_able, kernel_hashes)},
    {"ram-block-attributes", offsetof(struct qemu_able, gpu_memory), NULL, 0},
    {"iommufd", offsetof(struct qemu_able, iommufd), NULL, 0},
    {"vfio-pci", offsetof(struct qemu_able, vfio), NULL, 0},
};

static bool *ability(struct qemu_able *q, size_t at) {
    return (bool *)((char *)q + at);
}

void qemu_take_type(struct qemu_able *q, size_t i, const cJSON *properties) {
    const cJSON *p;

    *ability(q, types[i].at) = cJSON_IsArray(properties);
    if (!types[i].property)
        return;
    *ability(q, types[i].property_at) = false;
    cJSON_ArrayForEach(p, properties) {
        const char *name = json_opt(p, "name");

        if (name && !strcmp(name, types[i].property))
            *ability(q, types[i].property_at) = true;
    }
}

void qemu_take_sev(struct qemu_able *q, const cJSON *answer) {
    uint64_t cbit, reduced;

    q->sev = json_u64(answer, "cbitpos", &cbit, NULL) && cbit < 64 &&
             json_u64(answer, "reduced-phys-bits", &reduced, NULL) && reduced < 64;
    q->cbitpos = q->sev ? (unsigned)cbit : 0;
    q->reduced_phys_bits = q->sev ? (unsigned)reduced : 0;
}

/* --- asking --- */

struct asking {
    struct qemu_able *q;
    size_t answered; /* types; QMP answers in order */
    bool over, closed;
};

static void on_type(void *arg, const cJSON *ret, const struct err *e) {
    struct asking *a = arg;

    (void)e;
    qemu_take_type(a->q, a->answered++, ret);
}

static void on_sev(void *arg, const cJSON *ret, const struct err *e) {
    struct asking *a = arg;

    a->over = true;
    if (ret)
        qemu_take_sev(a->q, ret);
    else
        text_clip(a->q->why, sizeof a->q->why, e->text);
}

static void on_closed(void *arg, const struct err *why) {
    struct asking *a = arg;

    (void)why;
    a->over = a->closed = true;
}

static void ask(struct asking *a, struct loop *l, int fd) {
    static const struct qmp_handler h = {.closed = on_closed};
    int64_t until = loop_now() + PROBE_MS;
    struct qmp *q = qmp_new(l, fd, &h, a);

    for (size_t i = 0; i < COUNT(types); i++)
        a->over = a->over || qmp_ask_type(q, types[i].type, on_type, a, NULL) < 0;
    a->over = a->over || qmp_ask(q, "query-sev-capabilities", on_sev, a, NULL) < 0;
    while (!a->over && loop_now() < until)
        (void)loop_turn(l, 200);
    qmp_free(q);
}

/* kvm first: the question about the host is answered under KVM only. */
static int start(const char *qemu, int theirs, struct err *e) {
    char *argv[] = {(char *)qemu,
                    "-nodefaults",
                    "-no-user-config",
                    "-display",
                    "none",
                    "-machine",
                    "none",
                    "-accel",
                    "kvm",
                    "-accel",
                    "tcg",
                    "-chardev",
                    "socket,id=qmp,fd=3",
                    "-mon",
                    "chardev=qmp,mode=control",
                    NULL};
    struct spawn s = {.argv = argv, .fds = &theirs, .n_fds = 1, .out = -1, .err = -1};

    return spawn_child(&s, e);
}

static int ask_all(const char *qemu, struct qemu_able *out, struct err *e) {
    struct asking a = {.q = out};
    struct loop *l;
    int p[2], pid;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p) < 0)
        return err_sys(e, errno, "cannot make a socket for QMP");
    pid = start(qemu, p[1], e);
    close(p[1]);
    l = pid > 0 && fcntl(p[0], F_SETFL, O_NONBLOCK) == 0 ? loop_new(e) : NULL;
    if (l)
        ask(&a, l, p[0]);
    loop_free(l);
    close(p[0]);
    if (pid <= 0)
        return -1;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    if (a.closed || a.answered < COUNT(types)) /* who closes answers everything with an error */
        return err_set(e, "no-qemu", "'%s' does not answer over QMP", qemu);
    return 0;
}

int qemu_probe(const char *qemu, struct qemu_able *out, struct err *e) {
    cleanup_buf struct buf text = {0};
    unsigned major;

    *out = (struct qemu_able){0};
    if (spawn_output((char *[]){(char *)qemu, "--version", NULL}, 4096, PROBE_MS, &text, e) < 0)
        return -1;
    if (!text.n || !accel_version((const char *)text.p, out->version, &major))
        return err_set(e, "no-qemu", "'%s' does not say which version it is", qemu);
    return ask_all(qemu, out, e);
}

/* --- enough? --- */

static const struct {
    size_t at;
    bool gpu; /* wanted with a GPU only */
    const char *version, *lacks;
} wants[] = {
    {offsetof(struct qemu_able, snp), false, "9.1", "the object sev-snp-guest"},
    {offsetof(struct qemu_able, kernel_hashes), false, "9.1", "kernel-hashes of sev-snp-guest"},
    {offsetof(struct qemu_able, vfio), true, "10.1", "the device vfio-pci"},
    {offsetof(struct qemu_able, iommufd), true, "10.1", "the object iommufd"},
    {offsetof(struct qemu_able, gpu_memory), true, "10.1",
     "ram-block-attributes, without which a GPU and private memory refuse each other"},
};

int qemu_host_can(const struct qemu_able *q, struct err *e) {
    if (q->sev)
        return 0;
    return err_set(e, "no-snp",
                   "this host gives no confidential guests: QEMU says '%s'; see to SNP in the "
                   "firmware's setup, kvm_amd sev_snp=1 and /dev/sev",
                   q->why[0] ? q->why : "nothing");
}

int qemu_knows(const struct qemu_able *q, bool gpu, struct err *e) {
    for (size_t i = 0; i < COUNT(wants); i++)
        if ((gpu || !wants[i].gpu) && !*(const bool *)((const char *)q + wants[i].at))
            return err_set(e, "old-qemu",
                           "QEMU %s lacks %s: a confidential guest%s needs QEMU %s or newer",
                           q->version, wants[i].lacks, gpu ? " with a GPU" : "",
                           gpu ? "10.1" : wants[i].version);
    return 0;
}

int qemu_can(const struct qemu_able *q, bool gpu, struct err *e) {
    return qemu_knows(q, gpu, e) < 0 ? -1 : qemu_host_can(q, e);
}
