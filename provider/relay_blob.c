#include "relay_blob.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/enc.h"
#include "core/hash.h"
#include "core/secret.h"

#define TEMP_PREFIX "upload-"
#define OWNERS_SUFFIX ".owners" /* sidecar: one key in hex a line */
#define OWNERS_MAX ((size_t)65 * 1000)

struct relay_blobs {
    int dir;
    uint64_t max_one, max_all;
    uint64_t used; /* stored and reserved by running uploads */
};

struct relay_upload {
    struct relay_blobs *b;
    struct sha *sha;
    int fd;
    char temp[40];
    uint8_t digest[32];
    uint64_t size, got;
};

/* ---- the folder ---- */

static int scan(struct relay_blobs *b, struct err *e) {
    int fd = dup(b->dir);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *ent;
    struct stat st;

    if (!d)
        return err_sys(e, errno, "cannot read the blob folder");
    while ((ent = readdir(d))) {
        if (strncmp(ent->d_name, TEMP_PREFIX, strlen(TEMP_PREFIX)) == 0)
            unlinkat(b->dir, ent->d_name, 0); /* cut off when the relay stopped */
        else if (fstatat(b->dir, ent->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
            b->used += (uint64_t)st.st_size;
    }
    closedir(d);
    return 0;
}

struct relay_blobs *relay_blobs_new(const char *dir, uint64_t max_one, uint64_t max_all,
                                    struct err *e) {
    struct relay_blobs *b = mem_new(sizeof *b);

    b->max_one = max_one;
    b->max_all = max_all;
    b->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (b->dir < 0)
        err_sys(e, errno, "cannot open the folder '%s'", dir);
    if (b->dir >= 0 && scan(b, e) == 0)
        return b;
    relay_blobs_free(b);
    return NULL;
}

void relay_blobs_free(struct relay_blobs *b) {
    if (!b)
        return;
    if (b->dir >= 0)
        close(b->dir);
    free(b);
}

uint64_t relay_blobs_max(const struct relay_blobs *b) {
    return b->max_one;
}

struct blob_name {
    char blob[65], owners[65 + sizeof OWNERS_SUFFIX];
};

static struct blob_name name_of(const uint8_t sha[32]) {
    struct blob_name n;

    hex_encode(view_of(sha, 32), n.blob);
    snprintf(n.owners, sizeof n.owners, "%s" OWNERS_SUFFIX, n.blob);
    return n;
}

/* ---- reading ---- */

int relay_blob_open(struct relay_blobs *b, const uint8_t sha[static 32], uint64_t *size,
                    struct err *e) {
    struct blob_name name = name_of(sha);
    int fd = openat(b->dir, name.blob, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0) {
        if (fd >= 0)
            close(fd);
        return err_set(e, "not-found", "there is no such blob here");
    }
    *size = (uint64_t)st.st_size;
    return fd;
}

/* ---- owners ---- */

static void owners_read(struct relay_blobs *b, const struct blob_name *name, struct buf *out) {
    cleanup_fd int fd = openat(b->dir, name->owners, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    uint8_t chunk[4096];
    ssize_t n;

    buf_init(out, OWNERS_MAX);
    while (fd >= 0 && (n = read(fd, chunk, sizeof chunk)) > 0)
        buf_add(out, chunk, (size_t)n);
}

static uint8_t *owners_find(const struct buf *list, const uint8_t owner[32]) {
    char line[66];

    hex_encode(view_of(owner, 32), line);
    line[64] = '\n';
    return list->p ? memmem(list->p, list->n, line, 65) : NULL;
}

static int owners_write(struct relay_blobs *b, const struct blob_name *name, struct view list,
                        struct err *e) {
    cleanup_fd int fd =
        openat(b->dir, name->owners, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return err_sys(e, errno, "cannot write who owns the blob");
    return fd_write_all(fd, list, e);
}

static int owners_add(struct relay_blobs *b, const struct blob_name *name, const uint8_t owner[32],
                      struct err *e) {
    cleanup_buf struct buf list = {0};
    char hex[65];

    owners_read(b, name, &list);
    if (owners_find(&list, owner))
        return 0;
    hex_encode(view_of(owner, 32), hex);
    buf_fmt(&list, "%s\n", hex);
    return owners_write(b, name, buf_view(&list), e);
}

int relay_blob_delete(struct relay_blobs *b, const uint8_t sha[static 32],
                      const uint8_t owner[static 32], struct err *e) {
    struct blob_name name = name_of(sha);
    cleanup_buf struct buf list = {0};
    struct stat st;
    uint8_t *line;

    if (fstatat(b->dir, name.blob, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return err_set(e, "not-found", "there is no such blob here");
    owners_read(b, &name, &list);
    if (!(line = owners_find(&list, owner)))
        return err_set(e, "not-owner", "this key did not upload the blob");
    memmove(line, line + 65, list.n - 65 - (size_t)(line - list.p));
    list.n -= 65;
    if (list.n) /* somebody else uploaded it too */
        return owners_write(b, &name, buf_view(&list), e);
    unlinkat(b->dir, name.owners, 0);
    if (unlinkat(b->dir, name.blob, 0) < 0)
        return err_sys(e, errno, "cannot delete the blob");
    b->used -= (uint64_t)st.st_size < b->used ? (uint64_t)st.st_size : b->used;
    return 0;
}

/* ---- uploading ---- */

static int temp_open(struct relay_upload *u, struct err *e) {
    uint8_t random[12];
    char hex[25];

    random_bytes(random, sizeof random);
    hex_encode(view_of(random, sizeof random), hex);
    snprintf(u->temp, sizeof u->temp, TEMP_PREFIX "%s", hex);
    u->fd = openat(u->b->dir, u->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return u->fd < 0 ? err_sys(e, errno, "cannot make a file for the upload") : 0;
}

struct relay_upload *relay_upload_new(struct relay_blobs *b, uint64_t size, struct err *e) {
    struct relay_upload *u;

    if (size > b->max_one) {
        err_set(e, "too-large", "a blob may have %llu bytes here", (unsigned long long)b->max_one);
        return NULL;
    }
    if (size > b->max_all || b->used > b->max_all - size) {
        err_set(e, "full", "the blob store is full");
        return NULL;
    }
    u = mem_new(sizeof *u);
    u->b = b;
    if (temp_open(u, e) < 0) {
        free(u);
        return NULL;
    }
    u->sha = sha_new(SHA256_LEN);
    u->size = size;
    b->used += size;
    return u;
}

uint64_t relay_upload_size(const struct relay_upload *u) {
    return u->size;
}

int relay_upload_add(struct relay_upload *u, struct view piece, struct err *e) {
    if (piece.n > u->size - u->got)
        return err_set(e, "too-large", "more bytes came than Content-Length said");
    u->got += piece.n;
    sha_add(u->sha, piece);
    return fd_write_all(u->fd, piece, e);
}

void relay_upload_free(struct relay_upload *u) {
    if (!u)
        return;
    unlinkat(u->b->dir, u->temp, 0);
    u->b->used -= u->size;
    close(u->fd);
    sha_free(u->sha);
    free(u);
}

int relay_upload_hash(struct relay_upload *u, uint8_t sha[static 32], struct err *e) {
    if (u->got != u->size)
        return err_set(e, "bad-request", "fewer bytes came than Content-Length said");
    sha_end(u->sha, u->digest);
    memcpy(sha, u->digest, sizeof u->digest);
    return 0;
}

/* Not flushed to the disk: a blob spoilt by a power cut fails its reader's hash check, and
 * uploading it again replaces it. */
static int keep(struct relay_upload *u, const uint8_t owner[32], bool *fresh, struct err *e) {
    struct blob_name name = name_of(u->digest);
    struct stat st;

    *fresh = fstatat(u->b->dir, name.blob, &st, AT_SYMLINK_NOFOLLOW) < 0;
    if (owners_add(u->b, &name, owner, e) < 0)
        return -1;
    if (renameat(u->b->dir, u->temp, u->b->dir, name.blob) < 0)
        return err_sys(e, errno, "cannot keep the blob");
    if (*fresh)
        u->size = 0; /* the reservation becomes the blob's */
    return 0;
}

int relay_upload_keep(struct relay_upload *u, const uint8_t owner[static 32], bool *fresh,
                      struct err *e) {
    int rc = keep(u, owner, fresh, e);

    relay_upload_free(u);
    return rc;
}
