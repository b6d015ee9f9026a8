/* cdvm image build: a guest image from a source checkout, described when it is there. */
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

static int make_image(const char *source, struct err *e) {
    char make[] = "/usr/bin/make", c[] = "-C", s[] = "-s", target[] = "image";
    char *argv[] = {make, c, (char *)(uintptr_t)source, s, target, NULL};

    image_say("make image, in %s", source);
    return script_run(argv, NULL, e);
}

/* Where the checkout's Makefile puts it. */
static char *image_folder(const char *source) {
    const char *b = getenv("B");

    if (b && b[0] == '/')
        return mem_fmt("%s/image", b);
    return mem_fmt("%s/%s/image", source, b ? b : "build");
}

static int build(const struct image_call *c, struct err *e) {
    const char *given = c->n_words ? c->word[0] : NULL;
    cleanup_free char *script = script_find(given, "build-image.sh", e);
    cleanup_free char *source = script ? checkout_of(script) : NULL, *dir = NULL;

    if (!script)
        return -1;
    if (!source)
        return err_set(e, "no-script", "'%s' cannot be resolved", script);
    if (make_image(source, e) < 0)
        return -1;
    dir = image_folder(source);
    return image_describe_all(c->o, dir, e);
}

static int run_build(const struct image_call *c) {
    struct err e;

    return build(c, &e) < 0 ? image_complain(&e) : 0;
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
