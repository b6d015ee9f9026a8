/* wrap_open against a sender who holds real keys: the input is the wrap's payload, the seal's JSON
 * or the rumor's JSON, and every layer outside it is right. Nothing may be accepted that is not
 * from the sealer. */
#include "core/enc.h"
#include "core/json.h"
#include "core/nip44.h"
#include "core/wrap.h"
#include "tests/fuzz/fuzz.h"

static struct keypair *me, *sender;

static void make_keys(void) {
    static const uint8_t a[32] = {1}, b[32] = {2};

    if (me)
        return;
    me = keypair_from(a, NULL);
    sender = keypair_from(b, NULL);
}

static struct event *signed_as(uint32_t kind, struct view content) {
    struct fields f = fields_new(kind, 1763800000, content);
    char hex[65];

    if (kind != KIND_SEAL) {
        hex_encode(view_of(keypair_pub(me), 32), hex);
        fields_add(&f, "p", hex);
    }
    return event_sign(&f, sender);
}

static struct event *sealed(uint32_t kind, struct view plain) {
    static struct nip44_key key;
    static bool known;
    cleanup_buf struct buf payload = {0};

    if (!known)
        MUST(nip44_conversation(sender, keypair_pub(me), &key, NULL) == 0);
    known = true;
    if (nip44_encrypt(&key, plain, NULL, &payload, NULL) < 0)
        return NULL;
    return signed_as(kind, buf_view(&payload));
}

static struct event *wrap_of_rumor(struct view rumor) {
    struct event *seal = sealed(KIND_SEAL, rumor), *wrap;
    cleanup_buf struct buf text = {0};

    if (!seal)
        return NULL;
    event_json(seal, &text);
    wrap = sealed(KIND_WRAP, buf_view(&text));
    event_free(seal);
    return wrap;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct view v = view_of(data, size ? size - 1 : 0);
    unsigned layer = size ? data[size - 1] % 4 : 0;
    struct err e = {0};
    struct event *wrap;
    struct rumor *r;

    make_keys();
    wrap = layer == 0   ? signed_as(KIND_WRAP, v)
           : layer == 1 ? sealed(KIND_WRAP, v)
                        : wrap_of_rumor(v);
    if (!wrap)
        return 0;
    r = wrap_open(wrap, me, NULL, &e);
    if (r)
        MUST(memcmp(r->f.pubkey, keypair_pub(sender), 32) == 0);
    else
        MUST(strcmp(e.code, "bad-wrap") == 0);
    rumor_free(r);
    event_free(wrap);
    return 0;
}
