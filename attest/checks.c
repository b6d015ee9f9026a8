#include "checks.h"

#include <string.h>

#define HW SOURCE_HARDWARE
#define COMP SOURCE_COMPUTED
#define RULE SOURCE_POLICY
/* Requirements, as {standard, strict, demo}. */
#define ALWAYS                                                                                     \
    { REQ_REQUIRED, REQ_REQUIRED, REQ_REQUIRED }
#define ADVICE                                                                                     \
    { REQ_ADVISE, REQ_ADVISE, REQ_ADVISE }
#define ADVICE_STRICT                                                                              \
    { REQ_ADVISE, REQ_REQUIRED, REQ_ADVISE }
#define GROUP                                                                                      \
    { REQ_NOTE, REQ_NOTE, REQ_NOTE }

const struct check_row check_table[CK_COUNT] = {
    [CK_VERDICT] = {"verdict",
                    "the guest is the one you asked for and only it can read your messages", COMP,
                    GROUP, true, "The sum of everything below."},
    [CK_SNP] = {"snp", "CPU: AMD SEV-SNP report", COMP, GROUP, true,
                "Everything that the processor's own signed report says."},
    [CK_SNP_STRUCTURE] =
        {"snp.structure", "report is well formed", COMP, ALWAYS, true,
         "A report with stray or reserved bytes set is not what firmware writes, and "
         "some of its bytes are not covered by the signature."},
    [CK_SNP_VERSION] =
        {"snp.version", "report version is understood", COMP, ALWAYS, true,
         "A version this program does not know could give known bytes a new meaning."},
    [CK_SNP_PRODUCT] =
        {"snp.product", "processor family is acceptable", HW, ALWAYS, true,
         "On Milan processors the signing secret can be extracted by software alone, so "
         "their reports can be forged."},
    [CK_SNP_KEY_INFO] =
        {"snp.key_info", "signed by the chip's own key", HW, ALWAYS, true,
         "A report signed by a cloud's key, or by none, does not speak for one chip."},
    [CK_SNP_SIGNATURE] = {"snp.signature", "report signature, ECDSA P-384", COMP, ALWAYS, true,
                          "Without it every field of the report could be invented."},
    [CK_SNP_CHAIN] = {"snp.chain", "chain of trust to AMD", COMP, GROUP, true,
                      "From the report's key up to the root key pinned in this program."},
    [CK_SNP_CHAIN_ROOT] = {"snp.chain.root", "root is the AMD key pinned here", COMP, ALWAYS, true,
                           "A forged root with AMD's names would make any report look real."},
    [CK_SNP_CHAIN_INTERMEDIATE] = {"snp.chain.intermediate", "intermediate is AMD's", COMP, ALWAYS,
                                   true,
                                   "A certificate in between could hand the chain to others."},
    [CK_SNP_CHAIN_LEAF] = {"snp.chain.leaf", "report key certified by the intermediate", COMP,
                           ALWAYS, true, "A key that AMD did not certify can sign anything."},
    [CK_SNP_CHAIN_DATES] = {"snp.chain.dates", "certificates valid now", COMP, ALWAYS, false,
                            "Old keys may have leaked since."},
    [CK_SNP_CRL] = {"snp.crl",
                    "nothing in the chain is revoked",
                    COMP,
                    {REQ_OPTIONAL, REQ_REQUIRED, REQ_OPTIONAL},
                    false,
                    "AMD revokes an intermediate key that it no longer trusts."},
    [CK_SNP_VEK] = {"snp.vek", "certificate and report speak of one chip", COMP, GROUP, true,
                    "The certificate repeats what the report claims about chip and firmware."},
    [CK_SNP_VEK_TCB] = {"snp.vek.tcb", "certified firmware level equals the reported one", COMP,
                        ALWAYS, true,
                        "A report could claim newer firmware than the key was derived for."},
    [CK_SNP_VEK_HWID] = {"snp.vek.hwid", "certified chip equals the reported one", COMP, ALWAYS,
                         false, "Evidence of one chip could be shown for another."},
    [CK_SNP_TCB] = {"snp.tcb", "firmware level", COMP, GROUP, true,
                    "Known holes are closed by firmware and microcode at or above a level."},
    [CK_SNP_TCB_ORDER] = {"snp.tcb.order", "firmware levels are consistent", HW, ALWAYS, true,
                          "Honest firmware never commits or reports more than it runs."},
    [CK_SNP_TCB_FLOOR] = {"snp.tcb.floor", "firmware at or above the floor", HW, ALWAYS, false,
                          "Below the floor the host can attack the guest by published means."},
    [CK_SNP_TCB_PROVISIONAL] =
        {"snp.tcb.provisional", "firmware is committed", HW, ADVICE_STRICT, false,
         "Provisional firmware can be rolled back to the committed level while "
         "the guest runs."},
    [CK_SNP_MITIGATION] =
        {"snp.mitigation",
         "mitigations verified by the firmware",
         HW,
         {REQ_OPTIONAL, REQ_OPTIONAL, REQ_OPTIONAL},
         false,
         "The firmware lists the mitigations it has verified; a policy can demand "
         "bits."},
    [CK_SNP_POLICY] = {"snp.policy", "what the guest's owner allowed the host", COMP, GROUP, true,
                       "The guest policy is fixed at launch and enforced by the firmware."},
    [CK_SNP_POLICY_RESERVED] = {"snp.policy.reserved", "policy has no unknown bits", HW, ALWAYS,
                                true, "An unknown bit could grant the host something new."},
    [CK_SNP_POLICY_DEBUG] = {"snp.policy.debug", "debugging is off", HW, ALWAYS, true,
                             "With it the host may decrypt the guest's memory."},
    [CK_SNP_POLICY_MIGRATE] = {"snp.policy.migrate", "migration is off", HW, ALWAYS, true,
                               "A migration agent could carry the guest's memory elsewhere."},
    [CK_SNP_POLICY_SMT] =
        {"snp.policy.smt",
         "sibling threads (SMT)",
         HW,
         {REQ_ADVISE, REQ_REQUIRED, REQ_NOTE},
         false,
         "With SMT, code of the host on the sibling thread can observe the guest and, "
         "on unpatched parts, disturb it (StackWarp)."},
    [CK_SNP_POLICY_ABI] = {"snp.policy.abi", "firmware is as new as the policy demands", HW, ALWAYS,
                           true,
                           "Firmware older than the guest demands would ignore newer policy bits."},
    [CK_SNP_POLICY_EXPECTED] =
        {"snp.policy.expected", "policy is the release's", COMP, ALWAYS, true,
         "The host chooses the policy at launch; only the endorsed one counts."},
    [CK_SNP_PLATFORM] = {"snp.platform", "how the machine is set up", COMP, GROUP, true,
                         "What the firmware says of the host's settings."},
    [CK_SNP_PLATFORM_ALIAS] = {"snp.platform.alias_check", "memory alias check complete", HW,
                               ALWAYS, false,
                               "Memory that lies about its size lets the host replay pages and "
                               "reports (BadRAM, CVE-2024-21944)."},
    [CK_SNP_PLATFORM_REQUESTED] = {"snp.platform.requested", "machine does what the policy demands",
                                   HW, ALWAYS, true,
                                   "A demand of the policy that the machine does not meet protects "
                                   "nothing."},
    [CK_SNP_PLATFORM_CIPHERTEXT] = {"snp.platform.ciphertext_hiding",
                                    "ciphertext hiding",
                                    HW,
                                    {REQ_NOTE, REQ_REQUIRED, REQ_NOTE},
                                    false,
                                    "A host that can watch ciphertext change learns about the data "
                                    "(ciphertext side channels)."},
    [CK_SNP_PLATFORM_UNKNOWN] = {"snp.platform.unknown", "no unknown machine settings", HW,
                                 ADVICE_STRICT, false,
                                 "A setting this program does not know may weaken the machine."},
    [CK_SNP_LAUNCH] = {"snp.launch", "what was started", COMP, GROUP, true,
                       "Which firmware, kernel, initrd and command line run, and at what level."},
    [CK_SNP_VMPL] = {"snp.vmpl", "report asked for by the agent's own level", HW, ALWAYS, false,
                     "Less trusted code in the guest could ask for a report at its own level."},
    [CK_SNP_MEASUREMENT] =
        {"snp.measurement", "launch digest is the expected one", HW, ALWAYS, true,
         "Any other firmware, kernel, initrd, command line or vCPU gives another "
         "digest."},
    [CK_SNP_ID_BLOCK] =
        {"snp.id_block", "no ID block", HW, ADVICE, false,
         "An ID block is somebody's signature over the launch; nobody should have one "
         "here."},
    [CK_SNP_HOST_DATA] =
        {"snp.host_data", "no host data", HW, ADVICE, false,
         "The host may put 32 bytes of its own into the report; they prove nothing."},
    [CK_SNP_REPORT_DATA] =
        {"snp.report_data", "report was made for this request", HW, ALWAYS, true,
         "A replayed report, or one made for somebody else, carries other data."},
    [CK_BIND] = {"bind", "the report is bound to this job", COMP, GROUP, true,
                 "REPORT_DATA ties guest key, customer, nonce, job and GPU evidence together."},
    [CK_BIND_GUEST_KEY] = {"bind.guest_key", "chat key was born in this guest", HW, ALWAYS, true,
                           "Somebody else's key with a genuine report would read your messages."},
    [CK_BIND_NONCE] = {"bind.nonce", "fresh: your nonce", HW, ALWAYS, true,
                       "An old report could be replayed."},
    [CK_BIND_CUSTOMER] = {"bind.customer", "made for your key", HW, ALWAYS, true,
                          "Evidence made for another customer could be forwarded."},
    [CK_BIND_JOB] = {"bind.job", "made for this job", HW, ALWAYS, true,
                     "Evidence of another job of yours could be shown again."},
    [CK_BIND_GPU] = {"bind.gpu", "GPU evidence belongs to this guest", HW, ALWAYS, true,
                     "GPU evidence of another machine could be mixed in."},
    [CK_GPU] = {"gpu", "GPU", COMP, GROUP, true, "What the graphics processors prove."},
    [CK_GPU_COUNT] = {"gpu.count", "as many GPUs as offered", COMP, ALWAYS, true,
                      "A missing GPU, or one more than offered, is not what you chose."},
    [CK_GPU_EVIDENCE] = {"gpu.evidence", "GPU evidence verifies", HW, ALWAYS, true,
                         "A GPU outside confidential mode reads the guest's data in the clear."},
    [CK_REFERENCE] =
        {"reference", "what ought to run", COMP, GROUP, true,
         "The manifests that the launch digest is compared with, and who vouches for them."},
    [CK_OFFER_MATCH] = {"offer.match", "guest is the one offered", COMP, ALWAYS, true,
                        "An offer replaced after your request, or other volumes than offered."},
    [CK_RELEASE_ENDORSED] = {"release.endorsed", "guest image vouched for", RULE, ADVICE, true,
                             "A guest image that nobody checked may hand your data out."},
    [CK_WORKLOAD_ENDORSED] = {"workload.endorsed", "workload vouched for", RULE, ADVICE, true,
                              "A workload that nobody checked may signal to the host on purpose."},
    [CK_MODEL_ENDORSED] = {"model.endorsed", "model vouched for", RULE, ADVICE, true,
                           "Another model than the one named could answer."},
    [CK_GUEST_ACPI] = {"guest.acpi", "host's ACPI code cannot run in the guest", COMP,
                       ADVICE_STRICT, false,
                       "The host hands ACPI tables to the guest; their code runs in its kernel."},
    [CK_GUEST_VOLUMES] = {"guest.volumes", "volumes are in memory", COMP, ADVICE, false,
                          "Disk reads that depend on your data tell the host about it."},
    [CK_CHIP_ENDORSED] = {"chip.endorsed",
                          "somebody vouches for the machine's place",
                          RULE,
                          {REQ_OPTIONAL, REQ_MUST, REQ_OPTIONAL},
                          false,
                          "Physical attacks on memory and chip are outside what attestation sees."},
};

static const enum check_id groups[] = {CK_VERDICT, CK_SNP,        CK_SNP_CHAIN,    CK_SNP_VEK,
                                       CK_SNP_TCB, CK_SNP_POLICY, CK_SNP_PLATFORM, CK_SNP_LAUNCH,
                                       CK_BIND,    CK_GPU,        CK_REFERENCE};

bool check_is_group(enum check_id id) {
    for (size_t i = 0; i < COUNT(groups); i++)
        if (groups[i] == id)
            return true;
    return false;
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
