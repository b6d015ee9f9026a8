/* What every confidential offer requires, first part: processor, kernel, IOMMU, KVM. */
#include <string.h>

#include "core/dvm.h"
#include "doctor.h"
#include "host_cpu.h"

#define SNP_GUESTS "Firmware setup, AMD CBS > CPU Common Options: "
#define KVM_OPTIONS                                                                                \
    DOCTOR_PREPARE                                                                                 \
    "  echo options kvm_amd sev=1 sev_es=1 sev_snp=1 \\\n"                                         \
    "    >/etc/modprobe.d/cdvm.conf\n"                                                             \
    "  modprobe -r kvm_amd && modprobe kvm_amd\n"                                                  \
    "Where a parameter stays N: dmesg | grep -i -e sev -e rmp"

/* --- processor --- */

static void look_product(const struct host *h, size_t i, struct doctor_line *l) {
    const char *vendor = h->cpu.vendor[0] ? h->cpu.vendor : "unknown vendor";
    enum snp_product p = host_product(h);

    (void)i;
    if (p == PRODUCT_UNKNOWN)
        doctor_say(l, DOCTOR_MISSING, "%s, family %02x model %02x", vendor, h->cpu.family,
                   h->cpu.model);
    else
        doctor_want(l, p != PRODUCT_MILAN, "%s (%s family %02x model %02x)%s", product_name(p),
                    vendor, h->cpu.family, h->cpu.model,
                    p == PRODUCT_MILAN ? ", whose signing secret can be extracted by software"
                                       : "");
}

static void look_bit(const struct host *h, unsigned bit, struct doctor_line *l) {
    bool has = h->cpu.sev_eax >> bit & 1;

    doctor_want(l, has, "CPUID 8000001F EAX is %08x, bit %u is %s%s", h->cpu.sev_eax, bit,
                has ? "set" : "clear",
                !has && h->cpu.virtual ? "; this machine is itself a virtual one" : "");
    if (has)
        return;
    if (h->cpu.virtual)
        l->mend = "Run the provider on the machine itself, not in a virtual one: SEV is not nested";
    else if (strcmp(h->cpu.vendor, "AuthenticAMD") != 0)
        l->mend = "No setting helps: another machine does, see cpu.product";
}

static void look_sev(const struct host *h, size_t i, struct doctor_line *l) {
    (void)i;
    look_bit(h, 1, l);
}

static void look_es(const struct host *h, size_t i, struct doctor_line *l) {
    (void)i;
    look_bit(h, 3, l);
}

static void look_snp(const struct host *h, size_t i, struct doctor_line *l) {
    (void)i;
    look_bit(h, 4, l);
}

/* ASIDs from 1 to the limit less one are for SEV-ES and SNP. */
static void look_asids(const struct host *h, size_t i, struct doctor_line *l) {
    uint32_t guests = h->cpu.sev_edx ? h->cpu.sev_edx - 1 : 0;

    (void)i;
    doctor_want(l, guests >= h->conf->slots, "%u guests at a time, `slots` asks for %llu", guests,
                (unsigned long long)h->conf->slots);
}

static void look_vcpu(const struct host *h, size_t i, struct doctor_line *l) {
    struct host_cpu c = {.amd = !strcmp(h->cpu.vendor, "AuthenticAMD"),
                         .family = h->cpu.family,
                         .model = h->cpu.model};
    struct err e;

    (void)i;
    text_clip(c.name, sizeof c.name, h->cpu.brand);
    if (host_cpu_runs(&c, h->conf->vcpu_type, &e) == 0)
        doctor_say(l, DOCTOR_OK, "vcpu-type %s", h->conf->vcpu_type);
    else
        doctor_say(l, DOCTOR_MISSING, "%.280s", e.text);
}

/* --- kernel --- */

static void look_kernel(const struct host *h, size_t i, struct doctor_line *l) {
    (void)i;
    doctor_want(l, host_kernel_is(h, 6, 11), "Linux %s", h->kernel[0] ? h->kernel : "unknown");
}

static void look_config(const struct host *h, size_t i, struct doctor_line *l) {
    static const char *const names[] = {"CONFIG_KVM_AMD_SEV", "CONFIG_CRYPTO_DEV_SP_PSP",
                                        "CONFIG_AMD_MEM_ENCRYPT"};

    (void)i;
    for (size_t n = 0; n < COUNT(names); n++) {
        char c = host_config(h, names[n]);

        if (c == '?') {
            doctor_say(l, DOCTOR_OK, "not shown by this system; kvm.snp tells");
            return;
        }
        if (c == 'n') {
            doctor_say(l, DOCTOR_MISSING, "%s is not set", names[n]);
            return;
        }
    }
    doctor_say(l, DOCTOR_OK, "KVM_AMD_SEV, CRYPTO_DEV_SP_PSP, AMD_MEM_ENCRYPT");
}

/* --- IOMMU --- */

#define WITHOUT_WORD                                                                               \
    "Take the word out of GRUB_CMDLINE_LINUX in /etc/default/grub, then:\n"                        \
    "  update-grub && reboot"

/* The first of the words that the kernel was started with. */
static const char *started_with(const struct host *h, const char *const *words, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (host_cmdline(h, words[i]))
            return words[i];
    return NULL;
}

static void look_iommu(const struct host *h, size_t i, struct doctor_line *l) {
    static const char *const off[] = {"amd_iommu=off", "iommu=off"};
    bool unit = host_lists(h, "sys/class/iommu", "ivhd");
    bool groups = host_lists(h, "sys/kernel/iommu_groups", "");
    const char *word = started_with(h, off, COUNT(off));

    (void)i;
    if (unit && groups)
        doctor_say(l, DOCTOR_OK, "AMD-Vi is on");
    else if (word) {
        doctor_say(l, DOCTOR_MISSING, "the kernel was started with %s", word);
        l->mend = WITHOUT_WORD;
    } else
        doctor_say(l, DOCTOR_MISSING, "%s",
                   unit ? "AMD-Vi is there, and no device stands behind it"
                        : "the kernel has found no AMD IOMMU");
}

static void look_iommu_mode(const struct host *h, size_t i, struct doctor_line *l) {
    static const char *const past[] = {"iommu=pt", "iommu.passthrough=1", "amd_iommu=pgtbl_v2"};
    const char *word = started_with(h, past, COUNT(past));

    (void)i;
    if (word)
        doctor_say(l, DOCTOR_MISSING, "the kernel was started with %s", word);
    else if (host_config(h, "CONFIG_IOMMU_DEFAULT_PASSTHROUGH") == 'y' &&
             !host_cmdline(h, "iommu=nopt") && !host_cmdline(h, "iommu.passthrough=0")) {
        doctor_say(l, DOCTOR_MISSING, "the kernel passes devices through by default");
        l->mend = DOCTOR_PREPARE "  echo 'GRUB_CMDLINE_LINUX_DEFAULT=\"iommu=nopt\"' \\\n"
                                 "    >/etc/default/grub.d/cdvm.cfg\n"
                                 "  update-grub && reboot";
    } else
        doctor_say(l, DOCTOR_OK, "devices are translated");
}

/* --- KVM --- */

static void look_kvm_device(const struct host *h, size_t i, struct doctor_line *l) {
    (void)i;
    doctor_want(l, h->guests_kvm, "%.280s", h->guests_kvm ? "open to guests" : h->kvm_why);
}

static void look_kvm(const struct host *h, size_t i, struct doctor_line *l) {
    (void)i;
    if (h->kvm.outcome == KVM_RUNS)
        doctor_say(l, DOCTOR_OK, "a small guest ran");
    else
        doctor_say(l, DOCTOR_MISSING, "%s%s",
                   h->kvm.outcome == KVM_ABSENT ? "" : "/dev/kvm opens, but ", h->kvm.why);
    if (h->kvm.outcome != KVM_ABSENT)
        return;
    l->mend = "Load KVM and let yourself use it, then log in again:\n"
              "  modprobe kvm_amd && usermod -aG kvm \"$USER\"";
}

static void look_parameter(const struct host *h, const char *name, struct doctor_line *l) {
    cleanup_free char *path = mem_fmt("sys/module/kvm_amd/parameters/%s", name);
    char word[64];

    if (host_word(h, path, word))
        doctor_want(l, word[0] == 'Y' || word[0] == '1', "kvm_amd %s is %.8s", name, word);
    else
        doctor_say(l, DOCTOR_MISSING, "%s",
                   host_has(h, "sys/module/kvm_amd") ? "kvm_amd does not know this parameter"
                                                     : "kvm_amd is not loaded");
}

static void look_kvm_sev(const struct host *h, size_t i, struct doctor_line *l) {
    (void)i;
    look_parameter(h, "sev", l);
}

static void look_kvm_es(const struct host *h, size_t i, struct doctor_line *l) {
    (void)i;
    look_parameter(h, "sev_es", l);
}

static void look_kvm_snp(const struct host *h, size_t i, struct doctor_line *l) {
    (void)i;
    look_parameter(h, "sev_snp", l);
}

const struct doctor_check doctor_cpu[] = {
    {"cpu.product", DOCTOR_CPU, "a processor whose word customers take", NULL, look_product, NULL,
     "Customers' programs refuse every other processor's signature, and Milan's by default.",
     "Use a machine with EPYC 9004 or 8004 (Genoa, Bergamo, Siena) or EPYC 9005 (Turin)"},
    {"cpu.sev", DOCTOR_CPU, "SEV in the processor", NULL, look_sev, NULL,
     "It encrypts a guest's memory with a key that the host does not have.",
     SNP_GUESTS "SMEE = Enabled; and SVM Mode = Enabled"},
    {"cpu.es", DOCTOR_CPU, "SEV-ES in the processor", "cpu.sev", look_es, NULL,
     "It hides a guest's registers from the host.",
     SNP_GUESTS "SEV-ES ASID Space Limit Control = Manual"},
    {"cpu.snp", DOCTOR_CPU, "SEV-SNP in the processor", "cpu.sev", look_snp, NULL,
     "Without it the host can replay and remap a guest's memory, and signs no report of it.",
     SNP_GUESTS "SNP Memory (RMP Table) Coverage = Enabled; and AMD CBS > NBIO Common Options: "
                "SEV-SNP Support = Enabled. An EPYC before 7003 has no SNP"},
    {"cpu.asids", DOCTOR_CPU, "keys for as many guests as are sold", "cpu.snp", look_asids, NULL,
     "Each running confidential guest takes one ASID of those below the limit.",
     SNP_GUESTS "SEV ASID Count = 509, SEV-ES ASID Space Limit Control = Manual, SEV-ES ASID Space "
                "Limit = 100"},
    {"cpu.vcpu-type", DOCTOR_CPU, "guests of a type it can run", "cpu.snp", look_vcpu, NULL,
     "A guest is measured with its type, and a processor runs its own or an older one.",
     "Set vcpu-type in provider.conf to the type that the line above names"},
    {"kernel.version", DOCTOR_CPU, "Linux 6.11 or newer", NULL, look_kernel, NULL,
     "KVM runs SEV-SNP guests since 6.11.",
     DOCTOR_PREPARE "  apt-get install -t bookworm-backports linux-image-amd64"},
    {"kernel.config", DOCTOR_CPU, "a kernel built with SEV", NULL, look_config, NULL,
     "The host's half of SEV-SNP is part of KVM and of the secure processor's driver.",
     "Install your distribution's own kernel, or set the option and build anew"},
    {"iommu.on", DOCTOR_CPU, "an IOMMU that is on", NULL, look_iommu, NULL,
     "Devices could write into a guest's memory past the processor, so the kernel starts SNP only "
     "where the IOMMU is on.",
     "Firmware setup, AMD CBS > NBIO Common Options: IOMMU = Enabled"},
    {"iommu.mode", DOCTOR_CPU, "an IOMMU that translates", "iommu.on", look_iommu_mode, NULL,
     "With devices passed through, the kernel switches SNP off while it starts.", WITHOUT_WORD},
    {"kvm.runs", DOCTOR_CPU, "KVM that really runs a guest", NULL, look_kvm, NULL,
     "A /dev/kvm that opens is not enough: on nested and rebuilt set-ups no kernel comes up.",
     "Run the provider on the machine itself, under a kernel with its own KVM (kvm_amd); see what "
     "it says:\n"
     "  dmesg | grep -i kvm"},
    {"kvm.device", DOCTOR_CPU, "a /dev/kvm for guests", "kvm.runs", look_kvm_device, NULL,
     "QEMU opens it as another user than root, who is in the device's group.",
     DOCTOR_PREPARE "  chgrp kvm /dev/kvm && chmod 660 /dev/kvm\n"
                    "  echo 'KERNEL==\"kvm\", GROUP=\"kvm\", MODE=\"0660\"' \\\n"
                    "    >>/etc/udev/rules.d/70-cdvm.rules"},
    {"kvm.sev", DOCTOR_CPU, "SEV switched on in KVM", "cpu.sev", look_kvm_sev, NULL,
     "KVM gives guests only what its module's parameters allow.", KVM_OPTIONS},
    {"kvm.es", DOCTOR_CPU, "SEV-ES switched on in KVM", "cpu.es", look_kvm_es, NULL,
     "KVM gives guests only what its module's parameters allow.", KVM_OPTIONS},
    {"kvm.snp", DOCTOR_CPU, "SEV-SNP switched on in KVM", "cpu.snp", look_kvm_snp, NULL,
     "KVM gives guests only what its module's parameters allow.", KVM_OPTIONS},
};
const size_t n_doctor_cpu = COUNT(doctor_cpu);
