/* cdvm image: guest images, their volumes, and who vouches for them. */
#include "cli_image.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli.h"
#include "core/loop.h"

static const struct image_command *const commands[] = {
    &image_build,    &image_base,    &image_pack,    &image_model,
    &image_manifest, &image_inspect, &image_endorse, &image_seal,
};

/* --- what the subcommands share --- */

int image_complain(const struct err *e) {
    static const struct {
        const char *code;
        int exit;
    } codes[] = {
        {"usage", EX_USAGE},          {"bad-config", EX_USAGE},     {"bad-image", EX_DATAERR},
        {"bad-volume", EX_DATAERR},   {"bad-oci", EX_DATAERR},      {"bad-archive", EX_DATAERR},
        {"too-large", EX_DATAERR},    {"bad-json", EX_DATAERR},     {"bad-template", EX_CONFIG},
        {"no-space", EX_IOERR},       {"unsafe-key", EX_NOPERM},    {"seal", EX_SOFTWARE},
        {"no-relay", EX_UNAVAILABLE}, {"no-script", EX_UNAVAILABLE}};

    fprintf(stderr, "cdvm image: %s\n", e->text);
    for (size_t i = 0; i < COUNT(codes); i++)
        if (!strcmp(e->code, codes[i].code))
            return codes[i].exit;
    return EX_OSERR;
}

static bool drawn; /* a progress line stands on the terminal */

static void wipe_progress(void) {
    if (drawn)
        fputs("\r\033[K", stderr);
    drawn = false;
}

void image_say(const char *fmt, ...) {
    va_list ap;

    wipe_progress();
    fputs("image: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
}

void image_progress(const char *what, uint64_t done, uint64_t all) {
    static int64_t next;
    int64_t now = loop_now();

    if (!isatty(STDERR_FILENO) || now < next)
        return;
    next = now + 100;
    fprintf(stderr, "\r\033[Kimage: %s, %llu", what, (unsigned long long)(done >> 20));
    if (all)
        fprintf(stderr, " of %llu", (unsigned long long)(all >> 20));
    fputs(" MiB", stderr);
    drawn = true;
}

int image_check_name(const char *name, struct err *e) {
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

    if (!n || n > 60 || name[n] || name[0] == '.' || name[0] == '-' || !strcmp(name, "release") ||
        !strcmp(name, "base"))
        return err_set(e, "usage",
                       "a volume's name has 1 to 60 letters, digits, '-', '_' or '.', and is not "
                       "'release' or 'base'");
    return 0;
}

/* --- help and dispatch --- */

/* A sentence of several lines, each indented. */
static void print_lines(FILE *to, const char *text) {
    for (const char *end; *text; text = end + (*end == '\n')) {
        end = strchrnul(text, '\n');
        fprintf(to, "      %.*s\n", (int)(end - text), text);
    }
}

static void print_usage(FILE *to) {
    fputs("usage: cdvm image COMMAND [OPTION]... [WORD]...\n\n", to);
    for (size_t i = 0; i < COUNT(commands); i++) {
        fprintf(to, "  %s %s\n", commands[i]->name, commands[i]->args);
        print_lines(to, commands[i]->does);
    }
    fputs("\n`cdvm image COMMAND --help` lists its options.\n", to);
}

static void print_command_usage(FILE *to, const struct image_command *cmd) {
    fprintf(to, "usage: cdvm image %s [OPTION]... %s\n\n", cmd->name, cmd->args);
    print_lines(to, cmd->does);
    fputs("\n", to);
    options_help(to, cmd->keys, cmd->n_keys);
    fprintf(to, "  --%-14s %s\n", "help", "this text");
}

static int run(const struct image_command *cmd, int argc, char **argv) {
    struct image_options o = {0};
    struct image_call c = {.o = &o, .word = argv, .rest = options_rest(argc, argv)};
    struct err e;
    int rc = options_read(cmd->keys, cmd->n_keys, argc, argv, &o, &c.n_words, &e);

    if (rc == 0 && (c.n_words < cmd->least || c.n_words > cmd->most))
        rc = err_set(&e, "usage", "usage: cdvm image %s %s", cmd->name, cmd->args);
    if (rc == 1)
        print_command_usage(stdout, cmd);
    rc = rc == 1 ? 0 : rc < 0 ? image_complain(&e) : cmd->run(&c);
    wipe_progress();
    conf_free(cmd->keys, cmd->n_keys, &o);
    return rc;
}

int cli_image(int argc, char **argv) {
    bool help = argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"));

    signal(SIGPIPE, SIG_IGN);
    umask(022);
    for (size_t i = 0; argc > 1 && i < COUNT(commands); i++)
        if (!strcmp(argv[1], commands[i]->name))
            return run(commands[i], argc - 1, argv + 1);
    print_usage(help ? stdout : stderr);
    return help ? 0 : EX_USAGE;
}
