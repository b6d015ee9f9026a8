/* The provider's subcommands; conventions as in tui/cli.h. */
#ifndef CDVM_PROVIDER_CLI_H
#define CDVM_PROVIDER_CLI_H

int cli_provider(int argc, char **argv);   /* cdvm provider     publish offers, run guests */
int cli_relay(int argc, char **argv);      /* cdvm relay        embedded relay and blob store */
int cli_broker(int argc, char **argv);     /* cdvm broker       keys of sealed models */
int cli_collateral(int argc, char **argv); /* cdvm collateral   what is signed about machines */
int cli_doctor(int argc, char **argv);     /* cdvm doctor       what this host has and lacks */
int cli_image(int argc, char **argv);      /* cdvm image        manifests of guest images */

#endif
