/* What the makers of processors and GPUs sign about them: certificates, lists, reference values.
 * All of it is signed, so anybody may carry it (cdvm-protocol(7), "Private messages").
 *
 * It travels in one or more messages "collateral", numbered "i" of "of" (absent: 0 of 1):
 *
 *   "vek", "ask", "ark", "crl"     base64 of DER: AMD's
 *   "rims", "ocsp", "gpu_crls"     lists of NVIDIA's: each entry base64, or {"sha256","size"} of a
 *                                  file that comes in pieces
 *   "pieces"                       [{"sha256","at","data"}]: bytes of such a file, in order
 *
 * There is no URL in it: nothing is fetched. */
#ifndef CDVM_COLLATERAL_H
#define CDVM_COLLATERAL_H

#include "msg.h"

#define COLLATERAL_PARTS 40 /* messages: about 800 KB in all */
#define COLLATERAL_FILES 80
#define COLLATERAL_FILE_MAX ((size_t)256 << 10)

enum collateral_kind { COLL_RIM, COLL_OCSP, COLL_GPU_CRL, COLL_KINDS };

struct collateral_file {
    enum collateral_kind kind;
    struct buf bytes; /* XML; DER; DER */
};
struct collateral {
    struct buf vek, ask, ark, crl; /* DER; empty when absent */
    struct collateral_file file[COLLATERAL_FILES];
    size_t n_files;
};
void collateral_free(struct collateral *c); /* legal on {0} */
/* Copies a file into it. False, and nothing is added, when it is empty, too large or one too many.
 */
bool collateral_add(struct collateral *c, enum collateral_kind kind, struct view bytes);

/* The messages that carry c, from p to `to`. Fills part[0..*n); the caller owns them. "too-large"
 */
int collateral_make(const struct collateral *c, const uint8_t job[static 32],
                    const struct keypair *p, const uint8_t to[static 32], int64_t now,
                    struct rumor *part[static COLLATERAL_PARTS], size_t *n,
                    struct err *e) WARN_UNUSED;
/* Of these messages, in their order. What a missing one leaves unfinished is left out; a file that
 * is not what its hash says too. "bad-message". *out is empty on error. */
int collateral_read(struct rumor *const *part, size_t n, struct collateral *out,
                    struct err *e) WARN_UNUSED;

/* Messages of one sender as they come, in any order and more than once. */
struct collateral_set {
    struct rumor *part[COLLATERAL_PARTS]; /* in their places; NULL while they have not come */
    size_t n, of;
};
/* Copies r, which m was parsed from. False when it is no news. */
bool collateral_set_add(struct collateral_set *s, const struct rumor *r, const struct msg *m);
bool collateral_set_whole(const struct collateral_set *s);
/* Those that came, in order: borrowed. */
size_t collateral_set_list(const struct collateral_set *s,
                           struct rumor *out[static COLLATERAL_PARTS]);
int collateral_set_read(const struct collateral_set *s, struct collateral *out,
                        struct err *e) WARN_UNUSED;
void collateral_set_free(struct collateral_set *s); /* legal on {0} */

#endif
