/* cdvm: one binary, one table of subcommands. The only file that sees both tui/ and provider/. */
#include <stdio.h>
#include <string.h>

#include "core/bytes.h"
#include "core/secret.h"
#include "provider/cli.h"
#include "provider/kds.h"
#include "tui/cli.h"

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *does;
};

static const struct command commands[] = {
    {"tui", cli_tui, "browse offers and run confidential jobs (the default)"},
    {"ask", cli_ask, "run one job without a screen: question in, answer and files out"},
    {"offers", cli_offers, "list the offers on your relays"},
    {"verify", cli_verify, "check evidence or a saved bundle, offline"},
    {"measure", cli_measure, "recompute the launch digest of a guest"},
    {"provider", cli_provider, "publish offers and run one sealed guest per job"},
    {"doctor", cli_doctor, "say what this host has and lacks to run confidential guests"},
    {"relay", cli_relay, "run the embedded relay and blob store"},
    {"broker", cli_broker, "give the keys of sealed models to the guests on your list"},
    {"collateral", cli_collateral, "what AMD and NVIDIA sign about machines, in the cache"},
    {"image", cli_image, "build, pack, inspect and endorse guest images"},
};

static void print_help(FILE *to) {
    fputs("usage: cdvm [COMMAND] [OPTION]...\n\n"
          "Rent a sealed computer over Nostr, check by its own CPU's signature that it is sealed,\n"
          "and only then send it your data.\n\n",
          to);
    for (size_t i = 0; i < COUNT(commands); i++)
        fprintf(to, "  cdvm %-10s %s\n", commands[i].name, commands[i].does);
    fputs("\n`cdvm COMMAND --help` explains each. `make demo` shows the whole story.\n", to);
}

int main(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "tui";

    process_harden();
    cli_verify_fetcher(kds_fetch);
    if (argc > 1 && (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help"))) {
        print_help(stdout);
        return 0;
    }
    if (argc > 1 && name[0] == '-')
        return cli_tui(argc, argv);
    for (size_t i = 0; i < COUNT(commands); i++)
        if (!strcmp(commands[i].name, name))
            return argc > 1 ? commands[i].run(argc - 1, argv + 1) : commands[i].run(argc, argv);
    fprintf(stderr, "cdvm: there is no command '%s'; `cdvm --help` lists them\n", name);
    return 64;
}
