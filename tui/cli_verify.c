#include "cli_verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "attest/checks.h"
#include "attest/evidence.h"
#include "attest/snp_cert.h"
#include "cli_tree.h"
#include "core/cli_option.h"
#include "core/enc.h"
#include "core/loop.h"
#include "verify_files.h"
#include "verify_gpu.h"

static const char help[] =
    "usage: cdvm verify BUNDLE.json [OPTION]...\n"
    "       cdvm verify --snp-report FILE --vek FILE [--ask FILE] [--ark FILE] [OPTION]...\n"
    "       cdvm verify --gpu-report FILE --gpu-chain FILE [OPTION]...\n"
    "       cdvm verify --gpu-evidence LIST.json [OPTION]...\n"
    "       cdvm verify --list-checks\n\n"
    "Checks saved evidence, one SEV-SNP report or GPUs' reports, offline. Certificates are DER or\n"
    "PEM.\n\n"
    "  --cert-table FILE    certificate table of the extended report\n"
    "  --crl FILE           revocation list; may be given four times, of GPUs eight times\n"
    "  --nonce HEX          the 64 bytes of report data that you asked for\n"
    "  --measurement HEX    the launch digest that you expect (see cdvm measure)\n"
    "  --gpu-report FILE    report of a GPU or NVSwitch\n"
    "  --gpu-chain FILE     its five certificates in PEM, its own first\n"
    "  --gpu-evidence FILE  instead of both, a list of devices in JSON\n"
    "  --gpu-nonce HEX      the 32 bytes that the reports must carry\n"
    "  --rim FILE           NVIDIA's reference values, XML; may be given eight times\n"
    "  --ocsp FILE          OCSP answer on a certificate of NVIDIA's, DER; up to 64 times\n"
    "  --policy P           standard (default), strict, demo, or a policy file\n"
    "  --vmpl N             privilege level that must have asked (default 0)\n"
    "  --allow-v2           take reports of version 2\n"
    "  --allow-vlek         take a cloud's key instead of the chip's\n"
    "  --allow-milan        take Milan processors; stays a warning\n"
    "  --allow-no-fwid      take GPU reports that do not name their firmware; stays a warning\n"
    "  --at TIME            judge as of this time (RFC 3339), not now\n"
    "  --fetch              ask AMD's key server for missing certificates; nothing else here\n"
    "                       uses the network\n"
    "  --diff OTHER.json    what changed from BUNDLE.json to OTHER.json; exit as for OTHER.json\n"
    "  --evidence           also print every byte of the evidence by its name\n"
    "  --message FILE       also check one disclosed message against the receipt\n"
    "  --disclose FILE      FILE is one message (rumor) of the job: print it with the proof that\n"
    "                       the receipt covers it, for --message\n"
    "  --json               one JSON object instead of lines\n\n"
    "A bundle with an acceptance is judged as of then, by the customer's own clock, and as of "
    "now;\n"
    "the exit code is the worse of the two.\n"
    "Exit: 0 PASS, 1 FAIL, 2 WARN, 3 NOT CHECKED, 64 usage, 65 and 66 unreadable input.\n";

enum {
    OPT_V2 = 256,
    OPT_VLEK,
    OPT_MILAN,
    OPT_NO_FWID,
    OPT_JSON,
    OPT_LIST,
    OPT_HELP,
    OPT_FETCH,
    OPT_EVIDENCE,
    OPT_TEST_ROOT
};

static int usage(const char *why) {
    fprintf(stderr, "cdvm verify: %s (cdvm verify --help)\n", why);
    return EX_USAGE;
}

int verify_failed(const struct err *e, int code) {
    fprintf(stderr, "cdvm verify: %s\n", e->text);
    return code;
}

static bool take_flag(struct verify_args *a, int c) {
    const struct {
        int c;
        bool *to;
    } flags[] = {{OPT_V2, &a->allow_v2},       {OPT_VLEK, &a->allow_vlek},
                 {OPT_MILAN, &a->allow_milan}, {OPT_NO_FWID, &a->allow_no_fwid},
                 {OPT_JSON, &a->json},         {OPT_LIST, &a->list},
                 {OPT_HELP, &a->help},         {OPT_FETCH, &a->fetch},
                 {OPT_EVIDENCE, &a->evidence}};

    for (size_t i = 0; i < COUNT(flags); i++)
        if (flags[i].c == c) {
            *flags[i].to = true;
            return true;
        }
    return false;
}

static bool take_text(struct verify_args *a, int c, const char *value) {
    const struct {
        int c;
        const char **to;
    } texts[] = {{'r', &a->report},      {'v', &a->vek},        {'s', &a->ask},
                 {'k', &a->ark},         {'t', &a->table},      {'n', &a->nonce},
                 {'m', &a->measurement}, {'p', &a->policy},     {'l', &a->vmpl},
                 {'a', &a->at},          {'d', &a->diff},       {'M', &a->message},
                 {'D', &a->disclose},    {'G', &a->gpu_report}, {'C', &a->gpu_chain},
                 {'E', &a->gpu_list},    {'N', &a->gpu_nonce}};

    for (size_t i = 0; i < COUNT(texts); i++)
        if (texts[i].c == c) {
            *texts[i].to = value;
            return true;
        }
    return false;
}

/* Those that may be given several times. */
static bool take_more(struct verify_args *a, int c, const char *value) {
    const struct {
        int c;
        const char **to;
        size_t *n, max;
    } lists[] = {{'c', a->crl, &a->n_crl, COUNT(a->crl)},
                 {'R', a->rim, &a->n_rim, COUNT(a->rim)},
                 {'O', a->ocsp, &a->n_ocsp, COUNT(a->ocsp)}};

    for (size_t i = 0; i < COUNT(lists); i++)
        if (lists[i].c == c && *lists[i].n < lists[i].max) {
            lists[i].to[(*lists[i].n)++] = value;
            return true;
        }
    return false;
}

static int args_read(int argc, char **argv, struct verify_args *a, struct err *e) {
    static const struct option options[] = {{"snp-report", 1, NULL, 'r'},
                                            {"vek", 1, NULL, 'v'},
                                            {"ask", 1, NULL, 's'},
                                            {"ark", 1, NULL, 'k'},
                                            {"cert-table", 1, NULL, 't'},
                                            {"crl", 1, NULL, 'c'},
                                            {"nonce", 1, NULL, 'n'},
                                            {"measurement", 1, NULL, 'm'},
                                            {"policy", 1, NULL, 'p'},
                                            {"vmpl", 1, NULL, 'l'},
                                            {"at", 1, NULL, 'a'},
                                            {"diff", 1, NULL, 'd'},
                                            {"message", 1, NULL, 'M'},
                                            {"disclose", 1, NULL, 'D'},
                                            {"gpu-report", 1, NULL, 'G'},
                                            {"gpu-chain", 1, NULL, 'C'},
                                            {"gpu-evidence", 1, NULL, 'E'},
                                            {"gpu-nonce", 1, NULL, 'N'},
                                            {"rim", 1, NULL, 'R'},
                                            {"ocsp", 1, NULL, 'O'},
                                            {"allow-no-fwid", 0, NULL, OPT_NO_FWID},
                                            {"fetch", 0, NULL, OPT_FETCH},
                                            {"evidence", 0, NULL, OPT_EVIDENCE},
                                            {"allow-v2", 0, NULL, OPT_V2},
                                            {"allow-vlek", 0, NULL, OPT_VLEK},
                                            {"allow-milan", 0, NULL, OPT_MILAN},
                                            {"json", 0, NULL, OPT_JSON},
                                            {"list-checks", 0, NULL, OPT_LIST},
                                            {"help", 0, NULL, OPT_HELP},
#ifdef CDVM_TEST_ROOTS
                                            {"test-root", 1, NULL, OPT_TEST_ROOT},
#endif
                                            {0}};
    int c;

    *a = (struct verify_args){.policy = "standard"};
    optind = 1;
    while ((c = cli_option(argc, argv, CLI_WORDS_ANYWHERE, options, NULL, e)) != -1) {
        if (c == '?')
            return -1;
#ifdef CDVM_TEST_ROOTS
        if (c == OPT_TEST_ROOT && verify_test_root(optarg))
            continue;
#endif
        if (!take_flag(a, c) && !take_text(a, c, optarg) && !take_more(a, c, optarg))
            return err_set(e, "usage", "an option is given too often");
    }
    a->bundle = optind < argc ? argv[optind] : NULL;
    return optind >= argc - 1 ? 0 : err_set(e, "usage", "one saved bundle at a time");
}

static int policy_read(const struct verify_args *a, struct policy *p, struct err *e) {
    cleanup_buf struct buf text = {0};
    enum policy_profile profile;

    if (policy_profile_named(a->policy, &profile))
        policy_preset(p, profile);
    else if (file_read(a->policy, POLICY_FILE_MAX, &text, e) || policy_parse(p, buf_view(&text), e))
        return err_wrap(e, "policy '%s'", a->policy);
    p->allow_v2 |= a->allow_v2;
    p->allow_vlek |= a->allow_vlek;
    p->allow_milan |= a->allow_milan;
    p->allow_no_fwid |= a->allow_no_fwid;
    if (!a->vmpl)
        return 0;
    if (a->vmpl[0] < '0' || a->vmpl[0] > '3' || a->vmpl[1])
        return err_set(e, "usage", "--vmpl '%.20s' is not 0, 1, 2 or 3", a->vmpl);
    p->vmpl = (uint32_t)(a->vmpl[0] - '0');
    return 0;
}

/* "2026-11-22" or "2026-11-22T10:00:00Z" */
static bool time_read(const char *s, int64_t *out) {
    struct tm tm = {0};
    const char *end = strptime(s, "%Y-%m-%d", &tm);

    if (end && *end)
        end = strptime(end, "T%H:%M:%SZ", &tm);
    *out = timegm(&tm);
    return end && !*end;
}

static int print_verdict(const struct verdict *v, bool json) {
    cleanup_buf struct buf out = {0};

    if (json) {
        verdict_json(v, &out);
        buf_str(&out, "\n");
    } else
        verdict_text(v, &out);
    fwrite(out.p, 1, out.n, stdout);
    return verdict_exit_code(v);
}

static int list_checks(void) {
    for (size_t i = 0; i < CK_COUNT; i++) {
        const struct check_row *r = &check_table[i];

        if (check_is_group((enum check_id)i))
            printf("%s\n    %s. %s\n", r->id, r->title, r->stops);
        else
            printf("%s  standard %s, strict %s, demo %s; source %s%s\n    %s. %s\n", r->id,
                   requirement_name(r->need[POLICY_STANDARD]),
                   requirement_name(r->need[POLICY_STRICT]), requirement_name(r->need[POLICY_DEMO]),
                   check_source_name(r->source), r->fixed ? "; fixed" : "", r->title, r->stops);
    }
    return 0;
}

static cli_fetch_fn *fetcher;

void cli_verify_fetcher(cli_fetch_fn *fn) {
    fetcher = fn;
}

void verify_fetch(const struct verify_args *a, struct view report, struct collateral *out) {
    struct err e = {0};
    int rc = 0;

    *out = (struct collateral){0};
    if (!a->fetch)
        return;
    fputs(
        "cdvm verify: asking AMD's key server for what is not in the cache; it wants 10 s between "
        "questions\n",
        stderr);
    if (fetcher)
        rc = fetcher(report, out, &e);
    else
        rc = err_set(&e, "no-network", "this program cannot fetch anything");
    if (rc || e.code[0])
        fprintf(stderr, "cdvm verify: %s\n", e.text);
}

static void fill(struct view *v, const struct buf *b) {
    if (!v->n)
        *v = buf_view(b);
}

/* What the files did not bring. */
static void collateral_fill(struct snp_collateral *c, const struct collateral *more) {
    fill(&c->vek, &more->vek);
    fill(&c->ask, &more->ask);
    fill(&c->ark, &more->ark);
    if (more->crl.n && c->n_crl < COLLATERAL_CRLS)
        c->crl[c->n_crl++] = buf_view(&more->crl);
}

static int verify_report(const struct verify_args *a, const struct policy *p, const struct trust *t,
                         int64_t now) {
    struct collateral more;
    struct report_files f;
    struct verdict *v;
    struct err e;
    int rc;

    if (report_files_read(&f,
                          &(struct report_paths){a->report, a->vek, a->ask, a->ark, a->table,
                                                 a->crl, a->n_crl, a->nonce, a->measurement},
                          &e)) {
        report_files_free(&f);
        return verify_failed(&e, !strcmp(e.code, "usage") ? EX_USAGE : EX_NOINPUT);
    }
    verify_fetch(a, buf_view(&f.report), &more);
    collateral_fill(&f.collateral, &more);
    f.expect.sim_roots = (const uint8_t(*)[32])t->sim_root;
    f.expect.n_sim_roots = t->n_sim_roots;
    v = evidence_verify_report(buf_view(&f.report), &f.collateral, &f.expect, p, now);
    rc = print_verdict(v, a->json);
    verdict_free(v);
    collateral_free(&more);
    report_files_free(&f);
    return rc;
}

static bool gpu_alone(const struct verify_args *a) {
    return a->gpu_report || a->gpu_chain || a->gpu_list;
}

static int verify_gpus(const struct verify_args *a, const struct policy *p, int64_t now) {
    const struct gpu_paths paths = {a->gpu_report, a->gpu_chain, a->gpu_list, a->gpu_nonce,
                                    a->rim,        a->ocsp,      a->crl,      a->n_rim,
                                    a->n_ocsp,     a->n_crl};
    struct err e;
    struct verdict *v = verify_gpu(&paths, p, now, &e);
    int rc;

    if (!v)
        return verify_failed(&e, !strcmp(e.code, "usage")      ? EX_USAGE
                                 : !strncmp(e.code, "bad-", 4) ? EX_DATAERR
                                                               : EX_NOINPUT);
    rc = print_verdict(v, a->json);
    verdict_free(v);
    return rc;
}

static const char *gpu_args_wrong(const struct verify_args *a) {
    if (!a->gpu_list == !(a->gpu_report && a->gpu_chain))
        return "give --gpu-report and --gpu-chain, or --gpu-evidence";
    if (a->gpu_list && (a->gpu_report || a->gpu_chain))
        return "--gpu-evidence stands for --gpu-report and --gpu-chain";
    if (a->bundle || a->report || a->vek || a->ask || a->ark || a->table || a->nonce ||
        a->measurement || a->diff || a->message || a->disclose || a->evidence || a->fetch)
        return "GPUs are judged by themselves here: a saved bundle has them beside their guest";
    return NULL;
}

static const char *args_wrong(const struct verify_args *a) {
    if (gpu_alone(a) || a->gpu_nonce || a->n_rim || a->n_ocsp)
        return gpu_args_wrong(a);
    if (!a->bundle == !a->report)
        return "give either a saved bundle or --snp-report";
    if (a->bundle &&
        (a->vek || a->ask || a->ark || a->table || a->n_crl || a->nonce || a->measurement))
        return "a bundle brings its own certificates and expectations";
    if (a->n_crl > COLLATERAL_CRLS)
        return "--crl may be given four times here";
    if (!a->bundle && (a->diff || a->message || a->disclose || a->evidence))
        return "--diff, --evidence, --message and --disclose go with a saved bundle";
    if (!!a->diff + !!a->message + !!a->disclose > 1)
        return "--diff, --message and --disclose exclude each other";
    return NULL;
}

int cli_verify(int argc, char **argv) {
    struct verify_args a;
    struct policy p;
    struct trust t;
    struct err e;
    int64_t now = unix_now();
    int rc;

    if (args_read(argc, argv, &a, &e))
        return usage(e.text);
    if (a.help) {
        fputs(help, stdout);
        return 0;
    }
    if (a.list)
        return list_checks();
    if (args_wrong(&a))
        return usage(args_wrong(&a));
    if (a.at && !time_read(a.at, &now))
        return usage("--at is not a time like 2026-11-22T10:00:00Z");
    if (policy_read(&a, &p, &e))
        return verify_failed(&e, EX_USAGE);
    if (trust_load(&t, p.profile == POLICY_DEMO, &e))
        return verify_failed(&e, EX_CONFIG);
    if (gpu_alone(&a))
        rc = verify_gpus(&a, &p, now);
    else
        rc = a.report ? verify_report(&a, &p, &t, now) : verify_saved(&a, &p, &t, now);
    trust_free(&t);
    return rc;
}
