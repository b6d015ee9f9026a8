#include "resume.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/aead.h"
#include "core/conf.h"
#include "core/enc.h"
#include "core/hash.h"
#include "core/loop.h"
#include "core/nip44.h"
#include "core/reader.h"

#define FOLDER "resume"
#define PAIR "key" /* its name in the list that keeps it */
#define SUFFIX ".job"
#define MAGIC "cdvm resume 1\n\0" /* and the NUL that ends it */
#define MAGIC_LEN 16
#define HEAD (MAGIC_LEN + 32 + 8)
#define NAME_LEN 16

_Static_assert(sizeof MAGIC == MAGIC_LEN, "the magic fills its place");

struct resume {
    char *folder;
    struct identities *pair; /* one, or none: the machinery of key files serves here too */
};

struct resume_file {
    const struct resume *r;
    char *path, *lock_path;
    int lock, fd;
    uint8_t head[HEAD];
    struct secret *key;
    uint64_t records;
};

/* --- the key pair --- */

struct resume *resume_open(const char *folder, struct err *e) {
    struct resume *r = mem_new(sizeof *r);
    cleanup_free char *pair = NULL;

    r->folder = folder ? mem_str(folder) : conf_path(CONF_STATE, FOLDER, e);
    if (r->folder) {
        mkdir(r->folder, 0700); /* what fails is told when something is to be written */
        pair = mem_fmt("%s/pair", r->folder);
        r->pair = identities_open(pair, e);
    }
    if (r->pair)
        return r;
    resume_free(r);
    return NULL;
}

void resume_free(struct resume *r) {
    if (!r)
        return;
    identities_free(r->pair);
    free(r->folder);
    free(r);
}

bool resume_on(const struct resume *r) {
    return identities_find(r->pair, PAIR) != NULL;
}

int resume_unset(struct resume *r, struct err *e) {
    return resume_on(r) ? identities_remove(r->pair, PAIR, e) : 0;
}

int resume_set(struct resume *r, struct view passphrase, struct err *e) {
    if (passphrase.n < IDENTITY_PASSPHRASE_MIN)
        return err_set(e, "weak-passphrase", "the passphrase has fewer than %d characters",
                       IDENTITY_PASSPHRASE_MIN);
    if (resume_unset(r, e) || identities_make(r->pair, PAIR, passphrase, e))
        return -1;
    resume_lock(r);
    return 0;
}

int resume_unlock(struct resume *r, struct view passphrase, struct err *e) {
    if (identities_unlock(r->pair, PAIR, passphrase, e))
        return -1;
    return identities_choose(r->pair, PAIR, e);
}

void resume_lock(struct resume *r) {
    identities_lock(r->pair, NULL);
}

/* --- keys of files --- */

static int file_key(const struct keypair *mine, const uint8_t peer[static 32], struct secret **out,
                    struct err *e) {
    struct nip44_key shared;
    int rc = nip44_conversation(mine, peer, &shared, e);

    *out = secret_new(AEAD_KEY);
    if (rc == 0)
        hkdf_expand(shared.k, view_str("cdvm/resume/1"), secret_edit(*out), AEAD_KEY);
    explicit_bzero(&shared, sizeof shared);
    return rc;
}

static void put_u64(uint8_t out[static 8], uint64_t v) {
    for (size_t i = 0; i < 8; i++)
        out[i] = (uint8_t)(v >> (8 * i));
}

/* The head and the record's number: none can be moved, left out or put in. */
static struct view record_ad(const uint8_t head[static HEAD], uint64_t number,
                             uint8_t ad[static HEAD + 8]) {
    memcpy(ad, head, HEAD);
    put_u64(ad + HEAD, number);
    return view_of(ad, HEAD + 8);
}

/* --- writing --- */

static char *path_of(const struct resume *r, const char *job, const char *suffix) {
    return mem_fmt("%s/%.*s%s", r->folder, NAME_LEN, job, suffix);
}

char *resume_file_path(const struct resume *r, const uint8_t job[static 32]) {
    char hex[65], *path;
    struct stat st;

    hex_encode(view_of(job, 32), hex);
    path = path_of(r, hex, SUFFIX);
    if (lstat(path, &st) == 0)
        return path;
    free(path);
    return NULL;
}

/* -1 with "busy" while another process has the job. */
static int lock_take(const char *path, struct err *e) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return err_sys(e, errno, "cannot make '%s'", path);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    close(fd);
    return err_set(e, "busy", "another cdvm is at this job");
}

struct resume_file *resume_file_new(const struct resume *r, const uint8_t job[static 32],
                                    struct err *e) {
    struct resume_file *f = mem_new(sizeof *f);
    char hex[65];

    hex_encode(view_of(job, 32), hex);
    f->r = r;
    f->fd = -1;
    f->path = path_of(r, hex, SUFFIX);
    f->lock_path = path_of(r, hex, ".lock");
    f->lock = lock_take(f->lock_path, e);
    if (f->lock >= 0)
        return f;
    resume_file_free(f);
    return NULL;
}

void resume_file_free(struct resume_file *f) {
    if (!f)
        return;
    if (f->fd >= 0)
        close(f->fd);
    if (f->lock >= 0)
        close(f->lock);
    secret_free(f->key);
    free(f->path);
    free(f->lock_path);
    free(f);
}

void resume_file_remove(struct resume_file *f) {
    unlink(f->path);
    unlink(f->lock_path);
}

static void head_make(struct resume_file *f, const uint8_t pub[static 32], int64_t until) {
    memcpy(f->head, MAGIC, MAGIC_LEN);
    memcpy(f->head + MAGIC_LEN, pub, 32);
    put_u64(f->head + MAGIC_LEN + 32, (uint64_t)until);
}

static void seal(struct resume_file *f, struct view record, struct buf *out) {
    uint8_t ad[HEAD + 8], nonce[AEAD_NONCE];

    random_bytes(nonce, sizeof nonce);
    buf_u32le(out, (uint32_t)(record.n + AEAD_TAG));
    buf_add(out, nonce, sizeof nonce);
    aead_seal(f->key, nonce, record_ad(f->head, f->records++, ad), record, out);
}

/* A new key for every snapshot, to the same pair. */
static int key_fresh(struct resume_file *f, int64_t until, struct err *e) {
    const struct identity *pair = identities_find(f->r->pair, PAIR);
    struct keypair *once;
    int rc;

    if (!pair)
        return err_set(e, "no-passphrase", "no passphrase is set for picking jobs up again");
    once = keypair_new();
    secret_free(f->key);
    rc = file_key(once, pair->pub, &f->key, e);
    head_make(f, keypair_pub(once), until);
    keypair_free(once);
    f->records = 0;
    return rc;
}

/* Not flushed to the disk: it is this program that may die, and the kernel keeps what it was given.
 */
static int replace(struct resume_file *f, struct view bytes, struct err *e) {
    cleanup_free char *tmp = mem_fmt("%s.new", f->path);
    int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return err_sys(e, errno, "cannot make '%s'", tmp);
    if (fd_write_all(fd, bytes, e) ||
        (rename(tmp, f->path) < 0 && err_sys(e, errno, "cannot rename '%s'", tmp))) {
        unlink(tmp);
        close(fd);
        return -1;
    }
    if (f->fd >= 0)
        close(f->fd);
    f->fd = fd;
    return 0;
}

int resume_file_write(struct resume_file *f, struct view snapshot, int64_t until, struct err *e) {
    cleanup_buf struct buf out = {0};

    if (snapshot.n > RESUME_FILE_MAX / 2)
        return err_set(e, "too-large", "what is to be kept has %zu bytes", snapshot.n);
    if (key_fresh(f, until, e))
        return -1;
    buf_add(&out, f->head, HEAD);
    seal(f, snapshot, &out);
    return replace(f, buf_view(&out), e);
}

int resume_file_add(struct resume_file *f, struct view record, struct err *e) {
    cleanup_buf struct buf out = {0};

    if (f->fd < 0)
        return err_set(e, "no-snapshot", "there is no snapshot to add to");
    seal(f, record, &out);
    if (fd_write_all(f->fd, buf_view(&out), e) == 0)
        return 0;
    close(f->fd); /* half a record may be there: nothing can follow it */
    f->fd = -1;
    return -1;
}

/* --- reading --- */

struct head {
    uint8_t peer[32], raw[HEAD];
    int64_t until;
};

static int head_parse(struct reader *r, struct head *h, struct err *e) {
    struct reader look = *r;

    reader_copy(r, h->raw, HEAD);
    if (!reader_ok(r))
        return err_set(e, "truncated", "the resume file ends in its head");
    reader_skip(&look, MAGIC_LEN);
    if (memcmp(h->raw, MAGIC, MAGIC_LEN) != 0)
        return err_set(e, "unsupported", "the resume file is of another version of cdvm");
    reader_copy(&look, h->peer, 32);
    h->until = (int64_t)(reader_u64le(&look) & INT64_MAX);
    return 0;
}

static int too_late(const struct head *h, int64_t now, struct err *e) {
    return now > h->until ? err_set(e, "stale",
                                    "too late: the guest has wiped itself, having heard nothing "
                                    "for so long")
                          : 0;
}

/* 1 one more, 0 the end, -1 an error. */
static int record_next(struct reader *r, const struct head *h, const struct secret *key,
                       uint64_t number, struct buf *out, struct err *e) {
    uint8_t ad[HEAD + 8], nonce[AEAD_NONCE];
    struct view sealed;

    if (r->left == 0 && number > 0)
        return 0;
    sealed.n = reader_u32le(r);
    reader_copy(r, nonce, sizeof nonce);
    sealed = reader_take(r, sealed.n);
    if (!reader_ok(r))
        return number > 0 ? 0 : err_set(e, "truncated", "the resume file is cut short");
    if (!aead_open(key, nonce, record_ad(h->raw, number, ad), sealed, out))
        return number > 0 ? err_set(e, "altered", "the resume file was altered")
                          : err_set(e, "wrong-key",
                                    "the resume file is of another passphrase, or was altered");
    buf_str(out, "\n");
    return 1;
}

/* For the fuzzer as well: bytes of a file, the pair's secret half. */
static int file_parse(struct view bytes, const struct keypair *pair, int64_t now, struct buf *out,
                      struct err *e) {
    cleanup_secret struct secret *key = NULL;
    struct reader r = reader_new(bytes);
    uint64_t number = 0;
    struct head h;
    int rc;

    if (head_parse(&r, &h, e) || too_late(&h, now, e) || file_key(pair, h.peer, &key, e))
        return -1;
    while ((rc = record_next(&r, &h, key, number, out, e)) > 0)
        number++;
    return rc;
}

static int bytes_of(const struct resume *r, const char *job, struct buf *out, struct err *e) {
    cleanup_free char *path = path_of(r, job, SUFFIX);
    struct stat st;

    if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return err_set(e, "no-job", "there is no job %.16s to be picked up", job);
    return file_read(path, RESUME_FILE_MAX, out, e);
}

int resume_read(const struct resume *r, const char *job, int64_t now, struct buf *out,
                struct err *e) {
    cleanup_buf struct buf bytes = {.max = RESUME_FILE_MAX};
    const struct keypair *pair = identities_key(r->pair);

    if (!pair)
        return err_set(e, "locked", "give the passphrase first");
    if (bytes_of(r, job, &bytes, e))
        return -1;
    return file_parse(buf_view(&bytes), pair, now, out, e);
}

int resume_forget(const struct resume *r, const char *job, struct err *e) {
    cleanup_free char *path = path_of(r, job, SUFFIX), *lock = path_of(r, job, ".lock");

    if (unlink(path) != 0 && errno != ENOENT)
        return err_sys(e, errno, "cannot remove '%s'", path);
    unlink(lock);
    return 0;
}

/* Whether the process that had it is gone. */
static bool left_alone(const struct resume *r, const char *job) {
    cleanup_free char *path = path_of(r, job, ".lock");
    int fd = lock_take(path, NULL);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static bool look(const struct resume *r, const char *job, struct resume_left *out) {
    cleanup_free char *path = path_of(r, job, SUFFIX);
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    uint8_t bytes[HEAD];
    struct reader rd = reader_new(view_of(bytes, sizeof bytes));
    struct head h = {0};
    struct stat st;

    *out = (struct resume_left){0};
    memcpy(out->job, job, NAME_LEN);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    out->written = st.st_mtime;
    /* One that cannot be read this far is shown: resume_read has the sentence for it. */
    out->until = INT64_MAX;
    if (read(fd, bytes, sizeof bytes) == HEAD && head_parse(&rd, &h, NULL) == 0)
        out->until = h.until;
    return true;
}

static bool is_job(const char *name) {
    return strspn(name, "0123456789abcdef") == NAME_LEN && !strcmp(name + NAME_LEN, SUFFIX);
}

size_t resume_scan(const struct resume *r, int64_t now, struct resume_left out[static RESUME_JOBS],
                   size_t *stale) {
    DIR *d = opendir(r->folder);
    struct dirent *ent;
    size_t n = 0;

    *stale = 0;
    while (d && (ent = readdir(d)) && n < RESUME_JOBS) {
        if (!is_job(ent->d_name) || !look(r, ent->d_name, &out[n]) || !left_alone(r, out[n].job))
            continue;
        if (out[n].until < now) {
            *stale += resume_forget(r, out[n].job, NULL) == 0;
            continue;
        }
        n++;
    }
    if (d)
        closedir(d);
    return n;
}
