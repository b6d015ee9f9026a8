/* A key made of what a person can remember: NFKC (so that every keyboard's "é" is one), then scrypt
 * with r = 8, p = 1 and N = 2^log_n. It needs 2^log_n KiB of memory and blocks for as long as that
 * takes: 64 MiB and some 0.2 s at log_n 16. */
#ifndef CDVM_PASSPHRASE_H
#define CDVM_PASSPHRASE_H

#include "secret.h"

#define PASSPHRASE_MAX 1024     /* bytes of UTF-8, before NFKC */
#define PASSPHRASE_LOG_N 16     /* what is written */
#define PASSPHRASE_LOG_N_MAX 20 /* what is read: 1 GiB */
#define PASSPHRASE_SALT 16

/* 32 bytes, owned; NULL on error: "bad-passphrase" (not UTF-8, too long), "too-costly" (log_n). */
struct secret *passphrase_key(struct view passphrase, const uint8_t salt[static PASSPHRASE_SALT],
                              unsigned log_n, struct err *e);

#endif
