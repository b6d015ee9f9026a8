#include "nip19.h"
#include "enc.h"
#include "reader.h"

#include <stdlib.h>
#include <string.h>

#define HRP_MAX 83
#define CHECKSUM 6

static const char charset[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/* BIP-173: the checksum is a BCH code over GF(32). */
static uint32_t polymod_step(uint32_t pre, uint8_t v) {
    static const uint32_t gen[5] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
    uint32_t b = pre >> 25, x = (pre & 0x1ffffff) << 5 ^ v;

    for (unsigned i = 0; i < 5; i++)
        if (b >> i & 1)
            x ^= gen[i];
    return x;
}

static uint32_t polymod_hrp(const char *hrp) {
    uint32_t x = 1;

    for (const char *p = hrp; *p; p++)
        x = polymod_step(x, (uint8_t)*p >> 5);
    x = polymod_step(x, 0);
    for (const char *p = hrp; *p; p++)
        x = polymod_step(x, *p & 31);
    return x;
}

static bool hrp_ok(const char *hrp) {
    size_t n = strlen(hrp);

    for (size_t i = 0; i < n; i++)
        if (hrp[i] < 33 || hrp[i] > 126 || (hrp[i] >= 'A' && hrp[i] <= 'Z'))
            return false;
    return n >= 1 && n <= HRP_MAX;
}

static void put5(struct buf *out, uint32_t *sum, uint32_t v) {
    *sum = polymod_step(*sum, (uint8_t)(v & 31));
    buf_u8(out, (uint8_t)charset[v & 31]);
}

int bech32_encode(const char *hrp, struct view data, struct buf *out, struct err *e) {
    uint32_t acc = 0, sum;
    unsigned bits = 0;

    if (!hrp_ok(hrp))
        return err_set(e, "bad-identifier",
                       "the prefix of a bech32 string must be 1 to %d "
                       "lower-case printable characters",
                       HRP_MAX);
    if (strlen(hrp) + 1 + (data.n * 8 + 4) / 5 + CHECKSUM > NIP19_MAX)
        return err_set(e, "too-large", "an identifier of %zu bytes is longer than %d characters",
                       data.n, NIP19_MAX);
    sum = polymod_hrp(hrp);
    buf_fmt(out, "%s1", hrp);
    for (size_t i = 0; i < data.n; i++) {
        acc = (acc << 8 | data.p[i]) & 0xfff;
        for (bits += 8; bits >= 5; bits -= 5)
            put5(out, &sum, acc >> (bits - 5));
    }
    if (bits)
        put5(out, &sum, acc << (5 - bits));
    for (int i = 0; i < CHECKSUM; i++)
        sum = polymod_step(sum, 0);
    for (int i = 0; i < CHECKSUM; i++)
        buf_u8(out, (uint8_t)charset[(sum ^ 1) >> (5 * (5 - i)) & 31]);
    return 0;
}

static int bad(struct err *e, const char *why) {
    return err_set(e, "bad-identifier", "not a bech32 string: %s", why);
}

/* Lower-cases s into `low` (NIP19_MAX + 1 bytes); refuses mixed case and what is not printable. */
static int fold(struct view s, char *low, struct err *e) {
    bool upper = false, lower = false;

    if (s.n > NIP19_MAX)
        return bad(e, "longer than 5000 characters");
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];

        if (c < 33 || c > 126)
            return bad(e, "a character outside printable ASCII");
        upper |= c >= 'A' && c <= 'Z';
        lower |= c >= 'a' && c <= 'z';
        low[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    low[s.n] = 0;
    return upper && lower ? bad(e, "upper and lower case are mixed") : 0;
}

/* Values of the data part, checksum included, to `five`; -1 on a character outside the set. */
static int values(const char *text, uint8_t *five, const char *hrp, struct err *e) {
    uint32_t sum = polymod_hrp(hrp);

    for (size_t i = 0; text[i]; i++) {
        const char *at = strchr(charset, text[i]);

        if (!at)
            return bad(e, "a character that bech32 does not use");
        five[i] = (uint8_t)(at - charset);
        sum = polymod_step(sum, five[i]);
    }
    return sum == 1 ? 0 : bad(e, "the checksum does not match; a character is wrong or missing");
}

static int regroup(const uint8_t *five, size_t n, struct buf *data, struct err *e) {
    size_t before = data->n;
    uint32_t acc = 0;
    unsigned bits = 0;

    for (size_t i = 0; i < n; i++) {
        acc = (acc << 5 | five[i]) & 0xfff;
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            buf_u8(data, (uint8_t)(acc >> bits));
        }
    }
    if (bits >= 5 || (acc & ((1u << bits) - 1))) {
        data->n = before;
        return bad(e, "bits are left over at the end");
    }
    return 0;
}

int bech32_decode(struct view s, char hrp[static 84], struct buf *data, struct err *e) {
    char low[NIP19_MAX + 1];
    uint8_t five[NIP19_MAX];
    const char *sep;
    size_t n;
    int rc;

    hrp[0] = 0;
    if (fold(s, low, e) < 0)
        return -1;
    sep = strrchr(low, '1');
    if (!sep || sep == low || sep - low > HRP_MAX)
        return bad(e, "no prefix before a '1'");
    n = strlen(sep + 1);
    if (n < CHECKSUM)
        return bad(e, "too short");
    memcpy(hrp, low, (size_t)(sep - low));
    hrp[sep - low] = 0;
    rc = values(sep + 1, five, hrp, e);
    if (rc == 0)
        rc = regroup(five, n - CHECKSUM, data, e);
    explicit_bzero(low, s.n); /* may have been an nsec */
    explicit_bzero(five, n);
    return rc;
}

enum tlv { TLV_SPECIAL, TLV_RELAY, TLV_AUTHOR, TLV_KIND };

static const struct shape {
    const char *hrp;
    bool bare;         /* 32 bytes and nothing else */
    bool author, kind; /* TLVs that must be there */
} shapes[] = {
    [NIP19_NPUB] = {"npub", true, false, false},
    [NIP19_NSEC] = {"nsec", true, false, false},
    [NIP19_NOTE] = {"note", true, false, false},
    [NIP19_NPROFILE] = {"nprofile", false, false, false},
    [NIP19_NEVENT] = {"nevent", false, false, false},
    [NIP19_NADDR] = {"naddr", false, true, true},
};

static int misfit(struct err *e, const struct shape *sh, const char *why) {
    return err_set(e, "bad-identifier", "not a usable %s: %s", sh->hrp, why);
}

static bool relay_ok(struct view v) {
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] < 0x21 || v.p[i] > 0x7e)
            return false;
    return v.n > 0;
}

static int take_special(struct nip19 *out, struct view v, struct err *e) {
    const struct shape *sh = &shapes[out->type];

    if (out->type == NIP19_NADDR) {
        if (memchr(v.p ? v.p : (const uint8_t *)"", 0, v.n))
            return misfit(e, sh, "a NUL byte in its identifier");
        free(out->identifier);
        out->identifier = mem_strn(v.p, v.n);
        return 0;
    }
    if (v.n != 32)
        return misfit(e, sh, "its key or id is not 32 bytes");
    memcpy(out->id, v.p, 32);
    return 0;
}

static int take_tlv(struct nip19 *out, uint8_t t, struct view v, struct err *e) {
    const struct shape *sh = &shapes[out->type];
    struct reader r = reader_new(v);

    switch (t) {
    case TLV_SPECIAL:
        return take_special(out, v, e);
    case TLV_RELAY:
        if (!relay_ok(v))
            return misfit(e, sh, "a relay that is not printable ASCII");
        if (out->n_relays < NIP19_RELAYS)
            out->relays[out->n_relays++] = mem_strn(v.p, v.n);
        return 0;
    case TLV_AUTHOR:
        reader_copy(&r, out->author, 32);
        out->has_author = reader_done(&r);
        return out->has_author ? 0 : misfit(e, sh, "its author is not 32 bytes");
    case TLV_KIND:
        out->kind = reader_u32be(&r);
        out->has_kind = reader_done(&r);
        return out->has_kind ? 0 : misfit(e, sh, "its kind is not 4 bytes");
    default: /* NIP-19: unknown TLVs are ignored */
        return 0;
    }
}

static int take_all(struct nip19 *out, struct view data, struct err *e) {
    const struct shape *sh = &shapes[out->type];
    struct reader r = reader_new(data);
    bool special = false;

    if (sh->bare)
        return take_special(out, data, e);
    while (r.left) {
        uint8_t t = reader_u8(&r);
        struct view v = reader_take(&r, reader_u8(&r));

        if (!reader_ok(&r))
            return misfit(e, sh, "it ends inside a field");
        special |= t == TLV_SPECIAL;
        if (take_tlv(out, t, v, e) < 0)
            return -1;
    }
    if (!special || (sh->author && !out->has_author) || (sh->kind && !out->has_kind))
        return misfit(e, sh, "a field that it needs is missing");
    return 0;
}

static int type_of(const char *hrp, bool uri, enum nip19_type *type, struct err *e) {
    for (size_t i = 0; i < COUNT(shapes); i++)
        if (strcmp(shapes[i].hrp, hrp) == 0 && !(uri && i == NIP19_NSEC)) {
            *type = (enum nip19_type)i;
            return 0;
        }
    return err_set(e, "bad-identifier", "'%s' is not the prefix of an identifier known here", hrp);
}

int nip19_decode(struct view s, struct nip19 *out, struct err *e) {
    bool uri = s.n > 6 && memcmp(s.p, "nostr:", 6) == 0;
    struct buf data = {0};
    char hrp[84];
    int rc;

    *out = (struct nip19){0};
    if (uri)
        s = view_of(s.p + 6, s.n - 6);
    rc = bech32_decode(s, hrp, &data, e);
    if (rc == 0)
        rc = type_of(hrp, uri, &out->type, e);
    if (rc == 0)
        rc = take_all(out, buf_view(&data), e);
    buf_wipe(&data);
    if (rc < 0)
        nip19_free(out);
    return rc;
}

static int put_tlv(struct buf *b, enum tlv t, const void *p, size_t n, struct err *e) {
    if (n > 255)
        return err_set(e, "too-large", "a field of an identifier has %zu bytes, over 255", n);
    buf_u8(b, (uint8_t)t);
    buf_u8(b, (uint8_t)n);
    buf_add(b, p, n);
    return 0;
}

static int put_all(const struct nip19 *in, struct buf *b, struct err *e) {
    const char *d = in->identifier ? in->identifier : "";
    uint8_t kind[4] = {(uint8_t)(in->kind >> 24), (uint8_t)(in->kind >> 16),
                       (uint8_t)(in->kind >> 8), (uint8_t)in->kind};
    bool addr = in->type == NIP19_NADDR;

    if (shapes[in->type].bare) {
        buf_add(b, in->id, 32);
        return 0;
    }
    if (put_tlv(b, TLV_SPECIAL, addr ? (const void *)d : in->id, addr ? strlen(d) : 32, e) < 0)
        return -1;
    for (size_t i = 0; i < in->n_relays; i++)
        if (put_tlv(b, TLV_RELAY, in->relays[i], strlen(in->relays[i]), e) < 0)
            return -1;
    if (in->has_author && put_tlv(b, TLV_AUTHOR, in->author, 32, e) < 0)
        return -1;
    return in->has_kind ? put_tlv(b, TLV_KIND, kind, sizeof kind, e) : 0;
}

int nip19_encode(const struct nip19 *in, struct buf *out, struct err *e) {
    struct buf data = {0};
    int rc = put_all(in, &data, e);

    if (rc == 0)
        rc = bech32_encode(shapes[in->type].hrp, buf_view(&data), out, e);
    buf_wipe(&data);
    return rc;
}

void nip19_free(struct nip19 *n) {
    free(n->identifier);
    for (size_t i = 0; i < n->n_relays; i++)
        free(n->relays[i]);
    explicit_bzero(n, sizeof *n);
}

void npub_full(const uint8_t key[static 32], char out[static 64]) {
    cleanup_buf struct buf text = {0};
    struct err e;

    out[0] = 0;
    if (bech32_encode("npub", view_of(key, 32), &text, &e) == 0)
        memcpy(out, text.p, text.n + 1); /* 63 signs, always */
}

void npub_short(const uint8_t key[static 32], char out[static 20]) {
    for (size_t i = 0; i < 4; i++) {
        hex_encode(view_of(key + 2 * i, 2), out + 5 * i);
        out[5 * i + 4] = i < 3 ? ' ' : 0;
    }
}

int pubkey_parse(const char *s, uint8_t out[static 32], struct err *e) {
    struct nip19 id;
    int rc = 0;

    if (hex_decode_str(s, out, 32))
        return 0;
    if (!s || nip19_decode(view_str(s), &id, e) < 0)
        return err_set(e, "bad-key", "a public key is npub1... or 64 lower-case hex digits");
    if (id.type == NIP19_NSEC)
        rc = err_set(e, "secret-key", "this is a secret key (nsec); give the public one (npub)");
    else if (id.type != NIP19_NPUB && id.type != NIP19_NPROFILE)
        rc = err_set(e, "bad-key", "this identifier names an event; a key (npub) is wanted");
    else
        memcpy(out, id.id, 32);
    nip19_free(&id);
    return rc;
}
