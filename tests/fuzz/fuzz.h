/* What every fuzzer shares: a property that does not hold is a crash. */
#ifndef CDVM_FUZZ_H
#define CDVM_FUZZ_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(cond)                                                                                 \
    do                                                                                             \
        if (!(cond))                                                                               \
            abort();                                                                               \
    while (0)

#endif
