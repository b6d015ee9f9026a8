#include "crypt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core/enc.h"
#include "core/hash.h"
#include "core/modelkey.h"
#include "dm.h"
#include "verity.h"

/* The key is in the table itself: no keyring, no user space beside this. */
static int open_table(const char *name, const char *path, uint64_t blocks, const struct secret *key,
                      char node[static 32], struct err *e) {
    char hex[2 * MODELKEY_LEN + 1], params[DM_PARAMS];
    const struct dm_target t = {.type = "crypt",
                                .params = params,
                                .sectors = blocks * (VERITY_BLOCK / DM_SECTOR),
                                .secret = true};
    int rc;

    hex_encode(view_of(secret_get(key), MODELKEY_LEN), hex);
    snprintf(params, sizeof params, "aes-xts-plain64 %s 0 %s 0", hex, path);
    explicit_bzero(hex, sizeof hex);
    rc = dm_open(name, &t, node, e);
    explicit_bzero(params, sizeof params);
    return rc;
}

static int read_block(const char *node, uint64_t block, uint8_t *to, struct err *e) {
    cleanup_fd int fd = open(node, O_RDONLY | O_DIRECT | O_CLOEXEC);

    if (fd < 0 ||
        pread(fd, to, VERITY_BLOCK, (off_t)(block * VERITY_BLOCK)) != (ssize_t)VERITY_BLOCK)
        return err_sys(e, errno, "cannot read %s", node);
    return 0;
}

/* dm-verity version 1 hashes salt || block; the top of the tree is its first block. */
static bool is_top(const uint8_t *block, const uint8_t root[static 32]) {
    static const uint8_t salt[32];
    struct sha *s = sha_new(SHA256_LEN);
    uint8_t hash[32];

    sha_add(s, view_of(salt, sizeof salt));
    sha_add(s, view_of(block, VERITY_BLOCK));
    sha_end(s, hash);
    sha_free(s);
    return !memcmp(hash, root, sizeof hash);
}

static int check_key(const char *node, const struct volume *what, struct err *e) {
    uint8_t *block;
    int rc;

    if (posix_memalign((void **)&block, VERITY_BLOCK, VERITY_BLOCK))
        abort();
    rc = read_block(node, what->blocks, block, e);
    if (!rc && !is_top(block, what->root))
        rc = err_set(e, "model-key", "the key does not open this model's disk");
    free(block);
    return rc;
}

int crypt_open(const char *name, const char *path, const struct volume *what,
               const struct secret *key, char node[static 32], struct err *e) {
    if (secret_len(key) != MODELKEY_LEN)
        return err_set(e, "model-key", "a key of %zu bytes", secret_len(key));
    if (open_table(name, path, verity_total_blocks(what->blocks), key, node, e))
        return -1;
    if (check_key(node, what, e) == 0)
        return 0;
    dm_drop(name);
    return -1;
}
