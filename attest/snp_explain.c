/* QEMU's CPU models, and why a launch digest differs: the variants that people really meet
 * (virtee/sev-snp-measure#30 and others), tried in turn. */
#include "snp_measure.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define EXPLAIN_VCPUS 128

struct vcpu_type {
    const char *name;
    uint32_t signature; /* CPUID 1 EAX of QEMU's model; all -vN of a model share it */
};
static const struct vcpu_type types[] = {
    {"EPYC", 0x00800f12},       {"EPYC-Rome", 0x00830f10},  {"EPYC-Milan", 0x00a00f11},
    {"EPYC-Genoa", 0x00a10f10}, {"EPYC-Turin", 0x00b00f00},
};

const char *vcpu_type_name(size_t i) {
    return i < COUNT(types) ? types[i].name : NULL;
}

/* "", "-v4", "-IBPB" */
static bool suffix_known(const char *s) {
    if (!*s || !strcmp(s, "-IBPB"))
        return true;
    if (strncmp(s, "-v", 2) != 0 || !isdigit((unsigned char)s[2]) || s[2] == '0')
        return false;
    return !s[3] || (isdigit((unsigned char)s[3]) && !s[4]);
}

bool vcpu_type_signature(const char *type, uint32_t *out) {
    for (size_t i = 0; i < COUNT(types); i++) {
        size_t n = strlen(types[i].name);

        if (strncmp(type, types[i].name, n) != 0 || !suffix_known(type + n))
            continue;
        *out = types[i].signature;
        return true;
    }
    return false;
}

static const char *signature_name(uint32_t signature) {
    for (size_t i = 0; i < COUNT(types); i++)
        if (types[i].signature == signature)
            return types[i].name;
    return "another CPU";
}

/* Finds the number of vCPUs that gives `got` on this machine; 0 when none does. */
static uint32_t try_vcpus(const struct launch *l, const uint8_t sections[static 48],
                          const uint8_t got[static 48]) {
    uint8_t digest[48], vmsa[48];

    memcpy(digest, sections, 48);
    launch_vmsa(l, true, vmsa);
    launch_vcpu(digest, vmsa);
    launch_vmsa(l, false, vmsa);
    for (uint32_t n = 1; n <= EXPLAIN_VCPUS; n++) {
        if (!memcmp(digest, got, 48))
            return n;
        launch_vcpu(digest, vmsa);
    }
    return 0;
}

/* Every CPU model, feature word and host kernel over one set of sections. */
static bool try_machines(struct launch *l, const uint8_t got[static 48]) {
    const uint64_t features[] = {l->features, 0x1, 0x21, 0x5, 0x25, 0x9, 0x201};
    const uint32_t own = l->vcpu_signature;
    uint8_t sections[48];

    launch_sections(l, sections);
    for (size_t t = 0; t <= COUNT(types); t++)
        for (size_t f = 0; f < COUNT(features); f++)
            for (int old = 0; old < 2; old++) {
                l->vcpu_signature = t ? types[t - 1].signature : own;
                l->features = features[f];
                l->old_kernel = old;
                l->vcpus = try_vcpus(l, sections, got);
                if (l->vcpus)
                    return true;
            }
    return false;
}

static void describe(const struct launch *want, const struct launch *is, char *out, size_t n) {
    cleanup_buf struct buf b = {0};

    if (is->vcpus != want->vcpus)
        buf_fmt(&b, ", with %u vCPU%s, not %u", is->vcpus, is->vcpus > 1 ? "s" : "", want->vcpus);
    if (is->vcpu_signature != want->vcpu_signature)
        buf_fmt(&b, ", with vCPU type %s, not %s", signature_name(is->vcpu_signature),
                signature_name(want->vcpu_signature));
    if (is->features != want->features)
        buf_fmt(&b, ", with sev_features 0x%llx, not 0x%llx", (unsigned long long)is->features,
                (unsigned long long)want->features);
    if (is->old_kernel != want->old_kernel)
        buf_fmt(&b, ", with a host kernel %s 6.10", is->old_kernel ? "before" : "from");
    if (is->kernel_hashes != want->kernel_hashes)
        buf_fmt(&b, ", with kernel, initrd and command line not measured (kernel-hashes=off)");
    snprintf(out, n, "it would match%s", b.n ? (const char *)b.p + 1 : "");
}

bool launch_explain(const struct launch *l, const uint8_t got[static 48], char *out, size_t n) {
    struct launch v = *l;

    if (!try_machines(&v, got)) {
        v = *l;
        v.kernel_hashes = false;
        if (!l->kernel_hashes || !try_machines(&v, got))
            return false;
    }
    describe(l, &v, out, n);
    return true;
}
