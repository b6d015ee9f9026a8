/* Process 1 of a guest that does of the agent's acts only those up to the NVML child, and writes
 * what that says to the first serial line: put into the initrd as /init. No GPU is there: the nodes
 * are files, or lead to no driver.
 *
 * usage (behind "--" on the kernel's command line): GPUS   0: with the driver's control node alone
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "guest/base.h"
#include "guest/cmdline.h"
#include "guest/machine.h"
#include "guest/modules.h"
#include "guest/nvml.h"

#define WAIT_MS 60000

static int line;

static int up(const char *what, int rc, const struct err *e) {
    if (rc)
        dprintf(line, "%s: %s: %s\n", what, e->code, e->text);
    return rc;
}

static struct base *bring_up(void) {
    cleanup_buf struct buf text = {0};
    struct base *base = NULL;
    struct cmdline c;
    struct err e;

    if (up("mount", machine_mount(&e), &e) || up("modules", modules_load("/modules", &e), &e) ||
        up("read", file_read("/proc/cmdline", CMDLINE_MAX + 1, &text, &e), &e) ||
        up("cmdline", cmdline_parse(buf_view(&text), &c, &e), &e) ||
        up("lock", machine_lock_down(&e), &e) || up("leave", machine_leave_initrd(&e), &e))
        return NULL;
    base = base_open(&c.base, &e);
    (void)!up("base", base ? 0 : -1, &e);
    return base;
}

static void make_nodes(unsigned gpus) {
    if (!gpus)
        mknod("/dev/nvidiactl", S_IFCHR, makedev(195, 255));
    else
        close(open("/dev/nvidiactl", O_CREAT | O_WRONLY, 0666));
    chmod("/dev/nvidiactl", 0666);
    for (unsigned i = 0; i < gpus; i++) {
        cleanup_free char *node = mem_fmt("/dev/nvidia%u", i);

        close(open(node, O_CREAT | O_WRONLY, 0666));
        chmod(node, 0666);
    }
}

static void ask(const struct base *base, unsigned gpus) {
    const struct nvml_place place = {base_dir(base), NVML_LIBRARY, gpus};
    struct nvml_answer a;
    struct err e;
    struct nvml *n;

    make_nodes(gpus);
    n = nvml_start(&place, &e);
    if (up("start", n ? 0 : -1, &e))
        return;
    if (!up("facts", nvml_ask(n, NVML_FACTS, view_of(NULL, 0), WAIT_MS, &a, &e), &e))
        dprintf(line, "facts: %u GPUs\n", a.facts.count);
    nvml_free(n);
}

int main(int argc, char **argv) {
    struct base *base;

    mknod("/line", S_IFCHR | 0600, makedev(4, 64));
    line = fcntl(open("/line", O_WRONLY | O_NOCTTY), F_DUPFD_CLOEXEC, 10); /* 0 to 2 are not open */
    setenv("FAKE_NVML", "/fake", 1);
    base = bring_up();
    if (base)
        ask(base, argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 0);
    machine_power_off();
}
