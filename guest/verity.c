#include "verity.h"

#include <stdio.h>
#include "core/enc.h"
#include "dm.h"

#define HASHES_PER_BLOCK 128 /* 4096 / 32 */
#define BLOCKS_MAX ((uint64_t)1 << 40)

static const uint8_t salt[32];

uint64_t verity_total_blocks(uint64_t data) {
    uint64_t total = data, level = data;

    if (!data || data > BLOCKS_MAX)
        return UINT64_MAX;
    do {
        level = (level + HASHES_PER_BLOCK - 1) / HASHES_PER_BLOCK;
        total += level;
    } while (level > 1);
    return total;
}

static void fill_params(char params[static DM_PARAMS], const char *path,
                        const uint8_t root[static 32], uint64_t blocks) {
    char root_hex[65], salt_hex[65];

    hex_encode(view_of(root, 32), root_hex);
    hex_encode(view_of(salt, 32), salt_hex);
    snprintf(params, DM_PARAMS, "1 %s %s %u %u %llu %llu sha256 %s %s 1 panic_on_corruption", path,
             path, (unsigned)VERITY_BLOCK, (unsigned)VERITY_BLOCK, (unsigned long long)blocks,
             (unsigned long long)blocks, root_hex, salt_hex);
}

int verity_open(const char *name, const char *path, const uint8_t root[static 32], uint64_t blocks,
                char node[static 32], struct err *e) {
    char params[DM_PARAMS];
    const struct dm_target t = {
        .type = "verity", .params = params, .sectors = blocks * (VERITY_BLOCK / DM_SECTOR)};

    if (verity_total_blocks(blocks) == UINT64_MAX)
        return err_set(e, "bad-volume", "a volume of %llu blocks", (unsigned long long)blocks);
    fill_params(params, path, root, blocks);
    return dm_open(name, &t, node, e);
}
