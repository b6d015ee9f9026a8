/* The customer's subcommands. Each takes argv with its own name first, prints its own help, and
 * returns the process's exit code: 0 pass/ok, 1 fail, 2 warn, 3 not checked, 64 usage, other
 * sysexits. */
#ifndef CDVM_TUI_CLI_H
#define CDVM_TUI_CLI_H

#include "core/collateral.h"

int cli_tui(int argc, char **argv);     /* cdvm              the ncurses program */
int cli_ask(int argc, char **argv);     /* cdvm ask          one job without a screen */
int cli_offers(int argc, char **argv);  /* cdvm offers       list offers */
int cli_verify(int argc, char **argv);  /* cdvm verify       check evidence offline */
int cli_measure(int argc, char **argv); /* cdvm measure      recompute a launch digest */

/* How `cdvm verify --fetch` gets certificates: main.c says, because the code that verifies knows no
 * network. -1 when none came; collateral_free(out) in any case. */
typedef int cli_fetch_fn(struct view report, struct collateral *out, struct err *e);
void cli_verify_fetcher(cli_fetch_fn *fn);

#endif
