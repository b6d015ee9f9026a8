#include "reference.h"

#include <string.h>

#include "core/hash.h"

/* The first thing that does not fit; later ones do not overwrite it. */
static void mismatch(struct reference *r, const char *why) {
    if (r->match.outcome != OUT_GOOD)
        return;
    r->match.outcome = OUT_BAD;
    finding_why(&r->match, "%s", why);
}

static void match_request(struct reference *r, const struct expect *x) {
    if (memcmp(x->request->offer, x->offer->id, 32) != 0)
        mismatch(r, "This is not the offer that your request names: it was replaced since.");
    if (memcmp(x->request->provider, x->offer->pubkey, 32) != 0)
        mismatch(r, "The offer is not by the provider that your request is addressed to.");
}

static void match_release(struct reference *r, const struct expect *x) {
    uint8_t digest[32];
    struct err e;

    sha256(x->release, digest);
    if (memcmp(digest, x->offer->release, 32) != 0)
        mismatch(r, "The release manifest is not the one that the offer names.");
    r->release = release_parse(x->release, &e);
    if (!r->release) {
        mismatch(r, e.text);
        return;
    }
    if (!release_has_vcpu_type(r->release, x->offer->vcpu_type))
        mismatch(r, "The offer's vCPU type is not one that the release allows.");
    if (!release_has_features(r->release, x->offer->guest_features))
        mismatch(r, "The offer's guest features are not among those that the release allows.");
}

/* name and root:blocks of an offer's tag against the manifest. */
static struct manifest *match_volume(struct reference *r, struct view content, bool is_model,
                                     const char *name, const char *volume) {
    struct err e;
    struct manifest *m = manifest_parse(content, is_model, &e);
    char text[VOLUME_TEXT];

    if (!m) {
        mismatch(r, e.text);
        return NULL;
    }
    volume_text(&m->volume, text);
    if (strcmp(m->name, name) != 0)
        mismatch(r, is_model ? "The model manifest has another name than the offer."
                             : "The workload manifest has another name than the offer.");
    if (strcmp(text, volume) != 0)
        mismatch(r, is_model ? "The model manifest has another root hash than the offer."
                             : "The workload manifest has another root hash than the offer.");
    return m;
}

static bool has_model(const struct expect *x) {
    return strcmp(x->offer->model, "none") != 0;
}

static void match_volumes(struct reference *r, const struct expect *x) {
    if (x->workload.n)
        r->workload =
            match_volume(r, x->workload, false, x->offer->workload_name, x->offer->workload);
    if (has_model(x) && x->model.n)
        r->model = match_volume(r, x->model, true, x->offer->model_name, x->offer->model);
}

struct launch reference_launch(const struct release *rel, uint32_t vcpus, uint64_t features) {
    struct launch l = {
        .ovmf = &rel->ovmf, .kernel_hashes = true, .vcpus = vcpus, .features = features};

    memcpy(l.kernel, rel->kernel_sha256, 32);
    memcpy(l.initrd, rel->initrd_sha256, 32);
    return l;
}

/* The launch digest that hardware must report for this offer under this release. */
static void expect_launch(struct reference *r, const struct expect *x) {
    struct launch *l = &r->launch;
    struct err e;

    *l = reference_launch(r->release, x->offer->vcpus, x->offer->guest_features);
    if (!vcpu_type_signature(x->offer->vcpu_type, &l->vcpu_signature)) {
        mismatch(r, "The offer's vCPU type is not known here.");
        return;
    }
    if (cmdline_render(r->release->cmdline, x->offer->workload, x->offer->model, x->offer->broker,
                       &r->cmdline, &e)) {
        mismatch(r, e.text);
        return;
    }
    l->append = (const char *)r->cmdline.p;
    r->has_digest = !launch_digest(l, r->digest, &e);
    if (!r->has_digest)
        mismatch(r, e.text);
}

void reference_build(struct reference *r, const struct expect *x) {
    *r = (struct reference){.match = {.outcome = OUT_GOOD}};
    match_request(r, x);
    if (x->release.n)
        match_release(r, x);
    match_volumes(r, x);
    if (r->release)
        expect_launch(r, x);
    if (!x->release.n && r->match.outcome == OUT_GOOD)
        finding_absent(&r->match, "The release manifest that the offer names is not at hand.");
    finding_expected(&r->match, "the offer named in your request");
    if (r->match.outcome == OUT_GOOD)
        finding_got(&r->match, "%s %s, %u vCPU %s", r->release->name, r->release->version,
                    x->offer->vcpus, x->offer->vcpu_type);
}

void reference_free(struct reference *r) {
    release_free(r->release);
    manifest_free(r->workload);
    manifest_free(r->model);
    buf_free(&r->cmdline);
}

static void endorsed(struct verdict *v, struct node *g, enum check_id id, enum manifest_kind kind,
                     struct view content, const char *name, const char *version,
                     const struct expect *x, const struct advice *advice, int64_t now) {
    struct finding f = {.outcome = OUT_BAD};

    endorsement_check(&x->pins, advice, kind, content, name, version, now, &f);
    verdict_leaf(v, g, id, &f);
}

/* The root hash under which the guest opens a volume, and no other: it stands on the command line
 * that the launch digest covers. */
static void volume_root(struct verdict *v, struct node *g, enum check_id id,
                        const struct reference *r, const char *volume) {
    struct finding f = {.outcome = OUT_BAD};
    uint8_t root[32];
    uint64_t blocks;
    bool named = volume_ref_parse(volume, false, root, &blocks);

    finding_got_hex(&f, view_of(root, named ? sizeof root : 0));
    if (!named)
        finding_why(&f, "The offer names no root hash.");
    else if (!r->has_digest)
        finding_absent(&f, "The launch digest that would cover it could not be computed here.");
    else {
        f.outcome = OUT_GOOD;
        finding_why(&f,
                    "%llu blocks of 4096 bytes under this sha256 root: it is on the measured "
                    "command line, so the launch digest covers every byte, and the guest stops "
                    "at the first block that differs.",
                    (unsigned long long)blocks);
    }
    verdict_leaf(v, g, id, &f);
}

static void guest_acpi(struct verdict *v, struct node *g, const struct release *rel) {
    static const char *const names[] = {"off", "sandboxed", "open"};
    struct finding f = {.outcome = OUT_BAD};

    finding_expected(&f, "off or sandboxed");
    if (!rel)
        finding_absent(&f, "The release manifest is not at hand.");
    else {
        finding_got(&f, "%s", names[rel->acpi]);
        if (rel->acpi != ACPI_OPEN)
            f.outcome = OUT_GOOD;
        else
            finding_why(
                &f, "This release takes the host's ACPI tables: their AML code runs in the guest's "
                    "kernel and can reach all of its memory (BadAML).");
    }
    verdict_leaf(v, g, CK_GUEST_ACPI, &f);
}

static void guest_volumes(struct verdict *v, struct node *g, const struct release *rel) {
    struct finding f = {.outcome = OUT_BAD};

    finding_expected(&f, "memory");
    if (!rel)
        finding_absent(&f, "The release manifest is not at hand.");
    else {
        finding_got(&f, "%s", rel->volumes == VOLUMES_MEMORY ? "memory" : "lazy");
        if (rel->volumes == VOLUMES_MEMORY)
            f.outcome = OUT_GOOD;
        else
            finding_why(&f, "The guest reads its disks while it works: which blocks tells the host "
                            "about your data.");
    }
    verdict_leaf(v, g, CK_GUEST_VOLUMES, &f);
}

void reference_common(struct verdict *v, struct node *g, const struct release *rel,
                      const struct pins *pins, const struct advice *advice, struct view chip,
                      int64_t now) {
    struct finding f = {.outcome = OUT_BAD};

    guest_acpi(v, g, rel);
    guest_volumes(v, g, rel);
    chip_check(pins, chip, now, &f);
    verdict_leaf(v, g, CK_CHIP_ENDORSED, &f);
    verdict_leaf(v, g, CK_ADVISORY_FRESH, &advice->fresh);
}

static void digest_view(struct view content, uint8_t out[static 32], struct view *v) {
    sha256(content, out);
    *v = view_of(out, content.n ? 32 : 0);
}

void provider_values(const struct expect *x, struct view chip, uint8_t digest[static 3][32],
                     struct view out[static SEEN_KINDS]) {
    out[SEEN_CHIP] = chip;
    digest_view(x->release, digest[0], &out[SEEN_RELEASE]);
    digest_view(x->workload, digest[1], &out[SEEN_WORKLOAD]);
    digest_view(x->model, digest[2], &out[SEEN_MODEL]);
}

/* The same machine and guest as this provider showed before? */
static void provider_seen(struct verdict *v, struct node *g, const struct expect *x,
                          struct view chip) {
    struct finding f = {.outcome = OUT_GOOD};
    struct view value[SEEN_KINDS];
    uint8_t digest[3][32];
    cleanup_buf struct buf news = {0};
    size_t met = 0;

    provider_values(x, chip, digest, value);
    for (size_t i = 0; i < SEEN_KINDS; i++) {
        const enum memory_what what = (enum memory_what)i;

        if (!value[i].n || !memory_first(x->pins.memory, x->offer->pubkey, what))
            continue;
        met++;
        if (!memory_has(x->pins.memory, x->offer->pubkey, what, value[i]))
            buf_fmt(&news, "%s%s", news.n ? ", " : "", memory_what_name(what));
    }
    finding_expected(&f, "as met before");
    finding_got(&f, "%s", !met ? "met for the first time" : news.n ? "changed" : "as before");
    if (news.n) {
        f.outcome = OUT_BAD;
        finding_why(&f, "New from this provider since you first met it: %s.", (char *)news.p);
    }
    verdict_leaf(v, g, CK_PROVIDER_SEEN, &f);
}

void reference_verify(struct verdict *v, const struct reference *r, const struct expect *x,
                      const struct advice *advice, struct view chip, int64_t now) {
    struct node *g = verdict_group(v, verdict_root(v), CK_REFERENCE);
    const struct release *rel = r->release;

    verdict_leaf(v, g, CK_OFFER_MATCH, &r->match);
    volume_root(v, g, CK_WORKLOAD_VOLUME, r, x->offer->workload);
    if (has_model(x))
        volume_root(v, g, CK_MODEL_VOLUME, r, x->offer->model);
    endorsed(v, g, CK_RELEASE_ENDORSED, MANIFEST_RELEASE, rel ? x->release : (struct view){0},
             rel ? rel->name : "", rel ? rel->version : "", x, advice, now);
    endorsed(v, g, CK_WORKLOAD_ENDORSED, MANIFEST_WORKLOAD,
             r->workload ? x->workload : (struct view){0}, r->workload ? r->workload->name : "",
             r->workload ? r->workload->version : "", x, advice, now);
    if (has_model(x))
        endorsed(v, g, CK_MODEL_ENDORSED, MANIFEST_MODEL, r->model ? x->model : (struct view){0},
                 r->model ? r->model->name : "", r->model ? r->model->version : "", x, advice, now);
    reference_common(v, g, rel, &x->pins, advice, chip, now);
    if (x->pins.memory)
        provider_seen(v, g, x, chip);
}
