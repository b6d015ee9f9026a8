#include "oci.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/enc.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/text.h"

#define TEXT_MAX ((size_t)4 << 20) /* of index, manifest, config */
#define NESTED_MAX 4               /* indexes in indexes */
#define WORDS_MAX 1024
#define REF_NAME "org.opencontainers.image.ref.name"

static int bad(struct err *e, const char *what) {
    return err_set(e, "bad-oci", "the OCI image has no proper %s", what);
}

static bool ends_with(const char *s, const char *ending) {
    size_t n = strlen(s), m = strlen(ending);

    return n >= m && !strcmp(s + n - m, ending);
}

/* --- descriptors --- */

static int take_blob(const cJSON *o, struct oci_blob *b, struct err *e) {
    const char *digest = json_opt(o, "digest");

    if (!digest || strncmp(digest, "sha256:", 7) || !hex_decode_str(digest + 7, b->sha256, 32))
        return bad(e, "sha256 digest in a descriptor");
    return json_u64(o, "size", &b->size, NULL) ? 0 : bad(e, "size in a descriptor");
}

/* A descriptor without a platform leaves it to the configuration, which is looked at later. */
static bool platform_fits(const cJSON *o) {
    const cJSON *p = cJSON_GetObjectItemCaseSensitive(o, "platform");
    const char *arch = json_opt(p, "architecture"), *os = json_opt(p, "os");

    return !p || (arch && os && !strcmp(arch, "amd64") && !strcmp(os, "linux"));
}

static bool ref_fits(const cJSON *o, const char *ref) {
    const char *name = json_opt(cJSON_GetObjectItemCaseSensitive(o, "annotations"), REF_NAME);

    return !ref || (name && !strcmp(name, ref));
}

static bool is_index(const char *type) {
    return !strcmp(type, "application/vnd.oci.image.index.v1+json") ||
           !strcmp(type, "application/vnd.docker.distribution.manifest.list.v2+json");
}

static bool is_manifest(const char *type) {
    return !strcmp(type, "application/vnd.oci.image.manifest.v1+json") ||
           !strcmp(type, "application/vnd.docker.distribution.manifest.v2+json");
}

static int pick_from(const cJSON *o, const char *ref, struct oci_blob *out, bool *nested,
                     struct err *e) {
    const cJSON *list = json_arr(o, "manifests", e), *v;
    unsigned found = 0;

    if (!list)
        return -1;
    cJSON_ArrayForEach(v, list) {
        const char *type = json_opt(v, "mediaType");

        if (!type || (!is_index(type) && !is_manifest(type)) || !platform_fits(v) ||
            !ref_fits(v, ref))
            continue;
        found++;
        *nested = is_index(type);
        if (take_blob(v, out, e) < 0)
            return -1;
    }
    if (!found)
        return err_set(e, "bad-oci", "there is no image for linux/amd64%s%.100s",
                       ref ? " of the name " : "", ref ? ref : "");
    if (found > 1)
        return err_set(e, "bad-oci", "there are %u images for linux/amd64: say which with --ref",
                       found);
    return 0;
}

int oci_pick(struct view index, const char *ref, struct oci_blob *out, bool *nested,
             struct err *e) {
    cJSON *o = json_parse(index, TEXT_MAX, e);
    int rc = o ? pick_from(o, ref, out, nested, e) : -1;

    cJSON_Delete(o);
    return rc < 0 ? err_wrap(e, "index") : 0;
}

/* --- the manifest --- */

/* Not the media types' whole zoo: tar as it is, with gzip, with zstd. */
static bool layer_known(const char *type) {
    static const char *const endings[] = {".tar", ".tar+gzip", ".tar+zstd", ".tar.gzip"};

    for (size_t i = 0; type && i < COUNT(endings); i++)
        if (ends_with(type, endings[i]))
            return true;
    return false;
}

static int take_layers(const cJSON *list, struct oci_image *m, struct err *e) {
    size_t n = (size_t)cJSON_GetArraySize(list);
    const cJSON *v;

    if (n > OCI_LAYERS_MAX)
        return err_set(e, "bad-oci", "the OCI image has more than %d layers", OCI_LAYERS_MAX);
    m->layer = mem_new((n + 1) * sizeof *m->layer);
    cJSON_ArrayForEach(v, list) {
        if (!layer_known(json_opt(v, "mediaType")))
            return err_set(e, "bad-oci",
                           "a layer is not a tar archive, plain or with gzip or zstd");
        if (take_blob(v, &m->layer[m->n_layers], e) < 0)
            return -1;
        m->n_layers++;
    }
    return 0;
}

static int take_manifest(const cJSON *o, struct oci_image *m, struct err *e) {
    const cJSON *config = json_obj(o, "config", e), *layers = json_arr(o, "layers", e);

    if (!config || !layers)
        return -1;
    return take_blob(config, &m->config, e) < 0 ? -1 : take_layers(layers, m, e);
}

int oci_take_manifest(struct view text, struct oci_image *out, struct err *e) {
    cJSON *o = json_parse(text, TEXT_MAX, e);
    int rc = o ? take_manifest(o, out, e) : -1;

    cJSON_Delete(o);
    return rc < 0 ? err_wrap(e, "manifest") : 0;
}

/* --- the configuration --- */

/* Absent and null are no words; anything but strings is refused. */
static int add_words(const cJSON *o, const char *key, struct oci_words *w, struct err *e) {
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, key), *v;
    size_t n = cJSON_IsArray(list) ? (size_t)cJSON_GetArraySize(list) : 0;

    if (!list || cJSON_IsNull(list))
        return 0;
    if (!cJSON_IsArray(list) || w->n + n > WORDS_MAX)
        return bad(e, key);
    w->v = mem_grow(w->v, (w->n + n + 1) * sizeof *w->v);
    cJSON_ArrayForEach(v, list) {
        if (!cJSON_IsString(v))
            return bad(e, key);
        w->v[w->n++] = mem_str(v->valuestring);
    }
    return 0;
}

static int take_config(const cJSON *o, struct oci_image *m, struct err *e) {
    const char *arch = json_opt(o, "architecture"), *os = json_opt(o, "os");
    const cJSON *c = cJSON_GetObjectItemCaseSensitive(o, "config");
    const cJSON *ids = json_arr(json_obj(o, "rootfs", e), "diff_ids", e);
    const char *cwd = json_opt(c, "WorkingDir"), *user = json_opt(c, "User");

    if (!arch || !os || strcmp(arch, "amd64") || strcmp(os, "linux"))
        return err_set(e, "bad-oci", "the image is not for linux/amd64");
    if (!ids)
        return -1;
    if ((size_t)cJSON_GetArraySize(ids) != m->n_layers)
        return err_set(e, "bad-oci", "%d layers are named where the manifest has %zu",
                       cJSON_GetArraySize(ids), m->n_layers);
    m->cwd = mem_str(cwd ? cwd : "");
    m->user = mem_str(user ? user : "");
    return add_words(c, "Entrypoint", &m->argv, e) < 0 || add_words(c, "Cmd", &m->argv, e) < 0
               ? -1
               : add_words(c, "Env", &m->env, e);
}

int oci_take_config(struct view text, struct oci_image *out, struct err *e) {
    cJSON *o = json_parse(text, TEXT_MAX, e);
    int rc = o ? take_config(o, out, e) : -1;

    cJSON_Delete(o);
    return rc < 0 ? err_wrap(e, "configuration") : 0;
}

static void free_words(struct oci_words *w) {
    for (size_t i = 0; i < w->n; i++)
        free(w->v[i]);
    free(w->v);
}

void oci_free(struct oci_image *m) {
    free(m->layer);
    free_words(&m->argv);
    free_words(&m->env);
    free(m->cwd);
    free(m->user);
    *m = (struct oci_image){0};
}

/* --- files of the layout --- */

/* Links lead nowhere outside: a layout may come from an archive. */
static int open_plain(int layout, const char *path, uint64_t *size, struct err *e) {
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    int fd = (int)syscall(SYS_openat2, layout, path, &how, sizeof how);
    struct stat st;

    if (fd < 0)
        return err_set(e, "bad-oci", "the OCI layout has no %s", path);
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        close(fd);
        return err_set(e, "bad-oci", "%s of the OCI layout is not a file", path);
    }
    *size = (uint64_t)st.st_size;
    return fd;
}

static char *blob_path(const struct oci_blob *b) {
    char hex[65];

    hex_encode(view_of(b->sha256, 32), hex);
    return mem_fmt("blobs/sha256/%s", hex);
}

static int read_text(int fd, uint64_t size, struct buf *out, struct err *e) {
    uint8_t block[65536];
    ssize_t n;

    if (size > TEXT_MAX)
        return err_set(e, "too-large", "it has more than %zu bytes", TEXT_MAX);
    while ((n = read(fd, block, sizeof block)) > 0 && out->n <= TEXT_MAX)
        buf_add(out, block, (size_t)n);
    return n < 0 ? err_sys(e, errno, "cannot read it") : 0;
}

static int read_named(int layout, const char *path, struct buf *out, struct err *e) {
    uint64_t size;
    cleanup_fd int fd = open_plain(layout, path, &size, e);

    if (fd < 0)
        return -1;
    return read_text(fd, size, out, e) < 0 ? err_wrap(e, "%s", path) : 0;
}

static int not_its_digest(const char *path, struct err *e) {
    return err_set(e, "bad-oci", "%.24s... has not the size or SHA-256 by which it is named", path);
}

static int read_blob(int layout, const struct oci_blob *b, struct buf *out, struct err *e) {
    cleanup_free char *path = blob_path(b);
    uint8_t got[32];

    if (read_named(layout, path, out, e) < 0)
        return -1;
    sha256(buf_view(out), got);
    return out->n != b->size || memcmp(got, b->sha256, 32) ? not_its_digest(path, e) : 0;
}

static int check_blob(int fd, const struct oci_blob *b, const char *path, struct err *e) {
    uint8_t block[65536], got[32];
    struct sha *h = sha_new(32);
    uint64_t size = 0;
    ssize_t n;

    while ((n = read(fd, block, sizeof block)) > 0) {
        sha_add(h, view_of(block, (size_t)n));
        size += (uint64_t)n;
    }
    sha_end(h, got);
    sha_free(h);
    if (n < 0)
        return err_sys(e, errno, "cannot read %s", path);
    if (size != b->size || memcmp(got, b->sha256, 32))
        return not_its_digest(path, e);
    return lseek(fd, 0, SEEK_SET) == 0 ? 0 : err_sys(e, errno, "cannot read %s again", path);
}

int oci_layer_open(int layout, const struct oci_blob *b, struct err *e) {
    cleanup_free char *path = blob_path(b);
    uint64_t size;
    int fd = open_plain(layout, path, &size, e);

    if (fd < 0 || check_blob(fd, b, path, e) == 0)
        return fd;
    close(fd);
    return -1;
}

/* From the index, through indexes in it, to the manifest's bytes. */
static int find_manifest(int layout, const char *ref, struct buf *text, struct err *e) {
    struct oci_blob b;
    bool nested = true;

    if (read_named(layout, "index.json", text, e) < 0)
        return -1;
    for (int depth = 0; nested; depth++) {
        if (depth == NESTED_MAX)
            return err_set(e, "bad-oci", "there are more than %d indexes in indexes", NESTED_MAX);
        if (oci_pick(buf_view(text), depth ? NULL : ref, &b, &nested, e) < 0)
            return -1;
        buf_reset(text);
        if (read_blob(layout, &b, text, e) < 0)
            return -1;
    }
    return 0;
}

int oci_read(int layout, const char *ref, struct oci_image *out, struct err *e) {
    cleanup_buf struct buf manifest = {0}, config = {0};

    *out = (struct oci_image){0};
    if (find_manifest(layout, ref, &manifest, e) == 0 &&
        oci_take_manifest(buf_view(&manifest), out, e) == 0 &&
        read_blob(layout, &out->config, &config, e) == 0 &&
        oci_take_config(buf_view(&config), out, e) == 0)
        return 0;
    oci_free(out);
    return -1;
}
