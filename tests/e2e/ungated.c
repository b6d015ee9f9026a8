/* `cdvm provider` on a machine that its doctor would refuse, and whose memory may be locked:
 * everything else is the program's own. What the doctor closes the gate for is tested with it.
 * usage: ungated OPTION... */
#include <sys/resource.h>

#include "provider/cli.h"
#include "provider/doctor.h"

int doctor_gate(const struct provider_conf *c, const struct image *image, struct console *out,
                bool *gpu, struct err *e) {
    (void)c, (void)image, (void)out, (void)e;
    *gpu = true;
    return 0;
}

/* In front of the C library's: containers of test machines may not raise this one limit. */
int getrlimit(__rlimit_resource_t what, struct rlimit *out) {
    int rc = prlimit(0, what, NULL, out);

    if (what == RLIMIT_MEMLOCK)
        out->rlim_max = RLIM_INFINITY;
    return rc;
}

int setrlimit(__rlimit_resource_t what, const struct rlimit *in) {
    return what == RLIMIT_MEMLOCK ? 0 : prlimit(0, what, in, NULL);
}

int main(int argc, char **argv) {
    return cli_provider(argc, argv);
}
