#include "modelfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "core/enc.h"
#include "core/modelkey.h"

#define SECTOR ((size_t)512)
#define STEP ((size_t)1 << 20)
#define LINE_MAX_BYTES ((size_t)512)

/* --- the key file --- */

struct secret *modelkey_make(const char *path, const struct volume *model, struct err *e) {
    struct secret *key = secret_random(MODELKEY_LEN);
    char root[VOLUME_TEXT], hex[2 * MODELKEY_LEN + 1];
    struct buf text = {.max = LINE_MAX_BYTES};
    int rc;

    volume_text(model, root);
    hex_encode(view_of(secret_get(key), MODELKEY_LEN), hex);
    buf_str(&text, root);
    buf_str(&text, " ");
    buf_str(&text, hex);
    buf_str(&text, "\n");
    explicit_bzero(hex, sizeof hex);
    rc = file_write(path, buf_view(&text), 0600, false, e);
    buf_wipe(&text);
    if (rc == 0)
        return key;
    secret_free(key);
    return NULL;
}

static struct secret *parse_line(struct view line, const struct volume *model, struct err *e) {
    char root[VOLUME_TEXT];
    struct secret *key = secret_new(MODELKEY_LEN);
    size_t n;

    volume_text(model, root);
    n = strlen(root);
    if (line.n && line.p[line.n - 1] == '\n')
        line.n--;
    if (line.n != n + 1 + 2 * MODELKEY_LEN || line.p[n] != ' ' ||
        !hex_decode(view_of(line.p + n + 1, 2 * MODELKEY_LEN), secret_edit(key), MODELKEY_LEN))
        err_set(e, "bad-key", "it is not one line of root:blocks and 128 hex digits");
    else if (memcmp(line.p, root, n))
        err_set(e, "bad-key", "it is the key of another model than %s", root);
    else
        return key;
    secret_free(key);
    return NULL;
}

struct secret *modelkey_read(const char *path, const struct volume *model, struct err *e) {
    struct buf text = {.max = LINE_MAX_BYTES};
    struct secret *key = NULL;
    struct stat st;

    if (lstat(path, &st) < 0)
        err_sys(e, errno, "cannot read it");
    else if (!S_ISREG(st.st_mode) || (st.st_mode & 077))
        err_set(e, "unsafe-key", "others can read it: `chmod 600 %s`", path);
    else if (file_read(path, LINE_MAX_BYTES, &text, e) == 0)
        key = parse_line(buf_view(&text), model, e);
    buf_wipe(&text);
    if (!key)
        err_wrap(e, "model key '%s'", path);
    return key;
}

/* --- NAME.sealed --- */

int sealed_parse(struct view text, struct volume *model, uint8_t broker[static 32], struct err *e) {
    const uint8_t *space = text.n ? memchr(text.p, ' ', text.n) : NULL;
    size_t n = space ? (size_t)(space - text.p) : 0;
    char root[VOLUME_TEXT];

    if (text.n && text.p[text.n - 1] == '\n')
        text.n--;
    if (n && n < sizeof root) {
        memcpy(root, text.p, n);
        root[n] = '\0';
        if (volume_parse(root, model) && text.n > n &&
            hex_decode(view_of(text.p + n + 1, text.n - n - 1), broker, 32))
            return 0;
    }
    return err_set(e, "bad-image", "it is not one line of root:blocks and 64 hex digits");
}

void sealed_text(const struct volume *model, const uint8_t broker[static 32], struct buf *out) {
    char root[VOLUME_TEXT], hex[65];

    volume_text(model, root);
    hex_encode(view_of(broker, 32), hex);
    buf_fmt(out, "%s %s\n", root, hex);
}

/* --- sealing --- */

struct sealing {
    EVP_CIPHER_CTX *ctx;
    int from, to;
    uint64_t total, done;
    uint8_t plain[STEP], sealed[STEP];
};

/* plain64: the tweak is the sector's number, little-endian. */
static int seal_sector(struct sealing *s, size_t at, struct err *e) {
    uint64_t number = (s->done + at) / SECTOR;
    uint8_t iv[16] = {0};
    int n;

    for (int i = 0; i < 8; i++)
        iv[i] = (uint8_t)(number >> 8 * i);
    if (EVP_EncryptInit_ex(s->ctx, NULL, NULL, NULL, iv) != 1 ||
        EVP_EncryptUpdate(s->ctx, s->sealed + at, &n, s->plain + at, (int)SECTOR) != 1 ||
        n != (int)SECTOR)
        return err_set(e, "seal", "AES-256-XTS failed");
    return 0;
}

static int read_full(int fd, uint8_t *to, size_t n, struct err *e) {
    for (size_t got = 0; got < n;) {
        ssize_t k = read(fd, to + got, n - got);

        if (k <= 0)
            return err_sys(e, k < 0 ? errno : EIO, "cannot read the volume");
        got += (size_t)k;
    }
    return 0;
}

static int seal_step(struct sealing *s, struct err *e) {
    uint64_t left = s->total - s->done;
    size_t n = left < STEP ? (size_t)left : STEP;

    if (read_full(s->from, s->plain, n, e))
        return -1;
    for (size_t at = 0; at < n; at += SECTOR)
        if (seal_sector(s, at, e))
            return -1;
    if (fd_write_all(s->to, view_of(s->sealed, n), e))
        return -1;
    s->done += n;
    return 0;
}

static int seal_open(struct sealing *s, int from, const struct secret *key, struct err *e) {
    struct stat st;

    if (fstat(from, &st) < 0 || lseek(from, 0, SEEK_SET) != 0)
        return err_sys(e, errno, "cannot read the volume");
    if (st.st_size <= 0 || st.st_size % 4096)
        return err_set(e, "bad-volume", "a volume is whole blocks of 4096 bytes, not %lld bytes",
                       (long long)st.st_size);
    s->from = from;
    s->total = (uint64_t)st.st_size;
    s->ctx = EVP_CIPHER_CTX_new();
    if (!s->ctx || EVP_EncryptInit_ex(s->ctx, EVP_aes_256_xts(), NULL, secret_get(key), NULL) != 1)
        return err_set(e, "seal", "AES-256-XTS is not there, or refuses the key");
    return 0;
}

static int seal_all(struct sealing *s, const char *path, seal_progress *told, void *arg,
                    struct err *e) {
    s->to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (s->to < 0)
        return err_sys(e, errno, "cannot make '%s'", path);
    while (s->done < s->total) {
        if (seal_step(s, e))
            return -1;
        told(arg, s->done, s->total);
    }
    if (fsync(s->to) < 0)
        return err_sys(e, errno, "cannot write '%s'", path);
    return 0;
}

int volume_seal(int from, const char *to, const struct secret *key, seal_progress *told, void *arg,
                struct err *e) {
    struct sealing *s = mem_new(sizeof *s);
    int rc = -1;

    s->to = -1;
    if (seal_open(s, from, key, e) == 0)
        rc = seal_all(s, to, told, arg, e);
    if (s->to >= 0) {
        close(s->to);
        if (rc)
            unlink(to);
    }
    EVP_CIPHER_CTX_free(s->ctx);
    explicit_bzero(s, sizeof *s);
    cleanup_free_fn(&s);
    return rc;
}
