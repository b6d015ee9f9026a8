/* `cdvm provider` on a machine that its doctor would refuse: everything else is the program's own.
 * What the doctor closes the gate for is tested with it (doctor.sh). usage: ungated OPTION... */
#include "provider/cli.h"
#include "provider/doctor.h"

int doctor_gate(const struct provider_conf *c, const struct image *image, struct console *out,
                bool *gpu, struct err *e) {
    (void)c, (void)image, (void)out, (void)e;
    *gpu = true;
    return 0;
}

int main(int argc, char **argv) {
    return cli_provider(argc, argv);
}
