/* A key of the test's own, for a whole group of tests. */
#ifndef CDVM_UNIT_OWN_KEY_H
#define CDVM_UNIT_OWN_KEY_H

#include "core/key.h"
#include "tests/unit/unit.h"

static struct keypair *k;

static int open_key(void **state) {
    (void)state;
    k = keypair_new();
    return 0;
}

static int close_key(void **state) {
    (void)state;
    keypair_free(k);
    return 0;
}

#endif
