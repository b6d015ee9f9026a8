/* `cdvm verify` and `cdvm broker` with --test-root FILE, which takes FILE for AMD's root: for
 * synthetic PKI in tests. The option and the code behind it are compiled into this program and into
 * no other. */
#include <string.h>

#include "core/secret.h"
#include "provider/cli.h"
#include "tui/cli.h"

int main(int argc, char **argv) {
    process_harden();
    if (argc > 1 && !strcmp(argv[1], "broker"))
        return cli_broker(argc - 1, argv + 1);
    return cli_verify(argc, argv);
}
