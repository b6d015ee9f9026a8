/* cdvm provider: publish offers, run one sealed guest per job. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli.h"
#include "cli_argv.h"
#include "cli_gpus.h"
#include "core/log.h"
#include "core/secret.h"
#include "provider.h"

static void print_usage(FILE *to) {
    fputs("usage: cdvm provider [OPTION]...\n\n"
          "Publishes offers, takes jobs, runs one sealed guest per job, and destroys it.\n"
          "With the backend `snp` guests are confidential: AMD's processor signs what runs, and a\n"
          "GPU may go along. With `sim` everything is real but the processor: all of it is marked\n"
          "SIMULATED, and customers refuse it unless they ask for `--policy demo`.\n\n",
          to);
    for (size_t i = 0; i < n_provider_keys; i++)
        fprintf(to, "  --%-12s %s\n", provider_keys[i].name, provider_keys[i].help);
    fputs("  --config FILE  instead of provider.conf in the configuration folder\n"
          "  -h, --help     this text\n\n"
          "The same names stand in provider.conf as `name = value`. SIGINT ends all guests and\n"
          "then the program; a second SIGINT does not wait for them.\n",
          to);
}

static int exit_code(const struct err *e) {
    static const struct {
        const char *code;
        int exit;
    } codes[] = {{"usage", EX_USAGE},
                 {"bad-config", EX_CONFIG},
                 {"locked", EX_TEMPFAIL},
                 {"bad-image", EX_DATAERR},
                 {"bad-volume", EX_DATAERR},
                 {"bad-template", EX_CONFIG},
                 {"unsafe-key", EX_NOPERM},
                 {"no-qemu", EX_UNAVAILABLE},
                 {"no-kvm", EX_UNAVAILABLE},
                 {"old-qemu", EX_UNAVAILABLE},
                 {"no-snp", EX_UNAVAILABLE},
                 {"no-gpu", EX_UNAVAILABLE},
                 {"unfit-host", EX_UNAVAILABLE},
                 {"gpu-unfit", EX_UNAVAILABLE},
                 {"gpu-bind", EX_UNAVAILABLE},
                 {"gpu-in-use", EX_TEMPFAIL},
                 {"wrong-cpu", EX_UNAVAILABLE},
                 {"no-iommufd", EX_UNAVAILABLE},
                 {"memlock", EX_UNAVAILABLE},
                 {"gpu-leased", EX_TEMPFAIL},
                 {"gpu-quarantined", EX_UNAVAILABLE}};

    for (size_t i = 0; i < COUNT(codes); i++)
        if (!strcmp(e->code, codes[i].code))
            return codes[i].exit;
    return EX_OSERR;
}

static int complain(const struct err *e) {
    fprintf(stderr, "cdvm provider: %s\n", e->text);
    return exit_code(e);
}

static void on_signal(void *arg, int sig) {
    (void)sig;
    provider_stop(arg);
}

static int serve(const struct provider_conf *c, struct loop *l, struct ws_net *net,
                 struct http *http, struct console *out, struct err *e) {
    struct provider *p = provider_new(c, net, http, out, e);

    if (!p)
        return -1;
    loop_signal(l, SIGINT, on_signal, p);
    loop_signal(l, SIGTERM, on_signal, p);
    loop_signal(l, SIGHUP, on_signal, p);
    loop_run(l);
    provider_free(p);
    console_say(out, "stopped");
    return 0;
}

static int run(const struct provider_conf *c, struct err *e) {
    struct loop *l = loop_new(e);
    struct ws_net *net = l ? ws_net_new(l, e) : NULL;
    struct http *http = net ? http_new(l, e) : NULL;
    struct console *out = console_new(STDOUT_FILENO, !strcmp(c->backend, "sim"), c->quiet);
    int rc = http ? serve(c, l, net, http, out, e) : -1;

    console_free(out);
    http_free(http);
    ws_net_free(net);
    loop_free(l);
    return rc;
}

/* Of what runs no guest, the first that was asked for; else the provider itself. */
static int do_it(const struct provider_conf *c, struct err *e) {
    if (c->list_gpus)
        return gpus_print(&gpu_host, e);
    if (c->clear_gpu)
        return gpus_clear(&gpu_host, c->clear_gpu, e);
    if (provider_conf_check(c, e) < 0)
        return -1;
    return c->print_argv ? argv_print(c, e) : run(c, e);
}

int cli_provider(int argc, char **argv) {
    struct provider_conf c;
    struct err e;
    int rc = provider_conf_read(&c, argc, argv, &e);

    log_to(STDERR_FILENO, LOG_WARN, true);
    signal(SIGPIPE, SIG_IGN);
    if (rc == 1)
        print_usage(stdout);
    else if (rc == 0)
        rc = do_it(&c, &e);
    provider_conf_free(&c);
    if (rc >= 0)
        return 0;
    return complain(&e);
}
