/* cdvm image manifest, cdvm image inspect. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attest/snp_measure.h"
#include "cli_image.h"
#include "core/dvm.h"
#include "core/enc.h"
#include "core/json.h"
#include "core/text.h"

/* Guest policy bits: 17 must be one, 16 allows SMT (SNP ABI 56860, guest policy). */
#define GUEST_POLICY ((uint64_t)0x30000)
#define POLICY_SMT ((uint64_t)0x10000)

/* --- what a release says that the files do not --- */

static char **all_vcpu_types(size_t *n) {
    char **v;

    for (*n = 0; vcpu_type_name(*n); ++*n)
        ;
    v = mem_new(*n * sizeof *v);
    for (size_t i = 0; i < *n; i++)
        v[i] = mem_str(vcpu_type_name(i));
    return v;
}

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* packages.lock has "suite package version sha256" a line; the kernel's gives "package version". */
static char *kernel_package(const char *dir) {
    static const char kernel[] = " linux-image-";
    cleanup_free char *path = mem_fmt("%s/packages.lock", dir);
    cleanup_buf struct buf b = {0};
    const char *package, *version;

    if (file_read(path, (size_t)1 << 20, &b, NULL) < 0 || !b.n ||
        !(package = strstr((const char *)b.p, kernel)))
        return mem_str("unknown");
    package++;
    version = package + strcspn(package, " \n");
    version += *version == ' ';
    return mem_strn(package, (size_t)(version - package) + strcspn(version, " \n"));
}

static struct release *describe_release(const struct image *m, const char *dir,
                                        const struct image_options *o) {
    struct release *r = mem_new(sizeof *r);

    r->name = mem_str(o->name ? o->name : "cdvm-guest");
    r->version = mem_str(o->version ? o->version : "0");
    r->seq = o->seq ? o->seq : 1;
    r->ovmf = m->ovmf;
    memcpy(r->kernel_sha256, m->kernel_sha256, 32);
    memcpy(r->initrd_sha256, m->initrd_sha256, 32);
    memcpy(r->lock_sha256, m->lock_sha256, 32);
    r->kernel_package = kernel_package(dir);
    r->cmdline = mem_str(m->cmdline);
    r->vcpu_types = all_vcpu_types(&r->n_vcpu_types);
    qsort(r->vcpu_types, r->n_vcpu_types, sizeof *r->vcpu_types, by_bytes);
    r->guest_features = mem_new(sizeof *r->guest_features);
    r->guest_features[r->n_guest_features++] = 1; /* SNP active, nothing else */
    r->policy = o->no_smt ? GUEST_POLICY & ~POLICY_SMT : GUEST_POLICY;
    r->has_base = m->base_fd >= 0;
    r->base = m->base;
    r->acpi = cmdline_acpi(m->cmdline);
    r->volumes = VOLUMES_MEMORY;
    r->repo = mem_str(o->repo ? o->repo : "");
    r->commit = mem_str(o->commit ? o->commit : "");
    return r;
}

/* --- a workload's manifest from its job.json --- */

static int copy_strings(const cJSON *o, const char *key, char ***out, size_t *n, struct err *e) {
    const cJSON *list = json_arr(o, key, e), *v;

    if (!list)
        return -1;
    *out = mem_new(((size_t)cJSON_GetArraySize(list) + 1) * sizeof **out);
    cJSON_ArrayForEach(v, list) {
        const char *s = cJSON_GetStringValue(v);

        if (!s)
            return err_set(e, "bad-json", "'%s' is not a list of strings", key);
        (*out)[(*n)++] = mem_str(s);
    }
    return 0;
}

static int limit_by_name(const void *a, const void *b) {
    const struct manifest_limit *x = a, *y = b;

    return strcmp(x->name, y->name);
}

static int copy_limits(const cJSON *o, struct manifest *w, struct err *e) {
    const cJSON *limits = json_obj(o, "limits", e), *v;

    if (!limits)
        return -1;
    w->limits = mem_new(((size_t)cJSON_GetArraySize(limits) + 1) * sizeof *w->limits);
    cJSON_ArrayForEach(v, limits) {
        struct manifest_limit *l = &w->limits[w->n_limits];

        if (!json_u64(limits, v->string, &l->value, e))
            return -1;
        l->name = mem_str(v->string);
        w->n_limits++;
    }
    qsort(w->limits, w->n_limits, sizeof *w->limits, limit_by_name);
    return 0;
}

static int copy_job(const cJSON *job, struct manifest *w, struct err *e) {
    const char *mode = json_str(job, "mode", e);

    if (!mode || copy_strings(job, "argv", &w->argv, &w->n_argv, e) < 0 ||
        copy_strings(job, "env", &w->env, &w->n_env, e) < 0)
        return -1;
    qsort(w->env, w->n_env, sizeof *w->env, by_bytes);
    w->mode = mem_str(mode);
    return copy_limits(job, w, e);
}

/* A model's card may say its licence; a workload's job.json says how it is run. */
static int take_companion(const cJSON *o, struct manifest *w, const char *licence, struct err *e) {
    const char *own = w->is_model ? json_opt(o, "licence") : NULL;

    w->licence = mem_str(licence ? licence : own ? own : "MIT");
    return w->is_model ? 0 : copy_job(o, w, e);
}

static int describe_volume(const struct image *m, const struct image_volume *v, const char *dir,
                           const struct image_options *o, struct buf *out, struct err *e) {
    cleanup_free char *path = mem_fmt("%s/%s.%s", dir, v->name, v->is_model ? "model" : "json");
    cleanup_buf struct buf text = {0};
    struct manifest *w = mem_new(sizeof *w);
    cJSON *job = NULL;
    int rc = -1;

    w->is_model = v->is_model;
    w->name = mem_str(v->name);
    w->version = mem_str(o->version ? o->version : "0");
    w->seq = o->seq ? o->seq : 1;
    w->volume = v->volume;
    w->repo = mem_str(o->repo ? o->repo : "");
    w->commit = mem_str(o->commit ? o->commit : "");
    memcpy(w->lock_sha256, m->lock_sha256, 32);
    if (file_read(path, (size_t)1 << 20, &text, e) == 0 &&
        (job = json_parse(buf_view(&text), (size_t)1 << 20, e)) &&
        take_companion(job, w, o->licence, e) == 0)
        rc = manifest_json(w, out, e);
    cJSON_Delete(job);
    manifest_free(w);
    return rc == 0 ? 0 : err_wrap(e, "%s", path);
}

/* --- subcommands --- */

static int write_manifest(const char *dir, const char *name, const struct buf *content,
                          struct err *e) {
    cleanup_free char *path = mem_fmt("%s/%s.manifest", dir, name);
    uint8_t digest[32];
    char hex[65];

    if (file_write(path, buf_view(content), 0644, true, e) < 0)
        return -1;
    manifest_digest(buf_view(content), digest);
    hex_encode(view_of(digest, 32), hex);
    printf("%s  %s\n", hex, path);
    return 0;
}

static int write_all(const struct image *m, const char *dir, const struct image_options *o,
                     struct err *e) {
    cleanup_buf struct buf content = {0};
    struct release *r = describe_release(m, dir, o);
    int rc = release_json(r, &content, e);

    release_free(r);
    if (rc < 0 || write_manifest(dir, "release", &content, e) < 0)
        return -1;
    for (size_t i = 0; i < m->n_volumes; i++) {
        cleanup_buf struct buf w = {0};

        if (describe_volume(m, &m->volume[i], dir, o, &w, e) < 0 ||
            write_manifest(dir, m->volume[i].name, &w, e) < 0)
            return -1;
    }
    return 0;
}

/* What `make image` built from: DIR/source. The command line stands above it. */
static int take_source(struct image_options *o, const char *dir, struct err *e) {
    static const struct conf_key keys[] = {
        {"repo", CONF_STRING, OPTION_AT(repo), 0, 0, NULL, "where the source is"},
        {"commit", CONF_STRING, OPTION_AT(commit), 0, 0, NULL, "its commit"},
    };
    cleanup_free char *path = mem_fmt("%s/source", dir);
    struct image_options from = {0};
    int rc = conf_load(path, keys, COUNT(keys), &from, e);

    if (!o->repo)
        o->repo = mem_str(from.repo);
    if (!o->commit)
        o->commit = mem_str(from.commit);
    conf_free(keys, COUNT(keys), &from);
    return rc;
}

int image_describe_all(struct image_options *o, const char *dir, struct err *e) {
    struct image *m = take_source(o, dir, e) == 0 ? image_open(dir, e) : NULL;
    int rc = m ? write_all(m, dir, o, e) : -1;

    image_free(m);
    return rc;
}

static int run_manifest(const struct image_call *c) {
    struct err e;

    return image_describe_all(c->o, c->word[0], &e) < 0 ? image_complain(&e) : 0;
}

static int write_one(const struct image *m, const struct image_options *o, const char *dir,
                     const char *name, struct err *e) {
    const struct image_volume *v = image_named(m, name);
    cleanup_buf struct buf content = {0};

    if (!v)
        return err_set(e, "bad-image", "'%s' has no %s.vol", dir, name);
    return describe_volume(m, v, dir, o, &content, e) < 0 ? -1
                                                          : write_manifest(dir, name, &content, e);
}

int image_describe_one(const struct image_options *o, const char *dir, const char *name,
                       struct err *e) {
    cleanup_free char *kernel = mem_fmt("%s/kernel", dir);
    struct image *m;
    int rc;

    if (access(kernel, F_OK) < 0) {
        image_say("'%s' has no kernel: put %s.* into a guest image, then `cdvm image manifest`",
                  dir, name);
        return 0;
    }
    m = image_open(dir, e);
    rc = m ? write_one(m, o, dir, name, e) : -1;
    image_free(m);
    return rc;
}

static void print_hash(const char *label, const uint8_t *p, size_t n) {
    char hex[97];

    hex_encode(view_of(p, n), hex);
    printf("%-10s %s\n", label, hex);
}

static void print_offer(const struct image_offer *o) {
    printf("%-10s %s: %s on %s, model %s", "offer", o->d,
           o->job_kind == KIND_JOB_CHAT ? "chat" : "tool", o->work->name,
           o->model ? o->model->name : "none");
    if (o->memory_mib)
        printf(", %u MiB", o->memory_mib);
    if (o->vcpus)
        printf(", %u vCPUs", o->vcpus);
    printf("\n");
}

static void print_image(const struct image *m) {
    char text[VOLUME_TEXT];

    printf("%-10s %s %s, seq %llu\n", "release", m->release->name, m->release->version,
           (unsigned long long)m->release->seq);
    print_hash("digest", m->digest, 32);
    print_hash("kernel", m->kernel_sha256, 32);
    printf("%-10s %s\n", "", m->release->kernel_package);
    print_hash("initrd", m->initrd_sha256, 32);
    print_hash("firmware", m->ovmf.sha256, 32);
    printf("%-10s %s\n", "cmdline", m->cmdline);
    if (m->base_fd >= 0) {
        volume_text(&m->base, text);
        printf("%-10s %s\n", "base", text);
    }
    for (size_t i = 0; i < m->n_volumes; i++) {
        volume_text(&m->volume[i].volume, text);
        printf("%-10s %s  %s\n", m->volume[i].is_model ? "model" : "workload", m->volume[i].name,
               text);
        print_hash("digest", m->volume[i].digest, 32);
    }
    for (size_t i = 0; i < m->n_offers; i++)
        print_offer(&m->offer[i]);
}

static int run_inspect(const struct image_call *c) {
    struct err e;
    struct image *m = image_load(c->word[0], &e);
    int rc = m ? 0 : image_complain(&e);

    if (!m)
        return strcmp(e.code, "bad-image") ? rc : 1; /* its answer, not a failure to find one */
    print_image(m);
    image_free(m);
    return 0;
}

static const struct conf_key manifest_keys[] = {IMAGE_MANIFEST_KEYS};

const struct image_command image_manifest = {
    "manifest",
    "DIR",
    "describe the pieces in DIR: write release.manifest and a NAME.manifest for each volume,\n"
    "and print their digests",
    1,
    1,
    manifest_keys,
    COUNT(manifest_keys),
    run_manifest};

const struct image_command image_inspect = {
    "inspect",
    "DIR",
    "check that DIR is what its manifests say, and print it with its offers",
    1,
    1,
    NULL,
    0,
    run_inspect,
};
