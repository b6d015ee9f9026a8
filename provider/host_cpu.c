#include "host_cpu.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attest/roots.h"
#include "attest/snp_measure.h"
#include "attest/snp_report.h"
#include "core/dvm.h"

#define CPUINFO_MAX                                                                                \
    ((size_t)1 << 20) /* of hosts with hundreds of processors, the first is enough */
#define FAMILY_ROME 0x17u

/* "model name\t: AMD EPYC ..." -> the value of the first line with exactly that key. */
static bool value_of(struct view text, const char *key, char *out, size_t n) {
    cleanup_free char *copy = mem_strn(text.p, text.n);
    size_t len = strlen(key);
    char *line, *rest = copy;

    while ((line = strsep(&rest, "\n")))
        if (!strncmp(line, key, len) && line[len + strspn(line + len, " \t")] == ':') {
            char *v = strchr(line, ':') + 1;

            v += strspn(v, " \t");
            text_clip(out, n, v);
            return true;
        }
    return false;
}

static bool number_of(struct view text, const char *key, uint32_t *out) {
    char word[16];
    char *end;

    *out = 0;
    if (!value_of(text, key, word, sizeof word))
        return false;
    *out = (uint32_t)strtoul(word, &end, 10);
    return end != word && !*end;
}

int host_cpu_read(const char *proc, struct host_cpu *out, struct err *e) {
    cleanup_free char *path = mem_fmt("%s/cpuinfo", proc);
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    cleanup_buf struct buf text = {0};
    char vendor[32] = "", b[4096];
    ssize_t n;

    *out = (struct host_cpu){0};
    while (fd >= 0 && text.n < CPUINFO_MAX && (n = read(fd, b, sizeof b)) > 0)
        buf_add(&text, b, (size_t)n);
    if (!text.n || !value_of(buf_view(&text), "vendor_id", vendor, sizeof vendor) ||
        !number_of(buf_view(&text), "cpu family", &out->family) ||
        !number_of(buf_view(&text), "model", &out->model))
        return err_set(e, "no-cpuinfo", "'%s' does not say which processor this is", path);
    (void)value_of(buf_view(&text), "model name", out->name, sizeof out->name);
    out->amd = !strcmp(vendor, "AuthenticAMD");
    return 0;
}

static enum snp_product product_of(uint32_t family, uint32_t model) {
    return family > UINT8_MAX || model > UINT8_MAX
               ? PRODUCT_UNKNOWN
               : snp_product_of((uint8_t)family, (uint8_t)model);
}

const char *host_cpu_product(const struct host_cpu *c) {
    enum snp_product p = c->amd ? product_of(c->family, c->model) : PRODUCT_UNKNOWN;

    return p == PRODUCT_UNKNOWN ? NULL : product_name(p);
}

/* Family and model out of CPUID's leaf 1, as a vCPU type is measured. What comes before Milan
 * counts as 0: products are numbered in the order of their years. */
static int generation_of(uint32_t signature) {
    uint32_t family = (signature >> 8 & 0xf) + (signature >> 20 & 0xff);
    uint32_t model = (signature >> 4 & 0xf) | (signature >> 12 & 0xf0);

    return family <= FAMILY_ROME ? 0 : (int)product_of(family, model);
}

static bool type_runs(const struct host_cpu *c, uint32_t signature) {
    return host_cpu_product(c) && generation_of(signature) <= (int)product_of(c->family, c->model);
}

const char *host_cpu_best_type(const struct host_cpu *c) {
    const char *best = NULL;
    uint32_t signature;

    for (size_t i = 0; vcpu_type_name(i); i++)
        if (vcpu_type_signature(vcpu_type_name(i), &signature) && type_runs(c, signature))
            best = vcpu_type_name(i); /* the table goes from old to new */
    return best;
}

int host_cpu_runs(const struct host_cpu *c, const char *vcpu_type, struct err *e) {
    uint32_t signature;

    if (!host_cpu_product(c))
        return err_set(
            e, "wrong-cpu",
            "this processor (%s, family %x, model %x) has no SEV-SNP that is known here: "
            "AMD EPYC of the 7003 (Milan), 9004 (Genoa) or 9005 (Turin) series has",
            c->name[0] ? c->name : "unnamed", c->family, c->model);
    if (!vcpu_type_signature(vcpu_type, &signature))
        return err_set(e, "wrong-cpu", "vcpu-type '%s' is not known", vcpu_type);
    if (!type_runs(c, signature))
        return err_set(e, "wrong-cpu",
                       "this host's processor is of the %s generation and runs no guests of "
                       "vcpu-type '%s': set vcpu-type = %s",
                       host_cpu_product(c), vcpu_type, host_cpu_best_type(c));
    return 0;
}
