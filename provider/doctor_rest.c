/* What no offer requires, and each is better for. */
#include <stdlib.h>
#include <string.h>

#include "core/dvm.h"
#include "doctor.h"

#define DISK_MIB 1024
#define CLOCK_S 60 /* heartbeats and requests live for minutes */

static void look_smt(const struct host *h, size_t i, struct doctor_line *l) {
    char word[64];

    (void)i;
    if (!host_word(h, "sys/devices/system/cpu/smt/active", word))
        doctor_say(l, DOCTOR_UNKNOWN, "the kernel does not say");
    else
        doctor_want(l, word[0] == '0', "it is %s", word[0] == '0' ? "off" : "on");
}

static void look_hiding(const struct host *h, size_t i, struct doctor_line *l) {
    (void)i;
    doctor_want(l, h->sev.hiding, "ciphertext hiding is %s",
                h->sev.hiding        ? "on"
                : h->sev.hiding_able ? "off"
                                     : "not offered by this firmware");
}

static void look_memory(const struct host *h, size_t i, struct doctor_line *l) {
    uint64_t need = h->conf->memory * h->conf->slots;

    (void)i;
    if (!h->memory_mib)
        doctor_say(l, DOCTOR_UNKNOWN, "the kernel does not say");
    else
        doctor_want(l, h->memory_mib > need + h->huge_mib, "%llu MiB, guests take %llu",
                    (unsigned long long)h->memory_mib, (unsigned long long)need);
}

/* "always within_size [advise] never deny force"; a guest's shared memory asks for large pages. */
static void look_huge(const struct host *h, size_t i, struct doctor_line *l) {
    char word[64];

    (void)i;
    if (h->huge_mib)
        doctor_say(l, DOCTOR_MISSING, "%llu MiB are set aside, which no guest can use",
                   (unsigned long long)h->huge_mib);
    else if (!host_word(h, "sys/kernel/mm/transparent_hugepage/shmem_enabled", word))
        doctor_say(l, DOCTOR_UNKNOWN, "the kernel does not say");
    else
        doctor_want(l, !strstr(word, "[never]") && !strstr(word, "[deny]"), "shmem_enabled is %s",
                    word);
}

static void look_amd(const struct host *h, size_t i, struct doctor_line *l) {
    (void)i;
    doctor_want(l, h->amd_papers, "%s", h->amd_papers ? "in the cache" : "not in the cache");
}

static void look_nvidia(const struct host *h, size_t i, struct doctor_line *l) {
    (void)i;
    doctor_want(l, h->nvidia_papers, "%s", h->nvidia_papers ? "in the cache" : "not in the cache");
}

static void look_disk(const struct host *h, size_t i, struct doctor_line *l) {
    (void)i;
    if (h->disk_mib == UINT64_MAX)
        doctor_say(l, DOCTOR_UNKNOWN, "its folder is not there yet");
    else
        doctor_want(l, h->disk_mib >= DISK_MIB, "%llu MiB are free",
                    (unsigned long long)h->disk_mib);
}

/* Relays say what time it is; without any that does, the kernel's word has to do. */
static const struct host_relay *furthest(const struct host *h) {
    const struct host_relay *worst = NULL;

    for (size_t i = 0; i < h->n_relays; i++) {
        const struct host_relay *r = &h->relay[i];

        if (r->dated && (!worst || llabs(r->ahead_s) > llabs(worst->ahead_s)))
            worst = r;
    }
    return worst;
}

static void look_clock(const struct host *h, size_t i, struct doctor_line *l) {
    const struct host_relay *r = furthest(h);

    (void)i;
    if (r)
        doctor_want(l, llabs(r->ahead_s) <= CLOCK_S, "%lld s %s what %.200s says",
                    llabs(r->ahead_s), r->ahead_s < 0 ? "behind" : "ahead of", r->url);
    else if (h->clock == CLOCK_UNKNOWN)
        doctor_say(l, DOCTOR_UNKNOWN, "no relay says the time, nor does the kernel");
    else
        doctor_want(l, h->clock == CLOCK_KEPT, "the kernel calls it %s",
                    h->clock == CLOCK_KEPT ? "synchronised" : "unsynchronised");
}

/* --- relays --- */

static size_t each_relay(const struct host *h) {
    return h->n_relays ? h->n_relays : 1;
}

static void look_relay(const struct host *h, size_t i, struct doctor_line *l) {
    const struct host_relay *r = &h->relay[i];

    if (!h->n_relays) {
        if (h->conf->run_relay)
            doctor_say(l, DOCTOR_OK, "the embedded one");
        else
            doctor_say(l, DOCTOR_MISSING, "none is named in provider.conf or with --relay");
        l->mend = "Name some (or use the embedded one, --run-relay), here as for the provider:\n"
                  "  cdvm doctor --relay wss://RELAY";
        return;
    }
    text_clip(l->subject, sizeof l->subject, r->url);
    if (!r->tried)
        doctor_say(l, DOCTOR_UNKNOWN, "not tried");
    else if (r->ms < 0)
        doctor_say(l, DOCTOR_MISSING, "%.250s", r->why.text);
    else
        doctor_say(l, DOCTOR_OK, "answered in %lld ms", (long long)r->ms);
}

const struct doctor_check doctor_rest[] = {
    {"cpu.smt", DOCTOR_ADVICE, "simultaneous multithreading off", NULL, look_smt, NULL,
     "Customers with the strict policy take no guest that shares a core (StackWarp, "
     "CVE-2025-29943).",
     "Firmware setup, AMD CBS > CPU Common Options: SMT Control = Disable"},
    {"sev.hiding", DOCTOR_ADVICE, "ciphertext hiding", "sev.ready", look_hiding, NULL,
     "It keeps even the encrypted bytes of a guest from the host; the strict policy asks for it "
     "where the processor has it.",
     "From Linux 6.18 on, where the firmware offers it (N: how many of the ASIDs):\n"
     "  echo options kvm_amd ciphertext_hiding_asids=N \\\n"
     "    >>/etc/modprobe.d/cdvm-kvm.conf"},
    {"host.memory", DOCTOR_ADVICE, "memory for all guests at once", NULL, look_memory, NULL,
     "A confidential guest's memory cannot be swapped out.",
     "Sell fewer or smaller guests: --slots, --memory"},
    {"host.hugepages", DOCTOR_ADVICE, "large pages as they are needed", NULL, look_huge, NULL,
     "Guests' shared memory is faster in large pages; those set aside beforehand are lost to it.",
     "qemu-scripts/prepare-host.sh does the second; by hand:\n"
     "  sysctl vm.nr_hugepages=0\n"
     "  cd /sys/kernel/mm/transparent_hugepage &&\n"
     "    echo advise >shmem_enabled"},
    {"host.disk", DOCTOR_ADVICE, "a GiB of disk for state", NULL, look_disk, NULL,
     "The ledger must be written before a job goes on; the embedded relay keeps blobs there.",
     "Make room, or name another folder with --state"},
    {"host.clock", DOCTOR_ADVICE, "a clock that is kept", NULL, look_clock, NULL,
     "Offers, heartbeats and requests are dated: a clock that is wrong makes them expired.",
     "Let systemd keep it, or chrony:\n  timedatectl set-ntp true"},
    {"collateral.amd", DOCTOR_ADVICE, "AMD's certificate of this chip", "sev.ready", look_amd, NULL,
     "Customers check a report's signature with it; without it the provider asks AMD at its start.",
     "Fetch it, as the user that the provider runs as:\n"
     "  sudo qemu-scripts/fetch-collateral.sh --this-host"},
    {"collateral.nvidia", DOCTOR_ADVICE, "NVIDIA's reference values", "gpu.present", look_nvidia,
     NULL, "Customers compare a GPU's measurements with them, and refuse it where they are absent.",
     "Fetch what the evidence of a first job calls for (cdvm-host(7)):\n"
     "  sudo qemu-scripts/fetch-collateral.sh --bundle FILE"},
    {"relay", DOCTOR_ADVICE, "a relay that answers", NULL, look_relay, each_relay,
     "Customers find offers and send requests there.",
     "Try its address in a browser (https:// for wss://), or name another with --relay"},
};
const size_t n_doctor_rest = COUNT(doctor_rest);
