#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "attest/snp_measure.h"
#include "core/cli_option.h"
#include "core/enc.h"
#include "core/hash.h"
#include "core/json.h"

#define FIRMWARE_MAX ((size_t)16 << 20)

static const char help[] =
    "usage: cdvm measure --ovmf FILE [--kernel FILE [--initrd FILE] [--append TEXT]]\n"
    "                    --vcpus N --vcpu-type TYPE [--guest-features 0x1] [--json]\n"
    "       cdvm measure --release FILE --work ROOT:BLOCKS [--model ROOT:BLOCKS] [--broker KEY]\n"
    "                    --vcpus N --vcpu-type TYPE [--guest-features 0x1] [--json]\n\n"
    "Prints the SEV-SNP launch digest (96 hex digits) of a guest: what its report must say.\n"
    "The first form reads the files that start it, the second a release manifest alone.\n\n"
    "  --old-host    host kernel before Linux 6.10\n"
    "  TYPE          EPYC, EPYC-Rome, EPYC-Milan, EPYC-Genoa, EPYC-Turin, with or without -vN\n";

enum { OPT_OLD = 1, OPT_JSON, OPT_HELP };

struct args {
    const char *ovmf, *kernel, *initrd, *append, *vcpus, *type, *features;
    const char *release, *work, *model, *broker;
    bool json, old_host, help;
};

static int usage(const char *why) {
    fprintf(stderr, "cdvm measure: %s (cdvm measure --help)\n", why);
    return EX_USAGE;
}

static int failed(const struct err *e) {
    fprintf(stderr, "cdvm measure: %s\n", e->text);
    return EX_DATAERR;
}

static int args_read(int argc, char **argv, struct args *a, struct err *e) {
    static const struct option options[] = {{"ovmf", 1, NULL, 'o'},
                                            {"kernel", 1, NULL, 'k'},
                                            {"initrd", 1, NULL, 'i'},
                                            {"append", 1, NULL, 'a'},
                                            {"vcpus", 1, NULL, 'n'},
                                            {"vcpu-type", 1, NULL, 't'},
                                            {"release", 1, NULL, 'r'},
                                            {"work", 1, NULL, 'w'},
                                            {"model", 1, NULL, 'm'},
                                            {"broker", 1, NULL, 'b'},
                                            {"guest-features", 1, NULL, 'f'},
                                            {"json", 0, NULL, OPT_JSON},
                                            {"old-host", 0, NULL, OPT_OLD},
                                            {"help", 0, NULL, OPT_HELP},
                                            {0}};
    const struct {
        int c;
        const char **to;
    } texts[] = {{'o', &a->ovmf},  {'k', &a->kernel}, {'i', &a->initrd},   {'a', &a->append},
                 {'n', &a->vcpus}, {'t', &a->type},   {'f', &a->features}, {'r', &a->release},
                 {'w', &a->work},  {'m', &a->model},  {'b', &a->broker}};
    int c;

    *a = (struct args){.features = "1", .model = "none", .broker = "none"};
    optind = 1;
    while ((c = cli_option(argc, argv, CLI_WORDS_ANYWHERE, options, NULL, e)) != -1) {
        if (c == '?')
            return -1;
        a->json |= c == OPT_JSON;
        a->old_host |= c == OPT_OLD;
        a->help |= c == OPT_HELP;
        for (size_t i = 0; i < COUNT(texts); i++)
            if (texts[i].c == c)
                *texts[i].to = optarg;
    }
    return optind == argc ? 0 : err_set(e, "usage", "'%.80s' is not an option", argv[optind]);
}

static bool number(const char *s, uint64_t *out) {
    char *end;

    if (!s || *s < '0' || *s > '9')
        return false;
    *out = strtoull(s, &end, 0);
    return !*end;
}

static int from_files(const struct args *a, struct ovmf *o, struct launch *l, struct err *e) {
    cleanup_buf struct buf fw = {0};

    if (file_read(a->ovmf, FIRMWARE_MAX, &fw, e) || ovmf_parse(buf_view(&fw), o, e))
        return err_wrap(e, "%s", a->ovmf);
    l->append = a->append;
    l->kernel_hashes = a->kernel != NULL;
    sha256(view_of("", 0), l->initrd); /* no initrd: the hash of nothing */
    if (a->kernel && sha256_file(a->kernel, l->kernel, e))
        return -1;
    return a->initrd ? sha256_file(a->initrd, l->initrd, e) : 0;
}

static int from_release(const struct args *a, struct ovmf *o, struct launch *l, struct buf *cmdline,
                        struct err *e) {
    cleanup_buf struct buf text = {0};
    struct release *r;
    int rc;

    if (file_read(a->release, MANIFEST_MAX, &text, e))
        return -1;
    r = release_parse(buf_view(&text), e);
    if (!r)
        return -1;
    *o = r->ovmf;
    memcpy(l->kernel, r->kernel_sha256, 32);
    memcpy(l->initrd, r->initrd_sha256, 32);
    l->kernel_hashes = true;
    rc = cmdline_render(r->cmdline, a->work, a->model, a->broker, cmdline, e);
    l->append = (const char *)cmdline->p;
    release_free(r);
    return rc;
}

/* The JSON carries what a release manifest needs: its ovmf object, and the hashes. */
static void print_result(const struct args *a, const struct launch *l, const uint8_t digest[48]) {
    cleanup_buf struct buf out = {0};
    struct jw w = jw_new(&out);
    char hex[97];

    hex_encode(view_of(digest, 48), hex);
    if (!a->json) {
        puts(hex);
        return;
    }
    jw_obj(&w);
    jw_kstr(&w, "launch_digest", hex);
    jw_key(&w, "ovmf");
    ovmf_json(&w, l->ovmf);
    if (l->kernel_hashes) {
        jw_khex(&w, "kernel", view_of(l->kernel, 32));
        jw_khex(&w, "initrd", view_of(l->initrd, 32));
        jw_kstr(&w, "cmdline", l->append ? l->append : "");
    }
    jw_end_obj(&w);
    puts((const char *)out.p);
}

static const char *args_wrong(const struct args *a) {
    if (!a->ovmf == !a->release)
        return "give either --ovmf or --release";
    if (a->release && (!a->work || a->kernel || a->initrd || a->append))
        return "--release goes with --work, and without --kernel, --initrd and --append";
    if (!a->kernel && (a->initrd || a->append))
        return "--initrd and --append go with --kernel";
    if (!a->vcpus || !a->type)
        return "--vcpus and --vcpu-type are needed";
    return NULL;
}

int cli_measure(int argc, char **argv) {
    cleanup_buf struct buf cmdline = {0};
    struct args a;
    struct ovmf o;
    struct launch l = {.ovmf = &o};
    struct err e;
    uint8_t digest[48];
    uint64_t vcpus;

    if (args_read(argc, argv, &a, &e))
        return usage(e.text);
    if (a.help) {
        fputs(help, stdout);
        return 0;
    }
    if (args_wrong(&a))
        return usage(args_wrong(&a));
    if (!number(a.vcpus, &vcpus) || vcpus > VCPUS_MAX || !number(a.features, &l.features))
        return usage("--vcpus or --guest-features is not a number in range");
    if (!vcpu_type_signature(a.type, &l.vcpu_signature))
        return usage("--vcpu-type is not a QEMU model that this program knows");
    l.vcpus = (uint32_t)vcpus;
    l.old_kernel = a.old_host;
    if (a.ovmf ? from_files(&a, &o, &l, &e) : from_release(&a, &o, &l, &cmdline, &e))
        return failed(&e);
    if (launch_digest(&l, digest, &e))
        return failed(&e);
    print_result(&a, &l, digest);
    return 0;
}
