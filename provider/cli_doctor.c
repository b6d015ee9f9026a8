/* cdvm doctor: is this host able to run confidential guests, and if not, what to do? Of a log: what
 * do its lines mean? */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli.h"
#include "confargs.h"
#include "core/log.h"
#include "core/text.h"
#include "doctor.h"
#include "vm_fault.h"

/* The provider's settings and three more, in one table. */
struct settings {
    struct provider_conf provider; /* first: its keys' offsets hold */
    char *root, *explain;
    bool json;
};
#define AT(field) offsetof(struct settings, field)
static const struct conf_key own_keys[] = {
    {"json", CONF_BOOL, AT(json), 0, 0, NULL, "one JSON object"},
    {"root", CONF_STRING, AT(root), 0, 0, NULL, "DIR: a folder that describes another machine"},
    {"explain", CONF_STRING, AT(explain), 0, 0, NULL,
     "FILE: a log of QEMU, a kernel or NVIDIA's driver; what its lines mean"},
};
/* Of the provider's keys, those that change an answer. */
static const char *const heeded[] = {"relay", "run-relay", "image",  "state",    "gpu",
                                     "qemu",  "slots",     "memory", "vcpu-type"};

static void print_usage(FILE *to) {
    fputs(
        "usage: cdvm doctor [--json] [--root DIR] [OPTION OF cdvm provider]...\n"
        "       cdvm doctor --explain FILE      (- reads standard input)\n\n"
        "Says what this host has and lacks to run confidential guests: each requirement with\n"
        "what was found, why it matters and how to mend it. Changes nothing. Exit status: 0 able;\n"
        "1 not able; 2 able, but not with its GPU; 3 something required could not be checked;\n"
        "of --explain 0 a line is known, 1 none is.\n\n",
        to);
    for (size_t i = 0; i < COUNT(own_keys); i++)
        fprintf(to, "  --%-12s %s\n", own_keys[i].name, own_keys[i].help);
    for (size_t i = 0; i < n_provider_keys; i++)
        for (size_t k = 0; k < COUNT(heeded); k++)
            if (!strcmp(provider_keys[i].name, heeded[k]))
                fprintf(to, "  --%-12s %s\n", provider_keys[i].name, provider_keys[i].help);
    fputs("  --config FILE  instead of provider.conf in the configuration folder\n"
          "  -h, --help     this text\n\n"
          "Settings are those of the provider: what provider.conf says holds here as well.\n",
          to);
}

static int read_settings(struct settings *s, int argc, char **argv, struct err *e) {
    struct conf_key keys[CONFARGS_MAX];
    const struct confargs a = {keys, n_provider_keys + COUNT(own_keys), "provider.conf"};

    memcpy(keys, provider_keys, n_provider_keys * sizeof *keys);
    memcpy(keys + n_provider_keys, own_keys, sizeof own_keys);
    provider_conf_defaults(&s->provider);
    return confargs_read(&a, argc, argv, s, e);
}

/* --- progress: one line on a terminal, written over --- */

static bool is_terminal(int fd) {
    const char *term = getenv("TERM");

    return isatty(fd) && term && *term && strcmp(term, "dumb") != 0;
}

static void on_slow(void *arg, const char *what) {
    (void)arg;
    fprintf(stderr, "\r\033[Klooking at %s", what);
}

static void end_progress(bool live) {
    if (live)
        fputs("\r\033[K", stderr);
}

static bool wants_colour(void) {
    const char *no = getenv("NO_COLOR");

    return is_terminal(STDOUT_FILENO) && !(no && *no);
}

static int examine(const struct settings *s, struct err *e) {
    bool live = is_terminal(STDERR_FILENO);
    const struct host_opts o = {
        .conf = &s->provider, .root = s->root, .slow = live ? on_slow : NULL};
    struct host *h = host_new(&o, e);
    cleanup_buf struct buf out = {0};
    struct doctor d;
    int rc;

    end_progress(live);
    if (!h)
        return -1;
    d = doctor_examine(h);
    if (s->json)
        doctor_json(&d, h, &out);
    else
        doctor_text(&d, h, wants_colour(), &out);
    rc = doctor_exit(&d, h);
    if (fd_write_all(STDOUT_FILENO, buf_view(&out), e) < 0)
        rc = -1;
    doctor_free(&d);
    host_free(h);
    return rc;
}

/* --- a log --- */

#define CAUSES_MAX 64

/* Each cause once, under the first line that shows it. Returns how many. */
static size_t explain_lines(FILE *log) {
    const char *told[CAUSES_MAX];
    char raw[4096];
    size_t n = 0;

    while (n < CAUSES_MAX && fgets(raw, sizeof raw, log)) {
        cleanup_free char *line = text_safe_new(view_str(raw), TEXT_LINE, sizeof raw);
        const struct vm_fault *f = vm_fault(line);
        size_t i = 0;

        while (f && i < n && told[i] != f->means)
            i++;
        if (!f || i < n)
            continue;
        told[n++] = f->means;
        printf("%s\n    %s: %s\n", line, f->code, f->means);
    }
    return n;
}

static int explain(const char *path, struct err *e) {
    FILE *log = strcmp(path, "-") != 0 ? fopen(path, "re") : stdin;
    size_t n;
    int broken;

    if (!log)
        return err_sys(e, errno, "cannot open '%s'", path);
    n = explain_lines(log);
    broken = ferror(log) ? errno : 0;
    if (log != stdin)
        fclose(log);
    if (broken)
        return err_sys(e, broken, "cannot read '%s'", path);
    if (n == 0)
        puts("None of these lines is known. `cdvm doctor` looks at the host itself.");
    return n == 0;
}

static int complain(const struct err *e, int otherwise) {
    fprintf(stderr, "cdvm doctor: %s\n", e->text);
    if (!strcmp(e->code, "usage"))
        return EX_USAGE;
    return !strcmp(e->code, "bad-config") ? EX_CONFIG
           : !strcmp(e->code, "bad-host") ? EX_DATAERR
                                          : otherwise;
}

int cli_doctor(int argc, char **argv) {
    struct settings s = {0};
    struct err e;
    int rc = read_settings(&s, argc, argv, &e), exit_code = 0;

    log_to(STDERR_FILENO, LOG_ERROR, false);
    if (rc == 1)
        print_usage(stdout);
    else if (rc < 0 || (exit_code = s.explain ? explain(s.explain, &e) : examine(&s, &e)) < 0)
        exit_code = complain(&e, s.explain ? EX_NOINPUT : EX_OSERR);
    free(s.root);
    free(s.explain);
    provider_conf_free(&s.provider);
    return exit_code;
}
