/* What this installation has seen before, as data: the highest number of each endorser's word, the
 * floors they gave, and what each provider showed first. It only ever grows; the file is tui/'s
 * (trust.h), its lines are made and read here:
 *
 *   seq <kind> <endorser> <seq> <d>                highest wins
 *   gone <kind> <endorser> <seq> <d>               the same, and it took its word back
 *   floor <endorser> 19:10-1f/0-f fmc=0 bl=10 tee=0 snp=27 ucode=84
 *   driver <endorser> GH100 550.54.15               a floor of GPUs; "vbios" is another
 *   revoked <endorser> <sha256>
 *   seen <provider> chip|release|workload|model <hex> <unix time>      first wins
 */
#ifndef CDVM_MEMORY_H
#define CDVM_MEMORY_H

#include "policy.h"

#define MEMORY_MAX ((size_t)4 << 20) /* bytes of text */
#define MEMORY_ROWS 20000            /* of one kind */
#define MEMORY_D 160
#define MEMORY_VALUE 64

struct memory_seq {
    uint32_t kind;
    uint8_t endorser[32];
    uint64_t seq;
    bool gone; /* its newest word was empty: revoked, withdrawn */
    char d[MEMORY_D];
};
struct memory_floor {
    uint8_t endorser[32];
    struct tcb_floor floor;
};
struct memory_gpu_floor {
    uint8_t endorser[32];
    struct gpu_floor floor;
};
struct memory_revoked {
    uint8_t endorser[32], digest[32];
};
enum memory_what { SEEN_CHIP, SEEN_RELEASE, SEEN_WORKLOAD, SEEN_MODEL, SEEN_KINDS };
struct memory_seen {
    uint8_t provider[32];
    enum memory_what what;
    uint8_t value[MEMORY_VALUE];
    size_t n;
    int64_t when; /* Unix seconds */
};
struct memory {
    struct memory_seq *seq;
    struct memory_floor *floor;
    struct memory_gpu_floor *gpu_floor;
    struct memory_revoked *revoked;
    struct memory_seen *seen;
    size_t n_seq, n_floors, n_gpu_floors, n_revoked, n_seen;
};

/* "bad-memory" with the line; *out is empty then. A last line that was cut off is passed over. */
int memory_parse(struct view text, struct memory *out, struct err *e) WARN_UNUSED;
void memory_free(struct memory *m); /* what it holds; legal on {0} */

/* 0 when nothing of that name was seen. m may be NULL. */
uint64_t memory_seq(const struct memory *m, uint32_t kind, const uint8_t endorser[static 32],
                    const char *d);
/* The newest word seen under that name took back what the key had said. */
bool memory_gone(const struct memory *m, uint32_t kind, const uint8_t endorser[static 32],
                 const char *d);
/* What this provider showed first; NULL when it showed none yet. */
const struct memory_seen *memory_first(const struct memory *m, const uint8_t provider[static 32],
                                       enum memory_what what);
bool memory_has(const struct memory *m, const uint8_t provider[static 32], enum memory_what what,
                struct view value);
const char *memory_what_name(enum memory_what what); /* "chip", "release" ... */

/* Take one thing in and append its line to `line`, unless it is known already. What cannot be a
 * line (a d with other than printable ASCII, or too long) is refused: false. */
bool memory_add_seq(struct memory *m, uint32_t kind, const uint8_t endorser[static 32],
                    const char *d, uint64_t seq, bool gone, struct buf *line);
bool memory_add_floor(struct memory *m, const uint8_t endorser[static 32],
                      const struct tcb_floor *f, struct buf *line);
bool memory_add_gpu_floor(struct memory *m, const uint8_t endorser[static 32],
                          const struct gpu_floor *f, struct buf *line);
bool memory_add_revoked(struct memory *m, const uint8_t endorser[static 32],
                        const uint8_t digest[static 32], struct buf *line);
bool memory_add_seen(struct memory *m, const uint8_t provider[static 32], enum memory_what what,
                     struct view value, int64_t now, struct buf *line);

#endif
