#include "host.h"

#include <archive.h>
#include <archive_entry.h>
#include <cpuid.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/dvm.h"

#define CONFIG_MAX ((size_t)4 << 20)
#define SMALL_MAX ((size_t)65536)

/* --- files --- */

static char *below(const struct host *h, const char *path) {
    return mem_fmt("%s/%s", h->root, path);
}

bool host_has(const struct host *h, const char *path) {
    cleanup_free char *p = below(h, path);

    return access(p, F_OK) == 0;
}

bool host_word(const struct host *h, const char *path, char out[static 64]) {
    cleanup_free char *p = below(h, path);
    cleanup_buf struct buf b = {0};

    out[0] = 0;
    if (file_read(p, SMALL_MAX, &b, NULL) < 0)
        return false;
    snprintf(out, 64, "%.*s", b.n ? (int)strcspn((const char *)b.p, "\n") : 0,
             b.n ? (const char *)b.p : "");
    return true;
}

bool host_folder_has(const char *folder, const char *start) {
    DIR *d = opendir(folder);
    struct dirent *ent;
    bool found = false;

    while (d && !found && (ent = readdir(d)))
        found = ent->d_name[0] != '.' && !strncmp(ent->d_name, start, strlen(start));
    if (d)
        closedir(d);
    return found;
}

bool host_lists(const struct host *h, const char *folder, const char *start) {
    cleanup_free char *p = below(h, folder);

    return host_folder_has(p, start);
}

static bool read_small(const struct host *h, const char *path, struct buf *out) {
    cleanup_free char *p = below(h, path);

    return file_read(p, SMALL_MAX, out, NULL) == 0;
}

/* --- the processor --- */

static void take_leaf(struct host_chip *c, uint32_t leaf, const uint32_t r[static 4]) {
    const uint32_t name[3] = {r[1], r[3], r[2]};

    if (leaf == 0)
        memcpy(c->vendor, name, 12);
    else if (leaf == 1) {
        uint32_t base = r[0] >> 8 & 15;

        c->stepping = r[0] & 15;
        c->family = (uint8_t)(base == 15 ? base + (r[0] >> 20 & 255) : base);
        c->model = (uint8_t)((r[0] >> 4 & 15) | (base >= 6 ? r[0] >> 12 & 0xf0 : 0));
        c->virtual = r[2] >> 31;
    } else if (leaf >= 0x80000002 && leaf <= 0x80000004)
        memcpy(c->brand + (leaf - 0x80000002) * 16, r, 16);
    else if (leaf == 0x8000001f) {
        c->sev_eax = r[0];
        c->sev_edx = r[3];
    }
}

enum snp_product host_product(const struct host *h) {
    return strcmp(h->cpu.vendor, "AuthenticAMD") ? PRODUCT_UNKNOWN
                                                 : snp_product_of(h->cpu.family, h->cpu.model);
}

static void read_cpu(struct host_chip *c) {
    static const uint32_t leaves[] = {0, 1, 0x80000002, 0x80000003, 0x80000004, 0x8000001f};

    for (size_t i = 0; i < COUNT(leaves); i++) {
        uint32_t r[4] = {0};

        if (__get_cpuid_count(leaves[i], 0, &r[0], &r[1], &r[2], &r[3]))
            take_leaf(c, leaves[i], r);
    }
}

static int read_cpuid_file(struct host *h, struct err *e) {
    cleanup_buf struct buf b = {0};
    char *line, *rest;

    if (!read_small(h, "cpuid", &b) || !b.n)
        return err_set(e, "bad-host", "'%s/cpuid' cannot be read", h->root);
    rest = (char *)b.p;
    while ((line = strsep(&rest, "\n"))) {
        uint32_t v[5] = {0};
        size_t n = 0;
        char *at = line, *end;

        for (; n < 5; n++, at = end) {
            v[n] = (uint32_t)strtoul(at, &end, 16);
            if (end == at)
                break;
        }
        if (n == 5)
            take_leaf(&h->cpu, v[0], v + 1);
        else if (*line)
            return err_set(e, "bad-host", "'%s/cpuid': a line is a leaf and four registers",
                           h->root);
    }
    return 0;
}

/* The brand is padded with blanks at either end. */
static void trim(char *s) {
    size_t n = strlen(s), skip = strspn(s, " ");

    memmove(s, s + skip, n - skip + 1);
    for (n -= skip; n && s[n - 1] == ' '; n--)
        s[n - 1] = 0;
}

/* --- the kernel --- */

/* "6.12.48+deb13-amd64" */
static void take_release(struct host *h, const char *release) {
    char *end;

    text_clip(h->kernel, sizeof h->kernel, release);
    h->kernel_major = (unsigned)strtoul(release, &end, 10);
    h->kernel_minor = *end == '.' ? (unsigned)strtoul(end + 1, NULL, 10) : 0;
}

static void read_release(struct host *h) {
    char word[64] = "";
    struct utsname u;

    if (!h->real)
        (void)host_word(h, "proc/sys/kernel/osrelease", word);
    take_release(h, h->real && uname(&u) == 0 ? u.release : word);
}

static bool unpack_config(const char *path, struct buf *out) {
    struct archive *a = archive_read_new();
    struct archive_entry *entry;
    char block[16384];
    la_ssize_t n = -1;

    archive_read_support_filter_gzip(a);
    archive_read_support_format_raw(a);
    if (archive_read_open_filename(a, path, sizeof block) == ARCHIVE_OK &&
        archive_read_next_header(a, &entry) == ARCHIVE_OK)
        while ((n = archive_read_data(a, block, sizeof block)) > 0 && out->n < CONFIG_MAX)
            buf_add(out, block, (size_t)n);
    archive_read_free(a);
    return n == 0;
}

/* Where distributions put it; the last is the kernel's own copy. */
static void read_config(struct host *h) {
    cleanup_free char *boot = mem_fmt("%s/boot/config-%s", h->root, h->kernel);
    cleanup_free char *modules = mem_fmt("%s/lib/modules/%s/config", h->root, h->kernel);
    cleanup_free char *proc = below(h, "proc/config.gz");

    if (file_read(boot, CONFIG_MAX, &h->config, NULL) == 0 ||
        file_read(modules, CONFIG_MAX, &h->config, NULL) == 0 || unpack_config(proc, &h->config))
        return;
    buf_reset(&h->config);
}

char host_config(const struct host *h, const char *name) {
    cleanup_free char *key = mem_fmt("\n%s=", name);
    const char *text = h->config.n ? (const char *)h->config.p : NULL, *at;

    if (!text)
        return '?';
    at = strstr(text, key);
    if (at)
        return at[strlen(key)];
    return !strncmp(text, key + 1, strlen(key) - 1) ? text[strlen(key) - 1] : 'n';
}

bool host_cmdline(const struct host *h, const char *word) {
    const char *s = h->cmdline.n ? (const char *)h->cmdline.p : "";
    size_t n = strlen(word);

    for (s += strspn(s, " \n"); *s; s += strspn(s, " \n")) {
        size_t len = strcspn(s, " \n");

        if (len == n && !memcmp(s, word, n))
            return true;
        s += len;
    }
    return false;
}

bool host_kernel_is(const struct host *h, unsigned major, unsigned minor) {
    return h->kernel_major > major || (h->kernel_major == major && h->kernel_minor >= minor);
}

/* --- memory --- */

/* "MemTotal:       32768 kB" */
static uint64_t meminfo(const char *text, const char *key) {
    const char *at = strstr(text, key);

    return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static void read_memory(struct host *h) {
    cleanup_buf struct buf b = {0};

    if (!read_small(h, "proc/meminfo", &b) || !b.n)
        return;
    h->memory_mib = meminfo((const char *)b.p, "MemTotal:") >> 10;
    h->huge_mib = meminfo((const char *)b.p, "Hugetlb:") >> 10;
}

/* --- GPUs --- */

/* Those that the settings name, or all there are. */
static size_t find_gpus(struct host *h, struct gpu *all) {
    size_t n = 0;

    if (!h->conf->gpu.n)
        return gpu_list(h->sys, all, GPUS_MAX, &n, &h->gpu_why) < 0 ? 0 : n;
    for (size_t i = 0; i < h->conf->gpu.n && n < GPUS_MAX; i++)
        n += gpu_find(h->sys, h->conf->gpu.v[i], &all[n], &h->gpu_why) == 0;
    return n;
}

static void read_gpus(struct host *h) {
    cleanup_free struct gpu *all = mem_new(GPUS_MAX * sizeof *all);

    h->n_gpus = find_gpus(h, all);
    h->gpu = mem_new((h->n_gpus + 1) * sizeof *h->gpu);
    for (size_t i = 0; i < h->n_gpus; i++)
        h->gpu[i].gpu = all[i];
}

/* --- all --- */

static int read_files(struct host *h, struct err *e) {
    if (h->real)
        read_cpu(&h->cpu);
    else if (read_cpuid_file(h, e) < 0)
        return -1;
    trim(h->cpu.brand);
    read_release(h);
    read_config(h);
    (void)!read_small(h, "proc/cmdline", &h->cmdline);
    read_memory(h);
    read_gpus(h);
    return 0;
}

struct host *host_new(const struct host_opts *o, struct err *e) {
    struct host *h = mem_new(sizeof *h);

    *h = (struct host){.conf = o->conf,
                       .root = mem_str(o->root ? o->root : ""),
                       .real = !o->root,
                       .clock = CLOCK_UNKNOWN,
                       .disk_mib = UINT64_MAX,
                       .memlock_mib = UINT64_MAX};
    h->sys = below(h, "sys");
    if (read_files(h, e) < 0 || (!h->real && host_answers(h, e) < 0)) {
        host_free(h);
        return NULL;
    }
    if (h->real)
        host_ask(h, o);
    return h;
}

void host_free(struct host *h) {
    if (!h)
        return;
    free(h->root);
    free(h->sys);
    free(h->gpu);
    buf_free(&h->config);
    buf_free(&h->cmdline);
    free(h);
}
