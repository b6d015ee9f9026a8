/* cdvm image build, cdvm image base: a guest image from a source checkout, described when it is
 * there. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli_image.h"
#include "script.h"

/* The checkout that a script stands in. */
static char *checkout_of(const char *script) {
    char whole[PATH_MAX];
    char *slash;

    if (!realpath(script, whole))
        return NULL;
    for (int i = 0; i < 2 && (slash = strrchr(whole, '/')); i++)
        *slash = 0;
    return mem_str(whole);
}

/* What the Makefile makes, the script that only its checkout has, and where the result is. */
struct made {
    const char *target, *script, *ending;
};

static int make_image(const char *source, const struct made *m, struct err *e) {
    char make[] = "/usr/bin/make", c[] = "-C", s[] = "-s";
    char *argv[] = {make, c, (char *)(uintptr_t)source, s, (char *)(uintptr_t)m->target, NULL};

    image_say("make %s, in %s", m->target, source);
    return script_run(argv, NULL, e);
}

/* As the scripts name it: build/image, build/image-open-gpu ... */
static char *image_folder(const char *source, const struct made *m) {
    const char *b = getenv("B"), *acpi = getenv("ACPI");
    const bool open = acpi && strcmp(acpi, "off") != 0;
    cleanup_free char *folder =
        b && b[0] == '/' ? mem_str(b) : mem_fmt("%s/%s", source, b ? b : "build");

    return mem_fmt("%s/image%s%s%s", folder, open ? "-" : "", open ? acpi : "", m->ending);
}

static int build(const struct image_call *c, const struct made *m, struct err *e) {
    const char *given = c->n_words ? c->word[0] : NULL;
    cleanup_free char *script = script_find(given, m->script, e);
    cleanup_free char *source = script ? checkout_of(script) : NULL, *dir = NULL;

    if (!script)
        return -1;
    if (!source)
        return err_set(e, "no-script", "'%s' cannot be resolved", script);
    if (make_image(source, m, e) < 0)
        return -1;
    dir = image_folder(source, m);
    return image_describe_all(c->o, dir, e);
}

static int run_build(const struct image_call *c) {
    static const struct made image = {"image", "build-image.sh", ""};
    struct err e;

    return build(c, &image, &e) < 0 ? image_complain(&e) : 0;
}

static int run_base(const struct image_call *c) {
    static const struct made base = {"base", "build-base.sh", "-gpu"};
    struct err e;

    return build(c, &base, &e) < 0 ? image_complain(&e) : 0;
}

static const struct conf_key build_keys[] = {IMAGE_MANIFEST_KEYS};

const struct image_command image_build = {
    "build",
    "[SOURCE]",
    "make the guest image of a source checkout (this program's own where none is named) from its\n"
    "image.lock, write its manifests and print their digests; B, DEBS, MIRROR and SNAPSHOT as for\n"
    "`make image`",
    0,
    1,
    build_keys,
    COUNT(build_keys),
    run_build};

const struct image_command image_base = {"base",
                                         "[SOURCE]",
                                         "make the release for GPUs of a source checkout: the base "
                                         "volume (NVIDIA's open kernel modules\n"
                                         "for the image's kernel, firmware, libnvidia-ml) from its "
                                         "base.lock, and build/image-gpu, whose\n"
                                         "command line names it; then as `build`",
                                         0,
                                         1,
                                         build_keys,
                                         COUNT(build_keys),
                                         run_base};
