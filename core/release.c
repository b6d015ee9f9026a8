#include "release.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enc.h"
#include "hash.h"
#include "json.h"
#include "manifest.h"

static const char *const acpi_names[] = {"off", "sandboxed", "open"};
static const char *const volumes_names[] = {"memory", "lazy"};

static void take_section(struct manifest_in *in, const cJSON *o, struct ovmf_section *s) {
    s->gpa = in_u32(in, o, "gpa");
    s->size = in_u32(in, o, "size");
    s->type = in_u32(in, o, "type");
}

static void take_ovmf(struct manifest_in *in, const cJSON *o, struct ovmf *v) {
    const cJSON *list = in_array(in, o, "sections", OVMF_SECTIONS_MAX), *item;

    v->ap_eip = in_u32(in, o, "ap_eip");
    v->hashes_gpa = in_u32(in, o, "hashes_gpa");
    in_hex(in, o, "sha256", v->sha256, 32);
    in_hex(in, o, "snp_digest", v->snp_digest, 48);
    cJSON_ArrayForEach(item, list) take_section(in, item, &v->section[v->n_sections++]);
}

/* "19:10-1f:0a00000000001754" */
static bool tcb_parse(const char *s, struct release_tcb *t) {
    return strlen(s) == 25 && s[2] == ':' && s[5] == '-' && s[8] == ':' &&
           hex_decode(view_of(s, 2), &t->family, 1) &&
           hex_decode(view_of(s + 3, 2), &t->model_lo, 1) &&
           hex_decode(view_of(s + 6, 2), &t->model_hi, 1) && t->model_lo <= t->model_hi &&
           hex_decode(view_of(s + 9, 16), t->tcb, 8);
}

static void tcb_text(const struct release_tcb *t, char out[static 26]) {
    hex_encode(view_of(&t->family, 1), out);
    hex_encode(view_of(&t->model_lo, 1), out + 3);
    hex_encode(view_of(&t->model_hi, 1), out + 6);
    hex_encode(view_of(t->tcb, 8), out + 9);
    out[2] = out[8] = ':';
    out[5] = '-';
}

static void take_min_tcb(struct manifest_in *in, const cJSON *o, struct release *r) {
    const cJSON *list = in_array(in, o, "min_tcb", MANIFEST_LIST_MAX), *item;

    r->min_tcb = mem_new(MANIFEST_LIST_MAX * sizeof *r->min_tcb);
    cJSON_ArrayForEach(item, list) {
        const char *s = cJSON_GetStringValue(item);

        if (!s || !tcb_parse(s, &r->min_tcb[r->n_min_tcb++]))
            in_fail(in, "min_tcb: not family:model-model:tcb");
    }
}

static void take_features(struct manifest_in *in, const cJSON *o, struct release *r) {
    const cJSON *list = in_array(in, o, "guest_features", MANIFEST_LIST_MAX), *item;

    r->guest_features = mem_new(MANIFEST_LIST_MAX * sizeof *r->guest_features);
    cJSON_ArrayForEach(item, list) {
        int64_t v = 0;

        if (!json_int_of(item, &v) || v < 0)
            in_fail(in, "guest_features: not an integer");
        r->guest_features[r->n_guest_features++] = (uint64_t)v;
    }
}

static void take_base(struct manifest_in *in, const cJSON *o, struct release *r) {
    const cJSON *base = cJSON_GetObjectItemCaseSensitive(o, "base");

    r->has_base = !cJSON_IsNull(base);
    if (r->has_base)
        in_volume(in, in_object(in, o, "base"), &r->base);
}

static void take_release(struct manifest_in *in, const cJSON *o, struct release *r) {
    in_word(in, o, "type", (const char *const[]){"guest"}, 1);
    r->name = in_str(in, o, "name");
    r->version = in_str(in, o, "version");
    r->seq = in_u64(in, o, "seq");
    take_ovmf(in, in_object(in, o, "ovmf"), &r->ovmf);
    in_hex(in, in_object(in, o, "kernel"), "sha256", r->kernel_sha256, 32);
    r->kernel_package = in_str(in, in_object(in, o, "kernel"), "package");
    in_hex(in, in_object(in, o, "initrd"), "sha256", r->initrd_sha256, 32);
    take_base(in, o, r);
    r->cmdline = in_str(in, o, "cmdline");
    r->vcpu_types = in_strings(in, o, "vcpu_types", &r->n_vcpu_types);
    take_features(in, o, r);
    r->policy = in_u64(in, o, "policy");
    take_min_tcb(in, o, r);
    r->acpi = (enum guest_acpi)in_word(in, o, "acpi", acpi_names, COUNT(acpi_names));
    r->volumes = (enum guest_volumes)in_word(in, o, "volumes", volumes_names, COUNT(volumes_names));
    in_source(in, o, &r->repo, &r->commit, r->lock_sha256);
}

void ovmf_json(struct jw *w, const struct ovmf *v) {
    jw_obj(w);
    jw_kint(w, "ap_eip", v->ap_eip);
    jw_kint(w, "hashes_gpa", v->hashes_gpa);
    jw_key(w, "sections");
    jw_arr(w);
    for (size_t i = 0; i < v->n_sections; i++) {
        jw_obj(w);
        jw_kint(w, "gpa", v->section[i].gpa);
        jw_kint(w, "size", v->section[i].size);
        jw_kint(w, "type", v->section[i].type);
        jw_end_obj(w);
    }
    jw_end_arr(w);
    jw_khex(w, "sha256", view_of(v->sha256, 32));
    jw_khex(w, "snp_digest", view_of(v->snp_digest, 48));
    jw_end_obj(w);
}

static void put_base(struct jw *w, const struct release *r) {
    jw_key(w, "base");
    if (!r->has_base) {
        jw_null(w);
        return;
    }
    jw_obj(w);
    jw_kint(w, "blocks", (int64_t)r->base.blocks);
    jw_khex(w, "root", view_of(r->base.root, 32));
    jw_end_obj(w);
}

static void put_features(struct jw *w, const struct release *r) {
    jw_key(w, "guest_features");
    jw_arr(w);
    for (size_t i = 0; i < r->n_guest_features; i++)
        jw_int(w, (int64_t)r->guest_features[i]);
    jw_end_arr(w);
}

static void put_min_tcb(struct jw *w, const struct release *r) {
    char text[26];

    jw_key(w, "min_tcb");
    jw_arr(w);
    for (size_t i = 0; i < r->n_min_tcb; i++) {
        tcb_text(&r->min_tcb[i], text);
        jw_str(w, text);
    }
    jw_end_arr(w);
}

/* Keys in RFC 8785 order. */
static void put_release(struct jw *w, const struct release *r) {
    jw_obj(w);
    jw_kstr(w, "acpi", acpi_names[r->acpi]);
    put_base(w, r);
    jw_kstr(w, "cmdline", r->cmdline);
    put_features(w, r);
    put_hash(w, "initrd", r->initrd_sha256);
    jw_key(w, "kernel");
    jw_obj(w);
    jw_kstr(w, "package", r->kernel_package);
    jw_khex(w, "sha256", view_of(r->kernel_sha256, 32));
    jw_end_obj(w);
    put_hash(w, "lock", r->lock_sha256);
    put_min_tcb(w, r);
    jw_kstr(w, "name", r->name);
    jw_key(w, "ovmf");
    ovmf_json(w, &r->ovmf);
    jw_kint(w, "policy", (int64_t)r->policy);
    jw_kint(w, "seq", (int64_t)r->seq);
    put_source(w, r->repo, r->commit);
    jw_kstr(w, "type", "guest");
    put_strings(w, "vcpu_types", r->vcpu_types, r->n_vcpu_types);
    jw_kstr(w, "version", r->version);
    jw_kstr(w, "volumes", volumes_names[r->volumes]);
    jw_end_obj(w);
}

static int acpi_check(const struct release *r, struct err *e) {
    bool off = cmdline_acpi(r->cmdline) == ACPI_OFF;

    if (off == (r->acpi == ACPI_OFF))
        return 0;
    return err_set(e, "bad-manifest", "acpi says \"%s\" and its command line %s",
                   acpi_names[r->acpi], off ? "has acpi=off" : "does not turn ACPI off");
}

/* Endorsers vouch for the base by the manifest, guests open the one of their command line. */
static int base_check(const struct release *r, struct err *e) {
    struct volume named;
    int has = cmdline_base(r->cmdline, &named, e);

    if (has < 0)
        return -1;
    if (has != r->has_base)
        return err_set(e, "bad-manifest", "base is %s and its command line names %s",
                       r->has_base ? "a volume" : "null", has ? "one" : "none");
    if (has && !volume_same(&named, &r->base))
        return err_set(e, "bad-manifest", "base is not the volume that its command line names");
    return 0;
}

/* What every maker and every reader of a release must agree on. */
static int release_check(const struct release *r, struct err *e) {
    char a[26], b[26];

    if (cmdline_check(r->cmdline, e) || acpi_check(r, e) || base_check(r, e))
        return -1;
    if (!strings_sorted(r->vcpu_types, r->n_vcpu_types) || !r->n_vcpu_types)
        return err_set(e, "not-canonical", "vcpu_types are none, unsorted or repeated");
    if (!r->n_guest_features)
        return err_set(e, "bad-manifest", "guest_features are none");
    for (size_t i = 1; i < r->n_guest_features; i++) {
        char x[24], y[24];

        snprintf(x, sizeof x, "%llu", (unsigned long long)r->guest_features[i - 1]);
        snprintf(y, sizeof y, "%llu", (unsigned long long)r->guest_features[i]);
        if (strcmp(x, y) >= 0)
            return err_set(e, "not-canonical", "guest_features are unsorted or repeated");
    }
    for (size_t i = 1; i < r->n_min_tcb; i++) {
        tcb_text(&r->min_tcb[i - 1], a);
        tcb_text(&r->min_tcb[i], b);
        if (strcmp(a, b) >= 0)
            return err_set(e, "not-canonical", "min_tcb is unsorted or repeated");
    }
    return 0;
}

int release_json(const struct release *r, struct buf *out, struct err *e) {
    struct jw w = jw_new(out);

    if (release_check(r, e))
        return -1;
    put_release(&w, r);
    return 0;
}

struct release *release_parse(struct view content, struct err *e) {
    struct manifest_in in = {.e = e};
    struct release *r = mem_new(sizeof *r);
    cleanup_buf struct buf again = {0};
    cJSON *o = manifest_json_parse(content, &in);

    if (!in.failed)
        take_release(&in, o, r);
    cJSON_Delete(o);
    if (in.failed || release_json(r, &again, e) || manifest_same(content, &again, e)) {
        release_free(r);
        err_wrap(e, "release manifest");
        return NULL;
    }
    return r;
}

void release_free(struct release *r) {
    if (!r)
        return;
    free(r->name);
    free(r->version);
    free(r->kernel_package);
    free(r->cmdline);
    strings_free(r->vcpu_types, r->n_vcpu_types);
    free(r->guest_features);
    free(r->min_tcb);
    free(r->repo);
    free(r->commit);
    free(r);
}

bool release_has_vcpu_type(const struct release *r, const char *type) {
    for (size_t i = 0; i < r->n_vcpu_types; i++)
        if (!strcmp(r->vcpu_types[i], type))
            return true;
    return false;
}

bool release_has_features(const struct release *r, uint64_t features) {
    for (size_t i = 0; i < r->n_guest_features; i++)
        if (r->guest_features[i] == features)
            return true;
    return false;
}
