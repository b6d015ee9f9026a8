/* The tables of keys and commands for other programs: cdvm(1) is made of them. */
#ifndef CDVM_CLI_KEYS_H
#define CDVM_CLI_KEYS_H

void cli_keys_list(void); /* to standard output */

#endif
