#include "identity.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/conf.h"
#include "core/enc.h"
#include "core/nip49.h"

#define FILE_BYTES ((size_t)8192)
#define FOLDER "identities"

/* One file, and its key while it is unlocked. */
struct entry {
    struct identity shown;
    struct nip49 sealed;
    struct keypair *key;
};

struct identities {
    char *folder;
    struct entry entry[IDENTITIES_MAX];
    size_t n;
    struct entry *chosen;
    char trouble[320];
};

/* A remote signer that has not been met yet. */
struct newcomer {
    char name[IDENTITY_NAME];
    struct keypair *client;
    struct buf sealed; /* ncryptsec of that */
};

/* What stands in a file. */
struct stored {
    char *npub, *ncryptsec, *signer;
};
static const struct conf_key FILE_KEYS[] = {
    {.name = "npub", .type = CONF_STRING, .offset = offsetof(struct stored, npub)},
    {.name = "ncryptsec", .type = CONF_STRING, .offset = offsetof(struct stored, ncryptsec)},
    {.name = "signer", .type = CONF_STRING, .offset = offsetof(struct stored, signer)},
};

/* --- files --- */

bool identity_name_ok(const char *name) {
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t n = strlen(name);

    return n > 0 && n < IDENTITY_NAME && strspn(name, letters) == n && *name != '-';
}

static char *path_of(const struct identities *l, const char *name) {
    return mem_fmt("%s/%s", l->folder, name);
}

static int npub_parse(const char *text, uint8_t pub[static 32], struct err *e) {
    if (!text || strncmp(text, "npub1", 5) != 0)
        return err_set(e, "bad-key", "there is no line 'npub = npub1...'");
    return pubkey_parse(text, pub, e);
}

static int signer_parse(const char *text, struct err *e) {
    struct signer_url at;
    int rc = signer_url_parse(view_str(text), &at, e);

    if (rc == 0 && *at.secret)
        rc = err_set(e, "bad-signer", "the signer's address has its secret, which is never kept");
    explicit_bzero(&at, sizeof at);
    return rc;
}

static int entry_fill(struct entry *x, struct stored *f, struct err *e) {
    if (npub_parse(f->npub, x->shown.pub, e))
        return -1;
    if (!f->ncryptsec)
        return err_set(e, "bad-key", "there is no line 'ncryptsec = ncryptsec1...'");
    if (nip49_parse(view_str(f->ncryptsec), &x->sealed, e))
        return -1;
    if (f->signer && signer_parse(f->signer, e))
        return -1;
    x->shown.signer = f->signer;
    f->signer = NULL;
    return 0;
}

static int entry_read(struct entry *x, const char *path, struct err *e) {
    cleanup_buf struct buf text = {.max = FILE_BYTES};
    struct stored f = {0};
    struct stat st;
    int rc;

    if (lstat(path, &st) != 0)
        return err_sys(e, errno, "cannot read it");
    if (!S_ISREG(st.st_mode) || (st.st_mode & 077))
        return err_set(e, "unsafe-key", "others can read it: chmod 600");
    if (file_read(path, FILE_BYTES, &text, e))
        return -1;
    rc = conf_parse(buf_view(&text), path, FILE_KEYS, COUNT(FILE_KEYS), &f, e);
    if (rc == 0)
        rc = entry_fill(x, &f, e);
    conf_free(FILE_KEYS, COUNT(FILE_KEYS), &f);
    return rc;
}

static int by_name(const void *a, const void *b) {
    const struct entry *x = a, *y = b;

    return strcmp(x->shown.name, y->shown.name);
}

static void entry_free(struct entry *x) {
    keypair_free(x->key);
    free(x->shown.signer);
    *x = (struct entry){0};
}

static void load_one(struct identities *l, const char *name) {
    struct entry *x = &l->entry[l->n];
    cleanup_free char *path = path_of(l, name);
    struct err e;

    *x = (struct entry){0};
    snprintf(x->shown.name, sizeof x->shown.name, "%s", name);
    if (entry_read(x, path, &e) == 0) {
        l->n++;
        return;
    }
    entry_free(x);
    snprintf(l->trouble, sizeof l->trouble, "identity '%s' is left out: %.240s", name, e.text);
}

static void load_all(struct identities *l) {
    DIR *d = opendir(l->folder);
    struct dirent *ent;

    while (d && (ent = readdir(d)) && l->n < IDENTITIES_MAX)
        if (identity_name_ok(ent->d_name))
            load_one(l, ent->d_name);
    if (d)
        closedir(d);
    qsort(l->entry, l->n, sizeof l->entry[0], by_name);
}

struct identities *identities_open(const char *folder, struct err *e) {
    struct identities *l = mem_new(sizeof *l);

    l->folder = folder ? mem_str(folder) : conf_path(CONF_DATA, FOLDER, e);
    if (!l->folder) {
        free(l);
        return NULL;
    }
    load_all(l);
    return l;
}

void identities_free(struct identities *l) {
    if (!l)
        return;
    for (size_t i = 0; i < l->n; i++)
        entry_free(&l->entry[i]);
    free(l->folder);
    free(l);
}

const char *identities_trouble(const struct identities *l) {
    return *l->trouble ? l->trouble : NULL;
}

/* --- looking --- */

size_t identities_count(const struct identities *l) {
    return l->n;
}

const struct identity *identities_at(const struct identities *l, size_t i) {
    return i < l->n ? &l->entry[i].shown : NULL;
}

static struct entry *find(const struct identities *l, const char *name) {
    for (size_t i = 0; i < l->n; i++)
        if (!strcmp(l->entry[i].shown.name, name))
            return (struct entry *)&l->entry[i];
    return NULL;
}

static struct entry *must_find(const struct identities *l, const char *name, struct err *e) {
    struct entry *x = find(l, name);

    if (!x)
        err_set(e, "unknown-identity", "there is no identity '%.40s' in %s", name, l->folder);
    return x;
}

const struct identity *identities_find(const struct identities *l, const char *name) {
    const struct entry *x = find(l, name);

    return x ? &x->shown : NULL;
}

/* --- adding and removing --- */

static int may_add(const struct identities *l, const char *name, struct err *e) {
    if (!identity_name_ok(name))
        return err_set(e, "bad-name",
                       "a name is 1 to %d letters, digits, '_' and '-' (and does not begin with "
                       "'-')",
                       IDENTITY_NAME - 1);
    if (find(l, name))
        return err_set(e, "exists", "there is an identity '%s' already", name);
    if (l->n == IDENTITIES_MAX)
        return err_set(e, "too-many", "%d identities are as many as are kept", IDENTITIES_MAX);
    if (mkdir(l->folder, 0700) != 0 && errno != EEXIST)
        return err_sys(e, errno, "cannot make the folder '%s'", l->folder);
    return 0;
}

static void put_line(struct buf *out, const char *key, const char *value) {
    if (value)
        buf_fmt(out, "%s = %s\n", key, value);
}

/* ncryptsec and signer are copied. The entry is unlocked by k, which is taken over. */
static int entry_add(struct identities *l, const char *name, const uint8_t pub[static 32],
                     struct keypair *k, const char *ncryptsec, const char *signer, struct err *e) {
    struct nip19 id = {.type = NIP19_NPUB};
    cleanup_buf struct buf npub = {0}, text = {0};
    cleanup_free char *path = path_of(l, name);
    struct entry x = {.key = k, .shown.unlocked = true};

    snprintf(x.shown.name, sizeof x.shown.name, "%s", name);
    memcpy(x.shown.pub, pub, 32);
    memcpy(id.id, pub, 32);
    if (nip49_parse(view_str(ncryptsec), &x.sealed, e) || nip19_encode(&id, &npub, e))
        return -1;
    put_line(&text, "npub", (const char *)npub.p);
    put_line(&text, "ncryptsec", ncryptsec);
    put_line(&text, "signer", signer);
    if (file_write(path, buf_view(&text), 0600, false, e))
        return -1;
    x.shown.signer = signer ? mem_str(signer) : NULL;
    l->entry[l->n++] = x;
    return 0;
}

/* The list is in order again; who was chosen stays so. */
static void settle(struct identities *l) {
    char chosen[IDENTITY_NAME] = "";

    if (l->chosen)
        memcpy(chosen, l->chosen->shown.name, sizeof chosen);
    qsort(l->entry, l->n, sizeof l->entry[0], by_name);
    l->chosen = find(l, chosen);
}

/* Takes over k. */
static int add_key(struct identities *l, const char *name, struct keypair *k, const char *ncryptsec,
                   struct err *e) {
    if (entry_add(l, name, keypair_pub(k), k, ncryptsec, NULL, e)) {
        keypair_free(k);
        return -1;
    }
    settle(l);
    return 0;
}

static int seal(const struct keypair *k, struct view passphrase, enum nip49_past past,
                struct buf *out, struct err *e) {
    if (passphrase.n < IDENTITY_PASSPHRASE_MIN)
        return err_set(e, "weak-passphrase", "the passphrase has fewer than %d characters",
                       IDENTITY_PASSPHRASE_MIN);
    return nip49_write(k, passphrase, past, out, e);
}

/* Takes over k. */
static int add_sealed(struct identities *l, const char *name, struct keypair *k,
                      enum nip49_past past, struct view passphrase, struct err *e) {
    cleanup_buf struct buf text = {0};

    if (seal(k, passphrase, past, &text, e)) {
        keypair_free(k);
        return -1;
    }
    return add_key(l, name, k, (const char *)text.p, e);
}

int identities_make(struct identities *l, const char *name, struct view passphrase, struct err *e) {
    return may_add(l, name, e) ? -1 : add_sealed(l, name, keypair_new(), NIP49_KEPT, passphrase, e);
}

static struct view trim(struct view v) {
    while (v.n && (v.p[v.n - 1] <= ' '))
        v.n--;
    for (; v.n && *v.p <= ' '; v.n--)
        v.p++;
    return v;
}

/* As it was given when it is strong enough; else written anew. */
static int import_sealed(struct identities *l, const char *name, struct view text,
                         struct view passphrase, struct err *e) {
    struct nip49 n;
    struct keypair *k;
    cleanup_free char *copy = mem_strn(text.p, text.n);

    if (nip49_parse(text, &n, e) || !(k = nip49_open(&n, passphrase, e)))
        return -1;
    return n.log_n >= PASSPHRASE_LOG_N ? add_key(l, name, k, copy, e)
                                       : add_sealed(l, name, k, n.past, passphrase, e);
}

int identities_import(struct identities *l, const char *name, struct view text,
                      struct view passphrase, struct err *e) {
    static const char sealed[] = "ncryptsec1";
    struct keypair *k;

    text = trim(text);
    if (may_add(l, name, e))
        return -1;
    if (text.n > strlen(sealed) && !strncasecmp((const char *)text.p, sealed, strlen(sealed)))
        return import_sealed(l, name, text, passphrase, e);
    k = keypair_parse(text, e);
    return k ? add_sealed(l, name, k, NIP49_EXPOSED, passphrase, e) : -1;
}

/* --- a remote signer --- */

struct newcomer *identities_prepare(struct identities *l, const char *name, struct view passphrase,
                                    struct err *e) {
    struct newcomer *n;

    if (may_add(l, name, e))
        return NULL;
    n = mem_new(sizeof *n);
    snprintf(n->name, sizeof n->name, "%s", name);
    n->client = keypair_new();
    if (seal(n->client, passphrase, NIP49_KEPT, &n->sealed, e) == 0)
        return n;
    newcomer_free(n);
    return NULL;
}

const struct keypair *newcomer_key(const struct newcomer *n) {
    return n->client;
}

void newcomer_free(struct newcomer *n) {
    if (!n)
        return;
    keypair_free(n->client);
    buf_free(&n->sealed);
    free(n);
}

int identities_admit(struct identities *l, struct newcomer *n, const struct signer_url *at,
                     const uint8_t user[static 32], struct err *e) {
    cleanup_buf struct buf url = {0};
    int rc = may_add(l, n->name, e);

    signer_url_write(at, &url);
    if (rc == 0)
        rc = entry_add(l, n->name, user, n->client, (const char *)n->sealed.p, (const char *)url.p,
                       e);
    if (rc == 0) {
        n->client = NULL;
        settle(l);
    }
    newcomer_free(n);
    return rc;
}

int identities_remove(struct identities *l, const char *name, struct err *e) {
    struct entry *x = must_find(l, name, e);
    cleanup_free char *path = NULL;

    if (!x)
        return -1;
    path = path_of(l, name);
    if (unlink(path) != 0 && errno != ENOENT)
        return err_sys(e, errno, "cannot remove '%s'", path);
    if (l->chosen == x)
        l->chosen = NULL;
    entry_free(x);
    *x = l->entry[--l->n];
    if (l->chosen == &l->entry[l->n])
        l->chosen = x;
    settle(l);
    return 0;
}

/* --- unlocking and choosing --- */

int identities_unlock(struct identities *l, const char *name, struct view passphrase,
                      struct err *e) {
    struct entry *x = must_find(l, name, e);
    struct keypair *k;

    if (!x)
        return -1;
    if (x->key)
        return 0;
    if (!(k = nip49_open(&x->sealed, passphrase, e)))
        return -1;
    if (!x->shown.signer && memcmp(keypair_pub(k), x->shown.pub, 32) != 0) {
        keypair_free(k);
        return err_set(e, "bad-key", "the key in the file of '%s' is not that of its npub", name);
    }
    x->key = k;
    x->shown.unlocked = true;
    return 0;
}

void identities_lock(struct identities *l, const char *name) {
    for (size_t i = 0; i < l->n; i++) {
        struct entry *x = &l->entry[i];

        if (name && strcmp(x->shown.name, name) != 0)
            continue;
        keypair_free(x->key);
        x->key = NULL;
        x->shown.unlocked = false;
        if (l->chosen == x)
            l->chosen = NULL;
    }
}

int identities_choose(struct identities *l, const char *name, struct err *e) {
    struct entry *x = name ? must_find(l, name, e) : NULL;

    if (name && !x)
        return -1;
    if (x && !x->key)
        return err_set(e, "locked", "the identity '%s' is locked: give its passphrase first", name);
    l->chosen = x;
    return 0;
}

const struct identity *identities_chosen(const struct identities *l) {
    return l->chosen ? &l->chosen->shown : NULL;
}

const struct keypair *identities_key(const struct identities *l) {
    return l->chosen ? l->chosen->key : NULL;
}
