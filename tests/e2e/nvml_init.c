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
#include "guest/gpunodes.h"
#include "guest/machine.h"
#include "guest/modules.h"
#include "guest/nvml.h"
#include "guest/sandbox.h"

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

static void make_node(const char *path, dev_t to) {
    mknod(path, S_IFCHR, to);
    chmod(path, 0666);
}

static void make_nodes(unsigned gpus) {
    char path[GPUNODE_PATH];

    make_node("/dev/nvidiactl", gpus ? makedev(1, 3) : makedev(195, 255));
    for (unsigned i = 1; gpus && gpunodes_path(i, gpus, path); i++)
        make_node(path, makedev(1, 3));
}

static void run_workload(const struct base *base, unsigned gpus) {
    static char *argv[] = {"/bin/gpu_probe", NULL}, *env[] = {NULL};
    const struct sandbox_spec spec = {
        .root = base_dir(base),
        .shared = "/run/workload",
        .argv = argv,
        .env = env,
        .uid = 1000,
        .memory = 64 << 20,
        .in_max = 1 << 20,
        .out_max = 1 << 20,
        .tmp_max = 1 << 20,
        .processes = 4,
        .files = 32,
        .gpus = gpus,
    };
    struct sandbox box;
    char text[256];
    ssize_t n;
    struct err e;

    if (up("folders", sandbox_make(&spec, &box, &e), &e))
        return;
    if (!up("workload", sandbox_start(&spec, &box, &e), &e))
        while ((n = read(box.from, text, sizeof text)) > 0)
            dprintf(line, "%.*s", (int)n, text);
    sandbox_end(&box);
}

static bool has_workload(const struct base *base) {
    cleanup_free char *path = mem_fmt("%s/bin/gpu_probe", base_dir(base));

    return !access(path, X_OK);
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
    if (has_workload(base))
        run_workload(base, gpus);
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
