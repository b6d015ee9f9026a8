/* What every confidential offer requires, second part: the secure processor, QEMU, the image. */
#include "attest/advisory.h"
#include "doctor.h"

#define NEW_FIRMWARE                                                                               \
    "Install the newest firmware (BIOS) of the board, and the secure processor's of your "         \
    "distribution, then reboot:\n"                                                                 \
    "  apt-get install amd64-microcode"

/* --- the secure processor --- */

static void look_sev_device(const struct host *h, size_t i, struct doctor_line *l) {
    (void)i;
    if (host_has(h, "dev/sev"))
        doctor_want(l, h->guests_sev, "%.280s",
                    h->guests_sev ? "/dev/sev, open to guests" : h->node_why);
    else {
        doctor_say(l, DOCTOR_MISSING, "there is no /dev/sev");
        l->mend = "Load the secure processor's driver, and see what it says:\n"
                  "  modprobe ccp && dmesg | grep -i -e ccp -e sev";
    }
}

static void look_sev_ready(const struct host *h, size_t i, struct doctor_line *l) {
    (void)i;
    if (!h->sev_answers)
        doctor_say(l, DOCTOR_MISSING, "%.250s", h->sev_why.text);
    else
        doctor_want(l, h->sev.ready, "firmware %u.%u.%u, SNP is %s", h->sev.api_major,
                    h->sev.api_minor, h->sev.build,
                    h->sev.ready ? "initialised" : "not initialised");
}

static void look_rmp(const struct host *h, size_t i, struct doctor_line *l) {
    (void)i;
    doctor_want(l, h->sev.rmp_ready, "the RMP is %s",
                h->sev.rmp_ready ? "initialised" : "not initialised");
}

/* The first builds of ABI 1.55 that look for aliases (AMD-SB-3015). */
static uint32_t alias_build(const struct host *h) {
    static const struct {
        enum snp_product product;
        uint32_t build;
    } firsts[] = {{PRODUCT_MILAN, 22}, {PRODUCT_GENOA, 38}};

    for (size_t i = 0; i < COUNT(firsts); i++)
        if (firsts[i].product == host_product(h))
            return firsts[i].build;
    return 0;
}

static void look_alias(const struct host *h, size_t i, struct doctor_line *l) {
    const struct sev_status *s = &h->sev;
    uint32_t first = alias_build(h);

    (void)i;
    if (s->alias_clean)
        doctor_say(l, DOCTOR_OK, "memory has no aliases (BadRAM, CVE-2024-21944)");
    else if (s->api_major == 1 && s->api_minor <= 55 && s->build < first)
        doctor_say(l, DOCTOR_MISSING,
                   "firmware %u.%u.%u does not look for aliased memory: 1.55.%u is the first",
                   s->api_major, s->api_minor, s->build, first);
    else
        doctor_say(l, DOCTOR_MISSING, "firmware %u.%u.%u has not found memory free of aliases",
                   s->api_major, s->api_minor, s->build);
}

static void look_tcb(const struct host *h, size_t i, struct doctor_line *l) {
    enum snp_product p = host_product(h);
    char is_text[SNP_TCB_TEXT], floor_words[SNP_TCB_TEXT];
    struct snp_tcb is, reported, floor;

    (void)i;
    if (!snp_tcb_decode(p, h->sev.current_tcb, &is) ||
        !snp_tcb_decode(p, h->sev.reported_tcb, &reported)) {
        doctor_say(l, DOCTOR_UNKNOWN, "the firmware's levels are in a form not known here");
        return;
    }
    (void)advisory_floor(h->cpu.family, h->cpu.model, h->cpu.stepping, &floor);
    if (!snp_tcb_le(&floor, &is) || snp_tcb_le(&floor, &reported)) {
        snp_tcb_text(p, &is, is_text);
        snp_tcb_text(p, &floor, floor_words);
        doctor_want(l, snp_tcb_le(&floor, &is), "%s; customers want at least %s", is_text,
                    floor_words);
        return;
    }
    snp_tcb_text(p, &reported, is_text);
    doctor_say(l, DOCTOR_MISSING, "it is told to report %s, older than it is", is_text);
    l->mend = "Let it report what it is:\n  snphost config reset";
}

static void look_masks(const struct host *h, size_t i, struct doctor_line *l) {
    const struct sev_status *s = &h->sev;

    (void)i;
    doctor_want(l, !s->mask_chip_id && !s->mask_chip_key, "%s",
                s->mask_chip_key  ? "reports are set to be unsigned (MASK_CHIP_KEY)"
                : s->mask_chip_id ? "the chip's id is hidden (MASK_CHIP_ID)"
                                  : "reports carry the chip's id and signature");
}

/* --- QEMU and the image --- */

static void look_qemu(const struct host *h, size_t i, struct doctor_line *l) {
    const struct qemu_able *q = &h->qemu;

    (void)i;
    if (!h->qemu_answers)
        doctor_say(l, DOCTOR_MISSING, "%.250s", h->qemu_why.text);
    else
        doctor_want(l, q->snp && q->kernel_hashes, "QEMU %s %s", q->version,
                    !q->snp             ? "lacks the object sev-snp-guest"
                    : !q->kernel_hashes ? "lacks kernel-hashes of sev-snp-guest"
                                        : "has sev-snp-guest with kernel-hashes");
}

static void look_qemu_host(const struct host *h, size_t i, struct doctor_line *l) {
    const struct qemu_able *q = &h->qemu;

    (void)i;
    if (q->sev)
        doctor_say(l, DOCTOR_OK, "QEMU is given the host's SEV numbers");
    else
        doctor_say(l, DOCTOR_MISSING, "QEMU is refused: %.200s",
                   q->why[0] ? q->why : "nothing said");
}

static void look_image(const struct host *h, size_t i, struct doctor_line *l) {
    (void)i;
    if (!h->image.loads)
        doctor_say(l, DOCTOR_MISSING, "%.250s", h->image.why.text);
    else
        doctor_want(l, h->image.offers, "it loads; offers: %zu", h->image.offers);
}

static void look_hashes(const struct host *h, size_t i, struct doctor_line *l) {
    (void)i;
    doctor_want(l, h->image.hashes, "its OVMF %s the table of the kernel's hashes",
                h->image.hashes ? "has" : "lacks");
}

static void look_vcpu_type(const struct host *h, size_t i, struct doctor_line *l) {
    (void)i;
    doctor_want(l, h->image.vcpu_type, "the release %s vcpu-type %s",
                h->image.vcpu_type ? "has" : "does not know", h->conf->vcpu_type);
}

const struct doctor_check doctor_sev[] = {
    {"sev.device", DOCTOR_CPU, "the secure processor's device", "cpu.snp", look_sev_device, NULL,
     "QEMU starts a confidential guest through it, as another user than root.",
     DOCTOR_PREPARE "  echo 'KERNEL==\"sev\", GROUP=\"kvm\", MODE=\"0660\"' \\\n"
                    "    >>/etc/udev/rules.d/70-cdvm.rules\n"
                    "  udevadm control --reload && udevadm trigger /dev/sev"},
    {"sev.ready", DOCTOR_CPU, "SNP initialised by the firmware", "sev.device", look_sev_ready, NULL,
     "The secure processor launches guests and signs their reports only then.",
     "See why the kernel did not do it, most often memory coverage or the IOMMU:\n"
     "  dmesg | grep -i -e 'sev-snp' -e rmp -e ccp"},
    {"sev.rmp", DOCTOR_CPU, "the table of every page's owner", "sev.ready", look_rmp, NULL,
     "The reverse map table is what keeps the host from remapping a guest's pages.",
     "Firmware setup, AMD CBS > CPU Common Options: SNP Memory (RMP Table) Coverage = Enabled, "
     "then reboot"},
    {"sev.alias", DOCTOR_CPU, "memory that was looked over for aliases", "sev.ready", look_alias,
     NULL,
     "A memory module that lies about its size lets the host replay a guest's memory (BadRAM); "
     "customers refuse a report without this mark.",
     NEW_FIRMWARE},
    {"sev.tcb", DOCTOR_CPU, "firmware as new as customers want", "sev.ready", look_tcb, NULL,
     "Customers compare the levels in each report with the fixes of AMD's bulletins (table as "
     "of " ADVISORY_DATE ").",
     NEW_FIRMWARE},
    {"sev.chip-id", DOCTOR_CPU, "reports that name and bind the chip", "sev.ready", look_masks,
     NULL,
     "Without the chip's id nobody can fetch the certificate that the signature is checked with.",
     "Undo the masks:\n  snphost config reset"},
    {"qemu.snp", DOCTOR_CPU, "QEMU 9.1 or newer with SEV-SNP", NULL, look_qemu, NULL,
     "It starts the guest with the kernel's hashes in the measured firmware.",
     DOCTOR_PREPARE "  apt-get install -t bookworm-backports qemu-system-x86"},
    {"qemu.host", DOCTOR_CPU, "a host that QEMU may ask for SEV", "kvm.snp", look_qemu_host, NULL,
     "QEMU asks the kernel where the encryption bit is before it starts a guest.",
     "Mend the lines above first; then see to the rights on /dev/sev"},
    {"image.built", DOCTOR_CPU, "a guest image with offers", NULL, look_image, NULL,
     "It is what guests boot from, and what customers compare a report with.",
     "Build and describe one, or name its folder with --image:\n  make image\n"
     "  cdvm image manifest build/image --version NAME"},
    {"image.firmware", DOCTOR_CPU, "firmware that measures the kernel", "image.built", look_hashes,
     NULL,
     "Only the AmdSev build of OVMF has the table; without it a report says nothing of the kernel.",
     "Build the image anew, which takes OVMF.amdsev.fd of the package ovmf-amdsev:\n  make image"},
    {"image.vcpu-type", DOCTOR_CPU, "a vCPU type that customers expect", "image.built",
     look_vcpu_type, NULL, "It is part of the launch digest, and the release lists those it knows.",
     "Name one of the release with --vcpu-type: EPYC-Genoa or EPYC-Turin"},
};
const size_t n_doctor_sev = COUNT(doctor_sev);
