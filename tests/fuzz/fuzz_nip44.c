/* NIP-44 decryption. The last byte chooses: the input is the payload's text; its bytes before
 * base64; or the padded plaintext, encrypted and authenticated as a hostile peer with the right key
 * would. */
#include "core/nip44.c"
#include "tests/fuzz/fuzz.h"

static const struct nip44_key key = {{7}};

static void as_peer(struct view padded, struct buf *payload) {
    static const uint8_t nonce[NONCE_LEN] = {9};
    struct message_keys m = message_keys(&key, nonce);
    cleanup_buf struct buf raw = {0};
    uint8_t mac[MAC_LEN];

    buf_u8(&raw, VERSION);
    buf_add(&raw, nonce, sizeof nonce);
    buf_add(&raw, padded.p, padded.n);
    chacha20(&m, raw.p + 1 + NONCE_LEN, padded.n);
    payload_mac(&m, view_of(raw.p + 1, raw.n - 1), mac);
    buf_add(&raw, mac, sizeof mac);
    base64_encode(buf_view(&raw), payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cleanup_buf struct buf payload = {0}, plain = {0};
    struct view v = view_of(data, size ? size - 1 : 0);
    struct err e = {0};

    switch (size ? data[size - 1] % 3 : 0) {
    case 0:
        buf_add(&payload, v.p, v.n);
        break;
    case 1:
        base64_encode(v, &payload);
        break;
    default:
        as_peer(v, &payload);
    }
    if (nip44_decrypt(&key, buf_view(&payload), &plain, &e) < 0) {
        MUST(e.code[0] && plain.n == 0);
        return 0;
    }
    MUST(plain.n > 0 && utf8_valid(buf_view(&plain)));
    return 0;
}
