/* What the guest was allowed, how the machine is set up, and what was started. */
#include "snp_rules.h"

#include <string.h>

static bool allows(const struct snp_ctx *x, uint64_t bit) {
    return (x->r.policy & bit) != 0;
}

static bool has(const struct snp_ctx *x, uint64_t bit) {
    return (x->r.platform_info & bit) != 0;
}

static void got_policy(const struct snp_ctx *x, struct finding *f) {
    finding_got(f, "POLICY 0x%llx", (unsigned long long)x->r.policy);
}

static void got_platform(const struct snp_ctx *x, struct finding *f) {
    finding_got(f, "PLATFORM_INFO 0x%llx", (unsigned long long)x->r.platform_info);
}

void rule_reserved(const struct snp_ctx *x, struct finding *f) {
    const uint64_t known = ((uint64_t)1 << (x->r.version >= 5 ? 26 : 25)) - 1;

    finding_expected(f, "bit 17 set, unknown bits clear");
    got_policy(x, f);
    if (!allows(x, SNP_POLICY_ONE))
        finding_why(f, "Bit 17 must be one: this is not a policy that firmware accepts.");
    else if (x->r.policy & ~known)
        finding_why(f, "The policy has bits that this program does not know.");
    else
        f->outcome = OUT_GOOD;
}

static void must_be_off(const struct snp_ctx *x, struct finding *f, uint64_t bit, const char *why) {
    finding_expected(f, "off");
    finding_got(f, "%s", allows(x, bit) ? "on" : "off");
    if (allows(x, bit))
        finding_why(f, "%s", why);
    else
        f->outcome = OUT_GOOD;
}

void rule_debug(const struct snp_ctx *x, struct finding *f) {
    must_be_off(x, f, SNP_POLICY_DEBUG,
                "Debugging is allowed: the host may decrypt the guest's memory.");
}

void rule_migrate(const struct snp_ctx *x, struct finding *f) {
    must_be_off(x, f, SNP_POLICY_MIGRATE,
                "A migration agent is allowed: it may carry the guest's memory elsewhere.");
}

void rule_smt(const struct snp_ctx *x, struct finding *f) {
    const bool allowed = allows(x, SNP_POLICY_SMT), on = has(x, SNP_PLATFORM_SMT);

    finding_expected(f, "policy forbids SMT, machine has it off");
    finding_got(f, "policy %s SMT, machine has it %s", allowed ? "allows" : "forbids",
                on ? "on" : "off");
    if (!allowed && on) {
        f->outcome = OUT_FATAL;
        finding_why(f,
                    "The policy forbids SMT, yet the machine has it on: firmware would not start "
                    "such a guest.");
    } else if (!allowed)
        f->outcome = OUT_GOOD;
}

void rule_abi(const struct snp_ctx *x, struct finding *f) {
    const unsigned minor = x->r.policy & 0xff, major = x->r.policy >> 8 & 0xff;

    finding_expected(f, "at least %u.%u", major, minor);
    finding_got(f, "%u.%u", x->r.current.major, x->r.current.minor);
    if (x->r.current.major > major || (x->r.current.major == major && x->r.current.minor >= minor))
        f->outcome = OUT_GOOD;
    else
        finding_why(f, "The firmware is older than the guest's policy demands.");
}

void rule_guest_policy(const struct snp_ctx *x, struct finding *f) {
    finding_expected(f, "POLICY 0x%llx", (unsigned long long)x->in->guest_policy);
    got_policy(x, f);
    if (x->r.policy == x->in->guest_policy)
        f->outcome = OUT_GOOD;
    else
        finding_why(f, "The host started the guest under another policy than the release's.");
}

void rule_alias(const struct snp_ctx *x, struct finding *f) {
    finding_expected(f, "complete");
    if (x->r.version < 3) {
        finding_absent(f, "Reports of version 2 do not say.");
        return;
    }
    finding_got(f, "%s", has(x, SNP_PLATFORM_ALIAS) ? "complete" : "not done");
    if (has(x, SNP_PLATFORM_ALIAS))
        f->outcome = OUT_GOOD;
    else
        finding_why(f, "The firmware has not checked that memory is what it says it is (BadRAM).");
}

void rule_requested(const struct snp_ctx *x, struct finding *f) {
    finding_expected(f, "as the policy demands");
    got_platform(x, f);
    if (allows(x, SNP_POLICY_RAPL_DIS) && !has(x, SNP_PLATFORM_RAPL_DIS))
        finding_why(f, "The policy demands that power reporting is off, and it is on.");
    else if (allows(x, SNP_POLICY_CIPHERTEXT) && !has(x, SNP_PLATFORM_CIPHERTEXT))
        finding_why(f, "The policy demands that ciphertext is hidden, and it is not.");
    else {
        f->outcome = OUT_GOOD;
        finding_got(f, "met");
    }
}

void rule_ciphertext(const struct snp_ctx *x, struct finding *f) {
    const bool hidden = has(x, SNP_PLATFORM_CIPHERTEXT);

    finding_expected(f, "hidden");
    finding_got(f, "%s", hidden ? "hidden" : "visible");
    if (hidden)
        f->outcome = OUT_GOOD;
    else
        finding_why(f,
                    "The host can watch ciphertext change; code in the guest must be written for "
                    "that.");
}

void rule_unknown(const struct snp_ctx *x, struct finding *f) {
    /* Bits 0 to 5 and 7 are documented; bit 6 is set on every Turin machine seen. */
    const uint64_t known = x->product == PRODUCT_TURIN ? 0xff : 0xbf;

    finding_expected(f, "none");
    got_platform(x, f);
    if (!(x->r.platform_info & ~known)) {
        f->outcome = OUT_GOOD;
        finding_got(f, "none");
    } else
        finding_why(f, "The firmware reports machine settings that this program does not know.");
}

void rule_vmpl(const struct snp_ctx *x, struct finding *f) {
    finding_expected(f, "%u", x->policy->vmpl);
    if (x->r.vmpl == UINT32_MAX)
        finding_got(f, "asked for by the host");
    else
        finding_got(f, "%u", x->r.vmpl);
    if (x->r.vmpl == x->policy->vmpl)
        f->outcome = OUT_GOOD;
    else
        finding_why(f, "Something else than the agent at privilege level %u asked for this report.",
                    x->policy->vmpl);
}

static void measurement_differs(const struct snp_ctx *x, struct finding *f) {
    char why[300];

    if (x->in->launch && launch_explain(x->in->launch, x->r.measurement, why, sizeof why))
        finding_why(f, "Another guest was started: %s.", why);
    else
        finding_why(f, "Another guest was started: firmware, kernel, initrd, command line or vCPUs "
                       "differ, and no known variant matches.");
}

void rule_measurement(const struct snp_ctx *x, struct finding *f) {
    finding_got_hex(f, view_of(x->r.measurement, 48));
    if (!x->in->measurement) {
        finding_absent(f, x->in->no_measurement ? x->in->no_measurement
                                                : "No expected launch digest was given.");
        return;
    }
    finding_expected_hex(f, view_of(x->in->measurement, 48));
    if (!memcmp(x->in->measurement, x->r.measurement, 48))
        f->outcome = OUT_GOOD;
    else
        measurement_differs(x, f);
}

static bool id_block_empty(const struct snp_report *r) {
    return all_zero(r->id_key_digest, 48) && all_zero(r->author_key_digest, 48) &&
           all_zero(r->family_id, 16) && all_zero(r->image_id, 16) && !r->guest_svn &&
           !(r->key_info & 1);
}

static void id_key_pinned(const struct snp_ctx *x, struct finding *f) {
    finding_expected_hex(f, view_of(x->policy->id_key, 48));
    finding_got_hex(f, view_of(x->r.id_key_digest, 48));
    if (!memcmp(x->policy->id_key, x->r.id_key_digest, 48)) {
        f->outcome = OUT_GOOD;
        return;
    }
    f->outcome = OUT_FATAL;
    finding_why(f, "The launch was not approved by the key that your policy names.");
}

void rule_id_block(const struct snp_ctx *x, struct finding *f) {
    if (x->policy->has_id_key) {
        id_key_pinned(x, f);
        return;
    }
    finding_expected(f, "none");
    if (id_block_empty(&x->r)) {
        finding_got(f, "none");
        f->outcome = OUT_GOOD;
        return;
    }
    finding_got_hex(f, view_of(x->r.id_key_digest, 48));
    finding_why(f,
                "Somebody signed this launch, or gave it names or a version (GUEST_SVN %u); nobody "
                "here asked for that.",
                x->r.guest_svn);
}

void rule_host_data(const struct snp_ctx *x, struct finding *f) {
    finding_expected(f, "zero");
    finding_got_hex(f, view_of(x->r.host_data, 32));
    if (all_zero(x->r.host_data, 32)) {
        f->outcome = OUT_GOOD;
        finding_got(f, "zero");
    } else
        finding_why(f, "The host put data of its own into the report; it proves nothing.");
}

void rule_report_data(const struct snp_ctx *x, struct finding *f) {
    finding_got_hex(f, view_of(x->r.report_data, 64));
    if (!x->in->report_data) {
        finding_absent(f, "No expected report data was given.");
        return;
    }
    finding_expected_hex(f, view_of(x->in->report_data, 64));
    if (!memcmp(x->in->report_data, x->r.report_data, 64))
        f->outcome = OUT_GOOD;
    else
        finding_why(f, "This report was not made for this request: it is old, or somebody else's.");
}
