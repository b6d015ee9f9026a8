/* Reference values: release, workload and model manifests, and the command line template
 * (cdvm-protocol(7), "Release manifest" and "Command line template").
 *
 * A manifest's digest is the SHA-256 of its content as received; the content is refused when
 * re-serialising what was understood of it (RFC 8785) gives other bytes, so one manifest has one
 * digest and no key that nobody reads. Arrays are sorted bytewise without repetition, but sections
 * (launch order) and argv. */
#ifndef CDVM_RELEASE_H
#define CDVM_RELEASE_H

#include "bytes.h"
#include "json.h"

#define MANIFEST_MAX ((size_t)40000) /* it travels in one event of 64 KiB */
#define OVMF_SECTIONS_MAX 64
#define CMDLINE_MAX ((size_t)2047) /* bytes without the NUL, as x86 Linux takes them */

/* A page range that the firmware asks the host to measure (its SEV metadata). */
struct ovmf_section {
    uint32_t gpa, size,
        type; /* type: 1 memory, 2 secrets, 3 CPUID, 4 SVSM CAA, 0x10 kernel hashes */
};

/* All that the launch digest needs of a firmware, without the file. */
struct ovmf {
    uint8_t sha256[32];
    uint8_t snp_digest[48]; /* launch digest after the firmware's own pages */
    uint32_t ap_eip;        /* reset vector of the other vCPUs */
    uint32_t hashes_gpa;    /* where the kernel hash table lies; 0: the firmware has none */
    struct ovmf_section section[OVMF_SECTIONS_MAX];
    size_t n_sections;
};

/* The "ovmf" object of a release manifest, keys in canonical order. */
void ovmf_json(struct jw *w, const struct ovmf *o);

struct volume {
    uint8_t root[32]; /* dm-verity root hash */
    uint64_t blocks;  /* data blocks of 4096 bytes */
};
#define VOLUME_TEXT 80 /* "root:blocks" with its NUL */
/* [0-9a-f]{64}:[1-9][0-9]{0,11} */
bool volume_parse(const char *s, struct volume *out);
void volume_text(const struct volume *v, char out[static VOLUME_TEXT]);
bool volume_same(const struct volume *a, const struct volume *b);

/* What the guest's kernel does with ACPI code of the host's. "off" is a fact of the command line:
 * a release that says it of a template without acpi=off, or does not say it of one with, is
 * refused. */
enum guest_acpi { ACPI_OFF, ACPI_SANDBOXED, ACPI_OPEN };
enum guest_volumes { VOLUMES_MEMORY, VOLUMES_LAZY };

/* One min_tcb entry, in text "19:10-1f:0a00000000001754": family, model range, TCB in memory order.
 */
struct release_tcb {
    uint8_t family, model_lo, model_hi;
    uint8_t tcb[8];
};

struct release {
    char *name, *version;
    uint64_t seq;
    struct ovmf ovmf;
    uint8_t kernel_sha256[32], initrd_sha256[32], lock_sha256[32];
    char *kernel_package;
    bool has_base;
    struct volume base; /* GPU driver, firmware and library; as in cmdline */
    char *cmdline;      /* template */
    char **vcpu_types;
    size_t n_vcpu_types;
    uint64_t *guest_features;
    size_t n_guest_features;
    uint64_t policy;
    struct release_tcb *min_tcb;
    size_t n_min_tcb;
    enum guest_acpi acpi;
    enum guest_volumes volumes;
    char *repo, *commit;
};
/* NULL on error: "bad-json", "bad-manifest", "not-canonical", "too-large". Owned. */
struct release *release_parse(struct view content, struct err *e);
void release_free(struct release *r); /* NULL legal; frees r and every string in it */
/* Canonical content of r: what the image builder publishes. */
int release_json(const struct release *r, struct buf *out, struct err *e) WARN_UNUSED;
bool release_has_vcpu_type(const struct release *r, const char *type);
bool release_has_features(const struct release *r, uint64_t features);

/* Workload and model manifests: one shape, told apart by type. */
struct manifest {
    bool is_model;
    char *name, *version;
    uint64_t seq;
    struct volume volume;
    char **argv, **env; /* job {argv, env, limits, mode}; a model's job is null */
    size_t n_argv, n_env;
    struct manifest_limit {
        char *name;
        uint64_t value;
    } * limits;
    size_t n_limits;
    char *mode;
    char *repo, *commit, *licence;
    uint8_t lock_sha256[32];
};
struct manifest *manifest_parse(struct view content, bool is_model, struct err *e);
void manifest_free(struct manifest *m); /* NULL legal; frees m and every string in it */
int manifest_json(const struct manifest *m, struct buf *out, struct err *e) WARN_UNUSED;
void manifest_digest(struct view content, uint8_t out[static 32]);

/* The template's grammar: printable ASCII, each of ${work} ${model} ${broker} exactly once, no
 * other "$", and cmdline_base. Codes "bad-template", "bad-root". */
int cmdline_check(const char *templ, struct err *e) WARN_UNUSED;
/* ACPI_OFF when the kernel, started with it, looks at no ACPI table; else ACPI_OPEN. */
enum guest_acpi cmdline_acpi(const char *templ);
/* The base volume that a release for GPUs names: the one word cdvm.base=root:blocks, literal, since
 * it is the release's and never the seller's. 1 = there is one, 0 = none, -1 "bad-template" when it
 * stands twice or is no volume. */
int cmdline_base(const char *templ, struct volume *out, struct err *e) WARN_UNUSED;
/* Checks the template and the three values ("root:blocks"; the same or "none"; 64 hex or "none")
 * before anything is substituted. Error also "too-large". */
int cmdline_render(const char *templ, const char *work, const char *model, const char *broker,
                   struct buf *out, struct err *e) WARN_UNUSED;

#endif
