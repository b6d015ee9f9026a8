#include "snp_measure.h"

#include <string.h>

#include "core/hash.h"

#define PAGE ((size_t)4096)
#define GPA_TOP ((uint64_t)1 << 32)
#define GPA_VMSA 0xfffffffff000u
#define RESET_VECTOR 0xfffffff0u

enum page_type { PAGE_NORMAL = 1, PAGE_VMSA = 2, PAGE_ZERO = 3, PAGE_SECRETS = 5, PAGE_CPUID = 6 };
enum section_type { SEC_MEM = 1, SEC_SECRETS = 2, SEC_CPUID = 3, SEC_SVSM = 4, SEC_HASHES = 0x10 };

static void put_le(uint8_t *p, uint64_t v, size_t n) {
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

/* One SNP_LAUNCH_UPDATE page: digest = SHA384(PAGE_INFO), which holds the digest before it.
 * contents: SHA-384 of the page, or NULL for pages measured by address and type alone. */
static void digest_page(uint8_t digest[static 48], enum page_type type, uint64_t gpa,
                        const uint8_t *contents) {
    uint8_t info[0x70] = {0};

    memcpy(info, digest, 48);
    if (contents)
        memcpy(info + 0x30, contents, 48);
    put_le(info + 0x60, sizeof info, 2);
    info[0x62] = (uint8_t)type;
    put_le(info + 0x68, gpa, 8);
    sha384(view_of(info, sizeof info), digest);
}

static void digest_contents(uint8_t digest[static 48], enum page_type type, uint64_t gpa,
                            const uint8_t *page) {
    uint8_t h[48];

    sha384(view_of(page, PAGE), h);
    digest_page(digest, type, gpa, h);
}

void snp_digest_firmware(struct view file, uint8_t out[static 48]) {
    uint64_t gpa = GPA_TOP - file.n;

    memset(out, 0, 48);
    for (size_t i = 0; i < file.n; i += PAGE)
        digest_contents(out, PAGE_NORMAL, gpa + i, file.p + i);
}

static void digest_range(uint8_t digest[static 48], enum page_type type,
                         const struct ovmf_section *s) {
    for (uint32_t off = 0; off < s->size; off += PAGE)
        digest_page(digest, type, (uint64_t)s->gpa + off, NULL);
}

/* The page that QEMU fills with SHA-256 of command line, initrd and kernel (cdvm-attestation(7),
 * "Launch digest"). */
static void hashes_page(const struct launch *l, uint8_t page[static PAGE]) {
    static const uint8_t head[16] = {0x06, 0xd6, 0x38, 0x94, 0x22, 0x4f, 0xc9, 0x4c,
                                     0xb4, 0x79, 0xa7, 0x93, 0xd4, 0x11, 0xfd, 0x21};
    static const uint8_t guid[3][16] = {{0xd8, 0x2d, 0xd0, 0x97, 0x20, 0xbd, 0x94, 0x4c, 0xaa, 0x78,
                                         0xe7, 0x71, 0x4d, 0x36, 0xab, 0x2a},
                                        {0x31, 0xf7, 0xba, 0x44, 0x2f, 0x3a, 0xd7, 0x4b, 0x9a, 0xf1,
                                         0x41, 0xe2, 0x91, 0x69, 0x78, 0x1d},
                                        {0x37, 0x94, 0xe7, 0x4d, 0xd2, 0xab, 0x7f, 0x42, 0xb8, 0x35,
                                         0xd5, 0xb1, 0x72, 0xd2, 0x04, 0x5b}};
    const char *append = l->append ? l->append : "";
    uint8_t cmdline[32];
    const uint8_t *hash[3] = {cmdline, l->initrd, l->kernel};
    uint8_t *p = page + (l->ovmf->hashes_gpa & (PAGE - 1));

    sha256(view_of(append, strlen(append) + 1), cmdline);
    memset(page, 0, PAGE);
    memcpy(p, head, 16);
    put_le(p + 16, 168, 2);
    p += 18;
    for (size_t i = 0; i < 3; i++, p += 50) {
        memcpy(p, guid[i], 16);
        put_le(p + 16, 50, 2);
        memcpy(p + 18, hash[i], 32);
    }
}

static void digest_hashes(uint8_t digest[static 48], const struct launch *l,
                          const struct ovmf_section *s) {
    uint8_t page[PAGE];

    if (!l->kernel_hashes) {
        digest_range(digest, PAGE_ZERO, s);
        return;
    }
    hashes_page(l, page);
    digest_contents(digest, PAGE_NORMAL, s->gpa, page);
}

static void digest_section(uint8_t digest[static 48], const struct launch *l,
                           const struct ovmf_section *s) {
    switch ((enum section_type)s->type) {
    case SEC_MEM:
    case SEC_SVSM:
        digest_range(digest, PAGE_ZERO, s);
        return;
    case SEC_SECRETS:
        digest_page(digest, PAGE_SECRETS, s->gpa, NULL);
        return;
    case SEC_CPUID:
        digest_page(digest, PAGE_CPUID, s->gpa, NULL);
        return;
    case SEC_HASHES:
        digest_hashes(digest, l, s);
        return;
    }
}

struct vmsa_segment {
    uint16_t offset, selector, attributes;
    uint32_t limit;
};
/* Reset state as KVM hands it over, as VMSA fields (AMD64 manual 24593, appendix B); CS is set
 * apart. */
static const struct vmsa_segment segments[] = {
    {0x00, 0, 0x93, 0xffff}, {0x20, 0, 0x93, 0xffff}, {0x30, 0, 0x93, 0xffff},
    {0x40, 0, 0x93, 0xffff}, {0x50, 0, 0x93, 0xffff}, {0x60, 0, 0, 0xffff},
    {0x70, 0, 0x82, 0xffff}, {0x80, 0, 0, 0xffff},    {0x90, 0, 0x8b, 0xffff},
};
static const struct vmsa_register {
    uint16_t offset;
    uint8_t size;
    uint64_t value;
} registers[] = {
    {0x0d0, 8, 0x1000},             /* EFER: SVME */
    {0x148, 8, 0x40},               /* CR4: MCE */
    {0x158, 8, 0x10},               /* CR0: ET */
    {0x160, 8, 0x400},              /* DR7 */
    {0x168, 8, 0xffff0ff0},         /* DR6 */
    {0x170, 8, 0x2},                /* RFLAGS */
    {0x268, 8, 0x0007040600070406}, /* G_PAT */
    {0x3e8, 8, 1},                  /* XCR0 */
};

static void put_segment(uint8_t *vmsa, const struct vmsa_segment *s, uint64_t base) {
    uint8_t *p = vmsa + s->offset;

    put_le(p, s->selector, 2);
    put_le(p + 2, s->attributes, 2);
    put_le(p + 4, s->limit, 4);
    put_le(p + 8, base, 8);
}

/* SHA-384 of the VMSA page of the first vCPU, or of each other one. */
void launch_vmsa(const struct launch *l, bool first, uint8_t hash[static 48]) {
    const uint32_t eip = first ? RESET_VECTOR : l->ovmf->ap_eip;
    const struct vmsa_segment cs = {0x10, 0xf000, 0x9b, 0xffff};
    uint8_t page[PAGE] = {0};

    for (size_t i = 0; i < COUNT(segments); i++)
        put_segment(page, &segments[i], 0);
    put_segment(page, &cs, eip & 0xffff0000);
    for (size_t i = 0; i < COUNT(registers); i++)
        put_le(page + registers[i].offset, registers[i].value, registers[i].size);
    put_le(page + 0x178, eip & 0xffff, 8); /* RIP */
    put_le(page + 0x310, l->vcpu_signature, 8);
    put_le(page + 0x3b0, l->features, 8);
    if (!l->old_kernel) {
        put_le(page + 0x408, 0x1f80, 4); /* MXCSR */
        put_le(page + 0x410, 0x37f, 2);  /* FCW */
    }
    sha384(view_of(page, PAGE), hash);
}

void launch_vcpu(uint8_t digest[static 48], const uint8_t vmsa[static 48]) {
    digest_page(digest, PAGE_VMSA, GPA_VMSA, vmsa);
}

static const struct ovmf_section *hashes_section(const struct ovmf *o) {
    const uint32_t page = o->hashes_gpa & ~(uint32_t)(PAGE - 1);

    for (size_t i = 0; i < o->n_sections; i++)
        if (o->section[i].type == SEC_HASHES && o->section[i].size == PAGE &&
            o->section[i].gpa == page)
            return &o->section[i];
    return NULL;
}

static int launch_check(const struct launch *l, struct err *e) {
    if (!l->vcpus || l->vcpus > VCPUS_MAX)
        return err_set(e, "bad-launch", "%u vCPUs: 1 to %d are possible", l->vcpus, VCPUS_MAX);
    if (!l->kernel_hashes)
        return 0;
    if (!l->ovmf->hashes_gpa || !hashes_section(l->ovmf) ||
        (l->ovmf->hashes_gpa & (PAGE - 1)) > PAGE - 176)
        return err_set(e, "bad-launch",
                       "a kernel is given, but this firmware has no SNP_KERNEL_HASHES section to "
                       "measure it in: use the AmdSev build of OVMF");
    return 0;
}

void launch_sections(const struct launch *l, uint8_t digest[static 48]) {
    memcpy(digest, l->ovmf->snp_digest, 48);
    for (size_t i = 0; i < l->ovmf->n_sections; i++)
        digest_section(digest, l, &l->ovmf->section[i]);
}

int launch_digest(const struct launch *l, uint8_t out[static 48], struct err *e) {
    uint8_t vmsa[48];

    if (launch_check(l, e))
        return -1;
    launch_sections(l, out);
    launch_vmsa(l, true, vmsa);
    launch_vcpu(out, vmsa);
    launch_vmsa(l, false, vmsa);
    for (uint32_t i = 1; i < l->vcpus; i++)
        launch_vcpu(out, vmsa);
    return 0;
}
