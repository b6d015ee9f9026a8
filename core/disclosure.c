#include "disclosure.h"

#include <string.h>

#include "enc.h"
#include "json.h"

#define DISCLOSURE_MAX ((size_t)1 << 20)

static bool find(const uint8_t (*ids)[32], size_t n, const uint8_t *id, size_t *at) {
    for (size_t i = 0; i < n; i++)
        if (!memcmp(ids[i], id, 32)) {
            *at = i;
            return true;
        }
    return false;
}

static void put(const struct disclosure *d, struct buf *out) {
    cleanup_buf struct buf rumor = {0};
    struct jw w = jw_new(out);

    rumor_json(d->rumor, &rumor);
    jw_obj(&w);
    jw_kint(&w, "v", 1);
    jw_kstr(&w, "direction", d->out ? "out" : "in");
    jw_kint(&w, "index", (int64_t)d->index);
    jw_kint(&w, "size", (int64_t)d->size);
    jw_key(&w, "path");
    jw_arr(&w);
    for (size_t i = 0; i < d->n_path; i++)
        jw_hex(&w, view_of(d->path[i], 32));
    jw_end_arr(&w);
    jw_key(&w, "rumor");
    jw_raw(&w, buf_view(&rumor));
    jw_end_obj(&w);
}

int disclosure_make(const struct bundle *b, const struct rumor *r, struct buf *out, struct err *e) {
    struct rumor shown = *r; /* only read */
    struct disclosure d = {.rumor = &shown};
    const uint8_t(*ids)[32] = (const uint8_t(*)[32])b->in;
    struct receipt receipt;
    size_t at;

    if (!b->receipt)
        return err_set(e, "no-receipt", "the bundle has no receipt");
    if (!b->has_transcript)
        return err_set(e, "no-transcript", "the bundle does not list the job's messages");
    if (receipt_parse(b->receipt, &receipt, e))
        return -1;
    if (!find(ids, b->n_in, r->f.id, &at)) {
        d.out = true;
        ids = (const uint8_t(*)[32])b->out;
        if (!find(ids, b->n_out, r->f.id, &at))
            return err_set(e, "not-covered", "this message is none of the job's");
    }
    d.index = at;
    d.size = d.out ? receipt.n_out : receipt.n_in;
    if (at >= d.size || d.size > (d.out ? b->n_out : b->n_in))
        return err_set(e, "not-covered", "the receipt does not cover this message");
    d.n_path = merkle_path(ids, (size_t)d.size, at, d.path);
    put(&d, out);
    return 0;
}

static int path_parse(const cJSON *o, struct disclosure *d, struct err *e) {
    const cJSON *list = json_arr(o, "path", e), *v;

    if (!list)
        return -1;
    cJSON_ArrayForEach(v, list) {
        if (d->n_path == MERKLE_PATH_MAX ||
            !hex_decode_str(cJSON_GetStringValue(v), d->path[d->n_path++], 32))
            return err_set(e, "bad-disclosure", "path is not a list of at most %d hashes",
                           MERKLE_PATH_MAX);
    }
    return 0;
}

static int rumor_get(const cJSON *o, struct disclosure *d, struct err *e) {
    const cJSON *r = json_obj(o, "rumor", e);
    cleanup_buf struct buf json = {0};
    struct jw w = jw_new(&json);

    if (!r)
        return -1;
    jw_json(&w, r);
    d->rumor = rumor_parse(buf_view(&json), e);
    return d->rumor ? 0 : -1;
}

static int parse(const cJSON *o, struct disclosure *d, struct err *e) {
    const char *direction;
    uint64_t v;

    if (!json_u64(o, "v", &v, e) || !json_u64(o, "index", &d->index, e) ||
        !json_u64(o, "size", &d->size, e) || !(direction = json_str(o, "direction", e)))
        return -1;
    d->out = !strcmp(direction, "out");
    if (v != 1 || (!d->out && strcmp(direction, "in") != 0))
        return err_set(e, "bad-disclosure", "it is of another version or direction");
    return path_parse(o, d, e) ? -1 : rumor_get(o, d, e);
}

int disclosure_parse(struct view json, struct disclosure *out, struct err *e) {
    cJSON *o = json_parse(json, DISCLOSURE_MAX, e);
    int rc;

    *out = (struct disclosure){0};
    if (!o)
        return err_wrap(e, "disclosure");
    rc = parse(o, out, e);
    cJSON_Delete(o);
    if (!rc)
        return 0;
    disclosure_free(out);
    return err_wrap(e, "disclosure");
}

void disclosure_free(struct disclosure *d) {
    rumor_free(d->rumor);
    *d = (struct disclosure){0};
}

int disclosure_check(const struct disclosure *d, const struct receipt *r,
                     const uint8_t customer[static 32], const uint8_t guest[static 32],
                     struct err *e) {
    if (d->size != (d->out ? r->n_out : r->n_in))
        return err_set(e, "not-proven", "it is a path in a list of another length");
    if (memcmp(d->rumor->f.pubkey, d->out ? guest : customer, 32) != 0)
        return err_set(e, "not-proven", "the message is not by the %s",
                       d->out ? "guest" : "customer");
    if (!merkle_proves(d->rumor->f.id, d->index, d->size, (const uint8_t(*)[32])d->path, d->n_path,
                       d->out ? r->root_out : r->root_in))
        return err_set(e, "not-proven", "the message is not the one that the guest signed for");
    return 0;
}
