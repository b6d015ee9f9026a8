#include "broker_house.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attest/advice.h"
#include "broker_priv.h"
#include "core/enc.h"
#include "core/log.h"
#include "modelfile.h"

#define LIST_FILE_MAX ((size_t)1 << 20)
#define EVENTS_FILE_MAX ((size_t)8 << 20)
#define EVENTS_MAX 4096

/* --- releases --- */

static const struct house_release *find_release(const struct broker_house *h,
                                                const uint8_t digest[static 32]) {
    for (size_t i = 0; i < h->n_releases; i++)
        if (!memcmp(h->release[i].digest, digest, 32))
            return &h->release[i];
    return NULL;
}

static bool is_listed(const struct broker_house *h, const uint8_t digest[static 32]) {
    for (size_t i = 0; i < h->list.n; i++)
        if (!memcmp(h->list.row[i].release, digest, 32))
            return true;
    return false;
}

/* Files that no row names are not looked into. */
static int take_manifest(struct broker_house *h, const char *path, struct err *e) {
    struct house_release r = {0};

    if (file_read(path, MANIFEST_MAX, &r.content, e))
        return err_wrap(e, "manifest");
    manifest_digest(buf_view(&r.content), r.digest);
    if (!is_listed(h, r.digest) || find_release(h, r.digest)) {
        buf_free(&r.content);
        return 0;
    }
    r.release = release_parse(buf_view(&r.content), e);
    if (!r.release) {
        buf_free(&r.content);
        return err_wrap(e, "%s", path);
    }
    h->release = mem_grow(h->release, (h->n_releases + 1) * sizeof *h->release);
    h->release[h->n_releases++] = r;
    return 0;
}

static bool is_manifest(const char *name) {
    static const char ending[] = ".manifest";
    const size_t n = strlen(name), k = sizeof ending - 1;

    return n > k && !strcmp(name + n - k, ending) && name[0] != '.';
}

static int take_manifests(struct broker_house *h, const char *path, struct err *e) {
    DIR *d = opendir(path);
    struct dirent *entry;
    int rc = 0;

    if (!d)
        return take_manifest(h, path, e);
    while (!rc && (entry = readdir(d)))
        if (is_manifest(entry->d_name)) {
            cleanup_free char *file = mem_fmt("%s/%s", path, entry->d_name);

            rc = take_manifest(h, file, e);
        }
    closedir(d);
    return rc;
}

/* --- whom to believe --- */

static int take_endorser(struct broker_house *h, const char *text, struct err *e) {
    uint8_t key[32];

    if (pubkey_parse(text, key, e))
        return err_wrap(e, "endorser");
    for (size_t i = 0; i < h->pins.n_endorsers; i++)
        if (!memcmp(h->endorser[i], key, 32))
            return 0;
    h->endorser = mem_grow(h->endorser, (h->pins.n_endorsers + 1) * sizeof *h->endorser);
    memcpy(h->endorser[h->pins.n_endorsers++], key, 32);
    h->pins.endorser = (const uint8_t(*)[32])h->endorser;
    return 0;
}

/* What was said stays said: an older word that comes later, over whatever relay, does not count. */
static void remember(struct broker_house *h) {
    cleanup_buf struct buf lines = {0};
    struct err e;

    advice_learn(&h->pins, &h->memory, &lines);
    if (!lines.n)
        return;
    buf_add(&h->memory_text, lines.p, lines.n);
    if (file_write(h->memory_path, buf_view(&h->memory_text), 0600, true, &e))
        log_line(LOG_WARN, "broker", "what endorsers said is not remembered: %s", e.text);
}

static int take_memory(struct broker_house *h, const char *path, struct err *e) {
    h->memory_path = mem_str(path);
    h->memory_text.max = MEMORY_MAX;
    if (access(path, F_OK) == 0 && (file_read(path, MEMORY_MAX, &h->memory_text, e) ||
                                    memory_parse(buf_view(&h->memory_text), &h->memory, e)))
        return err_wrap(e, "%s", path);
    h->pins.memory = &h->memory;
    return 0;
}

static void hear(struct broker_house *h, const struct event *ev) {
    if (h->pins.n_endorsements == EVENTS_MAX)
        return;
    for (size_t i = 0; i < h->pins.n_endorsements; i++)
        if (!memcmp(h->event[i]->f.id, ev->f.id, 32))
            return;
    for (size_t i = 0; i < h->pins.n_endorsers; i++) {
        if (memcmp(h->endorser[i], ev->f.pubkey, 32))
            continue;
        h->event = mem_grow(h->event, (h->pins.n_endorsements + 1) * sizeof *h->event);
        h->event[h->pins.n_endorsements++] = event_copy(ev);
        h->pins.endorsement = (const struct event *const *)h->event;
        return;
    }
}

static int take_events(struct broker_house *h, const char *path, struct err *e) {
    cleanup_buf struct buf text = {0};
    struct view rest;
    unsigned n = 0;

    if (file_read(path, EVENTS_FILE_MAX, &text, e))
        return err_wrap(e, "endorsements");
    for (rest = buf_view(&text); rest.n; n++) {
        const uint8_t *end = memchr(rest.p, '\n', rest.n);
        struct view line = view_of(rest.p, end ? (size_t)(end - rest.p) : rest.n);
        struct event *ev = line.n ? event_parse(line, e) : NULL;

        if (line.n && !ev)
            return err_wrap(e, "%s:%u", path, n + 1);
        if (ev)
            hear(h, ev);
        event_free(ev);
        rest = view_of(rest.p + line.n + (end != NULL), rest.n - line.n - (end != NULL));
    }
    return 0;
}

void broker_house_hear(struct broker_house *h, const struct event *ev) {
    const size_t before = h->pins.n_endorsements;

    hear(h, ev);
    if (h->pins.n_endorsements > before)
        remember(h);
}

/* --- the list and its keys --- */

static int take_list(struct broker_house *h, const char *path, struct err *e) {
    cleanup_buf struct buf text = {0};

    if (file_read(path, LIST_FILE_MAX, &text, e))
        return err_wrap(e, "list");
    return broker_list_parse(buf_view(&text), path, &h->list, e);
}

static int take_keys(struct broker_house *h, const char *list, struct err *e) {
    const char *slash = strrchr(list, '/');
    cleanup_free char *dir = slash ? mem_strn(list, (size_t)(slash - list) + 1) : mem_str("");

    h->key = mem_new((h->list.n + 1) * sizeof *h->key);
    for (size_t i = 0; i < h->list.n; i++) {
        const struct broker_row *r = &h->list.row[i];
        cleanup_free char *path = mem_fmt("%s%s", r->key[0] == '/' ? "" : dir, r->key);

        h->key[i] = modelkey_read(path, &r->model, e);
        if (!h->key[i])
            return err_wrap(e, "%s:%u", list, r->line);
    }
    return 0;
}

static int check_releases(const struct broker_house *h, const char *list, struct err *e) {
    for (size_t i = 0; i < h->list.n; i++) {
        char hex[65];

        hex_encode(view_of(h->list.row[i].release, 32), hex);
        if (!find_release(h, h->list.row[i].release))
            return err_set(e, "bad-list",
                           "%s:%u: no manifest at hand has the digest %s: name its folder with "
                           "--manifests",
                           list, h->list.row[i].line, hex);
    }
    return 0;
}

static int open_all(struct broker_house *h, const struct broker_files *f, struct err *e) {
    int rc = take_memory(h, f->memory, e) || take_list(h, f->list, e) ? -1 : 0;

    for (size_t i = 0; !rc && i < f->n_manifests; i++)
        rc = take_manifests(h, f->manifests[i], e);
    for (size_t i = 0; !rc && i < f->n_endorsers; i++)
        rc = take_endorser(h, f->endorsers[i], e);
    for (size_t i = 0; !rc && i < f->n_endorsements; i++)
        rc = take_events(h, f->endorsements[i], e);
    if (rc || check_releases(h, f->list, e))
        return -1;
    remember(h);
    return take_keys(h, f->list, e);
}

struct broker_house *broker_house_open(const struct broker_files *f, struct err *e) {
    struct broker_house *h = mem_new(sizeof *h);

    policy_preset(&h->policy, POLICY_STRICT);
    if (open_all(h, f, e) == 0)
        return h;
    broker_house_free(h);
    return NULL;
}

void broker_house_free(struct broker_house *h) {
    if (!h)
        return;
    for (size_t i = 0; h->key && i < h->list.n; i++)
        secret_free(h->key[i]);
    for (size_t i = 0; i < h->n_releases; i++) {
        release_free(h->release[i].release);
        buf_free(&h->release[i].content);
    }
    for (size_t i = 0; i < h->pins.n_endorsements; i++)
        event_free(h->event[i]);
    broker_list_free(&h->list);
    memory_free(&h->memory);
    buf_free(&h->memory_text);
    free(h->memory_path);
    free(h->key);
    free(h->release);
    free(h->endorser);
    free(h->event);
    free(h);
}

size_t broker_house_rows(const struct broker_house *h) {
    return h->list.n;
}

bool broker_house_has_model(const struct broker_house *h, const uint8_t root[static 32]) {
    for (size_t i = 0; i < h->list.n; i++)
        if (!memcmp(h->list.row[i].model.root, root, 32))
            return true;
    return false;
}

const struct secret *broker_house_key(const struct broker_house *h, const struct broker_row *row) {
    return h->key[row - h->list.row];
}

const uint8_t (*broker_house_endorsers(const struct broker_house *h, size_t *n))[32] {
    *n = h->pins.n_endorsers;
    return h->pins.endorser;
}
