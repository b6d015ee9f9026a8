/* A remote signer (NIP-46) over a real relay: a double that does what it is told, well or badly. */
#ifndef CDVM_TEST_BUNKER_H
#define CDVM_TEST_BUNKER_H

#include "core/json.h"
#include "core/nip44.h"
#include "core/nip46.h"
#include "tests/unit/net.h"

enum manner {
    GOOD,
    SILENT,
    REFUSES,
    ANOTHER_KEY,
    ANOTHER_TEXT,
    ANOTHER_DATE,
    BROKEN_SIGNATURE,
    NO_JSON,
    ANOTHER_ID,
    SENDS_AWAY,
};

static struct bunker {
    struct keypair *signer, *user;
    struct pool *pool;
    enum manner manner;
    char heard[256];
} bunker;

static void reply(const uint8_t to[static 32], struct view text) {
    cleanup_buf struct buf payload = {0};
    struct nip44_key k;
    struct fields draft;
    struct event *ev;
    char hex[65];

    assert_int_equal(nip44_conversation(bunker.signer, to, &k, NULL), 0);
    assert_int_equal(nip44_encrypt(&k, text, NULL, &payload, NULL), 0);
    hex_encode(view_of(to, 32), hex);
    draft = fields_new(KIND_SIGNER, unix_now(), buf_view(&payload));
    fields_add(&draft, "p", hex);
    ev = event_sign(&draft, bunker.signer);
    assert_int_equal(pool_publish(bunker.pool, ev, NULL), 0);
    event_free(ev);
}

static void answer(const uint8_t to[static 32], const char *id, const char *result,
                   const char *error) {
    cleanup_buf struct buf text = {0};
    struct jw w = jw_new(&text);

    jw_obj(&w);
    jw_kstr(&w, "id", bunker.manner == ANOTHER_ID ? "0123" : id);
    jw_kstr(&w, "result", result);
    if (error)
        jw_kstr(&w, "error", error);
    jw_end_obj(&w);
    reply(to, bunker.manner == NO_JSON ? view_str("{\"id\"") : buf_view(&text));
}

static struct event *signed_as_told(const cJSON *params) {
    cJSON *o = json_parse(view_str(cJSON_GetArrayItem(params, 0)->valuestring), 65536, NULL);
    uint64_t kind, at;
    struct fields d;
    const cJSON *tag, *v;

    assert_non_null(o);
    assert_true(json_u64(o, "kind", &kind, NULL) && json_u64(o, "created_at", &at, NULL));
    d = fields_new((uint32_t)kind, (int64_t)at + (bunker.manner == ANOTHER_DATE),
                   view_str(bunker.manner == ANOTHER_TEXT ? "I owe you" : json_opt(o, "content")));
    cJSON_ArrayForEach(tag, json_arr(o, "tags", NULL)) {
        const char *s[8];
        size_t n = 0;

        cJSON_ArrayForEach(v, tag) {
            s[n++] = v->valuestring;
        }
        fields_tag(&d, n, s);
    }
    cJSON_Delete(o);
    return event_sign(&d, bunker.manner == ANOTHER_KEY ? bunker.signer : bunker.user);
}

static void sign(const uint8_t to[static 32], const char *id, const cJSON *params) {
    struct event *ev = signed_as_told(params);
    cleanup_buf struct buf json = {0};

    if (bunker.manner == BROKEN_SIGNATURE)
        ev->f.sig[5] ^= 1;
    event_json(ev, &json);
    answer(to, id, (char *)json.p, NULL);
    event_free(ev);
}

static void told(const uint8_t by[static 32], const cJSON *o) {
    const char *id = json_opt(o, "id"), *method = json_opt(o, "method");
    const cJSON *params = json_arr(o, "params", NULL);
    cleanup_free char *pub = hex_new(view_of(keypair_pub(bunker.user), 32));
    size_t n = strlen(bunker.heard);

    snprintf(bunker.heard + n, sizeof bunker.heard - n, "%s;", method);
    if (bunker.manner == SILENT)
        return;
    if (bunker.manner == SENDS_AWAY && !strcmp(method, "connect"))
        answer(by, id, "auth_url", "https://signer.example/yes?\033[2J");
    if (!strcmp(method, "connect")) {
        assert_string_equal(cJSON_GetArrayItem(params, 1)->valuestring, "s3cret");
        answer(by, id, "ack", NULL);
    } else if (!strcmp(method, "get_public_key")) {
        answer(by, id, pub, NULL);
    } else if (bunker.manner == REFUSES) {
        answer(by, id, "", "not today\033]0;x\007");
    } else {
        sign(by, id, params);
    }
}

static void double_event(void *arg, const char *sub, const struct event *ev, const char *url) {
    cleanup_buf struct buf text = {0};
    struct nip44_key k;
    cJSON *o;

    (void)arg, (void)sub, (void)url;
    assert_int_equal(nip44_conversation(bunker.signer, ev->f.pubkey, &k, NULL), 0);
    assert_int_equal(nip44_decrypt(&k, view_of(ev->f.content, ev->f.content_len), &text, NULL), 0);
    o = json_parse(buf_view(&text), 65536, NULL);
    assert_non_null(o);
    told(ev->f.pubkey, o);
    cJSON_Delete(o);
}

/* Fresh keys; at is its address, with the secret. */
static void bunker_up(struct net *net, struct signer_url *at) {
    static const struct pool_handler h = {.event = double_event};
    cleanup_free char *hex = NULL, *filter = NULL;

    bunker = (struct bunker){.signer = keypair_new(), .user = keypair_new()};
    hex = hex_new(view_of(keypair_pub(bunker.signer), 32));
    filter = mem_fmt("{\"kinds\":[24133],\"#p\":[\"%s\"]}", hex);

    bunker.pool = pool_new(net->ws, bunker.signer, &h, NULL);
    assert_int_equal(pool_add(bunker.pool, relayd_url(net->relay), NULL), 0);
    assert_int_equal(pool_subscribe(bunker.pool, "in", filter, NULL), 0);
    *at = (struct signer_url){.n_relays = 1, .secret = "s3cret"};
    memcpy(at->signer, keypair_pub(bunker.signer), 32);
    snprintf(at->relay[0], sizeof at->relay[0], "%s", relayd_url(net->relay));
    net_for(net, 200);
}

static void bunker_down(void) {
    pool_free(bunker.pool);
    keypair_free(bunker.signer);
    keypair_free(bunker.user);
}

#endif
