#include "group.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONTROLLERS                                                                                \
    "+cpu +memory +pids" /* cpu: its weight is that of the agent, not of each thread */
#define MIB ((uint64_t)1 << 20)

struct group {
    char *dir;
    int fd, events;
    struct group_limits limits;
};

static int set_file(const char *dir, const char *name, const char *value, struct err *e) {
    cleanup_free char *path = mem_fmt("%s/%s", dir, name);
    cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
    size_t n = strlen(value);

    if (fd < 0 || write(fd, value, n) != (ssize_t)n)
        return err_sys(e, errno, "cannot set %s to %s", path, value);
    return 0;
}

static int set_number(const char *dir, const char *name, uint64_t value, struct err *e) {
    char text[24];

    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    return set_file(dir, name, text, e);
}

/* oom.group: a program half of which was killed is of no use. */
static int set_limits(const struct group *g, struct err *e) {
    return set_number(g->dir, "memory.max", g->limits.memory, e) ||
                   set_number(g->dir, "memory.swap.max", 0, e) ||
                   set_number(g->dir, "memory.oom.group", 1, e) ||
                   set_number(g->dir, "pids.max", g->limits.processes, e)
               ? -1
               : 0;
}

static int watch(struct group *g, const char *name, struct err *e) {
    cleanup_free char *path = mem_fmt("%s/%s", g->dir, name);

    if (inotify_add_watch(g->events, path, IN_MODIFY) < 0)
        return err_sys(e, errno, "cannot watch %s", path);
    return 0;
}

static int open_all(struct group *g, const char *tree, struct err *e) {
    if (set_file(tree, "cgroup.subtree_control", CONTROLLERS, e))
        return -1;
    if (mkdir(g->dir, 0700) && errno != EEXIST)
        return err_sys(e, errno, "cannot make %s", g->dir);
    g->fd = open(g->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g->events = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (g->fd < 0 || g->events < 0)
        return err_sys(e, errno, "cannot open %s", g->dir);
    return set_limits(g, e) || watch(g, "pids.events", e) || watch(g, "memory.events", e) ? -1 : 0;
}

struct group *group_new(const char *tree, const struct group_limits *limits, struct err *e) {
    struct group *g = mem_new(sizeof *g);

    g->dir = mem_fmt("%s/workload", tree);
    g->fd = g->events = -1;
    g->limits = *limits;
    if (!open_all(g, tree, e))
        return g;
    group_free(g);
    return NULL;
}

void group_free(struct group *g) {
    if (!g)
        return;
    group_kill(g);
    cleanup_fd_fn(&g->fd);
    cleanup_fd_fn(&g->events);
    rmdir(g->dir);
    free(g->dir);
    free(g);
}

int group_fd(const struct group *g) {
    return g->fd;
}

int group_events(const struct group *g) {
    return g->events;
}

void group_kill(const struct group *g) {
    (void)!set_number(g->dir, "cgroup.kill", 1, NULL);
}

/* The number behind `key` in a file of "key number" lines; 0 when there is none. */
static uint64_t number_of(const char *path, const char *key) {
    cleanup_buf struct buf text = {0};
    size_t n = strlen(key);

    if (file_read(path, 65536, &text, NULL) || !text.n)
        return 0;
    for (const char *line = (const char *)text.p; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (!strncmp(line, key, n) && (line[n] == ' ' || line[n] == ':'))
            return strtoull(line + n + 1, NULL, 10);
    }
    return 0;
}

static uint64_t event(const struct group *g, const char *file, const char *key) {
    cleanup_free char *path = mem_fmt("%s/%s", g->dir, file);

    return number_of(path, key);
}

int group_breach(const struct group *g, struct err *e) {
    char seen[512];

    while (read(g->events, seen, sizeof seen) > 0) /* that it was told is enough */
        ;
    if (event(g, "memory.events", "oom_kill"))
        return err_set(e, "workload-memory",
                       "the workload needed more than its %llu MiB of memory and was ended",
                       (unsigned long long)(g->limits.memory / MIB));
    if (event(g, "pids.events", "max"))
        return err_set(e, "workload-processes",
                       "the workload wanted to run more than %llu processes and was ended",
                       (unsigned long long)g->limits.processes);
    return 0;
}

uint64_t group_memory(const char *meminfo, uint64_t asked, uint64_t reserve) {
    uint64_t left = number_of(meminfo, "MemAvailable") * 1024;

    left = left > reserve ? left - reserve : 0;
    return asked < left ? asked : left;
}
