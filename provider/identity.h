/* The provider's long-term key, one line in a file of mode 0600: nsec1... or 64 hex digits. */
#ifndef CDVM_IDENTITY_H
#define CDVM_IDENTITY_H

#include "core/key.h"

/* Reads the key, or makes one and writes it when there is no file. A file that others may read is
 * refused ("unsafe-key"). NULL on error. */
struct keypair *identity_open(const char *path, struct err *e);

#endif
