#include "trust.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attest/advice.h"
#include "attest/reference.h"
#include "core/conf.h"
#include "core/dvm.h"
#include "core/enc.h"
#include "core/hash.h"
#include "core/release.h"

#define TRUST_FILE_MAX ((size_t)1 << 20)
#define LISTED_MAX 4096 /* lines of one kind, endorsements */

/* A growing list of 32-byte values. */
static void add32(uint8_t (**list)[32], size_t *n, const uint8_t v[static 32]) {
    *list = mem_grow(*list, (*n + 1) * sizeof **list);
    memcpy((*list)[(*n)++], v, 32);
}

/* Cuts the next word off *line; NULL when there is none. */
static char *word_next(char **line) {
    char *w = *line + strspn(*line, " \t");
    size_t n = strcspn(w, " \t");

    if (n == 0)
        return NULL;
    *line = w + n + (w[n] != '\0');
    w[n] = '\0';
    return w;
}

/* Once, however often and in whichever form it is named: k of n are k different keys. */
static int take_endorser(struct trust *t, const char *value, struct err *e) {
    uint8_t v[32];

    if (!value || pubkey_parse(value, v, e))
        return err_set(e, "bad-config", "endorser wants an npub or 64 hex digits");
    for (size_t i = 0; i < t->pins.n_endorsers; i++)
        if (!memcmp(t->endorser[i], v, 32))
            return 0;
    add32(&t->endorser, &t->pins.n_endorsers, v);
    return 0;
}

static int take_agree(struct trust *t, const char *value, struct err *e) {
    uint64_t k;

    if (!value || !decimal_parse(value, &k) || k < 1 || k > LISTED_MAX)
        return err_set(e, "bad-config", "agree wants a number from 1 to %d", LISTED_MAX);
    t->pins.k = (unsigned)k;
    return 0;
}

static int take_pin(struct trust *t, const char *word, const char *value, struct err *e) {
    uint8_t v[32];

    if (!strcmp(word, "endorser"))
        return take_endorser(t, value, e);
    if (!strcmp(word, "agree"))
        return take_agree(t, value, e);
    if (strcmp(word, "release") != 0 && strcmp(word, "workload") != 0 && strcmp(word, "model") != 0)
        return err_set(e, "bad-config",
                       "a line begins with release, workload, model, endorser or agree");
    if (!value || !hex_decode_str(value, v, 32))
        return err_set(e, "bad-config", "%s wants the sha256 of a manifest", word);
    add32(&t->digest, &t->pins.n_digests, v);
    return 0;
}

static int take_root(struct trust *t, const char *word, const char *value, struct err *e) {
    uint8_t v[32];

    (void)value;
    if (!hex_decode_str(word, v, 32))
        return err_set(e, "bad-config", "a line begins with the sha256 of a root certificate");
    add32(&t->sim_root, &t->n_sim_roots, v);
    return 0;
}

typedef int take_fn(struct trust *t, const char *word, const char *value, struct err *e);

static int take_lines(struct trust *t, char *text, const char *path, take_fn *take, struct err *e) {
    char *next = text;
    unsigned n = 0;

    while (next) {
        char *line = strsep(&next, "\n"), *word, *value;

        if (++n > LISTED_MAX)
            return err_set(e, "bad-config", "%s: more than %d lines", path, LISTED_MAX);
        line[strcspn(line, "#\r")] = '\0';
        word = word_next(&line);
        value = word ? word_next(&line) : NULL; /* what follows is for the reader of the file */
        if (word && take(t, word, value, e))
            return err_wrap(e, "%s:%u", path, n);
    }
    return 0;
}

static int read_lines(struct trust *t, const char *name, take_fn *take, struct err *e) {
    cleanup_free char *path = conf_path(CONF_CONFIG, name, e);
    cleanup_buf struct buf text = {0};

    if (!path)
        return -1;
    if (access(path, F_OK) != 0)
        return 0;
    if (file_read(path, TRUST_FILE_MAX, &text, e))
        return -1;
    if (text.n && memchr(text.p, 0, text.n))
        return err_set(e, "bad-config", "%s is not a text file", path);
    return text.n ? take_lines(t, (char *)text.p, path, take, e) : 0;
}

/* The lists moved while they grew. */
static void pins_point(struct trust *t) {
    t->pins.digest = (const uint8_t(*)[32])t->digest;
    t->pins.endorser = (const uint8_t(*)[32])t->endorser;
    t->pins.endorsement = (const struct event *const *)t->event;
}

static int read_memory(struct trust *t, struct err *e) {
    cleanup_free char *path = conf_path(CONF_STATE, "memory", e);
    cleanup_buf struct buf text = {0};

    if (!path)
        return -1;
    if (access(path, F_OK) == 0 &&
        (file_read(path, MEMORY_MAX, &text, e) || memory_parse(buf_view(&text), &t->memory, e)))
        return err_wrap(e, "%s", path);
    t->pins.memory = &t->memory;
    return 0;
}

int trust_load(struct trust *t, bool simulated, struct err *e) {
    *t = (struct trust){0};
    if (read_lines(t, "pins", take_pin, e) ||
        (simulated && read_lines(t, "sim-roots", take_root, e)) || read_memory(t, e)) {
        trust_free(t);
        return -1;
    }
    pins_point(t);
    return 0;
}

void trust_add(struct trust *t, const struct event *endorsement) {
    size_t n = t->pins.n_endorsements;

    if (n == LISTED_MAX)
        return;
    for (size_t i = 0; i < n; i++)
        if (!memcmp(t->event[i]->f.id, endorsement->f.id, 32))
            return;
    t->event = mem_grow(t->event, (n + 1) * sizeof *t->event);
    t->event[n] = event_copy(endorsement);
    t->pins.n_endorsements = n + 1;
    pins_point(t);
}

void trust_free(struct trust *t) {
    for (size_t i = 0; i < t->pins.n_endorsements; i++)
        event_free(t->event[i]);
    free(t->event);
    free(t->digest);
    free(t->endorser);
    free(t->sim_root);
    memory_free(&t->memory);
    *t = (struct trust){0};
}

/* --- memory --- */

/* Bytes up to the last line end: a line that a crash cut off must not swallow the next one. */
static off_t whole_lines(int fd) {
    off_t end = lseek(fd, 0, SEEK_END);
    char last;

    while (end > 0 && pread(fd, &last, 1, end - 1) == 1 && last != '\n')
        end--;
    return end;
}

static int memory_append(const struct buf *lines, struct err *e) {
    cleanup_free char *path = conf_path(CONF_STATE, "memory", e);
    cleanup_fd int fd = -1;

    if (!path)
        return -1;
    fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_sys(e, errno, "cannot open '%s'", path);
    if (ftruncate(fd, whole_lines(fd)))
        return err_sys(e, errno, "cannot mend '%s'", path);
    if (fd_write_all(fd, buf_view(lines), e) || (fsync(fd) && err_sys(e, errno, "cannot flush")))
        return err_wrap(e, "cannot remember in '%s'", path);
    return 0;
}

static void learn_provider(struct memory *m, const struct expect *x, struct view chip, int64_t now,
                           struct buf *lines) {
    struct view value[SEEN_KINDS];
    uint8_t digest[3][32];

    provider_values(x, chip, digest, value);
    for (size_t i = 0; i < SEEN_KINDS; i++)
        if (value[i].n)
            (void)memory_add_seen(m, x->offer->pubkey, (enum memory_what)i, value[i], now, lines);
}

int trust_learn(struct trust *t, const struct expect *x, struct view chip, int64_t now,
                struct err *e) {
    cleanup_buf struct buf lines = {0};

    if (!t->pins.memory)
        return 0;
    advice_learn(&t->pins, &t->memory, &lines);
    if (x)
        learn_provider(&t->memory, x, chip, now, &lines);
    return lines.n ? memory_append(&lines, e) : 0;
}

/* --- manifests --- */

static char *manifest_dir(struct err *e) {
    char *dir = conf_path(CONF_DATA, "manifests", e);

    if (dir && mkdir(dir, 0700) != 0 && errno != EEXIST) {
        err_sys(e, errno, "cannot make the folder '%s'", dir);
        free(dir);
        return NULL;
    }
    return dir;
}

static char *manifest_path(const uint8_t digest[static 32], struct err *e) {
    cleanup_free char *dir = manifest_dir(e);
    cleanup_free char *hex = hex_new(view_of(digest, 32));

    return dir ? mem_fmt("%s/%s.json", dir, hex) : NULL;
}

int manifest_load(const uint8_t digest[static 32], struct buf *out, struct err *e) {
    cleanup_free char *path = manifest_path(digest, e);
    uint8_t got[32];

    if (!path)
        return -1;
    if (access(path, F_OK) != 0)
        return err_set(e, "absent", "there is no manifest '%s'", path);
    buf_reset(out);
    if (file_read(path, MANIFEST_MAX, out, e))
        return -1;
    sha256(buf_view(out), got);
    if (memcmp(got, digest, 32) == 0)
        return 0;
    buf_reset(out);
    return err_set(e, "bad-hash", "'%s' is not the manifest that its name says", path);
}

static bool vouched(const struct pins *p, const uint8_t digest[static 32]) {
    uint8_t x[32];

    for (size_t i = 0; i < p->n_digests; i++)
        if (!memcmp(p->digest[i], digest, 32))
            return true;
    for (size_t i = 0; i < p->n_endorsements; i++)
        if (hex_decode_str(fields_get(&p->endorsement[i]->f, "x", 1), x, 32) &&
            !memcmp(x, digest, 32))
            return true;
    return false;
}

/* 0: of something else; the best has the most. */
static int manifest_fits(const struct pins *p, const struct wanted_volume *want,
                         const uint8_t digest[static 32], struct view content) {
    struct manifest *m = manifest_parse(content, want->model, NULL);
    char text[VOLUME_TEXT];
    int points = 0;

    if (!m)
        return 0;
    volume_text(&m->volume, text);
    if (!strcmp(text, want->volume))
        points = 1 + 2 * !strcmp(m->name, want->name) + vouched(p, digest);
    manifest_free(m);
    return points;
}

/* "<64 hex>.json" */
static bool digest_of_name(const char *name, uint8_t digest[static 32]) {
    return strlen(name) == 69 && !strcmp(name + 64, ".json") &&
           hex_decode(view_of(name, 64), digest, 32);
}

static void keep_better(const struct pins *p, const struct wanted_volume *want,
                        const uint8_t digest[static 32], struct buf *best, int *points) {
    struct buf got = {0};
    int n = manifest_load(digest, &got, NULL) ? 0 : manifest_fits(p, want, digest, buf_view(&got));

    if (n > *points) {
        struct buf worse = *best;

        *best = got;
        got = worse;
        *points = n;
    }
    buf_free(&got);
}

int manifest_load_volume(const struct pins *p, const struct wanted_volume *want, struct buf *out,
                         struct err *e) {
    cleanup_free char *dir = manifest_dir(e);
    DIR *d = dir ? opendir(dir) : NULL;
    const struct dirent *f;
    uint8_t digest[32];
    int points = 0;

    if (!dir)
        return -1;
    buf_reset(out);
    while (d && (f = readdir(d)))
        if (digest_of_name(f->d_name, digest))
            keep_better(p, want, digest, out, &points);
    if (d)
        closedir(d);
    if (points)
        return 0;
    return err_set(e, "absent", "no manifest at hand names the volume %s", want->volume);
}

int manifest_save(struct view content, struct err *e) {
    cleanup_free char *path = NULL;
    uint8_t digest[32];

    manifest_digest(content, digest);
    path = manifest_path(digest, e);
    if (!path)
        return -1;
    if (access(path, F_OK) == 0)
        return 0;
    return file_write(path, content, 0600, true, e);
}
