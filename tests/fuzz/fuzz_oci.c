/* An OCI image's three texts: index, manifest, configuration. The first byte says which. */
#include "provider/oci.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct oci_image m = {0};
    struct oci_blob b;
    bool nested;

    if (!size)
        return 0;
    m.n_layers = 0;
    switch (data[0] % 3) {
    case 0:
        (void)!oci_pick(view_of(data + 1, size - 1), NULL, &b, &nested, NULL);
        (void)!oci_pick(view_of(data + 1, size - 1), "name", &b, &nested, NULL);
        break;
    case 1:
        (void)!oci_take_manifest(view_of(data + 1, size - 1), &m, NULL);
        break;
    default:
        (void)!oci_take_config(view_of(data + 1, size - 1), &m, NULL);
    }
    oci_free(&m);
    return 0;
}
