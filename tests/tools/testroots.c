/* `cdvm verify` with --test-root FILE, which takes FILE for AMD's root: for synthetic PKI in tests.
 * The option and the code behind it are compiled into this program and into no other. */
#include "tui/cli.h"

int main(int argc, char **argv) {
    return cli_verify(argc, argv);
}
