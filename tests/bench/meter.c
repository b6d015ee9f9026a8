/* Weighs the agent while it works: put into the initrd as /init, with the agent as /agent. Process
 * 1 becomes the agent; the child, which the agent does not know of, writes what the kernel says of
 * process 1 to the first serial line: peak of resident memory and its page tables, in KiB. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#define TICK_NS 20000000L

static long field(const char *text, const char *name) {
    const char *at = strstr(text, name);

    return at ? strtol(at + strlen(name), NULL, 10) : 0;
}

static void weigh(int proc, int line) {
    char text[4096], out[64];
    int fd = openat(proc, "1/status", O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    static long told;
    long peak;

    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return;
    text[n] = '\0';
    peak = field(text, "VmHWM:") + field(text, "VmPTE:");
    if (!strstr(text, "Name:\tagent") || peak <= told)
        return;
    told = peak;
    n = snprintf(out, sizeof out, "agent %ld KiB\n", peak);
    (void)!write(line, out, (size_t)n);
}

int main(void) {
    static char *argv[] = {"/agent", NULL}, *envp[] = {NULL};
    int proc, line;

    mkdir("/meter", 0700);
    mknod("/line", S_IFCHR | 0600, makedev(4, 64));
    if (mount("proc", "/meter", "proc", 0, "") || fork())
        return execve(argv[0], argv, envp);
    proc = open("/meter", O_PATH | O_DIRECTORY);
    line = open("/line", O_WRONLY | O_NOCTTY);
    for (;;) {
        weigh(proc, line);
        nanosleep(&(struct timespec){.tv_nsec = TICK_NS}, NULL);
    }
}
