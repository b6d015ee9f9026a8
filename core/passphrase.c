#include "passphrase.h"

#include <openssl/evp.h>
#include <utf8proc.h>

#include "text.h"

#define BLOCK 8u /* scrypt's r */
#define KEY_LEN 32
#define SLACK ((uint64_t)1 << 20) /* what scrypt needs beside its N blocks */

static const utf8proc_option_t NFKC = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT;

/* In locked memory from end to end; *n gets the bytes of the result. NULL: not UTF-8. */
static struct secret *normalised(struct view text, size_t *n) {
    utf8proc_ssize_t points = utf8proc_decompose(text.p, (utf8proc_ssize_t)text.n, NULL, 0, NFKC),
                     bytes;
    struct secret *s;

    if (points < 0)
        return NULL;
    s = secret_new(((size_t)points + 1) * sizeof(utf8proc_int32_t));
    (void)utf8proc_decompose(text.p, (utf8proc_ssize_t)text.n, (void *)secret_edit(s), points,
                             NFKC);
    bytes = utf8proc_reencode((void *)secret_edit(s), points, NFKC);
    *n = bytes > 0 ? (size_t)bytes : 0;
    if (bytes >= 0)
        return s;
    secret_free(s);
    return NULL;
}

static int check(struct view text, unsigned log_n, struct err *e) {
    if (text.n > PASSPHRASE_MAX)
        return err_set(e, "bad-passphrase", "the passphrase has more than %d bytes",
                       PASSPHRASE_MAX);
    if (!utf8_valid(text))
        return err_set(e, "bad-passphrase", "the passphrase is not UTF-8 text");
    if (log_n < 1 || log_n > PASSPHRASE_LOG_N_MAX)
        return err_set(e, "too-costly",
                       "scrypt with log_n %u is refused: between 1 and %d (%u MiB) is done here; "
                       "have the program that wrote it use fewer rounds",
                       log_n, PASSPHRASE_LOG_N_MAX, 1u << (PASSPHRASE_LOG_N_MAX - 10));
    return 0;
}

struct secret *passphrase_key(struct view passphrase, const uint8_t salt[static PASSPHRASE_SALT],
                              unsigned log_n, struct err *e) {
    cleanup_secret struct secret *word = NULL;
    struct secret *key;
    uint64_t cost;
    size_t n = 0;

    if (check(passphrase, log_n, e))
        return NULL;
    if (!(word = normalised(passphrase, &n))) {
        err_set(e, "bad-passphrase", "the passphrase cannot be normalised");
        return NULL;
    }
    cost = UINT64_C(1) << log_n;
    key = secret_new(KEY_LEN);
    if (EVP_PBE_scrypt((const char *)secret_get(word), n, salt, PASSPHRASE_SALT, cost, BLOCK, 1,
                       cost * BLOCK * 128 + SLACK, secret_edit(key), KEY_LEN) == 1)
        return key;
    err_set(e, "too-costly", "there is not enough memory for the passphrase: %llu MiB are needed",
            (unsigned long long)((cost * BLOCK * 128 + SLACK) >> 20));
    secret_free(key);
    return NULL;
}
