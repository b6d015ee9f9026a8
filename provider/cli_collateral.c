/* cdvm collateral: what AMD and NVIDIA sign about machines: what the cache lacks of it, and where
 * it is served. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "chip_key.h"
#include "cli.h"
#include "cli_options.h"
#include "core/bundle.h"
#include "core/enc.h"
#include "core/loop.h"
#include "core/text.h"
#include "needs.h"

#define INPUT_MAX BUNDLE_MAX

struct settings {
    char *report, *gpu_report, *gpu_chain, *gpu_list, *bundle, *cache, *at, *keep, *answer;
    bool this_host, all;
};
#define AT(field) offsetof(struct settings, field)
static const struct conf_key keys[] = {
    {"this-host", CONF_BOOL, AT(this_host), 0, 0, NULL,
     "what this machine's own secure processor says"},
    {"snp-report", CONF_STRING, AT(report), 0, 0, NULL, "FILE: an SEV-SNP report"},
    {"gpu-report", CONF_STRING, AT(gpu_report), 0, 0, NULL,
     "FILE: report of a GPU, with --gpu-chain"},
    {"gpu-chain", CONF_STRING, AT(gpu_chain), 0, 0, NULL,
     "FILE: its five certificates in PEM, its own first"},
    {"gpu-evidence", CONF_STRING, AT(gpu_list), 0, 0, NULL, "FILE: list of devices in JSON"},
    {"bundle", CONF_STRING, AT(bundle), 0, 0, NULL,
     "FILE: a saved job, with its guest's reports of both kinds"},
    {"cache", CONF_STRING, AT(cache), 0, 0, NULL,
     "DIR: the cache (collateral in the cache folder)"},
    {"at", CONF_STRING, AT(at), 0, 20, NULL,
     "TIME (RFC 3339) at which all has to be in force (now)"},
    {"all", CONF_BOOL, AT(all), 0, 0, NULL, "list also what the cache has"},
    {"keep", CONF_STRING, AT(keep), 0, 0, NULL,
     "NAME: look at an answer and put it into the cache, with --answer"},
    {"answer", CONF_STRING, AT(answer), 0, 0, NULL, "FILE: what was served for NAME"},
};

static void usage(FILE *to) {
    fputs(
        "usage: cdvm collateral EVIDENCE-OPTION... [--all] [--cache DIR] [--at TIME]\n"
        "       cdvm collateral EVIDENCE-OPTION... --keep NAME --answer FILE\n\n"
        "What AMD and NVIDIA sign about the machines of this evidence, as far as the cache lacks\n"
        "it: a line for each, with tabs between the name in the cache, 'required' or 'optional',\n"
        "the address, base64 of what is to be posted there or '-', what it is, and what is wrong\n"
        "with what lies there. Uses no network: fetch-collateral.sh does.\n\n",
        to);
    options_help(to, keys, COUNT(keys));
    fputs("\nExit: 0 nothing that is required is missing, or it was kept; 1 the answer is not what "
          "it\nought to be, and was not kept; 3 something is missing; 64 usage; 65, 66 unreadable "
          "input; 69 no /dev/sev.\n",
          to);
}

static bool time_read(const char *s, int64_t *out) {
    struct tm tm = {0};
    const char *end = strptime(s, "%Y-%m-%dT%H:%M:%SZ", &tm);

    *out = timegm(&tm);
    return end && !*end;
}

/* --- evidence --- */

static int add_items(struct needs *n, const struct gpu_item *item, size_t n_items, struct err *e) {
    for (size_t i = 0; i < n_items; i++)
        if (item[i].n_certs != GPU_CERTS)
            return err_set(e, "bad-gpu", "GPU %zu carries %zu certificates, not %d", i + 1,
                           item[i].n_certs, GPU_CERTS);
        else if (needs_add_gpus(n, &item[i].ev, 1, e))
            return -1;
    return 0;
}

static int add_pair(struct needs *n, const struct settings *s, struct err *e) {
    cleanup_buf struct buf report = {0}, chain = {0};
    struct gpu_item item = {0};
    int rc = file_read(s->gpu_report, GPU_LIST_MAX, &report, e) ||
                     file_read(s->gpu_chain, GPU_LIST_MAX, &chain, e) ||
                     gpu_item_read(&item, NULL, buf_view(&report), buf_view(&chain), e)
                 ? -1
                 : add_items(n, &item, 1, e);

    gpu_item_free(&item);
    return rc;
}

static int add_list(struct needs *n, const char *path, struct err *e) {
    cleanup_buf struct buf json = {0};
    struct gpu_list l = {0};
    int rc = file_read(path, GPU_LIST_MAX, &json, e) || gpu_list_parse(buf_view(&json), &l, e)
                 ? -1
                 : add_items(n, l.item, l.n, e);

    gpu_list_free(&l);
    return rc;
}

static int add_report(struct needs *n, const char *path, struct err *e) {
    cleanup_buf struct buf b = {0};

    return file_read(path, INPUT_MAX, &b, e) ? -1 : needs_add_report(n, buf_view(&b), e);
}

static int add_this_host(struct needs *n, struct err *e) {
    struct host_cpu cpu;
    struct kds_key key;

    if (host_cpu_read("/proc", &cpu, e) || chip_key_read("/dev/sev", &cpu, &key, e))
        return -1;
    needs_add_chip(n, &key);
    return 0;
}

static int add_hello(struct needs *n, const struct bundle *b, struct err *e) {
    struct hello h = {0};
    int rc = bundle_hello(b, NULL, &h, e);

    if (rc == 0)
        rc = needs_add_report(n, buf_view(&h.report), e);
    if (rc == 0 && h.gpu_error.code[0])
        rc = err_set(e, "bad-gpu", "%s", h.gpu_error.text);
    if (rc == 0)
        rc = needs_add_gpus(n, h.gpu, h.n_gpu, e);
    hello_free(&h);
    return rc;
}

static int add_bundle(struct needs *n, const char *path, struct err *e) {
    cleanup_buf struct buf json = {0};
    struct bundle b = {0};
    int rc = file_read(path, BUNDLE_MAX, &json, e) || bundle_parse(buf_view(&json), &b, e)
                 ? -1
                 : add_hello(n, &b, e);

    bundle_free(&b);
    return rc;
}

static int add_all(struct needs *n, const struct settings *s, struct err *e) {
    return (s->this_host && add_this_host(n, e)) || (s->report && add_report(n, s->report, e)) ||
                   (s->gpu_report && add_pair(n, s, e)) ||
                   (s->gpu_list && add_list(n, s->gpu_list, e)) ||
                   (s->bundle && add_bundle(n, s->bundle, e))
               ? -1
               : 0;
}

/* --- acts --- */

static int list(const struct needs *n, bool all) {
    bool missing = false;

    for (size_t i = 0; i < needs_count(n); i++) {
        const struct need *d = needs_at(n, i);
        cleanup_buf struct buf post = {0};
        cleanup_free char *what = text_safe_new(view_str(d->what), TEXT_LINE, NEED_WHAT);
        cleanup_free char *why = text_safe_new(view_str(d->why.text), TEXT_LINE, 400);

        missing |= !d->have && !d->optional;
        if (d->have && !all)
            continue;
        base64_encode(d->post, &post);
        printf("%s\t%s\t%s\t%s\t%s\t%s\n", d->file, d->optional ? "optional" : "required", d->url,
               post.n ? (const char *)post.p : "-", what,
               d->have          ? "here"
               : d->why.code[0] ? why
                                : "absent");
    }
    return missing ? 3 : 0;
}

static int keep(struct needs *n, const struct settings *s, struct err *e) {
    cleanup_buf struct buf b = {0};

    if (file_read(s->answer, NEED_ANSWER_MAX, &b, e))
        return -1;
    return needs_keep(n, s->keep, buf_view(&b), e);
}

static const char *wrong(const struct settings *s, size_t n_words) {
    if (n_words)
        return "it takes no words but options";
    if (!s->this_host && !s->report && !s->gpu_report && !s->gpu_list && !s->bundle)
        return "of which machine? --this-host, --bundle, --snp-report, --gpu-report or "
               "--gpu-evidence";
    if (!s->gpu_report != !s->gpu_chain)
        return "--gpu-report and --gpu-chain go together";
    return !s->keep != !s->answer ? "--keep and --answer go together" : NULL;
}

static int exit_code(const struct err *e) {
    static const struct {
        const char *code;
        int exit;
    } codes[] = {{"bad-answer", 1},
                 {"no-need", 1},
                 {"no-vcek", EX_DATAERR},
                 {"no-sev", EX_UNAVAILABLE},
                 {"no-cpuinfo", EX_UNAVAILABLE},
                 {"bad-gpu", EX_DATAERR},
                 {"bad-config", EX_USAGE},
                 {"usage", EX_USAGE}};

    for (size_t i = 0; i < COUNT(codes); i++)
        if (!strcmp(e->code, codes[i].code))
            return codes[i].exit;
    return !strncmp(e->code, "bad-", 4) ? EX_DATAERR : EX_NOINPUT;
}

static int run(const struct settings *s, int64_t at, struct err *e) {
    cleanup_free char *usual = s->cache ? NULL : conf_path(CONF_CACHE, "collateral", e);
    struct needs *n = s->cache || usual ? needs_new(s->cache ? s->cache : usual, at) : NULL;
    int rc = n ? add_all(n, s, e) : -1;

    if (rc == 0)
        rc = s->keep ? keep(n, s, e) : list(n, s->all);
    needs_free(n);
    return rc;
}

int cli_collateral(int argc, char **argv) {
    struct settings s = {0};
    int64_t at = unix_now();
    size_t n_words = 0;
    struct err e = {0};
    int rc = options_read(keys, COUNT(keys), argc, argv, &s, &n_words, &e);

    if (rc == 1) {
        usage(stdout);
        rc = 0;
    } else if (rc == 0 && (wrong(&s, n_words) || (s.at && !time_read(s.at, &at))))
        rc = err_set(&e, "usage", "%s (cdvm collateral --help)",
                     wrong(&s, n_words) ? wrong(&s, n_words)
                                        : "--at is not a time like 2026-11-22T10:00:00Z");
    else if (rc == 0)
        rc = run(&s, at, &e);
    if (rc < 0) {
        fprintf(stderr, "cdvm collateral: %s\n", e.text);
        rc = exit_code(&e);
    }
    conf_free(keys, COUNT(keys), &s);
    return rc;
}
