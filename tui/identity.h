/* The long-term identities of this person, for those who want to be known to sellers. The default
 * is none: every job has a key of its own.
 *
 * Each is one file NAME of mode 0600 in $XDG_DATA_HOME/cdvm/identities, whose secret is an
 * ncryptsec (NIP-49). It is unlocked by its passphrase for this run at most; the key is then in
 * locked memory. An identity whose key stays with a remote signer (NIP-46) has in its file, the
 * same way, only the key by which this program is known to the signer.
 *
 * Passphrases are borrowed for the call (prompt_secret gives them), and every call that takes one
 * blocks for scrypt, some 0.2 s. Errors are one sentence with the code in brackets below. */
#ifndef CDVM_TUI_IDENTITY_H
#define CDVM_TUI_IDENTITY_H

#include "core/key.h"
#include "core/nip46.h"

#define IDENTITY_NAME 33 /* bytes, with the NUL: letters, digits, '_' and '-' */
#define IDENTITIES_MAX 64
#define IDENTITY_PASSPHRASE_MIN 8 /* bytes of a passphrase that is set here */

struct identity {
    char name[IDENTITY_NAME];
    uint8_t pub[32]; /* as the file has it; proved when it was unlocked */
    char *signer;    /* bunker://... without its secret; NULL: the key itself is here. Checked */
    bool unlocked;
};

struct identities;
/* folder NULL: the usual place, made when something is added. A file that cannot be read is left
 * out, and identities_trouble says so. */
struct identities *identities_open(const char *folder, struct err *e);
void identities_free(struct identities *l);                 /* locks all; NULL legal */
const char *identities_trouble(const struct identities *l); /* NULL: none */

/* Sorted by name; borrowed until one is added or removed. */
size_t identities_count(const struct identities *l);
const struct identity *identities_at(const struct identities *l, size_t i);
const struct identity *identities_find(const struct identities *l, const char *name); /* or NULL */
bool identity_name_ok(const char *name);

/* A new one, unlocked. [bad-name], [exists], [weak-passphrase], [bad-passphrase]
 *   make    a fresh key
 *   import  text: an nsec, 64 hex digits, or an ncryptsec, whose own passphrase that must be
 *           [wrong-passphrase, bad-key, too-costly] */
int identities_make(struct identities *l, const char *name, struct view passphrase,
                    struct err *e) WARN_UNUSED;
int identities_import(struct identities *l, const char *name, struct view text,
                      struct view passphrase, struct err *e) WARN_UNUSED;
/* One whose key stays with a remote signer, in two steps: first the key by which the signer is to
 * know this program, sealed under the passphrase; then, when the signer was met, the rest. Between
 * the two nothing is on disk. The secret of the address never is: it counts for the first
 * connection alone, which was made. Errors as above; NULL on error. */
struct newcomer;
struct newcomer *identities_prepare(struct identities *l, const char *name, struct view passphrase,
                                    struct err *e);
const struct keypair *newcomer_key(const struct newcomer *n); /* borrowed */
void newcomer_free(struct newcomer *n);                       /* wipes; NULL legal */
/* user: the key that the signer signs with. n is used up, also where that fails. */
int identities_admit(struct identities *l, struct newcomer *n, const struct signer_url *at,
                     const uint8_t user[static 32], struct err *e) WARN_UNUSED;
/* The file goes; a copy elsewhere is the person's. [unknown-identity] */
int identities_remove(struct identities *l, const char *name, struct err *e) WARN_UNUSED;

/* [unknown-identity], [wrong-passphrase] */
int identities_unlock(struct identities *l, const char *name, struct view passphrase,
                      struct err *e) WARN_UNUSED;
void identities_lock(struct identities *l, const char *name); /* NULL: all; who was chosen is not */

/* Who asks in the jobs that are started from now on, this run. name NULL: nobody (one-time keys).
 * [unknown-identity], [locked] */
int identities_choose(struct identities *l, const char *name, struct err *e) WARN_UNUSED;
const struct identity *identities_chosen(const struct identities *l); /* NULL: one-time keys */

/* Of the chosen one, for signing: borrowed until it is locked. NULL where there is none. For an
 * identity with a remote signer it is the key by which the signer knows this program. */
const struct keypair *identities_key(const struct identities *l);

#endif
