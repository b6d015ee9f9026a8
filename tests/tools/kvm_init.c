/* Process 1 of a machine that is to have KVM: loads its modules, tries it, says what came of it. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "provider/kvm_try.h"

int main(void) {
    static const char *const modules[] = {"/irqbypass.ko", "/kvm.ko", "/kvm-amd.ko"};
    struct kvm_tried t;
    int console;

    if (mount("dev", "/dev", "devtmpfs", 0, "") < 0 || (console = open("/dev/console", O_RDWR)) < 0)
        return 1;
    for (size_t i = 0; i < COUNT(modules); i++) {
        cleanup_fd int fd = open(modules[i], O_RDONLY | O_CLOEXEC);

        if (syscall(SYS_finit_module, fd, "", 0) < 0)
            dprintf(console, "%s does not load\n", modules[i]);
    }
    t = kvm_try("/dev/kvm", 20000);
    dprintf(console, "OUTCOME %d %s\n", t.outcome, t.why);
    sync();
    return reboot(RB_POWER_OFF);
}
