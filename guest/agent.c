/* The agent: process 1 of the confidential guest, and the only program in its measured image.
 *
 * It does its acts in the order of one table; the first that fails is told to the host as a number,
 * and the power goes off. Everything after the last act is one job (session.h). */
#include <string.h>
#include <unistd.h>
#include "base.h"
#include "cmdline.h"
#include "entropy.h"
#include "gpus.h"
#include "hardware.h"
#include "machine.h"
#include "modules.h"
#include "port.h"
#include "session.h"

#define FLUSH_MS 2000

struct agent {
    bool seeded;
    struct port *port;
    struct cmdline cmdline;
    unsigned n_gpus; /* on the PCI bus */
    struct base *base;
    struct gpus *gpus; /* NULL: there is none */
};

static int act_port(struct agent *a, struct err *e) {
    a->port = port_open("/sys", "/dev", e);
    return a->port ? 0 : -1;
}

static int act_entropy(struct agent *a, struct err *e) {
    if (!a->seeded)
        return err_set(e, "no-entropy", "the kernel's random generator was not seeded at start");
    return entropy_check(hardware_snp("/sys"), e);
}

static int act_modules(struct agent *a, struct err *e) {
    (void)a;
    return modules_load("/modules", e) || machine_mount_configfs(e) ? -1 : 0;
}

static int act_cmdline(struct agent *a, struct err *e) {
    cleanup_buf struct buf text = {0};

    if (file_read("/proc/cmdline", CMDLINE_MAX + 1, &text, e))
        return -1;
    return cmdline_parse(buf_view(&text), &a->cmdline, e);
}

static int act_hardware(struct agent *a, struct err *e) {
    return hardware_check("/sys", a->cmdline.has_base, &a->n_gpus, e);
}

static int act_leave(struct agent *a, struct err *e) {
    (void)a;
    return machine_lock_down(e) || machine_leave_initrd(e) ? -1 : 0;
}

static int act_base(struct agent *a, struct err *e) {
    if (a->cmdline.has_base)
        a->base = base_open(&a->cmdline.base, e);
    return a->cmdline.has_base && !a->base ? -1 : 0;
}

static int act_gpus(struct agent *a, struct err *e) {
    if (a->n_gpus)
        a->gpus = gpus_start(base_dir(a->base), a->n_gpus, e);
    return a->n_gpus && !a->gpus ? -1 : 0;
}

static int act_lock(struct agent *a, struct err *e) {
    (void)a;
    return modules_lock(e);
}

/* Sends its own error state. */
static int act_job(struct agent *a, struct err *e) {
    const struct session_conf conf = {
        .port = a->port,
        .cmdline = &a->cmdline,
        .report = {.tsm = "/sys/kernel/config/tsm/report", .device = "/dev/sev-guest"},
        .gpus = a->gpus,
        .set_clock = machine_set_clock,
    };
    struct loop *l = loop_new(e);

    if (!l)
        return -1;
    port_state(a->port, CHAN_BOOTED);
    session_run(l, &conf);
    return 0;
}

static int act_mount(struct agent *a, struct err *e) {
    (void)a;
    return machine_mount(e);
}

static const struct {
    int (*run)(struct agent *a, struct err *e);
    enum chan_state error;
} acts[] = {
    {act_mount, CHAN_ERR_HARDWARE},  {act_port, CHAN_ERR_HARDWARE},
    {act_entropy, CHAN_ERR_ENTROPY}, {act_modules, CHAN_ERR_HARDWARE},
    {act_cmdline, CHAN_ERR_CMDLINE}, {act_hardware, CHAN_ERR_HARDWARE},
    {act_leave, CHAN_ERR_HARDWARE},  {act_base, CHAN_ERR_VOLUME},
    {act_gpus, CHAN_ERR_GPU},        {act_lock, CHAN_ERR_HARDWARE},
    {act_job, CHAN_ERR_JOB},
};

static void tell(struct agent *a, enum chan_state error, const struct err *e) {
    if (!strcmp(e->code, "gpu-count"))
        error = CHAN_ERR_GPU_COUNT;
    if (a->port)
        port_state(a->port, error);
}

int main(void) {
    struct agent a = {.seeded = entropy_seeded()};
    struct err e;

    process_harden();
    for (size_t i = 0; i < COUNT(acts); i++)
        if (acts[i].run(&a, &e)) {
            tell(&a, acts[i].error, &e);
            break;
        }
    if (a.port)
        port_flush(a.port, FLUSH_MS);
    machine_power_off();
}
