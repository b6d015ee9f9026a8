#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/hash.h"
#include "veritytree.h"

#define BLOCK ((size_t)4096)
#define FANOUT (BLOCK / 32) /* hashes in one block of the tree */
#define READ_BLOCKS 64
#define LEVELS_MAX 8

/* Blocks of each level, from the one above the data up to the root block. */
static size_t tree_levels(uint64_t data, uint64_t level[static LEVELS_MAX]) {
    size_t n = 0;

    for (uint64_t below = data; n < LEVELS_MAX; below = level[n - 1]) {
        level[n++] = (below + FANOUT - 1) / FANOUT;
        if (level[n - 1] == 1)
            break;
    }
    return n;
}

static uint64_t tree_blocks(uint64_t data) {
    uint64_t level[LEVELS_MAX], sum = 0;
    size_t n = tree_levels(data, level);

    for (size_t i = 0; i < n; i++)
        sum += level[i];
    return sum;
}

/* data + tree_blocks(data) grows with data, so a search finds the only candidate. */
uint64_t verity_data_blocks(uint64_t total) {
    uint64_t lo = 1, hi = total;

    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2;

        if (mid + tree_blocks(mid) < total)
            lo = mid + 1;
        else
            hi = mid;
    }
    return total >= 2 && lo + tree_blocks(lo) == total ? lo : 0;
}

static void hash_block(const uint8_t block[static BLOCK], uint8_t out[static 32]) {
    uint8_t salted[32 + BLOCK] = {0};

    memcpy(salted + 32, block, BLOCK);
    sha256(view_of(salted, sizeof salted), out);
}

/* Hashes n blocks that start at block `first` of the file into out (n hashes). */
static int hash_range(int fd, uint64_t first, uint64_t n, uint8_t *out, struct err *e) {
    uint8_t chunk[READ_BLOCKS * BLOCK];

    for (uint64_t done = 0; done < n;) {
        size_t blocks = n - done < READ_BLOCKS ? (size_t)(n - done) : READ_BLOCKS;
        ssize_t got = pread(fd, chunk, blocks * BLOCK, (off_t)((first + done) * BLOCK));

        if (got != (ssize_t)(blocks * BLOCK))
            return err_sys(e, got < 0 ? errno : EIO, "cannot read a volume");
        for (size_t i = 0; i < blocks; i++)
            hash_block(chunk + i * BLOCK, out + (done + i) * 32);
        done += blocks;
    }
    return 0;
}

/* The tree's blocks of one level must be the hashes of the level below, zero-padded. */
static int compare_level(int fd, uint64_t first, uint64_t blocks, const uint8_t *hashes, uint64_t n,
                         struct err *e) {
    uint8_t got[BLOCK], want[BLOCK];

    for (uint64_t b = 0; b < blocks; b++) {
        uint64_t left = n - b * FANOUT;
        size_t bytes = (size_t)(left < FANOUT ? left : FANOUT) * 32;

        memset(want, 0, sizeof want);
        memcpy(want, hashes + b * BLOCK, bytes);
        if (pread(fd, got, BLOCK, (off_t)((first + b) * BLOCK)) != (ssize_t)BLOCK)
            return err_sys(e, errno, "cannot read a volume");
        if (memcmp(got, want, BLOCK))
            return err_set(e, "bad-volume", "the hash tree is not that of the data");
    }
    return 0;
}

/* On disk the root's level comes first, the one above the data last. */
static int climb(int fd, struct volume *v, const uint64_t *level, size_t levels, struct err *e) {
    uint64_t below_first = 0, below = v->blocks, first = v->blocks + tree_blocks(v->blocks);
    int rc = 0;

    for (size_t i = 0; i < levels && rc == 0; i++) {
        uint8_t *hashes = mem_new((size_t)below * 32);

        first -= level[i];
        rc = hash_range(fd, below_first, below, hashes, e);
        if (rc == 0)
            rc = compare_level(fd, first, level[i], hashes, below, e);
        free(hashes);
        below_first = first;
        below = level[i];
    }
    return rc == 0 ? hash_range(fd, below_first, 1, v->root, e) : -1;
}

int verity_root(int fd, struct volume *out, struct err *e) {
    uint64_t level[LEVELS_MAX];
    struct stat st;

    *out = (struct volume){0};
    if (fstat(fd, &st) < 0)
        return err_sys(e, errno, "cannot read a volume");
    if (st.st_size > 0 && (uint64_t)st.st_size % BLOCK == 0)
        out->blocks = verity_data_blocks((uint64_t)st.st_size / BLOCK);
    if (!out->blocks)
        return err_set(e, "bad-volume", "%lld bytes are not data and a hash tree behind it",
                       (long long)st.st_size);
    return climb(fd, out, level, tree_levels(out->blocks, level), e);
}
