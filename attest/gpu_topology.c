#include "gpu_topology.h"

#include <string.h>

const char *gpu_mode_name(enum gpu_mode m) {
    static const char *const names[] = {"SPT", "MPT", "PPCIE", "unknown"};

    return names[m];
}

enum gpu_mode gpu_mode_of(const struct gpu_report *r) {
    const bool pcie = r->protected_pcie == GPU_SAYS_ON;

    if (!r->has_feature)
        return pcie ? GPU_PPCIE : GPU_SPT;
    if (r->feature > GPU_PPCIE || (r->protected_pcie && (r->feature == GPU_PPCIE) != pcie))
        return GPU_MODE_UNKNOWN;
    return (enum gpu_mode)r->feature;
}

/* A GPU with both of report and chain at hand; switches have no mode. */
static bool is_gpu(const struct gpu_device *d) {
    return d->readable && d->chained && !gpu_device_is_switch(d);
}

static bool is_switch(const struct gpu_device *d) {
    return d->readable && d->chained && gpu_device_is_switch(d);
}

static size_t count(const struct gpu_device *d, size_t n, bool (*of)(const struct gpu_device *)) {
    size_t found = 0;

    for (size_t i = 0; i < n; i++)
        found += of(&d[i]);
    return found;
}

static const struct gpu_device *first_gpu(const struct gpu_device *d, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (is_gpu(&d[i]))
            return &d[i];
    return NULL;
}

static void mode_unknown(const struct gpu_device *d, struct finding *f) {
    char name[GPU_DEVICE_TEXT];

    gpu_device_text(d, name);
    if (d->report.feature > GPU_PPCIE)
        finding_why(f, "%s says that it works in mode %u: this program knows 0 to 2.", name,
                    d->report.feature);
    else
        finding_why(f, "%s says two things: mode %s, and protected PCIe %s.", name,
                    gpu_mode_name((enum gpu_mode)d->report.feature),
                    d->report.protected_pcie == GPU_SAYS_ON ? "on" : "off");
}

void gpu_mode_check(const struct gpu_device *d, size_t n, struct finding *f) {
    const struct gpu_device *one = first_gpu(d, n);
    const enum gpu_mode mode = one ? gpu_mode_of(&one->report) : GPU_MODE_UNKNOWN;
    char name[2][GPU_DEVICE_TEXT];

    finding_expected(f, "one mode for all GPUs");
    if (!one) {
        finding_absent(f, "No GPU is at hand whose report can be read and whose chain stands.");
        return;
    }
    finding_got(f, "%s", gpu_mode_name(mode));
    for (size_t i = 0; i < n; i++) {
        const enum gpu_mode m = is_gpu(&d[i]) ? gpu_mode_of(&d[i].report) : mode;

        if (is_gpu(&d[i]) && m == GPU_MODE_UNKNOWN) {
            mode_unknown(&d[i], f);
            return;
        }
        if (m == mode)
            continue;
        gpu_device_text(one, name[0]);
        gpu_device_text(&d[i], name[1]);
        finding_why(f,
                    "%s is passed through as %s, %s as %s: data between them is protected by "
                    "neither.",
                    name[0], gpu_mode_name(mode), name[1], gpu_mode_name(m));
        return;
    }
    f->outcome = OUT_GOOD;
}

/* --- NVSwitches --- */

static bool lists(struct view ids, const uint8_t id[static GPU_ID], bool reversed) {
    for (size_t at = 0; at + GPU_ID <= ids.n; at += GPU_ID) {
        bool same = true;

        for (size_t i = 0; i < GPU_ID && same; i++)
            same = ids.p[at + (reversed ? GPU_ID - 1 - i : i)] == id[i];
        if (same)
            return true;
    }
    return false;
}

/* Different ids among those that a GPU's links lead to; a link that leads nowhere is zeros. */
static size_t distinct(struct view ids) {
    static const uint8_t nowhere[GPU_ID];
    size_t found = 0;

    for (size_t at = 0; at + GPU_ID <= ids.n; at += GPU_ID)
        if (memcmp(ids.p + at, nowhere, GPU_ID) != 0 &&
            !lists(view_of(ids.p, at), ids.p + at, false))
            found++;
    return found;
}

/* False, with the reason, when what a switch says of itself is not as it should be. */
static bool switch_sound(const struct gpu_device *s, struct finding *f) {
    const struct view own = s->report.field[GF_PDI], lock = s->report.field[GF_LOCK];
    char name[GPU_DEVICE_TEXT];

    gpu_device_text(s, name);
    if (own.n != GPU_ID || memcmp(own.p, s->chain.id, GPU_ID) != 0)
        finding_why(f, "Switch %s gives another id than its certificate.", name);
    else if (lock.n != 2 || lock.p[0] != 1 || lock.p[1])
        finding_why(f, "Switch %s is not locked: it can be set up anew while the guest runs.",
                    name);
    else
        return true;
    return false;
}

static bool pair_sound(const struct gpu_device *g, const struct gpu_device *s, struct finding *f) {
    char gpu[GPU_DEVICE_TEXT], sw[GPU_DEVICE_TEXT];

    gpu_device_text(g, gpu);
    gpu_device_text(s, sw);
    if (!lists(s->report.field[GF_SWITCH_GPUS], g->chain.id, false))
        finding_why(f, "Switch %s does not know %s: they are not of one machine.", sw, gpu);
    else if (!lists(g->report.field[GF_PDI], s->chain.id, true))
        finding_why(f, "%s has no link to switch %s: they are not of one machine.", gpu, sw);
    else
        return true;
    return false;
}

static bool all_pairs(const struct gpu_device *d, size_t n, struct finding *f) {
    for (size_t i = 0; i < n; i++) {
        if (!is_switch(&d[i]))
            continue;
        if (!switch_sound(&d[i], f))
            return false;
        for (size_t k = 0; k < n; k++)
            if (is_gpu(&d[k]) && !pair_sound(&d[k], &d[i], f))
                return false;
    }
    return true;
}

/* Whether every switch behind a link has shown itself. */
static bool all_switches(const struct gpu_device *d, size_t n, size_t switches, struct finding *f) {
    char name[GPU_DEVICE_TEXT];

    for (size_t i = 0; i < n; i++) {
        const size_t behind = is_gpu(&d[i]) ? distinct(d[i].report.field[GF_PDI]) : switches;

        if (behind == switches)
            continue;
        gpu_device_text(&d[i], name);
        f->outcome = OUT_ABSENT;
        finding_why(f,
                    "The links of %s lead to %zu switches, %zu of them show evidence: the others "
                    "see its data in the clear.",
                    name, behind, switches);
        return false;
    }
    return true;
}

static void protected_pcie(const struct gpu_device *d, size_t n, struct finding *f) {
    const size_t switches = count(d, n, is_switch);

    finding_expected(f, "every GPU and NVSwitch of the board, locked, knowing each other");
    finding_got(f, "%zu GPUs, %zu NVSwitches", count(d, n, is_gpu), switches);
    if (!switches)
        finding_absent(f, "The GPUs reach each other through NVSwitches in the clear, and none of "
                          "those shows evidence.");
    else if (all_pairs(d, n, f) && all_switches(d, n, switches, f))
        f->outcome = OUT_GOOD;
}

void gpu_topology_check(const struct gpu_device *d, size_t n, struct finding *f) {
    const size_t gpus = count(d, n, is_gpu), switches = count(d, n, is_switch);
    const struct gpu_device *one = first_gpu(d, n);
    const enum gpu_mode mode = one ? gpu_mode_of(&one->report) : GPU_MODE_UNKNOWN;

    if (!one || mode == GPU_MODE_UNKNOWN) {
        finding_absent(f,
                       one ? "How the GPU is passed through is not known."
                           : "No GPU is at hand whose report can be read and whose chain stands.");
        return;
    }
    if (mode == GPU_PPCIE) {
        protected_pcie(d, n, f);
        return;
    }
    finding_expected(f, "no NVSwitch");
    finding_got(f, "%zu %s, %s", gpus, gpus == 1 ? "GPU" : "GPUs",
                mode == GPU_SPT ? "each alone" : "links between them encrypted");
    if (switches)
        finding_why(f, "%zu NVSwitches show evidence, yet the GPUs say that they use none.",
                    switches);
    else
        f->outcome = OUT_GOOD;
}
