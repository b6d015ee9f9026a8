#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/enc.h"
#include "identity.h"

static struct keypair *read_key(const char *path, struct err *e) {
    struct buf text = {.max = 4096};
    struct keypair *k = NULL;
    struct view line;

    if (file_read(path, 4096, &text, e) == 0) {
        line = buf_view(&text);
        while (line.n && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == ' '))
            line.n--;
        k = keypair_parse(line, e);
    }
    buf_wipe(&text);
    if (!k)
        err_wrap(e, "key file '%s'", path);
    return k;
}

static struct keypair *make_key(const char *path, struct err *e) {
    struct keypair *k = keypair_new();
    struct nip19 n = {.type = NIP19_NSEC};
    struct buf text = {.max = 4096};
    int rc;

    memcpy(n.id, secret_get(keypair_secret(k)), 32);
    rc = nip19_encode(&n, &text, e);
    explicit_bzero(n.id, sizeof n.id);
    buf_str(&text, "\n");
    if (rc == 0)
        rc = file_write(path, buf_view(&text), 0600, false, e);
    buf_wipe(&text);
    if (rc == 0)
        return k;
    keypair_free(k);
    return NULL;
}

struct keypair *identity_open(const char *path, struct err *e) {
    struct stat st;

    if (lstat(path, &st) < 0) {
        if (errno == ENOENT)
            return make_key(path, e);
        err_sys(e, errno, "cannot read the key file '%s'", path);
        return NULL;
    }
    if (!S_ISREG(st.st_mode) || (st.st_mode & 077)) {
        err_set(e, "unsafe-key", "the key file '%s' can be read by others: `chmod 600 %s`", path,
                path);
        return NULL;
    }
    return read_key(path, e);
}
