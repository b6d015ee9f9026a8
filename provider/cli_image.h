/* What the files of `cdvm image` share: the options that more than one subcommand takes, and the
 * table that names them all (cli_image.c). */
#ifndef CDVM_CLI_IMAGE_H
#define CDVM_CLI_IMAGE_H

#include "cli_options.h"
#include "image.h"

/* Everything that any subcommand can be told; each reads what its own keys set. */
struct image_options {
    char *image; /* folder of the guest image */
    /* manifests */
    char *name, *version, *repo, *commit, *licence;
    uint64_t seq;
    /* volumes */
    char *dir, *tar, *oci, *ref, *mode, *cwd, *unpacked, *embed, *card, *source, *quantization;
    struct conf_list env;
    uint64_t memory, in, out, tmp, processes, files, uid, max_size, parameters;
    bool sockets, bare;
    /* endorsements */
    char *key, *chip, *operator_;
    struct conf_list relay;
    uint64_t days;
    bool revoke, print;
    /* sealing */
    char *workload, *broker, *to;
    uint64_t max;
    bool no_smt; /* of the release */
};
#define OPTION_AT(field) offsetof(struct image_options, field)

/* What manifests say beside the files. */
#define IMAGE_MANIFEST_KEYS                                                                        \
    {"name", CONF_STRING, OPTION_AT(name), 0, 60, NULL, "of the release (cdvm-guest)"},            \
        {"version", CONF_STRING, OPTION_AT(version), 0, 60, NULL, "of release and volumes (0)"},   \
        {"seq",                                                                                    \
         CONF_NUMBER,                                                                              \
         OPTION_AT(seq),                                                                           \
         1,                                                                                        \
         1u << 31,                                                                                 \
         NULL,                                                                                     \
         "number that rises with each release (1)"},                                               \
        {"repo",                                                                                   \
         CONF_STRING,                                                                              \
         OPTION_AT(repo),                                                                          \
         0,                                                                                        \
         250,                                                                                      \
         NULL,                                                                                     \
         "where the source is (as DIR/source says)"},                                              \
        {"commit",                                                                                 \
         CONF_STRING,                                                                              \
         OPTION_AT(commit),                                                                        \
         0,                                                                                        \
         80,                                                                                       \
         NULL,                                                                                     \
         "which source it was built from (as DIR/source says)"},                                   \
        {"no-smt",                                                                                 \
         CONF_BOOL,                                                                                \
         OPTION_AT(no_smt),                                                                        \
         0,                                                                                        \
         0,                                                                                        \
         NULL,                                                                                     \
         "guests of the release need sibling threads off, as policy strict demands"},              \
    {                                                                                              \
        "licence", CONF_STRING, OPTION_AT(licence), 0, 120, NULL, "of the volumes (MIT)"           \
    }

struct image_call {
    struct image_options *o;
    char **word; /* what is not an option */
    size_t n_words;
    char **rest; /* behind "--", NULL-terminated; NULL without it */
};
struct image_command {
    const char *name, *args, *does;
    size_t least, most; /* words */
    const struct conf_key *keys;
    size_t n_keys;
    int (*run)(const struct image_call *c); /* exit code */
};
extern const struct image_command image_build, image_base, image_pack, image_model, image_manifest,
    image_inspect, image_endorse, image_seal;

/* Prints the sentence; returns the exit code that its code stands for. */
int image_complain(const struct err *e);
/* A line on standard error, "image: ..."; text is sanitised by the caller. */
void image_say(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* The same, drawn over by the next one; only on a terminal. `done` and `all` are bytes, all 0 when
 * it is not known. */
void image_progress(const char *what, uint64_t done, uint64_t all);
/* release.manifest and every NAME.manifest; prints their digests. */
int image_describe_all(struct image_options *o, const char *dir, struct err *e) WARN_UNUSED;
/* NAME.manifest of one volume, where the folder holds a whole guest image; else says what is left
 * to do. */
int image_describe_one(const struct image_options *o, const char *dir, const char *name,
                       struct err *e) WARN_UNUSED;
/* A word that can be a file, an offer's tag and part of a sentence: letters, digits, "-_.". */
int image_check_name(const char *name, struct err *e) WARN_UNUSED;

#endif
