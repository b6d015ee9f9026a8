#include "bundle.h"

#include <stdlib.h>
#include <string.h>

#include "enc.h"

static const struct {
    const char *key;
    size_t at;
} events[] =
    {
        {"receipt", offsetof(struct bundle, receipt)},
        {"offer", offsetof(struct bundle, offer)},
        {"teardown", offsetof(struct bundle, teardown)},
},
  rumors[] = {
      {"request", offsetof(struct bundle, request)},
      {"hello", offsetof(struct bundle, hello)},
      {"accept", offsetof(struct bundle, accept)},
};

static struct event **event_at(struct bundle *b, size_t i) {
    return (struct event **)((char *)b + events[i].at);
}
static struct rumor **rumor_at(struct bundle *b, size_t i) {
    return (struct rumor **)((char *)b + rumors[i].at);
}

/* --- writing --- */

static void put_event(struct jw *w, const struct event *ev) {
    cleanup_buf struct buf json = {0};

    event_json(ev, &json);
    jw_raw(w, buf_view(&json));
}

static void put_rumor(struct jw *w, const struct rumor *r) {
    cleanup_buf struct buf json = {0};

    rumor_json(r, &json);
    jw_raw(w, buf_view(&json));
}

static void put_collateral(struct jw *w, const struct bundle *b) {
    if (!b->n_collateral)
        return;
    jw_key(w, "collateral");
    jw_arr(w);
    for (size_t i = 0; i < b->n_collateral; i++)
        put_rumor(w, b->collateral[i]);
    jw_end_arr(w);
}

static void put_lists(struct jw *w, const struct bundle *b) {
    jw_key(w, "manifests");
    jw_arr(w);
    for (size_t i = 0; i < b->n_manifests; i++)
        jw_str(w, b->manifest[i]);
    jw_end_arr(w);
    jw_key(w, "endorsements");
    jw_arr(w);
    for (size_t i = 0; i < b->n_endorsements; i++)
        put_event(w, b->endorsement[i]);
    jw_end_arr(w);
}

static void put_ids(struct jw *w, const char *key, const uint8_t (*ids)[32], size_t n) {
    jw_key(w, key);
    jw_arr(w);
    for (size_t i = 0; i < n; i++)
        jw_hex(w, view_of(ids[i], 32));
    jw_end_arr(w);
}

static void put_transcript(struct jw *w, const struct bundle *b) {
    jw_key(w, "transcript");
    jw_obj(w);
    put_ids(w, "in", (const uint8_t(*)[32])b->in, b->n_in);
    put_ids(w, "out", (const uint8_t(*)[32])b->out, b->n_out);
    jw_end_obj(w);
}

void bundle_json(const struct bundle *b, struct buf *out) {
    struct bundle own = *b; /* for event_at: only read */
    struct jw w = jw_new(out);

    jw_obj(&w);
    jw_kint(&w, "v", 1);
    for (size_t i = 0; i < COUNT(events); i++)
        if (*event_at(&own, i)) {
            jw_key(&w, events[i].key);
            put_event(&w, *event_at(&own, i));
        }
    for (size_t i = 0; i < COUNT(rumors); i++)
        if (*rumor_at(&own, i)) {
            jw_key(&w, rumors[i].key);
            put_rumor(&w, *rumor_at(&own, i));
        }
    put_collateral(&w, b);
    if (b->gpu)
        jw_kstr(&w, "gpu", b->gpu);
    put_lists(&w, b);
    if (b->has_transcript && b->n_in <= BUNDLE_IDS_MAX && b->n_out <= BUNDLE_IDS_MAX)
        put_transcript(&w, b);
    jw_end_obj(&w);
}

/* --- reading --- */

static struct event *get_event(const cJSON *o, struct err *e) {
    struct raw_event *raw = raw_event_from_json(o, e);

    return raw ? event_verify(raw, e) : NULL;
}

static struct rumor *get_rumor(const cJSON *o, struct err *e) {
    cleanup_buf struct buf json = {0};
    struct jw w = jw_new(&json);

    jw_json(&w, o);
    return rumor_parse(buf_view(&json), e);
}

/* The list under key; absent is empty. -1 when it is something else or too long. */
static int list_get(const cJSON *o, const char *key, const cJSON **out, struct err *e) {
    *out = cJSON_GetObjectItemCaseSensitive(o, key);
    if (*out && (!cJSON_IsArray(*out) || cJSON_GetArraySize(*out) > BUNDLE_LIST_MAX))
        return err_set(e, "bad-bundle", "%s is not a list of at most %d", key, BUNDLE_LIST_MAX);
    return 0;
}

/* One message stands by itself in bundles of before there were more. */
static int get_collateral(const cJSON *o, struct bundle *b, struct err *e) {
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, "collateral"), *v;
    const bool one = cJSON_IsObject(list);

    if (!list)
        return 0;
    if (!one && (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > COLLATERAL_PARTS))
        return err_set(e, "bad-bundle", "collateral is not a list of at most %d", COLLATERAL_PARTS);
    b->collateral = mem_new(COLLATERAL_PARTS * sizeof(struct rumor *));
    for (v = one ? list : list->child; v; v = one ? NULL : v->next) {
        b->collateral[b->n_collateral] = get_rumor(v, e);
        if (!b->collateral[b->n_collateral])
            return err_wrap(e, "collateral");
        b->n_collateral++;
    }
    return 0;
}

static int get_gpu(const cJSON *o, struct bundle *b, struct err *e) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, "gpu");

    if (v && !cJSON_IsString(v))
        return err_set(e, "bad-bundle", "gpu is not a string");
    b->gpu = v ? mem_str(v->valuestring) : NULL;
    return 0;
}

static int get_lists(const cJSON *o, struct bundle *b, struct err *e) {
    const cJSON *manifests, *endorsements, *v;

    if (list_get(o, "manifests", &manifests, e) || list_get(o, "endorsements", &endorsements, e))
        return -1;
    b->manifest = mem_new(BUNDLE_LIST_MAX * sizeof *b->manifest);
    b->endorsement = mem_new(BUNDLE_LIST_MAX * sizeof *b->endorsement);
    cJSON_ArrayForEach(v, manifests) {
        if (!cJSON_IsString(v))
            return err_set(e, "bad-bundle", "a manifest that is not a string");
        b->manifest[b->n_manifests++] = mem_str(v->valuestring);
    }
    cJSON_ArrayForEach(v, endorsements) {
        struct event *ev = get_event(v, e);

        if (!ev)
            return err_wrap(e, "endorsements");
        b->endorsement[b->n_endorsements++] = ev;
    }
    return 0;
}

static int get_ids(const cJSON *o, const char *key, uint8_t (**ids)[32], size_t *n, struct err *e) {
    const cJSON *list = json_arr(o, key, e), *v;
    int count = cJSON_GetArraySize(list);

    if (!list || count > (int)BUNDLE_IDS_MAX)
        return err_set(e, "bad-bundle", "transcript: %s is not a list of ids", key);
    *ids = mem_new((size_t)count * sizeof **ids + 1);
    cJSON_ArrayForEach(v, list) {
        if (!hex_decode_str(cJSON_GetStringValue(v), (*ids)[*n], 32))
            return err_set(e, "bad-bundle", "transcript: %s has an id that is none", key);
        (*n)++;
    }
    return 0;
}

static int get_transcript(const cJSON *o, struct bundle *b, struct err *e) {
    const cJSON *t = cJSON_GetObjectItemCaseSensitive(o, "transcript");

    b->has_transcript = t != NULL;
    if (t && !cJSON_IsObject(t))
        return err_set(e, "bad-bundle", "transcript is not an object");
    return t && (get_ids(t, "in", &b->in, &b->n_in, e) || get_ids(t, "out", &b->out, &b->n_out, e))
               ? -1
               : 0;
}

static int get_parts(const cJSON *o, struct bundle *b, struct err *e) {
    const cJSON *v;

    for (size_t i = 0; i < COUNT(events); i++)
        if ((v = cJSON_GetObjectItemCaseSensitive(o, events[i].key)) &&
            !(*event_at(b, i) = get_event(v, e)))
            return err_wrap(e, "%s", events[i].key);
    for (size_t i = 0; i < COUNT(rumors); i++)
        if ((v = cJSON_GetObjectItemCaseSensitive(o, rumors[i].key)) &&
            !(*rumor_at(b, i) = get_rumor(v, e)))
            return err_wrap(e, "%s", rumors[i].key);
    if (!b->request || !b->offer || !b->hello)
        return err_set(e, "bad-bundle", "request, offer and hello must be in it");
    return get_collateral(o, b, e) || get_gpu(o, b, e) || get_lists(o, b, e)
               ? -1
               : get_transcript(o, b, e);
}

int bundle_parse(struct view json, struct bundle *out, struct err *e) {
    cJSON *o = json_parse(json, BUNDLE_MAX, e);
    uint64_t v;
    int rc = -1;

    *out = (struct bundle){0};
    if (!o)
        return err_wrap(e, "bundle");
    if (!json_u64(o, "v", &v, e) || v != 1)
        err_set(e, "bad-bundle", "it has no version, or another than 1");
    else
        rc = get_parts(o, out, e);
    cJSON_Delete(o);
    if (rc) {
        bundle_free(out);
        return err_wrap(e, "bundle");
    }
    return 0;
}

int bundle_hello(const struct bundle *b, const uint8_t *job, struct hello *out, struct err *e) {
    struct msg m;
    int rc = -1;

    *out = (struct hello){0};
    if (msg_parse(b->hello, &m, e))
        return -1;
    if (strcmp(m.type, "hello") != 0)
        err_set(e, "bad-bundle", "its hello is a message of another type");
    else if (job && memcmp(m.job, job, 32) != 0)
        err_set(e, "bad-bundle", "its hello belongs to another job");
    else
        rc = hello_parse(m.o, out, e);
    msg_free(&m);
    if (rc == 0 && out->gpu_follows && b->gpu)
        hello_gpu_file(out, view_str(b->gpu));
    return rc;
}

void bundle_free(struct bundle *b) {
    for (size_t i = 0; i < COUNT(events); i++)
        event_free(*event_at(b, i));
    for (size_t i = 0; i < COUNT(rumors); i++)
        rumor_free(*rumor_at(b, i));
    for (size_t i = 0; i < b->n_collateral; i++)
        rumor_free(b->collateral[i]);
    for (size_t i = 0; i < b->n_manifests; i++)
        free(b->manifest[i]);
    for (size_t i = 0; i < b->n_endorsements; i++)
        event_free(b->endorsement[i]);
    free(b->collateral);
    free(b->gpu);
    free(b->manifest);
    free(b->endorsement);
    free(b->in);
    free(b->out);
    *b = (struct bundle){0};
}
