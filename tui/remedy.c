#include "tui/remedy.h"

#include <string.h>

/* The first row whose id begins the check's. */
static const struct {
    const char *id, *sentence;
} rows[] = {
    {"snp.tcb", "Ask the seller to update firmware and microcode, or choose another offer."},
    {"snp.chain.dates", "Set this machine's clock right; else ask for newer certificates."},
    {"snp.chain.root", "This is no machine of AMD's: choose another offer."},
    {"snp.chain", "Ask the seller for AMD's certificates of this chip, or choose another offer."},
    {"snp.vek", "Ask the seller for the certificate of this chip at this firmware level."},
    {"snp.crl", "`cdvm verify --fetch` on the saved bundle asks AMD for the list itself."},
    {"snp.measurement", "Something else than the endorsed image runs: choose another offer."},
    {"snp.signature", "The report was changed on its way, or invented: choose another offer."},
    {"snp.report_data", "The report was made for somebody or something else: ask for a new guest."},
    {"snp.policy.smt", "Sibling threads can be watched: choose a machine without SMT for secrets."},
    {"snp.policy", "The guest was started with other rules than endorsed: choose another offer."},
    {"snp.platform", "The seller can change this setting of the machine and start it anew."},
    {"snp.product", "Choose an offer on a newer processor."},
    {"snp", "Choose another offer; the saved bundle shows the seller what is wrong."},
    {"bind", "Replayed or forwarded evidence: choose another offer."},
    {"gpu.nonce", "Name the nonce that was sent; evidence over another is not for you."},
    {"gpu.rim", "Ask the seller for NVIDIA's reference values of this driver and VBIOS."},
    {"gpu.fwid", "Ask the seller for a driver of 550 or later, or choose another offer."},
    {"gpu.floor", "Ask the seller for a newer driver and VBIOS, or choose another offer."},
    {"gpu.structure", "Where it is newer than this program, a newer cdvm reads it."},
    {"gpu.topology", "Every switch behind the GPUs has to show evidence: ask the seller."},
    {"gpu.cc_state", "Choose an offer whose GPU is in confidential mode, without DevTools."},
    {"gpu", "The offer's GPU did not prove itself: choose another offer."},
    {"release.endorsed", "Rebuild the image and pin its digest, or name an endorser, in `pins`."},
    {"workload.endorsed", "Check the workload and pin its digest, or name an endorser, in `pins`."},
    {"model.endorsed", "Pin the model's digest, or name an endorser whom you trust, in `pins`."},
    {"offer.match", "The offer changed, or its manifests are missing: open the list and ask anew."},
    {"guest.acpi", "Choose an offer whose release keeps the host's ACPI code out (acpi: off)."},
    {"guest.volumes", "Choose an offer whose release loads its volumes whole (volumes: memory)."},
    {"chip.endorsed", "Name somebody in `pins` who has seen the machine, if anybody has."},
    {"advisory.fresh", "Name an endorser in `pins` whose warnings you follow."},
    {"provider.seen", "Ask the seller why, by another way than this, before you send secrets."},
    {"receipt.coverage", "Take the last messages as never having been read."},
    {"receipt", "Keep the bundle: it shows what the seller did not do."},
};

static bool begins(const char *id, const char *with) {
    size_t n = strlen(with);

    return strncmp(id, with, n) == 0 && (id[n] == 0 || id[n] == '.');
}

const char *remedy_of(const struct check *c) {
    if (c->n_children > 0 || c->state == CHECK_PASS ||
        (c->state == CHECK_NOT_CHECKED && !c->required))
        return "";
    for (size_t i = 0; i < COUNT(rows); i++)
        if (begins(c->id, rows[i].id))
            return rows[i].sentence;
    return "Choose another offer.";
}
