#include "checks.h"

#include <string.h>

#define HW SOURCE_HARDWARE
#define COMP SOURCE_COMPUTED
#define RULE SOURCE_POLICY

/* Requirements in standard, strict and demo; FIXED: no policy file changes them. */
#define NEED(a, b, c) {REQ_##a, REQ_##b, REQ_##c}, false
#define FIXED(a, b, c) {REQ_##a, REQ_##b, REQ_##c}, true
#define GROUP FIXED(NOTE, NOTE, NOTE)
#define ALWAYS FIXED(REQUIRED, REQUIRED, REQUIRED)
#define USUALLY NEED(REQUIRED, REQUIRED, REQUIRED)

const struct check_row check_table[CK_COUNT] = {
    [CK_VERDICT] = {"verdict",
                    "the guest is the one you asked for and only it can read your messages", COMP,
                    GROUP, "The sum of everything below."},
    [CK_SNP] = {"snp", "processor: AMD SEV-SNP report", COMP, GROUP,
                "Everything that the processor's own signed report says."},
    [CK_SNP_STRUCTURE] =
        {"snp.structure", "form of the report", COMP, ALWAYS,
         "A report with stray or reserved bytes set is not what firmware writes, and some of "
         "its bytes are not covered by the signature."},
    [CK_SNP_VERSION] =
        {"snp.version", "version of the report", COMP, ALWAYS,
         "A version this program does not know could give known bytes a new meaning."},
    [CK_SNP_PRODUCT] =
        {"snp.product", "processor family", HW, ALWAYS,
         "On Milan processors the signing secret can be extracted by software alone, so "
         "their reports can be forged."},
    [CK_SNP_KEY_INFO] =
        {"snp.key_info", "kind of key that signed", HW, ALWAYS,
         "A report signed by a cloud's key, or by none, does not speak for one chip."},
    [CK_SNP_SIGNATURE] = {"snp.signature", "signature over the report", COMP, ALWAYS,
                          "Without it every field of the report could be invented."},
    [CK_SNP_CHAIN] =
        {"snp.chain", "chain of trust", COMP, GROUP,
         "From the report's key up to a root key that this program knows by its fingerprint."},
    [CK_SNP_CHAIN_ROOT] = {"snp.chain.root", "root key", COMP, ALWAYS,
                           "A forged root with AMD's names would make any report look real."},
    [CK_SNP_CHAIN_INTERMEDIATE] = {"snp.chain.intermediate", "intermediate certificate", COMP,
                                   ALWAYS,
                                   "A certificate in between could hand the chain to others."},
    [CK_SNP_CHAIN_LEAF] = {"snp.chain.leaf", "certificate of the report's key", COMP, ALWAYS,
                           "A key that AMD did not certify can sign anything."},
    [CK_SNP_CHAIN_DATES] = {"snp.chain.dates", "dates of the certificates", COMP, USUALLY,
                            "Old keys may have leaked since."},
    [CK_SNP_CRL] = {"snp.crl", "revocation", COMP, NEED(OPTIONAL, REQUIRED, OPTIONAL),
                    "AMD revokes an intermediate key that it no longer trusts."},
    [CK_SNP_VEK] = {"snp.vek", "certificate against report", COMP, GROUP,
                    "The certificate repeats what the report claims about chip and firmware."},
    [CK_SNP_VEK_TCB] = {"snp.vek.tcb", "certified firmware level", COMP, ALWAYS,
                        "A report could claim newer firmware than its key was derived for."},
    [CK_SNP_VEK_HWID] = {"snp.vek.hwid", "certified chip", COMP, USUALLY,
                         "Evidence of one chip could be shown for another."},
    [CK_SNP_TCB] = {"snp.tcb", "firmware level", COMP, GROUP,
                    "Known holes are closed by firmware and microcode at or above a level."},
    [CK_SNP_TCB_ORDER] = {"snp.tcb.order", "firmware levels against each other", HW, ALWAYS,
                          "Honest firmware never commits or reports more than it runs."},
    [CK_SNP_TCB_FLOOR] = {"snp.tcb.floor", "firmware level against the floor", HW, USUALLY,
                          "Below the floor the host can attack the guest by published means."},
    [CK_SNP_TCB_PROVISIONAL] =
        {"snp.tcb.provisional", "commitment to the firmware", HW, NEED(ADVISE, REQUIRED, ADVISE),
         "Provisional firmware can be rolled back to the committed level while the guest "
         "runs."},
    [CK_SNP_MITIGATION] =
        {"snp.mitigation", "mitigations verified by the firmware", HW,
         NEED(OPTIONAL, OPTIONAL, OPTIONAL),
         "The firmware lists the mitigations it has verified; a policy can demand bits."},
    [CK_SNP_POLICY] = {"snp.policy", "what the guest allows the host", COMP, GROUP,
                       "The guest policy is fixed at launch and enforced by the firmware."},
    [CK_SNP_POLICY_RESERVED] = {"snp.policy.reserved", "bits of the policy", HW, ALWAYS,
                                "An unknown bit could grant the host something new."},
    [CK_SNP_POLICY_DEBUG] = {"snp.policy.debug", "debugging", HW, ALWAYS,
                             "With it the host may decrypt the guest's memory."},
    [CK_SNP_POLICY_MIGRATE] = {"snp.policy.migrate", "migration", HW, ALWAYS,
                               "A migration agent could carry the guest's memory elsewhere."},
    [CK_SNP_POLICY_SMT] =
        {"snp.policy.smt", "sibling threads (SMT)", HW, NEED(ADVISE, REQUIRED, NOTE),
         "With SMT, code of the host on the sibling thread can observe the guest and, on "
         "unpatched parts, disturb it (StackWarp)."},
    [CK_SNP_POLICY_ABI] = {"snp.policy.abi", "firmware interface", HW, ALWAYS,
                           "Firmware older than the guest demands would ignore newer policy bits."},
    [CK_SNP_POLICY_EXPECTED] =
        {"snp.policy.expected", "policy against the release's", HW, ALWAYS,
         "The host chooses the policy at launch; only the endorsed one counts."},
    [CK_SNP_PLATFORM] = {"snp.platform", "how the machine is set up", COMP, GROUP,
                         "What the firmware says of the host's settings."},
    [CK_SNP_PLATFORM_ALIAS] =
        {"snp.platform.alias_check", "memory alias check", HW, USUALLY,
         "Memory that lies about its size lets the host replay pages and reports (BadRAM, "
         "CVE-2024-21944)."},
    [CK_SNP_PLATFORM_REQUESTED] =
        {"snp.platform.requested", "settings that the policy demands", HW, ALWAYS,
         "A demand of the policy that the machine does not meet protects nothing."},
    [CK_SNP_PLATFORM_CIPHERTEXT] =
        {"snp.platform.ciphertext_hiding", "ciphertext hiding", HW, NEED(NOTE, REQUIRED, NOTE),
         "A host that can watch ciphertext change learns about the data (ciphertext side "
         "channels)."},
    [CK_SNP_PLATFORM_UNKNOWN] = {"snp.platform.unknown", "settings that are not documented", HW,
                                 NEED(ADVISE, REQUIRED, ADVISE),
                                 "A setting this program does not know may weaken the machine."},
    [CK_SNP_LAUNCH] = {"snp.launch", "what was started", COMP, GROUP,
                       "Which firmware, kernel, initrd and command line run, and at what level."},
    [CK_SNP_VMPL] = {"snp.vmpl", "privilege level that asked (VMPL)", HW, USUALLY,
                     "Less trusted code in the guest could ask for a report at its own level."},
    [CK_SNP_MEASUREMENT] =
        {"snp.measurement", "launch digest", HW, ALWAYS,
         "Any other firmware, kernel, initrd, command line or vCPU gives another digest."},
    [CK_SNP_ID_BLOCK] =
        {"snp.id_block", "ID block", HW, NEED(ADVISE, ADVISE, ADVISE),
         "An ID block is somebody's signature over the launch; nobody should have one here."},
    [CK_SNP_HOST_DATA] =
        {"snp.host_data", "host data", HW, NEED(ADVISE, ADVISE, ADVISE),
         "The host may put 32 bytes of its own into the report; they prove nothing."},
    [CK_SNP_REPORT_DATA] =
        {"snp.report_data", "report data", HW, ALWAYS,
         "A replayed report, or one made for somebody else, carries other data."},
    [CK_BIND] = {"bind", "what the report is bound to", COMP, GROUP,
                 "Report data ties guest key, customer, nonce, job and GPU evidence together."},
    [CK_BIND_GUEST_KEY] = {"bind.guest_key", "key of the guest that speaks to you", HW, ALWAYS,
                           "Somebody else's key beside a genuine report would read your messages."},
    [CK_BIND_NONCE] = {"bind.nonce", "your nonce (freshness)", HW, ALWAYS,
                       "An old report could be replayed."},
    [CK_BIND_CUSTOMER] = {"bind.customer", "your key", HW, ALWAYS,
                          "Evidence made for another customer could be forwarded."},
    [CK_BIND_JOB] = {"bind.job", "your job", HW, ALWAYS,
                     "Evidence of another job of yours could be shown again."},
    [CK_BIND_GPU] = {"bind.gpu", "GPU evidence", HW, ALWAYS,
                     "GPU evidence of another machine could be mixed in."},
    [CK_GPU] = {"gpu", "graphics processors", COMP, GROUP, "What the GPUs prove."},
    [CK_GPU_COUNT] = {"gpu.count", "number of GPUs", COMP, ALWAYS,
                      "A missing GPU, or one more than offered, is not what you chose."},
    [CK_GPU_STRUCTURE] = {"gpu.structure", "form of the GPU's report", COMP, ALWAYS,
                          "A report that can be read in two ways proves nothing."},
    [CK_GPU_CHAIN] =
        {"gpu.chain", "chain of trust of the GPU", COMP, ALWAYS,
         "A key that does not lead to NVIDIA's root, known here by its fingerprint, can sign "
         "anything."},
    [CK_GPU_REVOCATION] =
        {"gpu.revocation", "revocation of NVIDIA's certificates", COMP,
         NEED(OPTIONAL, REQUIRED, OPTIONAL),
         "A GPU's certificates never expire: only NVIDIA's word takes back one that has leaked."},
    [CK_GPU_SIGNATURE] = {"gpu.signature", "signature over the GPU's report", COMP, ALWAYS,
                          "Without it every measurement could be invented."},
    [CK_GPU_NONCE] = {"gpu.nonce", "nonce in the GPU's report (freshness)", HW, ALWAYS,
                      "An old report, or one of another machine's GPU, could be replayed."},
    [CK_GPU_FWID] = {"gpu.fwid", "firmware that holds the GPU's key", HW, ALWAYS,
                     "Other firmware than the certified one could sign with a key it stole."},
    [CK_GPU_FLOOR] = {"gpu.floor", "driver and VBIOS against the floors", HW, USUALLY,
                      "Old drivers and firmware have holes that are known."},
    [CK_GPU_RIM_DRIVER] = {"gpu.rim.driver", "reference values of the driver", COMP, ALWAYS,
                           "Without NVIDIA's signed values nobody knows what a good driver is."},
    [CK_GPU_RIM_VBIOS] = {"gpu.rim.vbios", "reference values of the VBIOS", COMP, ALWAYS,
                          "Without NVIDIA's signed values nobody knows what good firmware is."},
    [CK_GPU_MEASUREMENTS] = {"gpu.measurements", "measurements against the reference values", HW,
                             ALWAYS, "Changed firmware, driver or settings measure otherwise."},
    [CK_GPU_MODE] = {"gpu.mode", "how the GPUs are passed through", HW, ALWAYS,
                     "GPUs of different modes share links that only one of them protects."},
    [CK_GPU_TOPOLOGY] = {"gpu.topology", "what the GPUs' links lead to", HW, ALWAYS,
                         "A switch that nobody proved sees what passes between GPUs in the clear."},
    [CK_GPU_CC_STATE] =
        {"gpu.cc_state", "confidential mode of the GPU", SOURCE_GUEST, ALWAYS,
         "A GPU outside confidential mode, or in DevTools mode, matches all measurements and "
         "protects nothing."},
    [CK_GPU_IN_GUEST] =
        {"gpu.in-this-guest", "the GPU is in this guest", SOURCE_GUEST, ALWAYS,
         "Nothing in hardware ties a GPU to one guest: the measured guest's word does."},
    [CK_REFERENCE] = {"reference", "what ought to run, and who vouches for it", COMP, GROUP,
                      "The manifests that the launch digest is compared with."},
    [CK_OFFER_MATCH] = {"offer.match", "guest against the offer", COMP, ALWAYS,
                        "An offer replaced after your request, or other volumes than offered."},
    [CK_WORKLOAD_VOLUME] = {"workload.volume", "workload volume, by its sha256 root", COMP,
                            NEED(OPTIONAL, REQUIRED, OPTIONAL),
                            "Another program than the one named could read your data."},
    [CK_MODEL_VOLUME] = {"model.volume", "model volume, by its sha256 root", COMP,
                         NEED(OPTIONAL, REQUIRED, OPTIONAL),
                         "Other weights than the ones named could answer."},
    [CK_RELEASE_ENDORSED] = {"release.endorsed", "guest image vouched for", RULE,
                             FIXED(ADVISE, ADVISE, ADVISE),
                             "A guest image that nobody checked may hand your data out."},
    [CK_WORKLOAD_ENDORSED] = {"workload.endorsed", "workload vouched for", RULE,
                              FIXED(ADVISE, ADVISE, ADVISE),
                              "A workload that nobody checked may signal to the host on purpose."},
    [CK_MODEL_ENDORSED] = {"model.endorsed", "model vouched for", RULE,
                           FIXED(ADVISE, ADVISE, ADVISE),
                           "Another model than the one named could answer."},
    [CK_GUEST_ACPI] =
        {"guest.acpi", "ACPI code of the host in the guest", COMP, NEED(ADVISE, REQUIRED, ADVISE),
         "BadAML: the host hands ACPI tables to the guest; their code runs in its kernel."},
    [CK_GUEST_VOLUMES] = {"guest.volumes", "volumes while the guest works", COMP,
                          NEED(ADVISE, ADVISE, ADVISE),
                          "Disk reads that depend on your data tell the host about it."},
    [CK_CHIP_ENDORSED] = {"chip.endorsed", "machine's place vouched for", RULE,
                          NEED(OPTIONAL, MUST, OPTIONAL),
                          "Physical attacks on memory and chip are outside what attestation sees."},
    [CK_ADVISORY_FRESH] = {"advisory.fresh", "newest warnings at hand", RULE,
                           NEED(OPTIONAL, REQUIRED, OPTIONAL),
                           "Holes found since this program was made are known from advisories."},
    [CK_PROVIDER_SEEN] = {"provider.seen", "provider as met before", COMP, NEED(NOTE, ADVISE, NOTE),
                          "Another machine or guest than the one you met first may be a swap."},
    [CK_RECEIPT] = {"receipt", "receipt of the finished job", COMP, GROUP,
                    "What the guest signed at the end, and what the seller says of the machine."},
    [CK_RECEIPT_GUEST] = {"receipt.guest", "key that signed the receipt", COMP, ALWAYS,
                          "A receipt by anybody but the attested guest proves nothing."},
    [CK_RECEIPT_JOB] = {"receipt.job", "job that the receipt names", COMP, ALWAYS,
                        "A receipt of another job could be shown for this one."},
    [CK_RECEIPT_COVERAGE] = {"receipt.coverage", "messages that the receipt covers", COMP,
                             NEED(ADVISE, ADVISE, ADVISE),
                             "What it does not cover may never have reached the guest."},
    [CK_RECEIPT_MODEL_KEY] =
        {"receipt.model_key", "key of a sealed model", SOURCE_GUEST, NEED(ADVISE, ADVISE, ADVISE),
         "A sealed model answers only where its owner gave the guest its key."},
    [CK_RECEIPT_TEARDOWN] = {"receipt.teardown", "end of the machine, as the seller tells it",
                             SOURCE_PROVIDER, NEED(ADVISE, ADVISE, ADVISE),
                             "Nothing proves that a host forgets; this is its word, signed."},
};

static const enum check_id groups[] = {CK_VERDICT, CK_SNP,        CK_SNP_CHAIN,    CK_SNP_VEK,
                                       CK_SNP_TCB, CK_SNP_POLICY, CK_SNP_PLATFORM, CK_SNP_LAUNCH,
                                       CK_BIND,    CK_GPU,        CK_REFERENCE,    CK_RECEIPT};

bool check_is_group(enum check_id id) {
    for (size_t i = 0; i < COUNT(groups); i++)
        if (groups[i] == id)
            return true;
    return false;
}

enum requirement check_need(const struct policy *p, enum check_id id) {
    const struct check_row *row = &check_table[id];

    if (p->override[id] && !row->fixed)
        return (enum requirement)(p->override[id] - 1);
    return row->need[p->profile];
}

bool check_named(const char *id, enum check_id *out) {
    for (size_t i = 0; i < CK_COUNT; i++)
        if (!strcmp(check_table[i].id, id)) {
            *out = (enum check_id)i;
            return true;
        }
    return false;
}

const char *requirement_name(enum requirement r) {
    static const char *const names[] = {"note", "advise", "optional", "required", "must"};

    return names[r];
}
