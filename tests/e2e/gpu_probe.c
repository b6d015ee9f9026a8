/* A workload of a job with GPUs, which looks at what its sandbox gives it of them, and at what it
 * must not: prints the first thing that is not as it should be, or that all is. No GPU is there:
 * the nodes are /dev/null by other names, which know no call of a driver's. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

/* Whether the node opens, and a call of the driver's gets to the kernel. */
static int node_works(const char *path) {
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    const int rc = fd < 0 ? -1 : ioctl(fd, _IOWR('F', 0x2a, char[32]), NULL);

    return fd >= 0 && rc < 0 && errno == ENOTTY && ioctl(fd, TIOCSTI, "x") < 0 && errno == EPERM;
}

static int nodes(void) {
    return node_works("/dev/nvidiactl") && node_works("/dev/nvidia0") &&
           node_works("/dev/nvidia1") && node_works("/dev/nvidia-uvm") &&
           node_works("/dev/nvidia-uvm-tools");
}

static int no_other_nodes(void) {
    DIR *d = opendir("/dev");
    struct dirent *e;
    int others = 0;

    while (d && (e = readdir(d)))
        others += !strchr("nzfrsu.", e->d_name[0]); /* null zero full random std* shm fd urandom */
    return d && !others && access("/dev/nvidia2", F_OK) && access("/dev/vda", F_OK) &&
           mknod("/dev/x", S_IFCHR, makedev(1, 3)) && open("/dev/x", O_CREAT | O_WRONLY, 0600) < 0;
}

static int driver_is_told(void) {
    FILE *f = fopen("/proc/devices", "r");
    char line[64] = "";

    if (f && !fgets(line, sizeof line, f))
        line[0] = '\0';
    return f && !strncmp(line, "Character", 9);
}

static int nothing_is_set(void) {
    return open("/proc/sys/kernel/core_pattern", O_WRONLY) < 0 && access("/proc/1/mem", W_OK) &&
           open("/proc/sysrq-trigger", O_WRONLY) < 0;
}

static int no_way_out(void) {
    return socket(AF_INET, SOCK_STREAM, 0) < 0 && geteuid() && access("/sys/bus", F_OK);
}

static const struct {
    const char *name;
    int (*holds)(void);
} checks[] = {
    {"nodes", nodes},
    {"no other nodes", no_other_nodes},
    {"driver is told", driver_is_told},
    {"nothing is set", nothing_is_set},
    {"no way out", no_way_out},
};

int main(void) {
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        if (!checks[i].holds()) {
            printf("workload: not %s\n", checks[i].name);
            return 1;
        }
    printf("workload: as it should be\n");
    return 0;
}
