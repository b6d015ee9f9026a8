/* What is left on disk so that a job can be picked up again after a crash of this program: one file
 * a job in $XDG_STATE_HOME/cdvm/resume, mode 0600, encrypted. Nothing is kept unless a passphrase
 * was set.
 *
 * Setting it makes a key pair, whose secret half is stored as an ncryptsec (NIP-49). Files are
 * sealed to the public half, so the passphrase is asked for when a job is picked up and never
 * before, and a running program holds nothing that opens an older file.
 *
 *   magic 16 || E 32 || until u64le || record*      record: length u32le || nonce 24 || sealed
 *
 * E: a fresh public key; key = HKDF-Expand(conversation key of NIP-44 between E and the pair,
 * "cdvm/resume/1"); sealed: XChaCha20-Poly1305, AAD = the first 56 bytes || u64le number of the
 * record. The first record is a snapshot; the others are what was sent after it, written before it
 * was sent. `until`: Unix seconds after which the guest has wiped itself. */
#ifndef CDVM_RESUME_H
#define CDVM_RESUME_H

#include "identity.h"

#define RESUME_JOBS 16 /* files looked at */
#define RESUME_FILE_MAX ((size_t)16 << 20)

struct resume;
struct resume *resume_open(const char *folder, struct err *e); /* NULL: the usual place */
void resume_free(struct resume *r);                            /* locks; NULL legal */

/* A passphrase is set. Setting one anew leaves older files closed for good. */
bool resume_on(const struct resume *r);
int resume_set(struct resume *r, struct view passphrase, struct err *e) WARN_UNUSED; /* blocks */
int resume_unset(struct resume *r, struct err *e) WARN_UNUSED;
int resume_unlock(struct resume *r, struct view passphrase, struct err *e) WARN_UNUSED; /* blocks */
void resume_lock(struct resume *r);

/* --- a job that runs --- */
struct resume_file;
/* NULL with an error where it cannot be; another process that has it open: "busy". */
struct resume_file *resume_file_new(const struct resume *r, const uint8_t job[static 32],
                                    struct err *e);
/* Replaces the whole file, at once. until: Unix seconds. */
int resume_file_write(struct resume_file *f, struct view snapshot, int64_t until,
                      struct err *e) WARN_UNUSED;
/* One record more, behind the snapshot. */
int resume_file_add(struct resume_file *f, struct view record, struct err *e) WARN_UNUSED;
void resume_file_remove(struct resume_file *f); /* the job is over */
void resume_file_free(struct resume_file *f);   /* lets go of it; the file stays; NULL legal */
/* Where the file of a job lies, if there is one; owned. */
char *resume_file_path(const struct resume *r, const uint8_t job[static 32]);

/* --- jobs that were left --- */
struct resume_left {
    char job[17];           /* the first digits of its id */
    int64_t written, until; /* Unix seconds */
};
/* Of no other process that runs. Those whose time is over are deleted, and counted in *stale. */
size_t resume_scan(const struct resume *r, int64_t now, struct resume_left out[static RESUME_JOBS],
                   size_t *stale);
/* The records of one, a line each (they are JSON), appended to out, which the caller wipes; after
 * resume_unlock. A last record that is not whole was never sent, and is left out. Errors: "locked",
 * "no-job", "truncated", "unsupported" (of another version), "wrong-key" (not of this passphrase),
 * "stale", "altered". */
int resume_read(const struct resume *r, const char *job, int64_t now, struct buf *out,
                struct err *e) WARN_UNUSED;
int resume_forget(const struct resume *r, const char *job, struct err *e) WARN_UNUSED;

#endif
